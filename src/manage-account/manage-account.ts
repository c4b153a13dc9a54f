/**
 * What a signed-in person changes about the account: name, language, address, password, two-factor authentication and its methods,
 * Recovery Key, sessions. Whatever changes how one gets in starts with a fresh proof (FC-1), goes through the printed steps as an attempt, ends
 * every other session where it should not outlive the change, and is told to the owner by mail, all in one transaction.
 */
import {
  changeEmail,
  changeLanguage,
  changeName,
  confirmPassword,
  hashNewPassword,
  lockAccount,
  nameRefusal,
  hasPassword,
  passwordRefusal,
  type Account,
} from '../accounts/accounts.ts';
import * as attempts from '../attempts/attempts.ts';
import { record } from '../audit/audit.ts';
import { factorOf, listFactors, onlySignedInAt, removeFactor, removeFactors, renameFactor, standing, type EnrolledFactor } from '../factors/factors.ts';
import { findBypassCode, findReset, type LiveBypassCode, type PendingReset } from '../lost-phone/lost-phone.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import { enforcesRealSecondFactor, readDemand, type Asked } from '../policy/policy.ts';
import {
  endSessionOf,
  endSessions,
  forgetDevices,
  forgetFailedTries,
  forgetProofs,
  listSessions,
  listTrustedDevices,
  raiseSession,
  type Session,
} from '../sessions/sessions.ts';
import type { Caller } from '../sign-in/sign-in.ts';
import { listLinks, type Link } from '../sso/sso.ts';

/** Where somebody is led whose policy, or whose app, asks for a method, or for a proof by one that counts. */
export const SET_UP_ADDRESS = '/account/security/enable';

export interface SettingUp {
  /** Where the person was going, a path of ours. */
  readonly then: string | undefined;
  /** Something that only this person has is asked for there; an emailed code is not that. */
  readonly strong: boolean;
}

export function setUpAddress({ then, strong }: SettingUp): string {
  const query = [...(strong ? ['strong=1'] : []), ...(then === undefined ? [] : [`then=${encodeURIComponent(then)}`])].join('&');
  return query === '' ? SET_UP_ADDRESS : `${SET_UP_ADDRESS}?${query}`;
}

export const CONFIRM_ADDRESS = '/account/confirm';
export const FORGET_DEVICE = '/account/security/devices/remove';
export const FORGET_DEVICES = '/account/security/devices/remove-all';

export interface Security {
  readonly account: Account;
  readonly enrolled: readonly EnrolledFactor[];
  /** On where an account has a factor that stands. */
  readonly on: boolean;
  /** Off: nothing can be added. Required: nothing that is needed can be taken away. */
  readonly policy: Asked;
  /** Empty where the session's proof is fresh. */
  readonly missing: readonly ('first-factor' | 'second-factor')[];
  /** Whether a method may be set up now: where nothing is missing, and for a while after a bypass code. */
  readonly maySetUp: boolean;
  /** The session was opened with a bypass code, and nothing of the account's own was shown since. */
  readonly onlySignedIn: boolean;
  /** Until when, after a bypass code; epoch milliseconds. */
  readonly setUpUntil: number;
  readonly bypassCode: LiveBypassCode | undefined;
  /** The identity providers by which the account is opened. */
  readonly links: readonly Link[];
  readonly hasPassword: boolean;
  /** All that there is is about to be taken away. */
  readonly reset: PendingReset | undefined;
}

/** `within`: in milliseconds, where something asks for a fresher proof than the policies do. */
export async function readSecurity(world: World, queries: Queries, session: Session, within = Infinity): Promise<Security> {
  const enrolled = await listFactors(world, queries, session.account.id);
  const policy = await readDemand(queries, session.account.id);
  const now = world.clock.now();
  const freshFor = Math.min(within, policy.demand.proofFreshFor);
  const missing = attempts.missingProofs({ held: attempts.heldOf(enrolled), proofs: session.proofs, now, freshFor });
  const opened = onlySignedInAt(session.proofs);
  return {
    account: session.account,
    enrolled,
    on: standing(enrolled).length > 0,
    policy,
    missing,
    maySetUp: attempts.maySetUp(missing, { opened, now, freshFor }),
    onlySignedIn: opened !== undefined && !enrolled.some(({ kind }) => session.proofs[kind] !== undefined),
    setUpUntil: (opened ?? now) + freshFor,
    bypassCode: await findBypassCode(world, queries, session.account.id),
    reset: await findReset(queries, session.account.id),
    links: await listLinks(queries, session.account.id),
    hasPassword: await hasPassword(queries, session.account.id),
  };
}

