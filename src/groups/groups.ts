/**
 * Groups of an organisation's people, as its own directory keeps them. A group says something to the apps behind the portal, and nothing here: no role, no right
 * and no policy comes of one. Always: its people belong to the organisation (it ends with the membership), its name is its own there, and the name of a role
 * is handed on to no app as that of a group.
 */
import { record } from '../audit/audit.ts';
import { byWhom, findActing, may, recordRefused, ROLES, type Actor } from '../organisations/organisations.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { makeId } from '../platform/secrets/tokens.ts';
import { canBeShown } from '../platform/words/showable.ts';
import type { World } from '../platform/world.ts';
import * as store from './store.ts';

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly externalId: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** In the order in which they were asked for. */
export interface MembersChange {
  readonly how: 'add' | 'remove' | 'replace';
  readonly accountIds: readonly string[];
}

/** What is undefined stays as it is. */
export interface GroupChange {
  readonly name?: string | undefined;
  readonly externalId?: string | null | undefined;
  readonly members?: readonly MembersChange[];
}

export type GroupChanged =
  | { readonly ok: true; readonly id: string }
  | { readonly ok: false; readonly reason: 'not-allowed' | 'not-found' | 'name' | 'name-taken' | 'too-many-groups' | 'too-many-members' }
  /** One of those who are to be in it does not belong to the organisation. */
  | { readonly ok: false; readonly reason: 'nobody'; readonly accountId: string };

const NAME_CHARACTERS_MOST = 256;
const GROUPS_MOST = 2000;
const MEMBERS_MOST = 10_000;
/** Of one event: who reads it reads all of it. */
const NAMED_AT_ONCE = 50;
/** Of what an app is told, in characters: proxies take no longer headers. */
const TOLD_MOST = 2000;

const groupKeyOf = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

export async function createGroup(
  world: World,
  actor: Actor,
  { name, externalId = null, members = [] }: GroupChange & { name: string },
): Promise<GroupChanged> {
  const clean = nameFrom(name);
  if (clean === undefined) return { ok: false, reason: 'name' };
  return managing(world, actor, async (transaction) => {
    const organisationId = actor.organisation.id;
    if ((await store.countGroups(transaction, organisationId)) >= GROUPS_MOST) return { ok: false, reason: 'too-many-groups' };
    const now = world.clock.now();
    const row = {
      id: makeId(world),
      organisation_id: organisationId,
      name: clean,
      name_key: groupKeyOf(clean),
      external_id: externalId,
      created_at: now,
      updated_at: now,
    };
    if (!(await store.insertGroup(transaction, row))) return { ok: false, reason: 'name-taken' };
    const details = { organisation: organisationId, group: row.id, name: clean, to: 'created', by: byWhom(actor) };
    await record(world, transaction, { event: 'group_changed', accountId: null, from: actor.from, details });
    return changeMembers(world, transaction, actor, row, members);
  });
}

export async function changeGroup(world: World, actor: Actor, id: string, { name, externalId, members = [] }: GroupChange): Promise<GroupChanged> {
  return managing(world, actor, async (transaction) => {
    const before = await store.lockGroup(transaction, actor.organisation.id, id, world.clock.now());
    if (!before) return { ok: false, reason: 'not-found' };
    const clean = name === undefined ? before.name : nameFrom(name);
    if (clean === undefined) return { ok: false, reason: 'name' };
    const after = { ...before, name: clean, name_key: groupKeyOf(clean), external_id: externalId === undefined ? before.external_id : externalId };
    if (await store.hasOtherOfName(transaction, after)) return { ok: false, reason: 'name-taken' };
    if (after.name !== before.name || after.external_id !== before.external_id) {
      await store.updateGroup(transaction, id, { name: after.name, name_key: after.name_key, external_id: after.external_id });
      const to = after.name === before.name ? 'changed' : `renamed from ${before.name}`;
      const details = { organisation: actor.organisation.id, group: id, name: after.name, to, by: byWhom(actor) };
      await record(world, transaction, { event: 'group_changed', accountId: null, from: actor.from, details });
    }
    return changeMembers(world, transaction, actor, after, members);
  });
}

export async function deleteGroup(world: World, actor: Actor, id: string): Promise<GroupChanged> {
  return managing(world, actor, async (transaction) => {
    const row = await store.deleteGroup(transaction, actor.organisation.id, id);
    if (!row) return { ok: false, reason: 'not-found' };
    const details = { organisation: actor.organisation.id, group: id, name: row.name, to: 'deleted', by: byWhom(actor) };
    await record(world, transaction, { event: 'group_changed', accountId: null, from: actor.from, details });
    return { ok: true, id };
  });
}

