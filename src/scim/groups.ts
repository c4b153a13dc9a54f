// Groups, as the organisation's directory makes, changes and takes them away. The door is scim.ts.
import { changeGroup, createGroup, deleteGroup, findGroup, listGroupMembers, type GroupChanged } from '../groups/groups.ts';
import type { Actor } from '../organisations/organisations.ts';
import { noSuchThing, type Problem } from '../platform/problem.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import type { GroupState } from './contract.ts';
import type { Filter } from './filter.ts';
import { scimProblem } from './refusals.ts';
import type { GroupShown } from './resources.ts';
import * as store from './store.ts';

/** `withMembers`: false where they are not asked for. */
export async function listGroups(
  world: World,
  { organisation }: Actor,
  page: { readonly filter: Filter | undefined; readonly skip: number; readonly most: number },
  withMembers: boolean,
): Promise<{ groups: GroupShown[]; total: number }> {
  const { query } = world.database;
  const { rows, total } = await store.selectGroups(query, organisation.id, page);
  const ids = rows.map((row) => row.id);
  const members = Map.groupBy(withMembers ? await listGroupMembers(query, ids) : [], (one) => one.group_id);
  const groups = rows.map((row) => ({
    id: row.id,
    name: row.name,
    externalId: row.external_id,
    members: (members.get(row.id) ?? []).map((one) => ({ id: one.account_id, name: one.name })),
    created: isoOf(row.created_at),
    changed: isoOf(row.updated_at),
  }));
  return { groups, total };
}

export async function readGroup(world: World, { organisation }: Actor, id: string): Promise<GroupShown> {
  const { query } = world.database;
  const group = await findGroup(query, organisation.id, id);
  if (!group) throw noSuchThing();
  const members = (await listGroupMembers(query, [id])).map((one) => ({ id: one.account_id, name: one.name }));
  return { id, name: group.name, externalId: group.externalId, members, created: isoOf(group.createdAt), changed: isoOf(group.updatedAt) };
}

/** Returns its id. */
export async function makeGroup(world: World, actor: Actor, { name = '', externalId, members }: GroupState): Promise<string> {
  return idOf(await createGroup(world, actor, { name, externalId, members }));
}

export async function setGroup(world: World, actor: Actor, id: string, change: GroupState): Promise<void> {
  idOf(await changeGroup(world, actor, id, change));
}

export async function removeGroup(world: World, actor: Actor, id: string): Promise<void> {
  idOf(await deleteGroup(world, actor, id));
}

function idOf(changed: GroupChanged): string {
  if (changed.ok) return changed.id;
  throw problemOf(changed);
}

function problemOf(changed: Exclude<GroupChanged, { ok: true }>): Problem {
  switch (changed.reason) {
    case 'not-found':
      return noSuchThing();
    case 'not-allowed':
      return scimProblem('not-allowed', 'The role of whoever made this key does not allow that any more.');
    case 'name':
      return scimProblem('bad-request', 'Send displayName as text of at most 256 characters that can be shown.', 'invalidValue');
    case 'name-taken':
      return scimProblem('conflict', 'The organisation has a group of this name already.', 'uniqueness');
    case 'too-many-groups':
      return scimProblem('bad-request', 'The organisation has as many groups as are kept. Delete one that is not used.', 'tooMany');
    case 'too-many-members':
      return scimProblem('bad-request', 'The group would have more members than are kept.', 'tooMany');
    case 'nobody':
      return scimProblem('bad-request', `Nobody of the organisation has the id ${changed.accountId}.`, 'invalidValue');
  }
}
