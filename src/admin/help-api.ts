// Helping somebody who lost their phone, for programs. To give a way in, or take the others away, is for people, who are asked afresh who they are and say how
// they know who asks: a key does it only while its maker stands by it, see sessions/api-keys.ts.
import {
  approveReset,
  askForReset,
  CHECKS,
  closeRequest,
  findBypassCode,
  findReset,
  groundsFrom,
  issueBypassCode,
  listRequests,
  revokeBypassCode,
  stopReset,
  type Check,
  type Grounds,
  type HelpRefusal,
} from '../lost-phone/lost-phone.ts';
import { z } from 'zod';
import { operation, type Operation } from '../platform/api/operation.ts';
import { doesNotFit, noSuchThing, Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { isoOf } from '../platform/words/times.ts';
import { readPerson } from './admin.ts';
import { actProblem, idParameter, READING, WRITING } from './people-api.ts';

const requestShape = z
  .object({
    person: z.object({ id: z.string(), name: z.string(), email: z.string() }),
    askedAt: z.iso.datetime(),
    words: z.string().describe('As it was written by whoever had the password: it may be a thief'),
    address: z.string().describe('From where it was asked'),
    userAgent: z.string(),
    browserKnown: z.boolean().describe('Whether the account was entered to the end in that browser before'),
  })
  .meta({ id: 'HelpRequest' });

export const helpOperations = (world: World): readonly Operation<KeyHolder>[] => [
  list(world),
  close(world),
  issue(world),
  revoke(world),
  askReset(world),
  approve(world),
  stop(world),
];

const list = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listHelpRequests',
    method: 'GET',
    path: '/help-requests',
    summary: 'Lists who asks for help',
    description: 'From the second step of signing in, behind the right password. The newest first, at most a hundred.',
    answer: { status: 200, says: 'The requests that are open', shape: z.object({ requests: z.array(requestShape) }) },
    handle: async ({ actor: { organisation } }: KeyHolder) => {
      const requests: z.input<typeof requestShape>[] = [];
      for (const { accountId, askedAt, ...rest } of await listRequests(world, world.database.query, organisation.id)) {
        const person = await readPerson(world, organisation, accountId);
        if (person) requests.push({ ...rest, person: { id: accountId, name: person.account.name, email: person.account.email }, askedAt: isoOf(askedAt) });
      }
      return { requests };
    },
  });

/** AD-4: for which the maker of the key has to stand by it. */
const PERSONAL = { tag: WRITING.tag, scope: 'help:write' } as const;
export const STANDS_BY = 'Whoever made the key stands by it in the console first: then it works for ten minutes.';

const close = (world: World): Operation<KeyHolder> =>
  operation({
    ...PERSONAL,
    name: 'closeHelpRequest',
    method: 'DELETE',
    path: '/help-requests/{id}',
    summary: 'Closes a request for help',
    description: `It is seen to, or was a trick. Its id is that of the person. ${STANDS_BY}`,
    parameters: idParameter,
    answer: { status: 204, says: 'It is closed' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const closed = await closeRequest(world, actor, id);
      if (!closed.ok) throw helpProblem(closed.reason);
    },
  });

const groundsShape = z.strictObject({
  reason: z.string().max(1000).describe('Why; kept on record'),
  check: z.enum(Object.keys(CHECKS) as [Check, ...Check[]]).describe('How it was checked who asks'),
  note: z.string().max(1000).default('').describe('Which call, which number; needed where “check” is other'),
});

function checked(sent: z.output<typeof groundsShape>): Grounds {
  const read = groundsFrom(sent);
  if (read.ok) return read.grounds;
  throw doesNotFit(Object.entries(read.refused).flatMap(([field, detail]) => (detail === undefined ? [] : [{ pointer: `#/${field}`, detail }])));
}

const issue = (world: World): Operation<KeyHolder> =>
  operation({
    ...PERSONAL,
    name: 'issueBypassCode',
    method: 'POST',
    path: '/people/{id}/bypass-code',
    summary: 'Issues a bypass code',
    description: `It signs in once, beside the password, within an hour. They are told by mail. One that waits already has to be taken back first. ${STANDS_BY}`,
    parameters: idParameter,
    body: groundsShape,
    answer: { status: 201, says: 'The code, shown this once', shape: z.object({ code: z.string(), expiresAt: z.iso.datetime() }) },
    refusals: ['not-allowed', 'conflict'],
    handle: async ({ actor }: KeyHolder, { parameters: { id: targetId }, body }) => {
      const issued = await issueBypassCode(world, actor, { targetId, grounds: checked(body), present: '' });
      if (issued.ok) return { code: issued.code, expiresAt: isoOf(issued.expiresAt) };
      if (issued.reason === 'changed-meanwhile' && (await findBypassCode(world, world.database.query, targetId)))
        throw new Problem('conflict', 'A bypass code waits for this person already. Take it back first.');
      throw issued.reason === 'too-many' ? tooMany(issued.retryAt) : helpProblem(issued.reason);
    },
  });

