// `twinlock audit`, beside a portal that runs.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite, test } from 'node:test';
import { siteAt } from '../support/http-site.ts';
import { startMailServer } from '../support/mail-server.ts';
import { Visitor } from '../support/visitor.ts';
import { Workplace } from '../support/program.ts';

suite('twinlock audit', () => {
  test('LO-4: a checkpoint is printed and held against the log; a changed entry is named, with exit code 1', async () => {
    using workplace = new Workplace();
    await using _portal = await workplace.serve();
    assert.match((await workplace.run(['audit', 'checkpoint'])).errors, /audit log is empty/);
    await workplace.run(['policy', 'set', 'required']);
    await workplace.run(['policy', 'set', 'optional']);
    const checkpoint = await workplace.run(['audit', 'checkpoint']);
    assert.equal(checkpoint.status, 0);
    writeFileSync(path.join(workplace.directory, 'checkpoint.json'), checkpoint.output);
    const whole = await workplace.run(['audit', 'verify', '--checkpoint', 'checkpoint.json']);
    assert.deepEqual([whole.status, whole.errors], [0, '']);
    assert.match(whole.output, /as it was written: 2 entries/);

    const database = new DatabaseSync(path.join(workplace.directory, 'data', 'twinlock.sqlite'), { timeout: 5000 });
    database.exec(`update audit_events set details = '{"from":"optional","to":"off"}' where sequence = 1`);
    database.close();
    const changed = await workplace.run(['audit', 'verify']);
    assert.equal(changed.status, 1);
    assert.equal(changed.errors, 'The audit log is not as it was written. Entry 1: something in it was changed, or it was put there later.\n');
  });

  test('LO-4: an owner exports the log, somebody breaks one line of it in the database, and it is named', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    await using portal = await workplace.serve({ TWINLOCK_SMTP_URL: mail.url });
    const site = siteAt(Number(new URL(portal.address).port));
    const browser = new Visitor(site, { origin: portal.address });
    await browser.visit('/sign-up');
    for (const [label, value] of Object.entries({ Name: 'Ada', Email: 'ada@example.org', Password: 'seven tall herons wade' })) browser.fill(label, value);
    await browser.press('Create account');
    browser.fill('Verification code', /^\d{6}\b/.exec((await mail.next('ada@example.org')).text)![0]);
    await browser.press('Continue');
    const [, token] = await portal.says('stdout', /set-up\?token=([\w-]+)/);
    await browser.visit(`/set-up?token=${token}`);
    browser.fill('Name of the organisation', 'Herons Ltd');
    await browser.press('Create organisation');
    // Chains what was written up to now.
    assert.equal((await workplace.run(['audit', 'checkpoint'])).status, 0);
    await browser.visit('/admin/audit');
    await browser.press('Export as JSON Lines');
    site.close();
    const lines = browser
      .download!.text.trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; event: string; sequence: number });
    const [created] = lines.filter(({ event }) => event === 'organisation_created');
    assert.ok(created && created.sequence > 1);
    assert.equal((await workplace.run(['audit', 'verify'])).status, 0);

    const database = new DatabaseSync(path.join(workplace.directory, 'data', 'twinlock.sqlite'), { timeout: 5000 });
    database.prepare('update audit_events set account_id = ? where id = ?').run('somebody else', created.id);
    database.close();
    const broken = await workplace.run(['audit', 'verify']);
    assert.equal(broken.status, 1);
    assert.match(broken.errors, new RegExp(`Entry ${created.sequence}: something in it was changed`));
  });

  test('what is no checkpoint, and words that are not understood, end with exit code 2', async () => {
    using workplace = new Workplace();
    writeFileSync(path.join(workplace.directory, 'wrong.json'), '{"sequence": 1}');
    for (const words of [
      ['audit'],
      ['audit', 'verfy'],
      ['audit', 'verify', 'now'],
      ['audit', 'checkpoint', '--checkpoint', 'x'],
      ['audit', 'verify', '--checkpoint', 'wrong.json'],
      ['policy', '--checkpoint', 'x'],
    ]) {
      const { status, errors } = await workplace.run(words);
      assert.equal(status, 2, words.join(' '));
      assert.match(errors, /checkpoint|takes no 'now'/);
    }
  });
});
