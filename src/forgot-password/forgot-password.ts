/**
 * A forgotten password. A link with 256 random bits goes to the address and serves once within 30 minutes; what follows is an attempt in the
 * browser that opened it. It changes the password alone: it never signs in, and never skips, resets or replaces a second factor (PR-1 to
 * PR-3). Where an emailed code is a second factor, the mailbox would be both steps, so the authenticator app or the Recovery Key is asked for too.
 * Every answer is the same whether or not there is an account.
 */
import {
  findVerifiedByEmail,
  hashNewPassword,
  lockAccount,
  passwordRefusal,
  RESET_LIFETIME,
  spendPasswordReset,
  startPasswordReset,
} from '../accounts/accounts.ts';
import * as attempts from '../attempts/attempts.ts';
import { record } from '../audit/audit.ts';
import { listFactors } from '../factors/factors.ts';
import { mayJoin, readJoiningTerms } from '../organisations/organisations.ts';
import { networkOf, RESET_MAILS, RESET_REQUESTS, spend } from '../platform/limits/limits.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { post } from '../platform/mail/mail.ts';
import { makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { enforcesRealSecondFactor } from '../policy/policy.ts';
import type { Caller } from '../sign-in/sign-in.ts';

export const RESET_PASSWORD = 'reset-password';

export type Requested =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'email-malformed' }
  | { readonly ok: false; readonly reason: 'too-many'; readonly retryAt: number };

/** Asks for the link. The answer is the same, and costs the same one transaction, whether or not there is an account. */
export async function requestReset(world: World, { email, caller }: { email: string; caller: Caller }): Promise<Requested> {
  const address = parseEmailAddress(email);
  if (!address) return { ok: false, reason: 'email-malformed' };
  return world.database.transaction(async (transaction): Promise<Requested> => {
    for (const [limit, key] of [
      [RESET_REQUESTS, networkOf(caller.address)],
      [RESET_MAILS, address.key],
    ] as const) {
      const spent = await spend(transaction, world, limit, key);
      if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: spent.retryAt };
    }
    const account = await findVerifiedByEmail(transaction, address.key);
    const joining = mayJoin(await readJoiningTerms(world, transaction, ''), address.key);
    await record(world, transaction, { event: 'authn_password_reset_requested', accountId: account?.id ?? null, from: caller });
    const { name: installation, origin } = world.installation;
    const asked = { userAgent: caller.userAgent, address: caller.address, at: world.clock.now() };
    const token = account && (await startPasswordReset(world, transaction, account.id));
    await post(world, transaction, [
      token === undefined
        ? {
            to: { name: '', address: address.address },
            subject: `No account at ${installation} for this address`,
            code: undefined,
            paragraphs: [
              `Somebody asked for a new password at ${installation}, but there is no account with this address. Perhaps you signed up with another one, or have not finished signing up.`,
            ],
            link: joining ? { label: 'Create an account', url: `${origin}/sign-up` } : undefined,
            asked,
            notYou: 'If this was not you, there is nothing to do.',
            expiresAt: undefined,
          }
        : {
            to: { name: account!.name, address: account!.email },
            subject: `Choose a new password for ${installation}`,
            code: undefined,
            paragraphs: [`To choose a new password for ${installation}, open this link within 30 minutes. It works once.`],
            link: { label: 'Choose a new password', url: `${origin}/forgot-password/link?token=${token}` },
            asked,
            notYou: 'If this was not you, there is nothing to do: your password stays as it is.',
            expiresAt: world.clock.now() + RESET_LIFETIME,
          },
    ]);
    return { ok: true };
  });
}

/** Uses the link up and begins the attempt that it allows; undefined where it was used, replaced, too old or never made. */
export async function openReset(world: World, { token, caller }: { token: string; caller: Caller }): Promise<{ attemptToken: string } | undefined> {
  return world.database.transaction(async (transaction) => {
    const accountId = await spendPasswordReset(world, transaction, token);
    if (accountId === undefined) {
      await record(world, transaction, { event: 'authn_password_reset_refused', accountId: null, from: caller });
      return undefined;
    }
    const attemptToken = makeToken(world);
    const enrolled = await listFactors(world, transaction, accountId);
    const [asking = null] = attempts.choices({ attempt: { purpose: RESET_PASSWORD }, enrolled });
    await attempts.beginAttempt(world, transaction, {
      holder: { attemptToken },
      purpose: RESET_PASSWORD,
      accountId,
      state: { emailShown: true, asking },
    });
    return { attemptToken };
  });
}

export type NewPassword =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'refused'; readonly sentence: string; readonly realSecondFactorEnforced: boolean }
  | { readonly ok: false; readonly reason: 'elsewhere' };

/** The last step: the password changes, everybody is signed out, and the owner is told. */
export async function setNewPassword(
  world: World,
  { attemptToken, password, caller }: { attemptToken: string; password: string; caller: Caller },
): Promise<NewPassword> {
  const holder = { attemptToken };
  const begun = await attempts.findAttempt(world, world.database.query, holder, RESET_PASSWORD);
  const before =
    begun && (await attempts.situationOf(world, { queries: world.database.query, attempt: begun, browserToken: caller.browserToken, sessionProofs: {} }));
  if (before?.step !== 'new-password') return { ok: false, reason: 'elsewhere' };
  const realSecondFactorEnforced = enforcesRealSecondFactor(world, before.policy.demand);
  const sentence = await passwordRefusal(world, { password, email: before.account.email, realSecondFactorEnforced });
  if (sentence !== undefined) return { ok: false, reason: 'refused', sentence, realSecondFactorEnforced };

  const passwordHash = await hashNewPassword(world, password);
  return world.database.transaction(async (transaction): Promise<NewPassword> => {
    await lockAccount(transaction, before.account.id);
    const attempt = await attempts.findAttempt(world, transaction, holder, RESET_PASSWORD);
    const situation = attempt && (await attempts.situationOf(world, { queries: transaction, attempt, browserToken: caller.browserToken, sessionProofs: {} }));
    if (situation?.step !== 'new-password') return { ok: false, reason: 'elsewhere' };
    const { account } = situation;
    if (attempt!.state.usedRecoveryKey && !(await attempts.storeKeptKey(world, transaction, situation, { browserToken: caller.browserToken, from: caller })))
      throw attempts.changedMeanwhile();
    await attempts.endAttempt(transaction, attempt!);
    await attempts.replacePassword(world, transaction, account, { passwordHash, by: 'reset', from: caller });
    return { ok: true };
  });
}
