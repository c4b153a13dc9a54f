/**
 * The console of an organisation: what those who look after it see and do. Who may open it is decided in one place (web.ts, `consoleGuard`), what somebody
 * may do in another (organisations/permissions.ts, asked in the transaction that does it). Nobody sees another organisation's people, by whatever id.
 */
import { changePassword, findAccount, hashNewPassword, lockAccount, searchKeyOf, type Account } from '../accounts/accounts.ts';
import * as attempts from '../attempts/attempts.ts';
import { record } from '../audit/audit.ts';
import { factorOf, factors, listFactors, passingAmong } from '../factors/factors.ts';
import { findBypassCode, nameOf, type LiveBypassCode } from '../lost-phone/lost-phone.ts';
import {
  actOnMember,
  byWhom,
  findMember,
  roleOf,
  ROLE_WORDS,
  setSuspended,
  type Acted,
  type Actor,
  type Organisation,
  type Role,
} from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { makeToken } from '../platform/secrets/tokens.ts';
import { dateOf, momentOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { endSessions, listSessions, type Session } from '../sessions/sessions.ts';
import { csvOf } from './csv.ts';
import * as store from './store.ts';

const PEOPLE_ON_A_PAGE = 50;
const EXPORTED_AT_ONCE = 500;

export interface PersonShown {
  readonly accountId: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly joinedAt: number;
  readonly suspended: boolean;
  /** The kinds of the methods that stand, each once, the strongest first. */
  readonly kinds: readonly string[];
  /** null where there was none. */
  readonly lastSignInAt: number | null;
}

export interface Filter {
  readonly search: string;
  readonly role: Role | undefined;
  /** On, off, or the kind of a method that they have. */
  readonly twoFactor: string | undefined;
  readonly standing: Standing | undefined;
}

/** Locked: suspended, or with a method that takes no more tries. */
export const STANDINGS = ['never-signed-in', 'locked'] as const;
export type Standing = (typeof STANDINGS)[number];

/** What the filter of two-factor authentication can be. */
export const TWO_FACTOR_FILTERS: readonly string[] = ['on', 'off', ...factors.filter((factor) => factor.stands).map((factor) => factor.kind)];

export interface PeoplePage {
  readonly people: readonly PersonShown[];
  /** Where the next page begins; undefined where this is the last. */
  readonly next: string | undefined;
}

/** One page of people, by their addresses. `after`: the `next` of the page before; '' for the first. */
export async function listPeople(
  queries: Queries,
  organisation: Organisation,
  filter: Filter,
  { after, most = PEOPLE_ON_A_PAGE }: { after: string; most?: number },
): Promise<PeoplePage> {
  return readPeople(queries, organisation, filter, { after, most });
}

export const countPeople = store.countPeople;

/** All of them as a spreadsheet reads it. Whoever takes so much out of the console at once is recorded. */
export async function exportPeople(world: World, actor: Actor, filter: Filter): Promise<string> {
  const { organisation, account, from } = actor;
  const rows: string[][] = [['Name', 'Email', 'Role', 'Two-factor authentication', 'Methods', 'Verified', 'Joined', 'Last sign-in', 'Suspended']];
  const { query } = world.database;
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: PeoplePage = await readPeople(query, organisation, filter, { after, most: EXPORTED_AT_ONCE });
    rows.push(...page.people.map(rowOf));
    after = page.next;
  }
  await world.database.transaction((transaction) =>
    record(world, transaction, {
      event: 'organisation_people_exported',
      accountId: account.id,
      from,
      details: { organisation: organisation.id, people: String(rows.length - 1), by: byWhom(actor) },
    }),
  );
  return csvOf(rows);
}

function rowOf({ name, email, role, kinds, joinedAt, lastSignInAt, suspended }: PersonShown): string[] {
  const methods = kinds.map((kind) => factorOf(kind).words.name).join('; ');
  return [
    name,
    email,
    ROLE_WORDS[role],
    kinds.length > 0 ? 'on' : 'off',
    methods,
    'yes',
    dateOf(joinedAt),
    lastSignInAt === null ? 'none on record' : momentOf(lastSignInAt),
    suspended ? 'yes' : 'no',
  ];
}

