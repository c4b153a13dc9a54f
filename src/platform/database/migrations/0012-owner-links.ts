import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** A set-up link can be made for one address, beside organisations that there are, and ends then. The first one of a portal has none of these three. */
export async function ownerLinks({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema.alterTable('set_up_links').addColumn('email', 'text').execute();
  await schema.alterTable('set_up_links').addColumn('organisation_name', 'text').execute();
  await schema.alterTable('set_up_links').addColumn('expires_at', instant).execute();
  await schema.createIndex('set_up_links_token').on('set_up_links').column('token_hash').unique().execute();
  await schema.createIndex('set_up_links_expiry').on('set_up_links').column('expires_at').execute();
}
