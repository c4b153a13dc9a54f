// /account and everything below it.
import * as attempts from '../attempts/attempts.ts';
import { factorOf, standing } from '../factors/factors.ts';
import { refuseBypassCode, stopOwnReset } from '../lost-phone/lost-phone.ts';
import { localPath } from '../platform/http/local-path.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { enforcesRealSecondFactor } from '../policy/policy.ts';
import { forgetFailedTries, owes, type Session } from '../sessions/sessions.ts';
import { mountConfirming } from './confirm-web.ts';
import { changed, confirmFirst, frame, freshOr, journeyOf, SECURITY } from './frame.ts';
import * as manage from './manage-account.ts';
import { SET_UP_ADDRESS } from './manage-account.ts';
import { mountOrganisationsOfOne } from './organisations-web.ts';
import * as pages from './pages.ts';
import { findBinding } from './providers.ts';
import * as securityPages from './security-pages.ts';

export { CONFIRM_ARRIVAL } from './confirm-web.ts';

/** `signedIn`: open to who has yet to set up what the policy asks for; `meeting`: to nobody else than who has all of it. */
export function mountManageAccount({ signedIn, meeting }: { signedIn: Web<Session>; meeting: Web<Session> }, world: World): void {
  mountConfirming(signedIn, world);
  mountEnabling(signedIn, world);
  mountProfile(meeting, world);
  mountSessions(meeting, world);
  mountPassword(meeting, world);
  mountSecurity(meeting, world);
  mountMethods(meeting, world);
  mountRecoveryKey(meeting, world);
  mountEmail(meeting, world);
  mountOrganisationsOfOne(meeting, world);
  meeting.post(`${SECURITY}/bypass-code/refuse`, async (visit, session) => {
    await refuseBypassCode(world, { accountId: session.account.id, from: visit });
    return changed(visit, { notice: 'bypass-code-refused' });
  });
  meeting.post(manage.FORGET_DEVICE, async (visit, session) => {
    await manage.forgetTrustedDevices(world, { session, id: visit.field('device'), caller: visit });
    return changed(visit, { notice: 'device-forgotten' });
  });
  meeting.post(manage.FORGET_DEVICES, async (visit, session) => {
    await manage.forgetTrustedDevices(world, { session, caller: visit });
    return changed(visit, { notice: 'devices-forgotten' });
  });
  meeting.post(`${SECURITY}/reset/stop`, async (visit, session) => {
    await stopOwnReset(world, { accountId: session.account.id, from: visit });
    return changed(visit, { notice: 'reset-stopped' });
  });
}

/** The same for setting a method up, which whoever came in by a bypass code may do too. */
async function setUpOr(world: World, session: Session, then: string): Promise<{ security: manage.Security } | { answer: Answer }> {
  const security = await manage.readSecurity(world, world.database.query, session);
  return security.maySetUp ? { security } : { answer: confirmFirst(then) };
}

function mountProfile(web: Web<Session>, world: World): void {
  web.get('/account', async (visit, session) => page(pages.account(frame(world, visit, session), {})));
  web.post('/account', async (visit, session) => {
    const fields = { name: visit.field('name'), language: pages.languageOf(visit.field('language')) };
    const errors = await manage.changeProfile(world, { session, ...fields, caller: visit });
    if (errors) return page(pages.account(frame(world, visit, session), { errors, name: fields.name }), 422);
    return changed(visit, { notice: 'profile-saved', to: '/account' });
  });
  web.post('/account/failed-tries', async (_visit, session) => {
    await world.database.transaction((transaction) => forgetFailedTries(transaction, session.id));
    return redirect(SECURITY);
  });
}

