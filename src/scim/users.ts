// People, as the organisation's directory makes, changes and takes them away. The door is scim.ts.
import { changeEmail, changeName, createVerified, findVerifiedByEmail, hasPassword, lockAccount, nameRefusal, type Account } from '../accounts/accounts.ts';
import { deprovision, resume, suspend } from '../admin/admin.ts';
import { endOtherAttempts } from '../attempts/attempts.ts';
import { record } from '../audit/audit.ts';
import { listFactors } from '../factors/factors.ts';
import { listGroupsOf } from '../groups/groups.ts';
import { addMember, byWhom, findActing, findMember, listMemberships, may, mayBelong, recordRefused, type Actor } from '../organisations/organisations.ts';
import { isUniqueViolation, type Queries, type Transaction } from '../platform/database/database.ts';
import { parseEmailAddress, type EmailAddress } from '../platform/mail/address.ts';
import { post } from '../platform/mail/mail.ts';
import { noSuchThing, type Problem } from '../platform/problem.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { domainOf, findConnectionFor, isVerifiedFor, listLinks, whoseAccount } from '../sso/sso.ts';
import type { UserState } from './contract.ts';
import type { Filter } from './filter.ts';
import { addressChangedMessage } from './notices.ts';
import { reachesAccount, type Standing } from './reaches-account.ts';
import { scimProblem, taken } from './refusals.ts';
import type { UserShown } from './resources.ts';
import * as store from './store.ts';

export async function listUsers(
  world: World,
  { organisation }: Actor,
  page: { readonly filter: Filter | undefined; readonly skip: number; readonly most: number },
): Promise<{ users: UserShown[]; total: number }> {
  const { rows, total } = await store.selectPeople(world.database.query, organisation.id, page);
  return { users: await shown(world.database.query, organisation.id, rows), total };
}

export async function readUser(world: World, { organisation }: Actor, id: string): Promise<UserShown> {
  const { query } = world.database;
  const row = await store.selectPerson(query, organisation.id, id);
  const [user] = row ? await shown(query, organisation.id, [row]) : [];
  if (!user) throw noSuchThing();
  return user;
}

async function shown(queries: Queries, organisationId: string, rows: readonly store.PersonRow[]): Promise<UserShown[]> {
  const ids = rows.map((row) => row.account_id);
  const groups = Map.groupBy(await listGroupsOf(queries, organisationId, ids), (one) => one.account_id);
  return rows.map((row) => ({
    ...stateOf(row),
    id: row.account_id,
    ownName: row.name,
    ownEmail: row.own_email,
    groups: groups.get(row.account_id) ?? [],
    created: isoOf(row.joined_at),
    changed: isoOf(row.updated_at ?? row.joined_at),
  }));
}

const stateOf = (row: store.PersonRow): UserState => ({
  userName: row.user_name ?? row.own_email,
  externalId: row.external_id,
  active: row.suspended_at === null,
  email: row.email,
  displayName: row.display_name,
  givenName: row.given_name,
  familyName: row.family_name,
});

/** Somebody new to the organisation. Returns their id. */
export async function createUser(world: World, actor: Actor, wanted: UserState): Promise<string> {
  const email = parseEmailAddress(wanted.email ?? wanted.userName);
  if (!email) throw scimProblem('bad-request', 'Send an email address: as the primary one of emails, or as userName.', 'invalidValue');
  const made = await onceOnly(() =>
    world.database.transaction(async (transaction): Promise<string | Problem> => {
      if (!(await mayInvite(world, transaction, actor))) return notAllowed();
      const { id: organisationId } = actor.organisation;
      if ((await store.selectHolderOfName(transaction, organisationId, store.keyOf(wanted.userName))) !== undefined) return taken();
      const account = await accountFor(world, transaction, actor, { email, wanted });
      if ('code' in account) return account;
      await store.putUser(transaction, rowOf(world, { organisationId, accountId: account.id }, wanted));
      return account.id;
    }),
  );
  if (typeof made !== 'string') throw made;
  if (!wanted.active) await setActive(world, actor, made, false);
  return made;
}

/** Of two who make the same person at once the second is told that there is one. */
async function onceOnly<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isUniqueViolation(error)) throw taken();
    throw error;
  }
}

async function mayInvite(world: World, transaction: Transaction, actor: Actor): Promise<boolean> {
  const acting = await findActing(transaction, actor);
  if (acting && may(acting.role, 'invite')) return true;
  await recordRefused(world, transaction, actor, 'invite');
  return false;
}

const notAllowed = (): Problem => scimProblem('not-allowed', 'The role of whoever made this key does not allow that any more.');

/**
 * The account, made or that was there, now of the organisation as a member: nothing that a directory sends makes more of anybody. An account that is there belongs to
 * whoever proved its address; it joins without being asked only where the rules of single sign-on would connect it (SI-1).
 */
