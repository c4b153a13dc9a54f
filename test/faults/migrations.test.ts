/** Starting: many processes at once over one new database, one whose migration fails half-way, and one over a database of a newer version. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { Kysely } from 'kysely';
import type { Database, Engine } from '../../src/platform/database/database.ts';
import { migrate } from '../../src/platform/database/migrate.ts';
import { openPostgres } from '../../src/platform/database/postgres.ts';
import { openSqlite } from '../../src/platform/database/sqlite.ts';
import { Faults, withFaults } from '../support/faults.ts';
import { freshPostgresDatabase, startPostgres } from '../support/postgres.ts';
import { Workplace } from '../support/program.ts';
import { readRows } from '../support/rows.ts';
import type { TestWorld } from '../support/world.ts';

const PROCESSES = 4;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`on ${engine}`, () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'twinlock-migrations-'));
    after(() => rmSync(directory, { recursive: true, force: true }));
    let made = 0;
    const place = async (): Promise<string> => {
      made += 1;
      return engine === 'sqlite' ? path.join(directory, `${made}.sqlite`) : freshPostgresDatabase(await startPostgres());
    };
    const open = (at: string): Database => (engine === 'sqlite' ? openSqlite(at) : openPostgres(at));

    test(`of ${PROCESSES} that start at once over a new database, one makes it and all find it made`, async () => {
      const at = await place();
      const ran = await Promise.all(Array.from({ length: PROCESSES }, () => migrateElsewhere(engine, at)));
      const all = ran.flat();
      assert.ok(all.length > 0);
      assert.equal(new Set(all).size, all.length, 'Each ran once.');
      assert.equal(ran.filter((names) => names.length > 0).length, 1, 'All of them in one process.');
      const database = open(at);
      assert.deepEqual(await migrate(database), []);
      await database.close();
    });

    test('wherever a migration fails, nothing of it is there, and the next start makes it whole', async () => {
      const at = await place();
      const database = open(at);
      const faults = new Faults();
      const faulty = withFaults({ database } as TestWorld, faults).world.database;
      let failures = 0;
      for (let operation = 1; ; operation += 1) {
        faults.failAt(operation);
        const failed = await migrate(faulty).then(
          () => false,
          () => true,
        );
        if (!failed) break;
        failures += 1;
        assert.deepEqual(await tablesOf(database), [], `operation ${operation}`);
      }
      assert.ok(failures > 20, String(failures));
      const rows = await readRows(database);
      assert.equal(rows['policies']!.length, 1);
      await database.close();
    });

    test('a database that a newer version made is refused, by name and before anything is touched', async () => {
      const at = await place();
      const database = open(at);
      await migrate(database);
      await (database.query as unknown as Kysely<{ migrations: { name: string } }>).insertInto('migrations').values({ name: '9999-of-tomorrow' }).execute();
      const before = await readRows(database);
      await assert.rejects(migrate(database), /made by a newer Twinlock \(9999-of-tomorrow\)/);
      assert.deepEqual(await readRows(database), before);
      await database.close();

      using workplace = new Workplace();
      const { status, errors } = await workplace.run(['policy'], { TWINLOCK_DATABASE_URL: engine === 'sqlite' ? `sqlite:${at}` : at });
      assert.equal(status, 1);
      assert.match(errors, /newer Twinlock \(9999-of-tomorrow\)/);
    });
  });
}

const tablesOf = async ({ query }: Database): Promise<string[]> => (await query.introspection.getTables()).map((table) => table.name);

/** In a thread of its own, with a connection of its own. */
function migrateElsewhere(engine: Engine, at: string): Promise<string[]> {
  const source = (module: string): string => JSON.stringify(new URL(`../../src/platform/database/${module}.ts`, import.meta.url).href);
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
    Promise.all([import(${source('migrate')}), import(${source(engine)})]).then(async ([{ migrate }, opened]) => {
      const database = (opened.openSqlite ?? opened.openPostgres)(${JSON.stringify(at)});
      parentPort.postMessage(await migrate(database));
      await database.close();
    });`,
    { eval: true },
  );
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
