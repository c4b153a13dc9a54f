import { sql, type RawBuilder } from 'kysely';
import type { Queries, Tables } from './database.ts';

/** So few at once that nobody who signs in meanwhile waits for it. */
export const SWEPT_AT_ONCE = 200;

/** Deletes about SWEPT_AT_ONCE rows whose `column` lies before `before` (epoch milliseconds); returns how many. `only` narrows them further. */
export async function deleteExpired<Table extends keyof Tables>(
  queries: Queries,
  {
    table,
    key,
    column,
    before,
    only = sql`true`,
  }: { table: Table; key: keyof Tables[Table] & string; column: keyof Tables[Table] & string; before: number; only?: RawBuilder<unknown> },
): Promise<number> {
  const [from, id, at] = [sql.table(table), sql.ref(key), sql.ref(column)];
  const { numAffectedRows = 0n } =
    await sql`delete from ${from} where ${at} < ${before} and ${only} and ${id} in (select ${id} from ${from} where ${at} < ${before} and ${only} limit ${SWEPT_AT_ONCE})`.execute(
      queries,
    );
  return Number(numAffectedRows);
}
