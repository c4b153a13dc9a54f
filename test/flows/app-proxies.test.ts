// Traefik, Caddy and Envoy before an app, each by what it really sends and takes, as test/support/proxy-shapes.ts has it from the guide's lines.
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, mock, test } from 'node:test';
import { minutes, seconds } from '../../src/platform/durations.ts';
import { AppBehindProxy, callbackOn } from '../support/app-behind-proxy.ts';
import { confirmIfAsked, foundOrganisation, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { NGINX_SHAPE, OTHER_SHAPES } from '../support/proxy-shapes.ts';

describe('an app behind', () => {
  let portal: Portal;
  let owner: Person;
  let ada: Person;
  before(async () => {
    portal = await openPortal({ engine: 'sqlite', checkHtml: false, app: { trustedProxies: ['127.0.0.1'] } });
    owner = await foundOrganisation(portal);
    await addApp(owner, 'wiki.example.org', 'open /public methods=GET,HEAD\ntwo-factor /admin');
    ada = await joinAs(portal, owner, 'Member');
  });
  after(() => portal.close());

  for (const shape of OTHER_SHAPES) {
    describe(shape.name, () => {
      const appBehind = () => new AppBehindProxy(portal, 'http://wiki.example.org', shape);

      test('the first visit: to sign in, and back where one was going, by no location but the app’s own', async () => {
        const wiki = appBehind();
        const browser = portal.browser();
        const page = await wiki.open(browser, '/page?q=a..b&x=*%20y');
        assert.equal(page.status, 303, 'browsers follow it, and take along what stands behind #');
        browser.fill('Email', ada.email);
        browser.fill('Password', ada.password);
        await browser.press('Sign in');
        const callback = callbackOn(browser)!;
        const entered = await wiki.callback(browser, callback);
        assert.deepEqual([entered.status, entered.headers['location']], [303, 'http://wiki.example.org/page?q=a..b&x=*%20y']);
        const got = await wiki.toApp(browser, '/page');
        assert.deepEqual([got?.['remote-email'], got?.['remote-groups'], got?.['remote-amr']], [ada.email, 'member', 'pwd']);
        assert.equal((await wiki.callback(browser, callback)).status, 403, 'a code serves once');
        assert.equal((await wiki.ask(browser, new URL(callback).pathname, { method: 'POST' })).status, 403);
      });

      test('what is asked in which method counts, a program gets a plain no, and what was sent is said to be gone', async () => {
        const wiki = appBehind();
        const nobody = portal.browser();
        for (const method of ['GET', 'HEAD']) assert.equal((await wiki.ask(nobody, '/public/a', { method })).status, 200, method);
        for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) assert.equal((await wiki.ask(nobody, '/public/a', { method })).status, 401, method);
        const { status, headers } = await wiki.ask(nobody, '/page', { headers: { accept: 'application/json' } });
        assert.equal(status, 401);
        assert.equal(headers['www-authenticate'], undefined, 'no browser asks for a password of its own');
        const sent = await wiki.ask(nobody, '/form?x=1', { method: 'POST', headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } });
        assert.match(sent.headers['location']!, /[?&]sent=1&/);
      });

      test('FA: what a client calls itself never reaches the app, in whatever spelling', async () => {
        const wiki = appBehind();
        const made = ['user', 'email', 'name', 'groups', 'amr', 'token'].flatMap((word) => [`remote-${word}`, `remote_${word}`, `remote.${word}`]);
        const lies = Object.fromEntries(made.map((name) => [name, 'root']));
        const got = await wiki.toApp(portal.browser(), '/public/a', lies);
        assert.ok(got, 'it is open to all');
        assert.deepEqual(
          Object.entries(got).filter(([name, value]) => name.startsWith('remote') && value !== ''),
          [],
        );
      });

      test('FA: what a client says of its request is not believed', async () => {
        const wiki = appBehind();
        const nobody = portal.browser();
        const lies = [
          { 'x-forwarded-uri': '/public/a' },
          { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/public/a', 'x-forwarded-host': 'wiki.example.org', 'x-forwarded-proto': 'http' },
          { 'x-original-url': 'http://wiki.example.org/public/a' },
          { 'x-original-url': 'http://wiki.example.org/public/a', 'x-original-method': 'GET' },
          { 'x-original-uri': '/public/a', 'x-rewrite-url': '/public/a' },
        ];
        for (const headers of lies) {
          for (const path of ['/page', '/admin', '/public/../admin', '//public/a', '/public%2f..%2fadmin'])
            assert.notEqual((await wiki.ask(nobody, path, { headers })).status, 200, `${path} ${JSON.stringify(headers)}`);
        }
      });
    });
  }

  test('the callback is for browsers that come back, whatever else nginx sends there', async () => {
    const asked = { origin: 'http://wiki.example.org', path: '/.twinlock/callback?code=x', method: 'GET', headers: {} };
    const { url } = NGINX_SHAPE.question(asked);
    for (const headers of [
      { 'x-original-url': 'http://wiki.example.org/page', 'x-original-method': 'GET' },
      { 'x-original-url': 'http://wiki.example.org/.twinlock/callback', 'x-original-method': 'POST' },
    ])
      assert.equal((await portal.app.inject({ url, headers })).statusCode, 403);
  });
});

