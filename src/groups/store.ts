import type { Queries, Transaction } from '../platform/database/database.ts';
import { allRows, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    organisation_groups: GroupRow;
    group_members: { group_id: string; organisation_id: string; account_id: string };
  }
}

export interface GroupRow {
  id: string;
  organisation_id: string;
  name: string;
  name_key: string;
  external_id: string | null;
  created_at: number;
  updated_at: number;
}

/** Well below what either database takes in one statement. */
const AT_ONCE = 500;

/** Asked by every request to an app. */
export const selectNamesOf = prepared(
  (queries: Queries, organisationId: string, accountId: string) =>
    queries
      .selectFrom('group_members as x')
      .innerJoin('organisation_groups as g', 'g.id', 'x.group_id')
      .select('g.name')
      .where('x.organisation_id', '=', organisationId)
      .where('x.account_id', '=', accountId)
      .orderBy('g.name_key'),
  (result) => allRows(result).map(({ name }) => name),
);

export async function selectGroup(queries: Queries, organisationId: string, id: string): Promise<GroupRow | undefined> {
  return queries.selectFrom('organisation_groups').selectAll().where('organisation_id', '=', organisationId).where('id', '=', id).executeTakeFirst();
}

export async function countGroups(queries: Queries, organisationId: string): Promise<number> {
  const { count } = await queries
    .selectFrom('organisation_groups')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('organisation_id', '=', organisationId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** False where the organisation has one of that name. */
export async function insertGroup(transaction: Transaction, row: GroupRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('organisation_groups')
    .values(row)
    .onConflict((conflict) => conflict.columns(['organisation_id', 'name_key']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Whoever changes the same group waits until this is done. Undefined where it is gone. */
export async function lockGroup(transaction: Transaction, organisationId: string, id: string, now: number): Promise<GroupRow | undefined> {
  return transaction
    .updateTable('organisation_groups')
    .set({ updated_at: now })
    .where('organisation_id', '=', organisationId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

export async function hasOtherOfName(
  queries: Queries,
  { organisation_id, id, name_key }: Pick<GroupRow, 'organisation_id' | 'id' | 'name_key'>,
): Promise<boolean> {
  const row = await queries
    .selectFrom('organisation_groups')
    .select('id')
    .where('organisation_id', '=', organisation_id)
    .where('name_key', '=', name_key)
    .where('id', '!=', id)
    .executeTakeFirst();
  return row !== undefined;
}

export async function updateGroup(transaction: Transaction, id: string, set: Pick<GroupRow, 'name' | 'name_key' | 'external_id'>): Promise<void> {
  await transaction.updateTable('organisation_groups').set(set).where('id', '=', id).execute();
}

export async function deleteGroup(transaction: Transaction, organisationId: string, id: string): Promise<GroupRow | undefined> {
  return transaction.deleteFrom('organisation_groups').where('organisation_id', '=', organisationId).where('id', '=', id).returningAll().executeTakeFirst();
}

export interface MemberShown {
  readonly group_id: string;
  readonly account_id: string;
  readonly name: string;
}

export async function selectMembers(queries: Queries, groupIds: readonly string[]): Promise<MemberShown[]> {
  const rows = await inPieces(groupIds, (piece) =>
    queries
      .selectFrom('group_members as x')
      .innerJoin('accounts as a', 'a.id', 'x.account_id')
      .select(['x.group_id', 'x.account_id', 'a.name'])
      .where('x.group_id', 'in', [...piece])
      .orderBy('x.account_id')
      .execute(),
  );
  return rows;
}

export async function selectGroupsOf(
  queries: Queries,
  organisationId: string,
  accountIds: readonly string[],
): Promise<{ account_id: string; id: string; name: string }[]> {
  return inPieces(accountIds, (piece) =>
    queries
      .selectFrom('group_members as x')
      .innerJoin('organisation_groups as g', 'g.id', 'x.group_id')
      .select(['x.account_id', 'g.id', 'g.name'])
      .where('x.organisation_id', '=', organisationId)
      .where('x.account_id', 'in', [...piece])
      .orderBy('g.name_key')
      .execute(),
  );
}

/** Of these, those who belong to the organisation. */
export async function selectBelonging(queries: Queries, organisationId: string, accountIds: readonly string[]): Promise<string[]> {
  const rows = await inPieces(accountIds, (piece) =>
    queries
      .selectFrom('memberships')
      .select('account_id')
      .where('organisation_id', '=', organisationId)
      .where('account_id', 'in', [...piece])
      .execute(),
  );
  return rows.map((row) => row.account_id);
}

export async function insertMembers(transaction: Transaction, { id, organisation_id }: GroupRow, accountIds: readonly string[]): Promise<void> {
  await inPieces(accountIds, async (piece) => {
    await transaction
      .insertInto('group_members')
      .values(piece.map((accountId) => ({ group_id: id, organisation_id, account_id: accountId })))
      .onConflict((conflict) => conflict.columns(['group_id', 'account_id']).doNothing())
      .execute();
    return [];
  });
}

export async function deleteMembers(transaction: Transaction, { id }: GroupRow, accountIds: readonly string[]): Promise<void> {
  await inPieces(accountIds, async (piece) => {
    await transaction
      .deleteFrom('group_members')
      .where('group_id', '=', id)
      .where('account_id', 'in', [...piece])
      .execute();
    return [];
  });
}

async function inPieces<Row>(ids: readonly string[], work: (piece: readonly string[]) => Promise<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) rows.push(...(await work(ids.slice(from, from + AT_ONCE))));
  return rows;
}
