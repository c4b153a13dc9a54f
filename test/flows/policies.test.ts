// The Security Policy of an organisation: what administrators see before they save it, what people meet afterwards, and that both agree.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { findAccount } from '../../src/accounts/accounts.ts';
import { createOrganisation, ROLES, type Role } from '../../src/organisations/organisations.ts';
import { days, minutes } from '../../src/platform/durations.ts';
import { DEFAULT_RULES, foresee, makeDraft, METHODS, saveDraft, type Rules } from '../../src/policy/policy.ts';
import { accountOf } from '../attacks/intruder.ts';
import { confirmIfAsked, foundOrganisation, impose, invitationPath, joinAs, openPerson, sendInvitation } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, openPortal, type Portal } from '../support/portal.ts';
import { runs } from '../support/property.ts';

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

/** Opens the form of the policy, with a fresh proof. */
async function openForm({ browser, password }: Person): Promise<void> {
  await browser.visit('/admin/policy/edit');
  await confirmIfAsked(browser, password);
  assert.equal(browser.page.heading, 'Change the policy');
}

/** Signs in again, as far as the password leads. */
async function comeBack(person: Person): Promise<string> {
  await person.browser.visit('/account');
  if (person.browser.page.path !== '/sign-in') await person.signOut();
  await person.enterPassword();
  return person.browser.page.path;
}

