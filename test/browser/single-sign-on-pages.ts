// The part of the walk that leads to an identity provider and back: from the connection's first form to whoever signs in by it.
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { makeSetUpLink } from '../../src/organisations/organisations.ts';
import { addressesOf } from '../../src/sso/sso.ts';
import { startLdapServer, type LdapServer } from '../support/ldap-server.ts';
import { OPENID_PASSWORD, OpenIdProvider } from '../support/openid-provider.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import type { ServedPortal } from '../support/served-portal.ts';
import type { Walk } from './walk.ts';

const NAME = 'Example Okta';
const DOMAIN = 'example.org';

export async function* signingInByAProvider(browser: Browser, portal: ServedPortal, options: BrowserContextOptions): Walk {
  await using provider = await startProvider(portal);
  await using owner = await PersonInChromium.arrive(browser, portal, { ...options, name: 'Olga Example', email: 'olga@example.org' });
  await found(owner);
  yield* connecting(owner, provider);
  await using ada = await PersonInChromium.arrive(browser, portal, { ...options, email: 'ada@example.org' });
  yield* arriving(owner, ada, provider);
  yield* beingRefused(owner, ada, provider);
  yield* otherKinds(owner, ada);
}

/** Whose pages the portal's may lead to. */
export async function startProvider(portal: ServedPortal): Promise<OpenIdProvider> {
  const provider = await OpenIdProvider.start({ now: () => portal.clock.now() });
  portal.otherOrigins.add(provider.issuer);
  return provider;
}

/** An account, and the organisation that it owns. */
export async function found(owner: PersonInChromium): Promise<void> {
  await owner.join();
  const link = new URL((await makeSetUpLink(owner.portal.world))!);
  await owner.visit(link.pathname + link.search);
  await owner.fill('Name of the organisation', 'Herons and Cranes Ltd');
  await owner.press('Create organisation');
  await owner.sees('People');
}

/** The connection turned on, and the domain verified and led to it. */
export async function* connecting(owner: PersonInChromium, provider: OpenIdProvider): Walk {
  await owner.visit('/admin/sso');
  yield { name: 'single sign-on, none', person: owner };
  await owner.press('Add a connection');
  yield { name: 'connection, which kind', person: owner };
  await owner.press('Choose OpenID Connect');
  yield { name: 'connection, new', person: owner };
  await fillConnection(owner, { issuer: 'ftp://id.example.org', clientId: 'later', clientSecret: 'later' });
  await owner.press('Add connection');
  yield { name: 'connection, refused', person: owner };
  await fillConnection(owner, { issuer: provider.issuer, clientId: 'later', clientSecret: 'later' });
  await owner.press('Add connection');
  await owner.sees(NAME);
  const path = new URL(owner.page.url()).pathname;
  await fillConnection(owner, provider.register(addressesOf(owner.portal.world, path.split('/').at(-1)!)));
  await owner.press('Save');
  yield { name: 'connection, changed', person: owner };
  provider.account({ email: 'probe@example.org', amr: ['pwd'], claims: { department: 'Herons', long: 'x'.repeat(300) } });
  await owner.press('Test connection');
  await signInThere(owner, 'probe@example.org');
  await owner.sees(`Test of ${NAME}`);
  yield { name: 'connection, tested', person: owner };
  await owner.press('Back to the connection', 'Turn on');
  yield { name: 'connection, on', person: owner };
  yield* verifying(owner);
}

async function* verifying(owner: PersonInChromium): Walk {
  await owner.visit('/admin/sso');
  await owner.fill('Domain', DOMAIN);
  await owner.press('Add domain');
  yield { name: 'single sign-on, a domain not verified', person: owner };
  await owner.press('Check the record');
  yield { name: 'single sign-on, no record yet', person: owner };
  await lead(owner, { domain: DOMAIN, name: NAME });
  yield { name: 'single sign-on, all there', person: owner };
}

/** Named, verified, and led to the connection of that name. */
export async function leadDomain(owner: PersonInChromium, about: { domain: string; name: string }): Promise<void> {
  await owner.visit('/admin/sso');
  await owner.fill('Domain', about.domain);
  await owner.press('Add domain');
  await lead(owner, about);
}

