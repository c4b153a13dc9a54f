import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sql } from 'kysely';
import type { Transaction } from '../../src/platform/database/database.ts';
import { minutes } from '../../src/platform/durations.ts';
import { DatabaseFault, withFaults } from '../support/faults.ts';
import { forEachDatabase, makeTestWorld, type TestWorld } from '../support/world.ts';

const write = (transaction: Transaction, key: string) => transaction.insertInto('limits').values({ key, marks: '[]', forget_at: 0 }).execute();

async function keysIn({ database }: TestWorld): Promise<string[]> {
  const rows = await database.query.selectFrom('limits').select('key').orderBy('key').execute();
  return rows.map((row) => row.key);
}

forEachDatabase((_engine, make) => {
  test('of transactions at the same time, those that throw leave nothing and the others everything', async () => {
    const world = await make();
    const asked = Array.from({ length: 200 }, (_, number) =>
      world.database.transaction(async (transaction) => {
        await write(transaction, `${number} first`);
        if (number % 3 === 0) throw new Error(`not ${number}`);
        await write(transaction, `${number} second`);
        return number;
      }),
    );
    const outcomes = await Promise.allSettled(asked);
    const expected: string[] = [];
    for (const [number, outcome] of outcomes.entries()) {
      if (number % 3 === 0) assert.match(String(outcome.status === 'rejected' && outcome.reason), new RegExp(`not ${number}$`));
      else expected.push(`${number} first`, `${number} second`);
      if (number % 3 !== 0) assert.deepEqual(outcome, { status: 'fulfilled', value: number });
    }
    assert.deepEqual(await keysIn(world), expected.sort());
  });

  test('whoever is told that a transaction is done finds it from another process', async () => {
    const world = await make();
    await using other = await world.secondProcess();
    await Promise.all(
      Array.from({ length: 50 }, async (_, number) => {
        await world.database.transaction((transaction) => write(transaction, `${number}`));
        assert.ok((await keysIn(other)).includes(`${number}`));
      }),
    );
  });

  test('what is read, decided upon and written at the same time is counted once each', async () => {
    const world = await make();
    await world.database.transaction((transaction) => write(transaction, 'count'));
    const addOne = (process: TestWorld) =>
      process.database.transaction(async (transaction) => {
        // The row's lock on PostgreSQL; SQLite has one writer at a time.
        await transaction
          .updateTable('limits')
          .set((row) => ({ marks: row.ref('marks') }))
          .where('key', '=', 'count')
          .execute();
        const { forget_at: count } = await transaction.selectFrom('limits').select('forget_at').where('key', '=', 'count').executeTakeFirstOrThrow();
        await transaction
          .updateTable('limits')
          .set({ forget_at: count + 1 })
          .where('key', '=', 'count')
          .execute();
      });
    await using other = await world.secondProcess();
    await Promise.all(Array.from({ length: 100 }, (_, number) => addOne(number % 2 === 0 ? world : other)));
    const { forget_at } = await world.database.query.selectFrom('limits').select('forget_at').executeTakeFirstOrThrow();
    assert.equal(forget_at, 100);
  });
});

forEachDatabase((engine, make) => {
  test('whoever remembers what they read hears of every change: of this process at once, of another one within half a second', async () => {
    const world = await make();
    await using other = await world.secondProcess();
    const { database, clock } = world;
    let last = await database.changes(clock.now());
    const hasChanged = async (): Promise<boolean> => last !== (last = await database.changes(clock.now()));
    // The tests' PostgreSQL is not theirs alone, and another database of the same server counts.
    if (engine === 'sqlite') {
      for (const later of [0, 499, 500, minutes(60)]) {
        clock.advance(later);
        assert.equal(await hasChanged(), false, `nobody wrote anything in ${later} ms`);
      }
    }
    for (const work of [(transaction: Transaction) => write(transaction, 'one'), () => Promise.reject(new Error('undone'))]) {
      await database.transaction(work).catch(() => undefined);
      assert.ok(await hasChanged(), 'at once');
    }
    clock.advance(500);
    await hasChanged();
    for (const writes of [
      () => other.database.transaction((transaction) => write(transaction, 'two')),
      () => other.database.query.deleteFrom('limits').execute(),
    ]) {
      await writes();
      clock.advance(500);
      assert.ok(await hasChanged(), 'half a second later');
    }
    await other.database.transaction((transaction) => write(transaction, 'three'));
    clock.set(0);
    assert.ok(await hasChanged(), 'whatever the clock is set to');
  });

  test('whoever remembers what they read is told where the database does not answer, and hears the change once it does', async () => {
    const { world, faults } = withFaults(await make());
    await using other = await world.secondProcess();
    const { database, clock } = world;
    const before = await database.changes(clock.now());
    await other.database.transaction((transaction) => write(transaction, 'one'));
    clock.advance(500);
    faults.failAt(1);
    await assert.rejects(database.changes(clock.now()), DatabaseFault);
    assert.notEqual(await database.changes(clock.now()), before);
    clock.advance(500);
    const within = database.transaction(() => database.changes(clock.now()));
    await assert.rejects(within, /inside a transaction/, 'on SQLite it would wait for itself');
  });
});

test('on sqlite, transactions of one moment share one commit', async () => {
  await using world = await makeTestWorld({ engine: 'sqlite' });
  const before = commitsIn(world);
  await Promise.all(Array.from({ length: 20 }, (_, number) => world.database.transaction((transaction) => write(transaction, `${number}`))));
  assert.equal(commitsIn(world) - before, 1);
  assert.equal((await keysIn(world)).length, 20);
});

test('on sqlite, a commit that fails has failed for all who shared it', async () => {
  await using world = await makeTestWorld({ engine: 'sqlite' });
  const asked = [0, 1, 2].map((number) =>
    world.database.transaction(async (transaction) => {
      await write(transaction, `${number}`);
      if (number !== 1) return;
      // What refers to nothing is noticed at the commit.
      await sql`pragma defer_foreign_keys = on`.execute(transaction);
      await transaction.insertInto('password_resets').values({ token_hash: 'a', account_id: 'nobody', expires_at: 0 }).execute();
    }),
  );
  const outcomes = await Promise.allSettled(asked);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  assert.deepEqual(await keysIn(world), []);
  await world.database.transaction((transaction) => write(transaction, 'later'));
  assert.deepEqual(await keysIn(world), ['later']);
});

/** Frames of the write-ahead log that end a commit: those that say how many pages the database has after them (SQLite file format, 4.1). */
function commitsIn({ place }: TestWorld): number {
  const log = readFileSync(`${place}-wal`);
  // Nothing was written since the file was opened.
  if (log.length === 0) return 0;
  const [headerBytes, frameHeaderBytes, pageBytes] = [32, 24, log.readUInt32BE(8)];
  let commits = 0;
  for (let at = headerBytes; at + frameHeaderBytes + pageBytes <= log.length; at += frameHeaderBytes + pageBytes)
    if (log.readUInt32BE(at + 4) > 0) commits += 1;
  return commits;
}
