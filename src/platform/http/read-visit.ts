// From Fastify's request to a visit: cookies, fields, and who is there.
import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../problem.ts';
import { makeToken } from '../secrets/tokens.ts';
import type { World } from '../world.ts';
import type { CookieName, Visit } from './visit.ts';

const FIELD_BYTES_MOST = 4096;
const COOKIE_CHARACTERS_MOST = 200;
const USER_AGENT_CHARACTERS_MOST = 300;
const BROWSER_COOKIE_SECONDS = 365 * 24 * 60 * 60;
/** As makeToken makes it. */
const BROWSER_TOKEN = /^[\w-]{43}$/;

export function readVisit(world: World, request: FastifyRequest, reply: FastifyReply): Visit {
  const cookies = cookiesOf(world, request, reply);
  const fields = (request.body ?? {}) as Record<string, unknown>;
  const { path, query } = splitAddress(request.url);
  const browserToken = readBrowserToken(world, cookies);
  return {
    method: request.method,
    path,
    get query() {
      return new URLSearchParams(query);
    },
    parameters: request.params as Record<string, string>,
    field: (name, bytesMost = FIELD_BYTES_MOST) => readField(fields, name, bytesMost),
    get onThisMachine() {
      return isOnThisMachine(request);
    },
    address: addressOf(request),
    userAgent: userAgentOf(request),
    requestId: request.id,
    browserToken,
    formToken: world.keys.hash('form token', browserToken),
    ...cookies,
    clearSiteData: () => void reply.header('clear-site-data', '"cache", "storage"'),
  };
}

type Cookies = Pick<Visit, 'cookie' | 'setCookie' | 'clearCookie'>;

function cookiesOf({ installation: { secure } }: World, request: FastifyRequest, reply: FastifyReply): Cookies {
  // WE-1. The prefix makes browsers refuse one that a neighbouring subdomain or an http page would plant.
  const fullName = (name: CookieName): string => `${secure ? '__Host-' : ''}twinlock-${name}`;
  const attributes = { path: '/', httpOnly: true, secure, sameSite: 'lax' } as const;
  return {
    cookie: (name) => {
      const value = request.cookies[fullName(name)];
      return value === undefined || value === '' || value.length > COOKIE_CHARACTERS_MOST ? undefined : value;
    },
    setCookie: (name, value, options) => {
      void reply.setCookie(fullName(name), value, options ? { ...attributes, maxAge: options.maxAgeSeconds } : attributes);
    },
    clearCookie: (name) => void reply.clearCookie(fullName(name), attributes),
  };
}

/** One that is not of our making is replaced. */
function readBrowserToken({ random }: World, { cookie, setCookie }: Cookies): string {
  const sent = cookie('browser');
  if (sent !== undefined && BROWSER_TOKEN.test(sent)) return sent;
  const token = makeToken({ random });
  setCookie('browser', token, { maxAgeSeconds: BROWSER_COOKIE_SECONDS });
  return token;
}

function readField(fields: Record<string, unknown>, name: string, bytesMost: number): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : '';
  if (typeof value !== 'string') throw new Problem('bad-request', 'A field of the form was sent more than once. Go back, reload the page and try again.');
  if (Buffer.byteLength(value) > bytesMost) throw new Problem('too-large', 'A field of the form is far too long. Go back, shorten it and try again.');
  // No keyboard types the first, and PostgreSQL can't keep it; the second is what is left of bytes that are no text: two passwords could come to be one by it.
  if (value.includes('\0') || value.includes('\ufffd'))
    throw new Problem('bad-request', 'A field of the form has a character in it that nobody can type. Go back and try again.');
  return value;
}

/** Fastify has asked the trusted proxies. What they passed on and is no address is worth nothing: then it is the proxy's own. */
export function addressOf(request: FastifyRequest): string {
  // Read once: Fastify goes through the list of proxies whenever it is asked.
  const { ip } = request;
  const address = isIP(ip) === 0 ? (request.socket.remoteAddress ?? '') : ip;
  // ::ffff:192.0.2.1 is 192.0.2.1, and must count as the same for limits.
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

const PASSED_ON = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];
const LOOPBACK_HOST = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

function isOnThisMachine({ socket, headers }: FastifyRequest): boolean {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/i, '');
  const fromHere = address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address);
  return fromHere && LOOPBACK_HOST.test(headers.host ?? '') && !PASSED_ON.some((name) => headers[name] !== undefined);
}

export function splitAddress(url: string): { path: string; query: string } {
  const end = url.indexOf('?');
  return end === -1 ? { path: url, query: '' } : { path: url.slice(0, end), query: url.slice(end + 1) };
}

export const userAgentOf = ({ headers }: FastifyRequest): string => printable(headers['user-agent'] ?? '').slice(0, USER_AGENT_CHARACTERS_MOST);

/** LO-3: nothing that could break a line of the log or colour a terminal. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, ' ');
