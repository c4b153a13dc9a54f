import type { Queries, Transaction } from '../platform/database/database.ts';
import { firstRow, nothing, oneRowChanged, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    attempts: AttemptRow;
  }
}

export interface AttemptRow {
  id: string;
  /** Of the attempt cookie's token, or of the session that it belongs to. */
  holder_hash: string;
  purpose: string;
  account_id: string;
  session_id: string | null;
  /** Sealed JSON of AttemptState. */
  state: Uint8Array;
  version: number;
  created_at: number;
  expires_at: number;
}

export const selectAttempt = prepared(
  (queries: Queries, holderHash: string, purpose: string) =>
    queries.selectFrom('attempts').selectAll().where('holder_hash', '=', holderHash).where('purpose', '=', purpose),
  firstRow,
);

/** A holder has one attempt of a purpose: a new one takes the place of the old, also of one that was begun by another click at the same moment. */
export const putAttempt = prepared(
  (transaction: Transaction, row: AttemptRow) =>
    transaction
      .insertInto('attempts')
      .values(row)
      .onConflict((conflict) => conflict.columns(['holder_hash', 'purpose']).doUpdateSet(row)),
  nothing,
);

/** False where the attempt has moved on or ended since it was read. */
export const updateAttempt = prepared(
  (transaction: Transaction, { id, version, state }: { id: string; version: number; state: Uint8Array }) =>
    transaction
      .updateTable('attempts')
      .set((row) => ({ state, version: row('version', '+', 1) }))
      .where('id', '=', id)
      .where('version', '=', version),
  oneRowChanged,
);

export const deleteAttempt = prepared(
  (transaction: Transaction, { id, version }: { id: string; version: number }) =>
    transaction.deleteFrom('attempts').where('id', '=', id).where('version', '=', version),
  oneRowChanged,
);

export async function deleteAttempts(transaction: Transaction, accountId: string, exceptId: string | undefined): Promise<void> {
  let query = transaction.deleteFrom('attempts').where('account_id', '=', accountId);
  if (exceptId !== undefined) query = query.where('id', '!=', exceptId);
  await query.execute();
}

export async function deleteEveryAttempt(transaction: Transaction): Promise<void> {
  await transaction.deleteFrom('attempts').execute();
}
