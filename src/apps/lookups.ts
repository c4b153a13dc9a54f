/**
 * What checks found a moment ago: the app of a host, and the session behind an app's cookie. A page of an app is some fifty requests, each of which is asked
 * about. Invariants: nothing is remembered longer than half a second, and nothing of before this process last changed anything, so what is done here counts
 * at the next request and what another process does within half a second; only what was found is remembered, never that something was not; a query that fails
 * is a failed check.
 */
import type { World } from '../platform/world.ts';
import { groupsToTell } from '../groups/groups.ts';
import { findAppSession, type Session } from '../sessions/sessions.ts';
import { findAppOf, type App } from './apps.ts';

const REMEMBERED_MILLISECONDS = 500;
/** More are looked up each time. */
const REMEMBERED_MOST = 20_000;

export interface Lookups {
  appOf(host: string): Promise<App | undefined>;
  sessionOf(token: string, host: string): Promise<Session | undefined>;
  /** Beside the role. */
  groupsOf(organisationId: string, accountId: string): Promise<readonly string[]>;
}

export function makeLookups(world: World): Lookups {
  const apps = new Remembered<App>(world);
  const sessions = new Remembered<Session>(world);
  const groups = new Remembered<readonly string[]>(world);
  return {
    appOf: (host) => apps.find(host, () => findAppOf(world.database.query, host)),
    sessionOf: (token, host) => sessions.find(`${token} ${host}`, () => findAppSession(world, token, host)),
    groupsOf: async (organisationId, accountId) =>
      (await groups.find(`${organisationId} ${accountId}`, () => groupsToTell(world.database.query, organisationId, accountId))) ?? [],
  };
}

class Remembered<Found> {
  readonly #world: Pick<World, 'clock' | 'database'>;
  /** The oldest first. */
  #kept = new Map<string, { readonly found: Found; readonly at: number }>();
  #changes = 0;

  constructor(world: Pick<World, 'clock' | 'database'>) {
    this.#world = world;
  }

  async find(key: string, look: () => Promise<Found | undefined>): Promise<Found | undefined> {
    const now = this.#world.clock.now();
    this.#forget(now);
    const known = this.#kept.get(key);
    if (known) return known.found;
    // Into what is current as the query is asked: where that is no longer so when it is answered, the answer may be of before.
    const kept = this.#kept;
    const found = await look();
    if (found !== undefined && kept.size < REMEMBERED_MOST) {
      kept.delete(key);
      kept.set(key, { found, at: now });
    }
    return found;
  }

  #forget(now: number): void {
    const { changes } = this.#world.database;
    if (changes !== this.#changes) {
      this.#kept = new Map();
      this.#changes = changes;
    }
    for (const [key, { at }] of this.#kept) {
      // A clock that was set back is no reason to remember longer.
      if (now - at < REMEMBERED_MILLISECONDS && now >= at) break;
      this.#kept.delete(key);
    }
  }
}
