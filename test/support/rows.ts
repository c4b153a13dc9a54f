/** All that a database holds, to be compared and put back. */
import type { Kysely } from 'kysely';
import type { Database } from '../../src/platform/database/database.ts';

/** Rows by table; bytes as hexadecimal, so that two of them can be compared and shown. */
export type Rows = Readonly<Record<string, readonly Row[]>>;
export type Row = Readonly<Record<string, unknown>>;

/** Those that others refer to come first. */
const REFERRED_TO = ['accounts', 'sessions'];

export async function readRows({ query }: Database): Promise<Rows> {
  const untyped = query as unknown as Kysely<Record<string, Row>>;
  const names = await tablesOf(untyped);
  const found = await Promise.all(names.map((table) => untyped.selectFrom(table).selectAll().execute()));
  return Object.fromEntries(names.map((table, index) => [table, inOrder(found[index]!.map(shown))]));
}

/** Makes the database hold these rows and no others. `present`: what it holds, where that is known, so that only what differs is written. */
export async function writeRows({ transaction }: Database, rows: Rows, present?: Rows): Promise<void> {
  const differs = (table: string): boolean => JSON.stringify(rows[table]) !== JSON.stringify(present?.[table]);
  // What goes from these takes with it what refers to it.
  const names = REFERRED_TO.some(differs) ? Object.keys(rows) : Object.keys(rows).filter(differs);
  if (names.length === 0) return;
  await transaction(async (inside) => {
    const untyped = inside as unknown as Kysely<Record<string, Row>>;
    for (const table of names.toReversed()) await untyped.deleteFrom(table).execute();
    for (const table of names) if (rows[table]!.length > 0) await untyped.insertInto(table).values(rows[table]!.map(stored)).execute();
  });
}

const tables = new WeakMap<object, readonly string[]>();

async function tablesOf(untyped: Kysely<Record<string, Row>>): Promise<readonly string[]> {
  const known = tables.get(untyped);
  if (known) return known;
  const names = (await untyped.introspection.getTables()).map((table) => table.name).filter((name) => name !== 'migrations');
  const ordered = [...REFERRED_TO, ...names.filter((name) => !REFERRED_TO.includes(name)).toSorted()];
  tables.set(untyped, ordered);
  return ordered;
}

const HEX = 'bytes:';

/** In an order that does not depend on the database. */
function inOrder(rows: readonly Row[]): Row[] {
  const written = rows.map((row) => ({ row, text: JSON.stringify(row) }));
  return written.toSorted((one, other) => (one.text < other.text ? -1 : 1)).map(({ row }) => row);
}

function shown(row: Row): Row {
  const copy: Record<string, unknown> = {};
  for (const column in row) {
    const value = row[column];
    copy[column] = value instanceof Uint8Array ? HEX + Buffer.from(value).toString('hex') : value;
  }
  return copy;
}

const stored = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'string' && value.startsWith(HEX) ? new Uint8Array(Buffer.from(value.slice(HEX.length), 'hex')) : value,
    ]),
  );
