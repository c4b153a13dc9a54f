// Attacks on what is signed in, and on what is half signed in: planted, kept, stolen and outlived tokens, and doors out of order.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { days, hours, minutes, seconds } from '../../src/platform/durations.ts';
import { assuranceLevel } from '../../src/factors/factors.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, openPortal, type Portal } from '../support/portal.ts';
import { routesOf } from '../support/routes.ts';
import { startSecondProcess, type SecondProcess } from '../support/second-process.ts';
import type { Visitor } from '../support/visitor.ts';
import { askForReset, isSignedIn, race, resetLink, sessionsOf } from './intruder.ts';

const SESSION = 'twinlock-session';

describe('tokens', () => {
  let portal: Portal;
  before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
  after(() => portal.close());

  /** Whether a session's token still opens anything. */
  const opens = async (token: string): Promise<boolean> => {
    const thief = portal.browser();
    thief.cookies.set(SESSION, token);
    return isSignedIn(thief);
  };

  test('SE-1: 256 random bits, of which the database has a keyed hash alone', async () => {
    const ada = await portal.newcomer().join();
    const token = ada.browser.cookies.get(SESSION)!;
    assert.equal(Buffer.from(token, 'base64url').length, 32);
    const rows = await portal.world.database.query.selectFrom('sessions').selectAll().execute();
    assert.ok(rows.length > 0);
    assert.ok(!JSON.stringify(rows).includes(token));
  });

  test('SE-2: signing in takes no token that was planted, before the password or after it', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const planted = 'p'.repeat(43);
    const victim = portal.browser();
    for (const name of [SESSION, 'twinlock-attempt', 'twinlock-reset']) victim.cookies.set(name, planted);
    await ada.signIn({ browser: victim, by: 'app' });
    assert.notEqual(victim.cookies.get(SESSION), planted);
    assert.equal(victim.cookies.get('twinlock-attempt'), undefined);
    assert.equal(await opens(planted), false);
  });

  test('SE-2: nor one of the attacker’s own account, which would let them watch: the attempt of another account does not become the victim’s', async () => {
    const mallory = await (await portal.newcomer().join()).enableByApp();
    const ada = await (await portal.newcomer().join()).enableByApp();
    const attacking = portal.browser();
    await mallory.enterPassword(attacking);
    const victim = portal.browser();
    victim.cookies.set('twinlock-attempt', attacking.cookies.get('twinlock-attempt')!);
    await ada.signIn({ browser: victim, by: 'app' });
    await victim.visit('/account');
    assert.ok(victim.page.has(ada.email));
    await mallory.enterCode(mallory.phone.fresh(), { browser: attacking });
    assert.ok(attacking.page.has(mallory.email));
    assert.ok(!attacking.page.has(ada.email));
  });

  test('SE-2: the old token is dead at every rise and every change', async () => {
    const ada = portal.newcomer();
    const { browser } = ada;
    const dies = async (what: string, act: () => Promise<unknown>) => {
      const old = browser.cookies.get(SESSION)!;
      await act();
      assert.notEqual(browser.cookies.get(SESSION), old, what);
      assert.equal(await opens(old), false, what);
      assert.equal(await isSignedIn(browser), true, what);
    };
    await ada.signUp();
    await dies('the address is verified', () => ada.verifyEmail());
    await dies('two-factor authentication is on', () => ada.enableByEmail());
    await dies('an app is added', () => ada.addApp());
    portal.clock.advance(minutes(11));
    await dies('it is confirmed that it is them', async () => {
      await browser.visit('/account/security/password');
      browser.fill('Password', ada.password);
      await browser.press('Continue');
      await ada.showSecondFactor('app');
    });
    await dies('the password is changed', async () => {
      await browser.visit('/account/security/password');
      browser.fill('Current password', ada.password);
      ada.password = 'four herons and a kingfisher';
      browser.fill('New password', ada.password);
      await browser.press('Change password');
    });
    await dies('a Recovery Key is created', async () => {
      await browser.visit('/account/security/recovery-key');
      await browser.press('Send verification code');
      await ada.enterCode(ada.newestCode());
      await ada.keepRecoveryKey();
    });
    await dies('the address is changed', async () => {
      await browser.visit('/account/email');
      browser.fill('Email', `new-${ada.email}`);
      await browser.press('Send verification code');
      ada.email = `new-${ada.email}`;
      await ada.enterCode(ada.newestCode());
    });
    await dies('a method is removed', async () => {
      await ada.openSecurity();
      await browser.press('Manage Code by email');
      await browser.press('Remove');
    });
    await dies('two-factor authentication is off', async () => {
      await ada.openSecurity();
      await browser.press('Disable');
      await browser.press('Send verification code');
      await ada.enterCode(ada.newestCode(), { button: 'Finish' });
    });
    await dies('somebody signs in again in this browser', async () => {
      await browser.post('/sign-in', { email: ada.email, password: ada.password });
    });
  });

  test('SE-5: signing out ends it on the server too', async () => {
    const ada = await portal.newcomer().join();
    const token = ada.browser.cookies.get(SESSION)!;
    await ada.signOut();
    assert.equal(await opens(token), false);
    assert.match(String(ada.browser.page.path), /sign-in/);
  });

  test('SE-8: signing out tells the browser to forget what it kept', async () => {
    const ada = await portal.newcomer().join();
    const answer = await portal.app.inject({
      method: 'POST',
      url: '/sign-out',
      headers: { cookie: ada.browser.cookies.header()!, 'content-type': 'application/x-www-form-urlencoded' },
      payload: `form_token=${encodeURIComponent(ada.browser.page.root.querySelector('input[name=form_token]')!.getAttribute('value')!)}`,
    });
    assert.match(String(answer.headers['clear-site-data']), /"cache".*"storage"/);
  });

  test('SE-5: all others end with the password, with two-factor authentication, and at a press', async () => {
    const ada = await portal.newcomer().join();
    const others = async () => {
      const browser = portal.browser();
      await ada.signIn({ browser, by: ada.recoveryKey === undefined ? 'none' : 'email' });
      return browser;
    };
    const endsBy = async (what: string, act: () => Promise<unknown>) => {
      const other = await others();
      await act();
      assert.equal(await isSignedIn(other), false, what);
      assert.equal(await isSignedIn(ada.browser), true, what);
    };
    await endsBy('a press', async () => {
      await ada.browser.visit('/account/sessions');
      await ada.browser.press('Sign out all others');
    });
    await endsBy('the password', async () => {
      await ada.browser.visit('/account/security/password');
      ada.browser.fill('Current password', ada.password);
      ada.password = 'four herons and a kingfisher';
      ada.browser.fill('New password', ada.password);
      await ada.browser.press('Change password');
    });
    await endsBy('turning it on', () => ada.enableByEmail());
    await endsBy('turning it off', async () => {
      await ada.openSecurity();
      await ada.browser.press('Disable');
      await ada.browser.press('Send verification code');
      await ada.enterCode(ada.newestCode(), { button: 'Finish' });
    });
  });

  test('SE-7: nobody ends another’s session', async () => {
    const ada = await portal.newcomer().join();
    const mallory = await portal.newcomer().join();
    const [victim] = await portal.world.database.query
      .selectFrom('sessions as s')
      .innerJoin('accounts as a', 'a.id', 's.account_id')
      .select('s.id')
      .where('a.email', '=', ada.email)
      .execute();
    await mallory.browser.visit('/account/sessions');
    await mallory.browser.post('/account/sessions/end', { session: victim!.id });
    assert.equal(await isSignedIn(ada.browser), true);
  });

  test('SE-5: the session of an account that is gone opens nothing', async () => {
    const ada = await portal.newcomer().join();
    const shadow = await portal.newcomer({ email: ada.email }).signUp();
    const token = shadow.browser.cookies.get(SESSION)!;
    // Whoever reads the mailbox is told that it has an account; what was begun for it is deleted.
    await shadow.enterCode(shadow.newestCode());
    assert.equal(shadow.browser.page.heading, 'You already have an account');
    assert.equal(await opens(token), false);
    assert.equal(await isSignedIn(ada.browser), true);
  });
});

