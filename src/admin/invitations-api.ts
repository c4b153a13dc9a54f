// Invitations, for programs.
import { z } from 'zod';
import {
  GIVEN_ROLES,
  invite,
  listInvitations,
  resendInvitation,
  revokeInvitation,
  ROLES,
  type Invitation,
  type InviteRefusal,
} from '../organisations/organisations.ts';
import { openCursor, sealCursor } from '../platform/api/cursor.ts';
import { operation, type Operation } from '../platform/api/operation.ts';
import { doesNotFit, noSuchThing, Problem } from '../platform/problem.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { actProblem, cursorParameter, idParameter } from './people-api.ts';

const TAG = 'Invitations';
const READING = { tag: TAG, scope: 'people:read' } as const;
const WRITING = { tag: TAG, scope: 'people:write' } as const;
const INVITATIONS_MOST = 200;
const ADDRESS_CHARACTERS_MOST = 254;

const invitationShape = z
  .object({ id: z.string(), email: z.string(), role: z.enum(ROLES), expiresAt: z.iso.datetime().describe('Past where it has expired; it can be sent again') })
  .meta({ id: 'Invitation', description: 'One that nobody has accepted yet' });

export function invitationOperations(world: World): readonly Operation<KeyHolder>[] {
  return [list(world), send(world), resend(world), revoke(world)];
}

const list = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listInvitations',
    method: 'GET',
    path: '/invitations',
    summary: 'Lists invitations',
    description: 'Those that nobody has accepted, by their addresses.',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(INVITATIONS_MOST).default(50), cursor: cursorParameter }),
    answer: { status: 200, says: 'One page of invitations', shape: z.object({ invitations: z.array(invitationShape), next: z.string().nullable() }) },
    handle: async ({ actor: { organisation } }: KeyHolder, { query: { limit, cursor } }) => {
      const pages = { organisation: organisation.id, what: ['invitations'] };
      const after = openCursor(world, pages, cursor);
      const found = await listInvitations(world.database.query, organisation, { after, most: limit + 1 });
      const shown = found.slice(0, limit);
      return { invitations: shown.map(asJson), next: sealCursor(world, pages, found.length > limit ? shown.at(-1)!.email : undefined) };
    },
  });

const asJson = ({ id, email, role, expiresAt }: Invitation) => ({ id, email, role, expiresAt: isoOf(expiresAt) });

const send = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'invite',
    method: 'POST',
    path: '/invitations',
    summary: 'Invites somebody',
    description: 'By mail: a link that works for seven days, once, and only for an account with this address. One that the address has already is replaced.',
    body: z.strictObject({ email: z.string().max(ADDRESS_CHARACTERS_MOST), role: z.enum(GIVEN_ROLES) }),
    answer: { status: 201, says: 'The invitation is on its way', shape: invitationShape },
    refusals: ['not-allowed', 'conflict'],
    handle: async ({ actor }: KeyHolder, { body }) => {
      const invited = await invite(world, actor, body);
      if (!invited.ok) throw inviteProblem(invited);
      return asJson(invited.invitation);
    },
  });

const resend = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'resendInvitation',
    method: 'POST',
    path: '/invitations/{id}/resend',
    summary: 'Sends an invitation once more',
    description: 'With a new link and seven more days. The link before it no longer works.',
    parameters: idParameter,
    answer: { status: 200, says: 'It is on its way', shape: invitationShape },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const sent = await resendInvitation(world, actor, id);
      if (!sent.ok) throw inviteProblem(sent);
      return asJson(sent.invitation);
    },
  });

const revoke = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'revokeInvitation',
    method: 'DELETE',
    path: '/invitations/{id}',
    summary: 'Takes an invitation back',
    parameters: idParameter,
    answer: { status: 204, says: 'Its link no longer works' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const revoked = await revokeInvitation(world, actor, id);
      if (!revoked.ok) throw actProblem(revoked.reason);
    },
  });

function inviteProblem({ reason, retryAt = 0 }: { reason: InviteRefusal | 'not-found'; retryAt?: number }): Problem {
  switch (reason) {
    case 'address':
      return doesNotFit([{ pointer: '#/email', detail: 'Not an email address such as name@example.com.' }]);
    case 'domain':
      return doesNotFit([{ pointer: '#/email', detail: 'The Security Policy lets addresses of other domains join.' }]);
    case 'role':
      return doesNotFit([{ pointer: '#/role', detail: 'Not one of the roles.' }]);
    case 'belongs-already':
      return new Problem('conflict', 'Somebody with this address belongs to the organisation already.');
    case 'too-many':
      return new Problem('too-many-requests', 'Many invitations went to this address. Wait as long as Retry-After says.', { retryAt });
    case 'not-found':
      return noSuchThing();
    case 'not-allowed':
    case 'oneself':
    case 'higher-role':
      return actProblem(reason);
  }
}
