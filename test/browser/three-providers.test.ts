// An administrator's week with the three kinds of provider, in a real browser: connected, tested, required, down, and somebody who leaves. SAML's provider posts its answer from
// another site, so that none of the portal's cookies comes with it, and the browser follows; without JavaScript too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { addressesOf } from '../../src/sso/sso.ts';
import { launchBrowser } from '../support/browser.ts';
import { startLdapServer, type LdapServer } from '../support/ldap-server.ts';
import { OPENID_PASSWORD, type OpenIdProvider } from '../support/openid-provider.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import { SAML_PASSWORD, SamlProvider } from '../support/saml-provider.ts';
import { servePortal, type ServedPortal } from '../support/served-portal.ts';
import { fillDirectory, found, leadDomain, startProvider } from './single-sign-on-pages.ts';

const MFA = 'https://refeds.org/profile/mfa';
const DIRECTORY_PASSWORD = 'as the directory has it';

let browser: Browser;
let portal: ServedPortal;
let openId: OpenIdProvider;
let saml: SamlProvider;
let directory: LdapServer;
let owner: PersonInChromium;
before(async () => {
  [browser, portal] = await Promise.all([launchBrowser(), servePortal()]);
  openId = await startProvider(portal);
  saml = await SamlProvider.start({ now: () => portal.clock.now() });
  portal.otherOrigins.add(saml.origin);
  const people = ['ada', 'probe'].map((uid) => ({
    uid,
    password: DIRECTORY_PASSWORD,
    attributes: { mail: `${uid}@ldap.example`, entryUUID: `uuid-of-${uid}` },
  }));
  directory = await startLdapServer({ people });
  owner = await PersonInChromium.arrive(browser, portal, { email: 'olga@example.org' });
});
after(async () => {
  await browser.close();
  for (const one of [openId, saml, directory]) await one[Symbol.asyncDispose]();
  await portal.close();
});

/** On a provider's own page. */
async function signInThere(
  { page }: PersonInChromium,
  { email, password }: { email: string; password: string },
  { javaScriptEnabled = true } = {},
): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  if (!javaScriptEnabled && email.endsWith('saml.example')) await page.getByRole('button', { name: 'Go on' }).click();
}

const passwordAt = (email: string): string => (email.endsWith('saml.example') ? SAML_PASSWORD : OPENID_PASSWORD);

/** From the portal's sign-in page, by whatever its domain leads to. */
async function signIn(person: PersonInChromium, { javaScriptEnabled = true } = {}): Promise<void> {
  await person.visit('/sign-in');
  await person.fill('Email', person.email);
  if (person.email.endsWith('ldap.example')) {
    await person.fill('Password', DIRECTORY_PASSWORD);
    return person.press('Sign in');
  }
  await person.press('Use single sign-on');
  await signInThere(person, { email: person.email, password: passwordAt(person.email) }, { javaScriptEnabled });
}

async function add(kind: string, name: string): Promise<string> {
  await owner.visit(`/admin/sso/new?kind=${kind}`);
  await owner.fill('Name', name);
  await owner.page.getByLabel('It gives out only email addresses that it has verified').check();
  if (kind !== 'ldap') await owner.page.getByLabel('Where it says that it asked for a second factor, that counts here').check();
  if (kind === 'oidc') for (const label of ['Client ID', 'Client secret']) await owner.fill(label, 'later');
  if (kind === 'oidc') await owner.fill('Issuer', openId.issuer);
  if (kind === 'ldap') await fillDirectory(owner, directory);
  await owner.press('Add connection');
  await owner.sees(name);
  return new URL(owner.page.url()).pathname.split('/').at(-1)!;
}

/** What the test said is looked at; then the domain is led to it, and nothing else opens it. */
async function requireFor(name: string, { domain, says }: { domain: string; says: RegExp }): Promise<void> {
  await owner.sees(`Test of ${name}`);
  assert.match(await owner.page.locator('main').innerText(), says);
  await owner.press('Back to the connection', 'Turn on');
  await leadDomain(owner, { domain, name });
  await owner.press(`Open ${name}`, 'Require it');
  await owner.page.getByRole('button', { name: 'Let passwords serve too' }).waitFor();
}

