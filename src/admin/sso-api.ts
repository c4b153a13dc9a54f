// Single sign-on, for programs. Whoever says who everybody is opens every account: a key changes it while the owner, who made it, stands by it. To test a connection
// somebody goes to the provider and comes back: that is for a browser.
import { z } from 'zod';
import { operation, isMatch, type Operation } from '../platform/api/operation.ts';
import { doesNotFit, noSuchThing, Problem } from '../platform/problem.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import {
  addConnection,
  addressesOf,
  changeConnection,
  findConnectionOf,
  listConnections,
  protocolOf,
  protocols,
  removeConnection,
  setConnection,
  type Connection,
  type ConnectionChanged,
  type ConnectionFields,
  type ConnectionState,
} from '../sso/sso.ts';
import { helpProblem } from './help-api.ts';
import { actProblem, idParameter } from './people-api.ts';

export const READING = { tag: 'Single sign-on', scope: 'sso:read' } as const;
export const WRITING = { tag: 'Single sign-on', scope: 'sso:write' } as const;
export const OWNER = 'By a key that the owner made, and by which the owner stands: in the console, for ten minutes.';

const instant = z.iso.datetime();
const LINE = z.string().max(20_000);
const sentFields = {
  name: z.string().max(200).describe('As people see it beside “Continue with”'),
  settings: z
    .record(z.string().regex(/^[A-Za-z]{1,40}$/), z.union([LINE, z.boolean(), z.array(LINE).max(50)]))
    .describe('By the names of the protocol: what each is, the forms of the console say. A secret that is left out stays what it is'),
  trustsAddresses: z.boolean().default(false).describe('The provider gives out only addresses that it has verified'),
  secondFactorWords: z
    .array(z.string().max(500))
    .max(50)
    .default([])
    .describe('How the provider says that it asked for a second factor. None: it is asked for here'),
};
const kind = z.enum(protocols.map((one) => one.kind) as [string, ...string[]]);
const connectionShape = z
  .object({
    id: z.string(),
    kind,
    ...sentFields,
    on: z.boolean(),
    required: z.boolean().describe('Addresses of its domains sign in by it, and by nothing else'),
    testedAt: instant.nullable().describe('When a test last went well with these settings'),
    addresses: z.object({ callback: z.string(), metadata: z.string(), logout: z.string(), signedOut: z.string() }).describe('What the provider has to be told'),
    version: z.int(),
  })
  .meta({ id: 'SsoConnection', description: 'Without its secrets' });
export const ssoOperations = (world: World): readonly Operation<KeyHolder>[] => [
  list(world),
  read(world),
  add(world),
  change(world),
  set(world, { name: 'turnOnSsoConnection', to: 'on', summary: 'Turns a connection on', description: 'Once a test in the console went well.' }),
  set(world, { name: 'turnOffSsoConnection', to: 'off', summary: 'Turns a connection off', description: 'Nobody comes by it any more.' }),
  set(world, {
    name: 'requireSsoConnection',
    to: 'required',
    summary: 'Lets addresses of its domains sign in by it alone',
    description: 'Whoever is signed in by a password is signed out. The owner keeps a way of their own, by password and second factor.',
  }),
  set(world, { name: 'makeSsoConnectionOptional', to: 'optional', summary: 'Lets them sign in by password too', description: 'It stays turned on.' }),
  remove(world),
];

const list = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listSsoConnections',
    method: 'GET',
    path: '/sso/connections',
    summary: 'Lists the organisation’s identity providers',
    answer: { status: 200, says: 'All of them', shape: z.object({ connections: z.array(connectionShape) }) },
    handle: async ({ actor: { organisation } }: KeyHolder) => ({
      connections: (await listConnections(world, world.database.query, organisation.id)).map((one) => asJson(world, one)),
    }),
  });

const read = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'readSsoConnection',
    method: 'GET',
    path: '/sso/connections/{id}',
    summary: 'Shows an identity provider',
    parameters: idParameter,
    answer: { status: 200, says: 'The connection', shape: connectionShape },
    version: tagOf,
    handle: async (holder: KeyHolder, { parameters: { id } }) => asJson(world, await connectionOf(world, holder, id)),
  });

const tagOf = ({ version }: Pick<Connection, 'version'>): string => String(version);

async function connectionOf(world: World, { actor: { organisation } }: KeyHolder, id: string): Promise<Connection> {
  const connection = await findConnectionOf(world, world.database.query, organisation.id, id);
  if (!connection) throw noSuchThing();
  return connection;
}

function asJson(world: World, connection: Connection): z.input<typeof connectionShape> {
  const { id, name, required, trustsAddresses, secondFactorWords, enabledAt, testedAt, version } = connection;
  const stored = connection.settings as Readonly<Record<string, z.input<typeof sentFields.settings>[string]>>;
  // What the form shows: no secret, and nothing that the protocol made itself.
  const shown = protocolOf(connection.kind)!.fields.filter((field) => field.kind !== 'secret' && stored[field.name] !== undefined);
  return {
    id,
    kind: connection.kind,
    name,
    settings: Object.fromEntries(shown.map((field) => [field.name, stored[field.name]!])),
    trustsAddresses,
    secondFactorWords: [...secondFactorWords],
    on: enabledAt !== null,
    required,
    testedAt: testedAt === null ? null : isoOf(testedAt),
    addresses: addressesOf(world, id),
    version,
  };
}

