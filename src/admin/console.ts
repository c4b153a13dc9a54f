// What every page of the console has in common: who may open it, what a form of it asks for, and the way on. The pages are mounted in web.ts.
import { listMemberships, may, recordRefused, type Action, type Actor, type Membership } from '../organisations/organisations.ts';
import { wayBackTo } from '../platform/http/local-path.ts';
import { redirect, type Answer, type Guard, type Handler, type Visit } from '../platform/http/visit.ts';
import { noSuchPage, Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { sparesSecondFactor, type Session } from '../sessions/sessions.ts';
import { proofIsFresh } from './admin.ts';
import { addressIn, type Frame } from './pages.ts';
import { REASONS } from './people-pages.ts';

/** Whoever has passed the guard. */
export interface Console extends Membership {
  readonly session: Session;
  /** All whose context they may open. */
  readonly memberships: readonly Membership[];
}

/**
 * Who may open the console, and of which organisation. To everybody else there is nothing here, whatever id they name: not even a refusal.
 * A form names its organisation; an address may leave it out where one is meant that is looked after the longest.
 */
export function consoleGuard(world: World): Guard<Console, Session> {
  return async (visit, session) => {
    const memberships = (await listMemberships(world.database.query, session.account.id)).filter(({ role }) => may(role, 'see'));
    const asked = visit.method === 'POST' ? visit.field('organisation') : visit.query.get('organisation');
    const found = asked === null ? memberships[0] : memberships.find(({ organisation }) => organisation.id === asked);
    if (!found) throw noSuchPage();
    // A remembered browser signs in, and opens no console (TD-1): here the second factor is shown first.
    if (sparesSecondFactor(session)) return { pass: false, answer: redirect(`/account/confirm?then=${encodeURIComponent(wayBackTo(visit) ?? '/admin')}`) };
    return { pass: true, context: { ...found, session, memberships } };
  };
}

/** A form of the console: what it does has to be open to the role. Whether it may be done to the person whom it is about is decided where it is done. */
export function allowed(world: World, action: Action, handler: Handler<Console>): Handler<Console> {
  return async (visit, context) => {
    if (may(context.role, action)) return handler(visit, context);
    await world.database.transaction((transaction) => recordRefused(world, transaction, actorOf(visit, context), action));
    throw new Problem('not-allowed', REASONS['not-allowed']);
  };
}

/** The same, of one that changes something: whoever does shows first that it is them. `back`: the page it stands on. */
export function change(world: World, { action, back }: { action: Action; back: (visit: Visit) => string }, handler: Handler<Console>): Handler<Console> {
  return allowed(world, action, async (visit, context) =>
    (await proofIsFresh(world, context.session)) ? handler(visit, context) : confirmFirst(context, back(visit)),
  );
}

export const confirmFirst = (context: Console, path: string): Answer => redirect(`/account/confirm?then=${encodeURIComponent(addressIn(context, path))}`);

export const actorOf = (visit: Visit, { session, organisation }: Console): Actor => ({ account: session.account, organisation, from: visit });

/** `path`: the page that says so. */
export function done(visit: Visit, context: Console, notice: string, path: string): Answer {
  visit.setCookie('notice', notice);
  return redirect(addressIn(context, path));
}

export function frameOf(world: World, visit: Visit, { session, organisation, role, memberships }: Console): Frame {
  const notice = visit.cookie('notice');
  if (notice !== undefined) visit.clearCookie('notice');
  return {
    installation: world.installation,
    formToken: visit.formToken,
    account: session.account,
    now: world.clock.now(),
    notice,
    organisation,
    role,
    memberships,
  };
}
