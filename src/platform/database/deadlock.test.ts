import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTestWorld } from '../../../test/support/world.ts';
import type { Transaction } from './database.ts';

const KEYS = ['one', 'two'] as const;

/** A write lock on a row that is there. */
const lock = async (transaction: Transaction, key: string): Promise<void> => {
  await transaction.updateTable('limits').set({ marks: '[1]' }).where('key', '=', key).execute();
};

test('of two transactions that wait for each other, the one that PostgreSQL undoes runs again: both are done', async () => {
  await using world = await makeTestWorld({ engine: 'postgres' });
  const { database } = world;
  await database.query
    .insertInto('limits')
    .values(KEYS.map((key) => ({ key, marks: '[]', forget_at: 0 })))
    .execute();
  const runs = { one: 0, two: 0 };
  const has = { one: Promise.withResolvers<void>(), two: Promise.withResolvers<void>() };
  const take = (mine: 'one' | 'two', other: 'one' | 'two') =>
    database.transaction(async (transaction) => {
      runs[mine] += 1;
      await lock(transaction, mine);
      has[mine].resolve();
      await has[other].promise;
      await lock(transaction, other);
      return mine;
    });
  assert.deepEqual(await Promise.all([take('one', 'two'), take('two', 'one')]), ['one', 'two']);
  assert.ok(runs.one + runs.two > 2, 'one of them ran again');
});

test('what fails for any other reason fails once', async () => {
  await using world = await makeTestWorld({ engine: 'postgres' });
  let runs = 0;
  const failing = world.database.transaction(async () => {
    runs += 1;
    throw new Error('no');
  });
  await assert.rejects(failing, /no/);
  assert.equal(runs, 1);
});
