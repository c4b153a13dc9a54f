/**
 * The root keys, from which all others are derived (keys.ts): in the database, sealed by the key of the keys file. Neither is of any use alone, and the file's key can be
 * changed while the portal runs: a row is sealed anew, and what is derived stays. A file that does not belong to the database is noticed here, at the start,
 * and not by the first person whose sign-in fails.
 */
import { isUniqueViolation, lockingRows, type Queries, type Transaction } from '../database/database.ts';
import type { World } from '../world.ts';
import { makeKeys, sealingKeyOf, type Keys, type Place, type SecretKey } from './keys.ts';
import { makeSecretKey, secretFrom, secretText } from './keys-file.ts';

declare module '../database/database.ts' {
  interface Tables {
    root_keys: RootKeyRow;
    key_checks: KeyCheckRow;
  }
}

export interface RootKeyRow {
  id: string;
  /** The 32 bytes, in base64url, sealed. */
  sealed: Uint8Array;
  created_at: number;
}

/** Of a database from before there were root keys in it: the file's keys were the roots. */
export interface KeyCheckRow {
  id: string;
  /** A keyed hash, sealed: it opens only with a key that sealed it, and agrees only with the key that hashes are made with. */
  sealed: Uint8Array;
}

const FIRST = 'root';
const placeOf = (id: string): Place => ['root_keys', id, 'sealed'];

/** True where this database was written by keys: those must be found, and new ones would not do. */
export async function hasRootKeys(queries: Queries): Promise<boolean> {
  return (await selectRoots(queries)).length > 0 || (await selectCheck(queries)) !== undefined;
}

/** Newest first; made for a database that has none. Throws where `fileKeys` are those of another one; the message is for the operator. */
export async function openRootKeys(
  { database, clock, random }: Pick<World, 'database' | 'clock' | 'random'>,
  fileKeys: readonly SecretKey[],
): Promise<SecretKey[]> {
  const file = makeKeys(fileKeys);
  const rows = await selectRoots(database.query);
  if (rows.length > 0) return rows.map(({ id, sealed }) => ({ id, secret: secretFrom(opened(file, placeOf(id), sealed)) }));
  const check = await selectCheck(database.query);
  if (check && opened(file, ['key_checks', check.id, 'sealed'], check.sealed) !== file.hash('key check', check.id)) throw notOurs();
  const roots = check ? fileKeys : [makeSecretKey(random, FIRST)];
  const now = clock.now();
  try {
    await database.transaction(async (transaction) => {
      for (const [age, { id, secret }] of roots.entries())
        await transaction
          .insertInto('root_keys')
          .values({ id, sealed: file.seal(placeOf(id), secretText(secret)), created_at: now - age })
          .execute();
      await transaction.deleteFrom('key_checks').execute();
    });
    return [...roots];
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    // Another process was first. It may have another file.
    return openRootKeys({ database, clock, random }, fileKeys);
  }
}

/** Seals them by other keys of the file. Until the transaction ends nobody else does so. */
export async function sealRootKeysAnew(transaction: Transaction, { from, to }: { from: Keys; to: Keys }): Promise<void> {
  for (const { id, sealed } of await lockRoots(transaction)) {
    const anew = to.seal(placeOf(id), opened(from, placeOf(id), sealed));
    await transaction.updateTable('root_keys').set({ sealed: anew }).where('id', '=', id).execute();
  }
}

/** The keys of the file that it takes to open them, by id. Until the transaction ends it stays so. */
export async function sealingKeys(transaction: Transaction): Promise<ReadonlySet<string>> {
  return new Set((await lockRoots(transaction)).map(({ sealed }) => sealingKeyOf(sealed)));
}

const selectRoots = (queries: Queries): Promise<RootKeyRow[]> =>
  queries.selectFrom('root_keys').selectAll().orderBy('created_at', 'desc').orderBy('id').execute();

const lockRoots = (transaction: Transaction): Promise<RootKeyRow[]> =>
  lockingRows(transaction)(transaction.selectFrom('root_keys').selectAll().orderBy('id')).execute();

const selectCheck = (queries: Queries): Promise<KeyCheckRow | undefined> => queries.selectFrom('key_checks').selectAll().executeTakeFirst();

function opened(keys: Keys, place: Place, sealed: Uint8Array): string {
  try {
    return keys.open(place, sealed);
  } catch {
    throw notOurs();
  }
}

const notOurs = (): Error =>
  new Error(
    'The keys file does not belong to this database, or a key that the database still needs was taken out of it. Restore the file that was there before.',
  );
