// The steps that all attempts share. Each is one transaction of the caller's, and counts a try before it looks at it.
import { record, type Origin } from '../audit/audit.ts';
import {
  answerFactor,
  claimedBy,
  confirmFactor,
  enrol,
  factorOf,
  factors,
  makeRecoveryKey,
  newRecoveryKeyState,
  recoveryKeyAmong,
  removeFactor,
  replaceFactor,
  standing,
  toolsOf,
  type Answered,
  type EnrolledFactor,
  type FactorRefusal,
} from '../factors/factors.ts';
import { changePassword, markMethodsReset, type Account } from '../accounts/accounts.ts';
import type { Transaction } from '../platform/database/database.ts';
import { days, seconds } from '../platform/durations.ts';
import { CLAIM_MAILS, CODE_MAILS, FACTOR_GUESSES, spend, type Sends } from '../platform/limits/limits.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { post } from '../platform/mail/mail.ts';
import type { Message } from '../platform/mail/message.ts';
import type { World } from '../platform/world.ts';
import { endSessions, endTrust } from '../sessions/sessions.ts';
import { endOtherAttempts, heldOf, isProved, isReset, occasionOf, personOf, saveAttempt, type Attempt, type Method, type Situation } from './attempt.ts';
import { kindsThatConfirm } from './fresh-proof.ts';
import { noticeMessage, type Notice } from './notices.ts';

/** The factor by which a mailbox is proved, whether or not the account has it as a second factor. */
export const emailFactor = factors.find((factor) => factor.provesEmail)!;
/** The factor that gets people back in, and is replaced by being used. */
const recoveryFactor = recoveryKeyAmong(factors)!;

/** "Send again" no sooner than this. */
export const SEND_AGAIN_AFTER = seconds(30);
/** RL-8: after as many wrong second factors behind a right password, the owner is told. */
const TELL_OWNER_AT = 3;

export type Sent =
  | { readonly ok: true; readonly attempt: Attempt }
  | { readonly ok: false; readonly reason: 'too-soon' | 'too-many-mails'; readonly retryAt: number; readonly attempt: Attempt }
  | { readonly ok: false; readonly reason: 'choice-unknown'; readonly attempt: Attempt };

export type StepAnswer =
  | { readonly ok: true; readonly attempt: Attempt; /** What the account has now, where that is known. */ readonly enrolled?: readonly EnrolledFactor[] }
  | { readonly ok: false; readonly reason: FactorRefusal | 'attempt-over' | 'choice-unknown' }
  | { readonly ok: false; readonly reason: 'too-many-tries'; readonly retryAt: number | 'never' };

/** What may be shown at the step 'second-factor', the strongest first. */
export function choices({
  attempt,
  enrolled,
  policy,
}: {
  attempt: Pick<Attempt, 'purpose'>;
  enrolled: Situation['enrolled'];
  policy?: Situation['policy'];
}): string[] {
  const held = heldOf(enrolled).sort((one, other) => Number(other.stands) - Number(one.stands) || other.strength - one.strength);
  const kinds = [...new Set(held.map((one) => one.kind))];
  if (attempt.purpose === 'sign-in') return [...kinds.filter((kind) => !givesWay(kind, held, policy)), ...onlyToSignIn(enrolled)];
  // The link was in the mailbox: what the mailbox proves is shown already, and must not be both steps (PR-3).
  if (attempt.purpose === 'reset-password') return kinds.filter((kind) => !factorOf(kind).provesEmail);
  const enough = kindsThatConfirm(held);
  return kinds.filter((kind) => enough.includes(kind));
}

/** What an administrator gave out, last: it is no method, and no policy counts it. */
const onlyToSignIn = (enrolled: Situation['enrolled']): string[] => enrolled.filter(({ kind }) => factorOf(kind).signsInOnly).map(({ kind }) => kind);

/** AL-10: what no policy counts is not asked for beside what counts. Where the account has nothing else, it still guards it (SE-3). */
function givesWay(kind: string, held: ReturnType<typeof heldOf>, policy: Situation['policy'] | undefined): boolean {
  const counts = (one: string): boolean => !(policy?.demand.notCounting ?? []).includes(one);
  return !counts(kind) && held.some((one) => one.stands && counts(one.kind));
}

