// `twinlock apps`, beside a portal that runs.
import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite, test } from 'node:test';
import { Workplace } from '../support/program.ts';

suite('twinlock apps', () => {
  test('puts an app behind a portal that runs, lists it and takes it out; each takes effect at the next request', async () => {
    using workplace = new Workplace();
    await using portal = await workplace.serve({ TWINLOCK_TRUSTED_PROXIES: '127.0.0.1,::1' });
    const ask = async (): Promise<number> => {
      const headers = { 'x-original-url': 'http://wiki.example.org/', 'x-original-method': 'GET' };
      return (await fetch(`${portal.address}/forward-auth`, { headers, redirect: 'manual' })).status;
    };
    const add = ['apps', 'add', '--host', 'WIKI.example.org', '--name', 'Wiki', '--rule', 'two-factor'];
    const early = await workplace.run(add);
    assert.equal(early.status, 1);
    assert.match(early.errors, /There is no organisation yet/);
    const database = new DatabaseSync(path.join(workplace.directory, 'data', 'twinlock.sqlite'), { timeout: 5000 });
    for (const name of ['Herons', 'Cranes']) database.prepare('insert into organisations (id, name, created_at) values (?, ?, 0)').run(name, name);
    database.close();
    assert.match((await workplace.run(add)).errors, /--organisation 'Cranes' or --organisation 'Herons'/);
    assert.equal(await ask(), 403);
    const added = await workplace.run([...add, '--organisation', 'Herons']);
    assert.deepEqual([added.status, added.errors], [0, '']);
    assert.equal(await ask(), 401);
    const listed = await workplace.run(['apps', 'list', '--json']);
    assert.deepEqual(JSON.parse(listed.output), [{ host: 'wiki.example.org', name: 'Wiki', organisation: 'Herons', rules: [], last: 'two-factor' }]);
    assert.match((await workplace.run(['apps', 'list'])).output, /wiki\.example\.org {2}Wiki \(Herons\): two-factor/);
    const again = await workplace.run([...add, '--organisation', 'Cranes']);
    assert.deepEqual([again.status, again.errors], [1, 'There is an app at this host already.\n']);
    assert.equal((await workplace.run(['apps', 'remove', 'wiki.example.org'])).status, 0);
    assert.equal(await ask(), 403);
    assert.equal((await workplace.run(['apps', 'remove', 'wiki.example.org'])).status, 1);
  });

  test('words that are not understood end with exit code 2, and nothing is done', async () => {
    using workplace = new Workplace();
    for (const words of [['apps'], ['apps', 'add'], ['apps', 'add', '--host', 'x.example.org', '--name', 'X', '--rule', 'anybody'], ['apps', 'remove']])
      assert.equal((await workplace.run(words)).status, 2, words.join(' '));
  });
});
