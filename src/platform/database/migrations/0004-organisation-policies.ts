import { sql, type Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

/** A policy is a document with a history; each organisation may have one, and each person under it a deadline that is fixed once. */
export async function organisationPolicies(database: Kysely<unknown>, { instant }: Types): Promise<void> {
  const { schema } = database;
  await schema
    .alterTable('policies')
    .addColumn('rules', 'text', (column) => column.notNull().defaultTo('{}'))
    .execute();
  await sql`update policies set rules = '{"twoFactor":"' || two_factor || '"}'`.execute(database);
  await schema.alterTable('policies').dropColumn('two_factor').execute();

  await schema
    .createTable('policy_versions')
    .addColumn('policy_id', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('rules', 'text', (column) => column.notNull())
    .addColumn('changed_at', instant, (column) => column.notNull())
    .addColumn('changed_by', 'text')
    .addColumn('reason', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('policy_versions_key', ['policy_id', 'version'])
    .execute();
  await sql`
    insert into policy_versions (policy_id, version, rules, changed_at, changed_by, reason)
    select id, version, rules, changed_at, null, '' from policies`.execute(database);

  await schema
    .createTable('policy_deadlines')
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('deadline_at', instant, (column) => column.notNull())
    // Not of the membership: who leaves and joins again has no more time than before.
    .addPrimaryKeyConstraint('policy_deadlines_key', ['account_id', 'organisation_id'])
    .execute();
  await schema.createIndex('policy_deadlines_organisation').on('policy_deadlines').column('organisation_id').execute();

  // As its policy in force says it: JSON, a list. Beside the organisation, since joining asks for it.
  await schema
    .alterTable('organisations')
    .addColumn('email_domains', 'text', (column) => column.notNull().defaultTo('[]'))
    .execute();

  // What an administrator looks at before it is saved.
  await schema
    .createTable('policy_drafts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('based_on', 'integer', (column) => column.notNull())
    .addColumn('rules', 'text', (column) => column.notNull())
    .addColumn('made_by', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('made_at', instant, (column) => column.notNull())
    // 1: everybody's time begins anew.
    .addColumn('renews', 'integer', (column) => column.notNull())
    // The address up to which people have been told; all of them where told_at says so.
    .addColumn('told_upto', 'text', (column) => column.notNull())
    .addColumn('told_at', instant)
    .addColumn('expires_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('policy_drafts_organisation').on('policy_drafts').column('organisation_id').execute();
  await schema.createIndex('policy_drafts_maker').on('policy_drafts').column('made_by').execute();
  await schema.createIndex('policy_drafts_expiry').on('policy_drafts').column('expires_at').execute();
}
