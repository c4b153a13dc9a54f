/**
 * Organisations: who belongs to one, as what, and who is invited. The first one is claimed by a link that only whoever started the server can read.
 * Invariants: a member has a verified address; an organisation has exactly one owner at every moment (a unique index, and no statement that changes
 * or removes an owner but the one that passes ownership on); links are random, stored as hashes, and used up by one conditional write; whoever acts is
 * looked up, and what they may do decided (permissions.ts), in the same transaction in which it is done, recorded, and told to whom it concerns.
 */
import { findAccount, nameRefusal, type Account } from '../accounts/accounts.ts';
import { record, type Origin } from '../audit/audit.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { days } from '../platform/durations.ts';
import { INVITATION_MAILS, spend } from '../platform/limits/limits.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { post } from '../platform/mail/mail.ts';
import { Problem } from '../platform/problem.ts';
import { momentOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { invitationMessage, membershipMessage, type MembershipNotice } from './notices.ts';
import { actRefusal, may, reaches, roleOf, type ActRefusal, type Action, type GivenRole, type Role } from './permissions.ts';
import * as store from './store.ts';

export { ROLE_WORDS } from './notices.ts';
export {
  actRefusal,
  GIVEN_ROLES,
  givenRoleOf,
  may,
  roleOf,
  ROLES,
  rolesToGive,
  type ActRefusal,
  type Action,
  type GivenRole,
  type Role,
} from './permissions.ts';

export interface Organisation {
  readonly id: string;
  readonly name: string;
}

export interface Membership {
  readonly organisation: Organisation;
  readonly role: Role;
}

export interface Member {
  readonly accountId: string;
  readonly role: Role;
  readonly joinedAt: number;
}

export interface Invitation {
  readonly id: string;
  readonly organisation: Organisation;
  readonly email: string;
  readonly role: Role;
  readonly expiresAt: number;
}

/** Who acts, and where: what the guard of the console found out. Their role is read anew before anything is done. */
export interface Actor {
  readonly account: Account;
  readonly organisation: Organisation;
  readonly from: Origin;
}

export const INVITATION_LIFETIME = days(7);
const INVITATIONS_SHOWN = 200;
const TOKEN_BYTES = 32;

/** A link for the operator while there is no organisation; undefined afterwards. A new one takes the place of the last. */
export async function makeSetUpLink(world: World): Promise<string | undefined> {
  return world.database.transaction(async (transaction) => {
    if (await store.hasOrganisation(transaction)) return undefined;
    const token = makeToken(world);
    await store.putSetUpLink(transaction, { token_hash: world.keys.hash('set-up token', token), created_at: world.clock.now() });
    return `${world.installation.origin}/set-up?token=${token}`;
  });
}

/** Whether the link would serve now. */
export async function isSetUpLink(world: World, queries: Queries, token: string): Promise<boolean> {
  return !(await store.hasOrganisation(queries)) && store.isSetUpLink(queries, world.keys.hash('set-up token', token));
}

/** Whoever has the link becomes the owner of the first organisation; of two who race one does. */
export async function claimInstallation(
  world: World,
  { token, name, account, from }: { token: string; name: string; account: Account; from: Origin },
): Promise<{ ok: true; organisation: Organisation } | { ok: false; reason: 'link-dead' | 'name' | 'not-verified' }> {
  const clean = name.normalize('NFC').trim();
  return world.database.transaction(async (transaction) => {
    if (!(await isSetUpLink(world, transaction, token))) return { ok: false, reason: 'link-dead' };
    if (!(await hasVerifiedAddress(transaction, account.id))) return { ok: false, reason: 'not-verified' };
    if (nameRefusal(clean) !== undefined) return { ok: false, reason: 'name' };
    // From here on the row is gone for everybody else.
    if (!(await store.takeSetUpLink(transaction, world.keys.hash('set-up token', token)))) return { ok: false, reason: 'link-dead' };
    return { ok: true, organisation: await createOrganisation(world, transaction, { name: clean, owner: account.id, from }) };
  });
}

/** The caller has seen to the name, and to the owner's address being verified. */
export async function createOrganisation(
  world: World,
  transaction: Transaction,
  { name, owner, from }: { name: string; owner: string; from: Origin },
): Promise<Organisation> {
  const organisation = { id: makeId(world), name };
  const now = world.clock.now();
  await store.insertOrganisation(transaction, { ...organisation, created_at: now });
  await store.insertMembership(transaction, { organisationId: organisation.id, accountId: owner, role: 'owner', joinedAt: now });
  await record(world, transaction, { event: 'organisation_created', accountId: owner, from, details: { organisation: organisation.id, name } });
  return organisation;
}

/** What somebody belongs to, the longest first. */
export async function listMemberships(queries: Queries, accountId: string): Promise<Membership[]> {
  const rows = await store.selectMemberships(queries, accountId);
  return rows.map((row) => ({ organisation: { id: row.organisation_id, name: row.organisation_name }, role: readRole(row.role) }));
}

export async function findMember(queries: Queries, organisationId: string, accountId: string): Promise<Member | undefined> {
  const row = await store.selectMembership(queries, organisationId, accountId);
  return row && { accountId: row.account_id, role: readRole(row.role), joinedAt: row.joined_at };
}

export type InviteRefusal = ActRefusal | 'address' | 'role' | 'belongs-already' | 'too-many';
export type Invited = { readonly ok: true } | { readonly ok: false; readonly reason: InviteRefusal; readonly retryAt?: number };

/** Sends an invitation. One that this address has from this organisation is replaced, and its link is dead. */
export async function invite(world: World, actor: Actor, { email, role }: { email: string; role: GivenRole | undefined }): Promise<Invited> {
  const address = parseEmailAddress(email);
  if (!address) return { ok: false, reason: 'address' };
  if (role === undefined) return { ok: false, reason: 'role' };
  const { organisation, from, account } = actor;
  return world.database.transaction(async (transaction) => {
    const acting = await findMember(transaction, organisation.id, account.id);
    if (!acting || !may(acting.role, 'invite')) return { ok: false, reason: 'not-allowed' };
    if (!reaches(acting.role, role)) return { ok: false, reason: 'higher-role' };
    if (await store.hasMemberOfAddress(transaction, organisation.id, address.key)) return { ok: false, reason: 'belongs-already' };
    const spent = await spend(transaction, world, INVITATION_MAILS, address.key);
    if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: Number(spent.retryAt) };
    const now = world.clock.now();
    const token = makeToken(world);
    const row: store.InvitationRow = {
      id: makeId(world),
      organisation_id: organisation.id,
      token_hash: world.keys.hash('invitation token', token),
      email: address.address,
      email_key: address.key,
      role,
      invited_by: account.id,
      created_at: now,
      expires_at: now + INVITATION_LIFETIME,
    };
    await store.putInvitation(transaction, row);
    await sendInvitation(world, transaction, actor, row, token);
    await record(world, transaction, {
      event: 'organisation_invited',
      accountId: account.id,
      from,
      details: { organisation: organisation.id, email: address.address, role },
    });
    return { ok: true };
  });
}

