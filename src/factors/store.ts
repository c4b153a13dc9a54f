import type { Queries, Transaction } from '../platform/database/database.ts';
import { allRows, oneRowChanged, prepared } from '../platform/database/prepared.ts';

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
  /** When it may be swept away; null for what stays. Whether it still counts is in the state. */
  expires_at: number | null;
  /** Since when no more tries are taken; null where they are. The limit decides it; here it can be searched for. */
  stopped_at: number | null;
}

export const selectFactors = prepared(
  (queries: Queries, accountId: string) => queries.selectFrom('factors').selectAll().where('account_id', '=', accountId).orderBy('created_at').orderBy('id'),
  allRows,
);

export async function insertFactor(transaction: Transaction, row: FactorRow): Promise<void> {
  await transaction.insertInto('factors').values(row).execute();
}

/** Writes only over the version that was read: of two that race, the second changes no row and is told so. */
export const replaceState = prepared(
  (transaction: Transaction, { id, version, state, usedAt }: { id: string; version: number; state: Uint8Array; usedAt: number }) =>
    transaction
      .updateTable('factors')
      .set((row) => ({ state, version: row('version', '+', 1), last_used_at: usedAt }))
      .where('id', '=', id)
      .where('version', '=', version),
  oneRowChanged,
);

/** Another one in the place of that which was read: made now, and never used. */
export const replaceFactor = prepared(
  (transaction: Transaction, { id, version, state, now }: { id: string; version: number; state: Uint8Array; now: number }) =>
    transaction
      .updateTable('factors')
      .set((row) => ({ state, version: row('version', '+', 1), created_at: now, last_used_at: null }))
      .where('id', '=', id)
      .where('version', '=', version),
  oneRowChanged,
);

/** Of all that an account has of one kind: they share the limit. */
export async function updateStopped(transaction: Transaction, { accountId, kind, at }: { accountId: string; kind: string; at: number | null }): Promise<void> {
  await transaction.updateTable('factors').set({ stopped_at: at }).where('account_id', '=', accountId).where('kind', '=', kind).execute();
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

/** How many that were; those whose time is over too. */
export async function deleteFactorsOfKind(transaction: Transaction, accountId: string, kind: string): Promise<number> {
  const { numDeletedRows } = await transaction.deleteFrom('factors').where('account_id', '=', accountId).where('kind', '=', kind).executeTakeFirst();
  return Number(numDeletedRows);
}

/** Those that are for a while: bypass codes. */
export async function deleteEveryPassingFactor(transaction: Transaction): Promise<void> {
  await transaction.deleteFrom('factors').where('expires_at', 'is not', null).execute();
}
