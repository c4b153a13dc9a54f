// Flow 1 of the mission: "Enable 2FA", word for word, and what stands in its way.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  test('flow 1, by the printed steps: from the profile icon to "Finish", and the next sign-in asks for the second factor', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await browser.visit('/account');
    await browser.press('Profile');
    await browser.press('Manage Account');
    assert.equal(browser.page.heading, 'Manage Account');
    await browser.press('Security and Credentials');
    assert.equal(browser.page.heading, 'Security and Credentials');
    assert.equal(browser.page.path, '/account/security');
    assert.ok(browser.page.headings.includes('Two-Factor Authentication Off'));
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Send verification code');
    assert.ok(browser.page.has(`We sent a code of six digits to ${ada.email}.`));
    browser.fill('Verification code', ada.newestCode());
    await browser.press('Continue');
    assert.match(browser.page.heading, /Recovery Key/);
    const file = await ada.downloadRecoveryKey();
    assert.match(file.text, /Recovery Key/);
    await browser.press('Finish');

    assert.equal(browser.page.path, '/account/security');
    assert.match(browser.page.text, /Two-factor authentication is on\. From now on, signing in asks for a second step\./);
    assert.ok(browser.page.headings.includes('Two-Factor Authentication On'));
    assert.ok(browser.page.headings.includes('Recovery Key'));
    assert.match(browser.page.text, new RegExp(`Code by email weakest ${ada.email}\\. Added`));
    await browser.reload();
    assert.ok(!browser.page.has('Two-factor authentication is on.'), 'what was done is said once');

    await ada.signOut();
    await ada.enterPassword();
    assert.equal(browser.page.path, '/sign-in/verify');
    await browser.visit('/account');
    assert.equal(browser.page.path, '/sign-in', 'nothing opens before the second factor');
  });

  test('EC-9 an account whose email is not verified sees why, and a button that leads to verifying it and back', async () => {
    const ada = await portal.newcomer().signUp();
    const { browser } = ada;
    await ada.openSecurity();
    assert.match(browser.page.text, new RegExp(`First verify that ${ada.email} is yours`));
    assert.ok(!browser.page.hasButton('Enable Two-Factor Authentication'));
    await browser.visit('/account/security/enable');
    assert.match(browser.page.text, new RegExp(`First verify that ${ada.email} is yours`));
    for (const method of ['email-code', 'totp']) {
      await browser.post('/account/security/enable', { method });
      assert.equal(browser.page.status, 422, 'not by the form alone either');
    }
    await browser.press('Verify email');
    assert.equal(browser.page.heading, 'Verify your email');
    await browser.press('Send verification code');
    assert.match(browser.page.alert, /^$/);
    await ada.enterCode(ada.newestCode());
    await browser.press('Security and Credentials');
    await browser.press('Enable Two-Factor Authentication');
    assert.ok(browser.page.hasButton('Send verification code'));
  });

  test('"Finish" asks for nothing more than that the key was downloaded or "I have saved it" is ticked', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    await browser.press('Finish');
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /Save the key first: download it, copy it or print it, or tick “I have saved it”\./);
    assert.ok((await ada.signIn({ browser: portal.browser() })).hasButton('Profile'), 'nothing is on before "Finish"');
    browser.check('I have saved it');
    await browser.press('Finish');
    assert.equal(browser.page.path, '/account/security');
    assert.ok(browser.page.headings.includes('Two-Factor Authentication On'));
  });

  test('TO-9 whoever leaves half-way has changed nothing', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Send verification code');
    await browser.press('Cancel');
    assert.ok(browser.page.headings.includes('Two-Factor Authentication Off'));
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    await browser.press('Cancel');
    assert.ok(browser.page.headings.includes('Two-Factor Authentication Off'));
    await ada.signOut();
    assert.equal((await ada.signIn()).path, '/account');
  });

  test('a wrong code changes nothing and can be mended; a code with letters in it costs no try', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Send verification code');
    const right = ada.newestCode();
    for (let tries = 0; tries < 6; tries += 1) {
      await ada.enterCode('12345O');
      assert.equal(browser.page.status, 422);
      assert.match(browser.page.alert, /The code has six digits/);
    }
    await ada.enterCode(right === '111111' ? '222222' : '111111');
    assert.match(browser.page.alert, /That code was not right\. Look for the newest mail from us/);
    assert.equal(browser.page.field('Verification code').getAttribute('aria-invalid'), 'true');
    await ada.enterCode(right);
    assert.match(browser.page.heading, /Recovery Key/);
  });

  test('SE-5 enabling signs all other browsers out, and they are told why', async () => {
    const ada = await portal.newcomer().join();
    const other = portal.browser();
    await ada.signIn({ browser: other });
    await ada.enableByEmail();
    await other.reload();
    assert.equal(other.page.path, '/sign-in');
    assert.match(other.page.text, /You were signed out because you had been away for a while, or because something about your account changed\./);
    assert.ok((await ada.openSecurity()).hasButton('Disable'), 'the browser that did it stays');
  });

  test('FC-3 the owner is told by mail, and the mail has neither code nor key', async () => {
    const ada = await portal.newcomer().join();
    await ada.enableByEmail();
    const mail = ada.newestMail();
    assert.equal(mail.subject, 'Two-factor authentication is on for Example');
    assert.ok(!`${mail.text}${mail.html}`.includes(ada.recoveryKey!));
    assert.match(mail.text, /Code by email/);
  });

  test('FC-1 with a proof that is older than ten minutes the password is asked first', async () => {
    const ada = await portal.newcomer().join();
    portal.clock.advance(minutes(11));
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Enable Two-Factor Authentication');
    assert.equal(browser.page.heading, 'Confirm that it’s you');
    browser.fill('Password', 'not my own password');
    await browser.press('Continue');
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /That is not your password\./);
    browser.fill('Password', ada.password);
    await browser.press('Continue');
    assert.equal(browser.page.path, '/account/security/enable');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    await ada.keepRecoveryKey();
    assert.ok(browser.page.headings.includes('Two-Factor Authentication On'));
  });

  test('both methods: the app beside the code by email, one Recovery Key for both', async () => {
    const ada = await portal.newcomer().join();
    await ada.enableByEmail();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Add a method');
    assert.equal(browser.page.heading, 'Add a method');
    assert.ok(!browser.page.hasButton('Send verification code'), 'there is one code by email at most');
    await browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    assert.equal(browser.page.path, '/account/security', 'the key that Ada has stays the one');
    assert.match(browser.page.text, /The new method is ready\./);
    await ada.signOut();
    await ada.signIn({ by: 'app' });
    await ada.signOut();
    await ada.signIn({ by: 'email' });
  });

  test('where the policy has switched two-factor authentication off, the page says so instead of a button that fails', async () => {
    const off = await open();
    const ada = await off.newcomer().join();
    await ada.openSecurity();
    await off.setPolicy('off');
    await ada.browser.press('Enable Two-Factor Authentication');
    assert.match(ada.browser.page.text, /Example has switched two-factor authentication off, so it can’t be turned on now\./);
    await ada.browser.press('Back to Security and Credentials');
    assert.match(ada.browser.page.text, /so it can’t be turned on now\./);
    assert.ok(!ada.browser.page.hasButton('Enable Two-Factor Authentication'));
  });
});
