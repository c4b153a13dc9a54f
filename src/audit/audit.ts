/**
 * What happened, written in the same transaction as what it records, so that neither is there without the other.
 * Event names follow OWASP's Logging Vocabulary where it has one. No entry holds a password, code, key, seed or token (LO-2).
 * The record is only added to, and chained by hash, see chain.ts. Reading and exporting it belong in this folder too.
 */
import type { Transaction } from '../platform/database/database.ts';
import type { World } from '../platform/world.ts';
import { insertEvent } from './store.ts';

export { chainNew, checkpointShape, makeCheckpoint, startChaining, verifyChain, type Broken, type Checkpoint, type Verified } from './chain.ts';

export interface AuditEntry {
  readonly event: AuditEvent;
  /** Whom it happened to; null where no account is known. */
  readonly accountId: string | null;
  readonly from: Origin;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** From where it was asked. `commandLine` stands for the operator on the host. */
export interface Origin {
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
}
export const commandLine: Origin = { address: '', userAgent: 'command line', requestId: '' };

export type AuditEvent =
  | 'user_created'
  | 'user_email_verified'
  | 'user_updated'
  | 'user_email_changed'
  | 'authn_login_success'
  | 'authn_login_fail'
  | 'authn_login_throttled'
  | 'authn_factor_success'
  | 'authn_factor_fail'
  | 'authn_factor_replayed'
  | 'authn_factor_throttled'
  | 'authn_factor_added'
  | 'authn_factor_renamed'
  | 'authn_factor_replaced'
  | 'authn_factor_removed'
  | 'authn_code_sent'
  | 'authn_recovery_key_used'
  | 'authn_recovery_key_created'
  | 'authn_two_factor_enabled'
  | 'authn_two_factor_disabled'
  | 'authn_password_change'
  | 'authn_password_reset_requested'
  | 'authn_password_reset_refused'
  | 'authn_confirmed'
  | 'session_created'
  | 'session_ended'
  | 'policy_changed';

export async function record(world: Pick<World, 'clock' | 'random'>, transaction: Transaction, entry: AuditEntry): Promise<void> {
  await insertEvent(transaction, {
    id: Buffer.from(world.random.bytes(16)).toString('base64url'),
    at: world.clock.now(),
    event: entry.event,
    account_id: entry.accountId,
    address: entry.from.address,
    user_agent: entry.from.userAgent,
    request_id: entry.from.requestId,
    details: JSON.stringify(entry.details ?? {}),
    sequence: null,
    hash: null,
  });
}
