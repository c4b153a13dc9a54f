import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whoIsTrusted } from './trusted-proxies.ts';

test('whose word counts: the addresses and networks that were named, however the socket spells them, and nobody else', () => {
  const trusts = whoIsTrusted(['192.0.2.7', '10.1.0.0/16', '2001:db8::/32', '::1']);
  for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '::FFFF:10.1.255.255', '10.1.0.0', '2001:db8::1', '2001:DB8:ffff::', '::1'])
    assert.equal(trusts(address), true, address);
  for (const address of [
    '192.0.2.8',
    '192.0.2.70',
    '10.2.0.0',
    '::ffff:10.2.0.1',
    '2001:db9::1',
    '::2',
    '127.0.0.1',
    '',
    'localhost',
    '192.0.2.7, 10.1.0.1',
    undefined,
  ])
    assert.equal(trusts(address), false, address);
});

test('where nobody was named, nobody’s word counts', () => {
  for (const address of ['127.0.0.1', '::1', undefined]) assert.equal(whoIsTrusted([])(address), false);
});
