import { sql, type Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Sign-in by an organisation's own identity provider: connections, domains, whom a provider knows, and the browsers that are on their way there. */
export async function sso(database: Kysely<unknown>, types: Types): Promise<void> {
  await connections(database, types);
  await links(database, types);
  await roundTrips(database, types);
}

async function connections({ schema }: Kysely<unknown>, { instant, bytes }: Types): Promise<void> {
  await schema
    .createTable('sso_connections')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('settings', bytes, (column) => column.notNull())
    .addColumn('enabled_at', instant)
    .addColumn('required', 'integer', (column) => column.notNull())
    .addColumn('trusts_addresses', 'integer', (column) => column.notNull())
    // JSON, a list of the provider's words for two factors; empty: it is not believed.
    .addColumn('second_factor_words', 'text', (column) => column.notNull())
    .addColumn('tested_at', instant)
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('sso_connections_organisation').on('sso_connections').column('organisation_id').execute();

  await schema
    .createTable('sso_domains')
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('domain', 'text', (column) => column.notNull())
    .addColumn('record', 'text', (column) => column.notNull())
    .addColumn('verified_at', instant)
    .addColumn('connection_id', 'text', (column) => column.references('sso_connections.id').onDelete('set null'))
    .addColumn('created_at', instant, (column) => column.notNull())
    .addPrimaryKeyConstraint('sso_domains_key', ['organisation_id', 'domain'])
    .execute();
  await schema.createIndex('sso_domains_connection').on('sso_domains').column('connection_id').execute();
  // A domain is one organisation's: whoever has shown it first.
  await schema.createIndex('sso_domains_verified').on('sso_domains').column('domain').unique().where(sql.ref('verified_at'), 'is not', null).execute();
}

async function links({ schema }: Kysely<unknown>, { instant, bytes }: Types): Promise<void> {
  await schema
    .createTable('sso_links')
    .addColumn('connection_id', 'text', (column) => column.notNull().references('sso_connections.id').onDelete('cascade'))
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('last_used_at', instant, (column) => column.notNull())
    .addPrimaryKeyConstraint('sso_links_key', ['connection_id', 'subject'])
    .addUniqueConstraint('sso_links_account', ['account_id', 'connection_id'])
    .execute();

  await schema
    .createTable('sso_sessions')
    .addColumn('session_id', 'text', (column) => column.primaryKey().references('sessions.id').onDelete('cascade'))
    .addColumn('connection_id', 'text', (column) => column.notNull().references('sso_connections.id').onDelete('cascade'))
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('provider_session', 'text')
    .addColumn('hint', bytes)
    .execute();
  await schema.createIndex('sso_sessions_subject').on('sso_sessions').columns(['connection_id', 'subject']).execute();
}

async function roundTrips({ schema }: Kysely<unknown>, { instant, bytes }: Types): Promise<void> {
  await schema
    .createTable('sso_round_trips')
    .addColumn('state_hash', 'text', (column) => column.primaryKey())
    .addColumn('connection_id', 'text', (column) => column.notNull().references('sso_connections.id').onDelete('cascade'))
    .addColumn('browser_hash', 'text', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('stage', 'text', (column) => column.notNull())
    .addColumn('content', bytes, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('sso_round_trips_connection').on('sso_round_trips').column('connection_id').execute();
  await schema.createIndex('sso_round_trips_expiry').on('sso_round_trips').column('expires_at').execute();

  await schema
    .createTable('sso_messages')
    .addColumn('message_hash', 'text', (column) => column.primaryKey())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('sso_messages_expiry').on('sso_messages').column('expires_at').execute();
}
