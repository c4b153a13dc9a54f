/**
 * API keys: what programs show instead of signing in. A key acts for its organisation, in the name of whoever made it, as the role and with the scopes that
 * it was given. The door is sessions.ts.
 * What asks for a person (a bypass code, a reset, ownership) a key does only while its maker stands by it: they have shown in the console that it is them, and
 * for ten minutes it is as if they did it (AD-4).
 * Invariants: a key is 256 random bits behind a known prefix, shown once; only a keyed hash of it is stored, and found by (so that comparing takes no time that
 * tells anything). It is worth nothing from its end on, once it is revoked, once its maker belongs to the organisation no more (the database takes it
 * with the membership), and while they are suspended, may not make keys or have yet to set up what the policies ask for: no door stays open behind somebody. See docs/decisions/0017-api-keys.md.
 */
import { findAccount, nameRefusal, type Account } from '../accounts/accounts.ts';
import { record, type Origin } from '../audit/audit.ts';
import { listFactors, standing } from '../factors/factors.ts';
import { byWhom, findActing, findOwner, keyRoleOf, may, reaches, roleOf, type Actor, type KeyRole, type Organisation } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { days, minutes } from '../platform/durations.ts';
import { API_KEY_GUESSES, API_REQUESTS, networkOf, spend } from '../platform/limits/limits.ts';
import { post } from '../platform/mail/mail.ts';
import { isApiKeyToken, makeApiKeyToken, makeId } from '../platform/secrets/tokens.ts';
import { momentOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { METHODS, readDemand, sessionOwes } from '../policy/policy.ts';
import { apiKeyMessage, type ApiKeyNotice } from './notices.ts';
import { PERSONAL_SCOPES, SCOPES, scopeOf, scopesBeyond, type Scope } from './scopes.ts';
import * as store from './store.ts';

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  readonly scopes: readonly Scope[];
  readonly maker: { readonly id: string; readonly name: string; readonly email: string };
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt: number | null;
  /** Until when its maker stands by it; null where they don't. */
  readonly vouchedUntil: number | null;
  /** False while its maker is suspended, or may not make keys: then it opens nothing. */
  readonly stands: boolean;
}

/** Who asks by a key. */
export interface KeyHolder {
  readonly actor: Actor & { readonly key: NonNullable<Actor['key']> };
  readonly scopes: readonly Scope[];
  readonly expiresAt: number;
}

const KEYS_MOST = 50;
export const KEY_DAYS_MOST = 365;
/** As long as a proof is fresh (FC-1). */
const VOUCHED_FOR = minutes(10);
const SEEN_EVERY = minutes(1);
/** How long one that has ended is still shown. */
const SHOWN_FOR = days(30);

/** `beyond-key`: more than the key that asks may itself, or for longer. */
export type KeyRefusal = 'name' | 'role' | 'scopes' | 'scope-beyond-role' | 'days' | 'too-many' | 'not-allowed' | 'needs-a-person' | 'beyond-key';
export type KeyMade = { readonly ok: true; readonly token: string; readonly key: ApiKey } | { readonly ok: false; readonly reason: KeyRefusal };

interface KeyWanted {
  readonly name: string;
  readonly role: string;
  readonly scopes: readonly string[];
  /** From now to its end: a whole number. */
  readonly days: number;
}

/**
 * The token is in the answer, and nowhere else. `within`: what the key has that asks for another. That one never does more than it, nor ends later, and is made
 * only while its maker stands by it: so whoever took a key has no second one when it is revoked.
 */
export async function makeApiKey(world: World, actor: Actor, wanted: KeyWanted, within?: Pick<KeyHolder, 'scopes' | 'expiresAt'>): Promise<KeyMade> {
  const name = wanted.name.normalize('NFC').trim();
  const role = keyRoleOf(wanted.role);
  const scopes = SCOPES.filter((scope) => wanted.scopes.includes(scope));
  if (nameRefusal(name) !== undefined) return { ok: false, reason: 'name' };
  if (role === undefined) return { ok: false, reason: 'role' };
  if (scopes.length === 0 || scopes.length !== wanted.scopes.length) return { ok: false, reason: 'scopes' };
  if (scopesBeyond(role, scopes).length > 0) return { ok: false, reason: 'scope-beyond-role' };
  if (!Number.isInteger(wanted.days) || wanted.days < 1 || wanted.days > KEY_DAYS_MOST) return { ok: false, reason: 'days' };
  const token = makeApiKeyToken(world);
  return world.database.transaction(async (transaction) => {
    const acting = await findActing(transaction, actor);
    if (!acting || !may(acting.role, 'manage-keys') || !reaches(acting.role, role)) return { ok: false, reason: 'not-allowed' };
    if (actor.key && !actor.key.vouched) return { ok: false, reason: 'needs-a-person' };
    if (actor.key && !isWithin(within, { scopes, endsAt: world.clock.now() + days(wanted.days) })) return { ok: false, reason: 'beyond-key' };
    if ((await store.countApiKeys(transaction, actor.organisation.id)) >= KEYS_MOST) return { ok: false, reason: 'too-many' };
    const key = await insertKey(world, transaction, actor, { token, name, role, scopes, lifetime: days(wanted.days) });
    await tell(world, transaction, 'made', { actor, key });
    return { ok: true, token, key };
  });
}

