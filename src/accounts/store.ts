import { sql } from 'kysely';
import { lockingRows, type Queries, type Transaction } from '../platform/database/database.ts';
import { firstRow, nothing, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    accounts: AccountRow;
    known_browsers: KnownBrowserRow;
    password_resets: PasswordResetRow;
  }
}

export interface AccountRow {
  id: string;
  email: string;
  /** The address in lower case; unique among verified accounts. */
  email_key: string;
  email_verified_at: number | null;
  name: string;
  /** The name in lower case, for searching. */
  name_key: string;
  language: string;
  /** A PHC string. */
  password_hash: string;
  password_changed_at: number;
  sign_up_browser_hash: string;
  created_at: number;
  /** When all methods were taken away; null again once one is set up. */
  methods_reset_at: number | null;
}

export interface KnownBrowserRow {
  account_id: string;
  browser_hash: string;
  first_seen_at: number;
  last_seen_at: number;
}

export interface PasswordResetRow {
  token_hash: string;
  account_id: string;
  expires_at: number;
}

export const isUnverified = sql`email_verified_at is null`;

export async function insertAccount(transaction: Transaction, row: AccountRow): Promise<void> {
  await transaction.insertInto('accounts').values(row).execute();
}

export const selectAccount = prepared((queries: Queries, id: string) => queries.selectFrom('accounts').selectAll().where('id', '=', id), firstRow);

export const selectVerified = prepared(
  (queries: Queries, emailKey: string) =>
    queries.selectFrom('accounts').selectAll().where('email_key', '=', emailKey).where('email_verified_at', 'is not', null),
  firstRow,
);

/** The newest that was made in this browser and not verified. */
export const selectUnverified = prepared(
  (queries: Queries, emailKey: string, browserHash: string) =>
    queries
      .selectFrom('accounts')
      .selectAll()
      .where('email_key', '=', emailKey)
      .where('sign_up_browser_hash', '=', browserHash)
      .where('email_verified_at', 'is', null)
      .orderBy('created_at', 'desc')
      .orderBy('id'),
  firstRow,
);

export const lockAccount = prepared(
  (transaction: Transaction, id: string) => transaction.selectFrom('accounts').selectAll().where('id', '=', id).$call(lockingRows(transaction)),
  firstRow,
);

export async function updateAccount(transaction: Transaction, id: string, set: Partial<Omit<AccountRow, 'id'>>): Promise<void> {
  await transaction.updateTable('accounts').set(set).where('id', '=', id).execute();
}

/** A better hash of the same password, unless the password was changed meanwhile. */
export async function replaceHash(transaction: Transaction, id: string, { before, after }: { before: string; after: string }): Promise<void> {
  await transaction.updateTable('accounts').set({ password_hash: after }).where('id', '=', id).where('password_hash', '=', before).execute();
}

export async function deleteAccount(transaction: Transaction, id: string): Promise<void> {
  await transaction.deleteFrom('accounts').where('id', '=', id).execute();
}

export async function deleteUnverified(transaction: Transaction, emailKey: string): Promise<void> {
  await transaction.deleteFrom('accounts').where('email_key', '=', emailKey).where('email_verified_at', 'is', null).execute();
}

export const rememberBrowser = prepared(
  (transaction: Transaction, row: KnownBrowserRow) =>
    transaction
      .insertInto('known_browsers')
      .values(row)
      .onConflict((conflict) => conflict.columns(['account_id', 'browser_hash']).doUpdateSet({ last_seen_at: row.last_seen_at })),
  nothing,
);

export const knowsBrowser = prepared(
  (queries: Queries, accountId: string, browserHash: string) =>
    queries.selectFrom('known_browsers').select('account_id').where('account_id', '=', accountId).where('browser_hash', '=', browserHash),
  ({ rows }) => rows.length > 0,
);

export async function forgetBrowsers(transaction: Transaction, accountId: string, exceptHash: string | undefined): Promise<void> {
  let query = transaction.deleteFrom('known_browsers').where('account_id', '=', accountId);
  if (exceptHash !== undefined) query = query.where('browser_hash', '!=', exceptHash);
  await query.execute();
}

export async function deletePasswordResets(transaction: Transaction, accountId: string): Promise<void> {
  await transaction.deleteFrom('password_resets').where('account_id', '=', accountId).execute();
}

/** One a person: a newer link takes the place of the older. */
export async function putPasswordReset(transaction: Transaction, row: PasswordResetRow): Promise<void> {
  await transaction.deleteFrom('password_resets').where('account_id', '=', row.account_id).execute();
  await transaction.insertInto('password_resets').values(row).execute();
}

/** Single use: the row is deleted and handed back in one statement, so of two that race one gets it. */
export async function takePasswordReset(transaction: Transaction, tokenHash: string): Promise<PasswordResetRow | undefined> {
  return transaction.deleteFrom('password_resets').where('token_hash', '=', tokenHash).returningAll().executeTakeFirst();
}

export async function deleteEveryPasswordReset(transaction: Transaction): Promise<void> {
  await transaction.deleteFrom('password_resets').execute();
}
