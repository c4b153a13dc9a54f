import { sql, type Kysely } from 'kysely';
import { portal } from './migrations/0001-portal.ts';
import { auditChain } from './migrations/0002-audit-chain.ts';
import { organisations } from './migrations/0003-organisations.ts';
import { organisationPolicies } from './migrations/0004-organisation-policies.ts';
import { organisationEvents } from './migrations/0005-organisation-events.ts';
import { lostPhone } from './migrations/0006-lost-phone.ts';
import { auditBeginnings } from './migrations/0007-audit-beginnings.ts';
import { apiKeys } from './migrations/0008-api-keys.ts';
import { idempotencyKeys } from './migrations/0009-idempotency-keys.ts';
import { suspended } from './migrations/0010-suspended.ts';
import { auditWebhooks } from './migrations/0011-audit-webhooks.ts';
import { ownerLinks } from './migrations/0012-owner-links.ts';
import { resets } from './migrations/0013-resets.ts';
import { organisationDays } from './migrations/0014-organisation-days.ts';
import { helpRequests } from './migrations/0015-help-requests.ts';
import { apps } from './migrations/0016-apps.ts';
import { sso } from './migrations/0017-sso.ts';
import { trustedDevices } from './migrations/0018-trusted-devices.ts';
import { vouchedKeys } from './migrations/0019-vouched-keys.ts';
import { scim } from './migrations/0020-scim.ts';
import { rootKeys } from './migrations/0021-root-keys.ts';
import type { Database, Engine } from './database.ts';

/** The column types that differ between the databases. */
export interface Types {
  readonly bytes: 'blob' | 'bytea';
  /** Epoch milliseconds. */
  readonly instant: 'integer' | 'bigint';
  /** The collation that compares text byte by byte. */
  readonly byteOrder: 'BINARY' | 'C';
}

const typesOf: Record<Engine, Types> = {
  sqlite: { bytes: 'blob', instant: 'integer', byteOrder: 'BINARY' },
  postgres: { bytes: 'bytea', instant: 'bigint', byteOrder: 'C' },
};

type Migration = (database: Kysely<unknown>, types: Types) => Promise<void>;

/** In order. A released one is never changed: add the next. */
const migrations: readonly (readonly [name: string, migration: Migration])[] = [
  ['0001-portal', portal],
  ['0002-audit-chain', auditChain],
  ['0003-organisations', organisations],
  ['0004-organisation-policies', organisationPolicies],
  ['0005-organisation-events', organisationEvents],
  ['0006-lost-phone', lostPhone],
  ['0007-audit-beginnings', auditBeginnings],
  ['0008-api-keys', apiKeys],
  ['0009-idempotency-keys', idempotencyKeys],
  ['0010-suspended', suspended],
  ['0011-audit-webhooks', auditWebhooks],
  ['0012-owner-links', ownerLinks],
  ['0013-resets', resets],
  ['0014-organisation-days', organisationDays],
  ['0015-help-requests', helpRequests],
  ['0016-apps', apps],
  ['0017-sso', sso],
  ['0018-trusted-devices', trustedDevices],
  ['0019-vouched-keys', vouchedKeys],
  ['0020-scim', scim],
  ['0021-root-keys', rootKeys],
];

/** An arbitrary number that only Twinlock's migrations lock in a PostgreSQL database. */
const LOCK = 8_460_213_577;

/**
 * Brings the database up to date, in one transaction under a lock, so that processes that start together do it once.
 * Returns the names of what ran. Refuses a database that a newer Twinlock has migrated.
 */
export function migrate(database: Database): Promise<string[]> {
  return database.transaction(async (transaction) => {
    const migrating = transaction as unknown as Kysely<{ migrations: { name: string } }>;
    if (database.engine === 'postgres') await sql`select pg_advisory_xact_lock(${LOCK})`.execute(migrating);
    await migrating.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .execute();
    const done = new Set((await migrating.selectFrom('migrations').select('name').execute()).map((row) => row.name));
    const unknown = [...done].filter((name) => !migrations.some(([known]) => known === name));
    if (unknown.length > 0) throw new Error(`The database was made by a newer Twinlock (${unknown.join(', ')}). Install that version, or restore a backup.`);

    const ran: string[] = [];
    for (const [name, migration] of migrations) {
      if (done.has(name)) continue;
      await migration(transaction as unknown as Kysely<unknown>, typesOf[database.engine]);
      await migrating.insertInto('migrations').values({ name }).execute();
      ran.push(name);
    }
    return ran;
  });
}
