// People, for programs: the same reading and the same deeds as /admin/people.
import { z } from 'zod';
import { changeRole, transferOwnership, findMember, GIVEN_ROLES, ROLES, type ActRefusal, type Role } from '../organisations/organisations.ts';
import { CURSOR_CHARACTERS_MOST, openCursor, sealCursor } from '../platform/api/cursor.ts';
import { operation, type Operation } from '../platform/api/operation.ts';
import { noSuchThing, Problem } from '../platform/problem.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import {
  askToVerify,
  endSessionsOf,
  remove,
  requireNewPassword,
  resume,
  STANDINGS,
  suspend,
  TWO_FACTOR_FILTERS,
  listPeople,
  readPerson,
  type PersonInFull,
} from './admin.ts';
import { personAsJson } from './people.ts';

const TAG = 'People';
export const READING = { tag: TAG, scope: 'people:read' } as const;
export const WRITING = { tag: TAG, scope: 'people:write' } as const;
const PEOPLE_MOST = 200;
const SEARCH_CHARACTERS_MOST = 254;

export const idParameter = z.strictObject({ id: z.string().regex(/^[\w-]{1,64}$/) });
export const cursorParameter = z.string().min(1).max(CURSOR_CHARACTERS_MOST).optional().describe('The “next” of the page before');
const instant = z.iso.datetime();

const personFields = {
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role: z.enum(ROLES),
  joinedAt: instant,
  twoFactor: z.enum(['on', 'off']),
  kinds: z.array(z.string()).describe('Of their second factors, each once, the strongest first'),
  lastSignInAt: instant.nullable(),
  suspended: z.boolean(),
};
const personShape = z.object(personFields).meta({ id: 'Person' });
const personInFullShape = z
  .object({
    ...personFields,
    methods: z.array(z.object({ kind: z.string(), name: z.string(), addedAt: instant, lastUsedAt: instant.nullable() })),
    setUpBy: instant.nullable().describe('By when they have to set up a second factor that counts; past: at the next sign-in. null where they do not'),
    sessions: z
      .array(z.object({ openedAt: instant, lastUsedAt: instant, userAgent: z.string(), address: z.string().nullable() }))
      .describe('The browsers in which they are signed in, the newest first; without the address from before they joined'),
    bypassCode: z.object({ issuedAt: instant, expiresAt: instant }).nullable().describe('One that they could use now'),
    reset: z
      .object({ askedAt: instant, dueAt: instant, waitsForApproval: z.boolean() })
      .nullable()
      .describe('Of all their methods, which is asked for and waits'),
  })
  .meta({ id: 'PersonInFull' });

export function peopleOperations(world: World): readonly Operation<KeyHolder>[] {
  return [list(world), read(world), setRole(world), endTheirSessions(world), ...accessOperations(world), makeOwner(world), removePerson(world)];
}

const list = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listPeople',
    method: 'GET',
    path: '/people',
    summary: 'Lists people',
    description: 'By their addresses; where “search” is given, those whose name begins so come first.',
    query: z.strictObject({
      search: z.string().max(SEARCH_CHARACTERS_MOST).default('').describe('How a name or an address begins'),
      role: z.enum(ROLES).optional(),
      twoFactor: z.enum(TWO_FACTOR_FILTERS).optional().describe('On, off, or the kind of a method that they have'),
      state: z.enum(STANDINGS).optional().describe('Locked: suspended, or with a method that takes no more tries'),
      limit: z.coerce.number().int().min(1).max(PEOPLE_MOST).default(50),
      cursor: cursorParameter,
    }),
    answer: {
      status: 200,
      says: 'One page of people',
      shape: z.object({ people: z.array(personShape), next: z.string().nullable().describe('null where this is the last page') }),
    },
    handle: async ({ actor: { organisation } }: KeyHolder, { query: { search, role, twoFactor, state: standing, limit, cursor } }) => {
      const pages = { organisation: organisation.id, what: ['people', search, role, twoFactor, standing] };
      const after = openCursor(world, pages, cursor);
      const page = await listPeople(world.database.query, organisation, { search, role, twoFactor, standing }, { after, most: limit });
      return { people: page.people.map(personAsJson), next: sealCursor(world, pages, page.next) };
    },
  });

const read = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'readPerson',
    method: 'GET',
    path: '/people/{id}',
    summary: 'Shows somebody',
    parameters: idParameter,
    answer: { status: 200, says: 'The person', shape: personInFullShape },
    handle: (holder: KeyHolder, { parameters: { id } }) => personOf(world, holder, id),
  });

async function personOf(world: World, { actor: { organisation } }: KeyHolder, id: string) {
  const person = await readPerson(world, organisation, id);
  if (!person) throw noSuchThing();
  return personInFullAsJson(person);
}

const personInFullAsJson = ({ account, role, joinedAt, kinds, methods, sessions, lastSignInAt, suspendedAt, setUpBy, help }: PersonInFull) => ({
  ...personAsJson({ accountId: account.id, name: account.name, email: account.email, role, joinedAt, kinds, lastSignInAt, suspended: suspendedAt !== null }),
  methods: methods.map(({ kind, name, createdAt, lastUsedAt }) => ({
    kind,
    name,
    addedAt: isoOf(createdAt),
    lastUsedAt: lastUsedAt === null ? null : isoOf(lastUsedAt),
  })),
  setUpBy: setUpBy === null ? null : isoOf(setUpBy),
  sessions: sessions.map(({ openedAt, lastUsedAt, ...rest }) => ({ openedAt: isoOf(openedAt), lastUsedAt: isoOf(lastUsedAt), ...rest })),
  bypassCode: help.bypassCode ? { issuedAt: isoOf(help.bypassCode.issuedAt), expiresAt: isoOf(help.bypassCode.expiresAt) } : null,
  reset: help.reset
    ? {
        askedAt: isoOf(help.reset.askedAt),
        dueAt: isoOf(help.reset.dueAt),
        waitsForApproval: help.reset.needsApproval && help.reset.approvedBy === null,
      }
    : null,
});

