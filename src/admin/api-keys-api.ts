// The keys of the API, for programs: seen, made within the bounds of the one that asks, and revoked.
import { z } from 'zod';
import { KEY_ROLES } from '../organisations/organisations.ts';
import { operation, type Operation } from '../platform/api/operation.ts';
import { doesNotFit, noSuchThing, Problem } from '../platform/problem.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { KEY_DAYS_MOST, listApiKeys, makeApiKey, revokeApiKey, SCOPES, type ApiKey, type KeyHolder, type KeyRefusal } from '../sessions/sessions.ts';
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

export const keyOperations = (world: World): readonly Operation<KeyHolder>[] => [list(world), make(world), revoke(world)];

const list = (world: World): Operation<KeyHolder> =>
  operation({
    tag: 'API keys',
    scope: 'keys:read',
    name: 'listApiKeys',
    method: 'GET',
    path: '/api-keys',
    summary: 'Lists the keys of the organisation',
    description: 'Those that stand, and those that ended in the last thirty days.',
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

const make = (world: World): Operation<KeyHolder> =>
  operation({
    tag: 'API keys',
    scope: 'keys:write',
    name: 'makeApiKey',
    method: 'POST',
    path: '/api-keys',
    summary: 'Makes a key',
    description: `In the name of whoever made the one that asks; with no role, scope or end beyond what that has. The owner and its maker are told by mail. ${STANDS_BY}`,
    body: z.strictObject({
      name: z.string().max(200),
      role: z.enum(KEY_ROLES),
      scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
      days: z.int().min(1).max(KEY_DAYS_MOST).describe('From now to its end'),
    }),
    answer: { status: 201, says: 'The key, shown this once', shape: keyShape.extend({ token: z.string() }).meta({ id: 'ApiKeyMade' }) },
    refusals: ['not-allowed', 'conflict'],
    handle: async ({ actor, scopes, expiresAt }: KeyHolder, { body }) => {
      const made = await makeApiKey(world, actor, body, { scopes, expiresAt });
      if (!made.ok) throw keyProblem(made.reason);
      return { ...asJson(made.key), token: made.token };
    },
  });

function keyProblem(reason: KeyRefusal): Problem {
  switch (reason) {
    case 'name':
      return doesNotFit([{ pointer: '#/name', detail: 'Use 1 to 100 characters that can be shown.' }]);
    case 'scopes':
      return doesNotFit([{ pointer: '#/scopes', detail: 'Name each once.' }]);
    case 'scope-beyond-role':
      return doesNotFit([{ pointer: '#/scopes', detail: 'An auditor changes nothing.' }]);
    case 'role':
    case 'days':
      return doesNotFit([{ pointer: `#/${reason}`, detail: 'Not one of those that can be.' }]);
    case 'too-many':
      return new Problem('conflict', 'The organisation has as many keys as one may have. Revoke one that is not used.');
    case 'beyond-key':
      return new Problem('not-allowed', 'A key makes none that may do more than itself, or for longer.');
    case 'needs-a-person':
      return helpProblem('needs-a-person');
    case 'not-allowed':
      return actProblem('not-allowed');
  }
}

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