const isWithin = (within: Pick<KeyHolder, 'scopes' | 'expiresAt'> | undefined, { scopes, endsAt }: { scopes: readonly Scope[]; endsAt: number }): boolean =>
  within !== undefined && endsAt <= within.expiresAt && scopes.every((scope) => within.scopes.includes(scope));

async function insertKey(
  world: World,
  transaction: Transaction,
  actor: Actor,
  { token, name, role, scopes, lifetime }: { token: string; name: string; role: KeyRole; scopes: readonly Scope[]; lifetime: number },
): Promise<ApiKey> {
  const { organisation, account, from } = actor;
  const now = world.clock.now();
  const row = {
    id: makeId(world),
    organisation_id: organisation.id,
    made_by: account.id,
    name,
    token_hash: world.keys.hash('api key', token),
    role,
    scopes: JSON.stringify(scopes),
    created_at: now,
    expires_at: now + lifetime,
    last_used_at: null,
    vouched_until: null,
  };
  await store.insertApiKey(transaction, row);
  const details = {
    organisation: organisation.id,
    key: row.id,
    name,
    role,
    scopes: scopes.join(' '),
    expires: momentOf(row.expires_at),
    by: byWhom(actor),
  };
  await record(world, transaction, { event: 'api_key_created', accountId: account.id, from, details });
  return keyFrom({ ...row, maker_name: account.name, maker_email: account.email, maker_role: 'admin', maker_suspended_at: null });
}

/** Those that stand, and those that ended not long ago. */
export async function listApiKeys(queries: Queries, { id }: Organisation): Promise<ApiKey[]> {
  return (await store.selectApiKeys(queries, id)).map(keyFrom);
}

/** What a key is called, for those who read what it did; one that was revoked has no name any more. */
export async function nameApiKeys(queries: Queries, organisation: Organisation): Promise<(id: string) => string> {
  const names = new Map((await listApiKeys(queries, organisation)).map(({ id, name }) => [id, name]));
  return (id) => (names.has(id) ? `the API key “${names.get(id)}”` : 'an API key that is no more');
}

export async function revokeApiKey(
  world: World,
  actor: Actor,
  id: string,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: 'not-found' | 'not-allowed' | 'needs-a-person' }> {
  return world.database.transaction(async (transaction) => {
    const acting = await findActing(transaction, actor);
    if (!acting || !may(acting.role, 'manage-keys')) return { ok: false, reason: 'not-allowed' };
    const row = (await store.selectApiKeys(transaction, actor.organisation.id)).find((one) => one.id === id);
    if (!row) return { ok: false, reason: 'not-found' };
    // Whoever took one key must not shut all other programs out. That it is revoked itself is what one wants of a key that was taken.
    if (actor.key?.vouched === false && actor.key.id !== id) return { ok: false, reason: 'needs-a-person' };
    if (!(await store.deleteApiKey(transaction, id))) return { ok: false, reason: 'not-found' };
    const details = { organisation: actor.organisation.id, key: id, name: row.name, by: byWhom(actor) };
    await record(world, transaction, { event: 'api_key_revoked', accountId: row.made_by, from: actor.from, details });
    await tell(world, transaction, 'revoked', { actor, key: keyFrom(row) });
    return { ok: true };
  });
}

/** Its maker stands by it. The caller has seen to a fresh proof. Nobody else can: it is in their name that it acts. */
export async function vouchForApiKey(
  world: World,
  actor: Actor,
  id: string,
): Promise<{ readonly ok: true; readonly until: number } | { readonly ok: false; readonly reason: 'not-found' | 'not-allowed' }> {
  return world.database.transaction(async (transaction) => {
    const acting = await findActing(transaction, actor);
    if (!acting || actor.key || !may(acting.role, 'manage-keys')) return { ok: false, reason: 'not-allowed' };
    const row = (await store.selectApiKeys(transaction, actor.organisation.id)).find((one) => one.id === id);
    const now = world.clock.now();
    if (!row || row.made_by !== actor.account.id || !asksForAPerson(keyFrom(row)) || now >= row.expires_at) return { ok: false, reason: 'not-found' };
    const until = now + VOUCHED_FOR;
    if (!(await store.updateVouched(transaction, id, until))) return { ok: false, reason: 'not-found' };
    const details = { organisation: actor.organisation.id, key: id, name: row.name, until: momentOf(until), by: byWhom(actor) };
    await record(world, transaction, { event: 'api_key_vouched', accountId: actor.account.id, from: actor.from, details });
    await tell(world, transaction, 'vouched', { actor, key: keyFrom(row) });
    return { ok: true, until };
  });
}

