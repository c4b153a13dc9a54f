/**
 * Leaving an organisation, by oneself. The owner passes ownership on first, so that an organisation always keeps one; whoever is suspended stays, or they would
 * come back by an invitation as if nothing had been. The door is organisations.ts.
 */
import { findAccount } from '../accounts/accounts.ts';
import { record, type Origin } from '../audit/audit.ts';
import type { Transaction } from '../platform/database/database.ts';
import { post } from '../platform/mail/mail.ts';
import type { World } from '../platform/world.ts';
import { findMember, readRole, type Organisation } from './membership.ts';
import { leftMessages } from './notices.ts';
import * as store from './store.ts';

const ADMINISTRATORS_TOLD_MOST = 50;

export type Left = { readonly ok: true } | { readonly ok: false; readonly reason: 'not-found' | 'owner' };

/** `work`: what is to be kept of the membership before it goes, which is the caller's business. The caller has seen to a fresh proof. */
export function leaveOrganisation(
  world: World,
  { accountId, organisation, from }: { accountId: string; organisation: Organisation; from: Origin },
  work: (transaction: Transaction) => Promise<void>,
): Promise<Left> {
  return world.database.transaction(async (transaction): Promise<Left> => {
    const member = await findMember(transaction, organisation.id, accountId);
    const account = member?.suspendedAt === null ? await findAccount(transaction, accountId) : undefined;
    if (!member || !account) return { ok: false, reason: 'not-found' };
    if (member.role === 'owner') return { ok: false, reason: 'owner' };
    await work(transaction);
    // Somebody else may have given them another role, or removed them, a moment ago.
    if (!(await store.deleteMembership(transaction, { organisationId: organisation.id, accountId, role: member.role })))
      return { ok: false, reason: 'not-found' };
    await store.deleteInvitationsBy(transaction, organisation.id, accountId);
    await record(world, transaction, { event: 'organisation_left', accountId, from, details: { organisation: organisation.id, role: member.role } });
    const administrators = (await store.selectAdministrators(transaction, organisation.id, ADMINISTRATORS_TOLD_MOST)).filter(({ role }) =>
      ['owner', 'admin'].includes(readRole(role)),
    );
    const { name: installationName, origin } = world.installation;
    await post(world, transaction, leftMessages({ account, administrators, organisation, installationName, origin }));
    return { ok: true };
  });
}
