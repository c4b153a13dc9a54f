import { sql, type Compilable, type RawBuilder } from 'kysely';
import type { Database, Queries, Transaction } from '../platform/database/database.ts';
import type { Mark } from './marks.ts';
import { allRows, nothing, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    audit_events: AuditEventRow;
    audit_heads: AuditHeadRow;
    organisation_events: OrganisationEventRow;
    audit_beginnings: AuditBeginningRow;
    audit_webhooks: WebhookRow;
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

/** Where the chain begins: the place of the last entry that was removed. */
export interface AuditBeginningRow {
  id: string;
  sequence: number;
  hash: string;
  made_at: number;
  origin: string;
  public_key: string;
  signature: string;
}

/** Where an organisation's log is streamed to. */
export interface WebhookRow {
  organisation_id: string;
  id: string;
  /** Sealed: JSON of address and secret. */
  receiver: Uint8Array;
  /** What of the address may be shown to everybody who reads the log. */
  host: string;
  paused: 0 | 1;
  /** The number of the last event that was delivered, or passed over as another's. */
  position: number;
  /** The last of the batch that was begun and is not delivered. */
  batch_end: number | null;
  leased_until: number;
  next_try_at: number;
  /** In a row. */
  failures: number;
  last_delivered_at: number | null;
  last_failed_at: number | null;
  last_failure: string | null;
  created_at: number;
}

/** That an event is an organisation's. It may be several organisations'. */
export interface OrganisationEventRow {
  event_id: string;
  organisation_id: string;
  at: number;
  event: string;
  account_id: string | null;
  address: string | null;
  /** Of the account at that moment; null where there is none. */
  name: string | null;
  email: string | null;
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

type Belonging = Pick<AuditEventRow, 'id' | 'at' | 'event' | 'account_id' | 'address'>;

/**
 * An event that names no organisation is the business of each that its account belongs to at this moment. Read here and not handed in: whoever writes an
 * event would have to ask first, and could forget to.
 */
export const insertForMemberships = prepared((transaction: Transaction, event: Belonging, accountId: string) => {
  const from = sql`from memberships m join accounts a on a.id = m.account_id where m.account_id = ${accountId}`;
  return belongingOf(transaction, { event, organisation: sql`m.organisation_id`, from });
}, nothing);

/** One that names an organisation is that one's alone, whoever else the account belongs to. */
export const insertForOrganisation = prepared((transaction: Transaction, event: Belonging, organisationId: string) => {
  const from = sql`from organisations o left join accounts a on a.id = ${event.account_id} where o.id = ${organisationId}`;
  return belongingOf(transaction, { event, organisation: sql`o.id`, from });
}, nothing);

function belongingOf(
  transaction: Transaction,
  { event: { id, at, event, account_id, address }, organisation, from }: { event: Belonging; organisation: RawBuilder<unknown>; from: RawBuilder<unknown> },
): Compilable<unknown> {
  const text = (value: unknown) => sql`cast(${value} as text)`;
  return transaction
    .insertInto('organisation_events')
    .columns(['event_id', 'organisation_id', 'at', 'event', 'account_id', 'address', 'name', 'email'])
    .expression(
      sql`select ${text(id)}, ${organisation}, cast(${at} as bigint), ${text(event)}, ${text(account_id)}, ${text(address)}, a.name, a.email ${from}`,
    );
}

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

const BEGINNING = 'beginning';

/** Undefined while nothing was ever removed. */
export async function selectBeginning(queries: Queries): Promise<Mark | undefined> {
  const row = await queries.selectFrom('audit_beginnings').selectAll().where('id', '=', BEGINNING).executeTakeFirst();
  if (!row) return undefined;
  const { sequence, hash, origin, signature } = row;
  return { sequence, hash, madeAt: row.made_at, origin, publicKey: row.public_key, signature };
}

export async function putBeginning(transaction: Transaction, { madeAt, publicKey, ...mark }: Mark): Promise<void> {
  const row = { ...mark, made_at: madeAt, public_key: publicKey };
  await transaction
    .insertInto('audit_beginnings')
    .values({ id: BEGINNING, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

/** What organisations see of them goes with them. */
export async function deleteUpTo(transaction: Transaction, sequence: number): Promise<void> {
  await transaction.deleteFrom('audit_events').where('sequence', '<=', sequence).execute();
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

/** An event as an organisation sees it. */
export interface SeenEventRow extends AuditEventRow {
  name: string | null;
  email: string | null;
}

export interface Wanted {
  readonly organisationId: string;
  /** Events of these names alone; undefined for all. */
  readonly events: readonly string[] | undefined;
  /** Those that happened to these accounts alone; undefined for anybody's. */
  readonly accounts: readonly string[] | undefined;
  /** From this address alone. */
  readonly address: string | undefined;
  /** From this moment on, and before that one; epoch milliseconds. */
  readonly from: number | undefined;
  readonly before: number | undefined;
  /** The last of the page before. */
  readonly after: { readonly at: number; readonly id: string } | undefined;
  readonly most: number;
}

/**
 * The newest that are wanted. For each account, or each name of an event, one range of one index is read, no further than a page: so it takes as long
 * where a rare event is looked for among a million others as where all are.
 */
export async function selectSeen(queries: Queries, wanted: Wanted): Promise<SeenEventRow[]> {
  const { organisationId, most } = wanted;
  const shared = boundsOf(wanted);
  const limit = sql`order by at desc, event_id desc limit ${most}`;
  const range = (condition: RawBuilder<unknown>) =>
    sql`select * from (select event_id, at, name, email from organisation_events
      where organisation_id = ${organisationId}${condition}${shared} ${limit}) as part`;
  const ranges = rangesOf(wanted).map(range);
  if (ranges.length === 0) return [];
  const { rows } = await sql<SeenEventRow>`select e.*, o.name, o.email
    from (select * from (${sql.join(ranges, sql` union all `)}) as parts ${limit}) as o
    join audit_events e on e.id = o.event_id order by o.at desc, o.event_id desc`.execute(queries);
  return rows;
}

function boundsOf({ from, before, after }: Wanted): RawBuilder<unknown> {
  const bounds = [from !== undefined && sql` and at >= ${from}`, before !== undefined && sql` and at < ${before}`];
  const cursor = after && sql` and (at, event_id) < (${after.at}, ${after.id})`;
  return sql.join(
    [...bounds, cursor].map((one) => one || sql``),
    sql``,
  );
}

function rangesOf({ events, accounts, address }: Wanted): RawBuilder<unknown>[] {
  const from = address === undefined ? sql`` : sql` and address = ${address}`;
  if (events?.length === 0) return [];
  const named = events && sql` and event in (${sql.join([...events])})`;
  if (accounts) return accounts.map((accountId) => sql`${from} and account_id = ${accountId}${named ?? sql``}`);
  return events ? events.map((event) => sql`${from} and event = ${event}`) : [from];
}

export async function selectSeenOne(queries: Queries, organisationId: string, eventId: string): Promise<SeenEventRow | undefined> {
  return queries
    .selectFrom('organisation_events as o')
    .innerJoin('audit_events as e', 'e.id', 'o.event_id')
    .selectAll('e')
    .select(['o.name', 'o.email'])
    .where('o.organisation_id', '=', organisationId)
    .where('o.event_id', '=', eventId)
    .executeTakeFirst();
}

/** The organisation's among the events that were chained behind `after`, up to `upTo`, in the order of the chain. */
export async function selectStreamed(
  queries: Queries,
  { organisationId, after, upTo, most }: { organisationId: string; after: number; upTo: number; most: number },
): Promise<SeenEventRow[]> {
  return queries
    .selectFrom('audit_events as e')
    .innerJoin('organisation_events as o', (join) => join.onRef('o.event_id', '=', 'e.id').on('o.organisation_id', '=', organisationId))
    .selectAll('e')
    .select(['o.name', 'o.email'])
    .where('e.sequence', '>', after)
    .where('e.sequence', '<=', upTo)
    .orderBy('e.sequence')
    .limit(most)
    .execute();
}

export async function selectWebhook(queries: Queries, organisationId: string): Promise<WebhookRow | undefined> {
  return queries.selectFrom('audit_webhooks').selectAll().where('organisation_id', '=', organisationId).executeTakeFirst();
}

/** Up to which place every receiver has got what is its own; undefined where there is none. */
export async function selectLeastDelivered(queries: Queries): Promise<number | undefined> {
  return (await queries.selectFrom('audit_webhooks').select('position').orderBy('position').limit(1).executeTakeFirst())?.position;
}

export async function selectWebhookById(queries: Queries, id: string): Promise<WebhookRow | undefined> {
  return queries.selectFrom('audit_webhooks').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Who has waited the longest comes first. */
export async function selectDueWebhooks(queries: Queries, now: number): Promise<WebhookRow[]> {
  return queries
    .selectFrom('audit_webhooks')
    .selectAll()
    .where('paused', '=', 0)
    .where('next_try_at', '<=', now)
    .where('leased_until', '<=', now)
    .orderBy('next_try_at')
    .execute();
}

export async function putWebhook(transaction: Transaction, row: WebhookRow): Promise<void> {
  const { organisation_id: _organisation, ...renewed } = row;
  await transaction
    .insertInto('audit_webhooks')
    .values(row)
    .onConflict((conflict) => conflict.column('organisation_id').doUpdateSet(renewed))
    .execute();
}

export async function updatePaused(transaction: Transaction, organisationId: string, paused: boolean): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('audit_webhooks')
    // Whoever resumes does not wait for what was put off.
    .set({ paused: paused ? 1 : 0, next_try_at: 0 })
    .where('organisation_id', '=', organisationId)
    .where('paused', '=', paused ? 0 : 1)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function deleteWebhook(transaction: Transaction, organisationId: string): Promise<boolean> {
  const { numDeletedRows } = await transaction.deleteFrom('audit_webhooks').where('organisation_id', '=', organisationId).executeTakeFirst();
  return numDeletedRows === 1n;
}

/** Of two processes that come at once one delivers. */
export async function leaseWebhook(queries: Queries, id: string, { now, until }: { now: number; until: number }): Promise<boolean> {
  const { numUpdatedRows } = await queries
    .updateTable('audit_webhooks')
    .set({ leased_until: until })
    .where('id', '=', id)
    .where('paused', '=', 0)
    .where('next_try_at', '<=', now)
    .where('leased_until', '<=', now)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function noteBatch(queries: Queries, id: string, end: number): Promise<void> {
  await queries.updateTable('audit_webhooks').set({ batch_end: end }).where('id', '=', id).execute();
}

export async function movePosition(queries: Queries, id: string, { from, to }: { from: number; to: number }): Promise<boolean> {
  const { numUpdatedRows } = await queries
    .updateTable('audit_webhooks')
    .set({ position: to, batch_end: null })
    .where('id', '=', id)
    .where('position', '=', from)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function noteDelivered(queries: Queries, id: string, { from, to, now }: { from: number; to: number; now: number }): Promise<void> {
  await queries
    .updateTable('audit_webhooks')
    .set({ position: to, batch_end: null, leased_until: 0, next_try_at: now, failures: 0, last_delivered_at: now, last_failure: null })
    .where('id', '=', id)
    .where('position', '=', from)
    .execute();
}

export async function noteFailed(
  queries: Queries,
  id: string,
  { failure, now, nextTryAt }: { failure: string; now: number; nextTryAt: number },
): Promise<void> {
  await queries
    .updateTable('audit_webhooks')
    .set((row) => ({ failures: row('failures', '+', 1), last_failure: failure, last_failed_at: now, next_try_at: nextTryAt, leased_until: 0 }))
    .where('id', '=', id)
    .execute();
}
