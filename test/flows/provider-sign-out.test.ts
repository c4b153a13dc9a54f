// Signing out at the organisation's provider too, and being signed out by it: exactly those sessions end that are meant, at once.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { CookieJar } from '../support/cookie-jar.ts';
import { HostileProvider } from '../support/hostile-provider.ts';
import { NameServer } from '../support/name-server.ts';
import { OpenIdProvider } from '../support/openid-provider.ts';
import { foundOrganisation } from '../support/organisation.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { connectOpenId, openConsole, signInBy } from '../support/single-sign-on.ts';
import type { Visitor } from '../support/visitor.ts';

const [ADA, BOB] = ['ada@example.com', 'bob@example.com'];
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

forEachPortal((open) => {
  const opened: AsyncDisposable[] = [];
  after(async () => {
    for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
  });

  async function setOut() {
    const names = await NameServer.start();
    const portal = await open({ network: { nameServers: [names.address] } });
    opened.push(names);
    return { portal, names, owner: await foundOrganisation(portal) };
  }

  const post = async (portal: Portal, url: URL, body: URLSearchParams): Promise<number> =>
    (await portal.send({ method: 'POST', url: url.pathname, headers: FORM, payload: body.toString() })).statusCode;

  const isIn = async (browser: Visitor): Promise<boolean> => (await browser.visit('/account')).path === '/account';

  test('SI-7 sign out, on to the provider’s page and back; every session behind that sign-in there ends, and no other', async () => {
    const { portal, names, owner } = await setOut();
    const provider = await OpenIdProvider.start({ now: () => portal.clock.now(), deliver: (url, body) => post(portal, url, body) });
    opened.push(provider);
    await connectOpenId(portal, { owner, provider, names });
    const ada = await portal.newcomer({ email: ADA }).join();
    for (const email of [ADA, BOB]) provider.account({ email });
    const [one, two, elsewhere, bob] = [portal.browser(), portal.browser(), portal.browser(), portal.browser()];
    const jar = new CookieJar();
    await signInBy(one, provider, { email: ADA, jar });
    await signInBy(two, provider, { email: ADA, jar });
    await signInBy(elsewhere, provider, { email: ADA, jar: new CookieJar() });
    await signInBy(bob, provider, { email: BOB, jar: new CookieJar() });

    await one.press('Profile');
    await one.press('Sign out');
    assert.equal(one.page.heading, 'You are signed out');
    assert.ok(one.page.hasButton('Only here'), 'Nobody has to.');
    assert.equal(one.cookies.get('twinlock-session'), undefined, 'It is over here, whatever follows.');
    assert.deepEqual(provider.logoutsSent, []);
    const out = new URL(one.page.link('Sign out there too'));
    assert.equal(out.origin, provider.issuer);
    assert.deepEqual([...out.searchParams.keys()].toSorted(), ['client_id', 'id_token_hint', 'post_logout_redirect_uri', 'state']);
    const back = await provider.signOut(out.href, { jar });
    assert.match(back.pathname, /^\/sso\/[^/]+\/signed-out$/);
    assert.deepEqual(provider.logoutsSent, [200]);
    await one.visit(back.href);
    assert.equal(one.page.path, '/sign-in');
    assert.deepEqual(await Promise.all([one, two, elsewhere, bob, ada.browser].map(isIn)), [false, false, true, true, true]);

    const events = await portal.world.database.query
      .selectFrom('audit_events')
      .select(['account_id', 'details'])
      .where('event', '=', 'session_ended')
      .execute();
    assert.deepEqual(events.map(({ details }) => JSON.parse(details) as unknown).map((details) => (details as { reason: string }).reason).toSorted(), [
      'ended by the identity provider',
      'signed out',
    ]); // prettier-ignore
    await owner.browser.visit('/admin/audit');
    assert.ok(owner.browser.page.has('ended by the identity provider'), owner.browser.page.text);
  });

  test('SI-7 a person whom the provider signs out everywhere is out of each session that it opened, also of a connection that was turned off since', async () => {
    const { portal, names, owner } = await setOut();
    const provider = await HostileProvider.start({ now: () => portal.clock.now() });
    opened.push(provider);
    const path = await connectOpenId(portal, { owner, provider, names });
    for (const email of [ADA, BOB]) provider.account({ email });
    const [one, two, bob] = [portal.browser(), portal.browser(), portal.browser()];
    for (const browser of [one, two]) await signInBy(browser, provider, { email: ADA });
    await signInBy(bob, provider, { email: BOB });
    await openConsole(owner, path);
    await owner.browser.press('Turn off');
    const token = await provider.sign(provider.logoutClaims({ aud: 'portal-1', sub: 'ada at example.com', jti: '1' }));
    assert.equal(await post(portal, new URL(`http://localhost/sso/${path.split('/').at(-1)}/logout`), new URLSearchParams({ logout_token: token })), 200);
    assert.deepEqual(await Promise.all([one, two, bob].map(isIn)), [false, false, true]);
  });

  test('SI-7 who is at the second factor as the provider signs them out comes in by it no more; and does by a sign-in of afterwards', async () => {
    const { portal, names, owner } = await setOut();
    const provider = await OpenIdProvider.start({ now: () => portal.clock.now(), deliver: (url, body) => post(portal, url, body) });
    opened.push(provider);
    await connectOpenId(portal, { owner, provider, names });
    const ada = await portal.newcomer({ email: ADA }).join();
    await ada.enableByApp();
    provider.account({ email: ADA });
    const [signedIn, waiting, jar] = [portal.browser(), portal.browser(), new CookieJar()];
    for (const browser of [signedIn, waiting]) await signInBy(browser, provider, { email: ADA, jar });
    portal.clock.advance(minutes(1));
    await ada.showSecondFactor('app', signedIn);
    await signedIn.press('Profile');
    await signedIn.press('Sign out');
    await provider.signOut(signedIn.page.link('Sign out there too'), { jar });
    assert.deepEqual(provider.logoutsSent, [200]);
    portal.clock.advance(minutes(1));
    await ada.showSecondFactor('app', waiting);
    assert.equal(await isIn(waiting), false);
    portal.clock.advance(minutes(1));
    await signInBy(waiting, provider, { email: ADA, jar });
    await ada.showSecondFactor('app', waiting);
    assert.equal(await isIn(waiting), true);
  });

  test('a provider without a page to sign out, or that is down: signed out here all the same', async () => {
    const { portal, names, owner } = await setOut();
    const provider = await HostileProvider.start({ now: () => portal.clock.now() });
    opened.push(provider);
    provider.lies = { metadata: ({ end_session_endpoint: _page, ...rest }) => rest };
    await connectOpenId(portal, { owner, provider, names });
    provider.account({ email: ADA });
    const browser = portal.browser();
    await signInBy(browser, provider, { email: ADA });
    await browser.press('Profile');
    await browser.press('Sign out');
    assert.equal(browser.page.path, '/sign-in');
    provider.lies = {};
    await signInBy(browser, provider, { email: ADA });
    provider.lies = { at: { '/.well-known/openid-configuration': (response) => response.destroy() } };
    await browser.visit('/account');
    await browser.press('Profile');
    await browser.press('Sign out');
    assert.equal(browser.page.heading, 'You are signed out');
    assert.equal(await isIn(browser), false);
  });
});
