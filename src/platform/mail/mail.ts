/**
 * Outgoing mail. It is written into the outbox in the transaction that it belongs to, so that neither is there without the other, and leaves from there:
 * a crash or a dead mail server loses nothing, and what the server has taken is not sent again. A row is claimed for a while by one conditional
 * write before it is sent, so that of many processes one sends it. If a process dies between the server's yes and our note of it, the mail goes
 * again under the same Message-ID, which lets the receiver tell.
 */
import { days, hours, minutes, seconds } from '../durations.ts';
import type { Transaction } from '../database/database.ts';
import { deleteExpired } from '../database/delete-expired.ts';
import { makeId } from '../secrets/tokens.ts';
import type { World } from '../world.ts';
import { layOut, type LaidOut } from './layout.ts';
import type { Addressee, Message } from './message.ts';
import * as store from './store.ts';

/** The wire. `send` resolves only when the mail was taken. */
export interface Transport {
  send(mail: Outgoing): Promise<void>;
  /** Sent mail stays in the outbox, for the page that shows it. */
  readonly keepsSent: boolean;
  close(): void;
}

export interface Outgoing extends LaidOut {
  readonly to: Addressee;
  /** The same for every try of one mail. */
  readonly messageId: string;
}

/** Thrown by a transport where trying again is no use: the address does not exist, say. */
export class PermanentMailError extends Error {}

/** So many are sent at a time, each on a connection of its own. */
export const CONNECTIONS_MOST = 3;
/** Longer than the longest conversation that smtp.ts allows, so that no other process takes over a mail that is still on its way. */
const LEASE = minutes(4);
const PAUSES = [seconds(10), seconds(30), minutes(1), minutes(5), minutes(15), hours(1)];
const GIVE_UP_AFTER = days(2);
const AT_ONCE = 20;
const KEPT_FOR = days(7);

export async function post(world: Pick<World, 'clock' | 'random' | 'keys'>, transaction: Transaction, messages: readonly Message[]): Promise<void> {
  const now = world.clock.now();
  for (const message of messages) {
    const id = makeId(world);
    await store.insertMail(transaction, {
      id,
      message: world.keys.seal(place(id), JSON.stringify(message)),
      created_at: now,
      next_try_at: now,
      expires_at: message.expiresAt ?? now + GIVE_UP_AFTER,
      tries: 0,
      sent_at: null,
    });
  }
}

/**
 * Sends what is due; returns how many were taken. `unnoted`: mails that were taken while the database could not be told so; the next call only makes
 * the note.
 */
export async function deliverDue(world: World, transport: Transport, unnoted = new Set<string>()): Promise<number> {
  for (const id of unnoted) await note(world, transport, id, unnoted);
  const due = await store.selectDue(world.database.query, world.clock.now(), AT_ONCE);
  let taken = 0;
  // One is claimed only when its turn has come: one that waited in line could outlast its lease.
  const send = async (): Promise<void> => {
    for (let row = due.shift(); row; row = due.shift()) if (await deliver(world, transport, row, unnoted)) taken += 1;
  };
  const ended = await Promise.allSettled(Array.from({ length: CONNECTIONS_MOST }, send));
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return taken;
}

async function deliver(world: World, transport: Transport, row: store.OutboxRow, unnoted: Set<string>): Promise<boolean> {
  const { query } = world.database;
  const now = world.clock.now();
  if (now >= row.expires_at) {
    world.log.warn('mail expired', { id: row.id, tries: row.tries });
    await store.deleteMail(query, row.id);
    return false;
  }
  const claimed = await store.claim(query, row, now + LEASE);
  if (!claimed) return false;
  const message = readMessage(world, row);
  try {
    await transport.send({
      ...layOut(message, world.installation.name),
      to: message.to,
      messageId: `<${row.id}@${new URL(world.installation.origin).hostname}>`,
    });
  } catch (error) {
    const permanent = error instanceof PermanentMailError;
    world.log.warn(permanent ? 'mail refused' : 'mail not sent', {
      id: row.id,
      tries: claimed.tries,
      error: error instanceof Error ? error.message : String(error),
    });
    if (permanent) await store.deleteMail(query, row.id);
    else await store.retryAt(query, claimed, world.clock.now() + PAUSES[Math.min(row.tries, PAUSES.length - 1)]!);
    return false;
  }
  unnoted.add(row.id);
  await note(world, transport, row.id, unnoted);
  return true;
}

async function note({ database: { query }, clock }: World, transport: Transport, id: string, unnoted: Set<string>): Promise<void> {
  if (transport.keepsSent) await store.markSent(query, id, clock.now());
  else await store.deleteMail(query, id);
  unnoted.delete(id);
}

/** The newest mails of a transport that keeps them. */
export async function listSent(world: World, most: number): Promise<(LaidOut & { to: Addressee; sentAt: number })[]> {
  const rows = await store.selectSent(world.database.query, most);
  return rows.map((row) => {
    const message = readMessage(world, row);
    return { ...layOut(message, world.installation.name), to: message.to, sentAt: row.sent_at! };
  });
}

/** Mail that was sent and kept, for development's page. What could not be sent in time is dropped, and logged, when its turn comes. */
export async function sweepMail({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'outbox', key: 'id', column: 'sent_at', before: clock.now() - KEPT_FOR })];
}

function readMessage(world: World, row: store.OutboxRow): Message {
  return JSON.parse(world.keys.open(place(row.id), row.message)) as Message;
}

const place = (id: string) => ['outbox', id, 'message'] as const;

/** Delivers now and then, and soon after `nudge`. */
export function startDelivery(world: World, transport: Transport): { nudge(): void; stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  let nudges = 0;
  const unnoted = new Set<string>();
  const run = async (): Promise<void> => {
    for (let seen = -1; seen !== nudges;) {
      // What is posted from here on is due after this look at the outbox, and its nudge asks for another.
      seen = nudges;
      try {
        while ((await deliverDue(world, transport, unnoted)) > 0);
      } catch (error) {
        world.log.error('mail delivery failed', { error: error instanceof Error ? error.message : String(error) });
      }
    }
    running = undefined;
  };
  const nudge = (): void => {
    nudges += 1;
    running ??= run();
  };
  const timer = setInterval(nudge, seconds(2));
  timer.unref();
  return {
    nudge,
    async stop() {
      clearInterval(timer);
      await running;
      transport.close();
    },
  };
}

export const dropEveryMail = store.deleteEveryMail;
