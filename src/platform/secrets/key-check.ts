// Whether the keys at hand are those that the database was written with. Asked once, at start: a lost or swapped keys file is noticed there and not by the first person
// whose sign-in fails.
import type { Queries } from '../database/database.ts';
import { isUniqueViolation } from '../database/database.ts';
import type { Keys } from './keys.ts';

declare module '../database/database.ts' {
  interface Tables {
    key_checks: KeyCheckRow;
  }
}

export interface KeyCheckRow {
  id: string;
  /** A keyed hash, sealed: it opens only with a key that sealed it, and agrees only with the key that hashes are made with. */
  sealed: Uint8Array;
}

const ID = 'keys';
const PLACE = ['key_checks', ID, 'sealed'] as const;

/** True where something was sealed in this database before: its keys must be found, and new ones would not do. */
export async function hasKeyCheck(queries: Queries): Promise<boolean> {
  return (await selectCheck(queries)) !== undefined;
}

/** Remembers the keys in a database that has none, and else throws where they are others; the message is for the operator. */
export async function checkKeys(query: Queries, keys: Keys): Promise<void> {
  const known = keys.hash('key check', ID);
  const row = await selectCheck(query);
  if (row) {
    if (opened(keys, row) !== known)
      throw new Error(
        'The keys file does not belong to this database, or a key that the database still needs was taken out of it. Restore the file that was there before.',
      );
    return;
  }
  try {
    await query
      .insertInto('key_checks')
      .values({ id: ID, sealed: keys.seal(PLACE, known) })
      .execute();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    // Another process was first. It may have other keys.
    await checkKeys(query, keys);
  }
}

const selectCheck = (queries: Queries): Promise<KeyCheckRow | undefined> =>
  queries.selectFrom('key_checks').selectAll().where('id', '=', ID).executeTakeFirst();

function opened(keys: Keys, row: KeyCheckRow): string | undefined {
  try {
    return keys.open(PLACE, row.sealed);
  } catch {
    return undefined;
  }
}
