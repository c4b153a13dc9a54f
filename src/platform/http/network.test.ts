import assert from 'node:assert/strict';
import type { lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { localhostCertificate } from '../../../test/support/localhost-certificate.ts';
import { NameServer } from '../../../test/support/name-server.ts';
import { Receiver } from '../../../test/support/receiver.ts';
import { makeNetwork, type NetworkFailureReason, type NetworkOptions } from './network.ts';

const opened: AsyncDisposable[] = [];
after(async () => {
  for (const one of opened) await one[Symbol.asyncDispose]();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A server of the test's own; returns its address. */
async function serve(answer: Answer): Promise<string> {
  return `http://127.0.0.1:${await listen(createHttpServer((request, response) => void answer(request, response)))}`;
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  // Whoever asked hangs up in the middle, which is what is tested.
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  opened.push({
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  });
  return (server.address() as AddressInfo).port;
}

/** Counts connections, and answers none: what must not be reached. */
async function inside(): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  return { port: await listen(server), connections: () => connections };
}

/** A name server of the test's own: each question gets the next answer. */
function answering(...answers: readonly (readonly string[])[]) {
  let asked = 0;
  const lookup = ((_host: string, _options: unknown, callback: (error: null, found: { address: string; family: number }[]) => void) => {
    const found = answers[Math.min(asked++, answers.length - 1)]!;
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as typeof systemLookup;
  return { lookup, asked: () => asked };
}

const failingWith = (code: string) =>
  ((_host: string, _options: unknown, callback: (error: Error) => void) =>
    callback(Object.assign(new Error('getaddrinfo'), { code }))) as unknown as typeof systemLookup;

/** Public by its number, and given to nobody: no packet of a test arrives anywhere. */
const NOWHERE = '2ffe::1';

const network = (options: Partial<NetworkOptions> = {}) => makeNetwork({ privateHosts: [], ...options });
const near = (options: Partial<NetworkOptions> = {}) => network({ privateHosts: ['127.0.0.1'], ...options });

async function refuses(asked: Promise<unknown>, reason: NetworkFailureReason, about?: string): Promise<void> {
  await assert.rejects(asked, (error: Error & { reason?: unknown }) => {
    assert.equal(error.reason, reason, `${about ?? ''} ${error.stack ?? ''}`);
    assert.match(error.message, /^[A-Z][^]*\.$/);
    return true;
  });
}

const SPELLINGS = [
  '127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '%31%32%37.0.0.1', '１２７.０.０.１', '127。0。0。1', '0', '0.0.0.0', '10.0.0.1', '172.16.9.9', '192.168.1.1',
  '100.64.0.1', '169.254.169.254', '0xa9fea9fe', '[::]', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]',
  '[2001:0:7f00:1::]', '[fe80::1]', '[fd00::1]', '[ff02::1]', 'public.example@127.0.0.1',
]; // prettier-ignore

describe('SI-8 addresses inside', () => {
  test('a number of a private network is not connected to, however it is spelled', async () => {
    const { port, connections } = await inside();
    for (const host of SPELLINGS) await refuses(network().fetch(`https://${host}:${port}/`), 'private-address', host);
    for (const host of ['127.0.0.1', '::1', '::ffff:10.0.0.1', '192.168.0.1']) await refuses(network().addressesOf(host), 'private-address', host);
    assert.equal(connections(), 0);
  });

  test('a name that leads to one, or to one beside public ones, or nowhere, is not connected to', async () => {
    const { port, connections } = await inside();
    for (const found of [['127.0.0.1'], ['::1'], ['::ffff:127.0.0.1'], ['8.8.8.8', '10.0.0.1'], ['2606:4700::1', 'fd00::1'], ['64:ff9b::a00:1'], []]) {
      const { lookup } = answering(found);
      await refuses(network({ lookup }).fetch(`https://login.example:${port}/`), 'private-address', found.join());
      await refuses(network({ lookup }).addressesOf('login.example'), 'private-address', found.join());
    }
    for (const name of ['localhost', 'LOCALHOST', 'ｌocalhost']) await refuses(network().fetch(`https://${name}:${port}/`), 'private-address', name);
    assert.equal(connections(), 0);
  });

  test('a name is looked up once, and what was looked at is what is connected to: one that turns inwards afterwards (DNS rebinding) turns too late', async () => {
    const { port, connections } = await inside();
    const { lookup, asked } = answering([NOWHERE], ['127.0.0.1']);
    await assert.rejects(network({ lookup, millisecondsMost: 50 }).fetch(`https://rebinding.example:${port}/`));
    assert.equal(asked(), 1);
    const again = answering([NOWHERE], ['127.0.0.1']);
    assert.deepEqual(await network({ lookup: again.lookup }).addressesOf('rebinding.example'), [NOWHERE]);
    assert.equal(again.asked(), 1);
    // One that has turned already is caught, also by whoever was there before.
    const turned = network({ lookup: answering([NOWHERE], ['127.0.0.1'], ['127.0.0.1']).lookup, millisecondsMost: 50 });
    await assert.rejects(turned.fetch(`https://rebinding.example:${port}/`));
    await refuses(turned.fetch(`https://rebinding.example:${port}/`), 'private-address');
    assert.equal(connections(), 0);
  });

  test('a host that the operator named is reached by that name and no other', async () => {
    await using receiver = await Receiver.start();
    const named = network({ privateHosts: ['localhost', 'idp.example'], lookup: answering(['127.0.0.1']).lookup });
    for (const host of ['localhost', 'LOCALHOST', 'idp.example']) assert.equal((await named.fetch(`http://${host}:${receiver.port}/`)).status, 200);
    const before = receiver.received.length;
    for (const host of ['127.0.0.1', '[::1]', '169.254.169.254']) await refuses(named.fetch(`https://${host}:${receiver.port}/`), 'private-address', host);
    for (const host of ['www.idp.example', 'idp.example.evil.example', 'evil-idp.example', 'idp.example.'])
      await refuses(named.fetch(`https://${host}:${receiver.port}/`), 'private-address', host);
    assert.equal(receiver.received.length, before);
    assert.deepEqual(await named.addressesOf('IDP.example'), ['127.0.0.1']);
    assert.equal((await network({ privateHosts: [], everything: true }).fetch(receiver.url)).status, 200);
  });

  test('nothing but https, and no redirect is followed: neither inwards nor anywhere', async () => {
    await using target = await Receiver.start();
    for (const url of [`http://example.org/`, 'http://127.0.0.1/', 'file:///etc/passwd', 'ftp://example.org/', 'data:,x', 'blob:https://example.org/x'])
      await refuses(network().fetch(url), 'not-https', url);
    for (const url of ['file:///etc/passwd', 'ftp://127.0.0.1/']) await refuses(near().fetch(url), 'not-https', url);
    for (const status of [300, 301, 302, 303, 307, 308, 399]) {
      const from = await serve((_request, response) => void response.writeHead(status, { location: target.url, refresh: `0;url=${target.url}` }).end('{}'));
      await refuses(near().fetch(from), 'redirect', String(status));
      await refuses(near().fetch(from, { method: 'POST', body: new URLSearchParams({ client_secret: 'secret' }) }), 'redirect', String(status));
    }
    assert.equal(target.received.length, 0);
  });
});

const FOREVER = 'x'.repeat(1000);

async function pour(response: ServerResponse): Promise<void> {
  const left = once(response, 'close');
  while (!response.destroyed) if (!response.write(FOREVER)) await Promise.race([once(response, 'drain'), left]);
}

describe('SI-8 servers that want to keep one busy', () => {
  test('an answer ends where it is larger than anybody needs, whatever it said of its length', async () => {
    const bytesMost = 10_000;
    const huge: Answer[] = [
      (_request, response) => void pour(response.writeHead(200, { 'content-length': 1e9 })),
      (_request, response) => void pour(response),
      (_request, response) => void pour(response.writeHead(500)),
      (_request, response) => void pour(response.writeHead(302, { location: '/' })),
    ];
    for (const answer of huge) await refuses(near({ bytesMost }).fetch(await serve(answer)), 'too-large');
    const exactly = await serve((_request, response) => void response.end('x'.repeat(bytesMost)));
    assert.equal((await (await near({ bytesMost }).fetch(exactly)).text()).length, bytesMost);
    await refuses(near({ bytesMost: bytesMost - 1 }).fetch(exactly), 'too-large');
  });

  test('what is compressed is not unpacked', async () => {
    const packed = await serve((_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.from('1f8b0800', 'hex')));
    const answer = await near().fetch(packed);
    assert.deepEqual([...new Uint8Array(await answer.arrayBuffer())], [0x1f, 0x8b, 8, 0]);
  });

  test('headers without end', async () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`x-${index}`, FOREVER]));
    await refuses(near().fetch(await serve((_request, response) => void response.writeHead(200, many).end())), 'too-large');
  });

  test('a server that says nothing, that stops in the middle, and that says one letter at a time', async () => {
    const slow: Answer[] = [
      () => undefined,
      (_request, response) => void response.write('{'),
      async (_request, response) => {
        while (!response.destroyed) {
          response.write(' ');
          await wait(10);
        }
      },
    ];
    for (const answer of slow) await refuses(near({ millisecondsMost: 100 }).fetch(await serve(answer)), 'too-slow');
    // Nor does a server that never finishes its greeting.
    const port = await listen(createTcpServer((socket) => void socket.write('HTTP/1.1 200 OK\r\nx: ')));
    await refuses(near({ millisecondsMost: 100 }).fetch(`http://127.0.0.1:${port}/`), 'too-slow');
  });

  test('one that breaks off, talks nonsense, or is not there', async () => {
    const { port } = await inside();
    await refuses(near().fetch(`http://127.0.0.1:${port}/`), 'no-connection');
    await refuses(near().fetch('http://127.0.0.1:1/'), 'no-connection');
    const nonsense = await listen(createTcpServer((socket) => void socket.end('220 mail.example ESMTP\r\n')));
    await refuses(near().fetch(`http://127.0.0.1:${nonsense}/`), 'no-connection');
    for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
      await refuses(network({ lookup: failingWith(code) }).fetch('https://nowhere.example/'), 'unknown-host');
      await refuses(network({ lookup: failingWith(code) }).addressesOf('nowhere.example'), 'unknown-host');
    }
  });
});

