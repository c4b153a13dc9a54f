// How a policy is stored, and the methods that it can speak of. The door is policy.ts.
import { z } from 'zod';
import { factors } from '../factors/factors.ts';
import { readRole, ROLES } from '../organisations/organisations.ts';
import { DEFAULT_RULES, TWO_FACTOR_POLICIES, type Method, type Place, type Rules } from './demand.ts';
import type { PlaceRow } from './store.ts';

/** Methods that turn two-factor authentication on, the strongest first. */
export const METHODS: readonly Method[] = factors
  .filter((factor) => factor.stands)
  .sort((one, other) => other.strength - one.strength)
  .map(({ kind, provesEmail }) => ({ kind, provesEmail }));

export const rulesShape = z.object({
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
  trustedDeviceDays: z.number().default(DEFAULT_RULES.trustedDeviceDays),
  emailDomains: z.array(z.string()).default([]),
  resetNeedsApproval: z.boolean().default(DEFAULT_RULES.resetNeedsApproval),
  resetWaitHours: z.number().default(DEFAULT_RULES.resetWaitHours),
});

/** Parsing takes longer than the query that brought it, and an installation has few policies: those that were read last are kept by their text. */
const parsed = new Map<string, Rules>();
const PARSED_MOST = 200;

export function rulesFrom(text: string): Rules {
  const known = parsed.get(text);
  if (known) return known;
  const rules: Rules = rulesShape.parse(JSON.parse(text));
  if (parsed.size >= PARSED_MOST) parsed.clear();
  parsed.set(text, rules);
  return rules;
}

/** Somebody's place under one policy, as the statements bring it that ask for it. Who belongs to no organisation is a member of the installation. */
export function placeFrom(row: Omit<PlaceRow, 'organisation_id' | 'organisation_name'>): Place {
  return {
    rules: rulesFrom(row.rules),
    accountId: row.account_id,
    role: row.role === null ? 'member' : readRole(row.role),
    joinedAt: row.joined_at ?? row.account_created_at,
    deadlineAt: row.deadline_at,
    tightenedAt: row.tightened_at,
  };
}
