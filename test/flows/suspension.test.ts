// What administrators do about somebody's access as a whole: suspend, let in again, ask for a new password; and how they find who needs it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { minutes } from '../../src/platform/durations.ts';
import { accountOf } from '../attacks/intruder.ts';
import { confirmIfAsked, foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal } from '../support/portal.ts';

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

/** Presses a button on somebody's page, with a fresh proof. */
async function press(by: Person, email: string, button: string): Promise<void> {
  await openPerson(by, email);
  await by.browser.press(button);
  if (by.browser.page.heading !== 'Confirm that it’s you') return;
  await confirmIfAsked(by.browser, by.password);
  await by.browser.press(button);
}

forEachPortal((open) => {
  describe('suspending', () => {
    test('SE-5 signs somebody out at once and keeps them out, also who was half way in; they are told; and it ends', async () => {
      const portal = await open();
      const owner = await foundOrganisation(portal);
      const ada = await joinAs(portal, owner, 'Member');
      await ada.enableByApp();
      const half = portal.browser();
      await ada.enterPassword(half);
      await press(owner, ada.email, 'Suspend');
      assert.match(owner.browser.page.text, /suspended and signed out everywhere/);
      assert.match(owner.browser.page.text, /Suspended since /);
      await ada.browser.visit('/account');
      assert.equal(ada.browser.page.path, '/sign-in');
      await half.visit('/sign-in/verify');
      assert.equal(half.page.path, '/sign-in');
      await ada.enterPassword();
      assert.equal(ada.browser.page.status, 403);
      assert.match(ada.browser.page.alert, /Herons Ltd has suspended you/);
      assert.equal(ada.browser.cookies.get('twinlock-attempt') ?? '', '');
      assert.equal(ada.mails().at(-1)!.subject, 'You are suspended in Herons Ltd');
      // Whoever does not know the password learns nothing of it (RL-7).
      await ada.enterPassword(portal.browser(), 'not the password at all');
      await press(owner, ada.email, 'End the suspension');
      assert.equal(ada.mails().at(-1)!.subject, 'You are back in Herons Ltd');
      await ada.signIn({ browser: portal.browser(), by: 'app' });
    });

    test('a suspended admin looks after nothing, and nobody gives them the organisation; who also belongs elsewhere still gets in there', async () => {
      const portal = await open();
      const owner = await foundOrganisation(portal);
      const ada = await joinAs(portal, owner, 'Admin');
      await press(owner, ada.email, 'Suspend');
      await press(owner, ada.email, 'Transfer ownership');
      assert.equal(owner.browser.page.status, 409);
      const { world } = portal;
      const { id } = await accountOf(portal, ada.email);
      await world.database.transaction((transaction) => createOrganisation(world, transaction, { name: 'Cranes Ltd', owner: id, from: FROM }));
      await ada.enterPassword();
      assert.equal(ada.browser.page.path, '/account');
      await ada.browser.visit('/admin/people');
      assert.ok(ada.browser.page.has('Cranes Ltd') && !ada.browser.page.has('Herons Ltd'));
      const herons = await world.database.query.selectFrom('organisations').select('id').where('name', '=', 'Herons Ltd').executeTakeFirstOrThrow();
      await ada.browser.visit(`/admin/people?organisation=${herons.id}`);
      assert.equal(ada.browser.page.status, 404);
    });
  });

  test('AD-1 a new password is asked for: the old one is worth nothing, no administrator knows the new one, and the second factor stays', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const ada = await (await joinAs(portal, owner, 'Member')).enableByApp();
    await press(owner, ada.email, 'Require a new password');
    await ada.browser.visit('/account');
    assert.equal(ada.browser.page.path, '/sign-in');
    await ada.enterPassword();
    assert.equal(ada.browser.page.status, 401);
    const mail = ada.mails().at(-1)!;
    assert.equal(mail.subject, 'Choose a new password for Example');
    assert.match(mail.text, /\/forgot-password/);
    await ada.openResetLink();
    ada.browser.fill('New password', 'eleven calm otters');
    await ada.browser.press('Save new password');
    await ada.enterPassword(ada.browser, 'eleven calm otters');
    assert.equal(ada.browser.page.path, '/sign-in/verify');
  });

  test('people are found who never signed in, who have a certain method, and who are locked: suspended, or with a method that stopped', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const [app, mail, stopped, off] = [
      await (await joinAs(portal, owner, 'Member')).enableByApp(),
      await (await joinAs(portal, owner, 'Member')).enableByEmail(),
      await (await joinAs(portal, owner, 'Member')).enableByApp(),
      await joinAs(portal, owner, 'Member'),
    ];
    const find = async (filters: Readonly<Record<string, string>>): Promise<string[]> => {
      const { browser } = owner;
      await browser.visit('/admin/people');
      for (const [label, value] of Object.entries(filters)) browser.fill(label, value);
      await browser.press('Find');
      return browser.page.buttons.flatMap((name) => /^Open .*, (\S+@\S+)$/.exec(name)?.[1] ?? []);
    };
    assert.deepEqual(await find({ 'Two-factor authentication': 'Authenticator app' }), [app.email, stopped.email].sort());
    assert.deepEqual(await find({ 'Two-factor authentication': 'Code by email' }), [mail.email]);
    assert.deepEqual(await find({ State: 'No sign-in on record' }), []);
    assert.deepEqual(await find({ State: 'Locked' }), []);
    const intruder = portal.browser();
    for (let wrong = 0; wrong < 50; wrong++) {
      await stopped.enterPassword(intruder);
      await stopped.enterCode('000000', { browser: intruder });
      portal.clock.advance(minutes(61));
    }
    await press(owner, off.email, 'Suspend');
    assert.deepEqual(await find({ State: 'Locked' }), [off.email, stopped.email].sort());
    const { query } = portal.world.database;
    await query.updateTable('audit_events').set({ event: 'user_updated' }).where('event', '=', 'authn_login_success').execute();
    assert.equal((await find({ State: 'No sign-in on record' })).length, 5);
  });
});
