import { sql } from 'kysely';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { PROVIDER_SECOND_FACTOR } from '../factors/factors.ts';
import { readRole } from '../organisations/organisations.ts';
import { demandOf, INSTALLATION, METHODS, placeFrom } from '../policy/policy.ts';
import type { ListedSession, Proofs, Session } from './sessions.ts';
import { firstRow, nothing, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    sessions: SessionRow;
    app_sessions: AppSessionRow;
    api_keys: ApiKeyRow;
    trusted_devices: TrustedDeviceRow;
  }
}

export interface SessionRow {
  id: string;
  token_hash: string;
  account_id: string;
  /** JSON of Proofs. */
  proofs: string;
  browser_hash: string;
  /** JSON of FailedTries; null once seen. */
  failed_tries: string | null;
  user_agent: string;
  address: string;
  created_at: number;
  last_seen_at: number;
  expires_at: number;
}

/** A session in front of an app: it is the same session, by a cookie that counts on one host. It goes with the session. */
export interface AppSessionRow {
  session_id: string;
  host: string;
  token_hash: string;
}

export const insertSession = prepared((transaction: Transaction, row: SessionRow) => transaction.insertInto('sessions').values(row), nothing);

/** Session, account, methods and policies in one query: this runs at every request of a signed-in person. A row for each organisation that they belong to. */
function wholeSessions(queries: Queries) {
  return queries
    .selectFrom('sessions as s')
    .innerJoin('accounts as a', 'a.id', 's.account_id')
    .leftJoin('memberships as m', 'm.account_id', 's.account_id')
    .leftJoin('policies as p', 'p.id', 'm.organisation_id')
    .leftJoin('policy_deadlines as d', (join) => join.onRef('d.account_id', '=', 'm.account_id').onRef('d.organisation_id', '=', 'm.organisation_id'))
    .innerJoin('policies as i', (join) => join.on('i.id', '=', INSTALLATION))
    .select(['s.id', 's.proofs', 's.created_at', 's.last_seen_at', 's.expires_at', 's.user_agent', 's.address', 's.failed_tries'])
    .select(['a.id as account_id', 'a.email', 'a.email_verified_at', 'a.name', 'a.language', 'a.password_changed_at', 'a.created_at as account_created_at'])
    .select(['m.organisation_id', 'm.role', 'm.joined_at', 'm.suspended_at', 'd.deadline_at'])
    .select([sql<string>`coalesce(p.rules, i.rules)`.as('rules'), sql<number>`coalesce(p.tightened_at, i.tightened_at)`.as('tightened_at')])
    .select((select) =>
      METHODS.map(({ kind }) =>
        select
          .exists(select.selectFrom('factors as f').select('f.id').whereRef('f.account_id', '=', 'a.id').where('f.kind', '=', kind))
          .as(`holds ${kind}` as const),
      ),
    );
}

type WholeRow = Awaited<ReturnType<ReturnType<typeof wholeSessions>['execute']>>[number];

export const selectSession = prepared((queries: Queries, tokenHash: string) => wholeSessions(queries).where('s.token_hash', '=', tokenHash), readWhole);

/** The session behind the cookie of an app, which counts on that host alone. */
export const selectSessionOfApp = prepared(
  (queries: Queries, tokenHash: string, host: string) =>
    wholeSessions(queries).innerJoin('app_sessions as x', 'x.session_id', 's.id').where('x.token_hash', '=', tokenHash).where('x.host', '=', host),
  readWhole,
);

function readWhole({ rows }: { rows: readonly WholeRow[] }): Session | undefined {
  const [row] = rows;
  // Whoever is suspended wherever they belong is nowhere signed in, see organisations.ts.
  const open = rows.filter((one) => one.suspended_at === null);
  if (!row || open.length === 0) return undefined;
  const session = sessionFrom(row);
  return {
    ...session,
    proofs: proofsUnder(rows, session),
    account: {
      id: row.account_id,
      email: row.email,
      emailVerifiedAt: row.email_verified_at,
      name: row.name,
      language: row.language,
      passwordChangedAt: row.password_changed_at,
      createdAt: row.account_created_at,
      administers: open.some(({ role }) => role !== null && role !== 'member'),
    },
    demand: demandOf(rows.map(placeFrom), METHODS),
    // 1 on SQLite, true on PostgreSQL.
    held: METHODS.map(({ kind }) => kind).filter((kind) => Boolean(row[`holds ${kind}`])),
    roles: new Map(open.flatMap((one) => (one.organisation_id === null || one.role === null ? [] : [[one.organisation_id, readRole(one.role)]]))),
  };
}

/**
 * A provider's second factor counts in the organisation whose owner answers for it (AL-8). Whoever joins another one with the session open comes under a policy that
 * was not asked.
 */