async function readPeople(queries: Queries, organisation: Organisation, filter: Filter, { after, most }: { after: string; most: number }): Promise<PeoplePage> {
  const rows = await selectFound(queries, organisation, filter, { after, most: most + 1 });
  const shown = rows.slice(0, most);
  const ids = shown.map((row) => row.account_id);
  const held = groupBy(await store.selectKinds(queries, ids), (one) => one.account_id);
  const signIns = new Map((await store.selectLastSignIns(queries, ids)).map((one) => [one.account_id, one.at]));
  const people = shown.map((row) => ({
    accountId: row.account_id,
    name: row.name,
    email: row.email,
    role: roleOf(row.role)!,
    joinedAt: row.joined_at,
    suspended: row.suspended_at !== null,
    kinds: standingKinds((held.get(row.account_id) ?? []).map((one) => one.kind)),
    lastSignInAt: signIns.get(row.account_id) ?? null,
  }));
  const last = shown.at(-1);
  return { people, next: rows.length > most && last ? cursorOf(last) : undefined };
}

type Found = store.PersonRow & { readonly by: 'email' | 'name' };

/** Those whose name begins with what is searched for, and behind them those whose address does: each is one range of one index. */
async function selectFound(
  queries: Queries,
  organisation: Organisation,
  { search, role, twoFactor, standing }: Filter,
  { after, most }: { after: string; most: number },
): Promise<Found[]> {
  const kinds = factors.filter((factor) => factor.stands).map((factor) => factor.kind);
  const chosen = kinds.filter((kind) => kind === twoFactor);
  const beginning = searchKeyOf(search);
  const cursor = readCursor(after, beginning);
  const select = async (by: 'email' | 'name', from: Cursor, wanted: number): Promise<Found[]> => {
    const rows = await store.selectPeople(queries, {
      organisationId: organisation.id,
      by,
      beginning,
      role,
      protected: twoFactor === undefined ? undefined : { wanted: twoFactor !== 'off', kinds: chosen.length > 0 ? chosen : kinds },
      standing,
      after: from,
      most: wanted,
    });
    return rows.map((row) => ({ ...row, by }));
  };
  if (cursor.by === 'email') return select('email', cursor, most);
  const byName = await select('name', cursor, most);
  return byName.length === most ? byName : [...byName, ...(await select('email', { by: 'email', email: '', name: '' }, most - byName.length))];
}

/** Whoever came last, and in which of the two lists. As text: the address, and behind a space, which no address has, the name where that was the list. */
interface Cursor {
  readonly by: 'email' | 'name';
  readonly email: string;
  readonly name: string;
}

const cursorOf = ({ by, email_key, name_key }: Found): string => (by === 'email' ? email_key : `${email_key} ${name_key}`);

function readCursor(text: string, beginning: string): Cursor {
  const space = text.indexOf(' ');
  if (space !== -1) return { by: 'name', email: text.slice(0, space), name: text.slice(space + 1) };
  return { by: text === '' && beginning !== '' ? 'name' : 'email', email: text, name: '' };
}

function standingKinds(kinds: readonly string[]): string[] {
  const standing = [...new Set(kinds)].filter((kind) => factorOf(kind).stands);
  return standing.sort((one, other) => factorOf(other).strength - factorOf(one).strength);
}