/** What a person may set up now: not what is full, not codes to an address that is not verified, nothing where the policy is off. */
export function methodsToAdd({ account, enrolled, on, policy: { demand } }: Security): string[] {
  // EC-9: to turn it on the address has to be verified, whatever the method.
  if (demand.twoFactor === 'off' || (!on && account.emailVerifiedAt === null)) return [];
  return attempts.methodsToSetUp(account, demand).filter((kind) => enrolled.filter((one) => one.kind === kind).length < factorOf(kind).most);
}

export type RemovalRefusal = 'policy-requires' | 'last-method';

/** Why a method can't be removed, or undefined (FC-7). */
export function removalRefusal({ enrolled, policy: { demand } }: Security, id: string): RemovalRefusal | undefined {
  const others = standing(enrolled).filter((one) => one.id !== id);
  if (others.length === 0) return demand.twoFactor === 'required' ? 'policy-requires' : 'last-method';
  // What no policy counts may go; what is left of what counts has to stay.
  const counts = ({ kind }: EnrolledFactor): boolean => !demand.notCounting.includes(kind);
  const itCounts = enrolled.some((one) => one.id === id && counts(one));
  return demand.twoFactor === 'required' && itCounts && !others.some(counts) ? 'policy-requires' : undefined;
}

/** Begins an attempt of a signed-in person. The caller has seen to the fresh proof. */
export async function begin(
  world: World,
  transaction: Transaction,
  { session, purpose, state, caller }: { session: Session; purpose: attempts.Purpose; state: Partial<attempts.AttemptState>; caller: Caller },
): Promise<attempts.Situation> {
  const attempt = await attempts.beginAttempt(world, transaction, { holder: { sessionId: session.id }, purpose, accountId: session.account.id, state });
  const situation = await attempts.situationOf(world, { queries: transaction, attempt, browserToken: caller.browserToken, sessionProofs: session.proofs });
  if (!situation) throw attempts.changedMeanwhile();
  return situation;
}

/** The new method is shown and the Recovery Key kept: now it counts. Returns the session's new token. */
export async function finishEnrolment(
  world: World,
  transaction: Transaction,
  { situation, session, caller }: { situation: attempts.Situation; session: Session; caller: Caller },
): Promise<string> {
  const first = standing(situation.enrolled).length === 0;
  const adds = situation.attempt.state.method!.replaces === null;
  // The policy may have come to forbid it since it was begun. A new phone adds nothing: who is still asked for a code must be able to have one.
  const { demand } = situation.policy;
  const kind = situation.attempt.state.method!.kind;
  if (adds && (demand.twoFactor === 'off' || demand.notCounting.includes(kind))) throw attempts.changedMeanwhile();
  if (!(await attempts.storeMethod(world, transaction, situation, { browserToken: caller.browserToken, from: caller }))) throw attempts.changedMeanwhile();
  // What others began was proved by what the account had before: they start again, with the new method among what it has.
  await attempts.endAttempt(transaction, situation.attempt);
  await attempts.endOtherAttempts(transaction, session.account.id);
  if (first) await endSessions(transaction, session.account.id, session.id);
  return raiseSession(world, transaction, { session, proofs: { [situation.attempt.state.method!.kind]: world.clock.now() } });
}

/** Two-factor authentication goes off, with every method and the Recovery Key. Undefined where the policy has come to require it. */
export async function finishDisabling(
  world: World,
  transaction: Transaction,
  { situation, session, caller }: { situation: attempts.Situation; session: Session; caller: Caller },
): Promise<string | undefined> {
  const { account, attempt, enrolled } = situation;
  await attempts.endAttempt(transaction, attempt);
  if (situation.policy.demand.twoFactor === 'required') return undefined;
  await removeFactors(transaction, account.id);
  await endSessions(transaction, account.id, session.id);
  await attempts.endOtherAttempts(transaction, account.id);
  const kinds = enrolled.map((one) => one.kind);
  await forgetProofs(transaction, account.id, kinds);
  await record(world, transaction, { event: 'authn_two_factor_disabled', accountId: account.id, from: caller, details: { methods: kinds.join(' ') } });
  await attempts.tell(world, transaction, 'two-factor-off', { account, from: caller });
  return raiseSession(world, transaction, { session: { ...session, proofs: { ...without(session.proofs, kinds) } }, proofs: {} });
}

