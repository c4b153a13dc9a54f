import { sql, type Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

type Make = (database: Kysely<unknown>, types: Types) => Promise<void>;

/** Organisations, who belongs to them, who is invited, and the link by which the first one is claimed. */
export async function organisations(database: Kysely<unknown>, types: Types): Promise<void> {
  const all: readonly Make[] = [addSearchedNames, createOrganisations, createMemberships, createInvitations, createSetUpLinks, indexSignIns];
  for (const make of all) await make(database, types);
}

/** The name as it is searched for. With the id and the address it is unique, so that memberships can follow both, see below. */
async function addSearchedNames(database: Kysely<unknown>, { byteOrder }: Types): Promise<void> {
  await sql`alter table accounts add column name_key text collate ${sql.id(byteOrder)} not null default ''`.execute(database);
  await sql`update accounts set name_key = lower(name)`.execute(database);
  await database.schema.createIndex('accounts_searched').on('accounts').columns(['id', 'email_key', 'name_key']).unique().execute();
}

async function createOrganisations({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('organisations')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .execute();
}

/**
 * The address and the name stand here once more, kept in step by the database itself: so people of one organisation are found and paged by one index,
 * however many others the installation has. Compared by bytes, so that a prefix is a range whatever the language of the database.
 */
async function createMemberships(database: Kysely<unknown>, { instant, byteOrder }: Types): Promise<void> {
  const key = sql`text collate ${sql.id(byteOrder)}`;
  await database.schema
    .createTable('memberships')
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('email_key', key, (column) => column.notNull())
    .addColumn('name_key', key, (column) => column.notNull())
    .addColumn('joined_at', instant, (column) => column.notNull())
    .addPrimaryKeyConstraint('memberships_key', ['organisation_id', 'account_id'])
    .addForeignKeyConstraint('memberships_account', ['account_id', 'email_key', 'name_key'], 'accounts', ['id', 'email_key', 'name_key'], (constraint) =>
      constraint.onUpdate('cascade').onDelete('cascade'),
    )
    .execute();
  const { schema } = database;
  await schema.createIndex('memberships_account').on('memberships').columns(['account_id', 'organisation_id']).execute();
  await schema.createIndex('memberships_email').on('memberships').columns(['organisation_id', 'email_key']).execute();
  await schema.createIndex('memberships_name').on('memberships').columns(['organisation_id', 'name_key', 'email_key']).execute();
  await schema.createIndex('memberships_role').on('memberships').columns(['organisation_id', 'role', 'email_key']).execute();
  // An organisation has one owner, never two.
  await schema.createIndex('memberships_owner').on('memberships').column('organisation_id').unique().where(sql.ref('role'), '=', sql.lit('owner')).execute();
}

async function createInvitations({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('invitations')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('organisation_id', 'text', (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('email_key', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('invited_by', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .addUniqueConstraint('invitations_address', ['organisation_id', 'email_key'])
    .execute();
  await schema.createIndex('invitations_by').on('invitations').column('invited_by').execute();
  await schema.createIndex('invitations_expiry').on('invitations').column('expires_at').execute();
}

async function createSetUpLinks({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  // One row at most: a new link takes the place of the last.
  await schema
    .createTable('set_up_links')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('token_hash', 'text', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .execute();
}

/** For "last sign-in" beside each person of a list. */
async function indexSignIns({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createIndex('audit_events_sign_ins')
    .on('audit_events')
    .columns(['account_id', 'at'])
    .where(sql.ref('event'), '=', sql.lit('authn_login_success'))
    .execute();
}
