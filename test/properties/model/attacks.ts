/** What must not work: wrong, spent and gone answers behind the right password, and somebody who has the password alone. */
import assert from 'node:assert/strict';
import type { Visitor } from '../../support/visitor.ts';
import { expectHeading, type At } from './actions.ts';
import type { Account, Kind } from './ledger.ts';

/** The right password, and then an answer that opens nothing. `which` of them is asked for. */
async function fails(at: At, kind: Kind, answer: () => string): Promise<string[]> {
  const { scene, account, seat } = at;
  const { browser } = seat;
  await account.person.enterPassword(browser);
  const events = account.strongest === 'email' || kind === 'email' ? ['authn_code_sent'] : [];
  await account.person.chooseWay(kind, browser);
  const given = answer();
  browser.fill(kind === 'recovery-key' ? 'Recovery Key' : 'Verification code', given);
  const paused = account.isPaused(kind, scene.ledger.now());
  await browser.press('Continue');
  assert.equal(browser.page.status, paused ? 429 : 422, browser.page.text);
  if (!paused) account.fail(kind, scene.ledger.now());
  await assertOutside(browser);
  return [...events, paused ? 'authn_factor_throttled' : EITHER];
}

/** A wrong answer, or one that was accepted before. */
export const EITHER = 'authn_factor_fail or authn_factor_replayed';

const isRight = (account: Account, code: string, now: number): boolean =>
  account.apps.some((app) => [-30_000, 0, 30_000].some((drift) => app.shows(now + drift) === code));

/** What was never right. */
export function wrongAnswer(at: At, kind: Kind, guess: number): Promise<string[]> {
  const { account } = at;
  return fails(at, kind, () => {
    if (kind === 'recovery-key') return account.person.recoveryKey!.replace(/^./, (first) => (first === '0' ? '1' : '0'));
    let code = guess;
    const text = (): string => String(code % 1_000_000).padStart(6, '0');
    while (kind === 'email' ? text() === account.person.newestCode() : isRight(account, text(), at.scene.ledger.now())) code += 1;
    return text();
  });
}

/** What was right, once. */
export function spentAnswer(at: At, kind: Kind): Promise<string[]> {
  return fails(at, kind, () => at.account.spent.get(kind)!);
}

/** What an app shows that was removed or replaced, or a key that was used up, replaced or turned off. */
export function goneAnswer(at: At, kind: 'app' | 'recovery-key', pick: number): Promise<string[]> {
  const { account } = at;
  if (kind === 'recovery-key') return fails(at, 'recovery-key', () => account.goneKeys[pick % account.goneKeys.length]!);
  const code = account.goneApps[pick % account.goneApps.length]!.shows();
  return fails(at, account.strongest, () => code);
}

export async function wrongPassword({ account, seat }: At): Promise<string[]> {
  await account.person.enterPassword(seat.browser, `${account.person.password}!`);
  assert.equal(seat.browser.page.status, 401, seat.browser.page.text);
  account.wrongPasswords += 1;
  await assertOutside(seat.browser);
  return ['authn_login_fail'];
}

/** Somebody in a browser of their own who has stolen the password, and tries every door. */
export async function thiefOfPassword({ scene, account }: At): Promise<string[]> {
  const thief = scene.browser();
  await account.person.enterPassword(thief);
  const events = account.on && account.strongest === 'email' ? ['authn_code_sent'] : [];
  if (!account.on) {
    // AD-8: who stole a password must not enrol first.
    await thief.press('Enable With Authenticator App');
    expectHeading(thief, 'Check your email');
  }
  for (const door of ['/sign-in/done', '/sign-in/recovery-key', '/sign-in/set-up/code', '/account/security/set-up/recovery-key', '/account/confirm']) {
    await thief.visit(door);
    assert.ok(!thief.page.hasButton('Profile') && !thief.page.hasButton('Download'), thief.page.text);
  }
  for (const form of ['/account/security/enable', '/account/security/disable', '/account/security/password', '/sign-in/recovery-key'])
    await thief.post(form, { method: 'totp', saved: 'yes', password: 'eleven brown otters swim' });
  await assertOutside(thief);
  return events;
}

export async function assertOutside(browser: Visitor): Promise<void> {
  await browser.visit('/account');
  assert.match(browser.page.path, /^\/sign-in/, 'Nobody is in.');
}
