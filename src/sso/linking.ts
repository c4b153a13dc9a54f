// Whom a provider knows, and as which account of ours. The door is sso.ts.
import { createVerified, findVerifiedByEmail, lockAccount, nameRefusal, type Account } from '../accounts/accounts.ts';
import { record, type Origin } from '../audit/audit.ts';
import { addMember, findMember, listMemberships, mayBelong } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { minutes } from '../platform/durations.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { post } from '../platform/mail/mail.ts';
import type { World } from '../platform/world.ts';
import { endSession, endSessionOf } from '../sessions/sessions.ts';
import { domainOf, type Connection } from './connections.ts';
import type { Identity } from './contract.ts';
import { isVerifiedFor } from './domains.ts';
import { linkedMessage, unlinkedMessage } from './notices.ts';
import { secondFactorCounts, whoseAccount, type Arrival } from './whose-account.ts';
import * as store from './store.ts';

export type Recognised =
  | { readonly ok: true; readonly account: Account; readonly secondFactorCounts: boolean }
  | { readonly ok: false; readonly reason: 'prove-first' | 'may-not-join' };

/** Whose account it is; links it, or makes it, where that is so from now on. `from`: the browser that came back. */
export async function recognise(
  world: World,
  transaction: Transaction,
  { connection, identity, from }: { connection: Connection; identity: Identity; from: Origin },
): Promise<Recognised> {
  const decided = whoseAccount(await readArrival(transaction, connection, identity));
  switch (decided.kind) {
    case 'prove-first':
    case 'may-not-join':
      return { ok: false, reason: decided.kind };
    case 'linked':
      break;
    case 'link':
      await link(world, transaction, { connection, identity, accountId: decided.accountId, from, how: 'address' });
      break;
    case 'create':
      return { ok: true, ...(await createFor(world, transaction, { connection, identity, from })) };
  }
  const account = (await lockAccount(transaction, decided.accountId))!;
  // Disconnected at this very moment.
  if (!(await store.touchLink(transaction, { connection_id: connection.id, subject: identity.subject }, world.clock.now())))
    return { ok: false, reason: 'prove-first' };
  await join(world, transaction, { connection, account, from });
  const belongsElsewhere = await belongsBeside(transaction, account.id, connection.organisationId);
  return { ok: true, account, secondFactorCounts: secondFactorCounts({ said: identity.methods, words: connection.secondFactorWords, belongsElsewhere }) };
}

async function readArrival(transaction: Transaction, { id, organisationId, trustsAddresses }: Connection, identity: Identity): Promise<Arrival> {
  const linkedTo = (await store.selectLink(transaction, id, identity.subject))?.account_id;
  const email = parseEmailAddress(identity.email ?? '');
  if (linkedTo !== undefined || !email) return { linkedTo, addressIsBelieved: false, mayJoin: false, holder: undefined };
  const holder = await findVerifiedByEmail(transaction, email.key);
  return {
    linkedTo,
    addressIsBelieved: (identity.emailVerified || trustsAddresses) && (await isVerifiedFor(transaction, organisationId, domainOf(email.key))),
    mayJoin: await mayBelong(transaction, organisationId, email.key),
    holder: holder && {
      accountId: holder.id,
      isLinkedOtherwise: (await store.selectLinksOf(transaction, holder.id)).some((one) => one.connection_id === id),
      belongsElsewhere: await belongsBeside(transaction, holder.id, organisationId),
    },
  };
}

const belongsBeside = async (queries: Queries, accountId: string, organisationId: string): Promise<boolean> =>
  (await listMemberships(queries, accountId, { suspendedToo: true })).some(({ organisation }) => organisation.id !== organisationId);

/** An account without a password: its way in is the provider, until somebody chooses one by a link to the mailbox. */
async function createFor(
  world: World,
  transaction: Transaction,
  { connection, identity, from }: { connection: Connection; identity: Identity; from: Origin },
): Promise<{ account: Account; secondFactorCounts: boolean }> {
  const email = parseEmailAddress(identity.email!)!;
  const name = identity.name.normalize('NFC').trim();
  const account = await createVerified(world, transaction, { email, name: nameRefusal(name) === undefined ? name : email.address.split('@')[0]! });
  await record(world, transaction, { event: 'user_created', accountId: account.id, from });
  await link(world, transaction, { connection, identity, accountId: account.id, from, how: 'created' });
  await join(world, transaction, { connection, account, from });
  return { account, secondFactorCounts: secondFactorCounts({ said: identity.methods, words: connection.secondFactorWords, belongsElsewhere: false }) };
}

