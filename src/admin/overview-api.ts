// The overview, for programs: what the console draws, as numbers.
import { z } from 'zod';
import { operation, type Operation } from '../platform/api/operation.ts';
import { minutes } from '../platform/durations.ts';
import { Problem } from '../platform/problem.ts';
import { dayOf, isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { readOverview } from './overview.ts';

const overviewShape = z
  .object({
    people: z.int(),
    protected: z.int().describe('How many of them have two-factor authentication on'),
    countedAt: z.iso.datetime(),
    methods: z.array(z.object({ kind: z.string(), people: z.int() })).describe('The most common first'),
    days: z
      .array(z.object({ day: z.iso.date(), people: z.int(), protected: z.int() }))
      .describe('Of the last thirty those that were counted, the oldest first'),
    outcomes: z
      .array(z.object({ label: z.string(), count: z.int(), unusual: z.boolean(), events: z.array(z.string()) }))
      .describe('What sign-ins of the last thirty days came to'),
  })
  .meta({ id: 'Overview' });

export const readOverviewOperation = (world: World): Operation<KeyHolder> =>
  operation({
    name: 'readOverview',
    method: 'GET',
    path: '/overview',
    tag: 'Organisation',
    scope: 'people:read',
    summary: 'Shows who is protected, and what sign-ins came to',
    refusals: ['unavailable'],
    answer: { status: 200, says: 'The overview', shape: overviewShape },
    handle: async ({ actor: { organisation } }: KeyHolder) => {
      const overview = await readOverview(world, organisation);
      if (!overview) throw new Problem('unavailable', 'The organisation is being counted. Ask again in a minute.', { retryAt: world.clock.now() + minutes(1) });
      const { people, protected: guarded, countedAt, methods, days, outcomes } = overview;
      return {
        people,
        protected: guarded,
        countedAt: isoOf(countedAt),
        methods: methods.map(([kind, count]) => ({ kind, people: count })),
        days: days.map((one) => ({ day: dayOf(one.at), people: one.people, protected: one.protected })),
        outcomes: outcomes.map(({ label, count, unusual, events }) => ({ label, count, unusual, events: [...events] })),
      };
    },
  });