describe('how long a session lasts', () => {
  let portal: Portal;
  before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
  after(() => portal.close());

  /** Keeps a session in use and says after how long it was over. */
  const livesFor = async (browser: Visitor, every: number, atMost: number): Promise<number> => {
    const from = portal.clock.now();
    while (portal.clock.now() - from < atMost) {
      portal.clock.advance(every);
      if (!(await isSignedIn(browser))) break;
    }
    return portal.clock.now() - from;
  };

  test('SE-4: at level 2 an hour idle and a day in all', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const idle = portal.browser();
    await ada.signIn({ browser: idle, by: 'app' });
    assert.equal(await livesFor(idle, hours(1), hours(2)), hours(1));
    const used = portal.browser();
    await ada.signIn({ browser: used, by: 'app' });
    assert.equal(await livesFor(used, minutes(50), days(3)), minutes(50) * 29);
  });

  test('SE-4: at level 1 thirty days in all, a week idle; codes by email are level 1', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const idle = portal.browser();
    await ada.signIn({ browser: idle, by: 'email' });
    assert.equal(await livesFor(idle, days(7), days(8)), days(7));
    const used = portal.browser();
    await ada.signIn({ browser: used, by: 'email' });
    assert.equal(await livesFor(used, days(3), days(40)), days(30));
  });

  test('SE-4: a session that rises to level 2 ends by the limits of level 2', async () => {
    const ada = await portal.newcomer().join();
    await ada.enableByApp();
    assert.equal(await livesFor(ada.browser, minutes(50), days(3)), minutes(50) * 29);
  });

  test('SE-4: a clock of the client’s own, or a cookie that it keeps, changes nothing', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const browser = portal.browser();
    await ada.signIn({ browser, by: 'app' });
    portal.clock.advance(hours(2));
    const answer = await portal.app.inject({ url: '/account', headers: { cookie: browser.cookies.header()!, date: new Date(0).toUTCString() } });
    assert.equal(answer.statusCode, 303);
  });

  test('RK-7: who came in by the Recovery Key may repair the account for ten minutes, and is asked again after that', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const browser = portal.browser();
    await ada.signIn({ browser, by: 'recovery-key' });
    await browser.visit('/account/security/disable');
    assert.equal(browser.page.path, '/account/security/disable');
    portal.clock.advance(minutes(10) - seconds(1));
    await browser.visit('/account/security/disable');
    assert.equal(browser.page.path, '/account/security/disable');
    portal.clock.advance(minutes(6));
    await browser.visit('/account/security/disable');
    assert.equal(browser.page.path, '/account/confirm');
    for (const path of ['/account/security/enable', '/account/security/disable', '/account/security/recovery-key', '/account/email']) {
      await browser.post(path, { method: 'email-code', email: 'mallory@example.com' });
      assert.equal(browser.page.path, '/account/confirm', path);
    }
  });

  test('AL-1, AL-2, AL-3, AL-4, AL-5: what was shown and its level, one row a combination', () => {
    const table: [string[], 1 | 2][] = [
      [['password'], 1],
      [['password', 'email-code'], 1],
      [['password', 'totp'], 2],
      [['password', 'recovery-key'], 2],
      [['password', 'email-code', 'totp'], 2],
      [['password', 'something that no factor is called'], 1],
      [[], 1],
    ];
    for (const [proven, level] of table) assert.equal(assuranceLevel(proven), level, proven.join(' + '));
  });
});