function mountSessions(web: Web<Session>, world: World): void {
  web.get('/account/sessions', async (visit, session) => {
    const sessions = await manage.listSessions(world, world.database.query, session.account.id);
    return page(pages.sessions(frame(world, visit, session), { sessions, own: session.id }));
  });
  web.post('/account/sessions/end', async (visit, session) => {
    await manage.endOneSession(world, { session, id: visit.field('session'), caller: visit });
    return changed(visit, { notice: 'session-ended', to: '/account/sessions' });
  });
  web.post('/account/sessions/end-others', async (visit, session) => {
    await manage.endAllOtherSessions(world, { session, caller: visit });
    return changed(visit, { notice: 'sessions-ended', to: '/account/sessions' });
  });
}

function mountPassword(web: Web<Session>, world: World): void {
  const address = `${SECURITY}/password`;
  web.get(address, async (visit, session) => {
    const fresh = await freshOr(world, session, address);
    return 'answer' in fresh
      ? fresh.answer
      : page(pages.password(frame(world, visit, session), { realSecondFactorEnforced: enforcesRealSecondFactor(world, session.demand) }));
  });
  web.post(address, async (visit, session) => {
    const done = await manage.changeOwnPassword(world, { session, current: visit.field('current'), password: visit.field('password'), caller: visit });
    if (done.ok) return changed(visit, { token: done.token, notice: 'password-changed' });
    if (done.reason === 'stale') return confirmFirst(address);
    const realSecondFactorEnforced = enforcesRealSecondFactor(world, session.demand);
    return page(pages.password(frame(world, visit, session), { realSecondFactorEnforced, refused: done }), done.reason === 'too-many-tries' ? 429 : 422);
  });
}

/** "Enable Two-Factor Authentication" and "Add a method". */
function mountEnabling(web: Web<Session>, world: World): void {
  const show = (visit: Visit, session: Session, security: manage.Security, way: manage.SettingUp) =>
    securityPages.enable(frame(world, visit, session), { ...security, owed: owes(world, session) !== 'nothing', ...way });
  const setUp = (session: Session, way: manage.SettingUp) => setUpOr(world, session, manage.setUpAddress(way));
  web.get(SET_UP_ADDRESS, async (visit, session) => {
    const way = { then: localPath(visit.query.get('then')), strong: visit.query.get('strong') === '1' };
    const fresh = await setUp(session, way);
    return 'answer' in fresh ? fresh.answer : page(show(visit, session, fresh.security, way));
  });
  web.post(SET_UP_ADDRESS, async (visit, session) => {
    const way = { then: localPath(visit.field('then')), strong: visit.field('strong') === '1' };
    const fresh = await setUp(session, way);
    if ('answer' in fresh) return fresh.answer;
    const kind = visit.field('method');
    if (!manage.methodsToAdd(fresh.security).includes(kind)) return page(show(visit, session, fresh.security, way), 422);
    const used = fresh.security.enrolled.map((one) => one.name);
    const name = attempts.unusedMethodName(factorOf(kind).words.name, used);
    return beginMethod(world, { visit, session, kind, replaces: null, name, returnTo: way.then ?? null });
  });
  attempts.mountJourney(web, world, {
    ...journeyOf('enrol', {
      'email-code': `${SECURITY}/set-up/email`,
      'begin-method': `${SECURITY}/set-up`,
      'confirm-method': `${SECURITY}/set-up/code`,
      'recovery-key': `${SECURITY}/set-up/recovery-key`,
    }),
    finish: async (transaction, situation, visit, session) => {
      const token = await manage.finishEnrolment(world, transaction, { situation, session, caller: visit });
      const { method, returnTo } = situation.attempt.state;
      const notice = method?.replaces ? 'method-replaced' : standing(situation.enrolled).length > 0 ? 'method-added' : 'two-factor-on';
      return () => changed(visit, { token, notice, to: returnTo ?? SECURITY });
    },
  });
}

