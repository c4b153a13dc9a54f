// How an organisation's policy is changed: a draft is looked at, told to people, and saved in the place of the version that it was made from.
import { record } from '../audit/audit.ts';
import { byWhom, findActing, may, setEmailDomains, type Action, type Actor } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { deleteExpired } from '../platform/database/delete-expired.ts';
import { days } from '../platform/durations.ts';
import { ANNOUNCEMENTS, spend } from '../platform/limits/limits.ts';
import { post } from '../platform/mail/mail.ts';
import { makeId } from '../platform/secrets/tokens.ts';
import { momentOf } from '../platform/words/times.ts';
import { canBeShown } from '../platform/words/showable.ts';
import type { World } from '../platform/world.ts';
import { fixDeadlines } from './deadlines.ts';
import { loosensResets, type Rules } from './demand.ts';
import { policyMessage } from './notices.ts';
import { foresee, type Foreseen } from './preview.ts';
import { rulesFrom } from './rules.ts';
import { isStricter } from './stricter.ts';
import * as store from './store.ts';
import { differencesInWords } from './words.ts';

/** How long a draft is kept that nobody saves. */
const DRAFT_LIFETIME = days(30);
const VERSIONS_SHOWN = 50;
const REASON_CHARACTERS_MOST = 500;
const TOLD_AT_ONCE = 200;

export interface Draft {
  readonly id: string;
  readonly rules: Rules;
  /** The version that it would take the place of. */
  readonly basedOn: number;
  /** Everybody's time begins anew. */
  readonly renews: boolean;
  readonly madeAt: number;
  /** When all who are asked for something had been told; null where they have not. */
  readonly toldAt: number | null;
}

export interface Version {
  /** 0: what held before the organisation had one of its own. */
  readonly version: number;
  readonly rules: Rules;
  /** Epoch milliseconds; 0 where nobody had changed it. */
  readonly changedAt: number;
  /** An account or a key, as byWhom names it; null: on the command line. */
  readonly changedBy: string | null;
  readonly reason: string;
}

export type PolicyChanged =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'not-allowed' | 'owner-alone' | 'not-found' | 'changed-meanwhile' | 'reason' };

/** Keeps what was filled in, so that it can be looked at. The caller has checked the rules, see admin/policy-form.ts. */
export async function makeDraft(
  world: World,
  actor: Actor,
  { rules, basedOn, renews }: { rules: Rules; basedOn: number; renews: boolean },
): Promise<string | undefined> {
  const id = makeId(world);
  const now = world.clock.now();
  return world.database.transaction(async (transaction) => {
    if (!(await mayChange(transaction, actor))) return undefined;
    await store.insertDraft(transaction, {
      id,
      organisation_id: actor.organisation.id,
      based_on: basedOn,
      rules: JSON.stringify(rules),
      made_by: actor.account.id,
      made_at: now,
      renews: renews ? 1 : 0,
      told_upto: '',
      told_at: null,
      expires_at: now + DRAFT_LIFETIME,
    });
    return id;
  });
}

export async function findDraft(world: World, queries: Queries, organisationId: string, id: string): Promise<Draft | undefined> {
  const row = await store.selectDraft(queries, organisationId, id);
  return row && world.clock.now() < row.expires_at ? draftFrom(row) : undefined;
}

const draftFrom = (row: store.PolicyDraftRow): Draft => ({
  id: row.id,
  rules: rulesFrom(row.rules),
  basedOn: row.based_on,
  renews: row.renews === 1,
  madeAt: row.made_at,
  toldAt: row.told_at,
});

