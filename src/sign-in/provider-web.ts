// On to an identity provider, and back. Mounted by web.ts.
import { isJoiningOpen, readJoiningTerms } from '../organisations/organisations.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { localPath } from '../platform/http/local-path.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import { keepToConnect, type Connection } from '../sso/sso.ts';
import { answerArrival, answerDirectoryPassword, leaveForProvider, type ArrivedAnswer } from './by-provider.ts';
import * as pages from './provider-pages.ts';
import { CONNECT_ADDRESS, enterBrowser, HOME, NEXT } from './sign-in.ts';

/** Where whoever comes back from a provider lands. */
export const ARRIVAL = '/sign-in/sso/arrived';

export function mountByProvider(web: Web<undefined>, world: World): void {
  web.get(ARRIVAL, async (visit) => {
    const answered = await answerArrival(world, { token: visit.query.get('with') ?? '', deviceToken: visit.cookie('device'), caller: visit });
    return answered.ok ? enterBrowser(visit, answered.entered, { next: NEXT, home: answered.returnTo ?? HOME }) : refused(world, visit, answered);
  });
}

/** To the provider, where it can be reached. */
export async function goTo(world: World, visit: Visit, connection: Connection): Promise<Answer> {
  const email = visit.field('email');
  const returnTo = localPath(visit.field('then')) ?? null;
  const left = await leaveForProvider(world, { connection, email, returnTo, caller: visit });
  if (left.ok) return page(pages.leaving(frameOf(world, visit), { name: connection.name, url: left.url }));
  if (left.reason !== 'too-many') world.log.warn('sso_failed', { connection: connection.id, reason: left.reason, detail: left.detail });
  return page(pages.notIn(frameOf(world, visit), { reason: left.reason, name: connection.name, email }), left.reason === 'too-many' ? 429 : 503);
}

/** A password that a directory is asked about. Undefined where the sign-in page says what was wrong with it. */
export async function askDirectory(world: World, visit: Visit, connection: Connection): Promise<Answer | Extract<ArrivedAnswer | Wrong, Wrong>> {
  const returnTo = localPath(visit.field('then')) ?? null;
  const answered = await answerDirectoryPassword(world, {
    connection,
    email: visit.field('email'),
    password: visit.field('password'),
    returnTo,
    deviceToken: visit.cookie('device'),
    caller: visit,
  });
  if (answered.ok) return enterBrowser(visit, answered.entered, { next: NEXT, home: returnTo ?? HOME });
  if (answered.reason === 'wrong' || answered.reason === 'too-many-tries') return answered;
  if (answered.reason === 'provider-required') throw new Error('A directory asked for another provider.');
  return refused(world, visit, answered);
}

type Wrong = { readonly ok: false; readonly reason: 'wrong' } | { readonly ok: false; readonly reason: 'too-many-tries'; readonly retryAt: number };

async function refused(world: World, visit: Visit, answered: Exclude<ArrivedAnswer, { ok: true }>): Promise<Answer> {
  const frame = frameOf(world, visit);
  switch (answered.reason) {
    case 'lost':
      visit.setCookie('notice', 'took-too-long');
      return redirect('/sign-in');
    case 'suspended':
      return page(pages.notIn(frame, { reason: 'suspended', name: answered.by, email: '' }), 403);
    case 'prove-first': {
      const { connection, identity, returnTo } = answered;
      const token = await keepToConnect(world, { connection, identity, returnTo, browserToken: visit.browserToken });
      const then = `${CONNECT_ADDRESS}?with=${token}`;
      const joining = isJoiningOpen(await readJoiningTerms(world, world.database.query, then));
      return page(pages.proveFirst(frame, { name: connection.name, email: parseEmailAddress(identity.email ?? '')?.address ?? '', then, joining }), 403);
    }
    case 'change-first':
    case 'unreachable':
    case 'misconfigured':
    case 'refused':
    case 'untrusted':
    case 'turned-off':
    case 'may-not-join':
      return page(pages.notIn(frame, { reason: answered.reason, name: answered.connection.name, email: '' }), answered.reason === 'unreachable' ? 503 : 403);
  }
}

const frameOf = (world: World, visit: Visit) => ({ installation: world.installation, formToken: visit.formToken });
