/**
 * The log of an organisation, streamed out: its events in the order of the chain, in signed batches, each at least once. How far it has come is a number in
 * a row: a receiver that is down costs no memory, and a process that dies in the middle leaves a lease behind which ends, and a batch that is sent again
 * under the same id, by which the receiver knows it. One batch of a receiver is on its way at a time, over all processes.
 */
import { hours, minutes, seconds } from '../platform/durations.ts';
import { repeat, type Background } from '../platform/background.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { postOut, type Posted } from '../platform/http/post-out.ts';
import { makeWebhookSecret, webhookHeaders } from '../platform/secrets/webhook-signature.ts';
import { makeId } from '../platform/secrets/tokens.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { jsonOf, seenOf } from './reading.ts';
import * as store from './store.ts';

const RECEIVERS_AT_ONCE = 8;
const EVENTS_IN_A_BATCH = 100;
const BATCH_CHARACTERS_MOST = 256 * 1024;
/** How many events of others are passed over in one look. */
const LOOKED_THROUGH_AT_ONCE = 5000;
const BATCHES_IN_A_ROW = 20;
/** Longer than a delivery may take. */
const LEASE = minutes(1);
const FIRST_WAIT = seconds(5);
const LONGEST_WAIT = hours(1);

export interface Webhook {
  readonly host: string;
  readonly paused: boolean;
  readonly createdAt: number;
  readonly lastDeliveredAt: number | null;
  /** What went wrong at the last try; undefined where it went well. */
  readonly failure: { readonly reason: string; readonly at: number; readonly tries: number; readonly nextTryAt: number } | undefined;
}

export async function findWebhook(queries: Queries, organisationId: string): Promise<Webhook | undefined> {
  const row = await store.selectWebhook(queries, organisationId);
  if (!row) return undefined;
  const failed = row.failures > 0 && row.last_failure !== null && row.last_failed_at !== null;
  return {
    host: row.host,
    paused: row.paused === 1,
    createdAt: row.created_at,
    lastDeliveredAt: row.last_delivered_at,
    failure: failed ? { reason: row.last_failure!, at: row.last_failed_at!, tries: row.failures, nextTryAt: row.next_try_at } : undefined,
  };
}

/** The whole address, which may hold a token of the receiver's. */
export async function readWebhookAddress(world: World, organisationId: string): Promise<string | undefined> {
  const row = await store.selectWebhook(world.database.query, organisationId);
  return row && open(world, row).url;
}

/** From now on, or from where the one before had come. Returns the secret, which is shown once. */
export async function putWebhook(world: World, transaction: Transaction, { organisationId, url }: { organisationId: string; url: URL }): Promise<string> {
  const before = await store.selectWebhook(transaction, organisationId);
  const id = makeId(world);
  const secret = makeWebhookSecret(world);
  await store.putWebhook(transaction, {
    organisation_id: organisationId,
    id,
    receiver: world.keys.seal(['audit_webhooks', id, 'receiver'], JSON.stringify({ url: url.href, secret } satisfies Receiver)),
    host: url.host,
    paused: 0,
    position: before?.position ?? (await store.selectHead(transaction))?.sequence ?? 0,
    batch_end: null,
    leased_until: 0,
    next_try_at: 0,
    failures: 0,
    last_delivered_at: null,
    last_failed_at: null,
    last_failure: null,
    created_at: world.clock.now(),
  });
  return secret;
}

export const pauseWebhook = store.updatePaused;
export const removeWebhook = store.deleteWebhook;

/** Sends a message without events, now. It changes nothing of what is streamed. */
export async function sendTestEvent(world: World, organisationId: string): Promise<Posted | undefined> {
  const row = await store.selectWebhook(world.database.query, organisationId);
  return row && send(world, row, { id: `test-${makeId(world)}`, type: 'audit.test', events: [] });
}

/** What could not be delivered for about a day. */
export interface Stuck {
  readonly organisationId: string;
  readonly host: string;
  readonly reason: string;
}
/** Told once: a copy that is kept elsewhere, and stops being one, is what somebody who wants to rewrite the log would wish for. */
type TellOfStuck = (stuck: Stuck) => Promise<void>;
const STUCK_AFTER_FAILURES = 32;

/** Delivers what waits and is due; returns how many batches were taken by their receivers. */
export async function deliverWebhooks(world: World, tell: TellOfStuck = async () => undefined): Promise<number> {
  const due = await store.selectDueWebhooks(world.database.query, world.clock.now());
  let delivered = 0;
  const work = async (): Promise<void> => {
    for (let row = due.shift(); row; row = due.shift()) delivered += await deliverTo(world, row, tell);
  };
  // A receiver that is slow keeps one hand busy, and not all of them.
  await Promise.all(Array.from({ length: RECEIVERS_AT_ONCE }, work));
  return delivered;
}

