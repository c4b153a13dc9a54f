// A password that has become too short: the policies enforced a real second factor beside it, and do so no more (PW-1). The door is sign-in.ts.
import { hashNewPassword, lockAccount, passwordRefusal } from '../accounts/accounts.ts';
import * as attempts from '../attempts/attempts.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import type { World } from '../platform/world.ts';
import { SIGN_IN, type Caller } from './sign-in.ts';

export type Lengthened<Done> =
  | { readonly ok: true; readonly done: Done }
  | { readonly ok: false; readonly reason: 'refused'; readonly sentence: string; readonly situation: attempts.Situation }
  /** The attempt is at another step, or over. */
  | { readonly ok: false; readonly reason: 'elsewhere'; readonly situation: attempts.Situation | undefined };

/** Where an attempt to sign in is. */
export async function findSignIn(
  world: World,
  { attemptToken, caller, queries = world.database.query }: { attemptToken: string; caller: Caller; queries?: Queries },
): Promise<attempts.Situation | undefined> {
  const attempt = await attempts.findAttempt(world, queries, { attemptToken }, SIGN_IN);
  return attempt && attempts.situationOf(world, { queries, attempt, browserToken: caller.browserToken, sessionProofs: {} });
}

/**
 * The last step of signing in: the password changes, whoever is signed in by the old one is signed out, the owner is told, and `finish` opens the session, all of
 * it or nothing. Whoever is here has shown what a change of the password asks for, see next-step.ts.
 */
export async function lengthenPassword<Done>(
  world: World,
  { attemptToken, password, caller }: { attemptToken: string; password: string; caller: Caller },
  finish: (transaction: Transaction, situation: attempts.Situation) => Promise<Done>,
): Promise<Lengthened<Done>> {
  const before = await findSignIn(world, { attemptToken, caller });
  let passwordHash: string | undefined;
  if (before?.step === 'new-password') {
    const sentence = await passwordRefusal(world, { password, email: before.account.email });
    if (sentence !== undefined) return { ok: false, reason: 'refused', sentence, situation: before };
    passwordHash = await hashNewPassword(world, password);
  }
  return world.database.transaction(async (transaction): Promise<Lengthened<Done>> => {
    if (before) await lockAccount(transaction, before.account.id);
    const situation = await findSignIn(world, { attemptToken, caller, queries: transaction });
    // A policy may enforce a real second factor again by now: whoever pressed the button goes in as they are.
    if (situation?.step === 'done') return { ok: true, done: await finish(transaction, situation) };
    if (situation?.step !== 'new-password' || passwordHash === undefined) return { ok: false, reason: 'elsewhere', situation };
    const { attempt, account } = situation;
    const { browserToken } = caller;
    await attempts.replacePassword(world, transaction, account, { passwordHash, browserToken, by: 'owner', from: caller, attempt });
    await attempts.saveAttempt(world, transaction, attempt, { shortPassword: false });
    const changed = await findSignIn(world, { attemptToken, caller, queries: transaction });
    if (changed?.step !== 'done') throw attempts.changedMeanwhile();
    return { ok: true, done: await finish(transaction, changed) };
  });
}