/** The factor that is asked for. Undefined where none is, or where the account no longer has it. */
export function asked(situation: Situation): string | undefined {
  return choices(situation).find((kind) => kind === situation.attempt.state.asking);
}

/** Makes `kind` the factor that is asked for, and sends its code where it has one that is not on its way already. */
export async function ask(world: World, transaction: Transaction, situation: Situation, { kind, from }: { kind: string; from: Origin }): Promise<Attempt> {
  const attempt = await saveAttempt(world, transaction, situation.attempt, { asking: kind });
  if (!factorOf(kind).challenge || attempt.state.challenges[kind] !== undefined) return attempt;
  // Where no mail may be sent now the page says when, and offers the other ways.
  return (await sendChallenge(world, transaction, { ...situation, attempt }, from)).attempt;
}

/** Sends the code of the factor that is asked for. Another window may have gone on to one that sends nothing. */
export async function sendChallenge(world: World, transaction: Transaction, situation: Situation, from: Origin): Promise<Sent> {
  const { attempt, account } = situation;
  const kind = asked(situation);
  const made = kind !== undefined && factorOf(kind).challenge?.(toolsOf(world), personOf(account), occasionOf(attempt, from));
  if (!made) return { ok: false, reason: 'choice-unknown', attempt };
  const { challenge, messages } = made;
  return send(world, transaction, { attempt, account }, { messages, from, kept: { challenges: { ...attempt.state.challenges, [kind]: challenge } } });
}

/** Sends a code to the address that this attempt is about: the new one where it changes the address, else the account's. */
export async function sendEmailCode(world: World, transaction: Transaction, { attempt, account }: Situation, from: Origin): Promise<Sent> {
  const { pending, messages } = emailFactor.begin(toolsOf(world), personOf(account, attempt.state.newEmail ?? account.email), occasionOf(attempt, from));
  return send(world, transaction, { attempt, account }, { messages, from, kept: { emailPending: pending } });
}

/** Begins the method that was chosen, or begins it again; sends what it sends. */
export async function beginMethod(world: World, transaction: Transaction, { attempt, account }: Situation, from: Origin): Promise<Sent> {
  const method = attempt.state.method!;
  const { pending, messages } = factorOf(method.kind).begin(toolsOf(world), personOf(account), occasionOf(attempt, from));
  const kept = { method: { ...method, pending } };
  if (messages.length === 0) return { ok: true, attempt: await saveAttempt(world, transaction, attempt, kept) };
  return send(world, transaction, { attempt, account }, { messages, from, kept });
}

async function send(
  world: World,
  transaction: Transaction,
  { attempt, account }: Pick<Situation, 'attempt' | 'account'>,
  { messages, from, kept }: { messages: readonly Message[]; from: Origin; kept: Partial<Attempt['state']> },
): Promise<Sent> {
  const now = world.clock.now();
  const soonest = (attempt.state.sentAt ?? -Infinity) + SEND_AGAIN_AFTER;
  if (now < soonest) return { ok: false, reason: 'too-soon', retryAt: soonest, attempt };
  for (const [limit, key] of messages.flatMap(({ to }) => allowancesFor(account, to.address))) {
    const spent = await spend(transaction, world, limit, key);
    if (spent.allowed) continue;
    const { retryAt } = spent;
    return { ok: false, reason: 'too-many-mails', retryAt, attempt: await saveAttempt(world, transaction, attempt, { sendableAt: retryAt }) };
  }
  await post(world, transaction, messages);
  await record(world, transaction, { event: 'authn_code_sent', accountId: attempt.accountId, from, details: { purpose: attempt.purpose } });
  return { ok: true, attempt: await saveAttempt(world, transaction, attempt, { ...kept, sentAt: now, sendableAt: null }) };
}

/** What a mail spends. One to an address that is not proved to be the account's also spends what that address can bear from strangers. */
function allowancesFor(account: Account, address: string): (readonly [Sends, string])[] {
  const own = [CODE_MAILS, account.id] as const;
  return isProved(account, address) ? [own] : [own, [CLAIM_MAILS, parseEmailAddress(address)!.key]];
}

