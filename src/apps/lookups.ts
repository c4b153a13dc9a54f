/**
 * What checks have found: the app of a host, the session behind an app's cookie, and the groups of its person. A page of an app is some fifty requests, each of
 * which is asked about. Invariants: nothing is remembered once anything in the database has changed, so what is done here counts at the next request and what
 * another process does within half a second; what only time changes is looked at each time; only what was found is remembered, never that something was not; a
 * query that fails is a failed check.
 */
import type { World } from '../platform/world.ts';
import { groupsToTell } from '../groups/groups.ts';
import { findAppSession, isAsFound, type Session } from '../sessions/sessions.ts';
import { findAppOf, type App } from './apps.ts';

/** Of each kind. */
const REMEMBERED_MOST = 20_000;

export interface Lookups {
  appOf(host: string): Promise<App | undefined>;
  sessionOf(token: string, host: string): Promise<Session | undefined>;
  /** Beside the role. */
  groupsOf(organisationId: string, accountId: string): Promise<readonly string[]>;
}

export function makeLookups(world: World): Lookups {
  const { clock, database } = world;
  const nothing = (changes: number) => ({
    changes,
    apps: new Map<string, App>(),
    sessions: new Map<string, Session>(),
    groups: new Map<string, readonly string[]>(),
  });
  let memory = nothing(-1);
  /** To be asked for before the query: where something changes before that is answered, the answer goes into a memory that nobody looks into any more. */
  const current = async (): Promise<typeof memory> => {
    const changes = await database.changes(clock.now());
    if (changes !== memory.changes) memory = nothing(changes);
    return memory;
  };
  return {
    appOf: async (host) => recall((await current()).apps, host, { look: () => findAppOf(database.query, host) }),
    sessionOf: async (token, host) =>
      recall((await current()).sessions, `${token} ${host}`, {
        look: () => findAppSession(world, token, host),
        isStill: (session) => isAsFound(world, session),
      }),
    groupsOf: async (organisationId, accountId) =>
      (await recall((await current()).groups, `${organisationId} ${accountId}`, {
        look: () => groupsToTell(database.query, organisationId, accountId),
      })) ?? [],
  };
}

async function recall<Found>(
  kept: Map<string, Found>,
  key: string,
  { look, isStill = () => true }: { look: () => Promise<Found | undefined>; isStill?: (found: Found) => boolean },
): Promise<Found | undefined> {
  const known = kept.get(key);
  if (known !== undefined && isStill(known)) return known;
  kept.delete(key);
  const found = await look();
  if (kept.size >= REMEMBERED_MOST) kept.clear();
  if (found !== undefined) kept.set(key, found);
  return found;
}
