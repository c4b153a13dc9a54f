/**
 * What Security Policies ask of one person. The one place that decides it: signing in, every request of a session and the preview of a policy that nobody
 * has saved yet all ask here, so that the preview can't say anything else than what happens. Pure: everything that matters is in the arguments.
 */
import type { Role } from '../organisations/organisations.ts';
import { days, hours, minutes } from '../platform/durations.ts';

export const TWO_FACTOR_POLICIES = ['off', 'optional', 'required'] as const;
/** Off: no method can be added; what people have is still asked for. */
export type TwoFactorPolicy = (typeof TWO_FACTOR_POLICIES)[number];

/** Who is asked first, before everybody is. */
export type RollOut =
  | { readonly kind: 'everybody' }
  /** As many of a hundred, always the same ones; a greater share has all of a smaller one in it. */
  | { readonly kind: 'share'; readonly percent: number }
  | { readonly kind: 'people'; readonly accountIds: readonly string[] };

/** A Security Policy, as administrators write it. */
export interface Rules {
  readonly twoFactor: TwoFactorPolicy;
  /** Of whom two-factor authentication is required; to others it is open. */
  readonly roles: readonly Role[];
  /** From when on it is required, in epoch milliseconds; null: at once. */
  readonly from: number | null;
  /** How many days somebody has who joins. */
  readonly graceDays: number;
  readonly rollOut: RollOut;
  /** Kinds of methods that don't count. New kinds count, until somebody says otherwise. */
  readonly notCounting: readonly string[];
  /** Whether a set-up in a browser that is new to the account asks for an emailed code first (AD-8). */
  readonly mailFirst: boolean;
  /** null: as long as the assurance level allows, see sessions/session-limits.ts. */
  readonly sessionIdleMinutes: number | null;
  readonly sessionHours: number | null;
  /** How fresh a proof must be for changes (FC-1): at most PROOF_MINUTES_MOST. */
  readonly proofMinutes: number;
  /** For how long a browser may be remembered, in which a second factor was shown (TD-3): at most TRUSTED_DAYS_MOST; 0: never. */
  readonly trustedDeviceDays: number;
  /** Domains whose addresses may join; empty: all. */
  readonly emailDomains: readonly string[];
  /** Whether a second administrator has to agree before somebody's methods are reset, and how long it waits then. */
  readonly resetNeedsApproval: boolean;
  readonly resetWaitHours: number;
}

/** A policy may ask for a fresher proof than FC-1 does, and never for less; nor for one that is stale before the code of it has come by mail. */
export const PROOF_MINUTES_MOST = 10;
export const PROOF_MINUTES_LEAST = 5;
export const TRUSTED_DAYS_MOST = 30;

export const DEFAULT_RULES: Rules = {
  twoFactor: 'optional',
  roles: ['owner', 'admin', 'auditor', 'member'],
  from: null,
  graceDays: 0,
  rollOut: { kind: 'everybody' },
  notCounting: [],
  mailFirst: true,
  sessionIdleMinutes: null,
  sessionHours: null,
  proofMinutes: PROOF_MINUTES_MOST,
  trustedDeviceDays: 0,
  emailDomains: [],
  resetNeedsApproval: false,
  resetWaitHours: 24,
};

/** Whether somebody's methods can be reset sooner, or by fewer people, than before. */
export const loosensResets = (before: Rules, after: Rules): boolean =>
  after.resetWaitHours < before.resetWaitHours || (before.resetNeedsApproval && !after.resetNeedsApproval);

/** A policy, and somebody's place under it. */
export interface Place {
  readonly rules: Rules;
  readonly accountId: string;
  readonly role: Role;
  readonly joinedAt: number;
  /** Fixed once, and for ever: nobody gets more time by signing in again, by another role, or by a policy that is switched off and on. */
  readonly deadlineAt: number | null;
  /** When the policy last came to ask for more, see stricter.ts; 0 where it never did. */
  readonly tightenedAt: number;
}

/** What all of somebody's policies ask together. */
export interface Demand {
  readonly twoFactor: TwoFactorPolicy;
  /** By when something has to be set up that counts, in epoch milliseconds; null where nothing has to. */
  readonly dueAt: number | null;
  readonly notCounting: readonly string[];
  readonly mailFirst: boolean;
  /** In milliseconds; Infinity where no policy says it. */
  readonly sessionIdle: number;
  readonly sessionAbsolute: number;
  /** In milliseconds. */
  readonly proofFreshFor: number;
  /** How long a second factor that was shown in a browser spares the next, in milliseconds; 0: not at all. */
  readonly trustFor: number;
  /** What was shown at this moment or before spares nothing: since then more may be asked. In epoch milliseconds. */
  readonly trustSince: number;
}

/** A method that somebody can have, the strongest first. */
export interface Method {
  readonly kind: string;
  readonly provesEmail: boolean;
}