test('SI-8 a certificate that nobody vouches for is not taken, not even of a host that the operator named', async () => {
  const { certificate, key } = localhostCertificate;
  let asked = 0;
  const port = await listen(
    createHttpsServer({ cert: certificate, key }, (_request, response) => {
      asked += 1;
      response.end();
    }),
  );
  await refuses(network({ privateHosts: ['localhost'] }).fetch(`https://localhost:${port}/`), 'certificate');
  const plain = new URL(await serve((_request, response) => void response.end()));
  await refuses(near().fetch(`https://127.0.0.1:${plain.port}/`), 'certificate');
  assert.equal(asked, 0);
});

test('what goes out and comes back: method, headers, body, status, and every header', async () => {
  const seen: string[] = [];
  const at = await serve(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part as string;
    seen.push(`${request.method} ${request.url} ${String(request.headers['x-one'])} ${String(request.headers['content-type'])} ${body}`);
    response.writeHead(body === '' ? 204 : 418, { 'set-cookie': ['a=1', 'b=2'], 'content-type': 'application/json' }).end(body === '' ? undefined : '{"a":1}');
  });
  const form = {
    method: 'POST',
    headers: new Headers({ 'x-one': '1', 'content-type': 'application/x-www-form-urlencoded' }),
    body: new URLSearchParams({ a: 'b c' }),
  };
  const answer = await near().fetch(`${at}/x?y=z`, form);
  assert.deepEqual([answer.status, await answer.json(), answer.headers.getSetCookie()], [418, { a: 1 }, ['a=1', 'b=2']]);
  assert.equal((await near().fetch(new URL(at))).status, 204);
  assert.deepEqual(seen, ['POST /x?y=z 1 application/x-www-form-urlencoded a=b+c', 'GET / undefined undefined ']);
  await assert.rejects(near().fetch(at, { signal: AbortSignal.abort() }));
});

test('TXT records: each in one piece, none where there are none, and a name server that is silent is no "none"', async () => {
  await using names = await NameServer.start();
  names.records.set('_twinlock.example.org', ['twinlock=1', 'v=spf1 -all']);
  const { textRecords } = network({ nameServers: [names.address], millisecondsMost: 400 });
  assert.deepEqual((await textRecords('_twinlock.example.org')).toSorted(), ['twinlock=1', 'v=spf1 -all']);
  assert.deepEqual(await textRecords('_twinlock.example.com'), []);
  names.state = 'down';
  await refuses(textRecords('_twinlock.example.net'), 'too-slow');
});
