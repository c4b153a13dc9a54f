// What the console shows. It reads tables of several rooms and writes one of its own: the days of the overview.
import { type Expression, type SqlBool } from 'kysely';
import type { Queries } from '../platform/database/database.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    organisation_days: DayRow;
  }
}

/** What was counted of an organisation and a day. */
export interface DayRow {
  organisation_id: string;
  /** Days since 1970, in UTC. */
  day: number;
  /** null for days before the first count. */
  people: number | null;
  protected: number | null;
  /** JSON: people by kind of method, and events by name. */
  methods: string;
  events: string;
  counted_at: number;
}

export interface PersonRow {
  readonly account_id: string;
  readonly name: string;
  readonly email: string;
  readonly email_key: string;
  readonly name_key: string;
  readonly role: string;
  readonly joined_at: number;
  readonly suspended_at: number | null;
}

export interface Wanted {
  readonly organisationId: string;
  /** Those whose address begins so, in the order of addresses; or those whose name does, in the order of names. */
  readonly by: 'email' | 'name';
  /** As it is searched for; '' for everybody. By address, those whose name begins so too are left out: they are found by name. */
  readonly beginning: string;
  readonly role: string | undefined;
  /** Whether they have a factor of one of `kinds`. */
  readonly protected: { readonly wanted: boolean; readonly kinds: readonly string[] } | undefined;
  readonly standing: 'never-signed-in' | 'locked' | undefined;
  /** The last of the page before; of empty texts for the first page. */
  readonly after: { readonly email: string; readonly name: string };
  readonly most: number;
}

/** The highest code point: what begins with a prefix lies between the prefix and the prefix followed by it. */
const LAST = '\u{10ffff}';

/** A range of one index, in its order: the next page begins where the last one ended, however many lie before it, match it, or are in other organisations. */
export async function selectPeople(queries: Queries, wanted: Wanted): Promise<PersonRow[]> {
  const { beginning, after } = wanted;
  const end = beginning + LAST;
  let query = queries
    .selectFrom('memberships as m')
    .innerJoin('accounts as a', 'a.id', 'm.account_id')
    .select(['m.account_id', 'm.role', 'm.joined_at', 'm.suspended_at', 'm.email_key', 'm.name_key', 'a.name', 'a.email'])
    .where('m.organisation_id', '=', wanted.organisationId)
    .limit(wanted.most);
  if (wanted.by === 'name') {
    // One bound below, not two: a database may begin at the lower of them and read all that lies between.
    const [name, email] = after.name.startsWith(beginning) ? [after.name, after.email] : [beginning, ''];
    query = query
      .where((where) => where(where.refTuple('m.name_key', 'm.email_key'), '>', where.tuple(name, email)))
      .where('m.name_key', '<', end)
      .orderBy('m.name_key');
  } else {
    query = after.email.startsWith(beginning) ? query.where('m.email_key', '>', after.email) : query.where('m.email_key', '>=', beginning);
    if (beginning !== '')
      query = query.where('m.email_key', '<', end).where((where) => where.or([where('m.name_key', '<', beginning), where('m.name_key', '>=', end)]));
  }
  query = query.orderBy('m.email_key');
  if (wanted.role !== undefined) query = query.where('m.role', '=', wanted.role);
  const { protected: guarded } = wanted;
  if (guarded) {
    query = query.where((where): Expression<SqlBool> => {
      const has = where.exists(
        where
          .selectFrom('factors as f')
          .select('f.id')
          .whereRef('f.account_id', '=', 'm.account_id')
          .where('f.kind', 'in', [...guarded.kinds]),
      );
      return guarded.wanted ? has : where.not(has);
    });
  }
  if (wanted.standing === 'never-signed-in') {
    query = query.where((where) =>
      where.not(
        where.exists(
          where.selectFrom('audit_events as e').select('e.id').where('e.event', '=', 'authn_login_success').whereRef('e.account_id', '=', 'm.account_id'),
        ),
      ),
    );
  } else if (wanted.standing === 'locked') {
    query = query.where((where) =>
      where.or([
        where('m.suspended_at', 'is not', null),
        where.exists(where.selectFrom('factors as f').select('f.id').whereRef('f.account_id', '=', 'm.account_id').where('f.stopped_at', 'is not', null)),
      ]),
    );
  }
  return query.execute();
}

