/**
 * The World of a test: the same type that main.ts builds, with a clock that one moves and randomness from a seed.
 * Everything else is real: a migrated SQLite file or PostgreSQL database of its own, AES, argon2id (with small parameters).
 *   await using world = await makeTestWorld({ engine: 'sqlite' });
 *   world.clock.advance(minutes(11));
 *   await using later = await world.restart();      // the same data and clock after the process ended
 *   await using other = await world.secondProcess(); // the same data and clock, at the same time
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, describe } from 'node:test';
import { sql } from 'kysely';
import type { Database, Engine } from '../../src/platform/database/database.ts';
import { migrate } from '../../src/platform/database/migrate.ts';
import { openPostgres } from '../../src/platform/database/postgres.ts';
import { openSqlite } from '../../src/platform/database/sqlite.ts';
import { makeNetwork, type NetworkOptions } from '../../src/platform/http/network.ts';
import { makeKeys } from '../../src/platform/secrets/keys.ts';
import { makePasswordHasher, type Argon2Parameters } from '../../src/platform/secrets/password-hash.ts';
import type { Clock, Installation, Log, World } from '../../src/platform/world.ts';
import { dropPostgresDatabase, migratedPostgresDatabase, startPostgres } from './postgres.ts';
import { quickDirectory } from './quick-directory.ts';
import { seededRandom } from './seeded-random.ts';

export interface TestWorld extends World, AsyncDisposable {
  readonly clock: TestClock;
  readonly log: TestLog;
  /** The SQLite file or the PostgreSQL URL. */
  readonly place: string;
  /** Closes this World and opens one over the same data: what memory held is gone. */
  restart(): Promise<TestWorld>;
  /** Opens one more World over the same data and clock. Close it before this one. */
  secondProcess(): Promise<TestWorld>;
  close(): Promise<void>;
}

export interface TestWorldOptions {
  readonly engine: Engine;
  /** A SQLite file, or the URL of a PostgreSQL database, to use and to leave there; else one is made for the test and removed. */
  readonly path?: string;
  /** The same seed gives the same codes, tokens and ids. */
  readonly seed?: number;
  /** Epoch milliseconds; a Tuesday in 2027 unless told. */
  readonly startAt?: number;
  readonly installation?: Partial<Installation>;
  /** Small unless told, so that hashing costs no time. */
  readonly argon2?: Argon2Parameters;
  /** Where the way out leads; servers on this machine may be reached unless told. */
  readonly network?: Partial<NetworkOptions>;
}

const START_AT = Date.UTC(2027, 1, 2, 9, 0, 0);
const SMALL_ARGON2: Argon2Parameters = { memoryKibibytes: 64, passes: 1, lanes: 1 };
const ROOT_KEY = { id: 'test', secret: new Uint8Array(32).fill(7) };

export async function makeTestWorld(options: TestWorldOptions): Promise<TestWorld> {
  const storage = await makeStorage(options);
  const shared: Shared = { ...options, storage, clock: new TestClock(options.startAt ?? START_AT), worldsOpened: 0 };
  return openWorld(shared, { owner: true });
}

/** Makes a World over the suite's engine. All are closed when the suite ends, but `await using` closes them sooner. */
export type MakeWorld = (options?: Omit<TestWorldOptions, 'engine'>) => Promise<TestWorld>;

/** Declares the same suite once on SQLite and once on PostgreSQL. */
export function forEachDatabase(suite: (engine: Engine, make: MakeWorld) => void): void {
  for (const engine of ['sqlite', 'postgres'] as const) {
    describe(`on ${engine}`, () => {
      const made: TestWorld[] = [];
      after(async () => {
        for (const world of made.toReversed()) await world.close();
      });
      suite(engine, async (options) => {
        const world = await makeTestWorld({ ...options, engine });
        made.push(world);
        return world;
      });
    });
  }
}

export class TestClock implements Clock {
  #now: number;

  constructor(startAt: number) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Also backwards, as a machine's clock may be set. */
  set(at: number): void {
    this.#now = at;
  }
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly details: Record<string, unknown>;
}

/** Keeps what was logged. */
export class TestLog implements Log {
  readonly lines: LogLine[] = [];

  info(event: string, details: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'info', event, details });
  }

  warn(event: string, details: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'warn', event, details });
  }

  error(event: string, details: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'error', event, details });
  }
}

/** What a World and those that restart it or run beside it have in common. */
interface Shared extends TestWorldOptions {
  readonly storage: Storage;
  readonly clock: TestClock;
  worldsOpened: number;
}

interface Storage {
  readonly place: string;
  open(): Promise<Database>;
  remove(): Promise<void>;
}

async function makeStorage({ engine, path: given }: TestWorldOptions): Promise<Storage> {
  if (engine === 'postgres') {
    if (given) return { place: given, open: async () => openPostgres(given), remove: async () => undefined };
    const server = await startPostgres();
    const url = await migratedPostgresDatabase(server);
    return { place: url, open: async () => openPostgres(url), remove: () => dropPostgresDatabase(server, url) };
  }
  if (given) return { place: given, open: () => openCarelessly(given), remove: async () => undefined };
  const directory = mkdtempSync(path.join(quickDirectory(), 'twinlock-world-'));
  const file = path.join(directory, 'twinlock.sqlite');
  copyFileSync(await (migratedFile ??= makeMigratedFile()), file);
  return { place: file, open: () => openCarelessly(file), remove: async () => rmSync(directory, { recursive: true, force: true }) };
}

/** Without waiting for the disk at each commit, as the PostgreSQL server of the tests runs too: no test cuts the power. */
async function openCarelessly(file: string): Promise<Database> {
  const database = openSqlite(file);
  await sql`pragma synchronous = off`.execute(database.query);
  return database;
}

/** A database that the migrations have run on, and nothing else: copying it is quicker than running them again. */
let migratedFile: Promise<string> | undefined;

async function makeMigratedFile(): Promise<string> {
  const directory = mkdtempSync(path.join(quickDirectory(), 'twinlock-migrated-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const file = path.join(directory, 'twinlock.sqlite');
  const database = await openCarelessly(file);
  await migrate(database);
  await database.close();
  return file;
}

async function openWorld(shared: Shared, { owner }: { owner: boolean }): Promise<TestWorld> {
  const { storage, clock } = shared;
  shared.worldsOpened += 1;
  // Worlds over the same data must not draw the same ids.
  const random = seededRandom((shared.seed ?? 1) * 1000 + shared.worldsOpened);
  const keys = makeKeys([ROOT_KEY]);
  const database = await storage.open();
  await migrate(database);

  let open = true;
  let owns = owner;
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await database.close();
    if (owns) await storage.remove();
  };
  return {
    installation: { name: 'Example', origin: 'http://localhost:3000', secure: false, development: false, signUp: 'open', ...shared.installation },
    clock,
    random,
    database,
    keys,
    passwordHasher: makePasswordHasher(keys, random, shared.argon2 ?? SMALL_ARGON2),
    network: makeNetwork({ privateHosts: ['localhost', '127.0.0.1'], ...shared.network }),
    log: new TestLog(),
    place: storage.place,
    async restart() {
      const owned = owns;
      owns = false;
      await close();
      return openWorld(shared, { owner: owned });
    },
    secondProcess: () => openWorld(shared, { owner: false }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
