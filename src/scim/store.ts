// The people of an organisation as its directory has them: what is kept of them here, and their account and membership beside it.
import { sql, type Expression, type ExpressionBuilder, type SqlBool } from 'kysely';
import type { Queries, Tables, Transaction } from '../platform/database/database.ts';
import type { Filter, Operator, Value } from './filter.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    scim_users: ScimUserRow;
  }
}

export interface ScimUserRow {
  organisation_id: string;
  account_id: string;
  user_name: string;
  user_name_key: string;
  external_id: string | null;
  email: string | null;
  email_key: string | null;
  display_name: string | null;
  given_name: string | null;
  family_name: string | null;
  updated_at: number;
}

export interface PersonRow {
  account_id: string;
  role: string;
  joined_at: number;
  suspended_at: number | null;
  name: string;
  own_email: string;
  user_name: string | null;
  external_id: string | null;
  email: string | null;
  display_name: string | null;
  given_name: string | null;
  family_name: string | null;
  updated_at: number | null;
}

export interface GroupRow {
  id: string;
  name: string;
  external_id: string | null;
  created_at: number;
  updated_at: number;
}

interface Page {
  readonly filter: Filter | undefined;
  /** From 0. */
  readonly skip: number;
  readonly most: number;
}

/** A filter asks for something that can't be compared. */
export class NotComparable extends Error {}

const peopleOf = (queries: Queries, organisationId: string) =>
  queries
    .selectFrom('memberships as m')
    .innerJoin('accounts as a', 'a.id', 'm.account_id')
    .leftJoin('scim_users as s', (join) => join.onRef('s.organisation_id', '=', 'm.organisation_id').onRef('s.account_id', '=', 'm.account_id'))
    .where('m.organisation_id', '=', organisationId);

type PeopleTables = Pick<Tables, never> & {
  m: Tables['memberships'];
  a: Tables['accounts'];
  s: { [Column in keyof ScimUserRow]: ScimUserRow[Column] | null };
};

export async function selectPeople(queries: Queries, organisationId: string, { filter, skip, most }: Page): Promise<{ rows: PersonRow[]; total: number }> {
  const narrow = await narrowed(queries, organisationId, filter);
  let query = peopleOf(queries, organisationId);
  if (filter) query = query.where((where) => conditionOf(filter, (path) => personColumn(where, path)));
  if (narrow) query = query.where('m.account_id', 'in', narrow.length === 0 ? [''] : narrow);
  const { total } = await query.select(({ fn }) => fn.countAll<number | string>().as('total')).executeTakeFirstOrThrow();
  if (most === 0) return { rows: [], total: Number(total) };
  const rows = await query.select(PERSON_COLUMNS).orderBy('m.email_key').orderBy('m.account_id').limit(most).offset(skip).execute();
  return { rows, total: Number(total) };
}

export async function selectPerson(queries: Queries, organisationId: string, accountId: string): Promise<PersonRow | undefined> {
  return peopleOf(queries, organisationId).select(PERSON_COLUMNS).where('m.account_id', '=', accountId).executeTakeFirst();
}

const PERSON_COLUMNS = [
  'm.account_id',
  'm.role',
  'm.joined_at',
  'm.suspended_at',
  'a.name',
  'a.email as own_email',
  's.user_name',
  's.external_id',
  's.email',
  's.display_name',
  's.given_name',
  's.family_name',
  's.updated_at',
] as const;

/** What directories ask at every turn is found by an index, however many people there are. */
async function narrowed(queries: Queries, organisationId: string, filter: Filter | undefined): Promise<string[] | undefined> {
  if (filter?.kind !== 'compare' || filter.operator !== 'eq' || typeof filter.value !== 'string') return undefined;
  const named = queries.selectFrom('scim_users').select('account_id').where('organisation_id', '=', organisationId).limit(1000);
  if (filter.path === 'externalid') return (await named.where('external_id', '=', filter.value).execute()).map((row) => row.account_id);
  if (filter.path !== 'username') return undefined;
  const key = keyOf(filter.value);
  const own = queries.selectFrom('memberships').select('account_id').where('organisation_id', '=', organisationId).where('email_key', '=', key);
  const rows = [...(await named.where('user_name_key', '=', key).execute()), ...(await own.execute())];
  return rows.map((row) => row.account_id);
}

/** Whose it is there: by the name that the directory gave them, else by their own address. */
export async function selectHolderOfName(queries: Queries, organisationId: string, key: string): Promise<string | undefined> {
  const row = await peopleOf(queries, organisationId)
    .select('m.account_id')
    .where((where) => where.or([where('s.user_name_key', '=', key), where.and([where('s.user_name_key', 'is', null), where('m.email_key', '=', key)])]))
    .executeTakeFirst();
  return row?.account_id;
}

export async function putUser(transaction: Transaction, row: ScimUserRow): Promise<void> {
  await transaction
    .insertInto('scim_users')
    .values(row)
    .onConflict((conflict) => conflict.columns(['organisation_id', 'account_id']).doUpdateSet(row))
    .execute();
}

