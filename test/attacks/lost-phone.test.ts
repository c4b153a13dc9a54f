// "I lost my phone", as somebody says it who never had it; and administrators who would help themselves.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { hours, minutes } from '../../src/platform/durations.ts';
import { fillGrounds, imposeRules, issueBypassCode, signInByBypassCode } from '../support/lost-phone.ts';
import { foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { readRows } from '../support/rows.ts';
import { startSecondProcess } from '../support/second-process.ts';
import type { Visitor } from '../support/visitor.ts';
import { accountOf, isSignedIn, race, sessionsOf } from './intruder.ts';

const GROUNDS = { reason: 'Phone lost', check: 'in-person', note: '', present: '' };
const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

/** At the page that takes the code, behind the password. */
async function atBypassCode(person: Person, browser: Visitor): Promise<Visitor> {
  await person.enterPassword(browser);
  await browser.post('/sign-in/verify/other', { method: 'bypass-code' });
  return browser;
}

forEachPortal((open) => {
  let portal: Portal;
  let owner: Person;
  let admin: Person;
  let organisation: string;
  before(async () => {
    portal = await open({ checkHtml: false });
    owner = await foundOrganisation(portal);
    await owner.enableByApp();
    admin = await joinAs(portal, owner, 'Admin');
    await admin.enableByApp();
    ({ id: organisation } = await portal.world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow());
  });

  const protectedMember = async (): Promise<Person> => {
    const person = await joinAs(portal, owner, 'Member');
    await person.enableByApp();
    return person;
  };
  const codesOf = async (person: Person) => {
    const { id } = await accountOf(portal, person.email);
    return portal.world.database.query.selectFrom('factors').selectAll().where('account_id', '=', id).where('kind', '=', 'bypass-code').execute();
  };
  /** The form as a program posts it. */
  const issue = async (by: Person, target: Person, fields: Partial<typeof GROUNDS> = {}) =>
    by.browser.post(`/admin/people/${(await accountOf(portal, target.email)).id}/bypass-code`, { organisation, ...GROUNDS, ...fields });
  const fresh = async (person: Person) => {
    if (await isSignedIn(person.browser)) await person.signOut();
    await person.signIn({ by: 'app' });
  };

  describe('the code', () => {
    test('AD-1 raced by two processes and many browsers, one is let in', async () => {
      const ada = await protectedMember();
      const code = await issueBypassCode(owner, ada.email);
      await ada.signOut();
      await using other = await startSecondProcess(portal);
      const browsers = await Promise.all([portal.browser(), portal.browser(), portal.browser()].map((browser) => atBypassCode(ada, browser)));
      await Promise.all(browsers.map((browser) => race([portal.app, other], { browser, path: '/sign-in/verify', fields: { code }, times: 3 })));
      assert.equal(await sessionsOf(portal, ada.email), 1);
      const used = await portal.world.database.query.selectFrom('audit_events').select('id').where('event', '=', 'authn_bypass_code_used').execute();
      assert.equal(used.length, 1);
      assert.deepEqual(await codesOf(ada), []);
    });

    test('is worth nothing for another account, without the password, past its hour, or once used', async () => {
      const [ada, eve] = [await protectedMember(), await protectedMember()];
      const code = await issueBypassCode(owner, ada.email);
      await issueBypassCode(owner, eve.email);
      const thief = portal.browser();
      await atBypassCode(eve, thief);
      await thief.post('/sign-in/verify', { code });
      assert.match(thief.page.alert, /That code was not right/);
      const stranger = portal.browser();
      await stranger.visit('/sign-in');
      await stranger.post('/sign-in/verify', { code });
      await stranger.post('/sign-in', { email: ada.email, password: code });
      assert.equal(await isSignedIn(stranger), false);

      await signInByBypassCode(ada, portal.browser(), code);
      const again = portal.browser();
      await ada.enterPassword(again);
      await again.post('/sign-in/verify/other', { method: 'bypass-code' });
      assert.equal(again.page.status, 422, 'it is no way any more');
      await again.post('/sign-in/verify', { code });
      assert.equal(await isSignedIn(again), false);

      const late = await issueBypassCode(owner, ada.email);
      const slow = await atBypassCode(ada, portal.browser());
      portal.clock.advance(hours(1));
      const begunAnew = portal.browser();
      await atBypassCode(ada, begunAnew);
      for (const browser of [slow, begunAnew]) {
        await browser.post('/sign-in/verify', { code: late });
        assert.equal(await isSignedIn(browser), false);
      }
    });

    test('EC-4 serves to sign in and for nothing else: not to confirm, to turn off, for a new Recovery Key, or for a new password', async () => {
      await fresh(owner);
      const ada = await protectedMember();
      await ada.enableEmailToo();
      const code = await issueBypassCode(owner, ada.email);
      portal.clock.advance(minutes(11));
      await ada.browser.post('/account/confirm', { password: ada.password, then: '/account/security/disable' });
      await ada.browser.post('/account/confirm/verify/other', { method: 'bypass-code' });
      assert.equal(ada.browser.page.status, 422);
      await ada.browser.post('/account/confirm/verify', { code });
      assert.equal(ada.browser.page.path, '/account/confirm/verify');
      for (const path of ['/account/security/disable', '/account/security/recovery-key', '/account/email'])
        assert.equal((await ada.browser.post(path, { code, email: 'thief@example.com' })).path, '/account/confirm', path);

      const thief = portal.browser();
      await ada.openResetLink(thief);
      await thief.post('/forgot-password/second-factor/other', { method: 'bypass-code' });
      await thief.post('/forgot-password/recovery-key/other', { method: 'bypass-code' });
      await thief.post('/forgot-password/recovery-key', { code });
      assert.notEqual(thief.page.path, '/forgot-password/new-password');
      assert.equal((await codesOf(ada)).length, 1, 'nor is it used up by any of this');
      await signInByBypassCode(ada, portal.browser(), code);
    });

    test('RK-5, RL-1 guessing at it ends the attempt, pauses, and touches no other way', async () => {
      await fresh(owner);
      const ada = await protectedMember();
      const code = await issueBypassCode(owner, ada.email);
      const thief = await atBypassCode(ada, portal.browser());
      for (let tries = 0; tries < 5; tries++) await thief.post('/sign-in/verify', { code: '0'.repeat(16) });
      await thief.post('/sign-in/verify', { code });
      assert.equal(thief.page.status, 422);
      await atBypassCode(ada, thief);
      await thief.post('/sign-in/verify', { code });
      assert.equal(thief.page.status, 429);
      await thief.post('/sign-in/verify', { code: 'too short' });
      assert.equal(await isSignedIn(thief), false);
      await ada.signOut();
      await ada.signIn({ by: 'app' });
    });

    test('RK-8, LO-2 stands nowhere: not in the database, an event, a mail or the log', async () => {
      await fresh(owner);
      const ada = await protectedMember();
      const code = await issueBypassCode(owner, ada.email);
      const stored = JSON.stringify([
        await readRows(portal.world.database),
        (await portal.world.database.query.selectFrom('factors').select('state').execute()).map(({ state }) => Buffer.from(state).toString('latin1')),
        portal.world.log.lines,
        portal.mail.to(ada.email).map(({ text, subject }) => subject + text),
      ]);
      for (const shape of [code, code.replaceAll('-', '')]) assert.ok(!stored.includes(shape));
    });
  });

  describe('whoever came in by one', () => {
    test('AD-8, FC-2 can’t set a phone up without the mailbox, nor take, turn off or change anything, nor become a known browser', async () => {
      await fresh(owner);
      const ada = await protectedMember();
      const thief = portal.browser({ address: '203.0.113.9' });
      await signInByBypassCode(ada, thief, await issueBypassCode(owner, ada.email));
      const { query } = portal.world.database;
      const { id } = await accountOf(portal, ada.email);
      const factors = async () => query.selectFrom('factors').selectAll().where('account_id', '=', id).orderBy('id').execute();
      const [before_, account] = [await factors(), await accountOf(portal, ada.email)];
      const method = before_.find(({ kind }) => kind === 'totp')!.id;
      const known = await query.selectFrom('known_browsers').selectAll().where('account_id', '=', id).execute();
      assert.equal(known.length, 1);

      for (const [path, fields] of [
        ['/account/security/disable', {}],
        ['/account/security/recovery-key', {}],
        [`/account/security/methods/${method}/remove`, {}],
        [`/account/security/methods/${method}/rename`, { name: 'Thief' }],
        ['/account/security/password', { current: ada.password, password: 'a password of the thief’s own' }],
        ['/account/email', { email: 'thief@example.com' }],
      ] as const) {
        await thief.post(path, fields);
        assert.equal(thief.page.path, '/account/confirm', path);
      }
      for (const begin of ['/account/security/enable', `/account/security/methods/${method}/replace`]) {
        await thief.post(begin, { method: 'totp' });
        assert.equal(thief.page.path, '/account/security/set-up/email');
        for (const path of ['/account/security/set-up', '/account/security/set-up/code', '/account/security/set-up/recovery-key']) {
          assert.equal((await thief.visit(path)).path, '/account/security/set-up/email', path);
          assert.equal((await thief.post(path, { name: 'x', code: '123456', saved: 'yes' })).path, '/account/security/set-up/email', path);
        }
      }
      assert.deepEqual(await factors(), before_);
      assert.deepEqual(await accountOf(portal, ada.email), account);
      assert.ok(ada.mails().some(({ subject }) => subject === 'A bypass code was used for Example'));
    });

    test('AD-8 is not led past the mailbox where the policy asks for a stronger method on the way in', async () => {
      await fresh(owner);
      const ada = await joinAs(portal, owner, 'Member');
      await ada.enableByEmail();
      const code = await issueBypassCode(owner, ada.email);
      await imposeRules(portal, owner, { twoFactor: 'required', notCounting: ['email-code'] });
      const thief = portal.browser({ address: '203.0.113.9' });
      await signInByBypassCode(ada, thief, code);
      assert.equal(thief.page.path, '/sign-in/set-up');
      await thief.post('/sign-in/set-up', { method: 'totp' });
      assert.equal(thief.page.path, '/sign-in/set-up/email');
      for (const path of ['/sign-in/set-up/method', '/sign-in/set-up/code', '/sign-in/recovery-key', '/sign-in/set-up/later'])
        assert.equal((await thief.post(path, { code: '123456', saved: 'yes' })).path, '/sign-in/set-up/email', path);
      assert.equal(await isSignedIn(thief), false);
      // The code is spent on that way in, and no other browser goes on with it.
      const other = await atBypassCode(ada, portal.browser());
      await other.post('/sign-in/verify', { code });
      assert.equal(await isSignedIn(other), false);
      await imposeRules(portal, owner, {});
    });

    test('AD-4 changes nothing in the console, whatever their role', async () => {
      await fresh(owner);
      const [helper, target] = [await joinAs(portal, owner, 'Admin'), await protectedMember()];
      await helper.enableByApp();
      const thief = portal.browser();
      await signInByBypassCode(helper, thief, await issueBypassCode(owner, helper.email));
      const { id } = await accountOf(portal, target.email);
      for (const [verb, fields] of [
        ['bypass-code', GROUNDS],
        ['role', { seen: 'member', role: 'admin' }],
        ['remove', { seen: 'member' }],
      ] as const)
        assert.equal((await thief.post(`/admin/people/${id}/${verb}`, { organisation, ...fields })).path, '/account/confirm', verb);
      assert.deepEqual(await codesOf(target), []);
    });
  });

  describe('whoever issues one', () => {
    test('AD-3 not for oneself, not for a higher role, not as an auditor or a member, and not with a proof that is old', async () => {
      await fresh(owner);
      await fresh(admin);
      const [target, auditor] = [await protectedMember(), await joinAs(portal, owner, 'Auditor')];
      await auditor.enableByApp();
      for (const [by, whom, status] of [
        [admin, owner, 403],
        [admin, admin, 403],
        [owner, owner, 403],
        [auditor, target, 403],
        [target, admin, 404],
      ] as const) {
        assert.equal((await issue(by, whom)).status, status, `${by.name} for ${whom.name}`);
        assert.deepEqual(await codesOf(whom), []);
      }
      portal.clock.advance(minutes(10));
      assert.equal((await issue(admin, target)).path, '/account/confirm');
      assert.deepEqual(await codesOf(target), []);
    });

    test('AD-3 not who was made an auditor, or left, since the form was opened', async () => {
      await fresh(owner);
      const [helper, target] = [await joinAs(portal, owner, 'Admin'), await protectedMember()];
      await helper.enableByApp();
      await openPerson(helper, target.email);
      await helper.browser.press('Issue a bypass code');
      fillGrounds(helper.browser);
      await openPerson(owner, helper.email);
      owner.browser.fill('Role', 'Auditor');
      await owner.browser.press('Change role');
      await helper.browser.press('Issue the code');
      assert.equal(helper.browser.page.status, 403);
      await owner.browser.press('Remove from the organisation');
      assert.equal((await issue(helper, target)).status, 404);
      assert.deepEqual(await codesOf(target), []);
    });

    test('AD-3 not for who looks after another organisation: nobody gets at that one by way of theirs', async () => {
      await fresh(owner);
      const boss = await protectedMember();
      const { id: bossId } = await accountOf(portal, boss.email);
      await portal.world.database.transaction((transaction) =>
        createOrganisation(portal.world, transaction, { name: 'Cranes Ltd', owner: bossId, from: FROM }),
      );
      await openPerson(owner, boss.email);
      await owner.browser.press('Issue a bypass code');
      assert.match(owner.browser.page.text, /This person looks after another organisation/);
      assert.equal((await issue(owner, boss)).status, 403);
      assert.deepEqual(await codesOf(boss), []);
    });

    test('AD-2, LO-3 without grounds there is no code, and what is written is text on record and nothing else', async () => {
      await fresh(owner);
      const ada = await protectedMember();
      const nasty = `=cmd|'/c calc'!A1,"><script>alert(1)</script>`;
      for (const fields of [
        { reason: '   ' },
        { check: '' },
        { check: '__proto__' },
        { check: 'other' },
        { reason: 'x'.repeat(301) },
        { reason: 'a\nb' },
        { note: '\u202egnp' },
      ]) {
        assert.equal((await issue(owner, ada, fields)).status, 422, JSON.stringify(fields));
        assert.doesNotMatch(owner.browser.page.body, /<script>alert/);
      }
      assert.equal((await issue(owner, ada, { reason: nasty, check: '' })).status, 422);
      assert.doesNotMatch(owner.browser.page.body, /<script>alert/);
      assert.deepEqual(await codesOf(ada), []);
      assert.equal((await issue(owner, ada, { reason: nasty })).status, 200);
      const { details } = await portal.world.database.query
        .selectFrom('audit_events')
        .select('details')
        .where('event', '=', 'authn_bypass_code_issued')
        .where('account_id', '=', (await accountOf(portal, ada.email)).id)
        .executeTakeFirstOrThrow();
      const { reason, check, by } = JSON.parse(details) as Record<string, string>;
      assert.deepEqual([reason, check, by], [nasty, 'Met in person', (await accountOf(portal, owner.email)).id]);
    });

    test('AD-5 a form that is sent twice, or behind a colleague’s, issues one code; and an account’s mailbox is not flooded', async () => {
      await fresh(owner);
      const ada = await protectedMember();
      const { id } = await accountOf(portal, ada.email);
      const fields = { organisation, ...GROUNDS };
      await race([portal.app], { browser: owner.browser, path: `/admin/people/${id}/bypass-code`, fields, times: 3 });
      assert.equal((await codesOf(ada)).length, 1);
      assert.equal((await issue(owner, ada)).status, 409);
      const mailed = () => portal.mail.to(ada.email).filter(({ subject }) => subject === 'A bypass code for Example was issued for you').length;
      assert.equal(mailed(), 1);
      for (let time = 0; time < 6; time++) await issue(owner, ada, { present: (await codesOf(ada))[0]!.id });
      assert.equal(owner.browser.page.status, 429);
      assert.match(owner.browser.page.alert, /You can issue another in \d+ minutes/);
      assert.equal(mailed(), 5);
    });
  });
});