/** The strictest of somebody's policies in everything. `methods`: all that there are. */
export function demandOf(places: readonly Place[], methods: readonly Method[]): Demand {
  const asking = places.filter(isAsked);
  const rules = places.map((place) => place.rules);
  const forbidden = new Set(rules.flatMap((one) => one.notCounting));
  // Two policies that forbid all between them must not lock out who is under both: the strongest always counts.
  const notCounting = methods
    .map(({ kind }) => kind)
    .filter((kind, index) => forbidden.has(kind) && (index > 0 || methods.some((one) => !forbidden.has(one.kind))));
  const strictest = asking.length > 0 ? 'required' : rules.every((one) => one.twoFactor === 'off') ? 'off' : 'optional';
  return {
    twoFactor: strictest,
    dueAt: asking.length > 0 ? Math.min(...asking.map(dueAt)) : null,
    notCounting,
    mailFirst: rules.some((one) => one.mailFirst),
    sessionIdle: Math.min(...rules.map((one) => (one.sessionIdleMinutes === null ? Infinity : minutes(one.sessionIdleMinutes)))),
    sessionAbsolute: Math.min(...rules.map((one) => (one.sessionHours === null ? Infinity : hours(one.sessionHours)))),
    proofFreshFor: minutes(Math.min(PROOF_MINUTES_MOST, ...rules.map((one) => one.proofMinutes))),
    trustFor: rules.length === 0 ? 0 : days(Math.min(TRUSTED_DAYS_MOST, ...rules.map((one) => one.trustedDeviceDays))),
    // Whoever joins comes under one more policy.
    trustSince: Math.max(0, ...places.map(({ tightenedAt, joinedAt }) => Math.max(tightenedAt, joinedAt))),
  };
}

/** Whether this policy requires two-factor authentication of this person, now or later. */
export function isAsked({ rules: { twoFactor, roles, rollOut }, role, accountId }: Place): boolean {
  if (twoFactor !== 'required' || !roles.includes(role)) return false;
  switch (rollOut.kind) {
    case 'everybody':
      return true;
    case 'share':
      return hundredthOf(accountId) < rollOut.percent;
    case 'people':
      return rollOut.accountIds.includes(accountId);
  }
}

/** By when, of who is asked. */
export function dueAt({ rules: { from, graceDays }, joinedAt, deadlineAt }: Place): number {
  return deadlineAt ?? Math.max(from ?? 0, joinedAt + days(graceDays));
}

/** 0 to 99, always the same for an account (FNV-1a, 32 bits). */
function hundredthOf(accountId: string): number {
  let hash = 0x811c9dc5;
  for (const character of accountId) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  return (hash >>> 0) % 100;
}

export type Verdict =
  /** Nothing more is asked than what the account has. */
  | { readonly kind: 'passes' }
  /** Sees the set-up screen; from `by` on there is no way past it. */
  | { readonly kind: 'sets-up'; readonly by: number }
  /** The same, with nothing on it that they could set up. */
  | { readonly kind: 'locked-out'; readonly by: number };

export interface Holder {
  /** The kinds of what the account has. */
  readonly held: readonly string[];
  readonly emailVerified: boolean;
  /** An identity provider that is trusted for it asked for a second factor, this time. */
  readonly provedElsewhere?: boolean;
}

export function verdictOf({ dueAt: by, notCounting }: Demand, holder: Holder, methods: readonly Method[]): Verdict {
  // A Recovery Key is held, and is no method.
  const counting = methods.filter(({ kind }) => !notCounting.includes(kind));
  if (by === null || holder.provedElsewhere === true || counting.some(({ kind }) => holder.held.includes(kind))) return { kind: 'passes' };
  return methodsOpenTo(notCounting, holder, methods).length > 0 ? { kind: 'sets-up', by } : { kind: 'locked-out', by };
}

/** What somebody can set up that counts: codes go only to an address that is proved (EC-9). */
export function methodsOpenTo(notCounting: readonly string[], { emailVerified }: Pick<Holder, 'emailVerified'>, methods: readonly Method[]): string[] {
  return methods.filter(({ kind, provesEmail }) => !notCounting.includes(kind) && (emailVerified || !provesEmail)).map(({ kind }) => kind);
}

/**
 * What a session owes that was opened before the policies were as they are: something to set up, or a proof by something that counts. `proofs`: the kinds
 * of second factors that it has shown.
 */
export function sessionOwes(
  demand: Demand,
  { proofs, now, ...holder }: Holder & { proofs: readonly string[]; now: number },
  methods: readonly Method[],
): 'nothing' | 'set-up' | 'confirm' {
  if (demand.dueAt === null || now < demand.dueAt) return 'nothing';
  if (verdictOf(demand, holder, methods).kind !== 'passes') return 'set-up';
  const counts = (kind: string): boolean => !demand.notCounting.includes(kind);
  // A fresh proof asks for the strongest that the account has. Where that is no better, there is nothing to ask for.
  const strongest = methods.find(({ kind }) => holder.held.includes(kind));
  return strongest && counts(strongest.kind) && proofs.length > 0 && !proofs.some(counts) ? 'confirm' : 'nothing';
}
