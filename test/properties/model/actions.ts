/** What people do in a command: each does it on the real pages, keeps the ledger, and returns the events that have to be written down for it. */
import assert from 'node:assert/strict';
import { AuthenticatorApp } from '../../support/authenticator-app.ts';
import type { Visitor } from '../../support/visitor.ts';
import type { Account, Kind, Seat } from './ledger.ts';
import type { Scene } from './scene.ts';

export interface At {
  readonly scene: Scene;
  readonly account: Account;
  readonly seat: Seat;
}

const says = ({ page }: Visitor): string => `${page.path} (${page.status}) says: ${page.text}`;

export function expectHeading(browser: Visitor, heading: string | RegExp): void {
  if (typeof heading === 'string') assert.equal(browser.page.heading, heading, says(browser));
  else assert.match(browser.page.heading, heading, says(browser));
}

export async function join({ scene, account, seat }: At): Promise<string[]> {
  await account.person.join();
  account.joined = true;
  scene.ledger.enter(seat, new Map([['password', scene.ledger.now()]]));
  return ['user_created', 'authn_login_success', 'session_created', 'authn_code_sent', 'authn_factor_success', 'user_email_verified'];
}

/** Opens Security and Credentials and presses a button; confirms where that is asked for, which has to be exactly where something is missing. */
export async function press(at: At, button: string, { from = '/account/security' }: { from?: string } = {}): Promise<string[]> {
  const { scene, account, seat } = at;
  const { browser } = seat;
  await browser.visit(from);
  // Whoever has yet to set it up is led there from every page.
  if (!scene.ledger.owes(account)) await browser.press(button);
  const asked = browser.page.heading === 'Confirm that it’s you';
  const missing = account.missing(seat, scene.ledger.now());
  assert.equal(asked, missing.password || missing.factor, `${JSON.stringify(missing)} is missing, and ${says(browser)}`);
  return asked ? confirm(at, missing) : [];
}

async function confirm({ scene, account, seat }: At, missing: { password: boolean; factor: boolean }): Promise<string[]> {
  const { browser } = seat;
  const { ledger } = scene;
  assert.equal(browser.page.root.querySelector('input[name=password]') !== null, missing.password, says(browser));
  if (missing.password) browser.fill('Password', account.person.password);
  await browser.press('Continue');
  const at = ledger.now();
  const proofs: ['password' | Kind, number][] = missing.password ? [['password', at]] : [];
  const events: string[] = [];
  if (missing.factor) {
    events.push(...(account.strongest === 'email' ? ['authn_code_sent'] : []), ...(await showFactor({ scene, account, seat }, account.strongest, 0)));
    proofs.push([account.strongest, ledger.now()]);
  }
  ledger.raise(seat, ...proofs);
  return [...events, 'authn_confirmed'];
}

/** Shows a right second factor where one is asked for. A Recovery Key is replaced on the way. */
export async function showFactor({ account, seat }: At, kind: Kind, pick: number): Promise<string[]> {
  const { browser } = seat;
  const { person } = account;
  await person.chooseWay(kind, browser);
  if (kind === 'recovery-key') {
    const key = person.recoveryKey!;
    browser.fill('Recovery Key', key);
    await browser.press('Continue');
    account.succeed(kind, key);
    await keepKey({ account, seat });
    return ['authn_factor_success', 'authn_recovery_key_used', 'authn_recovery_key_created'];
  }
  const code = kind === 'email' ? person.newestCode() : account.apps[pick % account.apps.length]!.fresh();
  await person.enterCode(code, { browser });
  account.succeed(kind, code);
  return ['authn_factor_success'];
}

export async function keepKey({ account, seat }: Pick<At, 'account' | 'seat'>): Promise<void> {
  const before = account.person.recoveryKey;
  const key = await account.person.keepRecoveryKey(seat.browser);
  account.person.recoveryKey = before;
  account.keepKey(key);
}

