// The real World of the settings: the database, brought up to date, and the keys that it was written with.
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { VARIABLES, type Settings } from './config.ts';
import { openDatabaseClock, type DatabaseClock } from './platform/database/clock.ts';
import type { Database } from './platform/database/database.ts';
import { migrate } from './platform/database/migrate.ts';
import { openPostgres } from './platform/database/postgres.ts';
import { openSqlite } from './platform/database/sqlite.ts';
import { makeNetwork } from './platform/http/network.ts';
import { jsonLog, systemClock, systemRandom } from './platform/real.ts';
import { reasonOf } from './platform/reason.ts';
import { makeKeysFile, readKeysFile } from './platform/secrets/keys-file.ts';
import { makeKeys, type Keys } from './platform/secrets/keys.ts';
import { hasRootKeys, openRootKeys } from './platform/secrets/root-keys.ts';
import { makePasswordHasher } from './platform/secrets/password-hash.ts';
import type { World } from './platform/world.ts';

/** The World with its database up to date and its keys at hand. */
export async function openWorld(settings: Settings): Promise<World & { readonly clock: DatabaseClock }> {
  const { database } = await openDatabase(settings);
  try {
    const keys = await openKeys(settings, database);
    const { name, origin, development, signUp } = settings;
    return {
      installation: { name, origin, secure: origin.startsWith('https:'), development, signUp },
      clock: await openDatabaseClock(database, systemClock),
      random: systemRandom,
      database,
      keys,
      passwordHasher: makePasswordHasher(keys, systemRandom, settings.argon2),
      // In development an identity provider may be on this machine.
      network: makeNetwork({ privateHosts: settings.privateHosts, everything: development }),
      // In development the terminal is for people.
      log: jsonLog(development ? 'warn' : 'info'),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Brought up to date; `migrated` names what that took. */
export async function openDatabase({ dataDirectory, database: settings }: Settings): Promise<{ database: Database; migrated: readonly string[] }> {
  makeFolder(dataDirectory, 'TWINLOCK_DATA_DIR');
  if (settings.engine === 'sqlite') makeFolder(path.dirname(settings.file), 'TWINLOCK_DATABASE_URL');
  let database: Database | undefined;
  try {
    database = settings.engine === 'sqlite' ? openSqlite(settings.file) : openPostgres(settings.url);
    return { database, migrated: await migrate(database) };
  } catch (cause) {
    await database?.close().catch(() => undefined);
    throw new Error(`The database (${settings.engine === 'sqlite' ? settings.file : 'TWINLOCK_DATABASE_URL'}) can't be used: ${reasonOf(cause)}`, { cause });
  }
}

/** A sentence for the operator who named a file, or a place where nothing may be made. */
function makeFolder(folder: string, variable: 'TWINLOCK_DATA_DIR' | 'TWINLOCK_DATABASE_URL' | 'TWINLOCK_KEYS_FILE'): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Error(`${folder} can't be used as a folder: ${reasonOf(cause)}. Name another by ${variable}. Example: ${variable}='${VARIABLES[variable]}'`, {
      cause,
    });
  }
}

async function openKeys({ keysFile }: Settings, database: Database): Promise<Keys> {
  if (!existsSync(keysFile)) {
    // Looked for once more: another process that starts at this moment may have made both.
    if ((await hasRootKeys(database.query)) && !existsSync(keysFile))
      throw new Error(
        `The keys file ${keysFile} is missing, and the database was written with it. Restore it from a backup, or name it by TWINLOCK_KEYS_FILE.`,
      );
    makeFolder(path.dirname(keysFile), 'TWINLOCK_KEYS_FILE');
    try {
      makeKeysFile(keysFile, systemRandom);
    } catch (cause) {
      throw new Error(`The keys file ${keysFile} can't be made: ${reasonOf(cause)}. Name another by TWINLOCK_KEYS_FILE.`, { cause });
    }
  }
  return makeKeys(await openRootKeys({ database, clock: systemClock, random: systemRandom }, readKeysFile(keysFile)));
}
