// Wrong turns: addresses that are not there, pages that were open for too long, clicks that come twice. Each says what happened and leads on.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { days, seconds } from '../../src/platform/durations.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  test('an address that is not there leads to the start, signed in or not', async () => {
    const ada = await portal.newcomer().join();
    for (const [browser, start] of [
      [portal.browser(), '/sign-in'],
      [ada.browser, '/account'],
    ] as const) {
      await browser.visit('/acount/security');
      assert.equal(browser.page.status, 404);
      assert.equal(browser.page.heading, 'There is nothing here');
      await browser.press('Go to the start');
      assert.equal(browser.page.path, start);
    }
  });

  test('the address of a button, typed in, says so and leads on', async () => {
    const browser = portal.browser();
    await browser.visit('/sign-out');
    assert.equal(browser.page.status, 405);
    assert.match(browser.page.text, /This address can’t be used in this way\. Go back and use the buttons of the page\./);
    await browser.press('Go to the start');
    assert.equal(browser.page.path, '/sign-in');
  });

  test('a form whose browser has lost its cookies is refused with what to do, and that helps', async () => {
    const ada = await portal.newcomer().join();
    const browser = portal.browser();
    await browser.visit('/sign-in');
    browser.cookies.clear();
    browser.fill('Email', ada.email);
    browser.fill('Password', ada.password);
    await browser.press('Sign in');
    assert.equal(browser.page.status, 403);
    assert.equal(browser.page.heading, 'Please try that again');
    assert.match(browser.page.text, /This page was open for too long, or cookies are switched off\. Go back, reload the page and try again\./);
    await browser.back();
    await ada.signIn({ browser });
  });

  test('a button of a page whose session has ended does nothing, says why, and signing in again helps', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await browser.visit('/account');
    browser.fill('Name', 'Never Saved');
    portal.clock.advance(days(8));
    await browser.press('Save');
    assert.equal(browser.page.path, '/sign-in');
    assert.match(browser.page.text, /Please sign in again\. You were signed out because you had been away for a while/);
    browser.fill('Email', ada.email);
    browser.fill('Password', ada.password);
    await browser.press('Sign in');
    assert.equal(browser.page.path, '/account');
    assert.equal(browser.page.value('Name'), ada.name);
    assert.doesNotMatch(browser.page.text, /signed out/);
  });

  test('a second click on "Finish" while the first is on its way signs nobody out, and the key that was kept is the one', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    const { text } = await ada.downloadRecoveryKey();
    ada.recoveryKey = /\w{4}(?:-\w{2,4}){6}/.exec(text)![0];
    const again = browser.tab();
    await again.visit(browser.page.path);
    await Promise.all([browser.press('Finish'), again.press('Finish')]);
    await ada.openSecurity();
    assert.ok(browser.page.headings.includes('Two-Factor Authentication On'));
    await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
  });

  test('a second click on "Sign in", or on the code, does no harm', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const browser = portal.browser();
    const again = browser.tab();
    for (const tab of [browser, again]) {
      await tab.visit('/sign-in');
      tab.fill('Email', ada.email);
      tab.fill('Password', ada.password);
    }
    await Promise.all([browser.press('Sign in'), again.press('Sign in')]);
    const code = ada.phone.fresh();
    for (const tab of [browser, again]) {
      await tab.visit('/sign-in/verify');
      tab.fill('Verification code', code);
    }
    await Promise.all([browser.press('Continue'), again.press('Continue')]);
    assert.equal((await browser.visit('/account')).path, '/account');
  });

  test('a second click on "Create account" makes one account', async () => {
    const ada = portal.newcomer();
    const { browser } = ada;
    const again = browser.tab();
    for (const tab of [browser, again]) {
      await tab.visit('/sign-up');
      tab.fill('Name', ada.name);
      tab.fill('Email', ada.email);
      tab.fill('Password', ada.password);
    }
    await Promise.all([browser.press('Create account'), again.press('Create account')]);
    // Of two codes that were sent in one moment nobody could tell which is the newer.
    portal.clock.advance(seconds(31));
    await browser.visit('/verify-email/code');
    await browser.press('Send again');
    await ada.verifyEmail();
    await ada.signIn({ browser: portal.browser() });
    await portal.world.database.query
      .selectFrom('accounts')
      .selectAll()
      .where('email', '=', ada.email)
      .execute()
      .then((rows) => assert.equal(rows.length, 1));
  });

  test('whoever sets two factors up when the policy stops to require them is in by the next press', async () => {
    const own = await open();
    const ada = await own.newcomer().join();
    await ada.signOut();
    await own.setPolicy('required');
    await ada.enterPassword();
    await ada.browser.press('Enable With Authenticator App');
    await own.setPolicy('optional');
    await ada.browser.press('Continue');
    assert.equal(ada.browser.page.path, '/account');
  });
});
