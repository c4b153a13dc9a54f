/**
 * HTTP: from Fastify's requests to visits and back. Here, once for all routes: size and time limits, cookies, the check that a form was ours and came
 * from this browser (same-site.ts), security headers, and the one place where a problem becomes an answer (answer-problem.ts). A handler sees none of it.
 * Invariants: every answer bears the security headers, errors and assets too; GET and HEAD change nothing; a POST reaches its handler only with
 * this browser's form token; no answer holds anything of an error but what a Problem says to people.
 */
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import cookiePlugin from '@fastify/cookie';
import formbody from '@fastify/formbody';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { assets } from '../html/assets.ts';
import { noSuchPage, noSuchThing, Problem } from '../problem.ts';
import { withoutApiKeys } from '../secrets/tokens.ts';
import type { World } from '../world.ts';
import { answerProblem } from './answer-problem.ts';
import { readVisit, splitAddress } from './read-visit.ts';
import { checkFormToken, refuseForeignPost } from './same-site.ts';
import { securityHeaders } from './security-headers.ts';
import { whoIsTrusted } from './trusted-proxies.ts';
import type { Answer, Guard, Handler, Web } from './visit.ts';

const BODY_BYTES_MOST = 64 * 1024;
const PARAMETER_CHARACTERS_MOST = 200;
const CONNECTIONS_MOST = 10_000;
const REQUEST_MILLISECONDS_MOST = 30_000;
const IDLE_MILLISECONDS_MOST = 10_000;

export interface WebOptions {
  /** Addresses or networks whose X-Forwarded-For is believed; empty: nobody's. */
  readonly trustedProxies?: readonly string[];
  /** Called after each request that may have written, so that mail leaves at once. */
  readonly afterPost?: () => void;
}

export async function makeWeb(
  world: World,
  { trustedProxies = [], afterPost = () => undefined }: WebOptions = {},
): Promise<{ fastify: FastifyInstance; web: Web<undefined> }> {
  const fastify = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MOST,
    trustProxy: trustedProxies.length > 0 ? whoIsTrusted(trustedProxies) : false,
    requestTimeout: REQUEST_MILLISECONDS_MOST,
    keepAliveTimeout: IDLE_MILLISECONDS_MOST,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MOST },
    genReqId: () => Buffer.from(world.random.bytes(9)).toString('base64url'),
    frameworkErrors: (error, request, reply) => void answerProblem(world, error, request, reply),
    clientErrorHandler: (error, socket) => answerUnreadable(world, error, socket),
    // Who has connected is served; the server only takes no new ones.
    return503OnClosing: false,
  });
  fastify.server.maxConnections = CONNECTIONS_MOST;
  await fastify.register(cookiePlugin);
  await fastify.register(formbody, { bodyLimit: BODY_BYTES_MOST });
  // A form of another site can send text/plain without asking first; ours send neither of these.
  fastify.removeContentTypeParser(['application/json', 'text/plain']);

  const headers = securityHeaders(world.installation);
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers(headers);
    if (request.url.includes('%00')) throw new Problem('bad-request', 'The address could not be read. Check it for a slip.');
    const { askedByProxy, fromElsewhere } = request.routeOptions.config;
    const safe = request.method === 'GET' || request.method === 'HEAD' || askedByProxy || fromElsewhere;
    if (!safe) refuseForeignPost(world, request);
  });
  fastify.addHook('onResponse', async (request, reply) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') afterPost();
    // Never the query, the fields or the cookies: they may hold what only the person should have (LO-2). Nor a key that somebody put into the path.
    const path = withoutApiKeys(splitAddress(request.url).path);
    world.log.info('request', { method: request.method, path, status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime), requestId: request.id });
  });
  fastify.setErrorHandler((error, request, reply) => answerProblem(world, error, request, reply));
  answerUnknown(world, fastify);

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
        const visit = readVisit(world, request, reply);
        if (method === 'POST') checkFormToken(visit);
        const guarded = await guard(visit, undefined);
        send(reply, guarded.pass ? await handler(visit, guarded.context) : guarded.answer);
        return reply;
      },
    });
  };
  return {
    get: (path, handler) => mount('GET', path, handler),
    post: (path, handler) => mount('POST', path, handler),
    guarded: <Inner>(inner: Guard<Inner, Context>) =>
      webOver<Inner>(world, fastify, async (visit) => {
        const outer = await guard(visit, undefined);
        return outer.pass ? inner(visit, outer.context) : outer;
      }),
  };
}

function send(reply: FastifyReply, answer: Answer): void {
  switch (answer.kind) {
    case 'page':
      void reply.code(answer.status).type('text/html; charset=utf-8').send(answer.html.toString());
      return;
    case 'redirect':
      // WE-7. A feature that let a foreign address through so far has a bug; it must not become an open door.
      if (!/^\/(?![/\\])[\x21-\x7e]*$/.test(answer.to)) throw new TypeError('A redirect to somewhere else.');
      void reply.code(303).header('location', answer.to).send();
      return;
    case 'file':
      void reply
        .type(answer.type)
        .header('content-disposition', `attachment; filename="${answer.name.replace(/[^\w. -]/g, '_')}"`)
        .send(typeof answer.body === 'string' ? answer.body : Readable.from(answer.body));
      return;
  }
}

/** No page at this address, or none for this method: RFC 9110, 15.5.6 wants those that there are named. */
function answerUnknown(world: World, fastify: FastifyInstance): void {
  const routes: { method: string; pattern: RegExp }[] = [];
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, pattern: patternOf(url) });
  });
  fastify.setNotFoundHandler((request, reply) => {
    const { path } = splitAddress(request.url);
    const allowed = new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    if (allowed.size > 0) void reply.header('allow', [...allowed].join(', '));
    return answerProblem(world, allowed.size > 0 ? wrongMethod(path) : /^\/(?:api\/v1|scim\/v2)\//.test(path) ? noSuchThing() : noSuchPage(), request, reply);
  });
}

const wrongMethod = (path: string): Problem =>
  new Problem(
    'method-not-allowed',
    /^\/(?:api|scim)\//.test(path) ? 'This address has no such method.' : 'This address can’t be used in this way. Go back and use the buttons of the page.',
  );

/** `/a/:b` matches `/a/c`, as Fastify reads it. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[^\w-]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}

/** What is not HTTP at all, or too much of it: there is no request to answer, so this is written by hand. */
function answerUnreadable(world: World, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooMuch = error.code === 'HPE_HEADER_OVERFLOW';
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const status = tooMuch ? '431 Request Header Fields Too Large' : late ? '408 Request Timeout' : '400 Bad Request';
  const body = tooMuch ? 'The request is too long. Clear the cookies of this site and try again.\n' : 'The request could not be read.\n';
  const headers = {
    ...securityHeaders(world.installation),
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(body.length),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`);
}
