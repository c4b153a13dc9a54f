// What the console shows of the audit log: found, paged and exported. Which events are the organisation's was decided when they were written (audit/audit.ts).
import { findVerifiedByEmail } from '../accounts/accounts.ts';
import {
  commandLine,
  cursorBehind,
  eventKindOf,
  findSeenEvent,
  jsonOf,
  listSeenEvents,
  readCheckpoint,
  record,
  type Author,
  type Checkpoint,
  type EventGroup,
  type EventResult,
  type SeenEvent,
  type SeenFilter,
} from '../audit/audit.ts';
import { factors } from '../factors/factors.ts';
import { byWhom, type Actor, type Organisation } from '../organisations/organisations.ts';
import { breathe } from '../platform/background.ts';
import type { Queries } from '../platform/database/database.ts';
import { days } from '../platform/durations.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { Problem } from '../platform/problem.ts';
import { describeUserAgent } from '../platform/mail/user-agent.ts';
import { isoOf, startOfDay } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { nameApiKeys } from '../sessions/sessions.ts';
import { csvOf } from './csv.ts';
import { listPeople, type ExportFormat } from './people.ts';
import * as store from './store.ts';

const EVENTS_ON_A_PAGE = 50;
const EVENTS_OF_A_PERSON = 10;
const EXPORTED_AT_ONCE = 500;

/** As it was typed; what is no day counts as none. */
export interface AuditFilter {
  /** How a name or an email begins, or an IP address. */
  readonly search: string;
  /** Words that stand anywhere in what is shown of an event, in whatever case; all of them. */
  readonly words?: string;
  /** The id of an account. */
  readonly person: string;
  readonly group: EventGroup | undefined;
  readonly result: EventResult | undefined;
  /** Names of events, with commas between; '' for all. */
  readonly event?: string;
  /** Days, the last one included. */
  readonly from: string;
  readonly to: string;
}

export interface ShownEvent extends SeenEvent {
  readonly sentence: string;
  /** Whether whom it happened to has a page in this console. */
  readonly isMember: boolean;
  /** Who did it, in words; undefined where it is whom it happened to. */
  readonly author: string | undefined;
}

export interface AuditPage {
  readonly events: readonly ShownEvent[];
  readonly next: string | undefined;
  /** How far back words were looked for, where there may be more behind it; epoch milliseconds. */
  readonly lookedBackTo?: number | undefined;
}

export async function listAudit(
  queries: Queries,
  organisation: Organisation,
  filter: AuditFilter,
  { after, most = EVENTS_ON_A_PAGE }: { after: string; most?: number },
): Promise<AuditPage> {
  const read = await readFilter(queries, organisation, filter);
  const words = wordsIn(filter.words);
  if (words.length > 0) return findWords(queries, organisation, { filter: read, words, after, most });
  const { events, next } = await listSeenEvents(queries, organisation.id, { filter: read, after, most });
  return { events: await inWords(queries, organisation, events), next };
}

const WORDS_MOST = 10;
const wordsIn = (text = ''): readonly string[] => (text.normalize('NFC').toLowerCase().match(/\S+/g) ?? []).slice(0, WORDS_MOST);

/** One look goes so far and no further, so that a word that nowhere stands costs no more than one that does: whoever looks goes on from there. */
const LOOKED_THROUGH_MOST = 5000;

/** No index helps with what stands in the middle of a sentence that is made when it is shown: so it is made, and looked at, the newest first. */
async function findWords(
  queries: Queries,
  organisation: Organisation,
  { filter, words, after, most }: { filter: SeenFilter; words: readonly string[]; after: string; most: number },
): Promise<AuditPage> {
  const found: ShownEvent[] = [];
  let looked = 0;
  let next: string | undefined = after;
  let last: SeenEvent | undefined;
  while (next !== undefined && found.length <= most && looked < LOOKED_THROUGH_MOST) {
    const page: Awaited<ReturnType<typeof listSeenEvents>> = await listSeenEvents(queries, organisation.id, { filter, after: next, most: EXPORTED_AT_ONCE });
    found.push(...(await inWords(queries, organisation, page.events)).filter((event) => hasWords(event, words)));
    looked += page.events.length;
    last = page.events.at(-1);
    next = page.next;
    await breathe();
  }
  const events = found.slice(0, most);
  if (found.length > most) return { events, next: cursorBehind(events.at(-1)!) };
  return { events, next, lookedBackTo: next === undefined ? undefined : last?.at };
}