const askReset = (world: World): Operation<KeyHolder> =>
  operation({
    ...PERSONAL,
    name: 'askForReset',
    method: 'POST',
    path: '/people/{id}/reset',
    summary: 'Asks for all methods of somebody to be removed',
    description: `It waits as long as the policies say, in which they, who are told by mail, can stop it; and for a second administrator, where the policies say so. ${STANDS_BY}`,
    parameters: idParameter,
    body: groundsShape,
    answer: { status: 201, says: 'It waits', shape: z.object({ dueAt: z.iso.datetime(), waitsForApproval: z.boolean() }) },
    refusals: ['not-allowed', 'conflict'],
    handle: async ({ actor }: KeyHolder, { parameters: { id: targetId }, body }) => {
      const asked = await askForReset(world, actor, { targetId, grounds: checked(body) });
      if (asked.ok) return { dueAt: isoOf(asked.dueAt), waitsForApproval: asked.needsApproval };
      if (asked.reason === 'changed-meanwhile') throw new Problem('conflict', 'A reset waits for this person already.');
      throw asked.reason === 'too-many' ? tooMany(asked.retryAt) : helpProblem(asked.reason);
    },
  });

const approve = (world: World): Operation<KeyHolder> =>
  operation({
    ...PERSONAL,
    name: 'approveReset',
    method: 'POST',
    path: '/people/{id}/reset/approve',
    summary: 'Agrees to a reset, as the second administrator',
    description: `By a key of somebody else than who asked for it. ${STANDS_BY}`,
    parameters: idParameter,
    answer: { status: 204, says: 'It happens when its time has come' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id: targetId } }) => {
      const pending = await findReset(world.database.query, targetId);
      const approved = await approveReset(world, actor, { targetId, id: pending?.id ?? '' });
      if (approved.ok) return;
      throw approved.reason === 'asked-oneself'
        ? new Problem('not-allowed', 'Whoever asked for a reset does not agree to it as well: that is for a second administrator.')
        : helpProblem(approved.reason);
    },
  });

const tooMany = (retryAt: number): Problem =>
  new Problem('too-many-requests', 'That was done several times for this person. Wait as long as Retry-After says.', { retryAt });

const revoke = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'revokeBypassCode',
    method: 'DELETE',
    path: '/people/{id}/bypass-code',
    summary: 'Takes a bypass code back',
    description: 'One that nobody has used yet. They are told by mail.',
    parameters: idParameter,
    answer: { status: 204, says: 'It no longer works' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const revoked = await revokeBypassCode(world, actor, id);
      if (!revoked.ok) throw helpProblem(revoked.reason);
    },
  });

const stop = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'stopReset',
    method: 'DELETE',
    path: '/people/{id}/reset',
    summary: 'Stops a reset that waits',
    description: 'Their methods stay. They and all who look after them are told by mail.',
    parameters: idParameter,
    answer: { status: 204, says: 'It does not happen' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id: targetId } }) => {
      const pending = await findReset(world.database.query, targetId);
      const stopped = await stopReset(world, actor, { targetId, id: pending?.id ?? '' });
      if (!stopped.ok) throw helpProblem(stopped.reason);
    },
  });

/** Why somebody can’t be helped, for a program. */
export function helpProblem(reason: HelpRefusal): Problem {
  switch (reason) {
    case 'not-found':
    case 'changed-meanwhile':
      return noSuchThing();
    case 'not-allowed':
    case 'oneself':
    case 'higher-role':
      return actProblem(reason);
    case 'needs-a-person':
      return new Problem('not-allowed', 'This asks for a person. Whoever made the key stands by it in the console first: then it works for ten minutes.');
    case 'two-factor-off':
      return new Problem('not-allowed', 'This person signs in with the password alone: there is nothing to help with.');
    case 'own-two-factor-off':
      return new Problem('not-allowed', 'Whoever made the key signs in with the password alone, and helps nobody past a second step.');
    case 'looks-after-others':
      return new Problem('not-allowed', 'This person looks after another organisation, which the same account opens.');
    case 'own-provider':
      return new Problem('not-allowed', 'This person signs in by the organisation’s own provider, and belongs to another organisation too.');
  }
}
