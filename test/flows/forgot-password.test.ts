// A forgotten password: from the link in the mail to signing in with the new one, and why a mailbox alone never opens a protected account.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { linkIn, type Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';

const NEW = 'six amber lanterns swing';

const choose = async (browser: Visitor, password = NEW): Promise<void> => {
  browser.fill('New password', password);
  await browser.press('Save new password');
};

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  const ask = async (email: string, browser = portal.browser()): Promise<Visitor> => {
    await browser.visit('/forgot-password');
    browser.fill('Email', email);
    await browser.press('Send the link');
    return browser;
  };
  const joined = (): Promise<Person> => portal.newcomer().join();

  test('PR-1, PR-2 by the link a new password is chosen; then the person signs in with it, and is signed out everywhere else', async () => {
    const ada = await joined();
    const browser = portal.browser();
    await browser.visit('/sign-in');
    await browser.press('Forgot password?');
    assert.equal(browser.page.path, '/forgot-password');
    browser.fill('Email', ada.email);
    await browser.press('Send the link');
    assert.equal(browser.page.heading, 'Check your email');
    assert.match(browser.page.text, /It works once, for 30 minutes\./);

    const mail = ada.newestMail();
    assert.equal(mail.subject, 'Choose a new password for Example');
    assert.match(mail.text, /If this was not you, there is nothing to do: your password stays as it is\./);
    await browser.visit(linkIn(mail.text));
    assert.match(String(browser.page.headers['referrer-policy']), /^(?:no-referrer|same-origin)$/, 'the link is told to no other site');
    assert.equal(browser.page.heading, 'Choose a new password');
    await browser.press('Continue');
    assert.ok(!browser.page.query.has('token'));
    await choose(browser);
    assert.equal(browser.page.path, '/sign-in', 'nobody is signed in by a link');
    assert.match(browser.page.text, /Your new password is set\. Sign in with it\./);
    assert.equal(ada.newestMail().subject, 'Your password for Example was reset');

    await ada.browser.reload();
    assert.equal(ada.browser.page.path, '/sign-in');
    await ada.enterPassword(browser);
    assert.equal(browser.page.status, 401, 'the old one is dead');
    ada.password = NEW;
    await ada.signIn({ browser });
  });

  test('PR-1 the link works once, the button and not the visit uses it up, and the page says what to do then', async () => {
    const ada = await joined();
    await ask(ada.email);
    const link = linkIn(ada.newestMail().text);
    const scanner = portal.browser();
    for (let visits = 0; visits < 3; visits += 1) await scanner.visit(link);
    const browser = portal.browser();
    await browser.visit(link);
    await browser.press('Continue');
    assert.ok(browser.page.hasButton('Save new password'), 'EC-11');
    await scanner.press('Continue');
    assert.equal(scanner.page.status, 410);
    assert.equal(scanner.page.heading, 'This link no longer works');
    await scanner.press('Send a new link');
    assert.equal(scanner.page.path, '/forgot-password');
    await choose(browser);
    await browser.back();
    assert.ok(!browser.page.hasButton('Save new password'));
    assert.match(browser.page.text, /If you have chosen a new password already, sign in with it/);
    await browser.press('Sign in');
    assert.equal(browser.page.path, '/sign-in');
  });

  test('PR-1 the link lapses after 30 minutes, and a newer one takes its place', async () => {
    const ada = await joined();
    await ask(ada.email);
    const first = linkIn(ada.newestMail().text);
    await ask(ada.email);
    const second = linkIn(ada.newestMail().text);
    const browser = portal.browser();
    await browser.visit(first);
    await browser.press('Continue');
    assert.equal(browser.page.status, 410);
    portal.clock.advance(minutes(29));
    await browser.visit(second);
    await browser.press('Continue');
    assert.ok(browser.page.hasButton('Save new password'));

    await ask(ada.email);
    portal.clock.advance(minutes(30));
    await browser.visit(linkIn(ada.newestMail().text));
    await browser.press('Continue');
    assert.equal(browser.page.status, 410);
    await ada.signIn({ browser: portal.browser() });
  });

  test('whoever sits over the new password for longer than half an hour is told that nothing was changed', async () => {
    const ada = await joined();
    const browser = portal.browser();
    await ada.openResetLink(browser);
    portal.clock.advance(minutes(31));
    await choose(browser);
    assert.equal(browser.page.status, 410);
    assert.equal(browser.page.heading, 'This link no longer works');
    await ada.signIn({ browser: portal.browser() });
  });

  test('RL-7 the page says the same whether or not there is an account; the mail tells the one who reads it', async () => {
    const ada = await joined();
    const [known, unknown] = [await ask(ada.email), await ask('nobody.at.all@example.org')];
    assert.equal(known.page.text, unknown.page.text);
    assert.match(known.page.text, /If that address has an account, a link to choose a new password is on its way\./);
    const mail = portal.mail.newestTo('nobody.at.all@example.org');
    assert.equal(mail.subject, 'No account at Example for this address');
    assert.match(mail.text, /there is no account with this address\. Perhaps you signed up with another one/);
    assert.equal(linkIn(mail.text), 'http://localhost:3000/sign-up');
  });

  test('what is no address is refused beside the field; too many links are refused with the time', async () => {
    const wrong = await ask('ada at example');
    assert.equal(wrong.page.status, 422);
    assert.match(wrong.page.alert, /Enter an email address such as name@example\.com\./);
    assert.equal(wrong.page.value('Email'), 'ada at example');

    const ada = await joined();
    const browser = portal.browser({ address: '203.0.113.130' });
    for (let asked = 0; asked < 6; asked += 1) await ask(ada.email, browser);
    await ask(ada.email, browser);
    assert.equal(browser.page.status, 429);
    assert.match(browser.page.alert, /Several mails were asked for already\. You can ask again in \d+ (?:minutes|seconds) \(at \d\d:\d\d UTC\)\./);
    await ada.signIn({ browser: portal.browser() });
  });

  test('PR-3 an account with an app: the link changes the password, and signing in still asks for the app', async () => {
    const ada = await (await joined()).enableByApp();
    const browser = portal.browser();
    await ada.openResetLink(browser);
    await choose(browser);
    assert.equal(browser.page.path, '/sign-in');
    ada.password = NEW;
    await ada.enterPassword(browser);
    assert.equal(browser.page.heading, 'Enter your code');
    await ada.enterCode(ada.phone.fresh(), { browser });
    assert.equal(browser.page.path, '/account');
  });

  test('PR-3 where codes by email are the second factor the mailbox would be both: the Recovery Key is asked for, and the next one kept', async () => {
    const ada = await (await joined()).enableByEmail();
    const used = ada.recoveryKey!;
    const browser = portal.browser();
    await ada.openResetLink(browser);
    assert.equal(browser.page.heading, 'Use your Recovery Key');
    await browser.visit('/forgot-password/new-password');
    assert.equal(browser.page.heading, 'Use your Recovery Key', 'there is no way around it');
    browser.fill('Recovery Key', '0123-4567-89AB-CDEF-GHJK-MNPQ-RS');
    await browser.press('Continue');
    assert.equal(browser.page.status, 422);
    browser.fill('Recovery Key', used);
    await browser.press('Continue');
    assert.equal(browser.page.heading, 'Save your next Recovery Key');
    await ada.keepRecoveryKey(browser);
    assert.ok(browser.page.hasButton('Save new password'));
    await choose(browser, 'too short');
    assert.equal(browser.page.status, 422, 'a password that can’t be is mended on the same page');
    await choose(browser);
    ada.password = NEW;
    await ada.signIn({ browser, by: 'email' });

    const elsewhere = portal.browser();
    await ada.signIn({ browser: elsewhere, by: 'recovery-key' });
    assert.notEqual(ada.recoveryKey, used);
  });

  test('PR-3 with an app beside codes by email, the app serves there as well', async () => {
    const ada = await (await joined()).enableByEmail();
    await ada.addApp();
    const browser = portal.browser();
    await ada.openResetLink(browser);
    assert.equal(browser.page.heading, 'Enter your code');
    await ada.enterCode(ada.phone.fresh(), { browser });
    await choose(browser);
    ada.password = NEW;
    await ada.signIn({ browser, by: 'app' });
  });

  test('whoever is signed in and has forgotten it finds the way where the password is asked for', async () => {
    const ada = await joined();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Change password');
    assert.ok(browser.page.hasButton('Forgot password?'));
    portal.clock.advance(minutes(11));
    await browser.reload();
    assert.equal(browser.page.heading, 'Confirm that it’s you');
    await browser.press('Forgot password?');
    browser.fill('Email', ada.email);
    await browser.press('Send the link');
    await browser.visit(linkIn(ada.newestMail().text));
    await browser.press('Continue');
    await choose(browser);
    assert.equal(browser.page.path, '/sign-in');
    ada.password = NEW;
    await ada.signIn();
  });

  test('whoever gives up half-way leaves everything as it was, the Recovery Key too', async () => {
    const ada = await (await joined()).enableByEmail();
    const browser = portal.browser();
    await ada.openResetLink(browser);
    browser.fill('Recovery Key', ada.recoveryKey!);
    await browser.press('Continue');
    await browser.press('Stop here');
    assert.equal(browser.page.path, '/sign-in');
    portal.clock.advance(minutes(31));
    const later = portal.browser();
    await ada.signIn({ browser: later, by: 'email' });
    await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
  });
});
