import { lockingRows, type Queries, type Transaction } from '../platform/database/database.ts';
import { firstRow, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    sso_connections: ConnectionRow;
    sso_domains: DomainRow;
    sso_links: LinkRow;
    sso_sessions: SsoSessionRow;
    sso_round_trips: RoundTripRow;
    sso_messages: { message_hash: string; expires_at: number };
  }
}

export interface ConnectionRow {
  id: string;
  organisation_id: string;
  kind: string;
  name: string;
  /** Sealed JSON, of the protocol's own shape. */
  settings: Uint8Array;
  enabled_at: number | null;
  required: number;
  trusts_addresses: number;
  /** JSON, a list. */
  second_factor_words: string;
  /** When a test last went well with these settings. */
  tested_at: number | null;
  version: number;
  created_at: number;
}

export interface DomainRow {
  organisation_id: string;
  domain: string;
  /** What the DNS record has to say. */
  record: string;
  verified_at: number | null;
  connection_id: string | null;
  created_at: number;
}

export interface LinkRow {
  connection_id: string;
  subject: string;
  account_id: string;
  created_at: number;
  last_used_at: number;
}

/** How the session's browser was let in, so that the provider can end it and it can end at the provider. */
export interface SsoSessionRow {
  session_id: string;
  connection_id: string;
  subject: string;
  provider_session: string | null;
  hint: Uint8Array | null;
}

export interface RoundTripRow {
  state_hash: string;
  connection_id: string;
  browser_hash: string;
  purpose: string;
  /** 'there': the browser has left; 'answering': its answer is being looked at; 'back': the answer is in `content`. */
  stage: string;
  /** Sealed JSON. */
  content: Uint8Array;
  expires_at: number;
}

/** The connection that a verified domain leads to, where it is turned on. Asked at every sign-in. */
export const selectConnectionOfDomain = prepared(
  (queries: Queries, domain: string) =>
    queries
      .selectFrom('sso_domains as d')
      .innerJoin('sso_connections as c', 'c.id', 'd.connection_id')
      .selectAll('c')
      .where('d.domain', '=', domain)
      .where('d.verified_at', 'is not', null)
      .where('c.enabled_at', 'is not', null),
  firstRow,
);

/** Whether any domain leads to a connection. */
export const hasConnection = prepared(
  (queries: Queries) =>
    queries
      .selectFrom('sso_domains as d')
      .innerJoin('sso_connections as c', 'c.id', 'd.connection_id')
      .select('c.id')
      .where('d.verified_at', 'is not', null)
      .where('c.enabled_at', 'is not', null)
      .limit(1),
  ({ rows }) => rows.length > 0,
);