export function startStreaming(world: World, tell: TellOfStuck): Background {
  return repeat(world, { name: 'streaming the audit log', every: seconds(1), work: () => deliverWebhooks(world, tell) });
}

async function deliverTo(world: World, { id }: store.WebhookRow, tell: TellOfStuck): Promise<number> {
  for (let batches = 0; batches < BATCHES_IN_A_ROW; batches++) if (!(await deliverBatch(world, id, tell))) return batches;
  return BATCHES_IN_A_ROW;
}

/** False where nothing was delivered. */
async function deliverBatch(world: World, id: string, tell: TellOfStuck): Promise<boolean> {
  const { query } = world.database;
  const before = await store.selectWebhookById(query, id);
  // Looked at before anything is written: most of the time nothing waits.
  if (!before || (await readBatch(query, before)).length === 0) return before !== undefined && passOver(query, before);
  const now = world.clock.now();
  if (!(await store.leaseWebhook(query, id, { now, until: now + LEASE }))) return false;
  const row = await store.selectWebhookById(query, id);
  const events = row ? await readBatch(query, row) : [];
  const last = events.at(-1)?.sequence;
  if (!row || last === undefined || last === null) return false;
  // Noted before it is sent: a try after this one sends the same events under the same id.
  await store.noteBatch(query, id, last);
  const posted = await send(world, row, {
    id: `${id}-${row.position + 1}-${last}`,
    type: 'audit.events',
    events: events.map((event) => jsonOf(seenOf(event))),
  });
  if (!posted.ok && row.failures + 1 === STUCK_AFTER_FAILURES) await tell({ organisationId: row.organisation_id, host: row.host, reason: failureIn(posted) });
  await note(world, row, { posted, last });
  return posted.ok;
}

/** The next events, no more than a message may hold; those of the batch that was begun, where one was. */
async function readBatch(queries: Queries, row: store.WebhookRow): Promise<store.SeenEventRow[]> {
  const events = await store.selectStreamed(queries, {
    organisationId: row.organisation_id,
    after: row.position,
    upTo: row.batch_end ?? row.position + LOOKED_THROUGH_AT_ONCE,
    most: EVENTS_IN_A_BATCH,
  });
  let characters = 0;
  return events.filter((event, index) => {
    characters += event.details.length + (event.user_agent ?? '').length;
    return index === 0 || row.batch_end !== null || characters <= BATCH_CHARACTERS_MOST;
  });
}

/** Moves on where nothing of many events was the organisation's: false where the end is near. */
async function passOver(queries: Queries, { id, position, batch_end }: store.WebhookRow): Promise<boolean> {
  const head = await store.selectHead(queries);
  // What a batch held may be past its retention by now.
  const to = batch_end ?? position + LOOKED_THROUGH_AT_ONCE;
  if (!head || (batch_end === null && to > head.sequence)) return false;
  return store.movePosition(queries, id, { from: position, to });
}

async function note(world: World, { id, position, failures }: store.WebhookRow, { posted, last }: { posted: Posted; last: number }): Promise<void> {
  const { query } = world.database;
  const now = world.clock.now();
  if (posted.ok) return store.noteDelivered(query, id, { from: position, to: last, now });
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(failures, 16));
  return store.noteFailed(query, id, { failure: failureIn(posted), now, nextTryAt: now + wait });
}

/** Our own words: nothing of what a receiver says comes into the console. */
export function failureIn(posted: Posted): string {
  if (posted.ok) return '';
  switch (posted.reason) {
    case 'private-address':
      return 'its address is of a private network, where nothing is sent';
    case 'unknown-host':
      return 'its name was not found';
    case 'no-connection':
      return 'no connection could be made';
    case 'certificate':
      return 'its certificate is not one to trust';
    case 'too-slow':
      return 'it did not answer within ten seconds';
    case 'redirect':
      return `it answered with a redirect (${posted.status}), and none is followed`;
    case 'status':
      return `it answered with the status ${posted.status}`;
  }
}

interface Receiver {
  readonly url: string;
  readonly secret: string;
}

const open = ({ keys }: World, { id, receiver }: store.WebhookRow): Receiver => JSON.parse(keys.open(['audit_webhooks', id, 'receiver'], receiver)) as Receiver;

function send(world: World, row: store.WebhookRow, { id, type, events }: { id: string; type: string; events: readonly string[] }): Promise<Posted> {
  const { url, secret } = open(world, row);
  const at = world.clock.now();
  const front = JSON.stringify({ type, timestamp: isoOf(at), organisation: row.organisation_id }).slice(0, -1);
  const body = `${front},"events":[${events.join(',')}]}`;
  const headers = { 'content-type': 'application/json', 'user-agent': 'Twinlock', ...webhookHeaders(secret, { id, at, body }) };
  return postOut({ url: new URL(url), headers, body, allowPrivate: world.installation.development });
}
