import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Keys of organisations for programs. A key goes with the membership of whoever made it. */
export async function apiKeys({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('api_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organisation_id', 'text', (column) => column.notNull())
    .addColumn('made_by', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .addColumn('last_used_at', instant)
    .addForeignKeyConstraint('api_keys_maker', ['organisation_id', 'made_by'], 'memberships', ['organisation_id', 'account_id'], (constraint) =>
      constraint.onDelete('cascade'),
    )
    .execute();
  await schema.createIndex('api_keys_maker').on('api_keys').columns(['organisation_id', 'made_by']).execute();
  await schema.createIndex('api_keys_expiry').on('api_keys').column('expires_at').execute();
}
