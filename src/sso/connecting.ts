// What a provider said of somebody whose account it does not know: kept until they have shown, in the same browser, which account is theirs. The door is sso.ts.
import type { Origin } from '../audit/audit.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { minutes } from '../platform/durations.ts';
import { makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { findConnection, type Connection } from './connections.ts';
import type { Identity } from './contract.ts';
import { link } from './linking.ts';
import { openContent, sealContent } from './round-trips.ts';
import * as store from './store.ts';

const WAITS_FOR = minutes(30);
const PURPOSE = 'connect';

/** Returns the token by which this browser, and no other, finds it again. */
export async function keepToConnect(
  world: World,
  { connection, identity, returnTo, browserToken }: { connection: Connection; identity: Identity; returnTo: string | null; browserToken: string },
): Promise<string> {
  const token = makeToken(world);
  const stateHash = world.keys.hash('sso state', token);
  const content = { carried: { returnTo, accountId: null, freshFor: null }, fresh: false, pending: null, outcome: { ok: true as const, identity } };
  await world.database.transaction((transaction) =>
    store.insertRoundTrip(transaction, {
      state_hash: stateHash,
      connection_id: connection.id,
      browser_hash: world.keys.hash('browser token', browserToken),
      purpose: PURPOSE,
      stage: 'back',
      content: sealContent(world, stateHash, content),
      expires_at: world.clock.now() + WAITS_FOR,
    }),
  );
  return token;
}

export interface Waiting {
  readonly connection: Connection;
  readonly identity: Identity;
  readonly returnTo: string | null;
}

/** Undefined where it is used up, too old, or of another browser. */
export async function findWaiting(
  world: World,
  { token, browserToken }: { token: string; browserToken: string },
  queries: Queries = world.database.query,
): Promise<Waiting | undefined> {
  const row = await store.selectRoundTrip(queries, world.keys.hash('sso state', token), PURPOSE);
  return row && readWaiting(world, queries, row, browserToken);
}

export async function waitsToConnect(
  world: World,
  queries: Queries,
  { token, connectionId, browserToken }: { token: string; connectionId: string; browserToken: string },
): Promise<boolean> {
  return (await findWaiting(world, { token, browserToken }, queries))?.connection.id === connectionId;
}

/** From here on the provider's word opens this account; the caller has seen a fresh proof of it. */
export async function connectWaiting(
  world: World,
  transaction: Transaction,
  { token, browserToken, accountId, from }: { token: string; browserToken: string; accountId: string; from: Origin },
): Promise<{ readonly ok: true; readonly returnTo: string | null } | { readonly ok: false; readonly reason: 'lost' | 'linked-already' }> {
  const row = await store.takeRoundTrip(transaction, world.keys.hash('sso state', token), PURPOSE);
  const waiting = row && (await readWaiting(world, transaction, row, browserToken));
  if (!waiting) return { ok: false, reason: 'lost' };
  const { connection, identity, returnTo } = waiting;
  const linked = await link(world, transaction, { connection, identity, accountId, from, how: 'proved' });
  return linked ? { ok: true, returnTo } : { ok: false, reason: 'linked-already' };
}

async function readWaiting(world: World, queries: Queries, row: store.RoundTripRow, browserToken: string): Promise<Waiting | undefined> {
  if (world.clock.now() >= row.expires_at || row.browser_hash !== world.keys.hash('browser token', browserToken)) return undefined;
  const connection = await findConnection(world, queries, row.connection_id);
  const { outcome, carried } = openContent(world, row);
  // Whoever turned it off meanwhile wants nobody to come by it.
  return connection && connection.enabledAt !== null && outcome?.ok ? { connection, identity: outcome.identity, returnTo: carried.returnTo } : undefined;
}
