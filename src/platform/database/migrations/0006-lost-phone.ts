import { sql, type Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** What serves for a while alone: swept away by this column. */
export async function lostPhone({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema.alterTable('factors').addColumn('expires_at', instant).execute();
  await schema.createIndex('factors_expiry').on('factors').column('expires_at').where(sql.ref('expires_at'), 'is not', null).execute();
}
