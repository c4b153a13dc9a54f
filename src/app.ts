// The table of contents: every page of the portal, and who may see it.
import type { FastifyInstance } from 'fastify';
import type { Account } from './accounts/accounts.ts';
import { adminOperations } from './admin/api.ts';
import { mountAdmin, SSO_TESTED } from './admin/web.ts';
import { mountForgotPassword } from './forgot-password/web.ts';
import { mountLostPhone } from './lost-phone/web.ts';
import { mountApps, mountKeySet, proxiedRoutes } from './apps/web.ts';
import { CONFIRM_ADDRESS, SET_UP_ADDRESS } from './manage-account/manage-account.ts';
import { CONFIRM_ARRIVAL, mountManageAccount } from './manage-account/web.ts';
import { mountOrganisations } from './organisations/web.ts';
import { mountApi } from './platform/api/api.ts';
import { wayBackTo } from './platform/http/local-path.ts';
import { redirect, type Guard } from './platform/http/visit.ts';
import { mountProxied } from './platform/http/proxied.ts';
import { makeWeb, type WebOptions } from './platform/http/web.ts';
import { mountDevelopmentMail } from './platform/mail/development.ts';
import type { World } from './platform/world.ts';
import { mountScim } from './scim/api.ts';
import { keyGuard, keyIdOf } from './sessions/api.ts';
import { owes, SCOPE_WORDS, sessionOf, type Session } from './sessions/sessions.ts';
import { ARRIVAL, mountSignIn } from './sign-in/web.ts';
import { mountSignUp } from './sign-up/web.ts';
import { mountSso } from './sso/web.ts';

export interface AppOptions extends WebOptions {
  /** Shows outgoing mail at /dev/mail. Only where mail is not really sent. */
  readonly showMail?: boolean;
}

export async function makeApp(world: World, { showMail = false, ...options }: AppOptions = {}): Promise<FastifyInstance> {
  const { fastify, web } = await makeWeb(world, options);
  const signedIn = web.guarded(sessionGuard(world));
  const meeting = signedIn.guarded(policyGuard(world));

  mountSso(fastify, world, { arrivals: { 'sign-in': ARRIVAL, confirm: CONFIRM_ARRIVAL, test: SSO_TESTED }, lost: '/sign-in', signedOut: '/sign-in' });
  mountSignIn(web, world);
  mountSignUp(web, signedIn, world);
  mountForgotPassword(web, world);
  mountManageAccount({ signedIn, meeting }, world);
  mountOrganisations(web.guarded(whoeverVisits(world)), world);
  mountLostPhone(web, world);
  mountApps(meeting, world);
  mountAdmin(meeting, world);
  await mountApi(world, { fastify, web }, { guard: keyGuard(world), callerOf: keyIdOf, operations: adminOperations(world), scopes: SCOPE_WORDS });
  await mountScim(world, fastify, keyGuard(world));
  if (showMail && world.installation.development) mountDevelopmentMail(web, world);

  mountKeySet(fastify, world);
  mountProxied(world, fastify, { ...proxiedRoutes(world), trustedProxies: options.trustedProxies ?? [] });

  fastify.get('/healthz', async () => {
    await world.database.query.selectFrom('policies').select('id').execute();
    return { ok: true };
  });
  return fastify;
}

/** Everybody, with the account of who is signed in; those only who have all that the policies ask. */
function whoeverVisits(world: World): Guard<Account | undefined> {
  const meets = policyGuard(world);
  return async (visit) => {
    const session = await sessionOf(world, visit);
    if (!session) return { pass: true, context: undefined };
    const met = await meets(visit, session);
    return met.pass ? { pass: true, context: session.account } : met;
  };
}

/** Only who is signed in; everybody else signs in first and comes back. A post is not repeated: what it would do must be pressed again. */
function sessionGuard(world: World): Guard<Session> {
  return async (visit) => {
    const session = await sessionOf(world, visit);
    if (session) return { pass: true, context: session };
    // The cookie stays: a second click comes with the token that the first is replacing, and must not take the new one out of the browser.
    if (visit.cookie('session') !== undefined) visit.setCookie('notice', 'signed-out-meanwhile');
    const then = wayBackTo(visit);
    return { pass: false, answer: redirect(then === undefined ? '/sign-in' : `/sign-in?then=${encodeURIComponent(then)}`) };
  };
}

/**
 * Only whose session has all that the policies ask at this moment: one that became stricter holds from the next request on (flow 5). Everybody else is led
 * to what is missing, and comes back; nobody is signed out for it.
 */
function policyGuard(world: World): Guard<Session, Session> {
  return async (visit, session) => {
    const owed = owes(world, session);
    if (owed === 'nothing') return { pass: true, context: session };
    if (visit.method !== 'GET') visit.setCookie('notice', 'policy-first');
    const then = wayBackTo(visit);
    const query = then === undefined ? '' : `?then=${encodeURIComponent(then)}`;
    return { pass: false, answer: redirect((owed === 'set-up' ? SET_UP_ADDRESS : CONFIRM_ADDRESS) + query) };
  };
}
