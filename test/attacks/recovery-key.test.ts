// Attacks on the Recovery Key, and on the promise that whoever has it is never locked out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeRecoveryKey } from '../../src/factors/recovery-key/recovery-key.ts';
import { minutes } from '../../src/platform/durations.ts';
import { systemRandom } from '../../src/platform/real.ts';
import { keyInFile, type Person } from '../support/person.ts';
import { forEachPortal, openPortal, type Portal } from '../support/portal.ts';
import { startSecondProcess, type SecondProcess } from '../support/second-process.ts';
import type { Visitor } from '../support/visitor.ts';
import { isSignedIn, race, sessionsOf } from './intruder.ts';

let portal: Portal;
before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
after(() => portal.close());

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** At the Recovery Key's own page, behind the password. */
const atKey = async (ada: Person, browser: Visitor = portal.browser()): Promise<Visitor> => {
  await ada.enterPassword(browser);
  await browser.post('/sign-in/verify/other', { method: 'recovery-key' });
  return browser;
};

test('RK-1: 26 characters, each as likely as any other in every place, and no two alike', () => {
  const keys = Array.from({ length: 10_000 }, () => makeRecoveryKey(systemRandom.bytes(32)).replaceAll('-', ''));
  assert.equal(new Set(keys).size, keys.length);
  const counts = Array.from({ length: 26 }, () => Array.from({ length: 32 }, () => 0));
  for (const key of keys) for (const [place, character] of [...key].entries()) counts[place]![ALPHABET.indexOf(character)]! += 1;
  for (const [place, characters] of counts.entries()) {
    const expected = keys.length / 32;
    const chiSquare = characters.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // With 31 degrees of freedom, a fair generator exceeds this once in ten million runs.
    assert.ok(chiSquare < 90, `${chiSquare} in place ${place}`);
  }
});

test('RK-1: what an account is shown is such a key, and each account another', async () => {
  const keys = new Set<string>();
  for (let count = 0; count < 3; count++) keys.add((await (await portal.newcomer().join()).enableByEmail()).recoveryKey!);
  assert.equal(keys.size, 3);
  for (const key of keys) assert.match(key, /^(?:[0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{2}$/);
});

test('RK-3: used once, it is dead; the next one was shown, and serves', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const first = ada.recoveryKey!;
  await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
  assert.notEqual(ada.recoveryKey, first);
  const thief = await atKey(ada);
  await thief.post('/sign-in/verify', { code: first });
  assert.equal(thief.page.status, 422);
  assert.equal(await isSignedIn(thief), false);
  await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
});

test('RK-3: nobody is let in before the next one is kept, by whatever route', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const browser = await atKey(ada);
  await browser.post('/sign-in/verify', { code: ada.recoveryKey! });
  assert.equal(browser.page.path, '/sign-in/recovery-key');
  for (const path of ['/sign-in/verify', '/sign-in/set-up', '/sign-in/set-up/code', '/sign-in/done', '/account']) {
    await browser.visit(path);
    assert.ok(!browser.page.hasButton('Profile'), path);
  }
  await browser.post('/sign-in/recovery-key', { saved: '' });
  assert.equal(browser.page.status, 422);
  assert.equal(await isSignedIn(browser), false);
});

test('RK-4: making, replacing and using one is told by mail, from where and what to do, and never with the key', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const keys = [ada.recoveryKey!];
  const told = (subject: RegExp) => {
    const mail = ada.newestMail();
    assert.match(mail.subject, subject);
    assert.match(mail.text, /Firefox on Linux, address [\d.]+, on 2 February 2027/);
    assert.match(mail.text, /If this was not you/);
  };
  assert.ok(ada.mails().some(({ subject }) => /is on for/.test(subject)));
  await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
  keys.push(ada.recoveryKey!);
  told(/Recovery Key was used/);
  await ada.browser.post('/account/security/recovery-key');
  await ada.enterCode(ada.newestCode());
  await ada.keepRecoveryKey();
  keys.push(ada.recoveryKey!);
  told(/new Recovery Key/);
  for (const { text, html, subject } of ada.mails()) for (const key of keys) assert.ok(!`${subject}${text}${html}`.includes(key));
});

test('RK-6: alone, without the password, it opens nothing', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const thief = portal.browser();
  await thief.visit('/sign-in');
  for (const path of [
    '/sign-in/verify',
    '/sign-in/recovery-key',
    '/forgot-password/recovery-key',
    '/account/confirm/verify',
    '/account/security/recovery-key',
  ]) {
    await thief.post(path, { code: ada.recoveryKey!, email: ada.email, saved: 'on' });
    assert.equal(await isSignedIn(thief), false, path);
  }
  await thief.post('/sign-in', { email: ada.email, password: ada.recoveryKey! });
  assert.equal(await isSignedIn(thief), false);
});

test('RK-6: nor with the password of another account', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const mallory = await (await portal.newcomer().join()).enableByApp();
  const thief = await atKey(mallory);
  await thief.post('/sign-in/verify', { code: ada.recoveryKey! });
  assert.equal(thief.page.status, 422);
  assert.equal(await isSignedIn(thief), false);
});

