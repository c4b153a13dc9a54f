/**
 * The second factors of an account: what is enrolled, and the one way in which an answer is checked.
 * Every try, on whatever page and for whatever purpose, goes through `answerFactor` or `confirmFactor`: the try is counted first, then the answer is
 * compared, then the new state is stored only where the old one is unchanged, all in the caller's one transaction (RL-5, RL-6, TO-4).
 * What the factors are stands in registry.ts; no function here knows one by name.
 */
import { FACTOR_GUESSES, forgive, SET_UP_GUESSES, spend } from '../platform/limits/limits.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { makeId } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import { isUniqueViolation } from '../platform/database/database.ts';
import type { AnyFactor, Enrolled, FactorRefusal, Occasion, Person, Tools } from './contract.ts';
import { factorOf, factors } from './registry.ts';
import * as store from './store.ts';

export { factorOf, factors };
// The Recovery Key is a part of the flows themselves, which make one, show it and put it in the place of the last. They get what they need here.
export { claimedBy, keepKeyBody, makeRecoveryKey, newRecoveryKeyState, recoveryKeyFile } from './recovery-key/recovery-key.ts';
// So is the bypass code of what an administrator does for somebody.
export { makeBypassCode, readBypassCode } from './bypass-code/bypass-code.ts';
export type { AnyFactor, Enrolled, FactorRefusal, Occasion, Person, Tools } from './contract.ts';

export interface EnrolledFactor extends Enrolled<unknown> {
  readonly kind: string;
  readonly version: number;
}

export type Answered =
  | { readonly ok: true; readonly id: string; /** What the account has, now that one was used. */ readonly enrolled: readonly EnrolledFactor[] }
  | { readonly ok: false; readonly reason: FactorRefusal; /** Wrong ones in a row, this one included. */ readonly failures: number }
  | {
      readonly ok: false;
      readonly reason: 'too-many-tries';
      /** Epoch milliseconds; 'never' where this factor has stopped. */ readonly retryAt: number | 'never';
    };

export function toolsOf(world: World): Tools {
  return {
    now: world.clock.now(),
    random: world.random,
    hash: world.keys.hash,
    installationName: world.installation.name,
    origin: world.installation.origin,
  };
}

/** Without those whose time is over. */
export async function listFactors(world: World, queries: Queries, accountId: string): Promise<EnrolledFactor[]> {
  const rows = await store.selectFactors(queries, accountId);
  const read = rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    name: row.name,
    version: row.version,
    state: factorOf(row.kind).state.parse(JSON.parse(world.keys.open(place(row.id), row.state))),
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }));
  return read.filter((one) => lasts(world, one));
}

const lasts = ({ clock }: World, { kind, state }: EnrolledFactor): boolean => clock.now() < endOf(factorOf(kind), state);

const endOf = (factor: AnyFactor, state: unknown): number => factor.endsAt?.(state) ?? Infinity;

/** Those that turn two-factor authentication on, the strongest first. */
export function standing(enrolled: readonly EnrolledFactor[]): EnrolledFactor[] {
  return enrolled.filter((one) => factorOf(one.kind).stands).sort((one, other) => factorOf(other.kind).strength - factorOf(one.kind).strength);
}

/** An identity provider said that it asked for a second factor, and whoever looks after its connection trusts it for that (AL-8). */
export const PROVIDER_SECOND_FACTOR = 'sso-second-factor';

/** AL-2, AL-3: 2 where a real second factor stands beside the first. Unknown names, such as 'password', are first factors. */
export function assuranceLevel(proven: readonly string[]): 1 | 2 {
  return proven.includes(PROVIDER_SECOND_FACTOR) || proven.some((kind) => factors.some((factor) => factor.kind === kind && factor.assurance === 2)) ? 2 : 1;
}

/** AL-2: values of RFC 8176, and private ones where it has none: `sso`, `email`, `recovery`. `mfa` for two real factors alone (AL-1). */
export function amrOf(proven: readonly string[]): string[] {
  const first = [...(proven.includes('password') ? ['pwd'] : []), ...(proven.includes('sso') ? ['sso'] : [])];
  const second = proven.filter(isFactor).flatMap((kind) => factorOf(kind).amr);
  return [...new Set([...first, ...second, ...(assuranceLevel(proven) === 2 ? ['mfa'] : [])])];
}

/** Whether something that was shown is a second factor: first factors, such as 'password', have names of their own. */
export const isFactor = (kind: string): boolean => factors.some((factor) => factor.kind === kind);
/** The Recovery Key among what an account holds: it alone is replaced by being used. */
export function recoveryKeyAmong<One extends { readonly kind: string }>(enrolled: readonly One[]): One | undefined {
  return enrolled.find((one) => factorOf(one.kind).afterUse === 'replaced');
}

/** Those that serve once and are not the account's for good. */
export function passingAmong<One extends { readonly kind: string }>(enrolled: readonly One[]): One[] {
  return enrolled.filter((one) => factorOf(one.kind).afterUse === 'gone');
}

/** When something was shown that only signs in; undefined where nothing of `proofs` does. Unknown names, such as 'password', are first factors. */
export function onlySignedInAt(proofs: Readonly<Record<string, number>>): number | undefined {
  return factors
    .filter((factor) => factor.signsInOnly)
    .map(({ kind }) => proofs[kind])
    .find((at) => at !== undefined);
}

