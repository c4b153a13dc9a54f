// An OpenID provider that publishes what leads the portal astray: inwards (SSRF), to somebody else, into a wait or a heap without end; and its keys.
import assert from 'node:assert/strict';
import type { lookup as systemLookup } from 'node:dns';
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { JWK } from 'jose';
import { HostileProvider, makeKey, publicPartOf, type Claims, type Lies } from '../support/hostile-provider.ts';
import { ADA, LiedTo } from '../support/lied-to.ts';
import { openConsole, wayOut } from '../support/single-sign-on.ts';
import { isSignedIn } from './intruder.ts';

/** How long the portal waits here; an honest provider on this machine needs a hundredth of it. */
const MILLISECONDS_MOST = 1000;

let set: LiedTo;
let inside: Server;
let connections = 0;
let port = 0;
before(async () => {
  inside = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => void inside.listen(0, '127.0.0.1', resolve));
  ({ port } = inside.address() as AddressInfo);
  set = await LiedTo.open({ network: { privateHosts: ['127.0.0.1'], lookup: namesOfTheTest, millisecondsMost: MILLISECONDS_MOST } });
});
after(async () => {
  await set[Symbol.asyncDispose]();
  await new Promise((resolve) => void inside.close(resolve));
});
beforeEach(() => {
  connections = 0;
});