describe('an app that checks Remote-Token by the lines of the guide', () => {
  type WhoIs = (token: string) => { readonly sub: string; readonly email: string; readonly name: string; readonly groups: string[]; readonly amr: string[] };
  let portal: Portal;
  let ada: Person;
  let wiki: AppBehindProxy;
  let camera: AppBehindProxy;
  let whoIs: WhoIs;
  before(async () => {
    // The lines ask the clock of the machine.
    portal = await openPortal({ engine: 'sqlite', checkHtml: false, startAt: Date.now(), app: { trustedProxies: ['127.0.0.1'] } });
    const owner = await foundOrganisation(portal);
    for (const host of ['wiki.example.org', 'camera.example.org']) await addApp(owner, host, 'open /public');
    ada = await joinAs(portal, owner, 'Member');
    wiki = new AppBehindProxy(portal, 'http://wiki.example.org');
    camera = new AppBehindProxy(portal, 'http://camera.example.org');
    whoIs = await checkOfTheGuide(await portal.app.listen({ host: '127.0.0.1', port: 0 }), portal.world.installation.origin);
  });
  after(() => portal.close());

  const tokenAt = async (app: AppBehindProxy): Promise<string> => {
    await app.open(ada.browser, '/');
    return (await app.ask(ada.browser, '/')).headers['remote-token']!;
  };

  test('they are ten', () => assert.equal(linesOfTheGuide().trimEnd().split('\n').length, 10));

  test('knows who it is, by name as it is written', async () => {
    const { sub, email, name, groups, amr } = whoIs(await tokenAt(wiki));
    assert.deepEqual([email, name, groups, amr], [ada.email, ada.name, ['member'], ['pwd']]);
    assert.equal(sub, (await wiki.ask(ada.browser, '/')).headers['remote-user']);
  });

  test('FA: takes no token of another app, of another minute, by another key, by none, or changed by a letter', async () => {
    const token = await tokenAt(wiki);
    const [head = '', claims = '', signature = ''] = token.split('.');
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const own = `${encoded({ ...read(head), jwk: publicKey.export({ format: 'jwk' }) })}.${claims}`;
    const madeUp: Readonly<Record<string, string>> = {
      'of another app': await tokenAt(camera),
      'by another key': `${own}.${sign(null, Buffer.from(own), privateKey).toString('base64url')}`,
      'by none': `${encoded({ ...read(head), alg: 'none' })}.${claims}.`,
      'by the public key as a secret': (() => {
        const text = `${encoded({ ...read(head), alg: 'HS256' })}.${claims}`;
        return `${text}.${createHmac('sha256', JSON.stringify(publicKey.export({ format: 'jwk' })))
          .update(text)
          .digest('base64url')}`;
      })(),
      'of somebody else': `${head}.${encoded({ ...read(claims), email: 'root@example.org' })}.${signature}`,
      'without its end': token.slice(0, -2),
      'another key id': `${encoded({ ...read(head), kid: 'x' })}.${claims}.${signature}`,
      nothing: '',
      words: 'a.b.c',
    };
    for (const [what, made] of Object.entries(madeUp)) assert.throws(() => whoIs(made), what);
    assert.equal(whoIs(token).email, ada.email);
    mock.timers.enable({ apis: ['Date'], now: Date.now() + minutes(1) });
    try {
      assert.throws(() => whoIs(token), /too old/);
    } finally {
      mock.timers.reset();
    }
  });

  test('gets a token with most of its minute left, and none where nobody is signed in', async () => {
    const expiry = async () => (JSON.parse(Buffer.from((await tokenAt(wiki)).split('.')[1]!, 'base64url').toString()) as { exp: number }).exp * 1000;
    for (let times = 0; times < 20; times += 1) {
      portal.clock.advance(seconds(7));
      const left = (await expiry()) - portal.clock.now();
      assert.ok(left >= seconds(44) && left <= seconds(60), `${left} ms`);
    }
    assert.equal((await wiki.ask(portal.browser(), '/public')).headers['remote-token'], '');
  });

  test('the keys are public, only those, and the same after a restart', async () => {
    const { body, headers } = await portal.app.inject('/.well-known/jwks.json');
    assert.match(String(headers['content-type']), /^application\/json/);
    const { keys } = JSON.parse(body) as { keys: Record<string, string>[] };
    assert.deepEqual(
      keys.map((key) => Object.keys(key).toSorted()),
      [['alg', 'crv', 'kid', 'kty', 'use', 'x']],
    );
    await portal.restart();
    assert.equal((await portal.app.inject('/.well-known/jwks.json')).body, body);
  });
});

const linesOfTheGuide = (): string => /```js\n([^]*?)```/.exec(readFileSync(new URL('../../docs/forward-auth.md', import.meta.url), 'utf8'))![1]!;

async function checkOfTheGuide<WhoIs>(address: string, issuer: string): Promise<WhoIs> {
  const here = linesOfTheGuide()
    .replace('https://login.example.org/.well-known', `${address}/.well-known`)
    .replaceAll('https://login.example.org', issuer)
    .replaceAll('https://wiki.example.org', 'http://wiki.example.org');
  const { whoIs } = (await import(`data:text/javascript,${encodeURIComponent(here)}`)) as { whoIs: WhoIs };
  return whoIs;
}

async function addApp({ browser, password }: Person, host: string, rules: string): Promise<void> {
  await browser.visit('/admin/apps/new');
  await confirmIfAsked(browser, password);
  browser.fill('Name', host);
  browser.fill('Host', host);
  browser.fill('Rules by path', rules);
  await browser.press('Add app');
}
