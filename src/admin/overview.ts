/**
 * What the overview shows, counted. A page of it must not read a hundred thousand people or a month of sign-ins, so each day of an organisation is a row that
 * is counted in the background, in small pieces. An organisation small enough to be counted while its page is made is: there nobody waits for a number.
 */
import { eventKindOf, listSeenEvents, type SeenEvent } from '../audit/audit.ts';
import { factors } from '../factors/factors.ts';
import type { Organisation } from '../organisations/organisations.ts';
import type { Queries } from '../platform/database/database.ts';
import { days, minutes } from '../platform/durations.ts';
import { breathe, repeat, type Background } from '../platform/background.ts';
import type { World } from '../platform/world.ts';
import * as store from './store.ts';

const DAYS_SHOWN = 30;
const COUNTED_EVERY = minutes(10);
const COUNTED_AT_ONCE = 500;
const ORGANISATIONS_AT_ONCE = 100;
const COUNTED_ON_VIEW_MOST = 1000;
const LATEST_SHOWN = 5;

/** What a sign-in can come to, the unusual first. */
const OUTCOMES = [
  { label: 'Wrong second step', events: ['authn_factor_fail', 'authn_factor_replayed'], unusual: true },
  { label: 'Paused after too many wrong tries', events: ['authn_login_throttled', 'authn_factor_throttled'], unusual: true },
  { label: 'Recovery Key used', events: ['authn_recovery_key_used'], unusual: true },
  { label: 'Bypass code used', events: ['authn_bypass_code_used'], unusual: true },
  { label: 'From a browser new to the account', events: ['authn_login_new_browser'], unusual: true },
  { label: 'Wrong password', events: ['authn_login_fail'], unusual: false },
  { label: 'Signed in', events: ['authn_login_success'], unusual: false },
] as const;
const COUNTED_EVENTS: readonly string[] = OUTCOMES.flatMap((outcome) => outcome.events);
const UNUSUAL_EVENTS: readonly string[] = OUTCOMES.filter(({ unusual }) => unusual).flatMap((outcome) => outcome.events);

export interface Outcome {
  readonly label: string;
  readonly count: number;
  readonly unusual: boolean;
  /** As the audit log's filter names it. */
  readonly events: readonly string[];
}

export interface DayShown {
  /** Its first moment. */
  readonly at: number;
  readonly people: number;
  readonly protected: number;
}

export interface Overview {
  readonly people: number;
  readonly protected: number;
  /** Kinds that stand, with how many have one; the most common first. */
  readonly methods: readonly (readonly [kind: string, people: number])[];
  readonly countedAt: number;
  /** Those that were counted, the oldest first; the last is today. */
  readonly days: readonly DayShown[];
  /** Of the last thirty days; those that happened and are unusual come first. */
  readonly outcomes: readonly Outcome[];
  readonly latest: readonly SeenEvent[];
  /** The first moment of the thirty days. */
  readonly from: number;
}

/** Undefined where the organisation is large and was not counted yet, which takes a minute after it grew so. */
export async function readOverview(world: World, organisation: Organisation): Promise<Overview | undefined> {
  const { query } = world.database;
  const now = world.clock.now();
  const today = dayOf(now);
  const rows = await store.selectDays(query, organisation.id, today - DAYS_SHOWN + 1);
  const known = new Map(rows.map((row) => [row.day, row]));
  const isSmall = (await store.countPeople(query, organisation.id)) <= COUNTED_ON_VIEW_MOST;
  if (isSmall) for (const row of await countDays(query, organisation.id, { now, rows })) known.set(row.day, row);
  const counted = [...known.values()].toSorted((one, other) => one.day - other.day);
  const last = counted.findLast((row) => row.people !== null);
  if (!last || last.people === null || last.protected === null) return undefined;
  return {
    people: last.people,
    protected: last.protected,
    methods: Object.entries(JSON.parse(last.methods) as Counts).toSorted(([, one], [, other]) => other - one),
    countedAt: last.counted_at,
    days: counted.flatMap((row) =>
      row.people === null || row.protected === null ? [] : [{ at: days(row.day), people: row.people, protected: row.protected }],
    ),
    outcomes: outcomesOf(counted),
    latest: await latestUnusual(query, organisation),
    from: days(today - DAYS_SHOWN + 1),
  };
}

