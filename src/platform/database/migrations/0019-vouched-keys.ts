import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Until when a key may do what asks for a person: its maker has just shown that it is them. */
export async function vouchedKeys({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema.alterTable('api_keys').addColumn('vouched_until', instant).execute();
}
