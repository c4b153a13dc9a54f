// A browser on its way to a provider and back. The door is sso.ts.
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { minutes } from '../platform/durations.ts';
import { NetworkFailure } from '../platform/http/network.ts';
import { forgive, networkOf, PROVIDER_ANSWERS, spend } from '../platform/limits/limits.ts';
import { makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { findConnection, type Connection } from './connections.ts';
import type { Callback, Failure, Identity, OwnAddresses, RedirectProtocol, Tools } from './contract.ts';
import { protocolOf } from './registry.ts';
import * as store from './store.ts';

/** Why somebody goes to the provider. Each purpose ends at an address of its own, see app.ts. */
export type TripPurpose = 'sign-in' | 'confirm' | 'test';

/** How long somebody may take at the provider. */
const TRIP_LIFETIME = minutes(15);
/** The browser follows at once. */
const ARRIVAL_LIFETIME = minutes(2);

/** What of a round trip is its purpose's own business. */
export interface Carried {
  /** A path of ours. */
  readonly returnTo: string | null;
  /** Whose session it began in. */
  readonly accountId: string | null;
  /** How old a proof may be, in milliseconds, for 'confirm'. */
  readonly freshFor: number | null;
}

interface Content {
  readonly carried: Carried;
  /** It was asked that they show anew who they are. */
  readonly fresh: boolean;
  readonly pending: unknown;
  readonly outcome: Outcome | null;
}

export type Outcome = { readonly ok: true; readonly identity: Identity } | Failure;

export interface Arrived {
  readonly connection: Connection;
  readonly carried: Carried;
  readonly fresh: boolean;
  readonly outcome: Outcome;
}

export const toolsFor = ({ clock, random, network, installation }: World): Tools => ({
  now: clock.now(),
  random,
  network,
  installationName: installation.name,
});

export function addressesOf({ installation: { origin } }: Pick<World, 'installation'>, connectionId: string): OwnAddresses {
  const own = `${origin}/sso/${connectionId}`;
  return { callback: `${own}/callback`, metadata: `${own}/metadata`, logout: `${own}/logout`, signedOut: `${own}/signed-out` };
}

/** Where the browser goes, or why it can't. */
export async function leave(
  world: World,
  {
    connection,
    purpose,
    browserToken,
    carried,
    fresh,
    email,
  }: { connection: Connection; purpose: TripPurpose; browserToken: string; carried: Carried; fresh: boolean; email: string | undefined },
): Promise<{ readonly ok: true; readonly url: string } | Failure> {
  const protocol = redirecting(connection);
  if (!protocol) return { ok: false, reason: 'misconfigured', detail: 'This connection takes passwords here, and has no page of its own to go to.' };
  const state = makeToken(world);
  const addresses = addressesOf(world, connection.id);
  const begun = await failing(() => protocol.begin(toolsFor(world), { settings: connection.settings, addresses, state, fresh, email }));
  if (!begun.ok) return begun;
  const stateHash = world.keys.hash('sso state', state);
  await world.database.transaction((transaction) =>
    store.insertRoundTrip(transaction, {
      state_hash: stateHash,
      connection_id: connection.id,
      browser_hash: world.keys.hash('browser token', browserToken),
      purpose,
      stage: 'there',
      content: sealContent(world, stateHash, { carried, fresh, pending: begun.pending, outcome: null }),
      expires_at: world.clock.now() + TRIP_LIFETIME,
    }),
  );
  return { ok: true, url: begun.url };
}

/**
 * What the provider sent back by way of a browser, looked at and kept until that browser is known to be the one that left: a form that another site posts
 * comes without our cookies. Returns where it goes on, with a token that is of use to that browser alone; undefined where nobody is on the way.
 */
export async function receive(
  world: World,
  connectionId: string,
  callback: Callback,
  { address }: { address: string },
): Promise<{ purpose: TripPurpose; token: string } | undefined> {
  const { query } = world.database;
  const connection = await findConnection(world, query, connectionId);
  const protocol = connection && redirecting(connection);
  const state = protocol?.stateOf(callback);
  if (!connection || !protocol || state === undefined) return undefined;
  const stateHash = world.keys.hash('sso state', state);
  const limit = [PROVIDER_ANSWERS, connectionId, networkOf(address)] as const;
  const counted = await world.database.transaction((transaction) => spend(transaction, world, ...limit));
  if (!counted.allowed) return undefined;
  // Used up before it is looked at: of two answers to one question one counts.
  const row = await store.moveRoundTrip(query, { stateHash, connectionId, from: 'there', to: 'answering' });
  if (!row || world.clock.now() >= row.expires_at) return undefined;
  const content = openContent(world, row);
  const pending = protocol.pending.parse(content.pending);
  const input = { settings: connection.settings, addresses: addressesOf(world, connectionId), pending, callback, state };
  const outcome = await failing(() => protocol.finish(toolsFor(world), input));
  if (outcome.ok) await world.database.transaction((transaction) => forgive(transaction, world, ...limit));
  await store.putContent(query, stateHash, {
    stage: 'back',
    content: sealContent(world, stateHash, { ...content, pending: null, outcome }),
    expires_at: world.clock.now() + ARRIVAL_LIFETIME,
  });
  return { purpose: row.purpose as TripPurpose, token: state };
}

/** What came of it: once, and only in the browser that left. */
export async function arrive(
  world: World,
  { token, purpose, browserToken }: { token: string; purpose: TripPurpose; browserToken: string },
): Promise<Arrived | undefined> {
  const row = await world.database.transaction((transaction) => store.takeRoundTrip(transaction, world.keys.hash('sso state', token), purpose));
  if (!row || world.clock.now() >= row.expires_at || row.browser_hash !== world.keys.hash('browser token', browserToken)) return undefined;
  const connection = await findConnection(world, world.database.query, row.connection_id);
  const { carried, fresh, outcome } = openContent(world, row);
  return connection && outcome ? { connection, carried, fresh, outcome } : undefined;
}

/** Undefined for what asks with a password. */
export function redirecting({ kind }: Pick<Connection, 'kind'>): RedirectProtocol<unknown, unknown> | undefined {
  const protocol = protocolOf(kind);
  return protocol?.way === 'redirect' ? protocol : undefined;
}

/** A server that can't be reached is no fault of ours. */
export async function failing<Result>(work: () => Promise<Result>): Promise<Result | Failure> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NetworkFailure) return { ok: false, reason: 'unreachable', detail: error.message };
    throw error;
  }
}

export async function sweepSso({ database: { query }, clock }: World): Promise<readonly number[]> {
  const before = clock.now();
  return [
    await deleteExpired(query, { table: 'sso_round_trips', key: 'state_hash', column: 'expires_at', before }),
    await deleteExpired(query, { table: 'sso_messages', key: 'message_hash', column: 'expires_at', before }),
  ];
}

export const sealContent = (world: World, stateHash: string, content: Content): Uint8Array =>
  world.keys.seal(['sso_round_trips', stateHash, 'content'], JSON.stringify(content));
export const openContent = (world: World, { state_hash, content }: store.RoundTripRow): Content =>
  JSON.parse(world.keys.open(['sso_round_trips', state_hash, 'content'], content)) as Content;
