/**
 * Apps that the portal stands in front of without changing them (forward auth): a reverse proxy asks before each request whether it may pass. A browser that is
 * not signed in there goes to the portal, signs in by all that the policy asks, and comes back with a code that serves once.
 * Invariants: an app's cookie counts on its host alone and is the portal's session by another name, so it ends with that and with nothing left over; the
 * code lives 30 seconds, for one browser, one host and one session; what the proxy says is believed from named proxies alone; whatever can't be read,
 * is not known, or may be read in two ways, is refused.
 */
import { record, type Origin } from '../audit/audit.ts';
import { FIRST_FACTORS } from '../attempts/attempts.ts';
import { assuranceLevel, factorOf, isFactor } from '../factors/factors.ts';
import { byWhom, findActing, may, type Actor } from '../organisations/organisations.ts';
import { lockName, type Queries, type Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { seconds } from '../platform/durations.ts';
import { APP_ENTRIES, spend } from '../platform/limits/limits.ts';
import { sha256 } from '../platform/secrets/digest.ts';
import { makeId, makeToken } from '../platform/secrets/tokens.ts';
import { canBeShown } from '../platform/words/showable.ts';
import type { World } from '../platform/world.ts';
import { openAppSession, owes, type Session } from '../sessions/sessions.ts';
import { hostFrom, wildcardAbove } from './hosts.ts';
import type { Requested } from './requested.ts';
import { rulesInWords } from './rule-lines.ts';
import { NEEDS, ruleFor, verdictOn, type Need, type Rule, type Ruled, type Somebody, type Verdict } from './rules.ts';
import * as store from './store.ts';

export { hostFrom } from './hosts.ts';
export { makeIdentities, NOBODY, type Identities } from './identity.ts';
export { addressFrom, originOf, requestedBelow, requestedFrom, urlOf, type Requested } from './requested.ts';
export { rulesFrom, rulesInWords } from './rule-lines.ts';
export { NEEDS, ruleFor, type Need, type Rule, type Ruled } from './rules.ts';

export interface App {
  readonly id: string;
  readonly organisationId: string;
  readonly name: string;
  readonly host: string;
  readonly rules: readonly Rule[];
  /** Where no rule fits. */
  readonly last: Need;
}

const NAME_CHARACTERS_MOST = 60;
/** In one organisation. */
const APPS_MOST = 500;
const CODE_LIFETIME = seconds(30);

function appFrom(row: store.AppRow): App {
  const last = NEEDS.find((need) => need === row.last_rule);
  // What can't be read lets nobody in.
  if (!last) throw new Error('An app has a rule that is none.');
  return { id: row.id, organisationId: row.organisation_id, name: row.name, host: row.host, rules: JSON.parse(row.rules) as Rule[], last };
}

/** By name alone: cookies know no ports, so what is at another port of the portal's host gets the portal's own. Below a wildcard it is no app, either. */
export function isOwnHost({ installation: { origin } }: Pick<World, 'installation'>, host: string): boolean {
  return nameOf(host) === nameOf(origin.slice(origin.indexOf('//') + 2));
}

const nameOf = (host: string): string => host.toLowerCase().replace(/:\d*$/, '');

/** The app of a host: its own, or that of the wildcard above it. */
export async function findAppOf(queries: Queries, host: string): Promise<App | undefined> {
  const rows = await store.selectAppsOfHost(queries, host, wildcardAbove(host));
  const row = rows.find((one) => one.host === host) ?? rows[0];
  return row && appFrom(row);
}

export async function listApps(queries: Queries, organisationIds: readonly string[]): Promise<App[]> {
  return (await store.selectApps(queries, organisationIds)).map(appFrom);
}

/** Of all organisations, each with its name; for the operator. */
export async function listAllApps(queries: Queries): Promise<(App & { readonly organisationName: string })[]> {
  return (await store.selectAllApps(queries)).map((row) => ({ ...appFrom(row), organisationName: row.organisation_name }));
}

export async function findApp(queries: Queries, organisationId: string, id: string): Promise<App | undefined> {
  const row = await store.selectApp(queries, organisationId, id);
  return row && appFrom(row);
}

export interface Judged extends Ruled {
  readonly verdict: Verdict;
  /** Whether the app may be told who it is, which of what is open to all does not follow: they belong to its organisation, and owe nothing. */
  readonly known: boolean;
}

/** Whether a request may pass; undefined where its path can be read in two ways. */
export function judge(world: World, app: App, requested: Pick<Requested, 'path' | 'method'>, session: Session | undefined): Judged | undefined {
  const ruled = ruleFor(app.rules, app.last, requested);
  const who = session && somebodyOf(world, app, session);
  return ruled && { ...ruled, verdict: verdictOn(ruled.rule, who), known: who !== undefined && who.role !== undefined && who.meetsPolicy };
}

function somebodyOf(world: World, { organisationId }: App, session: Session): Somebody {
  const { proofs } = session;
  const strongest = session.held[0];
  // The password, and the strongest that the account has, or whatever was shown in its place.
  const second =
    strongest === undefined
      ? []
      : [Math.max(...Object.entries(proofs).map(([kind, at]) => (kind === strongest || (isFactor(kind) && !factorOf(kind).stands) ? at : 0)))];
  return {
    role: session.roles.get(organisationId),
    level: assuranceLevel(Object.keys(proofs)),
    meetsPolicy: owes(world, session) === 'nothing',
    proofAge: world.clock.now() - Math.min(Math.max(...FIRST_FACTORS.map((kind) => proofs[kind] ?? 0)), ...second),
  };
}

/** A code that leads this browser into the app, once, within half a minute; undefined where there were too many. `start`: what the browser got when it was sent here, hashed. */
export async function makeCode(
  world: World,
  { session, requested, start, from }: { session: Session; requested: Requested; start: string; from: Origin },
): Promise<string | undefined> {
  const { host, path, query } = requested;
  return world.database.transaction(async (transaction) => {
    const spent = await spend(transaction, world, APP_ENTRIES, session.account.id);
    if (!spent.allowed) return undefined;
    const code = makeToken(world);
    await store.insertCode(transaction, {
      code_hash: world.keys.hash('app code', code),
      session_id: session.id,
      host,
      browser_hash: start,
      target: path + query,
      expires_at: world.clock.now() + CODE_LIFETIME,
    });
    await record(world, transaction, { event: 'app_entered', accountId: session.account.id, from, details: { host } });
    return code;
  });
}

/** Somebody came as far as to an app that they may not open. Counted with the ways in, since each is a line of the log. */
export async function recordRefused(
  world: World,
  { accountId, from, host, reason }: { accountId: string; from: Origin; host: string; reason: string },
): Promise<void> {
  await world.database.transaction(async (transaction) => {
    const spent = await spend(transaction, world, APP_ENTRIES, accountId);
    if (spent.allowed) await record(world, transaction, { event: 'app_refused', accountId, from, details: { host, reason } });
  });
}

/** Uses the code up; the app's cookie and where to go, or undefined where it was used, too old, or is of another browser or host. */
export async function enterByCode(
  world: World,
  { code, host, start }: { code: string; host: string; start: string | undefined },
): Promise<{ token: string; target: string } | undefined> {
  return world.database.transaction(async (transaction) => {
    const row = await store.takeCode(transaction, world.keys.hash('app code', code));
    if (!row || world.clock.now() >= row.expires_at || row.host !== host || start === undefined || row.browser_hash !== startHash(world, start))
      return undefined;
    return { token: await openAppSession(world, transaction, { sessionId: row.session_id, host }), target: row.target };
  });
}

/** Ties a visit to the portal to the browser in which the app was asked for. */
export const startHash = (world: World, start: string): string => world.keys.hash('app browser', start);

export type AppChanged =
  | { readonly ok: true; readonly id: string }
  | { readonly ok: false; readonly reason: 'not-allowed' | 'not-found' | 'name' | 'host' | 'host-taken' | 'own-host' | 'too-many' | 'changed-meanwhile' };

export interface AppFields {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly last: Need;
}

export async function addApp(world: World, actor: Actor, { name, host: typed, rules, last }: AppFields & { host: string }): Promise<AppChanged> {
  return world.database.transaction(async (transaction) => {
    if (!(await mayManage(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    return insertApp(world, transaction, {
      organisationId: actor.organisation.id,
      accountId: actor.account.id,
      by: byWhom(actor),
      from: actor.from,
      name,
      host: typed,
      rules,
      last,
    });
  });
}

/** The caller has seen to it that it may be done. */
export async function insertApp(
  world: World,
  transaction: Transaction,
  {
    organisationId,
    accountId,
    by,
    from,
    name,
    host: typed,
    rules,
    last,
  }: AppFields & { host: string; organisationId: string; accountId: string | null; by: string; from: Origin },
): Promise<AppChanged> {
  const clean = nameFrom(name);
  if (clean === undefined) return { ok: false, reason: 'name' };
  const host = hostFrom(typed);
  if (host === undefined) return { ok: false, reason: 'host' };
  // Who asks the portal about itself asks for ever.
  if (isOwnHost(world, host)) return { ok: false, reason: 'own-host' };
  const row = {
    id: makeId(world),
    organisation_id: organisationId,
    name: clean,
    host,
    rules: JSON.stringify(rules),
    last_rule: last,
    created_at: world.clock.now(),
  };
  if ((await store.countApps(transaction, organisationId)) >= APPS_MOST) return { ok: false, reason: 'too-many' };
  // A host and the wildcard above it, added at one moment, would not see each other.
  await lockName(transaction, 'hosts of apps');
  // Nobody puts rules of their own before an app of others: the one host that a wildcard has below it, or the wildcard above, would be asked in its place.
  const covering = { organisationId, hosts: [host, wildcardAbove(host)], below: host.startsWith('*') ? host.slice(1) : '' };
  if (await store.isAppOfOthers(transaction, covering)) return { ok: false, reason: 'host-taken' };
  if (!(await store.insertApp(transaction, row))) return { ok: false, reason: 'host-taken' };
  await record(world, transaction, { event: 'app_added', accountId, from, details: { organisation: organisationId, host, name: clean, by } });
  return { ok: true, id: row.id };
}

/** Which state of an app somebody has seen, so that nobody overwrites what they have not. */
export const versionOf = ({ name, rules, last }: AppFields): string => sha256(JSON.stringify([name, rulesInWords(rules), last])).slice(0, 16);

/** `isSeen`: whether the version that is there is the one that whoever changes it has seen. */
export async function changeApp(
  world: World,
  actor: Actor,
  id: string,
  { name, rules, last, isSeen }: AppFields & { isSeen: (version: string) => boolean },
): Promise<AppChanged> {
  const clean = nameFrom(name);
  if (clean === undefined) return { ok: false, reason: 'name' };
  return world.database.transaction(async (transaction) => {
    if (!(await mayManage(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    const app = await store.selectApp(transaction, actor.organisation.id, id);
    if (!app) return { ok: false, reason: 'not-found' };
    if (!isSeen(versionOf(appFrom(app)))) return { ok: false, reason: 'changed-meanwhile' };
    await store.updateApp(transaction, id, { name: clean, rules: JSON.stringify(rules), last_rule: last });
    const [from, to] = [appFrom(app), { name: clean, rules, last }].map(onRecord) as [string, string];
    const details = { organisation: actor.organisation.id, host: app.host, name: clean, by: byWhom(actor), from, to };
    await record(world, transaction, { event: 'app_changed', accountId: actor.account.id, from: actor.from, details });
    return { ok: true, id };
  });
}

/** As the log keeps it: whoever reads it sees what was open, and to whom. */
function onRecord({ name, rules, last }: AppFields): string {
  const text = [name, ...rulesInWords(rules).split('\n'), `else ${last}`].filter((line) => line !== '').join('; ');
  return text.length > RECORDED_CHARACTERS_MOST ? `${text.slice(0, RECORDED_CHARACTERS_MOST).toWellFormed()}…` : text;
}

const RECORDED_CHARACTERS_MOST = 2000;

export async function removeApp(world: World, actor: Actor, id: string): Promise<AppChanged> {
  return world.database.transaction(async (transaction) => {
    if (!(await mayManage(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    return deleteApp(world, transaction, { organisationId: actor.organisation.id, id, accountId: actor.account.id, by: byWhom(actor), from: actor.from });
  });
}

/** The caller has seen to it that it may be done. */
export async function deleteApp(
  world: World,
  transaction: Transaction,
  { organisationId, id, accountId, by, from }: { organisationId: string; id: string; accountId: string | null; by: string; from: Origin },
): Promise<AppChanged> {
  const row = await store.deleteApp(transaction, organisationId, id);
  if (!row) return { ok: false, reason: 'not-found' };
  await record(world, transaction, { event: 'app_removed', accountId, from, details: { organisation: organisationId, host: row.host, name: row.name, by } });
  return { ok: true, id };
}

async function mayManage(transaction: Transaction, actor: Actor): Promise<boolean> {
  const acting = await findActing(transaction, actor);
  return acting !== undefined && may(acting.role, 'manage-apps');
}

function nameFrom(text: string): string | undefined {
  const clean = text.normalize('NFC').trim();
  return clean !== '' && [...clean].length <= NAME_CHARACTERS_MOST && canBeShown(clean) ? clean : undefined;
}

export async function sweepApps({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'app_codes', key: 'code_hash', column: 'expires_at', before: clock.now() })];
}
