// What a policy would do that nobody has saved yet, person by person, by the very function that does it (demand.ts). The door is policy.ts.
import { readRole } from '../organisations/organisations.ts';
import { breathe } from '../platform/background.ts';
import type { Queries } from '../platform/database/database.ts';
import { demandOf, verdictOf, type Place, type Rules, type Verdict } from './demand.ts';
import { METHODS, rulesFrom } from './rules.ts';
import * as store from './store.ts';

/** The worst first, as lists and counts have them. */
export const OUTCOMES = ['locked-out', 'sets-up', 'sets-up-later', 'passes'] as const;
/** What somebody meets at the next sign-in, or request. */
export type Outcome = (typeof OUTCOMES)[number];

export interface Foreseen {
  readonly accountId: string;
  readonly name: string;
  readonly email: string;
  readonly emailKey: string;
  readonly language: string;
  /** By the policy that is in force. */
  readonly before: Outcome;
  /** By the one that is looked at. */
  readonly after: Outcome;
  /** By when something has to be set up, in epoch milliseconds; null where nothing has to. */
  readonly by: number | null;
}

/** A policy that takes the place of an organisation's own. */
export interface Proposed {
  readonly organisationId: string;
  readonly rules: Rules;
  /** Everybody's time begins anew. */
  readonly renews: boolean;
}

const READ_AT_ONCE = 500;

/** Everybody of the organisation, by their addresses, from behind `after` on. */
export async function* foresee(
  queries: Queries,
  { now, current, proposed }: { now: number; current: Rules; proposed: Proposed },
  after = '',
): AsyncGenerator<Foreseen> {
  for (let last = after; ;) {
    const page = { after: last, most: READ_AT_ONCE };
    const members = await store.selectMembers(queries, proposed.organisationId, page);
    const others = Map.groupBy(await store.selectOtherPlaces(queries, proposed.organisationId, page), (one) => one.account_id);
    const kinds = Map.groupBy(await store.selectKinds(queries, proposed.organisationId, page), (one) => one.account_id);
    for (const member of members) {
      const elsewhere = (others.get(member.account_id) ?? []).map((one) => placeOf({ ...one, rules: rulesFrom(one.rules) }));
      yield foreseeOne({ member, elsewhere, held: (kinds.get(member.account_id) ?? []).map((one) => one.kind), now, current, proposed });
    }
    const end = members.at(-1);
    if (!end || members.length < READ_AT_ONCE) return;
    last = end.email_key;
    await breathe();
  }
}

function foreseeOne({
  member,
  elsewhere,
  held,
  now,
  current,
  proposed,
}: {
  member: store.MemberRow;
  elsewhere: readonly Place[];
  held: readonly string[];
  now: number;
  current: Rules;
  proposed: Proposed;
}): Foreseen {
  const own = { account_id: member.account_id, role: member.own_role, joined_at: member.own_joined_at, deadline_at: member.own_deadline_at };
  const verdictUnder = (rules: Rules, deadlineAt: number | null): Verdict =>
    verdictOf(
      demandOf([...elsewhere, placeOf({ ...own, deadline_at: deadlineAt, rules })], METHODS),
      { held, emailVerified: member.email_verified_at !== null },
      METHODS,
    );
  const before = verdictUnder(current, own.deadline_at);
  const after = verdictUnder(proposed.rules, proposed.renews ? null : own.deadline_at);
  return {
    accountId: member.account_id,
    name: member.name,
    email: member.email,
    emailKey: member.email_key,
    language: member.language,
    before: outcomeOf(before, now),
    after: outcomeOf(after, now),
    by: after.kind === 'passes' ? null : after.by,
  };
}

function outcomeOf(verdict: Verdict, now: number): Outcome {
  if (verdict.kind === 'sets-up') return now < verdict.by ? 'sets-up-later' : 'sets-up';
  return verdict.kind;
}

const placeOf = (row: { account_id: string; role: string; joined_at: number; deadline_at: number | null; rules: Rules }): Place => ({
  rules: row.rules,
  accountId: row.account_id,
  role: readRole(row.role),
  joinedAt: row.joined_at,
  deadlineAt: row.deadline_at,
  // It bears on no verdict: what a remembered browser spares is a step, not a method.
  tightenedAt: 0,
});

export type Counts = Readonly<Record<Outcome, number>>;

export interface Effect {
  readonly people: number;
  readonly before: Counts;
  readonly after: Counts;
  /** People who are asked for something that they are not asked for today. */
  readonly newlyAsked: number;
}

export async function measureEffect(queries: Queries, input: { now: number; current: Rules; proposed: Proposed }): Promise<Effect> {
  const before = { 'locked-out': 0, 'sets-up': 0, 'sets-up-later': 0, passes: 0 };
  const after = { ...before };
  let people = 0;
  let newlyAsked = 0;
  for await (const one of foresee(queries, input)) {
    people += 1;
    before[one.before] += 1;
    after[one.after] += 1;
    if (one.before === 'passes' && one.after !== 'passes') newlyAsked += 1;
  }
  return { people, before, after, newlyAsked };
}