forEachPortal((open) => {
  let portal: Portal;
  let other: SecondProcess;
  before(async () => {
    portal = await open({ checkHtml: false });
    other = await startSecondProcess(portal);
  });
  after(() => other[Symbol.asyncDispose]());

  test('SE-3: of 30 that finish one attempt at once, over two processes, one gets a session', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    const sessions = await sessionsOf(portal, ada.email);
    const raced = await race([portal.app, other], { browser, path: '/sign-in/verify', fields: { code: ada.newestCode() }, times: 30 });
    assert.equal(await sessionsOf(portal, ada.email), sessions + 1);
    const fresh = raced.filter((one) => one.cookies.get(SESSION) !== undefined);
    assert.equal(fresh.length, 1);
    for (const { page } of raced) assert.ok(page.status < 500, page.text);
  });

  test('SE-3: of 20 that begin an attempt at once, over two processes, all end in the same place', async () => {
    const ada = await portal.newcomer().signUp();
    const raced = await race([portal.app, other], { browser: ada.browser, path: '/verify-email', fields: {}, times: 20 });
    for (const { page } of raced) assert.equal(page.status, 200, page.text);
    portal.clock.advance(minutes(10));
    await ada.browser.visit('/verify-email/code');
    await ada.browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    assert.equal(ada.browser.page.heading, 'Your email is verified', ada.browser.page.text);
  });

  test('EC-9: two browsers that verify one address at the same moment: it becomes the account of one of them', async () => {
    const ada = await portal.newcomer().signUp();
    const first = ada.newestCode();
    const shadow = await portal.newcomer({ email: ada.email }).signUp();
    const [one, two] = await Promise.all([
      ada.browser.movedTo(portal.app).post('/verify-email/code', { code: first }),
      shadow.browser.movedTo(other).post('/verify-email/code', { code: shadow.newestCode() }),
    ]);
    const headings = [one.heading, two.heading];
    assert.equal(headings.filter((heading) => heading === 'Your email is verified').length, 1, headings.join(' / '));
    for (const { status } of [one, two]) assert.ok(status < 500);
    const rows = await portal.world.database.query.selectFrom('accounts').select('id').where('email', '=', ada.email).execute();
    assert.equal(rows.length, 1);
  });

  test('SE-3: every route, in every state of an attempt, opens no session', async () => {
    for (const [state, reach] of Object.entries(HALF_WAY)) {
      await portal.setPolicy('optional');
      const ada = await portal.newcomer().join();
      const thief = portal.browser({ address: `203.0.113.${state.length}` });
      await reach({ portal, ada, thief });
      const sessions = await sessionsOf(portal, ada.email);
      const cookies = new Map(thief.cookies.names.map((name) => [name, thief.cookies.get(name)!]));
      for (const { method, path } of routesOf(portal.app)) {
        // What it has is put back, since some routes end the attempt.
        for (const [name, value] of cookies) thief.cookies.set(name, value);
        const to = path.replace(':id', 'x');
        if (method === 'GET') await thief.visit(to);
        else await thief.post(to, EVERYTHING);
        assert.equal(thief.cookies.get(SESSION), undefined, `${state}: ${method} ${path}`);
        assert.ok(thief.page.status < 500, `${state}: ${method} ${path}: ${thief.page.text}`);
        assert.ok(!thief.page.hasButton('Profile'), `${state}: ${method} ${path}`);
      }
      assert.equal(await sessionsOf(portal, ada.email), sessions, state);
    }
    await portal.setPolicy('optional');
  });
});

