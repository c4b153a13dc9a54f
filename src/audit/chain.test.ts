import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transaction } from '../platform/database/database.ts';
import { forEachDatabase, type TestWorld } from '../../test/support/world.ts';
import { chainNew, makeCheckpoint, record, verifyChain, type Verified } from './audit.ts';

const from = { address: '192.0.2.1', userAgent: 'Firefox', requestId: 'r' };

async function happen(world: TestWorld, times: number): Promise<void> {
  await world.database.transaction(async (transaction) => {
    for (let time = 0; time < times; time++)
      await record(world, transaction, { event: 'authn_login_fail', accountId: null, from, details: { reason: `${time}` } });
  });
}

async function tamper(world: TestWorld, change: (transaction: Transaction) => Promise<unknown>): Promise<Verified> {
  await world.database.transaction(change);
  return verifyChain(world);
}

const broken = (sequence: number, reason: string) => ({ ok: false, sequence, reason });

forEachDatabase((engine, make) => {
  test('LO-4: events are chained in batches, and the whole chain verifies', async () => {
    const world = await make();
    assert.deepEqual(await verifyChain(world), { ok: true, entries: 0, first: 1, head: '', unchained: 0, checkpointIsPast: false });
    await happen(world, 450);
    assert.deepEqual(await verifyChain(world), { ok: true, entries: 0, first: 1, head: '', unchained: 450, checkpointIsPast: false });
    assert.equal(await chainNew(world), 450);
    await happen(world, 3);
    const verified = await verifyChain(world);
    assert.ok(verified.ok);
    assert.deepEqual([verified.entries, verified.unchained], [450, 3]);
  });

  test('LO-4: an entry that was changed, removed, slipped in or renumbered is named, and so is a log that was cut off', async () => {
    const made = async () => {
      const world = await make();
      await happen(world, 5);
      await chainNew(world);
      return world;
    };
    for (const change of [
      { event: 'authn_login_success' },
      { at: 1 },
      { account_id: 'x' },
      { address: null },
      { user_agent: 'y' },
      { request_id: 'z' },
      { details: '{}' },
      { hash: 'h' },
    ]) {
      const world = await made();
      assert.deepEqual(await tamper(world, (t) => t.updateTable('audit_events').set(change).where('sequence', '=', 3).execute()), broken(3, 'changed'));
    }
    const removed = await made();
    assert.deepEqual(await tamper(removed, (t) => t.deleteFrom('audit_events').where('sequence', '=', 2).execute()), broken(2, 'missing'));
    const cut = await made();
    assert.deepEqual(await tamper(cut, (t) => t.deleteFrom('audit_events').where('sequence', '>=', 4).execute()), broken(4, 'missing'));
    const cutWithHead = await made();
    const headMoved = await tamper(cutWithHead, async (t) => {
      await t.deleteFrom('audit_events').where('sequence', '=', 5).execute();
      const { hash } = await t.selectFrom('audit_events').select('hash').where('sequence', '=', 4).executeTakeFirstOrThrow();
      await t.updateTable('audit_heads').set({ sequence: 4, hash: hash! }).execute();
    });
    assert.deepEqual(headMoved, broken(4, 'end-changed'));
    const headless = await made();
    assert.deepEqual(await tamper(headless, (t) => t.deleteFrom('audit_heads').execute()), broken(6, 'end-missing'));
    const emptied = await made();
    assert.deepEqual(await tamper(emptied, (t) => t.deleteFrom('audit_events').execute()), broken(1, 'missing'));
  });

  test('LO-4: a checkpoint shows that the log was rewritten, whoever holds the keys; a forged one is refused', async () => {
    const world = await make();
    assert.equal(await makeCheckpoint(world), undefined);
    await happen(world, 4);
    const checkpoint = (await makeCheckpoint(world))!;
    await happen(world, 2);
    await chainNew(world);
    assert.ok((await verifyChain(world, { checkpoint })).ok);
    for (const forged of [{ hash: 'other' }, { sequence: 3 }, { origin: 'https://evil.example' }, { madeAt: 1 }, { signature: 'x' }, { publicKey: 'x' }]) {
      const verified = await verifyChain(world, { checkpoint: { ...checkpoint, ...forged } });
      assert.deepEqual(verified, broken(forged.sequence ?? 4, 'checkpoint-not-signed'));
    }
    // The operator changes the past and chains all of it anew, with the right keys.
    await world.database.query.updateTable('audit_events').set({ sequence: null, hash: null }).execute();
    await world.database.query.deleteFrom('audit_heads').execute();
    await world.database.query.updateTable('audit_events').set({ details: '{"reason":"9"}' }).where('details', '=', '{"reason":"1"}').execute();
    await chainNew(world);
    assert.ok((await verifyChain(world)).ok);
    assert.deepEqual(await verifyChain(world, { checkpoint }), broken(4, 'checkpoint-differs'));
    // Or throws all of it away.
    await world.database.query.deleteFrom('audit_events').execute();
    await world.database.query.deleteFrom('audit_heads').execute();
    assert.equal((await verifyChain(world, { checkpoint })).ok, false);
  });

  test('two processes that chain at once make one chain, while others write', async () => {
    const world = await make();
    // Two connections of one thread to a SQLite file would wait for each other; there a second process is one in truth (test/commands).
    const other = engine === 'postgres' ? await world.secondProcess() : world;
    try {
      await Promise.all([
        ...Array.from({ length: 8 }, () => happen(world, 25)),
        ...Array.from({ length: 8 }, () => happen(other, 25)),
        ...Array.from({ length: 6 }, (_, turn) => chainNew(turn % 2 === 0 ? world : other)),
      ]);
      await chainNew(world);
      const verified = await verifyChain(other);
      assert.ok(verified.ok);
      assert.deepEqual([verified.entries, verified.unchained], [400, 0]);
    } finally {
      if (other !== world) await other.close();
    }
  });
});
