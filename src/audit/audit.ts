/**
 * What happened, written in the same transaction as what it records, so that neither is there without the other.
 * Event names follow OWASP's Logging Vocabulary where it has one. No entry holds a password, code, key, seed or token (LO-2).
 * The record is only added to, and chained by hash, see chain.ts. Reading and exporting it belong in this folder too.
 */
import type { Queries } from '../platform/database/database.ts';
import { selectSinceEntered } from './store.ts';

export {
  EVENT_GROUPS,
  EVENT_RESULTS,
  eventGroupOf,
  eventKindOf,
  eventResultOf,
  eventsOf,
  type Details,
  type EventGroup,
  type EventResult,
} from './event-kinds.ts';
export { cursorBehind, findSeenEvent, jsonOf, listSeenEvents, type Author, type SeenEvent, type SeenFilter } from './reading.ts';
export {
  deliverWebhooks,
  failureIn,
  findWebhook,
  pauseWebhook,
  putWebhook,
  readWebhookAddress,
  removeWebhook,
  sendTestEvent,
  startStreaming,
  type Stuck,
  type Webhook,
} from './webhook.ts';
export { commandLine, record, theServer } from './record.ts';
export { pruneLog, startPruning } from './retention.ts';
export { chainNew, checkpointShape, makeCheckpoint, readCheckpoint, startChaining, verifyChain, type Broken, type Checkpoint, type Verified } from './chain.ts';