test('the three kinds are connected, tested, each for a domain of its own, and required', async () => {
  await found(owner);
  await owner.openSecurity();
  await owner.press('Enable Two-Factor Authentication');
  await owner.setUpApp();
  await owner.keepRecoveryKey();
  await portal.setPolicy('required');

  const client = openId.register(addressesOf(portal.world, await add('oidc', 'Example Okta')));
  await owner.fill('Client ID', client.clientId);
  await owner.fill('Client secret', client.clientSecret);
  await owner.press('Save', 'Test connection');
  openId.account({ email: 'probe@example.org' });
  await signInThere(owner, { email: 'probe@example.org', password: OPENID_PASSWORD });
  await requireFor('Example Okta', { domain: 'example.org', says: /It works\.[^]*probe@example\.org/ });

  const id = await add('saml', 'Example SAML');
  saml.register(await (await fetch(`${portal.origin}/sso/${id}/metadata`)).text());
  await owner.fill('Or the metadata itself', saml.metadata);
  await owner.press('Save');
  assert.equal(await owner.page.getByLabel('Entity id of the provider').inputValue(), saml.entityId);
  assert.match(await owner.page.getByLabel('Certificates that it signs with').inputValue(), /^-----BEGIN CERTIFICATE-----/);
  saml.account({ email: 'probe@saml.example' });
  await owner.press('Test connection');
  await signInThere(owner, { email: 'probe@saml.example', password: SAML_PASSWORD });
  await requireFor('Example SAML', { domain: 'saml.example', says: /It works\.[^]*persistent-probe/ });

  await add('ldap', 'Example AD');
  await owner.fill('Email', 'probe@ldap.example');
  await owner.page.getByLabel('Password', { exact: true }).fill(DIRECTORY_PASSWORD);
  await owner.press('Test connection');
  await requireFor('Example AD', { domain: 'ldap.example', says: /It works\.[^]*uuid-of-probe/ });
});

for (const domain of ['example.org', 'saml.example', 'ldap.example'])
  test(`AL-8 by ${domain}: who showed no second factor there sets one up here, and who did is in; without JavaScript and with it`, async () => {
    for (const mfa of domain === 'ldap.example' ? [false] : [false, true]) {
      await using ada = await PersonInChromium.arrive(browser, portal, { javaScriptEnabled: mfa, email: `${mfa ? 'mia' : 'ada'}@${domain}` });
      openId.account({ email: ada.email, amr: mfa ? ['pwd', 'mfa'] : ['pwd'] });
      saml.account({ email: ada.email, ...(mfa ? { context: MFA } : {}) });
      await signIn(ada, { javaScriptEnabled: mfa });
      await ada.sees(mfa ? 'Manage Account' : 'Set up two-factor authentication');
    }
  });

test('SI-5 SI-7 with all three down the owner gets in by a password and the second factor; and whoever the directory says has left is out at the next request', async () => {
  await using mia = await PersonInChromium.arrive(browser, portal, { email: 'mia@example.org' });
  openId.account({ email: mia.email, amr: ['pwd', 'mfa'] });
  await signIn(mia);
  await mia.sees('Manage Account');

  openId.state = 'down';
  saml.state = 'down';
  await directory.goDown();
  await using elsewhere = await owner.elsewhere();
  await elsewhere.visit('/sign-in');
  await elsewhere.fill('Email', owner.email);
  const told = elsewhere.page.waitForEvent('console', (message) => message.text().includes('status of 503'));
  await elsewhere.press('Use single sign-on');
  await told;
  elsewhere.faults.length = 0;
  await elsewhere.press('Owner of the organisation? Use your password');
  await elsewhere.fill('Email', owner.email);
  await elsewhere.fill('Password', owner.password);
  await elsewhere.press('Sign in');
  await elsewhere.sees('Enter your code');
  await elsewhere.fill('Verification code', elsewhere.phone!.fresh());
  await elsewhere.press('Continue');
  await elsewhere.sees('Manage Account');
  await elsewhere.visit('/admin/api-keys/new');
  await elsewhere.fill('Name', 'Entra ID');
  await elsewhere.page.getByLabel('Acts as').selectOption('Admin');
  await elsewhere.page.getByRole('checkbox', { name: /^scim/ }).check();
  await elsewhere.press('Create API key');
  const key = /\btwl_[0-9a-f]{64}\b/.exec(await elsewhere.page.locator('main').innerText())![0];

  const scim = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${portal.origin}/scim/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/scim+json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const { Resources: people } = (await (await scim('GET', `/Users?filter=${encodeURIComponent(`userName eq "${mia.email}"`)}`)).json()) as {
    Resources: { id: string }[];
  };
  const operations = { Operations: [{ op: 'Replace', path: 'active', value: 'False' }] };
  assert.equal((await scim('PATCH', `/Users/${people[0]!.id}`, operations)).status, 200);
  await mia.visit('/account');
  await mia.sees('Sign in');
  openId.state = 'up';
  await mia.fill('Email', mia.email);
  // The provider knows her still.
  await mia.press('Use single sign-on');
  await mia.sees('You are not signed in');
});
