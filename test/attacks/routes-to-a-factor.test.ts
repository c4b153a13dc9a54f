// RL-6: every route on which something can be guessed has the same limits. The routes are read from the router: a new one fails until it is listed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { minutes, seconds } from '../../src/platform/durations.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { madeBypassCode, signInByBypassCode } from '../support/lost-phone.ts';
import type { Person } from '../support/person.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { routesOf } from '../support/routes.ts';
import type { Visitor } from '../support/visitor.ts';
import { askForReset, resetLink, wrongCode } from './intruder.ts';

let portal: Portal;
before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
after(() => portal.close());

/** Where a form is, what it takes, and what a right answer is. */
interface Guessed {
  /** Leads somebody to it. */
  reach(): Promise<{ readonly browser: Visitor; readonly right: string; readonly wrong: string }>;
  readonly field: string;
  /** What else the form has. */
  readonly besides?: (right: string) => Record<string, string>;
}

const rightApp = (ada: Person) => ada.phone.shows(portal.clock.now() + seconds(30));
const joined = () => portal.newcomer().join();
const withEmail = async () => (await joined()).enableByEmail();
const withApp = async () => (await joined()).enableByApp();
const code = (browser: Visitor, right: string) => ({ browser, right, wrong: wrongCode(right) });

/** A session of `ada` whose proof is old. */
async function stale(ada: Person): Promise<Person> {
  portal.clock.advance(minutes(11));
  return ada;
}

let email = '';
const GUESSED: Readonly<Record<string, Guessed>> = {
  '/sign-in': {
    field: 'password',
    besides: () => ({ email }),
    reach: async () => {
      const ada = await joined();
      ({ email } = ada);
      const browser = portal.browser({ address: '203.0.113.1' });
      await browser.visit('/sign-in');
      return { browser, right: ada.password, wrong: 'wrong' };
    },
  },
  '/sign-in/verify': {
    field: 'code',
    reach: async () => {
      const ada = await withApp();
      const browser = portal.browser();
      await ada.enterPassword(browser);
      return code(browser, rightApp(ada));
    },
  },
  '/sign-in/set-up/email': {
    field: 'code',
    reach: async () => {
      const ada = await joined();
      await portal.setPolicy('required');
      const browser = portal.browser();
      await ada.enterPassword(browser);
      await browser.post('/sign-in/set-up', { method: 'totp' });
      await browser.post('/sign-in/set-up/email/send');
      return code(browser, ada.newestCode());
    },
  },
  '/sign-in/set-up/code': {
    field: 'code',
    reach: async () => {
      const ada = await joined();
      await portal.setPolicy('required');
      const browser = portal.browser();
      await ada.enterPassword(browser);
      await browser.post('/sign-in/set-up', { method: 'email-code' });
      await browser.post('/sign-in/set-up/method');
      return code(browser, ada.newestCode());
    },
  },
  '/verify-email/code': {
    field: 'code',
    reach: async () => {
      const ada = await portal.newcomer().signUp();
      return code(ada.browser, ada.newestCode());
    },
  },
  '/account/confirm': {
    field: 'password',
    reach: async () => {
      const ada = await stale(await joined());
      return { browser: ada.browser, right: ada.password, wrong: 'wrong' };
    },
  },
  '/account/confirm/verify': {
    field: 'code',
    reach: async () => {
      const ada = await stale(await withApp());
      await ada.browser.post('/account/confirm', { password: ada.password });
      return code(ada.browser, rightApp(ada));
    },
  },
  '/account/security/password': {
    field: 'current',
    besides: () => ({ password: 'four herons and a kingfisher' }),
    reach: async () => {
      const ada = await joined();
      return { browser: ada.browser, right: ada.password, wrong: 'wrong' };
    },
  },
  '/account/security/set-up/code': {
    field: 'code',
    reach: async () => {
      const ada = await joined();
      await ada.browser.post('/account/security/enable', { method: 'email-code' });
      return code(ada.browser, ada.newestCode());
    },
  },
  '/account/security/set-up/email': {
    field: 'code',
    reach: async () => {
      const ada = await withApp();
      const browser = portal.browser();
      await signInByBypassCode(ada, browser, await madeBypassCode(portal, ada.email));
      await browser.post('/account/security/enable', { method: 'totp' });
      await browser.post('/account/security/set-up/email/send');
      return code(browser, ada.newestCode());
    },
  },
  '/account/security/disable/code': {
    field: 'code',
    reach: async () => {
      const ada = await withEmail();
      await ada.browser.post('/account/security/disable');
      return code(ada.browser, ada.newestCode());
    },
  },
  '/account/security/recovery-key/code': {
    field: 'code',
    reach: async () => {
      const ada = await withEmail();
      await ada.browser.post('/account/security/recovery-key');
      return code(ada.browser, ada.newestCode());
    },
  },
  '/account/email/code': {
    field: 'code',
    reach: async () => {
      const ada = await joined();
      await ada.browser.post('/account/email', { email: `new-${ada.email}` });
      return code(ada.browser, ada.newestCode(`new-${ada.email}`));
    },
  },
  '/forgot-password/recovery-key': {
    field: 'code',
    reach: async () => {
      const ada = await withEmail();
      const browser = portal.browser();
      await askForReset(browser, ada.email);
      await browser.visit(resetLink(portal, ada.email));
      await browser.press('Continue');
      return { browser, right: ada.recoveryKey!, wrong: '0'.repeat(26) };
    },
  },
};

