/**
 * HTTP: from Fastify's requests to visits and back. Here, once for all routes: size limits, cookies, the check that a form was ours and came from
 * this browser (WE-3), security headers, and the one place where a problem becomes a page or JSON. A handler sees none of it.
 */
import cookiePlugin from '@fastify/cookie';
import formbody from '@fastify/formbody';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { assets } from '../html/assets.ts';
import { Problem } from '../problem.ts';
import { sameSecret } from '../secrets/keys.ts';
import type { World } from '../world.ts';
import { problemPage } from './problem-page.ts';
import { securityHeaders } from './security-headers.ts';
import type { Answer, CookieName, Guard, Handler, Visit, Web } from './visit.ts';

const BODY_BYTES_MOST = 64 * 1024;
const FIELD_BYTES_MOST = 4096;
const BROWSER_COOKIE_SECONDS = 365 * 24 * 60 * 60;
const TOKEN = /^[\w-]{43}$/;

export interface WebOptions {
  /** Addresses or networks whose X-Forwarded-For is believed; empty: nobody's. */
  readonly trustedProxies?: readonly string[];
  /** Called after each request that may have written, so that mail leaves at once. */
  readonly afterPost?: () => void;
}

export async function makeWeb(world: World, { trustedProxies = [], afterPost = () => undefined }: WebOptions = {}): Promise<{ fastify: FastifyInstance; web: Web<undefined> }> {
  const fastify = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MOST,
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
    routerOptions: { maxParamLength: 200 },
    genReqId: () => Buffer.from(world.random.bytes(9)).toString('base64url'),
    frameworkErrors: (error, request, reply) => answerError(world, error, request, reply),
    return503OnClosing: false,
  });
  await fastify.register(cookiePlugin);
  await fastify.register(formbody, { bodyLimit: BODY_BYTES_MOST });
  fastify.removeContentTypeParser(['application/json', 'text/plain']);

  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers(securityHeaders(world.installation));
    if (request.method === 'POST') refuseForeignPost(world, request);
  });
  fastify.addHook('onResponse', async (request, reply) => {
    if (request.method === 'POST') afterPost();
    const [path] = request.url.split('?', 1);
    world.log.info('request', { method: request.method, path, status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime), requestId: request.id });
  });
  fastify.setErrorHandler((error, request, reply) => answerError(world, error, request, reply));
  fastify.setNotFoundHandler((request, reply) => {
    const known = ['GET', 'POST'].some((method) => request.method !== method && fastify.findRoute({ method: method as 'GET' | 'POST', url: request.url.split('?', 1)[0]! }) !== null);
    const problem = known
      ? new Problem('method-not-allowed', 'This address can’t be used in this way. Go back and use the buttons of the page.')
      : new Problem('not-found', 'There is no page at this address. Check it for a slip, or start at the beginning.');
    return answerError(world, problem, request, reply);
  });

  for (const asset of Object.values(assets)) {
    fastify.get(asset.address, (_request, reply) => {
      void reply.header('cache-control', 'public, max-age=31536000, immutable').type(asset.type).send(asset.content);
    });
  }
  return { fastify, web: webOver(world, fastify, async () => ({ pass: true, context: undefined })) };
}

function webOver<Context>(world: World, fastify: FastifyInstance, guard: Guard<Context>): Web<Context> {
  const mount = (method: 'GET' | 'POST', path: string, handler: Handler<Context>): void => {
    fastify.route({
      method,
      url: path,
      handler: async (request, reply) => {
        const visit = makeVisit(world, request, reply);
        if (method === 'POST') checkFormToken(world, visit);
        const guarded = await guard(visit);
        send(reply, guarded.pass ? await handler(visit, guarded.context) : guarded.answer);
        return reply;
      },
    });
  };
  return {
    get: (path, handler) => mount('GET', path, handler),
    post: (path, handler) => mount('POST', path, handler),
    guarded: <Inner>(inner: Guard<Inner>) =>
      webOver<Inner>(world, fastify, async (visit) => {
        const outer = await guard(visit);
        return outer.pass ? inner(visit) : outer;
      }),
  };
}

