import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Resets of somebody's methods that are waiting. Whatever comes of one, its row goes: what happened is in the audit log. */
export async function resets({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('method_resets')
    .addColumn('id', 'text', (column) => column.primaryKey())
    // One at a time.
    .addColumn('account_id', 'text', (column) => column.notNull().unique().references('accounts.id').onDelete('cascade'))
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('asked_by', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('asked_at', instant, (column) => column.notNull())
    .addColumn('due_at', instant, (column) => column.notNull())
    .addColumn('needs_approval', 'integer', (column) => column.notNull())
    .addColumn('approved_by', 'text', (column) => column.references('accounts.id').onDelete('set null'))
    .addColumn('stop_token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('identity_check', 'text', (column) => column.notNull())
    .execute();
  await schema.createIndex('method_resets_due').on('method_resets').column('due_at').execute();
  await schema.createIndex('method_resets_organisation').on('method_resets').column('organisation_id').execute();
  // When somebody's methods were reset, until they have set one up.
  await schema.alterTable('accounts').addColumn('methods_reset_at', instant).execute();
}
