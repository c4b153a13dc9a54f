// Attacks that ask whether an account exists: of an address that has one and of one that has none, everything that comes back is held side by side.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { minutes, seconds } from '../../src/platform/durations.ts';
import type { PasswordHasher } from '../../src/platform/secrets/password-hash.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';
import { recordAnswers, type Answer } from './whole-life.ts';

let portal: Portal;
let answers: Answer[];
before(async () => {
  portal = await openPortal({ engine: 'sqlite', checkHtml: false });
  answers = recordAnswers(portal);
});
after(() => portal.close());

let networks = 0;
const stranger = (): Visitor => portal.browser({ address: `203.0.113.${++networks}` });

/** What one address brings, with the address itself and all that is random taken out. */
async function seenOf(email: string, act: (browser: Visitor, email: string) => Promise<unknown>): Promise<string[]> {
  const browser = stranger();
  const from = answers.length;
  await act(browser, email);
  return answers.slice(from).map(({ method, url, status, headers, body }) => {
    const { date: _date, 'content-length': _length, ...others } = headers;
    const text = JSON.stringify([method, url, status, others, body]);
    return (
      text
        .replaceAll(email, 'THE-ADDRESS')
        .replaceAll(email.toUpperCase(), 'THE-ADDRESS')
        .replaceAll(encodeURIComponent(email), 'THE-ADDRESS')
        // They may begin or end with a -, which is no part of a word.
        .replaceAll(/(?<![\w-])[\w-]{43}(?![\w-])/g, 'TOKEN')
        .replaceAll(/(?<=value=\\")[\w-]{31}(?=\\")/g, 'ID')
        .replaceAll(/\d\d:\d\d UTC/g, 'TIME')
        .replaceAll(browser.address, 'FROM')
        .replaceAll(/Request [\w-]{12}/g, 'Request ID')
    );
  });
}

/** Does the same with an address that has an account and one that has none, of the same length. */
async function assertAlike(act: (browser: Visitor, email: string) => Promise<unknown>, join: 'plain' | 'email' | 'app' = 'plain'): Promise<void> {
  const known = portal.newcomer({ email: `known-person-${networks}@example.org` });
  await known.join();
  if (join === 'email') await known.enableByEmail();
  if (join === 'app') await known.enableByApp();
  portal.clock.advance(minutes(61));
  const one = await seenOf(known.email, act);
  const other = await seenOf(known.email.replace('known', 'blank'), act);
  assert.ok(one.length > 0);
  assert.deepEqual(one, other);
}

const signIn = async (browser: Visitor, email: string, password = 'not the password'): Promise<void> => {
  await browser.visit('/sign-in');
  browser.fill('Email', email);
  browser.fill('Password', password);
  await browser.press('Sign in');
};

const signUp = async (browser: Visitor, email: string): Promise<void> => {
  await browser.visit('/sign-up');
  browser.fill('Name', 'Somebody');
  browser.fill('Email', email);
  browser.fill('Password', 'eleven wagtails by a weir');
  await browser.press('Create account');
};

for (const kind of ['plain', 'email', 'app'] as const) {
  test(`RL-7: signing in with a wrong password, until it has to wait and beyond (${kind})`, () =>
    assertAlike(async (browser, email) => {
      for (let tries = 0; tries < 8; tries++) await signIn(browser, email);
      assert.equal(browser.page.status, 429);
      portal.clock.advance(minutes(2));
      await signIn(browser, email);
      await signIn(browser, ` ${email.toUpperCase()} `);
    }, kind));
}

test('RL-7: signing up, verifying with a wrong code, sending again, and everything that the new account shows', () =>
  assertAlike(async (browser, email) => {
    await signUp(browser, email);
    await browser.post('/verify-email/code', { code: '000000' });
    portal.clock.advance(seconds(31));
    await browser.post('/verify-email/code/send');
    for (const path of ['/account', '/account/security', '/account/sessions', '/account/security/enable', '/account/email', '/verify-email'])
      await browser.visit(path);
    await browser.post('/account/security/enable', { method: 'totp' });
    await browser.post('/sign-out');
    await signIn(browser, email, 'eleven wagtails by a weir');
    await browser.post('/sign-out');
    await signIn(browser, email);
    await signIn(browser.fork(), email, 'eleven wagtails by a weir');
  }));

test('RL-7: asking for a new password, again and again', () =>
  assertAlike(async (browser, email) => {
    for (let times = 0; times < 9; times++) {
      await browser.visit('/forgot-password');
      browser.fill('Email', email);
      await browser.press('Send the link');
    }
    assert.equal(browser.page.status, 429);
  }));

test('RL-7: both addresses get one mail for each of these, so that not even the mailbox of a stranger is a sign', async () => {
  const known = await portal.newcomer().join();
  const blank = portal.newcomer();
  const already = known.mails().length;
  for (const email of [known.email, blank.email]) {
    const browser = stranger();
    await browser.visit('/forgot-password');
    browser.fill('Email', email);
    await browser.press('Send the link');
    await signUp(stranger(), email);
  }
  assert.equal(known.mails().length - already, 2);
  assert.equal(blank.mails().length, 2);
});

test('RL-7: taking another’s address for one’s own account, until its mailbox is proved', async () => {
  const sender = await portal.newcomer().join();
  const known = await portal.newcomer({ email: 'known-other@example.org' }).join();
  portal.clock.advance(minutes(61));
  await sender.signOut();
  await sender.signIn();
  const seen: string[][] = [];
  for (const email of [known.email, 'blank-other@example.org']) {
    seen.push(
      await seenOf(email, async () => {
        await sender.browser.visit('/account/email');
        sender.browser.fill('Email', email);
        await sender.browser.press('Send verification code');
        await sender.browser.post('/account/email/code', { code: '000000' });
      }),
    );
  }
  assert.deepEqual(seen[0], seen[1]);
});

test('RL-7: as many passwords are hashed for an address without an account, a malformed one and one that waits for its verification', async () => {
  const known = await (await portal.newcomer().join()).enableByApp();
  const unverified = await portal.newcomer().signUp();
  const shadow = await portal.newcomer({ email: known.email, password: 'a shadow of the known' }).signUp();
  const alone = await portal.newcomer({ password: 'alone in this browser' }).signUp();
  await shadow.signOut();
  await alone.signOut();
  const hashed = countHashes(portal.world.passwordHasher);
  const costOf = async (browser: Visitor, email: string, password = 'not the password'): Promise<number> => {
    const from = hashed();
    await signIn(browser, email, password);
    return hashed() - from;
  };
  for (const email of [known.email, 'nobody-at-all@example.org', 'no address', '', unverified.email, `${'x'.repeat(300)}@example.org`])
    assert.equal(await costOf(stranger(), email), 1, email);
  assert.equal(await costOf(stranger(), known.email, 'x'.repeat(2000)), 1);
  // Whoever signed up with the address knows that two are looked at, whether or not there is another account.
  assert.equal(await costOf(shadow.browser, known.email), 2);
  assert.equal(await costOf(alone.browser, alone.email), 2);
  for (const email of [known.email, 'nobody-yet@example.org']) {
    const from = hashed();
    await signUp(stranger(), email);
    assert.equal(hashed() - from, 1, 'signing up');
  }
});

/** Counts what the portal's own hasher does from here on. */
function countHashes(hasher: PasswordHasher): () => number {
  let count = 0;
  const { hash, verify } = hasher;
  Object.assign(hasher, {
    hash: (password: string) => ((count += 1), hash(password)),
    verify: (password: string, hashed: string | undefined) => ((count += 1), verify(password, hashed)),
  });
  return () => count;
}