export async function selectConnection(queries: Queries, id: string): Promise<ConnectionRow | undefined> {
  return queries.selectFrom('sso_connections').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function selectConnections(queries: Queries, organisationId: string): Promise<ConnectionRow[]> {
  return queries.selectFrom('sso_connections').selectAll().where('organisation_id', '=', organisationId).orderBy('name').orderBy('id').execute();
}

export async function insertConnection(transaction: Transaction, row: ConnectionRow): Promise<void> {
  await transaction.insertInto('sso_connections').values(row).execute();
}

/** Only over the version that was seen. */
export async function updateConnection(
  transaction: Transaction,
  { id, version, set }: { id: string; version: number; set: Partial<Omit<ConnectionRow, 'id' | 'version'>> },
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('sso_connections')
    .set({ ...set, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Unless the settings were changed since. */
export async function updateTested(queries: Queries, { id, version, at }: { id: string; version: number; at: number }): Promise<void> {
  await queries.updateTable('sso_connections').set({ tested_at: at }).where('id', '=', id).where('version', '=', version).execute();
}

export async function deleteConnection(transaction: Transaction, organisationId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await transaction
    .deleteFrom('sso_connections')
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function selectDomains(queries: Queries, organisationId: string): Promise<DomainRow[]> {
  return queries.selectFrom('sso_domains').selectAll().where('organisation_id', '=', organisationId).orderBy('domain').execute();
}

export async function selectDomain(queries: Queries, organisationId: string, domain: string): Promise<DomainRow | undefined> {
  return queries.selectFrom('sso_domains').selectAll().where('organisation_id', '=', organisationId).where('domain', '=', domain).executeTakeFirst();
}

export async function isVerifiedFor(queries: Queries, organisationId: string, domain: string): Promise<boolean> {
  return ((await selectDomain(queries, organisationId, domain))?.verified_at ?? null) !== null;
}

/** False where the organisation has named it already. */
export async function insertDomain(transaction: Transaction, row: DomainRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('sso_domains')
    .values(row)
    .onConflict((conflict) => conflict.columns(['organisation_id', 'domain']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Throws a unique violation where another organisation has shown it first, whoever races. */
export async function verifyDomain(
  transaction: Transaction,
  { organisationId, domain, at }: { organisationId: string; domain: string; at: number },
): Promise<void> {
  await transaction.updateTable('sso_domains').set({ verified_at: at }).where('organisation_id', '=', organisationId).where('domain', '=', domain).execute();
}

export async function updateDomainConnection(transaction: Transaction, organisationId: string, domain: string, connectionId: string | null): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('sso_domains')
    .set({ connection_id: connectionId })
    .where('organisation_id', '=', organisationId)
    .where('domain', '=', domain)
    .where('verified_at', 'is not', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function deleteDomain(transaction: Transaction, organisationId: string, domain: string): Promise<boolean> {
  const { numDeletedRows } = await transaction
    .deleteFrom('sso_domains')
    .where('organisation_id', '=', organisationId)
    .where('domain', '=', domain)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function selectLink(queries: Queries, connectionId: string, subject: string): Promise<LinkRow | undefined> {
  return queries.selectFrom('sso_links').selectAll().where('connection_id', '=', connectionId).where('subject', '=', subject).executeTakeFirst();
}

export async function selectLinksOf(
  queries: Queries,
  accountId: string,
): Promise<(LinkRow & { connection_name: string; kind: string; enabled_at: number | null; organisation_id: string })[]> {
  return queries
    .selectFrom('sso_links as l')
    .innerJoin('sso_connections as c', 'c.id', 'l.connection_id')
    .selectAll('l')
    .select(['c.name as connection_name', 'c.kind', 'c.enabled_at', 'c.organisation_id'])
    .where('l.account_id', '=', accountId)
    .orderBy('l.created_at')
    .execute();
}

/** False where the provider's name for somebody, or the account at this provider, is linked already. */
export async function insertLink(transaction: Transaction, row: LinkRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('sso_links')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** False where it is gone. */
export async function touchLink(
  transaction: Transaction,
  { connection_id, subject }: Pick<LinkRow, 'connection_id' | 'subject'>,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('sso_links')
    .set({ last_used_at: now })
    .where('connection_id', '=', connection_id)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function deleteLink(transaction: Transaction, accountId: string, connectionId: string): Promise<boolean> {
  const { numDeletedRows } = await transaction
    .deleteFrom('sso_links')
    .where('account_id', '=', accountId)
    .where('connection_id', '=', connectionId)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function insertSsoSession(transaction: Transaction, row: SsoSessionRow): Promise<void> {
  await transaction
    .insertInto('sso_sessions')
    .values(row)
    .onConflict((conflict) => conflict.column('session_id').doUpdateSet(row))
    .execute();
}

export async function selectSsoSession(queries: Queries, sessionId: string): Promise<SsoSessionRow | undefined> {
  return queries.selectFrom('sso_sessions').selectAll().where('session_id', '=', sessionId).executeTakeFirst();
}

/** Those of an account that a connection let in. */
export async function selectSessionsBy(
  queries: Queries,
  { accountId, connectionId }: { accountId: string; connectionId: string },
): Promise<{ session_id: string }[]> {
  return queries
    .selectFrom('sso_sessions as x')
    .innerJoin('sessions as s', 's.id', 'x.session_id')
    .select('x.session_id')
    .where('x.connection_id', '=', connectionId)
    .where('s.account_id', '=', accountId)
    .execute();
}

/** Those of addresses of the domains that no provider let in: they were opened by a password of ours. The organisation's owner is none of them. */
export async function selectPasswordSessions(
  queries: Queries,
  { domains, organisationId }: { domains: readonly string[]; organisationId: string },
): Promise<{ session_id: string; account_id: string }[]> {
  return queries
    .selectFrom('sessions as s')
    .innerJoin('accounts as a', 'a.id', 's.account_id')
    .leftJoin('sso_sessions as x', 'x.session_id', 's.id')
    .leftJoin('memberships as m', (join) => join.onRef('m.account_id', '=', 'a.id').on('m.organisation_id', '=', organisationId).on('m.role', '=', 'owner'))
    .select(['s.id as session_id', 's.account_id'])
    .where('x.session_id', 'is', null)
    .where('m.account_id', 'is', null)
    .where((where) => where.or(domains.map((domain) => where('a.email_key', 'like', ofDomain(domain)))))
    .execute();
}

/** There is no % in a domain, and a _ stands for itself, too. */
const ofDomain = (domain: string): string => `%@${domain}`;

/** Whoever is about to sign in holds their account: once all are held here, whoever was first has a session that is to be seen, and whoever comes next sees what was changed. */
export async function lockAccountsOf(transaction: Transaction, domains: readonly string[]): Promise<void> {
  await transaction
    .selectFrom('accounts')
    .select('id')
    .where((where) => where.or(domains.map((domain) => where('email_key', 'like', ofDomain(domain)))))
    .orderBy('id')
    .$call(lockingRows(transaction))
    .execute();
}

/** Those that a provider's sign-out means: of its sessions, of its person, or of its sessions of its person. */
export async function selectSessionsOf(
  queries: Queries,
  connectionId: string,
  { subject, providerSessions }: { subject: string | undefined; providerSessions: readonly string[] },
): Promise<{ session_id: string; account_id: string }[]> {
  let query = queries
    .selectFrom('sso_sessions as x')
    .innerJoin('sessions as s', 's.id', 'x.session_id')
    .select(['x.session_id', 's.account_id'])
    .where('x.connection_id', '=', connectionId);
  if (subject !== undefined) query = query.where('x.subject', '=', subject);
  if (providerSessions.length > 0) query = query.where('x.provider_session', 'in', providerSessions);
  return query.execute();
}

export async function insertRoundTrip(transaction: Transaction, row: RoundTripRow): Promise<void> {
  await transaction.insertInto('sso_round_trips').values(row).execute();
}

/** One conditional write: of two answers to one round trip the second finds nothing. */
export async function moveRoundTrip(
  queries: Queries,
  { stateHash, connectionId, from, to }: { stateHash: string; connectionId: string; from: string; to: string },
): Promise<RoundTripRow | undefined> {
  return queries
    .updateTable('sso_round_trips')
    .set({ stage: to })
    .where('state_hash', '=', stateHash)
    .where('connection_id', '=', connectionId)
    .where('stage', '=', from)
    .returningAll()
    .executeTakeFirst();
}

export async function putContent(queries: Queries, stateHash: string, set: Pick<RoundTripRow, 'stage' | 'content' | 'expires_at'>): Promise<void> {
  await queries.updateTable('sso_round_trips').set(set).where('state_hash', '=', stateHash).execute();
}

export async function selectRoundTrip(queries: Queries, stateHash: string, purpose: string): Promise<RoundTripRow | undefined> {
  return queries
    .selectFrom('sso_round_trips')
    .selectAll()
    .where('state_hash', '=', stateHash)
    .where('purpose', '=', purpose)
    .where('stage', '=', 'back')
    .executeTakeFirst();
}

export async function takeRoundTrip(transaction: Transaction, stateHash: string, purpose: string): Promise<RoundTripRow | undefined> {
  return transaction
    .deleteFrom('sso_round_trips')
    .where('state_hash', '=', stateHash)
    .where('purpose', '=', purpose)
    .where('stage', '=', 'back')
    .returningAll()
    .executeTakeFirst();
}

/** False where it came before. */
export async function insertMessage(transaction: Transaction, messageHash: string, expiresAt: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('sso_messages')
    .values({ message_hash: messageHash, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column('message_hash').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function putMessage(transaction: Transaction, messageHash: string, expiresAt: number): Promise<void> {
  await transaction
    .insertInto('sso_messages')
    .values({ message_hash: messageHash, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column('message_hash').doUpdateSet({ expires_at: expiresAt }))
    .execute();
}

export async function selectMessages(queries: Queries, hashes: readonly string[]): Promise<{ expires_at: number }[]> {
  return queries.selectFrom('sso_messages').select('expires_at').where('message_hash', 'in', hashes).execute();
}

export async function deleteEveryRoundTrip(transaction: Transaction): Promise<void> {
  await transaction.deleteFrom('sso_round_trips').execute();
}
