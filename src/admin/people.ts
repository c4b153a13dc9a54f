// The people of an organisation: found, paged and taken along. The door is admin.ts.
import { searchKeyOf } from '../accounts/accounts.ts';
import { commandLine, record } from '../audit/audit.ts';
import { factorOf, factors } from '../factors/factors.ts';
import { byWhom, roleOf, ROLE_WORDS, type Actor, type Organisation, type Role } from '../organisations/organisations.ts';
import type { Queries } from '../platform/database/database.ts';
import { dateOf, isoOf, momentOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
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
  const rows: string[][] = [];
  for await (const people of inParts(world.database.query, organisation, filter)) rows.push(...people.map(rowOf));
  await world.database.transaction((transaction) =>
    record(world, transaction, {
      event: 'organisation_people_exported',
      accountId: account.id,
      from,
      details: { organisation: organisation.id, people: String(rows.length), by: byWhom(actor) },
    }),
  );
  return csvOf([COLUMNS, ...rows]);
}

/** The same for the operator on the host, in parts, since they may be many; `taken` is told how many have come. Recorded before the first part leaves. */
export async function takePeople(
  world: World,
  organisation: Organisation,
  { format, taken }: { format: ExportFormat; taken: (count: number) => void },
): Promise<AsyncIterable<string>> {
  const { query } = world.database;
  const people = String(await countPeople(query, organisation.id));
  await world.database.transaction((transaction) =>
    record(world, transaction, {
      event: 'organisation_people_exported',
      accountId: null,
      from: commandLine,
      details: { organisation: organisation.id, people },
    }),
  );
  return asText(inParts(query, organisation, EVERYBODY), { format, taken });
}

async function* asText(
  parts: AsyncIterable<readonly PersonShown[]>,
  { format, taken }: { format: ExportFormat; taken: (count: number) => void },
): AsyncGenerator<string> {
  if (format === 'csv') yield csvOf([COLUMNS]);
  let count = 0;
  for await (const people of parts) {
    yield format === 'csv' ? csvOf(people.map(rowOf)) : people.map((person) => `${JSON.stringify(personAsJson(person))}\n`).join('');
    count += people.length;
    taken(count);
  }
}

export type ExportFormat = 'csv' | 'json-lines';

const EVERYBODY: Filter = { search: '', role: undefined, twoFactor: undefined, standing: undefined };

async function* inParts(queries: Queries, organisation: Organisation, filter: Filter): AsyncGenerator<readonly PersonShown[]> {
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: PeoplePage = await readPeople(queries, organisation, filter, { after, most: EXPORTED_AT_ONCE });
    yield page.people;
    after = page.next;
  }
}

/** As programs read it. */
export const personAsJson = ({ accountId: id, name, email, role, joinedAt, kinds, lastSignInAt, suspended }: PersonShown) => ({
  id,
  name,
  email,
  role,
  joinedAt: isoOf(joinedAt),
  twoFactor: kinds.length > 0 ? ('on' as const) : ('off' as const),
  kinds: [...kinds],
  lastSignInAt: lastSignInAt === null ? null : isoOf(lastSignInAt),
  suspended,
});

const COLUMNS = ['Name', 'Email', 'Role', 'Two-factor authentication', 'Methods', 'Verified', 'Joined', 'Last sign-in', 'Suspended'];

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

/** Those that turn two-factor authentication on, each once, the strongest first. */
export function standingKinds(kinds: readonly string[]): string[] {
  const standing = [...new Set(kinds)].filter((kind) => factorOf(kind).stands);
  return standing.sort((one, other) => factorOf(other).strength - factorOf(one).strength);
}

function groupBy<One>(all: readonly One[], keyOf: (one: One) => string): Map<string, One[]> {
  const groups = new Map<string, One[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}
