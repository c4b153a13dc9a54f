/**
 * The way out, to servers whose addresses somebody typed in: identity providers, directories, the DNS records of a domain. Where a name leads is looked up
 * once, and looked at, as the connection is made; what was looked at is what is connected to. Only the Internet is reached, and the hosts of private
 * networks that the operator named (SSRF). No redirect is followed, and every answer has a time and a size that it may take.
 */
import { lookup as systemLookup, promises as dns } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Agent } from 'undici';
import { seconds } from '../durations.ts';
import { connectOut, type ConnectionOut, type ConnectTo } from './connect-out.ts';
import { failureFrom, NetworkFailure } from './network-failure.ts';
import { isPublicAddress } from './public-address.ts';

export { failureFrom, NetworkFailure, type NetworkFailureReason } from './network-failure.ts';
export type { ConnectionOut } from './connect-out.ts';

export interface Network {
  /** Throws a NetworkFailure; an answer of any status is no failure. The signature is that of `fetch`, as far as libraries use it. */
  fetch(url: string | URL, init?: FetchOptions): Promise<Response>;
  /** The addresses behind a host, all of which may be connected to; throws a NetworkFailure where one may not. For protocols other than HTTP. */
  addressesOf(host: string): Promise<string[]>;
  /** A connection for another protocol than HTTP, encrypted unless the operator named the host; throws a NetworkFailure. Whoever asked for it destroys it. */
  connect(to: ConnectTo): Promise<ConnectionOut>;
  /** The TXT records of a name, each in one piece; none where there are none. Throws a NetworkFailure where no server answers. */
  textRecords(name: string): Promise<string[]>;
}

export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>> | Headers;
  readonly body?: string | Uint8Array | URLSearchParams | ArrayBuffer | null;
  readonly signal?: AbortSignal | null;
}

export interface NetworkOptions {
  /** Hosts of private networks that may be reached, and over http: as they are typed in settings, in lower case. */
  readonly privateHosts: readonly string[];
  /** For development: whatever this machine can reach. */
  readonly everything?: boolean;
  readonly lookup?: typeof systemLookup;
  /** `host:port` of name servers; the system's unless told. */
  readonly nameServers?: readonly string[];
  readonly millisecondsMost?: number;
  readonly bytesMost?: number;
}

const MILLISECONDS_MOST = seconds(10);
/** Metadata of large federations aside, no provider has more to say. */
const BYTES_MOST = 1024 * 1024;
const HEADER_BYTES_MOST = 16 * 1024;

export function makeNetwork({
  privateHosts,
  everything = false,
  lookup = systemLookup,
  nameServers,
  millisecondsMost = MILLISECONDS_MOST,
  bytesMost = BYTES_MOST,
}: NetworkOptions): Network {
  const mayBePrivate = (host: string): boolean => everything || privateHosts.includes(host);
  const options = { maxHeaderSize: HEADER_BYTES_MOST, headersTimeout: millisecondsMost, bodyTimeout: millisecondsMost, keepAliveTimeout: 1000 };
  let agents: ReturnType<typeof makeAgents> | undefined;
  const resolver = new dns.Resolver({ timeout: Math.ceil(millisecondsMost / 4), tries: 2 });
  if (nameServers) resolver.setServers([...nameServers]);

  return {
    async fetch(given, { method = 'GET', headers = {}, body = null, signal = null } = {}) {
      const url = new URL(given);
      const host = hostOf(url);
      const allowed = mayBePrivate(host);
      if (url.protocol !== 'https:' && !(allowed && url.protocol === 'http:')) throw new NetworkFailure('not-https');
      // Numbers are never looked up. The URL has been parsed, so that 127.1 and 0x7f000001 are 127.0.0.1 by now.
      if (!allowed && isIP(host) !== 0 && !isPublicAddress(host)) throw new NetworkFailure('private-address');
      const limit = AbortSignal.timeout(millisecondsMost);
      try {
        const { request, anywhere, outside } = await (agents ??= makeAgents(options, { lookup, millisecondsMost }));
        const answer = await request(url, {
          method: method as 'GET',
          headers: Object.fromEntries(new Headers(headers as Record<string, string>)),
          body: body instanceof URLSearchParams ? body.toString() : body instanceof ArrayBuffer ? new Uint8Array(body) : body,
          dispatcher: allowed ? anywhere : outside,
          signal: signal ? AbortSignal.any([signal, limit]) : limit,
        });
        const bytes = await readAll(answer.body, bytesMost);
        if (answer.statusCode >= 300 && answer.statusCode < 400) throw new NetworkFailure('redirect');
        return new Response(answer.statusCode === 204 ? null : bytes, { status: answer.statusCode, headers: headersFrom(answer.headers) });
      } catch (error) {
        throw limit.aborted ? new NetworkFailure('too-slow', { cause: error }) : failureFrom(error);
      }
    },
    addressesOf: (host) => addressesOf(host, { lookup, allowed: mayBePrivate(host.toLowerCase()) }),
    async connect(to) {
      const allowed = mayBePrivate(to.host.toLowerCase());
      if (to.encryption === 'none' && !allowed) throw new NetworkFailure('not-encrypted');
      return connectOut(await addressesOf(to.host, { lookup, allowed }), to, { millisecondsMost, bytesMost });
    },
    textRecords: (name) => textRecords(name, resolver),
  };
}

/** The client is loaded when it is needed, since it takes a while, and most installations ask nobody. */
async function makeAgents(options: Agent.Options, { lookup, millisecondsMost }: Required<Pick<NetworkOptions, 'lookup' | 'millisecondsMost'>>) {
  const { Agent, request } = await import('undici');
  const anywhere = new Agent({ ...options, connect: { lookup, timeout: millisecondsMost } });
  const outside = new Agent({ ...options, connect: { lookup: publicOnly(lookup), timeout: millisecondsMost } });
  return { request, anywhere, outside };
}

async function addressesOf(host: string, { lookup, allowed }: { lookup: typeof systemLookup; allowed: boolean }): Promise<string[]> {
  if (isIP(host) !== 0) {
    if (!allowed && !isPublicAddress(host)) throw new NetworkFailure('private-address');
    return [host];
  }
  const find = allowed ? (lookup as LookupFunction) : publicOnly(lookup);
  return new Promise((resolve, reject) => {
    find(host, { all: true }, (error, addresses) =>
      error ? reject(failureFrom(error)) : resolve([addresses].flat().map((one) => (typeof one === 'string' ? one : one.address))),
    );
  });
}

async function textRecords(name: string, resolver: dns.Resolver): Promise<string[]> {
  try {
    return (await resolver.resolveTxt(name)).map((pieces) => pieces.join(''));
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (code === 'ENODATA' || code === 'ENOTFOUND') return [];
    throw new NetworkFailure(code === 'ETIMEOUT' ? 'too-slow' : 'no-connection', { cause: error });
  }
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

async function readAll(body: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > most) throw new NetworkFailure('too-large');
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

function headersFrom(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(raw)) for (const value of [values ?? []].flat()) headers.append(name, value);
  return headers;
}

/** Where one of the addresses is not of the Internet, none is taken: a name of ours that has a public address too is still a name of ours. */
export function publicOnly(lookup: typeof systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const [first] = addresses;
      if (!first || !addresses.every(({ address }) => isPublicAddress(address))) return callback(new NetworkFailure('private-address'), []);
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}
