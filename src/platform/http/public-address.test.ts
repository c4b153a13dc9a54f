import assert from 'node:assert/strict';
import type { lookup as systemLookup } from 'node:dns';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { localhostCertificate } from '../../../test/support/localhost-certificate.ts';
import { Receiver } from '../../../test/support/receiver.ts';
import { postOut, type Posted } from './post-out.ts';
import { isPublicAddress } from './public-address.ts';

const PRIVATE = [
  '0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.1',
  '192.0.2.1', '192.168.1.1', '198.18.0.1', '198.51.100.1', '203.0.113.9', '224.0.0.1', '240.0.0.1', '255.255.255.255',
  '::', '::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '64:ff9b::a00:1', '64:ff9b:1::1', '100::1', 'fc00::1', 'fd12::1', 'fe80::1', 'fec0::1',
  'ff02::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '3fff::1', '5f00::1', '4000::1',
  '', 'localhost', '127.1', '2130706433', '0x7f000001', '010.0.0.1', '1.2.3', 'fe80::1%eth0',
]; // prettier-ignore
const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.169.0.1',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00:1450::1',
  '2003::1',
];

test('an address of this machine, of a private network, of documents or of no kind at all is not public, in whatever dress', () => {
  for (const address of PRIVATE) assert.equal(isPublicAddress(address), false, address);
  for (const address of PUBLIC) assert.equal(isPublicAddress(address), true, address);
});

const post = (url: string, more: Partial<Parameters<typeof postOut>[0]> = {}): Promise<Posted> =>
  postOut({ url: new URL(url), headers: {}, body: '{}', allowPrivate: false, ...more });

type Lookup = typeof systemLookup;
/** Public by its number, and given to nobody: no packet of a test arrives anywhere. */
const NOWHERE = '2ffe::1';
/** A name server of the test's own: each question gets the next answer. */
function answering(...answers: readonly (readonly string[])[]): { lookup: Lookup; asked: () => number } {
  let asked = 0;
  const lookup = ((_hostname: string, _options: unknown, callback: (error: null, addresses: { address: string; family: number }[]) => void) => {
    const addresses = answers[Math.min(asked++, answers.length - 1)]!;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as Lookup;
  return { lookup, asked: () => asked };
}

test('nothing is sent to a private address, however it is spelled: no connection is even made', async () => {
  await using receiver = await Receiver.start();
  const { port } = receiver;
  for (const host of [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '%31%32%37.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '169.254.169.254',
    '10.0.0.1',
    '0',
    '[fe80::1]',
    '１２７.０.０.１',
  ])
    // prettier-ignore
    for (const scheme of ['http', 'https']) assert.deepEqual(await post(`${scheme}://${host}:${port}/`), { ok: false, reason: 'private-address' }, host);
  assert.deepEqual(await post(`http://localhost:${port}/`), { ok: false, reason: 'private-address' });
  for (const addresses of [['127.0.0.1'], ['::ffff:127.0.0.1'], ['8.8.8.8', '10.0.0.1'], ['2606:4700::1', 'fd00::1'], []])
    assert.deepEqual(
      await post(`http://log.example.org:${port}/`, { lookup: answering(addresses).lookup }),
      { ok: false, reason: 'private-address' },
      addresses.join(),
    );
  assert.equal(receiver.received.length, 0);
});

test('a name is looked up once, and what was looked at is what is connected to: one that turns inwards afterwards (DNS rebinding) turns too late', async () => {
  await using receiver = await Receiver.start();
  const { lookup, asked } = answering([NOWHERE], ['127.0.0.1']);
  const posted = await post(`http://rebinding.example:${receiver.port}/`, { lookup, millisecondsMost: 50 });
  assert.equal(posted.ok, false);
  assert.equal(asked(), 1);
  assert.equal(receiver.received.length, 0);
  const { lookup: inwards } = answering(['127.0.0.1'], [NOWHERE]);
  assert.deepEqual(await post(`http://rebinding.example:${receiver.port}/`, { lookup: inwards }), { ok: false, reason: 'private-address' });
});

test('where it may be reached: a status tells how it went, a redirect is not followed, what is slow or silent ends, and nothing of a long answer is kept', async () => {
  await using receiver = await Receiver.start();
  await using other = await Receiver.start();
  const send = (more = {}) => post(receiver.url, { allowPrivate: true, ...more });
  assert.deepEqual(await send(), { ok: true, status: 200 });
  receiver.reply = 204;
  assert.deepEqual(await send(), { ok: true, status: 204 });
  for (const status of [400, 401, 404, 410, 500, 503]) {
    receiver.reply = status;
    assert.deepEqual(await send(), { ok: false, reason: 'status', status });
  }
  receiver.reply = { to: other.url };
  assert.deepEqual(await send(), { ok: false, reason: 'redirect', status: 302 });
  assert.equal(other.received.length, 0);
  receiver.reply = 'silence';
  assert.deepEqual(await send({ millisecondsMost: 50 }), { ok: false, reason: 'too-slow' });
  assert.deepEqual(await post('http://127.0.0.1:1/', { allowPrivate: true }), { ok: false, reason: 'no-connection' });
  assert.deepEqual(await post(receiver.url.replace('http:', 'https:'), { allowPrivate: true }), { ok: false, reason: 'no-connection' });
  const unknown = ((_hostname: string, _options: unknown, callback: (error: Error) => void) =>
    callback(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }))) as unknown as Lookup;
  for (const allowPrivate of [true, false])
    assert.deepEqual(await post('https://nowhere.example/', { allowPrivate, lookup: unknown }), { ok: false, reason: 'unknown-host' });
});

test('a certificate that nobody vouches for is not taken', async () => {
  const { certificate, key } = localhostCertificate;
  const server = createServer({ cert: certificate, key }, (_request, response) => response.end());
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  assert.deepEqual(await post(`https://localhost:${port}/`, { allowPrivate: true }), { ok: false, reason: 'certificate' });
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
});
