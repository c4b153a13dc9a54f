// A Security Policy under attack: by who stole a password, by who looks after another organisation, and by what happens in the middle of a change.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sql } from 'kysely';
import { findAccount, lockAccount } from '../../src/accounts/accounts.ts';
import { suspend } from '../../src/admin/admin.ts';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { days, minutes } from '../../src/platform/durations.ts';
import { readDemand } from '../../src/policy/policy.ts';
import { openSession } from '../../src/sessions/sessions.ts';
import { confirmIfAsked, foundOrganisation, impose, invitationPath, joinAs, openPerson, sendInvitation } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, openPortal, type Portal } from '../support/portal.ts';
import { makeKey, Program } from '../support/program-client.ts';
import { accountOf, sessionsOf } from './intruder.ts';

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };
const ENABLE = '/account/security/enable';

const open = (): Promise<Portal> => openPortal({ engine: 'sqlite' });

/** The kinds of factors that an account has. */
async function factorsOf(portal: Portal, { email }: Person): Promise<string[]> {
  const { id } = await accountOf(portal, email);
  const rows = await portal.world.database.query.selectFrom('factors').select('kind').where('account_id', '=', id).orderBy('kind').execute();
  return rows.map(({ kind }) => kind);
}

/** Presses a button on somebody’s page in the console, with a fresh proof. */
async function press(by: Person, email: string, button: string): Promise<void> {
  await openPerson(by, email);
  await by.browser.press(button);
  if (by.browser.page.heading !== 'Confirm that it’s you') return;
  await confirmIfAsked(by.browser, by.password);
  await by.browser.press(button);
}

/** Somebody’s own organisation, beside those that they belong to. */
async function foundAnother(portal: Portal, { email }: Person, name: string): Promise<void> {
  const { world } = portal;
  const { id } = await accountOf(portal, email);
  await world.database.transaction((transaction) => createOrganisation(world, transaction, { name, owner: id, from: FROM }));
}

describe('a stolen password', () => {
  test('AD-8 "Not now" is no way around the emailed code: a new browser that comes back to the set-up is asked for it', async () => {
    await using portal = await open();
    const owner = await foundOrganisation(portal);
    const ada = await joinAs(portal, owner, 'Member');
    await impose(portal, owner, { twoFactor: 'required', from: portal.clock.now() + days(7) });
    const thief = portal.browser();
    await ada.enterPassword(thief);
    await thief.press('Not now');
    assert.equal(thief.page.path, '/account');
    await thief.visit(ENABLE);
    await thief.press('Enable With Authenticator App');
    assert.equal(thief.page.heading, 'Check your email');
    // Nor is it one that the account knows, once the day has come.
    await ada.signOut(thief);
    portal.clock.advance(days(8));
    await ada.enterPassword(thief);
    await thief.press('Enable With Authenticator App');
    assert.equal(thief.page.heading, 'Check your email');
    assert.deepEqual(await factorsOf(portal, ada), []);
    // Her own browser is known, and is not asked.
    await ada.browser.visit('/sign-in');
    await ada.enterPassword();
    await ada.browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    await ada.keepRecoveryKey();
    assert.deepEqual(await factorsOf(portal, ada), ['recovery-key', 'totp']);
  });

  test('who owes a set-up accepts no invitation first: it is set up, and then one goes on', async () => {
    await using portal = await open();
    const owner = await foundOrganisation(portal);
    const ada = await joinAs(portal, owner, 'Member');
    const other = await portal.newcomer().join();
    await foundAnother(portal, other, 'Cranes Ltd');
    await sendInvitation(other, ada.email, 'Admin');
    await impose(portal, owner, { twoFactor: 'required' });
    const token = new URL(invitationPath(ada), 'https://x').searchParams.get('token')!;
    await ada.browser.visit('/sign-in');
    await ada.browser.post('/invitation', { token });
    assert.equal(ada.browser.page.path, ENABLE);
    const { query } = portal.world.database;
    assert.equal((await query.selectFrom('memberships').select('role').where('role', '=', 'admin').execute()).length, 0);
    await ada.browser.visit(`/invitation?token=${token}`);
    assert.equal(ada.browser.page.path, ENABLE);
    await ada.browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    await ada.keepRecoveryKey();
    assert.equal(ada.browser.page.path, '/invitation');
    await ada.browser.press('Accept');
    assert.equal((await query.selectFrom('memberships').select('role').where('role', '=', 'admin').execute()).length, 1);
  });
});

