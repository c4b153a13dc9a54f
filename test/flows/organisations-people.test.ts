// The list of people: searched, narrowed down, paged and exported.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { signUp, verifyEmail } from '../../src/accounts/accounts.ts';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { minutes } from '../../src/platform/durations.ts';
import { parseEmailAddress } from '../../src/platform/mail/address.ts';
import { confirmIfAsked, foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Page } from '../support/page.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

/** People who have an account and nothing else; as many as a test needs, without their browsers. */
async function seed({ world }: Portal, organisationId: string, people: readonly { name: string; email: string }[]): Promise<void> {
  await world.database.transaction(async (transaction) => {
    for (const { name, email } of people) {
      const account = await signUp(world, transaction, { email: parseEmailAddress(email)!, name, passwordHash: '', language: 'en', browserToken: email });
      await verifyEmail(world, transaction, account.id);
      await transaction
        .insertInto('memberships')
        .values({
          organisation_id: organisationId,
          account_id: account.id,
          role: 'member',
          email_key: email.toLowerCase(),
          name_key: name.toLowerCase(),
          joined_at: world.clock.now(),
        })
        .execute();
    }
  });
}

const organisationOf = async ({ world }: Portal): Promise<string> =>
  (await world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow()).id;

/** The addresses of the list, in its order. */
const listed = (page: Page): string[] => page.buttons.flatMap((name) => /^Open .*, (\S+@\S+)$/.exec(name)?.[1] ?? []);

