/**
 * An OpenID provider on a port of this machine: the package `oidc-provider`, whole, with accounts that a test makes up and a page to sign in that works in
 * a browser.
 *   await using provider = await OpenIdProvider.start({ now: () => world.clock.now() });
 *   provider.account({ email: 'ada@example.org', claims: { groups: ['staff'] }, amr: ['pwd', 'mfa'] });
 *   const settings = provider.register(addresses);          // what is typed into the portal
 *   const back = await provider.goThrough(url, { email: 'ada@example.org' });
 *   await provider.rotateKeys();
 *   provider.state = 'down';
 * Tokens bear the time of the test's clock. Sessions there are cookies of a jar, as in a browser: hand the same jar in, and nothing is asked again.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { Provider, type ClientMetadata, type Configuration } from 'oidc-provider';
import type { OwnAddresses } from '../../src/sso/contract.ts';
import { CookieJar } from './cookie-jar.ts';
import { openIdMemory } from './openid-memory.ts';

export interface OpenIdAccount {
  readonly email: string;
  /** 'correct horse' unless told. */
  readonly password?: string;
  /** The provider's own name for them; the address with another sign unless told. */
  readonly subject?: string;
  /** Beside sub, email, email_verified (true) and name. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly amr?: readonly string[];
  readonly acr?: string;
}

export interface OpenIdProviderOptions {
  /** Epoch milliseconds: what tokens say. The machine's clock unless told. */
  readonly now?: () => number;
  /** Where email and the like are: the specification has them at the userinfo endpoint alone. */
  readonly claimsIn?: 'id-token' | 'userinfo';
  /** How a back-channel logout gets to the portal, where it does not listen; returns the status. */
  readonly deliver?: (url: URL, body: URLSearchParams) => Promise<number>;
}

/** What is typed into the portal. */
export interface OpenIdClient {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export const OPENID_PASSWORD = 'correct horse';
const ACR_VALUES = ['1', '2', 'urn:example:mfa'];
const REDIRECTS_MOST = 12;
/** In seconds. */
const TTL = 3600;

export class OpenIdProvider implements AsyncDisposable {
  /** 'down' breaks every connection off; 'slow' never answers. */
  state: 'up' | 'down' | 'slow' = 'up';
  /** "GET /jwks" and so on, as they came. */
  readonly requests: string[] = [];
  /** The status of each back-channel logout that was sent; 0 where none came back. */
  readonly logoutsSent: number[] = [];
  readonly #accounts = new Map<string, OpenIdAccount>();
  readonly #clients: ClientMetadata[] = [];
  readonly #options: OpenIdProviderOptions;
  readonly #server: Server;
  readonly #memory = openIdMemory();
  #keys: JWK[] = [];
  #provider: Provider | undefined;
  #handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;

  private constructor(server: Server, options: OpenIdProviderOptions) {
    this.#server = server;
    this.#options = options;
  }

  static async start(options: OpenIdProviderOptions = {}): Promise<OpenIdProvider> {
    const server = createServer();
    const started = new OpenIdProvider(server, options);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void started.#answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await started.rotateKeys();
    return started;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  account(account: OpenIdAccount): OpenIdAccount {
    this.#accounts.set(account.email, account);
    return account;
  }

  /** One client for each connection of the portal. */
  register(addresses: OwnAddresses): OpenIdClient {
    const number = this.#clients.length + 1;
    const client = { clientId: `portal-${number}`, clientSecret: `a-secret.of_client~${number}` };
    this.#clients.push({
      client_id: client.clientId,
      client_secret: client.clientSecret,
      redirect_uris: [addresses.callback],
      post_logout_redirect_uris: [addresses.signedOut],
      backchannel_logout_uri: addresses.logout,
      backchannel_logout_session_required: true,
      token_endpoint_auth_method: 'client_secret_post',
      require_auth_time: true,
    });
    this.#renew();
    return { issuer: this.issuer, ...client };
  }

