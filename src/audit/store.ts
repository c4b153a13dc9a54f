import type { Transaction } from '../platform/database/database.ts';

declare module '../platform/database/database.ts' {
  interface Tables {
    audit_events: AuditEventRow;
  }
}

export interface AuditEventRow {
  id: string;
  at: number;
  event: string;
  account_id: string | null;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  /** JSON. */
  details: string;
}

export async function insertEvent(transaction: Transaction, row: AuditEventRow): Promise<void> {
  await transaction.insertInto('audit_events').values(row).execute();
}
