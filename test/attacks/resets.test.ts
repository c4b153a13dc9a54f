// Resets, as somebody asks for them who is not who they say; and administrators who would take others' second steps away, or agree with themselves.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { makeApp } from '../../src/app.ts';
import { resetWhoIsDue as resetThem } from '../../src/lost-phone/lost-phone.ts';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { days, hours, minutes } from '../../src/platform/durations.ts';
import { askForReset, imposeRules, resetWhoIsDue, stopPath } from '../support/lost-phone.ts';
import { foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { readRows } from '../support/rows.ts';
import { accountOf, isSignedIn, race } from './intruder.ts';

const GROUNDS = { reason: 'Phone lost', check: 'in-person', note: '' };
const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

forEachPortal((open) => {
  let portal: Portal;
  let owner: Person;
  let admin: Person;
  let organisation: string;
  before(async () => {
    portal = await open({ checkHtml: false });
    owner = await foundOrganisation(portal);
    await owner.enableByApp();
    ({ id: organisation } = await portal.world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow());
    admin = await joinAs(portal, owner, 'Admin');
    await admin.enableByApp();
  });

  const idOf = async (person: Person): Promise<string> => (await accountOf(portal, person.email)).id;
  const resetsOf = async (person: Person) =>
    portal.world.database.query
      .selectFrom('method_resets')
      .selectAll()
      .where('account_id', '=', await idOf(person))
      .execute();
  const hasApp = async (person: Person): Promise<boolean> => {
    const rows = await portal.world.database.query
      .selectFrom('factors')
      .select('kind')
      .where('account_id', '=', await idOf(person))
      .execute();
    return rows.some(({ kind }) => kind === 'totp');
  };
  const eventsOf = async (person: Person, event: string) =>
    (
      await portal.world.database.query
        .selectFrom('audit_events')
        .select('details')
        .where('event', '=', event as 'session_ended')
        .where('account_id', '=', await idOf(person))
        .execute()
    ).map(({ details }) => JSON.parse(details) as Record<string, string>);
  const post = async (by: Person, target: Person, path: string, fields: Record<string, string> = {}) =>
    by.browser.post(`/admin/people/${await idOf(target)}/${path}`, { organisation, ...GROUNDS, ...fields });
  const protectedMember = async (): Promise<Person> => {
    const person = await joinAs(portal, owner, 'Member');
    await person.enableByApp();
    return person;
  };
  const fresh = async (...people: Person[]) => {
    for (const person of people) {
      if (await isSignedIn(person.browser)) await person.signOut();
      await person.signIn({ by: 'app' });
    }
  };
  const another = async (): Promise<Person> => {
    const helper = await joinAs(portal, owner, 'Admin');
    await helper.enableByApp();
    return helper;
  };
  /** One more organisation; returns its id. */
  const found = async (name: string, by: Person): Promise<string> => {
    const founder = await idOf(by);
    const { id } = await portal.world.database.transaction((transaction) =>
      createOrganisation(portal.world, transaction, { name, owner: founder, from: FROM }),
    );
    return id;
  };
  const makeRole = async (person: Person, role: string) => {
    await openPerson(owner, person.email);
    owner.browser.fill('Role', role);
    await owner.browser.press('Change role');
    assert.equal(owner.browser.page.status, 200);
  };

  describe('who asks', () => {
    test('AD-3 not for oneself or a higher role, not an auditor, a member or who has no second factor, and not with a proof that is old', async () => {
      const [target, auditor, weak] = [await protectedMember(), await joinAs(portal, owner, 'Auditor'), await joinAs(portal, owner, 'Admin')];
      await auditor.enableByApp();
      for (const [by, whom, status] of [
        [admin, owner, 403],
        [admin, admin, 403],
        [owner, owner, 403],
        [auditor, target, 403],
        [target, admin, 404],
        [weak, target, 403],
      ] as const) {
        assert.equal((await post(by, whom, 'reset')).status, status, `${by.name} for ${whom.name}`);
        assert.deepEqual(await resetsOf(whom), []);
      }
      portal.clock.advance(minutes(10));
      assert.equal((await post(admin, target, 'reset')).path, '/account/confirm');
      assert.deepEqual(await resetsOf(target), []);
      await fresh(owner, admin);
    });

    test('AD-2 without grounds nothing is asked for; what is written is text on every page, and in no mail', async () => {
      const ada = await protectedMember();
      const nasty = `"><script>alert(1)</script>=cmd|'/c calc'!A1`;
      assert.equal((await post(owner, ada, 'reset', { reason: '' })).status, 422);
      assert.equal((await post(owner, ada, 'reset', { check: 'trust me' })).status, 422);
      await post(owner, ada, 'reset', { reason: nasty, check: 'other', note: nasty });
      for (const who of [owner, admin]) {
        await openPerson(who, ada.email);
        assert.ok(who.browser.page.has('alert(1)'));
        assert.doesNotMatch(who.browser.page.body, /<script>alert/);
      }
      for (const mail of [...ada.mails(), ...admin.mails()]) assert.ok(!mail.text.includes('alert(1)'));
      await owner.browser.press('Stop the reset');
    });

    test('AD-5 at once there is one reset, however often it is asked for, and three a day at most', async () => {
      const ada = await protectedMember();
      await race([portal.app], { browser: owner.browser, path: `/admin/people/${await idOf(ada)}/reset`, fields: { organisation, ...GROUNDS }, times: 3 });
      assert.equal((await resetsOf(ada)).length, 1);
      assert.equal((await post(admin, ada, 'reset')).status, 409);
      for (let time = 0; time < 4; time++) {
        const [reset] = await resetsOf(ada);
        if (reset) await post(owner, ada, 'reset/stop', { reset: reset.id });
        await post(owner, ada, 'reset');
      }
      assert.equal(owner.browser.page.status, 429);
      assert.equal(ada.mails().filter(({ text }) => text.includes('/stop-reset?token=')).length, 3);
    });
  });

  describe('the link', () => {
    test('PR-4 made up, cut short, for something else or used: it stops nothing; and only its hash is stored', async () => {
      const [ada, eve] = [await protectedMember(), await protectedMember()];
      await fresh(owner);
      await askForReset(owner, ada.email);
      await askForReset(owner, eve.email);
      const token = stopPath(ada).split('token=')[1]!;
      assert.ok(!JSON.stringify(await readRows(portal.world.database)).includes(token));
      const stranger = portal.browser();
      await stranger.visit('/sign-in');
      for (const bad of ['', token.slice(1), `${token}A`, 'A'.repeat(43), ` ${token}`]) {
        assert.equal((await stranger.post('/stop-reset', { token: bad })).status, 410, bad);
        assert.equal((await stranger.visit(`/stop-reset?token=${encodeURIComponent(bad)}`)).status, 410, bad);
      }
      assert.equal((await stranger.post('/invitation', { token })).status, 410);
      await stranger.visit('/stop-reset');
      assert.equal((await stranger.post('/stop-reset', { token }, { origin: 'http://evil.test', 'sec-fetch-site': 'cross-site' })).status, 403);
      assert.equal((await resetsOf(ada)).length, 1);
      assert.equal((await stranger.post('/stop-reset', { token })).status, 200);
      assert.equal((await stranger.post('/stop-reset', { token })).status, 410, 'replayed');
      assert.deepEqual([(await resetsOf(ada)).length, (await resetsOf(eve)).length], [0, 1], 'and nobody else’s');
      await fresh(owner);
      await askForReset(owner, ada.email);
      assert.equal((await stranger.post('/stop-reset', { token })).status, 410, 'the one before stops no later one');
    });

    test('of stopping it and its time coming, at one moment in two processes, one is; and it happens once', async () => {
      const people = [await protectedMember(), await protectedMember(), await protectedMember()];
      await fresh(owner);
      for (const ada of people) await askForReset(owner, ada.email);
      portal.clock.advance(hours(24));
      await using other = await portal.world.secondProcess();
      const sites = [portal.app, await makeApp(other)];
      const stranger = portal.browser();
      await stranger.visit('/sign-in');
      await Promise.all([
        ...people.map((ada) => race(sites, { browser: stranger, path: '/stop-reset', fields: { token: stopPath(ada).split('token=')[1]! }, times: 2 })),
        resetThem(portal.world),
        resetThem(other),
      ]);
      for (const ada of people) {
        const [done, stopped] = [await eventsOf(ada, 'authn_methods_reset'), await eventsOf(ada, 'authn_reset_stopped')];
        assert.equal(done.length + stopped.length, 1);
        assert.equal(await hasApp(ada), done.length === 0);
        assert.deepEqual(await resetsOf(ada), []);
      }
    });
  });

  describe('a second administrator', () => {
    before(async () => {
      await fresh(owner, admin);
      await imposeRules(portal, owner, { resetNeedsApproval: true, resetWaitHours: 1 });
    });

    test('AD-5 is not the one who asked, an auditor, the person, or of another organisation, and agrees to what was shown alone', async () => {
      const [ada, auditor] = [await protectedMember(), await joinAs(portal, owner, 'Auditor')];
      await auditor.enableByApp();
      await askForReset(owner, ada.email);
      const [reset] = await resetsOf(ada);
      const fields = { reset: reset!.id };
      assert.equal((await post(owner, ada, 'reset/approve', fields)).status, 403, 'oneself');
      assert.equal((await post(auditor, ada, 'reset/approve', fields)).status, 403);
      assert.equal((await post(ada, ada, 'reset/approve', fields)).status, 404);
      assert.equal((await post(admin, ada, 'reset/approve', { reset: 'another' })).status, 409);
      const boss = await portal.newcomer().join();
      await boss.enableByApp();
      const cranes = await found('Cranes Ltd', boss);
      assert.equal((await post(boss, ada, 'reset/approve', { ...fields, organisation: cranes })).status, 404);
      portal.clock.advance(hours(1));
      await resetWhoIsDue(portal);
      assert.equal(await hasApp(ada), true, 'nobody agreed');
      await fresh(owner, admin);
      const racing = await race([portal.app], {
        browser: admin.browser,
        path: `/admin/people/${await idOf(ada)}/reset/approve`,
        fields: { organisation, ...fields },
        times: 3,
      });
      assert.equal(racing.filter(({ page }) => page.status === 200).length, 1);
      assert.equal((await eventsOf(ada, 'authn_reset_approved')).length, 1);
      await resetWhoIsDue(portal);
      assert.equal(await hasApp(ada), false);
      const [done] = await eventsOf(ada, 'authn_methods_reset');
      assert.deepEqual([done!['by'], done!['approver']], [await idOf(owner), await idOf(admin)]);
    });

    test('AD-3, AD-5 who agreed, or asked, and may no longer do so when it would happen: it does not', async () => {
      await fresh(owner, admin);
      const helper = await another();
      const [ada, bob] = [await protectedMember(), await protectedMember()];
      await askForReset(owner, ada.email);
      await post(helper, ada, 'reset/approve', { reset: (await resetsOf(ada))[0]!.id });
      await askForReset(helper, bob.email);
      await post(admin, bob, 'reset/approve', { reset: (await resetsOf(bob))[0]!.id });
      await makeRole(helper, 'Auditor');
      portal.clock.advance(hours(1));
      await resetWhoIsDue(portal);
      for (const person of [ada, bob]) {
        assert.equal(await hasApp(person), true);
        assert.deepEqual(await resetsOf(person), []);
        assert.match(person.newestMail().text, /stopped because those who decided it may no longer do so/);
      }
      await imposeRules(portal, owner, {});
    });
  });

  describe('when its time has come', () => {
    test('AD-3 a person who left, or looks after others by then, keeps what they have', async () => {
      await fresh(owner, admin);
      const [left, raised, elsewhere] = [await protectedMember(), await protectedMember(), await protectedMember()];
      await askForReset(admin, left.email);
      await askForReset(admin, raised.email);
      await askForReset(admin, elsewhere.email);
      await openPerson(owner, left.email);
      await owner.browser.press('Remove from the organisation');
      await found('Storks Ltd', elsewhere);
      // What the owner may not give away in one step: the role is above the administrator's when the time has come.
      await openPerson(owner, raised.email);
      await owner.browser.press('Transfer ownership');
      portal.clock.advance(hours(24));
      await resetWhoIsDue(portal);
      for (const person of [left, raised, elsewhere]) {
        assert.equal(await hasApp(person), true, person.name);
        assert.deepEqual(await resetsOf(person), []);
      }
      await fresh(raised);
      await openPerson(raised, owner.email);
      await raised.browser.press('Transfer ownership');
    });

    test('AD-8 whoever has the password and not the mailbox sets nothing up afterwards, whatever the policy, and is not let in', async () => {
      await fresh(owner);
      const ada = await protectedMember();
      await askForReset(owner, ada.email);
      portal.clock.advance(hours(24));
      await resetWhoIsDue(portal);
      const thief = portal.browser({ address: '203.0.113.9' });
      await ada.enterPassword(thief);
      assert.equal(thief.page.path, '/sign-in/set-up');
      await thief.post('/sign-in/set-up/later');
      assert.equal(await isSignedIn(thief), false);
      await thief.post('/sign-in/set-up', { method: 'totp' });
      assert.equal(thief.page.path, '/sign-in/set-up/email');
      for (const path of ['/sign-in/set-up/method', '/sign-in/set-up/code', '/sign-in/recovery-key'])
        assert.equal((await thief.post(path, { code: '123456', saved: 'yes' })).path, '/sign-in/set-up/email', path);
      assert.equal(await isSignedIn(thief), false);
      portal.clock.advance(days(30));
      await ada.enterPassword(thief);
      assert.equal(thief.page.path, '/sign-in/set-up', 'and it does not lapse');
    });

    test('AD-6 what was begun before is worth nothing: a sign-in half done, a code that was issued, a session', async () => {
      await fresh(owner);
      const ada = await protectedMember();
      await askForReset(owner, ada.email);
      portal.clock.advance(hours(24) - minutes(1));
      const half = portal.browser();
      await ada.enterPassword(half);
      await fresh(ada);
      portal.clock.advance(minutes(1));
      await resetWhoIsDue(portal);
      await half.post('/sign-in/verify', { code: ada.phone.fresh() });
      assert.equal(await isSignedIn(half), false);
      assert.equal(await isSignedIn(ada.browser), false);
      await ada.enterPassword(half);
      await half.post('/sign-in/verify/other', { method: 'recovery-key' });
      await half.post('/sign-in/verify', { code: ada.recoveryKey! });
      assert.equal(await isSignedIn(half), false);
    });
  });
});
