import type { Queries, Transaction } from '../database/database.ts';
import { allRows, prepared } from '../database/prepared.ts';

declare module '../database/database.ts' {
  interface Tables {
    outbox: OutboxRow;
  }
}

export interface OutboxRow {
  id: string;
  /** Sealed JSON of a Message: a dump of the database must not hold codes. */
  message: Uint8Array;
  created_at: number;
  next_try_at: number;
  /** After this it is worth nothing and is not sent. */
  expires_at: number;
  tries: number;
  /** Set where sent mail is kept, for the page that shows it in development. */
  sent_at: number | null;
}

export async function insertMail(transaction: Transaction, row: OutboxRow): Promise<void> {
  await transaction.insertInto('outbox').values(row).execute();
}

/** Looked for behind every form that was sent. */
export const selectDue = prepared(
  (queries: Queries, now: number, most: number) =>
    queries.selectFrom('outbox').selectAll().where('sent_at', 'is', null).where('next_try_at', '<=', now).orderBy('created_at').limit(most),
  allRows<OutboxRow>,
);

/** Of two workers that saw the same row, one claims it: until `until` it is nobody else's. Returns the row as it is then. */
export async function claim(queries: Queries, row: OutboxRow, until: number): Promise<OutboxRow | undefined> {
  const claimed = { ...row, next_try_at: until, tries: row.tries + 1 };
  const { numUpdatedRows } = await queries
    .updateTable('outbox')
    .set({ next_try_at: claimed.next_try_at, tries: claimed.tries })
    .where('id', '=', row.id)
    .where('tries', '=', row.tries)
    .where('next_try_at', '=', row.next_try_at)
    .where('sent_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n ? claimed : undefined;
}

/** Only of a row that is still this worker's. */
export async function retryAt(queries: Queries, { id, tries }: OutboxRow, at: number): Promise<void> {
  await queries.updateTable('outbox').set({ next_try_at: at }).where('id', '=', id).where('tries', '=', tries).execute();
}

export async function markSent(queries: Queries, id: string, at: number): Promise<void> {
  await queries.updateTable('outbox').set({ sent_at: at }).where('id', '=', id).execute();
}

export async function deleteMail(queries: Queries, id: string): Promise<void> {
  await queries.deleteFrom('outbox').where('id', '=', id).execute();
}

export async function selectSent(queries: Queries, most: number): Promise<OutboxRow[]> {
  return queries.selectFrom('outbox').selectAll().where('sent_at', 'is not', null).orderBy('created_at', 'desc').orderBy('id').limit(most).execute();
}

export async function deleteEveryMail(transaction: Transaction): Promise<void> {
  await transaction.deleteFrom('outbox').execute();
}
