// What the console shows of people. It reads tables of several rooms and writes none.
import { type Expression, type SqlBool } from 'kysely';
import type { Queries } from '../platform/database/database.ts';

export interface PersonRow {
  readonly account_id: string;
  readonly name: string;
  readonly email: string;
  readonly email_key: string;
  readonly role: string;
  readonly joined_at: number;
}

export interface Wanted {
  readonly organisationId: string;
  /** The beginning of an address or a name, as they are searched for; '' for everybody. */
  readonly beginning: string;
  readonly role: string | undefined;
  /** Whether they have a factor of one of `kinds`. */
  readonly protected: { readonly wanted: boolean; readonly kinds: readonly string[] } | undefined;
  /** The last address of the page before, '' for the first. */
  readonly after: string;
  readonly most: number;
}

/** The highest code point: what begins with a prefix lies between the prefix and the prefix followed by it. */
const LAST = '\u{10ffff}';

/** In the order of their addresses, which one index has; the next page begins where the last one ended, however many lie before it. */
export async function selectPeople(queries: Queries, wanted: Wanted): Promise<PersonRow[]> {
  let query = queries
    .selectFrom('memberships as m')
    .innerJoin('accounts as a', 'a.id', 'm.account_id')
    .select(['m.account_id', 'm.role', 'm.joined_at', 'm.email_key', 'a.name', 'a.email'])
    .where('m.organisation_id', '=', wanted.organisationId)
    .where('m.email_key', '>', wanted.after)
    .orderBy('m.email_key')
    .limit(wanted.most);
  if (wanted.role !== undefined) query = query.where('m.role', '=', wanted.role);
  if (wanted.beginning !== '') {
    const { organisationId, beginning } = wanted;
    const end = beginning + LAST;
    // Two ranges of two indexes: a condition with "or" would be looked for in everybody.
    query = query.where('m.account_id', 'in', (select) =>
      select
        .selectFrom('memberships as e')
        .select('e.account_id')
        .where('e.organisation_id', '=', organisationId)
        .where('e.email_key', '>=', beginning)
        .where('e.email_key', '<', end)
        .union(
          select
            .selectFrom('memberships as n')
            .select('n.account_id')
            .where('n.organisation_id', '=', organisationId)
            .where('n.name_key', '>=', beginning)
            .where('n.name_key', '<', end),
        ),
    );
  }
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