async function accountFor(
  world: World,
  transaction: Transaction,
  actor: Actor,
  { email, wanted }: { email: EmailAddress; wanted: UserState },
): Promise<Account | Problem> {
  const { organisation, from } = actor;
  const holder = await findVerifiedByEmail(transaction, email.key);
  if (holder && (await findMember(transaction, organisation.id, holder.id))) return taken();
  if (!(await isVerifiedFor(transaction, organisation.id, domainOf(email.key))))
    return scimProblem(
      'bad-request',
      `The domain ${domainOf(email.key)} is not verified for the organisation. Verify it in the console under Single sign-on.`,
      'invalidValue',
    );
  const connection = await findConnectionFor(world, transaction, email.key);
  const decided = whoseAccount({
    linkedTo: undefined,
    addressIsBelieved: holder === undefined || (connection?.organisationId === organisation.id && connection.trustsAddresses),
    mayJoin: await mayBelong(transaction, organisation.id, email.key),
    holder: holder && {
      accountId: holder.id,
      isLinkedOtherwise: false,
      belongsElsewhere: (await listMemberships(transaction, holder.id, { suspendedToo: true })).length > 0,
    },
  });
  switch (decided.kind) {
    case 'prove-first':
      return scimProblem(
        'conflict',
        'An account with this address was there before, and does not belong to the organisation. Invite the person: they accept by it.',
      );
    case 'may-not-join':
      return scimProblem('bad-request', 'The Security Policy lets addresses of this domain not join.', 'invalidValue');
    case 'linked':
    case 'link':
      await addMember(world, transaction, {
        organisationId: organisation.id,
        accountId: decided.accountId,
        role: 'member',
        by: byWhom(actor),
        from,
        told: actor,
      });
      return holder!;
    case 'create':
      return createFor(world, transaction, actor, { email, wanted });
  }
}

/** Without a password: their way in is single sign-on, or a link to their mailbox by which they choose one. */
async function createFor(
  world: World,
  transaction: Transaction,
  actor: Actor,
  { email, wanted }: { email: EmailAddress; wanted: UserState },
): Promise<Account> {
  const { organisation, from } = actor;
  const local = email.address.split('@')[0]!;
  const account = await createVerified(world, transaction, { email, name: nameIn(wanted) ?? (nameRefusal(local) === undefined ? local : email.address) });
  await record(world, transaction, { event: 'user_created', accountId: account.id, from });
  await addMember(world, transaction, { organisationId: organisation.id, accountId: account.id, role: 'member', by: byWhom(actor), from });
  return account;
}

/** Undefined where it says none that can be shown. */
function nameIn({ displayName, givenName, familyName }: UserState): string | undefined {
  const full = [givenName, familyName].filter((one) => one !== null).join(' ');
  return [displayName, full].find((one): one is string => one !== null && nameRefusal(one) === undefined);
}

/** `change`: from what they are to what they shall be. Whoever is to be kept out is so first, whatever becomes of the rest. */
export async function changeUser(world: World, actor: Actor, id: string, change: (before: UserState) => UserState): Promise<void> {
  const { active } = change(await readUser(world, actor, id));
  if (!active) await setActive(world, actor, id, false);
  const refused = await onceOnly(() =>
    world.database.transaction(async (transaction): Promise<Problem | undefined> => {
      if (!(await mayInvite(world, transaction, actor))) return notAllowed();
      const row = await store.selectPerson(transaction, actor.organisation.id, id);
      if (!row) return noSuchThing();
      return keep(world, transaction, actor, { id, before: stateOf(row), after: change(stateOf(row)) });
    }),
  );
  if (refused) throw refused;
  if (active) await setActive(world, actor, id, true);
}

async function keep(
  world: World,
  transaction: Transaction,
  actor: Actor,
  { id, before, after }: { id: string; before: UserState; after: UserState },
): Promise<Problem | undefined> {
  const names = (Object.keys(before) as (keyof UserState)[]).filter((name) => name !== 'active' && before[name] !== after[name]);
  if (names.length === 0) return undefined;
  const organisationId = actor.organisation.id;
  const holder = await store.selectHolderOfName(transaction, organisationId, store.keyOf(after.userName));
  if (holder !== undefined && holder !== id) return taken();
  await store.putUser(transaction, rowOf(world, { organisationId, accountId: id }, after));
  const details = { organisation: organisationId, changes: names.join(' '), by: byWhom(actor) };
  await record(world, transaction, { event: 'scim_user_changed', accountId: id, from: actor.from, details });
  await changeAccount(world, transaction, actor, { id, names, after });
  return undefined;
}