onOneDatabase((open) => {
  describe('one organisation', () => {
    let portal: Portal;
    let owner: Person;
    let ada: Person;
    before(async () => {
      portal = await open();
      owner = await foundOrganisation(portal);
      ada = await joinAs(portal, owner, 'Member');
    });

    test('"required in 7 days", looked at first: whom it asks, by when; saved with a reason; then "Not now", until the day has come', async () => {
      const { browser } = owner;
      const day = new Date(portal.clock.now() + days(7)).toISOString().slice(0, 10);
      await openForm(owner);
      browser.check('Required');
      browser.fill('Required from', day);
      await browser.press('Preview');
      assert.match(browser.page.text, /Two-factor authentication Required \(was: Optional\)/);
      assert.match(browser.page.text, /Asked, with time left: 2 people/);
      assert.match(browser.page.text, /Locked out: 0 people/);
      await browser.press('See who: Asked, with time left');
      for (const { email } of [owner, ada]) assert.ok(browser.page.has(email), email);
      await browser.press('Export as CSV');
      assert.match(browser.download!.text, new RegExp(`${ada.email.replace('+', '.')},Asked for nothing,"Asked, with time left",\\d`));
      await browser.press('Back to the preview');
      await browser.press('Send the mail');
      assert.match(browser.page.text, /They were told by mail/);
      assert.match(ada.mails().at(-1)!.subject, /^Herons Ltd will ask you for a second step/);
      browser.fill('Why?', 'A stolen password must not be enough.');
      await browser.press('Save policy');
      assert.match(
        browser.page.text,
        /Version 1 in force .* by Ada .*“A stolen password must not be enough\.” Two-factor authentication: Required \(was: Optional\)/,
      );

      await openPerson(owner, ada.email);
      assert.match(
        browser.page.text,
        /The Security Policy asks for a method that counts: Ada \d+ Example has until 9 February 2027 at 00:00 UTC to set one up/,
      );

      assert.equal(await comeBack(ada), '/sign-in/set-up');
      assert.match(ada.browser.page.text, /Herons Ltd asks you for a second step after the password\./);
      assert.match(ada.browser.page.text, /You have until \d+ \w+ \d{4} at 00:00 UTC: 6 days left\./);
      await ada.browser.press('Not now');
      assert.equal(ada.browser.page.path, '/account');

      // The day comes while the session is open: at the next request it is set up, and then one goes on.
      await comeBack(ada);
      await ada.browser.press('Not now');
      portal.clock.advance(days(6));
      await ada.enterPassword(portal.browser());
      await comeBack(ada);
      await ada.browser.press('Not now');
      portal.clock.advance(days(1));
      await ada.browser.visit('/account/sessions');
      assert.equal(ada.browser.page.path, '/account/confirm');
      await confirmIfAsked(ada.browser, ada.password);
      assert.equal(ada.browser.page.path, '/account/security/enable');
      await ada.browser.press('Enable With Authenticator App');
      await ada.setUpApp();
      await ada.keepRecoveryKey();
      assert.equal(ada.browser.page.path, '/account/sessions');
      await ada.signIn({ browser: portal.browser(), by: 'app' });
    });

    test('after the day there is no "Not now", not even made up', async () => {
      assert.equal(await comeBack(owner), '/sign-in/set-up');
      assert.ok(!owner.browser.page.has('Not now'));
      await owner.browser.post('/sign-in/set-up/later');
      assert.equal(owner.browser.page.path, '/sign-in/set-up');
      await owner.browser.press('Enable With Authenticator App');
      await owner.setUpApp();
      await owner.keepRecoveryKey();
      await owner.browser.press('Continue');
      assert.equal(owner.browser.page.path, '/account');
      await openPerson(owner, ada.email);
      assert.doesNotMatch(owner.browser.page.text, /asks for a method/, 'who has set one up is asked for nothing more');
    });

    test('one click back from the first policy of one’s own, to what held before it; a version that no form names is none', async () => {
      const other = await open();
      const olga = await foundOrganisation(other);
      const { browser } = olga;
      await openForm(olga);
      browser.check('Required');
      await browser.press('Preview');
      browser.fill('Why?', 'At once, and too soon.');
      await browser.press('Save policy');
      await comeBack(olga);
      await browser.press('Enable With Authenticator App');
      await olga.setUpApp();
      await olga.keepRecoveryKey();
      await browser.press('Continue');
      await browser.visit('/admin/policy');
      assert.match(browser.page.text, /Version 0 What held before/);
      const shown = browser.page.text;
      const { id: organisation } = await other.world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow();
      for (const version of ['', 'x', '-0', '7']) {
        await browser.post('/admin/policy/restore', { organisation, version, seen: '1' });
        assert.equal((await browser.visit('/admin/policy')).text, shown, `version '${version}'`);
      }
      await browser.press('Return to version 0');
      assert.match(browser.page.text, /Version 2 in force .*“Back to version 0” Two-factor authentication: Optional \(was: Required\)/);
    });

    test('one click back to the version before; who sets it aside is told where somebody was faster', async () => {
      await impose(portal, owner, { twoFactor: 'optional' });
      const { browser } = owner;
      await browser.visit('/admin/policy');
      const other = browser.tab();
      await other.visit('/admin/policy');
      await browser.press('Return to version 1');
      assert.match(browser.page.text, /The earlier policy is in force again\./);
      assert.match(browser.page.text, /Version 3 in force .*“Back to version 1”/);
      await other.press('Return to version 1');
      assert.equal(other.page.status, 409);
      assert.match(other.page.text, /Somebody else changed the policy in the meantime, so nothing was done\./);
    });

    test('what can’t be is refused beside its field, keeps what was typed, and changes nothing', async () => {
      await openForm(owner);
      const { browser } = owner;
      browser.fill('Days that somebody has who joins', '9999');
      browser.fill('Required from', '2026-02-30');
      browser.fill('Signed in for at most (hours)', '-3');
      browser.fill('Email domains that may join', 'exa mple@');
      for (const { kind } of METHODS) browser.page.root.querySelector(`[name="counts-${kind}"]`)!.removeAttribute('checked');
      browser.check('People by name');
      browser.fill('By name: their email addresses', 'nobody@example.org');
      await browser.press('Preview');
      assert.equal(browser.page.status, 422);
      for (const sentence of [
        'Enter a whole number from 0 to 365.',
        'Enter a date within the next two years, or leave it empty.',
        'Enter a whole number from 1 to 720.',
        'is no domain.',
        'At least one method has to count, or nobody could get in.',
        'Nobody in the organisation has the address nobody@example.org.',
      ])
        assert.ok(browser.page.has(sentence), sentence);
      assert.equal(browser.page.value('Days that somebody has who joins'), '9999');
      for (const from of ['2031-01-01', '1999-01-01', 'tomorrow']) {
        await openForm(owner);
        browser.fill('Required from', from);
        await browser.press('Preview');
        assert.equal(browser.page.status, 422, from);
      }
      await browser.visit('/admin/policy');
      assert.ok(browser.page.has('Version 3 in force'));
    });
  });

  describe('time', () => {
    test('a deadline is fixed once: not by signing in again, another role, leaving and coming back, or off and on does anybody get more', async () => {
      const portal = await open();
      const owner = await foundOrganisation(portal);
      const ada = await joinAs(portal, owner, 'Member');
      const until = async (): Promise<string | undefined> => {
        const path = await comeBack(ada);
        const found = path === '/sign-in/set-up' ? /You have until (.*? UTC)/.exec(ada.browser.page.text)?.[1] : path;
        return found;
      };
      await impose(portal, owner, { twoFactor: 'required', graceDays: 7 });
      const first = await until();
      assert.match(first ?? '', /UTC$/);
      portal.clock.advance(days(2));
      assert.equal(await until(), first);
      await impose(portal, owner, { twoFactor: 'off' });
      assert.equal(await until(), '/account');
      await impose(portal, owner, { twoFactor: 'required', graceDays: 30, from: portal.clock.now() + days(30) });
      assert.equal(await until(), first);
      const { query } = portal.world.database;
      const { id } = await accountOf(portal, ada.email);
      await query.updateTable('memberships').set({ role: 'auditor', joined_at: portal.clock.now() }).where('account_id', '=', id).execute();
      assert.equal(await until(), first);
      // Only who says so gives everybody more.
      await impose(portal, owner, { twoFactor: 'required', graceDays: 30 }, { renews: true });
      assert.notEqual(await until(), first);
    });

    test('who joins later has days of their own; where a part of the people comes first, the others are not asked', async () => {
      const portal = await open();
      const owner = await foundOrganisation(portal);
      const ada = await joinAs(portal, owner, 'Member');
      await openForm(owner);
      owner.browser.check('Required');
      owner.browser.check('People by name');
      owner.browser.fill('By name: their email addresses', ada.email);
      await owner.browser.press('Preview');
      assert.match(owner.browser.page.text, /Asked at once: 1 person/);
      owner.browser.fill('Why?', 'To try it with one.');
      await owner.browser.press('Save policy');
      assert.equal(await comeBack(ada), '/sign-in/set-up');
      assert.equal(await comeBack(owner), '/account');
      await impose(portal, owner, { twoFactor: 'required', roles: ['member'], graceDays: 3 });
      const ben = await joinAs(portal, owner, 'Member');
      assert.equal(await comeBack(ben), '/sign-in/set-up');
      assert.match(ben.browser.page.text, /(?:2 days|7\d hours|48 hours|2 days) left|3 days left/);
      assert.equal(await comeBack(owner), '/account');
    });
  });

  describe('what counts', () => {
    test('AL-10 where an emailed code does not count it is not offered any more, and who has nothing else shows it once, and sets up what counts', async () => {
      const portal = await open();
      const owner = await foundOrganisation(portal);
      const ada = await (await joinAs(portal, owner, 'Member')).enableByEmail();
      const ben = await (await joinAs(portal, owner, 'Member')).enableByApp();
      await ben.enableEmailToo();
      const eve = await joinAs(portal, owner, 'Member');
      await impose(portal, owner, { twoFactor: 'required', notCounting: ['email-code'] });

      await eve.browser.visit('/account');
      assert.equal(eve.browser.page.path, '/account/security/enable');
      assert.ok(!eve.browser.page.has('Code by email') && eve.browser.page.buttons.includes('Enable With Authenticator App'));
      await eve.browser.post('/account/security/enable', { method: 'email-code' });
      assert.equal(eve.browser.page.status, 422);

      // Ada’s mailbox still guards her account, but does not open it.
      await ada.browser.visit('/account');
      assert.equal(ada.browser.page.path, '/account/security/enable');
      await ada.signOut();
      await ada.enterPassword();
      assert.equal(ada.browser.page.path, '/sign-in/verify');
      await ada.browser.visit('/sign-in/set-up');
      assert.equal(ada.browser.page.path, '/sign-in/verify');
      await ada.enterCode(ada.newestCode());
      assert.equal(ada.browser.page.path, '/sign-in/set-up');
      assert.match(ada.browser.page.text, /Herons Ltd asks you for a stronger second step than what you have \(Code by email\)\./);
      await ada.browser.press('Enable With Authenticator App');
      await ada.setUpApp();
      // The Recovery Key that she has goes on to serve.
      await ada.browser.press('Continue');
      assert.equal(ada.browser.page.path, '/account');
      await ada.signOut();
      await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });

      await ben.signOut();
      await ben.enterPassword();
      await ben.browser.press('Try another way');
      assert.ok(!ben.browser.page.has('Code by email'));
      await ben.browser.post('/sign-in/verify/other', { method: 'email-code' });
      assert.equal(ben.browser.page.status, 422);
    });

    test('AL-10, FC-7 a session that a mailbox opened shows the app where the mailbox no longer counts, and what counts can’t be removed', async () => {
      const portal = await open();
      const owner = await foundOrganisation(portal);
      const ada = await (await joinAs(portal, owner, 'Member')).enableByApp();
      await ada.enableEmailToo();
      await ada.signOut();
      await ada.signIn({ by: 'email' });
      await impose(portal, owner, { twoFactor: 'required', notCounting: ['email-code'] });
      await ada.browser.visit('/account/sessions');
      assert.equal(ada.browser.page.path, '/account/confirm');
      portal.clock.advance(minutes(1));
      if (ada.browser.page.has('Password')) ada.browser.fill('Password', ada.password);
      await ada.browser.press('Continue');
      await ada.enterCode(ada.app!.fresh());
      assert.equal(ada.browser.page.path, '/account/sessions');
      await ada.openSecurity();
      await ada.browser.press('Manage Authenticator app');
      assert.match(ada.browser.page.text, /Herons Ltd asks you for two-factor authentication/);
    });

    test('PW-1 where a real second factor is enforced, a password of eight characters will do; elsewhere it takes fifteen', async () => {
      const portal = await open();
      const owner = await foundOrganisation(portal);
      const ada = await (await joinAs(portal, owner, 'Member')).enableByApp();
      const choose = async (password: string): Promise<string> => {
        await ada.browser.visit('/account/security/password');
        ada.browser.fill('Current password', ada.password);
        ada.browser.fill('New password', password);
        return (await ada.browser.press('Change password')).text;
      };
      assert.match(await choose('ten otters'), /Use at least 15 characters\./);
      await impose(portal, owner, { twoFactor: 'required' });
      assert.match(await choose('ten otters'), /Use at least 15 characters\./, 'an emailed code counts');
      await impose(portal, owner, { twoFactor: 'required', notCounting: ['email-code'], from: portal.clock.now() + days(1) }, { renews: true });
      assert.match(await choose('ten otters'), /Use at least 15 characters\./, 'not yet');
      await impose(portal, owner, { twoFactor: 'required', notCounting: ['email-code'] }, { renews: true });
      assert.match(await choose('otters!'), /Use at least 8 characters\./);
      await choose('ten otters');
      assert.equal(ada.browser.page.path, '/account/security');
    });

    test('shorter sessions and fresher proofs hold from the next request on', async () => {
      const portal = await open();
      const owner = await foundOrganisation(portal);
      const ada = await joinAs(portal, owner, 'Member');
      await impose(portal, owner, { sessionIdleMinutes: 15, sessionHours: 2, proofMinutes: 2 });
      portal.clock.advance(minutes(3));
      await ada.browser.visit('/account/security/password');
      assert.equal(ada.browser.page.path, '/account/confirm');
      for (let visits = 0; visits < 11; visits++) {
        portal.clock.advance(minutes(10));
        await ada.browser.visit('/account');
        assert.equal(ada.browser.page.path, '/account');
      }
      portal.clock.advance(minutes(8));
      await ada.browser.visit('/account');
      assert.equal(ada.browser.page.path, '/sign-in', 'two hours are over');
      await ada.signIn();
      portal.clock.advance(minutes(16));
      await ada.browser.visit('/account');
      assert.equal(ada.browser.page.path, '/sign-in', 'fifteen minutes unused');
    });

    test('only addresses of its domains are invited, and an invitation from before is worth nothing', async () => {
      const portal = await open();
      const owner = await foundOrganisation(portal);
      const guest = portal.newcomer();
      await sendInvitation(owner, guest.email, 'Member');
      await guest.join();
      await impose(portal, owner, { emailDomains: ['herons.example'] });
      await guest.browser.visit(invitationPath(guest));
      assert.equal(guest.browser.page.status, 410);
      assert.match(guest.browser.page.text, /addresses of other domains/);
      for (const email of ['a@cranes.example', 'a@sub.herons.example', 'a@herons.example.evil.example']) {
        await sendInvitation(owner, email, 'Member');
        assert.equal(owner.browser.page.status, 422, email);
      }
      await sendInvitation(owner, 'a@HERONS.example', 'Member');
      assert.equal(owner.browser.page.path, '/admin/people');
    });
  });
});

