// What tests of SAML start from: an organisation with a verified domain that leads to a SAML provider, all through the console's pages; and the way there and back.
import assert from 'node:assert/strict';
import { inflateRawSync } from 'node:zlib';
import { CookieJar } from './cookie-jar.ts';
import type { NameServer } from './name-server.ts';
import type { Page } from './page.ts';
import type { Person } from './person.ts';
import type { Portal } from './portal.ts';
import type { PostedAnswer, SamlProvider } from './saml-provider.ts';
import { leadDomain, openConsole, verifyDomain, wayOut } from './single-sign-on.ts';
import type { Visitor } from './visitor.ts';

const NAME = 'Example SAML';
const VERIFIES = 'It gives out only email addresses that it has verified, or that it has given to people itself';
const COUNTS = 'Where it says that it asked for a second factor, that counts here';

export interface SamlSet {
  readonly owner: Person;
  readonly provider: SamlProvider;
  readonly names: NameServer;
}

/** As an administrator does it: a connection first, of which the provider is told, and then the provider's metadata. Returns the connection's path. */
export async function addSaml(portal: Portal, { owner, provider }: Omit<SamlSet, 'names'>, { signs = false, name = NAME } = {}): Promise<string> {
  await openConsole(owner, '/admin/sso/new');
  const { browser } = owner;
  await browser.press('Choose SAML 2.0');
  browser.fill('Name', name);
  browser.check(VERIFIES);
  browser.check(COUNTS);
  if (signs) browser.check('Sign what is sent to the provider');
  await browser.press('Add connection');
  const { path } = browser.page;
  browser.fill('Address of the provider’s metadata', provider.metadataAddress);
  await browser.press('Save');
  assert.ok(browser.page.has('The connection is changed'), browser.page.text);
  await registerAt(portal, provider, path);
  return path;
}

/** Gives the portal's metadata, from where the portal publishes it, to the provider. */
export async function registerAt(portal: Portal, provider: SamlProvider, path: string): Promise<void> {
  const { statusCode, body, headers } = await portal.send({ method: 'GET', url: `/sso/${path.split('/').at(-1)}/metadata` });
  assert.equal(statusCode, 200);
  assert.match(String(headers['content-type']), /^application\/samlmetadata\+xml/);
  provider.register(body);
}

export async function connectSaml(
  portal: Portal,
  set: SamlSet,
  { domain = 'example.com', ...options }: { domain?: string; signs?: boolean } = {},
): Promise<string> {
  const { owner, provider, names } = set;
  const path = await addSaml(portal, set, options);
  provider.account({ email: `probe@${domain}` });
  await openConsole(owner, path);
  await owner.browser.press('Test connection');
  const tested = await comeBackBySaml(portal, owner.browser, await provider.goThrough(wayOut(owner.browser.page), { email: `probe@${domain}` }));
  assert.ok(tested.has('It works.'), tested.text);
  await verifyDomain(owner, names, domain);
  await leadDomain(owner, domain, NAME);
  await openConsole(owner, path);
  await owner.browser.press('Turn on');
  assert.ok(owner.browser.page.has('The connection is turned on'), owner.browser.page.text);
  return path;
}

/** What the portal asked the provider. */
export interface Asked {
  readonly url: string;
  readonly id: string;
  /** What the portal calls itself. */
  readonly portal: string;
  readonly relayState: string;
}

export function askedBy(url: string): Asked {
  const { searchParams } = new URL(url);
  const xml = inflateRawSync(Buffer.from(searchParams.get('SAMLRequest')!, 'base64')).toString();
  const found = (pattern: RegExp): string => pattern.exec(xml)![1]!;
  return { url, id: found(/ ID="([^"]*)"/), portal: found(/<saml:Issuer>([^<]*)</), relayState: searchParams.get('RelayState')! };
}

/** As far as the page that leads to the provider. */
export async function leaveBySaml(browser: Visitor, email = 'ada@example.com'): Promise<Asked> {
  await browser.visit('/sign-in');
  browser.fill('Email', email);
  await browser.press('Use single sign-on');
  return askedBy(wayOut(browser.page));
}

/** The form that the provider's page posts: from another site, so that none of our cookies comes with it. Then the browser follows, with its cookies. */
export async function comeBackBySaml(portal: Portal, browser: Visitor, { to, fields }: PostedAnswer): Promise<Page> {
  const answer = await portal.send({
    method: 'POST',
    url: new URL(to).pathname,
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://idp.example.org', 'sec-fetch-site': 'cross-site' },
    payload: new URLSearchParams(fields).toString(),
  });
  assert.equal(answer.statusCode, 303, answer.body);
  assert.deepEqual([answer.headers['set-cookie'] ?? []].flat(), []);
  return browser.visit(String(answer.headers.location));
}

export async function signInBySaml(
  portal: Portal,
  browser: Visitor,
  provider: SamlProvider,
  { email = 'ada@example.com', jar = new CookieJar() } = {},
): Promise<Page> {
  const { url } = await leaveBySaml(browser, email);
  return comeBackBySaml(portal, browser, await provider.goThrough(url, { email, jar }));
}
