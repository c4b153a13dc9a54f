/**
 * People: their names, addresses and passwords.
 * An account is unverified from signing up until a code that was sent to its address is shown; from then on it is the address's one account.
 * Signing up makes an unverified account even where the address has an account already, and an unverified account can only be entered from the
 * browser that made it: so neither signing up nor signing in afterwards tells whether an account exists (docs/decisions/0002).
 * Passwords are counted before they are checked, hashed outside every transaction, and an address without an account costs one hash like any other.
 */
import { record, type Origin } from '../audit/audit.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { days, minutes } from '../platform/durations.ts';
import { ADDRESS_GUESSES, forgive, giveBack, networkOf, PASSWORD_GUESSES, spend, type Pauses } from '../platform/limits/limits.ts';
import { parseEmailAddress, type EmailAddress } from '../platform/mail/address.ts';
import { makeId, makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { isCommonPassword } from './common-passwords.ts';
import { refuseName } from './name-rules.ts';
import { BYTES_MOST, passwordSentence, refusePassword } from './password-rules.ts';
import * as store from './store.ts';

export interface Account {
  readonly id: string;
  readonly email: string;
  /** Epoch milliseconds; null until it is verified. */
  readonly emailVerifiedAt: number | null;
  readonly name: string;
  readonly language: string;
  readonly passwordChangedAt: number;
  readonly createdAt: number;
  /** All methods were taken away, and none was set up since: the next sign-in does that, whatever the policy. Not known where a session brought the account. */
  readonly methodsResetAt?: number | null;
  /** Whether the person may open the console of an organisation. Known where a session brought the account, see sessions/store.ts. */
  readonly administers?: boolean;
}

/** PR-1 */
export const RESET_LIFETIME = minutes(30);

/** As long as its first session may last. */
const UNVERIFIED_KEPT_FOR = days(30);
/** As long as the browser keeps its cookie. */
const BROWSER_KNOWN_FOR = days(365);

export { isShort as isShortPassword, passwordHint } from './password-rules.ts';
export const nameRefusal = refuseName;

/** Why a new password can't be used, as a sentence; undefined where it can. */
export async function passwordRefusal(
  world: World,
  { password, email, realSecondFactorEnforced = false }: { password: string; email: string; realSecondFactorEnforced?: boolean },
): Promise<string | undefined> {
  const isCommon = await isCommonPassword();
  const refusal = refusePassword(password, { email, installationName: world.installation.name, realSecondFactorEnforced, isCommon });
  return refusal === undefined ? undefined : passwordSentence(refusal, { realSecondFactorEnforced });
}

export function hashNewPassword(world: World, password: string): Promise<string> {
  return world.passwordHasher.hash(password);
}

export async function signUp(
  world: World,
  transaction: Transaction,
  { email, name, passwordHash, language, browserToken }: { email: EmailAddress; name: string; passwordHash: string; language: string; browserToken: string },
): Promise<Account> {
  const now = world.clock.now();
  const row: store.AccountRow = {
    id: makeId(world),
    email: email.address,
    email_key: email.key,
    email_verified_at: null,
    name,
    name_key: searchKeyOf(name),
    language,
    password_hash: passwordHash,
    password_changed_at: now,
    sign_up_browser_hash: hashBrowser(world, browserToken),
    created_at: now,
    methods_reset_at: null,
  };
  await store.insertAccount(transaction, row);
  return accountFrom(row);
}

/**
 * An account of an address that somebody vouches for who may: an organisation, for a domain that it has shown to be its own. It has no password, and
 * whatever was begun for the address and never verified goes.
 */
export async function createVerified(world: World, transaction: Transaction, { email, name }: { email: EmailAddress; name: string }): Promise<Account> {
  const now = world.clock.now();
  const row: store.AccountRow = {
    id: makeId(world),
    email: email.address,
    email_key: email.key,
    email_verified_at: now,
    name,
    name_key: searchKeyOf(name),
    language: 'en',
    password_hash: NO_PASSWORD,
    password_changed_at: now,
    // Of no browser.
    sign_up_browser_hash: hashBrowser(world, makeToken(world)),
    created_at: now,
    methods_reset_at: null,
  };
  await store.deleteUnverified(transaction, email.key);
  await store.insertAccount(transaction, row);
  return accountFrom(row);
}

/** No password has this hash: verifying against it costs as much as any other, and is always wrong. */
const NO_PASSWORD = '';

export async function hasPassword(queries: Queries, accountId: string): Promise<boolean> {
  return (await store.selectAccount(queries, accountId))?.password_hash !== NO_PASSWORD;
}

export type PasswordCheck =
  | { readonly ok: true; readonly account: Account }
  | { readonly ok: false; readonly reason: 'wrong'; readonly accountId: string | null }
  | { readonly ok: false; readonly reason: 'too-many-tries'; readonly accountId: string | null; readonly retryAt: number };

/** The first factor. Unknown, wrong and unverified elsewhere are one answer, and cost one hash. */
export async function checkPassword(
  world: World,
  { email, password, browserToken, address }: { email: string; password: string; browserToken: string; address: string },
): Promise<PasswordCheck> {
  const counted = await countTry(world, { email, browserToken, address });
  if (!counted.ok) return counted;
  const row = await rightOne(world, password, counted);
  if (!row) return { ok: false, reason: 'wrong', accountId: counted.accountId };
  await forgiveTry(world, counted, { own: row.email_verified_at !== null });
  return { ok: true, account: accountFrom(row) };
}

export interface CountedTry {
  readonly ok: true;
  /** Whose the address is. */
  readonly accountId: string | null;
  readonly verified: store.AccountRow | undefined;
  readonly unverified: store.AccountRow | undefined;
  readonly budgets: readonly (readonly [Pauses, ...string[]])[];
}

/** Counts a try at a password before anybody looks at it: ours, or a directory's. */
export async function countTry(
  world: World,
  { email, browserToken, address }: { email: string; browserToken: string; address: string },
): Promise<CountedTry | Extract<PasswordCheck, { reason: 'too-many-tries' }>> {
  // What is no address has no account, and is counted and hashed for like any other.
  const key = parseEmailAddress(email)?.key ?? email.trim().toLowerCase().slice(0, 254);
  const browserHash = hashBrowser(world, browserToken);
  return world.database.transaction(async (transaction) => {
    const verified = await store.selectVerified(transaction, key);
    const unverified = await store.selectUnverified(transaction, key, browserHash);
    const known = verified ? await store.knowsBrowser(transaction, verified.id, browserHash) : false;
    // A browser that the account knows has a budget of its own: the guesses of strangers and neighbours must not lock the owner out (RL-3).
    const budgets = known ? [[PASSWORD_GUESSES, key, browserHash] as const] : strangersBudgets(key, address);
    const accountId = verified?.id ?? null;
    for (const [limit, ...parts] of budgets) {
      const spent = await spend(transaction, world, limit, ...parts);
      if (!spent.allowed) return { ok: false, reason: 'too-many-tries', retryAt: spent.retryAt, accountId };
    }
    return { ok: true, verified, unverified, budgets, accountId };
  });
}

/** It was right. What was counted for others is not forgiven: who owns one account, or an unverified shadow of one, must not get to guess anew by signing in to it. */
export async function forgiveTry(world: World, { budgets }: CountedTry, { own }: { own: boolean }): Promise<void> {
  await world.database.transaction(async (transaction) => {
    for (const [limit, ...parts] of budgets)
      await (own && limit === PASSWORD_GUESSES ? forgive(transaction, world, limit, ...parts) : giveBack(transaction, world, limit, ...parts));
  });
}

/** Always in this order, since each locks a row. */
function strangersBudgets(key: string, address: string): (readonly [Pauses, ...string[]])[] {
  return [
    [ADDRESS_GUESSES, networkOf(address)],
    [PASSWORD_GUESSES, key, 'unknown browsers'],
  ];
}

/**
 * Only who made an unverified account in this very browser has two candidates, and then two hashes are computed whether or not the verified one
 * exists; so the time tells nothing about it. The unverified one comes first: whoever signs up with somebody's address and a guess, and then signs in with it,
 * must not learn whether the guess is right for that somebody.
 */
async function rightOne(
  world: World,
  password: string,
  { verified, unverified }: { verified: store.AccountRow | undefined; unverified: store.AccountRow | undefined },
): Promise<store.AccountRow | undefined> {
  const tooLong = Buffer.byteLength(password) > BYTES_MOST;
  const candidates = unverified ? [unverified, verified] : [verified];
  let right: store.AccountRow | undefined;
  for (const candidate of candidates) {
    const verdict = await world.passwordHasher.verify(tooLong ? '' : password, tooLong ? undefined : candidate?.password_hash);
    if (!verdict.right || !candidate || right) continue;
    right = candidate;
    if (verdict.outdated) {
      const hashes = { before: candidate.password_hash, after: await world.passwordHasher.hash(password) };
      await world.database.transaction((transaction) => store.replaceHash(transaction, candidate.id, hashes));
    }
  }
  return right;
}

/**
 * The password of somebody who is signed in, shown again. It has a budget of its own: a stolen session must not guess for ever. `isRight`: where ours is not what
 * counts, or not alone.
 */
export async function confirmPassword(
  world: World,
  { accountId, password, from }: { accountId: string; password: string; from: Origin },
  isRight: (isOwn: () => Promise<boolean>) => Promise<boolean> = (isOwn) => isOwn(),
): Promise<{ ok: true } | { ok: false; reason: 'wrong' } | { ok: false; reason: 'too-many-tries'; retryAt: number }> {
  const budget = [accountId, 'signed in'];
  const spent = await world.database.transaction(async (transaction) => {
    const tried = await spend(transaction, world, PASSWORD_GUESSES, ...budget);
    if (!tried.allowed) await record(world, transaction, { event: 'authn_confirm_throttled', accountId, from, details: { reason: 'too-many-tries' } });
    return tried;
  });
  if (!spent.allowed) return { ok: false, reason: 'too-many-tries', retryAt: spent.retryAt };
  if (!(await isRight(() => isOwnPassword(world, accountId, password)))) {
    await world.database.transaction((transaction) =>
      record(world, transaction, { event: 'authn_confirm_fail', accountId, from, details: { reason: 'wrong' } }),
    );
    return { ok: false, reason: 'wrong' };
  }
  await world.database.transaction((transaction) => forgive(transaction, world, PASSWORD_GUESSES, ...budget));
  return { ok: true };
}

async function isOwnPassword(world: World, accountId: string, password: string): Promise<boolean> {
  const row = await store.selectAccount(world.database.query, accountId);
  const tooLong = Buffer.byteLength(password) > BYTES_MOST;
  return (await world.passwordHasher.verify(tooLong ? '' : password, tooLong ? undefined : row?.password_hash)).right;
}

export async function findAccount(queries: Queries, id: string): Promise<Account | undefined> {
  const row = await store.selectAccount(queries, id);
  return row && accountFrom(row);
}

/**
 * The account as it is now, and as it stays until the transaction ends: whoever else would open a session for it, or change how one gets in,
 * waits. First in its transaction, so that none holds what another that has the account waits for.
 */
export async function lockAccount(transaction: Transaction, id: string): Promise<Account | undefined> {
  const row = await store.lockAccount(transaction, id);
  return row && accountFrom(row);
}

export async function findVerifiedByEmail(queries: Queries, emailKey: string): Promise<Account | undefined> {
  const row = await store.selectVerified(queries, emailKey);
  return row && accountFrom(row);
}

/** The mailbox was proved: the account is the address's own from here on, and others that were begun for it go. */
export async function verifyEmail(world: World, transaction: Transaction, accountId: string): Promise<{ ok: true } | { ok: false; reason: 'taken' }> {
  const row = await store.selectAccount(transaction, accountId);
  if (!row || (await store.selectVerified(transaction, row.email_key))) return { ok: false, reason: 'taken' };
  await store.updateAccount(transaction, accountId, { email_verified_at: world.clock.now() });
  await store.deleteUnverified(transaction, row.email_key);
  return { ok: true };
}

/** The new address was proved by a code. */
export async function changeEmail(
  world: World,
  transaction: Transaction,
  accountId: string,
  email: EmailAddress,
): Promise<{ ok: true } | { ok: false; reason: 'taken' }> {
  const holder = await store.selectVerified(transaction, email.key);
  if (holder && holder.id !== accountId) return { ok: false, reason: 'taken' };
  await store.updateAccount(transaction, accountId, { email: email.address, email_key: email.key, email_verified_at: world.clock.now() });
  // Links on their way to the old address are worth nothing from here on (EC-4).
  await store.deletePasswordResets(transaction, accountId);
  await store.deleteUnverified(transaction, email.key);
  return { ok: true };
}

export async function changeName(transaction: Transaction, accountId: string, name: string): Promise<void> {
  await store.updateAccount(transaction, accountId, { name, name_key: searchKeyOf(name) });
}

export async function changeLanguage(transaction: Transaction, accountId: string, language: string): Promise<void> {
  await store.updateAccount(transaction, accountId, { language });
}

/**
 * What the old password was worth goes with it: links to choose another, and browsers that were let in with it and are known since. `browserToken`: of
 * the one that stays known.
 */
export async function changePassword(
  world: World,
  transaction: Transaction,
  accountId: string,
  { passwordHash, browserToken }: { passwordHash: string; browserToken?: string },
): Promise<void> {
  await store.updateAccount(transaction, accountId, { password_hash: passwordHash, password_changed_at: world.clock.now() });
  await store.deletePasswordResets(transaction, accountId);
  await store.forgetBrowsers(transaction, accountId, browserToken === undefined ? undefined : hashBrowser(world, browserToken));
  const row = await store.selectAccount(transaction, accountId);
  // What was counted against the old password says nothing of the new one.
  if (row) await forgive(transaction, world, PASSWORD_GUESSES, row.email_key, 'unknown browsers');
}

export async function markMethodsReset(transaction: Transaction, accountId: string, at: number | null): Promise<void> {
  await store.updateAccount(transaction, accountId, { methods_reset_at: at });
}

export const deleteAccount = store.deleteAccount;
export const endEveryPasswordReset = store.deleteEveryPasswordReset;

/** A browser in which the account was entered to the end. */
export async function rememberBrowser(world: World, transaction: Transaction, accountId: string, browserToken: string): Promise<void> {
  const now = world.clock.now();
  await store.rememberBrowser(transaction, { account_id: accountId, browser_hash: hashBrowser(world, browserToken), first_seen_at: now, last_seen_at: now });
}

export async function knowsBrowser(world: World, queries: Queries, accountId: string, browserToken: string): Promise<boolean> {
  return store.knowsBrowser(queries, accountId, hashBrowser(world, browserToken));
}

/** Returns the token for the link; only its hash is stored. */
export async function startPasswordReset(world: World, transaction: Transaction, accountId: string): Promise<string> {
  const token = makeToken(world);
  await store.putPasswordReset(transaction, {
    token_hash: world.keys.hash('password reset token', token),
    account_id: accountId,
    expires_at: world.clock.now() + RESET_LIFETIME,
  });
  return token;
}

/** Uses the link up; the account that it is for, or undefined where it was used, replaced, too old or never made. */
export async function spendPasswordReset(world: World, transaction: Transaction, token: string): Promise<string | undefined> {
  const row = await store.takePasswordReset(transaction, world.keys.hash('password reset token', token));
  return row && world.clock.now() < row.expires_at ? row.account_id : undefined;
}

/** An unverified account holds nothing and is known to one browser alone; nobody waits for it for ever. Nor for a browser that stayed away. */
export async function sweepAccounts({ database, clock }: World): Promise<readonly number[]> {
  const { query } = database;
  const now = clock.now();
  const unverified = { table: 'accounts', key: 'id', column: 'created_at', before: now - UNVERIFIED_KEPT_FOR, only: store.isUnverified } as const;
  return [
    await database.transaction((transaction) => deleteExpired(transaction, unverified)),
    await deleteExpired(query, { table: 'known_browsers', key: 'browser_hash', column: 'last_seen_at', before: now - BROWSER_KNOWN_FOR }),
    await deleteExpired(query, { table: 'password_resets', key: 'token_hash', column: 'expires_at', before: now }),
  ];
}

/** What a name, or its beginning, is found by. */
export const searchKeyOf = (name: string): string => name.normalize('NFC').trim().toLowerCase();

function accountFrom(row: store.AccountRow): Account {
  return {
    id: row.id,
    email: row.email,
    emailVerifiedAt: row.email_verified_at,
    name: row.name,
    language: row.language,
    passwordChangedAt: row.password_changed_at,
    createdAt: row.created_at,
    methodsResetAt: row.methods_reset_at,
  };
}

function hashBrowser(world: World, browserToken: string): string {
  return world.keys.hash('browser token', browserToken);
}