function proofsUnder(rows: readonly Pick<WholeRow, 'joined_at'>[], { proofs, createdAt }: Pick<ListedSession, 'proofs' | 'createdAt'>): Proofs {
  if (proofs[PROVIDER_SECOND_FACTOR] === undefined || !rows.some(({ joined_at: joinedAt }) => joinedAt !== null && joinedAt > createdAt)) return proofs;
  return Object.fromEntries(Object.entries(proofs).filter(([kind]) => kind !== PROVIDER_SECOND_FACTOR));
}

/** One for each session and host: a newer cookie takes the place of the older. */
export async function putAppSession(transaction: Transaction, row: AppSessionRow): Promise<void> {
  await transaction
    .insertInto('app_sessions')
    .values(row)
    .onConflict((conflict) => conflict.columns(['session_id', 'host']).doUpdateSet({ token_hash: row.token_hash }))
    .execute();
}

export async function selectSessions(queries: Queries, accountId: string): Promise<ListedSession[]> {
  const rows = await queries.selectFrom('sessions').selectAll().where('account_id', '=', accountId).orderBy('last_seen_at', 'desc').limit(200).execute();
  return rows.map(sessionFrom);
}

export async function selectProofs(transaction: Transaction, accountId: string): Promise<{ id: string; proofs: Proofs }[]> {
  const rows = await transaction.selectFrom('sessions').select(['id', 'proofs']).where('account_id', '=', accountId).execute();
  return rows.map((row) => ({ id: row.id, proofs: JSON.parse(row.proofs) as Proofs }));
}

export async function updateProofs(transaction: Transaction, id: string, proofs: string): Promise<void> {
  await transaction.updateTable('sessions').set({ proofs }).where('id', '=', id).execute();
}

export async function updateSeen(queries: Queries, id: string, now: number): Promise<void> {
  await queries.updateTable('sessions').set({ last_seen_at: now }).where('id', '=', id).execute();
}

