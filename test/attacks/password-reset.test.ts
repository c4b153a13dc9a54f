// Attacks on the way back in for who forgot the password: the link, what it allows, and the mailbox that it went to.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { minutes, seconds } from '../../src/platform/durations.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { startSecondProcess } from '../support/second-process.ts';
import type { Visitor } from '../support/visitor.ts';
import { accountOf, askForReset, isSignedIn, race, resetLink, sessionsOf } from './intruder.ts';

const NEW_PASSWORD = 'a password of the thief’s own';

forEachPortal((open, engine) => {
  let portal: Portal;
  before(async () => void (portal = await open({ checkHtml: false })));

  /** Whoever reads a mailbox, and nothing else: asks for the link and follows it. */
  const thiefWithLink = async (victim: Person): Promise<Visitor> => {
    const thief = portal.browser({ address: `203.0.113.${victim.email.length}` });
    await askForReset(thief, victim.email);
    await thief.visit(resetLink(portal, victim.email));
    await thief.press('Continue');
    return thief;
  };

  /** Chooses a new password, also where no page offers it, and signs in with it. */
  const tryNewPassword = async (thief: Visitor, victim: Person): Promise<void> => {
    await thief.post('/forgot-password/new-password', { password: NEW_PASSWORD });
    await victim.enterPassword(thief, NEW_PASSWORD);
  };

  /** Goes every way that is offered where a second factor is asked for, with what the mailbox has. */
  const tryMailboxCodes = async (thief: Visitor, victim: Person): Promise<void> => {
    for (const method of ['email-code', 'totp', 'recovery-key']) {
      await thief.post('/sign-in/verify/other', { method });
      await thief.post('/sign-in/verify/send');
      await thief.post('/sign-in/verify', { code: victim.newestCode() });
    }
  };

  test('PR-1: the link has 256 bits, stands nowhere in the database, and changes nothing before the last step', async () => {
    const victim = await portal.newcomer().join();
    const thief = await thiefWithLink(victim);
    const token = resetLink(portal, victim.email).split('=')[1]!;
    assert.equal(Buffer.from(token, 'base64url').length, 32);
    assert.equal((await portal.world.database.query.selectFrom('password_resets').selectAll().where('token_hash', '=', token).execute()).length, 0);
    assert.equal(thief.page.path, '/forgot-password/new-password');
    assert.equal(await isSignedIn(victim.browser), true);
    await victim.signIn({ browser: portal.browser() });
  });

  test('PR-1, PR-4: of 30 that open one link at once, over two processes, one gets in', async () => {
    const victim = await portal.newcomer().join();
    const thief = portal.browser();
    await askForReset(thief, victim.email);
    await thief.visit(resetLink(portal, victim.email));
    await using other = await startSecondProcess(portal);
    const token = resetLink(portal, victim.email).split('=')[1]!;
    const raced = await race([portal.app, other], { browser: thief, path: '/forgot-password/link', fields: { token }, times: 30 });
    const opened = raced.filter(({ page }) => page.path === '/forgot-password/new-password');
    assert.equal(opened.length, 1);
    for (const { page } of raced) assert.ok(page.status === 200 || page.status === 410, page.text);
  });

  // What follows does not depend on the database.
  if (engine === 'postgres') return;

  test('PR-3, RK-12: who reads the mailbox alone does not get into an account with codes by email', async () => {
    const victim = await (await portal.newcomer().join()).enableByEmail();
    const thief = await thiefWithLink(victim);
    assert.equal(thief.page.heading, 'Use your Recovery Key');
    await tryNewPassword(thief, victim);
    await tryMailboxCodes(thief, victim);
    assert.equal(await isSignedIn(thief), false);
    await victim.signIn({ browser: portal.browser(), by: 'email' });
  });

  test('PR-3, RK-12: nor into one with an authenticator app', async () => {
    const victim = await (await portal.newcomer().join()).enableByApp();
    const thief = await thiefWithLink(victim);
    await tryNewPassword(thief, victim);
    await tryMailboxCodes(thief, victim);
    assert.equal(await isSignedIn(thief), false);
  });

  test('PR-3, RK-12: nor into one with both, where the emailed code would be a way past the app', async () => {
    const victim = await (await portal.newcomer().join()).enableByEmail();
    await victim.addApp();
    const thief = await thiefWithLink(victim);
    await tryNewPassword(thief, victim);
    await tryMailboxCodes(thief, victim);
    assert.equal(await isSignedIn(thief), false);
    await victim.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('PR-3: the owner of such an account resets with the app, which stays as it was', async () => {
    const victim = await (await portal.newcomer().join()).enableByEmail();
    await victim.addApp();
    const owner = portal.browser();
    await askForReset(owner, victim.email);
    await owner.visit(resetLink(portal, victim.email));
    await owner.press('Continue');
    await victim.enterCode(victim.phone.fresh(), { browser: owner });
    owner.fill('New password', 'four herons and a kingfisher');
    await owner.press('Save new password');
    victim.password = 'four herons and a kingfisher';
    assert.equal(await isSignedIn(owner), false);
    await victim.signIn({ browser: owner, by: 'app' });
  });

  test('PR-3: two-factor authentication that was turned on after the link was opened is asked for all the same', async () => {
    const victim = await portal.newcomer().join();
    const thief = await thiefWithLink(victim);
    assert.equal(thief.page.path, '/forgot-password/new-password');
    await victim.enableByEmail();
    await tryNewPassword(thief, victim);
    await tryMailboxCodes(thief, victim);
    assert.equal(await isSignedIn(thief), false);
    await victim.signIn({ browser: portal.browser(), by: 'email' });
  });

  test('PR-1: the link is good for 30 minutes, and so is what it began', async () => {
    const victim = await portal.newcomer().join();
    const late = portal.browser();
    await askForReset(late, victim.email);
    portal.clock.advance(minutes(30));
    await late.visit(resetLink(portal, victim.email));
    await late.press('Continue');
    assert.equal(late.page.status, 410);
    await askForReset(late, victim.email);
    portal.clock.advance(minutes(30) - seconds(1));
    await late.visit(resetLink(portal, victim.email));
    await late.press('Continue');
    assert.equal(late.page.path, '/forgot-password/new-password');
    portal.clock.advance(minutes(30));
    await tryNewPassword(late, victim);
    assert.equal(await isSignedIn(late), false);
  });

  test('EC-11: a mail scanner that follows the link three times uses nothing up', async () => {
    const victim = await portal.newcomer().join();
    const owner = portal.browser();
    await askForReset(owner, victim.email);
    const scanner = portal.browser();
    for (let times = 0; times < 3; times++) assert.equal((await scanner.visit(resetLink(portal, victim.email))).status, 200);
    assert.equal(await isSignedIn(scanner), false);
    await owner.visit(resetLink(portal, victim.email));
    await owner.press('Continue');
    assert.equal(owner.page.path, '/forgot-password/new-password');
  });

  test('PR-1: a link is dead once it was used, once a newer one was sent, once the password or the address has changed', async () => {
    const victim = await portal.newcomer().join();
    const thief = portal.browser();
    const linkNow = async () => {
      await askForReset(thief, victim.email);
      return resetLink(portal, victim.email);
    };
    const assertDead = async (link: string) => {
      await thief.visit(link);
      await thief.press('Continue');
      assert.equal(thief.page.status, 410, thief.page.text);
      assert.equal(thief.page.heading, 'This link no longer works');
    };
    const used = await linkNow();
    await thief.visit(used);
    await thief.press('Continue');
    await assertDead(used);

    const older = await linkNow();
    await linkNow();
    await assertDead(older);

    const beforePassword = await linkNow();
    await victim.browser.visit('/account/security/password');
    victim.browser.fill('Current password', victim.password);
    victim.browser.fill('New password', 'four herons and a kingfisher');
    await victim.browser.press('Change password');
    assert.equal(victim.browser.page.path, '/account/security', victim.browser.page.text);
    victim.password = 'four herons and a kingfisher';
    await assertDead(beforePassword);

    const beforeAddress = await linkNow();
    await victim.browser.visit('/account/email');
    victim.browser.fill('Email', `new-${victim.email}`);
    await victim.browser.press('Send verification code');
    await victim.enterCode(victim.newestCode(`new-${victim.email}`));
    assert.equal((await accountOf(portal, `new-${victim.email}`)).email_verified_at, portal.clock.now());
    await assertDead(beforeAddress);
  });

  test('PR-1: what a link began is over once the password was changed elsewhere', async () => {
    const victim = await portal.newcomer().join();
    const thief = await thiefWithLink(victim);
    await victim.browser.visit('/account/security/password');
    victim.browser.fill('Current password', victim.password);
    victim.browser.fill('New password', 'four herons and a kingfisher');
    await victim.browser.press('Change password');
    await tryNewPassword(thief, victim);
    assert.equal(await isSignedIn(thief), false);
  });

  test('PR-2: a reset signs nobody in, signs everybody out, and tells the owner', async () => {
    const victim = await portal.newcomer().join();
    const abroad = portal.browser();
    await victim.signIn({ browser: abroad });
    const owner = await thiefWithLink(victim);
    owner.fill('New password', NEW_PASSWORD);
    await owner.press('Save new password');
    assert.equal(owner.page.path, '/sign-in');
    assert.equal(owner.cookies.get('twinlock-session'), undefined);
    assert.equal(await sessionsOf(portal, victim.email), 0);
    for (const browser of [owner, abroad, victim.browser]) assert.equal(await isSignedIn(browser), false);
    const told = victim.newestMail();
    assert.match(told.subject, /password .* was reset/);
    assert.ok(!told.text.includes(NEW_PASSWORD));
  });

  test('PR-2: the browsers that an account knew are strangers after a reset: a thief’s browser keeps no privilege', async () => {
    const victim = await portal.newcomer().join();
    const thief = portal.browser({ address: '203.0.113.200' });
    await victim.signIn({ browser: thief });
    const owner = await thiefWithLink(victim);
    owner.fill('New password', NEW_PASSWORD);
    await owner.press('Save new password');
    const { id } = await accountOf(portal, victim.email);
    assert.deepEqual(await portal.world.database.query.selectFrom('known_browsers').selectAll().where('account_id', '=', id).execute(), []);
  });

  test('PR-4: no token of one kind serves as another', async () => {
    const victim = await (await portal.newcomer().join()).enableByEmail();
    await askForReset(portal.browser(), victim.email);
    const attempting = portal.browser();
    await victim.enterPassword(attempting);
    const tokens = {
      session: victim.browser.cookies.get('twinlock-session')!,
      attempt: attempting.cookies.get('twinlock-attempt')!,
      browser: victim.browser.cookies.get('twinlock-browser')!,
      reset: resetLink(portal, victim.email).split('=')[1]!,
    };
    for (const [kind, token] of Object.entries(tokens)) {
      const thief = portal.browser();
      await thief.visit('/sign-in');
      for (const cookie of ['session', 'attempt', 'reset']) if (cookie !== kind) thief.cookies.set(`twinlock-${cookie}`, token);
      assert.equal(await isSignedIn(thief), false, kind);
      for (const path of ['/sign-in/verify', '/sign-in/recovery-key', '/forgot-password/recovery-key', '/forgot-password/new-password']) {
        await thief.visit(path);
        assert.ok(['/sign-in', '/forgot-password', '/forgot-password/new-password'].includes(thief.page.path), `${kind} at ${path}: ${thief.page.path}`);
        assert.ok(!thief.page.has('New password'));
      }
      if (kind === 'reset') continue;
      await thief.post('/forgot-password/link', { token });
      assert.equal(thief.page.status, 410, kind);
    }
  });
});
