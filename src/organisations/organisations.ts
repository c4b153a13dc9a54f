/**
 * Organisations: who belongs to one, as what, and who is invited. The first one is claimed by a link that only whoever started the server can read.
 * Invariants: a member has a verified address; an organisation has exactly one owner at every moment (a unique index, and no statement that changes
 * or removes an owner but the one that passes ownership on); links are random, stored as hashes, and used up by one conditional write; whoever acts is
 * looked up, and what they may do decided (permissions.ts), in the same transaction in which it is done, recorded, and told to whom it concerns.
 */
import { findAccount, type Account } from '../accounts/accounts.ts';
import { record, type Origin } from '../audit/audit.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { post } from '../platform/mail/mail.ts';
import { Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { byWhom, findActing, findMember, nameOfActor, readRole, type Actor, type Member, type Membership, type Organisation } from './membership.ts';
import { membershipMessage, type MembershipNotice } from './notices.ts';
import { actRefusal, isOfDomains, may, reaches, type ActRefusal, type Action, type GivenRole, type Role } from './permissions.ts';
import * as store from './store.ts';

export {
  acceptInvitation,
  acceptRefusal,
  findInvitation,
  invite,
  listInvitations,
  resendInvitation,
  revokeInvitation,
  sweepOrganisations,
  type Invitation,
  type InviteRefusal,
} from './invitations.ts';
export {
  byWhom,
  findActing,
  findMember,
  keyNamedBy,
  nameOfActor,
  readRole,
  type Actor,
  type Member,
  type Membership,
  type Organisation,
} from './membership.ts';
export { leaveOrganisation } from './leaving.ts';
export { ROLE_WORDS } from './notices.ts';
export { isJoiningOpen, mayJoin, readJoiningTerms, type JoiningTerms } from './joining.ts';
export { appointOwner, claimSetUpLink, createOrganisation, findSetUpLink, handOver, isForAnother, makeSetUpLink, type SetUpLink } from './set-up.ts';
export {
  actRefusal,
  GIVEN_ROLES,
  givenRoleOf,
  KEY_ROLES,
  keyRoleOf,
  may,
  reaches,
  roleOf,
  ROLES,
  rolesToGive,
  type ActRefusal,
  type Action,
  type GivenRole,
  type KeyRole,
  type Role,
} from './permissions.ts';

/** Domains whose addresses may join; empty: any. Its policy says them, see policy/drafts.ts. */
export async function setEmailDomains(transaction: Transaction, organisationId: string, domains: readonly string[]): Promise<void> {
  await store.updateEmailDomains(transaction, organisationId, JSON.stringify(domains));
}

/** Whether its policy lets an address join. */
export async function mayBelong(queries: Queries, organisationId: string, emailKey: string): Promise<boolean> {
  return isOfDomains(emailKey, JSON.parse((await store.selectEmailDomains(queries, organisationId)) ?? '[]') as string[]);
}

/** By another way than an invitation, which the caller has seen to. False where they belong to it already. `by`: as the audit log names it. */
export async function addMember(
  world: World,
  transaction: Transaction,
  {
    organisationId,
    accountId,
    role,
    by,
    from,
    told,
  }: { organisationId: string; accountId: string; role: GivenRole; by: string; from: Origin; /** By whom they are told of it. */ told?: Actor },
): Promise<boolean> {
  if (!(await store.insertMembership(transaction, { organisationId, accountId, role, joinedAt: world.clock.now() }))) return false;
  await record(world, transaction, { event: 'organisation_joined', accountId, from, details: { organisation: organisationId, role, by } });
  if (told) await tell(world, transaction, 'added', { actor: told, targetId: accountId, role });
  return true;
}

/** All that there are; for the operator. */
export async function listOrganisations(queries: Queries): Promise<Organisation[]> {
  return (await store.selectAllOrganisations(queries)).map(({ id, name }) => ({ id, name }));
}

/** Where somebody may come and go, the longest first. */
export async function listMemberships(queries: Queries, accountId: string, { suspendedToo = false } = {}): Promise<Membership[]> {
  const rows = (await store.selectMemberships(queries, accountId)).filter((row) => suspendedToo || row.suspended_at === null);
  return rows.map((row) => ({ organisation: { id: row.organisation_id, name: row.organisation_name }, role: readRole(row.role) }));
}

/** Those with that id or name, as the operator types it: names are not unique. */
export const findOrganisations = store.selectOrganisations;
export const endEveryLink = store.deleteEveryLink;

/**
 * Whether somebody looks after another organisation as what `actor` does not reach there. Their account opens that one too: who may not act on it must not
 * get at it by way of this one.
 */
export async function looksAfterOthers(queries: Queries, { account, organisation }: Actor, targetId: string): Promise<boolean> {
  const own = await listMemberships(queries, account.id);
  return (await listMemberships(queries, targetId, { suspendedToo: true })).some((other) => {
    if (other.organisation.id === organisation.id || other.role === 'member') return false;
    const there = own.find((one) => one.organisation.id === other.organisation.id);
    return !there || !reaches(there.role, other.role);
  });
}

/** Whose the organisation is. */
export async function findOwner(queries: Queries, organisationId: string): Promise<Account | undefined> {
  const row = await store.selectOwner(queries, organisationId);
  return row && findAccount(queries, row.account_id);
}

/** Who keeps somebody out: the organisation's name where they belong to some and are suspended in all of them. */
export async function findSuspending(queries: Queries, accountId: string): Promise<string | undefined> {
  const rows = await store.selectMemberships(queries, accountId);
  return rows.every((row) => row.suspended_at !== null) ? rows[0]?.organisation_name : undefined;
}

type NotActed = { readonly ok: false; readonly reason: ActRefusal | 'not-found' };
/** Who looks after it, the longest first. */
export async function listAdministrators(
  queries: Queries,
  organisationId: string,
  most: number,
): Promise<{ id: string; name: string; email: string; role: Role }[]> {
  const rows = await store.selectAdministrators(queries, organisationId, most);
  return rows.map((row) => ({ ...row, role: readRole(row.role) }));
}

export type Acted = { readonly ok: true } | NotActed | { readonly ok: false; readonly reason: 'changed-meanwhile' };

/** `seen`: the role that the page showed. Somebody else may have changed it since. */
export function changeRole(world: World, actor: Actor, { targetId, seen, to }: { targetId: string; seen: Role; to: GivenRole }): Promise<Acted> {
  return act<Acted>(world, actor, { action: 'change-role', targetId, to }, async (transaction, { target }) => {
    const { organisation, from } = actor;
    if (target.role !== seen || !(await store.updateRole(transaction, { organisationId: organisation.id, accountId: targetId, from: seen, to })))
      return { ok: false, reason: 'changed-meanwhile' };
    if (seen === to) return { ok: true };
    await forgetInvitationsBeyond(transaction, { organisation, accountId: targetId, role: to });
    const details = { organisation: organisation.id, from: seen, to, by: byWhom(actor) };
    await record(world, transaction, { event: 'privilege_permissions_changed', accountId: targetId, from, details });
    await tell(world, transaction, 'role-changed', { actor, targetId, role: to });
    return { ok: true };
  });
}

/** `work`: what is to be kept of the membership before it goes, which is the caller's business. */
export function removeMember(
  world: World,
  actor: Actor,
  { targetId, seen }: { targetId: string; seen: Role },
  work: (transaction: Transaction) => Promise<void>,
): Promise<Acted> {
  return act<Acted>(world, actor, { action: 'remove', targetId }, async (transaction, { target }) => {
    const { organisation, from } = actor;
    await work(transaction);
    if (target.role !== seen || !(await store.deleteMembership(transaction, { organisationId: organisation.id, accountId: targetId, role: seen })))
      return { ok: false, reason: 'changed-meanwhile' };
    await forgetInvitationsBeyond(transaction, { organisation, accountId: targetId, role: 'member' });
    await record(world, transaction, {
      event: 'organisation_member_removed',
      accountId: targetId,
      from,
      details: { organisation: organisation.id, role: seen, by: byWhom(actor) },
    });
    await tell(world, transaction, 'removed', { actor, targetId });
    return { ok: true };
  });
}

/** The owner becomes an admin, and `targetId` the owner. */
export function transferOwnership(world: World, actor: Actor, { targetId, seen }: { targetId: string; seen: Role }): Promise<Acted> {
  return act<Acted>(world, actor, { action: 'transfer-ownership', targetId }, async (transaction, { target }) => {
    if (target.suspendedAt !== null)
      throw new Problem('conflict', 'This person is suspended, and nobody could look after the organisation. End the suspension first.');
    const { organisation, account, from } = actor;
    const organisationId = organisation.id;
    // Thrown, so that all of it is undone.
    if (!(await store.replaceOwner(transaction, { organisationId, ownerId: account.id, targetId, seen }))) throw overtaken();
    const details = { organisation: organisationId, by: byWhom(actor) };
    await record(world, transaction, { event: 'organisation_ownership_transferred', accountId: targetId, from, details });
    await tell(world, transaction, 'ownership-received', { actor, targetId });
    return { ok: true };
  });
}

/** Keeps somebody out of the organisation, and lets them in again. What ends with it is the caller's business, in the same transaction: `work`. */
export function setSuspended(
  world: World,
  actor: Actor,
  { targetId, to }: { targetId: string; to: boolean },
  work: (transaction: Transaction) => Promise<void>,
): Promise<Acted> {
  return act<Acted>(world, actor, { action: 'suspend', targetId }, async (transaction) => {
    const { organisation, from } = actor;
    const at = to ? world.clock.now() : null;
    if (!(await store.updateSuspended(transaction, { organisationId: organisation.id, accountId: targetId, at })))
      return { ok: false, reason: 'changed-meanwhile' };
    if (to) await store.deleteInvitationsBy(transaction, organisation.id, targetId);
    await work(transaction);
    const event = to ? 'organisation_member_suspended' : 'organisation_member_resumed';
    await record(world, transaction, { event, accountId: targetId, from, details: { organisation: organisation.id, by: byWhom(actor) } });
    await tell(world, transaction, to ? 'suspended' : 'resumed', { actor, targetId });
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
  return act<Acted>(world, actor, { action, targetId }, async (transaction) => {
    await work(transaction);
    await tell(world, transaction, notice, { actor, targetId });
    return { ok: true };
  });
}

/** The one way to do something to a member: both are read, and what may be done decided, in the transaction in which it is done. */
export function act<Done>(
  world: World,
  actor: Actor,
  { action, targetId, to }: { action: Action; targetId: string; to?: Role },
  work: (transaction: Transaction, people: { acting: Member; target: Member }) => Promise<Done>,
): Promise<Done | NotActed> {
  return world.database.transaction(async (transaction): Promise<Done | NotActed> => {
    const acting = await findActing(transaction, actor, action);
    if (!acting) return { ok: false, reason: 'not-allowed' };
    const target = await findMember(transaction, actor.organisation.id, targetId);
    if (!target) return { ok: false, reason: 'not-found' };
    const refusal = actRefusal(action, { actor: acting, target, ...(to === undefined ? {} : { to }) });
    if (!refusal) return work(transaction, { acting, target });
    await recordRefused(world, transaction, actor, action);
    return { ok: false, reason: refusal };
  });
}

/** That somebody tried what they may not (LO-1): no page of theirs offers it, so whoever does it has made it up, or had lost a right a moment before. */
export async function recordRefused(world: World, transaction: Transaction, actor: Actor, action: Action): Promise<void> {
  const { organisation, account, from } = actor;
  await record(world, transaction, { event: 'authz_fail', accountId: account.id, from, details: { organisation: organisation.id, action, by: byWhom(actor) } });
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
  // A name is what its owner says it is, and goes to no address that may be a stranger's.
  const to = { name: target.emailVerifiedAt === null ? '' : target.name, address: target.email };
  await post(world, transaction, [
    membershipMessage(notice, { to, organisationName: actor.organisation.name, installationName, origin, by: nameOfActor(actor), role }),
  ]);
}

const overtaken = (): Problem =>
  new Problem('conflict', 'Somebody else changed this at the same moment, so nothing was done. Reload the page to see how it is now.');
