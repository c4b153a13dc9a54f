import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { localPath } from './local-path.ts';

test('WE-7: paths of ours are let through as they are', () => {
  for (const path of ['/', '/account', '/account/security/methods/a_B-9', '/sign-in?then=%2Faccount&x=%20', '/a.b/~c']) assert.equal(localPath(path), path);
});

test('WE-7: whatever a browser might read as another host is not', () => {
  const outside = [
    '//evil.test',
    '///evil.test',
    '/\\evil.test',
    '\\evil.test',
    '\\\\evil.test',
    'https://evil.test',
    'https:evil.test',
    'https:/evil.test',
    'javascript&colon;alert(1)',
    'data:text/html,x',
    'evil.test',
    '/@evil.test',
    '/account//evil.test',
    '/../evil',
    '/%2f%2fevil.test',
    '/%5cevil.test',
    '/\tevil',
    '/\n/evil.test',
    ' /account',
    '/account#x',
    '/a\u0000',
    '',
    `/${'a'.repeat(4000)}`,
  ];
  for (const text of outside) assert.equal(localPath(text), undefined, JSON.stringify(text));
  assert.equal(localPath(null), undefined);
  assert.equal(localPath(undefined), undefined);
});

test('WE-7, property: what comes through stays on the host and needs no encoding', () => {
  const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('/', '\\', '//', '@', ':', '?', '%', '..', 'evil.test', '\t', '\r\n', 'https:'));
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const path = localPath(`/${pieces.join('')}`);
      if (path === undefined) return;
      const url = new URL(path, 'https://id.example.com');
      assert.equal(url.origin, 'https://id.example.com');
      assert.equal(url.pathname + url.search, path.replace(/\?$/, '').replace(/(\/)\.(?=\/|$|\?)\/?/g, '$1'));
    }),
    { numRuns: 1000 },
  );
});
