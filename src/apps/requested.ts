/**
 * Which address of an app somebody asked for, as the proxy before it says. Whatever could be read in two ways is refused: two systems that read one address
 * differently are how rules by path are walked around (Authelia CVE-2021-32637).
 */
export interface Requested {
  readonly scheme: 'http' | 'https';
  /** In lower case, with the port where it is not the scheme's own. */
  readonly host: string;
  /** Without the query, as it was sent. */
  readonly path: string;
  /** With its question mark; '' where there is none. */
  readonly query: string;
  readonly method: string;
}

/** What the proxy sent; a header that came twice is undefined. */
export interface ProxyHeaders {
  readonly originalUrl: string | undefined;
  readonly originalMethod: string | undefined;
  readonly forwardedProto: string | undefined;
  readonly forwardedHost: string | undefined;
  readonly forwardedUri: string | undefined;
  readonly forwardedMethod: string | undefined;
}

const CHARACTERS_MOST = 4000;
/** Alone it has no path in it, which would be read in the place of the one that was asked for. */
const HOST = /^[a-z\d.:-]+$/i;
const METHOD = /^[A-Z]{1,20}$/;

/**
 * nginx sends the whole address (X-Original-URL); Traefik and Caddy its parts (X-Forwarded-*). Each passes on what a client sent under the other's names,
 * so where something is said twice both must say the same. Undefined where it can't be read, or they don't.
 */
export function requestedFrom(headers: ProxyHeaders): Requested | undefined {
  const { originalUrl, originalMethod, forwardedProto, forwardedHost, forwardedUri, forwardedMethod } = headers;
  const method = originalMethod ?? forwardedMethod;
  if (method === undefined || !METHOD.test(method)) return undefined;
  if (originalMethod !== undefined && forwardedMethod !== undefined && originalMethod !== forwardedMethod) return undefined;
  if (originalUrl !== undefined) {
    const address = addressFrom(originalUrl);
    if (!address) return undefined;
    const same =
      (forwardedProto === undefined || forwardedProto === address.scheme) &&
      (forwardedHost === undefined || hostOf(address.scheme, forwardedHost) === address.host) &&
      (forwardedUri === undefined || forwardedUri === address.path + address.query);
    return same ? { ...address, method } : undefined;
  }
  if (forwardedProto === undefined || forwardedHost === undefined || !HOST.test(forwardedHost) || forwardedUri?.startsWith('/') !== true) return undefined;
  const address = addressFrom(`${forwardedProto}://${forwardedHost}${forwardedUri}`);
  return address && { ...address, method };
}

/** Envoy asks in the method and at the host of the request itself, at its path below one of ours: `url` is what comes after that. */
export function requestedBelow({
  method,
  proto,
  host,
  url,
}: {
  method: string;
  proto: string | undefined;
  host: string | undefined;
  url: string;
}): Requested | undefined {
  if (proto === undefined || host === undefined || !HOST.test(host) || !url.startsWith('/') || !METHOD.test(method)) return undefined;
  const address = addressFrom(`${proto}://${host}${url}`);
  return address && { ...address, method };
}

/** Printable ASCII without user, backslash or fragment: no browser and no server reads that differently. */
const ADDRESS = /^(https?):\/\/([a-z\d](?:[a-z\d.-]*[a-z\d])?(?::\d{1,5})?)(\/[!-~]*)?$/i;

export function addressFrom(text: string): Omit<Requested, 'method'> | undefined {
  const [, scheme = '', host = '', rest = '/'] = text.length > CHARACTERS_MOST ? [] : (ADDRESS.exec(text) ?? []);
  if (scheme === '' || /[\\#]/.test(rest)) return undefined;
  const lower = scheme.toLowerCase() as 'http' | 'https';
  const end = rest.indexOf('?');
  return { scheme: lower, host: hostOf(lower, host), path: end === -1 ? rest : rest.slice(0, end), query: end === -1 ? '' : rest.slice(end) };
}

function hostOf(scheme: 'http' | 'https', text: string): string {
  const host = text.toLowerCase();
  return host.replace(scheme === 'https' ? /:443$/ : /:80$/, '');
}

export const originOf = ({ scheme, host }: Pick<Requested, 'scheme' | 'host'>): string => `${scheme}://${host}`;
export const urlOf = ({ scheme, host, path, query }: Omit<Requested, 'method'>): string => `${scheme}://${host}${path}${query}`;
