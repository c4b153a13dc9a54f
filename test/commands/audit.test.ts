// `twinlock audit`, beside a portal that runs.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite, test } from 'node:test';
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
      assert.match(errors, /checkpoint/);
    }
  });
});
