// The identity providers of an organisation: set up by its owner, tried, turned on. The door is sso.ts.
import { hasPassword } from '../accounts/accounts.ts';
import { record } from '../audit/audit.ts';
import { byWhom, findActing, may, type Actor } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { makeId } from '../platform/secrets/tokens.ts';
import { canBeShown } from '../platform/words/showable.ts';
import type { World } from '../platform/world.ts';
import { endSession } from '../sessions/sessions.ts';
import type { AnyProtocol } from './contract.ts';
import { protocolOf } from './registry.ts';
import * as store from './store.ts';

export interface Connection {
  readonly id: string;
  readonly organisationId: string;
  readonly kind: string;
  readonly name: string;
  readonly settings: unknown;
  /** Epoch milliseconds; null: turned off. */
  readonly enabledAt: number | null;
  /** Whoever has an address of its domains signs in by it, and by nothing else. */
  readonly required: boolean;
  /** The administrator says that the provider gives out only addresses that it has verified. */
  readonly trustsAddresses: boolean;
  /** How the provider says that it asked for a second factor; empty: that is not believed. */
  readonly secondFactorWords: readonly string[];
  /** When a test last went well with these settings; null: not yet. */
  readonly testedAt: number | null;
  readonly version: number;
  readonly createdAt: number;
}

