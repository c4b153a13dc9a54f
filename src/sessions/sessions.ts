/**
 * Signed-in browsers. A session is opened when an attempt is finished and never before; while it lives it may change everything that
 * needs no fresh proof. Its token is 256 random bits, of which only a hash is stored; every rise of privilege replaces the token (SE-2).
 * It ends by signing out, by being idle, at its absolute limit, or when something changed that others should not outlive (SE-4, SE-5).
 * API keys, which programs show instead, are in api-keys.ts; browsers that are remembered, in trusted-devices.ts.
 */
import type { Account } from '../accounts/accounts.ts';
import type { FailedTries } from '../audit/audit.ts';
import { assuranceLevel, isFactor, PROVIDER_SECOND_FACTOR, sessionLastsBy } from '../factors/factors.ts';
import type { Role } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import type { Visit } from '../platform/http/visit.ts';
import { Problem } from '../platform/problem.ts';
import { makeId, makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { METHODS, readDemand, sessionOwes, type Demand } from '../policy/policy.ts';
import { isTrusted, TRUSTED_DEVICE } from './is-trusted.ts';
import { sessionLimits } from './session-limits.ts';
import * as store from './store.ts';
import { endTrust } from './trusted-devices.ts';

export {
  asksForAPerson,
  enterByKey,
  KEY_DAYS_MOST,
  listApiKeys,
  makeApiKey,
  nameApiKeys,
  revokeApiKey,
  sweepApiKeys,
  vouchForApiKey,
  type ApiKey,
  type KeyHolder,
  type KeyRefusal,
} from './api-keys.ts';
export { TRUSTED_DEVICE } from './is-trusted.ts';
export {
  endTrust,
  forgetDevices,
  listTrustedDevices,
  sweepTrustedDevices,
  trustDevice,
  useTrust,
  type DeviceToken,
  type TrustedDevice,
} from './trusted-devices.ts';
export { SCOPE_WORDS, SCOPES, type Scope } from './scopes.ts';

/** What was shown, and when last (epoch milliseconds): 'password', the kinds of factors, and what a remembered browser stands for, see is-trusted.ts. */
export type Proofs = Readonly<Record<string, number>>;

export interface Session {
  readonly id: string;
  readonly account: Account;
  readonly proofs: Proofs;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  /** The absolute limit. */
  readonly expiresAt: number;
  readonly userAgent: string;
  readonly address: string;
  /** What the owner is told until they say that they have seen it (RL-8). */
  readonly failedTries: FailedTries | undefined;
  /** What the policies of its person ask at this moment. */
  readonly demand: Demand;
  /** The kinds of methods that the account has at this moment. */
  readonly held: readonly string[];
  /** What the person is, by the organisations where they may come and go. */
  readonly roles: ReadonlyMap<string, Role>;
}

/** One of somebody's sessions, as lists show it. */
export type ListedSession = Omit<Session, 'account' | 'demand' | 'held' | 'roles'>;

/** The browser that a session is opened in. */
export interface Browser {
  readonly browserToken: string;
  readonly userAgent: string;
  readonly address: string;
}

/** How often a session's "last seen" is written. Each write is a commit; a minute is exact enough for people and limits. */
const SEEN_EVERY_MILLISECONDS = 60_000;

/** Returns the token for the browser's cookie; it is stored nowhere. */
export async function openSession(
  world: World,
  transaction: Transaction,
  {
    accountId,
    proofs,
    browser,
    demand,
    failedTries,
    endsAt,
  }: {
    accountId: string;
    proofs: Proofs;
    browser: Browser;
    demand: Demand;
    failedTries?: FailedTries | undefined;
    /** No later than that, in epoch milliseconds. */ endsAt?: number | null;
  },
): Promise<{ token: string; sessionId: string }> {
  const now = world.clock.now();
  const token = makeToken(world);
  const id = makeId(world);
  const browserHash = world.keys.hash('browser token', browser.browserToken);
  // A browser has one session. The cookie of the one before is overwritten now, and nobody could sign out of it any more.
  await store.deleteSessionsOfBrowser(transaction, browserHash);
  await store.insertSession(transaction, {
    id,
    token_hash: world.keys.hash('session token', token),
    account_id: accountId,
    proofs: JSON.stringify(proofs),
    browser_hash: browserHash,
    failed_tries: failedTries ? JSON.stringify(failedTries) : null,
    user_agent: browser.userAgent,
    address: browser.address,
    created_at: now,
    last_seen_at: now,
    expires_at: Math.min(now + limitsOf({ proofs }, demand).absolute, now + sessionLastsBy(Object.keys(proofs)), endsAt ?? Number.MAX_SAFE_INTEGER),
  });
  return { token, sessionId: id };
}

/** The live session of a token, or undefined: unknown, ended, idle too long or past its limit all look the same. */
export async function findSession(world: World, token: string): Promise<Session | undefined> {
  return alive(world, await store.selectSession(world.database.query, world.keys.hash('session token', token)));
}

async function alive(world: World, session: Session | undefined): Promise<Session | undefined> {
  const now = world.clock.now();
  if (!session || !isLive(session, session.demand, now)) return undefined;
  if (now < session.lastSeenAt + SEEN_EVERY_MILLISECONDS) return session;
  await store.updateSeen(world.database.query, session.id, now);
  return { ...session, lastSeenAt: now };
}

/** Whether a session that was found earlier would be found as it was, as long as nothing in the database has changed: it lives, and need not be seen anew. */
export function isAsFound({ clock }: Pick<World, 'clock'>, session: Session): boolean {
  const now = clock.now();
  return isLive(session, session.demand, now) && now < session.lastSeenAt + SEEN_EVERY_MILLISECONDS;
}

/** Returns the token for a cookie of that host, by which the same session is found there and nowhere else. */
export async function openAppSession(world: World, transaction: Transaction, { sessionId, host }: { sessionId: string; host: string }): Promise<string> {
  const token = makeToken(world);
  await store.putAppSession(transaction, { session_id: sessionId, host, token_hash: world.keys.hash('app session token', token) });
  return token;
}

/** The live session behind an app's cookie. */
export async function findAppSession(world: World, token: string, host: string): Promise<Session | undefined> {
  return alive(world, await store.selectSessionOfApp(world.database.query, world.keys.hash('app session token', token), host));
}

const limitsOf = ({ proofs }: Pick<Session, 'proofs'>, demand: Demand) => sessionLimits(assuranceLevel(Object.keys(proofs)), demand);

/** The absolute limit is stored; a policy that has become stricter since then ends it earlier. */
function isLive(session: ListedSession, demand: Demand, now: number): boolean {
  return now < session.expiresAt && now < session.createdAt + demand.sessionAbsolute && now < session.lastSeenAt + limitsOf(session, demand).idle;
}

/** Whether a second factor that the account has was spared, and not shown since: then the console is closed to it, as everything else is that asks for level 2 (TD-1). */
export const sparesSecondFactor = ({ held, proofs }: Pick<Session, 'held' | 'proofs'>): boolean =>
  proofs[TRUSTED_DEVICE] !== undefined && held.length > 0 && !Object.keys(proofs).some(isFactor);

/** What the policies ask of it before it may go on. */
export function owes(world: World, session: Session): ReturnType<typeof sessionOwes> {
  const { account, demand, held, proofs } = session;
  // What a remembered browser spared is asked for as soon as it is not remembered any more.
  if (sparesSecondFactor(session) && !isTrusted(proofs[TRUSTED_DEVICE]!, demand, world.clock.now())) return 'confirm';
  const shown = Object.keys(proofs).filter(isFactor);
  const provedElsewhere = proofs[PROVIDER_SECOND_FACTOR] !== undefined;
  return sessionOwes(demand, { held, provedElsewhere, proofs: shown, emailVerified: account.emailVerifiedAt !== null, now: world.clock.now() }, METHODS);
}

/** The session that a visit comes with. */
export async function sessionOf(world: World, visit: Visit): Promise<Session | undefined> {
  const token = visit.cookie('session');
  return token === undefined ? undefined : findSession(world, token);
}

/**
 * Adds fresh proofs and replaces the token: the old one is dead from here on. A session that has come to a higher level ends by the limits of that one
 * (SE-4). Throws where it has been ended meanwhile, so that nothing is changed by a browser that was signed out.
 */
export async function raiseSession(world: World, transaction: Transaction, { session, proofs }: { session: Session; proofs: Proofs }): Promise<string> {
  const token = makeToken(world);
  const all = { ...session.proofs, ...proofs };
  const raised = await store.updateToken(transaction, session.id, {
    token_hash: world.keys.hash('session token', token),
    proofs: JSON.stringify(all),
    expires_at: Math.min(session.expiresAt, world.clock.now() + limitsOf({ proofs: all }, session.demand).absolute),
  });
  if (!raised) throw new Problem('conflict', 'You were signed out in the meantime, so nothing was changed. Sign in again to go on.');
  return token;
}

/** The owner has seen what they were told. */
export async function forgetFailedTries(transaction: Transaction, sessionId: string): Promise<void> {
  await store.updateFailedTries(transaction, sessionId, null);
}

/** Proofs by something that was since taken away prove nothing any more (FC-5). */
export async function forgetProofs(transaction: Transaction, accountId: string, kinds: readonly string[]): Promise<void> {
  for (const { id, proofs } of await store.selectProofs(transaction, accountId)) {
    const kept = Object.entries(proofs).filter(([kind]) => !kinds.includes(kind));
    if (kept.length < Object.keys(proofs).length) await store.updateProofs(transaction, id, JSON.stringify(Object.fromEntries(kept)));
  }
}

export async function endSession(transaction: Transaction, sessionId: string): Promise<void> {
  await store.deleteSession(transaction, sessionId);
}

/** Ends one of an account's own sessions, and remembers its browser no longer; false where it is not theirs or is gone. */
export async function endSessionOf(transaction: Transaction, accountId: string, sessionId: string): Promise<boolean> {
  await store.deleteDeviceOfSession(transaction, { accountId, sessionId });
  return store.deleteSessionOf(transaction, accountId, sessionId);
}

/** Ends all sessions of an account but `except`; all of them without it. No browser is remembered any longer, this one neither (TD-3). */
export async function endSessions(transaction: Transaction, accountId: string, except?: string): Promise<void> {
  await endTrust(transaction, accountId);
  await store.deleteSessions(transaction, accountId, except);
}

export const endEverySession = store.deleteEverySession;

/** Live sessions, newest first. */
export async function listSessions(world: World, queries: Queries, accountId: string): Promise<ListedSession[]> {
  const { demand } = await readDemand(queries, accountId);
  const all = await store.selectSessions(queries, accountId);
  return all.filter((session) => isLive(session, demand, world.clock.now()));
}

/** Idle ones go with the rest, at their absolute limit: until then they are ended already (see findSession). */
export async function sweepSessions({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'sessions', key: 'id', column: 'expires_at', before: clock.now() })];
}
