// What every page below /account has in common. The pages are mounted in web.ts.
import type * as attempts from '../attempts/attempts.ts';
import { redirect, type Answer, type Visit } from '../platform/http/visit.ts';
import type { World } from '../platform/world.ts';
import type { Session } from '../sessions/sessions.ts';
import * as manage from './manage-account.ts';
import { CONFIRM_ADDRESS } from './manage-account.ts';
import type { Frame } from './pages.ts';

export const SECURITY = '/account/security';

export const frame = (world: World, visit: Visit, session: Session): Frame => ({
  installation: world.installation,
  formToken: visit.formToken,
  account: session.account,
  now: world.clock.now(),
  notice: takeNotice(visit),
  failedTries: session.failedTries,
});

/** What the last page did, said once on the next. */
function takeNotice(visit: Visit): string | undefined {
  const notice = visit.cookie('notice');
  if (notice !== undefined) visit.clearCookie('notice');
  return notice;
}

/** Ends a change: the session's new token goes to the browser, and the page says what was done. */
export function changed(visit: Visit, { token, notice, to = SECURITY }: { token?: string; notice: string; to?: string }): Answer {
  if (token !== undefined) visit.setCookie('session', token);
  visit.setCookie('notice', notice);
  return redirect(to);
}

export const confirmFirst = (then: string): Answer => redirect(`${CONFIRM_ADDRESS}?then=${encodeURIComponent(then)}`);

/** Lets through only whose proof is fresh; leads everybody else to confirm, and back to `then`. */
export async function freshOr(world: World, session: Session, then: string): Promise<{ security: manage.Security } | { answer: Answer }> {
  const security = await manage.readSecurity(world, world.database.query, session);
  return security.missing.length > 0 ? { answer: confirmFirst(then) } : { security };
}

/** The part of a journey that all of a signed-in person share. */
export function journeyOf(purpose: attempts.Purpose, addresses: attempts.Journey<Session>['addresses']): Omit<attempts.Journey<Session>, 'finish'> {
  return {
    purpose,
    addresses,
    lost: SECURITY,
    lostNotice: 'took-too-long',
    holder: (_visit, session) => ({ sessionId: session.id }),
    sessionProofs: (session) => session.proofs,
    leave: { label: 'Cancel', address: SECURITY },
  };
}
