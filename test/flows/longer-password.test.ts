// PW-1: eight characters are enough while a real second factor is enforced. Where it no longer is, whoever signs in with fewer than fifteen chooses a longer password
// on the way in, behind everything else that is asked for; and nobody is kept out by it.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import { seconds } from '../../src/platform/durations.ts';
import { accountOf } from '../attacks/intruder.ts';
import { foundOrganisation, impose, joinAs, openPerson } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';

const SHORT = 'ten otters';
const LONG = 'ten otters in the harbour';
const HEADING = 'Choose a longer password';
const ENFORCED = { twoFactor: 'required', notCounting: ['email-code'] } as const;

async function changePassword({ browser, password }: Person, to: string): Promise<void> {
  await browser.visit('/account/security/password');
  browser.fill('Current password', password);
  browser.fill('New password', to);
  await browser.press('Change password');
}

async function lengthen(browser: Visitor, password: string): Promise<void> {
  browser.fill('New password', password);
  await browser.press('Save and sign in');
}

forEachPortal((open) => {
  describe('a password that has become too short', () => {
    let portal: Portal;
    let owner: Person;
    let ada: Person;
    before(async () => {
      portal = await open();
      owner = await (await foundOrganisation(portal)).enableByApp();
    });
    /** A member with an app and a password of ten characters, under a policy that asks for nothing any more. */
    beforeEach(async () => {
      await impose(portal, owner, { twoFactor: 'optional' });
      ada = await (await joinAs(portal, owner, 'Member')).enableByApp();
      await impose(portal, owner, ENFORCED);
      await changePassword(ada, SHORT);
      ada.password = SHORT;
      await ada.signIn({ browser: portal.browser(), by: 'app' });
    });

    test('is changed on the way in, behind the second factor: it is said why, the owner is told, and everybody else is signed out', async () => {
      await impose(portal, owner, { twoFactor: 'optional' });
      const browser = portal.browser();
      await ada.enterPassword(browser);
      assert.equal(browser.page.path, '/sign-in/verify');
      await browser.visit('/sign-in/new-password');
      assert.equal(browser.page.path, '/sign-in/verify', 'nobody comes by it without the app');
      await browser.post('/sign-in/new-password', { password: LONG });
      assert.equal(browser.page.path, '/sign-in/verify');
      await ada.enterCode(ada.phone.fresh(), { browser });
      assert.equal(browser.page.heading, HEADING);
      assert.match(browser.page.text, /At least 15 characters/);
      await browser.visit('/account');
      assert.equal(browser.page.path, '/sign-in', 'and nobody is in before it');
      await browser.visit('/sign-in/verify');
      assert.equal(browser.page.heading, HEADING, 'it is found again');

      for (const [password, why] of [
        ['otters otters!', /Use at least 15 characters/],
        ['passwordpassword', /among those that are tried first/],
      ] as const) {
        await lengthen(browser, password);
        assert.equal(browser.page.status, 422);
        assert.match(browser.page.alert, why);
      }
      await lengthen(browser, LONG);
      assert.equal(browser.page.path, '/account');
      assert.equal(ada.newestMail().subject, 'Your password for Example was changed');
      await ada.browser.visit('/account');
      assert.equal(ada.browser.page.path, '/sign-in', 'all others are signed out');
      await ada.enterPassword(portal.browser(), SHORT);
      ada.password = LONG;
      await ada.signIn({ browser: portal.browser(), by: 'app' });
      const account = await accountOf(portal, ada.email);
      const events = await portal.world.database.query.selectFrom('audit_events').select('event').where('account_id', '=', account.id).execute();
      assert.equal(events.filter(({ event }) => event === 'authn_password_change').length, 2);
    });

    test('stays where a real second factor is enforced, also for whom that comes back while the page is open', async () => {
      await ada.signIn({ browser: portal.browser(), by: 'app' });
      await impose(portal, owner, { twoFactor: 'optional' });
      const browser = portal.browser();
      await ada.enterPassword(browser);
      await ada.enterCode(ada.phone.fresh(), { browser });
      assert.equal(browser.page.heading, HEADING);
      await impose(portal, owner, ENFORCED);
      await lengthen(browser, 'x');
      assert.equal(browser.page.path, '/account', 'whatever was typed');
      await ada.signIn({ browser: portal.browser(), by: 'app' });
    });

    test('is asked for of who leaves the organisation, and of who comes by the Recovery Key, behind the next one', async () => {
      await ada.browser.visit('/account/organisations');
      await ada.browser.press('Leave Herons Ltd');
      await ada.browser.press('Leave Herons Ltd');
      const browser = portal.browser();
      await ada.enterPassword(browser);
      await ada.showSecondFactor('recovery-key', browser);
      assert.equal(browser.page.heading, HEADING);
      await lengthen(browser, LONG);
      assert.equal(browser.page.path, '/account/security');
      ada.password = LONG;
      await ada.signIn({ browser: portal.browser(), by: 'app' });
    });

    test('FC-2 is not changed by who shows less than a change asks for: a weaker factor, or a bypass code; they come in as they are', async () => {
      await impose(portal, owner, { twoFactor: 'optional' });
      await ada.enableEmailToo();
      const browser = portal.browser();
      await ada.enterPassword(browser);
      await ada.showSecondFactor('email', browser);
      assert.equal(browser.page.path, '/account');
      await browser.post('/sign-in/new-password', { password: LONG });

      await openPerson(owner, ada.email);
      await owner.browser.press('Issue a bypass code');
      owner.browser.fill('Reason', 'Phone lost');
      owner.browser.fill('How did you check who is asking?', 'Met in person');
      await owner.browser.press('Issue the code');
      const code = owner.browser.page.text.match(/[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}/)![0];
      const helped = portal.browser();
      await ada.enterPassword(helped);
      await helped.press('Try another way');
      await helped.press(helped.page.buttons.find((name) => name.startsWith('Bypass code'))!);
      helped.fill('Bypass code', code);
      await helped.press('Continue');
      assert.equal(helped.page.path, '/account/security');

      const own = portal.browser();
      await ada.enterPassword(own);
      await ada.showSecondFactor('app', own);
      assert.equal(own.page.heading, HEADING, 'the next time it is');
    });

    test('TD-1 is asked for in a remembered browser too, which shows the second factor first', async () => {
      await impose(portal, owner, { ...ENFORCED, trustedDeviceDays: 30 });
      const browser = portal.browser();
      await ada.enterPassword(browser);
      browser.check('Remember this device for 30 days');
      await ada.enterCode(ada.phone.fresh(), { browser });
      await ada.signOut(browser);
      await ada.enterPassword(browser);
      assert.equal(browser.page.path, '/account', 'remembered');
      await ada.signOut(browser);
      await impose(portal, owner, { twoFactor: 'optional', trustedDeviceDays: 30 });
      await ada.enterPassword(browser);
      assert.equal(browser.page.path, '/sign-in/verify');
      await ada.enterCode(ada.phone.fresh(), { browser });
      assert.equal(browser.page.heading, HEADING);
      await lengthen(browser, LONG);
      assert.equal(browser.page.path, '/account');
    });

    test('of two that race, one changes it, and who comes late starts again with the new one', async () => {
      await impose(portal, owner, { twoFactor: 'optional' });
      const [one, other] = [portal.browser(), portal.browser()];
      for (const browser of [one, other]) {
        await ada.enterPassword(browser);
        await ada.enterCode(ada.phone.fresh(), { browser });
        assert.equal(browser.page.heading, HEADING);
        portal.clock.advance(seconds(30));
      }
      await Promise.all([lengthen(one, LONG), lengthen(other, `${LONG} again`)]);
      assert.deepEqual([one.page.path, other.page.path].toSorted(), ['/account', '/sign-in']);
      ada.password = one.page.path === '/account' ? LONG : `${LONG} again`;
      await ada.signIn({ browser: portal.browser(), by: 'app' });
    });
  });
});
