/**
 * Signing up and verifying the address. An account is made at once, unverified and known to this browser alone; it becomes the address's
 * account when a code that was sent there is shown. Where the address has an account already, everything looks the same until the mailbox
 * has been proved, and then the person is told (docs/decisions/0002). Unverified accounts that nobody verifies are swept away.
 * Who may make an account is decided in organisations/who-may-join.ts and held here, where accounts are made, whatever the pages show.
 */
import { deleteAccount, hashNewPassword, nameRefusal, passwordRefusal, verifyEmail, type Account } from '../accounts/accounts.ts';
import * as attempts from '../attempts/attempts.ts';
import { record } from '../audit/audit.ts';
import type { Transaction } from '../platform/database/database.ts';
import { isJoiningOpen, mayJoin, readJoiningTerms, type JoiningTerms } from '../organisations/organisations.ts';
import { networkOf, SIGN_UPS, spend } from '../platform/limits/limits.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import { raiseSession, type Session } from '../sessions/sessions.ts';
import { signUp as enterNewAccount, startVerifyingEmail, type Caller, type Entered } from '../sign-in/sign-in.ts';

export { startVerifyingEmail };

export interface SignUpErrors {
  readonly email?: string;
  readonly name?: string;
  readonly password?: string;
}

export type SignUpAnswer =
  | { readonly ok: true; readonly entered: Entered }
  | { readonly ok: false; readonly reason: 'fields'; readonly errors: SignUpErrors }
  /** This address may not join, whoever has it. */
  | { readonly ok: false; readonly reason: 'not-joining'; readonly terms: JoiningTerms }
  | { readonly ok: false; readonly reason: 'too-many'; readonly retryAt: number };

export async function signUp(
  world: World,
  { email, name, password, then, caller }: { email: string; name: string; password: string; then: string | null; caller: Caller },
): Promise<SignUpAnswer> {
  const address = parseEmailAddress(email);
  const terms = await readJoiningTerms(world, world.database.query, then ?? '');
  // Before anything is counted, looked up or hashed: the answer is the same for every address of that kind, and takes as long.
  if (address ? !mayJoin(terms, address.key) : !isJoiningOpen(terms)) return { ok: false, reason: 'not-joining', terms };
  const errors: SignUpErrors = {
    ...(address ? {} : { email: email.trim() === '' ? 'Enter your email.' : 'Enter an email address such as name@example.com.' }),
    ...given('name', nameRefusal(name)),
    ...given('password', await passwordRefusal(world, { password, email: address?.address ?? '' })),
  };
  if (!address || Object.keys(errors).length > 0) return { ok: false, reason: 'fields', errors };
  const spent = await world.database.transaction((transaction) => spend(transaction, world, SIGN_UPS, networkOf(caller.address)));
  if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: spent.retryAt };

  const passwordHash = await hashNewPassword(world, password);
  const entered = await enterNewAccount(world, { email: address, name: name.normalize('NFC').trim(), passwordHash, language: 'en', then, caller });
  return { ok: true, entered };
}

/** The code was right: the address is the account's now, or has been another account's all along. Returns the session's new token. */
export async function finishVerifying(
  world: World,
  transaction: Transaction,
  { attempt, account }: attempts.Situation,
  { session, caller }: { session: Session; caller: Caller },
): Promise<{ ok: true; token: string } | { ok: false; reason: 'taken' }> {
  await attempts.endAttempt(transaction, attempt);
  const verified = await verifyEmail(world, transaction, account.id);
  if (!verified.ok) {
    // Whoever reads this mailbox already has an account. The new one was never anybody's; the old one is not touched.
    await deleteAccount(transaction, account.id);
    await record(world, transaction, { event: 'user_deleted', accountId: account.id, from: caller, details: { reason: 'address taken' } });
    return { ok: false, reason: 'taken' };
  }
  await record(world, transaction, { event: 'user_email_verified', accountId: account.id, from: caller });
  return { ok: true, token: await raiseSession(world, transaction, { session, proofs: {} }) };
}

export const isVerified = (account: Account): boolean => account.emailVerifiedAt !== null;

function given(field: keyof SignUpErrors, refusal: string | undefined): SignUpErrors {
  return refusal === undefined ? {} : { [field]: refusal };
}