/** The one domain on the page that is not verified yet. */
async function lead({ page, portal }: PersonInChromium, { domain, name }: { domain: string; name: string }): Promise<void> {
  const domains = page.getByRole('region', { name: 'Domains' });
  portal.names.records.set(`_twinlock.${domain}`, [/twinlock=[\w-]{43}/.exec(await domains.innerText())![0]]);
  await page.getByRole('button', { name: 'Check the record' }).click();
  const choice = page.getByLabel(`Addresses of ${domain} sign in by`);
  await choice.selectOption(name);
  await page.locator('form').filter({ has: choice }).getByRole('button', { name: 'Save' }).click();
}

/** All that has no usual value. */
export async function fillDirectory(owner: PersonInChromium, { settings }: LdapServer): Promise<void> {
  await owner.page.getByLabel('Kind of directory').selectOption('Another: OpenLDAP, 389, FreeIPA');
  for (const [label, name] of [
    ['Server', 'address'],
    ['Certificate of your own authority', 'authority'],
    ['Where people are', 'base'],
    ['Service account', 'serviceName'],
    ['Password of the service account', 'servicePassword'],
  ] as const)
    await owner.fill(label, String(settings[name]));
}

async function fillConnection(
  owner: PersonInChromium,
  { issuer, clientId, clientSecret }: { issuer: string; clientId: string; clientSecret: string },
): Promise<void> {
  await owner.fill('Name', NAME);
  await owner.fill('Issuer', issuer);
  await owner.fill('Client ID', clientId);
  await owner.fill('Client secret', clientSecret);
}