async function managing(world: World, actor: Actor, work: (transaction: Transaction) => Promise<GroupChanged>): Promise<GroupChanged> {
  return world.database
    .transaction(async (transaction): Promise<GroupChanged> => {
      const acting = await findActing(transaction, actor);
      if (acting && may(acting.role, 'manage-groups')) return undone(await work(transaction));
      await recordRefused(world, transaction, actor, 'manage-groups');
      return { ok: false, reason: 'not-allowed' };
    })
    .catch((error: unknown) => {
      if (error instanceof Undone) return error.changed;
      throw error;
    });
}

/** A refusal that comes after something was written takes that with it. */
class Undone extends Error {
  readonly changed: GroupChanged;
  constructor(changed: GroupChanged) {
    super('A change of a group was refused.');
    this.changed = changed;
  }
}

function undone(changed: GroupChanged): GroupChanged {
  if (!changed.ok) throw new Undone(changed);
  return changed;
}

async function changeMembers(
  world: World,
  transaction: Transaction,
  actor: Actor,
  group: store.GroupRow,
  changes: readonly MembersChange[],
): Promise<GroupChanged> {
  if (changes.length === 0) return { ok: true, id: group.id };
  const before = new Set((await store.selectMembers(transaction, [group.id])).map((one) => one.account_id));
  const after = changes.reduce(appliedTo, before);
  if (after.size > MEMBERS_MOST) return { ok: false, reason: 'too-many-members' };
  const [added, removed] = [[...after].filter((id) => !before.has(id)), [...before].filter((id) => !after.has(id))];
  const belonging = new Set(await store.selectBelonging(transaction, group.organisation_id, added));
  const nobody = added.find((id) => !belonging.has(id));
  if (nobody !== undefined) return { ok: false, reason: 'nobody', accountId: nobody };
  await store.insertMembers(transaction, group, added);
  await store.deleteMembers(transaction, group, removed);
  await recordMembers(world, transaction, actor, group, { added, removed });
  return { ok: true, id: group.id };
}

function appliedTo(present: ReadonlySet<string>, { how, accountIds }: MembersChange): Set<string> {
  if (how === 'replace') return new Set(accountIds);
  if (how === 'add') return new Set([...present, ...accountIds]);
  const gone = new Set(accountIds);
  return new Set([...present].filter((id) => !gone.has(id)));
}

async function recordMembers(
  world: World,
  transaction: Transaction,
  actor: Actor,
  group: store.GroupRow,
  { added, removed }: { added: readonly string[]; removed: readonly string[] },
): Promise<void> {
  const pieces = Math.ceil(Math.max(added.length, removed.length) / NAMED_AT_ONCE);
  for (let piece = 0; piece < pieces; piece += 1) {
    const named = (ids: readonly string[]): string => ids.slice(piece * NAMED_AT_ONCE, (piece + 1) * NAMED_AT_ONCE).join(' ');
    const details = {
      organisation: group.organisation_id,
      group: group.id,
      name: group.name,
      added: named(added),
      removed: named(removed),
      by: byWhom(actor),
    };
    await record(world, transaction, { event: 'group_members_changed', accountId: null, from: actor.from, details });
  }
}

export async function findGroup(queries: Queries, organisationId: string, id: string): Promise<Group | undefined> {
  const row = await store.selectGroup(queries, organisationId, id);
  return row && { id: row.id, name: row.name, externalId: row.external_id, createdAt: row.created_at, updatedAt: row.updated_at };
}

export const listGroupMembers = store.selectMembers;
export const listGroupsOf = store.selectGroupsOf;

/** What an app is told of somebody's groups. The name of a role is a role's alone, however it is written: a directory gives none. */
export async function groupsToTell(queries: Queries, organisationId: string, accountId: string): Promise<string[]> {
  const told: string[] = [];
  let length = 0;
  for (const name of await store.selectNamesOf(queries, organisationId, accountId)) {
    if ((ROLES as readonly string[]).includes(groupKeyOf(name))) continue;
    length += name.length + 1;
    if (length > TOLD_MOST) break;
    told.push(name);
  }
  return told;
}

function nameFrom(text: string): string | undefined {
  const clean = text.normalize('NFC').trim();
  return clean !== '' && [...clean].length <= NAME_CHARACTERS_MOST && canBeShown(clean) ? clean : undefined;
}
