// Bypass codes: issued, taken back, refused. The door is lost-phone.ts.
import { findVerifiedByEmail, lockAccount, type Account } from '../accounts/accounts.ts';
import { commandLine, record, type Origin } from '../audit/audit.ts';
import { enrol, factorOf, listFactors, makeBypassCode, passingAmong, readBypassCode, removeFactorsOfKind, standing, toolsOf } from '../factors/factors.ts';
import { act, byWhom, type Actor } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { BYPASS_CODES, spend } from '../platform/limits/limits.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import type { World } from '../platform/world.ts';
import { groundsInWords, type Grounds } from './grounds.ts';
import { helpRefusal, tellPerson, type HelpRefusal } from './helping.ts';

/** A code that would serve now. The code itself is stored nowhere. */
export interface LiveBypassCode {
  readonly id: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** An account; null for the operator on the host. */
  readonly issuedBy: string | null;
}

export async function findBypassCode(world: World, queries: Queries, accountId: string): Promise<LiveBypassCode | undefined> {
  const [found] = passingAmong(await listFactors(world, queries, accountId));
  if (!found) return undefined;
  const { expiresAt, usedAt, issued } = readBypassCode(found.state);
  if (usedAt !== null) return undefined;
  return { id: found.id, issuedAt: issued.at, expiresAt, issuedBy: issued.by };
}

export type Issued =
  | { readonly ok: true; readonly code: string; readonly expiresAt: number }
  | { readonly ok: false; readonly reason: HelpRefusal }
  | { readonly ok: false; readonly reason: 'too-many'; readonly retryAt: number };

/**
 * Issues a code for a member; one from before is dead. `present`: the id of the live code that the form knew of, or '': a form that is sent twice
 * issues one code, and nobody replaces a colleague's without having seen that there is one.
 */
export function issueBypassCode(
  world: World,
  actor: Actor,
  { targetId, grounds, present }: { targetId: string; grounds: Grounds; present: string },
): Promise<Issued> {
  return act<Issued>(world, actor, { action: 'issue-bypass-code', targetId }, async (transaction) => {
    const account = await lockAccount(transaction, targetId);
    if (!account) return { ok: false, reason: 'not-found' };
    const refusal = await helpRefusal(world, transaction, actor, account);
    if (refusal) return { ok: false, reason: refusal };
    const live = await findBypassCode(world, transaction, targetId);
    if ((live?.id ?? '') !== present) return { ok: false, reason: 'changed-meanwhile' };
    return issue(world, transaction, { account, actor, grounds });
  });
}

/**
 * The same for the operator on the host: for whoever nobody else may help, an owner say. Whoever has the host has everything, so no role is asked; but it is
 * limited, told and recorded like any other, in the log of each organisation of theirs.
 */
export function issueBypassCodeByOperator(world: World, { email, grounds }: { email: string; grounds: Grounds }): Promise<Issued> {
  return world.database.transaction(async (transaction): Promise<Issued> => {
    const found = await findVerifiedByEmail(transaction, parseEmailAddress(email)?.key ?? '');
    const account = found && (await lockAccount(transaction, found.id));
    if (!account) return { ok: false, reason: 'not-found' };
    if (standing(await listFactors(world, transaction, account.id)).length === 0) return { ok: false, reason: 'two-factor-off' };
    return issue(world, transaction, { account, grounds });
  });
}

/** Without an actor it is the operator. */
async function issue(
  world: World,
  transaction: Transaction,
  { account, actor, grounds }: { account: Account; actor?: Actor; grounds: Grounds },
): Promise<Issued> {
  const spent = await spend(transaction, world, BYPASS_CODES, account.id);
  if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: spent.retryAt };
  await removeBypassCodes(transaction, account.id);
  const { code, state } = makeBypassCode(toolsOf(world), {
    accountId: account.id,
    by: actor?.account.id ?? null,
    organisation: actor?.organisation.id ?? null,
  });
  if ((await enrol(world, transaction, { accountId: account.id, ...BYPASS_CODE, state })) === undefined) return { ok: false, reason: 'changed-meanwhile' };
  const details = { ...(actor && { organisation: actor.organisation.id, by: byWhom(actor) }), ...groundsInWords(grounds) };
  await record(world, transaction, { event: 'authn_bypass_code_issued', accountId: account.id, from: actor?.from ?? commandLine, details });
  await tellPerson(world, transaction, 'bypass-code-issued', { account, ...(actor && { actor }), until: state.expiresAt });
  return { ok: true, code, expiresAt: state.expiresAt };
}

const BYPASS_CODE = { kind: 'bypass-code', name: factorOf('bypass-code').words.name } as const;

/** One that is past its hour may lie there too, until it is swept. */
const removeBypassCodes = (transaction: Transaction, accountId: string): Promise<number> => removeFactorsOfKind(transaction, accountId, BYPASS_CODE.kind);

/** Takes a code back that nobody has used. */
export function revokeBypassCode(world: World, actor: Actor, targetId: string): Promise<{ ok: true } | { ok: false; reason: HelpRefusal }> {
  return act<{ ok: true } | { ok: false; reason: HelpRefusal }>(world, actor, { action: 'issue-bypass-code', targetId }, async (transaction) => {
    const account = await lockAccount(transaction, targetId);
    if (!account || (await removeBypassCodes(transaction, targetId)) === 0) return { ok: false, reason: 'changed-meanwhile' };
    const details = { organisation: actor.organisation.id, by: byWhom(actor) };
    await record(world, transaction, { event: 'authn_bypass_code_revoked', accountId: targetId, from: actor.from, details });
    await tellPerson(world, transaction, 'bypass-code-revoked', { account, actor });
    return { ok: true };
  });
}

/** Whoever it was issued for did not ask for it, or has found their phone. */
export async function refuseBypassCode(world: World, { accountId, from }: { accountId: string; from: Origin }): Promise<void> {
  await world.database.transaction(async (transaction) => {
    await lockAccount(transaction, accountId);
    if ((await removeBypassCodes(transaction, accountId)) === 0) return;
    await record(world, transaction, { event: 'authn_bypass_code_revoked', accountId, from, details: { by: accountId } });
  });
}
