// How an organisation comes to be: by a link that only whoever has the host can make. The door is organisations.ts.
import { findAccount, findVerifiedByEmail, nameRefusal, type Account } from '../accounts/accounts.ts';
import { commandLine, record, type Origin } from '../audit/audit.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { days } from '../platform/durations.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { post } from '../platform/mail/mail.ts';
import { Problem } from '../platform/problem.ts';
import { makeId, makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import type { Organisation } from './membership.ts';
import { membershipMessage } from './notices.ts';
import * as store from './store.ts';

/** What a link sets up. The first one of a portal says nothing of whom it is for: whoever has it. */
export interface SetUpLink {
  /** The address that its owner has; undefined: any. */
  readonly email: string | undefined;
  readonly organisationName: string | undefined;
}

const FIRST_LINK = { id: 'set-up', email: null, organisation_name: null, expires_at: null } as const;
/** Of a link that is for one address. Whoever needs longer asks the operator again. */
const OWNER_LINK_LIFETIME = days(7);

/** A link for the operator while there is no organisation; undefined afterwards. A new one takes the place of the last. */
export async function makeSetUpLink(world: World): Promise<string | undefined> {
  return world.database.transaction(async (transaction) => ((await store.hasOrganisation(transaction)) ? undefined : putLink(world, transaction, FIRST_LINK)));
}

export type Appointed =
  | { readonly kind: 'organisation'; readonly organisation: Organisation }
  /** There is no account with that address yet: whoever opens the link with one creates the organisation. */
  | { readonly kind: 'link'; readonly link: string; readonly expiresAt: number }
  | { readonly kind: 'refused'; readonly reason: 'address' | 'name' | 'owns-it-already' };

/** Makes somebody the owner of a new organisation: for the operator on the host, when nobody else can, or for one more organisation. */
export async function appointOwner(world: World, { email, name }: { email: string; name: string }): Promise<Appointed> {
  const address = parseEmailAddress(email);
  const clean = name.normalize('NFC').trim();
  if (!address) return { kind: 'refused', reason: 'address' };
  if (nameRefusal(clean) !== undefined) return { kind: 'refused', reason: 'name' };
  return world.database.transaction(async (transaction): Promise<Appointed> => {
    const account = await findVerifiedByEmail(transaction, address.key);
    if (account) return createFor(world, transaction, account, clean);
    const expiresAt = world.clock.now() + OWNER_LINK_LIFETIME;
    const row = { id: `owner ${address.key}`, email: address.address, organisation_name: clean, expires_at: expiresAt };
    const link = await putLink(world, transaction, row);
    const details = { email: address.address, name: clean };
    await record(world, transaction, { event: 'organisation_set_up_link_made', accountId: null, from: commandLine, details });
    return { kind: 'link', link, expiresAt };
  });
}

async function createFor(world: World, transaction: Transaction, account: Account, name: string): Promise<Appointed> {
  const memberships = await store.selectMemberships(transaction, account.id);
  // A command that is given twice does once what it says.
  if (memberships.some((one) => one.role === 'owner' && one.organisation_name === name)) return { kind: 'refused', reason: 'owns-it-already' };
  const organisation = await createOrganisation(world, transaction, { name, owner: account.id, from: commandLine });
  const { name: installationName, origin } = world.installation;
  const to = { name: account.name, address: account.email };
  const by = `Whoever runs ${installationName}`;
  await post(world, transaction, [membershipMessage('ownership-received', { to, organisationName: name, installationName, origin, by })]);
  return { kind: 'organisation', organisation };
}

export type HandedOver =
  | { readonly ok: true; readonly before: string }
  | { readonly ok: false; readonly reason: 'not-a-member' | 'suspended' | 'owns-it-already' };

/**
 * Makes a member the owner in the place of one who is gone, and who is an admin from then on: for the operator on the host, since nobody in the organisation may.
 * Both are told. `before`: the address of the one who was it.
 */
export async function handOver(world: World, { organisation, email }: { organisation: Organisation; email: string }): Promise<HandedOver> {
  const organisationId = organisation.id;
  return world.database.transaction(async (transaction): Promise<HandedOver> => {
    const account = await findVerifiedByEmail(transaction, parseEmailAddress(email)?.key ?? '');
    const member = account && (await store.selectMembership(transaction, organisationId, account.id));
    if (!member) return { ok: false, reason: 'not-a-member' };
    if (member.role === 'owner') return { ok: false, reason: 'owns-it-already' };
    if (member.suspended_at !== null) return { ok: false, reason: 'suspended' };
    const { account_id: ownerId } = (await store.selectOwner(transaction, organisationId))!;
    const owner = (await findAccount(transaction, ownerId))!;
    // Thrown, so that all of it is undone.
    if (!(await store.replaceOwner(transaction, { organisationId, ownerId, targetId: account.id, seen: member.role })))
      throw new Problem('conflict', 'Somebody else changed a role at the same moment, so nothing was done. Try again.');
    const details = { organisation: organisationId };
    await record(world, transaction, { event: 'organisation_ownership_transferred', accountId: account.id, from: commandLine, details });
    const { name: installationName, origin } = world.installation;
    const about = { organisationName: organisation.name, installationName, origin, by: `Whoever runs ${installationName}` };
    await post(world, transaction, [
      membershipMessage('ownership-received', { to: { name: account.name, address: account.email }, ...about }),
      membershipMessage('role-changed', { to: { name: owner.name, address: owner.email }, ...about, role: 'admin' }),
    ]);
    return { ok: true, before: owner.email };
  });
}

async function putLink(world: World, transaction: Transaction, row: Omit<store.SetUpLinkRow, 'token_hash' | 'created_at'>): Promise<string> {
  const token = makeToken(world);
  await store.putSetUpLink(transaction, { ...row, token_hash: world.keys.hash('set-up token', token), created_at: world.clock.now() });
  return `${world.installation.origin}/set-up?token=${token}`;
}

/** What a link would set up now; undefined where it was used, replaced, is too old or was never made. */
export async function findSetUpLink(world: World, queries: Queries, token: string): Promise<SetUpLink | undefined> {
  const row = await store.selectSetUpLink(queries, world.keys.hash('set-up token', token));
  if (!row) return undefined;
  const serves = row.expires_at === null ? !(await store.hasOrganisation(queries)) : world.clock.now() < row.expires_at;
  return serves ? { email: row.email ?? undefined, organisationName: row.organisation_name ?? undefined } : undefined;
}

/** Whether a link is for somebody else than whoever has this address. */
export const isForAnother = ({ email }: SetUpLink, account: Account): boolean =>
  email !== undefined && parseEmailAddress(email)?.key !== parseEmailAddress(account.email)?.key;

export type Claimed =
  | { readonly ok: true; readonly organisation: Organisation }
  | { readonly ok: false; readonly reason: 'link-dead' | 'other-address' | 'name' | 'not-verified' };

/** Whoever has the link becomes the owner of the organisation that it sets up; of two who race one does. */
export async function claimSetUpLink(
  world: World,
  { token, name, account: seen, from }: { token: string; name: string; account: Account; from: Origin },
): Promise<Claimed> {
  const clean = name.normalize('NFC').trim();
  return world.database.transaction(async (transaction): Promise<Claimed> => {
    const link = await findSetUpLink(world, transaction, token);
    const account = await findAccount(transaction, seen.id);
    if (!link || !account) return { ok: false, reason: 'link-dead' };
    if (isForAnother(link, account)) return { ok: false, reason: 'other-address' };
    if (account.emailVerifiedAt === null) return { ok: false, reason: 'not-verified' };
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
  await store.insertOrganisation(transaction, { ...organisation, email_domains: '[]', created_at: now });
  await store.insertMembership(transaction, { organisationId: organisation.id, accountId: owner, role: 'owner', joinedAt: now });
  await record(world, transaction, { event: 'organisation_created', accountId: owner, from, details: { organisation: organisation.id, name } });
  return organisation;
}
