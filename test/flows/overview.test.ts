// The overview of an organisation: how many are protected, by what, over time, and what sign-ins came to.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { countOrganisations } from '../../src/admin/overview.ts';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { days, minutes } from '../../src/platform/durations.ts';
import { confirmIfAsked, foundOrganisation, joinAs } from '../support/organisation.ts';
import type { Page } from '../support/page.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

/** The rows of a table, by the heading of its section. */
function rowsOf(page: Page, heading: string): string[] {
  const section = page.root.querySelectorAll('section').find((one) => one.querySelector('h2')?.text === heading);
  return (section?.querySelectorAll('tbody tr') ?? []).map((row) => row.structuredText.replaceAll(/\s+/g, ' ').trim());
}

/** Signs in and out again, in this browser. */
async function enter(person: Person, portal: Portal): Promise<void> {
  const browser = portal.browser();
  await person.signIn({ browser, by: 'app' });
}

forEachPortal((open) => {
  let portal: Portal;
  let owner: Person;
  before(async () => {
    portal = await open();
    owner = await foundOrganisation(portal);
  });

  /** By a browser of its own: the other one was signed out long ago. */
  const look = async (): Promise<Page> => {
    const browser = portal.browser();
    await owner.signIn({ browser });
    return browser.visit('/admin');
  };

  test('alone: calm words, and a way to invite', async () => {
    const page = await owner.browser.visit('/admin');
    assert.equal(page.heading, 'Overview');
    assert.deepEqual(page.headings, ['A good start', 'Protected', 'Sign-ins of the last 30 days']);
    assert.match(page.text, /0 % 0 of 1 person has two-factor authentication\./);
    await owner.browser.press('Invite somebody');
    await confirmIfAsked(owner.browser, owner.password);
    assert.equal(owner.browser.page.heading, 'Invite somebody');
  });

  test('how many are protected, by which method, and a link to those who are not', async () => {
    const bob = await joinAs(portal, owner, 'Auditor', portal.newcomer({ name: 'Bob Bittern', email: 'bob@example.com' }));
    await bob.enableByApp();
    await bob.enableEmailToo();
    const cleo = await joinAs(portal, owner, 'Member');
    await cleo.enableByEmail();
    const { browser } = owner;
    const page = await browser.visit('/admin');
    assert.match(page.text, /66 % 2 of 3 people have two-factor authentication\./);
    assert.deepEqual(rowsOf(page, 'By method').toSorted(), ['Authenticator app 1 33 %', 'Code by email 2 66 %']);
    await browser.press('1 without a second step');
    assert.equal(browser.page.path, '/admin/people');
    assert.match(browser.page.text, new RegExp(owner.email));
    assert.doesNotMatch(browser.page.text, /Bob Bittern/);
    assert.equal((await bob.browser.visit('/admin')).heading, 'Overview', 'an auditor sees it too');
  });

  test('sign-ins by how they went: the unusual that happened come first, each with a link to its events and no others', async () => {
    const bob = await joinAs(portal, owner, 'Member', await portal.newcomer({ name: 'Dan Dipper' }).join());
    await bob.enableByApp();
    portal.clock.advance(minutes(1));
    await enter(bob, portal);
    await bob.enterPassword(portal.browser(), 'not this one at all');
    const wrong = portal.browser();
    await bob.enterPassword(wrong);
    await bob.enterCode(bob.phone.shows(portal.clock.now() + minutes(20)), { browser: wrong });
    const { browser } = owner;
    const page = await browser.visit('/admin');
    const rows = rowsOf(page, 'Sign-ins of the last 30 days');
    assert.deepEqual(rows.slice(0, 2), ['Wrong second step unusual 1', 'From a browser new to the account unusual 1']);
    assert.ok(rows.includes('Recovery Key used 0'));
    assert.ok(rows.includes('Wrong password 1'));
    assert.match(page.text, /Lately unusual .*Wrong answer by Authenticator app to sign in Dan Dipper/);
    await browser.press('Wrong second step');
    assert.match(browser.page.text, /Some kinds of events alone\./);
    assert.equal(browser.page.root.querySelectorAll('.row').length, 1);
    await browser.press('Export as JSON Lines');
    assert.equal(browser.download!.text.trimEnd().split('\n').length, 1, 'the export has what is shown');
    await browser.press('Show the others too');
    assert.ok(browser.page.root.querySelectorAll('.row').length > 10);
    assert.equal((await browser.visit('/admin/audit?event=nothing,__proto__,%27')).status, 200);
  });

  test('over time: a point a day, drawn and in a table; who was protected before the first count is not made up', async () => {
    await countOrganisations(portal.world);
    assert.equal(await countOrganisations(portal.world), 0, 'not before ten minutes');
    for (let day = 0; day < 2; day++) {
      portal.clock.advance(days(1));
      await countOrganisations(portal.world);
    }
    await joinAs(portal, owner, 'Member');
    const page = await look();
    const table = rowsOf(page, 'Protected');
    assert.deepEqual(table, ['4 February 2027 5 3', '3 February 2027 4 3', '2 February 2027 4 3']);
    const svg = page.root.querySelector('.plot svg')!;
    assert.equal(svg.getAttribute('aria-label'), 'People with two-factor authentication: 3 of 4 on 2 February 2027, 3 of 5 on 4 February 2027.');
    assert.equal(svg.querySelector('polyline.guarded')!.getAttribute('points')!.split(' ').length, 3);
    assert.doesNotMatch(page.body, /style="/);
    portal.clock.advance(days(40));
    const later = await look();
    assert.equal(rowsOf(later, 'Protected').length, 1, 'thirty days are shown');
    assert.ok(rowsOf(later, 'Sign-ins of the last 30 days').includes('Wrong password 0'));
  });

  test('AD-3 another organisation’s numbers are its own', async () => {
    const other = await portal.newcomer({ name: 'Theodora Other' }).join();
    const { id } = await portal.world.database.query.selectFrom('accounts').select('id').where('email', '=', other.email).executeTakeFirstOrThrow();
    await portal.world.database.transaction((transaction) => createOrganisation(portal.world, transaction, { name: 'Cranes Ltd', owner: id, from: FROM }));
    await other.enterPassword(portal.browser(), 'not this one at all');
    const page = await other.browser.visit('/admin');
    assert.match(page.text, /0 of 1 person/);
    assert.ok(rowsOf(page, 'Sign-ins of the last 30 days').includes('Wrong password 1'));
    assert.ok(rowsOf(await look(), 'Sign-ins of the last 30 days').includes('Wrong password 0'));
  });

  test('a large organisation is counted in the background alone, in pieces, and its page says when', async () => {
    const { world } = portal;
    const { id: organisationId } = await world.database.query
      .selectFrom('organisations')
      .select('id')
      .where('name', '=', 'Herons Ltd')
      .executeTakeFirstOrThrow();
    const now = world.clock.now();
    const many = Array.from({ length: 1100 }, (_, index) => ({ id: `many-${index}`, email_key: `many-${index}@example.com`, name_key: `many ${index}` }));
    const account = { language: 'en', password_hash: '', password_changed_at: now, sign_up_browser_hash: '', created_at: now, email_verified_at: now };
    const accounts = many.map((one) => ({ ...one, ...account, email: one.email_key, name: one.name_key }));
    const memberships = many.map(({ id, ...keys }) => ({ ...keys, account_id: id, organisation_id: organisationId, role: 'member', joined_at: now }));
    await world.database.transaction(async (transaction) => {
      await transaction.insertInto('accounts').values(accounts).execute();
      await transaction.insertInto('memberships').values(memberships).execute();
    });
    await world.database.query.deleteFrom('organisation_days').execute();
    assert.match((await look()).text, /are being counted, which takes a minute/);
    // Whoever asks for a page meanwhile gets it: the loop goes round between the pieces.
    let [turns, counting] = [0, true];
    const goRound = (): void => {
      turns += 1;
      if (counting) setImmediate(goRound);
    };
    setImmediate(goRound);
    await countOrganisations(world);
    counting = false;
    assert.ok(turns >= 3, `${turns} turns`);
    assert.match((await look()).text, /0 % 3 of 1,105 people have two-factor authentication\. 1,102 without a second step .*Counted \d+ March 2027/);
  });
});
