/**
 * Questions that a reverse proxy asks about a request that it holds, and the answers. What the proxy says of that request is believed only where the operator
 * named the proxy (TWINLOCK_TRUSTED_PROXIES); an empty list names nobody.
 */
import { BlockList, isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Html } from '../html/html.ts';

import { addressOf, splitAddress, userAgentOf } from './read-visit.ts';

export interface Proxied {
  /** Whether a proxy asks that the operator named. */
  readonly trusted: boolean;
  /** Undefined where it was not sent. One that was sent twice comes with a comma in it. */
  header(name: string): string | undefined;
  /** Of the host that the proxy stands before. */
  cookie(name: string): string | undefined;
  readonly query: URLSearchParams;
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
}

export interface ProxiedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Html;
}

const COOKIE_CHARACTERS_MOST = 200;

export function mountProxied(
  fastify: FastifyInstance,
  path: string,
  { trustedProxies, handle }: { trustedProxies: readonly string[]; handle: (request: Proxied) => Promise<ProxiedAnswer> },
): void {
  const trusted = listOf(trustedProxies);
  fastify.get(path, async (request, reply) => {
    const peer = (request.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
    const answer = await handle({
      trusted: isIP(peer) !== 0 && trusted.check(peer, isIP(peer) === 4 ? 'ipv4' : 'ipv6'),
      header: (name) => [request.headers[name] ?? undefined].flat().join(', ') || undefined,
      cookie: (name) => {
        const value = request.cookies[name];
        return value === undefined || value === '' || value.length > COOKIE_CHARACTERS_MOST ? undefined : value;
      },
      query: new URLSearchParams(splitAddress(request.url).query),
      address: addressOf(request),
      userAgent: userAgentOf(request),
      requestId: request.id,
    });
    void reply
      .code(answer.status)
      .headers(answer.headers ?? {})
      .type(typeof answer.body === 'string' || answer.body === undefined ? 'text/plain; charset=utf-8' : 'text/html; charset=utf-8');
    return reply.send(answer.body?.toString() ?? '');
  });
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** A cookie of the host that the proxy stands before, and of it alone. */
export function hostCookie(name: string, value: string, { secure, maxAgeSeconds }: { secure: boolean; maxAgeSeconds?: number }): string {
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
  return `${hostCookieName(name, secure)}=${value}; Path=/${age}; HttpOnly${secure ? '; Secure' : ''}; SameSite=Lax`;
}

export const hostCookieName = (name: string, secure: boolean): string => `${secure ? '__Host-' : ''}twinlock-${name}`;
