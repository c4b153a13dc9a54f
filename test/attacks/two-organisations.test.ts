// An account is one, in however many organisations. Whoever owns one of them says by its provider who somebody is: a first factor, and no more, and none at all where the person has left.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { minutes } from '../../src/platform/durations.ts';
import { NameServer } from '../support/name-server.ts';
import { OpenIdProvider } from '../support/openid-provider.ts';
import { confirmIfAsked, foundOrganisation, impose, invitationPath, openPerson, sendInvitation } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { connectOpenId, openConsole, signInBy, wayOut } from '../support/single-sign-on.ts';
import type { Visitor } from '../support/visitor.ts';
import { accountOf } from './intruder.ts';

const ADA = 'ada@example.com';
const opened: AsyncDisposable[] = [];
after(async () => {
  for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
});

/** Herons Ltd requires a second factor; Eves has a provider that says of everybody what Eve likes, and the domain of Ada's address. */
async function setOut({ trusts = {} }: { trusts?: { secondFactor?: boolean; addresses?: boolean } } = {}) {
  const names = await NameServer.start();
  const portal = await openPortal({ engine: 'sqlite', network: { nameServers: [names.address] } });
  const provider = await OpenIdProvider.start({ now: () => portal.clock.now() });
  opened.push(portal, names, provider);
  const owner = await foundOrganisation(portal);
  const eve = await portal.newcomer().join();
  const { id } = await accountOf(portal, eve.email);
  await portal.world.database.transaction((transaction) => createOrganisation(portal.world, transaction, { name: 'Eves', owner: id, from: FROM }));
  const path = await connectOpenId(portal, { owner: eve, provider, names, trusts });
  provider.account({ email: ADA, amr: ['pwd', 'mfa'] });
  return { portal, names, provider, owner, eve, path };
}

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

async function joinHerons(owner: Person, ada: Person): Promise<void> {
  await sendInvitation(owner, ada.email, 'Member');
  await ada.browser.visit(invitationPath(ada));
  await ada.browser.press('Accept');
}

const isIn = async (browser: Visitor): Promise<boolean> => (await browser.visit('/account')).path === '/account';

async function leaveEves(portal: Portal, { browser, password }: Person): Promise<void> {
  const { id } = await portal.world.database.query.selectFrom('organisations').select('id').where('name', '=', 'Eves').executeTakeFirstOrThrow();
  await browser.visit(`/account/organisations/${id}/leave`);
  await confirmIfAsked(browser, password);
  await browser.press('Leave Eves');
  assert.ok(browser.page.has('You have left the organisation'), browser.page.text);
}

test('AL-8 attack: a provider’s second factor does not go along to an organisation that somebody joins with the session open', async () => {
  const { portal, provider, owner } = await setOut({ trusts: { secondFactor: true } });
  await impose(portal, owner, { twoFactor: 'required', roles: ['member'], mailFirst: false });
  const ada = portal.newcomer({ email: ADA });
  const eves = portal.browser();
  await signInBy(ada.browser, provider, { email: ADA });
  await signInBy(eves, provider, { email: ADA });
  assert.ok(await isIn(eves), 'While she belongs to Eves alone, it counts.');
  portal.clock.advance(minutes(1));
  await joinHerons(owner, ada);
  assert.equal((await eves.visit('/account')).path, '/account/security/enable', 'Herons Ltd asks for a second factor that it knows of.');
});

test('SI-1 attack: whoever has left an organisation is nobody whom its provider lets in, and what it had let in is out', async () => {
  const { portal, provider } = await setOut();
  const ada = await portal.newcomer({ email: ADA }).join();
  const [eves, later] = [portal.browser(), portal.browser()];
  await signInBy(eves, provider, { email: ADA });
  assert.ok(await isIn(eves));
  // From then on the address alone links nothing.
  provider.account({ email: ADA, claims: { email_verified: false } });
  await leaveEves(portal, ada);
  assert.equal(await isIn(eves), false);
  await signInBy(later, provider, { email: ADA });
  assert.equal(later.page.heading, 'One more step, this once');
  assert.equal(await isIn(later), false);
  assert.ok(await isIn(ada.browser));
  await ada.browser.visit('/account/security');
  assert.ok(!ada.browser.page.has('Example Okta'), ada.browser.page.text);
});

test('SI-1 attack: an owner who removes somebody keeps no way into their account', async () => {
  const { portal, provider, eve } = await setOut();
  await portal.newcomer({ email: ADA }).join();
  const eves = portal.browser();
  await signInBy(eves, provider, { email: ADA });
  await openConsole(eve, '/admin/people');
  await openPerson(eve, ADA);
  await eve.browser.press('Remove from the organisation');
  assert.equal(await isIn(eves), false);
  assert.deepEqual(await portal.world.database.query.selectFrom('sso_links').selectAll().execute(), []);
});

