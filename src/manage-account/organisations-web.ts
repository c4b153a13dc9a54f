// /account/organisations: where somebody belongs, and leaving.
import { lockAccount } from '../accounts/accounts.ts';
import { endOtherAttempts } from '../attempts/attempts.ts';
import { leaveOrganisation, listMemberships, type Membership } from '../organisations/organisations.ts';
import { page, redirect, type Visit, type Web } from '../platform/http/visit.ts';
import { Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { fixDeadlineOf } from '../policy/policy.ts';
import type { Session } from '../sessions/sessions.ts';
import { unlinkFrom } from '../sso/sso.ts';
import { changed, frame, freshOr } from './frame.ts';
import * as pages from './organisations-pages.ts';
import { ORGANISATIONS } from './organisations-pages.ts';

export function mountOrganisationsOfOne(web: Web<Session>, world: World): void {
  web.get(ORGANISATIONS, async (visit, session) =>
    page(pages.organisations(frame(world, visit, session), await listMemberships(world.database.query, session.account.id))),
  );
  const address = `${ORGANISATIONS}/:id/leave`;
  const addressOf = ({ organisation }: Membership) => `${ORGANISATIONS}/${organisation.id}/leave`;
  web.get(address, async (visit, session) => {
    const membership = await membershipOf(world, visit, session);
    if (membership.role === 'owner') return redirect(ORGANISATIONS);
    const fresh = await freshOr(world, session, addressOf(membership));
    return 'answer' in fresh ? fresh.answer : page(pages.leave(frame(world, visit, session), membership));
  });
  web.post(address, async (visit, session) => {
    const membership = await membershipOf(world, visit, session);
    const fresh = await freshOr(world, session, addressOf(membership));
    if ('answer' in fresh) return fresh.answer;
    const { organisation } = membership;
    const about = { accountId: session.account.id, organisation, from: visit };
    const left = await leaveOrganisation(world, about, async (transaction) => {
      await lockAccount(transaction, about.accountId);
      await endOtherAttempts(transaction, about.accountId);
      await unlinkFrom(world, transaction, organisation.id, { ...about, by: about.accountId, exceptSession: session.id });
      // By when they had to set something up is kept: whoever comes back has no more time than before.
      await fixDeadlineOf(transaction, organisation.id, about.accountId);
    });
    if (!left.ok && left.reason === 'not-found') throw notThere();
    return changed(visit, { notice: left.ok ? 'left' : 'owner-stays', to: ORGANISATIONS });
  });
}

async function membershipOf({ database: { query } }: World, visit: Visit, { account }: Session): Promise<Membership> {
  const found = (await listMemberships(query, account.id)).find(({ organisation }) => organisation.id === visit.parameters['id']);
  if (!found) throw notThere();
  return found;
}

const notThere = (): Problem => new Problem('not-found', 'You do not belong to this organisation. Manage Account shows where you do.');
