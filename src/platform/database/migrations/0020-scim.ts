import type { Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** Groups of an organisation's people, and what its own directory calls somebody (SCIM). Both end with the membership. */
export async function scim(database: Kysely<unknown>, types: Types): Promise<void> {
  await groups(database, types);
  await users(database, types);
}

async function groups({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('organisation_groups')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('name_key', 'text', (column) => column.notNull())
    .addColumn('external_id', 'text')
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('updated_at', instant, (column) => column.notNull())
    .addUniqueConstraint('organisation_groups_name', ['organisation_id', 'name_key'])
    .execute();

  await schema
    .createTable('group_members')
    .addColumn('group_id', 'text', (column) => column.notNull().references('organisation_groups.id').onDelete('cascade'))
    .addColumn('organisation_id', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('group_members_key', ['group_id', 'account_id'])
    .addForeignKeyConstraint('group_members_member', ['organisation_id', 'account_id'], 'memberships', ['organisation_id', 'account_id'], (constraint) =>
      constraint.onDelete('cascade'),
    )
    .execute();
  await schema.createIndex('group_members_account').on('group_members').columns(['organisation_id', 'account_id']).execute();
}

async function users({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('scim_users')
    .addColumn('organisation_id', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('user_name', 'text', (column) => column.notNull())
    .addColumn('user_name_key', 'text', (column) => column.notNull())
    .addColumn('external_id', 'text')
    .addColumn('email', 'text')
    .addColumn('email_key', 'text')
    .addColumn('display_name', 'text')
    .addColumn('given_name', 'text')
    .addColumn('family_name', 'text')
    .addColumn('updated_at', instant, (column) => column.notNull())
    .addPrimaryKeyConstraint('scim_users_key', ['organisation_id', 'account_id'])
    .addUniqueConstraint('scim_users_name', ['organisation_id', 'user_name_key'])
    .addForeignKeyConstraint('scim_users_member', ['organisation_id', 'account_id'], 'memberships', ['organisation_id', 'account_id'], (constraint) =>
      constraint.onDelete('cascade'),
    )
    .execute();
  await schema.createIndex('scim_users_external').on('scim_users').columns(['organisation_id', 'external_id']).execute();
}