function makeVisit(world: World, request: FastifyRequest, reply: FastifyReply): Visit {
  const { secure } = world.installation;
  const cookieName = (name: CookieName): string => `${secure ? '__Host-' : ''}twinlock-${name}`;
  const options = { path: '/', httpOnly: true, secure, sameSite: 'lax' } as const;
  const fields = (request.body ?? {}) as Record<string, unknown>;
  const [path = '/', query = ''] = request.url.split('?', 2);

  const cookie = (name: CookieName): string | undefined => {
    const value = request.cookies[cookieName(name)];
    return value === undefined || value === '' || value.length > 200 ? undefined : value;
  };
  const setCookie: Visit['setCookie'] = (name, value, { maxAgeSeconds } = {} as { maxAgeSeconds: number }) => {
    void reply.setCookie(cookieName(name), value, { ...options, ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }) });
  };
  let browserToken = cookie('browser');
  if (browserToken === undefined || !TOKEN.test(browserToken)) {
    browserToken = Buffer.from(world.random.bytes(32)).toString('base64url');
    setCookie('browser', browserToken, { maxAgeSeconds: BROWSER_COOKIE_SECONDS });
  }

  return {
    method: request.method,
    path,
    query: new URLSearchParams(query),
    parameters: (request.params ?? {}) as Record<string, string>,
    field: (name, bytesMost = FIELD_BYTES_MOST) => readField(fields, name, bytesMost),
    address: plainAddress(request.ip),
    userAgent: readable(request.headers['user-agent'] ?? '').slice(0, 300),
    requestId: request.id,
    browserToken,
    formToken: world.keys.hash('form token', browserToken),
    cookie,
    setCookie,
    clearCookie: (name) => void reply.clearCookie(cookieName(name), options),
    clearSiteData: () => void reply.header('clear-site-data', '"cache", "storage"'),
  };
}

function readField(fields: Record<string, unknown>, name: string, bytesMost: number): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : '';
  if (typeof value !== 'string') throw new Problem('bad-request', 'A field of the form was sent more than once. Go back, reload the page and try again.');
  if (Buffer.byteLength(value) > bytesMost) throw new Problem('too-large', 'A field of the form is far too long. Go back, shorten it and try again.');
  return value;
}

/** What browsers say of a request themselves, before anything of it is read. */
function refuseForeignPost(world: World, request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  const { origin } = request.headers;
  const foreignOrigin = origin !== undefined && origin !== world.installation.origin && !sameLoopback(world, request, origin);
  if ((site !== undefined && site !== 'same-origin') || foreignOrigin) {
    throw new Problem('cross-site', 'This form was sent from another site, so nothing was done. Open the page here and try again.');
  }
}

/** In development the portal may be opened as localhost or 127.0.0.1, whatever the configured origin says. */
function sameLoopback({ installation }: World, request: FastifyRequest, origin: string): boolean {
  return installation.development && /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(origin) && origin === `http://${request.headers.host ?? ''}`;
}

function checkFormToken(world: World, visit: Visit): void {
  if (!sameSecret(visit.field('form_token'), world.keys.hash('form token', visit.browserToken))) {
    throw new Problem('form-expired', 'This page was open for too long, or cookies are switched off. Go back, reload the page and try again.');
  }
}

function send(reply: FastifyReply, answer: Answer): void {
  switch (answer.kind) {
    case 'page':
      void reply.code(answer.status).type('text/html; charset=utf-8').send(answer.html.toString());
      return;
    case 'redirect':
      void reply.code(303).header('location', answer.to).send();
      return;
    case 'file':
      void reply.type(answer.type).header('content-disposition', `attachment; filename="${answer.name}"`).send(answer.body);
      return;
  }
}

/** The one place where what went wrong becomes an answer. */
function answerError(world: World, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = error instanceof Problem ? error : problemFrom(error);
  if (problem.code === 'internal') world.log.error('bug', { requestId: request.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  void reply.headers(securityHeaders(world.installation)).code(problem.status);
  if (problem.retryAt !== undefined) void reply.header('retry-after', Math.max(1, Math.ceil((problem.retryAt - world.clock.now()) / 1000)));
  const { accept = '' } = request.headers;
  if (/application\/(problem\+)?json/.test(accept) && !accept.includes('text/html')) {
    return reply.type('application/problem+json').send(
      JSON.stringify({ type: 'about:blank', title: problem.message, status: problem.status, code: problem.code, requestId: request.id }),
    );
  }
  return reply.type('text/html; charset=utf-8').send(problemPage({ installationName: world.installation.name, problem, requestId: request.id }).toString());
}

/** Fastify's own refusals by their codes; what is left is a bug. */
function problemFrom(error: unknown): Problem {
  const { statusCode } = error as { statusCode?: unknown };
  if (statusCode === 413) return new Problem('too-large', 'That was far more than this form needs. Go back, shorten it and try again.', { cause: error });
  if (statusCode === 415) return new Problem('unsupported-media-type', 'This address takes forms of its own pages only.', { cause: error });
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new Problem('bad-request', 'The request could not be read. Go back and try again.', { cause: error });
  }
  return new Problem('internal', 'Something went wrong on our side. Nothing was changed. Try again in a minute.', { cause: error });
}

/** ::ffff:192.0.2.1 is 192.0.2.1. */
const plainAddress = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address);

/** LO-3: nothing that could break a line or colour a terminal. */
const readable = (text: string): string => text.replace(/[^\x20-\x7e]/g, ' ');
