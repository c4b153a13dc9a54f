/**
 * The Security Policy: what is asked of whom. Each organisation may have one; who belongs to none, or to one that has none yet, is under the
 * installation's, which the command line sets. What they ask of a person is decided in demand.ts, the strictest in everything.
 * Invariants: a policy is replaced only over the version that was seen, and every version is kept with who, when and why; a person's deadline is fixed
 * once and never moves; what can't be read is refused, not taken for leave to pass.
 */
import { z } from 'zod';
import { commandLine, record } from '../audit/audit.ts';
import { factors } from '../factors/factors.ts';
import { readRole, ROLES } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import type { World } from '../platform/world.ts';
import {
  DEFAULT_RULES,
  demandOf,
  dueAt,
  isAsked,
  TWO_FACTOR_POLICIES,
  type Demand,
  type Method,
  type Place,
  type Rules,
  type TwoFactorPolicy,
} from './demand.ts';
import * as store from './store.ts';

export { INSTALLATION } from './store.ts';
export {
  DEFAULT_RULES,
  demandOf,
  methodsOpenTo,
  sessionOwes,
  TWO_FACTOR_POLICIES,
  verdictOf,
  type Demand,
  type Place,
  type RollOut,
  type Rules,
  type TwoFactorPolicy,
  type Verdict,
} from './demand.ts';

export interface Policy {
  readonly rules: Rules;
  /** 0 where an organisation has none of its own. */
  readonly version: number;
  /** Epoch milliseconds; 0 where nobody has changed it. */
  readonly changedAt: number;
}

/** Methods that turn two-factor authentication on, the strongest first. */
export const METHODS: readonly Method[] = factors
  .filter((factor) => factor.stands)
  .sort((one, other) => other.strength - one.strength)
  .map(({ kind, provesEmail }) => ({ kind, provesEmail }));

const rulesShape = z.object({
  twoFactor: z.enum(TWO_FACTOR_POLICIES),
  roles: z.array(z.enum(ROLES)).default([...DEFAULT_RULES.roles]),
  from: z.number().nullable().default(DEFAULT_RULES.from),
  graceDays: z.number().default(DEFAULT_RULES.graceDays),
  rollOut: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('everybody') }),
      z.object({ kind: z.literal('share'), percent: z.number() }),
      z.object({ kind: z.literal('people'), accountIds: z.array(z.string()) }),
    ])
    .default(DEFAULT_RULES.rollOut as { kind: 'everybody' }),
  notCounting: z.array(z.string()).default([]),
  mailFirst: z.boolean().default(DEFAULT_RULES.mailFirst),
  sessionIdleMinutes: z.number().nullable().default(DEFAULT_RULES.sessionIdleMinutes),
  sessionHours: z.number().nullable().default(DEFAULT_RULES.sessionHours),
  proofMinutes: z.number().default(DEFAULT_RULES.proofMinutes),
  emailDomains: z.array(z.string()).default([]),
  resetNeedsApproval: z.boolean().default(DEFAULT_RULES.resetNeedsApproval),
  resetWaitHours: z.number().default(DEFAULT_RULES.resetWaitHours),
});

/** Parsing takes longer than the query that brought it, and an installation has few policies: those that were read last are kept by their text. */
const parsed = new Map<string, Rules>();
const PARSED_MOST = 200;

function rulesFrom(text: string): Rules {
  const known = parsed.get(text);
  if (known) return known;
  const rules: Rules = rulesShape.parse(JSON.parse(text));
  if (parsed.size >= PARSED_MOST) parsed.clear();
  parsed.set(text, rules);
  return rules;
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

const policyFrom = ({ rules, version, changed_at }: store.PolicyRow): Policy => ({ rules: rulesFrom(rules), version, changedAt: changed_at });

/** Sets whether the installation asks for a second factor. False where somebody else changed it meanwhile. */
export async function setPolicy(world: Pick<World, 'clock' | 'random'>, transaction: Transaction, twoFactor: TwoFactorPolicy): Promise<boolean> {
  const { rules: before, version } = await readPolicy(transaction);
  const rules = JSON.stringify({ ...before, twoFactor });
  const changed = await store.putPolicy(transaction, { id: store.INSTALLATION, rules, version, now: world.clock.now(), by: null, reason: '' });
  if (changed)
    await record(world, transaction, { event: 'policy_changed', accountId: null, from: commandLine, details: { from: before.twoFactor, to: twoFactor } });
  return changed;
}

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

/** Somebody's place under one policy, as the statements bring it that ask for it. Who belongs to no organisation is a member of the installation. */
export function placeFrom(row: Omit<store.PlaceRow, 'organisation_id' | 'organisation_name'>): Place {
  return {
    rules: rulesFrom(row.rules),
    accountId: row.account_id,
    role: row.role === null ? 'member' : readRole(row.role),
    joinedAt: row.joined_at ?? row.account_created_at,
    deadlineAt: row.deadline_at,
  };
}
