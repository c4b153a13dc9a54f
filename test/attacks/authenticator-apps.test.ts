// Attacks on authenticator apps: their secrets, their codes, and the moment in which they are set up.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generate } from 'otplib';
import { codeAt, stepAt } from '../../src/factors/totp/totp.ts';
import { minutes, seconds } from '../../src/platform/durations.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, openPortal, type Portal } from '../support/portal.ts';
import { routesOf } from '../support/routes.ts';
import { startSecondProcess, type SecondProcess } from '../support/second-process.ts';
import { accountOf, isSignedIn, race, sessionsOf } from './intruder.ts';

const base32Of = (ascii: string): string => {
  const bits = [...Buffer.from(ascii)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits
    .match(/.{1,5}/g)!
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five.padEnd(5, '0'), 2)])
    .join('');
};
const SECRETS = {
  SHA1: base32Of('12345678901234567890'),
  SHA256: base32Of('12345678901234567890123456789012'),
  SHA512: base32Of('1234567890123456789012345678901234567890123456789012345678901234'),
} as const;

test('TO-1: RFC 4226, appendix D, whole', () => {
  const parameters = { secret: SECRETS.SHA1, algorithm: 'SHA1', digits: 6, periodSeconds: 30 } as const;
  const codes = Array.from({ length: 10 }, (_, counter) => codeAt(parameters, counter));
  assert.deepEqual(codes, ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']);
});

test('TO-1: RFC 6238, appendix B, whole, with the seeds of its reference code', () => {
  const table: [number, string, string, string][] = [
    [59, '94287082', '46119246', '90693936'],
    [1111111109, '07081804', '68084774', '25091201'],
    [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'],
    [2000000000, '69279037', '90698825', '38618901'],
    [20000000000, '65353130', '77737706', '47863826'],
  ];
  for (const [at, ...codes] of table) {
    for (const [index, algorithm] of (['SHA1', 'SHA256', 'SHA512'] as const).entries()) {
      const parameters = { secret: SECRETS[algorithm], algorithm, digits: 8, periodSeconds: 30 } as const;
      assert.equal(codeAt(parameters, stepAt(parameters, at * 1000)), codes[index], `${algorithm} at ${at}`);
      assert.equal(codeAt({ ...parameters, digits: 6 }, stepAt(parameters, at * 1000)), codes[index]!.slice(2), `${algorithm} at ${at}, six digits`);
    }
  }
});

test('TO-1: beyond 2^32 seconds, and beyond 2^32 steps, as an independent program has it', async () => {
  for (const at of [2 ** 32, 2 ** 33 + 7, 30 * 2 ** 32 + 59]) {
    const parameters = { secret: SECRETS.SHA1, algorithm: 'SHA1', digits: 6, periodSeconds: 30 } as const;
    assert.equal(codeAt(parameters, stepAt(parameters, at * 1000)), await generate({ secret: SECRETS.SHA1, epoch: at }), `${at}`);
  }
});

let portal: Portal;
before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
after(() => portal.close());

const factorRows = async (person: Person) => {
  const { id } = await accountOf(portal, person.email);
  return portal.world.database.query.selectFrom('factors').selectAll().where('account_id', '=', id).orderBy('id').execute();
};

test('TO-2: 160 bits, anew for every enrolment, whatever a form says', async () => {
  const ada = await portal.newcomer().join();
  const chosen = SECRETS.SHA1;
  const secrets = new Set<string>();
  for (let times = 0; times < 3; times++) {
    await ada.browser.post('/account/security/enable', { method: 'totp', secret: chosen, pending: chosen });
    await ada.browser.post('/account/security/set-up', { secret: chosen, algorithm: 'SHA512', digits: '8' });
    const { scanned } = AuthenticatorApp.from(ada.browser.page, portal.clock);
    assert.equal(scanned.secret.length * 5, 160);
    assert.match(scanned.secret, /^[A-Z2-7]{32}$/);
    assert.deepEqual([scanned.algorithm, scanned.digits, scanned.period], ['sha1', 6, 30]);
    secrets.add(scanned.secret);
  }
  assert.equal(secrets.size, 3);
  assert.ok(!secrets.has(chosen));
});

test('TO-3, TO-6: one step of drift either way by the server’s clock, and no more, whatever the client’s says', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const opens = async (drift: number): Promise<boolean> => {
    portal.clock.advance(minutes(5));
    const browser = portal.browser();
    await ada.enterPassword(browser);
    const at = portal.clock.now() + drift * seconds(30);
    await browser.post('/sign-in/verify', { code: ada.phone.shows(at) }, { date: new Date(at).toUTCString() });
    return isSignedIn(browser);
  };
  for (const [drift, expected] of [
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
    [20, false],
  ] as const)
    assert.equal(await opens(drift), expected, `${drift}`);
});

test('TO-4: a step is accepted once, in whatever browser and for whatever purpose; none before it is either', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  portal.clock.advance(minutes(11));
  const code = ada.phone.shows();
  const earlier = ada.phone.shows(portal.clock.now() - seconds(30));
  const first = portal.browser();
  await ada.enterPassword(first);
  await ada.enterCode(code, { browser: first });
  assert.equal(await isSignedIn(first), true);
  for (const spent of [code, earlier]) {
    const thief = portal.browser();
    await ada.enterPassword(thief);
    await thief.post('/sign-in/verify', { code: spent });
    assert.equal(await isSignedIn(thief), false);
    assert.match(thief.page.path, /^\/sign-in/);
  }
  // For a fresh proof in the session that is there already, too.
  await ada.browser.post('/account/confirm', { password: ada.password, then: '/account/security/disable' });
  await ada.browser.post('/account/confirm/verify', { code });
  assert.equal(ada.browser.page.status, 422);
  assert.match(ada.browser.page.alert, /used|new one|next/i);
});

