import { sql, type Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** The place of each audit event in the chain, given shortly after it was written, and the chain's end. */
export async function auditChain(database: Kysely<unknown>, { instant }: Types): Promise<void> {
  const { schema } = database;
  await schema.alterTable('audit_events').addColumn('sequence', instant).execute();
  await schema.alterTable('audit_events').addColumn('hash', 'text').execute();
  await schema.createIndex('audit_events_sequence').on('audit_events').column('sequence').unique().execute();
  await schema.createIndex('audit_events_unchained').on('audit_events').columns(['at', 'id']).where(sql.ref('sequence'), 'is', null).execute();
  await schema
    .createTable('audit_heads')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sequence', instant, (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('seal', 'text', (column) => column.notNull())
    .execute();
}