const add = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'addSsoConnection',
    method: 'POST',
    path: '/sso/connections',
    summary: 'Adds an identity provider',
    description: `It is turned off, and has to be tested in the console. ${OWNER}`,
    body: z.strictObject({ kind, ...sentFields }),
    answer: { status: 201, says: 'The connection', shape: connectionShape },
    version: tagOf,
    refusals: ['not-allowed', 'conflict'],
    handle: async (holder: KeyHolder, { body: { kind: of, ...fields } }) => {
      const added = await addConnection(world, holder.actor, of, typedFrom(of, fields));
      if (!added.ok) throw connectionProblem(holder, added);
      return asJson(world, await connectionOf(world, holder, added.id));
    },
  });

const change = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'changeSsoConnection',
    method: 'PUT',
    path: '/sso/connections/{id}',
    summary: 'Changes an identity provider',
    description: `All of it but its secrets, in the place of what was before. It stays turned on. ${OWNER}`,
    parameters: idParameter,
    body: z.strictObject(sentFields),
    needsIfMatch: true,
    answer: { status: 200, says: 'The connection, as it is now', shape: connectionShape },
    version: tagOf,
    refusals: ['not-allowed'],
    handle: async (holder: KeyHolder, { parameters: { id }, body, ifMatch }) => {
      const before = await connectionOf(world, holder, id);
      const changed = await changeConnection(world, holder.actor, { id, seen: seenOf(before, ifMatch) }, typedFrom(before.kind, body));
      if (!changed.ok) throw connectionProblem(holder, changed);
      return asJson(world, await connectionOf(world, holder, id));
    },
  });

/** What was seen, where it still is so; else something that no version is. */
const seenOf = (before: Connection, ifMatch: string): number => (isMatch(ifMatch, tagOf(before)) ? before.version : 0);

/** A box that is not named is not ticked, as in the form. */
function typedFrom(of: string, { settings, ...rest }: Omit<ConnectionFields, 'settings'> & { settings: Readonly<Record<string, unknown>> }): ConnectionFields {
  const boxes = protocolOf(of)!.fields.filter((field) => field.kind === 'check');
  return { ...rest, settings: { ...Object.fromEntries(boxes.map(({ name }) => [name, false])), ...settings } };
}

const set = (
  world: World,
  { name, to, summary, description }: { name: string; to: ConnectionState; summary: string; description: string },
): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name,
    method: 'POST',
    path: `/sso/connections/{id}/${to}`,
    summary,
    description: `${description} ${OWNER}`,
    parameters: idParameter,
    needsIfMatch: true,
    answer: { status: 200, says: 'The connection, as it is now', shape: connectionShape },
    version: tagOf,
    refusals: ['not-allowed', 'conflict'],
    handle: async (holder: KeyHolder, { parameters: { id }, ifMatch }) => {
      const changed = await setConnection(world, holder.actor, { id, seen: seenOf(await connectionOf(world, holder, id), ifMatch), to });
      if (!changed.ok) throw connectionProblem(holder, changed);
      return asJson(world, await connectionOf(world, holder, id));
    },
  });

const remove = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'removeSsoConnection',
    method: 'DELETE',
    path: '/sso/connections/{id}',
    summary: 'Takes an identity provider away',
    description: `Whoever came by it signs in by password. ${OWNER}`,
    parameters: idParameter,
    answer: { status: 204, says: 'It is gone' },
    refusals: ['not-allowed'],
    handle: async (holder: KeyHolder, { parameters: { id } }) => {
      await connectionOf(world, holder, id);
      const removed = await removeConnection(world, holder.actor, id);
      if (!removed.ok) throw connectionProblem(holder, removed);
    },
  });

const MISSING = {
  'too-many': 'The organisation has as many connections as one may have.',
  'not-tested': 'Test the connection in the console first: one that does not work would keep everybody out.',
  'no-domain': 'Lead a verified domain to it first: without one nobody comes by it.',
  'no-password': 'Whoever made the key has to choose a password of their own first, to get in where the provider is down.',
  'turned-off': 'Turn it on first.',
} as const;

function connectionProblem(holder: KeyHolder, changed: Exclude<ConnectionChanged, { ok: true }>): Problem {
  switch (changed.reason) {
    case 'mistakes': {
      const own = ['name', 'trustsAddresses', 'secondFactorWords'];
      const pointerOf = (field: string): string => (own.includes(field) ? `#/${field}` : `#/settings/${field}`);
      return doesNotFit(Object.entries(changed.mistakes).map(([field, detail]) => ({ pointer: pointerOf(field), detail })));
    }
    case 'changed-meanwhile':
      return new Problem('precondition-failed', 'The connection was changed in the meantime, so nothing was done. Read it, and decide anew.');
    case 'not-found':
      return noSuchThing();
    case 'not-allowed':
      return notTheOwner(holder);
    case 'too-many':
    case 'not-tested':
    case 'no-domain':
    case 'no-password':
    case 'turned-off':
      return new Problem('conflict', MISSING[changed.reason]);
  }
}

export const notTheOwner = ({ actor: { key } }: KeyHolder): Problem =>
  key.role === 'admin' && !key.vouched ? helpProblem('needs-a-person') : key.role === 'admin' ? new Problem('not-allowed', OWNER) : actProblem('not-allowed');
