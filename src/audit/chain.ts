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
import { isSignedBy, makeSigner } from '../platform/secrets/signing.ts';
import type { World } from '../platform/world.ts';
import * as store from './store.ts';

const CHAINED_AT_ONCE = 200;
const READ_AT_ONCE = 1000;
const CHAIN_EVERY = seconds(1);
const BEGINNING = { sequence: 0, hash: '' } as const;

/** The hash of an event at its place in the chain, over all that it says and the hash before it. */
function linkHash(before: string, sequence: number, { id, at, event, account_id, address, user_agent, request_id, details }: store.AuditEventRow): string {
  return sha256(JSON.stringify([before, sequence, id, at, event, account_id, address, user_agent, request_id, details]));
}

/** Chains what was written since; returns how many. Nothing where another process does it at this moment. */
export async function chainNew(world: World): Promise<number> {
  let total = 0;
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
  /** `unchained`: written in the last moments, not yet in the chain. */
  | { readonly ok: true; readonly entries: number; readonly head: string; readonly unchained: number }
  /** `sequence`: of the first entry that is not as it was. */
  | { readonly ok: false; readonly sequence: number; readonly reason: Broken };
export type Broken = 'changed' | 'missing' | 'end-changed' | 'end-missing' | 'checkpoint-differs' | 'checkpoint-not-signed';

/** Reads the whole chain, and says where it is broken first. `progress` is called now and then with how many were read. */
export async function verifyChain(
  world: World,
  { checkpoint, progress }: { checkpoint?: Checkpoint; progress?: (entries: number) => void } = {},
): Promise<Verified> {
  const { query } = world.database;
  // Read before the entries: what is chained meanwhile lies behind it.
  const head = await store.selectHead(query);
  if (checkpoint && !isCheckpointOurs(world, checkpoint)) return { ok: false, sequence: checkpoint.sequence, reason: 'checkpoint-not-signed' };
  let last: { sequence: number; hash: string } = BEGINNING;
  for await (const event of chained(query)) {
    if (event.sequence !== last.sequence + 1) return { ok: false, sequence: last.sequence + 1, reason: 'missing' };
    if (event.hash !== linkHash(last.hash, event.sequence, event)) return { ok: false, sequence: event.sequence, reason: 'changed' };
    last = { sequence: event.sequence, hash: event.hash };
    if (checkpoint?.sequence === last.sequence && checkpoint.hash !== last.hash) return { ok: false, sequence: last.sequence, reason: 'checkpoint-differs' };
    if (head?.sequence === last.sequence && (head.hash !== last.hash || head.seal !== sealOf(world.keys, head.sequence, head.hash))) {
      return { ok: false, sequence: last.sequence, reason: 'end-changed' };
    }
    if (last.sequence % READ_AT_ONCE === 0) progress?.(last.sequence);
  }
  const least = Math.max(head?.sequence ?? 0, checkpoint?.sequence ?? 0);
  if (last.sequence < least || (head === undefined && last.sequence > 0))
    return { ok: false, sequence: last.sequence + 1, reason: head === undefined ? 'end-missing' : 'missing' };
  return { ok: true, entries: last.sequence, head: last.hash, unchained: await store.countUnchained(query) };
}

async function* chained(queries: Queries): AsyncGenerator<store.AuditEventRow & { sequence: number; hash: string | null }> {
  let after = 0;
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
  const head = await store.selectHead(world.database.query);
  if (!head) return undefined;
  const signer = signerOf(world);
  const said = {
    origin: world.installation.origin,
    sequence: head.sequence,
    hash: head.hash,
    madeAt: world.clock.now(),
    publicKey: signer.publicKey,
  };
  return { ...said, signature: signer.sign(signedText(said)) };
}

function isCheckpointOurs(world: World, { signature, ...said }: Checkpoint): boolean {
  return said.publicKey === signerOf(world).publicKey && isSignedBy(said.publicKey, signedText(said), signature);
}

const signedText = ({ origin, sequence, hash, madeAt, publicKey }: Omit<Checkpoint, 'signature'>): string =>
  JSON.stringify(['twinlock audit checkpoint', origin, sequence, hash, madeAt, publicKey]);

const signerOf = ({ keys }: World) => makeSigner(keys.hashBytes('audit checkpoint'));

const sealOf = (keys: World['keys'], sequence: number, hash: string): string => keys.hash('audit head', String(sequence), hash);
