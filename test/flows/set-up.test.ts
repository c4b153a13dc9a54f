// Flow 5 of the mission: the Security Policy requires two factors, and the screen after the password leads through setting one up.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

onOneDatabase((open) => {
  /** Two-factor authentication is required in all of it. */
  let portal: Portal;
  before(async () => {
    portal = await open();
  });

  /** Somebody who joined before the policy required two factors, and is signed out. */
  const oldHand = async (): Promise<Person> => {
    await portal.setPolicy('optional');
    const ada = await portal.newcomer().join();
    await ada.signOut();
    await portal.setPolicy('required');
    return ada;
  };

  test('flow 5, by the printed steps: from the password to "Continue", and the next sign-in asks for the app’s code', async () => {
    const ada = await oldHand();
    const { browser } = ada;
    await ada.enterPassword();
    assert.equal(browser.page.path, '/sign-in/set-up');
    assert.equal(browser.page.heading, 'Set up two-factor authentication');
    assert.match(browser.page.text, /Example asks you for a second step after the password\./);
    await browser.press('Enable With Authenticator App');
    await browser.press('Continue');

    const dialog = browser.page.root.querySelector('dialog[open]')!;
    assert.ok(dialog.querySelector('svg[role=img]'), 'the QR code is part of the page');
    const phone = AuthenticatorApp.from(browser.page, portal.clock);
    assert.equal(phone.scanned.label, `Example:${ada.email}`, 'TO-8');
    assert.equal(phone.scanned.issuer, 'Example');
    assert.match(browser.page.text, new RegExp(phone.scanned.secret.match(/.{1,4}/g)!.join(' ')), 'for typing it in by hand, in readable groups');
    browser.fill('Verification code', phone.fresh());
    await browser.press('Verify');

    assert.ok(browser.page.root.querySelector('dialog[open]'), 'a dialog asks to keep the Recovery Key');
    assert.equal(browser.page.heading, 'Save your Recovery Key');
    await browser.visit('/account');
    assert.equal(browser.page.path, '/sign-in', 'nothing opens before it is kept');
    await browser.visit('/sign-in/set-up');
    await ada.keepRecoveryKey();
    assert.equal(browser.page.heading, 'Two-factor authentication is on');
    assert.match(browser.page.text, /All set\. From now on, signing in asks for your code after your password\./);
    await browser.press('Continue');
    assert.equal(browser.page.path, '/account');
    assert.equal(ada.newestMail().subject, 'Two-factor authentication is on for Example');

    await ada.signOut();
    await ada.enterPassword();
    assert.equal(browser.page.heading, 'Enter your code');
    await ada.enterCode(phone.fresh());
    assert.equal(browser.page.path, '/account');
  });

  test('flow 5 with codes by email: the address is shown to be read, and the next sign-in sends a code', async () => {
    const ada = await oldHand();
    const { browser } = ada;
    await ada.enterPassword();
    await browser.press('Enable With Code by Email');
    assert.match(browser.page.text, new RegExp(`After your password, we will send a code to ${ada.email}\\.`));
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    await ada.keepRecoveryKey();
    await browser.press('Continue');
    assert.equal(browser.page.path, '/account');
    await ada.signOut();
    await ada.signIn({ by: 'email' });
  });

  test('AD-8 in a browser that is new to the account an emailed code comes first, so that a stolen password sets nothing up', async () => {
    const ada = await oldHand();
    const abroad = portal.browser({ address: '203.0.113.4' });
    await ada.enterPassword(abroad);
    await abroad.press('Enable With Authenticator App');
    assert.equal(abroad.page.path, '/sign-in/set-up/email');
    assert.match(abroad.page.text, new RegExp(`We will send a code of six digits to ${ada.email}`));
    await abroad.visit('/sign-in/set-up/code');
    assert.equal(abroad.page.path, '/sign-in/set-up/email');
    await abroad.press('Send verification code');
    await ada.enterCode(ada.newestCode(), { browser: abroad });
    assert.equal(abroad.page.heading, 'Enable With Authenticator App');
    await ada.setUpApp({ browser: abroad });
    await ada.keepRecoveryKey(abroad);
    await abroad.press('Continue');
    assert.equal(abroad.page.path, '/account');

    await ada.signOut(abroad);
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('with codes by email in a new browser, the one code proves both', async () => {
    const ada = await oldHand();
    const abroad = portal.browser();
    const mails = ada.mails().length;
    await ada.enterPassword(abroad);
    await abroad.press('Enable With Code by Email');
    await abroad.press('Send verification code');
    await ada.enterCode(ada.newestCode(), { browser: abroad });
    assert.equal(abroad.page.heading, 'Save your Recovery Key');
    assert.equal(ada.mails().length, mails + 1);
  });

  test('"Choose another way" and "Back" lead back, and what was chosen last counts', async () => {
    const ada = await oldHand();
    const { browser } = ada;
    await ada.enterPassword();
    await browser.press('Enable With Authenticator App');
    await browser.press('Choose another way');
    assert.equal(browser.page.heading, 'Set up two-factor authentication');
    await browser.press('Enable With Authenticator App');
    await browser.press('Continue');
    const first = AuthenticatorApp.from(browser.page, portal.clock);
    await browser.press('Back');
    await browser.press('Continue');
    const second = AuthenticatorApp.from(browser.page, portal.clock);
    assert.notEqual(first.scanned.secret, second.scanned.secret, 'TO-2');
    await ada.enterCode(first.shows(), { button: 'Verify' });
    assert.equal(browser.page.status, 422, 'a QR code that was put away is worth nothing');
    await ada.enterCode(second.shows(), { button: 'Verify' });
    assert.equal(browser.page.heading, 'Save your Recovery Key');
  });

  test('TO-9 a QR code lapses after ten minutes, and the page says how to get a new one', async () => {
    const ada = await oldHand();
    const { browser } = ada;
    await ada.enterPassword();
    await browser.press('Enable With Authenticator App');
    await browser.press('Continue');
    const phone = AuthenticatorApp.from(browser.page, portal.clock);
    portal.clock.advance(minutes(11));
    await ada.enterCode(phone.shows(), { button: 'Verify' });
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /was shown more than ten minutes ago, so it no longer counts\. Press “Back”, then scan the new one\./);
    await browser.press('Back');
    await ada.setUpApp();
    assert.equal(browser.page.heading, 'Save your Recovery Key');
  });

  test('a wrong code of the app says what to check, keeps the QR code, and can be tried again', async () => {
    const ada = await oldHand();
    const { browser } = ada;
    await ada.enterPassword();
    await browser.press('Enable With Authenticator App');
    await browser.press('Continue');
    const phone = AuthenticatorApp.from(browser.page, portal.clock);
    await ada.enterCode(phone.shows(portal.clock.now() + minutes(30)), { button: 'Verify' });
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /check that your phone sets its time by itself/);
    assert.equal(AuthenticatorApp.from(browser.page, portal.clock).scanned.secret, phone.scanned.secret);
    await ada.enterCode(phone.shows(), { button: 'Verify' });
    assert.equal(browser.page.heading, 'Save your Recovery Key');
  });

  test('the code that set the app up does not sign in as well', async () => {
    const ada = await oldHand();
    await ada.enterPassword();
    await ada.browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    const spent = ada.phone.shows();
    await ada.keepRecoveryKey();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    await ada.enterCode(spent, { browser });
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /used already/);
  });

  test('a newcomer sets it up on the way in, before the address is verified, and is led on to verify it', async () => {
    await portal.setPolicy('required');
    const ada = portal.newcomer();
    const { browser } = ada;
    await browser.visit('/sign-up');
    browser.fill('Name', ada.name);
    browser.fill('Email', ada.email);
    browser.fill('Password', ada.password);
    await browser.press('Create account');
    assert.equal(browser.page.heading, 'Set up two-factor authentication');
    assert.ok(!browser.page.hasButton('Enable With Code by Email'), 'EC-9: codes by email need a verified address');
    await browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    await ada.keepRecoveryKey();
    await browser.press('Continue');
    assert.equal(browser.page.heading, 'Verify your email');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    assert.equal(browser.page.heading, 'Your email is verified');
    await ada.signOut();
    await ada.signIn({ by: 'app' });
  });

  test('whoever came for another page gets there by "Continue"', async () => {
    const ada = await oldHand();
    const { browser } = ada;
    await browser.visit('/account/sessions');
    browser.fill('Email', ada.email);
    browser.fill('Password', ada.password);
    await browser.press('Sign in');
    await browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    await ada.keepRecoveryKey();
    await browser.press('Continue');
    assert.equal(browser.page.path, '/account/sessions');
  });

  test('whoever is signed in when the policy comes stays so, is led to set it up at the next request, and then back to where they were', async () => {
    await portal.setPolicy('optional');
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await portal.setPolicy('required');
    await browser.visit('/account/sessions');
    assert.equal(browser.page.path, '/account/security/enable');
    assert.match(browser.page.text, /Example asks you for a second step after the password\. Set it up now/);
    for (const path of ['/account', '/account/security', '/account/email', '/account/security/password']) {
      await browser.visit(path);
      assert.equal(browser.page.path, '/account/security/enable', path);
    }
    await browser.visit('/account/sessions');
    await browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    await ada.keepRecoveryKey();
    assert.equal(browser.page.path, '/account/sessions');
  });

  test('SE-3 a session that the policy overtook changes nothing before the set-up: what it sends is refused, with the reason', async () => {
    await portal.setPolicy('optional');
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await portal.setPolicy('required');
    await browser.post('/account', { name: 'Somebody else', language: 'en' });
    assert.equal(browser.page.path, '/account/security/enable');
    assert.match(browser.page.text, /What you just sent was not saved\./);
    await portal.setPolicy('optional');
    await browser.visit('/account');
    assert.equal(browser.page.value('Name'), ada.name);
    await portal.setPolicy('required');
    await ada.signOut();
    await ada.enterPassword();
    assert.equal(browser.page.path, '/sign-in/set-up');
  });

  test('whoever has two factors already meets no set-up screen', async () => {
    await portal.setPolicy('optional');
    const ada = await (await portal.newcomer().join()).enableByApp();
    await portal.setPolicy('required');
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('SE-5 setting it up on the way in ends the sessions that were opened by the password alone', async () => {
    await portal.setPolicy('optional');
    const ada = await portal.newcomer().join();
    await portal.setPolicy('required');
    const second = portal.browser();
    await ada.enterPassword(second);
    await second.press('Enable With Code by Email');
    await second.press('Send verification code');
    await ada.enterCode(ada.newestCode(), { browser: second });
    await ada.keepRecoveryKey(second);
    await ada.browser.visit('/account');
    assert.equal(ada.browser.page.path, '/sign-in');
  });

  test('"Not you?" leaves the set-up, and nothing has changed', async () => {
    const ada = await oldHand();
    const { browser } = ada;
    await ada.enterPassword();
    await browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    await browser.press('Not you?');
    await browser.press('Start again');
    await ada.enterPassword();
    assert.equal(browser.page.heading, 'Set up two-factor authentication');
  });
});
