// `twinlock export`, beside a portal that runs.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { startMailServer } from '../support/mail-server.ts';
import { CookieBrowser, Workplace } from '../support/program.ts';

const HERONS = ['--organisation', 'Herons Ltd'];

suite('twinlock export', () => {
  test('people and the audit log, for spreadsheets and for programs, to the standard output or a file; and the log says so', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    await using portal = await workplace.serve({ TWINLOCK_SMTP_URL: mail.url });
    await CookieBrowser.join(portal, mail, { email: 'ada@example.org', name: '=HYPERLINK("http://evil.example")' });
    await workplace.run(['admin', 'create-owner', 'ada@example.org', ...HERONS]);

    const people = await workplace.run(['export', 'people', ...HERONS]);
    assert.deepEqual([people.status, people.errors], [0, '  1 people of Herons Ltd written\n']);
    const [columns, first, end] = people.output.split('\r\n');
    assert.match(columns!, /^Name,Email,Role,/);
    assert.ok(first!.startsWith(`"'=HYPERLINK(""http://evil.example"")",ada@example.org,owner,off,`), first);
    assert.equal(end, '');

    const audit = await workplace.run(['export', 'audit', ...HERONS, '--format', 'jsonl', '--output', 'audit.jsonl']);
    assert.deepEqual([audit.status, audit.output], [0, '']);
    const file = path.join(workplace.directory, 'audit.jsonl');
    assert.equal(statSync(file).mode & 0o077, 0, 'for the operator alone');
    const events = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; on?: { email: string }; details: Record<string, string> });
    assert.equal(audit.errors, `  ${events.length} events of Herons Ltd written\n`);
    const named = events.map(({ event }) => event);
    assert.deepEqual(named.slice(0, 2), ['organisation_audit_exported', 'organisation_people_exported'], 'the newest first');
    assert.equal(events[1]!.details['people'], '1');
    assert.ok(named.includes('organisation_created'));
    const asCsv = await workplace.run(['export', 'audit', ...HERONS]);
    assert.match(asCsv.output, /^When,Event,What,/);
    assert.match(asCsv.output, /"the operator, on the command line"/);

    const lines = (await workplace.run(['export', 'people', ...HERONS, '--format=jsonl'])).output.trimEnd().split('\n');
    assert.equal((JSON.parse(lines[0]!) as { role: string }).role, 'owner');
    assert.match((await workplace.run(['audit', 'verify'])).output, /as it was written/);
  });

  test('an organisation that is not there or not the only one of its name, and a file that can’t be written, end with exit code 1 and leave nothing', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    await using portal = await workplace.serve({ TWINLOCK_SMTP_URL: mail.url });
    const none = await workplace.run(['export', 'people', ...HERONS]);
    assert.deepEqual([none.status, none.output, none.errors], [1, '', "There is no organisation 'Herons Ltd'.\n"]);
    const unnamed = () => workplace.run(['export', 'people']);
    assert.match((await unnamed()).errors, /There is no organisation yet\./);
    for (const email of ['ada@example.org', 'eve@example.org']) {
      await CookieBrowser.join(portal, mail, { email });
      await workplace.run(['admin', 'create-owner', email, ...HERONS]);
      if (email.startsWith('ada')) assert.match((await unnamed()).output, /ada@example\.org,owner/, 'the only one need not be named');
    }
    const which = await unnamed();
    assert.deepEqual([which.status, which.output], [2, '']);
    assert.match(which.errors, /There are 2 organisations\. Say which by --organisation NAME: 'Herons Ltd', 'Herons Ltd'\n/);
    const several = await workplace.run(['export', 'people', ...HERONS]);
    assert.equal(several.status, 1);
    const [, id] = /Several organisations are called 'Herons Ltd'\. Name one by its id: (\S+), \S+\n/.exec(several.errors)!;
    const one = await workplace.run(['export', 'people', '--organisation', id!]);
    assert.match(one.output, /ada@example\.org/);
    assert.doesNotMatch(one.output, /eve@example\.org/);
    const before = readdirSync(workplace.directory);
    const unwritable = await workplace.run(['export', 'people', '--organisation', id!, '--output', 'nowhere/people.csv']);
    assert.equal(unwritable.status, 1);
    assert.match(unwritable.errors, /^nowhere\/people\.csv can't be written: /);
    assert.deepEqual(readdirSync(workplace.directory), before);
  });

  test('words that are not understood: exit code 2', async () => {
    using workplace = new Workplace();
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['export'], /Say 'twinlock export people' or 'twinlock export audit'/],
      [['export', 'people', ...HERONS, '--format', 'xml'], /csv or jsonl, not 'xml'/],
      [['export', 'people', ...HERONS, '--out', 'x'], /Did you mean '--output'\?/],
      [['export', 'audit', ...HERONS, 'all'], /takes no 'all'/],
    ];
    for (const [words, pattern] of cases) {
      const { status, errors, output } = await workplace.run(words);
      assert.deepEqual([status, output], [2, ''], words.join(' '));
      assert.match(errors, pattern);
    }
    assert.ok(!existsSync(path.join(workplace.directory, 'data')), 'nothing was opened');
  });
});