/** How long a session may last because of how it was opened, in milliseconds. */
export function sessionLastsBy(proven: readonly string[]): number {
  const lengths = factors.flatMap(({ kind, signsInOnly }) => (signsInOnly && proven.includes(kind) ? [signsInOnly.sessionLasts] : []));
  return Math.min(...lengths);
}

/** Undefined where the account has as many of this kind as it may. */
export async function enrol(
  world: World,
  transaction: Transaction,
  { accountId, kind, name, state }: { accountId: string; kind: string; name: string; state: unknown },
): Promise<string | undefined> {
  const factor = factorOf(kind);
  const held = (await store.selectFactors(transaction, accountId)).filter((row) => row.kind === kind);
  if (held.length >= factor.most) return undefined;
  const id = makeId(world);
  const endsAt = endOf(factor, state);
  try {
    await store.insertFactor(transaction, {
      id,
      account_id: accountId,
      kind,
      slot: factor.most === 1 ? kind : id,
      name,
      state: sealed(world, factor, id, state),
      version: 1,
      created_at: world.clock.now(),
      last_used_at: null,
      stopped_at: null,
      expires_at: endsAt === Infinity ? null : endsAt,
    });
  } catch (error) {
    if (isUniqueViolation(error)) return undefined;
    throw error;
  }
  await store.updateStopped(transaction, { accountId, kind, at: null });
  await forgive(transaction, world, FACTOR_GUESSES, accountId, kind);
  return id;
}

/** Puts a new one in the place of that which was read; false where somebody was faster. */
export async function replaceFactor(world: World, transaction: Transaction, enrolled: EnrolledFactor, state: unknown): Promise<boolean> {
  return store.replaceFactor(transaction, {
    id: enrolled.id,
    version: enrolled.version,
    state: sealed(world, factorOf(enrolled.kind), enrolled.id, state),
    now: world.clock.now(),
  });
}

export const renameFactor = store.renameFactor;
export const removeFactor = store.deleteFactor;
export const removeFactors = store.deleteFactors;
export const removeFactorsOfKind = store.deleteFactorsOfKind;
export const endEveryPassingFactor = store.deleteEveryPassingFactor;

/**
 * One try at a factor that is enrolled. `enrolled`: what the account has, read in this transaction. Should somebody have used one of them since, nothing is written
 * over what they did, and this try is refused.
 */
export async function answerFactor(
  world: World,
  transaction: Transaction,
  input: { kind: string; enrolled: readonly EnrolledFactor[]; challenge: unknown; answer: string; person: Person; occasion: Occasion },
): Promise<Answered> {
  const { kind, answer, person, occasion } = input;
  const factor = factorOf(kind);
  if (!factor.wellFormed(answer)) return { ok: false, reason: 'code-malformed', failures: 0 };
  const spent = await spend(transaction, world, FACTOR_GUESSES, person.accountId, kind);
  if (!spent.allowed) return { ok: false, reason: 'too-many-tries', retryAt: spent.retryAt };

  const enrolled = input.enrolled.filter((one) => one.kind === kind);
  const challenge = input.challenge === undefined ? undefined : factor.challengeState.parse(input.challenge);
  const verified = factor.verify(toolsOf(world), { enrolled, challenge, answer, person, occasion });
  if (!verified.ok) {
    if (spent.count >= FACTOR_GUESSES.stopsAt!) await store.updateStopped(transaction, { accountId: person.accountId, kind, at: world.clock.now() });
    return { ...verified, failures: spent.count };
  }
  const used = enrolled.find((one) => one.id === verified.id)!;
  const state = sealed(world, factor, used.id, verified.state);
  const now = world.clock.now();
  if (!(await store.replaceState(transaction, { id: used.id, version: used.version, state, usedAt: now }))) {
    return { ok: false, reason: 'code-used', failures: spent.count };
  }
  await forgive(transaction, world, FACTOR_GUESSES, person.accountId, kind);
  const after: EnrolledFactor = { ...used, state: verified.state, version: used.version + 1, lastUsedAt: now };
  return { ok: true, id: used.id, enrolled: input.enrolled.map((one) => (one === used ? after : one)).filter((one) => lasts(world, one)) };
}

/**
 * One try at showing a new factor, or a code of a printed step; `state` is what to enrol. Its tries have a budget of their own, so that a factor
 * that has stopped can be set up again.
 */
export async function confirmFactor(
  world: World,
  transaction: Transaction,
  input: { kind: string; pending: unknown; answer: string; person: Person },
): Promise<{ ok: true; state: unknown } | Exclude<Answered, { ok: true }>> {
  const { kind, pending, answer, person } = input;
  const factor = factorOf(kind);
  if (!factor.wellFormed(answer)) return { ok: false, reason: 'code-malformed', failures: 0 };
  const spent = await spend(transaction, world, SET_UP_GUESSES, person.accountId, kind);
  if (!spent.allowed) return { ok: false, reason: 'too-many-tries', retryAt: spent.retryAt };
  const confirmed = factor.confirm(toolsOf(world), factor.pending.parse(pending), answer);
  if (!confirmed.ok) return { ...confirmed, failures: spent.count };
  await forgive(transaction, world, SET_UP_GUESSES, person.accountId, kind);
  return confirmed;
}

export async function sweepFactors({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'factors', key: 'id', column: 'expires_at', before: clock.now() })];
}

function sealed(world: World, factor: AnyFactor, id: string, state: unknown): Uint8Array {
  return world.keys.seal(place(id), JSON.stringify(factor.state.parse(state)));
}

const place = (id: string) => ['factors', id, 'state'] as const;
