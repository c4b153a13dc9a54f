// Helping somebody who lost their phone, for programs: only what leaves everything as it was. To give a way in, or take the others away, is for people, who
// are asked afresh who they are, and say how they know who asks; see lost-phone/lost-phone.ts.
import { findReset, listRequests, revokeBypassCode, stopReset, type HelpRefusal } from '../lost-phone/lost-phone.ts';
import { z } from 'zod';
import { operation, type Operation } from '../platform/api/operation.ts';
import { noSuchThing, Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { isoOf } from '../platform/words/times.ts';
import { readPerson } from './admin.ts';
import { actProblem, idParameter, READING, WRITING } from './people-api.ts';

const requestShape = z
  .object({
    person: z.object({ id: z.string(), name: z.string(), email: z.string() }),
    askedAt: z.iso.datetime(),
    words: z.string().describe('As it was written by whoever had the password: it may be a thief'),
    address: z.string().describe('From where it was asked'),
    userAgent: z.string(),
    browserKnown: z.boolean().describe('Whether the account was entered to the end in that browser before'),
  })
  .meta({ id: 'HelpRequest' });

export const helpOperations = (world: World): readonly Operation<KeyHolder>[] => [list(world), revoke(world), stop(world)];

const list = (world: World): Operation<KeyHolder> =>
  operation({
    ...READING,
    name: 'listHelpRequests',
    method: 'GET',
    path: '/help-requests',
    summary: 'Lists who asks for help',
    description: 'From the second step of signing in, behind the right password. The newest first, at most a hundred.',
    answer: { status: 200, says: 'The requests that are open', shape: z.object({ requests: z.array(requestShape) }) },
    handle: async ({ actor: { organisation } }: KeyHolder) => {
      const requests: z.input<typeof requestShape>[] = [];
      for (const { accountId, askedAt, ...rest } of await listRequests(world, world.database.query, organisation.id)) {
        const person = await readPerson(world, organisation, accountId);
        if (person) requests.push({ ...rest, person: { id: accountId, name: person.account.name, email: person.account.email }, askedAt: isoOf(askedAt) });
      }
      return { requests };
    },
  });

const revoke = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'revokeBypassCode',
    method: 'DELETE',
    path: '/people/{id}/bypass-code',
    summary: 'Takes a bypass code back',
    description: 'One that nobody has used yet. They are told by mail. Only people issue one, in the console.',
    parameters: idParameter,
    answer: { status: 204, says: 'It no longer works' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const revoked = await revokeBypassCode(world, actor, id);
      if (!revoked.ok) throw helpProblem(revoked.reason);
    },
  });

const stop = (world: World): Operation<KeyHolder> =>
  operation({
    ...WRITING,
    name: 'stopReset',
    method: 'DELETE',
    path: '/people/{id}/reset',
    summary: 'Stops a reset that waits',
    description: 'Their methods stay. They and all who look after them are told by mail. Only people ask for one, in the console.',
    parameters: idParameter,
    answer: { status: 204, says: 'It does not happen' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id: targetId } }) => {
      const pending = await findReset(world.database.query, targetId);
      const stopped = await stopReset(world, actor, { targetId, id: pending?.id ?? '' });
      if (!stopped.ok) throw helpProblem(stopped.reason);
    },
  });

function helpProblem(reason: HelpRefusal): Problem {
  switch (reason) {
    case 'not-found':
    case 'changed-meanwhile':
      return noSuchThing();
    case 'not-allowed':
    case 'oneself':
    case 'higher-role':
      return actProblem(reason);
    case 'needs-a-person':
    case 'two-factor-off':
    case 'own-two-factor-off':
    case 'looks-after-others':
      return new Problem('not-allowed', 'That is for people alone.');
  }
}
