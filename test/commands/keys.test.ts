// `twinlock keys rotate`, and the keys file that it changes.
import assert from 'node:assert/strict';
import { lstatSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { makeKeys } from '../../src/platform/secrets/keys.ts';
import { makeSecretKey } from '../../src/platform/secrets/keys-file.ts';
import { hasRootKeys, openRootKeys } from '../../src/platform/secrets/root-keys.ts';
import { startMailServer } from '../support/mail-server.ts';
import { CookieBrowser, Workplace } from '../support/program.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { makeTestWorld } from '../support/world.ts';

interface KeysFile {
  readonly keys: readonly { readonly id: string; readonly secret: string }[];
}

const fileOf = ({ directory }: Workplace): string => path.join(directory, 'data', 'keys.json');
const read = (workplace: Workplace): KeysFile => JSON.parse(readFileSync(fileOf(workplace), 'utf8')) as KeysFile;

suite('twinlock keys rotate', () => {
  test('CR-3: people sign in meanwhile, nobody is signed out, and the portal starts with the new key alone, not with the old one', async () => {
    using workplace = new Workplace();
    await using mail = await startMailServer();
    const settings = { TWINLOCK_SMTP_URL: mail.url };
    const portal = await workplace.serve(settings);
    const ada = await CookieBrowser.join(portal, mail, { email: 'ada@example.org' });
    const signIn = async (): Promise<void> => {
      const browser = new CookieBrowser(portal.address);
      await browser.get('/sign-in?way=password');
      await browser.post('/sign-in', { email: 'ada@example.org', password: 'seven quiet herons at dusk' });
      assert.match(browser.page, /Manage Account/);
    };
    const before = read(workplace);
    let rotated = false;
    const rotating = workplace.run(['keys', 'rotate', '--json']).finally(() => (rotated = true));
    do await signIn();
    while (!rotated);
    const outcome = await rotating;
    assert.deepEqual([outcome.status, outcome.errors], [0, '']);
    const after = read(workplace);
    assert.deepEqual(
      after.keys.map(({ id }) => id),
      [(JSON.parse(outcome.output) as { key: string }).key],
    );
    assert.ok(!before.keys.some(({ id, secret }) => id === after.keys[0]!.id || secret === after.keys[0]!.secret));
    assert.equal(statSync(fileOf(workplace)).mode & 0o777, 0o600);
    await signIn();
    await portal.stop();

    const port = new URL(portal.address).port;
    const again = await workplace.serve({ ...settings, TWINLOCK_PORT: port });
    await ada.get('/account');
    assert.match(ada.page, /Manage Account/, 'The session of before still is one.');
    await signIn();
    await again.stop();
    assert.match((await workplace.run(['audit', 'verify'])).output, /as it was written/);
    writeFileSync(fileOf(workplace), JSON.stringify(before));
    const old = await workplace.run(['policy']);
    assert.deepEqual([old.status, /does not belong to this database/.test(old.errors)], [1, true], old.errors);
  });

  test('two at once, and one that was interrupted, leave a file that opens the database; and a link stays one', async () => {
    using workplace = new Workplace();
    assert.equal((await workplace.run(['policy'])).status, 0);
    const elsewhere = path.join(workplace.directory, 'keys-of-twinlock.json');
    renameSync(fileOf(workplace), elsewhere);
    symlinkSync(elsewhere, fileOf(workplace));
    const both = await Promise.all([workplace.run(['keys', 'rotate']), workplace.run(['keys', 'rotate'])]);
    assert.deepEqual(
      both.map(({ status }) => status),
      [0, 0],
    );
    assert.equal((await workplace.run(['policy'])).status, 0);
    assert.equal(read(workplace).keys.length, 1);
    assert.ok(lstatSync(fileOf(workplace)).isSymbolicLink());
    // As it stands between the two steps: the database has not heard of the new one.
    const next = { id: 'next', secret: Buffer.from(seededRandom(3).bytes(32)).toString('base64url') };
    writeFileSync(elsewhere, JSON.stringify({ keys: [next, ...read(workplace).keys] }));
    assert.equal((await workplace.run(['policy'])).status, 0);
    assert.equal((await workplace.run(['keys', 'rotate'])).status, 0);
    assert.equal(read(workplace).keys.length, 1);
    assert.equal((await workplace.run(['policy'])).status, 0);
  });
});

test('a database from before, which was written by the file’s own keys, keeps them as its roots', async () => {
  await using world = await makeTestWorld({ engine: 'sqlite', path: ':memory:' });
  const [newer, older, other] = [makeSecretKey(world.random), makeSecretKey(world.random), makeSecretKey(world.random)];
  assert.equal(await hasRootKeys(world.database.query), false);
  const keys = makeKeys([newer, older]);
  const sealed = keys.seal(['key_checks', 'keys', 'sealed'], keys.hash('key check', 'keys'));
  await world.database.query.insertInto('key_checks').values({ id: 'keys', sealed }).execute();
  assert.equal(await hasRootKeys(world.database.query), true);
  await assert.rejects(openRootKeys(world, [other]), /does not belong to this database/);
  await assert.rejects(openRootKeys(world, [newer]), /was taken out of it/);
  for (let start = 0; start < 2; start += 1) assert.deepEqual(await openRootKeys(world, [newer, older]), [newer, older]);
  await assert.rejects(openRootKeys(world, [other]), /does not belong to this database/);
});