/** Plausible values for every field that there is; none of them is right. */
const EVERYTHING = {
  email: 'nobody@example.com',
  password: 'a password that is nobody’s',
  current: 'x',
  name: 'x',
  code: '000000',
  method: 'totp',
  saved: 'on',
  then: '/account',
  token: 'x'.repeat(43),
  session: 'x',
  language: 'en',
  secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
};

interface HalfWay {
  readonly portal: Portal;
  readonly ada: Person;
  readonly thief: Visitor;
}

/** Somebody who knows the password, or reads the mailbox, and no more than the step before has taken. */
const HALF_WAY: Readonly<Record<string, (half: HalfWay) => Promise<unknown>>> = {
  'nothing was shown': ({ thief }) => thief.visit('/sign-in'),
  'the password, and the app is asked for': async ({ ada, thief }) => {
    await ada.enableByApp();
    await ada.enterPassword(thief);
  },
  'the password, and a code is on its way': async ({ ada, thief }) => {
    await ada.enableByEmail();
    await ada.enterPassword(thief);
  },
  'the password, and the Recovery Key is asked for': async ({ ada, thief }) => {
    await ada.enableByApp();
    await ada.enterPassword(thief);
    await ada.chooseWay('recovery-key', thief);
  },
  'the policy asks to choose a method': async ({ portal, ada, thief }) => {
    await portal.setPolicy('required');
    await ada.enterPassword(thief);
    assert.equal(thief.page.path, '/sign-in/set-up');
  },
  'a link was opened, and the Recovery Key is asked for': async ({ portal, ada, thief }) => {
    await ada.enableByEmail();
    await askForReset(thief, ada.email);
    await thief.visit(resetLink(portal, ada.email));
    await thief.press('Continue');
  },
};