test('EC-7 nobody’s mailbox is flooded: drafts can be made without end, and told to people three times a day', async () => {
  await using portal = await open();
  const owner = await foundOrganisation(portal);
  const ada = await joinAs(portal, owner, 'Member');
  const told = () => ada.mails().filter(({ subject }) => /two-factor|second step/i.test(subject)).length;
  const before = told();
  for (let time = 1; time <= 5; time++) {
    await owner.browser.visit('/admin/policy/edit');
    await confirmIfAsked(owner.browser, owner.password);
    owner.browser.check('Required');
    owner.browser.fill('Days that somebody has who joins', String(time));
    await owner.browser.press('Preview');
    await owner.browser.press('Send the mail');
    assert.equal(owner.browser.page.status, time <= 3 ? 200 : 429);
    assert.equal(owner.browser.page.heading, 'Preview', 'what was filled in is still there');
  }
  assert.match(owner.browser.page.text, /You can send it in /);
  assert.equal(told() - before, 3);
});

test('who owes a set-up has no console, and the keys that they made rest until it is done: no way around by a program', async () => {
  await using portal = await open();
  const owner = await foundOrganisation(portal);
  const admin = await joinAs(portal, owner, 'Admin');
  const program = new Program(portal, await makeKey(admin, { name: 'Sync' }));
  await impose(portal, owner, { twoFactor: 'required', from: portal.clock.now() + days(2) });
  assert.equal((await program.get('/people')).status, 200, 'there is time left');
  portal.clock.advance(days(2));
  const refused = await program.get('/people');
  assert.deepEqual([refused.status, /has yet to set up the second factor/.test(refused.body)], [401, true]);
  await admin.browser.visit('/admin/people');
  assert.equal(admin.browser.page.path, '/account/confirm');
  await confirmIfAsked(admin.browser, admin.password);
  await admin.browser.press('Enable With Authenticator App');
  await admin.setUpApp();
  await admin.keepRecoveryKey();
  assert.equal((await program.get('/people')).status, 200);
});