/** On the provider's own page. */
export async function signInThere({ page }: PersonInChromium, email: string): Promise<void> {
  await page.getByRole('heading', { name: 'Sign in at the provider' }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'nothing of ours goes along behind the address');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(OPENID_PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** From the sign-in page to the provider's. */
export async function goToProvider(person: PersonInChromium): Promise<void> {
  await person.visit('/sign-in');
  await person.fill('Email', person.email);
  await person.press('Use single sign-on');
}

async function* arriving(owner: PersonInChromium, ada: PersonInChromium, provider: OpenIdProvider): Walk {
  await ada.visit('/sign-in');
  yield { name: 'sign in, with single sign-on', person: ada };
  await ada.fill('Email', 'somebody@elsewhere.example');
  await ada.press('Use single sign-on');
  yield { name: 'sign in, no provider for that address', person: ada };
  // No content: the browser stays on the page that leads on, which nobody would see otherwise.
  await ada.page.route(`${provider.issuer}/**`, (route) => route.fulfill({ status: 204 }));
  await goToProvider(ada);
  yield { name: 'on to the provider', person: ada };
  await ada.page.unrouteAll();
  await ada.press(`Go on to ${NAME}`);
  provider.account({ email: ada.email });
  await signInThere(ada, ada.email);
  await ada.sees('Manage Account');
  await ada.visit('/account/security');
  yield { name: 'security, of somebody without a password', person: ada };
  ada.portal.clock.advance(20 * 60_000);
  await ada.press('Enable Two-Factor Authentication');
  yield { name: 'confirm, by the provider', person: ada };
  provider.account({ email: 'eve@example.org' });
  await ada.page.route(`${provider.issuer}/**`, (route) => route.fulfill({ status: 204 }));
  await ada.press(`Sign in again by ${NAME}`);
  yield { name: 'on to the provider, to confirm', person: ada };
  await ada.page.unrouteAll();
  // The provider keeps who was there before; Eve comes with nothing of that.
  await ada.context.clearCookies({ domain: new URL(provider.issuer).hostname });
  await ada.press(`Go on to ${NAME}`);
  await signInThere(ada, 'eve@example.org');
  await ada.sees('Confirm that it’s you');
  yield { name: 'confirm, somebody else came', person: ada };
  await ada.context.clearCookies({ domain: new URL(provider.issuer).hostname });
  await ada.press(`Sign in again by ${NAME}`);
  await signInThere(ada, ada.email);
  await ada.sees('Enable Two-Factor Authentication');
  await owner.visit('/admin/people');
  await owner.press(/^Open Ada/);
  yield { name: 'person, who came by the provider', person: owner };
  await ada.page.route(`${provider.issuer}/**`, (route) => route.fulfill({ status: 204 }));
  await ada.press('Profile', 'Sign out');
  yield { name: 'signed out, and out there too', person: ada };
  await ada.page.unrouteAll();
}

async function* beingRefused(owner: PersonInChromium, ada: PersonInChromium, provider: OpenIdProvider): Walk {
  // Olga has an account here, and the provider says nothing of her address.
  provider.account({ email: owner.email, claims: { email_verified: false } });
  await using elsewhere = await owner.elsewhere();
  await goToProvider(elsewhere);
  await signInThere(elsewhere, owner.email);
  await elsewhere.sees('One more step, this once');
  yield { name: 'prove first', person: elsewhere };
  await elsewhere.press('Sign in by password');
  yield { name: 'sign in by password, once', person: elsewhere };
  await elsewhere.fill('Password', elsewhere.password);
  await elsewhere.press('Sign in');
  await elsewhere.sees(`Connect ${NAME}`);
  yield { name: 'connect', person: elsewhere };
  await elsewhere.press('Connect');
  await elsewhere.visit('/account/security');
  yield { name: 'security, connected', person: elsewhere };
  await elsewhere.visit('/account/connect?with=nothing');
  yield { name: 'connect, too late', person: elsewhere };

  provider.state = 'down';
  const told = ada.page.waitForEvent('console', (message) => message.text().includes('status of 503'));
  await goToProvider(ada);
  // The page has that status, which is no fault of a page; the browser says so when it likes.
  await told;
  ada.faults.length = 0;
  yield { name: 'provider down', person: ada };
  await owner.visit('/admin/sso');
  await owner.press(`Open ${NAME}`);
  await owner.sees(NAME);
  await owner.press('Test connection');
  await owner.sees('Confirm that it’s you');
  yield { name: 'confirm, by password or by the provider', person: owner };
  await owner.fill('Password', owner.password);
  await owner.press('Continue');
  await owner.sees(NAME);
  await owner.press('Test connection');
  await owner.sees(`Test of ${NAME}`);
  yield { name: 'connection, the test fails', person: owner };
  provider.state = 'up';
  await owner.visit('/admin/sso');
  await owner.press(`Open ${NAME}`, 'Require it');
  await owner.page.getByRole('button', { name: 'Let passwords serve too' }).waitFor();
  yield { name: 'connection, required', person: owner };
}

/** What SAML and a directory show that OpenID Connect does not. */
async function* otherKinds(owner: PersonInChromium, ada: PersonInChromium): Walk {
  await owner.visit('/admin/sso/new?kind=saml');
  yield { name: 'connection, new, SAML', person: owner };
  const person = { uid: 'ada', password: 'the first one', attributes: { mail: 'ada@ldap.example', entryUUID: 'uuid-of-ada' } };
  await using directory = await startLdapServer({ people: [person] });
  await owner.visit('/admin/sso/new?kind=ldap');
  yield { name: 'connection, new, a directory', person: owner };
  await owner.fill('Name', 'Example AD');
  await fillDirectory(owner, directory);
  await owner.press('Add connection');
  await owner.sees('Example AD');
  yield { name: 'connection, a directory', person: owner };
  await owner.fill('Email', 'ada@ldap.example');
  await owner.page.getByLabel('Password', { exact: true }).fill(person.password);
  await owner.press('Test connection');
  await owner.sees('Test of Example AD');
  yield { name: 'connection, a directory, tested', person: owner };
  await owner.press('Back to the connection', 'Turn on');
  await leadDomain(owner, { domain: 'ldap.example', name: 'Example AD' });
  directory.people.splice(0, 1, { ...person, policy: { error: 2 } });
  await using newcomer = await ada.elsewhere();
  newcomer.email = 'ada@ldap.example';
  newcomer.password = person.password;
  await newcomer.enterPassword();
  await newcomer.sees('You are not signed in');
  yield { name: 'not in, the directory wants another password first', person: newcomer };
}