/** What reaches the account. Where the address does not, it is kept beside it, and changes as soon as the person proves it. */
async function changeAccount(
  world: World,
  transaction: Transaction,
  actor: Actor,
  { id, names, after }: { id: string; names: readonly (keyof UserState)[]; after: UserState },
): Promise<void> {
  const { organisation, from } = actor;
  const account = (await lockAccount(transaction, id))!;
  const details = { organisation: organisation.id, by: byWhom(actor) };
  const wanted = names.some((one) => one === 'email' || one === 'userName') ? parseEmailAddress(after.email ?? after.userName) : undefined;
  const next = wanted?.address === account.email ? undefined : wanted;
  const reaches = reachesAccount(await readStanding(world, transaction, organisation.id, { account, next }));
  const name = names.some((one) => NAMING.includes(one)) ? nameIn(after) : undefined;
  if (reaches.name && name !== undefined && name !== account.name) {
    await changeName(transaction, id, name);
    await record(world, transaction, { event: 'user_updated', accountId: id, from, details });
  }
  if (!reaches.address || !next || !(await changeEmail(world, transaction, id, next)).ok) return;
  // Codes on their way to the old address are worth nothing from here on (EC-4).
  await endOtherAttempts(transaction, id);
  await record(world, transaction, { event: 'user_email_changed', accountId: id, from, details });
  const { name: installationName, origin } = world.installation;
  const about = { installationName, origin, organisationName: organisation.name, address: next.address };
  const both = [account.email, next.address].map((address) => addressChangedMessage({ ...about, to: { name: account.name, address } }));
  await post(world, transaction, both);
}

const NAMING: readonly (keyof UserState)[] = ['displayName', 'givenName', 'familyName'];

async function readStanding(
  world: World,
  transaction: Transaction,
  organisationId: string,
  { account: { id, email }, next }: { account: Account; next: EmailAddress | undefined },
): Promise<Standing> {
  const { key } = parseEmailAddress(email)!;
  const isOurs = (one: string): Promise<boolean> => isVerifiedFor(transaction, organisationId, domainOf(one));
  const memberships = await listMemberships(transaction, id, { suspendedToo: true });
  const links = await listLinks(transaction, id);
  const connection = await findConnectionFor(world, transaction, key);
  const following = next && (await findConnectionFor(world, transaction, next.key));
  const isRequired = connection?.required === true && connection.organisationId === organisationId && following?.id === connection.id;
  const holder = next && (await findVerifiedByEmail(transaction, next.key));
  return {
    role: memberships.find(({ organisation }) => organisation.id === organisationId)!.role,
    belongsElsewhere: memberships.some(({ organisation }) => organisation.id !== organisationId),
    addressIsOurs: await isOurs(key),
    isUnused: links.length === 0 && !(await hasPassword(transaction, id)) && (await listFactors(world, transaction, id)).length === 0,
    providerAlone: isRequired && links.some(({ connectionId }) => connectionId === connection.id),
    next: next && { isOurs: await isOurs(next.key), isTaken: holder !== undefined && holder.id !== id },
  };
}

const rowOf = (world: World, { organisationId, accountId }: { organisationId: string; accountId: string }, state: UserState): store.ScimUserRow => ({
  organisation_id: organisationId,
  account_id: accountId,
  user_name: state.userName,
  user_name_key: store.keyOf(state.userName),
  external_id: state.externalId,
  email: state.email,
  email_key: state.email === null ? null : store.keyOf(state.email),
  display_name: state.displayName,
  given_name: state.givenName,
  family_name: state.familyName,
  updated_at: world.clock.now(),
});

/** Kept out at once, everywhere; or let in again. The console's own deeds, with their rules, mails and events. */
async function setActive(world: World, actor: Actor, id: string, active: boolean): Promise<void> {
  const member = await findMember(world.database.query, actor.organisation.id, id);
  if (member && (member.suspendedAt === null) === active) return;
  const done = await (active ? resume : suspend)(world, actor, id);
  if (!done.ok && done.reason !== 'changed-meanwhile') throw actProblem(done.reason);
}

export async function deleteUser(world: World, actor: Actor, id: string): Promise<void> {
  const member = await findMember(world.database.query, actor.organisation.id, id);
  if (!member) throw noSuchThing();
  const done = await deprovision(world, actor, { targetId: id, seen: member.role });
  if (!done.ok) throw actProblem(done.reason);
}

function actProblem(reason: 'not-allowed' | 'oneself' | 'higher-role' | 'not-found' | 'changed-meanwhile'): Problem {
  switch (reason) {
    case 'not-found':
      return noSuchThing();
    case 'not-allowed':
      return notAllowed();
    case 'oneself':
      return scimProblem('not-allowed', 'The API key acts in the name of this very person. Let somebody make it who stays, such as the owner.', 'mutability');
    case 'higher-role':
      return scimProblem(
        'not-allowed',
        'This is the owner of the organisation, whom no directory keeps out. Ownership is passed on in the console.',
        'mutability',
      );
    case 'changed-meanwhile':
      return scimProblem('conflict', 'Somebody else changed this person at the same moment, so nothing was done. Try again.');
  }
}
