/**
 * Everything that the portal does, done once: an account from its first day to its last, with the mistakes that people make and the doors that they
 * try. For tests that look for something everywhere: a secret in the wrong place, a header that is missing. What was secret is kept, to be looked for.
 */
import assert from 'node:assert/strict';
import { minutes, seconds } from '../../src/platform/durations.ts';
import type { Person } from '../support/person.ts';
import type { Portal } from '../support/portal.ts';
import { routesOf } from '../support/routes.ts';
import type { Visitor } from '../support/visitor.ts';
import { askForReset, resetLink, wrongCode } from './intruder.ts';

export interface Answer {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly body: string;
  /** The body of the request. */
  readonly sent: string;
}

export interface Life {
  readonly answers: readonly Answer[];
  /** What nobody but the person and their browser should ever hold, by what it is. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** Keeps every answer of the portal from here on. */
export function recordAnswers(portal: Portal): Answer[] {
  const answers: Answer[] = [];
  const { app } = portal;
  const inject = app.inject.bind(app) as unknown as Inject;
  const recorded: Inject = async (request) => {
    const { statusCode: status, headers, body } = await inject(request);
    answers.push({ method: request.method ?? 'GET', url: request.url, status, headers, body, sent: request.payload ?? '' });
    return { statusCode: status, headers, body };
  };
  Object.assign(app, { inject: recorded });
  return answers;
}
type Inject = (request: { method?: string; url: string; payload?: string }) => Promise<{ statusCode: number; headers: Answer['headers']; body: string }>;

export async function wholeLife(portal: Portal): Promise<Life> {
  const answers = recordAnswers(portal);
  const secrets = new Map<string, string>();
  const keep = (what: string, value: string | undefined): void => {
    if (value !== undefined) secrets.set(`${what} ${secrets.size}`, value);
  };
  const keepCookies = (browser: Visitor): void => {
    for (const name of ['session', 'attempt', 'reset', 'browser']) keep(`${name} cookie`, browser.cookies.get(`twinlock-${name}`));
  };
  const ada = portal.newcomer();
  keep('password', ada.password);
  await signUpAndVerify(ada, keep);
  keepCookies(ada.browser);
  await useEmail(portal, ada);
  keep('Recovery Key', ada.recoveryKey);
  await useApps(portal, ada, keep);
  keepCookies(ada.browser);
  await useRecoveryKey(portal, ada, keep);
  await changeEverything(portal, ada, keep, keepCookies);
  await forget(portal, ada, keep, keepCookies);
  await setUpByPolicy(portal, keep);
  await tryEveryRoute(portal, ada);
  await leave(portal, ada);
  for (const [index, { text }] of portal.mail.mails.entries()) {
    keep('emailed code', /^(\d{6})\n/.exec(text)?.[1]);
    keep(`token of a link in mail ${index}`, /token=([\w-]{43})/.exec(text)?.[1]);
  }
  return { answers, secrets };
}

type Keep = (what: string, value: string | undefined) => void;

async function signUpAndVerify(ada: Person, keep: Keep): Promise<void> {
  const { browser } = ada;
  await browser.visit('/');
  await browser.post('/sign-up', { name: '', email: 'no address', password: 'short' });
  keep('password', 'short but secret');
  await browser.post('/sign-up', { name: 'Ada', email: ada.email, password: 'short but secret' });
  await ada.signUp();
  await ada.enterCode(wrongCode(ada.newestCode()));
  await ada.verifyEmail();
  for (const path of ['/verify-email', '/verify-email/code', '/verify-email/taken', '/sign-in', '/sign-in/done']) await browser.visit(path);
  await browser.post('/account', { name: 'Ada Lovelace', language: 'en' });
}

async function useEmail(portal: Portal, ada: Person): Promise<void> {
  await ada.enableByEmail();
  const browser = portal.browser();
  await ada.enterPassword(browser, WRONG_PASSWORD);
  await ada.enterPassword(browser);
  portal.clock.advance(seconds(31));
  await browser.post('/sign-in/verify/send');
  await browser.visit('/sign-in/verify/other');
  await browser.visit('/sign-in/verify');
  await ada.enterCode(wrongCode(ada.newestCode()), { browser });
  await browser.visit('/sign-in/leave');
  await browser.press('Start again');
  await ada.signIn({ browser, by: 'email' });
}

/** Never an account's, and a secret all the same: people mistype one character, or enter that of another site. */
const WRONG_PASSWORD = 'seven quiet heronz of another site';

async function useApps(portal: Portal, ada: Person, keep: Keep): Promise<void> {
  keep('password of another site', WRONG_PASSWORD);
  const { browser } = ada;
  await ada.addApp();
  keep('secret of an app', ada.phone.scanned.secret);
  await ada.openSecurity();
  await browser.press('Manage Authenticator app');
  const method = browser.page.path;
  await browser.post(`${method}/rename`, { name: 'Phone' });
  await browser.visit(method);
  await browser.press('Set up on the new phone');
  const old = ada.phone.fresh();
  await ada.setUpApp();
  keep('secret of an app', ada.phone.scanned.secret);
  keep('code of an app', old);
  const other = portal.browser();
  await ada.enterPassword(other);
  const code = ada.phone.fresh();
  keep('code of an app', code);
  await ada.enterCode(wrongCode(code), { browser: other });
  await ada.enterCode(code, { browser: other });
  await ada.signOut(other);
  await ada.enterPassword(other);
  await ada.enterCode(code, { browser: other });
}

async function useRecoveryKey(portal: Portal, ada: Person, keep: Keep): Promise<void> {
  const browser = portal.browser();
  await ada.enterPassword(browser);
  await ada.chooseWay('recovery-key', browser);
  await browser.post('/sign-in/verify', { code: '0'.repeat(26) });
  await browser.post('/sign-in/verify', { code: 'not a key' });
  await ada.showSecondFactor('recovery-key', browser);
  keep('Recovery Key', ada.recoveryKey);
  keep('Recovery Key without dashes', ada.recoveryKey?.replaceAll('-', ''));
  await browser.visit('/account/security/recovery-key');
  await browser.press('Send verification code');
  await ada.enterCode(ada.newestCode(), { browser });
  await ada.keepRecoveryKey(browser);
  keep('Recovery Key', ada.recoveryKey);
  ada.browser = browser;
}

async function changeEverything(portal: Portal, ada: Person, keep: Keep, keepCookies: (browser: Visitor) => void): Promise<void> {
  const { browser } = ada;
  portal.clock.advance(minutes(20));
  await browser.visit('/account/security/password');
  browser.fill('Password', WRONG_PASSWORD);
  await browser.press('Continue');
  browser.fill('Password', ada.password);
  await browser.press('Continue');
  keepCookies(browser);
  await ada.showSecondFactor('app');
  await browser.visit('/account/security/password');
  browser.fill('Current password', ada.password);
  ada.password = 'four herons and a kingfisher';
  keep('password', ada.password);
  browser.fill('New password', ada.password);
  await browser.press('Change password');
  await browser.visit('/account/email');
  browser.fill('Email', `new-${ada.email}`);
  await browser.press('Send verification code');
  ada.email = `new-${ada.email}`;
  await ada.enterCode(wrongCode(ada.newestCode()));
  await ada.enterCode(ada.newestCode());
  keepCookies(browser);
  await ada.openSecurity();
  await browser.press('Manage Code by email');
  await browser.press('Remove');
  await browser.visit('/account/sessions');
  await browser.post('/account/sessions/end', { session: 'nobody’s' });
  await browser.post('/account/sessions/end-others');
  await browser.post('/account/failed-tries');
}

async function forget(portal: Portal, ada: Person, keep: Keep, keepCookies: (browser: Visitor) => void): Promise<void> {
  const browser = portal.browser();
  await askForReset(browser, 'nobody-has-this@example.com');
  await askForReset(browser, 'no address');
  await askForReset(browser, ada.email);
  await browser.visit(resetLink(portal, ada.email));
  await browser.press('Continue');
  keepCookies(browser);
  await browser.post('/forgot-password/new-password', { password: 'tooshort' });
  ada.password = 'eleven wagtails by the weir';
  keep('password', ada.password);
  browser.fill('New password', ada.password);
  await browser.press('Save new password');
  await browser.post('/forgot-password/link', { token: 'x'.repeat(43) });
  await ada.signIn({ browser, by: 'app' });
  ada.browser = browser;
  keepCookies(browser);
}

async function setUpByPolicy(portal: Portal, keep: Keep): Promise<void> {
  const eve = await portal.newcomer().join();
  keep('password', eve.password);
  await portal.setPolicy('required');
  const browser = portal.browser();
  await eve.enterPassword(browser);
  await browser.press('Enable With Authenticator App');
  await browser.press('Send verification code');
  await eve.enterCode(eve.newestCode(), { browser });
  await eve.setUpApp({ browser });
  keep('secret of an app', eve.phone.scanned.secret);
  await eve.keepRecoveryKey(browser);
  keep('Recovery Key', eve.recoveryKey);
  await browser.press('Continue');
  assert.equal(browser.page.path, '/account');
  await browser.visit('/account/security/disable');
  await browser.post('/account/security/disable');
  await portal.setPolicy('optional');
}

/** Every route, as a stranger, half signed in, and signed in, with nothing in its form. Signing out comes last. */
async function tryEveryRoute(portal: Portal, ada: Person): Promise<void> {
  const half = portal.browser();
  await ada.enterPassword(half);
  const stranger = portal.browser();
  await stranger.visit('/sign-in');
  for (const browser of [stranger, half, ada.browser]) {
    for (const { method, path } of routesOf(portal.app)) {
      if (path === '/sign-out' || path === '/sign-in/leave') continue;
      const to = path.replace(':id', 'x');
      await (method === 'GET' ? browser.visit(to) : browser.post(to));
    }
  }
}

async function leave(portal: Portal, ada: Person): Promise<void> {
  const { browser } = ada;
  await browser.visit('/account/security/disable');
  await browser.press('Send verification code');
  await ada.enterCode(ada.newestCode(), { button: 'Finish' });
  await ada.signOut();
  await browser.visit('/account');
  await browser.visit('/no-such-page');
  await browser.post('/sign-in', { form_token: 'forged', email: ada.email, password: ada.password });
  await browser.post('/sign-in', [
    ['email', ada.email],
    ['email', ada.email],
    ['password', ada.password],
  ]);
  await browser.post('/sign-in', { email: ada.email, password: ada.password }, { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' });
  await browser.post('/sign-in', { email: ada.email, password: 'x'.repeat(5000) });
  await portal.app.inject({ method: 'DELETE', url: '/sign-in' });
  await portal.app.inject({ method: 'POST', url: '/sign-in', headers: { 'content-type': 'application/json' }, payload: '{"email":1}' });
}
