import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** What the overview of an organisation shows: one row a day, counted in the background. */
export async function organisationDays({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('organisation_days')
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    // Days since 1970, in UTC.
    .addColumn('day', 'integer', (column) => column.notNull())
    // Unknown for days before the first count: the log tells what happened then, and not who had a second factor.
    .addColumn('people', 'integer')
    .addColumn('protected', 'integer')
    .addColumn('methods', 'text', (column) => column.notNull())
    .addColumn('events', 'text', (column) => column.notNull())
    .addColumn('counted_at', instant, (column) => column.notNull())
    .addPrimaryKeyConstraint('organisation_days_key', ['organisation_id', 'day'])
    .execute();
}
