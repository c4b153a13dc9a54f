import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Since when a member is suspended, and since when a method takes no more tries: so that both can be searched for. */
export async function suspended({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema.alterTable('memberships').addColumn('suspended_at', instant).execute();
  await schema.alterTable('factors').addColumn('stopped_at', instant).execute();
}
