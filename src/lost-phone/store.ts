import type { Queries, Transaction } from '../platform/database/database.ts';
import { firstRow, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    method_resets: ResetRow;
    help_requests: RequestRow;
  }
}

export interface ResetRow {
  id: string;
  account_id: string;
  organisation_id: string;
  /** An account. */
  asked_by: string;
  asked_at: number;
  /** Not before; epoch milliseconds. */
  due_at: number;
  /** 0 or 1. */
  needs_approval: number;
  /** An account; null until somebody agreed. */
  approved_by: string | null;
  stop_token_hash: string;
  reason: string;
  identity_check: string;
}

export interface ResetWithName extends ResetRow {
  organisation_name: string;
}

export async function insertReset(transaction: Transaction, row: ResetRow): Promise<void> {
  await transaction.insertInto('method_resets').values(row).execute();
}

const withName = (queries: Queries) =>
  queries.selectFrom('method_resets as r').innerJoin('organisations as o', 'o.id', 'r.organisation_id').selectAll('r').select('o.name as organisation_name');

export const selectReset = prepared((queries: Queries, accountId: string) => withName(queries).where('r.account_id', '=', accountId), firstRow);

export async function selectResetOfToken(queries: Queries, tokenHash: string): Promise<ResetWithName | undefined> {
  return withName(queries).where('r.stop_token_hash', '=', tokenHash).executeTakeFirst();
}

/** Those whose time has come, and those to which nobody agreed since `askedBefore`. */
export async function selectWhoIsDue(queries: Queries, { now, askedBefore, most }: { now: number; askedBefore: number; most: number }): Promise<string[]> {
  const rows = await queries
    .selectFrom('method_resets')
    .select('account_id')
    .where('due_at', '<=', now)
    .where((where) => where.or([where('needs_approval', '=', 0), where('approved_by', 'is not', null), where('asked_at', '<=', askedBefore)]))
    .orderBy('due_at')
    .limit(most)
    .execute();
  return rows.map((row) => row.account_id);
}

/** Of those who race to agree one does, and never whoever asked. */
export async function approveReset(transaction: Transaction, id: string, by: string): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('method_resets')
    .set({ approved_by: by })
    .where('id', '=', id)
    .where('needs_approval', '=', 1)
    .where('approved_by', 'is', null)
    .where('asked_by', '<>', by)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Whoever deletes it decides what becomes of it: of stopping and happening, at one moment, one is. */
export async function takeReset(transaction: Transaction, id: string): Promise<boolean> {
  const { numDeletedRows } = await transaction.deleteFrom('method_resets').where('id', '=', id).executeTakeFirst();
  return numDeletedRows === 1n;
}

/** The same, where nothing stands in its way at `now`. */
export async function takeDueReset(transaction: Transaction, id: string, now: number): Promise<boolean> {
  const { numDeletedRows } = await transaction
    .deleteFrom('method_resets')
    .where('id', '=', id)
    .where('due_at', '<=', now)
    .where((where) => where.or([where('needs_approval', '=', 0), where('approved_by', 'is not', null)]))
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

export interface RequestRow {
  account_id: string;
  asked_at: number;
  expires_at: number;
  /** What whoever asks wrote. */
  words: string;
  address: string;
  user_agent: string;
  /** 0 or 1. */
  browser_known: number;
}

export async function selectRequest(queries: Queries, accountId: string): Promise<RequestRow | undefined> {
  return queries.selectFrom('help_requests').selectAll().where('account_id', '=', accountId).executeTakeFirst();
}

/** Over one that is old. */
export async function putRequest(transaction: Transaction, row: RequestRow): Promise<void> {
  await transaction
    .insertInto('help_requests')
    .values(row)
    .onConflict((conflict) => conflict.column('account_id').doUpdateSet(row))
    .execute();
}

export async function selectRequests(
  queries: Queries,
  { organisationId, now, most }: { organisationId: string; now: number; most: number },
): Promise<RequestRow[]> {
  return queries
    .selectFrom('help_requests as h')
    .innerJoin('memberships as m', 'm.account_id', 'h.account_id')
    .selectAll('h')
    .where('m.organisation_id', '=', organisationId)
    .where('h.expires_at', '>', now)
    .orderBy('h.asked_at', 'desc')
    .limit(most)
    .execute();
}

export async function takeRequest(transaction: Transaction, accountId: string): Promise<boolean> {
  const { numDeletedRows } = await transaction.deleteFrom('help_requests').where('account_id', '=', accountId).executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function deleteEveryReset(transaction: Transaction): Promise<void> {
  await transaction.deleteFrom('method_resets').execute();
}
