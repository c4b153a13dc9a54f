// Apps behind the portal: in by all that it asks, back where one was going, and out at once.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { hours, minutes, seconds } from '../../src/platform/durations.ts';
import { AppBehindProxy, callbackOn } from '../support/app-behind-proxy.ts';
import { wrongCode } from '../attacks/intruder.ts';
import { confirmIfAsked, foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';

const PROXIES = { app: { trustedProxies: ['127.0.0.1'] } };

async function addApp(
  by: Person,
  { name, host, rule = 'Signed in', rules = '' }: { name: string; host: string; rule?: string; rules?: string },
): Promise<void> {
  const { browser } = by;
  await browser.visit('/admin/apps/new');
  await confirmIfAsked(browser, by.password);
  browser.fill('Name', name);
  browser.fill('Host', host);
  browser.check(rule);
  browser.fill('Rules by path', rules);
  await browser.press('Add app');
  assert.match(browser.page.text, /The app is behind the portal\./);
}

forEachPortal((open) => {
  let portal: Portal;
  let owner: Person;
  let wiki: AppBehindProxy;
  before(async () => {
    portal = await open(PROXIES);
    owner = await foundOrganisation(portal);
    await addApp(owner, {
      name: 'Wiki',
      host: 'wiki.example.org',
      rules: 'open /public methods=GET,HEAD\ntwo-factor /admin\nsigned-in /reports roles=owner,admin\nsigned-in /danger within=5',
    });
    wiki = new AppBehindProxy(portal, 'http://wiki.example.org');
  });

  test('the first visit: to sign in, back to where one was going with its query, and then the app gets who it is at every request', async () => {
    const ada = await joinAs(portal, owner, 'Member');
    const browser = portal.browser();
    await wiki.open(browser, '/page?q=a..b&x=*%20y');
    assert.equal(browser.page.path, '/sign-in');
    browser.fill('Email', ada.email);
    browser.fill('Password', ada.password);
    await browser.press('Sign in');
    assert.equal(browser.page.heading, 'Opening Wiki');
    const callback = await wiki.callback(browser, callbackOn(browser)!);
    assert.deepEqual([callback.status, callback.headers['location']], [303, 'http://wiki.example.org/page?q=a..b&x=*%20y']);
    assert.match(String(callback.headers['set-cookie']), /^twinlock-app=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/, 'of this host alone');
    const passed = await wiki.ask(browser, '/page');
    assert.equal(passed.status, 200);
    assert.deepEqual(
      ['remote-email', 'remote-name', 'remote-groups', 'remote-amr'].map((name) => passed.headers[name]),
      [ada.email, ada.name, 'member', 'pwd'],
    );
    // Whoever is signed in already goes straight through.
    const again = await wiki.open(ada.browser, '/other');
    assert.equal(again.status, 200);
    assert.equal(again.headers['remote-user'], passed.headers['remote-user']);
  });

  test('no check writes anything', async () => {
    const ada = await joinAs(portal, owner, 'Member');
    await wiki.open(ada.browser, '/');
    const { query } = portal.world.database;
    const state = async () => [
      await query.selectFrom('sessions').selectAll().orderBy('id').execute(),
      await query.selectFrom('app_sessions').selectAll().orderBy('token_hash').execute(),
      (await query.selectFrom('audit_events').select('id').execute()).length,
    ];
    const unchanged = await state();
    for (const path of ['/', '/public', '/admin', '/reports', '//x', '/page']) await wiki.ask(ada.browser, path);
    await wiki.ask(portal.browser(), '/');
    assert.deepEqual(await state(), unchanged);
  });

  test('rules in their order: open to all, for some roles, and what is sent before signing in does not arrive, which is said', async () => {
    const ada = await joinAs(portal, owner, 'Member');
    const nobody = portal.browser();
    assert.equal((await wiki.ask(nobody, '/public/a')).status, 200);
    assert.equal((await wiki.ask(nobody, '/PUBLIC/a')).status, 200);
    assert.equal((await wiki.ask(nobody, '/public/a', { method: 'POST' })).status, 401);
    assert.equal((await wiki.ask(nobody, '/publicity')).status, 401);
    await wiki.open(ada.browser, '/');
    assert.equal((await wiki.ask(ada.browser, '/reports/1')).status, 403);
    assert.equal((await wiki.open(owner.browser, '/reports/1')).status, 200);
    const late = portal.browser();
    await wiki.open(late, '/form', { method: 'POST' });
    late.fill('Email', ada.email);
    late.fill('Password', ada.password);
    await late.press('Sign in');
    assert.match(late.page.text, /what you sent to Wiki did not arrive\. Open it, and send it once more\./);
    assert.equal(late.page.link('Open Wiki'), 'http://wiki.example.org/form');
  });

  test('AL-1 two factors: an emailed code is none, so one is led to set up an app, and then lands where one was going', async () => {
    const ada = await (await joinAs(portal, owner, 'Member')).enableByEmail();
    await wiki.open(ada.browser, '/');
    assert.equal((await wiki.ask(ada.browser, '/')).headers['remote-amr'], 'pwd email');
    await wiki.open(ada.browser, '/admin/users');
    assert.equal(ada.browser.page.heading, 'Add a method');
    assert.match(ada.browser.page.text, /an emailed code is not that/);
    await ada.browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    const passed = await wiki.comeBack(ada.browser);
    assert.equal(passed?.status, 200);
    assert.match(passed.headers['remote-amr']!, /\bmfa\b/);
    // Nor is it offered to whoever has nothing yet, who would come back to where they are.
    const bea = await joinAs(portal, owner, 'Member');
    await wiki.open(bea.browser, '/admin/users');
    assert.equal(bea.browser.page.heading, 'Enable Two-Factor Authentication');
    assert.ok(!bea.browser.page.hasButton('Send verification code'));
    portal.clock.advance(minutes(11));
    await wiki.open(bea.browser, '/admin/users');
    await confirmIfAsked(bea.browser, bea.password);
    assert.ok(!bea.browser.page.hasButton('Send verification code'), 'nor after a fresh proof');
    await bea.browser.press('Enable With Authenticator App');
    await bea.setUpApp();
    await bea.keepRecoveryKey();
    assert.equal((await wiki.comeBack(bea.browser))?.status, 200);
    // Signed in by the mailbox although there is an app: only the app's code is asked for.
    await ada.signOut();
    await ada.signIn({ by: 'email' });
    await wiki.open(ada.browser, '/admin/users');
    assert.equal(ada.browser.page.heading, 'Confirm that it’s you');
    await ada.browser.press('Continue');
    await ada.enterCode(ada.app!.fresh());
    assert.equal((await wiki.comeBack(ada.browser))?.status, 200);
  });

  test('a proof that is no older than some minutes: asked for when it is, and then one goes on', async () => {
    const ada = await joinAs(portal, owner, 'Member');
    assert.equal((await wiki.open(ada.browser, '/danger')).status, 200);
    portal.clock.advance(minutes(6));
    assert.equal((await wiki.ask(ada.browser, '/page')).status, 200);
    await wiki.open(ada.browser, '/danger');
    assert.equal(ada.browser.page.heading, 'Confirm that it’s you');
    await confirmIfAsked(ada.browser, ada.password);
    assert.equal((await wiki.comeBack(ada.browser))?.status, 200);
  });

  test('SE-5 signing out, an administrator, suspension and a stricter policy shut the app at the next request', async () => {
    const inside = async () => {
      const ada = await joinAs(portal, owner, 'Member');
      assert.equal((await wiki.open(ada.browser, '/')).status, 200);
      return ada;
    };
    const shut = async ({ browser }: Person) => (await wiki.ask(browser, '/')).status === 401;
    const out = await inside();
    await out.signOut();
    assert.ok(await shut(out));
    const ended = await inside();
    await openPerson(owner, ended.email);
    await owner.browser.press('End all sessions');
    await confirmIfAsked(owner.browser, owner.password);
    if (!(await shut(ended))) await owner.browser.press('End all sessions');
    assert.ok(await shut(ended));
    const suspended = await inside();
    await openPerson(owner, suspended.email);
    await owner.browser.press('Suspend');
    assert.ok(await shut(suspended));
    const removed = await inside();
    await openPerson(owner, removed.email);
    await owner.browser.press('Remove from the organisation');
    assert.equal((await wiki.ask(removed.browser, '/')).status, 403);
  });

  test('SE-4 what time alone ends is ended at an app too, to the moment; whoever goes on there is not idle', async () => {
    const ada = await (await joinAs(portal, owner, 'Member')).enableByApp();
    await ada.signOut();
    await ada.signIn({ by: 'app' });
    const { created_at: startedAt, proofs } = await portal.world.database.query
      .selectFrom('sessions')
      .selectAll()
      .orderBy('created_at', 'desc')
      .executeTakeFirstOrThrow();
    const provedBefore = startedAt - Math.min(...Object.values(JSON.parse(proofs) as Record<string, number>));
    const opened = async (path: string) => (await wiki.open(ada.browser, path)).status;
    const asked = async (path: string) => (await wiki.ask(ada.browser, path)).status;
    const goTo = (after: number) => portal.clock.advance(startedAt + after - portal.clock.now());
    assert.equal(await opened('/danger'), 200);
    goTo(minutes(5) - provedBefore - 1);
    assert.deepEqual([await asked('/danger'), await asked('/page')], [200, 200]);
    goTo(minutes(5) - provedBefore);
    assert.deepEqual([await asked('/danger'), await asked('/page')], [401, 200], 'the proof is too old for the one, and not for the other');
    // An hour without a request is idle.
    for (let at = minutes(55); at < hours(24); at += minutes(50)) {
      goTo(at);
      assert.equal(await asked('/page'), 200, `${at / minutes(1)} minutes`);
    }
    goTo(hours(24) - seconds(20));
    assert.equal(await asked('/page'), 200);
    goTo(hours(24) - 1);
    assert.equal(await asked('/page'), 200, 'to the end of its day');
    goTo(hours(24));
    assert.equal(await asked('/page'), 401);
    await ada.signIn({ by: 'app' });
    assert.equal(await opened('/page'), 200);
    portal.clock.advance(minutes(59));
    assert.equal(await asked('/page'), 200);
    portal.clock.advance(minutes(60));
    assert.equal(await asked('/page'), 401, 'idle');
  });

  test('the page of one’s apps, with a search; who has none lands on the account', async () => {
    const ada = await joinAs(portal, owner, 'Member');
    await addApp(owner, { name: 'Über-Kamera', host: 'camera.example.org:8443' });
    await addApp(owner, { name: 'zoo', host: 'zoo.example.org' });
    await ada.browser.visit('/');
    assert.equal(ada.browser.page.heading, 'Your apps');
    assert.match(ada.browser.page.text, /Über-Kamera.*Wiki.*zoo/, 'in the order of the alphabet');
    assert.equal(ada.browser.page.link('ÜÜber-Kamera'), 'http://camera.example.org:8443/');
    ada.browser.fill('Search', 'wik');
    await ada.browser.press('Find');
    assert.ok(ada.browser.page.has('Wiki') && !ada.browser.page.has('Kamera'));
    const stranger = await portal.newcomer().join();
    await stranger.browser.visit('/');
    assert.equal(stranger.browser.page.path, '/account');
  });

  test('whoever signs in and was going nowhere lands on their apps; RL-8 on what they have to be told first, until it is answered', async () => {
    const ada = await (await joinAs(portal, owner, 'Member')).enableByApp();
    const abroad = portal.browser();
    assert.equal((await ada.signIn({ browser: abroad, by: 'app' })).heading, 'Your apps');
    await abroad.press('Profile');
    await abroad.press('Manage Account');
    assert.equal(abroad.page.heading, 'Manage Account');
    await abroad.visit('/sign-in');
    assert.equal(abroad.page.heading, 'Your apps', 'whoever is in need not sign in');

    portal.clock.advance(minutes(1));
    const thief = portal.browser();
    await ada.enterPassword(thief);
    for (let tries = 0; tries < 3; tries += 1) await ada.enterCode(wrongCode(ada.phone.shows()), { browser: thief });
    portal.clock.advance(hours(2));
    const told = portal.browser();
    await ada.signIn({ browser: told, by: 'app' });
    assert.match(told.page.alert, /they know your password/);
    await told.visit('/');
    assert.match(told.page.alert, /they know your password/, 'also on the way to one’s apps');
    await told.press('This was me');
    assert.equal((await told.visit('/')).heading, 'Your apps');

    const { browser } = await portal.newcomer().join();
    await browser.visit('/sign-in');
    assert.equal(browser.page.heading, 'Manage Account', 'where there are no apps');
  });

  test('below a wildcard there is nothing to press, so it alone makes no page of apps', async () => {
    const cranes = await foundOrganisation(await open(PROXIES), 'Cranes Ltd');
    await addApp(cranes, { name: 'Lab', host: '*.lab.example.org' });
    await cranes.browser.visit('/');
    assert.equal(cranes.browser.page.path, '/account');
  });

  describe('the console', () => {
    test('says which rule an address meets and why, refuses what is no host and no rule, and what is removed lets nobody through', async () => {
      const { browser } = owner;
      await browser.visit('/admin/apps');
      await browser.press('Open Wiki, wiki.example.org');
      browser.fill('Path', '/admin/users?x=1');
      await browser.press('Ask');
      assert.match(browser.page.text, /Rule 2: two-factor \/admin\. It is the first that fits\./);
      for (const [path, answer] of [
        ['/', /None of the rules by path fits, so it asks for: signed-in\./],
        ['/a/../admin', /can be read in two ways, so it is refused/],
      ] as const) {
        browser.fill('Path', path);
        await browser.press('Ask');
        assert.match(browser.page.text, answer);
      }
      await browser.visit('/admin/apps/new');
      await confirmIfAsked(browser, owner.password);
      browser.fill('Name', 'Again');
      browser.fill('Rules by path', 'two-factor admin');
      for (const [host, sentence] of [
        ['*.org', 'That is no host.'],
        ['wiki.example.org', 'Line 1:'],
      ] as const) {
        browser.fill('Host', host);
        await browser.press('Add app');
        assert.equal(browser.page.status, 422);
        if (host === '*.org') assert.ok(browser.page.has('Line 1:'));
        else assert.ok(browser.page.has(sentence));
        browser.fill('Rules by path', host === '*.org' ? 'two-factor admin' : '');
      }
      browser.fill('Rules by path', '');
      await browser.press('Add app');
      assert.ok(browser.page.has('There is an app at this host already.'));
      await addApp(owner, { name: 'Gone', host: '*.gone.example.org', rule: 'Open' });
      const gone = new AppBehindProxy(portal, 'http://a.gone.example.org');
      assert.equal((await gone.ask(portal.browser(), '/')).status, 200);
      assert.equal((await new AppBehindProxy(portal, 'http://a.b.gone.example.org').ask(portal.browser(), '/')).status, 403);
      await browser.press('Remove app');
      assert.match(browser.page.text, /The app is removed\./);
      assert.equal((await gone.ask(portal.browser(), '/')).status, 403);
    });
  });
});