/** One try at the factor that is asked for. */
export async function answerSecondFactor(
  world: World,
  transaction: Transaction,
  situation: Situation,
  { answer, from, remembers = false }: { answer: string; from: Origin; remembers?: boolean },
): Promise<StepAnswer> {
  const { attempt, account, enrolled } = situation;
  const kind = asked(situation);
  if (kind === undefined) return { ok: false, reason: 'choice-unknown' };
  const factor = factorOf(kind);
  if (triesAreUp(attempt, kind)) return { ok: false, reason: 'attempt-over' };
  const answered = await answerFactor(world, transaction, {
    kind,
    enrolled,
    challenge: attempt.state.challenges[kind],
    answer,
    person: personOf(account),
    occasion: occasionOf(attempt, from),
  });
  if (!answered.ok) return refuse(world, transaction, { attempt, account, kind, answered, from });

  const { [kind]: _spent, ...challenges } = attempt.state.challenges;
  const recovered = factor.afterUse === 'replaced';
  const next = await saveAttempt(world, transaction, attempt, {
    challenges,
    proofs: { ...attempt.state.proofs, [kind]: world.clock.now() },
    ...(factor.provesEmail ? { emailShown: true } : {}),
    remembersDevice: remembers && daysToRemember(situation) > 0,
    ...(recovered ? { usedRecoveryKey: true, newKey: { madeAt: world.clock.now(), saved: false, kept: false } } : {}),
  });
  const name = enrolled.find((one) => one.id === answered.id)?.name ?? '';
  await record(world, transaction, { event: 'authn_factor_success', accountId: account.id, from, details: { kind, name, purpose: attempt.purpose } });
  // Whoever gets back in has lost something: no browser is spared a second factor on the word of that (TD-3).
  if (recovered || factor.afterUse === 'gone') await endTrust(transaction, account.id);
  if (recovered) {
    await record(world, transaction, { event: 'authn_recovery_key_used', accountId: account.id, from, details: { purpose: attempt.purpose } });
    await tell(world, transaction, 'recovery-key-used', { account, from });
  }
  if (factor.afterUse === 'gone') {
    await record(world, transaction, { event: 'authn_bypass_code_used', accountId: account.id, from, details: { purpose: attempt.purpose } });
    await tell(world, transaction, 'bypass-code-used', { account, from });
  }
  return { ok: true, attempt: next, enrolled: answered.enrolled };
}

/** For how many days this browser can be remembered behind what is asked for now; 0: not at all. Only where one signs in, by what is the account's own and counts (TD-1, TD-3). */
export function daysToRemember(situation: Situation): number {
  const kind = asked(situation);
  const { demand } = situation.policy;
  const counts = kind !== undefined && factorOf(kind).stands && !demand.notCounting.includes(kind);
  return situation.attempt.purpose === 'sign-in' && counts ? Math.floor(demand.trustFor / days(1)) : 0;
}

/** One try at the code that was sent to the address. */
export async function answerEmailCode(
  world: World,
  transaction: Transaction,
  { attempt, account }: Situation,
  { answer, from }: { answer: string; from: Origin },
): Promise<StepAnswer> {
  const { kind } = emailFactor;
  if (triesAreUp(attempt, kind)) return { ok: false, reason: 'attempt-over' };
  if (attempt.state.emailPending === null) return { ok: false, reason: 'code-expired' };
  const person = personOf(account, attempt.state.newEmail ?? account.email);
  const answered = await confirmFactor(world, transaction, { kind, pending: attempt.state.emailPending, answer, person });
  if (!answered.ok) return refuse(world, transaction, { attempt, account, kind, answered, from });
  await record(world, transaction, { event: 'authn_factor_success', accountId: account.id, from, details: { kind, purpose: attempt.purpose } });
  return { ok: true, attempt: await saveAttempt(world, transaction, attempt, { emailShown: true, emailPending: null }) };
}

/** One try at showing the new method. */
export async function answerMethod(
  world: World,
  transaction: Transaction,
  { attempt, account, enrolled }: Situation,
  { answer, from }: { answer: string; from: Origin },
): Promise<StepAnswer> {
  const method = attempt.state.method!;
  const { kind } = method;
  if (triesAreUp(attempt, kind)) return { ok: false, reason: 'attempt-over' };
  const answered = await confirmFactor(world, transaction, { kind, pending: method.pending, answer, person: personOf(account) });
  if (!answered.ok) return refuse(world, transaction, { attempt, account, kind, answered, from, settingUp: true });
  const keyHeld = recoveryKeyAmong(enrolled) !== undefined;
  const next = await saveAttempt(world, transaction, attempt, {
    method: { ...method, state: answered.state },
    ...(keyHeld ? {} : { newKey: { madeAt: world.clock.now(), saved: false, kept: false } }),
  });
  return { ok: true, attempt: next };
}

