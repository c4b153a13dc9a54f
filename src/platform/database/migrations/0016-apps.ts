import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Apps that the portal stands in front of, the codes that lead into them, and the sessions that are open there. */
export async function apps({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('apps')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    // In lower case, with the port where it has one; '*.' before it stands for one label. One app for a host in the whole installation.
    .addColumn('host', 'text', (column) => column.notNull().unique())
    // JSON: rules in their order.
    .addColumn('rules', 'text', (column) => column.notNull())
    .addColumn('last_rule', 'text', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('apps_organisation').on('apps').column('organisation_id').execute();

  await schema
    .createTable('app_codes')
    .addColumn('code_hash', 'text', (column) => column.primaryKey())
    .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('browser_hash', 'text', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('app_codes_session').on('app_codes').column('session_id').execute();
  await schema.createIndex('app_codes_expiry').on('app_codes').column('expires_at').execute();

  await schema
    .createTable('app_sessions')
    .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addPrimaryKeyConstraint('app_sessions_key', ['session_id', 'host'])
    .execute();
}
