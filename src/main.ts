// Builds the real World from the settings, brings the database up to date, and starts listening, sending and sweeping.
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { makeApp } from './app.ts';
import { startChaining } from './audit/audit.ts';
import type { Settings } from './config.ts';
import type { Database } from './platform/database/database.ts';
import { migrate } from './platform/database/migrate.ts';
import { openPostgres } from './platform/database/postgres.ts';
import { openSqlite } from './platform/database/sqlite.ts';
import { developmentTransport } from './platform/mail/development.ts';
import { startDelivery } from './platform/mail/mail.ts';
import { smtpTransport } from './platform/mail/smtp.ts';
import { jsonLog, systemClock, systemRandom } from './platform/real.ts';
import { checkKeys, hasKeyCheck } from './platform/secrets/key-check.ts';
import { makeKeysFile, readKeysFile } from './platform/secrets/keys-file.ts';
import { makeKeys, type Keys } from './platform/secrets/keys.ts';
import { makePasswordHasher } from './platform/secrets/password-hash.ts';
import type { World } from './platform/world.ts';
import { startSweeping } from './sweep.ts';

export interface Portal {
  readonly world: World;
  /** Takes no new requests, answers those that are on their way, and closes the database. */
  stop(): Promise<void>;
}

/** Throws an Error whose message is for the operator. */
export async function startPortal(settings: Settings): Promise<Portal> {
  const world = await openWorld(settings);
  const transport = settings.smtpUrl === undefined ? developmentTransport : smtpTransport(settings.smtpUrl, settings.mailFrom);
  const delivery = startDelivery(world, transport);
  const others = [startSweeping(world), startChaining(world)];
  const stopBackground = async (): Promise<void> => {
    await Promise.all([delivery, ...others].map((one) => one.stop()));
    await world.database.close();
  };
  let app: FastifyInstance;
  try {
    app = await makeApp(world, { trustedProxies: settings.trustedProxies, afterPost: delivery.nudge, showMail: settings.smtpUrl === undefined });
    await listen(app, settings);
  } catch (error) {
    await stopBackground();
    throw error;
  }
  world.log.info('started', { origin: settings.origin, host: settings.host, port: settings.port, database: settings.database.engine });
  return {
    world,
    async stop() {
      await app.close();
      await stopBackground();
    },
  };
}

/** The World with its database up to date and its keys at hand. */
export async function openWorld(settings: Settings): Promise<World> {
  mkdirSync(settings.dataDirectory, { recursive: true, mode: 0o700 });
  const database = await openDatabase(settings);
  try {
    const keys = await openKeys(settings, database);
    const { name, origin, development } = settings;
    return {
      installation: { name, origin, secure: origin.startsWith('https:'), development },
      clock: systemClock,
      random: systemRandom,
      database,
      keys,
      passwordHasher: makePasswordHasher(keys, systemRandom, settings.argon2),
      // In development the terminal is for people.
      log: jsonLog(development ? 'warn' : 'info'),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openDatabase({ database: settings }: Settings): Promise<Database> {
  if (settings.engine === 'sqlite') mkdirSync(path.dirname(settings.file), { recursive: true, mode: 0o700 });
  const database = settings.engine === 'sqlite' ? openSqlite(settings.file) : openPostgres(settings.url);
  try {
    await migrate(database);
  } catch (cause) {
    await database.close().catch(() => undefined);
    throw new Error(`The database (${settings.engine === 'sqlite' ? settings.file : 'TWINLOCK_DATABASE_URL'}) can't be used: ${reasonOf(cause)}`, { cause });
  }
  return database;
}

async function openKeys({ keysFile }: Settings, database: Database): Promise<Keys> {
  if (!existsSync(keysFile)) {
    if (await hasKeyCheck(database.query))
      throw new Error(
        `The keys file ${keysFile} is missing, and the database was written with it. Restore it from a backup, or name it by TWINLOCK_KEYS_FILE.`,
      );
    makeKeysFile(keysFile, systemRandom);
  }
  const keys = makeKeys(readKeysFile(keysFile));
  await checkKeys(database.query, keys);
  return keys;
}

async function listen(app: FastifyInstance, { host, port }: Settings): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === 'EADDRINUSE') throw new Error(`Port ${port} of ${host} is taken by another program. Choose another: TWINLOCK_PORT=${port + 1}`, { cause });
    if (code === 'EACCES')
      throw new Error(`Port ${port} may only be used by the administrator of this machine. Choose one from 1024 on: TWINLOCK_PORT=3000`, { cause });
    throw new Error(`Twinlock can't listen on ${host}, port ${port}: ${reasonOf(cause)}`, { cause });
  }
}

/** What a failed connection says stands in its causes (one for each address that was tried), and its own message may be empty. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  return String(error);
}
