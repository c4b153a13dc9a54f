// Flow 3 of the mission: "Disable", word for word, with the fresh proof that it needs, and refused where the policy requires two factors.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { minutes, seconds } from '../../src/platform/durations.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  test('flow 3, by the printed steps: from the profile icon to "Finish", and the password alone signs in', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const { browser } = ada;
    await browser.visit('/account');
    await browser.press('Profile');
    await browser.press('Manage Account');
    await browser.press('Security and Credentials');
    assert.ok(browser.page.headings.includes('Two-Factor Authentication On'));
    await browser.press('Disable');
    assert.match(browser.page.text, /Your password alone will sign you in\. Your methods are removed and your Recovery Key stops working\./);
    await browser.press('Send verification code');
    assert.ok(browser.page.has(`We sent a code of six digits to ${ada.email}.`));
    browser.fill('Verification code', ada.newestCode());
    await browser.press('Finish');
    assert.equal(browser.page.path, '/account/security');
    assert.match(browser.page.text, /Two-factor authentication is off\. Your password alone signs you in\./);
    assert.ok(browser.page.headings.includes('Two-Factor Authentication Off'));
    assert.ok(!browser.page.headings.includes('Recovery Key'));
    assert.equal(ada.newestMail().subject, 'Two-factor authentication is off for Example');

    await ada.signOut();
    await ada.enterPassword();
    assert.equal(browser.page.path, '/account');
  });

  test('enabled once more, everything is new: the old Recovery Key and the old app open nothing', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const [oldKey, oldPhone] = [ada.recoveryKey!, ada.phone];
    await ada.disable();
    await ada.enableByApp();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    await ada.enterCode(oldPhone.fresh(), { browser });
    assert.equal(browser.page.status, 422);
    await ada.chooseWay('recovery-key', browser);
    browser.fill('Recovery Key', oldKey);
    await browser.press('Continue');
    assert.equal(browser.page.status, 422);
    await ada.chooseWay('app', browser);
    await ada.enterCode(ada.phone.fresh(), { browser });
    assert.equal(browser.page.path, '/account');
  });

  test('SE-5 disabling signs all other browsers out', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const other = portal.browser();
    await ada.signIn({ browser: other, by: 'app' });
    await ada.disable();
    await other.reload();
    assert.equal(other.page.path, '/sign-in');
    assert.equal((await ada.openSecurity()).path, '/account/security');
  });

  test('FC-1 with a proof older than ten minutes the password and the app are asked first, beside the emailed code of the printed steps', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const { browser } = ada;
    portal.clock.advance(minutes(11));
    await ada.openSecurity();
    await browser.press('Disable');
    assert.equal(browser.page.heading, 'Confirm that it’s you');
    assert.match(browser.page.text, /Your second step is asked for too\./);
    browser.fill('Password', ada.password);
    await browser.press('Continue');
    assert.equal(browser.page.path, '/account/confirm/verify');
    assert.equal(browser.page.heading, 'Enter your code');
    await ada.enterCode(ada.phone.fresh());
    assert.equal(browser.page.path, '/account/security/disable');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode(), { button: 'Finish' });
    assert.match(browser.page.text, /Two-factor authentication is off\./);
  });

  test('whoever lost the phone confirms with the Recovery Key, keeps the next one, and can go on to disable', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const { browser } = ada;
    portal.clock.advance(minutes(11));
    await ada.openSecurity();
    await browser.press('Disable');
    browser.fill('Password', ada.password);
    await browser.press('Continue');
    await ada.showSecondFactor('recovery-key');
    assert.equal(browser.page.path, '/account/security/disable');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode(), { button: 'Finish' });
    assert.match(browser.page.text, /Two-factor authentication is off\./);
  });

  test('FC-7 where the policy requires two factors, disabling is refused with the reason, and so is its form', async () => {
    const strict = await open();
    const ada = await (await strict.newcomer().join()).enableByApp();
    const { browser } = ada;
    await strict.setPolicy('required');
    await ada.openSecurity();
    assert.match(browser.page.text, /After your password you also show one of these\. Example asks you for it\./);
    await browser.press('Disable');
    assert.match(browser.page.alert, /Example asks you for two-factor authentication, so it can’t be disabled\. Your administrator decides this\./);
    assert.ok(!browser.page.hasButton('Send verification code'));
    const mails = ada.mails().length;
    await browser.post('/account/security/disable');
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /it can’t be disabled/);
    assert.equal(ada.mails().length, mails);
    await browser.press('Back to Security and Credentials');
    assert.ok(browser.page.headings.includes('Two-Factor Authentication On'));
  });

  test('FC-7 nor when the policy came to require it while the code was on its way: the page says why', async () => {
    const strict = await open();
    const ada = await (await strict.newcomer().join()).enableByEmail();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Disable');
    await browser.press('Send verification code');
    await strict.setPolicy('required');
    await ada.enterCode(ada.newestCode(), { button: 'Finish' });
    assert.match(browser.page.alert, /so it can’t be disabled/);
    await ada.openSecurity();
    assert.ok(browser.page.headings.includes('Two-Factor Authentication On'));
    await ada.signIn({ browser: strict.browser(), by: 'email' });
  });

  test('where the policy is switched off, what people have is still asked for, and they can disable it', async () => {
    const lax = await open();
    const ada = await (await lax.newcomer().join()).enableByApp();
    await lax.setPolicy('off');
    const browser = lax.browser();
    await ada.enterPassword(browser);
    assert.equal(browser.page.path, '/sign-in/verify');
    await ada.enterCode(ada.phone.fresh(), { browser });
    await ada.disable(browser);
    assert.match(browser.page.text, /Example has switched two-factor authentication off, so it can’t be turned on now\./);
  });

  test('a wrong code disables nothing; "Cancel" neither', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Disable');
    await browser.press('Send verification code');
    const code = ada.newestCode();
    await ada.enterCode(code === '246801' ? '246802' : '246801', { button: 'Finish' });
    assert.equal(browser.page.status, 422);
    await browser.press('Cancel');
    assert.ok(browser.page.headings.includes('Two-Factor Authentication On'));
  });

  test('EC-4 a code that was sent to sign in does not disable', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    await ada.enterPassword(portal.browser());
    const toSignIn = ada.newestCode();
    portal.clock.advance(seconds(30));
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Disable');
    await browser.press('Send verification code');
    assert.notEqual(ada.newestCode(), toSignIn);
    await ada.enterCode(toSignIn, { button: 'Finish' });
    assert.equal(browser.page.status, 422);
    await ada.enterCode(ada.newestCode(), { button: 'Finish' });
    assert.match(browser.page.text, /Two-factor authentication is off\./);
  });

  test('whoever opens the page of disabling when nothing is on is told so', async () => {
    const ada = await portal.newcomer().join();
    await ada.browser.visit('/account/security/disable');
    assert.match(ada.browser.page.text, /Two-factor authentication is off already\./);
    assert.ok(!ada.browser.page.hasButton('Send verification code'));
    await ada.browser.press('Back to Security and Credentials');
    assert.equal(ada.browser.page.path, '/account/security');
  });
});
