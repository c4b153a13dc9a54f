import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Who asks for help at the second step of signing in, until somebody closes it or it is old. */
export async function helpRequests({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('help_requests')
    // One at a time.
    .addColumn('account_id', 'text', (column) => column.primaryKey().references('accounts.id').onDelete('cascade'))
    .addColumn('asked_at', instant, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .addColumn('words', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .addColumn('browser_known', 'integer', (column) => column.notNull())
    .execute();
  await schema.createIndex('help_requests_expiry').on('help_requests').column('expires_at').execute();
}
