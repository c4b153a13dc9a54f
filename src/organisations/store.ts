import type { Queries, Transaction } from '../platform/database/database.ts';
import { allRows, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    organisations: OrganisationRow;
    memberships: MembershipRow;
    invitations: InvitationRow;
    set_up_links: SetUpLinkRow;
  }
}

export interface OrganisationRow {
  id: string;
  name: string;
  /** JSON, a list; empty: any. */
  email_domains: string;
  created_at: number;
}

export interface MembershipRow {
  organisation_id: string;
  account_id: string;
  role: string;
  /** Those of the account; the database keeps them in step. */
  email_key: string;
  name_key: string;
  joined_at: number;
  /** null: may come and go. */
  suspended_at: number | null;
}

export interface InvitationRow {
  id: string;
  organisation_id: string;
  token_hash: string;
  email: string;
  email_key: string;
  role: string;
  /** An account. */
  invited_by: string;
  created_at: number;
  expires_at: number;
}

export interface SetUpLinkRow {
  id: string;
  token_hash: string;
  created_at: number;
  /** These three are null for the first link of a portal. */
  email: string | null;
  organisation_name: string | null;
  expires_at: number | null;
}

export async function hasOrganisation(queries: Queries): Promise<boolean> {
  return (await queries.selectFrom('organisations').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** Those with that id, or that name. */
export async function selectOrganisations(queries: Queries, idOrName: string): Promise<Pick<OrganisationRow, 'id' | 'name'>[]> {
  return queries
    .selectFrom('organisations')
    .select(['id', 'name'])
    .where((row) => row.or([row('id', '=', idOrName), row('name', '=', idOrName)]))
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

export async function insertOrganisation(transaction: Transaction, row: OrganisationRow): Promise<void> {
  await transaction.insertInto('organisations').values(row).execute();
}

export async function selectAllOrganisations(queries: Queries): Promise<OrganisationRow[]> {
  return queries.selectFrom('organisations').selectAll().orderBy('name').orderBy('id').execute();
}

export async function selectEmailDomains(queries: Queries, organisationId: string): Promise<string | undefined> {
  const row = await queries.selectFrom('organisations').select('email_domains').where('id', '=', organisationId).executeTakeFirst();
  return row?.email_domains;
}

/** Of all organisations together, each once. */
export async function selectAllEmailDomains(queries: Queries): Promise<string[]> {
  const rows = await queries.selectFrom('organisations').select('email_domains').distinct().where('email_domains', '!=', '[]').execute();
  return [...new Set(rows.flatMap((row) => JSON.parse(row.email_domains) as string[]))];
}

export async function updateEmailDomains(transaction: Transaction, organisationId: string, domains: string): Promise<void> {
  await transaction.updateTable('organisations').set({ email_domains: domains }).where('id', '=', organisationId).execute();
}

/** A newer link takes the place of the one with the same id. */
export async function putSetUpLink(transaction: Transaction, row: SetUpLinkRow): Promise<void> {
  await transaction
    .insertInto('set_up_links')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

export async function selectSetUpLink(queries: Queries, tokenHash: string): Promise<SetUpLinkRow | undefined> {
  return queries.selectFrom('set_up_links').selectAll().where('token_hash', '=', tokenHash).executeTakeFirst();
}

/** Of two that race one deletes the row. */
export async function takeSetUpLink(transaction: Transaction, tokenHash: string): Promise<boolean> {
  const { numDeletedRows } = await transaction.deleteFrom('set_up_links').where('token_hash', '=', tokenHash).executeTakeFirst();
  return numDeletedRows === 1n;
}

/** Address and name are the account's at this moment. False where the account is no more, or belongs to the organisation already. */
export async function insertMembership(
  transaction: Transaction,
  { organisationId, accountId, role, joinedAt }: { organisationId: string; accountId: string; role: string; joinedAt: number },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('memberships')
    .columns(['organisation_id', 'account_id', 'role', 'email_key', 'name_key', 'joined_at'])
    .expression((from) =>
      from
        .selectFrom('accounts')
        .select((select) => [
          select.cast<string>(select.val(organisationId), 'text').as('organisation_id'),
          'id as account_id',
          select.cast<string>(select.val(role), 'text').as('role'),
          'email_key',
          'name_key',
          select.cast<number>(select.val(joinedAt), 'bigint').as('joined_at'),
        ])
        .where('id', '=', accountId),
    )
    .onConflict((conflict) => conflict.columns(['organisation_id', 'account_id']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export interface MembershipWithName extends MembershipRow {
  organisation_name: string;
}

/** The organisation that somebody belongs to the longest comes first. Asked at every sign-in. */
export const selectMemberships = prepared(
  (queries: Queries, accountId: string) =>
    queries
      .selectFrom('memberships as m')
      .innerJoin('organisations as o', 'o.id', 'm.organisation_id')
      .selectAll('m')
      .select('o.name as organisation_name')
      .where('m.account_id', '=', accountId)
      .orderBy('m.joined_at')
      .orderBy('m.organisation_id'),
  allRows<MembershipWithName>,
);

/** Those who look after an organisation and may change something, the longest first. */
export async function selectAdministrators(
  queries: Queries,
  organisationId: string,
  most: number,
): Promise<{ id: string; name: string; email: string; role: string }[]> {
  return queries
    .selectFrom('memberships as m')
    .innerJoin('accounts as a', 'a.id', 'm.account_id')
    .select(['a.id', 'a.name', 'a.email', 'm.role'])
    .where('m.organisation_id', '=', organisationId)
    .where('m.role', 'in', ['owner', 'admin'])
    .where('m.suspended_at', 'is', null)
    .orderBy('m.joined_at')
    .limit(most)
    .execute();
}

export async function selectMembership(queries: Queries, organisationId: string, accountId: string): Promise<MembershipRow | undefined> {
  return queries.selectFrom('memberships').selectAll().where('organisation_id', '=', organisationId).where('account_id', '=', accountId).executeTakeFirst();
}

export async function selectOwner(queries: Queries, organisationId: string): Promise<MembershipRow | undefined> {
  return queries.selectFrom('memberships').selectAll().where('organisation_id', '=', organisationId).where('role', '=', 'owner').executeTakeFirst();
}

export async function hasMemberOfAddress(queries: Queries, organisationId: string, emailKey: string): Promise<boolean> {
  const row = await queries
    .selectFrom('memberships')
    .select('account_id')
    .where('organisation_id', '=', organisationId)
    .where('email_key', '=', emailKey)
    .executeTakeFirst();
  return row !== undefined;
}

/** Writes only over the role that was seen: of two that race the second changes no row and is told so. */
export async function updateRole(
  transaction: Transaction,
  { organisationId, accountId, from, to }: { organisationId: string; accountId: string; from: string; to: string },
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('memberships')
    .set({ role: to })
    .where('organisation_id', '=', organisationId)
    .where('account_id', '=', accountId)
    .where('role', '=', from)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Two statements, each over what was seen. False where somebody was faster: then both are to be undone, so that whatever races with them, one owner is left. */
export async function replaceOwner(
  transaction: Transaction,
  { organisationId, ownerId, targetId, seen }: { organisationId: string; ownerId: string; targetId: string; seen: string },
): Promise<boolean> {
  const stepsDown = await updateRole(transaction, { organisationId, accountId: ownerId, from: 'owner', to: 'admin' });
  return stepsDown && (await updateRole(transaction, { organisationId, accountId: targetId, from: seen, to: 'owner' }));
}

/** False where it is so already. */
export async function updateSuspended(
  transaction: Transaction,
  { organisationId, accountId, at }: { organisationId: string; accountId: string; at: number | null },
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('memberships')
    .set({ suspended_at: at })
    .where('organisation_id', '=', organisationId)
    .where('account_id', '=', accountId)
    .where('suspended_at', at === null ? 'is not' : 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function deleteMembership(
  transaction: Transaction,
  { organisationId, accountId, role }: { organisationId: string; accountId: string; role: string },
): Promise<boolean> {
  const { numDeletedRows } = await transaction
    .deleteFrom('memberships')
    .where('organisation_id', '=', organisationId)
    .where('account_id', '=', accountId)
    .where('role', '=', role)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/** One an address: a newer invitation takes the place of the older, whose link is dead from then on. Returns its id, which is the older one's where there was one. */
export async function putInvitation(transaction: Transaction, row: InvitationRow): Promise<string> {
  const { id: _id, organisation_id: _organisation, email_key: _key, ...renewed } = row;
  const { id } = await transaction
    .insertInto('invitations')
    .values(row)
    .onConflict((conflict) => conflict.columns(['organisation_id', 'email_key']).doUpdateSet(renewed))
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function renewInvitation(transaction: Transaction, id: string, link: Pick<InvitationRow, 'token_hash' | 'expires_at'>): Promise<string> {
  await transaction.updateTable('invitations').set(link).where('id', '=', id).execute();
  return id;
}

export async function selectInvitations(queries: Queries, organisationId: string, { after, most }: { after: string; most: number }): Promise<InvitationRow[]> {
  return queries
    .selectFrom('invitations')
    .selectAll()
    .where('organisation_id', '=', organisationId)
    .where('email_key', '>', after)
    .orderBy('email_key')
    .limit(most)
    .execute();
}

export async function selectInvitation(queries: Queries, organisationId: string, id: string): Promise<InvitationRow | undefined> {
  return queries.selectFrom('invitations').selectAll().where('organisation_id', '=', organisationId).where('id', '=', id).executeTakeFirst();
}

export interface InvitationWithName extends InvitationRow {
  organisation_name: string;
  email_domains: string;
}

export async function selectInvitationOfToken(queries: Queries, tokenHash: string): Promise<InvitationWithName | undefined> {
  return queries
    .selectFrom('invitations as i')
    .innerJoin('organisations as o', 'o.id', 'i.organisation_id')
    .selectAll('i')
    .select(['o.name as organisation_name', 'o.email_domains'])
    .where('i.token_hash', '=', tokenHash)
    .executeTakeFirst();
}

/** Single use: the row is deleted and handed back in one statement, and only to whom it is addressed. */
export async function takeInvitation(
  transaction: Transaction,
  { tokenHash, emailKey, now }: { tokenHash: string; emailKey: string; now: number },
): Promise<InvitationRow | undefined> {
  return transaction
    .deleteFrom('invitations')
    .where('token_hash', '=', tokenHash)
    .where('email_key', '=', emailKey)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst();
}

export async function deleteInvitation(transaction: Transaction, organisationId: string, id: string): Promise<InvitationRow | undefined> {
  return transaction.deleteFrom('invitations').where('organisation_id', '=', organisationId).where('id', '=', id).returningAll().executeTakeFirst();
}

export async function deleteInvitationsBy(transaction: Transaction, organisationId: string, accountId: string): Promise<void> {
  await transaction.deleteFrom('invitations').where('organisation_id', '=', organisationId).where('invited_by', '=', accountId).execute();
}

/** Invitations, and links that make an organisation; the first one of a portal stays, until there is an owner. */
export async function deleteEveryLink(transaction: Transaction): Promise<void> {
  await transaction.deleteFrom('invitations').execute();
  await transaction.deleteFrom('set_up_links').where('expires_at', 'is not', null).execute();
}
