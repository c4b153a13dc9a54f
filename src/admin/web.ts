// /admin and everything below it.
import type { Session } from '../sessions/sessions.ts';
import {
  changeRole,
  givenRoleOf,
  invite,
  listInvitations,
  may,
  resendInvitation,
  revokeInvitation,
  roleOf,
  transferOwnership,
  type Acted,
  type Action,
  type Actor,
  type InviteRefusal,
} from '../organisations/organisations.ts';
import { file, page, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { noSuchPage, Problem } from '../platform/problem.ts';
import { timeOf, waitingTime } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import {
  askToVerify,
  countPeople,
  STANDINGS,
  TWO_FACTOR_FILTERS,
  remove,
  requireNewPassword,
  resume,
  suspend,
  endSessionsOf,
  exportPeople,
  listPeople,
  proofIsFresh,
  readPerson,
  type Filter,
} from './admin.ts';
import { inWords, listEventsOf } from './audit-log.ts';
import { eventsOfPerson } from './audit-pages.ts';
import { mountAdminApps } from './apps-web.ts';
import { mountAudit } from './audit-web.ts';
import { mountApiKeys } from './api-keys-web.ts';
import { actorOf, change, confirmFirst, consoleGuard, done, frameOf, type Console } from './console.ts';
import { mountHelpRequests } from './help-requests-web.ts';
import { mountHelp } from './help-web.ts';
import { readOverview } from './overview.ts';
import { overviewPage } from './overview-pages.ts';
import * as peoplePages from './people-pages.ts';
import { mountPolicy } from './policy-web.ts';
import { mountAdminSso } from './sso-web.ts';

export { SSO_TESTED } from './sso-test-web.ts';

const PEOPLE = '/admin/people';

export function mountAdmin(web: Web<Session>, world: World): void {
  const opened = web.guarded(consoleGuard(world));
  opened.get('/admin', (visit, context) => showOverview(world, visit, context));
  mountPeople(opened, world);
  mountInvitations(opened, world);
  mountPerson(opened, world);
  mountPolicy(opened, world);
  mountAdminSso(opened, world);
  mountAdminApps(opened, world);
  mountAudit(opened, world);
  mountHelp(opened, world);
  mountHelpRequests(opened, world);
  mountApiKeys(opened, world);
}

async function showOverview(world: World, visit: Visit, context: Console): Promise<Answer> {
  const overview = await readOverview(world, context.organisation);
  const latest = overview ? await inWords(world.database.query, context.organisation, overview.latest) : [];
  return page(overviewPage(frameOf(world, visit, context), overview && { overview, latest }));
}

function mountPeople(web: Web<Console>, world: World): void {
  web.get(PEOPLE, (visit, context) => showPeople(world, visit, context));
  web.post(`${PEOPLE}/export`, async (visit, context) => {
    if (!may(context.role, 'export')) throw noSuchPage();
    return file(
      'people.csv',
      'text/csv; charset=utf-8',
      await exportPeople(
        world,
        actorOf(visit, context),
        filterOf((name) => visit.field(name)),
      ),
    );
  });
}

async function showPeople(world: World, visit: Visit, context: Console, refused?: { sentence: string; status: number }): Promise<Answer> {
  const { query } = world.database;
  const filter = filterOf((name) => visit.query.get(name) ?? '');
  const after = (visit.query.get('after') ?? '').slice(0, CURSOR_CHARACTERS_MOST).replaceAll('\0', '');
  const [listed, total, invitations] = [
    await listPeople(query, context.organisation, filter, { after }),
    await countPeople(query, context.organisation.id),
    await listInvitations(query, context.organisation),
  ];
  const shown = { ...listed, total, filter, after, invitations, refused: refused?.sentence };
  return page(peoplePages.people(frameOf(world, visit, context), shown), refused?.status ?? 200);
}

const SEARCH_CHARACTERS_MOST = 254;
/** An address and a name. */
const CURSOR_CHARACTERS_MOST = 500;

function filterOf(read: (name: string) => string): Filter {
  const twoFactor = read('two-factor');
  return {
    // No keyboard types it, and PostgreSQL refuses it.
    search: read('search').slice(0, SEARCH_CHARACTERS_MOST).replaceAll('\0', ''),
    role: roleOf(read('role')),
    twoFactor: TWO_FACTOR_FILTERS.find((one) => one === twoFactor),
    standing: STANDINGS.find((one) => one === read('standing')),
  };
}

function mountInvitations(web: Web<Console>, world: World): void {
  const address = `${PEOPLE}/invite`;
  web.get(address, async (visit, context) => {
    if (!may(context.role, 'invite')) throw noSuchPage();
    if (!(await proofIsFresh(world, context.session))) return confirmFirst(context, address);
    return page(peoplePages.invite(frameOf(world, visit, context), { email: '', role: 'member' }));
  });
  web.post(
    address,
    change(world, { action: 'invite', back: () => address }, async (visit, context) => {
      const typed = { email: visit.field('email'), role: givenRoleOf(visit.field('role')) };
      const invited = await invite(world, actorOf(visit, context), typed);
      if (invited.ok) return done(visit, context, 'invited', PEOPLE);
      const sentence = inviteSentence(world, invited);
      const refused =
        invited.reason === 'address' || invited.reason === 'domain' || invited.reason === 'belongs-already' ? { address: sentence } : { other: sentence };
      return page(peoplePages.invite(frameOf(world, visit, context), { email: typed.email, role: typed.role ?? 'member', refused }), statusOf(invited.reason));
    }),
  );
  web.post(
    `${PEOPLE}/invitations/:id/resend`,
    change(world, { action: 'invite', back: () => PEOPLE }, async (visit, context) => {
      const sent = await resendInvitation(world, actorOf(visit, context), visit.parameters['id']!);
      if (sent.ok) return done(visit, context, 'invited-again', PEOPLE);
      if (sent.reason === 'not-found') throw noSuchPage();
      return showPeople(world, visit, context, { sentence: inviteSentence(world, sent), status: statusOf(sent.reason) });
    }),
  );
  web.post(
    `${PEOPLE}/invitations/:id/revoke`,
    change(world, { action: 'invite', back: () => PEOPLE }, async (visit, context) => {
      const revoked = await revokeInvitation(world, actorOf(visit, context), visit.parameters['id']!);
      if (revoked.ok) return done(visit, context, 'invitation-revoked', PEOPLE);
      throw noSuchPage();
    }),
  );
}

function inviteSentence({ clock }: World, { reason, retryAt = 0 }: { reason: InviteRefusal; retryAt?: number }): string {
  switch (reason) {
    case 'address':
      return 'Enter an email address such as name@example.com.';
    case 'domain':
      return 'The Security Policy lets only addresses of certain domains join, and this is none of them.';
    case 'role':
      return 'That is not one of the roles. Choose one below.';
    case 'belongs-already':
      return 'Somebody with this address belongs to the organisation already.';
    case 'too-many':
      return `Many invitations went to this address. You can send another ${waitingTime(retryAt - clock.now())} (at ${timeOf(retryAt)}).`;
    case 'not-allowed':
    case 'oneself':
    case 'higher-role':
      return peoplePages.REASONS[reason];
  }
}

function statusOf(reason: InviteRefusal): number {
  if (reason === 'too-many') return 429;
  return reason === 'not-allowed' || reason === 'higher-role' || reason === 'oneself' ? 403 : 422;
}

/** A person's page, and what can be done to them. */
function mountPerson(web: Web<Console>, world: World): void {
  const address = `${PEOPLE}/:id`;
  const back = (visit: Visit) => `${PEOPLE}/${visit.parameters['id']}`;
  web.get(address, (visit, context) => showPerson(world, visit, context));

  const mount = (verb: string, action: Action, notice: string, work: (actor: Actor, targetId: string, visit: Visit) => Promise<Acted>): void =>
    web.post(
      `${address}/${verb}`,
      change(world, { action, back }, async (visit, context) => {
        const acted = await work(actorOf(visit, context), visit.parameters['id']!, visit);
        // Whoever was removed has no page here any more.
        if (acted.ok) return done(visit, context, notice, action === 'remove' ? PEOPLE : back(visit));
        if (acted.reason === 'not-found') throw noSuchPage();
        return showPerson(world, visit, context, acted.reason);
      }),
    );
  const seenIn = (visit: Visit) => roleOf(visit.field('seen')) ?? unreadable();
  mount('role', 'change-role', 'role-changed', (actor, targetId, visit) =>
    changeRole(world, actor, { targetId, seen: seenIn(visit), to: givenRoleOf(visit.field('role')) ?? unreadable() }),
  );
  mount('remove', 'remove', 'removed', (actor, targetId, visit) => remove(world, actor, { targetId, seen: seenIn(visit) }));
  mount('make-owner', 'transfer-ownership', 'ownership-transferred', (actor, targetId, visit) =>
    transferOwnership(world, actor, { targetId, seen: seenIn(visit) }),
  );
  mount('suspend', 'suspend', 'suspended', (actor, targetId) => suspend(world, actor, targetId));
  mount('resume', 'suspend', 'resumed', (actor, targetId) => resume(world, actor, targetId));
  mount('require-password', 'require-password', 'password-required', (actor, targetId) => requireNewPassword(world, actor, targetId));
  mount('resend-verification', 'invite', 'verification-sent', (actor, targetId) => askToVerify(world, actor, targetId));
  mount('end-sessions', 'end-sessions', 'all-signed-out', (actor, targetId) => endSessionsOf(world, actor, targetId));
}

/** No form of ours says that. */
function unreadable(): never {
  throw new Problem('bad-request', 'The form was not one of this page. Go back, reload the page and try again.');
}

async function showPerson(world: World, visit: Visit, context: Console, refused?: keyof typeof peoplePages.REASONS): Promise<Answer> {
  const person = await readPerson(world, context.organisation, visit.parameters['id']!);
  if (!person) throw noSuchPage();
  const status = refused === undefined ? 200 : refused === 'changed-meanwhile' ? 409 : 403;
  const frame = frameOf(world, visit, context);
  const accountId = person.account.id;
  const events = eventsOfPerson(frame, { accountId, events: await listEventsOf(world.database.query, context.organisation, accountId) });
  return page(peoplePages.person(frame, person, { refused: refused && peoplePages.REASONS[refused], events }), status);
}
