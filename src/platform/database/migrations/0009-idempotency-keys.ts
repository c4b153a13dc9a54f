import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Answers to writes of programs, kept for a day, so that what is sent again is not done again. */
export async function idempotencyKeys({ schema }: Kysely<unknown>, { instant, bytes }: Types): Promise<void> {
  await schema
    .createTable('idempotency_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('request_hash', 'text', (column) => column.notNull())
    .addColumn('answer', bytes)
    .addColumn('claimed_at', instant, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('idempotency_keys_expiry').on('idempotency_keys').column('expires_at').execute();
}
