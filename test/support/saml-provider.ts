/**
 * A SAML identity provider on a port of this machine: the identity-provider half of the package `samlify`, which reads our metadata, verifies our signatures
 * and makes its own, with accounts that a test makes up and a page to sign in that works in a browser.
 *   await using provider = await SamlProvider.start({ now: () => world.clock.now() });
 *   provider.account({ email: 'ada@example.org', attributes: { groups: ['staff'] }, context: REFEDS_MFA });
 *   provider.register(ownMetadata);                             // what the portal publishes
 *   const answer = await provider.goThrough(url, { email: 'ada@example.org' });   // the form that the browser posts to the portal
 *   provider.changeCertificate();
 * Assertions bear the time of the test's clock. Sessions there are cookies of a jar, as in a browser: hand the same jar in, and nothing is asked again.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { inflateRawSync } from 'node:zlib';
import { makeKeyPair, withoutPemLines, type KeyPair } from '../../src/platform/secrets/certificates.ts';
import { CookieJar } from './cookie-jar.ts';
import { responseXml, logoutRequestXml, logoutResponseXml, type ResponseParts } from './saml-xml.ts';
import { seededRandom } from './seeded-random.ts';

interface Made {
  readonly context: string;
  readonly id: string;
}
interface Options {
  readonly relayState?: string;
  readonly customTagReplacement: (template: string) => Made;
}
interface Read {
  readonly samlContent: string;
  readonly extract: { readonly request: { readonly id: string } };
}
interface Entity {
  parseLoginRequest(from: Entity, binding: 'redirect', request: { query: object; octetString: string }): Promise<Read>;
  parseLogoutRequest(from: Entity, binding: 'redirect', request: { query: object; octetString: string }): Promise<Read>;
  createLoginResponse(to: Entity, request: object, binding: 'post', user: object, options: Options): Promise<Made & { readonly entityEndpoint: string }>;
  createLogoutRequest(to: Entity, binding: 'redirect' | 'post', user: object, options: Options): Made;
  createLogoutResponse(to: Entity, request: object, binding: 'redirect', options: Options): Made;
}
/** As much of the package as is used. Its own types bring those of a browser along, which would then seem to be there everywhere. */
const { IdentityProvider, ServiceProvider, setSchemaValidator } = createRequire(import.meta.url)('samlify') as {
  IdentityProvider(settings: object): Entity;
  ServiceProvider(settings: object): Entity;
  setSchemaValidator(validator: { validate(): Promise<string> }): void;
};

// There is no schema among npm's packages without Java; each message is looked at by the package's own code.
setSchemaValidator({ validate: async () => 'not validated' });

export interface SamlAccount {
  readonly email: string;
  /** The provider's own name for them; the address with another sign unless told. */
  readonly subject?: string;
  readonly nameIdFormat?: string;
  /** Beside email and displayName. */
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
  /** AuthnContextClassRef; by password unless told. */
  readonly context?: string;
}

export interface PostedAnswer {
  /** The portal's address for answers. */
  readonly to: string;
  readonly fields: Readonly<Record<string, string>>;
}

interface Session {
  readonly account: SamlAccount;
  readonly index: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
export const SAML_PASSWORD = 'correct horse';
const PASSWORD_CONTEXT = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport';
const REDIRECTS_MOST = 6;
const DSIG = 'http://www.w3.org/2000/09/xmldsig#';

/** Made once a process: keys take the machine a while. */
const keyPairs: Promise<KeyPair>[] = [];
export const keyPair = (number: number): Promise<KeyPair> =>
  (keyPairs[number] ??= makeKeyPair({ name: `Provider ${number}`, now: Date.UTC(2026, 0, 1), random: seededRandom(number + 1) }));

export class SamlProvider implements AsyncDisposable {
  /** 'down' breaks every connection off. */
  state: 'up' | 'down' = 'up';
  /** "GET /metadata" and so on, as they came. */
  readonly requests: string[] = [];
  /** In place of its metadata. */
  publishes: string | undefined;
  /** The response is signed beside the assertion. */
  signsResponse = false;
  /** Sent beside, or in place of, what a right answer says. */
  parts: Partial<ResponseParts> = {};
  /** Its metadata says that it wants what comes to be signed; then it refuses what is not. */
  wantsSignatures = false;
  readonly sessions = new Map<string, Session>();
  readonly #accounts = new Map<string, SamlAccount>();
  readonly #portals = new Map<string, readonly string[]>();
  readonly #server: Server;
  readonly #now: () => number;
  #keys: KeyPair[] = [];
  #made = 0;

