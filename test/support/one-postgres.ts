// Before all tests of a run: one PostgreSQL server for every test process. A file that is run alone starts its own.
import { startPostgres } from './postgres.ts';

export async function globalSetup(): Promise<void> {
  // The processes of the tests inherit it, see startPostgres.
  process.env['POSTGRES_URL'] ??= (await startPostgres()).url;
}
