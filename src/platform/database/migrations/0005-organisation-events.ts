import { sql, type Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/**
 * Which audit events are an organisation's, written beside each event, so that its log is one range of one index however many others there are.
 * Events from before this table are given to those who are members now, from when they joined; those that name an organisation are its own.
 */
export async function organisationEvents(database: Kysely<unknown>, { instant, byteOrder }: Types): Promise<void> {
  const { schema } = database;
  await schema
    .createTable('organisation_events')
    .addColumn('event_id', 'text', (column) => column.notNull().references('audit_events.id').onDelete('cascade'))
    .addColumn('organisation_id', 'text', (column) => column.notNull())
    .addColumn('at', instant, (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text')
    .addColumn('address', 'text')
    // Of the account at that moment.
    .addColumn('name', 'text')
    .addColumn('email', 'text')
    .addPrimaryKeyConstraint('organisation_events_key', ['event_id', 'organisation_id'])
    .execute();
  await fill(database, byteOrder);
  for (const [name, columns] of [
    ['when', []],
    ['kind', ['event']],
    ['person', ['account_id']],
    ['address', ['address', 'event']],
  ] as const)
    await schema
      .createIndex(`organisation_events_${name}`)
      .on('organisation_events')
      .columns(['organisation_id', ...columns, 'at', 'event_id'])
      .execute();
}

async function fill(database: Kysely<unknown>, byteOrder: Types['byteOrder']): Promise<void> {
  const named = byteOrder === 'C' ? sql`(e.details::json ->> 'organisation')` : sql`json_extract(e.details, '$.organisation')`;
  const columns = sql`event_id, organisation_id, at, event, account_id, address, name, email`;
  await sql`insert into organisation_events (${columns})
    select e.id, m.organisation_id, e.at, e.event, e.account_id, e.address, a.name, a.email
    from audit_events e join memberships m on m.account_id = e.account_id and e.at > m.joined_at join accounts a on a.id = e.account_id
    where ${named} is null`.execute(database);
  await sql`insert into organisation_events (${columns})
    select e.id, o.id, e.at, e.event, e.account_id, e.address, a.name, a.email
    from audit_events e join organisations o on o.id = ${named} left join accounts a on a.id = e.account_id`.execute(database);
}