/** Turns two-factor authentication on, or adds a way. */
export async function enable(at: At, kind: 'email' | 'app'): Promise<string[]> {
  const { scene, account, seat } = at;
  const { browser } = seat;
  const first = !account.on;
  const events = await press(at, first ? 'Enable Two-Factor Authentication' : 'Add a method');
  if (kind === 'email') {
    await browser.press('Send verification code');
    await account.person.enterCode(account.person.newestCode(), { browser });
    events.push('authn_code_sent');
    account.byEmail = true;
  } else {
    await browser.press('Enable With Authenticator App');
    await setUpApp(at);
  }
  if (first) await keepKey(at);
  expectHeading(browser, 'Security and Credentials');
  scene.ledger.raise(seat, [kind, scene.ledger.now()]);
  if (first) account.endSessions(seat);
  return [...events, 'authn_factor_added', ...(first ? FIRST : [])];
}

const FIRST = ['authn_recovery_key_created', 'authn_two_factor_enabled'];
let phones = 0;

/** From the page that explains authenticator apps to the one behind the dialog. */
async function setUpApp({ scene, account, seat }: At, { replaces }: { replaces?: AuthenticatorApp } = {}): Promise<void> {
  const { browser } = seat;
  const named = account.apps.length > 0;
  const name = replaces ? account.names.get(replaces.scanned.secret)! : `Phone ${(phones += 1)}`;
  if (named) browser.fill('Name of this app', name);
  await browser.press('Continue');
  const app = AuthenticatorApp.from(browser.page, scene.portal.clock);
  const code = app.fresh();
  await account.person.enterCode(code, { browser, button: 'Verify' });
  account.spent.set('app', code);
  account.failures.delete('app');
  account.apps = [...account.apps.filter((one) => one !== replaces), app];
  if (replaces) account.goneApps.push(replaces);
  account.names.set(app.scanned.secret, named ? name : '');
}

const buttonOf = (account: Account, app: AuthenticatorApp): string => {
  const name = account.names.get(app.scanned.secret)!;
  return name === '' ? 'Manage Authenticator app' : `Manage Authenticator app (${name})`;
};

export async function removeApp(at: At, pick: number): Promise<string[]> {
  const { scene, account, seat } = at;
  const app = account.apps[pick % account.apps.length]!;
  const { browser } = seat;
  await browser.visit('/account/security');
  await browser.press(buttonOf(account, app));
  if (account.apps.length === 1 && !account.byEmail) {
    assert.ok(!browser.page.hasButton('Remove'), 'The last way can’t be removed.');
    return [];
  }
  const events = await press(at, 'Remove', { from: browser.page.path });
  if (events.length > 0) await browser.press('Remove');
  expectHeading(browser, 'Security and Credentials');
  account.apps = account.apps.filter((one) => one !== app);
  account.goneApps.push(app);
  if (account.apps.length === 0) seat.session!.proofs.delete('app');
  account.endSessions(seat);
  scene.ledger.raise(seat);
  return [...events, 'authn_factor_removed'];
}

/** "New phone?": the old app serves until the new one has shown a right code. */
export async function replaceApp(at: At, pick: number): Promise<string[]> {
  const { scene, account, seat } = at;
  const app = account.apps[pick % account.apps.length]!;
  await seat.browser.visit('/account/security');
  await seat.browser.press(buttonOf(account, app));
  const { path } = seat.browser.page;
  const events = await press(at, 'Set up on the new phone', { from: path });
  if (events.length > 0) await seat.browser.press('Set up on the new phone');
  await setUpApp(at, { replaces: app });
  expectHeading(seat.browser, 'Security and Credentials');
  scene.ledger.raise(seat, ['app', scene.ledger.now()]);
  return [...events, 'authn_factor_replaced'];
}

export async function disable(at: At): Promise<string[]> {
  const { scene, account, seat } = at;
  const { browser } = seat;
  const events = await press(at, 'Disable');
  if (scene.ledger.policy === 'required') {
    assert.ok(browser.page.has('can’t be disabled') && !browser.page.hasButton('Send verification code'), says(browser));
    return events;
  }
  await browser.press('Send verification code');
  await account.person.enterCode(account.person.newestCode(), { browser, button: 'Finish' });
  expectHeading(browser, 'Security and Credentials');
  account.turnOff();
  for (const kind of ['email', 'app', 'recovery-key'] as const) seat.session!.proofs.delete(kind);
  account.endSessions(seat);
  scene.ledger.raise(seat);
  return [...events, 'authn_code_sent', 'authn_factor_success', 'authn_two_factor_disabled'];
}

