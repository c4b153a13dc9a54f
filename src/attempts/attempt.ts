// What an attempt is, where it is kept, and what its next step is decided from. The door is attempts.ts.
import type { Origin } from '../audit/audit.ts';
import type { Account } from '../accounts/accounts.ts';
import { minutes } from '../platform/durations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { Problem } from '../platform/problem.ts';
import { makeId } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import {
  listFactors,
  onlySignedInAt,
  PROVIDER_SECOND_FACTOR,
  recoveryKeyAmong,
  standing,
  factorOf,
  type EnrolledFactor,
  type Occasion,
  type Person,
} from '../factors/factors.ts';
import { enforcesRealSecondFactor, METHODS, methodsOpenTo, verdictOf, type Asked, type Demand, type Verdict } from '../policy/policy.ts';
import { TRUSTED_DEVICE, type Proofs } from '../sessions/sessions.ts';
import type { ByProvider } from '../sso/sso.ts';
import { missingProofs } from './fresh-proof.ts';
import { nextStep, type Facts, type Purpose, type Step } from './next-step.ts';
import { progressAt, type Progress } from './progress.ts';
import * as store from './store.ts';

export const ATTEMPT_LIFETIME = minutes(30);

/** Whoever can present it goes on with the attempt. */
export type Holder = { readonly attemptToken: string } | { readonly sessionId: string };

export interface Attempt {
  readonly id: string;
  readonly purpose: Purpose;
  readonly accountId: string;
  readonly sessionId: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly version: number;
  readonly state: AttemptState;
}

export interface AttemptState {
  /** What was shown in this attempt: first factors ('password', 'sso') and kinds of factors, with when. */
  readonly proofs: Proofs;
  /** A code that was sent to the address was shown. */
  readonly emailShown: boolean;
  /** Tries spent in this attempt, by kind. A new code does not reset them (EC-5). */
  readonly tries: Readonly<Record<string, number>>;
  /** The factor that is being asked for. */
  readonly asking: string | null;
  /** What each factor remembers of its challenge. */
  readonly challenges: Readonly<Record<string, unknown>>;
  /** When a code was last sent in this attempt. */
  readonly sentAt: number | null;
  /** Where the last one could not be sent because many went to that address before: when one can be. */
  readonly sendableAt: number | null;
  /** A code to the account's address that is no sign-in factor but part of the printed steps. */
  readonly emailPending: unknown;
  readonly method: Method | null;
  readonly usedRecoveryKey: boolean;
  /** The box was ticked beside a second factor that was right: this browser is to be remembered. */
  readonly remembersDevice: boolean;
  readonly newKey: NewKey | null;
  /** "Not now": what the policy asks for is set up another time. */
  readonly postponed: boolean;
  /** The password that it began with is shorter than one has to be where no real second factor is enforced. */
  readonly shortPassword: boolean;
  /** For 'change-email': the address to prove. */
  readonly newEmail: string | null;
  /** How old a proof may be for 'confirm', in milliseconds, where that is less than the policies say. */
  readonly freshFor: number | null;
  /** Where to go when done; a path of ours. */
  readonly returnTo: string | null;
  /** By which identity provider it began; null where by a password of ours. */
  readonly provider: ByProvider | null;
  /** A second factor is asked for whatever the policies do, and one is set up where there is none: where a password serves in a provider's place. */
  readonly insists: boolean;
}

export interface Method {
  readonly kind: string;
  readonly name: string;
  /** The factor that this one replaces once it has been shown. */
  readonly replaces: string | null;
  /** What the factor remembers between `begin` and `confirm`; null before `begin`. */
  readonly pending: unknown;
  /** What to enrol; null before it was shown. */
  readonly state: unknown;
}

/** The key itself is not stored: it is made again from this and the browser's own token, see steps.ts. */
export interface NewKey {
  readonly madeAt: number;
  /** It was downloaded. */
  readonly saved: boolean;
  readonly kept: boolean;
}