test('TO-4: the code that set the app up does not sign in as well', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const thief = portal.browser();
  await ada.enterPassword(thief);
  await thief.post('/sign-in/verify', { code: ada.phone.shows() });
  assert.equal(await isSignedIn(thief), false);
});

test('TO-9: an app that was shown and never answered for counts for nothing, and lapses', async () => {
  const ada = await portal.newcomer().join();
  await ada.browser.post('/account/security/enable', { method: 'totp' });
  await ada.browser.post('/account/security/set-up');
  const abandoned = AuthenticatorApp.from(ada.browser.page, portal.clock);
  await ada.signIn({ browser: portal.browser(), by: 'none' });
  // One that was begun since takes its place.
  await ada.browser.post('/account/security/enable', { method: 'totp' });
  await ada.browser.post('/account/security/set-up');
  const newer = AuthenticatorApp.from(ada.browser.page, portal.clock);
  await ada.browser.post('/account/security/set-up/code', { code: abandoned.shows() });
  assert.equal(ada.browser.page.status, 422);
  portal.clock.advance(minutes(10));
  await ada.browser.post('/account/security/set-up/code', { code: newer.shows() });
  assert.equal(ada.browser.page.status, 422);
  assert.deepEqual(await factorRows(ada), []);
});

test('TO-10, Grav CVE-2026-62232: who owes the second factor makes, sees and replaces no secret, by any route', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const rows = await factorRows(ada);
  const thief = portal.browser();
  await ada.enterPassword(thief);
  const attempt = thief.cookies.get('twinlock-attempt')!;
  const methods = rows.map((row) => row.id);
  for (const { method, path } of routesOf(portal.app)) {
    for (const id of path.includes(':id') ? methods : ['']) {
      thief.cookies.set('twinlock-attempt', attempt);
      const to = path.replace(':id', id);
      await (method === 'GET' ? thief.visit(to) : thief.post(to, { method: 'totp', code: '000000', name: 'x', saved: 'on' }));
      assert.doesNotMatch(thief.page.body, /otpauth:/, `${method} ${path}`);
    }
  }
  const unchanged = (await factorRows(ada)).filter(({ kind }) => kind === 'totp').map(({ state, name }) => ({ state, name }));
  assert.deepEqual(
    unchanged,
    rows.filter(({ kind }) => kind === 'totp').map(({ state, name }) => ({ state, name })),
  );
  await ada.signIn({ browser: portal.browser(), by: 'app' });
});

