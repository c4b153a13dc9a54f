/**
 * Resets: all of somebody's methods and the Recovery Key go. Asked for by one administrator, agreed to by a second where the policy says so, and not before
 * a set time is over, in which the person, whoever has the mail's link, or anybody who looks after them stops it (AD-5). Whether it may be done is decided
 * when it is asked for, and again at the moment at which it happens. What happens then leaves less to break in with, not more: everybody is signed out, and
 * the next sign-in sets a method up, whatever the policy, with a code to the mailbox where the browser is new (AD-6, AD-8). The door is lost-phone.ts.
 */
import { findAccount, lockAccount, markMethodsReset, type Account } from '../accounts/accounts.ts';
import * as attempts from '../attempts/attempts.ts';
import { record, theServer, type Origin } from '../audit/audit.ts';
import { listFactors, removeFactors } from '../factors/factors.ts';
import { act, actRefusal, byWhom, findMember, listMemberships, type ActRefusal, type Actor, type Organisation } from '../organisations/organisations.ts';
import { repeat, type Background } from '../platform/background.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { days, hours, minutes } from '../platform/durations.ts';
import { RESETS, spend } from '../platform/limits/limits.ts';
import { makeId, makeToken } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { readPolicyOf } from '../policy/policy.ts';
import { endSessions } from '../sessions/sessions.ts';
import { groundsInWords, type Grounds } from './grounds.ts';
import { helpRefusal, tellAdministrators, tellPerson, type HelpRefusal } from './helping.ts';
import * as store from './store.ts';

/** A reset to which nobody agrees does not wait for ever. */
const AGREED_WITHIN = days(7);
const DONE_AT_ONCE = 20;

export interface PendingReset {
  readonly id: string;
  readonly accountId: string;
  readonly organisation: Organisation;
  readonly askedBy: string;
  readonly askedAt: number;
  /** Not before. */
  readonly dueAt: number;
  /** It waits for a second administrator. */
  readonly needsApproval: boolean;
  readonly approvedBy: string | null;
  readonly reason: string;
  readonly check: string;
}

export async function findReset(queries: Queries, accountId: string): Promise<PendingReset | undefined> {
  const row = await store.selectReset(queries, accountId);
  return row && resetFrom(row);
}

/** What the link of a mail is about; undefined where that was stopped, has happened, or never was. */
export async function findResetOfToken(world: World, queries: Queries, token: string): Promise<PendingReset | undefined> {
  const row = await store.selectResetOfToken(queries, world.keys.hash('stop reset token', token));
  return row && resetFrom(row);
}

export type ResetAsked =
  | { readonly ok: true; readonly dueAt: number; readonly needsApproval: boolean }
  | { readonly ok: false; readonly reason: HelpRefusal }
  | { readonly ok: false; readonly reason: 'too-many'; readonly retryAt: number };

export function askForReset(world: World, actor: Actor, { targetId, grounds }: { targetId: string; grounds: Grounds }): Promise<ResetAsked> {
  return act<ResetAsked>(world, actor, { action: 'reset-methods', targetId }, async (transaction) => {
    const account = await lockAccount(transaction, targetId);
    if (!account) return { ok: false, reason: 'not-found' };
    const refusal = await helpRefusal(world, transaction, actor, account);
    if (refusal) return { ok: false, reason: refusal };
    if (await store.selectReset(transaction, targetId)) return { ok: false, reason: 'changed-meanwhile' };
    const spent = await spend(transaction, world, RESETS, targetId);
    if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: spent.retryAt };

    const { organisation, from } = actor;
    const { needsApproval, waits } = await termsFor(transaction, targetId);
    const token = makeToken(world);
    const now = world.clock.now();
    const { reason, check } = groundsInWords(grounds);
    await store.insertReset(transaction, {
      id: makeId(world),
      account_id: targetId,
      organisation_id: organisation.id,
      asked_by: actor.account.id,
      asked_at: now,
      due_at: now + waits,
      needs_approval: needsApproval ? 1 : 0,
      approved_by: null,
      stop_token_hash: world.keys.hash('stop reset token', token),
      reason,
      identity_check: check,
    });
    const details = { organisation: organisation.id, by: byWhom(actor), reason, check };
    await record(world, transaction, { event: 'authn_reset_asked', accountId: targetId, from, details });
    const said = { account, actor, until: now + waits };
    await tellPerson(world, transaction, 'reset-asked', { ...said, token });
    await tellAdministrators(world, transaction, needsApproval ? 'reset-to-approve' : 'reset-asked', said);
    return { ok: true, dueAt: now + waits, needsApproval };
  });
}