const EMPTY: AttemptState = {
  proofs: {},
  emailShown: false,
  tries: {},
  asking: null,
  challenges: {},
  sentAt: null,
  sendableAt: null,
  emailPending: null,
  method: null,
  usedRecoveryKey: false,
  remembersDevice: false,
  newKey: null,
  postponed: false,
  shortPassword: false,
  newEmail: null,
  freshFor: null,
  returnTo: null,
  provider: null,
  insists: false,
};

export async function beginAttempt(
  world: World,
  transaction: Transaction,
  { holder, purpose, accountId, state }: { holder: Holder; purpose: Purpose; accountId: string; state: Partial<AttemptState> },
): Promise<Attempt> {
  const now = world.clock.now();
  const attempt: Attempt = {
    id: makeId(world),
    purpose,
    accountId,
    sessionId: 'sessionId' in holder ? holder.sessionId : null,
    createdAt: now,
    expiresAt: now + ATTEMPT_LIFETIME,
    version: 1,
    state: { ...EMPTY, ...state },
  };
  await store.putAttempt(transaction, {
    id: attempt.id,
    holder_hash: holderHash(world, holder),
    purpose,
    account_id: accountId,
    session_id: attempt.sessionId,
    state: sealState(world, attempt.id, attempt.state),
    version: attempt.version,
    created_at: now,
    expires_at: attempt.expiresAt,
  });
  return attempt;
}

/** The live attempt of this holder, or undefined: never begun, ended and expired look the same. */
export async function findAttempt(world: World, queries: Queries, holder: Holder, purpose: Purpose): Promise<Attempt | undefined> {
  const row = await store.selectAttempt(queries, holderHash(world, holder), purpose);
  if (!row || world.clock.now() >= row.expires_at) return undefined;
  return {
    id: row.id,
    purpose,
    accountId: row.account_id,
    sessionId: row.session_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    version: row.version,
    state: { ...EMPTY, ...(JSON.parse(world.keys.open(['attempts', row.id, 'state'], row.state)) as AttemptState) },
  };
}

/** Whose attempt it is, live or not. */
export async function findAccountOf(world: World, queries: Queries, holder: Holder, purpose: Purpose): Promise<string | undefined> {
  return (await store.selectAttempt(queries, holderHash(world, holder), purpose))?.account_id;
}

/** Throws a conflict where another request was faster: what that one did stands, and the page shows it on reload. */
export async function saveAttempt(world: World, transaction: Transaction, attempt: Attempt, change: Partial<AttemptState>): Promise<Attempt> {
  const state = { ...attempt.state, ...change };
  const saved = await store.updateAttempt(transaction, { id: attempt.id, version: attempt.version, state: sealState(world, attempt.id, state) });
  if (!saved) throw overtaken();
  return { ...attempt, state, version: attempt.version + 1 };
}

/** Ends it; throws a conflict where another request ended it or went on with it first. */
export async function endAttempt(transaction: Transaction, attempt: Attempt): Promise<void> {
  if (!(await store.deleteAttempt(transaction, attempt))) throw overtaken();
}

/** All attempts of an account but this one: what they were about has changed. */
export async function endOtherAttempts(transaction: Transaction, accountId: string, except?: Attempt): Promise<void> {
  await store.deleteAttempts(transaction, accountId, except?.id);
}

export const endEveryAttempt = store.deleteEveryAttempt;

export async function sweepAttempts({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'attempts', key: 'id', column: 'expires_at', before: clock.now() })];
}

const overtaken = (): Problem =>
  new Problem('conflict', 'Another window or click went on with this step at the same moment. Reload the page to see where you are.');

/** The account is not as it was when the attempt began: what it was about to do is refused, and nothing is changed. */
export const changedMeanwhile = (): Problem =>
  new Problem('conflict', 'Your account was changed in another window in the meantime, so nothing was changed here. Please start again.');

/** What the steps of an attempt are decided and shown from. */
export interface Situation {
  readonly attempt: Attempt;
  readonly account: Account;
  readonly enrolled: readonly EnrolledFactor[];
  readonly policy: Asked;
  /** What the policies ask of the account beside what it has. */
  readonly verdict: Verdict;
  /** The account was entered to the end in this browser before. */
  readonly browserKnown: boolean;
  readonly step: Step;
}

