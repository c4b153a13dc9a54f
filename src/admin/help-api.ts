// Helping somebody who lost their phone, for programs: only what takes a way in away. To issue one is for people alone, see lost-phone/lost-phone.ts.
import { revokeBypassCode } from '../lost-phone/lost-phone.ts';
import { operation, type Operation } from '../platform/api/operation.ts';
import { noSuchThing, Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import type { KeyHolder } from '../sessions/sessions.ts';
import { actProblem, idParameter, WRITING } from './people-api.ts';

export const helpOperations = (world: World): readonly Operation<KeyHolder>[] => [
  operation({
    ...WRITING,
    name: 'revokeBypassCode',
    method: 'DELETE',
    path: '/people/{id}/bypass-code',
    summary: 'Takes a bypass code back',
    description: 'One that nobody has used yet. They are told by mail.',
    parameters: idParameter,
    answer: { status: 204, says: 'It no longer works' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const revoked = await revokeBypassCode(world, actor, id);
      if (revoked.ok) return;
      switch (revoked.reason) {
        case 'not-found':
        case 'changed-meanwhile':
          throw noSuchThing();
        case 'not-allowed':
        case 'oneself':
        case 'higher-role':
          throw actProblem(revoked.reason);
        case 'needs-a-person':
        case 'two-factor-off':
        case 'own-two-factor-off':
        case 'looks-after-others':
          throw new Problem('not-allowed', 'That is for people alone.');
      }
    },
  }),
];
