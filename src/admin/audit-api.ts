// The audit log, for programs.
import { z } from 'zod';
import { checkpointShape, EVENT_GROUPS, EVENT_RESULTS, jsonOf } from '../audit/audit.ts';
import { CURSOR_CHARACTERS_MOST, openCursor, sealCursor } from '../platform/api/cursor.ts';
import { operation, type Operation } from '../platform/api/operation.ts';
import { noSuchThing } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { exportAudit, listAudit, readAuditEvent, takeCheckpoint, type AuditFilter, type ShownEvent } from './audit-log.ts';
import { idParameter } from './people-api.ts';

const READING = { tag: 'Audit log', scope: 'audit:read' } as const;
const EVENTS_MOST = 200;
const SEARCH_CHARACTERS_MOST = 254;

const eventShape = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    event: z.string().describe('Its name; docs/audit-events.md has them all'),
    sentence: z.string().describe('The same in words'),
    result: z.enum(['success', 'failed', 'refused']),
    account: z.object({ id: z.string(), name: z.string(), email: z.string() }).nullable().describe('Whom it happened to, as they were called then'),
    by: z.object({ kind: z.string(), account: z.string().nullable(), key: z.string().nullable() }).describe('Who did it: an account, or an API key'),
    address: z.string(),
    userAgent: z.string(),
    requestId: z.string(),
    details: z.record(z.string(), z.string()),
    sequence: z.int().nullable().describe('Its place in the chain; null for a moment, until it has one'),
    hash: z.string().nullable(),
  })
  .meta({ id: 'AuditEvent' });

const choiceOf = <Name extends string>(words: Readonly<Record<Name, string>>) => z.enum(Object.keys(words) as [Name, ...Name[]]);

const filterFields = {
  search: z.string().max(SEARCH_CHARACTERS_MOST).default('').describe('How a name or an address begins, or from where: an IP address'),
  words: z
    .string()
    .max(SEARCH_CHARACTERS_MOST)
    .default('')
    .describe('Words that stand anywhere in what is said of an event; a page may have none, and a “next”'),
  person: z.string().max(64).default('').describe('The id of somebody'),
  group: choiceOf(EVENT_GROUPS).optional(),
  result: choiceOf(EVENT_RESULTS).optional(),
  from: z.iso.date().optional().describe('The first day, in UTC'),
  to: z.iso.date().optional().describe('The last day'),
};

const filterFrom = ({ from = '', to = '', group, result, ...rest }: z.output<z.ZodObject<typeof filterFields>>): AuditFilter => ({
  ...rest,
  group,
  result,
  from,
  to,
});

export function auditOperations(world: World): readonly Operation<KeyHolder>[] {
  return [list(world), read(world), exportAll(world), checkpoint(world)];
}

const list = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listEvents',
    method: 'GET',
    path: '/audit/events',
    summary: 'Lists what happened',
    description: 'The newest first.',
    query: z.strictObject({
      ...filterFields,
      limit: z.coerce.number().int().min(1).max(EVENTS_MOST).default(50),
      cursor: z.string().min(1).max(CURSOR_CHARACTERS_MOST).optional().describe('The “next” of the page before'),
    }),
    answer: { status: 200, says: 'One page of events', shape: z.object({ events: z.array(eventShape), next: z.string().nullable() }) },
    handle: async ({ actor: { organisation } }: KeyHolder, { query: { limit, cursor, ...filter } }) => {
      const pages = { organisation: organisation.id, what: ['events', filter] };
      const after = openCursor(world, pages, cursor);
      const page = await listAudit(world.database.query, organisation, filterFrom(filter), { after, most: limit });
      return { events: page.events.map(asJson), next: sealCursor(world, pages, page.next) };
    },
  });

/** The facts as every export has them, and our words for them. */
const asJson = (event: ShownEvent): z.input<typeof eventShape> => ({
  ...(JSON.parse(jsonOf(event)) as Omit<z.input<typeof eventShape>, 'sentence'>),
  sentence: event.sentence,
});

const read = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'readEvent',
    method: 'GET',
    path: '/audit/events/{id}',
    summary: 'Shows one event',
    parameters: idParameter,
    answer: { status: 200, says: 'The event', shape: eventShape },
    handle: async ({ actor: { organisation } }: KeyHolder, { parameters: { id } }) => {
      const event = await readAuditEvent(world.database.query, organisation, id);
      if (!event) throw noSuchThing();
      return asJson(event);
    },
  });

const exportAll = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'exportEvents',
    method: 'GET',
    path: '/audit/export',
    summary: 'Takes the log along',
    description: 'All that the filter finds, as JSON Lines, the newest first. That it was taken along is recorded.',
    query: z.strictObject(filterFields),
    answer: { status: 200, says: 'An event a line', shape: 'lines' },
    handle: ({ actor }: KeyHolder, { query: filter }) => exportAudit(world, actor, { filter: filterFrom(filter), format: 'json-lines' }),
  });

const checkpoint = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'readCheckpoint',
    method: 'GET',
    path: '/audit/checkpoint',
    summary: 'Says where the log stands, signed',
    description: 'To be kept elsewhere: as a file it is what “twinlock audit verify --checkpoint” holds the log against.',
    answer: { status: 200, says: 'The checkpoint', shape: checkpointShape.meta({ id: 'AuditCheckpoint' }) },
    refusals: ['conflict'],
    handle: () => takeCheckpoint(world),
  });
