// Signing up, and verifying the address: what a newcomer meets, and what someone meets who has been here before.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  test('a newcomer creates an account, enters the code from their mail, and is led on to protect it', async () => {
    const ada = portal.newcomer();
    const { browser } = ada;
    await browser.visit('/');
    assert.equal(browser.page.path, '/sign-in');
    await browser.press('Create an account');
    assert.equal(browser.page.path, '/sign-up');
    assert.equal(browser.page.heading, 'Create your account');
    browser.fill('Name', ada.name);
    browser.fill('Email', ada.email);
    browser.fill('Password', ada.password);
    await browser.press('Create account');

    assert.equal(browser.page.heading, 'Check your email');
    assert.ok(browser.page.has(`We sent a code of six digits to ${ada.email}.`));
    assert.equal(ada.mails().length, 1);
    browser.fill('Verification code', ada.newestCode());
    await browser.press('Continue');
    assert.equal(browser.page.path, '/verify-email');
    assert.equal(browser.page.heading, 'Your email is verified');

    await browser.press('Security and Credentials');
    assert.ok(browser.page.hasButton('Enable Two-Factor Authentication'));
    await browser.visit('/account');
    assert.ok(browser.page.has(`${ada.email}`));
    assert.ok(browser.page.has('Email verified'));
  });

  test('the code may be pasted with spaces or dashes, as mail programs and phones write it', async () => {
    for (const spaced of [(code: string) => `${code.slice(0, 3)} ${code.slice(3)}`, (code: string) => ` ${code.slice(0, 3)}-${code.slice(3)} `]) {
      const ada = await portal.newcomer().signUp();
      await ada.enterCode(spaced(ada.newestCode()));
      assert.equal(ada.browser.page.heading, 'Your email is verified');
    }
  });

  test('what was typed wrong is said beside its field and once more at the top, and nothing else has to be typed again', async () => {
    const { browser, name, email } = portal.newcomer();
    await browser.visit('/sign-up');
    browser.fill('Name', name);
    browser.fill('Email', 'ada at example.org');
    browser.fill('Password', 'too short');
    await browser.press('Create account');
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /Enter an email address such as name@example\.com\./);
    assert.match(browser.page.alert, /Use at least 15 characters\./);
    for (const label of ['Email', 'Password']) {
      const field = browser.page.field(label);
      assert.equal(field.getAttribute('aria-invalid'), 'true', label);
      const [error] = field.getAttribute('aria-describedby')!.split(' ');
      assert.notEqual(browser.page.root.querySelector(`#${error}`)?.text.trim() ?? '', '', label);
    }
    assert.equal(browser.page.field('Name').getAttribute('aria-invalid'), undefined);
    assert.equal(browser.page.value('Name'), name);
    assert.equal(browser.page.value('Email'), 'ada at example.org');
    assert.equal(browser.page.value('Password'), '', 'a password is never sent back');

    browser.fill('Email', email);
    browser.fill('Password', 'nine patient otters');
    await browser.press('Create account');
    assert.equal(browser.page.heading, 'Check your email');
  });

  test('an empty form says of each field what it is for', async () => {
    const { browser } = portal.newcomer();
    await browser.visit('/sign-up');
    await browser.press('Create account');
    assert.equal(browser.page.status, 422);
    for (const sentence of ['Enter your name.', 'Enter your email.', 'Enter a password.']) assert.ok(browser.page.alert.includes(sentence), sentence);
  });

  test('"Do this later": the account is open, says that it is not verified and why that matters, and the code still serves', async () => {
    const ada = await portal.newcomer().signUp();
    const { browser } = ada;
    await browser.press('Do this later');
    assert.equal(browser.page.path, '/account');
    assert.ok(browser.page.has('not verified'));
    await browser.press('Verify email');
    assert.equal(browser.page.heading, 'Verify your email');
    assert.ok(browser.page.has(ada.email));
    await browser.press('Do this later');

    // Back at the page of the code, what was sent first has not been forgotten.
    await browser.visit('/verify-email/code');
    await ada.enterCode(ada.newestCode());
    assert.equal(browser.page.heading, 'Your email is verified');
  });

  test('"Wrong address?": who made a slip in it puts it right on the spot, and the account is that one’s', async () => {
    const ada = await portal.newcomer().signUp();
    const { browser } = ada;
    await browser.press('Wrong address?');
    assert.equal(browser.page.heading, 'Change email');
    ada.email = `right-${ada.email}`;
    browser.fill('Email', ada.email);
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    assert.match(browser.page.text, new RegExp(`Email verified ${ada.email}`));
    await ada.signOut();
    await ada.signIn();
  });

  test('later means also days later: a new code is sent, and the old one is no longer good', async () => {
    const ada = await portal.newcomer().signUp();
    const old = ada.newestCode();
    await ada.signOut();
    portal.clock.advance(minutes(60 * 24 * 2));
    await ada.signIn();
    await ada.browser.press('Verify email');
    await ada.browser.press('Send verification code');
    assert.notEqual(ada.newestCode(), old);
    await ada.enterCode(old);
    assert.equal(ada.browser.page.status, 422);
    assert.match(ada.browser.page.alert, /only its code works/);
    await ada.enterCode(ada.newestCode());
    assert.equal(ada.browser.page.heading, 'Your email is verified');
  });

  test('EC-2 a code that lay in the mailbox for ten minutes is refused with the way to a new one', async () => {
    const ada = await portal.newcomer().signUp();
    portal.clock.advance(minutes(10));
    await ada.enterCode(ada.newestCode());
    assert.equal(ada.browser.page.status, 422);
    assert.match(ada.browser.page.alert, /no longer good.*Press “Send again” for a new one/);
    await ada.browser.press('Send again');
    assert.equal(ada.mails().length, 2);
    await ada.enterCode(ada.newestCode());
    assert.equal(ada.browser.page.heading, 'Your email is verified');
  });

  test('EC-6 after five wrong codes the page leads to a new start, and that one works', async () => {
    const ada = await portal.newcomer().signUp();
    const { browser } = ada;
    const right = ada.newestCode();
    const wrong = right === '000000' ? '000001' : '000000';
    for (let tries = 1; tries <= 4; tries += 1) {
      await ada.enterCode(wrong);
      assert.equal(browser.page.status, 422);
      assert.match(browser.page.alert, /That code was not right/);
      assert.equal(browser.page.value('Verification code'), wrong, 'so that a slip can be mended');
    }
    await ada.enterCode(wrong);
    assert.match(browser.page.alert, /wrong too often/);
    await browser.reload();
    assert.match(browser.page.alert, /wrong too often/, 'a reload says the same');
    await browser.post('/verify-email/code', { code: right });
    assert.equal(browser.page.heading, 'Check your email', 'the sixth try is refused though it is right');

    portal.clock.advance(minutes(1));
    await browser.press('Start again');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    assert.equal(browser.page.heading, 'Your email is verified');
  });

  test('whoever signs up again with an address that has an account is told once they have shown that the mailbox is theirs', async () => {
    const ada = await portal.newcomer().join();
    const again = portal.newcomer({ email: ada.email.toUpperCase(), name: 'Ada Once More', password: 'four brisk walruses sing' });
    await again.signUp();
    assert.equal(again.browser.page.heading, 'Check your email', 'as for anybody: the page tells nobody that there is an account');
    await again.enterCode(portal.mail.newestCode(again.email));
    assert.equal(again.browser.page.heading, 'You already have an account');

    await again.browser.press('Sign in');
    assert.equal(again.browser.page.path, '/sign-in', 'the second account is gone, and nobody is signed in');
    again.browser.fill('Email', ada.email);
    again.browser.fill('Password', again.password);
    await again.browser.press('Sign in');
    assert.equal(again.browser.page.status, 401);
    assert.equal((await ada.signIn({ browser: again.browser })).path, '/account', 'the first password is the account’s');
    assert.equal(again.browser.page.value('Name'), ada.name);
  });

  test('from there, "Forgot password?" leads to a new one', async () => {
    const ada = await portal.newcomer().join();
    const again = await portal.newcomer({ email: ada.email }).signUp();
    await again.enterCode(ada.newestCode());
    await again.browser.press('Forgot password?');
    assert.equal(again.browser.page.heading, 'Forgot your password?');
  });

  test('two people begin to sign up with one address: it belongs to whoever reads the mail', async () => {
    const ada = portal.newcomer();
    const stranger = await portal.newcomer({ email: ada.email }).signUp();
    await ada.signUp();
    await ada.verifyEmail();
    await stranger.browser.visit('/account');
    assert.equal(stranger.browser.page.path, '/sign-in', 'what the stranger began is gone');
    await stranger.enterPassword();
    assert.equal(stranger.browser.page.status, 401);
    assert.equal((await ada.signIn({ browser: portal.browser() })).path, '/account');
  });

  test('an account that is not verified opens only in the browser that made it, and elsewhere the mail says what to do', async () => {
    const ada = await portal.newcomer().signUp();
    await ada.signOut();
    await ada.signIn();
    const elsewhere = portal.browser({ address: '203.0.113.77' });
    await ada.enterPassword(elsewhere);
    assert.equal(elsewhere.page.status, 401);
    assert.match(elsewhere.page.alert, /That email and password do not go together/);
    await elsewhere.press('Forgot password?');
    elsewhere.fill('Email', ada.email);
    await elsewhere.press('Send the link');
    assert.match(ada.newestMail().text, /have not finished signing up/);
    assert.match(ada.newestMail().text, /http:\/\/localhost:3000\/sign-up/);
  });

  test('someone who mistyped the address mends it, and the right one is verified by that', async () => {
    const ada = await portal.newcomer({ email: 'ada.mistyped@example.org' }).signUp();
    const { browser } = ada;
    await browser.press('Do this later');
    await browser.press('Change email');
    browser.fill('Email', 'ada.right@example.org');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode('ada.right@example.org'));
    assert.equal(browser.page.path, '/account');
    assert.ok(browser.page.has('ada.right@example.org'));
    assert.ok(browser.page.has('Email verified'));
    assert.equal(ada.mails().length, 1, 'the wrong address got its code, and does not learn of the right one');
  });
});
