// Attacks on emailed codes: guessed, kept too long, used twice, used elsewhere, or sent where nobody has shown that they read.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CODE_LIFETIME } from '../../src/factors/email-code/email-code.ts';
import { factorOf, toolsOf, type Occasion } from '../../src/factors/factors.ts';
import { minutes, seconds } from '../../src/platform/durations.ts';
import { systemRandom } from '../../src/platform/real.ts';
import { forEachPortal, openPortal, type Portal } from '../support/portal.ts';
import { startSecondProcess, type SecondProcess } from '../support/second-process.ts';
import { isSignedIn, race, sessionsOf, wrongCode } from './intruder.ts';

test('EC-1: six digits from the system’s randomness, each as likely as any other in every place, leading zeros kept', async () => {
  await using portal = await openPortal({ engine: 'sqlite' });
  const tools = { ...toolsOf(portal.world), random: systemRandom };
  const person = { accountId: 'a', name: '', email: 'ada@example.org', language: 'en' };
  const occasion: Occasion = { attemptId: 'a', purpose: 'sign-in', reason: 'to sign in', userAgent: '', address: '' };
  const counts = Array.from({ length: 6 }, () => Array.from({ length: 10 }, () => 0));
  const total = 20_000;
  for (let made = 0; made < total; made++) {
    const code = factorOf('email-code').challenge!(tools, person, occasion).messages[0]!.code!;
    assert.match(code, /^\d{6}$/);
    for (const [place, digit] of [...code].entries()) counts[place]![Number(digit)]! += 1;
  }
  for (const [place, digits] of counts.entries()) {
    const expected = total / 10;
    const chiSquare = digits.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // With nine degrees of freedom, a fair generator exceeds this once in ten million runs.
    assert.ok(chiSquare < 48, `${chiSquare} in place ${place}`);
  }
});

let portal: Portal;
before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
after(() => portal.close());

test('EC-2: good for ten minutes by the server’s clock, whatever the client’s says', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const late = portal.browser();
  await ada.enterPassword(late);
  portal.clock.advance(CODE_LIFETIME);
  assert.equal(CODE_LIFETIME, minutes(10));
  await late.post('/sign-in/verify', { code: ada.newestCode() }, { date: new Date(0).toUTCString() });
  assert.equal(late.page.status, 422);
  assert.equal(await isSignedIn(late), false);
  const intime = portal.browser();
  await ada.enterPassword(intime);
  portal.clock.advance(CODE_LIFETIME - seconds(1));
  await ada.enterCode(ada.newestCode(), { browser: intime });
  assert.equal(await isSignedIn(intime), true);
});

test('EC-3: a code that was used is used, in the same browser and in others', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const browser = portal.browser();
  await ada.enterPassword(browser);
  const code = ada.newestCode();
  await ada.enterCode(code, { browser });
  await ada.signOut(browser);
  await ada.enterPassword(browser);
  assert.notEqual(ada.newestCode(), code);
  await browser.post('/sign-in/verify', { code });
  assert.equal(browser.page.status, 422);
});

test('EC-4: a code of one browser is worth nothing in another, also where both wait for one', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const owner = portal.browser();
  await ada.enterPassword(owner);
  const code = ada.newestCode();
  const thief = portal.browser();
  await ada.enterPassword(thief);
  const thiefs = ada.newestCode();
  assert.notEqual(code, thiefs);
  await thief.post('/sign-in/verify', { code });
  assert.equal(thief.page.status, 422);
  await owner.post('/sign-in/verify', { code: thiefs });
  assert.equal(owner.page.status, 422);
  for (const browser of [owner, thief]) assert.equal(await isSignedIn(browser), false);
});

test('EC-4: a code for one purpose is worth nothing for another', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const { browser } = ada;
  const begin = {
    disable: () => browser.post('/account/security/disable'),
    'recovery-key': () => browser.post('/account/security/recovery-key'),
    email: () => browser.post('/account/email', { email: 'ada-elsewhere@example.org' }),
  };
  const answer = { disable: '/account/security/disable/code', 'recovery-key': '/account/security/recovery-key/code', email: '/account/email/code' };
  await begin.disable();
  const disable = ada.newestCode();
  await begin['recovery-key']();
  const recoveryKey = ada.newestCode();
  await begin.email();
  const email = ada.newestCode('ada-elsewhere@example.org');
  assert.equal(new Set([disable, recoveryKey, email]).size, 3);
  for (const [kind, wrong] of [
    ['disable', recoveryKey],
    ['disable', email],
    ['recovery-key', disable],
    ['email', disable],
  ] as const) {
    await browser.post(answer[kind], { code: wrong });
    assert.equal(browser.page.status, 422, kind);
  }
  const thief = portal.browser();
  await ada.enterPassword(thief);
  await thief.post('/sign-in/verify', { code: disable });
  assert.equal(await isSignedIn(thief), false);
});

test('EC-4: a code that is on its way to the old address is dead once the address has changed', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const thief = portal.browser();
  await ada.enterPassword(thief);
  const code = ada.newestCode();
  await ada.browser.post('/account/email', { email: `new-${ada.email}` });
  await ada.enterCode(ada.newestCode(`new-${ada.email}`));
  assert.equal(ada.browser.page.path, '/account');
  await thief.post('/sign-in/verify', { code });
  assert.equal(await isSignedIn(thief), false);
  ada.email = `new-${ada.email}`;
  await ada.signIn({ browser: thief, by: 'email' });
});