type Counts = Readonly<Record<string, number>>;

function outcomesOf(rows: readonly store.DayRow[]): Outcome[] {
  const all = rows.map((row) => JSON.parse(row.events) as Counts);
  const sum = (event: string): number => all.reduce((total, counts) => total + (counts[event] ?? 0), 0);
  const outcomes = OUTCOMES.map((outcome) => ({ ...outcome, count: outcome.events.map(sum).reduce((total, count) => total + count, 0) }));
  const first = (one: Outcome): number => (one.unusual && one.count > 0 ? 0 : 1);
  return outcomes.toSorted((one, other) => first(one) - first(other));
}

async function latestUnusual(queries: Queries, organisation: Organisation): Promise<readonly SeenEvent[]> {
  const filter = { group: undefined, result: undefined, events: UNUSUAL_EVENTS, accounts: undefined, address: undefined, from: undefined, before: undefined };
  const { events } = await listSeenEvents(queries, organisation.id, { filter, after: '', most: LATEST_SHOWN });
  return events.filter(({ event }) => eventKindOf(event) !== undefined);
}

/** Counts each organisation that was not counted for ten minutes; returns how many. */
export async function countOrganisations(world: World): Promise<number> {
  const { query } = world.database;
  const now = world.clock.now();
  let counted = 0;
  for (let after = ''; ;) {
    const ids = await store.selectOrganisationIds(query, after, ORGANISATIONS_AT_ONCE);
    for (const id of ids) {
      const rows = await store.selectDays(query, id, dayOf(now) - DAYS_SHOWN + 1);
      if (rows.some((row) => row.day === dayOf(now) && now - row.counted_at < COUNTED_EVERY)) continue;
      await store.putDays(query, await countDays(query, id, { now, rows }));
      counted += 1;
    }
    if (ids.length < ORGANISATIONS_AT_ONCE) return counted;
    after = ids.at(-1)!;
  }
}

export function startCounting(world: World): Background {
  return repeat(world, { name: 'counting for the overview', every: minutes(1), work: () => countOrganisations(world) });
}

/** Today, and those of the days before it that were not counted to their end. */
async function countDays(queries: Queries, organisationId: string, { now, rows }: { now: number; rows: readonly store.DayRow[] }): Promise<store.DayRow[]> {
  const today = dayOf(now);
  const known = new Map(rows.map((row) => [row.day, row]));
  const counted: store.DayRow[] = [];
  for (let day = today - DAYS_SHOWN + 1; day <= today; day++) {
    const before = known.get(day);
    if (before && day < today && before.counted_at >= days(day + 1)) continue;
    const state =
      day === today
        ? await countState(queries, organisationId)
        : { people: before?.people ?? null, protected: before?.protected ?? null, methods: before?.methods ?? '{}' };
    const events = await store.countEvents(queries, organisationId, { events: COUNTED_EVENTS, from: days(day), before: days(day + 1) });
    if (day < today) await breathe();
    counted.push({ organisation_id: organisationId, day, ...state, events: JSON.stringify(events), counted_at: now });
  }
  return counted;
}

/** In pieces, so that nobody who asks for a page meanwhile waits for all of it. */
async function countState(queries: Queries, organisationId: string): Promise<Pick<store.DayRow, 'people' | 'protected' | 'methods'>> {
  const kinds = factors.filter((factor) => factor.stands).map((factor) => factor.kind);
  const methods: Record<string, number> = {};
  let [people, guarded] = [0, 0];
  for (let after = ''; ;) {
    const ids = await store.selectMemberIds(queries, organisationId, { after, most: COUNTED_AT_ONCE });
    const held = await store.selectKindsOf(queries, organisationId, { after, upTo: ids.at(-1) ?? '', kinds });
    people += ids.length;
    guarded += new Set(held.map((one) => one.account_id)).size;
    for (const one of held) methods[one.kind] = (methods[one.kind] ?? 0) + 1;
    if (ids.length < COUNTED_AT_ONCE) return { people, protected: guarded, methods: JSON.stringify(methods) };
    after = ids.at(-1)!;
    await breathe();
  }
}

const dayOf = (at: number): number => Math.floor(at / days(1));
