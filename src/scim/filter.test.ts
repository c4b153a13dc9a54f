import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readFilter, readPath, type Filter } from './filter.ts';

const compare = (path: string, operator: string, value: unknown) => ({ kind: 'compare', path, operator, value });

test('SC-3 filters as Okta and Entra send them, and those of RFC 7644', () => {
  const read: readonly (readonly [string, unknown])[] = [
    ['userName eq "ada@example.org"', compare('username', 'eq', 'ada@example.org')],
    ['externalId eq "0a1b"', compare('externalid', 'eq', '0a1b')],
    ['userName Eq "Ada"', compare('username', 'eq', 'Ada')],
    ['displayName eq "A \\"quoted\\" (name) [x]"', compare('displayname', 'eq', 'A "quoted" (name) [x]')],
    ['members[value eq "id-1"]', compare('members.value', 'eq', 'id-1')],
    ['active eq True', compare('active', 'eq', true)],
    ['externalId pr', compare('externalid', 'pr', null)],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "a"', compare('username', 'sw', 'a')],
    ['id eq "g" and members eq "m"', { kind: 'and', filters: [compare('id', 'eq', 'g'), compare('members', 'eq', 'm')] }],
    [
      'emails[type eq "work" and value co "@example.org"] or not (active eq false)',
      {
        kind: 'or',
        filters: [
          { kind: 'and', filters: [compare('emails.type', 'eq', 'work'), compare('emails.value', 'co', '@example.org')] },
          { kind: 'not', filter: compare('active', 'eq', false) },
        ],
      },
    ],
    ['a eq 1 or b eq 2 and c eq 3', { kind: 'or', filters: [compare('a', 'eq', 1), { kind: 'and', filters: [compare('b', 'eq', 2), compare('c', 'eq', 3)] }] }],
  ];
  for (const [text, filter] of read) assert.deepEqual(readFilter(text), filter, text);
});

test('SC-3 attack: filters that are broken, deep, long or many are refused, and cost nothing', () => {
  const deep = (levels: number): string => `${'('.repeat(levels)}a eq 1${')'.repeat(levels)}`;
  const broken = [
    '', ' ', 'userName', 'userName eq', 'userName eq ada', 'userName is "x"', '(userName eq "x"', 'userName eq "x")', 'userName eq "x" and', 'not userName eq "x"',
    'userName eq "x" userName eq "y"', 'a[b[c eq 1]]', 'a[b eq 1', 'a..b eq 1', "userName eq 'x'", 'userName eq "x', 'userName eq {"a":1}', 'userName eq [1]', '"x" eq userName',
    'userName eq "\\ud800"', 'userName eq "\\u0000"', "userName eq \"x\"; drop table accounts", 'a.b.c eq 1', deep(9), '('.repeat(1999), `userName eq "${'x'.repeat(501)}"`,
    `userName eq "${'x'.repeat(3000)}"`, Array.from({ length: 31 }, () => 'a eq 1').join(' or '),
  ]; // prettier-ignore
  for (const text of broken) assert.equal(readFilter(text), undefined, text.slice(0, 80));
  assert.ok(readFilter(deep(7)));
  fc.assert(fc.property(fc.string(), (text) => void readFilter(text)));
});

test('SC-4 paths as Okta and Entra send them', () => {
  const found = (text: string) => {
    const path = readPath(text);
    return path && [path.attribute, path.sub, path.filter];
  };
  const work = compare('type', 'eq', 'work') as Filter;
  assert.deepEqual(found('active'), ['active', '', undefined]);
  assert.deepEqual(found('name.givenName'), ['name', 'givenname', undefined]);
  assert.deepEqual(found('emails[type eq "work"].value'), ['emails', 'value', work]);
  assert.deepEqual(found('members[value eq "x"]'), ['members', '', compare('value', 'eq', 'x')]);
  assert.deepEqual(found('urn:ietf:params:scim:schemas:core:2.0:User:userName'), ['username', '', undefined]);
  assert.deepEqual(found('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department'), ['department', '', undefined]);
  for (const text of ['', 'a b', 'a[', 'a[x]', 'a.b[c eq 1]', 'a]b', '[a eq 1]', 'a'.repeat(3000)]) assert.equal(readPath(text), undefined, text.slice(0, 20));
});
