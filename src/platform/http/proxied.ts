/**
 * Questions that a reverse proxy asks about a request that it holds, and the answers. What the proxy says of that request is believed only where the operator
 * named the proxy (TWINLOCK_TRUSTED_PROXIES); an empty list names nobody. These are asked far more often than pages are, so on the portal's own server they are
 * answered before anything that only pages need; the router has them too, for whatever comes to it. One function answers both. Whatever fails is refused.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Html } from '../html/html.ts';
import type { World } from '../world.ts';
import { whole } from './answer-problem.ts';
import { splitAddress } from './read-visit.ts';
import { securityHeaders } from './security-headers.ts';
import { whoIsTrusted } from './trusted-proxies.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked by a proxy in the method of the request that it holds, so a POST is no form. */
    readonly askedByProxy?: true;
  }
}

export interface Proxied {
  /** Whether a proxy asks that the operator named. */
  readonly trusted: boolean;
  readonly method: string;
  /** Path and query, as the proxy asks them. */
  readonly url: string;
  /** Undefined where it was not sent. One that was sent twice comes with a comma in it. */
  header(name: string): string | undefined;
  /** Of the host that the proxy stands before. */
  cookie(name: string): string | undefined;
}

export interface ProxiedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Html;
}

export type AnswerProxied = (request: Proxied) => Promise<ProxiedAnswer>;

export interface ProxiedRoutes {
  /** By their paths; asked by GET. */
  readonly exact: Readonly<Record<string, AnswerProxied>>;
  /** By the beginning of the path, up to a slash; asked in whatever method. */
  readonly below: Readonly<Record<string, AnswerProxied>>;
}

type Trusts = ReturnType<typeof whoIsTrusted>;

const COOKIE_CHARACTERS_MOST = 200;

export function mountProxied(
  world: World,
  fastify: FastifyInstance,
  { trustedProxies, exact, below }: ProxiedRoutes & { trustedProxies: readonly string[] },
): void {
  const trusts = whoIsTrusted(trustedProxies);
  const listenerOf =
    (answer: AnswerProxied): RequestListener =>
    (request, response) =>
      void respond(world, { answer, trusts }, request, response);
  const exactly = new Map(Object.entries(exact).map(([path, answer]) => [path, listenerOf(answer)]));
  const beneath = Object.entries(below).map(([path, answer]) => [`${path}/`, listenerOf(answer)] as const);

  const { server } = fastify;
  const others = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const url = request.url ?? '';
    const end = url.indexOf('?');
    const found =
      (request.method === 'GET' ? exactly.get(end === -1 ? url : url.slice(0, end)) : undefined) ?? beneath.find(([path]) => url.startsWith(path))?.[1];
    if (found) found(request, response);
    else for (const other of others) other(request, response);
  });

  for (const [path, listener] of exactly) {
    fastify.get(path, (request, reply) => {
      reply.hijack();
      listener(request.raw, reply.raw);
    });
  }
  void fastify.register(async (scope) => {
    // What a proxy holds back it does not send, and nothing of it would be read.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const [path, listener] of beneath) {
      scope.all(`${path}*`, { config: { askedByProxy: true } }, (request, reply) => {
        reply.hijack();
        listener(request.raw, reply.raw);
      });
    }
  });
}

async function respond(
  world: World,
  { answer, trusts }: { answer: AnswerProxied; trusts: Trusts },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let answered: ProxiedAnswer;
  try {
    answered = await answer(readProxied(request, trusts));
  } catch (error) {
    world.log.error('bug', { requestId: Buffer.from(world.random.bytes(9)).toString('base64url'), error: whole(error) });
    answered = { status: 500, body: 'Something went wrong, so nobody is let through.\n' };
  }
  write(world, request, response, answered);
}

function write(world: World, { method, url = '' }: IncomingMessage, response: ServerResponse, { status, headers = {}, body = '' }: ProxiedAnswer): void {
  const text = body.toString();
  const about = {
    // Whoever is let through sees nothing of this answer. What is to be true of an app's whole host and those below it is for the app to say.
    ...(status === 200 ? { 'cache-control': 'no-store' } : securityHeaders({ secure: false })),
    'content-type': typeof body === 'string' ? 'text/plain; charset=utf-8' : 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...headers,
  };
  response.writeHead(status, about).end(text);
  // Whoever is let through stands in the proxy's own log.
  const level = status === 403 ? 'warn' : 'info';
  if (status !== 200) world.log[level]('request', { method, path: splitAddress(url).path, status, reason: headers['Twinlock-Reason'] });
}

function readProxied(request: IncomingMessage, trusts: Trusts): Proxied {
  const { headers, url = '', method = '' } = request;
  return {
    trusted: trusts(request.socket.remoteAddress),
    method,
    url,
    header: (name) => {
      const value = headers[name];
      return (Array.isArray(value) ? value.join(', ') : value) || undefined;
    },
    cookie: (name) => cookieIn(headers.cookie, name),
  };
}

/** The first of that name. The values that we set have nothing in them that is ever encoded. */
function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const end = pair.indexOf('=');
    if (end === -1 || pair.slice(0, end).trim() !== name) continue;
    const value = pair.slice(end + 1).trim();
    return value === '' || value.length > COOKIE_CHARACTERS_MOST ? undefined : value;
  }
  return undefined;
}

/** A cookie of the host that the proxy stands before, and of it alone. */
export function hostCookie(name: string, value: string, { secure, maxAgeSeconds }: { secure: boolean; maxAgeSeconds?: number }): string {
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
  return `${hostCookieName(name, secure)}=${value}; Path=/${age}; HttpOnly${secure ? '; Secure' : ''}; SameSite=Lax`;
}

export const hostCookieName = (name: string, secure: boolean): string => `${secure ? '__Host-' : ''}twinlock-${name}`;