export async function newRecoveryKey(at: At): Promise<string[]> {
  const { scene, account, seat } = at;
  const events = await press(at, 'Create new Recovery Key');
  await seat.browser.press('Send verification code');
  await account.person.enterCode(account.person.newestCode(), { browser: seat.browser });
  await keepKey(at);
  expectHeading(seat.browser, 'Security and Credentials');
  scene.ledger.raise(seat);
  return [...events, 'authn_code_sent', 'authn_factor_success', 'authn_recovery_key_created'];
}

/** The password, and whatever comes after it, to the end. */
export async function signIn(at: At, kind: Kind, pick: number): Promise<string[]> {
  const { scene, account, seat } = at;
  const { ledger } = scene;
  await account.person.enterPassword(seat.browser);
  const proofs = new Map<'password' | Kind, number>([['password', ledger.now()]]);
  const events: string[] = [];
  if (account.on) {
    if (account.strongest === 'email' || kind === 'email') events.push('authn_code_sent');
    // The strongest is asked for first; the key is a way beside it.
    events.push(...(await showFactor(at, kind, pick)));
    proofs.set(kind, ledger.now());
  } else if (ledger.policy === 'required') {
    events.push(...(await setUpToGoOn(at, kind === 'email' ? 'email' : 'app')));
    proofs.set(kind === 'email' ? 'email' : 'app', ledger.now());
  }
  assert.ok(seat.browser.page.hasButton('Profile'), says(seat.browser));
  const news = seat.known ? [] : ['authn_login_new_browser'];
  ledger.enter(seat, proofs);
  return [...events, 'authn_login_success', ...news, 'session_created'];
}

/** Flow 5. In a browser that is new to the account the mailbox is asked first. */
async function setUpToGoOn(at: At, kind: 'email' | 'app'): Promise<string[]> {
  const { account, seat } = at;
  const { browser } = seat;
  const events: string[] = [];
  expectHeading(browser, 'Set up two-factor authentication');
  if (kind === 'email') {
    await browser.press('Enable With Code by Email');
    await browser.press('Send verification code');
    await account.person.enterCode(account.person.newestCode(), { browser });
    events.push('authn_code_sent');
    account.byEmail = true;
  } else {
    await browser.press('Enable With Authenticator App');
    if (!seat.known) {
      await browser.press('Send verification code');
      await account.person.enterCode(account.person.newestCode(), { browser });
      events.push('authn_code_sent', 'authn_factor_success');
    }
    await setUpApp(at);
  }
  await keepKey(at);
  account.endSessions();
  return [...events, 'authn_factor_added', ...FIRST];
}

let passwords = 0;
const newPassword = (): string => `eleven brown otters swim ${(passwords += 1)}`;

export async function changePassword(at: At): Promise<string[]> {
  const { scene, account, seat } = at;
  const { browser } = seat;
  const events = await press(at, 'Change password');
  const password = newPassword();
  browser.fill('Current password', account.person.password);
  browser.fill('New password', password);
  // What warns of wrong second factors has a link of the same name.
  await browser.press('Change password', { near: 'Cancel' });
  expectHeading(browser, 'Security and Credentials');
  account.changePassword(password, seat);
  scene.ledger.raise(seat, ['password', scene.ledger.now()]);
  return [...events, 'authn_password_change'];
}

/** By a link in the mail. Where a code by email is a second factor, the mailbox would be both steps: something else is asked for beside it. */
export async function resetPassword(at: At, pick: number): Promise<string[]> {
  const { account, seat } = at;
  const { browser } = seat;
  const { person } = account;
  const events = ['authn_password_reset_requested', 'authn_password_change'];
  // Whoever is signed in here has forgotten that too.
  browser.cookies.delete('twinlock-session');
  await person.openResetLink(browser);
  if (account.byEmail) events.push(...(await showFactor(at, account.besideMailbox, pick)));
  const password = newPassword();
  browser.fill('New password', password);
  await browser.press('Save new password');
  expectHeading(browser, 'Sign in');
  account.changePassword(password);
  return events;
}

export async function signOut({ account, seat }: At): Promise<string[]> {
  await account.person.signOut(seat.browser);
  seat.session = undefined;
  return ['session_ended'];
}