const ROLES_GIVEN: readonly Role[] = ROLES.filter((role) => role !== 'owner');

test('AD-9, property: the preview never disagrees with what then happens, person by person, whatever policies they are under', async () => {
  await using portal = await openPortal({ engine: 'sqlite', checkHtml: false });
  const { world } = portal;
  const { query } = world.database;
  const owner = await foundOrganisation(portal);
  const heronsId = (await query.selectFrom('organisations').select('id').executeTakeFirstOrThrow()).id;
  const herons = { id: heronsId, name: 'Herons Ltd' };
  const account = (await findAccount(query, (await accountOf(portal, owner.email)).id))!;
  const cranes = await world.database.transaction((transaction) =>
    createOrganisation(world, transaction, { name: 'Cranes Ltd', owner: account.id, from: FROM }),
  );
  const people = await Promise.all(
    ['none', 'email', 'app', 'none'].map(async (has) => {
      const person = await portal.newcomer().join();
      if (has === 'email') await person.enableByEmail();
      if (has === 'app') await person.enableByApp();
      return { person, id: (await accountOf(portal, person.email)).id };
    }),
  );
  const start = portal.clock.now();
  const rulesOf: fc.Arbitrary<Rules> = fc
    .record({
      twoFactor: fc.constantFrom('off' as const, 'optional' as const, 'required' as const, 'required' as const),
      roles: fc.subarray([...ROLES], { minLength: 1 }),
      from: fc.option(fc.constantFrom(start - days(3), start + days(400))),
      graceDays: fc.constantFrom(0, 30),
      rollOut: fc.oneof(
        fc.constant({ kind: 'everybody' as const }),
        fc.record({ kind: fc.constant('share' as const), percent: fc.integer({ min: 1, max: 99 }) }),
        fc.record({ kind: fc.constant('people' as const), accountIds: fc.subarray(people.map(({ id }) => id)) }),
      ),
      notCounting: fc.subarray(METHODS.map(({ kind }) => kind)),
    })
    .map((some) => ({ ...DEFAULT_RULES, ...some }));
  const membershipOf = fc.record({ role: fc.constantFrom(...ROLES_GIVEN), alsoCranes: fc.boolean() });

  await fc.assert(
    fc.asyncProperty(rulesOf, rulesOf, fc.array(membershipOf, { minLength: people.length, maxLength: people.length }), async (ours, theirs, places) => {
      for (const { id } of [herons, cranes]) await query.deleteFrom('policies').where('id', '=', id).execute();
      await query.deleteFrom('policy_versions').where('policy_id', '<>', 'installation').execute();
      await query.deleteFrom('policy_deadlines').execute();
      await query.deleteFrom('memberships').where('role', '<>', 'owner').execute();
      for (const [index, { id }] of people.entries()) {
        const { role, alsoCranes } = places[index]!;
        const { email_key, name_key } = await query.selectFrom('accounts').select(['email_key', 'name_key']).where('id', '=', id).executeTakeFirstOrThrow();
        const row = { account_id: id, role, email_key, name_key, joined_at: portal.clock.now() - days(10) };
        await query
          .insertInto('memberships')
          .values({ ...row, organisation_id: herons.id })
          .execute();
        if (alsoCranes)
          await query
            .insertInto('memberships')
            .values({ ...row, organisation_id: cranes.id })
            .execute();
      }
      const actorIn = (organisation: typeof herons) => ({ account, organisation, from: FROM });
      const theirDraft = (await makeDraft(world, actorIn(cranes), { rules: theirs, basedOn: 0, renews: false }))!;
      await saveDraft(world, actorIn(cranes), { draftId: theirDraft, reason: 'theirs' });

      const proposed = { organisationId: herons.id, rules: ours, renews: false };
      const foreseen = new Map<string, string>();
      for await (const one of foresee(query, { now: portal.clock.now(), current: DEFAULT_RULES, proposed })) foreseen.set(one.accountId, one.after);
      const draftId = (await makeDraft(world, actorIn(herons), { rules: ours, basedOn: 0, renews: false }))!;
      await saveDraft(world, actorIn(herons), { draftId, reason: 'ours' });

      for (const { person, id } of people)
        assert.equal(await met(portal, person), foreseen.get(id), `${person.email} ${JSON.stringify({ ours, theirs, places })}`);
    }),
    runs(25),
  );
});

/** What somebody really meets who signs in now. */
async function met(portal: Portal, person: Person): Promise<string> {
  const browser = portal.browser();
  portal.clock.advance(minutes(11));
  await person.enterPassword(browser);
  if (browser.page.path === '/sign-in/verify') {
    const by = browser.page.has('authenticator app') && person.app ? 'app' : 'email';
    await person.enterCode(by === 'app' ? person.app!.fresh() : person.newestCode(), { browser });
  }
  if (browser.page.path !== '/sign-in/set-up') {
    assert.equal(browser.page.path, '/account', browser.page.text);
    return 'passes';
  }
  const buttons = browser.page.buttons.filter((name) => name.startsWith('Enable With'));
  if (buttons.length === 0) return 'locked-out';
  return browser.page.buttons.includes('Not now') ? 'sets-up-later' : 'sets-up';
}
