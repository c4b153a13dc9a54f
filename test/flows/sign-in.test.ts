// Flow 2 of the mission: signing in with two-factor authentication, by each factor and by another one than was meant.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { hours, minutes, seconds } from '../../src/platform/durations.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

const notThat = (code: string): string => (code === '135790' ? '135791' : '135790');

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  const withEmail = async (): Promise<Person> => (await portal.newcomer().join()).enableByEmail();
  const withApp = async (): Promise<Person> => (await portal.newcomer().join()).enableByApp();
  const withBoth = async (): Promise<Person> => {
    const ada = await withEmail();
    await ada.addApp();
    return ada;
  };

  test('flow 2, a code by email: it is sent with the password, and entering it opens the account', async () => {
    const ada = await withEmail();
    const browser = portal.browser();
    const mails = ada.mails().length;
    await ada.enterPassword(browser);
    assert.equal(browser.page.path, '/sign-in/verify');
    assert.equal(browser.page.heading, 'Check your email');
    assert.ok(browser.page.has(`We sent a code of six digits to ${ada.email}.`));
    assert.equal(ada.mails().length, mails + 1);
    browser.fill('Verification code', ada.newestCode());
    await browser.press('Continue');
    assert.equal(browser.page.path, '/account');
    assert.equal(browser.page.value('Name'), ada.name);
  });

  test('flow 2, the code of the authenticator app', async () => {
    const ada = await withApp();
    const browser = portal.browser();
    const mails = ada.mails().length;
    await ada.enterPassword(browser);
    assert.equal(browser.page.heading, 'Enter your code');
    assert.match(browser.page.text, /Open your authenticator app and enter the six digits it shows for Example\./);
    browser.fill('Verification code', ada.phone.fresh());
    await browser.press('Continue');
    assert.equal(browser.page.path, '/account');
    assert.equal(ada.mails().length, mails, 'an app needs no mail');
  });

  test('flow 2, the Recovery Key: by "Try another way"; the next one is handed out before going on', async () => {
    const ada = await withApp();
    const old = ada.recoveryKey!;
    const browser = portal.browser();
    await ada.enterPassword(browser);
    await browser.press('Try another way');
    assert.equal(browser.page.heading, 'Choose how to go on');
    await browser.press(browser.page.buttonStartingWith('Recovery Key'));
    assert.equal(browser.page.heading, 'Use your Recovery Key');
    browser.fill('Recovery Key', old);
    await browser.press('Continue');
    assert.equal(browser.page.heading, 'Save your next Recovery Key');
    await browser.visit('/account');
    assert.equal(browser.page.path, '/sign-in', 'nothing opens before the next key is kept');
    await browser.visit('/sign-in/verify');
    assert.equal(browser.page.heading, 'Save your next Recovery Key');
    await ada.keepRecoveryKey(browser);
    assert.notEqual(ada.recoveryKey, old);
    assert.equal(browser.page.path, '/account/security');
    assert.match(browser.page.text, /You used your Recovery Key, and have the next one\. If you lost a phone, remove or replace its app below/);
  });

  test('AX-2 the field for a code can be filled by the phone, and the one for the password by a password manager', async () => {
    const ada = await withEmail();
    const browser = portal.browser();
    await browser.visit('/sign-in');
    assert.equal(browser.page.field('Email').getAttribute('autocomplete'), 'username');
    assert.equal(browser.page.field('Password').getAttribute('autocomplete'), 'current-password');
    await ada.enterPassword(browser);
    const code = browser.page.field('Verification code');
    assert.equal(code.getAttribute('autocomplete'), 'one-time-code');
    assert.equal(code.getAttribute('inputmode'), 'numeric');
    assert.equal(code.getAttribute('maxlength'), undefined, 'a paste with spaces goes in whole');
  });

  test('codes go in with spaces, dashes and digits of other keyboards, as they are pasted and typed', async () => {
    const ada = await withApp();
    const shapes = [
      (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`,
      (code: string) => `${code.slice(0, 3)}-${code.slice(3)}`,
      (code: string) => `\t${code}\u00a0`,
      (code: string) => code.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    ];
    for (const shape of shapes) {
      const browser = portal.browser();
      await ada.enterPassword(browser);
      await ada.enterCode(shape(ada.phone.fresh()), { browser });
      assert.equal(browser.page.path, '/account', shape('123456'));
    }
  });

  test('"Try another way" lists all that the account has, the strongest first, and each leads to its page', async () => {
    const ada = await withBoth();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    assert.equal(browser.page.heading, 'Enter your code', 'the strongest is asked for first');
    const mails = ada.mails().length;
    await browser.press('Try another way');
    const names = browser.page.buttons.filter((name) => /^(Code by email|Authenticator app|Recovery Key)/.test(name)).map((name) => name.slice(0, 13));
    assert.deepEqual(names, ['Authenticator', 'Code by email', 'Recovery Key ']);
    assert.equal(ada.mails().length, mails, 'no code is sent to whoever only looks');

    await ada.chooseWay('recovery-key', browser);
    await ada.chooseWay('email', browser);
    assert.equal(ada.mails().length, mails + 1);
    await ada.chooseWay('app', browser);
    await ada.chooseWay('email', browser);
    assert.equal(ada.mails().length, mails + 1, 'the code that is on its way is not sent a second time');
    await ada.enterCode(ada.newestCode(), { browser });
    assert.equal(browser.page.path, '/account');
  });

  test('a wrong password and an unknown address are one answer, which keeps the address and shows the way out', async () => {
    const ada = await portal.newcomer().join();
    const answers = [];
    for (const email of [ada.email, 'nobody.here@example.org']) {
      const browser = portal.browser({ address: `203.0.113.${answers.length + 1}` });
      await browser.visit('/sign-in');
      browser.fill('Email', email);
      browser.fill('Password', 'the wrong words entirely');
      await browser.press('Sign in');
      assert.equal(browser.page.status, 401);
      assert.equal(browser.page.value('Email'), email);
      assert.equal(browser.page.value('Password'), '');
      assert.ok(browser.page.hasButton('Forgot password?'));
      answers.push(browser.page.text);
    }
    assert.equal(answers[0], answers[1]);
    assert.match(answers[0]!, /That email and password do not go together\. Check both and try again\./);
  });

  test('the address may be typed in any case and with spaces around it', async () => {
    const ada = await portal.newcomer().join();
    const browser = portal.browser();
    await browser.visit('/sign-in');
    browser.fill('Email', `  ${ada.email.toUpperCase()} `);
    browser.fill('Password', ada.password);
    await browser.press('Sign in');
    assert.equal(browser.page.path, '/account');
  });

  test('whoever came for a page of the account gets there after both steps', async () => {
    const ada = await withEmail();
    const browser = portal.browser();
    await browser.visit('/account/sessions');
    assert.equal(browser.page.path, '/sign-in');
    browser.fill('Email', ada.email);
    browser.fill('Password', ada.password);
    await browser.press('Sign in');
    await ada.enterCode(ada.newestCode(), { browser });
    assert.equal(browser.page.path, '/account/sessions');
    await browser.visit('/sign-in');
    assert.equal(browser.page.path, '/account', 'who is signed in need not sign in');
  });

  test('"Not you?" ends what was begun, and the page before cannot go on with it', async () => {
    const ada = await withEmail();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    assert.ok(browser.page.has(ada.email));
    await browser.press('Not you?');
    assert.equal(browser.page.heading, 'Start again?');
    await browser.press('Go back');
    assert.equal(browser.page.heading, 'Check your email');
    await browser.press('Not you?');
    await browser.press('Start again');
    assert.equal(browser.page.path, '/sign-in');
    await browser.visit('/sign-in/verify');
    assert.equal(browser.page.path, '/sign-in');
  });

  test('TO-4 a code that signed in once is refused with the reason, and the next one serves', async () => {
    const ada = await withApp();
    const code = ada.phone.fresh();
    await ada.enterPassword(portal.browser());
    const [first, second] = [portal.browser(), portal.browser()];
    for (const browser of [first, second]) {
      await ada.enterPassword(browser);
      await ada.enterCode(code, { browser });
    }
    assert.equal(first.page.path, '/account');
    assert.equal(second.page.status, 422);
    assert.match(second.page.alert, /That code was used already\. Wait until your app shows a new one, and enter that\./);
    await ada.enterCode(ada.phone.fresh(), { browser: second });
    assert.equal(second.page.path, '/account');
  });

  test('TO-3 a phone whose clock is half a minute off still gets in; more than that is told what to check', async () => {
    const ada = await withApp();
    for (const drift of [seconds(-30), seconds(30)]) {
      portal.clock.advance(minutes(2));
      const browser = portal.browser();
      await ada.enterPassword(browser);
      await ada.enterCode(ada.phone.shows(portal.clock.now() + drift), { browser });
      assert.equal(browser.page.path, '/account', `${drift}`);
    }
    portal.clock.advance(minutes(10));
    for (const drift of [seconds(-60), seconds(60)]) {
      const browser = portal.browser();
      await ada.enterPassword(browser);
      await ada.enterCode(ada.phone.shows(portal.clock.now() + drift), { browser });
      assert.equal(browser.page.status, 422, `${drift}`);
      assert.match(browser.page.alert, /check that your phone sets its time by itself/);
    }
  });

  test('EC-3 an emailed code serves once, and a newer one takes its place', async () => {
    const ada = await withEmail();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    const first = ada.newestCode();
    portal.clock.advance(seconds(30));
    await browser.reload();
    await browser.press('Send again');
    const second = ada.newestCode();
    await ada.enterCode(first, { browser });
    assert.match(browser.page.alert, /Look for the newest mail from us: only its code works\./);
    await ada.enterCode(second, { browser });
    assert.equal(browser.page.path, '/account');
  });

  test('EC-4 a code of one browser does not open another, which has its own mail', async () => {
    const ada = await withEmail();
    const [mine, other] = [portal.browser(), portal.browser()];
    await ada.enterPassword(mine);
    const code = ada.newestCode();
    await ada.enterPassword(other);
    await ada.enterCode(code, { browser: other });
    assert.equal(other.page.status, 422);
    await ada.enterCode(code, { browser: mine });
    assert.equal(mine.page.path, '/account');
  });

  test('EC-6 after five wrong codes by email the page offers a new start and the other ways, and each of them works', async () => {
    const ada = await withEmail();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    const wrong = notThat(ada.newestCode());
    for (let tries = 0; tries < 5; tries += 1) await ada.enterCode(wrong, { browser });
    assert.match(browser.page.alert, /That was wrong too often, so this has ended to protect your account\. Start again, or try another way\./);
    assert.ok(browser.page.hasButton('Start again'));
    await ada.showSecondFactor('recovery-key', browser);
    assert.equal(browser.page.path, '/account/security');

    const later = portal.browser();
    portal.clock.advance(minutes(1));
    await ada.signIn({ browser: later, by: 'email' });
  });

  test('RL-1, RK-5 after the fifth wrong code of the app one starts again at the password, is told how long to wait, and the other ways stay open', async () => {
    const ada = await withBoth();
    const browser = portal.browser();
    portal.clock.advance(seconds(30));
    await ada.enterPassword(browser);
    for (let tries = 0; tries < 5; tries += 1) {
      await ada.enterCode(notThat(ada.phone.shows()), { browser });
      assert.equal(browser.page.status, 422);
    }
    assert.match(browser.page.alert, /^That was wrong too often, so this has ended to protect your account\./);
    await browser.press('Start again');
    await ada.enterPassword(browser);
    await ada.enterCode(ada.phone.shows(), { browser });
    assert.equal(browser.page.status, 429, 'also for the right one');
    assert.match(browser.page.alert, /^There were too many wrong tries\. You can try again in 30 seconds \(at \d\d:\d\d UTC\)\. Other ways still work\.$/);
    await ada.showSecondFactor('email', browser);
    assert.equal(browser.page.path, '/account');

    portal.clock.advance(seconds(31));
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('RL-3 after wrong passwords the page says when to try again, and the browser that the account knows is not held up', async () => {
    const ada = await withApp();
    const stranger = portal.browser({ address: '203.0.113.200' });
    for (let tries = 0; tries < 5; tries += 1) await ada.enterPassword(stranger, 'a guess that is wrong');
    await ada.enterPassword(stranger, 'a guess that is wrong');
    assert.equal(stranger.page.status, 429);
    assert.match(stranger.page.alert, /There were too many tries\. You can try again in 30 seconds \(at \d\d:\d\d UTC\)\./);
    await ada.signOut();
    await ada.signIn({ by: 'app' });
  });

  test('RL-8 after three wrong second steps behind a right password the owner is told by mail what to do', async () => {
    const ada = await withApp();
    const browser = portal.browser({ userAgent: 'Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0', address: '203.0.113.50' });
    await ada.enterPassword(browser);
    const mails = ada.mails().length;
    for (let tries = 0; tries < 3; tries += 1) await ada.enterCode(notThat(ada.phone.shows()), { browser });
    assert.equal(ada.mails().length, mails + 1);
    const { subject, text } = ada.newestMail();
    assert.equal(subject, 'Somebody could not finish signing in to Example');
    assert.match(text, /Firefox on Windows, address 203\.0\.113\.50/);
    assert.match(text, /They could not get in\. Change your password now\./);
  });

  test('whoever takes longer than half an hour over the second step is told so and starts again', async () => {
    const ada = await withApp();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    portal.clock.advance(minutes(31));
    await ada.enterCode(ada.phone.fresh(), { browser });
    assert.equal(browser.page.path, '/sign-in');
    assert.match(browser.page.text, /That took too long, or was finished elsewhere\. Please sign in again\./);
    await browser.reload();
    assert.doesNotMatch(browser.page.text, /took too long/, 'it is said once');
    await ada.signIn({ browser, by: 'app' });
  });

  test('without two-factor authentication the password opens the account', async () => {
    const ada = await portal.newcomer().join();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    assert.equal(browser.page.path, '/account');
  });

  test('SE-4 who signed in with an authenticator app and stays away for an hour is asked again, and told why', async () => {
    const ada = await withApp();
    const browser = portal.browser();
    await ada.signIn({ browser, by: 'app' });
    portal.clock.advance(minutes(59));
    await browser.reload();
    assert.equal(browser.page.path, '/account');
    portal.clock.advance(hours(1));
    await browser.reload();
    assert.equal(browser.page.path, '/sign-in');
    assert.match(browser.page.text, /You were signed out because you had been away for a while/);
  });

  test('"Sign out" is in the profile menu of every page, and afterwards the back button shows nothing', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Send verification code');
    for (const path of [
      '/account',
      '/account/security',
      '/account/sessions',
      '/account/email',
      '/account/security/password',
      '/account/security/enable',
      '/account/security/set-up/code',
      '/verify-email',
    ]) {
      await browser.visit(path);
      assert.equal(browser.page.path, path);
      await browser.press('Profile');
      assert.ok(browser.page.hasButton('Sign out'), path);
      assert.ok(browser.page.hasButton('Manage Account'), path);
    }
    await browser.press('Sign out');
    assert.equal(browser.page.path, '/sign-in');
    assert.match(browser.page.text, /You are signed out\./);
    await browser.back();
    assert.equal(browser.page.path, '/sign-in');
  });
});
