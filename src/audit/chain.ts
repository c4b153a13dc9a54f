/**
 * The chain: each audit event gets a number and a hash over itself and the hash of the one before, so that whoever changes, removes or slips
 * one in later breaks every link after it (LO-4). Events are written without it, in the transactions of those who caused them, and chained a
 * moment afterwards by one process at a time: so the chain is no queue in which all writers wait for one another. What is not chained yet is
 * counted by `verifyChain`. The end of the chain is sealed with a key that stands outside the database, so that nobody can cut it off who
 * has the database alone; against whoever has the key too, a checkpoint that is kept elsewhere helps.
 */
import { z } from 'zod';
import { seconds } from '../platform/durations.ts';
import type { Queries } from '../platform/database/database.ts';
import { repeat, type Background } from '../platform/background.ts';
import { sha256 } from '../platform/secrets/digest.ts';
import type { World } from '../platform/world.ts';
import { isMarkOurs, makeMark } from './marks.ts';
import * as store from './store.ts';

const CHAINED_AT_ONCE = 200;
const READ_AT_ONCE = 1000;
const CHAIN_EVERY = seconds(1);
const BEGINNING = { sequence: 0, hash: '' } as const;

/** The hash of an event at its place in the chain, over all that it says and the hash before it. */
export function linkHash(
  before: string,
  sequence: number,
  { id, at, event, account_id, address, user_agent, request_id, details }: store.AuditEventRow,
): string {
  return sha256(JSON.stringify([before, sequence, id, at, event, account_id, address, user_agent, request_id, details]));
}

/** Chains what was written since; returns how many. Nothing where another process does it at this moment. */
export async function chainNew(world: World): Promise<number> {
  let total = 0;
  // Most of the time nothing was, and a transaction would make everybody forget what they remember.
  if ((await store.selectUnchained(world.database.query, 1)).length === 0) return total;
  for (;;) {
    const count = await chainSome(world);
    total += count;
    if (count < CHAINED_AT_ONCE) return total;
  }
}

function chainSome({ database, keys }: World): Promise<number> {
  return database.transaction(async (transaction) => {
    if (!(await store.lockChain(database, transaction))) return 0;
    const events = await store.selectUnchained(transaction, CHAINED_AT_ONCE);
    if (events.length === 0) return 0;
    let { sequence, hash } = (await store.selectHead(transaction)) ?? BEGINNING;
    const links = events.map((event) => {
      sequence += 1;
      hash = linkHash(hash, sequence, event);
      return { id: event.id, sequence, hash };
    });
    await store.writeLinks(transaction, links);
    await store.writeHead(transaction, { sequence, hash, seal: sealOf(keys, sequence, hash) });
    return links.length;
  });
}

export function startChaining(world: World): Background {
  return repeat(world, { name: 'chaining the audit log', every: CHAIN_EVERY, work: () => chainNew(world) });
}

export type Verified =
  | Whole
  /** `sequence`: of the first entry that is not as it was. */
  | { readonly ok: false; readonly sequence: number; readonly reason: Broken };

export interface Whole {
  readonly ok: true;
  readonly entries: number;
  /** The number of the first: 1 unless older ones were removed, as the retention that was set says. */
  readonly first: number;
  readonly head: string;
  /** Written in the last moments, not yet in the chain. */
  readonly unchained: number;
  /** Whether the checkpoint lies before the first entry, so that there is nothing left to hold it against. */
  readonly checkpointIsPast: boolean;
}
export type Broken = 'changed' | 'missing' | 'end-changed' | 'end-missing' | 'beginning-changed' | 'checkpoint-differs' | 'checkpoint-not-signed';

export interface VerifyOptions {
  readonly checkpoint?: Checkpoint;
  /** Called now and then with how many were read. */
  readonly progress?: (entries: number) => void;
}