/** Those that nobody has accepted, expired ones among them. */
export async function listInvitations(queries: Queries, organisation: Organisation): Promise<Invitation[]> {
  const rows = await store.selectInvitations(queries, organisation.id, INVITATIONS_SHOWN);
  return rows.map((row) => invitationFrom({ ...row, organisation_name: organisation.name }));
}

/** Sends it once more, with a new link and seven more days; the old link is dead. */
export async function resendInvitation(world: World, actor: Actor, id: string): Promise<Invited | { ok: false; reason: 'not-found' }> {
  const { organisation, account, from } = actor;
  return world.database.transaction(async (transaction) => {
    const row = await store.selectInvitation(transaction, organisation.id, id);
    const acting = await findMember(transaction, organisation.id, account.id);
    if (!row) return { ok: false, reason: 'not-found' };
    if (!acting || !may(acting.role, 'invite')) return { ok: false, reason: 'not-allowed' };
    if (!reaches(acting.role, readRole(row.role))) return { ok: false, reason: 'higher-role' };
    const spent = await spend(transaction, world, INVITATION_MAILS, row.email_key);
    if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: Number(spent.retryAt) };
    const token = makeToken(world);
    const expiresAt = world.clock.now() + INVITATION_LIFETIME;
    await store.renewInvitation(transaction, { id, tokenHash: world.keys.hash('invitation token', token), expiresAt });
    await sendInvitation(world, transaction, actor, { ...row, expires_at: expiresAt }, token);
    await record(world, transaction, {
      event: 'organisation_invited',
      accountId: account.id,
      from,
      details: { organisation: organisation.id, email: row.email, role: row.role, again: true },
    });
    return { ok: true };
  });
}

