// "Test connection": the whole round trip, or a real question to the directory, and what came of it. Mounted by sso-web.ts.
import { may } from '../organisations/organisations.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import { spend, DIRECTORY_TESTS } from '../platform/limits/limits.ts';
import { waitingTime } from '../platform/words/times.ts';
import { arrive, checkPasswordAt, findConnectionOf, leave, noteTested, redirecting, type Connection, type Failure, type Identity } from '../sso/sso.ts';
import { actorOf, change, frameOf, type Console } from './console.ts';
import { addressIn } from './pages.ts';
import { connectionOf, showOne, SSO } from './sso-connection-web.ts';
import * as pages from './sso-test-pages.ts';

/** Where whoever tests a connection comes back to. */
export const SSO_TESTED = `${SSO}/tested`;

export function mountTesting(web: Web<Console>, world: World): void {
  const address = `${SSO}/:id/test`;
  const back = (visit: Visit) => `${SSO}/${visit.parameters['id']}`;
  web.get(address, async (visit, context) => redirect(addressIn(context, back(visit))));
  web.post(
    address,
    change(world, { action: 'manage-sso', back }, async (visit, context) => {
      const connection = await connectionOf(world, visit, context);
      return redirecting(connection) ? leaveToTest(world, visit, context, connection) : askDirectory(world, visit, context, connection);
    }),
  );
  web.get(SSO_TESTED, async (visit, context) => {
    const arrived = await arrive(world, { token: visit.query.get('with') ?? '', purpose: 'test', browserToken: visit.browserToken });
    const own = arrived && arrived.carried.accountId === context.session.account.id;
    // The connection may be of another organisation than the one whose console opens first.
    const membership = own ? context.memberships.find(({ organisation }) => organisation.id === arrived.connection.organisationId) : undefined;
    if (!arrived || !membership || !may(membership.role, 'manage-sso')) return redirect(addressIn(context, SSO));
    return shown(world, visit, { ...context, ...membership }, arrived.connection, arrived.outcome);
  });
}

async function leaveToTest(world: World, visit: Visit, context: Console, connection: Connection): Promise<Answer> {
  const carried = { returnTo: null, accountId: context.session.account.id, freshFor: null };
  const left = await leave(world, { connection, purpose: 'test', browserToken: visit.browserToken, carried, fresh: false, email: undefined });
  if (!left.ok) return shown(world, visit, context, connection, left);
  return page(pages.leaving(frameOf(world, visit, context), { name: connection.name, url: left.url }));
}

/** A directory is asked with a password of somebody's: counted, so that no owner guesses at their people's. */
async function askDirectory(world: World, visit: Visit, context: Console, connection: Connection): Promise<Answer> {
  const email = parseEmailAddress(visit.field('email'))?.address;
  if (email === undefined) return showOne(world, visit, context, { refused: 'Enter the email and the password of somebody whom the directory knows.' });
  const spent = await world.database.transaction((transaction) => spend(transaction, world, DIRECTORY_TESTS, connection.id));
  if (!spent.allowed)
    return showOne(world, visit, context, { refused: `There were many tests. You can try again ${waitingTime(spent.retryAt - world.clock.now())}.` });
  const checked = await checkPasswordAt(world, connection, { email, password: visit.field('password') });
  if (!checked.ok && (checked.reason === 'wrong' || checked.reason === 'change-first')) {
    const said = checked.reason === 'wrong' ? 'email and password do not go together' : 'the password is right, and another one is wanted first';
    const detail = `The directory answered, and says that ${said}. ${checked.detail ?? ''}`.trim();
    return shown(world, visit, context, connection, { ok: false, reason: 'refused', detail });
  }
  return shown(world, visit, context, connection, checked);
}

async function shown(
  world: World,
  visit: Visit,
  context: Console,
  connection: Connection,
  outcome: { ok: true; identity: Identity } | Failure,
): Promise<Answer> {
  await noteTested(world, actorOf(visit, context), connection, outcome.ok ? 'well' : 'failed');
  const now = await findConnectionOf(world, world.database.query, context.organisation.id, connection.id);
  return page(pages.tested(frameOf(world, visit, context), { connection: now ?? connection, outcome }));
}
