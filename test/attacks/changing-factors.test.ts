// Attacks with a session that was left open or stolen, and with steps that were begun before the account, its policy or its address changed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { days, hours, minutes, seconds } from '../../src/platform/durations.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, openPortal, type Portal } from '../support/portal.ts';
import { readRows } from '../support/rows.ts';
import { routesOf } from '../support/routes.ts';
import { startSecondProcess, type SecondProcess } from '../support/second-process.ts';
import type { Visitor } from '../support/visitor.ts';
import { accountOf, isSignedIn, race, sessionsOf, wrongCode } from './intruder.ts';

let portal: Portal;
before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
after(() => portal.close());

const factorsOf = async (person: Person, where = portal) => {
  const { id } = await accountOf(where, person.email);
  return where.world.database.query.selectFrom('factors').selectAll().where('account_id', '=', id).orderBy('id').execute();
};

/** What a session that is signed in, but has no fresh proof, may post and what it leads to. A new route fails until it stands here. */
const WITH_A_STALE_SESSION: Readonly<Record<string, 'asks to confirm' | 'changes no way in' | 'goes on with what a fresh proof began'>> = {
  '/account': 'changes no way in',
  '/account/failed-tries': 'changes no way in',
  '/account/sessions/end': 'changes no way in',
  '/account/sessions/end-others': 'changes no way in',
  '/account/confirm': 'asks to confirm',
  '/account/confirm/sso': 'asks to confirm',
  '/account/connect': 'asks to confirm',
  '/account/security/disconnect': 'asks to confirm',
  '/account/confirm/verify': 'goes on with what a fresh proof began',
  '/account/confirm/verify/send': 'goes on with what a fresh proof began',
  '/account/confirm/verify/other': 'goes on with what a fresh proof began',
  '/account/confirm/recovery-key': 'goes on with what a fresh proof began',
  '/account/confirm/recovery-key/download': 'goes on with what a fresh proof began',
  '/account/security/password': 'asks to confirm',
  '/account/security/enable': 'asks to confirm',
  '/account/security/bypass-code/refuse': 'changes no way in',
  '/account/organisations/:id/leave': 'asks to confirm',
  '/account/security/devices/remove': 'changes no way in',
  '/account/security/devices/remove-all': 'changes no way in',
  '/account/security/reset/stop': 'changes no way in',
  '/account/security/set-up/email': 'goes on with what a fresh proof began',
  '/account/security/set-up/email/send': 'goes on with what a fresh proof began',
  '/account/security/set-up': 'goes on with what a fresh proof began',
  '/account/security/set-up/back': 'goes on with what a fresh proof began',
  '/account/security/set-up/code': 'goes on with what a fresh proof began',
  '/account/security/set-up/code/send': 'goes on with what a fresh proof began',
  '/account/security/set-up/code/back': 'goes on with what a fresh proof began',
  '/account/security/set-up/recovery-key': 'goes on with what a fresh proof began',
  '/account/security/set-up/recovery-key/download': 'goes on with what a fresh proof began',
  '/account/security/disable': 'asks to confirm',
  '/account/security/disable/code': 'goes on with what a fresh proof began',
  '/account/security/disable/code/send': 'goes on with what a fresh proof began',
  '/account/security/methods/:id/rename': 'asks to confirm',
  '/account/security/methods/:id/remove': 'asks to confirm',
  '/account/security/methods/:id/replace': 'asks to confirm',
  '/account/security/recovery-key': 'asks to confirm',
  '/account/security/recovery-key/code': 'goes on with what a fresh proof began',
  '/account/security/recovery-key/code/send': 'goes on with what a fresh proof began',
  '/account/security/recovery-key/new': 'goes on with what a fresh proof began',
  '/account/security/recovery-key/new/download': 'goes on with what a fresh proof began',
  '/account/email': 'asks to confirm',
  '/account/email/code': 'goes on with what a fresh proof began',
  '/account/email/code/send': 'goes on with what a fresh proof began',
  '/verify-email': 'changes no way in',
  '/verify-email/code': 'changes no way in',
  '/verify-email/code/send': 'changes no way in',
};

