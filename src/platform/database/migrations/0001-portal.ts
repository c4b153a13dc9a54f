import { sql, type Kysely } from 'kysely';
import type { Types } from '../migrate.ts';

type Make = (database: Kysely<unknown>, types: Types) => Promise<void>;

/** People, factors, attempts, sessions, limits, policy, audit and the outbox of mail. */
export async function portal(database: Kysely<unknown>, types: Types): Promise<void> {
  const all: readonly Make[] = [
    createAccounts,
    createFactors,
    createSessions,
    createAttempts,
    createLimits,
    createPolicies,
    createAuditEvents,
    createOutbox,
    createKeyChecks,
  ];
  for (const make of all) await make(database, types);
}

async function createAccounts({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('accounts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('email_key', 'text', (column) => column.notNull())
    .addColumn('email_verified_at', instant)
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('language', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('password_changed_at', instant, (column) => column.notNull())
    .addColumn('sign_up_browser_hash', 'text', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .execute();
  // One verified account per address. Unverified ones may stand beside it, so that signing up tells nobody whether an account exists.
  await schema.createIndex('accounts_verified_email').on('accounts').column('email_key').unique().where(sql.ref('email_verified_at'), 'is not', null).execute();
  await schema
    .createIndex('accounts_unverified')
    .on('accounts')
    .columns(['email_key', 'sign_up_browser_hash'])
    .where(sql.ref('email_verified_at'), 'is', null)
    .execute();

  await schema.createIndex('accounts_unverified_age').on('accounts').column('created_at').where(sql.ref('email_verified_at'), 'is', null).execute();

  await schema
    .createTable('known_browsers')
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('browser_hash', 'text', (column) => column.notNull())
    .addColumn('first_seen_at', instant, (column) => column.notNull())
    .addColumn('last_seen_at', instant, (column) => column.notNull())
    .addPrimaryKeyConstraint('known_browsers_key', ['account_id', 'browser_hash'])
    .execute();

  await schema.createIndex('known_browsers_age').on('known_browsers').column('last_seen_at').execute();

  await schema
    .createTable('password_resets')
    .addColumn('token_hash', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) => column.notNull().unique().references('accounts.id').onDelete('cascade'))
    .addColumn('expires_at', instant, (column) => column.notNull())
    .execute();

  await schema.createIndex('password_resets_expiry').on('password_resets').column('expires_at').execute();
}

async function createFactors({ schema }: Kysely<unknown>, { bytes, instant }: Types): Promise<void> {
  await schema
    .createTable('factors')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('kind', 'text', (column) => column.notNull())
    // The kind where an account has at most one, else the row's own id.
    .addColumn('slot', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('state', bytes, (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('last_used_at', instant)
    .addUniqueConstraint('factors_slot', ['account_id', 'slot'])
    .execute();
}

async function createSessions({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('proofs', 'text', (column) => column.notNull())
    .addColumn('browser_hash', 'text', (column) => column.notNull())
    .addColumn('failed_tries', 'text')
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('last_seen_at', instant, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('sessions_account').on('sessions').column('account_id').execute();
  await schema.createIndex('sessions_browser').on('sessions').column('browser_hash').execute();
  await schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute();
}

async function createAttempts({ schema }: Kysely<unknown>, { bytes, instant }: Types): Promise<void> {
  await schema
    .createTable('attempts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('holder_hash', 'text', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull().references('accounts.id').onDelete('cascade'))
    .addColumn('session_id', 'text', (column) => column.references('sessions.id').onDelete('cascade'))
    .addColumn('state', bytes, (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .addUniqueConstraint('attempts_holder', ['holder_hash', 'purpose'])
    .execute();
  await schema.createIndex('attempts_account').on('attempts').column('account_id').execute();
  await schema.createIndex('attempts_session').on('attempts').column('session_id').execute();
  await schema.createIndex('attempts_expiry').on('attempts').column('expires_at').execute();
}

async function createLimits({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('limits')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('marks', 'text', (column) => column.notNull())
    .addColumn('forget_at', instant, (column) => column.notNull())
    .execute();
  await schema.createIndex('limits_forget').on('limits').column('forget_at').execute();
}

async function createPolicies(database: Kysely<unknown>, { instant }: Types): Promise<void> {
  await database.schema
    .createTable('policies')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('two_factor', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('changed_at', instant, (column) => column.notNull())
    .execute();

  await sql`insert into policies (id, two_factor, version, changed_at) values ('installation', 'optional', 1, 0)`.execute(database);
}

async function createAuditEvents({ schema }: Kysely<unknown>, { instant }: Types): Promise<void> {
  await schema
    .createTable('audit_events')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('at', instant, (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text')
    .addColumn('address', 'text')
    .addColumn('user_agent', 'text')
    .addColumn('request_id', 'text')
    .addColumn('details', 'text', (column) => column.notNull())
    .execute();
  await schema.createIndex('audit_events_account').on('audit_events').columns(['account_id', 'at']).execute();
}

async function createOutbox({ schema }: Kysely<unknown>, { bytes, instant }: Types): Promise<void> {
  await schema
    .createTable('outbox')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('message', bytes, (column) => column.notNull())
    .addColumn('created_at', instant, (column) => column.notNull())
    .addColumn('next_try_at', instant, (column) => column.notNull())
    .addColumn('expires_at', instant, (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('sent_at', instant)
    .execute();
  await schema.createIndex('outbox_due').on('outbox').column('next_try_at').where(sql.ref('sent_at'), 'is', null).execute();
}

async function createKeyChecks({ schema }: Kysely<unknown>, { bytes }: Types): Promise<void> {
  // One row: a known word under the current keys, so that a lost keys file is noticed at start and not at the first sign-in.
  await schema
    .createTable('key_checks')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sealed', bytes, (column) => column.notNull())
    .execute();
}
