import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** What everything else is derived from, sealed by the key of the keys file. */
export async function rootKeys({ schema }: Kysely<unknown>, { bytes, instant }: Types): Promise<void> {
  await schema
    .createTable('root_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sealed', bytes, (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .execute();
}