test('AD-8: whoever stole a password does not set up first where the policy asks for it: the mailbox is asked before anything is shown', async () => {
  const ada = await portal.newcomer().join();
  await portal.setPolicy('required');
  const thief = portal.browser();
  await ada.enterPassword(thief);
  await thief.post('/sign-in/set-up', { method: 'totp' });
  assert.equal(thief.page.path, '/sign-in/set-up/email');
  for (const path of ['/sign-in/set-up/method', '/sign-in/set-up/code', '/sign-in/recovery-key']) {
    await thief.visit(path);
    assert.equal(thief.page.path, '/sign-in/set-up/email', path);
    await thief.post(path, { code: '000000', saved: 'on' });
    assert.equal(thief.page.path, '/sign-in/set-up/email', path);
  }
  assert.deepEqual(await factorRows(ada), []);
  await portal.setPolicy('optional');
});

test('TO-5: a code that somebody has used before is on the record as such', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const thief = portal.browser();
  await ada.enterPassword(thief);
  await thief.post('/sign-in/verify', { code: ada.phone.shows() });
  const { id } = await accountOf(portal, ada.email);
  const events = await portal.world.database.query.selectFrom('audit_events').select('event').where('account_id', '=', id).execute();
  assert.ok(events.some(({ event }) => event === 'authn_factor_replayed'));
});

forEachPortal((open) => {
  let shared: Portal;
  let other: SecondProcess;
  before(async () => {
    shared = await open({ checkHtml: false });
    other = await startSecondProcess(shared);
  });
  after(() => other[Symbol.asyncDispose]());

  test('TO-4, Keycloak #13607: one code, in 20 browsers at once over two processes, opens one session', async () => {
    const ada = await (await shared.newcomer().join()).enableByApp();
    const browsers = [];
    for (let count = 0; count < 20; count++) {
      const browser = shared.browser();
      await ada.enterPassword(browser);
      browsers.push(browser);
    }
    const sessions = await sessionsOf(shared, ada.email);
    const code = ada.phone.fresh();
    const raced = (
      await Promise.all(
        browsers.map((browser, index) => race([index % 2 ? shared.app : other], { browser, path: '/sign-in/verify', fields: { code }, times: 2 })),
      )
    ).flat();
    assert.equal(await sessionsOf(shared, ada.email), sessions + 1);
    for (const { page } of raced) assert.ok(page.status < 500, page.text);
  });

  test('TO-9: two windows that set an app up at once over two processes: the account has what it should, and its key is one that was shown', async () => {
    const ada = await shared.newcomer().join();
    await ada.browser.post('/account/security/enable', { method: 'totp' });
    await ada.browser.post('/account/security/set-up');
    const app = AuthenticatorApp.from(ada.browser.page, shared.clock);
    const raced = await race([shared.app, other], { browser: ada.browser, path: '/account/security/set-up/code', fields: { code: app.shows() }, times: 20 });
    for (const { page } of raced) assert.ok(page.status < 500, page.text);
    await ada.browser.visit('/account/security/set-up/recovery-key');
    await ada.downloadRecoveryKey();
    const kept = await race([shared.app, other], { browser: ada.browser, path: '/account/security/set-up/recovery-key', fields: { saved: 'on' }, times: 20 });
    for (const { page } of kept) assert.ok(page.status < 500, page.text);
    const { id } = await accountOf(shared, ada.email);
    const held = await shared.world.database.query.selectFrom('factors').select('kind').where('account_id', '=', id).orderBy('kind').execute();
    assert.deepEqual(
      held.map(({ kind }) => kind),
      ['recovery-key', 'totp'],
    );
  });

  test('TO-9: three browsers that add the fifth app at once: five at most', async () => {
    const ada = await (await shared.newcomer().join()).enableByApp();
    for (let count = 0; count < 3; count++) await ada.addApp({ name: `app ${count}` });
    const browsers = [];
    for (let count = 0; count < 3; count++) {
      const browser = shared.browser();
      await ada.signIn({ browser, by: 'app' });
      await browser.post('/account/security/enable', { method: 'totp' });
      await browser.post('/account/security/set-up', { name: `late ${count}` });
      browsers.push({ browser, app: AuthenticatorApp.from(browser.page, shared.clock) });
    }
    await Promise.all(
      browsers.map(({ browser, app }, index) => browser.movedTo(index % 2 ? shared.app : other).post('/account/security/set-up/code', { code: app.shows() })),
    );
    const { id } = await accountOf(shared, ada.email);
    const held = await shared.world.database.query.selectFrom('factors').select('id').where('account_id', '=', id).where('kind', '=', 'totp').execute();
    assert.equal(held.length, 5);
  });
});