export interface Surroundings {
  readonly account: Account;
  readonly policy: Asked;
  readonly browserKnown: boolean;
  /** The session's proofs, for 'confirm'. */
  readonly sessionProofs: Proofs;
}

/** For the bar of steps above the heading. */
export function progressOf({ attempt: { purpose, state }, enrolled, step }: Situation): Progress | undefined {
  const { method } = state;
  return progressAt(step, {
    purpose,
    methodIsExplained: method !== null && (purpose === 'sign-in' || factorOf(method.kind).most > 1),
    mailIsAskedFirst: step === 'email-code' || state.emailShown,
    keyIsKept: recoveryKeyAmong(enrolled) === undefined,
    methodIsChosen: method !== null,
  });
}

/** Reads what an account holds, unless that is handed in, and says which step the attempt is at. */
export async function readSituation(
  world: World,
  queries: Queries,
  attempt: Attempt,
  { enrolled: known, ...surroundings }: Surroundings & { enrolled?: readonly EnrolledFactor[] | undefined },
): Promise<Situation> {
  const enrolled = known ?? (await listFactors(world, queries, attempt.accountId));
  const { account, policy, browserKnown } = surroundings;
  const verdict = verdictOn(account, { enrolled, state: attempt.state, demand: policy.demand });
  return { attempt, account, enrolled, policy, verdict, browserKnown, step: nextStep(factsOf(world, attempt, { enrolled, verdict, ...surroundings })) };
}

/** What the policies ask of an account beside what it has. `state`: of the attempt that somebody is on; left out where nobody is. */
export function verdictOn(
  account: Account,
  { enrolled, state, demand }: { enrolled: readonly EnrolledFactor[]; state?: AttemptState; demand: Demand },
): Verdict {
  const held = standing(enrolled).map((one) => one.kind);
  const provedElsewhere = state?.proofs[PROVIDER_SECOND_FACTOR] !== undefined;
  return verdictOf(demandOn(account, state, demand), { held, emailVerified: account.emailVerifiedAt !== null, provedElsewhere }, METHODS);
}

/** After a reset a method is set up at once, whatever the policies ask of others: with nothing but a password the account would be worth less than before. */
function demandOn(account: Account, state: Pick<AttemptState, 'insists'> | undefined, demand: Demand): Demand {
  const asks = (isReset(account) && demand.twoFactor !== 'off') || state?.insists === true;
  return asks ? { ...demand, dueAt: 0, mailFirst: true } : demand;
}

export const isReset = ({ methodsResetAt }: Account): boolean => typeof methodsResetAt === 'number';

function factsOf(
  world: World,
  { purpose, state }: Attempt,
  { enrolled, verdict, ...surroundings }: Surroundings & { enrolled: readonly EnrolledFactor[]; verdict: Verdict },
): Facts {
  const demand = demandOn(surroundings.account, state, surroundings.policy.demand);
  const method = methodToStore({ purpose, state }, demand);
  const now = world.clock.now();
  const proofs = { ...surroundings.sessionProofs, ...state.proofs };
  return {
    purpose,
    missing:
      purpose === 'confirm'
        ? missingProofs({
            held: heldOf(enrolled),
            proofs: { ...proofs, ...asOf(now, state.proofs) },
            now,
            freshFor: Math.min(state.freshFor ?? Infinity, demand.proofFreshFor),
          })
        : [],
    protected: standing(enrolled).length > 0,
    mailboxSuffices: standing(enrolled).some((one) => factorOf(one.kind).provesEmail),
    secondFactorShown: state.proofs[PROVIDER_SECOND_FACTOR] !== undefined || enrolled.some((one) => state.proofs[one.kind] !== undefined),
    deviceTrusted: state.proofs[TRUSTED_DEVICE] !== undefined,
    recoveryKeyUsed: state.usedRecoveryKey,
    recoveryKeyHeld: recoveryKeyAmong(enrolled) !== undefined,
    onlySignedIn: onlySignedInAt(proofs) !== undefined,
    newKeyKept: state.newKey?.kept === true,
    lacking: verdict.kind === 'passes' ? 'nothing' : now < verdict.by ? 'set-up-later' : 'set-up-now',
    postponed: state.postponed,
    passwordTooShort: owesLongerPassword(world, state, surroundings.policy.demand) && isFullyProved({ enrolled, state, now }),
    mailFirst: demand.mailFirst,
    emailVerified: surroundings.account.emailVerifiedAt !== null,
    browserKnown: surroundings.browserKnown,
    emailShown: state.emailShown,
    method: method === null ? 'none' : method.state !== null ? 'shown' : method.pending !== null ? 'begun' : 'chosen',
    methodProvesEmail: method !== null && factorOf(method.kind).provesEmail,
  };
}

