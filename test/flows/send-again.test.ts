// "Send again", wherever a code is sent: how long to wait, how many there are, and what the page says when there are no more.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { hours, minutes, seconds } from '../../src/platform/durations.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

interface Place {
  /** Where the codes go. */
  readonly address: string;
  /** What the button is called that takes the code. */
  readonly button: string;
}

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  /** Brings somebody to each page that has sent a code. */
  const places: Record<string, () => Promise<{ ada: Person } & Place>> = {
    'signing in': async () => {
      const ada = await (await portal.newcomer().join()).enableByEmail();
      await ada.signOut();
      await ada.enterPassword();
      return { ada, address: ada.email, button: 'Continue' };
    },
    'verifying the email': async () => {
      const ada = await portal.newcomer().signUp();
      return { ada, address: ada.email, button: 'Continue' };
    },
    enabling: async () => {
      const ada = await portal.newcomer().join();
      await ada.openSecurity();
      await ada.browser.press('Enable Two-Factor Authentication');
      await ada.browser.press('Send verification code');
      return { ada, address: ada.email, button: 'Continue' };
    },
    disabling: async () => {
      const ada = await (await portal.newcomer().join()).enableByApp();
      await ada.openSecurity();
      await ada.browser.press('Disable');
      await ada.browser.press('Send verification code');
      return { ada, address: ada.email, button: 'Finish' };
    },
    'a new Recovery Key': async () => {
      const ada = await (await portal.newcomer().join()).enableByApp();
      await ada.openSecurity();
      await ada.browser.press('Create new Recovery Key');
      await ada.browser.press('Send verification code');
      return { ada, address: ada.email, button: 'Continue' };
    },
    'a new address': async () => {
      const ada = await portal.newcomer().join();
      const address = `new.${ada.email}`;
      await ada.browser.visit('/account/email');
      ada.browser.fill('Email', address);
      await ada.browser.press('Send verification code');
      return { ada, address, button: 'Continue' };
    },
    confirming: async () => {
      const ada = await (await portal.newcomer().join()).enableByEmail();
      portal.clock.advance(minutes(11));
      await ada.openSecurity();
      await ada.browser.press('Change password');
      ada.browser.fill('Password', ada.password);
      await ada.browser.press('Continue');
      return { ada, address: ada.email, button: 'Continue' };
    },
  };

  for (const [place, arrive] of Object.entries(places)) {
    test(`${place}: no sooner than 30 seconds, at most six in ten minutes, and the page says when the next one can be had`, async () => {
      // What others were sent before must not be in the way.
      portal.clock.advance(minutes(11));
      const { ada, address, button } = await arrive();
      const { browser } = ada;
      const codes = (): number => ada.mails(address).filter(({ text }) => /^\d{6}\n/.test(text)).length;
      const path = browser.page.path;

      assert.ok(!browser.page.hasButton('Send again'), 'it can’t be pressed yet');
      assert.match(browser.page.text, /Send again You can ask for another in 30 seconds\./);
      let sent = codes();
      await browser.post(`${path}/send`);
      assert.equal(browser.page.status, 429);
      assert.match(browser.page.alert, /^A code is on its way\. You can ask for another in 30 seconds \(at \d\d:\d\d UTC\)\.$/);
      portal.clock.advance(seconds(12));
      await browser.visit(path);
      assert.match(browser.page.text, /You can ask for another in 18 seconds\./);
      assert.equal(codes(), sent);

      const first = ada.newestCode(address);
      for (let refused = false; !refused;) {
        portal.clock.advance(seconds(30));
        await browser.visit(path);
        refused = (await browser.press('Send again')).status === 429;
        if (!refused) sent += 1;
        assert.equal(codes(), sent);
        assert.ok(sent < 10, 'there is an end');
      }
      assert.match(browser.page.alert, /^We have sent many codes to this address\. You can ask for another in \d+ (?:minutes|seconds) \(at \d\d:\d\d UTC\)\./);
      assert.equal(codes(), sent);
      await browser.reload();
      assert.match(browser.page.alert, /^We have sent many codes to this address\./, 'a reload says the same');
      assert.ok(!browser.page.hasButton('Send again'));

      // The newest code that was sent is as good as ever; those before it are not.
      if (sent > 1) {
        await ada.enterCode(first, { button });
        assert.equal(browser.page.status, 422);
      }
      await ada.enterCode(ada.newestCode(address), { button });
      assert.equal(browser.page.status, 200);
      assert.notEqual(browser.page.path, path);
    });
  }

  test('six in ten minutes, counted over all that was asked for; when the first is ten minutes old the next one is sent', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const start = portal.clock.now();
    const browser = portal.browser();
    // Two have gone out, to verify and to enable.
    for (let asked = 3; asked <= 6; asked += 1) {
      await ada.enterPassword(browser);
      assert.match(browser.page.text, /We sent a code of six digits/, `number ${asked}`);
    }
    const mails = ada.mails().length;
    await ada.enterPassword(browser);
    assert.equal(ada.mails().length, mails);
    assert.doesNotMatch(browser.page.text, /We sent a code/, 'it is not said that one was sent');
    assert.match(
      browser.page.alert,
      /^We have sent many codes to this address\. You can ask for another in 10 minutes \(at \d\d:\d\d UTC\)\. Other ways still work\.$/,
    );
    assert.ok(!browser.page.hasButton('Send verification code'));
    const said = /at (\d\d):(\d\d) UTC/.exec(browser.page.alert)!;

    portal.clock.set(start + minutes(10));
    assert.equal(new Date(portal.clock.now()).toISOString().slice(11, 16), `${said[1]}:${said[2]}`, 'the time that was said');
    await browser.reload();
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode(), { browser });
    assert.equal(browser.page.path, '/account');
  });

  test('with no more codes to be had, the Recovery Key gets in', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    for (let asked = 0; asked < 6; asked += 1) await ada.enterPassword(portal.browser());
    const browser = portal.browser();
    await ada.enterPassword(browser);
    assert.match(browser.page.alert, /Other ways still work\./);
    await browser.press('Try another way');
    await ada.chooseWay('email', browser);
    assert.match(browser.page.alert, /We have sent many codes/, 'also from there');
    await ada.showSecondFactor('recovery-key', browser);
    assert.equal(browser.page.path, '/account/security');
  });

  test('fifteen in an hour', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const start = portal.clock.now();
    const sent = (): number => ada.mails().filter(({ text }) => /^\d{6}\n/.test(text)).length;
    for (let minute = 0; minute < 59; minute += 2) {
      portal.clock.set(start + minutes(minute));
      await ada.enterPassword(portal.browser());
    }
    assert.equal(sent(), 15);
    const browser = portal.browser();
    await ada.enterPassword(browser);
    assert.match(browser.page.alert, /You can ask for another in (?:\d+ seconds|2 minutes) \(at/);
    portal.clock.set(start + hours(1));
    await browser.reload();
    await browser.press('Send verification code');
    assert.equal(sent(), 16);
  });

  test('the mails of one person are not counted against another', async () => {
    const [ada, grace] = [await (await portal.newcomer().join()).enableByEmail(), await (await portal.newcomer().join()).enableByEmail()];
    for (let asked = 0; asked < 6; asked += 1) await ada.enterPassword(portal.browser());
    await grace.signIn({ browser: portal.browser(), by: 'email' });
  });

  test('the limits outlive a restart', async () => {
    const own = await open();
    const ada = await (await own.newcomer().join()).enableByEmail();
    for (let asked = 0; asked < 4; asked += 1) await ada.enterPassword(own.browser());
    await own.restart();
    const browser = own.browser();
    await ada.enterPassword(browser);
    assert.match(browser.page.alert, /We have sent many codes to this address\./);
  });
});