export interface ConnectionFields {
  readonly name: string;
  /** As they were typed, by the names of the protocol's settings; a secret that was left empty stays what it is. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly trustsAddresses: boolean;
  readonly secondFactorWords: readonly string[];
}

/** `not-tested`, `turned-off`, `no-domain`, `no-password`: what has to come before it is turned on, or required. */
type ConnectionRefusal = 'not-allowed' | 'not-found' | 'changed-meanwhile' | 'too-many' | 'not-tested' | 'turned-off' | 'no-domain' | 'no-password';

export type ConnectionChanged =
  | { readonly ok: true; readonly id: string }
  | { readonly ok: false; readonly reason: ConnectionRefusal }
  /** Sentences, by the name of the field. */
  | { readonly ok: false; readonly reason: 'mistakes'; readonly mistakes: Readonly<Record<string, string>> };

const NAME_CHARACTERS_MOST = 60;
const CONNECTIONS_MOST = 20;
const WORDS_MOST = 20;

export async function findConnection(world: World, queries: Queries, id: string): Promise<Connection | undefined> {
  const row = await store.selectConnection(queries, id);
  return row && connectionFrom(world, row);
}

/** Of that organisation, and of no other. */
export async function findConnectionOf(world: World, queries: Queries, organisationId: string, id: string): Promise<Connection | undefined> {
  const found = await findConnection(world, queries, id);
  return found?.organisationId === organisationId ? found : undefined;
}

export async function listConnections(world: World, queries: Queries, organisationId: string): Promise<Connection[]> {
  return (await store.selectConnections(queries, organisationId)).map((row) => connectionFrom(world, row));
}

/** Where a verified address leads, by its domain and nothing else: so it tells nobody whether an account exists (RL-7). */
export async function findConnectionFor(world: World, queries: Queries, emailKey: string): Promise<Connection | undefined> {
  const row = await store.selectConnectionOfDomain(queries, domainOf(emailKey));
  return row && connectionFrom(world, row);
}

export const domainOf = (emailKey: string): string => emailKey.slice(emailKey.lastIndexOf('@') + 1);

export const hasConnection = (queries: Queries): Promise<boolean> => store.hasConnection(queries);

export async function addConnection(world: World, actor: Actor, kind: string, fields: ConnectionFields): Promise<ConnectionChanged> {
  const protocol = protocolOf(kind);
  if (!protocol) return { ok: false, reason: 'not-found' };
  const read = await readFields(world, protocol, fields, {});
  if ('mistakes' in read) return { ok: false, reason: 'mistakes', mistakes: read.mistakes };
  return world.database.transaction(async (transaction): Promise<ConnectionChanged> => {
    if (!(await mayManage(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    if ((await store.selectConnections(transaction, actor.organisation.id)).length >= CONNECTIONS_MOST) return { ok: false, reason: 'too-many' };
    // It stands in the addresses that a provider is told, and Okta takes none with an underscore.
    const id = makeId(world).replaceAll('_', '-');
    await store.insertConnection(transaction, {
      id,
      organisation_id: actor.organisation.id,
      kind,
      ...rowOf(world, id, fields, read),
      enabled_at: null,
      required: 0,
      version: 1,
      created_at: world.clock.now(),
    });
    await recordChange(world, transaction, actor, { id, name: read.name, to: 'added' });
    return { ok: true, id };
  });
}

/** A test with the settings of before says nothing of these. It stays turned on: to add a certificate must sign nobody out. */
export async function changeConnection(
  world: World,
  actor: Actor,
  { id, seen }: { id: string; seen: number },
  fields: ConnectionFields,
): Promise<ConnectionChanged> {
  const known = await findConnectionOf(world, world.database.query, actor.organisation.id, id);
  if (!known) return { ok: false, reason: 'not-found' };
  const read = await readFields(world, protocolOf(known.kind)!, fields, known.settings as Record<string, unknown>);
  return changing(world, actor, id, async (transaction, before) => {
    if ('mistakes' in read) return { ok: false, reason: 'mistakes', mistakes: read.mistakes };
    const { tested_at: _tested, ...row } = rowOf(world, id, fields, read);
    const same = JSON.stringify(read.settings) === JSON.stringify(before.settings);
    const set = same ? row : { ...row, tested_at: null };
    const isAsSeen = before.version === seen && known.version === seen;
    if (!isAsSeen || !(await store.updateConnection(transaction, { id, version: seen, set }))) return { ok: false, reason: 'changed-meanwhile' };
    await recordChange(world, transaction, actor, { id, name: read.name, to: 'changed' });
    return { ok: true, id };
  });
}

export type ConnectionState = 'on' | 'off' | 'required' | 'optional';

export async function setConnection(
  world: World,
  actor: Actor,
  { id, seen, to }: { id: string; seen: number; to: ConnectionState },
): Promise<ConnectionChanged> {
  return changing(world, actor, id, async (transaction, before) => {
    const { version, name } = before;
    const missing =
      to === 'on' ? (before.testedAt === null ? 'not-tested' : undefined) : to === 'required' ? await missingFor(transaction, actor, before) : undefined;
    if (missing) return { ok: false, reason: missing };
    const set = {
      on: { enabled_at: world.clock.now() },
      off: { enabled_at: null },
      required: { required: 1 },
      optional: { required: 0 },
    }[to];
    if (version !== seen || !(await store.updateConnection(transaction, { id, version: seen, set }))) return { ok: false, reason: 'changed-meanwhile' };
    await recordChange(world, transaction, actor, { id, name, to });
    if (to === 'required' || (to === 'on' && before.required))
      await endPasswordSessions(world, transaction, actor, { domains: await domainsOf(transaction, before) });
    return { ok: true, id };
  });
}

/**
 * Whoever is in by a password, which opens nothing any more, comes by the provider from now on: somebody who stole it would be in for as long as a session lasts, and
 * whoever is kept out there would be in here. Who is at the second factor is looked at as the session opens (sign-in.ts).
 */
export async function endPasswordSessions(
  world: World,
  transaction: Transaction,
  { organisation, from }: Pick<Actor, 'organisation' | 'from'>,
  { domains }: { domains: readonly string[] },
): Promise<void> {
  await store.lockAccountsOf(transaction, domains);
  for (const { session_id, account_id } of await store.selectPasswordSessions(transaction, { domains, organisationId: organisation.id })) {
    await endSession(transaction, session_id);
    await record(world, transaction, { event: 'session_ended', accountId: account_id, from, details: { reason: PROVIDER_REQUIRED } });
  }
}

export const PROVIDER_REQUIRED = 'single sign-on is required';

/** How many people would be signed out by requiring it now. */
export async function countByPassword(queries: Queries, connection: Connection): Promise<number> {
  const found = await store.selectPasswordSessions(queries, { domains: await domainsOf(queries, connection), organisationId: connection.organisationId });
  return new Set(found.map(({ account_id }) => account_id)).size;
}

async function domainsOf(queries: Queries, { id, organisationId }: Connection): Promise<string[]> {
  return (await store.selectDomains(queries, organisationId)).filter(({ connection_id }) => connection_id === id).map(({ domain }) => domain);
}

/** What would keep people out, or the owner for ever, were it required now. */
async function missingFor(transaction: Transaction, { account, organisation }: Actor, { id, enabledAt }: Connection): Promise<ConnectionRefusal | undefined> {
  if (enabledAt === null) return 'turned-off';
  if (!(await store.selectDomains(transaction, organisation.id)).some(({ connection_id }) => connection_id === id)) return 'no-domain';
  return (await hasPassword(transaction, account.id)) ? undefined : 'no-password';
}

/** Its links and domains' way to it go with it; people sign in by their passwords again. */
export async function removeConnection(world: World, actor: Actor, id: string): Promise<ConnectionChanged> {
  return changing(world, actor, id, async (transaction, { name }) => {
    if (!(await store.deleteConnection(transaction, actor.organisation.id, id))) return { ok: false, reason: 'not-found' };
    await recordChange(world, transaction, actor, { id, name, to: 'removed' });
    return { ok: true, id };
  });
}

/** A test that went well, with these very settings. */
export async function noteTested(world: World, actor: Actor, { id, name, version }: Connection, result: 'well' | 'failed'): Promise<void> {
  await world.database.transaction(async (transaction) => {
    if (result === 'well') await store.updateTested(transaction, { id, version, at: world.clock.now() });
    const details = { organisation: actor.organisation.id, connection: id, name, result, by: byWhom(actor) };
    await record(world, transaction, { event: 'sso_connection_tested', accountId: actor.account.id, from: actor.from, details });
  });
}

async function changing(
  world: World,
  actor: Actor,
  id: string,
  work: (transaction: Transaction, before: Connection) => Promise<ConnectionChanged>,
): Promise<ConnectionChanged> {
  return world.database.transaction(async (transaction): Promise<ConnectionChanged> => {
    if (!(await mayManage(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    const before = await findConnectionOf(world, transaction, actor.organisation.id, id);
    return before ? work(transaction, before) : { ok: false, reason: 'not-found' };
  });
}

export async function mayManage(queries: Queries, actor: Actor): Promise<boolean> {
  const acting = await findActing(queries, actor, 'manage-sso');
  return acting !== undefined && may(acting.role, 'manage-sso');
}

async function recordChange(world: World, transaction: Transaction, actor: Actor, { id, name, to }: { id: string; name: string; to: string }): Promise<void> {
  const details = { organisation: actor.organisation.id, connection: id, name, to, by: byWhom(actor) };
  await record(world, transaction, { event: 'sso_connection_changed', accountId: actor.account.id, from: actor.from, details });
}

interface Read {
  readonly name: string;
  readonly settings: unknown;
}

/** Outside of any transaction. `before`: where a secret that was left empty comes from, and what the protocol made itself. */
async function readFields(
  { clock, random, installation }: World,
  protocol: AnyProtocol,
  { name, settings, secondFactorWords }: ConnectionFields,
  before: Readonly<Record<string, unknown>>,
): Promise<Read | { mistakes: Record<string, string> }> {
  const mistakes: Record<string, string> = {};
  const clean = name.normalize('NFC').trim();
  if (clean === '' || [...clean].length > NAME_CHARACTERS_MOST || !canBeShown(clean))
    mistakes['name'] = `Use 1 to ${NAME_CHARACTERS_MOST} characters that can be shown.`;
  if (secondFactorWords.length > WORDS_MOST) mistakes['secondFactorWords'] = `Name at most ${WORDS_MOST}.`;
  const secrets = protocol.fields.filter((field) => field.kind === 'secret').map((field) => field.name);
  const kept = Object.fromEntries(
    Object.entries(before).filter(([key]) => (secrets.includes(key) ? settings[key] === '' || settings[key] === undefined : !(key in settings))),
  );
  const parsed = protocol.settings.safeParse({ ...settings, ...kept });
  if (!parsed.success) for (const issue of parsed.error.issues) mistakes[String(issue.path[0] ?? 'name')] ??= issue.message;
  if (Object.keys(mistakes).length > 0 || !parsed.success) return { mistakes };
  const maker = { now: clock.now(), random, installationName: installation.name };
  return { name: clean, settings: protocol.prepare ? await protocol.prepare(maker, parsed.data) : parsed.data };
}

type Written = Pick<store.ConnectionRow, 'name' | 'settings' | 'trusts_addresses' | 'second_factor_words' | 'tested_at'>;

function rowOf(world: World, id: string, { trustsAddresses, secondFactorWords }: ConnectionFields, { name, settings }: Read): Written {
  return {
    name,
    settings: world.keys.seal(placeOf(id), JSON.stringify(settings)),
    trusts_addresses: trustsAddresses ? 1 : 0,
    second_factor_words: JSON.stringify(secondFactorWords),
    tested_at: null,
  };
}

const placeOf = (id: string) => ['sso_connections', id, 'settings'] as const;

function connectionFrom(world: World, row: store.ConnectionRow): Connection {
  return {
    id: row.id,
    organisationId: row.organisation_id,
    kind: row.kind,
    name: row.name,
    settings: JSON.parse(world.keys.open(placeOf(row.id), row.settings)) as unknown,
    enabledAt: row.enabled_at,
    required: row.required === 1,
    trustsAddresses: row.trusts_addresses === 1,
    secondFactorWords: JSON.parse(row.second_factor_words) as string[],
    testedAt: row.tested_at,
    version: row.version,
    createdAt: row.created_at,
  };
}