/** In all that the page of the event says of it. */
function hasWords({ event, sentence, on, author, address, userAgent, requestId, details, id, link }: ShownEvent, words: readonly string[]): boolean {
  const all = [
    event,
    sentence,
    on?.name,
    on?.email,
    author,
    address,
    userAgent,
    describeUserAgent(userAgent),
    requestId,
    id,
    link?.hash,
    ...Object.values(details),
  ];
  const text = all.join('\n').normalize('NFC').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Undefined where that event is not the organisation's. */
export async function readAuditEvent(queries: Queries, organisation: Organisation, id: string): Promise<ShownEvent | undefined> {
  const event = await findSeenEvent(queries, organisation.id, id);
  return event && (await inWords(queries, organisation, [event]))[0];
}

/** The last that happened to somebody while they belonged to the organisation. */
export async function listEventsOf(queries: Queries, organisation: Organisation, accountId: string): Promise<readonly ShownEvent[]> {
  const filter = { group: undefined, result: undefined, accounts: [accountId], address: undefined, from: undefined, before: undefined };
  const { events } = await listSeenEvents(queries, organisation.id, { filter, after: '', most: EVENTS_OF_A_PERSON });
  return inWords(queries, organisation, events);
}

/** All that the filter shows, in parts. Whoever takes so much out of the console is recorded before the first part leaves it. */
export async function exportAudit(
  world: World,
  actor: Actor,
  { filter, format }: { filter: AuditFilter; format: ExportFormat },
): Promise<AsyncIterable<string>> {
  const { organisation, account, from } = actor;
  const { query } = world.database;
  const read = await readFilter(query, organisation, filter);
  await world.database.transaction((transaction) =>
    record(world, transaction, {
      event: 'organisation_audit_exported',
      accountId: account.id,
      from,
      details: { organisation: organisation.id, format: FORMATS[format], by: byWhom(actor) },
    }),
  );
  return asText(query, organisation, { filter: read, format, words: wordsIn(filter.words) });
}

/** The same for the operator on the host: all of it; `taken` is told how many have come. */
export async function takeAudit(
  world: World,
  organisation: Organisation,
  { format, taken }: { format: ExportFormat; taken: (count: number) => void },
): Promise<AsyncIterable<string>> {
  const { query } = world.database;
  const details = { organisation: organisation.id, format: FORMATS[format] };
  await world.database.transaction((transaction) =>
    record(world, transaction, { event: 'organisation_audit_exported', accountId: null, from: commandLine, details }),
  );
  const filter = { group: undefined, result: undefined, accounts: undefined, address: undefined, from: undefined, before: undefined };
  return asText(query, organisation, { filter, format, taken });
}

const FORMATS: Readonly<Record<ExportFormat, string>> = { csv: 'CSV', 'json-lines': 'JSON Lines' };

interface Taken {
  readonly filter: SeenFilter;
  readonly format: ExportFormat;
  readonly words?: readonly string[];
  readonly taken?: (count: number) => void;
}

async function* asText(queries: Queries, organisation: Organisation, { filter, format, words = [], taken }: Taken): AsyncGenerator<string> {
  let count = 0;
  if (format === 'csv') yield csvOf([COLUMNS]);
  for await (const batch of batches(queries, organisation, filter)) {
    const events = words.length === 0 ? batch : (await inWords(queries, organisation, batch)).filter((event) => hasWords(event, words));
    yield format === 'csv' ? csvOf((await inWords(queries, organisation, events)).map(rowOf)) : events.map((event) => `${jsonOf(event)}\n`).join('');
    count += events.length;
    taken?.(count);
  }
}

const COLUMNS = ['When', 'Event', 'What', 'Result', 'Name', 'Email', 'Account', 'By', 'Address', 'Browser', 'Request', 'Details', 'Number', 'Hash', 'Id'];

/** The newest first, so that what is written meanwhile lies before the beginning and moves nothing. */
async function* batches(queries: Queries, organisation: Organisation, filter: SeenFilter): AsyncGenerator<readonly SeenEvent[]> {
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: Awaited<ReturnType<typeof listSeenEvents>> = await listSeenEvents(queries, organisation.id, { filter, after, most: EXPORTED_AT_ONCE });
    yield page.events;
    await breathe();
    after = page.next;
  }
}