/** "Security and Credentials", and "Disable". */
function mountSecurity(web: Web<Session>, world: World): void {
  web.get(SECURITY, async (visit, session) => {
    const security = await manage.readSecurity(world, world.database.query, session);
    const devices = await manage.listTrustedDevices(world, world.database.query, session.account.id, visit.browserToken);
    return page(securityPages.security(frame(world, visit, session), security, devices));
  });

  const disable = `${SECURITY}/disable`;
  web.get(disable, async (visit, session) => {
    const fresh = await freshOr(world, session, disable);
    return 'answer' in fresh ? fresh.answer : page(securityPages.disable(frame(world, visit, session), fresh.security));
  });
  web.post(disable, async (visit, session) => {
    const fresh = await freshOr(world, session, disable);
    if ('answer' in fresh) return fresh.answer;
    if (!fresh.security.on || fresh.security.policy.demand.twoFactor === 'required')
      return page(securityPages.disable(frame(world, visit, session), fresh.security), 422);
    await beginWithEmailCode(world, { visit, session, purpose: 'disable' });
    return redirect(`${disable}/code`);
  });
  attempts.mountJourney(web, world, {
    ...journeyOf('disable', { 'email-code': `${disable}/code` }),
    codeButton: 'Finish',
    finish: async (transaction, situation, visit, session) => {
      const token = await manage.finishDisabling(world, transaction, { situation, session, caller: visit });
      return () => (token === undefined ? redirect(disable) : changed(visit, { token, notice: 'two-factor-off' }));
    },
  });
}

async function beginWithEmailCode(
  world: World,
  { visit, session, purpose, newEmail = null }: { visit: Visit; session: Session; purpose: attempts.Purpose; newEmail?: string | null },
): Promise<void> {
  await world.database.transaction(async (transaction) => {
    const situation = await manage.begin(world, transaction, { session, purpose, state: { newEmail }, caller: visit });
    // Where no mail may be sent now, the next page says when, and can send it then.
    await attempts.sendEmailCode(world, transaction, situation, visit);
  });
}

async function beginMethod(
  world: World,
  {
    visit,
    session,
    kind,
    replaces,
    name,
    returnTo = null,
  }: { visit: Visit; session: Session; kind: string; replaces: string | null; name: string; returnTo?: string | null },
): Promise<Answer> {
  await world.database.transaction(async (transaction) => {
    const method = { kind, name, replaces, pending: null, state: null };
    const situation = await manage.begin(world, transaction, { session, purpose: 'enrol', state: { method, returnTo }, caller: visit });
    // What has a name, since there can be several, is named on the page before.
    if (factorOf(kind).most === 1) await attempts.beginMethod(world, transaction, situation, visit);
  });
  return redirect(`${SECURITY}/set-up/code`);
}

/** One method: its name, "New phone?", and its removal. */
function mountMethods(web: Web<Session>, world: World): void {
  const address = `${SECURITY}/methods/:id`;
  const addressOf = (visit: Visit) => `${SECURITY}/methods/${visit.parameters['id']}`;
  const find = (visit: Visit, { enrolled }: manage.Security) => {
    const method = standing(enrolled).find((one) => one.id === visit.parameters['id']);
    if (!method) throw new Problem('not-found', 'This method is not there any more. Security and Credentials shows those that are.');
    return method;
  };
  const show = async (visit: Visit, session: Session, refusal?: securityPages.MethodRefusal) => {
    const security = await manage.readSecurity(world, world.database.query, session);
    return page(securityPages.method(frame(world, visit, session), { security, method: find(visit, security), refusal }), refusal ? 422 : 200);
  };
  web.get(address, (visit, session) => show(visit, session));
  // What was refused is shown at these addresses, and may be fetched again.
  for (const action of ['rename', 'remove', 'replace']) {
    web.get(`${address}/${action}`, async (visit, session) => {
      const { id } = find(visit, await manage.readSecurity(world, world.database.query, session));
      return redirect(`${SECURITY}/methods/${id}`);
    });
  }
  web.post(`${address}/rename`, async (visit, session) => {
    const renamed = await manage.renameMethod(world, { session, id: visit.parameters['id']!, name: visit.field('name'), caller: visit });
    if (renamed.ok) return changed(visit, { notice: 'method-renamed' });
    return renamed.reason === 'stale' ? confirmFirst(addressOf(visit)) : show(visit, session, renamed.reason === 'name' ? 'name' : undefined);
  });
  web.post(`${address}/remove`, async (visit, session) => {
    const removed = await manage.removeMethod(world, { session, id: visit.parameters['id']!, caller: visit });
    if (removed.ok) return changed(visit, { token: removed.token, notice: 'method-removed' });
    if (removed.reason === 'stale') return confirmFirst(addressOf(visit));
    return show(visit, session, removed.reason === 'not-found' ? undefined : removed.reason);
  });
  web.post(`${address}/replace`, async (visit, session) => {
    const security = await manage.readSecurity(world, world.database.query, session);
    // First whether it is there: only an id of ours may become part of an address to come back to.
    const { id, kind, name } = find(visit, security);
    if (!security.maySetUp) return confirmFirst(addressOf(visit));
    return beginMethod(world, { visit, session, kind, replaces: id, name });
  });
}

