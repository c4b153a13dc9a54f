import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Where the chain begins, once its oldest entries were removed. */
export async function auditBeginnings({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  // One row at most: each beginning takes the place of the one before.
  await schema
    .createTable('audit_beginnings')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sequence', instant, (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('made_at', instant, (column) => column.notNull())
    .addColumn('origin', 'text', (column) => column.notNull())
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('signature', 'text', (column) => column.notNull())
    .execute();
}
