/**
 * Browsers that are remembered: where a second factor was shown and the box ticked, the password alone signs in, for as long as every policy allows. What is
 * opened so is level 1 (TD-1). The door is sessions.ts; whether trust stands is decided in is-trusted.ts.
 * Invariants: a token is 256 random bits, of which only a hash is stored, good for one account and one browser, and replaced by each use; whoever shows one that
 * was replaced has a copy, and the trust ends for both; it ends at a fixed time, and with whatever ends the account's other sessions. See docs/decisions/0023.
 */
import { record, type Origin } from '../audit/audit.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { makeId, makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { readDemand, type Demand } from '../policy/policy.ts';
import { isTrusted } from './is-trusted.ts';
import type { Browser } from './sessions.ts';
import * as store from './store.ts';

/** For the cookie of a browser, which keeps it until `expiresAt`. */
export interface DeviceToken {
  readonly token: string;
  readonly expiresAt: number;
  readonly maxAgeSeconds: number;
}

export interface TrustedDevice {
  readonly id: string;
  readonly userAgent: string;
  readonly address: string;
  /** When the second factor was shown. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  /** It is the browser that asks. */
  readonly own: boolean;
}

/** The one that was used the longest time ago goes for the next. */
const DEVICES_MOST = 10;

/** Remembers a browser in which a second factor was shown just now. The caller has seen to it that the policies allow it. */
export async function trustDevice(
  world: World,
  transaction: Transaction,
  { accountId, browser, from, demand }: { accountId: string; browser: Browser; from: Origin; demand: Demand },
): Promise<DeviceToken> {
  const now = world.clock.now();
  const id = makeId(world);
  const secret = makeToken(world);
  const browserHash = world.keys.hash('browser token', browser.browserToken);
  const others = (await store.selectDevices(transaction, accountId)).filter((one) => one.browser_hash !== browserHash);
  for (const { id: oldest } of others.slice(DEVICES_MOST - 1)) await store.deleteDevice(transaction, { accountId, id: oldest });
  const expiresAt = now + demand.trustFor;
  await store.putDevice(transaction, {
    id,
    account_id: accountId,
    token_hash: world.keys.hash('trusted device', id, secret),
    browser_hash: browserHash,
    user_agent: browser.userAgent,
    address: browser.address,
    created_at: now,
    last_used_at: now,
    expires_at: expiresAt,
  });
  await record(world, transaction, { event: 'authn_device_trusted', accountId, from });
  return { token: `${id}.${secret}`, expiresAt, maxAgeSeconds: Math.ceil((expiresAt - now) / 1000) };
}

/** `shownAt`: when the second factor was shown that it stands for. */
export type TrustUsed =
  | { readonly kind: 'trusted'; readonly shownAt: number; readonly device: DeviceToken }
  | { readonly kind: 'worth-nothing' }
  | { readonly kind: 'copied' };

/**
 * Uses the token of a browser up, behind a right password, and hands out the next. Of two that show one token at a moment the second is refused as a copy: a code
 * is asked for, and nothing is lost.
 */
export async function useTrust(
  world: World,
  transaction: Transaction,
  { accountId, token, browserToken, from, demand }: { accountId: string; token: string; browserToken: string; from: Origin; demand: Demand },
): Promise<TrustUsed> {
  const [id = '', shown = ''] = token.split('.');
  const row = await store.selectDevice(transaction, { accountId, id });
  const now = world.clock.now();
  if (!row || now >= row.expires_at || !isTrusted(row.created_at, demand, now)) return { kind: 'worth-nothing' };
  const secret = makeToken(world);
  const used = await store.replaceDeviceToken(transaction, {
    id,
    from: world.keys.hash('trusted device', id, shown),
    browserHash: world.keys.hash('browser token', browserToken),
    to: world.keys.hash('trusted device', id, secret),
    now,
  });
  if (!used) {
    await store.deleteDevice(transaction, { accountId, id });
    await record(world, transaction, { event: 'authn_device_trust_ended', accountId, from, details: { reason: 'its token was copied' } });
    return { kind: 'copied' };
  }
  const expiresAt = Math.min(row.expires_at, row.created_at + demand.trustFor);
  const device = { token: `${id}.${secret}`, expiresAt, maxAgeSeconds: Math.ceil((expiresAt - now) / 1000) };
  return { kind: 'trusted', shownAt: row.created_at, device };
}

/** Those that still spare the second factor, the one last used first. */
export async function listTrustedDevices(world: World, queries: Queries, accountId: string, browserToken: string): Promise<TrustedDevice[]> {
  const { demand } = await readDemand(queries, accountId);
  const own = world.keys.hash('browser token', browserToken);
  const now = world.clock.now();
  return (await store.selectDevices(queries, accountId))
    .filter((row) => now < row.expires_at && isTrusted(row.created_at, demand, now))
    .map((row) => ({
      id: row.id,
      userAgent: row.user_agent,
      address: row.address,
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
      expiresAt: Math.min(row.expires_at, row.created_at + demand.trustFor),
      own: row.browser_hash === own,
    }));
}

/**
 * Forgets one, or all without `id`, and signs those browsers out but for the session that asks: whoever lost one wants it to open nothing. Says how many
 * there were.
 */
export async function forgetDevices(
  world: World,
  transaction: Transaction,
  { accountId, id, exceptSession, from }: { accountId: string; id?: string; exceptSession: string; from: Origin },
): Promise<number> {
  const devices = (await store.selectDevices(transaction, accountId)).filter((one) => id === undefined || one.id === id);
  for (const { id: each, browser_hash: browserHash } of devices) {
    await store.deleteDevice(transaction, { accountId, id: each });
    await store.deleteSessionsInBrowser(transaction, { accountId, browserHash, exceptSession });
    await record(world, transaction, { event: 'authn_device_trust_ended', accountId, from, details: { reason: 'by the owner' } });
  }
  return devices.length;
}

/** All trust ends where the account is not what it was when it was given (TD-3): by another password or address, other methods, a Recovery Key that was used, and a reset. */
export const endTrust = store.deleteDevices;

export async function sweepTrustedDevices({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'trusted_devices', key: 'id', column: 'expires_at', before: clock.now() })];
}