test('RK-8: shown once: a reload while it is new, and then never again', async () => {
  const ada = await portal.newcomer().join();
  await ada.browser.post('/account/security/enable', { method: 'email-code' });
  await ada.enterCode(ada.newestCode());
  const shown = /(?:[0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{2}/.exec(ada.browser.page.text)![0];
  assert.ok((await ada.browser.reload()).has(shown));
  await ada.keepRecoveryKey();
  for (const path of [
    '/account/security/set-up/recovery-key',
    '/account/security/set-up/recovery-key/download',
    '/account/security/recovery-key/new',
    '/account/security',
  ])
    assert.ok(!(await ada.browser.visit(path)).has(shown), path);
  await ada.browser.post('/account/security/set-up/recovery-key/download');
  assert.ok(!ada.browser.page.body.includes(shown));
});

test('RK-9: any case, spaces and dashes, and the letters that look alike', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const spellings = [
    (key: string) => key.toLowerCase(),
    (key: string) => key.replaceAll('-', ' '),
    (key: string) => key.replaceAll('-', '').replaceAll('1', 'l').replaceAll('0', 'O'),
    (key: string) => `  ${key.replaceAll('-', '—').replaceAll('1', 'i').replaceAll('0', 'o')} `,
  ];
  for (const spell of spellings) {
    const browser = await atKey(ada);
    await browser.post('/sign-in/verify', { code: spell(ada.recoveryKey!) });
    assert.equal(browser.page.path, '/sign-in/recovery-key', spell(ada.recoveryKey!));
    await ada.keepRecoveryKey(browser);
  }
});

test('RK-10: who has a session and the mailbox, but not the app, makes no new key', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  await ada.addApp();
  portal.clock.advance(minutes(11));
  const thief = ada.browser;
  await thief.post('/account/security/recovery-key');
  assert.equal(thief.page.path, '/account/confirm');
  // With the password too, they are asked for the app or the key: the emailed code is no choice.
  await thief.post('/account/confirm', { password: ada.password, then: '/account/security/recovery-key' });
  await thief.post('/account/confirm/verify/other', { method: 'email-code' });
  assert.equal(thief.page.status, 422);
  await thief.post('/account/confirm/verify', { code: ada.newestCode() });
  await thief.post('/account/security/recovery-key');
  assert.equal(thief.page.path, '/account/confirm');
  await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
});

test('RK-11: until the new one is confirmed the old one serves, wherever it is left; then one swap, and one key', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const leaveAt: ((browser: Visitor) => Promise<unknown>)[] = [
    (browser) => browser.visit('/account/security/recovery-key'),
    (browser) => browser.post('/account/security/recovery-key'),
    async (browser) => {
      await browser.post('/account/security/recovery-key');
      await ada.enterCode(ada.newestCode(), { browser });
    },
    async (browser) => {
      await browser.post('/account/security/recovery-key');
      await ada.enterCode(ada.newestCode(), { browser });
      await ada.downloadRecoveryKey(browser);
    },
  ];
  for (const leave of leaveAt) {
    await leave(ada.browser);
    await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
    portal.clock.advance(minutes(20));
    await ada.browser.post('/account/confirm', { password: ada.password, then: '/account' });
    await ada.enterCode(ada.phone.fresh());
  }
  const old = ada.recoveryKey!;
  await ada.browser.post('/account/security/recovery-key');
  await ada.enterCode(ada.newestCode());
  await ada.keepRecoveryKey();
  const thief = await atKey(ada);
  await thief.post('/sign-in/verify', { code: old });
  assert.equal(await isSignedIn(thief), false);
  await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
});

test('RK-11: a key that was used and replaced elsewhere while a new one was on its way: neither overwrites the other unseen', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  await ada.browser.post('/account/security/recovery-key');
  await ada.enterCode(ada.newestCode());
  const { text } = await ada.downloadRecoveryKey();
  const pending = keyInFile(text);
  await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
  const kept = ada.recoveryKey!;
  await ada.browser.press('Finish');
  // Whichever it is, exactly one of the two serves now.
  const works: string[] = [];
  for (const key of [pending, kept]) {
    const browser = await atKey(ada);
    await browser.post('/sign-in/verify', { code: key });
    if (browser.page.path === '/sign-in/recovery-key') works.push(key);
  }
  assert.equal(works.length, 1);
});

forEachPortal((open) => {
  let shared: Portal;
  let other: SecondProcess;
  before(async () => {
    shared = await open({ checkHtml: false });
    other = await startSecondProcess(shared);
  });
  after(() => other[Symbol.asyncDispose]());

  test('RK-3: one key in 20 browsers at once over two processes: one of them goes on', async () => {
    const ada = await (await shared.newcomer().join()).enableByApp();
    const browsers: Visitor[] = [];
    for (let count = 0; count < 20; count++) browsers.push(await atKey(ada, shared.browser()));
    const raced = (
      await Promise.all(
        browsers.map((browser, index) =>
          race([index % 2 ? shared.app : other], { browser, path: '/sign-in/verify', fields: { code: ada.recoveryKey! }, times: 1 }),
        ),
      )
    ).flat();
    assert.equal(raced.filter(({ page }) => page.path === '/sign-in/recovery-key').length, 1);
    for (const { page } of raced) assert.ok(page.status < 500, page.text);
  });

  test('RK-3: the next one kept 20 times at once over two processes: one session, one key', async () => {
    const ada = await (await shared.newcomer().join()).enableByApp();
    const browser = await atKey(ada, shared.browser());
    await browser.post('/sign-in/verify', { code: ada.recoveryKey! });
    const next = keyInFile((await ada.downloadRecoveryKey(browser)).text);
    const sessions = await sessionsOf(shared, ada.email);
    const raced = await race([shared.app, other], { browser, path: '/sign-in/recovery-key', fields: { saved: 'on' }, times: 20 });
    for (const { page } of raced) assert.ok(page.status < 500, page.text);
    assert.equal(await sessionsOf(shared, ada.email), sessions + 1);
    ada.recoveryKey = next;
    await ada.signIn({ browser: shared.browser(), by: 'recovery-key' });
  });
});
