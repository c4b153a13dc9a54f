// An administrator's week: the three kinds of provider in one organisation, each for a domain of its own; tried, required, down, and somebody who leaves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { DirectoryClient } from '../support/directory-client.ts';
import { startLdapServer, type LdapServer } from '../support/ldap-server.ts';
import { connectDirectory, enterDirectoryPassword } from '../support/ldap-sign-on.ts';
import { NameServer } from '../support/name-server.ts';
import { OpenIdProvider } from '../support/openid-provider.ts';
import { foundOrganisation, impose } from '../support/organisation.ts';
import type { Page } from '../support/page.ts';
import type { Person } from '../support/person.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { makeKey } from '../support/program-client.ts';
import { SamlProvider } from '../support/saml-provider.ts';
import { connectSaml, signInBySaml } from '../support/saml-sign-on.ts';
import { connectOpenId, openConsole, signInBy } from '../support/single-sign-on.ts';
import type { Visitor } from '../support/visitor.ts';

let portal: Portal;
let names: NameServer;
let openId: OpenIdProvider;
let saml: SamlProvider;
let directory: LdapServer;
let owner: Person;
let paths: readonly string[];

before(async () => {
  names = await NameServer.start();
  portal = await openPortal({ engine: 'sqlite', network: { nameServers: [names.address] } });
  const now = (): number => portal.clock.now();
  [openId, saml] = [await OpenIdProvider.start({ now }), await SamlProvider.start({ now })];
  directory = await startLdapServer({
    people: ['ada', 'probe'].map((uid) => ({ uid, password: `password of ${uid}`, attributes: { mail: `${uid}@ldap.example`, entryUUID: `uuid-of-${uid}` } })),
  });
  owner = await foundOrganisation(portal);
  await owner.enableByApp();
  await impose(portal, owner, { twoFactor: 'required', mailFirst: false });
});
after(async () => {
  for (const one of [portal, openId, saml, directory, names]) await one[Symbol.asyncDispose]();
});

/** How somebody of each domain signs in; `mfa`: by a second factor of the provider's own. */
const WAYS: Readonly<Record<string, { readonly email: string; readonly signIn: (browser: Visitor, mfa: boolean) => Promise<Page> }>> = {
  'OpenID Connect': {
    email: 'ada@example.org',
    signIn: (browser, mfa) => {
      openId.account({ email: 'ada@example.org', amr: mfa ? ['pwd', 'mfa'] : ['pwd'] });
      return signInBy(browser, openId, { email: 'ada@example.org' });
    },
  },
  SAML: {
    email: 'ada@saml.example',
    signIn: (browser, mfa) => {
      saml.account({ email: 'ada@saml.example', subject: 'ada', ...(mfa ? { context: 'https://refeds.org/profile/mfa' } : {}) });
      return signInBySaml(portal, browser, saml, { email: 'ada@saml.example' });
    },
  },
  LDAP: {
    email: 'ada@ldap.example',
    signIn: (browser) => enterDirectoryPassword(browser, 'ada@ldap.example', 'password of ada'),
  },
};

test('each of the three is connected, tested, led to and turned on, and required', async () => {
  paths = [
    await connectOpenId(portal, { owner, provider: openId, names, domain: 'example.org', trusts: { addresses: true, secondFactor: true } }),
    await connectSaml(portal, { owner, provider: saml, names }, { domain: 'saml.example' }),
    await connectDirectory({ owner, directory, names, domain: 'ldap.example', probe: { email: 'probe@ldap.example', password: 'password of probe' } }),
  ];
  for (const path of paths) {
    await openConsole(owner, path);
    await owner.browser.press('Require it');
    assert.ok(owner.browser.page.has('From now on'), owner.browser.page.text);
  }
});

for (const [name, { email, signIn }] of Object.entries(WAYS))
  test(`AL-8, by ${name}: the set-up screen at the first sign-in, the code at the next, and nothing more where the provider asked itself; a password opens nothing`, async () => {
    const ada = portal.newcomer({ email });
    assert.equal((await signIn(ada.browser, false)).path, '/sign-in/set-up');
    await ada.browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    await ada.keepRecoveryKey();
    assert.equal((await ada.browser.visit('/account')).path, '/account');
    portal.clock.advance(minutes(1));
    const next = portal.browser();
    assert.equal((await signIn(next, false)).path, '/sign-in/verify', 'nobody asked for a second factor yet');
    await ada.enterCode(ada.phone.fresh(), { browser: next });
    assert.equal(next.page.path, '/account');
    const trusted = portal.browser();
    assert.equal((await signIn(trusted, true)).path, name === 'LDAP' ? '/sign-in/verify' : '/account');
    const thief = portal.browser();
    await enterDirectoryPassword(thief, email, 'seven quiet herons at dusk');
    assert.notEqual((await thief.visit('/account')).path, '/account');
  });

test('with all three down the owner gets in, by a password and the second factor', async () => {
  openId.state = 'down';
  await directory.goDown();
  const browser = portal.browser();
  await browser.visit('/sign-in');
  browser.fill('Email', owner.email);
  await browser.press('Use single sign-on');
  assert.equal(browser.page.status, 503, browser.page.text);
  assert.equal((await enterDirectoryPassword(portal.browser(), 'ada@ldap.example', 'password of ada')).status, 503);
  await browser.visit('/sign-in?way=password');
  browser.fill('Email', owner.email);
  browser.fill('Password', owner.password);
  await browser.press('Sign in');
  await owner.showSecondFactor('app', browser);
  assert.equal((await browser.visit('/admin/sso')).status, 200);
  openId.state = 'up';
  await directory.comeBack();
});

test('SI-7 one person is deprovisioned by SCIM, and their session is over at the next request', async () => {
  portal.clock.advance(minutes(11));
  await openConsole(owner, '/admin/api-keys/new');
  if (owner.browser.page.heading !== 'New API key') await owner.showSecondFactor('app');
  const client = new DirectoryClient(portal, await makeKey(owner, { name: 'Entra ID', scopes: ['scim'] }));
  const browser = portal.browser();
  await WAYS['OpenID Connect']!.signIn(browser, true);
  assert.equal((await browser.visit('/account')).path, '/account');
  const [id] = await client.idsOf('/Users?filter=userName eq "ada@example.org"');
  await client.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'False' });
  assert.equal((await browser.visit('/account')).path, '/sign-in');
  await WAYS['OpenID Connect']!.signIn(browser, true);
  assert.notEqual((await browser.visit('/account')).path, '/account', 'nor by the provider, which knows nothing of it');
});
