// Signing out at the provider too, and being signed out by it. The door is sso.ts.
import type { Origin } from '../audit/audit.ts';
import { forgive, networkOf, PROVIDER_SIGN_OUTS, spend } from '../platform/limits/limits.ts';
import { makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { findConnection } from './connections.ts';
import type { Callback, Failure } from './contract.ts';
import { endByProvider, findProviderSession } from './linking.ts';
import { addressesOf, failing, redirecting, toolsFor } from './round-trips.ts';

/** Where a browser goes on to, whose session ends; undefined where it was opened by no provider, or by one that offers nothing of the kind. */
export async function signOutUrl(world: World, sessionId: string): Promise<string | undefined> {
  const at = await findProviderSession(world, world.database.query, sessionId);
  const connection = at && (await findConnection(world, world.database.query, at.connectionId));
  const protocol = connection && redirecting(connection);
  if (!connection || !protocol?.logoutUrl || at.logoutHint === null) return undefined;
  const { logoutHint: hint } = at;
  const made = await failing(async () => ({
    ok: true as const,
    url: await protocol.logoutUrl!(toolsFor(world), {
      settings: connection.settings,
      addresses: addressesOf(world, connection.id),
      hint,
      state: makeToken(world),
    }),
  }));
  // Whether or not the provider can be reached, the session here is over.
  return made.ok ? made.url : undefined;
}

export type ProviderSignOut =
  | { readonly ok: true; /** Where the browser goes that brought it; undefined where none did. */ readonly reply: string | undefined }
  | { readonly ok: false; readonly reason: 'too-many' | Failure['reason']; readonly detail: string };

/** What the provider sent to our address for sign-outs; undefined where there is none such. */
export async function receiveSignOut(world: World, connectionId: string, callback: Callback, from: Origin): Promise<ProviderSignOut | undefined> {
  const connection = await findConnection(world, world.database.query, connectionId);
  const protocol = connection && redirecting(connection);
  if (!connection || !protocol?.readLogout) return undefined;
  if (protocol.isSignOutAnswer?.(callback)) return { ok: true, reply: addressesOf(world, connectionId).signedOut };
  const { readLogout } = protocol;
  const limit = [PROVIDER_SIGN_OUTS, connectionId, networkOf(from.address)] as const;
  const counted = await world.database.transaction((transaction) => spend(transaction, world, ...limit));
  if (!counted.allowed) return { ok: false, reason: 'too-many', detail: 'Too many came that were none. Wait a while.' };
  const read = await failing(() => readLogout(toolsFor(world), { settings: connection.settings, addresses: addressesOf(world, connectionId), callback }));
  if (!read.ok) {
    world.log.warn('sso_sign_out_refused', { connection: connectionId, reason: read.reason, detail: read.detail });
    return { ok: false, reason: read.reason, detail: read.detail };
  }
  await world.database.transaction((transaction) => forgive(transaction, world, ...limit));
  await endByProvider(world, connection, { ...read, from });
  return { ok: true, reply: read.reply };
}

export async function ownMetadata(world: World, connectionId: string): Promise<string | undefined> {
  const connection = await findConnection(world, world.database.query, connectionId);
  const protocol = connection && redirecting(connection);
  return connection && protocol?.ownMetadata?.({ settings: connection.settings, addresses: addressesOf(world, connectionId) });
}
