import type { Transaction } from '../database/database.ts';
import { nothing, prepared } from '../database/prepared.ts';

declare module '../database/database.ts' {
  interface Tables {
    limits: LimitRow;
  }
}

export interface LimitRow {
  key: string;
  /** JSON: numbers whose meaning is the limit's. */
  marks: string;
  /** When the row may be swept away; epoch milliseconds. */
  forget_at: number;
}

/** The upsert takes the row's lock on PostgreSQL, whether or not it was there: whoever comes second waits here and reads what the first wrote. */
export const lockMarks = prepared(
  (transaction: Transaction, key: string) =>
    transaction
      .insertInto('limits')
      .values({ key, marks: '[]', forget_at: 0 })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ key }))
      .returning('marks'),
  ({ rows: [row] }) => JSON.parse(row!.marks) as readonly number[],
);

export function writeMarks(transaction: Transaction, key: string, marks: readonly number[], forgetAt: number): Promise<void> {
  return updateMarks(transaction, { key, marks: JSON.stringify(marks), forget_at: forgetAt });
}

const updateMarks = prepared(
  (transaction: Transaction, { key, marks, forget_at }: LimitRow) => transaction.updateTable('limits').set({ marks, forget_at }).where('key', '=', key),
  nothing,
);

export const deleteMarks = prepared((transaction: Transaction, key: string) => transaction.deleteFrom('limits').where('key', '=', key), nothing);