function rowOf({ at, event, sentence, result, on, author, address, userAgent, requestId, details, link, id }: ShownEvent): string[] {
  const cells = [
    isoOf(at),
    event,
    sentence,
    result,
    on?.name ?? '',
    on?.email ?? '',
    on?.accountId ?? '',
    author ?? on?.name ?? '',
    address,
    userAgent,
    requestId,
    JSON.stringify(details),
    link ? String(link.sequence) : '',
    link?.hash ?? '',
    id,
  ];
  // LO-3: a line of the file stays one line, and colours no terminal.
  return cells.map((cell) => cell.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' '));
}

async function readFilter(
  queries: Queries,
  organisation: Organisation,
  { search, person, group, result, event = '', from, to }: AuditFilter,
): Promise<SeenFilter> {
  const last = startOfDay(to);
  const byAddress = isAddress(search.trim());
  const found = byAddress || search.trim() === '' ? undefined : await findPeople(queries, organisation, search);
  return {
    group,
    result,
    events: event === '' ? undefined : event.split(','),
    accounts: person === '' ? found : found === undefined ? [person] : found.filter((id) => id === person),
    address: byAddress ? search.trim().toLowerCase() : undefined,
    from: startOfDay(from),
    before: last === undefined ? undefined : last + days(1),
  };
}

const isAddress = (text: string): boolean => /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) || /^(?=.*:.*:)[\da-f:.]+$/i.test(text);

/** The first page of members whose name or address begins so, and whoever had the address when they were one. */
async function findPeople(queries: Queries, organisation: Organisation, search: string): Promise<string[]> {
  const { people } = await listPeople(queries, organisation, { search, role: undefined, twoFactor: undefined, standing: undefined }, { after: '' });
  const address = parseEmailAddress(search.trim());
  const former = address && (await findVerifiedByEmail(queries, address.key));
  return [...new Set([...people.map(({ accountId }) => accountId), ...(former ? [former.id] : [])])];
}

export async function inWords(queries: Queries, organisation: Organisation, events: readonly SeenEvent[]): Promise<ShownEvent[]> {
  const ids = new Set(events.flatMap(({ on, by }) => [on?.accountId, by.kind === 'account' ? by.accountId : undefined]).filter((id) => id !== undefined));
  const known = new Map((await store.selectNames(queries, organisation.id, [...ids])).map((row) => [row.id, row]));
  const keyName = events.some(({ by }) => by.kind === 'key') ? await nameApiKeys(queries, organisation) : () => '';
  return events.map((event) => ({
    ...event,
    sentence: eventKindOf(event.event)?.sentence(event.details, methodName) ?? event.event,
    isMember: event.on !== undefined && known.get(event.on.accountId)?.member_id !== null && known.has(event.on.accountId),
    author: isOwn(event) ? undefined : authorName(event.by, { nameOf: (id) => known.get(id)?.name, keyName }),
  }));
}

const isOwn = ({ on, by }: SeenEvent): boolean => by.kind === 'account' && by.accountId === on?.accountId;

function authorName(author: Author, { nameOf, keyName }: { nameOf: (id: string) => string | undefined; keyName: (id: string) => string }): string | undefined {
  switch (author.kind) {
    case 'account':
      return nameOf(author.accountId) ?? 'somebody whose account is gone';
    case 'key':
      return keyName(author.keyId);
    case 'operator':
      return 'the operator, on the command line';
    case 'unknown':
      return 'somebody not known';
    case 'owner':
      return undefined;
  }
}

/** Kinds of other versions have no words any more. */
export const methodName = (kind: string): string => factors.find((factor) => factor.kind === kind)?.words.name ?? kind;

/** "192.0.2.1, Firefox on Linux" */
export const originOf = ({ address, userAgent, by }: SeenEvent): string =>
  by.kind === 'operator' || address === '' ? '' : `${address}, ${describeUserAgent(userAgent)}`;

/** To be kept where nobody who runs the server can reach it. */
export async function takeCheckpoint(world: World): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(world);
  if (!checkpoint) throw new Problem('conflict', 'Nothing has its place in the log yet. Try again in a moment.');
  return checkpoint;
}
