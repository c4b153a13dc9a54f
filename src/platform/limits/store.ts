import type { Transaction } from '../database/database.ts';

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
export async function lockMarks(transaction: Transaction, key: string): Promise<readonly number[]> {
  const row = await transaction
    .insertInto('limits')
    .values({ key, marks: '[]', forget_at: 0 })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ key }))
    .returning('marks')
    .executeTakeFirstOrThrow();
  return JSON.parse(row.marks) as number[];
}

export async function writeMarks(transaction: Transaction, key: string, marks: readonly number[], forgetAt: number): Promise<void> {
  await transaction
    .updateTable('limits')
    .set({ marks: JSON.stringify(marks), forget_at: forgetAt })
    .where('key', '=', key)
    .execute();
}

export async function deleteMarks(transaction: Transaction, key: string): Promise<void> {
  await transaction.deleteFrom('limits').where('key', '=', key).execute();
}
