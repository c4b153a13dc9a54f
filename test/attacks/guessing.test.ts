// Attacks by guessing: passwords and second factors, one after another, all at once, over several processes, and again from the start.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { days, hours, minutes, seconds } from '../../src/platform/durations.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { startSecondProcess, type SecondProcess } from '../support/second-process.ts';
import type { Visitor } from '../support/visitor.ts';
import { isSignedIn, race, wrongCode } from './intruder.ts';

forEachPortal((open, engine) => {
  let portal: Portal;
  let other: SecondProcess;
  before(async () => {
    portal = await open({ checkHtml: false });
    other = await startSecondProcess(portal);
  });
  after(() => other[Symbol.asyncDispose]());

  /** The next code, which is good already and was shown nowhere; nobody has to wait for it, so no pause is over meanwhile. */
  const rightCode = (victim: Person): string => victim.phone.shows(portal.clock.now() + seconds(30));

  let networks = 0;
  const thiefBrowser = (): Visitor => portal.browser({ address: `203.0.113.${++networks}` });

  /** In a browser that is signed in nowhere, at the second factor. */
  const thiefWithPassword = async (victim: Person, method?: string): Promise<Visitor> => {
    const thief = thiefBrowser();
    await victim.enterPassword(thief);
    if (method !== undefined) await thief.post('/sign-in/verify/other', { method });
    return thief;
  };

  test('RL-5: of 40 wrong passwords at once, over two processes, five are looked at; the right one behind them is not', async () => {
    const victim = await portal.newcomer().join();
    const thief = thiefBrowser();
    await thief.visit('/sign-in');
    const raced = await race([portal.app, other], { browser: thief, path: '/sign-in', fields: { email: victim.email, password: 'wrong' }, times: 40 });
    assert.equal(raced.filter(({ page }) => page.status === 401).length, 5);
    assert.equal(raced.filter(({ page }) => page.status === 429).length, 35);
    await thief.post('/sign-in', { email: victim.email, password: victim.password });
    assert.equal(thief.page.status, 429);
    await thief.movedTo(other).post('/sign-in', { email: victim.email, password: victim.password });
    assert.equal(await isSignedIn(thief), false);
  });

  test('RL-5: of 40 wrong codes of the app at once, over two processes and ten attempts, five are looked at', async () => {
    const victim = await (await portal.newcomer().join()).enableByApp();
    const attempts: Visitor[] = [];
    for (let count = 0; count < 10; count++) attempts.push(await thiefWithPassword(victim));
    const code = wrongCode(victim.phone.fresh());
    const raced = (
      await Promise.all(attempts.map((browser) => race([portal.app, other], { browser, path: '/sign-in/verify', fields: { code }, times: 4 })))
    ).flat();
    const counted = await victimFailures(portal, victim);
    assert.equal(counted, 5);
    for (const { page } of raced) assert.ok([409, 422, 429].includes(page.status), `${page.status} ${page.text}`);
    const thief = attempts[0]!;
    await thief.post('/sign-in/verify', { code: rightCode(victim) });
    assert.equal(await isSignedIn(thief), false);
  });

  test('RL-5: counts survive a restart', async () => {
    const own = await open({ checkHtml: false });
    const victim = await (await own.newcomer().join()).enableByApp();
    const thief = own.browser();
    await victim.enterPassword(thief);
    for (let tries = 0; tries < 4; tries++) await thief.post('/sign-in/verify', { code: wrongCode(victim.phone.shows()) });
    await own.restart();
    await thief.post('/sign-in/verify', { code: wrongCode(victim.phone.shows()) });
    await victim.enterPassword(thief);
    await thief.post('/sign-in/verify', { code: victim.phone.shows(own.clock.now() + seconds(30)) });
    assert.equal(thief.page.status, 429);
    assert.equal(await isSignedIn(thief), false);
  });

  test('RL-10: where tries can’t be counted, nobody gets in', async () => {
    const own = await open({ checkHtml: false });
    const victim = await (await own.newcomer().join()).enableByApp();
    const atFactor = own.browser();
    await victim.enterPassword(atFactor);
    await own.world.database.query.schema.alterTable('limits').renameTo('limits_lost').execute();
    await atFactor.post('/sign-in/verify', { code: victim.phone.fresh() });
    assert.equal(atFactor.page.status, 500);
    const atPassword = own.browser();
    await victim.enterPassword(atPassword);
    assert.equal(atPassword.page.status, 500);
    await own.world.database.query.schema.alterTable('limits_lost').renameTo('limits').execute();
    for (const browser of [atFactor, atPassword]) assert.equal(await isSignedIn(browser), false);
    await atFactor.post('/sign-in/verify', { code: victim.phone.fresh() });
    assert.equal(await isSignedIn(atFactor), true, 'Nothing was used up by the failure.');
  });

  // What follows does not depend on the database.
  if (engine === 'postgres') return;

  test('RL-3: four hundred wrong passwords from elsewhere do not keep the owner out of a browser that the account knows', async () => {
    const victim = await portal.newcomer().join();
    await victim.signOut();
    const thieves = Array.from({ length: 20 }, thiefBrowser);
    for (const thief of thieves) await thief.visit('/sign-in');
    for (let tries = 0; tries < 400; tries++) await thieves[tries % 20]!.post('/sign-in', { email: victim.email, password: `guess number ${tries}` });
    for (const thief of thieves) assert.equal(thief.page.status, 429);
    await victim.signIn();
  });

  test('RL-3: nor does a neighbour in the same network', async () => {
    const victim = await portal.newcomer().join();
    await victim.signOut();
    const neighbour = portal.browser({ address: victim.browser.address });
    await neighbour.visit('/sign-in');
    for (let tries = 0; tries < 40; tries++) await neighbour.post('/sign-in', { email: `somebody-${tries}@example.com`, password: 'guess' });
    assert.equal(neighbour.page.status, 429);
    await victim.signIn();
  });

  test('RL-3: who signs up with the victim’s address gets no more guesses at the victim’s password for it', async () => {
    const victim = await portal.newcomer().join();
    const shadow = portal.newcomer({ email: victim.email, password: 'a shadow of the victim' });
    await shadow.signUp();
    await shadow.signOut();
    let looked = 0;
    for (let round = 0; round < 6; round++) {
      for (let tries = 0; tries < 4; tries++) {
        await shadow.browser.post('/sign-in', { email: victim.email, password: `guess ${round} ${tries}` });
        if (shadow.browser.page.status === 401) looked += 1;
      }
      // Their own password is right; it must not wipe out what was counted against the victim's account.
      await shadow.browser.post('/sign-in', { email: victim.email, password: shadow.password });
      await shadow.browser.post('/sign-out');
    }
    assert.ok(looked <= 5, `${looked} guesses were looked at`);
  });

  test('RL-3: nor by signing up with each guess, so that the guess is right for somebody', async () => {
    const victim = await portal.newcomer().join();
    const shadow = portal.newcomer({ email: victim.email, password: victim.password });
    await shadow.signUp();
    await shadow.signOut();
    await shadow.enterPassword();
    assert.ok(shadow.browser.page.hasButton('Profile'));
    assert.ok(!shadow.browser.page.has('Email verified'), 'The guess opened the shadow, and told nothing of the account.');
  });

  test('RL-6, EC-6: starting again resets nothing, and a code that was sent anew does not either', async () => {
    const victim = await (await portal.newcomer().join()).enableByEmail();
    const first = await thiefWithPassword(victim);
    for (let tries = 0; tries < 4; tries++) await first.post('/sign-in/verify', { code: wrongCode(victim.newestCode()) });
    const second = await thiefWithPassword(victim);
    await second.post('/sign-in/verify', { code: wrongCode(victim.newestCode()) });
    await second.post('/sign-in/verify', { code: victim.newestCode() });
    const third = await thiefWithPassword(victim);
    await third.post('/sign-in/verify', { code: victim.newestCode() });
    assert.equal(third.page.status, 429);
    for (const browser of [first, second, third]) assert.equal(await isSignedIn(browser), false);
  });

  for (const { kind, method, enable, right } of [
    { kind: 'the app', method: 'totp', enable: (victim: Person) => victim.enableByApp(), right: (victim: Person) => victim.phone.fresh() },
    { kind: 'the Recovery Key', method: 'recovery-key', enable: (victim: Person) => victim.enableByApp(), right: (victim: Person) => victim.recoveryKey! },
    { kind: 'the emailed code', method: 'email-code', enable: (victim: Person) => victim.enableByEmail(), right: (victim: Person) => victim.newestCode() },
  ]) {
    test(`RK-5: where the limit has hit ${kind}, the attempt is over: after the pause one starts again at the password`, async () => {
      const victim = await enable(await portal.newcomer().join());
      const wrong = method === 'recovery-key' ? '0'.repeat(26) : undefined;
      const thief = await thiefWithPassword(victim, method);
      for (let tries = 0; tries < 6; tries++) await thief.post('/sign-in/verify', { code: wrong ?? wrongCode(right(victim)) });
      portal.clock.advance(minutes(5));
      await thief.post('/sign-in/verify', { code: right(victim) });
      assert.equal(thief.page.status, 422, thief.page.text);
      assert.match(thief.page.text, /Start again/);
      assert.equal(await isSignedIn(thief), false);
      await victim.enterPassword(thief);
      if (method !== 'email-code') await thief.post('/sign-in/verify/other', { method });
      await thief.post('/sign-in/verify', { code: right(victim) });
      assert.ok(thief.page.path !== '/sign-in/verify', thief.page.text);
    });
  }

  test('RL-1: after 50 wrong codes the app has stopped, for the right one too; the Recovery Key still opens', async () => {
    const victim = await (await portal.newcomer().join()).enableByApp();
    for (let tries = 0; tries < 50; tries++) {
      const thief = await thiefWithPassword(victim);
      await thief.post('/sign-in/verify', { code: wrongCode(victim.phone.fresh()) });
      portal.clock.advance(hours(1));
    }
    portal.clock.advance(days(30));
    const owner = thiefBrowser();
    await victim.enterPassword(owner);
    await victim.enterCode(victim.phone.fresh(), { browser: owner });
    assert.equal(owner.page.status, 429);
    assert.match(owner.page.text, /switched off/);
    await victim.showSecondFactor('recovery-key', owner);
    assert.ok(owner.page.hasButton('Profile'));
  });

  test('RL-3: without the password nobody counts anything against a second factor', async () => {
    const victim = await (await portal.newcomer().join()).enableByApp();
    const thief = thiefBrowser();
    await thief.visit('/sign-in');
    for (let tries = 0; tries < 60; tries++) await thief.post('/sign-in/verify', { code: '000000' });
    await victim.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('RL-4: getting in by one factor leaves what was counted against another', async () => {
    const victim = await (await portal.newcomer().join()).enableByApp();
    const thief = await thiefWithPassword(victim);
    for (let tries = 0; tries < 4; tries++) await thief.post('/sign-in/verify', { code: wrongCode(victim.phone.shows()) });
    await victim.signIn({ browser: portal.browser(), by: 'recovery-key' });
    const again = await thiefWithPassword(victim);
    await again.post('/sign-in/verify', { code: wrongCode(victim.phone.shows()) });
    await again.post('/sign-in/verify', { code: rightCode(victim) });
    assert.equal(await isSignedIn(again), false);
  });

  test('RL-1: pauses grow: half a minute after the fifth wrong password, an hour in the end, and a day of quiet forgets them', async () => {
    const victim = await portal.newcomer().join();
    const thief = thiefBrowser();
    await thief.visit('/sign-in');
    const guess = async (password = 'wrong') => (await thief.post('/sign-in', { email: victim.email, password })).status;
    for (let tries = 0; tries < 5; tries++) assert.equal(await guess(), 401);
    for (const pause of [seconds(30), minutes(1), minutes(2), minutes(5), minutes(15), minutes(30), hours(1), hours(1)]) {
      portal.clock.advance(pause - 1);
      assert.equal(await guess(victim.password), 429);
      portal.clock.advance(1);
      assert.equal(await guess(), 401);
    }
    portal.clock.advance(days(1));
    for (let tries = 0; tries < 5; tries++) assert.equal(await guess(), 401);
    assert.equal(await guess(), 429);
  });

  test('RL-8: wrong codes behind the right password: the owner is told by mail, and at the next sign-in', async () => {
    const victim = await (await portal.newcomer().join()).enableByApp();
    const mails = victim.mails().length;
    portal.clock.advance(minutes(1));
    const thief = await thiefWithPassword(victim);
    for (let tries = 0; tries < 3; tries++) await thief.post('/sign-in/verify', { code: wrongCode(victim.phone.shows()) });
    assert.equal(victim.mails().length, mails + 1);
    const told = victim.newestMail();
    assert.match(told.subject, /could not finish signing in/);
    assert.match(told.text, new RegExp(`Firefox on Linux, address ${thief.address}`));
    assert.match(told.text, /Change your password/);

    portal.clock.advance(hours(2));
    const owner = portal.browser();
    await victim.signIn({ browser: owner, by: 'app' });
    assert.match(owner.page.alert, new RegExp(`3 times.*${thief.address}.*Change password`));
    await owner.visit('/account/security');
    assert.match(owner.page.alert, /3 times/, 'It stays until it was seen.');
    await owner.press('This was me');
    assert.equal(owner.page.alert, '');
    await owner.reload();
    assert.equal(owner.page.alert, '');
    portal.clock.advance(minutes(1));
    const again = portal.browser();
    await victim.signIn({ browser: again, by: 'app' });
    assert.equal(again.page.alert, '');
  });

  test('RL-8: the owner’s own slip in the same attempt is no alarm', async () => {
    const victim = await (await portal.newcomer().join()).enableByApp();
    const owner = portal.browser();
    await victim.enterPassword(owner);
    await victim.enterCode(wrongCode(victim.phone.shows()), { browser: owner });
    await victim.enterCode(victim.phone.fresh(), { browser: owner });
    assert.ok(owner.page.hasButton('Profile'));
    assert.equal(owner.page.alert, '');
  });
});

/** How many wrong codes the record has for this person. */
async function victimFailures(portal: Portal, victim: Person): Promise<number> {
  const rows = await portal.world.database.query
    .selectFrom('audit_events as e')
    .innerJoin('accounts as a', 'a.id', 'e.account_id')
    .select('e.id')
    .where('a.email', '=', victim.email)
    .where('e.event', '=', 'authn_factor_fail')
    .execute();
  return rows.length;
}
