// What tests of a directory start from: an organisation with a verified domain that leads to an LDAP server, all through the console's pages.
import assert from 'node:assert/strict';
import type { LdapServer } from './ldap-server.ts';
import type { NameServer } from './name-server.ts';
import type { Page } from './page.ts';
import type { Person } from './person.ts';
import { leadDomain, openConsole, verifyDomain } from './single-sign-on.ts';
import type { Visitor } from './visitor.ts';

const BELIEVED = 'It gives out only email addresses that it has verified, or that it has given to people itself';
const NAME = 'Herons Directory';

export interface DirectorySet {
  readonly owner: Person;
  readonly directory: LdapServer;
  readonly names: NameServer;
  readonly believed?: boolean;
}

/** As an administrator types it, all fields that have no usual value. Returns the connection's path. */
export async function addDirectory({ owner, directory, believed = true }: Omit<DirectorySet, 'names'>): Promise<string> {
  await openConsole(owner, '/admin/sso/new');
  const { browser } = owner;
  await browser.press('Choose LDAP or Active Directory');
  assert.ok(!browser.page.has('second factor'), 'No word of a directory counts for one.');
  browser.fill('Name', NAME);
  browser.fill('Kind of directory', 'Another: OpenLDAP, 389, FreeIPA');
  browser.fill('Server', String(directory.settings['address']));
  browser.fill('Certificate of your own authority', String(directory.settings['authority']));
  browser.fill('Where people are', String(directory.settings['base']));
  browser.fill('Service account', String(directory.settings['serviceName']));
  browser.fill('Password of the service account', String(directory.settings['servicePassword']));
  if (believed) browser.check(BELIEVED);
  await browser.press('Add connection');
  assert.match(browser.page.path, /^\/admin\/sso\/(?!new)[\w-]+$/, browser.page.text);
  return browser.page.path;
}

/** "Test connection"; returns what the page says. */
export async function askDirectory(owner: Person, path: string, email: string, password: string): Promise<string> {
  await openConsole(owner, path);
  owner.browser.fill('Email', email);
  owner.browser.fill('Password', password);
  await owner.browser.press('Test connection');
  return owner.browser.page.text;
}

/** `probe`: whom it is tested with. */
export async function connectDirectory(
  about: DirectorySet & { readonly probe: { readonly email: string; readonly password: string }; readonly domain?: string },
): Promise<string> {
  const { owner, names, probe, domain = 'example.com' } = about;
  const path = await addDirectory(about);
  const said = await askDirectory(owner, path, probe.email, probe.password);
  assert.ok(said.includes('It works.'), said);
  await verifyDomain(owner, names, domain);
  await leadDomain(owner, domain, NAME);
  await openConsole(owner, path);
  await owner.browser.press('Turn on');
  assert.ok(owner.browser.page.has('The connection is turned on'), owner.browser.page.text);
  return path;
}

export async function enterDirectoryPassword(browser: Visitor, email: string, password: string): Promise<Page> {
  await browser.visit('/sign-in');
  browser.fill('Email', email);
  browser.fill('Password', password);
  return browser.press('Sign in');
}