/** This attempt looks at no more answers of this kind (EC-6, RK-5); the page leads to a new start, at the password where one signs in. */
export const triesAreUp = ({ state }: Attempt, kind: string): boolean => (state.tries[kind] ?? 0) >= (factorOf(kind).triesPerAttempt ?? Infinity);

const FAILURE_EVENTS = {
  'code-wrong': 'authn_factor_fail',
  'code-expired': 'authn_factor_fail',
  'code-used': 'authn_factor_replayed',
  'too-many-tries': 'authn_factor_throttled',
} as const;

async function refuse(
  world: World,
  transaction: Transaction,
  {
    attempt,
    account,
    kind,
    answered,
    from,
    settingUp = false,
  }: { attempt: Attempt; account: Account; kind: string; answered: Exclude<Answered, { ok: true }>; from: Origin; settingUp?: boolean },
): Promise<StepAnswer> {
  if (answered.reason === 'code-malformed') return answered;
  const event = FAILURE_EVENTS[answered.reason];
  await record(world, transaction, { event, accountId: account.id, from, details: { kind, purpose: attempt.purpose, reason: answered.reason } });
  if (answered.reason === 'too-many-tries') return answered;
  // What an app shows that is being set up is no secret to whoever sets it up: guessing at it ends nothing.
  if (settingUp && !factorOf(kind).challenge) return answered;
  const allowed = factorOf(kind).triesPerAttempt ?? Infinity;
  const tries = (attempt.state.tries[kind] ?? 0) + 1;
  // Where a pause begins this attempt ends, whoever failed before: after it, one starts again at the password (RK-5).
  const over = tries >= allowed || answered.failures >= FACTOR_GUESSES.free;
  await saveAttempt(world, transaction, attempt, { tries: { ...attempt.state.tries, [kind]: over ? Math.max(tries, allowed) : tries } });
  if (attempt.purpose === 'sign-in' && !settingUp && answered.failures === TELL_OWNER_AT)
    await tell(world, transaction, 'second-factor-failed', { account, from });
  return over ? { ok: false, reason: 'attempt-over' } : answered;
}

/**
 * The Recovery Key to keep. It is derived from the browser's own 256-bit token, the attempt and the installation's key, so that the page
 * survives a reload and a restart while neither the key nor anything that opens it without the browser is stored.
 */
export function keyToKeep(world: World, attempt: Attempt, browserToken: string): { key: string; madeAt: number } {
  const { madeAt } = attempt.state.newKey!;
  return { key: makeRecoveryKey(world.keys.hashBytes('recovery key making', browserToken, attempt.id, String(madeAt))), madeAt };
}

/** Remembers that the key was downloaded. */
export async function markKeySaved(world: World, transaction: Transaction, attempt: Attempt): Promise<Attempt> {
  return saveAttempt(world, transaction, attempt, { newKey: { ...attempt.state.newKey!, saved: true } });
}

/** The person says that the key is safe: by the download, or by ticking. */
export async function keepKey(
  world: World,
  transaction: Transaction,
  attempt: Attempt,
  ticked: boolean,
): Promise<{ ok: true; attempt: Attempt } | { ok: false; reason: 'key-not-saved' }> {
  const newKey = attempt.state.newKey!;
  if (!newKey.saved && !ticked) return { ok: false, reason: 'key-not-saved' };
  return { ok: true, attempt: await saveAttempt(world, transaction, attempt, { newKey: { ...newKey, kept: true } }) };
}

/**
 * Puts the kept key in the place of the account's present one, in one conditional write. False where the present one is not the one that this
 * attempt used: somebody else has used or replaced it since.
 */