/** Whoever the organisation's own provider knows belongs to it. */
async function join(
  world: World,
  transaction: Transaction,
  { connection, account, from }: { connection: Connection; account: Account; from: Origin },
): Promise<void> {
  const { organisationId } = connection;
  if (await findMember(transaction, organisationId, account.id)) return;
  await addMember(world, transaction, { organisationId, accountId: account.id, role: 'member', by: `connection ${connection.id}`, from });
}

/** False where either is linked already. Told by mail: it is another way in. */
export async function link(
  world: World,
  transaction: Transaction,
  {
    connection,
    identity,
    accountId,
    from,
    how,
  }: { connection: Connection; identity: Identity; accountId: string; from: Origin; how: 'address' | 'created' | 'proved' },
): Promise<boolean> {
  const now = world.clock.now();
  const row = { connection_id: connection.id, subject: identity.subject, account_id: accountId, created_at: now, last_used_at: now };
  if (!(await store.insertLink(transaction, row))) return false;
  const details = { organisation: connection.organisationId, connection: connection.id, name: connection.name, how };
  await record(world, transaction, { event: 'sso_linked', accountId, from, details });
  const account = await lockAccount(transaction, accountId);
  if (account && how !== 'created') await tell(world, transaction, linkedMessage, { account, connectionName: connection.name, from });
  return true;
}

async function tell(
  world: World,
  transaction: Transaction,
  message: typeof linkedMessage,
  { account, connectionName, from }: { account: Account; connectionName: string; from: Origin },
): Promise<void> {
  const { name: installationName, origin } = world.installation;
  const to = { name: account.name, address: account.email };
  const asked = { userAgent: from.userAgent, address: from.address, at: world.clock.now() };
  await post(world, transaction, [message({ to, installationName, origin, connectionName, asked })]);
}

export interface Link {
  readonly connectionId: string;
  readonly connectionName: string;
  readonly organisationId: string;
  /** The protocol's. */
  readonly kind: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** It serves to sign in now. */
  readonly serves: boolean;
}

export async function listLinks(queries: Queries, accountId: string): Promise<Link[]> {
  return (await store.selectLinksOf(queries, accountId)).map((row) => ({
    connectionId: row.connection_id,
    connectionName: row.connection_name,
    organisationId: row.organisation_id,
    kind: row.kind,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    serves: row.enabled_at !== null,
  }));
}

interface Unlinking {
  readonly accountId: string;
  /** As the audit log names it. */
  readonly by: string;
  readonly from: Origin;
  /** That of whoever does it. */
  readonly exceptSession?: string;
}

/**
 * The provider's word opens the account no more, and what it had opened ends: whoever is in by it may be somebody else. The caller has locked the account, and ends
 * what was begun. Told by mail, as it was when it began.
 */
export async function unlink(
  world: World,
  transaction: Transaction,
  { connectionId, connectionName, accountId, by, from, exceptSession }: Unlinking & Pick<Link, 'connectionId' | 'connectionName'>,
): Promise<void> {
  if (!(await store.deleteLink(transaction, accountId, connectionId))) return;
  for (const { session_id: id } of await store.selectSessionsBy(transaction, { accountId, connectionId }))
    if (id !== exceptSession) await endSessionOf(transaction, accountId, id);
  await record(world, transaction, { event: 'sso_unlinked', accountId, from, details: { connection: connectionId, name: connectionName, by } });
  const account = await lockAccount(transaction, accountId);
  if (account) await tell(world, transaction, unlinkedMessage, { account, connectionName, from });
}

/** Whoever belongs to an organisation no more does not sign in by its providers any more: its owner would go on to say who they are (SI-1). */
export async function unlinkFrom(world: World, transaction: Transaction, organisationId: string, about: Unlinking): Promise<void> {
  for (const one of await listLinks(transaction, about.accountId))
    if (one.organisationId === organisationId) await unlink(world, transaction, { ...about, ...one });
}

