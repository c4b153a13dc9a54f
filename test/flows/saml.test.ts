// Signing in by an organisation's own identity provider, by SAML. What is the same for every protocol is in single-sign-on.test.ts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { findAccount } from '../../src/accounts/accounts.ts';
import { addConnection, addressesOf } from '../../src/sso/sso.ts';
import { accountOf } from '../attacks/intruder.ts';
import { CookieJar } from '../support/cookie-jar.ts';
import { NameServer } from '../support/name-server.ts';
import { foundOrganisation, impose } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { SamlProvider } from '../support/saml-provider.ts';
import { comeBackBySaml, connectSaml, registerAt, signInBySaml } from '../support/saml-sign-on.ts';
import { openConsole, wayOut } from '../support/single-sign-on.ts';
import type { Visitor } from '../support/visitor.ts';

let portal: Portal;
let provider: SamlProvider;
let names: NameServer;
let owner: Person;
let path: string;

before(async () => {
  names = await NameServer.start();
  portal = await openPortal({ engine: 'sqlite', network: { nameServers: [names.address] } });
  provider = await SamlProvider.start({ now: () => portal.clock.now() });
  owner = await foundOrganisation(portal);
  path = await connectSaml(portal, { owner, provider, names }, { signs: true });
  await impose(portal, owner, { twoFactor: 'required', roles: ['member'], mailFirst: false });
  provider.account({ email: 'ada@example.com', subject: 'ada-1', context: 'https://refeds.org/profile/mfa' });
  provider.account({ email: 'bob@example.com', subject: 'bob-1' });
});
after(async () => {
  for (const one of [portal, provider, names]) await one[Symbol.asyncDispose]();
});

test('SI-6 AL-8 the provider’s word makes the account; who showed a second factor there is not asked twice, and who did not is', async () => {
  const [ada, bob] = [portal.browser(), portal.browser()];
  await signInBySaml(portal, ada, provider);
  assert.equal(ada.page.path, '/account');
  assert.equal(ada.page.value('Name'), 'Ada Lovelace');
  await signInBySaml(portal, bob, provider, { email: 'bob@example.com' });
  assert.equal(bob.page.path, '/sign-in/set-up');
  // Another address, and the same person.
  provider.account({ email: 'ada.king@example.com', subject: 'ada-1', context: 'https://refeds.org/profile/mfa' });
  const again = portal.browser();
  await signInBySaml(portal, again, provider, { email: 'ada.king@example.com' });
  assert.ok(again.page.has('ada@example.com'), again.page.text);
});

test('SI-7 signing out here ends the session there; signing out there ends this one and the browser goes back there', async () => {
  const [one, other, jar] = [portal.browser(), portal.browser(), new CookieJar()];
  await signInBySaml(portal, one, provider, { jar });
  await one.press('Profile');
  await one.press('Sign out');
  assert.equal(one.page.heading, 'You are signed out');
  const sessions = provider.sessions.size;
  await one.visit(await provider.signOut(one.page.link('Sign out there too'), { jar }));
  assert.equal(provider.sessions.size, sessions - 1);
  assert.equal(one.page.path, '/sign-in');

  await signInBySaml(portal, other, provider, { jar: new CookieJar() });
  const { id } = new URL(`http://localhost${path}`).pathname.match(/(?<id>[^/]+)$/)!.groups as { id: string };
  const entity = `${portal.world.installation.origin}/sso/${id}/metadata`;
  const { context } = provider.logoutRequest(entity, { email: 'ada@example.com' });
  const answer = await portal.send({ method: 'GET', url: context.slice(portal.world.installation.origin.length) });
  assert.equal(answer.statusCode, 303);
  const reply = new URL(String(answer.headers.location));
  assert.equal(reply.origin, provider.origin);
  assert.equal(await (await fetch(reply)).text(), 'They are signed out there.');
  await other.visit('/account');
  assert.equal(other.page.path, '/sign-in', 'The provider’s sign-out ended it.');
});

test('a key of ours that changes, and what the form shows of it: nothing that is secret', async () => {
  await openConsole(owner, path);
  owner.browser.fill('Our own key, where we sign', 'Make a second one, and publish both');
  await owner.browser.press('Save');
  assert.ok(owner.browser.page.has('The connection is changed'), owner.browser.page.text);
  assert.doesNotMatch(owner.browser.page.root.toString(), /PRIVATE KEY/);
  await registerAt(portal, provider, path);
  await signInBySaml(portal, portal.browser(), provider);
  await openConsole(owner, path);
  owner.browser.fill('Our own key, where we sign', 'Sign by the second one, and forget the first');
  await owner.browser.press('Save');
  const browser = portal.browser();
  await signInBySaml(portal, browser, provider);
  assert.equal(browser.page.path, '/account');
  // Settings that were changed are tested again.
  await openConsole(owner, path);
  await owner.browser.press('Test connection');
  const tested = await comeBackBySaml(portal, owner.browser, await provider.goThrough(wayOut(owner.browser.page), { email: 'ada@example.com' }));
  assert.ok(tested.has('It works.') && tested.has('ada-1') && tested.has('It counts here'), tested.text);
});

test('SI-7 a session lasts no longer than the provider says, whatever is shown in it, and none opens once that moment has come', async () => {
  const { clock } = portal;
  const endsAt = clock.now() + minutes(40);
  provider.parts = { sessionEndsAt: endsAt };
  const carl = portal.newcomer({ email: 'carl@example.com' });
  const arrive = async (context: string | undefined): Promise<Visitor> => {
    const browser = portal.browser();
    provider.account({ email: carl.email, ...(context === undefined ? {} : { context }) });
    await signInBySaml(portal, browser, provider, { email: carl.email });
    return browser;
  };
  const browser = await arrive('https://refeds.org/profile/mfa');
  await carl.enableByApp(browser);
  clock.advance(minutes(25));
  const waiting = await arrive(undefined);
  assert.equal(waiting.page.path, '/sign-in/verify');
  clock.advance(endsAt - clock.now() - 1);
  assert.equal((await browser.visit('/account')).path, '/account', 'to the last moment');
  clock.advance(1);
  assert.equal((await browser.visit('/account')).path, '/sign-in');
  await carl.showSecondFactor('app', waiting);
  assert.equal((await waiting.visit('/account')).path, '/sign-in', 'who was at the second factor comes in no more');
  provider.parts = {};
});

test('no address of a connection has an underscore in it, which Okta takes none of', async () => {
  const { world } = portal;
  const { query } = world.database;
  const organisation = await query.selectFrom('organisations').select(['id', 'name']).executeTakeFirstOrThrow();
  const account = (await findAccount(query, (await accountOf(portal, owner.email)).id))!;
  const actor = { account, organisation, from: { address: '192.0.2.1', userAgent: 'a test', requestId: '' } };
  for (let made = 0; made < 15; made += 1) {
    const added = await addConnection(world, actor, 'saml', { name: `Another ${made}`, settings: {}, trustsAddresses: false, secondFactorWords: [] });
    assert.ok(added.ok, JSON.stringify(added));
    assert.doesNotMatch(Object.values(addressesOf(world, added.id)).join(' '), /_/);
  }
});