/** Every event, and what its details may say. docs/audit-events.md explains each; a test keeps the two alike (LO-6). */
export const AUDIT_EVENTS = {
  user_created: [],
  user_email_verified: [],
  user_updated: ['organisation', 'by'],
  user_email_changed: ['organisation', 'by'],
  user_deleted: ['reason'],
  authn_login_success: ['methods'],
  authn_login_new_browser: [],
  authn_login_fail: ['reason'],
  authn_login_throttled: ['reason'],
  authn_factor_success: ['kind', 'name', 'purpose'],
  authn_factor_fail: ['kind', 'purpose', 'reason'],
  authn_factor_replayed: ['kind', 'purpose', 'reason'],
  authn_factor_throttled: ['kind', 'purpose', 'reason'],
  authn_factor_added: ['kind', 'name'],
  authn_factor_renamed: ['kind', 'name'],
  authn_factor_replaced: ['kind', 'name'],
  authn_factor_removed: ['kind', 'name'],
  authn_code_sent: ['purpose'],
  authn_device_trusted: [],
  authn_device_trust_ended: ['reason'],
  authn_recovery_key_used: ['purpose'],
  authn_recovery_key_created: ['purpose'],
  authn_bypass_code_issued: ['organisation', 'by', 'reason', 'check'],
  authn_bypass_code_revoked: ['organisation', 'by'],
  authn_bypass_code_used: ['purpose'],
  authn_help_asked: [],
  authn_help_closed: ['organisation', 'by'],
  authn_reset_asked: ['organisation', 'by', 'reason', 'check'],
  authn_reset_approved: ['organisation', 'by'],
  authn_reset_stopped: ['organisation', 'by', 'how'],
  authn_methods_reset: ['organisation', 'by', 'approver', 'reason', 'check', 'methods'],
  authn_two_factor_enabled: [],
  authn_two_factor_disabled: ['methods'],
  authn_password_change: ['by', 'organisation'],
  authn_password_reset_requested: [],
  authn_password_reset_refused: [],
  authn_confirmed: ['methods'],
  authn_confirm_fail: ['reason'],
  authn_confirm_throttled: ['reason'],
  authz_fail: ['organisation', 'action', 'by'],
  session_created: [],
  session_ended: ['reason', 'organisation', 'by'],
  policy_changed: ['from', 'to', 'organisation', 'by', 'version', 'reason', 'changes'],
  policy_announced: ['organisation', 'by'],
  app_added: ['organisation', 'host', 'name', 'by'],
  app_changed: ['organisation', 'host', 'name', 'by', 'from', 'to'],
  app_removed: ['organisation', 'host', 'name', 'by'],
  app_entered: ['host'],
  app_refused: ['host', 'reason'],
  sso_connection_changed: ['organisation', 'connection', 'name', 'to', 'by'],
  sso_connection_tested: ['organisation', 'connection', 'name', 'result', 'by'],
  sso_domain_changed: ['organisation', 'domain', 'to', 'connection', 'by'],
  sso_linked: ['organisation', 'connection', 'name', 'how'],
  sso_unlinked: ['connection', 'name', 'by'],
  scim_user_changed: ['organisation', 'changes', 'by'],
  group_changed: ['organisation', 'group', 'name', 'to', 'by'],
  group_members_changed: ['organisation', 'group', 'name', 'added', 'removed', 'by'],
  privilege_permissions_changed: ['organisation', 'from', 'to', 'by'],
  organisation_created: ['organisation', 'name'],
  organisation_set_up_link_made: ['email', 'name'],
  organisation_invited: ['organisation', 'email', 'role', 'by'],
  organisation_invitation_revoked: ['organisation', 'email', 'role', 'by'],
  organisation_joined: ['organisation', 'role', 'by'],
  organisation_left: ['organisation', 'role'],
  organisation_member_removed: ['organisation', 'role', 'by'],
  organisation_member_suspended: ['organisation', 'by'],
  organisation_member_resumed: ['organisation', 'by'],
  organisation_ownership_transferred: ['organisation', 'by'],
  api_key_created: ['organisation', 'key', 'name', 'role', 'scopes', 'expires', 'by'],
  api_key_vouched: ['organisation', 'key', 'name', 'until', 'by'],
  api_key_revoked: ['organisation', 'key', 'name', 'by'],
  authn_api_key_fail: ['organisation', 'key', 'reason'],
  organisation_people_exported: ['organisation', 'people', 'by'],
  organisation_audit_exported: ['organisation', 'format', 'by'],
  organisation_webhook_changed: ['organisation', 'host', 'to', 'by'],
  audit_log_pruned: ['entries', 'through'],
  backup_restored: [],
  keys_rotated: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type AuditEvent = keyof typeof AUDIT_EVENTS;
export type AuditEntry = { readonly [Event in AuditEvent]: EntryOf<Event> }[AuditEvent];

interface EntryOf<Event extends AuditEvent> {
  readonly event: Event;
  /** Whom it happened to; null where no account is known. */
  readonly accountId: string | null;
  readonly from: Origin;
  readonly details?: Readonly<Partial<Record<(typeof AUDIT_EVENTS)[Event][number], string>>>;
}

/** Wrong second factors behind a right password, as their owner is told of them. */
export interface FailedTries {
  readonly count: number;
  /** The newest one: epoch milliseconds, and from where. */
  readonly lastAt: number;
  readonly address: string;
  readonly userAgent: string;
}

/** From where it was asked. `commandLine` (record.ts) stands for the operator on the host. */
export interface Origin {
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
}

const FAILED: readonly AuditEvent[] = ['authn_factor_fail', 'authn_factor_replayed'];

/** Those since the account was last entered, without the slips of whoever enters it now (RL-8). Undefined where there are none. */
export async function failedTriesBefore(
  queries: Queries,
  { accountId, from, since }: { accountId: string; from: Origin; /** When this attempt to enter began. */ since: number },
): Promise<FailedTries | undefined> {
  const rows = await selectSinceEntered(queries, accountId, FAILED);
  const others = rows.filter((row) => {
    const own = row.at >= since && row.address === from.address && row.user_agent === from.userAgent;
    return !own && (JSON.parse(row.details) as { purpose?: unknown }).purpose === 'sign-in';
  });
  const [newest] = others;
  return newest && { count: others.length, lastAt: newest.at, address: newest.address ?? '', userAgent: newest.user_agent ?? '' };
}
