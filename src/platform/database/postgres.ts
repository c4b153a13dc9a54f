import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { makeDatabase, type Database, type Tables } from './database.ts';

const INT8 = 20;
/** Connections of one process. More only queue inside PostgreSQL. */
const CONNECTIONS_MOST = 10;

export function openPostgres(url: string): Database {
  const types: pg.CustomTypesConfig = {
    // Instants are epoch milliseconds, far below 2^53; the client would hand them over as strings.
    getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)),
  };
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS_MOST, connectionTimeoutMillis: 5000, types });
  // An idle connection that the server ends must not end the process; the next query opens another.
  pool.on('error', () => undefined);
  return makeDatabase('postgres', new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }));
}