/** inside.example is of this machine; moving.example is of the Internet when it is first asked about, and of this machine ever after. */
let lookups = 0;
const namesOfTheTest = ((host: string, _options: unknown, callback: (error: Error | null, found?: { address: string; family: number }[]) => void) => {
  const found = { 'inside.example': '127.0.0.1', localhost: '127.0.0.1', 'moving.example': lookups++ === 0 ? '2ffe::1' : '127.0.0.1' }[host];
  if (found === undefined) callback(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
  else callback(null, [{ address: found, family: found.includes(':') ? 6 : 4 }]);
}) as unknown as typeof systemLookup;

const publishes = (more: Claims): Lies => ({ metadata: (honest) => ({ ...honest, ...more }) });
const sparse = ({ email: _email, ...rest }: Claims): Claims => rest;

describe('SI-8 what is published leads inwards', () => {
  test('to addresses of the portal’s own network: by number, by name, by a name that changes its mind', async () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      [`https://10.0.0.8/x`, /private network/],
      [`https://169.254.169.254/latest/meta-data`, /private network/],
      [`https://localhost:${port}/x`, /private network/],
      [`https://inside.example:${port}/x`, /private network/],
      [`https://[::1]:${port}/x`, /private network/],
      [`https://[::ffff:127.0.0.1]:${port}/x`, /private network/],
      [`http://localhost:${port}/x`, /https:\/\//],
      [`http://inside.example:${port}/x`, /https:\/\//],
      [`file:///etc/passwd`, /https:\/\/|can't be read/],
      [`gopher://127.0.0.1:${port}/x`, /https:\/\/|can't be read/],
    ];
    for (const [address, says] of refused) {
      await set.refuses(publishes({ token_endpoint: address }), says, `token ${address}`);
      await set.refuses(publishes({ jwks_uri: address }), says, `keys ${address}`);
      await set.refuses({ ...publishes({ userinfo_endpoint: address }), claims: sparse }, says, `userinfo ${address}`);
    }
    assert.equal(connections, 0);
  });

  test('to a name that is of the Internet as it is looked at, and inside as it would be connected to (DNS rebinding)', async () => {
    lookups = 0;
    await set.refuses(publishes({ jwks_uri: `https://moving.example:${port}/x` }), /No connection came about|too long/, 'the first time');
    assert.equal(lookups, 1, 'It is looked up once.');
    await set.refuses(publishes({ jwks_uri: `https://moving.example:${port}/x` }), /private network/, 'ever after');
    assert.equal(connections, 0);
  });

  test('by a redirect, from each of its addresses; and the secret goes along with none', async () => {
    for (const route of ['/.well-known/openid-configuration', '/token', '/jwks', '/me'] as const)
      for (const status of [302, 307])
        for (const location of [`http://127.0.0.1:${port}/x`, `${set.provider.issuer}/jwks`]) {
          const to = (response: ServerResponse) => response.writeHead(status, { location }).end();
          await set.refuses({ at: { [route]: to }, claims: sparse }, /has moved/, `${route} ${status}`);
        }
    assert.equal(connections, 0);
  });

  test('and browsers nowhere that is no page of https', async () => {
    for (const address of [`${'javascript'}:alert(1)`, 'data:text/html,x', '/auth', '//evil.example/auth', 'http://evil.example/auth', 'https:', '', 7, null])
      for (const name of ['authorization_endpoint', 'end_session_endpoint']) {
        if (name === 'end_session_endpoint' && address === null) continue; // It is as if it had none.
        await set.refuses(publishes({ [name]: address }), /does not start with https|lacks|can't be read/, `${name} ${address}`);
      }
  });
});

describe('SI-3 who it says that it is', () => {
  test('somebody else than the owner named, or almost', async () => {
    const { issuer } = set.provider;
    for (const other of [
      'https://accounts.example',
      `${issuer}/`,
      `${issuer}/x`,
      issuer.toUpperCase(),
      issuer.replace('127.0.0.1', 'localhost'),
      '',
      null,
      [issuer],
    ])
      await set.refuses(publishes({ issuer: other }), /calls itself|lacks|not what the protocol allows/, String(other));
  });

  test('another one by the owner’s wish, while somebody is on the way: the old one’s code is shown to nobody', async () => {
    const { owner, portal, provider, path } = set;
    await using other = await HostileProvider.start({ now: () => portal.clock.now() });
    const browser = await set.leave();
    const back = await provider.goThrough(wayOut(browser.page), { email: ADA });
    const exchanges = provider.exchanges.length;
    for (const issuer of [other.issuer, provider.issuer]) {
      await openConsole(owner, path);
      owner.browser.fill('Issuer', issuer);
      await owner.browser.press('Save');
      if (issuer === other.issuer) await browser.visit(back.href);
    }
    assert.equal(await isSignedIn(browser), false);
    assert.deepEqual([provider.exchanges.length, other.exchanges.length], [exchanges, 0]);
  });
});

const json = (body: string) => (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json' }).end(body);
const ROUTES = ['/.well-known/openid-configuration', '/token', '/jwks', '/me'] as const;

describe('SI-8 answers that would keep the portal busy', () => {
  test('huge, endless, deep, or nothing that was asked for', async () => {
    const huge = `{"x":"${'x'.repeat(1024 * 1024)}"}`;
    const bodies: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
      huge: json(huge),
      'huge, by what it says': (response) =>
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1e10 }).write('{'.repeat(2_000_000)),
      deep: json('['.repeat(500_000)),
      'deep and whole': json('['.repeat(100_000) + ']'.repeat(100_000)),
      'a page': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><title>Sign in</title>'),
      nothing: (response) => response.writeHead(200).end(),
      null: json('null'),
      'no UTF-8': (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
      'a status of its own': (response) => response.writeHead(299, { 'content-type': 'application/json' }).end('{}'),
      'no content': (response) => response.writeHead(204).end(),
      'not there': (response) => response.writeHead(404).end('{}'),
      broken: (response) => response.writeHead(500).end('oops'),
      'gone in the middle': (response) =>
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{', () => response.destroy()),
    };
    for (const route of ROUTES)
      for (const [about, answer] of Object.entries(bodies))
        await set.refuses({ at: { [route]: answer }, claims: sparse }, /^[A-Z][^]*\.$/, `${route}: ${about}`);
  });

  test('none, or one letter at a time: the person is told to wait, and the next one comes in', async () => {
    const silent = () => undefined;
    const drips = (response: ServerResponse): void => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    };
    await set.refuses({ at: { '/.well-known/openid-configuration': silent } }, /took too long/, 'silent');
    await set.refuses({ at: { '/jwks': drips } }, /took too long/, 'drips');
    const { browser } = await set.signIn();
    assert.equal(browser.page.path, '/account');
  });
});

describe('SI-4 its keys', () => {
  const counts = () => set.provider.requests.filter((one) => one === 'GET /jwks').length;

  test('that change while somebody signs in: whoever was signed in by the new one is, though the old ones came first', async () => {
    const { provider } = set;
    const fresh = await makeKey('key-2');
    const asked = counts();
    const { browser } = await set.signIn({
      sign: (all) => provider.sign(all, { key: fresh, kid: 'key-2' }),
      keys: (honest) => (counts() <= asked + 1 ? honest : [publicPartOf(fresh), ...honest]),
    });
    assert.equal(browser.page.path, '/account');
    assert.equal(counts(), asked + 2);
  });

  test('that never have the one: it is asked for twice and not for ever', async () => {
    const { provider } = set;
    const unknown = await makeKey('key-3');
    const asked = counts();
    await set.refuses({ sign: (all) => provider.sign(all, { key: unknown, kid: 'key-3' }) }, /by a key that the provider does not publish/, 'never');
    assert.equal(counts(), asked + 2);
    await set.refuses({ keys: () => [] }, /by a key that the provider does not publish/, 'none');
  });

  test('that are secrets, too many, too large, or of another use', async () => {
    const { provider } = set;
    const shared: JWK = { kty: 'oct', k: Buffer.from('known to whoever reads the keys').toString('base64url'), kid: 'key-1', alg: 'HS256' };
    const honest = publicPartOf(provider.key);
    await set.refuses({ keys: () => [shared], sign: (all) => provider.sign(all, { key: shared, alg: 'HS256' }) }, /algorithm with a public key/, 'shared');
    await set.refuses({ keys: () => Array.from({ length: 101 }, (_, index) => ({ ...honest, kid: `key-${index}` })) }, /no set of keys/, 'many');
    await set.refuses({ keys: () => [{ ...honest, n: 'A'.repeat(400_000) }] }, /signature of the ID token/, 'large');
    await set.refuses({ keys: () => [{ ...honest, use: 'enc' }] }, /does not publish/, 'for encryption');
    await set.refuses({ keys: () => [{ ...honest, kty: 'EC' }] }, /does not publish|signature/, 'of another kind');
    await set.refuses({ keys: () => 'keys' }, /no set of keys/, 'text');
  });

  test('without names: one serves, and of two it is said that they are to be named', async () => {
    const { provider } = set;
    const nameless = ({ kid: _kid, ...rest }: JWK): JWK => rest;
    const sign = (all: Claims) => provider.sign(all, { kid: undefined });
    const one = await set.signIn({ keys: (honest) => honest.map(nameless), sign });
    assert.equal(one.browser.page.path, '/account');
    const other = await makeKey('key-4');
    await set.refuses(
      { keys: (honest) => [...honest, publicPartOf(other)].map(nameless), sign },
      /by which of the provider's keys it is signed \(kid\)/,
      'two',
    );
  });

  test('and algorithms: one without a public key is none', async () => {
    for (const offered of [['none'], ['HS256', 'none'], [], 'RS256', null])
      if (offered !== null)
        await set.refuses(publishes({ id_token_signing_alg_values_supported: offered }), /by no algorithm with a public key|lacks/, String(offered));
    const { browser } = await set.signIn(publishes({ id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256'] }));
    assert.equal(browser.page.path, '/account');
  });
});
