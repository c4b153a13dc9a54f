// /forward-auth, which proxies ask; /apps/enter, which leads a signed-in browser into an app; and the page of somebody's apps.
import type { FastifyInstance } from 'fastify';
import { factorOf } from '../factors/factors.ts';
import { CONFIRM_ADDRESS, setUpAddress } from '../manage-account/manage-account.ts';
import { hostCookie, hostCookieName, type Proxied, type ProxiedAnswer, type ProxiedRoutes } from '../platform/http/proxied.ts';
import { wayBackTo } from '../platform/http/local-path.ts';
import { page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import { makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import type { Session } from '../sessions/sessions.ts';
import {
  addressFrom,
  enterByCode,
  findAppOf,
  isOwnHost,
  judge,
  listApps,
  makeCode,
  makeIdentities,
  NOBODY,
  originOf,
  recordRefused,
  requestedBelow,
  requestedFrom,
  startHash,
  urlOf,
  type App,
  type Identities,
  type Judged,
  type Requested,
} from './apps.ts';
import { makeLookups, type Lookups } from './lookups.ts';
import * as pages from './pages.ts';

const FORWARD_AUTH = '/forward-auth';
/** What Envoy's path_prefix is. */
const ENVOY = `${FORWARD_AUTH}/envoy`;
const ENTER = '/apps/enter';
const KEY_SET = '/.well-known/jwks.json';
/** On the app's own host. */
const CALLBACK = '/.twinlock/callback';
/** How long somebody may take to sign in, before the app has to be asked for again. */
const START_SECONDS = 60 * 60;
/** 256 bits in base64url. */
const TOKEN = /^[\w-]{43}$/;

/** In a header too, for nginx, which passes on no body: plain ASCII there. */
const refuse = (reason: string): ProxiedAnswer => ({ status: 403, headers: { 'Twinlock-Reason': reason.replaceAll('’', "'") }, body: `${reason}\n` });

/** What proxies ask. */
export function proxiedRoutes(world: World): ProxiedRoutes {
  const asking = { world, lookups: makeLookups(world), identities: makeIdentities(world) };
  return {
    exact: {
      [FORWARD_AUTH]: (request) => answerForwardAuth(asking, request, saidByHeaders(request)),
      [`${FORWARD_AUTH}/callback`]: (request) => answerCallback(asking, request, saidByHeaders(request)),
    },
    below: {
      [ENVOY]: async (request) => {
        const answer = await answerForwardAuth(asking, request, saidByPath(request));
        return answer.status === 200 ? { ...answer, headers: { ...answer.headers, 'x-envoy-auth-headers-to-remove': OTHER_SPELLINGS } } : answer;
      },
    },
  };
}

interface Asking {
  readonly world: World;
  readonly lookups: Lookups;
  readonly identities: Identities;
}

/** What a proxy says that somebody asked for; `requested` is undefined where that can't be read. */
interface Said {
  readonly requested: Requested | undefined;
  /** Whether whoever asked gets our answer as it is, where it is no: all do so but nginx, which takes 401 alone and is told by its configuration what to make of it. */
  readonly passedOn: boolean;
}

function saidByHeaders({ header }: Proxied): Said {
  const originalUrl = header('x-original-url');
  const requested = requestedFrom({
    originalUrl,
    originalMethod: header('x-original-method'),
    forwardedProto: header('x-forwarded-proto'),
    forwardedHost: header('x-forwarded-host'),
    forwardedUri: header('x-forwarded-uri'),
    forwardedMethod: header('x-forwarded-method'),
  });
  return { requested, passedOn: originalUrl === undefined };
}

const saidByPath = ({ method, url, header }: Proxied): Said => ({
  requested: requestedBelow({ method, proto: header('x-forwarded-proto'), host: header('host'), url: url.slice(ENVOY.length) }),
  passedOn: true,
});

/** Answers 200 where the request may pass, with who it is; 401 with where to sign in; 403 with the reason. Writes nothing. */
async function answerForwardAuth(asking: Asking, request: Proxied, said: Said): Promise<ProxiedAnswer> {
  const { world, lookups } = asking;
  const found = await readProxied(asking, request, said);
  if ('status' in found) return found;
  const { requested, app } = found;
  if (said.passedOn && requested.path === CALLBACK) return answerCallback(asking, request, said);
  const session = await sessionAt(lookups, request, requested);
  const judged = judge(world, app, requested, session);
  switch (judged?.verdict) {
    case undefined:
      return refuse('This path can be read in two ways, and what it may do depends on it.');
    case 'let-in':
      return { status: 200, headers: session && judged.known ? await headersFor(asking, session, { app, requested }) : NOBODY };
    case 'sign-in':
    case 'step-up':
      return leadToPortal(world, request, { requested, passedOn: said.passedOn });
    case 'not-a-member':
      return refuse('This account does not belong to the organisation of this app.');
    case 'not-the-role':
      return refuse('This account’s role may not open this part of the app.');
  }
}

async function headersFor({ lookups, identities }: Asking, session: Session, { app, requested }: { app: App; requested: Requested }) {
  const { organisationId } = app;
  const groups = session.roles.has(organisationId) ? await lookups.groupsOf(organisationId, session.account.id) : [];
  return identities.headersOf(session, { organisationId, origin: originOf(requested), groups });
}

/** As which an app may read the same names: many turn whatever is no letter into an underscore. Envoy, which does not drop them by itself, is told to. */
const OTHER_SPELLINGS = Object.keys(NOBODY)
  .flatMap((name) => ['_', '.'].map((between) => name.toLowerCase().replace('-', between)))
  .join(',');

async function readProxied(
  { world, lookups }: Asking,
  { trusted, header }: Proxied,
  { requested }: Said,
): Promise<{ requested: Requested; app: App } | ProxiedAnswer> {
  if (!trusted) return refuse('This proxy is not named by TWINLOCK_TRUSTED_PROXIES, so what it says is not believed.');
  // Through the proxy before the portal anybody asks anything, and that proxy is a trusted one as well.
  if (world.installation.secure && isOwnHost(world, header('host') ?? ''))
    return refuse('Proxies ask the portal where it listens, not at the address that people open.');
  if (!requested) return refuse('The proxy did not say which address was asked for, or it can’t be read.');
  if (requested.scheme === 'http' && world.installation.secure) return refuse('Apps are reached by https alone, as the portal is.');
  const app = isOwnHost(world, requested.host) ? undefined : await lookups.appOf(requested.host);
  return app ? { requested, app } : refuse(`There is no app at ${requested.host}.`);
}

async function sessionAt(lookups: Lookups, request: Proxied, { scheme, host }: Requested): Promise<Session | undefined> {
  const token = request.cookie(hostCookieName('app', scheme === 'https'));
  return token === undefined || !TOKEN.test(token) ? undefined : lookups.sessionOf(token, host);
}

/** The cookie ties what follows to this browser: a code is of no use in another. */
function leadToPortal(world: World, request: Proxied, { requested, passedOn }: { requested: Requested; passedOn: boolean }): ProxiedAnswer {
  const secure = requested.scheme === 'https';
  const present = request.cookie(hostCookieName('start', secure));
  const start = present !== undefined && TOKEN.test(present) ? present : makeToken(world);
  const sent = requested.method === 'GET' || requested.method === 'HEAD' ? {} : { sent: '1' };
  const query = new URLSearchParams({ start: startHash(world, start), ...sent, to: urlOf(requested) });
  return {
    // Browsers go where 303 leads them, and take along what stands behind # in their address. A program is better off with a plain no.
    status: passedOn && isNavigation(request) ? 303 : 401,
    headers: {
      location: `${world.installation.origin}${ENTER}?${query.toString()}`,
      'set-cookie': hostCookie('start', start, { secure, maxAgeSeconds: START_SECONDS }),
    },
    body: 'Sign in first.\n',
  };
}

/** Whether somebody looks at what comes. Old browsers don't say it, but say that they want a page. */
function isNavigation({ header }: Proxied): boolean {
  const mode = header('sec-fetch-mode');
  return mode === undefined ? /\btext\/html\b/i.test(header('accept') ?? '') : mode === 'navigate';
}

/** What the app's host serves at /.twinlock/callback: the code becomes the app's own cookie, and the address bar is clean again. */
async function answerCallback(asking: Asking, request: Proxied, said: Said): Promise<ProxiedAnswer> {
  const { world } = asking;
  const found = await readProxied(asking, request, said);
  if ('status' in found) return found;
  const { requested } = found;
  if (requested.path !== CALLBACK || requested.method !== 'GET') return refuse('This is where browsers come back to, by GET.');
  const secure = requested.scheme === 'https';
  const code = new URLSearchParams(requested.query).get('code') ?? '';
  const start = request.cookie(hostCookieName('start', secure));
  const entered = TOKEN.test(code) ? await enterByCode(world, { code, host: requested.host, start }) : undefined;
  const origin = originOf(requested);
  if (!entered) return { status: 403, body: pages.notEntered(world.installation, origin) };
  return { status: 303, headers: { location: `${origin}${entered.target}`, 'set-cookie': hostCookie('app', entered.token, { secure }) } };
}

/** By which apps check the header Remote-Token. It changes with the installation's keys, which is never but by hand. */
export function mountKeySet(fastify: FastifyInstance, world: World): void {
  const { keySet } = makeIdentities(world);
  fastify.get(KEY_SET, async () => keySet);
}

/** The context is a session that has all that the policies ask. */
export function mountApps(web: Web<Session>, world: World): void {
  web.get('/', async (visit, session) => {
    const apps = (await listApps(world.database.query, [...session.roles.keys()])).filter((app) => !app.host.startsWith('*'));
    // The account's pages say what its owner has to be told until they answer (RL-8), and that comes before any app.
    if (apps.length === 0 || session.failedTries) return redirect('/account');
    const search = (visit.query.get('search') ?? '').slice(0, 100);
    const scheme = new URL(world.installation.origin).protocol;
    return page(pages.home(frameOf(world, visit, session), { apps, search, scheme }));
  });
  web.get(ENTER, (visit, session) => enter(world, visit, session));
}

const frameOf = (world: World, visit: Visit, session: Session): pages.Frame => ({
  installation: world.installation,
  formToken: visit.formToken,
  account: session.account,
});

async function enter(world: World, visit: Visit, session: Session): Promise<Answer> {
  const to = visit.query.get('to') ?? '';
  const start = visit.query.get('start') ?? '';
  const address = addressFrom(to);
  const app = address && !isOwnHost(world, address.host) && (await findAppOf(world.database.query, address.host));
  const frame = frameOf(world, visit, session);
  if (!address || !app || (address.scheme === 'http' && world.installation.secure)) return page(pages.noSuchApp(frame), 404);
  // Whoever comes without has followed an old link: the app itself sends them here anew.
  if (!TOKEN.test(start)) return page(pages.openApp(frame, { app, to: originOf(address) }), 400);
  const requested = { ...address, method: 'GET' };
  const judged = judge(world, app, requested, session);
  if (judged?.verdict === 'step-up') return stepUp(session, visit, judged);
  // What is open to all asks nobody to come this way, and is not told who does.
  if (judged?.verdict !== 'let-in' || !judged.known) {
    const reason = judged === undefined ? 'path' : judged.verdict === 'let-in' ? 'not-a-member' : judged.verdict;
    await recordRefused(world, { accountId: session.account.id, from: visit, host: app.host, reason });
    return page(pages.refused(frame, app, reason), 403);
  }
  // What was sent is gone; where it was going is opened anew, by who presses.
  if (visit.query.get('sent') === '1') return page(pages.sentTooSoon(frame, { app, to: urlOf(address) }));
  const code = await makeCode(world, { session, requested, start, from: visit });
  if (code === undefined) return page(pages.openedTooOften(frame, { app, to: urlOf(address) }), 429);
  const callback = `${originOf(address)}${CALLBACK}?code=${code}`;
  return page(pages.entering(frame, app, callback));
}

/** Asks for just what is missing, and leads back here. */
function stepUp({ held }: Session, visit: Visit, { rule: { need, withinMinutes } }: Judged): Answer {
  const then = wayBackTo(visit) ?? '/';
  if (need === 'two-factor' && !held.some((kind) => factorOf(kind).assurance === 2)) return redirect(setUpAddress({ then, strong: true }));
  return redirect(`${CONFIRM_ADDRESS}?${withinMinutes === null ? '' : `within=${withinMinutes}&`}then=${encodeURIComponent(then)}`);
}