export async function selectGroups(queries: Queries, organisationId: string, { filter, skip, most }: Page): Promise<{ rows: GroupRow[]; total: number }> {
  let query = queries.selectFrom('organisation_groups as g').where('g.organisation_id', '=', organisationId);
  if (filter) query = query.where((where) => conditionOf(filter, (path) => groupColumn(where, path)));
  const { total } = await query.select(({ fn }) => fn.countAll<number | string>().as('total')).executeTakeFirstOrThrow();
  if (most === 0) return { rows: [], total: Number(total) };
  const rows = await query
    .select(['g.id', 'g.name', 'g.external_id', 'g.created_at', 'g.updated_at'])
    .orderBy('g.name_key')
    .orderBy('g.id')
    .limit(most)
    .offset(skip)
    .execute();
  return { rows, total: Number(total) };
}

/** As names and addresses are compared: without regard to case. */
export const keyOf = (text: string): string => text.normalize('NFC').trim().toLowerCase();

/** What stands for an attribute: a column, whether case counts in it; or a comparison of its own. */
type Compared =
  | { readonly column: Expression<string | null>; readonly exact: boolean }
  | { readonly compare: (operator: Operator, value: Value) => Expression<SqlBool> | undefined };

function personColumn(where: ExpressionBuilder<PeopleTables, keyof PeopleTables>, path: string): Compared | undefined {
  const { fn, ref } = where;
  switch (path) {
    case 'id':
      return { column: ref('m.account_id'), exact: true };
    case 'username':
      return { column: fn.coalesce(ref('s.user_name_key'), ref('m.email_key')), exact: false };
    case 'externalid':
      return { column: ref('s.external_id'), exact: true };
    case 'emails':
    case 'emails.value':
      return { column: fn.coalesce(ref('s.email_key'), ref('m.email_key')), exact: false };
    // There is one, and it is that.
    case 'emails.type':
      return { column: sql<string>`'work'`, exact: false };
    case 'active':
      return {
        compare: (operator, value) => {
          const wanted = typeof value === 'boolean' ? value : { true: true, false: false }[String(value).toLowerCase()];
          if (wanted === undefined || (operator !== 'eq' && operator !== 'ne')) return undefined;
          return where('m.suspended_at', wanted === (operator === 'eq') ? 'is' : 'is not', null);
        },
      };
    default:
      return undefined;
  }
}

function groupColumn(where: ExpressionBuilder<Tables & { g: Tables['organisation_groups'] }, 'g'>, path: string): Compared | undefined {
  switch (path) {
    case 'id':
      return { column: where.ref('g.id'), exact: true };
    case 'displayname':
      return { column: where.ref('g.name_key'), exact: false };
    case 'externalid':
      return { column: where.ref('g.external_id'), exact: true };
    case 'members':
    case 'members.value':
      return {
        compare: (operator, value) =>
          operator === 'eq' && typeof value === 'string'
            ? where.exists(where.selectFrom('group_members as x').select('x.account_id').whereRef('x.group_id', '=', 'g.id').where('x.account_id', '=', value))
            : undefined,
      };
    default:
      return undefined;
  }
}

/** Every value is bound; every name is one of those above. What is absent compares to nothing: so `not` of it is true, and never neither. */
function conditionOf(filter: Filter, columnOf: (path: string) => Compared | undefined): Expression<SqlBool> {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const [first, ...rest] = filter.filters.map((one) => conditionOf(one, columnOf));
      const word = filter.kind === 'and' ? sql`and` : sql`or`;
      return rest.reduce<Expression<SqlBool>>((left, right) => sql<SqlBool>`(${left} ${word} ${right})`, first!);
    }
    case 'not':
      return sql<SqlBool>`(not ${conditionOf(filter.filter, columnOf)})`;
    case 'compare': {
      const compared = columnOf(filter.path);
      const condition = compared && ('compare' in compared ? compared.compare(filter.operator, filter.value) : comparison(compared, filter));
      if (!condition) throw new NotComparable();
      return condition;
    }
  }
}

const SIGNS = { gt: sql`>`, ge: sql`>=`, lt: sql`<`, le: sql`<=` } as const;

function comparison({ column, exact }: { column: Expression<string | null>; exact: boolean }, { operator, value }: Extract<Filter, { kind: 'compare' }>) {
  if (operator === 'pr') return sql<SqlBool>`(${column} is not null)`;
  if (typeof value !== 'string') return undefined;
  const text = exact ? value : keyOf(value);
  const there = (condition: Expression<unknown>): Expression<SqlBool> => sql<SqlBool>`(${column} is not null and ${condition})`;
  const like = (pattern: string): Expression<SqlBool> => there(sql`${column} like ${pattern} escape '\\'`);
  const plain = text.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`);
  switch (operator) {
    case 'eq':
      return there(sql`${column} = ${text}`);
    case 'ne':
      return sql<SqlBool>`(${column} is null or ${column} <> ${text})`;
    case 'co':
      return like(`%${plain}%`);
    case 'sw':
      return like(`${plain}%`);
    case 'ew':
      return like(`%${plain}`);
    case 'gt':
    case 'ge':
    case 'lt':
    case 'le':
      return there(sql`${column} ${SIGNS[operator]} ${text}`);
  }
}