/** The kept key takes the place of the old one, which works until this moment. */
export async function finishNewRecoveryKey(
  world: World,
  transaction: Transaction,
  { situation, session, caller }: { situation: attempts.Situation; session: Session; caller: Caller },
): Promise<string> {
  if (!(await attempts.storeKeptKey(world, transaction, situation, { browserToken: caller.browserToken, from: caller }))) throw attempts.changedMeanwhile();
  await attempts.endAttempt(transaction, situation.attempt);
  await attempts.tell(world, transaction, 'recovery-key-created', { account: situation.account, from: caller });
  return raiseSession(world, transaction, { session, proofs: {} });
}

export async function finishConfirming(
  world: World,
  transaction: Transaction,
  { situation, session, caller }: { situation: attempts.Situation; session: Session; caller: Caller },
): Promise<string> {
  const { attempt, account } = situation;
  if (attempt.state.usedRecoveryKey && !(await attempts.storeKeptKey(world, transaction, situation, { browserToken: caller.browserToken, from: caller })))
    throw attempts.changedMeanwhile();
  await attempts.endAttempt(transaction, attempt);
  await record(world, transaction, {
    event: 'authn_confirmed',
    accountId: account.id,
    from: caller,
    details: { methods: Object.keys(attempt.state.proofs).join(' ') },
  });
  return raiseSession(world, transaction, { session, proofs: attempt.state.proofs });
}

/** The code came from the new address: it is the account's now. Both addresses are told. */
export async function finishChangingEmail(
  world: World,
  transaction: Transaction,
  { situation, session, caller }: { situation: attempts.Situation; session: Session; caller: Caller },
): Promise<{ ok: true; token: string } | { ok: false; reason: 'taken' }> {
  const { account, attempt } = situation;
  const email = parseEmailAddress(attempt.state.newEmail ?? '');
  if (!email) throw attempts.changedMeanwhile();
  await attempts.endAttempt(transaction, attempt);
  const changed = await changeEmail(world, transaction, account.id, email);
  if (!changed.ok) return changed;
  // Codes on their way to the old address are worth nothing from here on (EC-4).
  await attempts.endOtherAttempts(transaction, account.id);
  await endSessions(transaction, account.id, session.id);
  await record(world, transaction, { event: 'user_email_changed', accountId: account.id, from: caller });
  // An address that was never verified may be a stranger's.
  for (const address of account.emailVerifiedAt === null ? [email.address] : [account.email, email.address])
    await attempts.tell(world, transaction, 'email-changed', { account, from: caller, subjectOf: email.address, address });
  return { ok: true, token: await raiseSession(world, transaction, { session, proofs: {} }) };
}

export async function removeMethod(
  world: World,
  { session, id, caller }: { session: Session; id: string; caller: Caller },
): Promise<{ ok: true; token: string } | { ok: false; reason: RemovalRefusal | 'not-found' | 'stale' }> {
  return world.database.transaction(async (transaction) => {
    await lockAccount(transaction, session.account.id);
    const security = await readSecurity(world, transaction, session);
    const method = standing(security.enrolled).find((one) => one.id === id);
    if (!method) return { ok: false, reason: 'not-found' };
    if (security.missing.length > 0) return { ok: false, reason: 'stale' };
    const refusal = removalRefusal(security, id);
    if (refusal) return { ok: false, reason: refusal };
    const { account } = session;
    await removeFactor(transaction, account.id, id);
    const kindIsGone = !security.enrolled.some((one) => one.kind === method.kind && one.id !== id);
    if (kindIsGone) await forgetProofs(transaction, account.id, [method.kind]);
    await endSessions(transaction, account.id, session.id);
    await attempts.endOtherAttempts(transaction, account.id);
    await record(world, transaction, { event: 'authn_factor_removed', accountId: account.id, from: caller, details: { kind: method.kind, name: method.name } });
    await attempts.tell(world, transaction, 'method-removed', { account, from: caller, subjectOf: attempts.describe(method) });
    const proofs = kindIsGone ? without(session.proofs, [method.kind]) : session.proofs;
    return { ok: true, token: await raiseSession(world, transaction, { session: { ...session, proofs }, proofs: {} }) };
  });
}

