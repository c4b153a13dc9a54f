// The domains whose addresses lead to a provider. An organisation shows that one is its own by a DNS record that only its owner could write. The door is sso.ts.
import { record } from '../audit/audit.ts';
import { byWhom, type Actor } from '../organisations/organisations.ts';
import { isUniqueViolation, type Queries } from '../platform/database/database.ts';
import { NetworkFailure } from '../platform/http/network.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { endPasswordSessions, findConnectionOf, mayManage } from './connections.ts';
import * as store from './store.ts';

export interface Domain {
  readonly domain: string;
  /** Of the TXT record: where it stands, and what it says. */
  readonly recordName: string;
  readonly recordText: string;
  readonly verifiedAt: number | null;
  readonly connectionId: string | null;
}

export type DomainChanged =
  | { readonly ok: true; readonly domain: string }
  | { readonly ok: false; readonly reason: 'not-allowed' | 'not-found' | 'domain' | 'named-already' | 'too-many' | 'not-verified' }
  /** The record is not there, or another one; `found`: how many there are. */
  | { readonly ok: false; readonly reason: 'no-record'; readonly found: number }
  | { readonly ok: false; readonly reason: 'no-answer'; readonly detail: string }
  /** Another organisation of this portal has shown that it is its own. */
  | { readonly ok: false; readonly reason: 'taken' };

const DOMAINS_MOST = 50;
const RECORD_LABEL = '_twinlock';

export const isVerifiedFor = store.isVerifiedFor;

export async function listDomains(queries: Queries, organisationId: string): Promise<Domain[]> {
  return (await store.selectDomains(queries, organisationId)).map(domainFrom);
}

const domainFrom = ({ domain, record: text, verified_at, connection_id }: store.DomainRow): Domain => ({
  domain,
  recordName: recordNameOf(domain),
  recordText: text,
  verifiedAt: verified_at,
  connectionId: connection_id,
});

/** DNS knows only ASCII. */
const recordNameOf = (domain: string): string => `${RECORD_LABEL}.${new URL(`http://${domain}`).hostname}`;

export async function addDomain(world: World, actor: Actor, typed: string): Promise<DomainChanged> {
  const domain = domainFromText(typed);
  if (domain === undefined) return { ok: false, reason: 'domain' };
  return world.database.transaction(async (transaction): Promise<DomainChanged> => {
    if (!(await mayManage(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    const organisationId = actor.organisation.id;
    if ((await store.selectDomains(transaction, organisationId)).length >= DOMAINS_MOST) return { ok: false, reason: 'too-many' };
    const row = {
      organisation_id: organisationId,
      domain,
      record: `twinlock=${makeToken(world)}`,
      verified_at: null,
      connection_id: null,
      created_at: world.clock.now(),
    };
    if (!(await store.insertDomain(transaction, row))) return { ok: false, reason: 'named-already' };
    await recordChange(world, transaction, actor, { domain, to: 'named' });
    return { ok: true, domain };
  });
}

/** As it stands behind the @ of an address. */
function domainFromText(text: string): string | undefined {
  const clean = text.trim().replace(/^@/, '').replace(/\.$/, '');
  const key = parseEmailAddress(`somebody@${clean}`)?.key;
  return key === undefined || !URL.canParse(`http://${clean}`) ? undefined : key.slice('somebody@'.length);
}

/** Looks for the record. Outside of any transaction: name servers take their time. */
export async function checkDomain(world: World, actor: Actor, domain: string): Promise<DomainChanged> {
  const organisationId = actor.organisation.id;
  // Asked once more where it is done: here so that whoever may not sends nobody to a name server.
  if (!(await mayManage(world.database.query, actor))) return { ok: false, reason: 'not-allowed' };
  const row = await store.selectDomain(world.database.query, organisationId, domain);
  if (!row) return { ok: false, reason: 'not-found' };
  let records: string[];
  try {
    records = await world.network.textRecords(recordNameOf(domain));
  } catch (error) {
    if (error instanceof NetworkFailure) return { ok: false, reason: 'no-answer', detail: error.message };
    throw error;
  }
  if (!records.some((one) => one.trim() === row.record)) return { ok: false, reason: 'no-record', found: records.length };
  try {
    return await world.database.transaction(async (transaction): Promise<DomainChanged> => {
      if (!(await mayManage(transaction, actor))) return { ok: false, reason: 'not-allowed' };
      await store.verifyDomain(transaction, { organisationId, domain, at: world.clock.now() });
      await recordChange(world, transaction, actor, { domain, to: 'verified' });
      return { ok: true, domain };
    });
  } catch (error) {
    if (isUniqueViolation(error)) return { ok: false, reason: 'taken' };
    throw error;
  }
}

/** Where its addresses lead from now on; null: nowhere, so that passwords are asked for. */
export async function leadDomain(
  world: World,
  actor: Actor,
  { domain, connectionId }: { domain: string; connectionId: string | null },
): Promise<DomainChanged> {
  return world.database.transaction(async (transaction): Promise<DomainChanged> => {
    if (!(await mayManage(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    const organisationId = actor.organisation.id;
    const connection = connectionId === null ? undefined : await findConnectionOf(world, transaction, organisationId, connectionId);
    if (connectionId !== null && !connection) return { ok: false, reason: 'not-found' };
    if (!(await store.updateDomainConnection(transaction, organisationId, domain, connectionId))) return { ok: false, reason: 'not-verified' };
    await recordChange(world, transaction, actor, { domain, to: connectionId === null ? 'passwords' : 'connection', connection: connectionId ?? '' });
    if (connection?.required === true && connection.enabledAt !== null) await endPasswordSessions(world, transaction, actor, { domains: [domain] });
    return { ok: true, domain };
  });
}

export async function removeDomain(world: World, actor: Actor, domain: string): Promise<DomainChanged> {
  return world.database.transaction(async (transaction): Promise<DomainChanged> => {
    if (!(await mayManage(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    if (!(await store.deleteDomain(transaction, actor.organisation.id, domain))) return { ok: false, reason: 'not-found' };
    await recordChange(world, transaction, actor, { domain, to: 'removed' });
    return { ok: true, domain };
  });
}

async function recordChange(
  world: World,
  transaction: Parameters<typeof record>[1],
  actor: Actor,
  { domain, to, connection }: { domain: string; to: string; connection?: string },
): Promise<void> {
  const details = { organisation: actor.organisation.id, domain, to, by: byWhom(actor), ...(connection === undefined ? {} : { connection }) };
  await record(world, transaction, { event: 'sso_domain_changed', accountId: actor.account.id, from: actor.from, details });
}
