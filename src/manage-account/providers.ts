// The identity providers by which somebody signs in: shown anew for a fresh proof, connected, disconnected. The door is manage-account.ts.
import { confirmPassword, hasPassword, lockAccount, type Account } from '../accounts/accounts.ts';
import { endOtherAttempts } from '../attempts/attempts.ts';
import { findMember } from '../organisations/organisations.ts';
import type { Queries } from '../platform/database/database.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import type { Session } from '../sessions/sessions.ts';
import type { Caller } from '../sign-in/sign-in.ts';
import {
  arrive,
  checkPasswordAt,
  connectWaiting,
  findConnection,
  findConnectionFor,
  findLinked,
  leave,
  listLinks,
  redirecting,
  unlink,
  type Connection,
  type Failure,
  type Link,
} from '../sso/sso.ts';
import { readSecurity } from './manage-account.ts';

/** By what somebody can show that it is them, before any second factor. */
export interface FirstFactors {
  readonly password: boolean;
  readonly providers: readonly Link[];
}

export async function readFirstFactors(queries: Queries, accountId: string): Promise<FirstFactors> {
  const links = (await listLinks(queries, accountId)).filter(({ serves }) => serves);
  const providers = links.filter(({ kind }) => redirecting({ kind }) !== undefined);
  return { password: providers.length < links.length || (await hasPassword(queries, accountId)), providers };
}

/**
 * The password: ours, or of the directory that the account signs in by. Ours comes first, and where it is right the directory never sees it: it opens what the person
 * is in other organisations too. Where the directory is required, ours proves nothing, but of the owner.
 */
export async function confirmOwnPassword(
  world: World,
  { session: { account }, password, caller }: { session: Session; password: string; caller: Caller },
): Promise<Awaited<ReturnType<typeof confirmPassword>> | { readonly ok: false; readonly reason: 'change-first' }> {
  const links = await listLinks(world.database.query, account.id);
  const directory = links.find(({ kind, serves }) => serves && redirecting({ kind }) === undefined);
  const connection = directory && (await findConnection(world, world.database.query, directory.connectionId));
  const about = { accountId: account.id, password, from: caller };
  if (!connection) return confirmPassword(world, about);
  const isOwner = (await findMember(world.database.query, connection.organisationId, account.id))?.role === 'owner';
  const oursCounts = !connection.required || isOwner;
  const said = { changeFirst: false };
  const confirmed = await confirmPassword(world, about, async (isOwn) => {
    if (oursCounts && (await isOwn())) return true;
    const checked = await checkPasswordAt(world, connection, { email: account.email, password });
    said.changeFirst = !checked.ok && checked.reason === 'change-first';
    return checked.ok && (await findLinked(world.database.query, connection.id, checked.identity.subject)) === account.id;
  });
  return said.changeFirst ? { ok: false, reason: 'change-first' } : confirmed;
}

/** On the way to a provider, where somebody shows again who they are. */
export async function leaveToConfirm(
  world: World,
  { session, connectionId, returnTo, freshFor, caller }: { session: Session; connectionId: string; returnTo: string; freshFor: number; caller: Caller },
): Promise<{ readonly ok: true; readonly url: string; readonly name: string } | Failure | undefined> {
  const { providers } = await readFirstFactors(world.database.query, session.account.id);
  const connection = providers.some((one) => one.connectionId === connectionId) ? await findConnection(world, world.database.query, connectionId) : undefined;
  if (!connection) return undefined;
  const carried = { returnTo, accountId: session.account.id, freshFor };
  const left = await leave(world, { connection, purpose: 'confirm', browserToken: caller.browserToken, carried, fresh: true, email: session.account.email });
  return left.ok ? { ...left, name: connection.name } : left;
}

export type Confirmed =
  | { readonly ok: true; readonly returnTo: string; readonly freshFor: number; readonly provenAt: number }
  /** `returnTo`: where they wanted to go on to, where that is known. */
  | { readonly ok: false; readonly reason: 'lost' | 'somebody-else' | 'turned-off' | Failure['reason']; readonly returnTo: string | null };

