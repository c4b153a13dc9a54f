/**
 * The Security Policy: what is asked of whom. Each organisation may have one; who belongs to none, or to one that has none yet, is under the
 * installation's, which the command line sets. What they ask of a person is decided in demand.ts, the strictest in everything.
 * Invariants: a policy is replaced only over the version that was seen, and every version is kept with who, when and why; a person's deadline is fixed
 * once and never moves; what can't be read is refused, not taken for leave to pass.
 */
import { commandLine, record } from '../audit/audit.ts';
import { factorOf } from '../factors/factors.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import type { World } from '../platform/world.ts';
import { demandOf, dueAt, isAsked, type Demand, type Rules, type TwoFactorPolicy } from './demand.ts';
import { METHODS, placeFrom, rulesFrom } from './rules.ts';
import * as store from './store.ts';
import { isStricter } from './stricter.ts';
import { differencesInWords } from './words.ts';

export { fixDeadlineOf } from './deadlines.ts';
export {
  DEFAULT_RULES,
  demandOf,
  methodsOpenTo,
  PROOF_MINUTES_LEAST,
  PROOF_MINUTES_MOST,
  sessionOwes,
  TRUSTED_DAYS_MOST,
  TWO_FACTOR_POLICIES,
  verdictOf,
  type Demand,
  type RollOut,
  type Rules,
  type TwoFactorPolicy,
  type Verdict,
} from './demand.ts';
export {
  findDraft,
  listVersions,
  makeDraft,
  restoreVersion,
  saveDraft,
  sweepPolicies,
  tellPeople,
  type Draft,
  type PolicyChanged,
  type Version,
} from './drafts.ts';
export { foresee, measureEffect, OUTCOMES, type Effect, type Foreseen, type Outcome, type Proposed } from './preview.ts';
export { METHODS, placeFrom, rulesShape } from './rules.ts';
export { INSTALLATION } from './store.ts';
export { differencesOf, ROLES_IN_PLURAL, sayingsOf, TWO_FACTOR_WORDS, type Difference } from './words.ts';

export interface Policy {
  readonly rules: Rules;
  /** 0 where an organisation has none of its own. */
  readonly version: number;
  /** Epoch milliseconds; 0 where nobody has changed it. */
  readonly changedAt: number;
  readonly tightenedAt: number;
}

/** The installation's. */
export async function readPolicy(queries: Queries): Promise<Policy> {
  const row = await store.selectPolicy(queries, store.INSTALLATION);
  if (!row) throw new Error('The Security Policy of the installation is missing.');
  return policyFrom(row);
}

/** An organisation's own, or the installation's where it has none. */
export async function readPolicyOf(queries: Queries, organisationId: string): Promise<Policy> {
  const row = await store.selectPolicy(queries, organisationId);
  return row ? policyFrom(row) : { ...(await readPolicy(queries)), version: 0 };
}

const policyFrom = ({ rules, version, changed_at, tightened_at }: store.PolicyRow): Policy => ({
  rules: rulesFrom(rules),
  version,
  changedAt: changed_at,
  tightenedAt: tightened_at,
});

/** The accounts among an organisation's members that have these addresses, by them. */
export async function membersOfAddresses(queries: Queries, organisationId: string, emailKeys: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await store.selectMembersOfAddresses(queries, organisationId, emailKeys);
  return new Map(rows.map((row) => [row.email_key, row.account_id]));
}

export const addressesOf = store.selectAddresses;

/**
 * Sets whether the installation asks for a second factor, and for how many days it lets a device be trusted: as it was, unless that is said. False where
 * somebody else changed it meanwhile.
 */
export async function setPolicy(
  world: Pick<World, 'clock' | 'random'>,
  transaction: Transaction,
  twoFactor: TwoFactorPolicy,
  { trustedDeviceDays }: { trustedDeviceDays?: number } = {},
): Promise<boolean> {
  const { rules: before, version, tightenedAt: tightened } = await readPolicy(transaction);
  const after = { ...before, twoFactor, trustedDeviceDays: trustedDeviceDays ?? before.trustedDeviceDays };
  const now = world.clock.now();
  const tightenedAt = isStricter(before, after) ? now : tightened;
  const row = { id: store.INSTALLATION, rules: JSON.stringify(after), version, now, tightenedAt, by: null, reason: '' };
  const changed = await store.putPolicy(transaction, row);
  const changes = after.trustedDeviceDays === before.trustedDeviceDays ? {} : { changes: differencesInWords(before, after) };
  const details = { from: before.twoFactor, to: twoFactor, ...changes };
  if (changed) await record(world, transaction, { event: 'policy_changed', accountId: null, from: commandLine, details });
  return changed;
}

/** Whether nobody gets in by a password alone, or with an emailed code: then it may be shorter (PW-1). */
export const enforcesRealSecondFactor = ({ clock }: Pick<World, 'clock'>, { dueAt: by, notCounting }: Demand): boolean =>
  by !== null && by <= clock.now() && METHODS.every(({ kind }) => notCounting.includes(kind) || factorOf(kind).assurance === 2);

/** What somebody's policies ask, and who asks it. */
export interface Asked {
  readonly demand: Demand;
  /** The organisation whose policy asks first; undefined where it is the installation's. */
  readonly askedBy: string | undefined;
}

export async function readDemand(queries: Queries, accountId: string): Promise<Asked> {
  const rows = await store.selectPlaces(queries, accountId);
  const places = rows.map(placeFrom);
  const demand = demandOf(places, METHODS);
  const first = places.findIndex((place) => isAsked(place) && dueAt(place) === demand.dueAt);
  return { demand, askedBy: rows[Math.max(first, 0)]?.organisation_name ?? undefined };
}
