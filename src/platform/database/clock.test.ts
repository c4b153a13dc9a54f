import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTestWorld } from '../../../test/support/world.ts';
import { hours, minutes } from '../durations.ts';
import { openDatabaseClock } from './clock.ts';

test('on PostgreSQL machines whose own clocks are hours apart tell one time, the database’s, also after one of them was set', async () => {
  await using world = await makeTestWorld({ engine: 'postgres' });
  let off = -hours(3);
  const [one, other] = await Promise.all([() => Date.now() + off, () => Date.now() + hours(2)].map((now) => openDatabaseClock(world.database, { now })));
  const apart = (): number => Math.abs(one!.now() - other!.now());
  assert.ok(apart() < minutes(1), String(apart()));
  off = hours(1);
  assert.ok(apart() > hours(3));
  assert.ok(Math.abs((await one!.follow()) + hours(1)) < minutes(1), 'It says by how much.');
  assert.ok(apart() < minutes(1), String(apart()));
});

test('on SQLite the database’s clock is the machine’s', async () => {
  await using world = await makeTestWorld({ engine: 'sqlite', path: ':memory:' });
  const clock = await openDatabaseClock(world.database, { now: () => 1234 });
  assert.equal(await clock.follow(), 0);
  assert.equal(clock.now(), 1234);
});
