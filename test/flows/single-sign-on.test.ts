// Signing in by an organisation's own identity provider: a real one, by OpenID Connect. What follows is the same as behind a password.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { CookieJar } from '../support/cookie-jar.ts';
import { HostileProvider } from '../support/hostile-provider.ts';
import { NameServer } from '../support/name-server.ts';
import { OpenIdProvider } from '../support/openid-provider.ts';
import { foundOrganisation, impose, joinAs, openPerson } from '../support/organisation.ts';
import { linkIn, type Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import {
  addOpenId,
  comeBack,
  connectOpenId,
  leadDomain,
  openConsole,
  recordOf,
  signInBy,
  testConnection,
  verifyDomain,
  wayOut,
} from '../support/single-sign-on.ts';
import type { Visitor } from '../support/visitor.ts';
import { minutes } from '../../src/platform/durations.ts';

interface Set {
  readonly portal: Portal;
  readonly owner: Person;
  readonly provider: OpenIdProvider;
  readonly names: NameServer;
}

forEachPortal((open) => {
  const opened: AsyncDisposable[] = [];
  after(async () => {
    for (const one of opened) await one[Symbol.asyncDispose]();
  });

  /** An organisation whose owner has a password, a provider and a name server. */
  async function setOut(): Promise<Set> {
    const names = await NameServer.start();
    const portal = await open({ network: { nameServers: [names.address] } });
    const provider = await OpenIdProvider.start({
      now: () => portal.clock.now(),
      deliver: async (url, body) => (await portal.send({ method: 'POST', url: url.pathname, headers: FORM, payload: body.toString() })).statusCode,
    });
    opened.push(names, provider);
    return { portal, owner: await foundOrganisation(portal), provider, names };
  }

  describe('setting it up', () => {
    test('the owner connects a provider, tries it, verifies a domain and turns it on; until then nobody is led there', async () => {
      const { portal, owner, provider, names } = await setOut();
      const path = await addOpenId(portal, owner, provider);
      provider.account({ email: 'ada@example.com', claims: { name: 'Ada', department: 'Herons' }, amr: ['pwd', 'mfa'] });
      await openConsole(owner, path);
      await owner.browser.press('Turn on');
      assert.ok(owner.browser.page.has('Test the connection first'));

      const tested = await testConnection(owner, path, provider, 'ada@example.com');
      assert.ok(tested.has('It works.'), tested.text);
      assert.ok(tested.has('ada at example.com') && tested.has('ada@example.com (verified, it says)') && tested.has('pwd, mfa'), tested.text);
      assert.ok(tested.has('Asked for here'), 'A second factor counts nowhere that nobody said so.');

      await openConsole(owner, '/admin/sso');
      owner.browser.fill('Domain', 'Example.com');
      await owner.browser.press('Add domain');
      await owner.browser.press('Check the record');
      assert.ok(owner.browser.page.has('The record is not there yet'), owner.browser.page.text);
      names.records.set('_twinlock.example.com', ['twinlock=something-else']);
      await owner.browser.press('Check the record');
      assert.ok(owner.browser.page.has('it says something else'), owner.browser.page.text);
      names.records.set('_twinlock.example.com', [recordOf(owner.browser.page)]);
      await owner.browser.press('Check the record');
      assert.ok(owner.browser.page.has('The domain is verified'), owner.browser.page.text);

      const visitor = portal.browser();
      await visitor.visit('/sign-in');
      assert.ok(!visitor.page.hasButton('Use single sign-on'));
      await leadDomain(owner, 'example.com', 'Example Okta');
      await openConsole(owner, path);
      await owner.browser.press('Turn on');
      await visitor.visit('/sign-in');
      assert.ok(visitor.page.hasButton('Use single sign-on'));
    });

    test('a test that fails says why, and the person’s own account is as it was', async () => {
      const { portal, owner, provider } = await setOut();
      const path = await addOpenId(portal, owner, provider);
      provider.state = 'down';
      await openConsole(owner, path);
      await owner.browser.press('Test connection');
      assert.ok(owner.browser.page.has('It does not work yet. The provider could not be reached.'), owner.browser.page.text);
    });

    test('each member of the organisation may see it, and its owner alone change it', async () => {
      const { portal, owner, provider, names } = await setOut();
      const path = await connectOpenId(portal, { owner, provider, names });
      const admin = await joinAs(portal, owner, 'Admin');
      await admin.browser.visit(path);
      assert.equal(admin.browser.page.status, 200);
      assert.ok(!admin.browser.page.hasButton('Turn off') && !admin.browser.page.hasButton('Save'));
      await admin.browser.post(`${path}/off`, { organisation: await organisationId(portal), seen: '3' });
      assert.equal(admin.browser.page.status, 403);
    });
  });

  describe('signing in', () => {
    test('the provider’s word makes the account, a member, at the first time, and finds it again by its own name for them', async () => {
      const { portal, owner, provider, names } = await setOut();
      await connectOpenId(portal, { owner, provider, names });
      provider.account({ email: 'ada@example.com', subject: 'ada-1', claims: { name: 'Ada Lovelace' } });
      const browser = portal.browser();
      await signInBy(browser, provider, { email: 'ada@example.com', path: '/sign-in?then=/account/sessions' });
      assert.equal(browser.page.path, '/account/sessions');
      await browser.visit('/account/security');
      assert.ok(browser.page.has('You have none here: you sign in by your organisation.') && browser.page.has('Example Okta'));

      // Another address, and the same person.
      provider.account({ email: 'ada.king@example.com', subject: 'ada-1' });
      const again = portal.browser();
      await signInBy(again, provider, { email: 'ada.king@example.com' });
      await again.visit('/account');
      assert.equal(again.page.value('Name'), 'Ada Lovelace');
      await openConsole(owner, '/admin/people');
      assert.ok(owner.browser.page.has('Ada Lovelace') && !owner.browser.page.has('ada.king'));
      await openPerson(owner, 'ada@example.com');
      assert.ok(owner.browser.page.has('Ada Lovelace signs in by Example Okta alone.') && !owner.browser.page.hasButton('Require a new password'));
    });

    test('SI-6 flow 5: after single sign-on the set-up screen, the app, the Recovery Key; and from then on its code', async () => {
      const { portal, owner, provider, names } = await setOut();
      await connectOpenId(portal, { owner, provider, names });
      await impose(portal, owner, { twoFactor: 'required', roles: ['member'], mailFirst: false });
      provider.account({ email: 'ada@example.com' });
      const ada = portal.newcomer({ email: 'ada@example.com' });
      await signInBy(ada.browser, provider, { email: ada.email });
      assert.equal(ada.browser.page.path, '/sign-in/set-up');
      await ada.browser.press(ada.browser.page.buttonStartingWith('Enable With Authenticator App'));
      await ada.setUpApp();
      await ada.keepRecoveryKey();
      assert.equal(ada.browser.page.heading, 'Two-factor authentication is on');
      await ada.browser.press('Continue');
      assert.equal(ada.browser.page.path, '/account');

      const other = portal.browser();
      portal.clock.advance(minutes(1));
      await signInBy(other, provider, { email: ada.email });
      assert.equal(other.page.path, '/sign-in/verify');
      await ada.showSecondFactor('app', other);
      assert.equal(other.page.path, '/account');
    });

    test('AL-8 nobody is asked twice where the provider asked for a second factor and its owner believes that; else everybody is', async () => {
      const { portal, owner, provider, names } = await setOut();
      const path = await connectOpenId(portal, { owner, provider, names, trusts: { secondFactor: true } });
      await impose(portal, owner, { twoFactor: 'required', roles: ['member'], mailFirst: false });
      provider.account({ email: 'ada@example.com', amr: ['pwd', 'mfa'] });
      provider.account({ email: 'bob@example.com', amr: ['pwd'] });
      const [ada, bob] = [portal.browser(), portal.browser()];
      await signInBy(ada, provider, { email: 'ada@example.com' });
      assert.equal(ada.page.path, '/account');
      await ada.visit('/account/security');
      assert.equal(ada.page.status, 200, 'The session meets the policy.');
      await signInBy(bob, provider, { email: 'bob@example.com' });
      assert.equal(bob.page.path, '/sign-in/set-up');

      const previewed = async (): Promise<string> => {
        await openConsole(owner, '/admin/policy/edit');
        return (await owner.browser.press('Preview')).text;
      };
      assert.match(await previewed(), /Whoever comes by Example Okta is asked for nothing each time that it says it asked for a second factor\./);

      await openConsole(owner, path);
      owner.browser.uncheck('Where it says that it asked for a second factor, that counts here');
      await owner.browser.press('Save');
      assert.doesNotMatch(await previewed(), /Whoever comes by/);
      const later = portal.browser();
      await signInBy(later, provider, { email: 'ada@example.com' });
      assert.equal(later.page.path, '/sign-in/set-up');
      const events = await portal.world.database.query.selectFrom('audit_events').select('details').where('event', '=', 'authn_login_success').execute();
      assert.ok(events.some(({ details }) => details.includes('sso sso-second-factor')));
    });

    test('where it is not required, the password serves beside it; and an account of a believed address is connected', async () => {
      const { portal, owner, provider, names } = await setOut();
      await connectOpenId(portal, { owner, provider, names });
      const ada = await portal.newcomer({ email: 'ada@example.com' }).join();
      provider.account({ email: ada.email });
      const byProvider = portal.browser();
      await signInBy(byProvider, provider, { email: ada.email });
      assert.equal(byProvider.page.path, '/account');
      assert.equal(byProvider.page.value('Name'), ada.name);
      assert.match(ada.newestMail().subject, /You can now sign in to Example by Example Okta/);
      await ada.signIn({ browser: portal.browser() });
    });

    test('SI-5 where it is required, a password serves the owner alone, with a second factor', async () => {
      const { portal, owner, provider, names } = await setOut();
      const path = await connectOpenId(portal, { owner, provider, names, domain: 'example.org' });
      const bob = await joinAs(portal, owner, 'Admin');
      await openConsole(owner, path);
      await owner.browser.press('Require it');
      assert.ok(owner.browser.page.has('From now on'), owner.browser.page.text);

      // The usual form leads to the provider, whatever password was typed.
      await bob.enterPassword(portal.browser());
      const led = portal.browser();
      await bob.enterPassword(led);
      assert.equal(led.page.heading, 'On to Example Okta');
      // The owner's door is no way in for anybody else.
      const door = portal.browser();
      await door.visit('/sign-in?way=password');
      door.fill('Email', bob.email);
      door.fill('Password', bob.password);
      await door.press('Sign in');
      assert.equal(door.page.status, 403);
      assert.equal(door.page.heading, 'Sign in by Example Okta');
      assert.equal(door.cookies.get('twinlock-session'), undefined);

      // Nor is an account made that would be of no use.
      const newcomer = portal.newcomer({ email: 'new@example.org' });
      await newcomer.browser.visit('/sign-up');
      newcomer.browser.fill('Name', 'New');
      newcomer.browser.fill('Email', newcomer.email);
      newcomer.browser.fill('Password', newcomer.password);
      await newcomer.browser.press('Create account');
      assert.equal(newcomer.browser.page.heading, 'Sign in by Example Okta');
      provider.account({ email: newcomer.email });
      await newcomer.browser.press('Go on to Example Okta');
      await comeBack(newcomer.browser, provider, { email: newcomer.email });
      assert.equal(newcomer.browser.page.path, '/account');

      provider.state = 'down';
      const broken = portal.browser();
      await owner.enterPassword(broken);
      assert.equal(broken.page.status, 503);
      await broken.press('Owner of the organisation? Use your password');
      broken.fill('Email', owner.email);
      broken.fill('Password', owner.password);
      await broken.press('Sign in');
      assert.equal(broken.page.path, '/sign-in/set-up', 'A second factor is asked for, whatever the policy says.');
    });
  });

  test('SI-5 whoever is signed in by a password as it becomes required is signed out, also at the second factor; the owner stays, and who came by the provider', async () => {
    const { portal, owner, provider, names } = await setOut();
    const path = await connectOpenId(portal, { owner, provider, names, domain: 'example.org' });
    const [bob, carl] = [await joinAs(portal, owner, 'Admin'), await joinAs(portal, owner, 'Member')];
    const elsewhere = await portal.newcomer({ email: 'dora@elsewhere.example' }).join();
    await carl.enableByApp();
    provider.account({ email: bob.email });
    const [byProvider, waiting] = [portal.browser(), portal.browser()];
    await signInBy(byProvider, provider, { email: bob.email });
    await carl.enterPassword(waiting);
    const isIn = async (browser: Visitor): Promise<boolean> => (await browser.visit('/account')).path === '/account';
    const all = [bob.browser, carl.browser, byProvider, elsewhere.browser];
    await openConsole(owner, path);
    assert.ok(owner.browser.page.has('2 people are signed in by a password now'), owner.browser.page.text);
    await owner.browser.press('Require it');
    assert.ok(owner.browser.page.has('From now on'), owner.browser.page.text);
    assert.deepEqual(await Promise.all(all.map(isIn)), [false, false, true, true]);
    portal.clock.advance(minutes(1));
    await carl.enterCode(carl.phone.fresh(), { browser: waiting });
    assert.equal(await isIn(waiting), false);
    await owner.browser.visit('/admin/audit');
    assert.ok(owner.browser.page.has('Session ended: single sign-on is required'), owner.browser.page.text);

    // A domain that is led to it, and a connection that is turned on again, are no other matter.
    await verifyDomain(owner, names, 'elsewhere.example');
    await leadDomain(owner, 'elsewhere.example', 'Example Okta');
    assert.equal(await isIn(elsewhere.browser), false);
    await openConsole(owner, path);
    await owner.browser.press('Turn off');
    await bob.signIn();
    await openConsole(owner, path);
    await owner.browser.press('Turn on');
    assert.deepEqual(await Promise.all([bob.browser, byProvider, owner.browser].map(isIn)), [false, true, true]);
  });

  describe('afterwards', () => {
    test('a fresh proof is a new sign-in at the provider, by the same person', async () => {
      const { portal, owner, provider, names } = await setOut();
      await connectOpenId(portal, { owner, provider, names });
      provider.account({ email: 'ada@example.com' });
      provider.account({ email: 'eve@example.com' });
      const browser = portal.browser();
      const jar = new CookieJar();
      await signInBy(browser, provider, { email: 'ada@example.com', jar });
      portal.clock.advance(minutes(20));
      await browser.visit('/account/security/enable');
      assert.equal(browser.page.heading, 'Confirm that it’s you');
      assert.ok(!browser.page.hasButton('Continue'), 'There is no password to ask for.');
      await browser.press('Sign in again by Example Okta');
      await comeBack(browser, provider, { email: 'eve@example.com' });
      assert.ok(browser.page.has('Somebody else signed in there'), browser.page.text);
      await browser.press('Sign in again by Example Okta');
      await comeBack(browser, provider, { email: 'ada@example.com', jar });
      assert.equal(browser.page.path, '/account/security/enable', 'on to where they wanted to go, by whatever detour');
    });

    test('where the provider can’t be asked anew, as Google can’t, people choose a password, and confirm by that', async () => {
      const { portal, owner, names } = await setOut();
      const google = await HostileProvider.start({ now: () => portal.clock.now() });
      opened.push(google);
      await connectOpenId(portal, { owner, provider: google, names });
      google.account({ email: 'ada@example.com' });
      const ada = portal.newcomer({ email: 'ada@example.com', password: 'chosen by way of the mailbox' });
      await signInBy(ada.browser, google, { email: ada.email });
      await ada.browser.visit('/account/security/enable');
      await ada.browser.press('Sign in again by Example Okta');
      await comeBack(ada.browser, google, { email: ada.email });
      assert.ok(ada.browser.page.has('is not set up right'), ada.browser.page.text);
      await ada.browser.press('Does that not work? Choose a password instead');
      assert.equal(ada.browser.page.path, '/forgot-password');
      ada.browser.fill('Email', ada.email);
      await ada.browser.press('Send the link');
      await ada.browser.visit(linkIn(ada.newestMail().text));
      await ada.browser.press('Continue');
      ada.browser.fill('New password', ada.password);
      await ada.browser.press('Save new password');
      await signInBy(ada.browser, google, { email: ada.email });
      await ada.browser.visit('/account/security/enable');
      ada.browser.fill('Password', ada.password);
      await ada.browser.press('Continue');
      assert.equal(ada.browser.page.path, '/account/security/enable');
      assert.ok(!ada.browser.page.has('Confirm that it’s you'), ada.browser.page.text);
    });

    test('who is not believed shows once, by password, which account is theirs', async () => {
      const { portal, owner, provider, names } = await setOut();
      await connectOpenId(portal, { owner, provider, names });
      const ada = await portal.newcomer({ email: 'ada@example.com' }).join();
      provider.account({ email: ada.email, claims: { email_verified: false } });
      const browser = portal.browser();
      await signInBy(browser, provider, { email: ada.email });
      assert.equal(browser.page.heading, 'One more step, this once');
      assert.equal(browser.cookies.get('twinlock-session'), undefined);
      await browser.press('Sign in by password');
      browser.fill('Password', ada.password);
      await browser.press('Sign in');
      assert.equal(browser.page.heading, 'Connect Example Okta');
      await browser.press('Connect');
      const again = portal.browser();
      await signInBy(again, provider, { email: ada.email });
      assert.equal(again.page.path, '/account');
      // And apart again, since there is a password.
      await again.visit('/account/security');
      await again.press('Disconnect');
      assert.ok(again.page.has('It is disconnected'), again.page.text);
    });

    test('SI-7 signing out here ends the session there, and signing out there ends the session here', async () => {
      const { portal, owner, provider, names } = await setOut();
      await connectOpenId(portal, { owner, provider, names });
      provider.account({ email: 'ada@example.com' });
      const [one, other, jar] = [portal.browser(), portal.browser(), new CookieJar()];
      await signInBy(one, provider, { email: 'ada@example.com', jar });
      await signInBy(other, provider, { email: 'ada@example.com', jar });
      await one.press('Profile');
      await one.press('Sign out');
      assert.equal(one.page.heading, 'You are signed out');
      const back = await provider.signOut(one.page.link('Sign out there too'), { jar });
      await one.visit(back.href);
      assert.equal(one.page.path, '/sign-in');
      assert.deepEqual(provider.logoutsSent, [200]);
      await other.visit('/account');
      assert.equal(other.page.path, '/sign-in', 'The provider’s sign-out ended it.');
    });

    test('a restart on the way loses nobody', async () => {
      const { portal, owner, provider, names } = await setOut();
      await connectOpenId(portal, { owner, provider, names });
      provider.account({ email: 'ada@example.com' });
      const browser = portal.browser();
      await browser.visit('/sign-in');
      browser.fill('Email', 'ada@example.com');
      await browser.press('Use single sign-on');
      const back = await provider.goThrough(wayOut(browser.page), { email: 'ada@example.com' });
      await portal.restart();
      await browser.visit(back.href);
      assert.equal(browser.page.path, '/account');
    });
  });
});

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

async function organisationId({ world }: Portal): Promise<string> {
  return (await world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow()).id;
}
