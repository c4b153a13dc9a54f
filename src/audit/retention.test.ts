import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachDatabase, type MakeWorld, type TestWorld } from '../../test/support/world.ts';
import { days } from '../platform/durations.ts';
import { makeKeys } from '../platform/secrets/keys.ts';
import { chainNew, makeCheckpoint, pruneLog, record, verifyChain, type Verified } from './audit.ts';

const from = { address: '192.0.2.1', userAgent: 'Firefox', requestId: 'r' };

/** So many events a day, over some days. */
async function live(world: TestWorld, { forDays, daily }: { forDays: number; daily: number }): Promise<void> {
  for (let day = 0; day < forDays; day++) {
    world.clock.advance(days(1));
    await world.database.transaction(async (transaction) => {
      for (let time = 0; time < daily; time++)
        await record(world, transaction, { event: 'authn_login_fail', accountId: null, from, details: { reason: `${day} ${time}` } });
    });
  }
  await chainNew(world);
}

const summary = (verified: Verified) => (verified.ok ? [verified.first, verified.entries] : [verified.sequence, verified.reason]);

forEachDatabase((engine, make: MakeWorld) => {
  const pruned = async (): Promise<TestWorld> => {
    const world = await make();
    await live(world, { forDays: 60, daily: 5 });
    assert.deepEqual(await pruneLog(world, 30), { ok: true, entries: 145 });
    await chainNew(world);
    return world;
  };

  test('LO-4: what is older than the retention goes, the rest verifies and says from where on; again and again', async () => {
    const world = await pruned();
    assert.deepEqual(summary(await verifyChain(world)), [146, 156]);
    assert.deepEqual(await pruneLog(world, 30), { ok: true, entries: 0 }, 'and nothing else');
    await live(world, { forDays: 10, daily: 5 });
    assert.deepEqual(await pruneLog(world, 30), { ok: true, entries: 50 });
    await chainNew(world);
    assert.deepEqual(summary(await verifyChain(world)), [196, 157]);
    const { rows } = { rows: await world.database.query.selectFrom('audit_events').select('details').where('event', '=', 'audit_log_pruned').execute() };
    assert.deepEqual(rows.map(({ details }) => JSON.parse(details) as unknown).length, 2);
  });

  test('a long log goes in batches, and its last entry stays, however old it is', async () => {
    const world = await make();
    await live(world, { forDays: 1, daily: 2300 });
    world.clock.advance(days(365));
    assert.deepEqual(await pruneLog(world, 30), { ok: true, entries: 2299 });
    assert.deepEqual(summary(await verifyChain(world)), [2300, 1]);
    const empty = await make();
    assert.deepEqual(await pruneLog(empty, 30), { ok: true, entries: 0 });
  });

  test('LO-4: a beginning that was changed, moved, made up or removed is noticed, and so is an entry that went without one', async () => {
    const world = await pruned();
    const { query } = world.database;
    const whole = await query.selectFrom('audit_beginnings').selectAll().executeTakeFirstOrThrow();
    const next = await query.selectFrom('audit_events').selectAll().where('sequence', '=', 146).executeTakeFirstOrThrow();
    for (const forged of [
      { sequence: 146, hash: next.hash! },
      { hash: 'x' },
      { made_at: 1 },
      { origin: 'https://evil.example' },
      { signature: 'x' },
      { public_key: 'x' },
    ]) {
      await query.updateTable('audit_beginnings').set(forged).execute();
      assert.deepEqual(summary(await verifyChain(world)), [(forged.sequence ?? 145) + 1, 'beginning-changed'], JSON.stringify(forged));
      const refused = await pruneLog(world, 30);
      assert.equal(refused.ok, false);
      await query.updateTable('audit_beginnings').set(whole).execute();
    }
    await query.deleteFrom('audit_beginnings').execute();
    assert.deepEqual(summary(await verifyChain(world)), [1, 'missing']);
    await query.insertInto('audit_beginnings').values(whole).execute();
    await query.deleteFrom('audit_events').where('sequence', '=', 146).execute();
    assert.deepEqual(summary(await verifyChain(world)), [146, 'missing']);
    await query.deleteFrom('audit_events').execute();
    assert.deepEqual(summary(await verifyChain(world)), [146, 'missing']);
    await query.updateTable('audit_heads').set({ sequence: 145, hash: whole.hash, seal: 'made up' }).execute();
    assert.deepEqual(summary(await verifyChain(world)), [145, 'end-changed']);
  });

  test('LO-4: a checkpoint serves as no beginning, and a beginning of other keys is none', async () => {
    const world = await make();
    await live(world, { forDays: 3, daily: 5 });
    const { publicKey, madeAt, ...checkpoint } = (await makeCheckpoint(world))!;
    await live(world, { forDays: 3, daily: 5 });
    const { query } = world.database;
    await query.deleteFrom('audit_events').where('sequence', '<=', checkpoint.sequence).execute();
    await query
      .insertInto('audit_beginnings')
      .values({ id: 'beginning', ...checkpoint, public_key: publicKey, made_at: madeAt })
      .execute();
    assert.deepEqual(summary(await verifyChain(world)), [16, 'beginning-changed']);
    const other = await pruned();
    assert.deepEqual(summary(await verifyChain({ ...other, keys: makeKeys([{ id: 'other', secret: new Uint8Array(32).fill(9) }]) })), [
      146,
      'beginning-changed',
    ]);
  });

  test('LO-4: nothing is removed from where an entry is not as it was written: pruning wipes no traces away', async () => {
    const world = await make();
    await live(world, { forDays: 60, daily: 5 });
    const { query } = world.database;
    await query.updateTable('audit_events').set({ details: '{}' }).where('sequence', '=', 7).execute();
    assert.deepEqual(await pruneLog(world, 30), { ok: false, entries: 0, sequence: 7, reason: 'changed' });
    assert.deepEqual(summary(await verifyChain(world)), [7, 'changed']);
    await query.deleteFrom('audit_events').where('sequence', '=', 7).execute();
    assert.deepEqual(await pruneLog(world, 30), { ok: false, entries: 0, sequence: 7, reason: 'missing' });
    assert.deepEqual(summary(await verifyChain(world)), [7, 'missing']);
  });

  test('LO-4: a checkpoint of the part that went is told to be past; one of the place where it begins, and later ones, are compared', async () => {
    const world = await make();
    await live(world, { forDays: 20, daily: 5 });
    const early = (await makeCheckpoint(world))!;
    await live(world, { forDays: 9, daily: 5 });
    const atBeginning = (await makeCheckpoint(world))!;
    await live(world, { forDays: 31, daily: 5 });
    const late = (await makeCheckpoint(world))!;
    await pruneLog(world, 30);
    assert.equal(atBeginning.sequence, 145);
    const past = async (checkpoint: typeof early) => {
      const verified = await verifyChain(world, { checkpoint });
      return verified.ok ? verified.checkpointIsPast : verified.reason;
    };
    assert.deepEqual([await past(early), await past(atBeginning), await past(late)], [true, false, false]);
    assert.equal(await past({ ...early, hash: 'x' }), 'checkpoint-not-signed');
  });

  test('two processes that prune, chain and verify at once: nothing that may go is called missing', async () => {
    const world = await make();
    await live(world, { forDays: 60, daily: 60 });
    const other = engine === 'postgres' ? await world.secondProcess() : world;
    try {
      const [verified, ...prunings] = await Promise.all([
        verifyChain(world),
        pruneLog(world, 30),
        pruneLog(other, 30),
        pruneLog(other, 20),
        verifyChain(other),
      ]);
      assert.ok(verified.ok);
      assert.ok(prunings.every(({ ok }) => ok));
      await chainNew(world);
      assert.ok((await verifyChain(other)).ok);
    } finally {
      if (other !== world) await other.close();
    }
  });
});
