import { sql } from 'kysely';
import type { Database, Queries, Transaction } from '../platform/database/database.ts';
import { allRows, nothing, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    audit_events: AuditEventRow;
    audit_heads: AuditHeadRow;
  }
}

export interface AuditEventRow {
  id: string;
  at: number;
  event: string;
  account_id: string | null;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  /** JSON. */
  details: string;
  /** Its place in the chain, from 1 on; null until it was chained, which is soon after it was written. */
  sequence: number | null;
  hash: string | null;
}

/** The chain's end: what is cut off behind it is missed. */
export interface AuditHeadRow {
  id: string;
  sequence: number;
  hash: string;
  /** A keyed hash of the two, which nobody can make who has the database alone. */
  seal: string;
}

export interface Link {
  readonly id: string;
  readonly sequence: number;
  readonly hash: string;
}

const HEAD = 'head';
/** An arbitrary number that only the chaining locks in a PostgreSQL database. */
const LOCK = 3_716_902_245;

export const insertEvent = prepared((transaction: Transaction, row: AuditEventRow) => transaction.insertInto('audit_events').values(row), nothing);

const SHOWN_MOST = 100;

/** The event that starts the count anew. It and the limits are written out, since SQLite prepares a statement again whenever such a value is bound. */
const ENTERED = sql.lit('authn_login_success');

/** Those since the account was last entered, the newest first, at most a hundred. */
export const selectSinceEntered = prepared(
  (queries: Queries, accountId: string, events: readonly string[]) =>
    queries
      .selectFrom('audit_events')
      .selectAll()
      .where('account_id', '=', accountId)
      .where((row) => {
        const entries = row.selectFrom('audit_events').select('at').where('account_id', '=', accountId).where('event', '=', ENTERED);
        return row('at', '>', row.fn.coalesce(entries.orderBy('at', 'desc').limit(sql.lit(1)), row.lit(0)));
      })
      .where('event', 'in', events)
      .orderBy('at', 'desc')
      .limit(sql.lit(SHOWN_MOST)),
  allRows,
);

/** False where another process is chaining now. On SQLite the transaction itself is the lock. */
export async function lockChain({ engine }: Pick<Database, 'engine'>, transaction: Transaction): Promise<boolean> {
  if (engine === 'sqlite') return true;
  const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(${LOCK}) as locked`.execute(transaction);
  return rows[0]?.locked === true;
}

export async function selectUnchained(queries: Queries, most: number): Promise<AuditEventRow[]> {
  return queries.selectFrom('audit_events').selectAll().where('sequence', 'is', null).orderBy('at').orderBy('id').limit(most).execute();
}

export async function countUnchained(queries: Queries): Promise<number> {
  const { count } = await queries
    .selectFrom('audit_events')
    .select((select) => select.fn.countAll().as('count'))
    .where('sequence', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function selectChained(queries: Queries, after: number, most: number): Promise<AuditEventRow[]> {
  return queries.selectFrom('audit_events').selectAll().where('sequence', '>', after).orderBy('sequence').limit(most).execute();
}

export async function selectHead(queries: Queries): Promise<AuditHeadRow | undefined> {
  return queries.selectFrom('audit_heads').selectAll().where('id', '=', HEAD).executeTakeFirst();
}

/** All in one statement, so that chaining stands in nobody's way for long. */
export async function writeLinks(transaction: Transaction, links: readonly Link[]): Promise<void> {
  const rows = links.map(({ id, sequence, hash }) => sql`(cast(${id} as text), cast(${sequence} as bigint), cast(${hash} as text))`);
  await sql`with links (id, sequence, hash) as (values ${sql.join(rows)})
    update audit_events set sequence = links.sequence, hash = links.hash from links where audit_events.id = links.id`.execute(transaction);
}

export async function writeHead(transaction: Transaction, head: Omit<AuditHeadRow, 'id'>): Promise<void> {
  await transaction
    .insertInto('audit_heads')
    .values({ id: HEAD, ...head })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(head))
    .execute();
}