  /** From now on signs with another key; the one before is published still, as providers do it, unless `forget`. */
  async rotateKeys({ forget = false } = {}): Promise<void> {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const key = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: `key-${this.#keys.length + 1}-${this.requests.length}` };
    this.#keys = [key, ...(forget ? [] : this.#keys)];
    this.#renew();
  }

  count(request: string): number {
    return this.requests.filter((one) => one === request).length;
  }

  /** Follows the provider's redirects and fills its page in, until it sends the browser elsewhere: to that address, which is returned. */
  async goThrough(url: string, { email, password, jar = new CookieJar() }: { email: string; password?: string; jar?: CookieJar }): Promise<URL> {
    return this.#follow(new URL(url), jar, { email, password: password ?? this.#accounts.get(email)?.password ?? OPENID_PASSWORD });
  }

  /** Ends the session there, as the portal asked for it. Back-channel logouts have been sent when this returns. */
  signOut(url: string, { jar }: { jar: CookieJar }): Promise<URL> {
    return this.#follow(new URL(url), jar, { logout: 'yes' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now();
  }

  async #follow(start: URL, jar: CookieJar, fields: Readonly<Record<string, string>>): Promise<URL> {
    let [url, posted] = [start, undefined as URLSearchParams | undefined];
    for (let count = 0; count < REDIRECTS_MOST; count += 1) {
      if (url.origin !== this.issuer) return url;
      const cookie = jar.header();
      const init = posted ? { method: 'POST', body: posted } : {};
      const answer = await fetch(url, { ...init, redirect: 'manual', headers: cookie === undefined ? {} : { cookie } });
      jar.receive(answer.headers.getSetCookie());
      const to = answer.headers.get('location');
      if (to !== null) [url, posted] = [new URL(to, url), undefined];
      else [url, posted] = formOf(await answer.text(), url, fields);
    }
    throw new Error('The provider sends browsers in a circle.');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, this.issuer);
    this.requests.push(`${request.method} ${pathname}`);
    if (this.state === 'down') return void request.socket.destroy();
    if (this.state === 'slow') return;
    if (!pathname.startsWith('/interaction/')) return this.#handle(request, response);
    try {
      await this.#interact(request, response);
    } catch (error) {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
    }
  }

  async #interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const provider = this.#provider!;
    const { params } = await provider.interactionDetails(request, response);
    if (request.method !== 'POST') return sendPage(response, 200, signInPage(typeof params['login_hint'] === 'string' ? params['login_hint'] : ''));
    const fields = new URLSearchParams(await bodyOf(request));
    if (fields.has('cancel')) return provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'Ada gave up.' });
    const account = this.#accounts.get(fields.get('email') ?? '');
    if (!account || fields.get('password') !== (account.password ?? OPENID_PASSWORD))
      return sendPage(response, 401, signInPage(fields.get('email') ?? '', 'That is not right.'));
    const { amr, acr } = account;
    await provider.interactionFinished(request, response, {
      login: { accountId: subjectOf(account), ts: Math.floor(this.#now() / 1000), ...(amr ? { amr: [...amr] } : {}), ...(acr === undefined ? {} : { acr }) },
    });
  }

  /** Clients and keys are given to it once: where they change, it is made anew. Its sessions outlive that. */
  #renew(): void {
    const provider = new Provider(this.issuer, this.#configuration());
    const { prototype } = provider.IdToken as unknown as { prototype: { issue(...given: unknown[]): Promise<string> } };
    const { issue } = prototype;
    const inTestTime = (token: string): Promise<string> => this.#inTestTime(token);
    prototype.issue = async function (...given) {
      return inTestTime(await issue.apply(this, given));
    };
    provider.on('server_error', (_context, error) => void process.stderr.write(`${error.stack ?? error.message}\n`));
    this.#provider = provider;
    const handle = provider.callback();
    this.#handle = (request, response) => void handle(request, response);
  }

  #configuration(): Configuration {
    return {
      clients: this.#clients,
      adapter: this.#memory,
      ttl: { AccessToken: TTL, AuthorizationCode: 60, Grant: TTL, IdToken: TTL, Interaction: TTL, Session: TTL },
      jwks: { keys: this.#keys },
      cookies: { keys: ['cookies of the test'] },
      pkce: { required: () => true },
      claims: {
        openid: ['sub', 'amr', 'acr', 'auth_time'],
        email: ['email', 'email_verified'],
        profile: ['name', 'given_name', 'family_name'],
        groups: ['groups'],
        extra: ['extra', 'oid', 'xms_edov'],
      },
      scopes: ['openid', 'email', 'profile', 'groups', 'extra'],
      acrValues: ACR_VALUES,
      conformIdTokenClaims: this.#options.claimsIn === 'userinfo',
      clientDefaults: { id_token_signed_response_alg: 'ES256' },
      enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
      features: {
        devInteractions: { enabled: false },
        backchannelLogout: { enabled: true },
        rpInitiatedLogout: { enabled: true, logoutSource: (context, form) => void (context.body = signOutPage(form)) },
      },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      findAccount: (_context, id) => {
        const account = [...this.#accounts.values()].find((one) => subjectOf(one) === id);
        return account && { accountId: id, claims: () => ({ sub: id, email: account.email, email_verified: true, name: 'Ada Lovelace', ...account.claims }) };
      },
      async loadExistingGrant({ oidc: { provider, client, session } }) {
        const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! });
        grant.addOIDCScope('openid email profile groups extra');
        await grant.save();
        return grant;
      },
      fetch: (url, init) => this.#sendLogout(new URL(url), init),
    };
  }

  async #sendLogout(url: URL, init: RequestInit | undefined): Promise<Response> {
    const body = init?.body instanceof URLSearchParams ? init.body : new URLSearchParams();
    try {
      const status = this.#options.deliver ? await this.#options.deliver(url, body) : (await fetch(url, { method: 'POST', body })).status;
      this.logoutsSent.push(status);
      return new Response(null, { status });
    } catch (error) {
      this.logoutsSent.push(0);
      throw error;
    }
  }

  /** The package reads the machine's clock; the instants of a token are moved to the test's, and it is signed again with the same key. */
  async #inTestTime(token: string): Promise<string> {
    const by = Math.round((this.#now() - Date.now()) / 1000);
    const { alg = '', ...header } = decodeProtectedHeader(token);
    const claims: Record<string, unknown> = decodeJwt(token);
    for (const name of ['iat', 'exp']) if (typeof claims[name] === 'number') claims[name] += by;
    const key = this.#keys.find(({ kid }) => kid === header.kid);
    return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ ...header, alg }).sign(await importJWK(key!, alg));
  }
}

