// How an organisation comes to be: by a link that only whoever has the host can make. The door is organisations.ts.
import { findAccount, nameRefusal, type Account } from '../accounts/accounts.ts';
import { record, type Origin } from '../audit/audit.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { makeId, makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import type { Organisation } from './membership.ts';
import * as store from './store.ts';

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
  await store.insertOrganisation(transaction, { ...organisation, email_domains: '[]', created_at: now });
  await store.insertMembership(transaction, { organisationId: organisation.id, accountId: owner, role: 'owner', joinedAt: now });
  await record(world, transaction, { event: 'organisation_created', accountId: owner, from, details: { organisation: organisation.id, name } });
  return organisation;
}

async function hasVerifiedAddress(queries: Queries, accountId: string): Promise<boolean> {
  const account = await findAccount(queries, accountId);
  return account !== undefined && account.emailVerifiedAt !== null;
}
