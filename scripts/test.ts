/**
 * npm test: all tests, several files to a process. To load the portal, and to warm up, takes a process longer than most files take for their tests: together they
 * need half the time. Each file is a suite of its own name, with hooks of its own.
 *   npm test                                     everything
 *   npm test -- test/flows/sign-in.test.ts …     these alone
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const PLAIN_RUNNER = path.join(ROOT, 'test/support/plain-runner.ts');
const ROUNDS = path.join(ROOT, 'node_modules/.cache/test-rounds');
/** For each process: fewer make the last one end late, more load the portal once more. */
const ROUNDS_FOR_A_CORE = 7;
/** How long a line takes beside one of test/flows, as measured: what is not named takes as long. */
const WEIGHTS: readonly (readonly [beginning: string, weight: number])[] = [
  ['test/browser/pages', 33],
  ['test/browser/', 6.5],
  ['test/bench', 18],
  ['test/commands/', 6.3],
  ['test/faults/', 4],
  ['test/properties/', 3.5],
  ['test/support/', 0.7],
  ['test/contracts/', 0.4],
  ['test/tidy', 0.4],
  ['test/docs', 0.1],
  ['src/platform/html/', 1.5],
  ['src/', 0.35],
];

const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: ROOT });
const cores = availableParallelism();
rmSync(ROUNDS, { recursive: true, force: true });
mkdirSync(ROUNDS, { recursive: true });
const rounds = roundsOf(files, cores * ROUNDS_FOR_A_CORE).map((round, index) => {
  const file = path.join(ROUNDS, `round-${String(index + 1).padStart(2, '0')}.test.mjs`);
  const suites = round.map((name) => `describe(${JSON.stringify(name)}, () => import(${JSON.stringify(path.join(ROOT, name))}).finally(loaded));`);
  const head = `import { describe } from 'node:test';\nimport { stopFollowing } from ${JSON.stringify(PLAIN_RUNNER)};`;
  writeFileSync(file, `${head}\nlet left = ${round.length};\nconst loaded = () => (left -= 1) === 0 && stopFollowing();\n${suites.join('\n')}\n`);
  return file;
});
const { status } = spawnSync(
  process.execPath,
  // One more than there are cores, since some wait for PostgreSQL or the browser.
  [
    '--test',
    `--import=${PLAIN_RUNNER}`,
    `--test-concurrency=${cores + 1}`,
    '--test-global-setup=test/support/one-postgres.ts',
    '--test-timeout=600000',
    ...rounds,
  ],
  { cwd: ROOT, stdio: 'inherit', env: { ...process.env, NODE_COMPILE_CACHE: path.join(ROOT, 'node_modules/.cache/compiled') } },
);
process.exitCode = status ?? 1;

/** Dealt out, the longest first, to whoever has the least. The rounds that take longest come first too. */
function roundsOf(all: readonly string[], most: number): string[][] {
  const weighed = all
    .map((name) => ({ name, weight: statSync(path.join(ROOT, name)).size * (WEIGHTS.find(([beginning]) => name.startsWith(beginning))?.[1] ?? 1) }))
    .toSorted((one, other) => other.weight - one.weight);
  const dealt = Array.from({ length: Math.min(most, all.length) }, () => ({ names: [] as string[], weight: 0 }));
  for (const { name, weight } of weighed) {
    const least = dealt.reduce((one, other) => (other.weight < one.weight ? other : one));
    least.names.push(name);
    least.weight += weight;
  }
  return dealt.toSorted((one, other) => other.weight - one.weight).map(({ names }) => names);
}
