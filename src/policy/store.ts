import { sql } from 'kysely';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { allRows, firstRow, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    policies: PolicyRow;
    policy_versions: PolicyVersionRow;
    policy_deadlines: PolicyDeadlineRow;
    policy_drafts: PolicyDraftRow;
  }
}

/** The one in force. */
export interface PolicyRow {
  /** The organisation's id, or 'installation'. */
  id: string;
  /** JSON of Rules. */
  rules: string;
  version: number;
  changed_at: number;
  /** When it last came to ask for more than before; 0 where it never did. */
  tightened_at: number;
}

/** Every one that ever was in force. */
export interface PolicyVersionRow {
  policy_id: string;
  /** 0: what held before the organisation had a policy of its own, the installation's. */
  version: number;
  rules: string;
  changed_at: number;
  /** null: on the command line. */
  changed_by: string | null;
  reason: string;
}

export interface PolicyDeadlineRow {
  organisation_id: string;
  account_id: string;
  deadline_at: number;
}

export interface PolicyDraftRow {
  id: string;
  organisation_id: string;
  /** The version that it would replace. */
  based_on: number;
  rules: string;
  made_by: string;
  made_at: number;
  /** 1: the deadlines that were fixed before are forgotten, and fixed anew. */
  renews: number;
  told_upto: string;
  told_at: number | null;
  expires_at: number;
}

export const INSTALLATION = 'installation';

export const selectPolicy = prepared((queries: Queries, id: string) => queries.selectFrom('policies').selectAll().where('id', '=', id), firstRow);

/** False where somebody else changed it meanwhile. `version`: the one that this takes the place of, 0 for none. */
export async function putPolicy(
  transaction: Transaction,
  {
    id,
    rules,
    version,
    now,
    tightenedAt,
    by,
    reason,
  }: { id: string; rules: string; version: number; now: number; tightenedAt: number; by: string | null; reason: string },
): Promise<boolean> {
  const row = { id, rules, version: version + 1, changed_at: now, tightened_at: tightenedAt };
  if (!(await (version === 0 ? insertPolicy(transaction, row) : updatePolicy(transaction, row, version)))) return false;
  await insertVersion(transaction, { policy_id: id, version: version + 1, rules, changed_at: now, changed_by: by, reason });
  return true;
}

export async function insertVersion(transaction: Transaction, row: PolicyVersionRow): Promise<void> {
  await transaction.insertInto('policy_versions').values(row).execute();
}