const setRole = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'changeRole',
    method: 'POST',
    path: '/people/{id}/role',
    summary: 'Changes what somebody may do',
    description: 'They are told by mail. Ownership is passed on by transferOwnership.',
    parameters: idParameter,
    body: z.strictObject({
      role: z.enum(GIVEN_ROLES),
      from: z.enum(ROLES).optional().describe('What they are now, as far as you know: where it is another by now, nothing is done'),
    }),
    answer: { status: 200, says: 'The person, as they are now', shape: personInFullShape },
    refusals: ['not-allowed', 'conflict'],
    handle: async (holder: KeyHolder, { parameters: { id }, body: { role, from } }) => {
      const seen = from ?? (await roleNow(world, holder, id));
      const changed = await changeRole(world, holder.actor, { targetId: id, seen, to: role });
      if (!changed.ok) throw actProblem(changed.reason);
      return personOf(world, holder, id);
    },
  });

const endTheirSessions = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'endSessions',
    method: 'POST',
    path: '/people/{id}/end-sessions',
    summary: 'Signs somebody out everywhere',
    description: 'They are told by mail.',
    parameters: idParameter,
    answer: { status: 204, says: 'They are signed out' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const ended = await endSessionsOf(world, actor, id);
      if (!ended.ok) throw actProblem(ended.reason);
    },
  });

const accessOperations = (world: World): readonly Operation<KeyHolder>[] =>
  (
    [
      ['suspendPerson', 'suspend', 'Suspends somebody', 'They are signed out at once and can’t sign in until it is ended.', suspend],
      ['resumePerson', 'resume', 'Ends somebody’s suspension', '', resume],
      [
        'requireNewPassword',
        'require-password',
        'Asks for a new password',
        'The old one stops working at once; they choose the new one by a link to their mailbox.',
        requireNewPassword,
      ],
      ['resendVerification', 'resend-verification', 'Asks somebody again to verify their address', 'Where it is not verified yet.', askToVerify],
    ] as const
  ).map(([name, verb, summary, what, work]) =>
    operation({
      ...WRITING,
      name,
      method: 'POST',
      path: `/people/{id}/${verb}`,
      summary,
      description: `${what} They are told by mail.`.trim(),
      parameters: idParameter,
      answer: { status: 204, says: 'It is done' },
      refusals: ['not-allowed', 'conflict'],
      handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
        const done = await work(world, actor, id);
        if (!done.ok) throw actProblem(done.reason);
      },
    }),
  );

const makeOwner = (world: World): Operation<KeyHolder> =>
  operation({
    tag: TAG,
    scope: 'ownership:write',
    name: 'transferOwnership',
    method: 'POST',
    path: '/people/{id}/make-owner',
    summary: 'Passes ownership on',
    description:
      'They become the owner, and the owner an admin; only they can give it back. By a key that the owner made, and by which the owner stands: in the console, for ten minutes.',
    parameters: idParameter,
    answer: { status: 204, says: 'They are the owner' },
    refusals: ['not-allowed', 'conflict'],
    handle: async (holder: KeyHolder, { parameters: { id } }) => {
      const passed = await transferOwnership(world, holder.actor, { targetId: id, seen: await roleNow(world, holder, id) });
      if (passed.ok) return;
      throw passed.reason === 'not-allowed' || passed.reason === 'higher-role'
        ? new Problem('not-allowed', 'Only the owner passes ownership on: by a key of their own, by which they stand in the console, for ten minutes.')
        : actProblem(passed.reason);
    },
  });

const removePerson = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'removePerson',
    method: 'DELETE',
    path: '/people/{id}',
    summary: 'Removes somebody from the organisation',
    description: 'Their account itself stays. They are told by mail.',
    parameters: idParameter,
    answer: { status: 204, says: 'They no longer belong to the organisation' },
    refusals: ['not-allowed', 'conflict'],
    handle: async (holder: KeyHolder, { parameters: { id } }) => {
      const removed = await remove(world, holder.actor, { targetId: id, seen: await roleNow(world, holder, id) });
      if (!removed.ok) throw actProblem(removed.reason);
    },
  });

async function roleNow({ database: { query } }: World, { actor: { organisation } }: KeyHolder, id: string): Promise<Role> {
  const member = await findMember(query, organisation.id, id);
  if (!member) throw noSuchThing();
  return member.role;
}

/** Why something can't be done to a person, for a program. */
export function actProblem(reason: ActRefusal | 'not-found' | 'changed-meanwhile'): Problem {
  switch (reason) {
    case 'not-found':
      return noSuchThing();
    case 'not-allowed':
      return new Problem('not-allowed', 'A key of this role looks, and changes nothing.');
    case 'oneself':
      return new Problem('not-allowed', 'The key acts in the name of this very person. What they are, others change.');
    case 'higher-role':
      return new Problem('not-allowed', 'The role of this person, or the one to be given, is higher than that of the key.');
    case 'changed-meanwhile':
      return new Problem('conflict', 'The role of this person is another by now, so nothing was done.');
  }
}