  private constructor(server: Server, now: () => number) {
    this.#server = server;
    this.#now = now;
  }

  static async start({ now = () => Date.now() }: { now?: () => number } = {}): Promise<SamlProvider> {
    const server = createServer();
    const started = new SamlProvider(server, now);
    started.#keys = [await keyPair(0)];
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      started.#answer(request, response).catch((error: unknown) => {
        response.writeHead(400, { 'content-type': 'text/plain' }).end(`The provider refuses: ${error instanceof Error ? error.message : String(error)}`);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return started;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get entityId(): string {
    return `${this.origin}/idp`;
  }

  get metadataAddress(): string {
    return `${this.origin}/metadata`;
  }

  /** The key that it signs with now. */
  get key(): KeyPair {
    return this.#keys[0]!;
  }

  get certificates(): readonly string[] {
    return this.#keys.map(({ certificate }) => certificate);
  }

  get metadata(): string {
    return this.#metadataWith(this.#keys);
  }

  #metadataWith(published: readonly KeyPair[]): string {
    const service = (name: string, binding: string, path: string) =>
      `<md:${name} Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" Location="${this.origin}${path}"/>`;
    const keys = published.map(
      ({ certificate }) =>
        `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="${DSIG}"><ds:X509Data><ds:X509Certificate>\n${withoutPemLines(certificate).replaceAll(/.{64}(?=.)/g, '$&\n')}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
    );
    return `<?xml version="1.0" encoding="UTF-8"?>
<!-- As an administrator downloads it. -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${this.entityId}">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="${this.wantsSignatures}" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    ${keys.join('\n    ')}
    ${service('SingleLogoutService', 'HTTP-Redirect', '/slo')}
    <md:NameIDFormat>${PERSISTENT}</md:NameIDFormat>
    ${service('SingleSignOnService', 'HTTP-Redirect', '/sso')}
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`;
  }

  account(account: SamlAccount): SamlAccount {
    this.#accounts.set(account.email, account);
    return account;
  }

  /** `metadata`: the portal's, of one connection. The package knows one key of it; where there are two, either one will do here. */
  register(metadata: string): void {
    const keys = metadata.match(/<md:KeyDescriptor.*?<\/md:KeyDescriptor>/gs) ?? [];
    const others = (kept: string): string => keys.filter((key) => key !== kept).reduce((text, key) => text.replace(key, ''), metadata);
    this.#portals.set(/entityID="([^"]*)"/.exec(metadata)![1]!, keys.length === 0 ? [metadata] : keys.map(others));
  }

  /** From now on signs with another key; the one before is published still, as providers do it, unless `forget`. */
  async changeCertificate({ forget = false } = {}): Promise<void> {
    this.#made += 1;
    this.#keys = [await keyPair(this.#made), ...(forget ? [] : this.#keys)];
  }

  /** Fills the provider's page in where it is shown, up to the form that a browser would post to the portal. */
  async goThrough(
    url: string,
    { email, jar = new CookieJar(), gives = 'Sign in' }: { email: string; jar?: CookieJar; gives?: 'Sign in' | 'Cancel' },
  ): Promise<PostedAnswer> {
    let page = await this.#fetch(url, jar);
    if (page.includes('name="password"'))
      page = await this.#fetch(url, jar, new URLSearchParams({ email, password: SAML_PASSWORD, ...(gives === 'Cancel' ? { cancel: 'yes' } : {}) }));
    const to = /<form method="post" action="([^"]*)"/.exec(page)?.[1];
    if (to === undefined) throw new Error(`The provider says: ${page}`);
    const fields = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name!, value!]);
    return { to, fields: Object.fromEntries(fields) as Record<string, string> };
  }

  /** Ends the session there, as the portal asked for it; returns the address of the portal that the browser is sent to. */
  async signOut(url: string, { jar }: { jar: CookieJar }): Promise<string> {
    let at = url;
    for (let count = 0; count < REDIRECTS_MOST && at.startsWith(this.origin); count += 1) {
      const answer = await fetch(at, { redirect: 'manual', headers: cookieOf(jar) });
      const to = answer.headers.get('location');
      if (to === null) throw new Error(await answer.text());
      at = to;
    }
    return at;
  }

  /** A sign-out that begins here: an address of the portal, or a form for it. */
  logoutRequest(
    portal: string,
    { email, by = 'redirect', ...said }: { email: string; by?: 'redirect' | 'post' } & Partial<Parameters<typeof logoutRequestXml>[0]>,
  ): { readonly id: string; readonly context: string } {
    const { idp, sp } = this.#entities(portal);
    const session = [...this.sessions.values()].findLast(({ account }) => account.email === email)!;
    const id = this.#id();
    const xml = logoutRequestXml({
      id,
      now: this.#now(),
      issuer: this.entityId,
      destination: portal.replace(/metadata$/, 'logout'),
      nameId: subjectOf(session.account),
      sessionIndex: session.index,
      ...said,
    });
    const made = idp.createLogoutRequest(sp, by, {}, { relayState: 'what the provider wants back', customTagReplacement: () => ({ id, context: xml }) });
    return { id, context: made.context };
  }

  /** A right answer to a request, signed, as XML. */
  async respond(request: { id: string; portal: string }, email: string, parts: Partial<ResponseParts> = {}): Promise<string> {
    const session = { account: this.#accounts.get(email)!, index: 'index-1', at: this.#now() };
    return Buffer.from((await this.#respond(request, session, parts)).context, 'base64').toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }

  #id(): string {
    this.#made += 1;
    return `_id-${this.#made}`;
  }

  #entities(portal: string, by = 0) {
    const metadata = this.#portals.get(portal)?.[by];
    if (metadata === undefined) throw new Error(`No portal is registered as ${portal}`);
    const signed = /AuthnRequestsSigned="true"/.test(metadata);
    const idp = IdentityProvider({
      // What is signed is verified, also where it was not asked for.
      metadata: this.#metadataWith([this.key])
        .replace(/WantAuthnRequestsSigned="[a-z]*"/, `WantAuthnRequestsSigned="${signed || this.wantsSignatures}"`)
        .replace(/<\?.*-->/s, ''),
      privateKey: this.key.privateKey,
      requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      wantLogoutRequestSigned: signed,
    });
    const sp = ServiceProvider({ metadata, wantMessageSigned: this.signsResponse, wantLogoutRequestSigned: true, wantLogoutResponseSigned: true });
    return { idp, sp };
  }

  async #respond(request: { id: string; portal: string }, session: Session, parts: Partial<ResponseParts> = {}) {
    const { idp, sp } = this.#entities(request.portal);
    const { account, index, at } = session;
    const id = this.#id();
    const context = responseXml({
      id,
      assertionId: this.#id(),
      now: this.#now(),
      issuer: this.entityId,
      audience: request.portal,
      recipient: request.portal.replace(/metadata$/, 'callback'),
      inResponseTo: request.id,
      nameId: subjectOf(account),
      nameIdFormat: account.nameIdFormat ?? PERSISTENT,
      sessionIndex: index,
      authenticatedAt: at,
      context: account.context ?? PASSWORD_CONTEXT,
      attributes: { email: account.email, displayName: 'Ada Lovelace', ...account.attributes },
      ...this.parts,
      ...parts,
    });
    const made = await idp.createLoginResponse(sp, { extract: { request: { id: request.id } } }, 'post', {}, { customTagReplacement: () => ({ id, context }) });
    return made;
  }