/** PW-1: eight characters were enough while the policies enforced a real second factor, and they do not now. */
export const owesLongerPassword = (world: World, { shortPassword }: Pick<AttemptState, 'shortPassword'>, demand: Demand): boolean =>
  shortPassword && !enforcesRealSecondFactor(world, demand);

/** Whether an attempt to sign in has shown all that a change asks for (FC-2). A weaker factor, a remembered browser or a bypass code only signs in. */
function isFullyProved({ enrolled, state, now }: { enrolled: readonly EnrolledFactor[]; state: AttemptState; now: number }): boolean {
  return missingProofs({ held: heldOf(enrolled), proofs: asOf(now, state.proofs), now }).length === 0;
}

/** What was shown in an attempt does not go stale in it, or whoever waits long for a code would never come to its end. When it was shown is kept for afterwards. */
const asOf = (now: number, proofs: Proofs): Proofs => Object.fromEntries(Object.keys(proofs).map((kind) => [kind, now]));

/** What is being set up. Signing in, one that has come to count no more is as if none had been chosen: the next is. */
export function methodToStore({ purpose, state: { method } }: Pick<Attempt, 'purpose' | 'state'>, { notCounting }: Demand): Method | null {
  return method !== null && purpose === 'sign-in' && notCounting.includes(method.kind) ? null : method;
}

/** The kinds that somebody may set up, the strongest first. */
export const methodsToSetUp = (account: Account, demand: Demand): string[] =>
  methodsOpenTo(demand.notCounting, { emailVerified: account.emailVerifiedAt !== null }, METHODS);

/** What is the account's own: not what only signs in. */
export function heldOf(enrolled: readonly EnrolledFactor[]): { kind: string; strength: number; stands: boolean }[] {
  const own = enrolled.filter(({ kind }) => factorOf(kind).signsInOnly === undefined);
  return own.map(({ kind }) => ({ kind, strength: factorOf(kind).strength, stands: factorOf(kind).stands }));
}

/** A name is what its owner says it is, and goes to no address that may be a stranger's: it could say anything there, in our name. */
export function personOf(account: Account, email = account.email): Person {
  return { accountId: account.id, name: isProved(account, email) ? account.name : '', email, language: account.language };
}

/** Whether whoever has the account has shown that they read this mailbox. */
export const isProved = (account: Account, address: string): boolean => account.emailVerifiedAt !== null && address === account.email;

export function occasionOf(attempt: Attempt, from: Origin): Occasion {
  return { attemptId: attempt.id, purpose: attempt.purpose, reason: REASONS[attempt.purpose], userAgent: from.userAgent, address: from.address };
}

/** Completes "You need this code …" in a mail. */
const REASONS: Record<Purpose, string> = {
  'sign-in': 'to sign in',
  confirm: 'to confirm that it is you',
  'verify-email': 'to verify your email address',
  enrol: 'to turn on two-factor authentication',
  disable: 'to turn off two-factor authentication',
  'new-recovery-key': 'to create a new Recovery Key',
  'change-email': 'to use this address for your account',
  'reset-password': 'to choose a new password',
};

function holderHash(world: World, holder: Holder): string {
  return 'sessionId' in holder
    ? world.keys.hash('attempt token', 'session', holder.sessionId)
    : world.keys.hash('attempt token', 'cookie', holder.attemptToken);
}

function sealState(world: World, attemptId: string, state: AttemptState): Uint8Array {
  return world.keys.seal(['attempts', attemptId, 'state'], JSON.stringify(state));
}
