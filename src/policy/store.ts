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
}

/** Every one that ever was in force. */
export interface PolicyVersionRow {
  policy_id: string;
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
  mailed_at: number | null;
  expires_at: number;
}

export const INSTALLATION = 'installation';

export const selectPolicy = prepared((queries: Queries, id: string) => queries.selectFrom('policies').selectAll().where('id', '=', id), firstRow);

/** False where somebody else changed it meanwhile. `version`: the one that this takes the place of, 0 for none. */
export async function putPolicy(
  transaction: Transaction,
  { id, rules, version, now, by, reason }: { id: string; rules: string; version: number; now: number; by: string | null; reason: string },
): Promise<boolean> {
  const row = { id, rules, version: version + 1, changed_at: now };
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('policies')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ rules, version: version + 1, changed_at: now })
        .where('policies.version', '=', version),
    )
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) return false;
  await transaction
    .insertInto('policy_versions')
    .values({ policy_id: id, version: version + 1, rules, changed_at: now, changed_by: by, reason })
    .execute();
  return true;
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
      .select(['d.deadline_at', sql<string>`coalesce(p.rules, i.rules)`.as('rules')])
      .where('a.id', '=', accountId)
      .orderBy('m.joined_at')
      .orderBy('m.organisation_id'),
  allRows,
);
