/**
 * One typed query layer over SQLite and PostgreSQL. Features declare the rows of the tables they own by merging into `Tables`:
 *   declare module '../platform/database/database.ts' { interface Tables { accounts: AccountRow } }
 * Portable column types only: text, epoch milliseconds as numbers, 0|1 for truth, bytes, JSON as text.
 * Inside a transaction only the `Transaction` handed to it may be used: `query` throws there, since on SQLite's one
 * connection it would wait for ever for the transaction that waits for it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { PostgresAdapter, sql, type Kysely, type SelectQueryBuilder, type Transaction as KyselyTransaction } from 'kysely';
import { groupCommits } from './group-commit.ts';

// Filled by declaration merging, from the store.ts of each feature.
// oxlint-disable-next-line typescript/no-empty-object-type
export interface Tables {}

/** Reads and writes: the database itself or a transaction on it. */
export type Queries = Kysely<Tables>;
export type Transaction = KyselyTransaction<Tables>;

export interface Database {
  readonly engine: Engine;
  readonly query: Queries;
  /**
   * Runs `work` in one durable transaction. No hashing of passwords and no network inside: on SQLite every writer waits for it. Where PostgreSQL
   * undid it, since it and another waited for each other, it runs again: so `work` may change nothing but the database.
   */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /**
   * For who remembers what they read: another number than before as soon as that may be otherwise. At once after each transaction of this process, before whoever
   * asked for it hears that it is done; within half a second where another process wrote. What this process writes outside of a transaction is not counted:
   * nothing that checks read is (test/tidy.test.ts), but for when a session was last seen. `now`: epoch milliseconds, by whatever clock. Throws where the database
   * does not answer.
   */
  changes(now: number): Promise<number>;
  close(): Promise<void>;
}

export type Engine = 'sqlite' | 'postgres';

const insideTransaction = new AsyncLocalStorage<true>();

const OTHERS_HEARD_EVERY = 500;

/**
 * Never the same again once another process has committed something. On SQLite it counts the commits of other connections; on PostgreSQL it says which transactions
 * have written and ended, and which server says so, since one that took over from another may count some of its numbers anew.
 */
const SIGN_OF_CHANGES = {
  sqlite: sql<{ sign: number }>`select data_version as sign from pragma_data_version`,
  postgres: sql<{ sign: string }>`select concat(pg_current_snapshot(), ' ', pg_postmaster_start_time()) as sign`,
};

export function makeDatabase(engine: Engine, kysely: Kysely<Tables>): Database {
  const transact: Database['transaction'] = engine === 'sqlite' ? groupCommits(kysely) : (work) => kysely.transaction().execute(work);
  const outside = (): Kysely<Tables> => {
    if (insideTransaction.getStore()) throw new Error('Use the transaction that was handed in, not database.query, inside a transaction.');
    return kysely;
  };
  let changes = 0;
  let known: string | number | undefined;
  let asked: Promise<void> | undefined;
  let askedAt = -Infinity;
  const askForOthers = async (): Promise<void> => {
    try {
      const [row] = (await SIGN_OF_CHANGES[engine].execute(outside())).rows;
      if (row!.sign !== known) changes += 1;
      known = row!.sign;
    } catch (error) {
      // Whoever waits for this is not served, and the next one asks anew.
      askedAt = -Infinity;
      throw error;
    }
  };
  return {
    engine,
    async changes(now) {
      // A clock that was set back is no reason to believe longer in what was heard.
      if (now < askedAt || now - askedAt >= OTHERS_HEARD_EVERY) {
        askedAt = now;
        asked = askForOthers();
      }
      await asked;
      return changes;
    },
    get query() {
      return outside();
    },
    transaction: async (work) => {
      if (insideTransaction.getStore()) throw new Error('A transaction was begun inside a transaction.');
      for (let tries = 1; ; tries++) {
        try {
          return await transact((transaction) => insideTransaction.run(true, () => work(transaction)));
        } catch (error) {
          if (tries === TRIES_MOST || !isDeadlock(error)) throw error;
        } finally {
          // Also where it failed: whether a commit that broke was one is not known.
          changes += 1;
        }
      }
    },
    close: () => kysely.destroy(),
  };
}

/** Keeps the rows that are read from every other writer until the transaction ends. On SQLite the transaction does that already, for all rows. */
export const lockingRows =
  (transaction: Transaction) =>
  <Db, Table extends keyof Db, Row>(query: SelectQueryBuilder<Db, Table, Row>): SelectQueryBuilder<Db, Table, Row> =>
    transaction.getExecutor().adapter instanceof PostgresAdapter ? query.forNoKeyUpdate() : query;

/** Keeps everybody else from what goes by that name until the transaction ends. On SQLite the transaction does that already. For what no row stands for yet. */
export async function lockName(transaction: Transaction, name: string): Promise<void> {
  if (transaction.getExecutor().adapter instanceof PostgresAdapter) await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(transaction);
}

const TRIES_MOST = 4;

/** PostgreSQL's `deadlock_detected`. On SQLite there is one writer at a time. */
const isDeadlock = (error: unknown): boolean => typeof error === 'object' && error !== null && 'code' in error && error.code === '40P01';

/** True when `error` says that a unique index refused a row, on either database. */
export function isUniqueViolation(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === '23505' || errcode === 1555 || errcode === 2067;
}
