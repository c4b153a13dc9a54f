// The guard of the API: `Authorization: Bearer twl_…` (RFC 6750), and nothing else. Not in the address, which ends up in logs and histories.
import { record } from '../audit/audit.ts';
import { byWhom } from '../organisations/organisations.ts';
import type { ApiGuard } from '../platform/api/api.ts';
import { Problem } from '../platform/problem.ts';
import type { World } from '../platform/world.ts';
import { enterByKey, type KeyHolder, type Scope } from './sessions.ts';

const CHALLENGE = 'Bearer realm="api"';

const WORDS = {
  unknown: 'This API key is not known here. It was revoked, or never made.',
  expired: 'This API key has expired. Make a new one in the console.',
  'maker-owes': 'Whoever made this API key has yet to set up the second factor that the Security Policy asks for. Until then it opens nothing.',
  resting: 'Whoever made this API key may make none any more, so it opens nothing.',
} as const;

export const keyIdOf = ({ actor: { key } }: KeyHolder): string => key.id;

export function keyGuard(world: World): ApiGuard<KeyHolder> {
  return async ({ authorization, ...from }, scope) => {
    // RFC 9110, 11.1: the name of the scheme is the same in any case.
    const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new Problem('unauthorized', 'Send an API key: “Authorization: Bearer twl_…”.', { challenge: CHALLENGE });
    const entered = await enterByKey(world, token, from);
    if (entered.ok) {
      const { holder } = entered;
      if (scope !== undefined && !holder.scopes.includes(scope as Scope)) {
        await recordMissing(world, holder, scope);
        throw new Problem('missing-scope', `This API key was made without the scope ${scope}.`, {
          challenge: `${CHALLENGE}, error="insufficient_scope", scope="${scope}"`,
        });
      }
      return holder;
    }
    if (entered.reason === 'too-many')
      throw new Problem('too-many-requests', 'Too many requests. Wait as long as Retry-After says.', { retryAt: entered.retryAt });
    throw new Problem('unauthorized', WORDS[entered.reason], { challenge: `${CHALLENGE}, error="invalid_token"` });
  };
}

/** LO-1, as where a role does not allow something. */
async function recordMissing(world: World, { actor }: KeyHolder, scope: string): Promise<void> {
  const { account, organisation, from } = actor;
  const details = { organisation: organisation.id, action: scope, by: byWhom(actor) };
  await world.database.transaction((transaction) => record(world, transaction, { event: 'authz_fail', accountId: account.id, from, details }));
}
