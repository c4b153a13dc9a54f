/**
 * SQLite writes one transaction at a time and waits for the disk at each commit, which takes longer than most of what is in them. So those that are
 * asked for in the same turn of the event loop go into one transaction of the database, one after the other, and share its commit.
 * Invariants: they run in the order in which they were asked for, each alone and after the whole of those before it; one that throws is undone and
 * leaves the others as they are; nobody is told how theirs ended before the commit is on disk, and where that fails it has failed for all.
 */
import { CompiledQuery, type Kysely } from 'kysely';
import type { Tables, Transaction } from './database.ts';

interface Asked {
  /** Does the work; returns how to tell who asked. */
  readonly work: (transaction: Transaction) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

/** Other processes that use the file wait for all of them. */
const TOGETHER_MOST = 64;

export function groupCommits(kysely: Kysely<Tables>): <Result>(work: (transaction: Transaction) => Promise<Result>) => Promise<Result> {
  const waiting: Asked[] = [];
  let scheduled = false;
  const schedule = (): void => {
    scheduled = waiting.length > 0;
    if (scheduled) setImmediate(() => void run());
  };
  const run = async (): Promise<void> => {
    const together = waiting.splice(0, TOGETHER_MOST);
    try {
      const outcomes = await kysely.transaction().execute((transaction) => runInOrder(transaction, together));
      for (const tell of outcomes) tell();
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
    schedule();
  };
  return (work) =>
    new Promise((resolve, reject) => {
      const told = async (transaction: Transaction) => {
        const result = await work(transaction);
        return () => resolve(result);
      };
      waiting.push({ work: told, reject });
      // Not at once: the requests that have arrived by now are read first, and meet here.
      if (!scheduled) schedule();
    });
}

async function runInOrder(transaction: Transaction, together: readonly Asked[]): Promise<(() => void)[]> {
  const outcomes: (() => void)[] = [];
  for (const { work, reject } of together) {
    await transaction.executeQuery(BEGIN);
    try {
      outcomes.push(await work(transaction));
    } catch (error) {
      await transaction.executeQuery(UNDO);
      outcomes.push(() => reject(error));
    }
    await transaction.executeQuery(END);
  }
  return outcomes;
}

const BEGIN = CompiledQuery.raw('savepoint one_of_many');
const UNDO = CompiledQuery.raw('rollback to one_of_many');
const END = CompiledQuery.raw('release one_of_many');
