/**
 * How long events are kept. What is older goes, the oldest first and in small batches, and the log begins behind it: the place of the last that went is kept,
 * signed with a key that stands outside the database, in the same transaction. So the rest stays provable, and says from where on. Nothing is removed that
 * is not as it was written: pruning must not be how somebody gets rid of the traces of having changed it (LO-4). And nothing goes that a receiver waits for,
 * before a week more has passed: then it is given up.
 */
import { days, hours } from '../platform/durations.ts';
import { breathe, repeat, type Background } from '../platform/background.ts';
import type { World } from '../platform/world.ts';
import { linkHash, type Broken } from './chain.ts';
import { isMarkOurs, makeMark } from './marks.ts';
import { commandLine, record } from './record.ts';
import * as store from './store.ts';

const PRUNED_AT_ONCE = 1000;
/**
 * How much longer than it would be kept something waits for a receiver that does not take it, or is paused. Events are kept 30 days at least, and those who look
 * after the receiver are told after one: a week more is for whoever was away, and keeps the operator's word about how long that is.
 */
const WAITS_FOR_RECEIVERS = days(7);
const BEGINNING = { sequence: 0, hash: '' } as const;

export type Pruned =
  /** How many went. */
  | { readonly ok: true; readonly entries: number }
  /** Nothing from this entry on was removed, since it is not as it was written. */
  | { readonly ok: false; readonly entries: number; readonly sequence: number; readonly reason: Broken };

/** Removes what is older than so many days. */
export async function pruneLog(world: World, keptDays: number): Promise<Pruned> {
  const cutoff = world.clock.now() - days(keptDays);
  let entries = 0;
  for (;;) {
    const pruned = await pruneSome(world, cutoff);
    entries += pruned.entries;
    await breathe();
    if (pruned.ok && pruned.entries === PRUNED_AT_ONCE) continue;
    return { ...pruned, entries };
  }
}

export function startPruning(world: World, keptDays: number): Background {
  return repeat(world, {
    name: 'pruning the audit log',
    every: hours(1),
    work: async () => {
      const pruned = await pruneLog(world, keptDays);
      if (!pruned.ok) throw new Error(`The audit log is not as it was written: entry ${pruned.sequence} (${pruned.reason}). Nothing from there on is removed.`);
    },
  });
}

function pruneSome(world: World, cutoff: number): Promise<Pruned> {
  return world.database.transaction(async (transaction): Promise<Pruned> => {
    // Who chains moves the end, and another process may be pruning: one at a time.
    if (!(await store.lockChain(world.database, transaction))) return { ok: true, entries: 0 };
    const [beginning, head] = [await store.selectBeginning(transaction), await store.selectHead(transaction)];
    if (!head) return { ok: true, entries: 0 };
    let last: { sequence: number; hash: string } = beginning ?? BEGINNING;
    const refused = (sequence: number, reason: Broken): Pruned => ({ ok: false, entries: 0, sequence, reason });
    if (beginning && !isMarkOurs(world, 'beginning', beginning)) return refused(beginning.sequence, 'beginning-changed');
    // The chain goes from its beginning: one receiver that is behind holds back the rest, for so long.
    const delivered = (await store.selectLeastDelivered(transaction)) ?? Infinity;
    let entries = 0;
    for (const event of await store.selectChained(transaction, last.sequence, PRUNED_AT_ONCE)) {
      const sequence = last.sequence + 1;
      if (event.sequence !== sequence) return refused(sequence, 'missing');
      if (event.hash === null || event.hash !== linkHash(last.hash, sequence, event)) return refused(sequence, 'changed');
      // The last one stays: it is what the end is held against.
      const kept = sequence > delivered ? cutoff - WAITS_FOR_RECEIVERS : cutoff;
      if (event.at >= kept || sequence >= head.sequence) break;
      last = { sequence, hash: event.hash };
      entries += 1;
    }
    if (entries === 0) return { ok: true, entries };
    await store.putBeginning(transaction, makeMark(world, 'beginning', last));
    await store.deleteUpTo(transaction, last.sequence);
    const details = { entries: String(entries), through: String(last.sequence) };
    // The operator has set it so.
    await record(world, transaction, { event: 'audit_log_pruned', accountId: null, from: commandLine, details });
    return { ok: true, entries };
  });
}