describe('FC-1: a session without a fresh proof', () => {
  const posts = (): string[] =>
    routesOf(portal.app)
      .filter(({ method, path }) => method === 'POST' && /^\/(account|verify-email)/.test(path))
      .map(({ path }) => path);

  test('every form of a signed-in person is in the matrix', () => {
    assert.deepEqual(posts().toSorted(), Object.keys(WITH_A_STALE_SESSION).toSorted());
  });

  test('changes nothing about how one gets in, by whatever form', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    await ada.addApp();
    portal.clock.advance(minutes(10));
    const { browser } = ada;
    const rows = await factorsOf(ada);
    const account = await accountOf(portal, ada.email);
    const fields = {
      current: ada.password,
      password: 'a password of the thief’s own',
      method: 'totp',
      code: '000000',
      email: 'thief@example.com',
      saved: 'on',
      then: '/account',
    };
    for (const path of posts()) {
      for (const { id } of path.includes(':id') ? rows : [{ id: '' }]) {
        const { password: _own, ...others } = fields;
        const kind = WITH_A_STALE_SESSION[path];
        // To confirm asks for the password; that one is wrong here.
        await browser.post(path.replace(':id', id), path === '/account/confirm' ? { ...others, password: 'wrong' } : { ...fields, name: 'Thief' });
        assert.ok(browser.page.status < 500, path);
        if (kind === 'asks to confirm' && browser.page.status !== 404) assert.equal(browser.page.path, '/account/confirm', path);
      }
    }
    assert.deepEqual(await factorsOf(ada), rows);
    const { name: _name, name_key: _key, ...after_ } = await accountOf(portal, ada.email);
    const { name: _was, name_key: _keyBefore, ...before_ } = account;
    assert.deepEqual(after_, before_);
    assert.equal(portal.mail.to('thief@example.com').length, 0);
  });

  test('confirms with its password and the strongest factor, and no less', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    await ada.addApp();
    portal.clock.advance(minutes(10));
    const { browser } = ada;
    await browser.post('/account/confirm', { password: ada.password, then: '/account/security/disable' });
    assert.equal(browser.page.heading, 'Enter your code');
    // FC-2: the emailed code would be the weaker one.
    await browser.post('/account/confirm/verify/other', { method: 'email-code' });
    assert.equal(browser.page.status, 422);
    await browser.post('/account/security/disable');
    assert.equal(browser.page.path, '/account/confirm');
    await browser.post('/account/confirm', { password: ada.password, then: '/account/security/disable' });
    await ada.enterCode(ada.phone.fresh());
    assert.equal(browser.page.path, '/account/security/disable');
  });

  test('does not skip the password because the factor is fresh, nor the factor because the password is', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    portal.clock.advance(minutes(10));
    const { browser } = ada;
    await browser.visit('/account/confirm/verify');
    await browser.post('/account/confirm/verify', { code: ada.phone.fresh() });
    await browser.post('/account/security/disable');
    assert.equal(browser.page.path, '/account/confirm');
    assert.ok(browser.page.has('Password'));
  });

  test('guesses at the password no faster there than at the front door', async () => {
    const ada = await portal.newcomer().join();
    portal.clock.advance(minutes(10));
    for (let tries = 0; tries < 5; tries++) await ada.browser.post('/account/confirm', { password: `guess ${tries}` });
    await ada.browser.post('/account/confirm', { password: ada.password });
    assert.equal(ada.browser.page.status, 429);
    await ada.browser.post('/account/security/enable', { method: 'email-code' });
    assert.equal(ada.browser.page.path, '/account/confirm');
  });
});

describe('of another account', () => {
  test('no method is seen, renamed, replaced or removed by its id', async () => {
    const victim = await (await portal.newcomer().join()).enableByApp();
    const mallory = await (await portal.newcomer().join()).enableByApp();
    const rows = await factorsOf(victim);
    for (const { id } of rows) {
      await mallory.browser.visit(`/account/security/methods/${id}`);
      assert.equal(mallory.browser.page.status, 404);
      for (const action of ['rename', 'remove', 'replace']) {
        await mallory.browser.post(`/account/security/methods/${id}/${action}`, { name: 'mine now' });
        assert.equal(mallory.browser.page.status, 404, action);
      }
    }
    assert.deepEqual(await factorsOf(victim), rows);
  });
});