/** Whether it may do something for which its maker has to stand by it. */
export const asksForAPerson = ({ scopes }: Pick<ApiKey, 'scopes'>): boolean => scopes.some((scope) => PERSONAL_SCOPES.includes(scope));

/** The owner, and whoever made it: a key that nobody expected is noticed by somebody. */
async function tell(world: World, transaction: Transaction, notice: ApiKeyNotice, { actor, key }: { actor: Actor; key: ApiKey }): Promise<void> {
  const owner = await findOwner(transaction, actor.organisation.id);
  const people = [...(owner ? [owner] : []), ...(owner?.id === key.maker.id ? [] : [key.maker])];
  const { name: installationName, origin } = world.installation;
  await post(
    world,
    transaction,
    people.map(({ name, email }) =>
      apiKeyMessage(notice, {
        to: { name, address: email },
        organisationName: actor.organisation.name,
        installationName,
        origin,
        by: actor.account.name,
        key: { name: key.name, role: key.role, scopes: key.scopes, until: momentOf(key.expiresAt) },
      }),
    ),
  );
}

export type Entered =
  | { readonly ok: true; readonly holder: KeyHolder }
  | { readonly ok: false; readonly reason: 'unknown' | 'expired' | 'resting' | 'maker-owes' }
  | { readonly ok: false; readonly reason: 'too-many'; readonly retryAt: number };

/** Who shows this key. Counts the request, and a wrong key for the network that it came from. */
export async function enterByKey(world: World, token: string, from: Origin): Promise<Entered> {
  const row = isApiKeyToken(token) ? await store.selectApiKeyOfToken(world.database.query, world.keys.hash('api key', token)) : undefined;
  const now = world.clock.now();
  const reason = !row ? 'unknown' : now >= row.expires_at ? 'expired' : stands(row) ? undefined : 'resting';
  if (!row || reason !== undefined) return refuseKey(world, { row, reason: reason ?? 'unknown', from });
  const spent = await world.database.transaction(async (transaction) => {
    const counted = await spend(transaction, world, API_REQUESTS, row.id);
    if (counted.allowed && now >= (row.last_used_at ?? 0) + SEEN_EVERY) await store.updateUsed(transaction, row.id, now);
    return counted;
  });
  if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: spent.retryAt };
  const account = await findAccount(world.database.query, row.made_by);
  if (!account) return { ok: false, reason: 'unknown' };
  if (await owesSetUp(world, account)) return { ok: false, reason: 'maker-owes' };
  const { id, name, scopes, expiresAt, role, vouchedUntil } = keyFrom(row);
  const organisation = { id: row.organisation_id, name: row.organisation_name };
  const vouched = vouchedUntil !== null && now < vouchedUntil;
  return { ok: true, holder: { actor: { account, organisation, from, key: { id, name, role, vouched } }, scopes, expiresAt } };
}

/** Whoever has to set something up before they may go on is let into the console no more, and neither is what they made. */
async function owesSetUp(world: World, { id, emailVerifiedAt }: Account): Promise<boolean> {
  const { query } = world.database;
  const now = world.clock.now();
  const { demand } = await readDemand(query, id);
  if (demand.dueAt === null || now < demand.dueAt) return false;
  const held = standing(await listFactors(world, query, id)).map(({ kind }) => kind);
  return sessionOwes(demand, { held, proofs: [], emailVerified: emailVerifiedAt !== null, now }, METHODS) === 'set-up';
}

async function refuseKey(
  world: World,
  { row, reason, from }: { row: store.ApiKeyFound | undefined; reason: 'unknown' | 'expired' | 'resting'; from: Origin },
): Promise<Entered> {
  return world.database.transaction(async (transaction): Promise<Entered> => {
    const spent = await spend(transaction, world, API_KEY_GUESSES, networkOf(from.address));
    if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: spent.retryAt };
    const details = { reason, ...(row && { organisation: row.organisation_id, key: row.id }) };
    await record(world, transaction, { event: 'authn_api_key_fail', accountId: row?.made_by ?? null, from, details });
    return { ok: false, reason };
  });
}

export async function sweepApiKeys({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'api_keys', key: 'id', column: 'expires_at', before: clock.now() - SHOWN_FOR })];
}

const stands = ({ maker_role, maker_suspended_at }: Pick<store.ApiKeyShown, 'maker_role' | 'maker_suspended_at'>): boolean => {
  const role = roleOf(maker_role);
  return maker_suspended_at === null && role !== undefined && may(role, 'manage-keys');
};

function keyFrom(row: store.ApiKeyShown): ApiKey {
  const role = keyRoleOf(row.role);
  if (!role) throw new Error('An API key has a role that is none.');
  return {
    id: row.id,
    name: row.name,
    role,
    // A scope that a newer Twinlock gave, and this one does not know, opens nothing here.
    scopes: (JSON.parse(row.scopes) as string[]).flatMap((scope) => scopeOf(scope) ?? []),
    maker: { id: row.made_by, name: row.maker_name, email: row.maker_email },
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    vouchedUntil: row.vouched_until,
    stands: stands(row),
  };
}
