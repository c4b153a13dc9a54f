/**
 * Getting in: by signing up, by signing in with a password and whatever second factor the account or the policy asks for, and by a
 * forgotten password. What follows the password is an attempt (see attempts/); a session is opened in the transaction that ends it
 * and nowhere before. No answer here tells whether an account exists: unknown, wrong and paused look and cost the same (RL-7).
 */
import { checkPassword, isShortPassword, lockAccount, rememberBrowser, signUp as createAccount, type Account } from '../accounts/accounts.ts';
import * as attempts from '../attempts/attempts.ts';
import { failedTriesBefore, record, type Origin } from '../audit/audit.ts';
import { isFactor, onlySignedInAt, passingAmong, PROVIDER_SECOND_FACTOR, removeFactor } from '../factors/factors.ts';
import { findReset, resetIfDue } from '../lost-phone/lost-phone.ts';
import { findMember, findSuspending } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { redirect, type Answer, type Visit } from '../platform/http/visit.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { makeToken } from '../platform/secrets/tokens.ts';
import { momentOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { endSession, endSessions, openSession, TRUSTED_DEVICE, trustDevice, useTrust, type DeviceToken } from '../sessions/sessions.ts';
import { findConnectionFor, keepProviderSession, PROVIDER_REQUIRED, waitsToConnect, type Connection } from '../sso/sso.ts';

/** Who asks, from where: a visit is one. */
export interface Caller extends Origin {
  readonly browserToken: string;
}

export type Entered =
  /** All was shown that is asked for. */
  | { readonly kind: 'session'; readonly token: string; readonly sessionId: string; readonly accountId: string; readonly device?: DeviceToken | undefined }
  /** More is asked for: the token goes into the attempt cookie. */
  | { readonly kind: 'attempt'; readonly token: string };

export const SIGN_IN = 'sign-in';
/** The page of the step that an attempt to sign in is at is led to from here. */
export const NEXT = '/sign-in/verify';
/** Where an account is connected to what the provider said, by who is signed in to it. */
export const CONNECT_ADDRESS = '/account/connect';
/** Where a person lands who was not on the way to anywhere: their apps, or their account where there are none. */
export const HOME = '/';

/**
 * Makes an account that is not verified yet, enters it and sends the code that verifies it: all of that or none, so that who has to press again
 * makes no second account. The caller has checked the fields and hashed the password. `then`: where the person was going, a path of ours.
 */
export async function signUp(
  world: World,
  {
    email,
    name,
    passwordHash,
    language,
    then,
    caller,
  }: { email: { address: string; key: string }; name: string; passwordHash: string; language: string; then: string | null; caller: Caller },
): Promise<Entered> {
  return world.database.transaction(async (transaction) => {
    const account = await createAccount(world, transaction, { email, name, passwordHash, language, browserToken: caller.browserToken });
    await rememberBrowser(world, transaction, account.id, caller.browserToken);
    await record(world, transaction, { event: 'user_created', accountId: account.id, from: caller });
    const entered = await enter(world, transaction, { account, caller, state: { proofs: { password: world.clock.now() }, returnTo: verifyAddress(then) } });
    if (entered.kind === 'session') await beginVerifyingEmail(world, transaction, { ...entered, returnTo: then, caller });
    return entered;
  });
}

export type PasswordAnswer =
  | { readonly ok: true; readonly entered: Entered; readonly returnTo: string | null }
  | { readonly ok: false; readonly reason: 'wrong' }
  /** By the organisation of that name. */
  | { readonly ok: false; readonly reason: 'suspended'; readonly by: string }
  /** The password is right, and the organisation wants its people to come by this connection. */
  | { readonly ok: false; readonly reason: 'provider-required'; readonly connection: Connection }
  | { readonly ok: false; readonly reason: 'too-many-tries'; readonly retryAt: number };

/** The first step of signing in. `required`: the connection by which whoever has such an address comes; its owner alone has this way in, so that a broken provider locks nobody out for ever. */
export async function answerPassword(
  world: World,
  {
    email,
    password,
    returnTo,
    required,
    deviceToken,
    caller,
  }: {
    email: string;
    password: string;
    returnTo: string | null;
    /** The organisation wants its people to come by it. */ required: Connection | undefined;
    /** Of a browser that may be remembered. */ deviceToken: string | undefined;
    caller: Caller;
  },
): Promise<PasswordAnswer> {
  const checked = await checkPassword(world, { email, password, browserToken: caller.browserToken, address: caller.address });
  if (!checked.ok) {
    const event = checked.reason === 'wrong' ? 'authn_login_fail' : 'authn_login_throttled';
    await world.database.transaction((transaction) =>
      record(world, transaction, { event, accountId: checked.accountId, from: caller, details: { reason: checked.reason } }),
    );
    return checked.reason === 'wrong' ? { ok: false, reason: 'wrong' } : { ok: false, reason: 'too-many-tries', retryAt: checked.retryAt };
  }
  return world.database.transaction(async (transaction): Promise<PasswordAnswer> => {
    const account = await lockAccount(transaction, checked.account.id);
    // Hashing takes its time. What was right when it began is wrong if the password was changed meanwhile.
    if (account?.passwordChangedAt !== checked.account.passwordChangedAt) {
      await record(world, transaction, { event: 'authn_login_fail', accountId: account?.id ?? null, from: caller, details: { reason: 'wrong' } });
      return { ok: false, reason: 'wrong' };
    }
    // Only who knows the password learns of it.
    const by = await findSuspending(transaction, account.id);
    if (by !== undefined) {
      await record(world, transaction, { event: 'authn_login_fail', accountId: account.id, from: caller, details: { reason: 'suspended' } });
      return { ok: false, reason: 'suspended', by };
    }
    if (required && !(await isOwnerOf(transaction, required, account))) {
      await record(world, transaction, { event: 'authn_login_fail', accountId: account.id, from: caller, details: { reason: 'provider-required' } });
      return { ok: false, reason: 'provider-required', connection: required };
    }
    const state = { proofs: { password: world.clock.now() }, returnTo, insists: required !== undefined, shortPassword: isShortPassword(password) };
    return { ok: true, entered: await enter(world, transaction, { account, caller, state, deviceToken }), returnTo };
  });
}

/** After the first factor: an attempt, and a session at once where nothing else is asked for. */
export async function enter(
  world: World,
  transaction: Transaction,
  {
    account,
    caller,
    state,
    deviceToken,
  }: {
    account: Account;
    caller: Caller;
    state: Pick<attempts.AttemptState, 'proofs' | 'returnTo'> & Partial<attempts.AttemptState>;
    deviceToken?: string | undefined;
  },
): Promise<Entered> {
  // Its time may have come a moment ago: whatever is asked for below is asked of the account as it is then.
  await resetIfDue(world, transaction, account.id);
  const token = makeToken(world);
  const attempt = await attempts.beginAttempt(world, transaction, {
    holder: { attemptToken: token },
    purpose: SIGN_IN,
    accountId: account.id,
    state,
  });
  const situation = await attempts.situationOf(world, { queries: transaction, attempt, browserToken: caller.browserToken, sessionProofs: {} });
  if (!situation) throw new Error('The account of a sign-in has gone.');
  if (situation.step === 'done') return { kind: 'session', accountId: account.id, ...(await finishSignIn(world, transaction, situation, caller)) };
  // Where a second factor is insisted on, it is shown.
  const remembered =
    deviceToken === undefined || state.insists === true ? undefined : await enterRemembered(world, transaction, { situation, caller, deviceToken });
  if (remembered) return remembered;
  const [strongest] = attempts.choices(situation);
  if (situation.step === 'second-factor' && strongest !== undefined) await attempts.ask(world, transaction, situation, { kind: strongest, from: caller });
  return { kind: 'attempt', token };
}

/** Where this browser is remembered, and nothing else is asked for than the second factor. Undefined where it is shown as always. */
async function enterRemembered(
  world: World,
  transaction: Transaction,
  {
    situation: { attempt, account, enrolled, step, verdict, policy },
    caller,
    deviceToken: token,
  }: { situation: attempts.Situation; caller: Caller; deviceToken: string },
): Promise<Entered | undefined> {
  if (step !== 'second-factor' || verdict.kind !== 'passes') return undefined;
  // A remembered browser changes nothing, and the password has to be changed.
  if (attempts.owesLongerPassword(world, attempt.state, policy.demand)) return undefined;
  // Whoever waits for help is asked: a bypass code would be used up by the way in, and a reset is stopped by who shows what it takes away.
  if (passingAmong(enrolled).length > 0 || (await findReset(transaction, account.id))) return undefined;
  const { browserToken } = caller;
  const used = await useTrust(world, transaction, { accountId: account.id, token, browserToken, from: caller, demand: policy.demand });
  if (used.kind === 'copied') await attempts.tell(world, transaction, 'device-copied', { account, from: caller });
  if (used.kind !== 'trusted') return undefined;
  const { device } = used;
  const proofs = { ...attempt.state.proofs, [TRUSTED_DEVICE]: used.shownAt };
  const spared = await attempts.saveAttempt(world, transaction, attempt, { proofs });
  const situation = await attempts.situationOf(world, { queries: transaction, attempt: spared, browserToken, sessionProofs: {} });
  if (situation?.step !== 'done') throw new Error('A remembered browser is asked for more than a second factor.');
  return { kind: 'session', accountId: account.id, ...(await finishSignIn(world, transaction, situation, caller)), device };
}

/** The last step: what was set up or replaced on the way is stored, the attempt ends and the session opens, or none of it. */
export async function finishSignIn(
  world: World,
  transaction: Transaction,
  situation: attempts.Situation,
  caller: Caller,
): Promise<{
  token: string;
  sessionId: string;
  /** A method was set up on the way. */ setUp: boolean;
  /** This browser is remembered. */ device?: DeviceToken | undefined;
}> {
  const { attempt, account } = situation;
  const { state } = attempt;
  if (state.usedRecoveryKey && !(await attempts.storeKeptKey(world, transaction, situation, { browserToken: caller.browserToken, from: caller })))
    throw attempts.changedMeanwhile();
  await attempts.endAttempt(transaction, attempt);
  // Only where nothing stands yet that counts. If the account came to be protected in another window meanwhile, the second factor was asked for, and what was begun here counts for nothing.
  const method = attempts.methodToStore(attempt, situation.policy.demand);
  const setUp = method !== null && method.state !== null && situation.verdict.kind !== 'passes';
  if (setUp) {
    if (!(await attempts.storeMethod(world, transaction, situation, { browserToken: caller.browserToken, from: caller }))) throw attempts.changedMeanwhile();
    await attempts.endOtherAttempts(transaction, account.id);
    await endSessions(transaction, account.id);
  }
  // A bypass code is used up by this, or was not needed: whoever signs in otherwise has not lost what they have.
  for (const { id } of passingAmong(situation.enrolled)) await removeFactor(transaction, account.id, id);
  const isNewBrowser = !situation.browserKnown;
  if (!isNewBrowser || vouchesForBrowser(attempt)) await rememberBrowser(world, transaction, account.id, caller.browserToken);
  // A method that was set up here was shown here: it is part of what this session has proved.
  const proofs = setUp ? { ...state.proofs, [method.kind]: world.clock.now() } : state.proofs;
  const failedTries = await failedTriesBefore(transaction, { accountId: account.id, from: caller, since: attempt.createdAt });
  const { demand } = situation.policy;
  const endsAt = state.provider?.endsAt ?? null;
  const opened = await openSession(world, transaction, { accountId: account.id, proofs, browser: caller, demand, failedTries, endsAt });
  const ended = await whyEnded(world, transaction, { attempt, account, sessionId: opened.sessionId, browserToken: caller.browserToken });
  const methods = Object.keys(proofs).join(' ');
  await record(world, transaction, { event: 'authn_login_success', accountId: account.id, from: caller, details: { methods } });
  if (isNewBrowser) await record(world, transaction, { event: 'authn_login_new_browser', accountId: account.id, from: caller });
  await record(world, transaction, { event: 'session_created', accountId: account.id, from: caller });
  if (ended !== undefined) {
    await endSession(transaction, opened.sessionId);
    await record(world, transaction, { event: 'session_ended', accountId: account.id, from: caller, details: { reason: ended } });
  }
  return { ...opened, setUp, device: state.remembersDevice ? await remember(world, transaction, situation, caller) : undefined };
}

/** Why the session does not stand: what has come about since the first factor was shown. */
async function whyEnded(
  world: World,
  transaction: Transaction,
  { attempt: { state, createdAt }, account, sessionId, browserToken }: { attempt: attempts.Attempt; account: Account; sessionId: string; browserToken: string },
): Promise<string | undefined> {
  if (state.provider !== null)
    return (await keepProviderSession(world, transaction, { sessionId, since: createdAt, at: state.provider })) ? undefined : 'ended by the identity provider';
  if (state.insists || account.emailVerifiedAt === null) return undefined;
  const connection = await findConnectionFor(world, transaction, parseEmailAddress(account.email)!.key);
  const required = await requiredOf(world, transaction, connection, { then: state.returnTo ?? '', browserToken });
  return required && !(await isOwnerOf(transaction, required, account)) ? PROVIDER_REQUIRED : undefined;
}

/**
 * The connection of an address where it comes in by that alone, but for its organisation's owner. Whoever was at the provider a moment ago, and connects an account to what it said,
 * shows that account by its password. `then`: where they are going.
 */
export async function requiredOf(
  world: World,
  queries: Queries,
  connection: Connection | undefined,
  { then, browserToken }: { then: string; browserToken: string },
): Promise<Connection | undefined> {
  if (!connection?.required) return undefined;
  const [, token = ''] = /\?with=([\w-]{43})$/.exec(then) ?? [];
  const connects = then.startsWith(`${CONNECT_ADDRESS}?`) && (await waitsToConnect(world, queries, { token, connectionId: connection.id, browserToken }));
  return connects ? undefined : connection;
}

const isOwnerOf = async (queries: Queries, { organisationId }: Connection, { id }: Account): Promise<boolean> =>
  (await findMember(queries, organisationId, id))?.role === 'owner';

/** The box was ticked, and no policy has come to say no since. The owner is told (TD-4). */
async function remember(
  world: World,
  transaction: Transaction,
  { account, policy: { demand } }: attempts.Situation,
  caller: Caller,
): Promise<DeviceToken | undefined> {
  if (demand.trustFor === 0) return undefined;
  const device = await trustDevice(world, transaction, { accountId: account.id, browser: caller, from: caller, demand });
  await attempts.tell(world, transaction, 'device-trusted', { account, from: caller, subjectOf: momentOf(device.expiresAt) });
  return device;
}

/**
 * Whether a browser becomes a known one by this, and so is trusted with more. Not by what an administrator was talked out of; nor by a password alone
 * behind which a set-up was put off: whoever stole it would come back to the set-up without being asked for the mailbox (AD-8).
 */
function vouchesForBrowser({ state: { proofs, postponed, emailShown } }: attempts.Attempt): boolean {
  if (onlySignedInAt(proofs) !== undefined) return false;
  return !postponed || emailShown || proofs[PROVIDER_SECOND_FACTOR] !== undefined || Object.keys(proofs).some(isFactor);
}

/** Gives up an attempt to sign in: "Not you?". */
export async function leaveSignIn(world: World, attemptToken: string): Promise<void> {
  await world.database.transaction(async (transaction) => {
    const attempt = await attempts.findAttempt(world, transaction, { attemptToken }, SIGN_IN);
    if (attempt) await attempts.endAttempt(transaction, attempt);
  });
}

/** Begins to verify the account's address, and sends the code. */
export async function startVerifyingEmail(
  world: World,
  { sessionId, accountId, returnTo, caller }: { sessionId: string; accountId: string; returnTo: string | null; caller: Caller },
): Promise<attempts.Sent> {
  return world.database.transaction((transaction) => beginVerifyingEmail(world, transaction, { sessionId, accountId, returnTo, caller }));
}

/** Where the address is verified, on the way to somewhere or to nowhere. */
export const verifyAddress = (then: string | null): string => (then === null ? '/verify-email' : `/verify-email?then=${encodeURIComponent(then)}`);

async function beginVerifyingEmail(
  world: World,
  transaction: Transaction,
  { sessionId, accountId, returnTo, caller }: { sessionId: string; accountId: string; returnTo: string | null; caller: Caller },
): Promise<attempts.Sent> {
  const attempt = await attempts.beginAttempt(world, transaction, { holder: { sessionId }, purpose: 'verify-email', accountId, state: { returnTo } });
  const situation = await attempts.situationOf(world, { queries: transaction, attempt, browserToken: caller.browserToken, sessionProofs: {} });
  if (!situation) throw attempts.changedMeanwhile();
  return attempts.sendEmailCode(world, transaction, situation, caller);
}

/** Puts the cookie of what was entered into the browser; the cookie of the step before goes (SE-2). */
export function enterBrowser(
  visit: Visit,
  entered: { readonly kind: 'session' | 'attempt'; readonly token: string; readonly device?: DeviceToken | undefined },
  { next, home }: { next: string; home: string },
): Answer {
  if (entered.kind === 'attempt') {
    visit.setCookie('attempt', entered.token);
    // The page of any step leads to the step that the attempt is at.
    return redirect(next);
  }
  visit.clearCookie('attempt');
  visit.setCookie('session', entered.token);
  const { device } = entered;
  if (device) visit.setCookie('device', device.token, device);
  return redirect(home);
}
