import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Where the log of an organisation is streamed to, and how far it has come. */
export async function auditWebhooks({ schema }: Kysely<unknown>, { bytes, instant }: Types): Promise<void> {
  await schema
    .createTable('audit_webhooks')
    .addColumn('organisation_id', 'text', (column) => column.primaryKey().references('organisations.id').onDelete('cascade'))
    .addColumn('id', 'text', (column) => column.notNull().unique())
    // Address and secret: an address may hold a token of its own.
    .addColumn('receiver', bytes, (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('paused', 'integer', (column) => column.notNull())
    .addColumn('position', instant, (column) => column.notNull())
    .addColumn('batch_end', instant)
    .addColumn('leased_until', instant, (column) => column.notNull())
    .addColumn('next_try_at', instant, (column) => column.notNull())
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('last_delivered_at', instant)
    .addColumn('last_failed_at', instant)
    .addColumn('last_failure', 'text')
    .addColumn('created_at', instant, (column) => column.notNull())
    .execute();
}