export async function revokeInvitation(
  world: World,
  { organisation, account, from }: Actor,
  id: string,
): Promise<{ ok: true } | { ok: false; reason: 'not-found' | 'not-allowed' }> {
  return world.database.transaction(async (transaction) => {
    const acting = await findMember(transaction, organisation.id, account.id);
    if (!acting || !may(acting.role, 'invite')) return { ok: false, reason: 'not-allowed' };
    const row = await store.deleteInvitation(transaction, organisation.id, id);
    if (!row) return { ok: false, reason: 'not-found' };
    await record(world, transaction, {
      event: 'organisation_invitation_revoked',
      accountId: account.id,
      from,
      details: { organisation: organisation.id, email: row.email, role: row.role },
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
export function acceptRefusal({ email }: Invitation, account: Account): 'other-address' | 'not-verified' | undefined {
  if (keyOf(email) !== keyOf(account.email)) return 'other-address';
  return account.emailVerifiedAt === null ? 'not-verified' : undefined;
}

export type Accepted =
  | { readonly ok: true; readonly organisation: Organisation; readonly role: Role }
  | { readonly ok: false; readonly reason: 'link-dead' | 'other-address' | 'not-verified' };

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
        details: { organisation: organisation.id, role, invitedBy: row.invited_by },
      });
    return { ok: true, organisation, role };
  });
}

export type Acted = { readonly ok: true } | { readonly ok: false; readonly reason: ActRefusal | 'not-found' | 'changed-meanwhile' };

/** `seen`: the role that the page showed. Somebody else may have changed it since. */
export function changeRole(world: World, actor: Actor, { targetId, seen, to }: { targetId: string; seen: Role; to: GivenRole }): Promise<Acted> {
  return act(world, actor, { action: 'change-role', targetId, to }, async (transaction, { target }) => {
    const { organisation, account, from } = actor;
    if (target.role !== seen || !(await store.updateRole(transaction, { organisationId: organisation.id, accountId: targetId, from: seen, to })))
      return { ok: false, reason: 'changed-meanwhile' };
    if (seen === to) return { ok: true };
    await forgetInvitationsBeyond(transaction, { organisation, accountId: targetId, role: to });
    const details = { organisation: organisation.id, from: seen, to, by: account.id };
    await record(world, transaction, { event: 'privilege_permissions_changed', accountId: targetId, from, details });
    await tell(world, transaction, 'role-changed', { actor, targetId, role: to });
    return { ok: true };
  });
}

export function removeMember(world: World, actor: Actor, { targetId, seen }: { targetId: string; seen: Role }): Promise<Acted> {
  return act(world, actor, { action: 'remove', targetId }, async (transaction, { target }) => {
    const { organisation, account, from } = actor;
    if (target.role !== seen || !(await store.deleteMembership(transaction, { organisationId: organisation.id, accountId: targetId, role: seen })))
      return { ok: false, reason: 'changed-meanwhile' };
    await forgetInvitationsBeyond(transaction, { organisation, accountId: targetId, role: 'member' });
    await record(world, transaction, {
      event: 'organisation_member_removed',
      accountId: targetId,
      from,
      details: { organisation: organisation.id, role: seen, by: account.id },
    });
    await tell(world, transaction, 'removed', { actor, targetId });
    return { ok: true };
  });
}

/** The owner becomes an admin, and `targetId` the owner. Two statements, each over what was seen: whatever races with them, one owner is left. */
export function transferOwnership(world: World, actor: Actor, { targetId, seen }: { targetId: string; seen: Role }): Promise<Acted> {
  return act(world, actor, { action: 'transfer-ownership', targetId }, async (transaction) => {
    const { organisation, account, from } = actor;
    const organisationId = organisation.id;
    if (!(await store.updateRole(transaction, { organisationId, accountId: account.id, from: 'owner', to: 'admin' }))) throw overtaken();
    // Thrown, so that the first statement is undone.
    if (!(await store.updateRole(transaction, { organisationId, accountId: targetId, from: seen, to: 'owner' }))) throw overtaken();
    const details = { organisation: organisationId, from: account.id, to: targetId };
    await record(world, transaction, { event: 'organisation_ownership_transferred', accountId: targetId, from, details });
    await tell(world, transaction, 'ownership-received', { actor, targetId });
    return { ok: true };
  });
}

