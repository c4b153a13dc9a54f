/**
 * Asking for help from the second step of signing in, behind the right password alone. One at a time for an account; told to the person, since whoever asks
 * may only have stolen the password, and to those who may help. What was written is for the console: it is a stranger's, and stands in no mail of ours.
 * The door is lost-phone.ts.
 */
import type { Account } from '../accounts/accounts.ts';
import { record, type Origin } from '../audit/audit.ts';
import { act, byWhom, listAdministrators, listMemberships, reaches, type Actor, type ActRefusal } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { days } from '../platform/durations.ts';
import { HELP_REQUESTS, spend } from '../platform/limits/limits.ts';
import { canBeShown } from '../platform/words/showable.ts';
import type { World } from '../platform/world.ts';
import { tellAdministrators, tellPerson } from './helping.ts';
import * as store from './store.ts';

const KEPT_FOR = days(7);
const SHOWN_MOST = 100;
export const WORDS_MOST = 500;

/** Beside the second step of signing in. */
export const HELP_ADDRESS = '/sign-in/help';

export interface HelpRequest {
  readonly accountId: string;
  readonly askedAt: number;
  readonly words: string;
  /** From where. */
  readonly address: string;
  readonly userAgent: string;
  /** The account was entered to the end in that browser before. */
  readonly browserKnown: boolean;
}

/** Who can help somebody: those who look after them, the operator alone, or nobody whom we know, where they belong to no organisation. */
export async function whoHelps(queries: Queries, { id }: Account): Promise<'administrators' | 'operator' | 'nobody'> {
  const memberships = await listMemberships(queries, id);
  for (const { organisation, role } of memberships) {
    const all = await listAdministrators(queries, organisation.id, SHOWN_MOST);
    if (all.some((one) => one.id !== id && reaches(one.role, role))) return 'administrators';
  }
  return memberships.length === 0 ? 'nobody' : 'operator';
}

export async function findRequest(world: World, queries: Queries, accountId: string): Promise<HelpRequest | undefined> {
  const row = await store.selectRequest(queries, accountId);
  return row && world.clock.now() < row.expires_at ? requestFrom(row) : undefined;
}

export type Asked =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'asked-already' | 'nobody-helps' }
  | { readonly ok: false; readonly reason: 'words' }
  | { readonly ok: false; readonly reason: 'too-many'; readonly retryAt: number };

/** The caller has seen to the password, and has locked the account. */
export async function askForHelp(
  world: World,
  transaction: Transaction,
  { account, words: typed, browserKnown, from }: { account: Account; words: string; browserKnown: boolean; from: Origin },
): Promise<Asked> {
  const words = typed.normalize('NFC').replace(/\s+/g, ' ').trim();
  if ([...words].length > WORDS_MOST || !canBeShown(words)) return { ok: false, reason: 'words' };
  if ((await whoHelps(transaction, account)) !== 'administrators') return { ok: false, reason: 'nobody-helps' };
  if (await findRequest(world, transaction, account.id)) return { ok: false, reason: 'asked-already' };
  const spent = await spend(transaction, world, HELP_REQUESTS, account.id);
  if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: spent.retryAt };
  const now = world.clock.now();
  await store.putRequest(transaction, {
    account_id: account.id,
    asked_at: now,
    expires_at: now + KEPT_FOR,
    words,
    address: from.address,
    user_agent: from.userAgent,
    browser_known: browserKnown ? 1 : 0,
  });
  await record(world, transaction, { event: 'authn_help_asked', accountId: account.id, from });
  await tellPerson(world, transaction, 'help-asked', { account, asked: { userAgent: from.userAgent, address: from.address, at: now } });
  await tellAdministrators(world, transaction, 'help-asked', { account });
  return { ok: true };
}

/** Those of an organisation's people, the newest first. */
export async function listRequests({ clock }: World, queries: Queries, organisationId: string): Promise<HelpRequest[]> {
  return (await store.selectRequests(queries, { organisationId, now: clock.now(), most: SHOWN_MOST })).map(requestFrom);
}

/** It is seen to, or was a trick. */
export function closeRequest(
  world: World,
  actor: Actor,
  targetId: string,
): Promise<{ ok: true } | { ok: false; reason: ActRefusal | 'not-found' | 'needs-a-person' | 'changed-meanwhile' }> {
  type Closed = { ok: true } | { ok: false; reason: 'needs-a-person' | 'changed-meanwhile' };
  return act<Closed>(world, actor, { action: 'issue-bypass-code', targetId }, async (transaction) => {
    // A stolen key must not keep people from being helped.
    if (actor.key?.vouched === false) return { ok: false, reason: 'needs-a-person' };
    if (!(await store.takeRequest(transaction, targetId))) return { ok: false, reason: 'changed-meanwhile' };
    const details = { organisation: actor.organisation.id, by: byWhom(actor) };
    await record(world, transaction, { event: 'authn_help_closed', accountId: targetId, from: actor.from, details });
    return { ok: true };
  });
}

export async function sweepRequests({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'help_requests', key: 'account_id', column: 'expires_at', before: clock.now() })];
}

const requestFrom = (row: store.RequestRow): HelpRequest => ({
  accountId: row.account_id,
  askedAt: row.asked_at,
  words: row.words,
  address: row.address,
  userAgent: row.user_agent,
  browserKnown: row.browser_known === 1,
});
