// The audit log against those who would see another organisation's, put something into it, or find a secret there.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { record } from '../../src/audit/audit.ts';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { migrate } from '../../src/platform/database/migrate.ts';
import { minutes } from '../../src/platform/durations.ts';
import { foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Page } from '../support/page.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { accountOf } from './intruder.ts';

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

forEachPortal((open, engine) => {
  let portal: Portal;
  let ours: Person;
  let theirs: Person;
  /** Belongs to both. */
  let both: Person;
  let theirId: string;
  before(async () => {
    portal = await open();
    ours = await foundOrganisation(portal);
    theirs = await portal.newcomer({ name: 'Theodora Other' }).join();
    const { id: owner } = await accountOf(portal, theirs.email);
    theirId = (
      await portal.world.database.transaction((transaction) => createOrganisation(portal.world, transaction, { name: 'Cranes Ltd', owner, from: FROM }))
    ).id;
    both = await joinAs(portal, ours, 'Member', portal.newcomer({ name: 'Beth Both' }));
    await joinAs(portal, theirs, 'Member', both);
    portal.clock.advance(minutes(1));
    await openPerson(theirs, both.email);
    theirs.browser.fill('Role', 'Admin');
    await theirs.browser.press('Change role');
    await joinAs(portal, theirs, 'Member', portal.newcomer({ name: 'Cleo Crane', email: 'cleo@cranes.example' }));
    await theirs.enterPassword(portal.browser(), 'not this one at all');
    await both.enterPassword(portal.browser(), 'not this one at all');
  });

  const exported = async (person: Person, format: 'CSV' | 'JSON Lines', filter = ''): Promise<string> => {
    await person.browser.visit(`/admin/audit${filter}`);
    await person.browser.press(`Export as ${format}`);
    return person.browser.download!.text;
  };
  const everything = async (person: Person): Promise<string> => {
    await person.browser.visit('/admin/audit');
    return [person.browser.page.body, await exported(person, 'CSV'), await exported(person, 'JSON Lines')].join('\n');
  };

  test('AD-3 of a person in two organisations each sees what happened to the person, and not what the other did', async () => {
    const [we, they] = [await everything(ours), await everything(theirs)];
    for (const log of [we, they]) assert.match(log, /Wrong password[^\n]*Beth Both/);
    assert.match(they, /Role changed from member to admin/);
    assert.doesNotMatch(we, /Role changed|Cranes Ltd|Theodora|cleo@cranes\.example|Cleo/);
    assert.doesNotMatch(they, /Herons Ltd/);
    assert.ok(!we.includes(theirId));
    const { id } = await accountOf(portal, theirs.email);
    assert.ok(!we.includes(id), 'nor who did it there');
  });

  test('AD-3 another organisation’s events are nowhere: not by id, person, search, address or cursor', async () => {
    const { query } = portal.world.database;
    const foreign = await query.selectFrom('organisation_events').selectAll().where('organisation_id', '=', theirId).execute();
    const own = new Set(
      (await query.selectFrom('organisation_events').select('event_id').where('organisation_id', '!=', theirId).execute()).map((row) => row.event_id),
    );
    const { browser } = ours;
    for (const { event_id: id } of foreign) if (!own.has(id)) assert.equal((await browser.visit(`/admin/audit/${id}`)).status, 404);
    const orphans = await query.selectFrom('audit_events').select('id').where('account_id', 'is', null).execute();
    for (const { id } of orphans) assert.equal((await browser.visit(`/admin/audit/${id}`)).status, 404);
    const stranger = await accountOf(portal, 'cleo@cranes.example');
    const cursors = foreign.map(({ at, event_id }) => `after=${(at + 1).toString(36)}.${event_id}`);
    for (const filter of [`person=${stranger.id}`, 'search=cleo', 'search=cleo@cranes.example', `search=${theirs.browser.address}`, ...cursors]) {
      const page = await browser.visit(`/admin/audit?${filter}`);
      assert.equal(page.status, 200);
      assert.doesNotMatch(page.root.querySelector('section')!.text, /Cleo|cranes\.example|Theodora|Role changed/, filter);
    }
    for (const id of ['x', theirId, '%27%20or%201=1', 'x'.repeat(199)]) assert.equal((await browser.visit(`/admin/audit/${id}`)).status, 404);
  });

  test('what happened before somebody joined, and after they left, is not the organisation’s; rejoined, it sees them again', async () => {
    const gus = await portal.newcomer({ name: 'Gus Gull' }).join();
    portal.clock.advance(minutes(1));
    await gus.enterPassword(portal.browser({ address: '198.51.100.201' }), 'before they joined');
    await joinAs(portal, ours, 'Member', gus);
    await gus.enterPassword(portal.browser({ address: '198.51.100.202' }), 'while a member');
    await openPerson(ours, gus.email);
    await ours.browser.press('Remove from the organisation');
    await gus.enterPassword(portal.browser({ address: '198.51.100.203' }), 'after they left');
    await joinAs(portal, ours, 'Member', gus);
    await gus.enterPassword(portal.browser({ address: '198.51.100.204' }), 'and again');
    const log = await exported(ours, 'CSV');
    assert.deepEqual(
      [201, 202, 203, 204].filter((last) => log.includes(`198.51.100.${last}`)),
      [202, 204],
    );
  });

  test('a cursor, a date or a filter that is none counts as not said; whatever is sent, the answer is a page', async () => {
    const { browser } = ours;
    const rows = (page: Page): string[] => page.root.querySelectorAll('.row').map((row) => row.text);
    const all = rows(await browser.visit('/admin/audit'));
    assert.ok(all.length > 10);
    for (const garbage of [
      'after=',
      'after=zzzzzzzzzzzz.x',
      'after=%F0%9F.%22',
      "after=1'--.x",
      'from=2027-02-30',
      'from=yesterday&to=99999-01-01',
      'to=0000-00-00',
      'from=-1',
      'group=__proto__&result=constructor',
      `from=${'9'.repeat(10_000)}`,
    ])
      assert.deepEqual(rows(await browser.visit(`/admin/audit?${garbage}`)), all, garbage);
    for (const empty of [
      'from=9999-12-31',
      'to=0001-01-01',
      `person=${'x'.repeat(10_000)}`,
      `search=${'x'.repeat(10_000)}`,
      'search=%25',
      "search=' or 1=1 --",
      'from=2027-02-03&to=2027-02-01',
    ])
      assert.match((await browser.visit(`/admin/audit?${empty.replaceAll(' ', '%20')}`)).text, /Nothing is like that/, empty);
    assert.equal((await browser.visit('/admin/audit?search=%00')).status, 400);
    const { organisation_id: organisation } = await portal.world.database.query
      .selectFrom('memberships')
      .select('organisation_id')
      .where('account_id', '=', (await accountOf(portal, ours.email)).id)
      .executeTakeFirstOrThrow();
    assert.equal((await browser.post('/admin/audit/export', { organisation, search: 'x'.repeat(10_000) })).status, 413);
    await browser.post('/admin/audit/export', { organisation, format: '../../etc/passwd', from: 'never' });
    assert.equal(browser.download!.name, 'audit.csv');
  });

  test('LO-3: names, browsers and details are text on the page, no formula in the CSV, and one line each in both files', async () => {
    const evil = '=HYPERLINK("http://evil.example","x")\r\n\u001b[31m<script>alert(1)</script>\u2028\u202e';
    const { world } = portal;
    const eve = await joinAs(portal, ours, 'Member', portal.newcomer({ name: '=cmd|calc<img src=x>', email: 'eve@example.com' }));
    const { id: accountId } = await accountOf(portal, eve.email);
    await world.database.transaction(async (transaction) => {
      const from = { address: evil, userAgent: evil, requestId: evil };
      await record(world, transaction, { event: 'authn_factor_fail', accountId, from, details: { kind: evil, purpose: evil, reason: evil } });
      await record(world, transaction, { event: 'session_ended', accountId, from, details: { reason: evil } });
    });
    const filter = '?search=eve%40';
    const page = await ours.browser.visit(`/admin/audit${filter}`);
    assert.doesNotMatch(page.body, /<script>alert|<img src=x/);
    assert.ok(page.has('alert(1)'));
    const events = await world.database.query.selectFrom('audit_events').select('id').where('request_id', '=', evil).execute();
    for (const { id } of events) assert.doesNotMatch((await ours.browser.visit(`/admin/audit/${id}`)).body, /<script>alert|<img src=x/);
    const [csv, jsonl] = [await exported(ours, 'CSV', filter), await exported(ours, 'JSON Lines', filter)];
    const lines = csv.split('\r\n');
    assert.equal(lines.length, jsonl.trimEnd().split('\n').length + 2);
    for (const line of [...lines, ...jsonl.trimEnd().split('\n')]) assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}]/u);
    for (const [, cell] of csv.matchAll(/(?:^|,|\r\n)("(?:[^"]|"")*"|[^",\r\n]*)/g)) assert.doesNotMatch(cell!, /^"?[=+@-]/);
    assert.doesNotMatch(jsonl, /[\u202a-\u202e]/);
    const read = jsonl
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { userAgent: string });
    assert.equal(read.filter(({ userAgent }) => userAgent === evil).length, 2, 'and reads as it was');
  });

  test('LO-2: no password, code, key, secret or token is in what is shown or exported', async () => {
    const dora = await joinAs(portal, ours, 'Member');
    const cookies = () => dora.browser.cookies.names.map((name) => dora.browser.cookies.get(name)!);
    const secrets = new Set<string>([dora.password, ...cookies()]);
    await dora.enableByApp();
    secrets.add(dora.recoveryKey!);
    secrets.add(dora.phone.scanned.secret);
    await dora.signOut();
    await dora.enterPassword(dora.browser, 'wrong and canary 7713');
    secrets.add('wrong and canary 7713');
    await dora.signIn({ by: 'app' });
    await dora.signOut();
    await dora.openResetLink();
    for (const secret of cookies()) secrets.add(secret);
    for (const { text } of dora.mails()) for (const [, token] of text.matchAll(/token=([\w-]{43})|^(\d{6})$/gm)) if (token !== undefined) secrets.add(token);
    assert.ok(secrets.size >= 8);
    const log = await everything(ours);
    for (const secret of secrets) for (const form of [secret, encodeURIComponent(secret), secret.replaceAll('-', '')]) assert.ok(!log.includes(form), secret);
  });

  test('the log of before this version is given to whose it is: to organisations that are named, and to those of whom belonged to them already', async () => {
    const { database } = portal.world;
    const read = async () => {
      const rows = await database.query
        .selectFrom('organisation_events as o')
        .innerJoin('audit_events as e', 'e.id', 'o.event_id')
        .leftJoin('memberships as m', (join) => join.onRef('m.account_id', '=', 'o.account_id').onRef('m.organisation_id', '=', 'o.organisation_id'))
        .select(['o.event_id', 'o.organisation_id', 'o.at', 'o.account_id', 'o.name', 'o.email', 'o.address', 'o.event', 'e.details', 'm.joined_at'])
        .orderBy('o.event_id')
        .orderBy('o.organisation_id')
        .execute();
      return rows.map((row) => ({ ...row }));
    };
    // Who was a member before, and what they were called then, is known only from now on.
    const written = (await read()).filter(({ at, joined_at: joinedAt, details }) => details.includes('"organisation"') || (joinedAt !== null && at > joinedAt));
    assert.ok(written.length > 30, engine);
    await database.query.schema.dropTable('organisation_events').execute();
    await database.query
      .deleteFrom('migrations' as never)
      .where('name' as never, '=', '0005-organisation-events' as never)
      .execute();
    await migrate(database);
    assert.deepEqual(await read(), written);
  });
});
