// One clock for all processes: the database's. Two machines whose own clocks differ would otherwise disagree on whether a code, a proof or a deadline is past.
import { sql } from 'kysely';
import type { Clock } from '../world.ts';
import type { Database } from './database.ts';

/** The time by the database's clock, told without asking it each time: `own` and how far that is off. */
export interface DatabaseClock extends Clock {
  /** Asks the database anew. Returns by how many milliseconds it is ahead of `own`; below zero where it is behind. */
  follow(): Promise<number>;
}

/** SQLite runs on this machine and has no clock but its. */
export async function openDatabaseClock(database: Database, own: Clock): Promise<DatabaseClock> {
  let ahead = 0;
  const clock: DatabaseClock = {
    now: () => own.now() + ahead,
    async follow() {
      if (database.engine === 'sqlite') return 0;
      const asked = own.now();
      const { rows } = await sql<{ now: number }>`select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now`.execute(database.query);
      // The answer was given somewhere between question and answer.
      ahead = rows[0]!.now - Math.round((asked + own.now()) / 2);
      return ahead;
    },
  };
  await clock.follow();
  return clock;
}
