// `twinlock policy`, and what every command does with words that it does not know.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { suite, test } from 'node:test';
import { COMMANDS } from '../../src/commands/commands.ts';
import { CookieBrowser, Workplace } from '../support/program.ts';

suite('twinlock policy', () => {
  test('shows the policy, and sets it while the portal runs', async () => {
    using workplace = new Workplace();
    await using portal = await workplace.serve();
    assert.match((await workplace.run(['policy'])).output, /^Two-factor authentication is optional: /);
    const set = await workplace.run(['policy', 'set', 'required']);
    assert.deepEqual([set.status, set.errors], [0, '']);
    assert.match(set.output, /^Two-factor authentication is required: /);

    const browser = new CookieBrowser(portal.address);
    await browser.get('/sign-up');
    await browser.post('/sign-up', { name: 'Ada Example', email: 'ada@example.org', password: 'seven quiet herons' });
    assert.match(browser.page, /<h1>Set up two-factor authentication<\/h1>/);
  });

  test('TD-3 whoever belongs to no organisation is remembered where the operator allows it, and no longer where it is taken back', async () => {
    using workplace = new Workplace();
    assert.match((await workplace.run(['policy'])).output, / No device is trusted\.\n$/);
    const set = await workplace.run(['policy', 'set', 'optional', '--trusted-devices', '7']);
    assert.deepEqual([set.status, set.errors], [0, '']);
    assert.match(set.output, /^Two-factor authentication is optional: .* is trusted for 7 days\.\n$/);
    assert.match((await workplace.run(['policy', 'set', 'required'])).output, /required: .* is trusted for 7 days\./, 'as it was, unless told');
    assert.match((await workplace.run(['policy', 'set', 'required', '--trusted-devices', '0'])).output, / No device is trusted\./);
  });

  test('words that are not understood: what was meant, exit code 2, and nothing changes', async () => {
    using workplace = new Workplace();
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['policy', 'set', 'mandatory'], /off, optional, required, not 'mandatory'/],
      [['policy', 'set'], /needs POLICY/],
      ...['31', '-1', 'x', '1.5'].map((days) => [['policy', 'set', 'off', `--trusted-devices=${days}`], /trusted for 0 to 30 days, not '/] as const),
      [['policy', 'set', 'off', 'now'], /takes no 'now'. Say 'twinlock policy' or 'twinlock policy set POLICY'/],
      [['policy', 'get'], /takes no 'get'. Say 'twinlock policy' or 'twinlock policy set POLICY'/],
      [['polcy'], /no command 'polcy'. Did you mean 'policy'\?/],
      [['migrat'], /no command 'migrat'. Did you mean 'migrate'\?/],
      [['constructor'], /no command 'constructor'/],
      [['serve', 'now'], /takes no 'now'/],
      [['serve', '--devlopment'], /no option '--devlopment'. Did you mean '--development'\?/],
      [['policy', '--jsno'], /no option '--jsno'. Did you mean '--json'\?/],
      [['policy', '--json=yes'], /--json takes no value/],
      [['policy', '-x'], /no option '-x'/],
      [['audit', 'verify', '--checkpoint', '--json'], /--checkpoint needs a FILE/],
      [['policy', '--development'], /goes with 'twinlock serve' alone/],
      [[], /Which command\?[^]*twinlock serve/],
    ];
    for (const [words, pattern] of cases) {
      const { status, errors, output } = await workplace.run(words);
      assert.deepEqual([status, output], [2, ''], words.join(' '));
      assert.match(errors, pattern);
    }
    assert.match((await workplace.run(['policy'])).output, /optional/);
  });

  test('--help of all and of each command, and --version', async () => {
    using workplace = new Workplace();
    const { output } = await workplace.run(['--help']);
    for (const { name, does } of COMMANDS) assert.ok(output.includes(`  twinlock ${name} `) && output.includes(does), name);
    assert.match((await workplace.run(['policy', '-h'])).output, /^twinlock policy \[--json\]\n[^]*twinlock policy set POLICY/);
    const verify = await workplace.run(['audit', 'verify', '--checkpoint', 'nowhere', '--help']);
    assert.deepEqual([verify.status, verify.errors], [0, '']);
    assert.match(verify.output, /^twinlock audit verify \[--checkpoint FILE\] \[--json\]\n[^]*--checkpoint FILE {3}Holds the log[^]*Exit codes: 0 done/);
    assert.match((await workplace.run(['--version'])).output, /^twinlock \d+\.\d+\.\d+\n$/);
    assert.ok(!existsSync(`${workplace.directory}/data`), 'help touches nothing');
  });

  test('--json: one value for programs, and nothing else on the standard output', async () => {
    using workplace = new Workplace();
    const migrated = JSON.parse((await workplace.run(['migrate', '--json'])).output) as { database: string; migrated: string[] };
    assert.equal(migrated.database, 'sqlite');
    assert.ok(migrated.migrated.includes('0001-portal'));
    assert.deepEqual((await workplace.run(['migrate'])).output, 'The database is up to date.\n');
    const required = { twoFactor: 'required', trustedDeviceDays: 0 };
    assert.deepEqual(JSON.parse((await workplace.run(['policy', 'set', 'required', '--json'])).output), required);
    assert.deepEqual(JSON.parse((await workplace.run(['policy', '--json'])).output), required);
    assert.equal((JSON.parse((await workplace.run(['audit', 'verify', '--json'])).output) as { ok: boolean }).ok, true);
  });

  test('migrate: what ran is named, and a database that can’t be reached ends with exit code 1', async () => {
    using workplace = new Workplace();
    assert.match((await workplace.run(['migrate'])).output, /^Brought the database up to date:\n {2}0001-portal\n/);
    const { status, output, errors } = await workplace.run(['migrate'], { TWINLOCK_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' });
    assert.deepEqual([status, output], [1, '']);
    assert.match(errors, /The database \(TWINLOCK_DATABASE_URL\) can't be used/);
  });
});
