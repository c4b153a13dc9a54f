/**
 * What becomes of somebody by what a directory sends: whole (POST, PUT), or by operations (PATCH). What is not kept here is passed over, a password and roles
 * among it, as directories send all that they know; what is kept and can't be what was sent is refused. The door is scim.ts.
 */
import type { Json, Operation, Read, UserState } from './contract.ts';
import { readPath, type Filter } from './filter.ts';
import { fieldOf, isObject, refuse } from './operations.ts';

const TEXT_MOST = 254;
type Texts = 'userName' | 'externalId' | 'email' | 'displayName' | 'givenName' | 'familyName';
const NAMES: Readonly<Record<string, Texts>> = {
  username: 'userName',
  externalid: 'externalId',
  displayname: 'displayName',
  'name.formatted': 'displayName',
  'name.givenname': 'givenName',
  'name.familyname': 'familyName',
};

/** Of a whole resource. `before`: what stays where nothing is said of it; undefined for somebody new. */
export function wholeUser(body: Json, before: UserState | undefined): Read<UserState> {
  const userName = fieldOf(body, 'userName');
  if (typeof userName !== 'string' || userName.trim() === '') return refuse('invalidValue', 'Send a userName.');
  const blank: UserState = {
    userName: '',
    externalId: null,
    active: before?.active ?? true,
    email: null,
    displayName: null,
    givenName: null,
    familyName: null,
  };
  return assignAll(blank, body);
}

export function patchedUser(before: UserState, operations: readonly Operation[]): Read<UserState> {
  let state = before;
  for (const { op, path, value } of operations) {
    const read = op === 'remove' ? removed(state, path) : path === undefined ? assignWhole(state, value) : assign(state, path, value);
    if (!read.ok) return read;
    state = read.value;
  }
  return { ok: true, value: state };
}

/** Without a path, the names in the value are paths: Okta sends `{"active": false}`, Entra `{"name.givenName": "Ada"}`. */
const assignWhole = (state: UserState, value: unknown): Read<UserState> =>
  isObject(value) ? assignAll(state, value) : refuse('invalidSyntax', 'Without a path the value is an object.');

function assignAll(before: UserState, object: Json): Read<UserState> {
  let state = before;
  // `name.formatted` first: what a person is shown as is said by displayName where both are there.
  const entries = Object.entries(object).toSorted(([one], [other]) => Number(other.toLowerCase() === 'name') - Number(one.toLowerCase() === 'name'));
  for (const [name, value] of entries) {
    if (/^(?:schemas|id|meta|groups)$/i.test(name) || /^urn:[^[\]]*$/i.test(name)) continue;
    const read = assign(state, name, value);
    if (!read.ok) return read;
    state = read.value;
  }
  return { ok: true, value: state };
}

function assign(state: UserState, text: string, value: unknown): Read<UserState> {
  const path = readPath(text);
  if (!path) return refuse('invalidPath', `The path “${text.slice(0, 100)}” can’t be read.`);
  const { attribute, sub, filter } = path;
  if (attribute === 'active') {
    const active = booleanOf(value);
    return active === undefined ? refuse('invalidValue', 'Send active as true or false.') : { ok: true, value: { ...state, active } };
  }
  if (attribute === 'emails') return assignEmail(state, { sub, filter, value });
  if (attribute === 'name' && sub === '' && isObject(value)) return assignName(state, value);
  const name = NAMES[sub === '' ? attribute : `${attribute}.${sub}`];
  return name === undefined || filter !== undefined ? { ok: true, value: state } : assignText(state, name, value);
}

function assignName(before: UserState, name: Json): Read<UserState> {
  let state = before;
  for (const sub of ['formatted', 'givenName', 'familyName']) {
    const value = fieldOf(name, sub);
    if (value === undefined) continue;
    const read = assignText(state, NAMES[`name.${sub.toLowerCase()}`]!, value);
    if (!read.ok) return read;
    state = read.value;
  }
  return { ok: true, value: state };
}

/** One address is kept: the primary one, else that of work, else the first. */
function assignEmail(state: UserState, { sub, filter, value }: { sub: string; filter: Filter | undefined; value: unknown }): Read<UserState> {
  if (filter !== undefined) {
    if (!isOfWork(filter)) return { ok: true, value: state };
    if (sub === 'value') return assignText(state, 'email', value);
    return sub === '' && isObject(value) ? assignText(state, 'email', fieldOf(value, 'value')) : { ok: true, value: state };
  }
  if (sub !== '') return sub === 'value' ? assignText(state, 'email', value) : { ok: true, value: state };
  const all = [value].flat().filter(isObject);
  const chosen = all.find((one) => booleanOf(fieldOf(one, 'primary')) === true) ?? all.find((one) => fieldOf(one, 'type') === 'work') ?? all[0];
  return chosen ? assignText(state, 'email', fieldOf(chosen, 'value')) : { ok: true, value: state };
}

/** `type eq "work"`, `primary eq true`. */
function isOfWork(filter: Filter): boolean {
  if (filter.kind !== 'compare' || filter.operator !== 'eq') return false;
  return (filter.path === 'type' && filter.value === 'work') || (filter.path === 'primary' && booleanOf(filter.value) === true);
}

function assignText(state: UserState, name: Texts, value: unknown): Read<UserState> {
  if (value === null || value === undefined || value === '')
    return name === 'userName' ? refuse('invalidValue', 'A userName is not empty.') : { ok: true, value: { ...state, [name]: null } };
  const text = typeof value === 'string' ? value.normalize('NFC').trim() : '';
  if (text === '' || [...text].length > TEXT_MOST || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text))
    return refuse('invalidValue', `Send ${name} as text of at most ${TEXT_MOST} characters that can be shown.`);
  return { ok: true, value: { ...state, [name]: text } };
}

function removed(state: UserState, text: string | undefined): Read<UserState> {
  if (text === undefined) return refuse('noTarget', 'What is to be removed is named by a path.');
  const path = readPath(text);
  if (!path) return refuse('invalidPath', `The path “${text.slice(0, 100)}” can’t be read.`);
  const full = path.sub === '' ? path.attribute : `${path.attribute}.${path.sub}`;
  if (full === 'username' || full === 'active') return refuse('mutability', `The attribute ${path.attribute} can be changed, and not removed.`);
  if (full === 'name') return { ok: true, value: { ...state, displayName: null, givenName: null, familyName: null } };
  if (path.attribute === 'emails')
    return path.filter === undefined || isOfWork(path.filter) ? { ok: true, value: { ...state, email: null } } : { ok: true, value: state };
  const name = NAMES[full];
  return { ok: true, value: name === undefined ? state : { ...state, [name]: null } };
}

/** Entra sends "False". */
function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return typeof value === 'string' ? ({ true: true, false: false } as Readonly<Record<string, boolean>>)[value.toLowerCase()] : undefined;
}
