/**
 * A World whose database fails when a test says so, at any one of its operations: a statement, the beginning of a transaction or its commit.
 *   const { world, faults } = withFaults(await make());
 *   faults.failAt(3);     // the third operation from now fails, once
 *   faults.failFrom(3);   // and every one after it: the database is down
 * The database behind it is a real one, and rolls back what was begun.
 */
import type { KyselyPlugin } from 'kysely';
import { makeDatabase, type Database } from '../../src/platform/database/database.ts';
import type { TestWorld } from './world.ts';

export class DatabaseFault extends Error {}

export class Faults {
  #operations = 0;
  #fails: (operation: number) => boolean = () => false;
  /** How often something failed since the last `heal`. */
  failed = 0;
  /** While false, operations are neither counted nor failed: they are the test's own. */
  armed = true;

  failAt(operation: number): void {
    this.heal();
    this.#fails = (at) => at === operation;
  }

  failFrom(operation: number): void {
    this.heal();
    this.#fails = (at) => at >= operation;
  }

  /** The commit comes through, and the answer to it is lost: of the transactions from now the n-th. */
  loseAnswerOf(transaction: number): void {
    this.heal();
    this.#lostAnswer = transaction;
  }
  #transactions = 0;
  #lostAnswer = 0;

  /** Nothing fails from here on, and counting starts anew. */
  heal(): void {
    this.#operations = 0;
    this.#transactions = 0;
    this.#lostAnswer = 0;
    this.failed = 0;
    this.#fails = () => false;
  }

  /** Operations since the last `failAt`, `failFrom` or `heal`. */
  get operations(): number {
    return this.#operations;
  }

  get transactions(): number {
    return this.#transactions;
  }

  /** Called before each operation. */
  pass(what: string): void {
    if (!this.armed) return;
    this.#operations += 1;
    if (this.#fails(this.#operations)) this.#fail(`${what} (operation ${this.#operations}) did not reach the database.`);
  }

  /** Called when a transaction is committed. */
  committed(): void {
    if (!this.armed) return;
    this.#transactions += 1;
    if (this.#transactions === this.#lostAnswer) this.#fail(`The answer to the commit of transaction ${this.#transactions} was lost.`);
  }

  #fail(message: string): never {
    this.failed += 1;
    throw new DatabaseFault(message);
  }
}

export function withFaults(world: TestWorld, faults = new Faults()): { world: TestWorld; faults: Faults } {
  const faulty: TestWorld = {
    ...world,
    database: faultyDatabase(world.database, faults),
    restart: async () => withFaults(await world.restart(), faults).world,
  };
  return { world: faulty, faults };
}

function faultyDatabase(real: Database, faults: Faults): Database {
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      faults.pass(node.kind);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const inner = makeDatabase(real.engine, real.query.withPlugin(plugin));
  return {
    engine: real.engine,
    changes: (now) => inner.changes(now),
    get query() {
      return inner.query;
    },
    async transaction(work) {
      faults.pass('BEGIN');
      const result = await inner.transaction(async (transaction) => {
        const done = await work(transaction);
        faults.pass('COMMIT');
        return done;
      });
      faults.committed();
      return result;
    },
    close: () => real.close(),
  };
}