/** Whose it is at this provider; undefined where nobody's of ours. */
export async function findLinked(queries: Queries, connectionId: string, subject: string): Promise<string | undefined> {
  return (await store.selectLink(queries, connectionId, subject))?.account_id;
}

/** What an attempt, and then its session, keeps of the provider. */
export interface AtProvider {
  readonly connectionId: string;
  readonly subject: string;
  readonly providerSession: string | null;
  readonly logoutHint: string | null;
}

/** That, and until when the provider lets the session last (epoch milliseconds); null where it does not say. */
export interface ByProvider extends AtProvider {
  readonly endsAt: number | null;
}

/** How long a sign-out is remembered: whoever was between the provider's word and the session then, at a second factor, is out too. */
const ENDED_LIFETIME = minutes(30);

/** False where the provider has signed them out since (epoch milliseconds), or its session is over by now: then ours is not to stand. */
export async function keepProviderSession(
  world: World,
  transaction: Transaction,
  { sessionId, at, since }: { sessionId: string; at: ByProvider; since: number },
): Promise<boolean> {
  await store.insertSsoSession(transaction, {
    session_id: sessionId,
    connection_id: at.connectionId,
    subject: at.subject,
    provider_session: at.providerSession,
    hint: at.logoutHint === null ? null : world.keys.seal(['sso_sessions', sessionId, 'hint'], at.logoutHint),
  });
  const { connectionId, subject, providerSession } = at;
  const marks = [
    endedHash(world, connectionId, { subject, providerSession: undefined }),
    ...(providerSession === null ? [] : [endedHash(world, connectionId, { subject: undefined, providerSession })]),
    ...(providerSession === null ? [] : [endedHash(world, connectionId, { subject, providerSession })]),
  ];
  if (at.endsAt !== null && world.clock.now() >= at.endsAt) return false;
  const endedAt = (await store.selectMessages(transaction, marks)).map(({ expires_at }) => expires_at - ENDED_LIFETIME);
  return endedAt.every((moment) => moment <= since);
}

interface Meant {
  readonly subject: string | undefined;
  readonly providerSession: string | undefined;
}

const endedHash = (world: World, connectionId: string, { subject, providerSession }: Meant): string =>
  world.keys.hash('sso message', connectionId, 'ended', JSON.stringify([subject ?? null, providerSession ?? null]));

export async function findProviderSession(world: World, queries: Queries, sessionId: string): Promise<AtProvider | undefined> {
  const row = await store.selectSsoSession(queries, sessionId);
  return (
    row && {
      connectionId: row.connection_id,
      subject: row.subject,
      providerSession: row.provider_session,
      logoutHint: row.hint === null ? null : world.keys.open(['sso_sessions', sessionId, 'hint'], row.hint),
    }
  );
}

/** A sign-out that the provider sent, once; how many sessions ended by it. */
export async function endByProvider(
  world: World,
  connection: Connection,
  {
    messageId,
    expiresAt,
    subject,
    providerSessions,
    from,
  }: { messageId: string; expiresAt: number; subject: string | undefined; providerSessions: readonly string[]; from: Origin },
): Promise<number> {
  // Without either it would mean everybody.
  if (subject === undefined && providerSessions.length === 0) return 0;
  return world.database.transaction(async (transaction) => {
    const hash = world.keys.hash('sso message', connection.id, messageId);
    if (!(await store.insertMessage(transaction, hash, expiresAt))) return 0;
    for (const providerSession of providerSessions.length === 0 ? [undefined] : providerSessions) {
      const mark = endedHash(world, connection.id, { subject, providerSession });
      await store.putMessage(transaction, mark, world.clock.now() + ENDED_LIFETIME);
    }
    const meant = await store.selectSessionsOf(transaction, connection.id, { subject, providerSessions });
    for (const { session_id, account_id } of meant) {
      await endSession(transaction, session_id);
      await record(world, transaction, { event: 'session_ended', accountId: account_id, from, details: { reason: 'ended by the identity provider' } });
    }
    return meant.length;
  });
}