  async #fetch(url: string, jar: CookieJar, body?: URLSearchParams): Promise<string> {
    const answer = await fetch(url, { ...(body ? { method: 'POST', body } : {}), headers: cookieOf(jar) });
    jar.receive(answer.headers.getSetCookie());
    return answer.text();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.origin);
    this.requests.push(`${request.method} ${url.pathname}`);
    if (this.state === 'down') return void request.socket.destroy();
    const session = this.sessions.get(/idp=([^;]*)/.exec(request.headers.cookie ?? '')?.[1] ?? '');
    if (url.pathname === '/metadata')
      return void response.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(this.publishes ?? this.metadata);
    if (url.pathname === '/slo') return this.#signOut(url, session, response);
    if (url.pathname !== '/sso') return void response.writeHead(404).end();
    await this.#signIn(url, session, { request, response });
  }

  async #signIn(url: URL, known: Session | undefined, { request, response }: { request: IncomingMessage; response: ServerResponse }): Promise<void> {
    const asked = await this.#read(url, 'parseLoginRequest');
    const fresh = /ForceAuthn="true"/.test(asked.xml);
    let session = fresh ? undefined : known;
    if (!session && request.method !== 'POST') return showPage(response, signInForm);
    if (request.method === 'POST') {
      const fields = new URLSearchParams(await bodyOf(request));
      if (fields.has('cancel')) return showPage(response, postForm(this.#refusal(asked), url));
      const account = this.#accounts.get(fields.get('email') ?? '');
      if (!account || fields.get('password') !== SAML_PASSWORD) return showPage(response, signInForm);
      session = { account, index: this.#id(), at: this.#now() };
      this.sessions.set(session.index, session);
      response.setHeader('set-cookie', `idp=${session.index}; Path=/`);
    }
    const { context, entityEndpoint } = await this.#respond(asked, session!);
    showPage(response, postForm({ to: entityEndpoint, xml: context }, url));
  }

  #refusal({ id, portal }: { id: string; portal: string }): { to: string; xml: string } {
    const to = portal.replace(/metadata$/, 'callback');
    const xml = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="${this.#id()}" Version="2.0" IssueInstant="${new Date(this.#now()).toISOString()}" InResponseTo="${id}"><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></samlp:StatusCode><samlp:StatusMessage>Ada gave up.</samlp:StatusMessage></samlp:Status></samlp:Response>`;
    return { to, xml: Buffer.from(xml).toString('base64') };
  }

  async #signOut(url: URL, session: Session | undefined, response: ServerResponse): Promise<void> {
    if (url.searchParams.has('SAMLResponse')) return void response.writeHead(200).end('They are signed out there.');
    const asked = await this.#read(url, 'parseLogoutRequest');
    if (session) this.sessions.delete(session.index);
    const { idp, sp } = this.#entities(asked.portal);
    const id = this.#id();
    const destination = asked.portal.replace(/metadata$/, 'logout');
    const xml = logoutResponseXml({ id, now: this.#now(), issuer: this.entityId, destination, inResponseTo: asked.id });
    const relayState = url.searchParams.get('RelayState') ?? '';
    const made = idp.createLogoutResponse(sp, { extract: {} }, 'redirect', { relayState, customTagReplacement: () => ({ id, context: xml }) });
    response.writeHead(302, { location: made.context }).end();
  }

  /** What the portal sent: read, and verified where our metadata says that it is signed, by the package. */
  async #read(url: URL, how: 'parseLoginRequest' | 'parseLogoutRequest'): Promise<{ id: string; portal: string; xml: string }> {
    const query = Object.fromEntries(url.searchParams);
    const portal = issuerOf(query['SAMLRequest']!);
    const octetString = url.search.slice(1).split('&Signature=')[0]!;
    const read = (by: number): Promise<Read> => {
      const { idp, sp } = this.#entities(portal, by);
      return idp[how](sp, 'redirect', { query, octetString });
    };
    const { extract, samlContent } = await read(0).catch((error: unknown) =>
      this.#portals.get(portal)![1] === undefined ? Promise.reject(error as Error) : read(1),
    );
    return { id: extract.request.id, portal, xml: samlContent };
  }
}

const subjectOf = ({ email, subject }: SamlAccount): string => subject ?? `persistent-${email.split('@')[0]}`;

/** Unverified: whose metadata it is verified by. */
const issuerOf = (request: string): string => /<saml:Issuer>([^<]*)</.exec(inflateRawSync(Buffer.from(request, 'base64')).toString())![1]!;

const cookieOf = (jar: CookieJar): Record<string, string> => {
  const cookie = jar.header();
  return cookie === undefined ? {} : { cookie };
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part as string;
  return body;
}

function showPage(response: ServerResponse, content: string): void {
  response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end(`<!DOCTYPE html><html lang="en"><head><title>Provider</title></head><body>${content}</body></html>`);
}

const signInForm = `<h1>Sign in at the provider</h1><form method="post" action="">
  <p><label>Email <input name="email" type="email"></label></p><p><label>Password <input name="password" type="password"></label></p>
  <p><button>Sign in</button> <button name="cancel" value="yes">Cancel</button></p></form>`;

const postForm = ({ to, xml }: { to: string; xml: string }, url: URL): string =>
  `<form method="post" action="${to}"><input type="hidden" name="SAMLResponse" value="${xml}"><input type="hidden" name="RelayState" value="${(url.searchParams.get('RelayState') ?? '').replaceAll(/[&<>"]/g, '')}"><button>Go on</button></form><script>document.forms[0].submit()</script>`;
