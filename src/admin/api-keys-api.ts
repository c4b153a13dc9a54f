// The keys of the API, for programs: seen and revoked. A key makes no keys, or it would outlive its own end.
import { z } from 'zod';
import { KEY_ROLES } from '../organisations/organisations.ts';
import { operation, type Operation } from '../platform/api/operation.ts';
import { noSuchThing } from '../platform/problem.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { listApiKeys, revokeApiKey, SCOPES, type ApiKey, type KeyHolder } from '../sessions/sessions.ts';
import { helpProblem, STANDS_BY } from './help-api.ts';
import { actProblem, idParameter } from './people-api.ts';

const instant = z.iso.datetime();
const keyShape = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(KEY_ROLES),
    scopes: z.array(z.enum(SCOPES)),
    maker: z.object({ id: z.string(), name: z.string(), email: z.string() }),
    createdAt: instant,
    expiresAt: instant,
    lastUsedAt: instant.nullable(),
    stands: z.boolean().describe('False while its maker may make none: then it opens nothing'),
    vouchedUntil: instant.nullable().describe('Until when its maker stands by what asks for a person'),
  })
  .meta({ id: 'ApiKey', description: 'Without the key itself, which was shown once' });

export const keyOperations = (world: World): readonly Operation<KeyHolder>[] => [list(world), revoke(world)];

const list = (world: World): Operation<KeyHolder> =>
  operation({
    tag: 'API keys',
    scope: 'keys:read',
    name: 'listApiKeys',
    method: 'GET',
    path: '/api-keys',
    summary: 'Lists the keys of the organisation',
    description: 'Those that stand, and those that ended in the last thirty days. New ones are made in the console alone.',
    answer: { status: 200, says: 'All of them', shape: z.object({ keys: z.array(keyShape) }) },
    handle: async ({ actor: { organisation } }: KeyHolder) => ({ keys: (await listApiKeys(world.database.query, organisation)).map(asJson) }),
  });

const asJson = ({ scopes, createdAt, expiresAt, lastUsedAt, vouchedUntil, ...rest }: ApiKey): z.input<typeof keyShape> => ({
  ...rest,
  scopes: [...scopes],
  createdAt: isoOf(createdAt),
  expiresAt: isoOf(expiresAt),
  lastUsedAt: lastUsedAt === null ? null : isoOf(lastUsedAt),
  vouchedUntil: vouchedUntil === null ? null : isoOf(vouchedUntil),
});

const revoke = (world: World): Operation<KeyHolder> =>
  operation({
    tag: 'API keys',
    scope: 'keys:write',
    name: 'revokeApiKey',
    method: 'DELETE',
    path: '/api-keys/{id}',
    summary: 'Revokes a key',
    description: `The one that asks, or another. The owner and whoever made it are told by mail. For another: ${STANDS_BY}`,
    parameters: idParameter,
    answer: { status: 204, says: 'It opens nothing any more' },
    refusals: ['not-allowed'],
    handle: async ({ actor }: KeyHolder, { parameters: { id } }) => {
      const revoked = await revokeApiKey(world, actor, id);
      if (revoked.ok) return;
      if (revoked.reason === 'not-found') throw noSuchThing();
      throw revoked.reason === 'needs-a-person' ? helpProblem('needs-a-person') : actProblem(revoked.reason);
    },
  });