/** Forms that take nothing that could be guessed: what they have is 128 bits or more, or is no secret. */
const NOTHING_TO_GUESS: Readonly<Record<string, string>> = {
  '/forgot-password/link': '256 random bits',
  '/forgot-password/new-password': 'a new password',
  '/sign-in/new-password': 'a new password',
  '/sign-up': 'a new account',
  '/forgot-password': 'an address: limited by mail and network',
  '/sign-out': 'nothing',
  '/sign-in/leave': 'nothing',
  '/sign-in/set-up': 'a choice',
  '/sign-in/set-up/later': 'a choice',
  '/sign-in/set-up/method': 'a name',
  '/account': 'a name',
  '/account/failed-tries': 'nothing',
  '/account/sessions/end': 'the id of an own session',
  '/account/sessions/end-others': 'nothing',
  '/account/email': 'an address: limited by mail',
  '/account/security/enable': 'a choice',
  '/account/security/bypass-code/refuse': 'nothing',
  '/account/organisations/:id/leave': 'nothing',
  '/account/security/devices/remove': 'nothing',
  '/account/security/devices/remove-all': 'nothing',
  '/account/security/reset/stop': 'nothing',
  '/stop-reset': '256 random bits',
  '/sign-in/help': 'what somebody writes: limited by mail',
  '/account/security/set-up': 'a name',
  '/account/security/disable': 'nothing',
  '/account/security/recovery-key': 'nothing',
  '/account/security/methods/:id/rename': 'a name',
  '/account/security/methods/:id/remove': 'nothing',
  '/account/security/methods/:id/replace': 'nothing',
  '/verify-email': 'nothing',
  '/set-up': '256 random bits',
  '/invitation': '256 random bits',
  '/admin/audit/export': 'nothing',
  '/admin/audit/checkpoint': 'nothing',
  '/admin/api-keys/new': 'nothing',
  '/admin/api-keys/:id/revoke': 'nothing',
  '/admin/api-keys/:id/stand-by': 'nothing',
  '/admin/people/:id/resend-verification': 'nothing',
  '/admin/audit/webhook': 'nothing',
  '/admin/audit/webhook/test': 'nothing',
  '/admin/audit/webhook/pause': 'nothing',
  '/admin/audit/webhook/resume': 'nothing',
  '/admin/audit/webhook/remove': 'nothing',
  '/admin/sso/new': 'nothing',
  '/admin/sso/:id': 'nothing',
  '/admin/sso/:id/on': 'nothing',
  '/admin/sso/:id/off': 'nothing',
  '/admin/sso/:id/required': 'nothing',
  '/admin/sso/:id/optional': 'nothing',
  '/admin/sso/:id/remove': 'nothing',
  '/admin/sso/domains/check': 'nothing',
  '/admin/sso/domains/remove': 'nothing',
  '/admin/sso/domains/lead': 'nothing',
  '/account/confirm/sso': 'nothing',
  '/account/security/disconnect': 'nothing',
  '/admin/sso/:id/test': 'a password of the organisation’s own directory: limited',
  '/admin/sso/domains/add': 'a domain',
  '/sign-in/sso': 'an address, of which the domain alone counts',
  '/account/connect': '256 random bits',
  '/sso/:connection/callback': '256 random bits',
  '/sso/:connection/logout': 'a signature',
  '/sso/:connection/signed-out': 'nothing',
  '/admin/apps/new': 'a host',
  '/admin/apps/:id': 'rules',
  '/admin/apps/:id/remove': 'nothing',
  '/admin/policy/preview': 'rules',
  '/admin/policy/preview/tell': 'nothing',
  '/admin/policy/preview/export': 'nothing',
  '/admin/policy/save': 'a reason',
  '/admin/policy/restore': 'nothing',
  '/admin/people/export': 'nothing',
  '/admin/people/invite': 'an address: limited by mail',
  '/admin/people/invitations/:id/resend': 'nothing',
  '/admin/people/invitations/:id/revoke': 'nothing',
  '/admin/people/:id/role': 'a choice',
  '/admin/people/:id/remove': 'nothing',
  '/admin/people/:id/make-owner': 'nothing',
  '/admin/people/:id/end-sessions': 'nothing',
  '/admin/people/:id/suspend': 'nothing',
  '/admin/people/:id/resume': 'nothing',
  '/admin/people/:id/require-password': 'nothing',
  '/admin/people/:id/bypass-code': 'nothing',
  '/admin/people/:id/bypass-code/revoke': 'nothing',
  '/admin/help/:id/close': 'nothing',
  '/admin/people/:id/reset': 'nothing',
  '/admin/people/:id/reset/approve': 'nothing',
  '/admin/people/:id/reset/stop': 'nothing',
};
/** The parts of a step that every journey shares. */
const SHARED = /\/(send|back|other|download)$|\/(recovery-key|recovery-key\/new|next-recovery-key)$/;