const subjectOf = ({ email, subject }: OpenIdAccount): string => subject ?? email.replace('@', ' at ');

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part as string;
  return body;
}

function formOf(page: string, at: URL, fields: Readonly<Record<string, string>>): [URL, URLSearchParams] {
  const action = /<form[^>]*action="([^"]*)"/.exec(page)?.[1];
  if (action === undefined || page.includes('role="alert"')) throw new Error(`The provider says: ${page.replaceAll(/<[^>]*>|\s+/g, ' ').trim()}`);
  const hidden = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]): [string, string] => [name!, value!]);
  return [new URL(action, at), new URLSearchParams([...hidden, ...Object.entries(fields)])];
}

function sendPage(response: ServerResponse, status: number, page: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(page);
}

const pageOf = (title: string, content: string): string =>
  `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1>${content}</body></html>`;

const signInPage = (email: string, complaint?: string): string =>
  pageOf(
    'Sign in at the provider',
    `${complaint === undefined ? '' : `<p role="alert">${complaint}</p>`}<form method="post" action="">
      <p><label>Email <input name="email" type="email" value="${email.replaceAll(/[^\w@.+-]/g, '')}"></label></p>
      <p><label>Password <input name="password" type="password"></label></p>
      <p><button>Sign in</button> <button name="cancel" value="yes">Cancel</button></p></form>`,
  );

/** The package's form is whole but for its button. */
const signOutPage = (form: string): string =>
  pageOf('Sign out at the provider', `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`);
