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
const METHOD = /^[A-Z]{1,20}$/;

/** nginx sends the whole address (X-Original-URL); Traefik, Caddy and Envoy its parts (X-Forwarded-*). Undefined where it can't be read, or both say different things. */
export function requestedFrom(headers: ProxyHeaders): Requested | undefined {
  const { originalUrl, originalMethod, forwardedProto, forwardedHost, forwardedUri, forwardedMethod } = headers;
  const whole =
    originalUrl ??
    (forwardedProto !== undefined && forwardedHost !== undefined && forwardedUri !== undefined
      ? `${forwardedProto}://${forwardedHost}${forwardedUri}`
      : undefined);
  const method = originalMethod ?? forwardedMethod;
  if (whole === undefined || method === undefined || !METHOD.test(method)) return undefined;
  if (originalMethod !== undefined && forwardedMethod !== undefined && originalMethod !== forwardedMethod) return undefined;
  const address = addressFrom(whole);
  if (!address) return undefined;
  if (originalUrl !== undefined && forwardedHost !== undefined && hostOf(address.scheme, forwardedHost) !== address.host) return undefined;
  return { ...address, method };
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
