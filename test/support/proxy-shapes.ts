/**
 * What proxies ask the portal, what their clients get of its answer, and what the app gets then, by the lines of docs/forward-auth.md: as nginx is configured
 * there, and as the sources and the documentation of the others have it (Traefik: middlewares/auth/forward.go, Caddy: reverseproxy/forwardauth, Envoy:
 * extensions/filters/common/ext_authz). For what can be walked through by the real one or a stand-in see protected-apps.ts.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export type Headers = Readonly<Record<string, string>>;

export interface Asked {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  /** In lower case. */
  readonly headers: Headers;
}

export interface ProxyShape {
  readonly name: string;
  /** Whether whoever asked gets the portal's answer where it is no. */
  readonly passesOn: boolean;
  question(asked: Asked): { readonly method: string; readonly url: string; readonly headers: Headers };
  /** What the app is sent of the client's headers and of the portal's, where that said yes. */
  toApp(client: Headers, portal: Headers): Headers;
}

const guide = readFileSync(new URL('../../docs/forward-auth.md', import.meta.url), 'utf8');
const blockAfter = (heading: string): string => new RegExp(`### ${heading}\n[^]*?\`\`\`\\w+\n([^]*?)\`\`\``).exec(guide)![1]!;
const without = (headers: Headers, gone: (name: string) => boolean): Headers => Object.fromEntries(Object.entries(headers).filter(([name]) => !gone(name)));

const forwarded = ({ origin, path, method }: Asked): Headers => ({
  'x-forwarded-proto': new URL(origin).protocol.slice(0, -1),
  'x-forwarded-host': new URL(origin).host,
  'x-forwarded-uri': path,
  'x-forwarded-method': method,
});

export const NGINX_SHAPE: ProxyShape = {
  name: 'nginx',
  passesOn: false,
  question: ({ origin, path, method, headers }) => ({
    method: 'GET',
    url: path.startsWith('/.twinlock/callback') ? `/forward-auth/callback${new URL(path, origin).search}` : '/forward-auth',
    headers: { ...headers, 'x-original-url': origin + path, 'x-original-method': method },
  }),
  toApp: (client, portal) => ({ ...without(client, (name) => /[^a-z\d-]/.test(name)), ...remoteOf(portal) }),
};

const remoteOf = (portal: Headers): Headers => without(portal, (name) => !name.startsWith('remote-'));

const traefik = (parse(blockAfter('Traefik')) as { http: { middlewares: { twinlock: { forwardAuth: Record<string, string> } } } }).http.middlewares.twinlock
  .forwardAuth;
/** Go's `(?i)` is a flag here. */
const TRAEFIK_HEADERS = new RegExp(traefik['authResponseHeadersRegex']!.replace('(?i)', ''), 'i');

const TRAEFIK: ProxyShape = {
  name: 'Traefik',
  passesOn: true,
  question: (asked) => ({
    method: 'GET',
    url: new URL(traefik['address']!).pathname,
    headers: traefik['trustForwardHeader'] ? { ...forwarded(asked), ...asked.headers } : { ...asked.headers, ...forwarded(asked) },
  }),
  toApp: (client, portal) => ({
    ...without(client, (name) => TRAEFIK_HEADERS.test(name)),
    ...without(portal, (name) => !TRAEFIK_HEADERS.test(name)),
  }),
};

const caddy = blockAfter('Caddy');
const CADDY_COPIES = /copy_headers (.+)/.exec(caddy)![1]!.toLowerCase().split(' ');
// In a route directives are carried out as they stand there.
const CADDY_DROPS = /route \{\s+request_header -(\S+)\*/.exec(caddy)![1]!.toLowerCase();

const CADDY: ProxyShape = {
  name: 'Caddy',
  passesOn: true,
  // Of X-Forwarded- it drops what untrusted clients sent.
  question: (asked) => ({
    method: 'GET',
    url: /uri (\S+)/.exec(caddy)![1]!,
    headers: { ...without(asked.headers, (name) => name.startsWith(CADDY_DROPS) || name.startsWith('x-forwarded-')), ...forwarded(asked) },
  }),
  // An empty one is not set, in old versions not even in the place of what the client sent.
  toApp: (client, portal) => ({
    ...without(client, (name) => name.startsWith(CADDY_DROPS)),
    ...without(portal, (name) => !CADDY_COPIES.includes(name) || portal[name] === ''),
  }),
};

interface Patterns {
  readonly patterns: readonly { readonly exact?: string; readonly prefix?: string }[];
}
interface Authorization {
  readonly failure_mode_allow?: boolean;
  readonly allowed_headers: Patterns;
  readonly http_service: { readonly path_prefix: string; readonly authorization_response: { readonly allowed_upstream_headers: Patterns } };
}
const envoy = (
  parse(blockAfter('Envoy')) as {
    static_resources: {
      listeners: { filter_chains: { filters: { typed_config: { use_remote_address: boolean; http_filters: { typed_config: Authorization }[] } }[] }[] }[];
    };
  }
).static_resources.listeners[0]!.filter_chains[0]!.filters[0]!.typed_config;
const authorization = envoy.http_filters[0]!.typed_config;
const matches = ({ patterns }: Patterns, name: string): boolean =>
  patterns.some(({ exact, prefix }) => exact === name || (prefix !== undefined && name.startsWith(prefix)));

const ENVOY: ProxyShape = {
  name: 'Envoy',
  passesOn: true,
  // In the method and at the host of the request; of its headers those that are named. Where it is the edge, X-Forwarded-Proto is its own.
  question: ({ origin, path, method, headers }) => {
    const all = { ...headers, ...(envoy.use_remote_address && { 'x-forwarded-proto': new URL(origin).protocol.slice(0, -1) }) };
    return {
      method,
      url: authorization.http_service.path_prefix + path,
      headers: { ...without(all, (name) => !matches(authorization.allowed_headers, name)), host: new URL(origin).host, 'content-length': '0' },
    };
  },
  toApp: (client, portal) => {
    const removed = (portal['x-envoy-auth-headers-to-remove'] ?? '').split(',').map((name) => name.trim());
    const set = without(portal, (name) => !matches(authorization.http_service.authorization_response.allowed_upstream_headers, name));
    return without({ ...client, ...set }, (name) => removed.includes(name));
  },
};

export const OTHER_SHAPES: readonly ProxyShape[] = [TRAEFIK, CADDY, ENVOY];
