// Leaving an organisation, by oneself.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { days, minutes } from '../../src/platform/durations.ts';
import { accountOf } from '../attacks/intruder.ts';
import { confirmIfAsked, foundOrganisation, impose, invitationPath, joinAs, openPerson, sendInvitation } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import { makeKey, Program } from '../support/program-client.ts';

const ORGANISATIONS = '/account/organisations';

onOneDatabase((open) => {
  let portal: Portal;
  let owner: Person;
  before(async () => {
    portal = await open();
    owner = await foundOrganisation(portal);
  });

  const organisationOf = async (name: string): Promise<string> =>
    (await portal.world.database.query.selectFrom('organisations').select('id').where('name', '=', name).executeTakeFirstOrThrow()).id;
  const leave = async (person: Person, name = 'Herons Ltd'): Promise<void> => {
    await person.browser.visit('/account');
    await person.browser.press('See your organisations');
    await person.browser.press(`Leave ${name}`);
    await confirmIfAsked(person.browser, person.password);
    await person.browser.press(`Leave ${name}`);
  };

  test('an admin leaves, with a fresh proof: told by mail, on record, and nothing of theirs opens anything any more', async () => {
    const ada = await joinAs(portal, owner, 'Admin');
    const program = new Program(portal, await makeKey(ada));
    const guest = portal.newcomer();
    await sendInvitation(ada, guest.email, 'Member');
    portal.clock.advance(minutes(11));
    await ada.browser.visit('/account');
    await ada.browser.press('See your organisations');
    assert.match(ada.browser.page.text, /Herons Ltd admin/);
    await ada.browser.press('Leave Herons Ltd');
    assert.equal(ada.browser.page.heading, 'Confirm that it’s you', 'FC-1');
    await confirmIfAsked(ada.browser, ada.password);
    assert.match(ada.browser.page.text, /API keys that you made for Herons Ltd stop working at once/);
    await ada.browser.press('Leave Herons Ltd');
    assert.equal(ada.browser.page.path, ORGANISATIONS);
    assert.match(ada.browser.page.text, /You have left the organisation.*You belong to none/s);
    assert.equal(ada.newestMail().subject, 'You have left Herons Ltd');
    assert.match(owner.newestMail().text, new RegExp(`${ada.email}, has left Herons Ltd by themselves`));
    await ada.browser.visit('/admin/people');
    assert.equal(ada.browser.page.status, 404);
    assert.equal((await program.get('/people')).status, 401);
    await guest.join();
    await guest.browser.visit(invitationPath(guest));
    assert.ok(!guest.browser.page.hasButton('Accept'), 'an invitation is worth what its sender is');
    await owner.browser.visit('/admin/audit');
    assert.match(owner.browser.page.text, /Left the organisation, where they were admin/);
  });

  test('AD-3 the owner does not leave, the suspended do not, nobody leaves for another, and nobody leaves twice', async () => {
    const herons = await organisationOf('Herons Ltd');
    await owner.browser.visit(ORGANISATIONS);
    assert.ok(!owner.browser.page.has('Leave'));
    await owner.browser.visit('/account/confirm?then=/account');
    await confirmIfAsked(owner.browser, owner.password);
    await owner.browser.post(`${ORGANISATIONS}/${herons}/leave`);
    assert.match(owner.browser.page.text, /An organisation keeps an owner\. Pass ownership on before you leave\./);
    const [ada, stranger] = [await joinAs(portal, owner, 'Member'), await portal.newcomer().join()];
    await stranger.browser.visit('/account');
    for (const id of [herons, 'A'.repeat(22), '..']) {
      await stranger.browser.post(`${ORGANISATIONS}/${encodeURIComponent(id)}/leave`);
      assert.equal(stranger.browser.page.status, 404);
    }
    // Ada belongs to another one too, and is suspended in this.
    const { id: adaId } = await accountOf(portal, ada.email);
    const { world } = portal;
    await world.database.transaction((transaction) =>
      createOrganisation(world, transaction, { name: 'Adas Ltd', owner: adaId, from: { address: '192.0.2.1', userAgent: 'a test', requestId: '' } }),
    );
    await openPerson(owner, ada.email);
    await owner.browser.press('Suspend');
    await ada.signIn();
    await ada.browser.visit(ORGANISATIONS);
    assert.ok(!ada.browser.page.has('Herons Ltd'));
    await ada.browser.post(`${ORGANISATIONS}/${herons}/leave`);
    assert.equal(ada.browser.page.status, 404);
    const ben = await joinAs(portal, owner, 'Member');
    await leave(ben);
    await ben.browser.post(`${ORGANISATIONS}/${herons}/leave`);
    assert.equal(ben.browser.page.status, 404);
  });

  test('who belongs to two is under the strictest, and after leaving under what is left; coming back brings no more time', async () => {
    const ada = await joinAs(portal, owner, 'Member');
    const other = await portal.newcomer().join();
    const { world } = portal;
    const { id: otherId } = await accountOf(portal, other.email);
    await world.database.transaction((transaction) =>
      createOrganisation(world, transaction, { name: 'Cranes Ltd', owner: otherId, from: { address: '192.0.2.1', userAgent: 'a test', requestId: '' } }),
    );
    await sendInvitation(other, ada.email, 'Member');
    await ada.browser.visit(invitationPath(ada));
    await ada.browser.press('Accept');
    await impose(portal, owner, { twoFactor: 'required', roles: ['member'], graceDays: 5 });
    const { query } = portal.world.database;
    const { id } = await accountOf(portal, ada.email);
    const dueAt = async () => (await query.selectFrom('policy_deadlines').select('deadline_at').where('account_id', '=', id).executeTakeFirst())?.deadline_at;
    const due = await dueAt();
    assert.ok(due !== undefined && due > portal.clock.now());
    await ada.browser.visit('/account');
    await leave(ada);
    assert.match(ada.browser.page.text, /Cranes Ltd member/);
    portal.clock.advance(days(6));
    await ada.signOut();
    await ada.signIn();
    assert.equal(ada.browser.page.path, '/account', 'nothing is asked any more');
    if ((await owner.browser.visit('/account')).path === '/sign-in') await owner.enterPassword();
    await sendInvitation(owner, ada.email, 'Member');
    await ada.browser.visit(invitationPath(ada));
    await ada.browser.press('Accept');
    assert.equal(await dueAt(), due);
    await ada.browser.visit('/account');
    assert.equal(ada.browser.page.path, '/account/security/enable', 'at once: the day is over');
  });
});