describe('what was begun before something changed', () => {
  test('FC-7: a policy that came to require it refuses what was begun to turn it off', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    await ada.browser.post('/account/security/disable');
    await portal.setPolicy('required');
    await ada.enterCode(ada.newestCode(), { button: 'Finish' });
    await portal.setPolicy('optional');
    assert.equal((await factorsOf(ada)).length, 2);
    await ada.signIn({ browser: portal.browser(), by: 'email' });
  });

  test('FC-7: nor is the last method removed behind the page’s back', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const app = (await factorsOf(ada)).find(({ kind }) => kind === 'totp')!;
    for (const policy of ['optional', 'required'] as const) {
      await portal.setPolicy(policy);
      await ada.browser.post(`/account/security/methods/${app.id}/remove`);
      assert.equal(ada.browser.page.status, 422, policy);
    }
    await portal.setPolicy('optional');
    assert.equal((await factorsOf(ada)).length, 2);
  });

  test('a policy that came to switch it off refuses what was begun to turn it on', async () => {
    const ada = await portal.newcomer().join();
    await ada.browser.post('/account/security/enable', { method: 'email-code' });
    await ada.enterCode(ada.newestCode());
    await ada.downloadRecoveryKey();
    await portal.setPolicy('off');
    await ada.browser.press('Finish');
    assert.equal(ada.browser.page.status, 409);
    assert.deepEqual(await factorsOf(ada), []);
    await portal.setPolicy('optional');
  });

  test('a policy that came to ask for less lets nobody stand at a page without a way on', async () => {
    const ada = await portal.newcomer().join();
    await portal.setPolicy('required');
    const browser = portal.browser();
    await ada.enterPassword(browser);
    assert.equal(browser.page.path, '/sign-in/set-up');
    await portal.setPolicy('optional');
    await browser.reload();
    assert.equal(browser.page.path, '/sign-in');
    await ada.signIn({ browser });
    assert.deepEqual(await factorsOf(ada), []);
  });

  test('SE-3: who stands half way through setting up, while the owner turned it on, is asked for the owner’s factor', async () => {
    const ada = await portal.newcomer().join();
    await portal.setPolicy('required');
    const thief = portal.browser({ address: ada.browser.address });
    // They sit at the owner's own machine, so that no mail was asked for.
    for (const name of ada.browser.cookies.names) if (name === 'twinlock-browser') thief.cookies.set(name, ada.browser.cookies.get(name)!);
    await ada.enterPassword(thief);
    await thief.post('/sign-in/set-up', { method: 'totp' });
    await thief.post('/sign-in/set-up/method');
    const thiefs = AuthenticatorApp.from(thief.page, portal.clock);
    await portal.setPolicy('optional');
    await ada.enableByApp(ada.browser);
    await portal.setPolicy('required');
    await thief.post('/sign-in/set-up/code', { code: thiefs.fresh() });
    await thief.post('/sign-in/recovery-key', { saved: 'on' });
    await thief.post('/sign-in/verify', { code: thiefs.fresh() });
    await portal.setPolicy('optional');
    assert.equal(await isSignedIn(thief), false);
    assert.equal((await factorsOf(ada)).filter(({ kind }) => kind === 'totp').length, 1);
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('FC-2: “Disable”, begun when the mailbox was the strongest, does not go on once an app was added elsewhere', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const thief = portal.browser();
    await ada.signIn({ browser: thief, by: 'email' });
    await thief.post('/account/security/disable');
    const code = ada.newestCode();
    await ada.addApp();
    await thief.post('/account/security/disable/code', { code });
    assert.equal((await factorsOf(ada)).length, 3);
    await thief.post('/account/security/disable');
    assert.equal(thief.page.path, '/account/confirm');
  });

  test('FC-5: a proof by a method that was removed is no proof any more', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    await ada.addApp();
    const email = (await factorsOf(ada)).find(({ kind }) => kind === 'email-code')!;
    const app = (await factorsOf(ada)).find(({ kind }) => kind === 'totp')!;
    await ada.browser.post(`/account/security/methods/${app.id}/remove`);
    assert.equal(ada.browser.page.path, '/account/security');
    const [session] = await portal.world.database.query
      .selectFrom('sessions as s')
      .innerJoin('accounts as a', 'a.id', 's.account_id')
      .select('s.proofs')
      .where('a.email', '=', ada.email)
      .execute();
    assert.deepEqual(Object.keys(JSON.parse(session!.proofs) as object).toSorted(), ['email-code', 'password']);
    assert.deepEqual(
      (await factorsOf(ada)).filter(({ kind }) => kind !== 'recovery-key').map(({ id }) => id),
      [email.id],
    );
  });

  test('a sign-in that waits for its second factor is over once the password has changed', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const thief = portal.browser();
    await ada.enterPassword(thief);
    await ada.browser.post('/account/security/password', { current: ada.password, password: 'four herons and a kingfisher' });
    assert.equal(ada.browser.page.path, '/account/security');
    await thief.post('/sign-in/verify', { code: ada.phone.fresh() });
    assert.equal(await isSignedIn(thief), false);
  });

  test('a session that was ended while its request was on its way changes nothing', async () => {
    const ada = await portal.newcomer().join();
    const thief = portal.browser();
    await ada.signIn({ browser: thief });
    await thief.post('/account/security/enable', { method: 'email-code' });
    await thief.post('/account/security/set-up/code', { code: ada.newestCode() });
    await thief.post('/account/security/set-up/recovery-key/download');
    await ada.browser.post('/account/sessions/end-others');
    await thief.post('/account/security/set-up/recovery-key', { saved: 'on' });
    assert.deepEqual(await factorsOf(ada), []);
  });

  test('FC-3, FC-4: what changes how one gets in is told to the owner, and a new address to both', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const subjects = () => ada.mails().map(({ subject }) => subject);
    const told = async (subject: RegExp, act: () => Promise<unknown>) => {
      const already = subjects().length;
      await act();
      assert.ok(
        subjects()
          .slice(already)
          .some((one) => subject.test(one)),
        `${subject} among ${subjects().slice(already).join(', ')}`,
      );
    };
    await told(/was added/, () => ada.addApp());
    const app = (await factorsOf(ada)).find(({ kind }) => kind === 'totp')!;
    await told(/was replaced/, async () => {
      await ada.browser.post(`/account/security/methods/${app.id}/replace`);
      await ada.setUpApp();
    });
    const email = (await factorsOf(ada)).find(({ kind }) => kind === 'email-code')!;
    await told(/was removed/, () => ada.browser.post(`/account/security/methods/${email.id}/remove`));
    await told(/password .* was changed/, () =>
      ada.browser.post('/account/security/password', { current: ada.password, password: 'four herons and a kingfisher' }),
    );
    const old = ada.email;
    await ada.browser.post('/account/email', { email: `new-${old}` });
    await ada.enterCode(ada.newestCode(`new-${old}`));
    ada.email = `new-${old}`;
    for (const address of [old, ada.email]) assert.match(ada.newestMail(address).subject, /address .* was changed/);
    await told(/is off for/, async () => {
      await ada.browser.post('/account/security/disable');
      await ada.enterCode(ada.newestCode(), { button: 'Finish' });
    });
    for (const { text } of ada.mails()) assert.match(text, /If this was not you/);
  });

  test('codes of printed steps pause and never stop for good: nobody is kept from changing the account by a thief’s guesses', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const fresh = async () => {
      portal.clock.advance(hours(2));
      await ada.signIn({ browser: ada.browser.fork(), by: 'email' });
      ada.browser = await signedInAnew(ada);
    };
    for (let round = 0; round < 11; round++) {
      await fresh();
      await ada.browser.post('/account/security/disable');
      for (let tries = 0; tries < 5; tries++) await ada.browser.post('/account/security/disable/code', { code: wrongCode(ada.newestCode()) });
    }
    portal.clock.advance(days(1));
    await fresh();
    await ada.browser.post('/account/security/disable');
    await ada.enterCode(ada.newestCode(), { button: 'Finish' });
    assert.deepEqual(await factorsOf(ada), []);
  });
});

