/**
 * A write that is sent again because its answer got lost is done once. Whoever asks gives it a key of their own (the header Idempotency-Key); the answer is kept
 * under it for a day, sealed, since it may hold what is shown once, and given again to the same request of the same caller. What was refused did nothing: its
 * key is free again. A request whose process died in the middle may be done again after a minute: then nobody knows how far the first one came.
 */
import { deleteExpired } from '../database/delete-expired.ts';
import { hours, minutes, seconds } from '../durations.ts';
import { Problem } from '../problem.ts';
import type { World } from '../world.ts';
import * as store from './store.ts';

export interface Answer {
  readonly status: number;
  /** JSON; null where there is none. */
  readonly body: string | null;
  /** Of the version that the body has. */
  readonly etag?: string;
}

const KEPT_FOR = hours(24);
/** Longer than any request lasts. */
const STALE_AFTER = minutes(1);
/** Visible ASCII, as a header has it. */
const KEY = /^[\x21-\x7e]{1,255}$/;

interface Once {
  readonly caller: string;
  /** The header. Undefined where there is none: then each request is done. */
  readonly key: string | undefined;
  /** All that makes the request what it is. */
  readonly request: readonly string[];
}

/** Does it, or answers as it was answered before. */
export async function once(world: World, { caller, key, request }: Once, work: () => Promise<Answer>): Promise<Answer & { readonly replayed: boolean }> {
  if (key === undefined) return { ...(await work()), replayed: false };
  if (!KEY.test(key)) throw new Problem('bad-request', 'Idempotency-Key has to be 1 to 255 visible characters of ASCII.');
  const now = world.clock.now();
  const row = {
    id: world.keys.hash('idempotency key', caller, key),
    request_hash: world.keys.hash('idempotency request', ...request),
    claimed_at: now,
    expires_at: now + KEPT_FOR,
  };
  const { query } = world.database;
  if (!(await store.claimRow(query, row, now - STALE_AFTER))) return { ...(await answerBefore(world, row)), replayed: true };
  try {
    const answer = await work();
    await store.writeAnswer(query, row, world.keys.seal(placeOf(row.id), JSON.stringify(answer)));
    return { ...answer, replayed: false };
  } catch (error) {
    // A refusal did nothing. Of anything else nobody knows what it did: its key stays taken, until it is stale.
    if (error instanceof Problem && error.status < 500) await store.deleteRow(query, row);
    throw error;
  }
}

async function answerBefore(world: World, { id, request_hash }: { id: string; request_hash: string }): Promise<Answer> {
  const found = await store.selectRow(world.database.query, id);
  if (found && found.request_hash !== request_hash)
    throw new Problem('idempotency-key-reused', 'This Idempotency-Key was given to another request before. Make a new one for each.');
  if (!found?.answer)
    throw new Problem('in-progress', 'The same request is being done at this moment. Ask again, and you get its answer.', {
      retryAt: world.clock.now() + seconds(1),
    });
  return JSON.parse(world.keys.open(placeOf(id), found.answer)) as Answer;
}

const placeOf = (id: string) => ['idempotency_keys', id, 'answer'] as const;

export async function sweepIdempotencyKeys({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'idempotency_keys', key: 'id', column: 'expires_at', before: clock.now() })];
}
