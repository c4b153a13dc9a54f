/**
 * The one mechanism behind growing pauses after wrong guesses and allowances for mail. A limit is a row: every process counts in the same
 * place and a restart forgets nothing. A try is counted before it is looked at (RL-5): `spend` locks the row, a pure function decides, the row
 * is written, and only then does the caller, in the same transaction, compare anything.
 */
import { days, hours, minutes, seconds } from '../durations.ts';
import type { Transaction } from '../database/database.ts';
import { deleteExpired } from '../database/delete-expired.ts';
import type { World } from '../world.ts';
import { afterGuess, afterRequest, afterSend, type Decision } from './may-try.ts';
import * as store from './store.ts';

export interface Guesses {
  readonly kind: 'guesses';
  readonly name: string;
  /** Wrong ones in a row before the first pause; that one still counts as free. */
  readonly free: number;
  /** From this many on nothing is allowed until somebody forgives it; undefined: pauses only. */
  readonly stopsAt: number | undefined;
  /** Milliseconds of quiet after which nothing is left. */
  readonly forgetAfter: number;
}

export interface Sends {
  readonly kind: 'sends';
  readonly name: string;
  /** At most `count` within `window` milliseconds, for each pair. */
  readonly allowances: readonly { readonly count: number; readonly window: number }[];
}

/** Evenly `count` in `window` milliseconds, and as many at once after as long a rest. One number is kept, however many are allowed. */
export interface Rate {
  readonly kind: 'rate';
  readonly name: string;
  readonly count: number;
  readonly window: number;
}

/** Wrong ones only ever pause. */
export type Pauses = Guesses & { readonly stopsAt: undefined };

export type Limit = Guesses | Sends | Rate;

/** `When`: 'never' is an answer of what stops alone. */
export type Spent<When = number | 'never'> =
  | { readonly allowed: true; /** This one included. */ readonly count: number }
  | { readonly allowed: false; /** Epoch milliseconds. */ readonly retryAt: When };

/** RL-1: a second factor pauses from the 5th wrong one on and stops at 50, until it is set up again. */
export const FACTOR_GUESSES: Guesses = { kind: 'guesses', name: 'factor', free: 5, stopsAt: 50, forgetAfter: days(3650) };
/** Codes of printed steps and of what is being set up: only pauses, for what stopped for good here could never be set up again. */
export const SET_UP_GUESSES: Pauses = { kind: 'guesses', name: 'set up', free: 5, stopsAt: undefined, forgetAfter: days(1) };
/** RL-3: wrong passwords only ever pause; whoever hammers an account must not lock its owner out for good. */
export const PASSWORD_GUESSES: Pauses = { kind: 'guesses', name: 'password', free: 5, stopsAt: undefined, forgetAfter: days(1) };
/** Wrong passwords from one client address, whatever the account: generous, since a whole office may share one. */
export const ADDRESS_GUESSES: Pauses = { kind: 'guesses', name: 'address', free: 30, stopsAt: undefined, forgetAfter: hours(1) };
const MAILS = [
  { count: 6, window: minutes(10) },
  { count: 15, window: hours(1) },
];
const MAILS_OF_STRANGERS = [...MAILS, { count: 30, window: days(1) }];
/** EC-7: codes that an account asks for. They come after its password, so no stranger spends what its owner needs to sign in. */
export const CODE_MAILS: Sends = { kind: 'sends', name: 'code mails', allowances: MAILS };
/** Codes to an address that somebody claims and has not proved, for each address: it may be anybody's mailbox. */
export const CLAIM_MAILS: Sends = { kind: 'sends', name: 'claim mails', allowances: MAILS_OF_STRANGERS };
/** Links to choose a new password, for each address. Whoever asks too often keeps nobody out: all that were sent are in the owner's mailbox. */
export const RESET_MAILS: Sends = { kind: 'sends', name: 'reset mails', allowances: MAILS_OF_STRANGERS };
/** Invitations, for each address: it may be anybody's mailbox. */
export const INVITATION_MAILS: Sends = { kind: 'sends', name: 'invitation mails', allowances: MAILS_OF_STRANGERS };
/** Bypass codes for one account: each is a mail, and a new try for whoever talked the last one out of somebody. */
export const BYPASS_CODES: Sends = {
  kind: 'sends',
  name: 'bypass codes',
  allowances: [
    { count: 5, window: hours(1) },
    { count: 10, window: days(1) },
  ],
};
/** Resets that are asked for one person: each is a mail to them, and to all who look after them. */
export const RESETS: Sends = { kind: 'sends', name: 'resets', allowances: [{ count: 3, window: days(1) }] };
/** Questions to a directory by whoever tests a connection: nobody guesses there at others' passwords. */
export const DIRECTORY_TESTS: Sends = { kind: 'sends', name: 'directory tests', allowances: [{ count: 10, window: minutes(10) }] };
/** Asking for help at the second step: each is a mail to the person, and to all who look after them. */
export const HELP_REQUESTS: Sends = { kind: 'sends', name: 'help requests', allowances: [{ count: 3, window: days(1) }] };
/** Telling the people of an organisation what a policy would ask of them: each is a mail to all of them, and drafts can be made without end. */
export const ANNOUNCEMENTS: Sends = {
  kind: 'sends',
  name: 'announcements',
  allowances: [
    { count: 3, window: days(1) },
    { count: 10, window: days(30) },
  ],
};
/** Whatever the address that is given, from one network. */
export const SIGN_UPS: Sends = { kind: 'sends', name: 'sign-ups', allowances: [{ count: 30, window: hours(1) }] };
export const RESET_REQUESTS: Sends = { kind: 'sends', name: 'reset requests', allowances: [{ count: 30, window: hours(1) }] };
/**
 * Sign-outs that no provider signed, from one network, for each connection: its keys are asked for to tell. A good one forgives all, so that a provider that
 * sends those of a whole company at once is held up by none; and providers send from networks of their own.
 */
