import type { Queries, Transaction } from '../platform/database/database.ts';
import { firstRow, prepared } from '../platform/database/prepared.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    policies: PolicyRow;
  }
}

export interface PolicyRow {
  id: string;
  two_factor: string;
  version: number;
  changed_at: number;
}

export const selectPolicy = prepared((queries: Queries, id: string) => queries.selectFrom('policies').selectAll().where('id', '=', id), firstRow);

export async function updatePolicy(
  transaction: Transaction,
  id: string,
  { twoFactor, version, now }: { twoFactor: string; version: number; now: number },
): Promise<boolean> {
  const { numUpdatedRows } = await transaction
    .updateTable('policies')
    .set({ two_factor: twoFactor, version: version + 1, changed_at: now })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