function groupBy<One>(all: readonly One[], keyOf: (one: One) => string): Map<string, One[]> {
  const groups = new Map<string, One[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

export interface PersonInFull {
  readonly account: Account;
  readonly role: Role;
  readonly joinedAt: number;
  /** As of PersonShown. */
  readonly kinds: readonly string[];
  readonly methods: readonly { readonly kind: string; readonly name: string; readonly createdAt: number; readonly lastUsedAt: number | null }[];
  readonly sessions: number;
  /** null: may come and go. */
  readonly suspendedAt: number | null;
  readonly lastSignInAt: number | null;
  /** One that would serve now, and the name of who issued it. */
  readonly bypassCode: LiveBypassCode | undefined;
  readonly bypassCodeBy: string;
}

/** Undefined where that account does not belong to the organisation. */
export async function readPerson(world: World, organisation: Organisation, accountId: string): Promise<PersonInFull | undefined> {
  const { query } = world.database;
  const member = await findMember(query, organisation.id, accountId);
  const account = member && (await findAccount(query, accountId));
  if (!account) return undefined;
  const enrolled = await listFactors(world, query, accountId);
  const [signIn] = await store.selectLastSignIns(query, [accountId]);
  const bypassCode = await findBypassCode(world, query, accountId);
  const passing = passingAmong(enrolled);
  return {
    account,
    role: member.role,
    joinedAt: member.joinedAt,
    kinds: standingKinds(enrolled.map(({ kind }) => kind)),
    suspendedAt: member.suspendedAt,
    methods: enrolled.filter((one) => !passing.includes(one)).map(({ kind, name, createdAt, lastUsedAt }) => ({ kind, name, createdAt, lastUsedAt })),
    sessions: (await listSessions(world, query, accountId)).length,
    lastSignInAt: signIn?.at ?? null,
    bypassCode,
    bypassCodeBy: bypassCode ? await nameOf(query, bypassCode.issuedBy) : '',
  };
}

async function endAll(transaction: Transaction, accountId: string): Promise<void> {
  // Attempts first: one that ends in a session at this moment is waited for, and its session is seen.
  await attempts.endOtherAttempts(transaction, accountId);
  await endSessions(transaction, accountId);
}

/** Keeps somebody out, everywhere and at once; or lets them in again. */
export const suspend = (world: World, actor: Actor, targetId: string): Promise<Acted> =>
  setSuspended(world, actor, { targetId, to: true }, (transaction) => endAll(transaction, targetId));
export const resume = (world: World, actor: Actor, targetId: string): Promise<Acted> =>
  setSuspended(world, actor, { targetId, to: false }, async () => undefined);

/** The password stops working at once; a new one is chosen by a link to the person's own mailbox, so that no administrator ever knows it (AD-1). */
export async function requireNewPassword(world: World, actor: Actor, targetId: string): Promise<Acted> {
  // One that nobody knows. Hashed outside of the transaction.
  const passwordHash = await hashNewPassword(world, makeToken(world));
  return actOnMember(world, actor, { action: 'require-password', targetId, notice: 'password-required' }, async (transaction) => {
    await lockAccount(transaction, targetId);
    await changePassword(world, transaction, targetId, { passwordHash });
    await endAll(transaction, targetId);
    const details = { organisation: actor.organisation.id, by: byWhom(actor) };
    await record(world, transaction, { event: 'authn_password_change', accountId: targetId, from: actor.from, details });
  });
}

/** Signs somebody out everywhere, and gives up what they had begun. */
export function endSessionsOf(world: World, actor: Actor, targetId: string): Promise<Acted> {
  return actOnMember(world, actor, { action: 'end-sessions', targetId, notice: 'sessions-ended' }, async (transaction) => {
    await endAll(transaction, targetId);
    await record(world, transaction, {
      event: 'session_ended',
      accountId: targetId,
      from: actor.from,
      details: { reason: 'all ended by an administrator', organisation: actor.organisation.id, by: byWhom(actor) },
    });
  });
}

/** Whoever changes something about others shows first that it is them (FC-1). */
export async function proofIsFresh(world: World, session: Session): Promise<boolean> {
  const enrolled = await listFactors(world, world.database.query, session.account.id);
  return (
    attempts.missingProofs({ held: attempts.heldOf(enrolled), proofs: session.proofs, now: world.clock.now(), freshFor: session.demand.proofFreshFor })
      .length === 0
  );
}