export const PROVIDER_SIGN_OUTS: Pauses = { kind: 'guesses', name: 'provider sign-outs', free: 200, stopsAt: undefined, forgetAfter: hours(1) };
/**
 * Answers of providers that let nobody in, from one network, for each connection: to verify a large one takes a quarter of a second, and anybody may send it.
 * A good one forgives all.
 */
export const PROVIDER_ANSWERS: Pauses = { kind: 'guesses', name: 'provider answers', free: 200, stopsAt: undefined, forgetAfter: hours(1) };
/** Ways out to identity providers, from one network: each asks a provider what it publishes, and keeps a row. A whole company may share a network. */
export const PROVIDER_TRIPS: Rate = { kind: 'rate', name: 'provider trips', count: 600, window: minutes(1) };
/** Ways into apps, of one account: each is a line of the log, and a browser that an app does not know again comes back without end. */
export const APP_ENTRIES: Rate = { kind: 'rate', name: 'app entries', count: 60, window: minutes(1) };
/** Of one API key. */
export const API_REQUESTS: Rate = { kind: 'rate', name: 'api requests', count: 600, window: minutes(1) };
/** Keys that are none, from one network. Who has a right one is served all the same: nobody comes upon 256 bits by trying, and a neighbour must not shut others out. */
export const API_KEY_GUESSES: Pauses = { kind: 'guesses', name: 'api key', free: 30, stopsAt: undefined, forgetAfter: hours(1) };

/** Counts one try; what it may cost is the caller's to give back by `forgive`. */
export async function spend(transaction: Transaction, world: World, limit: Pauses | Sends | Rate, ...keyParts: string[]): Promise<Spent<number>>;
export async function spend(transaction: Transaction, world: World, limit: Limit, ...keyParts: string[]): Promise<Spent>;
export async function spend(transaction: Transaction, world: World, limit: Limit, ...keyParts: string[]): Promise<Spent> {
  const key = keyOf(world, limit, keyParts);
  const marks = await store.lockMarks(transaction, key);
  const now = world.clock.now();
  const decision = decide(limit, marks, now);
  await store.writeMarks(transaction, key, decision.marks, now + keptFor(limit));
  return decision.spent;
}

/** After a success: what was counted is forgotten. */
export async function forgive(transaction: Transaction, world: World, limit: Limit, ...keyParts: string[]): Promise<void> {
  await store.deleteMarks(transaction, keyOf(world, limit, keyParts));
}

/** Gives one counted try back, where it turned out to be no guess, and leaves the others counted. */
export async function giveBack(transaction: Transaction, world: World, limit: Guesses, ...keyParts: string[]): Promise<void> {
  const key = keyOf(world, limit, keyParts);
  const [count = 0, lastAt = 0] = await store.lockMarks(transaction, key);
  await store.writeMarks(transaction, key, [Math.max(0, count - 1), lastAt], world.clock.now() + limit.forgetAfter);
}

export async function sweepLimits({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'limits', key: 'key', column: 'forget_at', before: clock.now() })];
}

function decide(limit: Limit, marks: readonly number[], now: number): Decision {
  switch (limit.kind) {
    case 'guesses':
      return afterGuess(limit, marks, now);
    case 'sends':
      return afterSend(limit, marks, now);
    case 'rate':
      return afterRequest(limit, marks, now);
  }
}

/** Keys are hashed: the table must not be a list of addresses. */
function keyOf(world: World, limit: Limit, parts: readonly string[]): string {
  return world.keys.hash('limit key', limit.name, ...parts);
}

function keptFor(limit: Limit): number {
  if (limit.kind === 'guesses') return limit.forgetAfter;
  return (limit.kind === 'rate' ? limit.window : Math.max(...limit.allowances.map((one) => one.window))) + seconds(1);
}

/** The part of a client's address that counts as one client: a household has a whole /64 of IPv6. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head, tail] = address.split('::', 2) as [string, string | undefined];
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? left : [...left, ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
