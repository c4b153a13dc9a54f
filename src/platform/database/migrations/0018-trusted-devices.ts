import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Browsers that are remembered after a second factor, and since when each policy asks for more. */
export async function trustedDevices({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('trusted_devices')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    // Of the token that counts now; the one before is worth less than nothing.
    .addColumn('token_hash', 'text', (column) => column.notNull())
    // One browser is remembered for one person at a time.
    .addColumn('browser_hash', 'text', (column) => column.notNull().unique())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('last_used_at', instant, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('trusted_devices_account').on('trusted_devices').column('account_id').execute();
  await schema.createIndex('trusted_devices_expiry').on('trusted_devices').column('expires_at').execute();
  await schema
    .alterTable('policies')
    .addColumn('tightened_at', instant, (column) => column.notNull().defaultTo(0))
    .execute();
}