/** What came of it: it has to be this very account's, and shown anew. */
export async function arriveToConfirm(world: World, { session, token, caller }: { session: Session; token: string; caller: Caller }): Promise<Confirmed> {
  const arrived = await arrive(world, { token, purpose: 'confirm', browserToken: caller.browserToken });
  if (!arrived || arrived.carried.accountId !== session.account.id) return { ok: false, reason: 'lost', returnTo: null };
  const { connection, outcome, carried } = arrived;
  const { returnTo } = carried;
  if (!outcome.ok) {
    world.log.warn('sso_failed', { connection: connection.id, reason: outcome.reason, detail: outcome.detail });
    return { ok: false, reason: outcome.reason, returnTo };
  }
  if (connection.enabledAt === null) return { ok: false, reason: 'turned-off', returnTo };
  const { subject, authenticatedAt } = outcome.identity;
  if ((await findLinked(world.database.query, connection.id, subject)) !== session.account.id) return { ok: false, reason: 'somebody-else', returnTo };
  // A provider that does not say when has not shown that it asked.
  if (authenticatedAt === null) return { ok: false, reason: 'misconfigured', returnTo };
  return { ok: true, returnTo: returnTo ?? '/account', freshFor: carried.freshFor ?? Infinity, provenAt: Math.min(authenticatedAt, world.clock.now()) };
}

export type Connected = { readonly ok: true; readonly returnTo: string | null } | { readonly ok: false; readonly reason: 'stale' | 'lost' | 'linked-already' };

/** From now on the provider's word opens the account, beside its second factor. */
export async function connect(world: World, { session, token, caller }: { session: Session; token: string; caller: Caller }): Promise<Connected> {
  return world.database.transaction(async (transaction): Promise<Connected> => {
    if ((await readSecurity(world, transaction, session)).missing.length > 0) return { ok: false, reason: 'stale' };
    return connectWaiting(world, transaction, { token, browserToken: caller.browserToken, accountId: session.account.id, from: caller });
  });
}

export type Disconnected = { readonly ok: true } | { readonly ok: false; readonly reason: 'stale' | 'not-found' | 'only-way' | 'required' };

/** Not the only way in, and not one that the organisation requires. */
export async function disconnect(
  world: World,
  { session, connectionId, caller }: { session: Session; connectionId: string; caller: Caller },
): Promise<Disconnected> {
  return world.database.transaction(async (transaction): Promise<Disconnected> => {
    const { account } = session;
    await lockAccount(transaction, account.id);
    if ((await readSecurity(world, transaction, session)).missing.length > 0) return { ok: false, reason: 'stale' };
    const found = (await listLinks(transaction, account.id)).find((one) => one.connectionId === connectionId);
    if (!found) return { ok: false, reason: 'not-found' };
    if (isRequired(await findConnectionFor(world, transaction, keyOf(account.email)), connectionId)) return { ok: false, reason: 'required' };
    if (!(await hasPassword(transaction, account.id))) return { ok: false, reason: 'only-way' };
    // Attempts first: one that ends in a session at this moment is waited for, and its session is seen.
    await endOtherAttempts(transaction, account.id);
    await unlink(world, transaction, { ...found, accountId: account.id, by: account.id, from: caller, exceptSession: session.id });
    return { ok: true };
  });
}

const isRequired = (connection: Connection | undefined, connectionId: string): boolean => connection?.required === true && connection.id === connectionId;

/**
 * The provider by which somebody has to come, and would not with that address: whoever is kept out there would be in here by a password. Whoever leaves the organisation
 * goes where they like, and its owner has another door as it is.
 */
export async function findBinding(world: World, account: Account, newEmail: string): Promise<Connection | undefined> {
  const { query } = world.database;
  const connection = await findConnectionFor(world, query, keyOf(account.email));
  const role = connection?.required === true ? (await findMember(query, connection.organisationId, account.id))?.role : undefined;
  if (role === undefined || role === 'owner') return undefined;
  const next = await findConnectionFor(world, query, keyOf(newEmail));
  return next?.required === true && next.organisationId === connection?.organisationId ? undefined : connection;
}

const keyOf = (email: string): string => parseEmailAddress(email)?.key ?? '';