export async function storeKeptKey(
  world: World,
  transaction: Transaction,
  { attempt, account, enrolled }: Situation,
  { browserToken, from }: { browserToken: string; from: Origin },
): Promise<boolean> {
  const { key } = keyToKeep(world, attempt, browserToken);
  const state = newRecoveryKeyState(toolsOf(world), account.id, key);
  const { kind, words } = recoveryFactor;
  const present = recoveryKeyAmong(enrolled);
  if (present) {
    if (attempt.state.usedRecoveryKey && !claimedBy(present.state, attempt.id)) return false;
    if (!(await replaceFactor(world, transaction, present, state))) return false;
  } else if ((await enrol(world, transaction, { accountId: account.id, kind, name: words.name, state })) === undefined) return false;
  await endTrust(transaction, account.id);
  await record(world, transaction, { event: 'authn_recovery_key_created', accountId: account.id, from, details: { purpose: attempt.purpose } });
  return true;
}

/** Enrols the method that was shown, with the Recovery Key that was kept; tells the owner. False where the account has changed meanwhile. */
export async function storeMethod(
  world: World,
  transaction: Transaction,
  situation: Situation,
  { browserToken, from }: { browserToken: string; from: Origin },
): Promise<boolean> {
  const { attempt, account, enrolled } = situation;
  const method = attempt.state.method!;
  const first = standing(enrolled).length === 0;
  if (!(await putInPlace(world, transaction, account.id, method))) return false;
  // A used Recovery Key has been replaced already, see finishSignIn.
  if (attempt.state.newKey?.kept && !attempt.state.usedRecoveryKey && !(await storeKeptKey(world, transaction, situation, { browserToken, from })))
    return false;
  await endTrust(transaction, account.id);
  const event = method.replaces === null ? 'authn_factor_added' : 'authn_factor_replaced';
  await record(world, transaction, { event, accountId: account.id, from, details: { kind: method.kind, name: method.name } });
  if (first) await record(world, transaction, { event: 'authn_two_factor_enabled', accountId: account.id, from });
  if (first && isReset(account)) await markMethodsReset(transaction, account.id, null);
  const notice: Notice = first ? 'two-factor-on' : method.replaces === null ? 'method-added' : 'method-replaced';
  await tell(world, transaction, notice, { account, from, subjectOf: describe(method) });
  return true;
}

async function putInPlace(world: World, transaction: Transaction, accountId: string, { kind, name, state, replaces }: Method): Promise<boolean> {
  // The old one serves until now, and goes in the same transaction in which the new one comes.
  if (replaces !== null && !(await removeFactor(transaction, accountId, replaces))) return false;
  return (await enrol(world, transaction, { accountId, kind, name, state })) !== undefined;
}

/**
 * What goes with another password that somebody chose for themselves, whichever way they came: whoever is in by the old one is out, or on the way out, and the owner is
 * told. `browserToken`: of the browser that stays known. `attempt` and `sessionId` stay.
 */
export async function replacePassword(
  world: World,
  transaction: Transaction,
  account: Account,
  {
    by,
    from,
    attempt,
    sessionId,
    ...set
  }: { passwordHash: string; browserToken?: string; by: 'owner' | 'reset'; from: Origin; attempt?: Attempt; sessionId?: string },
): Promise<void> {
  await changePassword(world, transaction, account.id, set);
  // Attempts first: one that ends in a session at this moment is waited for, and its session is seen.
  await endOtherAttempts(transaction, account.id, attempt);
  await endSessions(transaction, account.id, sessionId);
  await record(world, transaction, { event: 'authn_password_change', accountId: account.id, from, details: { by } });
  await tell(world, transaction, by === 'reset' ? 'password-reset' : 'password-changed', { account, from });
}

/** "Authenticator app (Ada's phone)" */
export function describe({ kind, name }: { kind: string; name: string }): string {
  const { words } = factorOf(kind);
  return name === '' || name === words.name ? words.name : `${words.name} (${name})`;
}

/** Tells the owner by mail, in the same transaction as what it tells of. `address`: where not to the account's own. */
export async function tell(
  world: World,
  transaction: Transaction,
  notice: Notice,
  { account, from, subjectOf, address = account.email }: { account: Account; from: Origin; subjectOf?: string; address?: string },
): Promise<void> {
  const { name: installationName, origin } = world.installation;
  const message = noticeMessage(notice, {
    to: { name: account.name, address },
    installationName,
    origin,
    asked: { userAgent: from.userAgent, address: from.address, at: world.clock.now() },
    ...(subjectOf === undefined ? {} : { subjectOf }),
  });
  await post(world, transaction, [message]);
}