/** The strictest of what the policies of all organisations say to which somebody belongs. */
async function termsFor(queries: Queries, accountId: string): Promise<{ needsApproval: boolean; waits: number }> {
  let needsApproval = false;
  let waitHours = 0;
  for (const { organisation } of await listMemberships(queries, accountId, { suspendedToo: true })) {
    const { rules } = await readPolicyOf(queries, organisation.id);
    needsApproval ||= rules.resetNeedsApproval;
    waitHours = Math.max(waitHours, rules.resetWaitHours);
  }
  return { needsApproval, waits: hours(waitHours) };
}

export type ResetRefusal = HelpRefusal | 'asked-oneself';

/** A second administrator agrees. `id`: of the reset that the page showed. */
export function approveReset(
  world: World,
  actor: Actor,
  { targetId, id }: { targetId: string; id: string },
): Promise<{ ok: true } | { ok: false; reason: ResetRefusal }> {
  return act<{ ok: true } | { ok: false; reason: ResetRefusal }>(world, actor, { action: 'reset-methods', targetId }, async (transaction) => {
    const account = await lockAccount(transaction, targetId);
    const reset = account && (await findReset(transaction, targetId));
    if (!reset || reset.id !== id || reset.organisation.id !== actor.organisation.id) return { ok: false, reason: 'changed-meanwhile' };
    const refusal = await helpRefusal(world, transaction, actor, account);
    if (refusal) return { ok: false, reason: refusal };
    if (reset.askedBy === actor.account.id) return { ok: false, reason: 'asked-oneself' };
    if (!(await store.approveReset(transaction, id, actor.account.id))) return { ok: false, reason: 'changed-meanwhile' };
    const details = { organisation: actor.organisation.id, by: byWhom(actor) };
    await record(world, transaction, { event: 'authn_reset_approved', accountId: targetId, from: actor.from, details });
    await tellPerson(world, transaction, 'reset-approved', { account, actor, until: reset.dueAt });
    return { ok: true };
  });
}

/** Anybody who looks after the person may: it leaves everything as it is. */
export function stopReset(
  world: World,
  actor: Actor,
  { targetId, id }: { targetId: string; id: string },
): Promise<{ ok: true } | { ok: false; reason: ActRefusal | 'not-found' | 'changed-meanwhile' }> {
  return act<{ ok: true } | { ok: false; reason: 'changed-meanwhile' }>(world, actor, { action: 'reset-methods', targetId }, async (transaction) => {
    await lockAccount(transaction, targetId);
    const reset = await findReset(transaction, targetId);
    if (reset?.id !== id) return { ok: false, reason: 'changed-meanwhile' };
    await stop(world, transaction, reset, { how: 'by an administrator', by: byWhom(actor), from: actor.from });
    return { ok: true };
  });
}

/** Whoever is signed in as the person evidently has what is to be taken away. */
export async function stopOwnReset(world: World, { accountId, from }: { accountId: string; from: Origin }): Promise<void> {
  await world.database.transaction(async (transaction) => {
    await lockAccount(transaction, accountId);
    const reset = await findReset(transaction, accountId);
    if (reset) await stop(world, transaction, reset, { how: 'by the person', by: accountId, from });
  });
}

/** By the link of the mail: whoever reads the mailbox. False where it is used up. */
export async function stopResetByToken(world: World, { token, from }: { token: string; from: Origin }): Promise<boolean> {
  const seen = await findResetOfToken(world, world.database.query, token);
  if (!seen) return false;
  return world.database.transaction(async (transaction) => {
    await lockAccount(transaction, seen.accountId);
    return stop(world, transaction, seen, { how: 'by the link that was mailed', from });
  });
}

