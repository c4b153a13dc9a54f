// What becomes of a group by what a directory sends: whole (POST, PUT), or by operations (PATCH). The door is scim.ts.
import type { GroupState, Json, Operation, Read } from './contract.ts';
import { readPath, type Filter } from './filter.ts';
import { fieldOf, isObject, refuse } from './operations.ts';

const MEMBERS_AT_ONCE = 1000;
const ID_MOST = 64;
const EXTERNAL_MOST = 254;

/** Members that are not named are none. */
export function wholeGroup(body: Json): Read<GroupState> {
  const name = fieldOf(body, 'displayName');
  if (typeof name !== 'string') return refuse('invalidValue', 'Send a displayName.');
  const read = assignAll({ name: undefined, externalId: null, members: [] }, body, 'replace');
  if (!read.ok) return read;
  return { ok: true, value: read.value.members.length > 0 ? read.value : { ...read.value, members: [{ how: 'replace', accountIds: [] }] } };
}

export function patchedGroup(operations: readonly Operation[]): Read<GroupState> {
  let state: GroupState = { name: undefined, externalId: undefined, members: [] };
  for (const { op, path, value } of operations) {
    const read =
      op === 'remove'
        ? removed(state, path, value)
        : path !== undefined
          ? assign(state, path, value, op)
          : isObject(value)
            ? assignAll(state, value, op)
            : undefined;
    if (!read) return refuse('invalidSyntax', 'Without a path the value is an object.');
    if (!read.ok) return read;
    state = read.value;
  }
  const count = state.members.reduce((sum, one) => sum + one.accountIds.length, 0);
  return count > MEMBERS_AT_ONCE ? refuse('tooMany', `Send at most ${MEMBERS_AT_ONCE} members at once.`) : { ok: true, value: state };
}

function assignAll(before: GroupState, object: Json, op: 'add' | 'replace'): Read<GroupState> {
  let state = before;
  for (const [name, value] of Object.entries(object)) {
    if (/^urn:[^[\]]*$/i.test(name)) continue;
    const read = assign(state, name, value, op);
    if (!read.ok) return read;
    state = read.value;
  }
  return { ok: true, value: state };
}

function assign(state: GroupState, text: string, value: unknown, op: 'add' | 'replace'): Read<GroupState> {
  const path = readPath(text);
  if (!path) return refuse('invalidPath', `The path “${text.slice(0, 100)}” can’t be read.`);
  switch (path.attribute) {
    case 'displayname':
      return typeof value === 'string' ? { ok: true, value: { ...state, name: value } } : refuse('invalidValue', 'Send displayName as text.');
    case 'externalid':
      return value === null || value === '' || (typeof value === 'string' && value.length <= EXTERNAL_MOST)
        ? { ok: true, value: { ...state, externalId: value === '' ? null : value } }
        : refuse('invalidValue', `Send externalId as text of at most ${EXTERNAL_MOST} characters.`);
    case 'members': {
      if (path.filter !== undefined || path.sub !== '') return refuse('invalidPath', 'Members are added and replaced by the path “members”.');
      const ids = idsIn(value);
      return ids ? { ok: true, value: { ...state, members: [...state.members, { how: op, accountIds: ids }] } } : refuse('invalidValue', MEMBERS);
    }
    default:
      return { ok: true, value: state };
  }
}

const MEMBERS = 'Members are a list of objects whose value is the id of somebody: groups within groups are not kept.';

function removed(state: GroupState, text: string | undefined, value: unknown): Read<GroupState> {
  if (text === undefined) return refuse('noTarget', 'What is to be removed is named by a path.');
  const path = readPath(text);
  if (!path) return refuse('invalidPath', `The path “${text.slice(0, 100)}” can’t be read.`);
  if (path.attribute === 'displayname') return refuse('mutability', 'The attribute displayName can be changed, and not removed.');
  if (path.attribute === 'externalid') return { ok: true, value: { ...state, externalId: null } };
  if (path.attribute !== 'members') return { ok: true, value: state };
  const none = path.filter === undefined && (value === undefined || value === null);
  const ids = path.filter === undefined ? idsIn(value ?? []) : idsOf(path.filter);
  if (!ids) return path.filter === undefined ? refuse('invalidValue', MEMBERS) : refuse('invalidFilter', 'Members are named by value eq "…".');
  return { ok: true, value: { ...state, members: [...state.members, none ? { how: 'replace', accountIds: [] } : { how: 'remove', accountIds: ids }] } };
}

function idsIn(value: unknown): string[] | undefined {
  const ids = (value === null || value === undefined ? [] : [value].flat()).map((one) => (isObject(one) ? fieldOf(one, 'value') : one));
  return ids.every((id): id is string => typeof id === 'string' && id !== '' && id.length <= ID_MOST) ? ids : undefined;
}

/** `value eq "x"`, and several of them by `or`. */
function idsOf(filter: Filter): string[] | undefined {
  if (filter.kind === 'compare') return filter.path === 'value' && filter.operator === 'eq' && typeof filter.value === 'string' ? [filter.value] : undefined;
  if (filter.kind !== 'or') return undefined;
  const all = filter.filters.map(idsOf);
  return all.every((one) => one !== undefined) ? all.flat() : undefined;
}