const signedInAnew = async (ada: Person): Promise<Visitor> => {
  const browser = portal.browser();
  await ada.signIn({ browser, by: 'email' });
  return browser;
};

forEachPortal((open) => {
  let shared: Portal;
  let other: SecondProcess;
  before(async () => {
    shared = await open({ checkHtml: false });
    other = await startSecondProcess(shared);
  });
  after(() => other[Symbol.asyncDispose]());

  test('a password that is changed while somebody signs in with the old one, over two processes: no session of the old one is left', async () => {
    const ada = await shared.newcomer().join();
    const old = ada.password;
    for (let round = 0; round < 5; round++) {
      const thieves = Array.from({ length: 4 }, (_, index) => shared.browser({ address: `198.18.${round}.${index}` }));
      for (const thief of thieves) await thief.visit('/sign-in');
      const next = `password number ${round} of the owner`;
      shared.clock.advance(seconds(1));
      await Promise.all([
        ...thieves.map((thief, index) => thief.movedTo(index % 2 ? shared.app : other).post('/sign-in', { email: ada.email, password: ada.password })),
        ada.browser.post('/account/security/password', { current: ada.password, password: next }),
      ]);
      assert.equal(ada.browser.page.path, '/account/security', ada.browser.page.text);
      ada.password = next;
      assert.equal(await sessionsOf(shared, ada.email), 1, 'the owner’s alone');
    }
    assert.notEqual(ada.password, old);
  });

  test('two-factor authentication that is turned on while somebody signs in with the password, over two processes: no session without it is left', async () => {
    for (let round = 0; round < 4; round++) {
      const ada = await shared.newcomer().join();
      await ada.browser.post('/account/security/enable', { method: 'email-code' });
      await ada.enterCode(ada.newestCode());
      await ada.downloadRecoveryKey();
      const thieves = Array.from({ length: 4 }, (_, index) => shared.browser({ address: `198.19.${round}.${index}` }));
      for (const thief of thieves) await thief.visit('/sign-in');
      await Promise.all([
        ...thieves.map((thief, index) => thief.movedTo(index % 2 ? shared.app : other).post('/sign-in', { email: ada.email, password: ada.password })),
        ada.browser.post('/account/security/set-up/recovery-key', { saved: 'on' }),
      ]);
      assert.equal(ada.browser.page.path, '/account/security', ada.browser.page.text);
      assert.equal(await sessionsOf(shared, ada.email), 1, 'the owner’s alone');
    }
  });

  test('“Remove”, for each of two methods at once over two processes: one is left', async () => {
    const ada = await (await shared.newcomer().join()).enableByEmail();
    await ada.addApp();
    const standing = (await factorsOf(ada, shared)).filter(({ kind }) => kind !== 'recovery-key');
    assert.equal(standing.length, 2);
    await Promise.all(
      standing.map(({ id }, index) =>
        race([index === 0 ? shared.app : other], { browser: ada.browser, path: `/account/security/methods/${id}/remove`, fields: {}, times: 5 }),
      ),
    );
    assert.equal((await factorsOf(ada, shared)).filter(({ kind }) => kind !== 'recovery-key').length, 1);
  });

  test('nothing that is refused leaves a trace but in the counts and the record', async () => {
    const ada = await (await shared.newcomer().join()).enableByApp();
    const { limits: _limits, audit_events: _events, ...rows } = await readRows(shared.world.database);
    for (const fields of [{ code: '' }, { code: 'abc' }, { code: '1'.repeat(4000) }, { code: '12345\u202e6' }]) {
      await ada.browser.post('/account/security/disable/code', fields);
      await ada.browser.post('/account/security/set-up/code', fields);
      await ada.browser.post('/account/email/code', fields);
    }
    const { limits: _after, audit_events: _later, ...afterwards } = await readRows(shared.world.database);
    assert.deepEqual(afterwards, rows);
  });
});