async function insertPolicy(transaction: Transaction, row: PolicyRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('policies')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

async function updatePolicy(transaction: Transaction, { id, ...set }: PolicyRow, version: number): Promise<boolean> {
  const { numUpdatedRows } = await transaction.updateTable('policies').set(set).where('id', '=', id).where('version', '=', version).executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function selectVersions(queries: Queries, policyId: string, most: number): Promise<PolicyVersionRow[]> {
  return queries.selectFrom('policy_versions').selectAll().where('policy_id', '=', policyId).orderBy('version', 'desc').limit(most).execute();
}

export async function selectVersion(queries: Queries, policyId: string, version: number): Promise<PolicyVersionRow | undefined> {
  return queries.selectFrom('policy_versions').selectAll().where('policy_id', '=', policyId).where('version', '=', version).executeTakeFirst();
}

export interface PlaceRow {
  account_id: string;
  account_created_at: number;
  /** These four are null for who belongs to no organisation. */
  organisation_id: string | null;
  organisation_name: string | null;
  role: string | null;
  joined_at: number | null;
  deadline_at: number | null;
  /** The organisation's, else the installation's. */
  rules: string;
  tightened_at: number;
}

/** Everything that bears on somebody: a row for each organisation that they belong to, or one. */
export const selectPlaces = prepared(
  (queries: Queries, accountId: string) =>
    queries
      .selectFrom('accounts as a')
      .leftJoin('memberships as m', 'm.account_id', 'a.id')
      .leftJoin('organisations as o', 'o.id', 'm.organisation_id')
      .leftJoin('policies as p', 'p.id', 'm.organisation_id')
      .leftJoin('policy_deadlines as d', (join) => join.onRef('d.account_id', '=', 'a.id').onRef('d.organisation_id', '=', 'm.organisation_id'))
      .innerJoin('policies as i', (join) => join.on('i.id', '=', INSTALLATION))
      .select(['a.id as account_id', 'a.created_at as account_created_at', 'm.organisation_id', 'o.name as organisation_name', 'm.role', 'm.joined_at'])
      .select(['d.deadline_at', sql<string>`coalesce(p.rules, i.rules)`.as('rules'), sql<number>`coalesce(p.tightened_at, i.tightened_at)`.as('tightened_at')])
      .where('a.id', '=', accountId)
      .orderBy('m.joined_at')
      .orderBy('m.organisation_id'),
  allRows,
);

/** Those that are there already stay as they are. */
export async function insertDeadlines(transaction: Transaction, rows: readonly PolicyDeadlineRow[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction
    .insertInto('policy_deadlines')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['account_id', 'organisation_id']).doNothing())
    .execute();
}

export async function deleteDeadlines(transaction: Transaction, organisationId: string): Promise<void> {
  await transaction.deleteFrom('policy_deadlines').where('organisation_id', '=', organisationId).execute();
}

export interface MemberRow {
  account_id: string;
  email_key: string;
  email: string;
  name: string;
  language: string;
  email_verified_at: number | null;
  own_role: string;
  own_joined_at: number;
  own_deadline_at: number | null;
}

/** People of an organisation by their addresses, `most` of them behind `after`, each with where they stand under its own policy. */
function peopleOf(queries: Queries, organisationId: string, { after, most }: { after: string; most: number }) {
  return queries
    .selectFrom('memberships as t')
    .innerJoin('accounts as a', 'a.id', 't.account_id')
    .leftJoin('policy_deadlines as own', (join) => join.onRef('own.account_id', '=', 't.account_id').onRef('own.organisation_id', '=', 't.organisation_id'))
    .select(['t.account_id', 't.email_key', 'a.email', 'a.name', 'a.language', 'a.email_verified_at'])
    .select(['t.role as own_role', 't.joined_at as own_joined_at', 'own.deadline_at as own_deadline_at'])
    .where('t.organisation_id', '=', organisationId)
    .where('t.email_key', '>', after)
    .orderBy('t.email_key')
    .limit(most);
}

export async function selectMembers(queries: Queries, organisationId: string, page: { after: string; most: number }): Promise<MemberRow[]> {
  return peopleOf(queries, organisationId, page).execute();
}

/** Where the same people stand under the policies of the other organisations that they belong to. */
export async function selectOtherPlaces(
  queries: Queries,
  organisationId: string,
  page: { after: string; most: number },
): Promise<{ account_id: string; role: string; joined_at: number; deadline_at: number | null; rules: string; tightened_at: number }[]> {
  return queries
    .selectFrom(peopleOf(queries, organisationId, page).as('t'))
    .innerJoin('memberships as m', 'm.account_id', 't.account_id')
    .leftJoin('policies as p', 'p.id', 'm.organisation_id')
    .leftJoin('policy_deadlines as d', (join) => join.onRef('d.account_id', '=', 'm.account_id').onRef('d.organisation_id', '=', 'm.organisation_id'))
    .innerJoin('policies as i', (join) => join.on('i.id', '=', INSTALLATION))
    .select(['m.account_id', 'm.role', 'm.joined_at', 'd.deadline_at'])
    .select([sql<string>`coalesce(p.rules, i.rules)`.as('rules'), sql<number>`coalesce(p.tightened_at, i.tightened_at)`.as('tightened_at')])
    .where('m.organisation_id', '<>', organisationId)
    .execute();
}

export async function selectKinds(
  queries: Queries,
  organisationId: string,
  page: { after: string; most: number },
): Promise<{ account_id: string; kind: string }[]> {
  return queries
    .selectFrom(peopleOf(queries, organisationId, page).as('t'))
    .innerJoin('factors as f', 'f.account_id', 't.account_id')
    .select(['f.account_id', 'f.kind'])
    .execute();
}

/** The members among these addresses. */
export async function selectMembersOfAddresses(
  queries: Queries,
  organisationId: string,
  emailKeys: readonly string[],
): Promise<{ account_id: string; email_key: string }[]> {
  if (emailKeys.length === 0) return [];
  return queries
    .selectFrom('memberships')
    .select(['account_id', 'email_key'])
    .where('organisation_id', '=', organisationId)
    .where('email_key', 'in', emailKeys)
    .execute();
}

export async function selectAddresses(queries: Queries, organisationId: string, accountIds: readonly string[]): Promise<string[]> {
  if (accountIds.length === 0) return [];
  const rows = await queries
    .selectFrom('memberships')
    .select('email_key')
    .where('organisation_id', '=', organisationId)
    .where('account_id', 'in', accountIds)
    .orderBy('email_key')
    .execute();
  return rows.map((row) => row.email_key);
}

export async function insertDraft(transaction: Transaction, row: PolicyDraftRow): Promise<void> {
  await transaction.insertInto('policy_drafts').values(row).execute();
}

export async function selectDraft(queries: Queries, organisationId: string, id: string): Promise<PolicyDraftRow | undefined> {
  return queries.selectFrom('policy_drafts').selectAll().where('organisation_id', '=', organisationId).where('id', '=', id).executeTakeFirst();
}

export async function deleteDraft(transaction: Transaction, id: string): Promise<void> {
  await transaction.deleteFrom('policy_drafts').where('id', '=', id).execute();
}

/** False where another process went on telling people meanwhile. */
export async function updateTold(
  transaction: Transaction,
  id: string,
  { from, upto, at }: { from: string; upto: string; at: number | null },
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('policy_drafts')
    .set({ told_upto: upto, told_at: at })
    .where('id', '=', id)
    .where('told_upto', '=', from)
    .where('told_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
