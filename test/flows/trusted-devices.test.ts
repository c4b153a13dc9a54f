// "Remember this device": where a second step was shown, the password alone signs in for as long as every policy allows, and opens nothing that asks for more.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { days, hours, minutes } from '../../src/platform/durations.ts';
import { setPolicy } from '../../src/policy/policy.ts';
import { foundOrganisation, impose, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';

const BOX = 'Remember this device for 30 days';
const DEVICE = 'twinlock-device';
const SECURITY = '/account/security';

/** Weeks pass here. */
async function stayIn(person: Person): Promise<void> {
  await person.browser.visit('/account');
  if (person.browser.page.path === '/sign-in') await person.signIn();
}

forEachPortal((open) => {
  let portal: Portal;
  let owner: Person;
  before(async () => {
    portal = await open();
    owner = await foundOrganisation(portal);
    await impose(portal, owner, { trustedDeviceDays: 30 });
    portal.clock.advance(minutes(1));
  });

  const protectedMember = async (): Promise<Person> => {
    await stayIn(owner);
    const person = await joinAs(portal, owner, 'Member');
    await person.enableByApp();
    await person.signOut();
    portal.clock.advance(minutes(2));
    return person;
  };
  const remember = async (person: Person, browser: Visitor = person.browser): Promise<void> => {
    await person.enterPassword(browser);
    browser.check(BOX);
    await person.enterCode(person.phone.fresh(), { browser });
    assert.equal(browser.page.path, '/account');
  };

  describe('trusted devices', () => {
    test('TD-2, TD-3 the box, then the password alone, with a new token at each use, until the days are over: counted from the box, not from the last use', async () => {
      const ada = await protectedMember();
      await remember(ada);
      const tokens = new Set([ada.browser.cookies.get(DEVICE)]);
      for (let day = 0; day < 30; day += 6) {
        await ada.signOut();
        await ada.signIn();
        tokens.add(ada.browser.cookies.get(DEVICE));
        portal.clock.advance(days(6));
      }
      assert.equal(tokens.size, 6, 'another token each time');
      await ada.browser.visit('/account');
      assert.equal(ada.browser.page.heading, 'Confirm that it’s you', 'after 30 days, where the session is still open');
      await ada.signOut();
      await ada.enterPassword();
      assert.equal(ada.browser.page.heading, 'Enter your code');
    });

    test('TD-4 the person is told by mail, sees the device with its end, and removes it: that browser is signed out, and asked again', async () => {
      const ada = await protectedMember();
      const laptop = portal.browser();
      await remember(ada);
      await remember(ada, laptop);
      assert.match(ada.newestMail().subject, /^A device is trusted for /);
      await ada.openSecurity();
      assert.match(
        ada.browser.page.text,
        /Trusted devices.*Firefox on Linux Until 3 April 2027 at .*Remembered .*Firefox on Linux this browser Until 3 April /s,
      );
      const [other] = ada.browser.page.root.querySelectorAll('input[name=device]').map((input) => input.getAttribute('value')!);
      await ada.browser.post(`${SECURITY}/devices/remove`, { device: other! });
      assert.match(ada.browser.page.text, /That device is trusted no longer/);
      await laptop.visit('/account');
      assert.equal(laptop.page.path, '/sign-in', 'it was signed out');
      await ada.enterPassword(laptop);
      assert.equal(laptop.page.heading, 'Enter your code');
      // All: the browser that asks stays signed in, and is asked the next time.
      await ada.browser.post(`${SECURITY}/devices/remove-all`);
      assert.equal(ada.browser.page.path, SECURITY);
      assert.ok(!ada.browser.page.has('Trusted devices'));
      await ada.signOut();
      await ada.enterPassword();
      assert.equal(ada.browser.page.heading, 'Enter your code');
    });

    test('TD-1 it signs in at level 1: the console, a change and what is set up on the way ask for the second step, and once shown it is as ever', async () => {
      await stayIn(owner);
      const admin = await joinAs(portal, owner, 'Admin');
      await admin.enableByApp();
      await admin.signOut();
      portal.clock.advance(minutes(2));
      await remember(admin);
      await admin.signOut();
      portal.clock.advance(minutes(1));
      await admin.signIn();
      await admin.browser.visit('/admin/people');
      assert.equal(admin.browser.page.heading, 'Confirm that it’s you');
      await admin.browser.press('Continue');
      await admin.enterCode(admin.phone.fresh());
      assert.equal(admin.browser.page.path, '/admin/people');
      const { proofs } = await portal.world.database.query.selectFrom('sessions').select('proofs').orderBy('created_at', 'desc').executeTakeFirstOrThrow();
      assert.deepEqual(Object.keys(JSON.parse(proofs) as object).sort(), ['password', 'totp', 'trusted-device']);
    });

    test('TD-3 off unless a policy says otherwise: there is no box, and one that is posted anyway does nothing', async () => {
      const stranger = await portal.newcomer().join();
      await stranger.enableByApp();
      await stranger.signOut();
      portal.clock.advance(minutes(2));
      await stranger.enterPassword();
      assert.ok(!stranger.browser.page.has('Remember this device'));
      await stranger.browser.post('/sign-in/verify', { code: stranger.phone.fresh(), remember: 'on' });
      assert.equal(stranger.browser.page.path, '/account');
      assert.equal(stranger.browser.cookies.get(DEVICE), undefined);
    });

    test('a wrong code keeps the tick; a Recovery Key offers none', async () => {
      const ada = await protectedMember();
      await ada.enterPassword();
      ada.browser.check(BOX);
      await ada.enterCode('000000');
      await ada.enterCode(ada.phone.fresh());
      assert.ok(ada.browser.cookies.get(DEVICE) !== undefined);
      await ada.signOut();
      ada.browser.cookies.delete(DEVICE);
      await ada.enterPassword();
      await ada.chooseWay('recovery-key');
      assert.ok(!ada.browser.page.has('Remember this device'));
    });
  });

  test('TD-3 whoever belongs to no organisation is remembered as the installation’s policy says, and no longer where the operator takes it back', async () => {
    const { world } = portal;
    const allow = (trustedDeviceDays: number) => world.database.transaction((transaction) => setPolicy(world, transaction, 'optional', { trustedDeviceDays }));
    const ida = await (await portal.newcomer().join()).enableByApp();
    const browser = portal.browser();
    await ida.enterPassword(browser);
    assert.ok(!browser.page.has('Remember this device'), 'unless set, never');
    await allow(7);
    await ida.enterPassword(browser);
    browser.check('Remember this device for 7 days');
    await ida.enterCode(ida.phone.fresh(), { browser });
    await ida.signOut(browser);
    await ida.signIn({ browser });
    portal.clock.advance(minutes(1));
    await allow(0);
    await ida.signOut(browser);
    await ida.enterPassword(browser);
    assert.equal(browser.page.heading, 'Enter your code');
  });

  test('TD-3 a policy that becomes stricter: no device is trusted any more, also not in sessions that it opened; a looser one changes nothing', async () => {
    const ada = await protectedMember();
    await remember(ada);
    await ada.signOut();
    portal.clock.advance(minutes(1));
    await ada.signIn();
    await impose(portal, owner, { trustedDeviceDays: 30, emailDomains: [] });
    await ada.browser.visit('/account');
    assert.equal(ada.browser.page.path, '/account');
    portal.clock.advance(minutes(1));
    await impose(portal, owner, { trustedDeviceDays: 30, proofMinutes: 5 });
    await ada.browser.visit('/account');
    assert.equal(ada.browser.page.heading, 'Confirm that it’s you', 'the open session shows what it was spared');
    // The password is fresh.
    await ada.browser.press('Continue');
    await ada.enterCode(ada.phone.fresh());
    assert.equal(ada.browser.page.path, '/account/security');
    await ada.signOut();
    portal.clock.advance(hours(1));
    await ada.enterPassword();
    assert.equal(ada.browser.page.heading, 'Enter your code');
    await ada.enterCode(ada.phone.fresh());
    await impose(portal, owner, { trustedDeviceDays: 30 });
  });
});