/** Reads the whole chain, from where it begins, and says where it is broken first. */
export async function verifyChain(world: World, options: VerifyOptions = {}): Promise<Verified> {
  const { query } = world.database;
  const { checkpoint } = options;
  if (checkpoint && !isMarkOurs(world, 'checkpoint', checkpoint)) return { ok: false, sequence: checkpoint.sequence, reason: 'checkpoint-not-signed' };
  for (;;) {
    const beginning = await store.selectBeginning(query);
    if (beginning && !isMarkOurs(world, 'beginning', beginning)) return { ok: false, sequence: beginning.sequence + 1, reason: 'beginning-changed' };
    const verified = await verifyFrom(world, beginning ?? BEGINNING, options);
    // What was removed while it was read, and may be, is not missing.
    if (verified.ok || verified.reason !== 'missing' || (await store.selectBeginning(query))?.sequence === beginning?.sequence) return verified;
  }
}

async function verifyFrom(world: World, beginning: Place, { checkpoint, progress }: VerifyOptions): Promise<Verified> {
  const { query } = world.database;
  // Read before the entries: what is chained meanwhile lies behind it.
  const head = await store.selectHead(query);
  const markRefusal = ({ sequence, hash }: Place): Broken | undefined => {
    if (checkpoint?.sequence === sequence && checkpoint.hash !== hash) return 'checkpoint-differs';
    if (head?.sequence === sequence && (head.hash !== hash || head.seal !== sealOf(world.keys, sequence, hash))) return 'end-changed';
    return undefined;
  };
  let last: Place = beginning;
  let reason = markRefusal(last);
  if (reason) return { ok: false, sequence: last.sequence, reason };
  for await (const event of chained(query, last.sequence)) {
    if (event.sequence !== last.sequence + 1) return { ok: false, sequence: last.sequence + 1, reason: 'missing' };
    if (event.hash !== linkHash(last.hash, event.sequence, event)) return { ok: false, sequence: event.sequence, reason: 'changed' };
    last = { sequence: event.sequence, hash: event.hash };
    reason = markRefusal(last);
    if (reason) return { ok: false, sequence: last.sequence, reason };
    const entries = last.sequence - beginning.sequence;
    if (entries % READ_AT_ONCE === 0) progress?.(entries);
  }
  const least = Math.max(head?.sequence ?? 0, checkpoint?.sequence ?? 0);
  if (last.sequence < least || (head === undefined && last.sequence > 0))
    return { ok: false, sequence: last.sequence + 1, reason: head === undefined ? 'end-missing' : 'missing' };
  return {
    ok: true,
    entries: last.sequence - beginning.sequence,
    first: beginning.sequence + 1,
    head: last.hash,
    unchained: await store.countUnchained(query),
    checkpointIsPast: checkpoint !== undefined && checkpoint.sequence < beginning.sequence,
  };
}

interface Place {
  readonly sequence: number;
  readonly hash: string;
}

async function* chained(queries: Queries, from: number): AsyncGenerator<store.AuditEventRow & { sequence: number; hash: string | null }> {
  let after = from;
  for (;;) {
    const batch = await store.selectChained(queries, after, READ_AT_ONCE);
    for (const event of batch) yield { ...event, sequence: event.sequence! };
    if (batch.length < READ_AT_ONCE) return;
    after = batch.at(-1)!.sequence!;
  }
}

/** What is kept elsewhere: from then on nobody can rewrite what lies before it, the operator included. */
export const checkpointShape = z.strictObject({
  origin: z.string(),
  sequence: z.number().int().positive(),
  hash: z.string(),
  /** Epoch milliseconds. */
  madeAt: z.number(),
  publicKey: z.string(),
  signature: z.string(),
});
export type Checkpoint = Readonly<z.infer<typeof checkpointShape>>;

/** Undefined where nothing was chained yet. */
export async function makeCheckpoint(world: World): Promise<Checkpoint | undefined> {
  await chainNew(world);
  return readCheckpoint(world);
}

/** Of the log as far as it is chained, which is all but the last second of it where the portal runs: it writes nothing. */
export async function readCheckpoint(world: World): Promise<Checkpoint | undefined> {
  const head = await store.selectHead(world.database.query);
  return head && makeMark(world, 'checkpoint', head);
}

const sealOf = (keys: World['keys'], sequence: number, hash: string): string => keys.hash('audit head', String(sequence), hash);
