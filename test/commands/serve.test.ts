// `twinlock serve`, as operators start it.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { startMailServer } from '../support/mail-server.ts';
import { freshPostgresDatabase, startPostgres } from '../support/postgres.ts';
import { freePort } from '../support/ports.ts';
import { Workplace } from '../support/program.ts';

suite('twinlock serve', () => {
  test('with the development flag it starts with nothing set, says where to look, and stops when told', async () => {
    using workplace = new Workplace();
    await using portal = await workplace.serve();
    await portal.says('stdout', new RegExp(`Twinlock is ready: open ${portal.address}\n`));
    const signIn = await fetch(`${portal.address}/sign-in`);
    assert.equal(signIn.status, 200);
    assert.match(await signIn.text(), /<h1>Sign in<\/h1>/);
    assert.equal((await fetch(`${portal.address}/dev/mail`)).status, 200);
    assert.equal(await portal.stop(), 0);
    assert.equal(portal.said.errors, '');
  });

  test('CR-2: keys are made on the first start, for the operator alone, and kept', async () => {
    using workplace = new Workplace();
    const file = path.join(workplace.directory, 'data', 'keys.json');
    const first = await workplace.serve();
    await first.stop();
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(path.join(workplace.directory, 'data', 'twinlock.sqlite')).mode & 0o077, 0);
    const before = readFileSync(file, 'utf8');
    const second = await workplace.serve();
    await second.stop();
    assert.equal(readFileSync(file, 'utf8'), before);
  });

  test('what Node.js compiled is kept for the next start, and nobody else can put anything in its place', async () => {
    using workplace = new Workplace();
    const kept = path.join(workplace.directory, 'compiled');
    assert.equal((await workplace.run(['--version'], { NODE_COMPILE_CACHE: kept })).status, 0);
    const files = readdirSync(kept, { recursive: true, encoding: 'utf8' });
    assert.ok(files.length > 10, `${files.length} files`);
    for (const file of ['', ...files]) assert.equal(statSync(path.join(kept, file)).mode & 0o077, 0, file);
  });

  test('CR-2: keys that others can read, that are damaged, lost or of another database stop the start', async () => {
    using workplace = new Workplace();
    using other = new Workplace();
    for (const place of [workplace, other]) {
      const portal = await place.serve();
      await portal.stop();
    }
    const file = path.join(workplace.directory, 'data', 'keys.json');
    const right = readFileSync(file, 'utf8');
    const refusedBecause = async (pattern: RegExp): Promise<void> => {
      const { status, errors } = await workplace.run(['serve', '--development'], { TWINLOCK_PORT: String(await freePort()) });
      assert.equal(status, 1);
      assert.match(errors, pattern);
      assert.doesNotMatch(errors, /\n\s+at /, 'operators get a sentence and no stack');
    };
    chmodSync(file, 0o644);
    await refusedBecause(/can be read or changed by others .* chmod 600/);
    chmodSync(file, 0o600);
    writeFileSync(file, right.slice(0, -20));
    await refusedBecause(/damaged/);
    writeFileSync(file, JSON.stringify({ keys: [{ id: 'default', secret: 'A'.repeat(43) }] }));
    await refusedBecause(/not random/);
    writeFileSync(file, readFileSync(path.join(other.directory, 'data', 'keys.json')));
    await refusedBecause(/does not belong to this database/);
    rmSync(file);
    await refusedBecause(/is missing, and the database was written with it/);
    assert.ok(!existsSync(file), 'no new keys in place of lost ones');
    writeFileSync(file, right, { mode: 0o600 });
    await using portal = await workplace.serve();
    assert.equal((await fetch(`${portal.address}/sign-in`)).status, 200);
  });

  test('without the development flag it refuses to start without an https origin and a mail server', async () => {
    using workplace = new Workplace();
    const { status, errors } = await workplace.run(['serve'], { TWINLOCK_ORIGIN: 'http://login.example.org' });
    assert.equal(status, 2);
    assert.match(errors, /TWINLOCK_ORIGIN is 'http:\/\/login.example.org', and has to start with https/);
    assert.match(errors, /TWINLOCK_SMTP_URL is missing/);
    assert.ok(!existsSync(path.join(workplace.directory, 'data')), 'nothing was made');
  });

  test('for real: __Host- cookies, HSTS, no page of mails, a log of JSON lines', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    await using portal = await workplace.serve({ TWINLOCK_ORIGIN: 'https://login.example.org', TWINLOCK_SMTP_URL: mail.url }, { development: false });
    const signIn = await fetch(`${portal.address}/sign-in`);
    assert.match(signIn.headers.get('set-cookie') ?? '', /^__Host-twinlock-browser=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    assert.match(signIn.headers.get('strict-transport-security') ?? '', /max-age=63072000/);
    assert.equal((await fetch(`${portal.address}/dev/mail`)).status, 404);
    await portal.stop();
    const lines = portal.said.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; time: string; status?: number });
    assert.ok(lines.some((line) => line.event === 'started'));
    assert.ok(lines.some((line) => line.event === 'request' && line.status === 404));
  });

  test('while nobody looks after it, each start prints a link, not into the log, and the one before is dead; afterwards none', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    const settings = { TWINLOCK_ORIGIN: 'https://login.example.org', TWINLOCK_SMTP_URL: mail.url };
    const links: string[] = [];
    for (let start = 1; start <= 2; start++) {
      await using portal = await workplace.serve(settings, { development: false });
      const [, link] = await portal.says('stderr', /https:\/\/login\.example\.org(\/set-up\?token=[\w-]{43})\n/);
      links.push(link!);
      assert.doesNotMatch(portal.said.output, /set-up/);
      const statuses = await Promise.all(links.map(async (one) => (await fetch(portal.address + one)).status));
      assert.deepEqual(statuses, start === 1 ? [200] : [410, 200]);
    }
    await using development = await workplace.serve();
    await development.says('stdout', /Nobody looks after this portal yet\. Whoever opens this first can:\n {2}http:\/\/localhost:\d+\/set-up\?token=/);
  });

  test('mail that a real server takes is not shown at /dev/mail, in development either', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    await using portal = await workplace.serve({ TWINLOCK_SMTP_URL: mail.url });
    assert.equal((await fetch(`${portal.address}/dev/mail`)).status, 404);
  });

  test('settings come from a .env file, and the environment wins over it', async () => {
    using workplace = new Workplace();
    writeFileSync(path.join(workplace.directory, '.env'), 'TWINLOCK_NAME="Name of the file" # a comment\nTWINLOCK_DATA_DIR=here\nUNRELATED=1\n');
    const fromFile = await workplace.serve();
    await fromFile.says('stdout', /Name of the file is ready/);
    assert.ok(existsSync(path.join(workplace.directory, 'here', 'keys.json')));
    await fromFile.stop();
    await using fromBoth = await workplace.serve({ TWINLOCK_NAME: 'Name of the environment' });
    await fromBoth.says('stdout', /Name of the environment is ready/);
  });

  test('a .env file with a mark in front, as some editors leave it, is read; one with a line that is no setting stops the start', async () => {
    using workplace = new Workplace();
    const file = path.join(workplace.directory, '.env');
    writeFileSync(file, '\uFEFFTWINLOCK_NAME=Marked\r\n');
    await using marked = await workplace.serve();
    await marked.says('stdout', /Marked is ready/);
    writeFileSync(file, 'TWINLOCK_NAM=x\nTWINLOCK_SIGN_UP: invited\n');
    const { status, errors } = await workplace.run(['serve', '--development']);
    assert.equal(status, 2);
    assert.match(errors, / {2}- Line 2 of \.env has TWINLOCK_SIGN_UP in it, but is not of the form NAME=value\./);
    assert.match(errors, / {2}- TWINLOCK_NAM is not a setting/, 'all at once');
  });

  test('a data folder, or one for the keys, that can’t be made: a sentence that names the setting, with an example', async () => {
    using workplace = new Workplace();
    const file = path.join(workplace.directory, 'a-file');
    writeFileSync(file, '');
    for (const [variable, value] of Object.entries({
      TWINLOCK_DATA_DIR: file,
      TWINLOCK_DATABASE_URL: `sqlite:${file}/twinlock.sqlite`,
      TWINLOCK_KEYS_FILE: `${file}/keys.json`,
    })) {
      const { status, errors } = await workplace.run(['serve', '--development'], { [variable]: value, TWINLOCK_PORT: String(await freePort()) });
      assert.equal(status, 1);
      assert.match(errors, new RegExp(`^${file} can't be used as a folder: .*\\. Name another by ${variable}\\. Example: ${variable}='.+'\n$`));
    }
  });

  test('a port that is taken, a database that does not answer or can’t be opened: a sentence, and exit code 1', async () => {
    using workplace = new Workplace();
    await using first = await workplace.serve();
    const port = new URL(first.address).port;
    const taken = await workplace.run(['serve', '--development'], { TWINLOCK_PORT: port });
    assert.equal(taken.status, 1);
    assert.match(taken.errors, new RegExp(`^Port ${port} of localhost is taken.*TWINLOCK_PORT=${Number(port) + 1}\n$`));
    const silent = await workplace.run(['serve', '--development'], { TWINLOCK_DATABASE_URL: `postgres://user:hunter2@localhost:${await freePort()}/x` });
    assert.equal(silent.status, 1);
    assert.match(silent.errors, /^The database \(TWINLOCK_DATABASE_URL\) can't be used: .*ECONNREFUSED/);
    assert.doesNotMatch(silent.errors, /hunter2/);
    const noFile = await workplace.run(['serve', '--development'], { TWINLOCK_DATABASE_URL: 'sqlite:data/keys.json' });
    assert.equal(noFile.status, 1);
    assert.match(noFile.errors, /keys.json\) can't be used: file is not a database/);
  });

  test('over PostgreSQL it starts too, and two that start at once migrate once and agree on their keys', async () => {
    using workplace = new Workplace();
    const TWINLOCK_DATABASE_URL = await freshPostgresDatabase(await startPostgres());
    const portals = await Promise.all([workplace.serve({ TWINLOCK_DATABASE_URL }), workplace.serve({ TWINLOCK_DATABASE_URL })]);
    for (const portal of portals) {
      assert.equal((await fetch(`${portal.address}/sign-in`)).status, 200);
      assert.equal(await portal.stop(), 0);
    }
  });
});