export async function renameMethod(
  world: World,
  { session, id, name, caller }: { session: Session; id: string; name: string; caller: Caller },
): Promise<{ ok: true } | { ok: false; reason: 'not-found' | 'stale' | 'name' }> {
  const clean = attempts.methodNameFrom(name);
  if (clean === undefined) return { ok: false, reason: 'name' };
  return world.database.transaction(async (transaction) => {
    const security = await readSecurity(world, transaction, session);
    const method = standing(security.enrolled).find((one) => one.id === id);
    if (!method) return { ok: false, reason: 'not-found' };
    if (security.missing.length > 0) return { ok: false, reason: 'stale' };
    await renameFactor(transaction, session.account.id, id, clean);
    await record(world, transaction, {
      event: 'authn_factor_renamed',
      accountId: session.account.id,
      from: caller,
      details: { kind: method.kind, name: clean },
    });
    return { ok: true };
  });
}

export type PasswordChange =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly reason: 'current-wrong' }
  | { readonly ok: false; readonly reason: 'stale' }
  | { readonly ok: false; readonly reason: 'too-many-tries'; readonly retryAt: number }
  | { readonly ok: false; readonly reason: 'refused'; readonly sentence: string };

export async function changeOwnPassword(
  world: World,
  { session, current, password, caller }: { session: Session; current: string; password: string; caller: Caller },
): Promise<PasswordChange> {
  const { account } = session;
  if ((await readSecurity(world, world.database.query, session)).missing.length > 0) return { ok: false, reason: 'stale' };
  const realSecondFactorEnforced = enforcesRealSecondFactor(world, session.demand);
  const sentence = await passwordRefusal(world, { password, email: account.email, realSecondFactorEnforced });
  if (sentence !== undefined) return { ok: false, reason: 'refused', sentence };
  const confirmed = await confirmPassword(world, { accountId: account.id, password: current, from: caller });
  if (!confirmed.ok)
    return confirmed.reason === 'wrong' ? { ok: false, reason: 'current-wrong' } : { ok: false, reason: 'too-many-tries', retryAt: confirmed.retryAt };
  const passwordHash = await hashNewPassword(world, password);
  return world.database.transaction(async (transaction) => {
    await lockAccount(transaction, account.id);
    const { browserToken } = caller;
    await attempts.replacePassword(world, transaction, account, { passwordHash, browserToken, by: 'owner', from: caller, sessionId: session.id });
    await forgetFailedTries(transaction, session.id);
    return { ok: true, token: await raiseSession(world, transaction, { session, proofs: { password: world.clock.now() } }) };
  });
}

/** Name and language are no way in: they need no fresh proof. Returns the sentence for the name where it can't be. */
export async function changeProfile(
  world: World,
  { session, name, language, caller }: { session: Session; name: string; language: string; caller: Caller },
): Promise<{ name?: string } | undefined> {
  const refusal = nameRefusal(name);
  if (refusal !== undefined) return { name: refusal };
  await world.database.transaction(async (transaction) => {
    await changeName(transaction, session.account.id, name.normalize('NFC').trim());
    await changeLanguage(transaction, session.account.id, language);
    await record(world, transaction, { event: 'user_updated', accountId: session.account.id, from: caller });
  });
  return undefined;
}

export async function endOneSession(world: World, { session, id, caller }: { session: Session; id: string; caller: Caller }): Promise<void> {
  await world.database.transaction(async (transaction) => {
    const ended = await endSessionOf(transaction, session.account.id, id);
    if (ended)
      await record(world, transaction, { event: 'session_ended', accountId: session.account.id, from: caller, details: { reason: 'ended by the owner' } });
  });
}

export async function endAllOtherSessions(world: World, { session, caller }: { session: Session; caller: Caller }): Promise<void> {
  await world.database.transaction(async (transaction) => {
    await endSessions(transaction, session.account.id, session.id);
    await record(world, transaction, {
      event: 'session_ended',
      accountId: session.account.id,
      from: caller,
      details: { reason: 'all others ended by the owner' },
    });
  });
}

/** One of the browsers that are remembered, or all without `id`. It makes nothing weaker, and asks for no proof. */
export async function forgetTrustedDevices(world: World, { session, id, caller }: { session: Session; id?: string; caller: Caller }): Promise<void> {
  const { account } = session;
  const which = id === undefined ? {} : { id };
  await world.database.transaction((transaction) =>
    forgetDevices(world, transaction, { accountId: account.id, ...which, exceptSession: session.id, from: caller }),
  );
}

export { listSessions, listTrustedDevices };

function without(proofs: Session['proofs'], kinds: readonly string[]): Session['proofs'] {
  return Object.fromEntries(Object.entries(proofs).filter(([kind]) => !kinds.includes(kind)));
}
