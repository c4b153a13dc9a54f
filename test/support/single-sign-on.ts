// What tests of single sign-on start from: an organisation with a verified domain that leads to a real OpenID provider, all through the console's pages.
import assert from 'node:assert/strict';
import { addressesOf } from '../../src/sso/sso.ts';
import { CookieJar } from './cookie-jar.ts';
import type { NameServer } from './name-server.ts';
import type { OpenIdProvider } from './openid-provider.ts';
import { confirmIfAsked } from './organisation.ts';
import type { Page } from './page.ts';
import type { Person } from './person.ts';
import type { Portal } from './portal.ts';
import type { Visitor } from './visitor.ts';

/** The real one, or one that lies. */
export type AProvider = Pick<OpenIdProvider, 'issuer' | 'register' | 'account' | 'goThrough'>;

export interface ConnectOptions {
  readonly name?: string;
  /** The boxes to tick. */
  readonly trusts?: { readonly addresses?: boolean; readonly secondFactor?: boolean };
}

const VERIFIES = 'It gives out only email addresses that it has verified, or that it has given to people itself';
const COUNTS = 'Where it says that it asked for a second factor, that counts here';

/** Opens a page of the console, and shows the password where that is asked for. */
export async function openConsole({ browser, password }: Person, path: string): Promise<Page> {
  await browser.visit(path);
  await confirmIfAsked(browser, password);
  return browser.page;
}

/** "Add a connection" to the page of the connection, turned off. Returns its path. */
export async function addOpenId(
  portal: Portal,
  owner: Person,
  provider: AProvider,
  { name = 'Example Okta', trusts = {} }: ConnectOptions = {},
): Promise<string> {
  const { browser } = owner;
  await fillNewOpenId(owner, provider, { name, trusts });
  const { path } = browser.page;
  fillConnection(browser, { name, ...provider.register(addressesOf(portal.world, path.split('/').at(-1)!)) });
  await browser.press('Save');
  assert.ok(browser.page.has('The connection is changed'), browser.page.text);
  return path;
}

/** The provider wants the address of a connection that is not there yet, and the connection what the provider calls it: so one is typed twice. */
export async function fillNewOpenId(
  owner: Person,
  { issuer }: { readonly issuer: string },
  { name = 'Example Okta', trusts = {} }: ConnectOptions,
): Promise<void> {
  await openConsole(owner, '/admin/sso/new');
  const { browser } = owner;
  await browser.press('Choose OpenID Connect');
  fillConnection(browser, { name, issuer, clientId: 'later', clientSecret: 'later' });
  if (trusts.addresses) browser.check(VERIFIES);
  if (trusts.secondFactor) browser.check(COUNTS);
  await browser.press('Add connection');
}

function fillConnection(
  browser: Visitor,
  { name, issuer, clientId, clientSecret }: { name: string; issuer: string; clientId: string; clientSecret: string },
): void {
  browser.fill('Name', name);
  browser.fill('Issuer', issuer);
  browser.fill('Client ID', clientId);
  browser.fill('Client secret', clientSecret);
}

/** "Test connection": to the provider and back, to the page that says what came. */
export async function testConnection(owner: Person, path: string, provider: AProvider, email: string): Promise<Page> {
  await openConsole(owner, path);
  await owner.browser.press('Test connection');
  return comeBack(owner.browser, provider, { email });
}

/** Names the domain, writes its record, has it checked. */
export async function verifyDomain(owner: Person, names: NameServer, domain: string): Promise<void> {
  await openConsole(owner, '/admin/sso');
  owner.browser.fill('Domain', domain);
  await owner.browser.press('Add domain');
  names.records.set(`_twinlock.${domain}`, ['some other record', recordOf(owner.browser.page)]);
  await owner.browser.press('Check the record');
  assert.ok(owner.browser.page.has('The domain is verified'), owner.browser.page.text);
}

export const recordOf = (page: Page): string => /twinlock=[\w-]{43}/.exec(page.text)![0];

export async function leadDomain(owner: Person, domain: string, name: string): Promise<void> {
  await openConsole(owner, '/admin/sso');
  owner.browser.fill(`Addresses of ${domain} sign in by`, name);
  await owner.browser.press('Save', { near: `Addresses of ${domain} sign in by` });
}

/** All of it: the connection tested and turned on, and its domain verified and led to it. */
export async function connectOpenId(
  portal: Portal,
  { owner, provider, names, domain = 'example.com', ...options }: { owner: Person; provider: AProvider; names: NameServer; domain?: string } & ConnectOptions,
): Promise<string> {
  const path = await addOpenId(portal, owner, provider, options);
  provider.account({ email: `probe@${domain}` });
  const tested = await testConnection(owner, path, provider, `probe@${domain}`);
  assert.ok(tested.has('It works.'), tested.text);
  await verifyDomain(owner, names, domain);
  await leadDomain(owner, domain, options.name ?? 'Example Okta');
  await openConsole(owner, path);
  await owner.browser.press('Turn on');
  assert.ok(owner.browser.page.has('The connection is turned on'), owner.browser.page.text);
  return path;
}

/** From the page that leads to the provider, through its own pages, and back. `jar`: the browser's cookies there. */
export async function comeBack(browser: Visitor, provider: AProvider, { email, jar = new CookieJar() }: { email: string; jar?: CookieJar }): Promise<Page> {
  const back = await provider.goThrough(wayOut(browser.page), { email, jar });
  return browser.visit(back.href);
}

/** Where the page leads that leaves the portal. */
export function wayOut(page: Page): string {
  const button = page.buttons.find((name) => name.startsWith('Go on to '));
  assert.ok(button, `Nothing leads to a provider on ${page.path}, which says: ${page.text}`);
  return page.link(button);
}

/** "Use single sign-on" on the sign-in page, and through. */
export async function signInBy(
  browser: Visitor,
  provider: AProvider,
  { email, jar, path = '/sign-in' }: { email: string; jar?: CookieJar; path?: string },
): Promise<Page> {
  await browser.visit(path);
  browser.fill('Email', email);
  await browser.press('Use single sign-on');
  return comeBack(browser, provider, { email, ...(jar ? { jar } : {}) });
}