/** False where the session has ended. */
export async function updateToken(transaction: Transaction, id: string, set: { token_hash: string; proofs: string; expires_at: number }): Promise<boolean> {
  const { numUpdatedRows } = await transaction.updateTable('sessions').set(set).where('id', '=', id).executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function updateFailedTries(transaction: Transaction, id: string, failedTries: string | null): Promise<void> {
  await transaction.updateTable('sessions').set({ failed_tries: failedTries }).where('id', '=', id).execute();
}

export const deleteSessionsOfBrowser = prepared(
  (transaction: Transaction, browserHash: string) => transaction.deleteFrom('sessions').where('browser_hash', '=', browserHash),
  nothing,
);

export async function deleteSession(transaction: Transaction, id: string): Promise<void> {
  await transaction.deleteFrom('sessions').where('id', '=', id).execute();
}

export async function deleteSessionOf(transaction: Transaction, accountId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await transaction.deleteFrom('sessions').where('id', '=', id).where('account_id', '=', accountId).executeTakeFirst();
  return numDeletedRows > 0n;
}

export async function deleteSessions(transaction: Transaction, accountId: string, except: string | undefined): Promise<void> {
  let query = transaction.deleteFrom('sessions').where('account_id', '=', accountId);
  if (except !== undefined) query = query.where('id', '!=', except);
  await query.execute();
}

function sessionFrom(row: Omit<SessionRow, 'token_hash' | 'account_id' | 'browser_hash'>): ListedSession {
  return {
    id: row.id,
    proofs: JSON.parse(row.proofs) as Proofs,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    userAgent: row.user_agent,
    address: row.address,
    failedTries: row.failed_tries === null ? undefined : (JSON.parse(row.failed_tries) as Session['failedTries']),
  };
}

export interface ApiKeyRow {
  id: string;
  organisation_id: string;
  /** An account, and a member of the organisation: the key goes with the membership. */
  made_by: string;
  name: string;
  token_hash: string;
  role: string;
  /** JSON: names of scopes. */
  scopes: string;
  created_at: number;
  expires_at: number;
  last_used_at: number | null;
  /** Until when its maker stands by it; null where they never did. */
  vouched_until: number | null;
}

/** With whoever made it, as they are now. */
export interface ApiKeyShown extends Omit<ApiKeyRow, 'token_hash'> {
  maker_name: string;
  maker_email: string;
  maker_role: string;
  /** Since when they are suspended; null where they are not. */
  maker_suspended_at: number | null;
}

const selectKeys = (queries: Queries) =>
  queries
    .selectFrom('api_keys as k')
    .innerJoin('memberships as m', (join) => join.onRef('m.organisation_id', '=', 'k.organisation_id').onRef('m.account_id', '=', 'k.made_by'))
    .innerJoin('accounts as a', 'a.id', 'k.made_by')
    .select(['k.id', 'k.organisation_id', 'k.made_by', 'k.name', 'k.role', 'k.scopes', 'k.created_at', 'k.expires_at', 'k.last_used_at', 'k.vouched_until'])
    .select(['m.role as maker_role', 'm.suspended_at as maker_suspended_at', 'a.name as maker_name', 'a.email as maker_email']);

export interface ApiKeyFound extends ApiKeyShown {
  organisation_name: string;
}

/** Runs at every request of a program. */
export const selectApiKeyOfToken = prepared(
  (queries: Queries, tokenHash: string) =>
    selectKeys(queries)
      .innerJoin('organisations as o', 'o.id', 'k.organisation_id')
      .select('o.name as organisation_name')
      .where('k.token_hash', '=', tokenHash),
  firstRow<ApiKeyFound>,
);

export async function selectApiKeys(queries: Queries, organisationId: string): Promise<ApiKeyShown[]> {
  return selectKeys(queries).where('k.organisation_id', '=', organisationId).orderBy('k.created_at', 'desc').orderBy('k.id').execute();
}

export async function countApiKeys(queries: Queries, organisationId: string): Promise<number> {
  const { count } = await queries
    .selectFrom('api_keys')
    .select((select) => select.fn.countAll().as('count'))
    .where('organisation_id', '=', organisationId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function insertApiKey(transaction: Transaction, row: ApiKeyRow): Promise<void> {
  await transaction.insertInto('api_keys').values(row).execute();
}

/** Of two that race one deletes the row. */
export async function deleteApiKey(transaction: Transaction, id: string): Promise<boolean> {
  const { numDeletedRows } = await transaction.deleteFrom('api_keys').where('id', '=', id).executeTakeFirst();
  return numDeletedRows === 1n;
}

/** False where the key is gone. */
export async function updateVouched(transaction: Transaction, id: string, until: number): Promise<boolean> {
  const { numUpdatedRows } = await transaction.updateTable('api_keys').set({ vouched_until: until }).where('id', '=', id).executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function updateUsed(transaction: Transaction, id: string, now: number): Promise<void> {
  await transaction.updateTable('api_keys').set({ last_used_at: now }).where('id', '=', id).execute();
}

export interface TrustedDeviceRow {
  id: string;
  account_id: string;
  token_hash: string;
  browser_hash: string;
  user_agent: string;
  address: string;
  /** When the second factor was shown. */
  created_at: number;
  last_used_at: number;
  expires_at: number;
}

/** In the place of whoever that browser was remembered for before. */
export async function putDevice(transaction: Transaction, row: TrustedDeviceRow): Promise<void> {
  await transaction
    .insertInto('trusted_devices')
    .values(row)
    .onConflict((conflict) => conflict.column('browser_hash').doUpdateSet(row))
    .execute();
}

export async function selectDevice(queries: Queries, { accountId, id }: { accountId: string; id: string }): Promise<TrustedDeviceRow | undefined> {
  return queries.selectFrom('trusted_devices').selectAll().where('id', '=', id).where('account_id', '=', accountId).executeTakeFirst();
}

/** The one last used first. */
export async function selectDevices(queries: Queries, accountId: string): Promise<TrustedDeviceRow[]> {
  return queries.selectFrom('trusted_devices').selectAll().where('account_id', '=', accountId).orderBy('last_used_at', 'desc').orderBy('id').execute();
}

/** False where the token is not the one that counts, or the browser another. */
export async function replaceDeviceToken(
  transaction: Transaction,
  { id, from, browserHash, to, now }: { id: string; from: string; browserHash: string; to: string; now: number },
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('trusted_devices')
    .set({ token_hash: to, last_used_at: now })
    .where('id', '=', id)
    .where('token_hash', '=', from)
    .where('browser_hash', '=', browserHash)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function deleteDevice(transaction: Transaction, { accountId, id }: { accountId: string; id: string }): Promise<void> {
  await transaction.deleteFrom('trusted_devices').where('id', '=', id).where('account_id', '=', accountId).execute();
}

export async function deleteDevices(transaction: Transaction, accountId: string): Promise<void> {
  await transaction.deleteFrom('trusted_devices').where('account_id', '=', accountId).execute();
}

/** That of the browser of a session. */
export async function deleteDeviceOfSession(transaction: Transaction, { accountId, sessionId }: { accountId: string; sessionId: string }): Promise<void> {
  await transaction
    .deleteFrom('trusted_devices')
    .where('account_id', '=', accountId)
    .where('browser_hash', 'in', (select) =>
      select.selectFrom('sessions').select('browser_hash').where('id', '=', sessionId).where('account_id', '=', accountId),
    )
    .execute();
}

export async function deleteSessionsInBrowser(
  transaction: Transaction,
  { accountId, browserHash, exceptSession }: { accountId: string; browserHash: string; exceptSession: string },
): Promise<void> {
  await transaction
    .deleteFrom('sessions')
    .where('account_id', '=', accountId)
    .where('browser_hash', '=', browserHash)
    .where('id', '!=', exceptSession)
    .execute();
}

/** Whoever is signed in, every browser that is remembered, and every key of a program. */
export async function deleteEverySession(transaction: Transaction): Promise<void> {
  for (const table of ['sessions', 'trusted_devices', 'api_keys'] as const) await transaction.deleteFrom(table).execute();
}
