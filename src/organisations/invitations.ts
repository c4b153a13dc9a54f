// Invitations: sent by mail, accepted once, by whom they are addressed to. The door is organisations.ts.
import { findAccount, type Account } from '../accounts/accounts.ts';
import { record, type Origin } from '../audit/audit.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { days } from '../platform/durations.ts';
import { INVITATION_MAILS, spend } from '../platform/limits/limits.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { post } from '../platform/mail/mail.ts';
import { momentOf } from '../platform/words/times.ts';
import { makeId, makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { byWhom, findActing, readRole, type Actor, type Organisation } from './membership.ts';
import { invitationMessage } from './notices.ts';
import { isOfDomains, may, reaches, type ActRefusal, type GivenRole, type Role } from './permissions.ts';
import * as store from './store.ts';

export interface Invitation {
  readonly id: string;
  readonly organisation: Organisation;
  readonly email: string;
  readonly role: Role;
  readonly expiresAt: number;
  /** False where the organisation has come to take other domains alone. */
  readonly ofItsDomains: boolean;
}

const INVITATION_LIFETIME = days(7);
const INVITATIONS_SHOWN = 200;

export type InviteRefusal = ActRefusal | 'address' | 'domain' | 'role' | 'belongs-already' | 'too-many';
export type Invited =
  | { readonly ok: true; readonly invitation: Invitation }
  | { readonly ok: false; readonly reason: InviteRefusal; readonly retryAt?: number };

/** Sends an invitation. One that this address has from this organisation is replaced, and its link is dead. */
export async function invite(world: World, actor: Actor, { email, role }: { email: string; role: GivenRole | undefined }): Promise<Invited> {
  const address = parseEmailAddress(email);
  if (!address) return { ok: false, reason: 'address' };
  if (role === undefined) return { ok: false, reason: 'role' };
  const { organisation, account } = actor;
  return world.database.transaction(async (transaction) => {
    const acting = await findActing(transaction, actor);
    if (!acting || !may(acting.role, 'invite')) return { ok: false, reason: 'not-allowed' };
    if (!reaches(acting.role, role)) return { ok: false, reason: 'higher-role' };
    if (!isOfDomains(address.key, await readEmailDomains(transaction, organisation.id))) return { ok: false, reason: 'domain' };
    if (await store.hasMemberOfAddress(transaction, organisation.id, address.key)) return { ok: false, reason: 'belongs-already' };
    const now = world.clock.now();
    const row = {
      id: makeId(world),
      organisation_id: organisation.id,
      email: address.address,
      email_key: address.key,
      role,
      invited_by: account.id,
      created_at: now,
    };
    return send(world, transaction, actor, { row, keep: (link) => store.putInvitation(transaction, { ...row, ...link }) });
  });
}

async function readEmailDomains(queries: Queries, organisationId: string): Promise<readonly string[]> {
  return JSON.parse((await store.selectEmailDomains(queries, organisationId)) ?? '[]') as string[];
}

/** Those that nobody has accepted, expired ones among them, by their addresses. `after`: the address of the last one of the page before. */
export async function listInvitations(
  queries: Queries,
  organisation: Organisation,
  { after = '', most = INVITATIONS_SHOWN }: { after?: string; most?: number } = {},
): Promise<Invitation[]> {
  const rows = await store.selectInvitations(queries, organisation.id, { after: after === '' ? '' : keyOf(after), most });
  return rows.map((row) => invitationFrom({ ...row, organisation_name: organisation.name, email_domains: '[]' }));
}

/** Sends it once more, with a new link and seven more days; the old link is dead. */
export async function resendInvitation(world: World, actor: Actor, id: string): Promise<Invited | { ok: false; reason: 'not-found' }> {
  const { organisation } = actor;
  return world.database.transaction(async (transaction) => {
    const row = await store.selectInvitation(transaction, organisation.id, id);
    const acting = await findActing(transaction, actor);
    if (!row) return { ok: false, reason: 'not-found' };
    if (!acting || !may(acting.role, 'invite')) return { ok: false, reason: 'not-allowed' };
    if (!reaches(acting.role, readRole(row.role))) return { ok: false, reason: 'higher-role' };
    if (!isOfDomains(row.email_key, await readEmailDomains(transaction, organisation.id))) return { ok: false, reason: 'domain' };
    return send(world, transaction, actor, { row, keep: (link) => store.renewInvitation(transaction, id, link) });
  });
}

export async function revokeInvitation(world: World, actor: Actor, id: string): Promise<{ ok: true } | { ok: false; reason: 'not-found' | 'not-allowed' }> {
  const { organisation, account, from } = actor;
  return world.database.transaction(async (transaction) => {
    const acting = await findActing(transaction, actor);
    if (!acting || !may(acting.role, 'invite')) return { ok: false, reason: 'not-allowed' };
    const row = await store.deleteInvitation(transaction, organisation.id, id);
    if (!row) return { ok: false, reason: 'not-found' };
    await record(world, transaction, {
      event: 'organisation_invitation_revoked',
      accountId: account.id,
      from,
      details: { organisation: organisation.id, email: row.email, role: row.role, by: byWhom(actor) },
    });
    return { ok: true };
  });
}

/** What a link invites to; undefined where it was used, revoked, replaced, has expired or was never made. */
export async function findInvitation(world: World, queries: Queries, token: string): Promise<Invitation | undefined> {
  const row = await store.selectInvitationOfToken(queries, world.keys.hash('invitation token', token));
  return row && world.clock.now() < row.expires_at ? invitationFrom(row) : undefined;
}

/** Why an account can't accept an invitation to that address, or undefined. */
export function acceptRefusal({ email, ofItsDomains }: Invitation, account: Account): 'other-address' | 'not-verified' | 'domain' | undefined {
  if (keyOf(email) !== keyOf(account.email)) return 'other-address';
  if (!ofItsDomains) return 'domain';
  return account.emailVerifiedAt === null ? 'not-verified' : undefined;
}

export type Accepted =
  | { readonly ok: true; readonly organisation: Organisation; readonly role: Role }
  | { readonly ok: false; readonly reason: 'link-dead' | 'other-address' | 'not-verified' | 'domain' };

export async function acceptInvitation(world: World, { token, account: seen, from }: { token: string; account: Account; from: Origin }): Promise<Accepted> {
  return world.database.transaction(async (transaction) => {
    const account = await findAccount(transaction, seen.id);
    const invitation = await findInvitation(world, transaction, token);
    if (!account || !invitation) return { ok: false, reason: 'link-dead' };
    const refusal = acceptRefusal(invitation, account);
    if (refusal) return { ok: false, reason: refusal };
    const now = world.clock.now();
    const row = await store.takeInvitation(transaction, { tokenHash: world.keys.hash('invitation token', token), emailKey: keyOf(account.email), now });
    if (!row) return { ok: false, reason: 'link-dead' };
    const { organisation } = invitation;
    const role = readRole(row.role);
    // Who belongs to it already, by an address that was changed meanwhile, keeps the role that they have.
    if (await store.insertMembership(transaction, { organisationId: organisation.id, accountId: account.id, role, joinedAt: now }))
      await record(world, transaction, {
        event: 'organisation_joined',
        accountId: account.id,
        from,
        details: { organisation: organisation.id, role, by: row.invited_by },
      });
    return { ok: true, organisation, role };
  });
}

type Unsent = Omit<store.InvitationRow, 'token_hash' | 'expires_at'>;
type Link = Pick<store.InvitationRow, 'token_hash' | 'expires_at'>;

/** Makes the link, keeps it by `keep`, which says under which id, and sends it, where the address can bear one more. */
async function send(
  world: World,
  transaction: Transaction,
  actor: Actor,
  { row, keep }: { row: Unsent; keep: (link: Link) => Promise<string> },
): Promise<Invited> {
  const { organisation, account, from } = actor;
  const spent = await spend(transaction, world, INVITATION_MAILS, row.email_key);
  if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: spent.retryAt };
  const token = makeToken(world);
  const expiresAt = world.clock.now() + INVITATION_LIFETIME;
  const id = await keep({ token_hash: world.keys.hash('invitation token', token), expires_at: expiresAt });
  const { name: installationName, origin } = world.installation;
  const message = invitationMessage({
    email: row.email,
    organisationName: organisation.name,
    installationName,
    // Not the name: it is what its owner says it is, and could say anything to a stranger in ours.
    by: account.email,
    role: readRole(row.role),
    url: `${origin}/invitation?token=${token}`,
    expiresAt,
    until: momentOf(expiresAt),
  });
  await post(world, transaction, [message]);
  await record(world, transaction, {
    event: 'organisation_invited',
    accountId: account.id,
    from,
    details: { organisation: organisation.id, email: row.email, role: row.role, by: byWhom(actor) },
  });
  return { ok: true, invitation: { id, organisation, email: row.email, role: readRole(row.role), expiresAt, ofItsDomains: true } };
}

/** An invitation that expired is shown, so that it can be sent again, for as long as it lasted. */
export async function sweepOrganisations({ database: { query }, clock }: World): Promise<readonly number[]> {
  const now = clock.now();
  return [
    await deleteExpired(query, { table: 'invitations', key: 'id', column: 'expires_at', before: now - INVITATION_LIFETIME }),
    await deleteExpired(query, { table: 'set_up_links', key: 'id', column: 'expires_at', before: now }),
  ];
}

function invitationFrom(row: store.InvitationWithName): Invitation {
  return {
    id: row.id,
    organisation: { id: row.organisation_id, name: row.organisation_name },
    email: row.email,
    role: readRole(row.role),
    expiresAt: row.expires_at,
    ofItsDomains: isOfDomains(row.email_key, JSON.parse(row.email_domains) as string[]),
  };
}

const keyOf = (address: string): string => parseEmailAddress(address)?.key ?? '';
