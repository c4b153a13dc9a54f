import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

const RATED = ['whole sign-in: password and code', 'second-factor check', 'session check: GET /account', 'forward-auth check'];
const OF_AN_ORGANISATION = [
  'people: first page of 1,000',
  'policy: preview of 1,000 people',
  'policy: saved for 1,000 people',
  'audit: the same, chained, SQLite',
  'audit: the same, chained, PostgreSQL',
];
const FLOORS = ['floor: bare node:http', 'floor: one durable commit', 'floor: one argon2id hash', 'floor: argon2id hashes, 4 at once'];

test('the benchmark runs, and prints every row', async () => {
  const { stdout } = await promisify(execFile)('scripts/node', ['bench/bench.ts', '--quick'], { cwd: root });
  const rows = new Map(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.slice(1, -1).split('|'))
      .map(([name = '', ...cells]) => [name.trim(), cells.map((cell) => cell.trim())]),
  );
  for (const name of [...RATED, 'findSession, in process', ...OF_AN_ORGANISATION, ...FLOORS]) {
    const [perSecond = ''] = rows.get(name) ?? [];
    assert.match(perSecond, /^\d[\d,.]*$/, `${name}: ${stdout}`);
  }
  for (const name of RATED) {
    const [, p50 = '', p99 = '', ratio = '', aim = ''] = rows.get(name)!;
    assert.match(`${p50} ${p99}`, /^\d[\d,.]* \d[\d,.]*$/, name);
    assert.match(`${ratio}, ${aim}`, /^\d+ % of \w.*, \d+ %$/, name);
  }
  assert.match(stdout, /^start-up +\d+ ms/m);
  assert.match(stdout, /^memory +\w/m);
});
