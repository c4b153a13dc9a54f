// The audit log in the console: read, narrowed down, paged and taken along.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { chainNew, checkpointShape, verifyChain } from '../../src/audit/audit.ts';
import { days, minutes } from '../../src/platform/durations.ts';
import { foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Page } from '../support/page.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { makeKey, Program } from '../support/program-client.ts';

/** What happened, in the order of the page: "Wrong password Failed". */
const shown = (page: Page): string[] =>
  page.root.querySelectorAll('.row .grow > p:first-child').map((line) => line.structuredText.replaceAll(/\s+/g, ' ').trim());

interface Line {
  readonly at: string;
  readonly event: string;
  readonly account: { name: string; email: string } | null;
  readonly by: { kind: string; account: string | null };
  readonly sequence: number | null;
  readonly hash: string | null;
}

forEachPortal((open) => {
  let portal: Portal;
  let owner: Person;
  let bob: Person;
  before(async () => {
    portal = await open();
    owner = await foundOrganisation(portal);
    portal.clock.advance(minutes(1));
    bob = await joinAs(portal, owner, 'Auditor', portal.newcomer({ name: 'Bob Bittern', email: 'bob@example.com' }));
    portal.clock.advance(days(1));
    await bob.enterPassword(portal.browser({ address: '198.51.100.7' }), 'not this one at all');
    portal.clock.advance(minutes(1));
    for (const person of [bob, owner]) {
      await person.signOut();
      await person.signIn();
    }
  });

  const find = async (fields: Record<string, string>, by = owner): Promise<Page> => {
    await by.browser.visit('/admin/audit');
    for (const [label, value] of Object.entries(fields)) by.browser.fill(label, value);
    return by.browser.press('Find');
  };

  test('LO-1 an owner and an auditor see when, what, on whom, by whom, from where and with which result, the newest first', async () => {
    const page = await find({ Search: 'bob' });
    const events = shown(page);
    assert.ok(events.indexOf('Signed in by password') < events.indexOf('Wrong password Failed'));
    assert.ok(events.indexOf('Wrong password Failed') < events.indexOf('Joined as an auditor'));
    assert.match(
      page.text,
      /Wrong password Failed Bob Bittern, bob@example\.com 3 February 2027 at 09:0\d UTC, from 198\.51\.100\.7, Firefox on Linux, by somebody not known/,
    );
    assert.doesNotMatch(page.text, /Created an account.*Bob|Verified the email/, 'what was before somebody joined is theirs alone');
    await find({ Search: 'bob' }, bob);
    assert.deepEqual(shown(bob.browser.page), events);
  });

  test('one event: all its fields, and its number and hash in the chain', async () => {
    await find({ 'Kind of event': 'Members, roles and invitations', Search: 'bob' });
    const { browser } = owner;
    await browser.press(browser.page.buttonStartingWith('Details of Joined as an auditor'));
    assert.equal(browser.page.heading, 'Joined as an auditor');
    assert.match(browser.page.text, /gets its place in the chain within a second/);
    await chainNew(portal.world);
    await browser.reload();
    const row = await portal.world.database.query.selectFrom('audit_events').selectAll().where('event', '=', 'organisation_joined').executeTakeFirstOrThrow();
    for (const said of ['organisation_joined', row.request_id!, row.id, String(row.sequence), row.hash!, row.user_agent!, '2027-02-02T09:01:00.000Z'])
      assert.ok(browser.page.has(said), said);
    await browser.press('All events of this person');
    assert.match(browser.page.text, /Events of Bob Bittern/);
    assert.ok(shown(browser.page).includes('Signed in by password'));
    assert.ok(!shown(browser.page).includes('Created the organisation Herons Ltd'));
    await browser.press('Show everybody’s');
    assert.ok(shown(browser.page).includes('Created the organisation Herons Ltd'));
  });

  test('filters: kind, result, from and to, a name, an email, an address, and all of them at once', async () => {
    assert.deepEqual(shown(await find({ Result: 'Failed' })), ['Wrong password Failed']);
    assert.deepEqual(shown(await find({ Result: 'Refused' })), []);
    assert.match(owner.browser.page.text, /Nothing is like that\./);
    assert.deepEqual(shown(await find({ Search: '198.51.100.7' })), ['Wrong password Failed']);
    assert.deepEqual(shown(await find({ Search: '198.51.100.8' })), []);
    assert.deepEqual(shown(await find({ Search: 'BOB@EXAMPLE.COM', Result: 'Failed' })), ['Wrong password Failed']);
    assert.deepEqual(shown(await find({ Search: owner.email, Result: 'Failed' })), []);
    const first = shown(await find({ To: '2027-02-02' }));
    const second = shown(await find({ From: '2027-02-03' }));
    const both = shown(await find({ From: '2027-02-02', To: '2027-02-03' }));
    assert.ok(first.includes('Joined as an auditor') && !first.includes('Wrong password Failed'));
    assert.ok(!second.includes('Joined as an auditor') && second.includes('Wrong password Failed'));
    assert.deepEqual(both.toSorted(), [...first, ...second].toSorted());
    assert.deepEqual(shown(await find({ Search: 'Bob Bitt', Result: 'Failed', 'Kind of event': 'Signing in', From: '2027-02-03', To: '2027-02-03' })), [
      'Wrong password Failed',
    ]);
  });

  test('a person’s page has their last events', async () => {
    await openPerson(owner, bob.email);
    assert.ok(owner.browser.page.headings.includes('Last events'));
    assert.match(owner.browser.page.text, /Wrong password Failed 3 February 2027/);
    await owner.browser.press('All events of this person');
    assert.match(owner.browser.page.text, /Events of Bob Bittern/);
  });

  test('AD-3 who was removed stays in the log as they were called then; what they do afterwards is not in it', async () => {
    const gus = await joinAs(portal, owner, 'Member', portal.newcomer({ name: 'Gus Gull', email: 'gus@example.com' }));
    await openPerson(owner, gus.email);
    await owner.browser.press('Remove from the organisation');
    portal.clock.advance(minutes(1));
    await gus.browser.visit('/account');
    gus.browser.fill('Name', 'Gus Renamed');
    await gus.browser.press('Save');
    const page = await find({ Search: gus.email });
    assert.deepEqual(
      shown(page),
      ['Removed from the organisation, where they were member', 'Joined as a member'].filter((one) => shown(page).includes(one)),
    );
    assert.equal(shown(page).length, 2);
    assert.match(page.text, /Gus Gull, gus@example\.com/);
    assert.doesNotMatch(page.text, /Renamed/);
    assert.ok(!page.hasButton('Gus Gull'), 'there is no page of theirs any more');
  });

  test('fifty to a page, each event once, whatever happens meanwhile', async () => {
    for (let time = 0; time < 20; time++) {
      portal.clock.advance(minutes(1));
      await bob.signOut();
      await bob.signIn();
    }
    const ids = (page: Page): string[] =>
      page.root.querySelectorAll('a.button').flatMap((link) => /audit\/([\w-]{22})/.exec(link.getAttribute('href') ?? '')?.[1] ?? []);
    const seen = [ids(await find({ Search: 'bob' }))];
    portal.clock.advance(minutes(1));
    await bob.enterPassword(portal.browser(), 'not this one at all');
    while (owner.browser.page.hasButton('Older events')) seen.push(ids(await owner.browser.press('Older events')));
    assert.deepEqual(
      seen.slice(0, -1).map((page) => page.length),
      seen.slice(1).map(() => 50),
    );
    const { query } = portal.world.database;
    const mine = query.selectFrom('organisation_events').select('event_id').where('email', '=', bob.email).execute();
    assert.equal(new Set(seen.flat()).size, seen.flat().length);
    assert.equal(seen.flat().length, (await mine).length - 1);
    await owner.browser.press('Newest events');
    assert.equal(shown(owner.browser.page)[0], 'Wrong password Failed');
  });

  test('the export has what the filter shows, on all pages, as CSV and as JSON Lines, and is itself in the log', async () => {
    await chainNew(portal.world);
    await find({ Search: 'bob' });
    await owner.browser.press('Export as CSV');
    const csv = owner.browser.download!;
    assert.deepEqual([csv.name, csv.type], ['audit.csv', 'text/csv; charset=utf-8']);
    const [head, ...rows] = csv.text.trimEnd().split('\r\n');
    assert.equal(head, 'When,Event,What,Result,Name,Email,Account,By,Address,Browser,Request,Details,Number,Hash,Id');
    await owner.browser.press('Export as JSON Lines');
    const jsonl = owner.browser.download!;
    assert.deepEqual([jsonl.name, jsonl.type], ['audit.jsonl', 'application/jsonl; charset=utf-8']);
    const lines = jsonl.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    assert.equal(lines.length, rows.length);
    assert.ok(lines.length > 60);
    assert.ok(lines.every(({ account }) => account?.email === bob.email));
    assert.deepEqual(
      lines.map(({ at }) => at),
      lines
        .map(({ at }) => at)
        .toSorted()
        .toReversed(),
    );
    assert.ok(lines.every(({ sequence, hash }) => sequence !== null && hash?.length === 43));
    const failed = lines.find(({ event }) => event === 'authn_login_fail')!;
    assert.deepEqual([failed.by, failed.account?.name], [{ kind: 'unknown', account: null, key: null }, 'Bob Bittern']);
    assert.deepEqual(shown(await find({ 'Kind of event': 'Exports and the log itself' })).toSorted(), [
      'Exported the audit log as CSV',
      'Exported the audit log as JSON Lines',
    ]);
  });

  test('LO-4 an auditor takes a checkpoint along, from the page or by a program, which shows that the log was rewritten by whoever has the host', async () => {
    const { world } = portal;
    await chainNew(world);
    await find({}, bob);
    await bob.browser.press('Download a checkpoint');
    const { name, type, text } = bob.browser.download!;
    assert.deepEqual([name, type], ['audit-checkpoint.json', 'application/json; charset=utf-8']);
    const checkpoint = checkpointShape.parse(JSON.parse(text));
    const { json } = await new Program(portal, await makeKey(owner, { scopes: ['audit:read'] })).get('/audit/checkpoint');
    assert.deepEqual([json!['sequence'], json!['hash'], json!['publicKey']], [checkpoint.sequence, checkpoint.hash, checkpoint.publicKey]);
    for (const one of [checkpoint, checkpointShape.parse(json)]) assert.ok((await verifyChain(world, { checkpoint: one })).ok);

    // All of it chained anew, with the right keys, and one line of it another.
    const { query } = world.database;
    const chained = await query.selectFrom('audit_events').select(['id', 'sequence', 'hash', 'details']).where('sequence', 'is not', null).execute();
    const head = await query.selectFrom('audit_heads').selectAll().executeTakeFirstOrThrow();
    await query.updateTable('audit_events').set({ sequence: null, hash: null }).execute();
    await query.deleteFrom('audit_heads').execute();
    await query.updateTable('audit_events').set({ details: '{"reason":"typing error"}' }).where('event', '=', 'authn_login_fail').execute();
    await chainNew(world);
    assert.ok((await verifyChain(world)).ok);
    const verified = await verifyChain(world, { checkpoint });
    assert.deepEqual([verified.ok, !verified.ok && verified.reason], [false, 'checkpoint-differs']);
    // Back as it was, for the tests that follow.
    await query.updateTable('audit_events').set({ sequence: null, hash: null }).execute();
    for (const { id, ...was } of chained) await query.updateTable('audit_events').set(was).where('id', '=', id).execute();
    await query.updateTable('audit_heads').set(head).execute();
    assert.ok((await verifyChain(world, { checkpoint })).ok);
  });

  test('words, anywhere in what is said of an event and in whatever case: its sentence, a name, a browser, a detail; and exported so', async () => {
    assert.deepEqual(shown(await find({ Words: 'WRONG passw 198.51.100.7' })), ['Wrong password Failed']);
    assert.deepEqual(shown(await find({ Words: 'auditor joined bittern' })), ['Joined as an auditor']);
    assert.deepEqual(shown(await find({ Words: 'herons' })).includes('Created the organisation Herons Ltd'), true);
    assert.deepEqual(shown(await find({ Words: 'wrong created' })), []);
    assert.deepEqual(shown(await find({ Words: 'wrong', Result: 'Refused' })), []);
    // What means something to a database or a pattern is only itself.
    for (const words of ['%', '_________', '.*', "' or 1=1", '\\']) assert.deepEqual(shown(await find({ Words: words })), [], words);
    await find({ Words: 'wrong 198.51.100.7' });
    await owner.browser.press('Export as JSON Lines');
    const lines = owner.browser
      .download!.text.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['authn_login_fail'],
    );
  });

  test('words that stand nowhere: one look goes five thousand events back and says so, and the next goes on', async () => {
    const { query } = portal.world.database;
    const like = await query.selectFrom('audit_events').selectAll().where('event', '=', 'authn_login_fail').executeTakeFirstOrThrow();
    const seen = await query.selectFrom('organisation_events').selectAll().where('event_id', '=', like.id).executeTakeFirstOrThrow();
    const copies = Array.from({ length: 5100 }, (_, index) => `copy-${index}`);
    for (let from = 0; from < copies.length; from += 300) {
      const some = copies.slice(from, from + 300);
      await query
        .insertInto('audit_events')
        .values(some.map((id) => ({ ...like, id, sequence: null, hash: null, at: portal.clock.now() })))
        .execute();
      await query
        .insertInto('organisation_events')
        .values(some.map((id) => ({ ...seen, event_id: id, at: portal.clock.now() })))
        .execute();
    }
    const page = await find({ Words: 'joined' });
    assert.deepEqual(shown(page), []);
    assert.match(page.text, /Looked back to .* There are older events/);
    await owner.browser.press('Older events');
    assert.ok(shown(owner.browser.page).includes('Joined as an auditor'));
    assert.doesNotMatch(owner.browser.page.text, /Looked back to/);
    await query.deleteFrom('audit_events').where('id', 'in', copies.slice(0, 2600)).execute();
    await query.deleteFrom('audit_events').where('id', 'in', copies.slice(2600)).execute();
  });
});