/** Something done to a member that is the business of another room: decided here, where all of it is, and told to the member. */
export function actOnMember(
  world: World,
  actor: Actor,
  { action, targetId, notice }: { action: Action; targetId: string; notice: MembershipNotice },
  work: (transaction: Transaction) => Promise<void>,
): Promise<Acted> {
  return act(world, actor, { action, targetId }, async (transaction) => {
    await work(transaction);
    await tell(world, transaction, notice, { actor, targetId });
    return { ok: true };
  });
}

/** The one way to do something to a member: both are read, and what may be done decided, in the transaction in which it is done. */
function act(
  world: World,
  { organisation, account }: Actor,
  { action, targetId, to }: { action: Action; targetId: string; to?: Role },
  work: (transaction: Transaction, people: { acting: Member; target: Member }) => Promise<Acted>,
): Promise<Acted> {
  return world.database.transaction(async (transaction): Promise<Acted> => {
    const acting = await findMember(transaction, organisation.id, account.id);
    if (!acting) return { ok: false, reason: 'not-allowed' };
    const target = await findMember(transaction, organisation.id, targetId);
    if (!target) return { ok: false, reason: 'not-found' };
    const refusal = actRefusal(action, { actor: acting, target, ...(to === undefined ? {} : { to }) });
    return refusal ? { ok: false, reason: refusal } : work(transaction, { acting, target });
  });
}

/** Invitations are worth what the role of who sent them is worth: nobody leaves a door open for later. */
async function forgetInvitationsBeyond(
  transaction: Transaction,
  { organisation, accountId, role }: { organisation: Organisation; accountId: string; role: Role },
): Promise<void> {
  if (!may(role, 'invite')) await store.deleteInvitationsBy(transaction, organisation.id, accountId);
}

async function tell(
  world: World,
  transaction: Transaction,
  notice: MembershipNotice,
  { actor, targetId, role }: { actor: Actor; targetId: string; role?: Role },
): Promise<void> {
  const target = await findAccount(transaction, targetId);
  if (!target) return;
  const { name: installationName, origin } = world.installation;
  const to = { name: target.name, address: target.email };
  await post(world, transaction, [
    membershipMessage(notice, { to, organisationName: actor.organisation.name, installationName, origin, by: actor.account.name, role }),
  ]);
}

async function sendInvitation(
  world: World,
  transaction: Transaction,
  { organisation, account }: Actor,
  row: store.InvitationRow,
  token: string,
): Promise<void> {
  const { name: installationName, origin } = world.installation;
  const message = invitationMessage({
    email: row.email,
    organisationName: organisation.name,
    installationName,
    // Not the name: it is what its owner says it is, and could say anything to a stranger in ours.
    by: account.email,
    role: readRole(row.role),
    url: `${origin}/invitation?token=${token}`,
    expiresAt: row.expires_at,
    until: momentOf(row.expires_at),
  });
  await post(world, transaction, [message]);
}

/** An invitation that expired is shown, so that it can be sent again, for as long as it lasted. */
export async function sweepOrganisations({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'invitations', key: 'id', column: 'expires_at', before: clock.now() - INVITATION_LIFETIME })];
}

const overtaken = (): Problem =>
  new Problem('conflict', 'Somebody else changed this at the same moment, so nothing was done. Reload the page to see how it is now.');

async function hasVerifiedAddress(queries: Queries, accountId: string): Promise<boolean> {
  const account = await findAccount(queries, accountId);
  return account !== undefined && account.emailVerifiedAt !== null;
}

function invitationFrom(row: store.InvitationWithName): Invitation {
  return {
    id: row.id,
    organisation: { id: row.organisation_id, name: row.organisation_name },
    email: row.email,
    role: readRole(row.role),
    expiresAt: row.expires_at,
  };
}

/** What can't be read gives no rights. */
function readRole(text: string): Role {
  const role = roleOf(text);
  if (!role) throw new Error('A membership has a role that is none.');
  return role;
}

const keyOf = (address: string): string => parseEmailAddress(address)?.key ?? '';

const makeId = (world: World): string => Buffer.from(world.random.bytes(16)).toString('base64url');
const makeToken = (world: World): string => Buffer.from(world.random.bytes(TOKEN_BYTES)).toString('base64url');