/** Puts a draft in force, and uses it up. `reason`: why, for the history and the record. */
export async function saveDraft(world: World, actor: Actor, { draftId, reason }: { draftId: string; reason: string }): Promise<PolicyChanged> {
  const why = reasonFrom(reason);
  if (why === undefined) return { ok: false, reason: 'reason' };
  return world.database.transaction(async (transaction) => {
    if (!(await mayChange(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    const draft = await findDraft(world, transaction, actor.organisation.id, draftId);
    if (!draft) return { ok: false, reason: 'not-found' };
    const { rules, basedOn: seen, renews } = draft;
    const changed = await putRules(world, transaction, actor, { rules, seen, renews, reason: why });
    if (changed.ok) await store.deleteDraft(transaction, draftId);
    return changed;
  });
}

/** One click back: the rules of an earlier version are in force again, as a new version. */
export async function restoreVersion(world: World, actor: Actor, { version, seen }: { version: number; seen: number }): Promise<PolicyChanged> {
  return world.database.transaction(async (transaction) => {
    if (!(await mayChange(transaction, actor))) return { ok: false, reason: 'not-allowed' };
    const row = await store.selectVersion(transaction, actor.organisation.id, version);
    if (!row) return { ok: false, reason: 'not-found' };
    return putRules(world, transaction, actor, { rules: rulesFrom(row.rules), seen, renews: false, reason: `Back to version ${version}` });
  });
}

async function mayChange(transaction: Transaction, actor: Actor, action: Action = 'change-policy'): Promise<boolean> {
  const acting = await findActing(transaction, actor);
  return acting !== undefined && may(acting.role, action);
}

function reasonFrom(text: string): string | undefined {
  const clean = text.normalize('NFC').trim();
  return clean !== '' && [...clean].length <= REASON_CHARACTERS_MOST && canBeShown(clean) ? clean : undefined;
}

async function putRules(
  world: World,
  transaction: Transaction,
  actor: Actor,
  { rules, seen, renews, reason }: { rules: Rules; seen: number; renews: boolean; reason: string },
): Promise<PolicyChanged> {
  const { organisation, account, from } = actor;
  const present = await store.selectPolicy(transaction, organisation.id);
  const inForce = (present ?? (await store.selectPolicy(transaction, store.INSTALLATION)))!;
  const before = rulesFrom(inForce.rules);
  // Two have to agree so that one can't do it alone: neither does one alone get rid of the other (AD-5).
  if (loosensResets(before, rules) && !(await mayChange(transaction, actor, 'loosen-resets'))) return { ok: false, reason: 'owner-alone' };
  const now = world.clock.now();
  const tightenedAt = isStricter(before, rules) ? now : inForce.tightened_at;
  const row = { id: organisation.id, rules: JSON.stringify(rules), version: seen, now, tightenedAt, by: byWhom(actor), reason };
  if (!(await store.putPolicy(transaction, row))) return { ok: false, reason: 'changed-meanwhile' };
  if (seen === 0) await keepWhatHeldBefore(transaction, organisation.id, inForce);
  if (renews) await store.deleteDeadlines(transaction, organisation.id);
  // Those of people who joined since the last one was saved, by the rules that they joined under.
  else await fixDeadlines(transaction, organisation.id, before);
  await fixDeadlines(transaction, organisation.id, rules);
  await setEmailDomains(transaction, organisation.id, rules.emailDomains);
  await record(world, transaction, {
    event: 'policy_changed',
    accountId: account.id,
    from,
    details: {
      organisation: organisation.id,
      by: byWhom(actor),
      version: String(seen + 1),
      reason,
      changes: differencesInWords(before, rules) + (renews ? '; everybody’s time begins anew' : ''),
    },
  });
  return { ok: true };
}

/** So that the first policy of an organisation can be compared with what it took the place of, and taken back by one click as every other. */
async function keepWhatHeldBefore(transaction: Transaction, organisationId: string, { rules, changed_at }: store.PolicyRow): Promise<void> {
  await store.insertVersion(transaction, { policy_id: organisationId, version: 0, rules, changed_at, changed_by: null, reason: '' });
}

export async function listVersions(queries: Queries, organisationId: string): Promise<Version[]> {
  const rows = await store.selectVersions(queries, organisationId, VERSIONS_SHOWN);
  return rows.map((row) => ({
    version: row.version,
    rules: rulesFrom(row.rules),
    changedAt: row.changed_at,
    changedBy: row.changed_by,
    reason: row.reason,
  }));
}

export type Told =
  | { readonly ok: true; readonly people: number }
  | { readonly ok: false; readonly reason: 'not-allowed' | 'not-found' | 'told-already' }
  | { readonly ok: false; readonly reason: 'too-many'; readonly retryAt: number };

/**
 * Tells everybody by mail whom the draft would ask for something, before it does. In batches, each with where it came to: what a crash interrupts goes on
 * when the button is pressed again, and nobody is told twice.
 */
export async function tellPeople(world: World, actor: Actor, draftId: string): Promise<Told> {
  const { query } = world.database;
  const { organisation } = actor;
  const allowed = await world.database.transaction((transaction) => mayChange(transaction, actor));
  if (!allowed) return { ok: false, reason: 'not-allowed' };
  const row = await store.selectDraft(query, organisation.id, draftId);
  if (!row || world.clock.now() >= row.expires_at) return { ok: false, reason: 'not-found' };
  if (row.told_at !== null) return { ok: false, reason: 'told-already' };
  // What was interrupted goes on, and was counted.
  if (row.told_upto === '') {
    const spent = await world.database.transaction((transaction) => spend(transaction, world, ANNOUNCEMENTS, organisation.id));
    if (!spent.allowed) return { ok: false, reason: 'too-many', retryAt: spent.retryAt };
  }
  const { rules, renews } = draftFrom(row);
  const present = await store.selectPolicy(query, organisation.id);
  const current = rulesFrom((present ?? (await store.selectPolicy(query, store.INSTALLATION)))!.rules);
  const proposed = { organisationId: organisation.id, rules, renews };
  let upto = row.told_upto;
  let people = 0;
  let batch: Foreseen[] = [];
  for await (const one of foresee(query, { now: world.clock.now(), current, proposed }, upto)) {
    if (one.after === 'passes') continue;
    batch.push(one);
    if (batch.length < TOLD_AT_ONCE) continue;
    if (!(await tellBatch(world, actor, { draftId, batch, from: upto, upto: one.emailKey, at: null }))) return { ok: false, reason: 'told-already' };
    people += batch.length;
    upto = one.emailKey;
    batch = [];
  }
  if (!(await tellBatch(world, actor, { draftId, batch, from: upto, upto, at: world.clock.now() }))) return { ok: false, reason: 'told-already' };
  return { ok: true, people: people + batch.length };
}

function tellBatch(
  world: World,
  { organisation, account, from: origin, ...rest }: Actor,
  { draftId, batch, from, upto, at }: { draftId: string; batch: readonly Foreseen[]; from: string; upto: string; at: number | null },
): Promise<boolean> {
  return world.database.transaction(async (transaction) => {
    if (!(await store.updateTold(transaction, draftId, { from, upto, at }))) return false;
    const { name: installationName, origin: portal } = world.installation;
    const now = world.clock.now();
    const messages = batch.map(({ name, email, by }) => {
      const until = by !== null && now < by ? momentOf(by) : undefined;
      return policyMessage({ to: { name, address: email }, organisationName: organisation.name, installationName, origin: portal, until });
    });
    await post(world, transaction, messages);
    if (at !== null)
      await record(world, transaction, {
        event: 'policy_announced',
        accountId: account.id,
        from: origin,
        details: { organisation: organisation.id, by: byWhom({ organisation, account, from: origin, ...rest }) },
      });
    return true;
  });
}

export async function sweepPolicies({ database: { query }, clock }: World): Promise<readonly number[]> {
  return [await deleteExpired(query, { table: 'policy_drafts', key: 'id', column: 'expires_at', before: clock.now() })];
}
