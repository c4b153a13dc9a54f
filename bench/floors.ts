// What this machine allows, without anything of ours: each measured beside what is held against it.
import { argon2, randomBytes } from 'node:crypto';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';

/** One small row a transaction, each on disk before the next begins; a second. */
export function durableCommitsPerSecond(directory: string, seconds: number): number {
  const database = new DatabaseSync(path.join(directory, 'floor.sqlite'));
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, value TEXT)');
  const insert = database.prepare('INSERT INTO rows (value) VALUES (?)');
  const perSecond = repeat(seconds, () => insert.run('a small row'));
  database.close();
  return perSecond;
}

function repeat(seconds: number, work: () => unknown): number {
  const startedAt = performance.now();
  let count = 0;
  while (performance.now() - startedAt < seconds * 1000) {
    work();
    count += 1;
  }
  return count / ((performance.now() - startedAt) / 1000);
}

export const ARGON2 = { memory: 19_456, passes: 2, parallelism: 1 } as const;

/** `atOnce` of them at any time; a second, and how long one takes. */
export async function argon2Hashes(atOnce: number, seconds: number): Promise<{ perSecond: number; p50Milliseconds: number; p99Milliseconds: number }> {
  const startedAt = performance.now();
  const durations: number[] = [];
  const worker = async (): Promise<void> => {
    for (let at = performance.now(); at - startedAt < seconds * 1000;) {
      await hash();
      durations.push(performance.now() - at);
      at = performance.now();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const perSecond = durations.length / ((performance.now() - startedAt) / 1000);
  durations.sort((one, other) => one - other);
  const at = (part: number) => durations[Math.min(durations.length - 1, Math.floor(durations.length * part))] ?? Number.NaN;
  return { perSecond, p50Milliseconds: at(0.5), p99Milliseconds: at(0.99) };
}

function hash(): Promise<void> {
  const message = 'seven quiet herons at dusk';
  return new Promise((resolve, reject) =>
    argon2('argon2id', { message, nonce: randomBytes(16), tagLength: 32, ...ARGON2 }, (error) => (error ? reject(error) : resolve())),
  );
}
