// Flow 4 of the mission: the Recovery Key, from the file that a person keeps to the day on which everything else is lost.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { days, minutes } from '../../src/platform/durations.ts';
import { dateOf } from '../../src/platform/words/times.ts';
import { keyInFile, type Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  const withApp = async (): Promise<Person> => (await portal.newcomer().join()).enableByApp();

  /** Enters a password and a Recovery Key in a browser, and leaves it where that leads. */
  const tryKey = async (ada: Person, key: string, browser: Visitor = portal.browser()): Promise<Visitor> => {
    await ada.enterPassword(browser);
    await ada.chooseWay('recovery-key', browser);
    browser.fill('Recovery Key', key);
    await browser.press('Continue');
    return browser;
  };

  test('the file says what it is, for which account and site, when it was made and how to use it, and holds the key of the page', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    const { name, type, text } = await ada.downloadRecoveryKey();
    assert.match(name, /\.txt$/);
    assert.match(type, /^text\/plain/);
    const key = keyInFile(text);
    assert.match(key, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{2,4})+$/);
    assert.equal(key.replaceAll('-', '').length, 26, 'RK-1');
    assert.ok(browser.page.has(key));
    for (const line of ['Recovery Key for Example', `Account:  ${ada.email}`, 'Site:     http://localhost:3000', 'Made on:  2 February 2027 at 09:'])
      assert.ok(text.includes(line), line);
    assert.match(text, /gets you back in/);
    assert.match(text, /http:\/\/localhost:3000\/sign-in/);
    for (const step of ['Try another way', 'Recovery Key', 'Create new Recovery Key']) assert.ok(text.includes(`"${step}"`), step);
    assert.ok(browser.page.hasButton('Finish'));
    assert.ok(browser.page.hasButton('Download'), 'a second download is no harm');
    assert.equal(keyInFile((await ada.downloadRecoveryKey()).text), key);
    await browser.press('Finish');

    // What the file tells to do works as it says.
    await tryKey(ada, key, browser.fork());
  });

  test('flow 4, "Create new Recovery Key": the old one is good until "Finish" and not after', async () => {
    const ada = await withApp();
    const old = ada.recoveryKey!;
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Create new Recovery Key');
    assert.match(browser.page.text, /The key that you have keeps working until you have saved the new one and pressed “Finish”\./);
    await browser.press('Send verification code');
    browser.fill('Verification code', ada.newestCode());
    await browser.press('Continue');
    const { text } = await ada.downloadRecoveryKey();
    const next = keyInFile(text);
    assert.notEqual(next, old);
    const early = await tryKey(ada, next);
    assert.equal(early.page.status, 422, 'the new one is nothing before "Finish"');
    await browser.press('Finish');
    assert.match(browser.page.text, /Your new Recovery Key is ready\. The old one no longer works\./);
    assert.equal(ada.newestMail().subject, 'You have a new Recovery Key for Example');

    const late = await tryKey(ada, old);
    assert.equal(late.page.status, 422);
    assert.match(late.page.alert, /That key was not right\. If you have saved more than one, the newest that you finished with is the one that works\./);
    const right = await tryKey(ada, next);
    assert.equal(right.page.heading, 'Save your next Recovery Key');
  });

  test('Security and Credentials says when the key was made that serves now, whichever way it took the place of the last', async () => {
    const ada = await withApp();
    const { browser } = ada;
    const made = async (): Promise<string | undefined> => /Recovery Key.*Ready Made (\d+ \w+ \d+)\./.exec((await ada.openSecurity()).text)?.[1];
    assert.equal(await made(), dateOf(portal.clock.now()));
    portal.clock.advance(days(40));
    await ada.signIn({ by: 'app' });
    assert.equal(await made(), dateOf(portal.clock.now() - days(40)));
    await browser.press('Create new Recovery Key');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    await ada.keepRecoveryKey();
    assert.equal(await made(), dateOf(portal.clock.now()));
    portal.clock.advance(days(40));
    await ada.signIn({ by: 'recovery-key' });
    assert.equal(await made(), dateOf(portal.clock.now()));
  });

  test('RK-11 whoever leaves at any step before "Finish" keeps the old one', async () => {
    const ada = await withApp();
    const { browser } = ada;
    const steps = [
      async () => browser.press('Create new Recovery Key'),
      async () => browser.press('Send verification code'),
      async () => ada.enterCode(ada.newestCode()),
      async () => ada.downloadRecoveryKey(),
    ];
    await ada.openSecurity();
    for (const [done, step] of steps.entries()) {
      await step();
      portal.clock.advance(minutes(1));
      const elsewhere = await tryKey(ada, ada.recoveryKey!);
      assert.equal(elsewhere.page.heading, 'Save your next Recovery Key', `after step ${done + 1}`);
      await ada.keepRecoveryKey(elsewhere);
    }
  });

  test('"Finish" wants the new key saved first; "Cancel" leaves the old one', async () => {
    const ada = await withApp();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Create new Recovery Key');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    await browser.press('Finish');
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /Save the key first/);
    await browser.press('Cancel');
    assert.equal(browser.page.path, '/account/security');
    assert.equal((await tryKey(ada, ada.recoveryKey!)).page.heading, 'Save your next Recovery Key');
  });

  test('RK-9 it may be typed in any case, with spaces, other dashes or none, and with the letters that look like digits', async () => {
    const ada = await withApp();
    const ways: [string, (key: string) => string][] = [
      ['small letters', (key) => key.toLowerCase()],
      ['without dashes', (key) => key.replaceAll('-', '')],
      ['spaces around and within', (key) => `  ${key.replaceAll('-', ' ')}\t`],
      ['in twos, with long dashes', (key) => key.replaceAll('-', '').replace(/..(?=.)/g, '$&\u2013')],
      ['broken over two lines', (key) => key.replace(/-(?=[^-]*-[^-]*$)/, '-\r\n')],
      ['O for 0', (key) => key.replaceAll('0', 'O')],
      ['small o for 0', (key) => key.replaceAll('0', 'o')],
      ['I for 1', (key) => key.replaceAll('1', 'I')],
      ['small l for 1', (key) => key.replaceAll('1', 'l')],
    ];
    const untried = new Map(ways);
    // Not each key has a 0 or a 1: each is typed in a way that writes it otherwise.
    for (let keys = 0; untried.size > 0; keys += 1) {
      const [way, write] = [...untried].find(([, one]) => one(ada.recoveryKey!) !== ada.recoveryKey) ?? ['as it is', (key: string) => key];
      assert.ok(keys < 60, `no key came that could be typed with ${[...untried.keys()].join(', ')}`);
      const browser = await tryKey(ada, write(ada.recoveryKey!));
      assert.equal(browser.page.heading, 'Save your next Recovery Key', way);
      await ada.keepRecoveryKey(browser);
      untried.delete(way);
    }
  });

  test('RK-3, RK-4 it is used up by use: the next one works, the mail tells the owner, and neither key is in it', async () => {
    const ada = await withApp();
    const used = ada.recoveryKey!;
    const browser = await tryKey(ada, used);
    const mail = ada.newestMail();
    assert.equal(mail.subject, 'Your Recovery Key was used for Example');
    assert.match(mail.text, /If this was not you, somebody else may be in your account\. Change your password now/);
    const next = await ada.keepRecoveryKey(browser);
    for (const key of [used, next]) for (const { text, html } of ada.mails()) assert.ok(!`${text}${html}`.includes(key));

    const again = await tryKey(ada, used);
    assert.equal(again.page.status, 422);
    const onward = await tryKey(ada, next);
    assert.equal(onward.page.heading, 'Save your next Recovery Key');
  });

  test('RK-8 it is shown once: after "Finish" neither back, nor reload, nor the old addresses show or hand it out', async () => {
    const ada = await withApp();
    const { browser } = ada;
    const key = ada.recoveryKey!;
    await browser.back();
    assert.ok(!browser.page.body.includes(key));
    for (const path of ['/account/security/set-up/recovery-key', '/account/security/recovery-key/new', '/sign-in/recovery-key', '/account/security'])
      assert.ok(!(await browser.visit(path)).body.includes(key), path);
    browser.download = undefined;
    await browser.post('/account/security/set-up/recovery-key/download');
    assert.equal(browser.download, undefined);
  });

  test('half a key is told what is missing and costs no try; a wrong one is told to look for the newest', async () => {
    const ada = await withApp();
    for (let tries = 0; tries < 6; tries += 1) {
      const browser = await tryKey(ada, ada.recoveryKey!.slice(0, -3));
      assert.equal(browser.page.status, 422);
      assert.match(browser.page.alert, /A Recovery Key has 26 letters and digits\. Check that you have all of it/);
    }
    const wrong = await tryKey(ada, '0123-4567-89AB-CDEF-GHJK-MNPQ-RS');
    assert.match(wrong.page.alert, /That key was not right/);
    assert.equal(wrong.page.value('Recovery Key'), '0123-4567-89AB-CDEF-GHJK-MNPQ-RS', 'so that a slip can be mended');
    wrong.fill('Recovery Key', ada.recoveryKey!);
    await wrong.press('Continue');
    assert.equal(wrong.page.heading, 'Save your next Recovery Key');
  });

  test('whoever closes the browser before keeping the next key is not locked out: the key serves again after half an hour', async () => {
    const ada = await withApp();
    const closed = await tryKey(ada, ada.recoveryKey!);
    assert.equal(closed.page.heading, 'Save your next Recovery Key');
    const other = await tryKey(ada, ada.recoveryKey!);
    assert.equal(other.page.status, 422);
    assert.match(other.page.alert, /This key is being used in another browser\. If that was you, go on there\. If not, wait half an hour and try again\./);
    portal.clock.advance(minutes(31));
    const later = await tryKey(ada, ada.recoveryKey!);
    assert.equal(later.page.heading, 'Save your next Recovery Key');
    await ada.keepRecoveryKey(later);
    assert.equal(later.page.path, '/account/security');
    await closed.reload();
    assert.equal(closed.page.path, '/sign-in', 'what the first browser had begun is over');
  });

  test('RK-6 it opens nothing without the password', async () => {
    const ada = await withApp();
    const browser = portal.browser();
    await browser.visit('/sign-in');
    await browser.post('/sign-in/verify', { code: ada.recoveryKey! });
    assert.equal(browser.page.path, '/sign-in');
    await ada.enterPassword(browser, 'not the password of Ada');
    assert.equal(browser.page.status, 401);
    await browser.post('/sign-in/verify/other', { method: 'recovery-key' });
    await browser.post('/sign-in/verify', { code: ada.recoveryKey! });
    assert.equal(browser.page.path, '/sign-in');
  });

  test('RK-10, FC-1 with a proof older than ten minutes a new one asks for the password and the app first', async () => {
    const ada = await withApp();
    portal.clock.advance(minutes(11));
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Create new Recovery Key');
    assert.equal(browser.page.heading, 'Confirm that it’s you');
    browser.fill('Password', ada.password);
    await browser.press('Continue');
    await ada.enterCode(ada.phone.fresh());
    assert.equal(browser.page.heading, 'Create new Recovery Key');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    await ada.keepRecoveryKey();
    assert.match(browser.page.text, /Your new Recovery Key is ready\./);
  });

  test('RK-7 whoever lost the phone uses the key, removes the app, and sets up a new one without another proof', async () => {
    const ada = await withApp();
    await ada.enableEmailToo();
    const browser = await tryKey(ada, ada.recoveryKey!);
    await ada.keepRecoveryKey(browser);
    assert.match(browser.page.text, /If you lost a phone, remove or replace its app below, within the next ten minutes\./);
    await browser.press('Manage Authenticator app');
    await browser.press('Remove');
    assert.match(browser.page.text, /The method is removed\. All other browsers are signed out\./);
    await ada.addApp({ browser });
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('without two-factor authentication there is none, and its page leads back', async () => {
    const ada = await portal.newcomer().join();
    await ada.openSecurity();
    assert.ok(!ada.browser.page.hasButton('Create new Recovery Key'));
    await ada.browser.visit('/account/security/recovery-key');
    assert.equal(ada.browser.page.path, '/account/security');
  });
});
