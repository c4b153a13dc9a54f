// What an organisation sees of the log: its own events, the newest first. Which those are was written beside each event, see `record`.
import type { Queries } from '../platform/database/database.ts';
import { isoOf } from '../platform/words/times.ts';
import { eventKindOf, eventsOf, OPERATOR, type Details, type DoneBy, type EventGroup, type EventResult } from './event-kinds.ts';
import * as store from './store.ts';

export interface SeenEvent {
  readonly id: string;
  readonly at: number;
  readonly event: string;
  readonly result: EventResult;
  /** Whom it happened to, as they were called then; undefined where no account is known. */
  readonly on: { readonly accountId: string; readonly name: string; readonly email: string } | undefined;
  readonly by: Author;
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
  readonly details: Details;
  /** Its place in the chain; undefined for a moment, until it has one. */
  readonly link: { readonly sequence: number; readonly hash: string } | undefined;
}

/** `owner`: whom it happened to. `unknown`: somebody who had shown nothing yet. */
export type Author =
  | { readonly kind: 'account'; readonly accountId: string }
  | { readonly kind: 'key'; readonly keyId: string }
  | { readonly kind: 'owner' | 'unknown' | 'operator' };

export interface SeenFilter {
  /** Of these alone, beside what group and result say. */
  readonly events?: readonly string[] | undefined;
  readonly group: EventGroup | undefined;
  readonly result: EventResult | undefined;
  /** Undefined for everybody. */
  readonly accounts: readonly string[] | undefined;
  readonly address: string | undefined;
  /** From this moment on, and before that one. */
  readonly from: number | undefined;
  readonly before: number | undefined;
}

export interface SeenPage {
  readonly events: readonly SeenEvent[];
  /** Where the next page begins; undefined where this is the last. */
  readonly next: string | undefined;
}

/** `after`: the `next` of the page before, '' for the first. What is none begins at the first. */
export async function listSeenEvents(
  queries: Queries,
  organisationId: string,
  { filter, after, most }: { filter: SeenFilter; after: string; most: number },
): Promise<SeenPage> {
  const { accounts, address, from, before } = filter;
  const any = filter.events === undefined && filter.group === undefined && filter.result === undefined && address === undefined;
  const events = any ? undefined : eventsOf(filter).filter((event) => filter.events?.includes(event) ?? true);
  const rows = await store.selectSeen(queries, { organisationId, events, accounts, address, from, before, after: readCursor(after), most: most + 1 });
  const shown = rows.slice(0, most);
  const last = shown.at(-1);
  return { events: shown.map(seenOf), next: rows.length > most && last ? cursorOf(last) : undefined };
}

/** Undefined where that event is not the organisation's. */
export async function findSeenEvent(queries: Queries, organisationId: string, eventId: string): Promise<SeenEvent | undefined> {
  const row = await store.selectSeenOne(queries, organisationId, eventId);
  return row && seenOf(row);
}

/**
 * One line of JSON, as files and receivers get it: the facts, without our words for them. What could break a line or colour a terminal is escaped, which
 * changes no value (LO-3).
 */
export function jsonOf({ id, at, event, result, on, by, address, userAgent, requestId, details, link }: SeenEvent): string {
  const author = by.kind === 'account' ? by.accountId : by.kind === 'owner' ? on?.accountId : undefined;
  const said = {
    id,
    at: isoOf(at),
    event,
    result,
    account: on ? { id: on.accountId, name: on.name, email: on.email } : null,
    by: { kind: by.kind, account: author ?? null, key: by.kind === 'key' ? by.keyId : null },
    address,
    userAgent,
    requestId,
    details,
    sequence: link?.sequence ?? null,
    hash: link?.hash ?? null,
  };
  return JSON.stringify(said).replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// What JSON.stringify lets through: deletes, C1, line ends of Unicode, and marks that turn the direction of what stands around them.
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

export function seenOf(row: store.SeenEventRow): SeenEvent {
  const kind = eventKindOf(row.event);
  const details = JSON.parse(row.details) as Details;
  return {
    id: row.id,
    at: row.at,
    event: row.event,
    result: kind?.result ?? 'success',
    on: row.account_id === null ? undefined : { accountId: row.account_id, name: row.name ?? '', email: row.email ?? '' },
    by: authorOf(row, details, kind?.by ?? 'owner'),
    address: row.address ?? '',
    userAgent: row.user_agent ?? '',
    requestId: row.request_id ?? '',
    details,
    link: row.sequence === null || row.hash === null ? undefined : { sequence: row.sequence, hash: row.hash },
  };
}

function authorOf({ user_agent, account_id }: store.AuditEventRow, { by }: Details, done: DoneBy): Author {
  if (done === 'named' && by !== undefined) return by.startsWith(KEY) ? { kind: 'key', keyId: by.slice(KEY.length) } : { kind: 'account', accountId: by };
  if (user_agent === OPERATOR) return { kind: 'operator' };
  return { kind: done === 'unknown' || account_id === null ? 'unknown' : 'owner' };
}

/** As whoever acts by an API key is recorded. */
const KEY = 'key ';

/** The `after` of what lies behind an event. */
export const cursorBehind = (event: SeenEvent): string => cursorOf(event);

const cursorOf = ({ at, id }: { at: number; id: string }): string => `${at.toString(36)}.${id}`;

function readCursor(text: string): { at: number; id: string } | undefined {
  const [, at, id] = /^([\da-z]{1,9})\.([\w-]{1,64})$/.exec(text) ?? [];
  return at === undefined || id === undefined ? undefined : { at: Number.parseInt(at, 36), id };
}
