/**
 * An OpenID provider that does as it likes: real HTTP on a port of this machine, and it signs, answers and publishes whatever a test tells it to. Told
 * nothing it keeps to the protocol, but for its pages: whoever is sent to it comes back at once. It checks neither codes nor secrets, so what refuses is the
 * portal.
 *   await using provider = await HostileProvider.start({ now: () => portal.clock.now() });
 *   provider.account({ email: 'ada@example.com' });
 *   provider.lies = { claims: (honest) => ({ ...honest, aud: 'another' }) };
 *   await signInBy(browser, provider, { email: 'ada@example.com' });
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { OwnAddresses } from '../../src/sso/contract.ts';
import type { OpenIdAccount, OpenIdClient } from './openid-provider.ts';

export type Claims = Record<string, unknown>;
type Change<Value> = (honest: Value) => unknown;
type Route = '/.well-known/openid-configuration' | '/token' | '/jwks' | '/me';

/** Each is handed what an honest provider would say, and gives back what is said in its place. */
export interface Lies {
  /** The parameters that the browser brings back; `[['state', '…'], …]`. */
  readonly answer?: Change<[string, string][]>;
  readonly claims?: Change<Claims>;
  /** The whole ID token, of the claims. */
  readonly sign?: (claims: Claims) => string | Promise<string>;
  readonly tokens?: Change<Claims>;
  readonly userInfo?: Change<Claims>;
  readonly metadata?: Change<Claims>;
  readonly keys?: Change<JWK[]>;
  /** In place of an answer. */
  readonly at?: Partial<Record<Route, (response: ServerResponse) => unknown>>;
}

interface Started {
  readonly clientId: string;
  readonly nonce: string | null;
  readonly email: string;
}

const LIFETIME_SECONDS = 3600;

export class HostileProvider implements AsyncDisposable {
  lies: Lies = {};
  /** "GET /jwks" and so on, as they came. */
  readonly requests: string[] = [];
  /** What came to the token endpoint. */
  readonly exchanges: URLSearchParams[] = [];
  readonly #accounts = new Map<string, OpenIdAccount>();
  readonly #started = new Map<string, Started>();
  readonly #server: Server;
  readonly #now: () => number;
  #clients = 0;
  #key: JWK = {};

  private constructor(server: Server, now: () => number) {
    this.#server = server;
    this.#now = now;
  }

  static async start({ now }: { readonly now: () => number }): Promise<HostileProvider> {
    const server = createServer();
    const provider = new HostileProvider(server, now);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void provider.#answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    provider.#key = await makeKey('key-1');
    return provider;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Its private key, RS256. */
  get key(): JWK {
    return this.#key;
  }

  register(_addresses: OwnAddresses): OpenIdClient {
    this.#clients += 1;
    return { issuer: this.issuer, clientId: `portal-${this.#clients}`, clientSecret: 'the secret of both sides, 32 bytes and more' };
  }

  account(account: OpenIdAccount): OpenIdAccount {
    this.#accounts.set(account.email, account);
    return account;
  }

  /** Where the browser is sent back to. */
  async goThrough(url: string, { email }: { email: string }): Promise<URL> {
    const { searchParams: asked } = new URL(url);
    const code = `code-${this.#started.size + 1}`;
    this.#started.set(code, { clientId: asked.get('client_id')!, nonce: asked.get('nonce'), email });
    const honest: [string, string][] = [
      ['state', asked.get('state')!],
      ['iss', this.issuer],
      ['code', code],
    ];
    const back = new URL(asked.get('redirect_uri')!);
    back.search = String(new URLSearchParams((this.lies.answer?.(honest) ?? honest) as [string, string][]));
    return back;
  }

  /** Signed as an honest provider would. */
  async sign(claims: Claims, { key = this.#key, ...header }: Record<string, unknown> & { key?: JWK } = {}): Promise<string> {
    const protectedHeader = { alg: 'RS256', kid: this.#key.kid, ...header };
    return new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader(protectedHeader as { alg: string })
      .sign(await importJWK(key, protectedHeader.alg));
  }

  /** What a back-channel sign-out says of somebody. */
  logoutClaims(more: Claims): Claims {
    return { iss: this.issuer, ...this.#times(120), events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, ...more };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, this.issuer);
    this.requests.push(`${request.method} ${pathname}`);
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part as string;
    if (pathname === '/token') this.exchanges.push(new URLSearchParams(body));
    const instead = this.lies.at?.[pathname as Route];
    if (instead) return void instead(response);
    const said = await this.#say(pathname, new URLSearchParams(body));
    response.writeHead(said === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(said ?? {}));
  }

  async #say(pathname: string, form: URLSearchParams): Promise<unknown> {
    const { lies } = this;
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return told(lies.metadata, this.#metadata());
      case '/jwks':
        return { keys: told(lies.keys, [publicPartOf(this.#key)]) };
      case '/token':
        return told(lies.tokens, await this.#tokens(form.get('code') ?? ''));
      case '/me':
        return told(lies.userInfo, this.#claimsOf([...this.#started.values()].at(-1)!.email));
      default:
        return undefined;
    }
  }

  #metadata(): Claims {
    const { issuer } = this;
    return {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      userinfo_endpoint: `${issuer}/me`,
      end_session_endpoint: `${issuer}/logout`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      authorization_response_iss_parameter_supported: true,
    };
  }

  async #tokens(code: string): Promise<Claims> {
    const { clientId, nonce, email } = this.#started.get(code) ?? [...this.#started.values()].at(-1)!;
    const token = `access-${code}`;
    const honest = {
      iss: this.issuer,
      aud: clientId,
      ...this.#times(LIFETIME_SECONDS),
      ...(nonce === null ? {} : { nonce }),
      at_hash: createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url'),
      sid: `session of ${email}`,
      ...this.#claimsOf(email),
    };
    const claims = told(this.lies.claims, honest) as Claims;
    return { access_token: token, token_type: 'Bearer', expires_in: LIFETIME_SECONDS, id_token: await (this.lies.sign ?? ((all) => this.sign(all)))(claims) };
  }

  #claimsOf(email: string): Claims {
    const { subject = email.replace('@', ' at '), amr, acr, claims } = this.#accounts.get(email) ?? { email };
    return { sub: subject, email, email_verified: true, name: 'Ada Lovelace', ...(amr ? { amr } : {}), ...(acr === undefined ? {} : { acr }), ...claims };
  }

  #times(lifetimeSeconds: number): Claims {
    const iat = Math.floor(this.#now() / 1000);
    return { iat, exp: iat + lifetimeSeconds };
  }
}

const told = <Value>(lie: Change<Value> | undefined, honest: Value): unknown => (lie ? lie(honest) : honest);

export async function makeKey(kid: string, alg = 'RS256'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid, use: 'sig' };
}

export function publicPartOf({ d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...rest }: JWK): JWK {
  return rest;
}

/** Three parts that nobody but a test would put together. */
export const compact = (header: Claims, claims: Claims, signature = ''): string =>
  [JSON.stringify(header), JSON.stringify(claims)].map((part) => Buffer.from(part).toString('base64url')).join('.') + `.${signature}`;
