import type { Queries, Transaction } from '../platform/database/database.ts';
import { allRows, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    apps: AppRow;
    app_codes: AppCodeRow;
  }
}

export interface AppRow {
  id: string;
  organisation_id: string;
  name: string;
  /** In lower case, with the port where it has one; '*.' before it stands for one label. */
  host: string;
  /** JSON of Rule[]. */
  rules: string;
  last_rule: string;
  created_at: number;
}

export interface AppCodeRow {
  code_hash: string;
  session_id: string;
  host: string;
  browser_hash: string;
  target: string;
  expires_at: number;
}

/** Of a host itself, or of the wildcard above it. */
export const selectAppsOfHost = prepared(
  (queries: Queries, host: string, wildcard: string) =>
    queries
      .selectFrom('apps')
      .selectAll()
      .where((where) => where.or([where('host', '=', host), where('host', '=', wildcard)])),
  allRows,
);

export async function selectApps(queries: Queries, organisationIds: readonly string[]): Promise<AppRow[]> {
  if (organisationIds.length === 0) return [];
  return queries.selectFrom('apps').selectAll().where('organisation_id', 'in', organisationIds).orderBy('name').orderBy('host').execute();
}

export async function selectAllApps(queries: Queries): Promise<(AppRow & { organisation_name: string })[]> {
  return queries
    .selectFrom('apps as a')
    .innerJoin('organisations as o', 'o.id', 'a.organisation_id')
    .selectAll('a')
    .select('o.name as organisation_name')
    .orderBy('a.host')
    .execute();
}

export async function selectApp(queries: Queries, organisationId: string, id: string): Promise<AppRow | undefined> {
  return queries.selectFrom('apps').selectAll().where('organisation_id', '=', organisationId).where('id', '=', id).executeTakeFirst();
}

/** Whether an app of another organisation is at one of these hosts, or below a wildcard, by one label. */
export async function isAppOfOthers(
  queries: Queries,
  { organisationId, hosts, below }: { organisationId: string; hosts: readonly string[]; below: string },
): Promise<boolean> {
  const found = await queries
    .selectFrom('apps')
    .select('host')
    .where('organisation_id', '!=', organisationId)
    // No sign that a pattern has a meaning for stands in a host.
    .where((where) => where.or([where('host', 'in', hosts), ...(below === '' ? [] : [where('host', 'like', `%${below}`)])]))
    .execute();
  return found.some(({ host }) => hosts.includes(host) || !host.slice(0, -below.length).includes('.'));
}

export async function countApps(queries: Queries, organisationId: string): Promise<number> {
  const { count } = await queries
    .selectFrom('apps')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('organisation_id', '=', organisationId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** False where the host has an app already. */
export async function insertApp(transaction: Transaction, row: AppRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('apps')
    .values(row)
    .onConflict((conflict) => conflict.column('host').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function updateApp(transaction: Transaction, id: string, set: Pick<AppRow, 'name' | 'rules' | 'last_rule'>): Promise<void> {
  await transaction.updateTable('apps').set(set).where('id', '=', id).execute();
}

export async function deleteApp(transaction: Transaction, organisationId: string, id: string): Promise<AppRow | undefined> {
  return transaction.deleteFrom('apps').where('organisation_id', '=', organisationId).where('id', '=', id).returningAll().executeTakeFirst();
}

export async function insertCode(transaction: Transaction, row: AppCodeRow): Promise<void> {
  await transaction.insertInto('app_codes').values(row).execute();
}

/** Single use: the row is deleted and handed back in one statement, so of two that race one gets it. */
export async function takeCode(transaction: Transaction, codeHash: string): Promise<AppCodeRow | undefined> {
  return transaction.deleteFrom('app_codes').where('code_hash', '=', codeHash).returningAll().executeTakeFirst();
}