/** False where somebody stopped it first, or it has happened. */
async function stop(
  world: World,
  transaction: Transaction,
  { id, accountId, organisation }: PendingReset,
  { how, by, from }: { how: string; by?: string; from: Origin },
): Promise<boolean> {
  if (!(await store.takeReset(transaction, id))) return false;
  const details = { organisation: organisation.id, how, ...(by === undefined ? {} : { by }) };
  await record(world, transaction, { event: 'authn_reset_stopped', accountId, from, details });
  const account = await findAccount(transaction, accountId);
  if (!account) return true;
  await tellPerson(world, transaction, 'reset-stopped', { account, organisation, how });
  await tellAdministrators(world, transaction, 'reset-stopped', { account, organisation, how });
  return true;
}

/** Does what is due, a few at a time; returns how many that were. */
export async function resetWhoIsDue(world: World): Promise<number> {
  const now = world.clock.now();
  const due = await store.selectWhoIsDue(world.database.query, { now, askedBefore: now - AGREED_WITHIN, most: DONE_AT_ONCE });
  for (const accountId of due)
    await world.database.transaction(async (transaction) => {
      await lockAccount(transaction, accountId);
      await resetIfDue(world, transaction, accountId);
    });
  return due.length;
}

export function startResetting(world: World): Background {
  return repeat(world, { name: 'resetting', every: minutes(1), work: () => resetWhoIsDue(world) });
}

/** The same for one person, who is signing in. The caller has locked the account. */
export async function resetIfDue(world: World, transaction: Transaction, accountId: string): Promise<void> {
  const reset = await findReset(transaction, accountId);
  const now = world.clock.now();
  if (!reset || now < reset.dueAt) return;
  if (reset.needsApproval && reset.approvedBy === null) {
    if (now >= reset.askedAt + AGREED_WITHIN) await stop(world, transaction, reset, { how: 'because nobody agreed to it within seven days', from: theServer });
    return;
  }
  const account = await findAccount(transaction, accountId);
  if (!account) return;
  if (!(await isStillAllowed(world, transaction, reset, account))) {
    await stop(world, transaction, reset, { how: 'because those who decided it may no longer do so', from: theServer });
    return;
  }
  if (await store.takeDueReset(transaction, reset.id, now)) await takeMethodsAway(world, transaction, reset, account);
}

/** Who asked, and who agreed, may have another role by now, or the person may. */
async function isStillAllowed(world: World, queries: Queries, { organisation, askedBy, approvedBy }: PendingReset, account: Account): Promise<boolean> {
  const target = await findMember(queries, organisation.id, account.id);
  for (const id of approvedBy === null ? [askedBy] : [askedBy, approvedBy]) {
    const [acting, helper] = [await findMember(queries, organisation.id, id), await findAccount(queries, id)];
    if (!target || acting?.suspendedAt !== null || !helper || actRefusal('reset-methods', { actor: acting, target })) return false;
    if (await helpRefusal(world, queries, { account: helper, organisation, from: theServer }, account)) return false;
  }
  return true;
}

async function takeMethodsAway(world: World, transaction: Transaction, reset: PendingReset, account: Account): Promise<void> {
  const { organisation, askedBy, approvedBy, reason, check } = reset;
  const kinds = [...new Set((await listFactors(world, transaction, account.id)).map(({ kind }) => kind))];
  await removeFactors(transaction, account.id);
  await attempts.endOtherAttempts(transaction, account.id);
  await endSessions(transaction, account.id);
  await markMethodsReset(transaction, account.id, world.clock.now());
  const approved = approvedBy === null ? {} : { approver: approvedBy };
  const details = { organisation: organisation.id, by: askedBy, ...approved, reason, check, methods: kinds.join(' ') };
  await record(world, transaction, { event: 'authn_methods_reset', accountId: account.id, from: theServer, details });
  await tellPerson(world, transaction, 'reset-done', { account, organisation });
  await tellAdministrators(world, transaction, 'reset-done', { account, organisation });
}

function resetFrom(row: store.ResetWithName): PendingReset {
  return {
    id: row.id,
    accountId: row.account_id,
    organisation: { id: row.organisation_id, name: row.organisation_name },
    askedBy: row.asked_by,
    askedAt: row.asked_at,
    dueAt: row.due_at,
    needsApproval: row.needs_approval === 1,
    approvedBy: row.approved_by,
    reason: row.reason,
    check: row.identity_check,
  };
}