/** "Create new Recovery Key". */
function mountRecoveryKey(web: Web<Session>, world: World): void {
  const address = `${SECURITY}/recovery-key`;
  const ready = async (session: Session) => {
    const fresh = await freshOr(world, session, address);
    if ('answer' in fresh) return fresh;
    return fresh.security.on ? fresh : { answer: redirect(SECURITY) };
  };
  web.get(address, async (visit, session) => {
    const fresh = await ready(session);
    return 'answer' in fresh ? fresh.answer : page(securityPages.newRecoveryKey(frame(world, visit, session)));
  });
  web.post(address, async (visit, session) => {
    const fresh = await ready(session);
    if ('answer' in fresh) return fresh.answer;
    await world.database.transaction(async (transaction) => {
      const newKey = { madeAt: world.clock.now(), saved: false, kept: false };
      const situation = await manage.begin(world, transaction, { session, purpose: 'new-recovery-key', state: { newKey }, caller: visit });
      await attempts.sendEmailCode(world, transaction, situation, visit);
    });
    return redirect(`${address}/code`);
  });
  attempts.mountJourney(web, world, {
    ...journeyOf('new-recovery-key', { 'email-code': `${address}/code`, 'recovery-key': `${address}/new` }),
    finish: async (transaction, situation, visit, session) => {
      const token = await manage.finishNewRecoveryKey(world, transaction, { situation, session, caller: visit });
      return () => changed(visit, { token, notice: 'recovery-key-created' });
    },
  });
}

function mountEmail(web: Web<Session>, world: World): void {
  const address = '/account/email';
  web.get(address, async (visit, session) => {
    const fresh = await freshOr(world, session, address);
    return 'answer' in fresh ? fresh.answer : page(pages.changeEmail(frame(world, visit, session), { email: '' }));
  });
  web.post(address, async (visit, session) => {
    const fresh = await freshOr(world, session, address);
    if ('answer' in fresh) return fresh.answer;
    const email = visit.field('email');
    const refused = pages.emailRefusal(email, session.account) ?? pages.bound((await findBinding(world, session.account, email))?.name);
    if (refused !== undefined) return page(pages.changeEmail(frame(world, visit, session), { email, refused }), 422);
    await beginWithEmailCode(world, { visit, session, purpose: 'change-email', newEmail: email.trim() });
    return redirect(`${address}/code`);
  });
  attempts.mountJourney(web, world, {
    ...journeyOf('change-email', { 'email-code': `${address}/code` }),
    lost: address,
    leave: { label: 'Cancel', address: '/account' },
    finish: async (transaction, situation, visit, session) => {
      const done = await manage.finishChangingEmail(world, transaction, { situation, session, caller: visit });
      return () =>
        done.ok ? changed(visit, { token: done.token, notice: 'email-changed', to: '/account' }) : changed(visit, { notice: 'email-taken', to: '/account' });
    },
  });
}