test('EC-5: sending again replaces the code and leaves the tries as they were', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const thief = portal.browser();
  await ada.enterPassword(thief);
  const older = ada.newestCode();
  for (let tries = 0; tries < 3; tries++) await thief.post('/sign-in/verify', { code: wrongCode(older) });
  portal.clock.advance(seconds(31));
  await thief.post('/sign-in/verify/send');
  const newer = ada.newestCode();
  assert.notEqual(newer, older);
  await thief.post('/sign-in/verify', { code: older });
  assert.equal(thief.page.status, 422, 'the older code is worth nothing');
  await thief.post('/sign-in/verify', { code: wrongCode(newer) });
  portal.clock.advance(minutes(2));
  await thief.post('/sign-in/verify', { code: newer });
  assert.equal(await isSignedIn(thief), false, 'five were wrong, whatever was sent');
});

test('EC-6: after five wrong ones the right one is not looked at any more', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const thief = portal.browser();
  await ada.enterPassword(thief);
  for (let tries = 0; tries < 5; tries++) await thief.post('/sign-in/verify', { code: wrongCode(ada.newestCode()) });
  await thief.post('/sign-in/verify', { code: ada.newestCode() });
  assert.equal(await isSignedIn(thief), false);
});

test('EC-9: nothing is turned on for an address that is not verified, by whatever form', async () => {
  const ada = await portal.newcomer().signUp();
  const { browser } = ada;
  for (const method of ['email-code', 'totp', 'recovery-key', 'password', '', '__proto__']) {
    await browser.post('/account/security/enable', { method });
    assert.equal(browser.page.status, 422, method);
    await browser.visit('/account/security/set-up');
    assert.equal(browser.page.path, '/account/security', method);
  }
  await browser.post('/account/security/disable');
  await browser.post('/account/security/recovery-key');
  const held = await portal.world.database.query
    .selectFrom('factors as f')
    .innerJoin('accounts as a', 'a.id', 'f.account_id')
    .select('f.id')
    .where('a.email', '=', ada.email)
    .execute();
  assert.deepEqual(held, []);
});

test('EC-9: an account that nobody has verified opens in the browser alone that made it', async () => {
  const victim = portal.newcomer();
  const mallory = await portal.newcomer({ email: victim.email, password: 'chosen by somebody else' }).signUp();
  // The owner of the mailbox comes later: nothing that was prepared for them is theirs, and nothing of it is left.
  await victim.join();
  assert.equal(await isSignedIn(mallory.browser), false);
  await mallory.enterPassword(portal.browser());
  await mallory.enterPassword();
  assert.equal(mallory.browser.page.status, 401);
  await victim.signIn({ browser: portal.browser() });
});

forEachPortal((open) => {
  let shared: Portal;
  let other: SecondProcess;
  before(async () => {
    shared = await open({ checkHtml: false });
    other = await startSecondProcess(shared);
  });
  after(() => other[Symbol.asyncDispose]());

  test('EC-3: the right code, 50 times at once over two processes, opens one session', async () => {
    const ada = await (await shared.newcomer().join()).enableByEmail();
    const browser = shared.browser();
    await ada.enterPassword(browser);
    const sessions = await sessionsOf(shared, ada.email);
    const raced = await race([shared.app, other], { browser, path: '/sign-in/verify', fields: { code: ada.newestCode() }, times: 50 });
    assert.equal(await sessionsOf(shared, ada.email), sessions + 1);
    for (const { page } of raced) assert.ok(page.status < 500, page.text);
  });

  test('EC-6: 40 wrong codes at once over two processes are five tries', async () => {
    const ada = await (await shared.newcomer().join()).enableByEmail();
    const browser = shared.browser();
    await ada.enterPassword(browser);
    const raced = await race([shared.app, other], { browser, path: '/sign-in/verify', fields: { code: wrongCode(ada.newestCode()) }, times: 40 });
    for (const { page } of raced) assert.ok(page.status === 422 || page.status === 429, page.text);
    const failed = await shared.world.database.query
      .selectFrom('audit_events as e')
      .innerJoin('accounts as a', 'a.id', 'e.account_id')
      .select('e.id')
      .where('a.email', '=', ada.email)
      .where('e.event', '=', 'authn_factor_fail')
      .execute();
    assert.equal(failed.length, 5);
    await browser.post('/sign-in/verify', { code: ada.newestCode() });
    assert.equal(await isSignedIn(browser), false);
  });

  test('EC-3: the code of “Disable”, 30 times at once over two processes, turns it off once', async () => {
    const ada = await (await shared.newcomer().join()).enableByEmail();
    await ada.browser.post('/account/security/disable');
    const mails = ada.mails().length;
    const raced = await race([shared.app, other], {
      browser: ada.browser,
      path: '/account/security/disable/code',
      fields: { code: ada.newestCode() },
      times: 30,
    });
    for (const { page } of raced) assert.ok(page.status < 500, page.text);
    await shared.mail.deliver(shared.world);
    assert.equal(ada.mails().length, mails + 1, 'the owner is told once');
  });
});