forEachPortal((open) => {
  let portal: Portal;
  let owner: Person;
  before(async () => {
    portal = await open();
    owner = await foundOrganisation(portal);
  });

  const find = async (search: string, { twoFactor = 'On or off', role = 'Any role' } = {}): Promise<string[]> => {
    const { browser } = owner;
    await browser.visit('/admin/people');
    browser.fill('Search', search);
    browser.fill('Two-factor authentication', twoFactor);
    browser.fill('Role', role);
    return listed(await browser.press('Find'));
  };

  test('search by how a name or an address begins, and filters by role and two-factor authentication, also together', async () => {
    const ann = await joinAs(portal, owner, 'Admin', portal.newcomer({ name: 'Bär Ann', email: 'zz-ann@example.org' }));
    await ann.enableByApp();
    const bob = await joinAs(portal, owner, 'Member', portal.newcomer({ name: 'Bob_100%', email: 'zz-bob@example.org' }));
    assert.deepEqual(await find('zz-'), [ann.email, bob.email]);
    assert.deepEqual(await find('ZZ-B'), [bob.email]);
    assert.deepEqual(await find('bä'), [ann.email]);
    assert.deepEqual(await find('bob_1'), [bob.email]);
    assert.deepEqual(await find('%'), [], 'signs of SQL are letters like others');
    assert.deepEqual(await find('ob'), [], 'a beginning, not a part');
    assert.deepEqual(await find('zz-', { twoFactor: 'On' }), [ann.email]);
    assert.deepEqual(await find('zz-', { twoFactor: 'Off' }), [bob.email]);
    assert.deepEqual(await find('', { role: 'Owner' }), [owner.email]);
    assert.deepEqual(await find('b', { role: 'Admin', twoFactor: 'On' }), [ann.email]);
    assert.deepEqual(await find('b', { role: 'Auditor' }), []);
    assert.match(owner.browser.page.text, /Nobody is like that\./);
  });

  test('a person’s page: address, role, methods by name, sessions and the last sign-in', async () => {
    const newcomer = await portal.newcomer().join();
    portal.clock.advance(minutes(1));
    const ann = await joinAs(portal, owner, 'Member', newcomer);
    await ann.enableByApp();
    await openPerson(owner, ann.email);
    const { page } = owner.browser;
    assert.equal(page.heading, ann.name);
    assert.match(page.text, new RegExp(`About Member ${ann.email} verified`));
    assert.match(page.text, /Joined 2 February 2027\. Last sign-in 2 February 2027 at 09:\d\d UTC\./);
    assert.match(
      page.text,
      /Sessions Firefox on Linux Signed in 2 February 2027 at 09:\d\d UTC, before they joined\. Last used 2 February 2027 at 09:\d\d UTC\./,
    );
    portal.clock.advance(minutes(1));
    const phone = portal.browser();
    phone.userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1';
    await ann.signIn({ browser: phone, by: 'app' });
    await openPerson(owner, ann.email);
    const from = phone.address.replaceAll('.', '\\.');
    assert.match(
      owner.browser.page.text,
      new RegExp(`Sessions Safari on iOS Signed in [^.]*UTC from ${from}\\. Last used [^.]*\\. Firefox on Linux Signed in`),
    );
    await owner.browser.press('End all sessions');
    assert.match(owner.browser.page.text, /Sessions Not signed in now\./);
    assert.match(page.text, /Two-Factor Authentication On .*Authenticator app/);
  });

  test('fifty to a page, each person once, by a key and not by counting: whoever comes or goes meanwhile moves nobody', async () => {
    const organisation = await organisationOf(portal);
    await seed(
      portal,
      organisation,
      Array.from({ length: 120 }, (_, index) => ({ name: `Paged ${index}`, email: `page-${String(index).padStart(3, '0')}@example.com` })),
    );
    const first = await find('page-');
    assert.equal(first.length, 50);
    const { query } = portal.world.database;
    // Two of the first page leave.
    await query.deleteFrom('memberships').where('email_key', 'in', first.slice(0, 2)).execute();
    const second = listed(await owner.browser.press('Next page'));
    const third = listed(await owner.browser.press('Next page'));
    assert.deepEqual(
      [...first, ...second, ...third],
      Array.from({ length: 120 }, (_, index) => `page-${String(index).padStart(3, '0')}@example.com`),
    );
    assert.ok(!owner.browser.page.hasButton('Next page'));
    assert.equal(listed(await owner.browser.press('First page'))[0], 'page-002@example.com');
  });

  test('a search finds those whose name begins so, and then those whose address does, each once, over all pages', async () => {
    const two = (index: number) => String(index).padStart(2, '0');
    await seed(portal, await organisationOf(portal), [
      // The order of names is another than that of addresses, and some have the same.
      ...Array.from({ length: 60 }, (_, index) => ({ name: `Wren ${two(Math.floor((59 - index) / 2))}`, email: `named-${two(index)}@example.com` })),
      ...Array.from({ length: 60 }, (_, index) => ({ name: `Somebody ${index}`, email: `wren-${two(index)}@example.com` })),
      ...Array.from({ length: 5 }, (_, index) => ({ name: 'Wren Both', email: `wren-both-${index}@example.com` })),
    ]);
    const found = [...(await find('wren'))];
    assert.equal(found.length, 50);
    assert.deepEqual(found.slice(0, 4), ['named-58@example.com', 'named-59@example.com', 'named-56@example.com', 'named-57@example.com']);
    found.push(...listed(await owner.browser.press('Next page')));
    found.push(...listed(await owner.browser.press('Next page')));
    assert.equal(found.length, 125);
    assert.equal(new Set(found).size, 125);
    assert.deepEqual(found.slice(60, 66), [...Array.from({ length: 5 }, (_, index) => `wren-both-${index}@example.com`), 'wren-00@example.com']);
    assert.ok(!owner.browser.page.hasButton('Next page'));
  });

  test('the export has whom the filter shows, on all pages, and runs in no spreadsheet; it is recorded', async () => {
    await seed(portal, await organisationOf(portal), [
      { name: '=HYPERLINK("http://evil.example","a, b")', email: 'x-one@example.com' },
      { name: '@SUM(1)', email: 'x-two@example.com' },
    ]);
    await find('x-');
    await owner.browser.press('Export as CSV');
    const { download } = owner.browser;
    assert.equal(download?.name, 'people.csv');
    assert.equal(download.type, 'text/csv; charset=utf-8');
    assert.deepEqual(download.text.split('\r\n'), [
      'Name,Email,Role,Two-factor authentication,Methods,Verified,Joined,Last sign-in,Suspended',
      `"'=HYPERLINK(""http://evil.example"",""a, b"")",x-one@example.com,member,off,,yes,2 February 2027,none on record,no`,
      `'@SUM(1),x-two@example.com,member,off,,yes,2 February 2027,none on record,no`,
      '',
    ]);
    await find('page-');
    await owner.browser.press('Export as CSV');
    assert.equal(owner.browser.download!.text.split('\r\n').length, 120);
    const events = await portal.world.database.query.selectFrom('audit_events').select('details').where('event', '=', 'organisation_people_exported').execute();
    assert.deepEqual(
      events.map(({ details }) => Number((JSON.parse(details) as { people: string }).people)).sort((one, other) => one - other),
      [2, 118],
    );
  });

  test('who looks after several organisations sees each for itself, and a form acts in the one that it shows', async () => {
    const { world } = portal;
    world.clock.advance(minutes(1));
    const { id: accountId } = await world.database.query.selectFrom('accounts').select('id').where('email', '=', owner.email).executeTakeFirstOrThrow();
    await world.database.transaction((transaction) => createOrganisation(world, transaction, { name: 'Cranes Ltd', owner: accountId, from: FROM }));
    const { browser } = owner;
    await browser.visit('/admin/people');
    assert.match(browser.page.text, /belong to Herons Ltd\./);
    await browser.press('Cranes Ltd');
    assert.match(browser.page.text, /One person belongs to Cranes Ltd\./);
    await browser.press('Invite somebody');
    await confirmIfAsked(browser, owner.password);
    browser.fill('Email', 'crane@example.net');
    await browser.press('Send invitation');
    assert.match(browser.page.text, /One person belongs to Cranes Ltd\./);
    assert.equal(portal.mail.newestTo('crane@example.net').subject, 'You are invited to Cranes Ltd');
    browser.fill('Search', 'nobody');
    await browser.press('Find');
    assert.match(browser.page.text, /Nobody is like that\./);
    await browser.press('Herons Ltd');
    assert.match(browser.page.text, /belong to Herons Ltd\./);
    assert.doesNotMatch(browser.page.text, /crane@example\.net/);
  });
});
