/** All that a database holds, to be compared and put back. */
import { CompiledQuery, sql, type Kysely } from 'kysely';
import type { Database } from '../../src/platform/database/database.ts';

/** Rows by table; bytes as hexadecimal, so that two of them can be compared and shown. */
export type Rows = Readonly<Record<string, readonly Row[]>>;
export type Row = Readonly<Record<string, unknown>>;

/** Those that others refer to come first. */
const REFERRED_TO = ['accounts', 'sessions'];

/** `without`: tables that nobody asks for. */
export async function readRows({ query }: Database, { without = [] }: { without?: readonly string[] } = {}): Promise<Rows> {
  const untyped = query as unknown as Kysely<Record<string, Row>>;
  const names = (await tablesOf(untyped)).filter((table) => !without.includes(table));
  // One question for those that are empty, which most are.
  const counts = names.map((table) => `(select count(*) from ${table}) as ${table}`);
  const [filled] = (await query.executeQuery<Row>(CompiledQuery.raw(`select ${counts.join(', ')}`))).rows;
  const found = await Promise.all(
    names.map(async (table) => (Number(filled![table]) === 0 ? [] : (await query.executeQuery<Row>(CompiledQuery.raw(`select * from ${table}`))).rows)),
  );
  return Object.fromEntries(names.map((table, index) => [table, inOrder(found[index]!.map(shown))]));
}

/** Makes the database hold these rows and no others. `present`: what it holds, where that is known, so that only what differs is written. */
export async function writeRows({ transaction }: Database, rows: Rows, present?: Rows): Promise<void> {
  const names = Object.keys(rows).filter((table) => rows[table] !== present?.[table] && JSON.stringify(rows[table]) !== JSON.stringify(present?.[table]));
  if (names.length === 0) return;
  await transaction(async (inside) => {
    const untyped = inside as unknown as Kysely<Record<string, Row>>;
    // What others refer to is changed in its place: were it removed, they would go with it.
    const [inPlace, anew] = [names.filter((table) => REFERRED_TO.includes(table)), names.filter((table) => !REFERRED_TO.includes(table))];
    for (const table of [...anew.toReversed(), ...(present ? [] : inPlace.toReversed())]) await untyped.deleteFrom(table).execute();
    for (const table of inPlace) await change(untyped, { table, wanted: rows[table]!, present: present?.[table] ?? [] });
    for (const table of anew) if (rows[table]!.length > 0) await untyped.insertInto(table).values(rows[table]!.map(stored)).execute();
  });
}

async function change(
  untyped: Kysely<Record<string, Row>>,
  { table, wanted, present }: { table: string; wanted: readonly Row[]; present: readonly Row[] },
): Promise<void> {
  const written = new Set(present.map((row) => JSON.stringify(row)));
  const ids = new Set(wanted.map(({ id }) => id));
  const gone = present.map(({ id }) => id).filter((id) => !ids.has(id));
  if (gone.length > 0) await untyped.deleteFrom(table).where('id', 'in', gone).execute();
  for (const row of wanted.filter((one) => !written.has(JSON.stringify(one))).map(stored))
    await untyped
      .insertInto(table)
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
}

/** What stays the same while no row changes, and takes one question instead of one for each table: how much was written through this connection, or a hash of all rows. */
export async function changesIn({ engine, query }: Database): Promise<unknown> {
  if (engine === 'postgres' && !hashing.has(query)) {
    const names = await tablesOf(query as unknown as Kysely<Record<string, Row>>);
    const hashes = names.map((name) => `(select md5(coalesce(string_agg(t::text, ' ' order by t::text), '')) from ${name} t)`);
    // A function of that language keeps its plan, which takes longer to make than to follow.
    const body = `begin return ${hashes.join(' || ')}; end`;
    await query.executeQuery(CompiledQuery.raw(`create or replace function all_rows() returns text language plpgsql as $$ ${body} $$`));
    hashing.add(query);
  }
  const changes = engine === 'sqlite' ? sql`total_changes()` : sql`all_rows()`;
  return (await sql<{ changes: unknown }>`select ${changes} as changes`.execute(query)).rows[0]!.changes;
}

const hashing = new WeakSet<object>();

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