describe('a policy that changes in the middle', () => {
  test('AL-10 a method that stops counting while it is being set up is not stored: what counts is offered, also behind "Not now"', async () => {
    await using portal = await open();
    const owner = await foundOrganisation(portal);
    const [ada, ben] = [await joinAs(portal, owner, 'Member'), await joinAs(portal, owner, 'Member')];
    const later = { twoFactor: 'required', from: portal.clock.now() + days(7) } as const;
    await impose(portal, owner, later);
    for (const one of [ada, ben]) {
      await one.signOut();
      await one.enterPassword();
      await one.browser.press('Enable With Code by Email');
      await one.browser.press('Send verification code');
      assert.equal(one.browser.page.path, '/sign-in/set-up/code');
    }
    // Ben has shown the code already, and looks at his Recovery Key.
    await ben.enterCode(ben.newestCode());
    assert.equal(ben.browser.page.path, '/sign-in/recovery-key');
    await impose(portal, owner, { ...later, notCounting: ['email-code'] });
    await ada.enterCode(ada.newestCode());
    await ben.browser.reload();
    for (const one of [ada, ben]) {
      assert.equal(one.browser.page.path, '/sign-in/set-up');
      assert.ok(!one.browser.page.has('Code by email'));
    }
    await ben.browser.press('Not now');
    assert.equal(ben.browser.page.path, '/account');
    await ada.browser.press('Enable With Authenticator App');
    await ada.setUpApp();
    await ada.keepRecoveryKey();
    assert.deepEqual(await factorsOf(portal, ada), ['recovery-key', 'totp']);
    assert.deepEqual(await factorsOf(portal, ben), []);
  });

  test('a policy that asks for less leads nobody back to the start: the next press goes in, and says nothing of a method that was not kept', async () => {
    await using portal = await open();
    const owner = await foundOrganisation(portal);
    const [ada, ben] = [await joinAs(portal, owner, 'Member'), await joinAs(portal, owner, 'Member')];
    await impose(portal, owner, { twoFactor: 'required' });
    for (const one of [ada, ben]) {
      await one.signOut();
      await one.enterPassword();
      await one.browser.press('Enable With Authenticator App');
    }
    await ben.setUpApp();
    await impose(portal, owner, { twoFactor: 'optional' });
    await ada.browser.press('Continue');
    await ben.browser.press('Finish');
    for (const one of [ada, ben]) {
      assert.equal(one.browser.page.path, '/account');
      assert.deepEqual(await factorsOf(portal, one), []);
    }
  });

  test('SE-5 a sign-in at the moment of a suspension is not there again when the suspension ends', async () => {
    await using portal = await openPortal({ engine: 'postgres' });
    const { world } = portal;
    const { query } = world.database;
    const owner = await foundOrganisation(portal);
    const ada = await joinAs(portal, owner, 'Member');
    await ada.signOut();
    const { id } = await accountOf(portal, ada.email);
    const organisation = await query.selectFrom('organisations').select(['id', 'name']).executeTakeFirstOrThrow();
    const account = (await findAccount(query, (await accountOf(portal, owner.email)).id))!;
    const { demand } = await readDemand(query, id);
    const [locked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const signingIn = world.database.transaction(async (transaction) => {
      await lockAccount(transaction, id);
      locked.resolve();
      await gate.promise;
      const browser = { browserToken: 'b', userAgent: '', address: '192.0.2.7' };
      await openSession(world, transaction, { accountId: id, proofs: { password: world.clock.now() }, browser, demand });
    });
    await locked.promise;
    const ended = { yes: false };
    const suspending = suspend(world, { account, organisation, from: FROM }, id).then(() => (ended.yes = true));
    const waits = sql<{ pid: number }>`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    while (!ended.yes && (await waits.execute(query)).rows.length === 0);
    gate.resolve();
    await Promise.all([signingIn, suspending]);
    assert.equal(await sessionsOf(portal, ada.email), 0);
  });
});

describe('who looks after an organisation', () => {
  test('FC-1 no policy makes a proof last longer than ten minutes: not on the form, and not one that was saved before', async () => {
    await using portal = await open();
    const owner = await foundOrganisation(portal);
    const { browser } = owner;
    await browser.visit('/admin/policy/edit');
    await confirmIfAsked(browser, owner.password);
    browser.fill('Changes ask for a proof that is no older than (minutes)', '11');
    await browser.press('Preview');
    assert.equal(browser.page.status, 422);
    await impose(portal, owner, { proofMinutes: 60 });
    portal.clock.advance(minutes(11));
    await browser.visit('/account/security/password');
    assert.equal(browser.page.path, '/account/confirm');
  });

  test('a proof that is asked for too fresh locks nobody out: less than five minutes is no policy, and what goes stale on the way is asked for once more', async () => {
    await using portal = await open();
    const owner = await (await foundOrganisation(portal)).enableByApp();
    const { browser } = owner;
    await browser.visit('/admin/policy/edit');
    browser.fill('Changes ask for a proof that is no older than (minutes)', '4');
    await browser.press('Preview');
    assert.equal(browser.page.status, 422);
    await impose(portal, owner, { proofMinutes: 5 });
    portal.clock.advance(minutes(6));
    await browser.visit('/account/security/password');
    await confirmIfAsked(browser, owner.password);
    // The phone was in another room.
    portal.clock.advance(minutes(6));
    await owner.enterCode(owner.phone.fresh());
    assert.equal(browser.page.heading, 'Confirm that it’s you');
    await confirmIfAsked(browser, owner.password);
    assert.equal(browser.page.path, '/account/security/password');
  });

  test('a policy can be changed long after its day: the day that stands there is no mistake', async () => {
    await using portal = await open();
    const owner = await (await foundOrganisation(portal)).enableByApp();
    await impose(portal, owner, { twoFactor: 'required', from: portal.clock.now() - days(800) });
    const { browser } = owner;
    await browser.visit('/admin/policy/edit');
    browser.fill('Days that somebody has who joins', '3');
    await browser.press('Preview');
    assert.equal(browser.page.heading, 'Preview');
  });

  test('a form that takes a long time to fill in is not lost, however short a proof lasts; and a draft is changed once more, not begun anew', async () => {
    await using portal = await open();
    const owner = await foundOrganisation(portal);
    await impose(portal, owner, { proofMinutes: 5 });
    const { browser } = owner;
    await browser.visit('/admin/policy/edit');
    await confirmIfAsked(browser, owner.password);
    browser.fill('Days that somebody has who joins', '77');
    portal.clock.advance(minutes(6));
    await browser.press('Preview');
    assert.equal(browser.page.heading, 'Preview');
    portal.clock.advance(minutes(6));
    await browser.press('Change it once more');
    await confirmIfAsked(browser, owner.password);
    assert.equal(browser.page.value('Days that somebody has who joins'), '77');
    await browser.press('Preview');
    portal.clock.advance(minutes(6));
    browser.fill('Why?', 'It is time.');
    await browser.press('Save policy');
    await confirmIfAsked(browser, owner.password);
    assert.equal(browser.page.heading, 'Preview', 'what is put in force needs a fresh proof');
  });

  test('AD-5 an admin does not get rid of the second one who has to agree to a reset, or of the time that it waits: the owner does', async () => {
    await using portal = await open();
    const owner = await foundOrganisation(portal);
    const admin = await joinAs(portal, owner, 'Admin');
    await impose(portal, owner, { resetNeedsApproval: true, resetWaitHours: 48 });
    await impose(portal, owner, { resetNeedsApproval: true, resetWaitHours: 72 });
    const save = async ({ browser, password }: Person, change: () => void): Promise<number> => {
      await browser.visit('/admin/policy/edit');
      await confirmIfAsked(browser, password);
      change();
      await browser.press('Preview');
      browser.fill('Why?', 'Quicker.');
      return (await browser.press('Save policy')).status;
    };
    assert.equal(await save(admin, () => admin.browser.uncheck('A second administrator has to agree to a reset')), 403);
    assert.match(admin.browser.page.text, /Only the owner/);
    assert.equal(await save(admin, () => admin.browser.fill('A reset of all methods waits for (hours)', '1')), 403);
    await admin.browser.visit('/admin/policy');
    await admin.browser.press('Return to version 1');
    assert.equal(admin.browser.page.status, 403);
    assert.equal(await save(admin, () => admin.browser.fill('A reset of all methods waits for (hours)', '96')), 200);
    assert.equal(await save(owner, () => owner.browser.uncheck('A second administrator has to agree to a reset')), 200);
    assert.ok(owner.browser.page.has('Version 4 in force'));
  });

  test('a deadline is not renewed by being removed and invited again', async () => {
    await using portal = await open();
    const owner = await foundOrganisation(portal);
    await impose(portal, owner, { twoFactor: 'required', graceDays: 7 });
    const ada = await joinAs(portal, owner, 'Member');
    const until = async (): Promise<string | undefined> => {
      await ada.signOut();
      await ada.enterPassword();
      return /You have until (.*? UTC)/.exec(ada.browser.page.text)?.[1];
    };
    const first = await until();
    assert.ok(first);
    await ada.browser.press('Not now');
    portal.clock.advance(days(5));
    await press(owner, ada.email, 'Remove from the organisation');
    await joinAs(portal, owner, 'Member', ada);
    assert.equal(await until(), first);
  });

  test('AD-3 who looks after another organisation keeps their password, whatever the admins of this one want', async () => {
    await using portal = await open();
    const owner = await foundOrganisation(portal);
    const ada = await joinAs(portal, owner, 'Member');
    await foundAnother(portal, ada, 'Cranes Ltd');
    await press(owner, ada.email, 'Require a new password');
    assert.equal(owner.browser.page.status, 403);
    await ada.signIn({ browser: portal.browser() });
  });
});

forEachPortal((openEither) => {
  test('a form that names a version that never was puts nothing in force, and an address with a character that can’t be kept leads nowhere', async () => {
    const portal = await openEither();
    const owner = await foundOrganisation(portal);
    const { browser } = owner;
    await browser.visit('/admin/policy/edit');
    await confirmIfAsked(browser, owner.password);
    browser.page.root.querySelector('[name="seen"]')!.setAttribute('value', '41');
    await browser.press('Preview');
    const draft = /draft=([\w-]+)/.exec(browser.page.link('Change it once more'))![1]!;
    const { query } = portal.world.database;
    const { id: organisation } = await query.selectFrom('organisations').select('id').executeTakeFirstOrThrow();
    await browser.post('/admin/policy/save', { organisation, draft, reason: 'Because.' });
    assert.equal(browser.page.status, 409);
    assert.equal((await query.selectFrom('policies').select('id').execute()).length, 1, 'that of the installation');
    for (const path of [
      '/admin/policy/preview?draft=%00',
      '/admin/policy/preview/people?draft=%00&outcome=passes',
      '/admin/policy/edit?draft=%00',
      '/admin/people/%00',
    ]) {
      await browser.visit(path);
      assert.ok([400, 404].includes(browser.page.status), `${path}: ${browser.page.status}`);
    }
  });
});