test('RL-6: every form of the router is listed, as one that can be guessed at or as one that can’t', () => {
  for (const { path } of routesOf(portal.app).filter(({ method }) => method === 'POST'))
    assert.ok(path in GUESSED || path in NOTHING_TO_GUESS || SHARED.test(path), `${path} is new: what can be guessed there?`);
  for (const path of [...Object.keys(GUESSED), ...Object.keys(NOTHING_TO_GUESS)])
    assert.ok(
      routesOf(portal.app).some((route) => route.method === 'POST' && route.path === path),
      `${path} is gone`,
    );
});

for (const [path, { reach, field, besides }] of Object.entries(GUESSED)) {
  test(`RL-6: at ${path} five wrong answers are looked at, and the right one behind them is not`, async () => {
    const { browser, right, wrong } = await reach();
    const answer = (value: string) => browser.post(path, { [field]: value, ...besides?.(value) });
    for (let tries = 0; tries < 5; tries++) {
      await answer(wrong);
      assert.ok([401, 422].includes(browser.page.status), `${browser.page.status}: ${browser.page.text}`);
      assert.equal(browser.page.path, path);
    }
    await answer(right);
    assert.ok([422, 429].includes(browser.page.status), `${browser.page.status} ${browser.page.path}`);
    assert.equal(browser.page.path, path);
    await portal.setPolicy('optional');
  });
}

test('RL-6: the right answer is taken at each of them, so that the refusals above were those of the limit', async () => {
  for (const [path, { reach, field, besides }] of Object.entries(GUESSED)) {
    const { browser, right } = await reach();
    await browser.post(path, { [field]: right, ...besides?.(right) });
    assert.ok(browser.page.status < 400, `${path}: ${browser.page.text}`);
    assert.notEqual(browser.page.path, path);
    await portal.setPolicy('optional');
  }
});

test('RL-2, RL-6: one budget for a factor, whatever it is asked for; two that are hammered both pause', async () => {
  const ada = await stale(await withApp());
  const thief = portal.browser();
  await ada.enterPassword(thief);
  for (let tries = 0; tries < 4; tries++) await thief.post('/sign-in/verify', { code: wrongCode(ada.phone.shows()) });
  await thief.post('/sign-in/verify/other', { method: 'recovery-key' });
  for (let tries = 0; tries < 5; tries++) await thief.post('/sign-in/verify', { code: '0'.repeat(26) });
  await ada.browser.post('/account/confirm', { password: ada.password });
  await ada.browser.post('/account/confirm/verify', { code: wrongCode(ada.phone.shows()) });
  await ada.browser.post('/account/confirm', { password: ada.password });
  await ada.browser.post('/account/confirm/verify', { code: rightApp(ada) });
  assert.equal(ada.browser.page.status, 429, 'the fifth was at another page');
  await ada.browser.post('/account/confirm/verify/other', { method: 'recovery-key' });
  await ada.browser.post('/account/confirm/verify', { code: ada.recoveryKey! });
  assert.equal(ada.browser.page.status, 429);
});

test('RL-6: what an app shows that is being set up is no secret, and wrong codes of it end nothing', async () => {
  const ada = await joined();
  await ada.browser.post('/account/security/enable', { method: 'totp' });
  await ada.browser.post('/account/security/set-up');
  const app = AuthenticatorApp.from(ada.browser.page, portal.clock);
  for (let tries = 0; tries < 5; tries++) await ada.browser.post('/account/security/set-up/code', { code: wrongCode(app.shows()) });
  portal.clock.advance(minutes(1));
  await ada.browser.post('/account/security/set-up/code', { code: app.shows() });
  assert.equal(ada.browser.page.path, '/account/security/set-up/recovery-key');
});
