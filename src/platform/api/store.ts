import { sql } from 'kysely';
import type { Queries } from '../database/database.ts';

declare module '../database/database.ts' {
  interface Tables {
    idempotency_keys: IdempotencyKeyRow;
  }
}

export interface IdempotencyKeyRow {
  /** A keyed hash of who asks and the key that they gave. */
  id: string;
  /** A keyed hash of the operation and what it was sent. */
  request_hash: string;
  /** Sealed; null while it is being done. */
  answer: Uint8Array | null;
  claimed_at: number;
  expires_at: number;
}

/**
 * One statement decides who does it: whoever writes the row. Over a row that is there it writes only where that has expired, or the very same request was begun
 * before `staleBefore` and never ended.
 */
export async function claimRow(queries: Queries, row: Omit<IdempotencyKeyRow, 'answer'>, staleBefore: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await queries
    .insertInto('idempotency_keys')
    .values({ ...row, answer: null })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ request_hash: row.request_hash, answer: null, claimed_at: row.claimed_at, expires_at: row.expires_at })
        .where((where) =>
          where.or([
            where('idempotency_keys.expires_at', '<=', row.claimed_at),
            where.and([
              where('idempotency_keys.answer', 'is', null),
              where('idempotency_keys.claimed_at', '<', staleBefore),
              where('idempotency_keys.request_hash', '=', sql.val(row.request_hash)),
            ]),
          ]),
        ),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function selectRow(queries: Queries, id: string): Promise<IdempotencyKeyRow | undefined> {
  return queries.selectFrom('idempotency_keys').selectAll().where('id', '=', id).executeTakeFirst();
}

/** By whoever claimed it, and nobody who came later. */
export async function writeAnswer(queries: Queries, { id, claimed_at }: Pick<IdempotencyKeyRow, 'id' | 'claimed_at'>, answer: Uint8Array): Promise<void> {
  await queries.updateTable('idempotency_keys').set({ answer }).where('id', '=', id).where('claimed_at', '=', claimed_at).execute();
}

export async function deleteRow(queries: Queries, { id, claimed_at }: Pick<IdempotencyKeyRow, 'id' | 'claimed_at'>): Promise<void> {
  await queries.deleteFrom('idempotency_keys').where('id', '=', id).where('claimed_at', '=', claimed_at).where('answer', 'is', null).execute();
}
