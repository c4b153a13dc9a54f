import type { Queries, Transaction } from '../platform/database/database.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    factors: FactorRow;
  }
}

export interface FactorRow {
  id: string;
  account_id: string;
  kind: string;
  /** The kind where an account has at most one, else the row's own id; unique for an account. */
  slot: string;
  name: string;
  /** Sealed JSON, of the shape that the factor declares. */
  state: Uint8Array;
  version: number;
  created_at: number;
  last_used_at: number | null;
}

export async function selectFactors(queries: Queries, accountId: string): Promise<FactorRow[]> {
  return queries.selectFrom('factors').selectAll().where('account_id', '=', accountId).orderBy('created_at').orderBy('id').execute();
}

export async function insertFactor(transaction: Transaction, row: FactorRow): Promise<void> {
  await transaction.insertInto('factors').values(row).execute();
}

/** Writes only over the version that was read: of two that race, the second changes no row and is told so. */
export async function replaceState(
  transaction: Transaction,
  { id, version, state, usedAt }: { id: string; version: number; state: Uint8Array; usedAt: number | null },
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('factors')
    .set({ state, version: version + 1, ...(usedAt === null ? {} : { last_used_at: usedAt }) })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function renameFactor(transaction: Transaction, accountId: string, id: string, name: string): Promise<boolean> {
  const { numUpdatedRows } = await transaction.updateTable('factors').set({ name }).where('account_id', '=', accountId).where('id', '=', id).executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function deleteFactor(transaction: Transaction, accountId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await transaction.deleteFrom('factors').where('account_id', '=', accountId).where('id', '=', id).executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function deleteFactors(transaction: Transaction, accountId: string): Promise<void> {
  await transaction.deleteFrom('factors').where('account_id', '=', accountId).execute();
}