export async function countPeople(queries: Queries, organisationId: string): Promise<number> {
  const { count } = await queries
    .selectFrom('memberships')
    .select((select) => select.fn.countAll().as('count'))
    .where('organisation_id', '=', organisationId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function selectKinds(queries: Queries, accountIds: readonly string[]): Promise<{ account_id: string; kind: string; created_at: number }[]> {
  if (accountIds.length === 0) return [];
  return queries.selectFrom('factors').select(['account_id', 'kind', 'created_at']).where('account_id', 'in', accountIds).orderBy('created_at').execute();
}

/** By the index that holds sign-ins alone. */
export async function selectLastSignIns(queries: Queries, accountIds: readonly string[]): Promise<{ account_id: string | null; at: number }[]> {
  if (accountIds.length === 0) return [];
  return queries
    .selectFrom('audit_events')
    .select((select) => ['account_id', select.fn.max('at').as('at')])
    .where('event', '=', 'authn_login_success')
    .where('account_id', 'in', accountIds)
    .groupBy('account_id')
    .execute();
}

/** What accounts are called now, and whether they belong to the organisation. */
export async function selectNames(
  queries: Queries,
  organisationId: string,
  accountIds: readonly string[],
): Promise<{ id: string; name: string; member_id: string | null }[]> {
  if (accountIds.length === 0) return [];
  return queries
    .selectFrom('accounts as a')
    .leftJoin('memberships as m', (join) => join.onRef('m.account_id', '=', 'a.id').on('m.organisation_id', '=', organisationId))
    .select(['a.id', 'a.name', 'm.account_id as member_id'])
    .where('a.id', 'in', accountIds)
    .execute();
}

const MANAGERS_MOST = 100;

/** Owner and admins: those who are told what concerns the organisation as a whole. */
export async function selectManagers(queries: Queries, organisationId: string): Promise<{ name: string; email: string }[]> {
  return queries
    .selectFrom('memberships as m')
    .innerJoin('accounts as a', 'a.id', 'm.account_id')
    .select(['a.name', 'a.email'])
    .where('m.organisation_id', '=', organisationId)
    .where('m.role', 'in', ['owner', 'admin'])
    .orderBy('m.email_key')
    .limit(MANAGERS_MOST)
    .execute();
}

export async function selectOrganisationIds(queries: Queries, after: string, most: number): Promise<string[]> {
  const rows = await queries.selectFrom('organisations').select('id').where('id', '>', after).orderBy('id').limit(most).execute();
  return rows.map(({ id }) => id);
}

export async function selectDays(queries: Queries, organisationId: string, from: number): Promise<DayRow[]> {
  return queries.selectFrom('organisation_days').selectAll().where('organisation_id', '=', organisationId).where('day', '>=', from).orderBy('day').execute();
}

/** Where two processes count at once, the same stands there afterwards. */
export async function putDays(queries: Queries, rows: readonly DayRow[]): Promise<void> {
  for (const row of rows) {
    const { organisation_id: _organisation, day: _day, ...counted } = row;
    await queries
      .insertInto('organisation_days')
      .values(row)
      .onConflict((conflict) => conflict.columns(['organisation_id', 'day']).doUpdateSet(counted))
      .execute();
  }
}

/** One range of one index for each event. */
export async function countEvents(
  queries: Queries,
  organisationId: string,
  { events, from, before }: { events: readonly string[]; from: number; before: number },
): Promise<Record<string, number>> {
  const rows = await queries
    .selectFrom('organisation_events')
    .select((select) => ['event', select.fn.countAll().as('count')])
    .where('organisation_id', '=', organisationId)
    .where('event', 'in', [...events])
    .where('at', '>=', from)
    .where('at', '<', before)
    .groupBy('event')
    .execute();
  return Object.fromEntries(rows.map(({ event, count }) => [event, Number(count)]));
}

export async function selectMemberIds(queries: Queries, organisationId: string, { after, most }: { after: string; most: number }): Promise<string[]> {
  const rows = await queries
    .selectFrom('memberships')
    .select('account_id')
    .where('organisation_id', '=', organisationId)
    .where('account_id', '>', after)
    .orderBy('account_id')
    .limit(most)
    .execute();
  return rows.map((row) => row.account_id);
}

/** Each kind of each member once, of those whose ids lie behind `after`, up to `upTo`. */
export async function selectKindsOf(
  queries: Queries,
  organisationId: string,
  { after, upTo, kinds }: { after: string; upTo: string; kinds: readonly string[] },
): Promise<{ account_id: string; kind: string }[]> {
  return queries
    .selectFrom('memberships as m')
    .innerJoin('factors as f', 'f.account_id', 'm.account_id')
    .select(['m.account_id', 'f.kind'])
    .distinct()
    .where('m.organisation_id', '=', organisationId)
    .where('m.account_id', '>', after)
    .where('m.account_id', '<=', upTo)
    .where('f.kind', 'in', [...kinds])
    .execute();
}