test('SE-5 attack: a provider that somebody disconnects lets nobody stay in whom it let in; and they are told', async () => {
  const { portal, provider } = await setOut();
  const ada = await portal.newcomer({ email: ADA }).join();
  await ada.enableByEmail();
  const [eves, halfway] = [portal.browser(), portal.browser()];
  await signInBy(eves, provider, { email: ADA });
  await ada.enterCode(ada.newestCode(), { browser: eves });
  assert.ok(await isIn(eves));
  portal.clock.advance(minutes(2));
  await signInBy(halfway, provider, { email: ADA });
  assert.equal(halfway.page.path, '/sign-in/verify');
  const code = ada.newestCode();
  await ada.browser.visit('/account/security');
  await ada.browser.press('Disconnect');
  assert.ok(ada.browser.page.has('It is disconnected'), ada.browser.page.text);
  assert.equal(await isIn(eves), false);
  halfway.fill('Verification code', code);
  await halfway.press('Continue');
  assert.equal(await isIn(halfway), false);
  assert.ok(await isIn(ada.browser));
  assert.match(ada.newestMail().subject, /Example Okta/);
});

test('SI-2 attack: a connection that was turned off meanwhile is no fresh proof, and connects nobody', async () => {
  const { portal, provider, eve, path } = await setOut();
  await portal.newcomer({ email: ADA }).join();
  const browser = portal.browser();
  await signInBy(browser, provider, { email: ADA });
  portal.clock.advance(minutes(20));
  await browser.visit('/account/security/password');
  await browser.press('Sign in again by Example Okta');
  const back = await provider.goThrough(wayOut(browser.page), { email: ADA });
  await openConsole(eve, path);
  await eve.browser.press('Turn off');
  await confirmIfAsked(eve.browser, eve.password);
  await eve.browser.press('Turn off');
  assert.ok(eve.browser.page.has('The connection is turned off'), eve.browser.page.text);
  await browser.visit(back.href);
  assert.ok(browser.page.has('was turned off meanwhile'), browser.page.text);
  await browser.visit('/account/security/password');
  assert.equal(browser.page.path, '/account/confirm');
});

test('SI-2 attack: what waits to be connected waits no more when the connection is turned off', async () => {
  const { portal, provider, eve, path } = await setOut();
  const ada = await portal.newcomer({ email: ADA }).join();
  provider.account({ email: ADA, claims: { email_verified: false } });
  const browser = portal.browser();
  await signInBy(browser, provider, { email: ADA });
  await browser.press('Sign in by password');
  browser.fill('Password', ada.password);
  await browser.press('Sign in');
  assert.equal(browser.page.heading, 'Connect Example Okta');
  await openConsole(eve, path);
  await eve.browser.press('Turn off');
  await browser.press('Connect');
  assert.deepEqual(await portal.world.database.query.selectFrom('sso_links').selectAll().execute(), []);
});

test('SI-5 attack: who is required to come by the provider does not get past it by another address', async () => {
  const { portal, provider, eve, path } = await setOut();
  const ada = await portal.newcomer({ email: ADA }).join();
  ada.browser = portal.browser();
  await signInBy(ada.browser, provider, { email: ADA });
  await openConsole(eve, path);
  await eve.browser.press('Require it');
  assert.ok(eve.browser.page.has('From now on'), eve.browser.page.text);
  const change = async (email: string) => {
    await ada.browser.visit('/account/email');
    ada.browser.fill('Email', email);
    return ada.browser.press('Send verification code');
  };
  const refused = await change('ada@elsewhere.example');
  assert.equal(refused.status, 422);
  assert.ok(refused.has('Example Okta'), refused.text);
  assert.equal((await change('ada.king@example.com')).path, '/account/email/code', 'Another of its addresses will do.');
  await leaveEves(portal, ada);
  assert.equal((await change('ada@elsewhere.example')).path, '/account/email/code', 'Whoever has left goes where they like.');
});

test('AD-3 attack: who says by a provider that it is them does not spare them the second factor too, where they belong elsewhere', async () => {
  const { portal, provider, owner, eve } = await setOut();
  const ada = await portal.newcomer({ email: ADA }).join();
  await signInBy(portal.browser(), provider, { email: ADA });
  await ada.enableByApp();
  await joinHerons(owner, ada);
  await eve.enableByEmail();
  await openConsole(eve, '/admin/people');
  await openPerson(eve, ADA);
  for (const way of ['Issue a bypass code', 'Reset all methods']) {
    const { path } = eve.browser.page;
    await eve.browser.press(way);
    assert.match(eve.browser.page.text, /signs in by your organisation’s own provider/);
    await eve.browser.visit(path);
  }
});
