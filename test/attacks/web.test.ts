// Attacks from other pages, other sites and other hosts, and what every answer owes the browser against them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { readRows } from '../support/rows.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import type { Person } from '../support/person.ts';
import { routesOf } from '../support/routes.ts';
import { isSignedIn } from './intruder.ts';
import { wholeLife, type Answer } from './whole-life.ts';

const HTTPS = { installation: { origin: 'https://id.example.com', secure: true } } as const;
const FORM = 'application/x-www-form-urlencoded';

describe('every answer', () => {
  let portal: Portal;
  let answers: readonly Answer[];
  before(async () => {
    portal = await openPortal({ engine: 'sqlite', checkHtml: false });
    ({ answers } = await wholeLife(portal));
  });
  after(() => portal.close());

  test('every route was asked: a new one is in the run by itself', () => {
    const matches = (path: string) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}(\\?.*)?$`);
    for (const { method, path } of routesOf(portal.app)) {
      if (path === '/healthz') continue;
      assert.ok(
        answers.some((answer) => answer.method === method && matches(path).test(answer.url)),
        `${method} ${path}`,
      );
    }
  });

  test('WE-4, WE-5, WE-6, SE-8: has the headers, errors and redirects too', () => {
    for (const { method, url, status, headers } of answers) {
      const where = `${status} ${method} ${url}`;
      const csp = String(headers['content-security-policy']);
      for (const directive of ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"])
        assert.ok(csp.includes(directive), `${directive} in ${where}`);
      assert.doesNotMatch(csp, /unsafe|https?:|\*/, where);
      assert.equal(headers['x-content-type-options'], 'nosniff', where);
      assert.equal(headers['x-frame-options'], 'DENY', where);
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin', where);
      assert.match(String(headers['referrer-policy']), /^(same-origin|no-referrer)$/, where);
      assert.equal(headers['cache-control'], 'no-store', where);
      assert.equal(headers['access-control-allow-origin'], undefined, where);
      assert.equal(headers['server'], undefined, where);
      assert.equal(headers['x-powered-by'], undefined, where);
    }
  });

  test('WE-4: no page has a script, style or handler of its own, or anything from elsewhere', () => {
    for (const { url, body, headers } of answers) {
      if (!String(headers['content-type']).startsWith('text/html')) continue;
      assert.doesNotMatch(body, /<script(?![^>]*\bsrc="\/assets\/)|<style|\son\w+=|\sstyle=|javascript:/i, url);
      for (const [, address] of body.matchAll(/\s(?:src|href|action)="([^"]*)"/g)) assert.match(address!, /^(\/(?!\/)|#|otpauth:)/, `${address} on ${url}`);
    }
  });

  test('WE-1: every cookie is HttpOnly, SameSite=Lax, for the whole site and no other host; that of the session goes with the browser', () => {
    const cookies = answers.flatMap(({ headers }) => [headers['set-cookie'] ?? []].flat().map(String));
    const names = new Set<string>();
    for (const cookie of cookies) {
      const [pair = '', ...attributes] = cookie.split('; ');
      const [name = '', value = ''] = pair.split('=');
      names.add(name);
      const lower = attributes.map((one) => one.toLowerCase());
      for (const wanted of ['httponly', 'path=/', 'samesite=lax']) assert.ok(lower.includes(wanted), `${wanted} in ${cookie}`);
      assert.ok(!lower.some((one) => one.startsWith('domain')), cookie);
      assert.match(value, /^([\w-]{43}|[a-z-]*)$/, 'a token, or the name of a sentence: nothing personal');
      if (name === 'twinlock-session' && value !== '') assert.ok(!lower.some((one) => /^(max-age|expires)/.test(one)), cookie);
    }
    assert.deepEqual([...names].toSorted(), ['twinlock-attempt', 'twinlock-browser', 'twinlock-notice', 'twinlock-reset', 'twinlock-session']);
  });

  test('WE-8: no address that the portal leads to has anything secret in it', () => {
    for (const { headers, url } of answers) {
      const to = headers['location'];
      if (to === undefined) continue;
      assert.match(String(to), /^\/(?!\/)[\w/?=.:%-]*$/, `${String(to)} from ${url}`);
      assert.doesNotMatch(String(to), /\d{6}|[\w-]{40}/);
    }
  });

  test('LO-5: no answer tells of what is inside', () => {
    for (const { body, url } of answers) assert.doesNotMatch(body, /node_modules|\bat \w+ \(|\.ts:\d|FST_|SQLITE|kysely|select \*/i, url);
  });

  test('every refusal has a sentence that says what to do', () => {
    for (const { status, body, url } of answers) {
      if (status < 400) continue;
      const text = body.replace(/<[^>]*>/g, ' ');
      assert.match(text, /[A-Z][^.]{15,}\./, `${status} ${url}`);
    }
  });
});

describe('over https', () => {
  let portal: Portal;
  before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false, ...HTTPS })));
  after(() => portal.close());

  test('WE-1, WE-6: cookies are __Host- and Secure, and browsers are told never to come back without TLS', async () => {
    for (const { path } of routesOf(portal.app).filter(({ method }) => method === 'GET')) {
      const answer = await portal.app.inject(path.replace(':id', 'x'));
      for (const cookie of [answer.headers['set-cookie'] ?? []].flat()) {
        assert.match(cookie, /^__Host-twinlock-/);
        assert.match(cookie, /; Secure/);
      }
      // What proxies are told reaches browsers at hosts of apps, of which, and of those below them, it is not ours to say that.
      if (path.startsWith('/forward-auth')) assert.equal(answer.headers['strict-transport-security'], undefined);
      else assert.match(String(answer.headers['strict-transport-security']), /^max-age=(\d{8,}); includeSubDomains$/);
    }
  });
});

describe('WE-3: forms from elsewhere', () => {
  let portal: Portal;
  let ada: Person;
  let token: string;
  let another: string;
  before(async () => {
    portal = await openPortal({ engine: 'sqlite', checkHtml: false });
    ada = await (await portal.newcomer().join()).enableByEmail();
    token = formTokenOf(ada);
    another = formTokenOf(await portal.newcomer().join());
  });
  after(() => portal.close());

  const ORIGIN = 'http://localhost:3000';
  const FORGED: readonly { readonly what: string; readonly token?: () => string; readonly headers?: Record<string, string>; readonly status?: number }[] = [
    { what: 'no token' },
    { what: 'an empty token', token: () => '' },
    { what: 'another browser’s token', token: () => another },
    { what: 'the cookie as the token', token: () => ada.browser.cookies.get('twinlock-browser')! },
    { what: 'another site', token: () => token, headers: { 'sec-fetch-site': 'cross-site' } },
    { what: 'a neighbouring host', token: () => token, headers: { 'sec-fetch-site': 'same-site' } },
    { what: 'a foreign Origin', token: () => token, headers: { origin: 'https://evil.test' } },
    { what: 'an opaque Origin', token: () => token, headers: { origin: 'null' } },
    { what: 'JSON', token: () => token, headers: { 'content-type': 'application/json', origin: ORIGIN }, status: 415 },
    { what: 'text/plain', token: () => token, headers: { 'content-type': 'text/plain', origin: ORIGIN }, status: 415 },
    { what: 'multipart', token: () => token, headers: { 'content-type': 'multipart/form-data; boundary=x', origin: ORIGIN }, status: 415 },
  ];

  test('no POST of the router takes one, and nothing is changed by any of them', async () => {
    const rows = await readRows(portal.world.database);
    const posts = routesOf(portal.app).filter(({ method }) => method === 'POST');
    assert.ok(posts.length > 40);
    for (const { path } of posts) {
      for (const { what, token: forged, headers, status = 403 } of FORGED) {
        const fields = new URLSearchParams({
          ...(forged ? { form_token: forged() } : {}),
          email: ada.email,
          password: ada.password,
          method: 'totp',
          saved: 'on',
        });
        const answer = await portal.app.inject({
          method: 'POST',
          url: path.replace(':id', 'x'),
          headers: { cookie: ada.browser.cookies.header()!, 'content-type': FORM, ...headers },
          payload: fields.toString(),
        });
        // What providers send bears none of our tokens, and is of use only as far as it is signed.
        if (path.startsWith('/sso/')) assert.ok(answer.statusCode >= 300, `${what} at ${path}`);
        else assert.equal(answer.statusCode, status, `${what} at ${path}`);
        assert.equal(answer.headers['set-cookie'], undefined, `${what} at ${path}`);
      }
    }
    assert.deepEqual(await readRows(portal.world.database), rows);
    assert.equal(await isSignedIn(ada.browser), true);
  });

  test('GET and HEAD change nothing, on any route, signed in or not', async () => {
    const rows = await readRows(portal.world.database);
    for (const { path } of routesOf(portal.app).filter(({ method }) => method === 'GET')) {
      for (const method of ['GET', 'HEAD'] as const) {
        const url = `${path.replace(':id', 'x')}?email=${ada.email}&password=x&code=000000&token=x&method=totp&then=/account`;
        for (const cookie of [ada.browser.cookies.header()!, '']) await portal.app.inject({ method, url, headers: cookie === '' ? {} : { cookie } });
      }
    }
    assert.deepEqual(await readRows(portal.world.database), rows);
  });

  test('a stranger’s form can’t sign this browser in to the stranger’s account', async () => {
    const victim = portal.browser();
    await victim.visit('/sign-in');
    const mallory = await portal.newcomer().join();
    await victim.post('/sign-in', { form_token: formTokenOf(mallory), email: mallory.email, password: mallory.password });
    assert.equal(victim.page.status, 403);
    assert.equal(await isSignedIn(victim), false);
  });
});

describe('WE-7: where to go afterwards', () => {
  let portal: Portal;
  before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
  after(() => portal.close());

  const ELSEWHERE = [
    '//evil.test',
    '/\\evil.test',
    '\\\\evil.test',
    'https:evil.test',
    'https://evil.test',
    'https:/\\evil.test',
    'http://localhost:3000@evil.test',
    '/%5cevil.test',
    '/%2f%2fevil.test',
    '/\t/evil.test',
    '/ /evil.test',
    '/\u00a0/evil.test',
    '/account//evil.test',
    '/account/..//evil.test',
    '/..//evil.test',
    // oxlint-disable-next-line no-script-url
    'javascript:alert(1)',
    'data:text/html,x',
    '/account\r\nlocation: https://evil.test',
    '/account?x=https://evil.test',
    '\u202e/tset.live//:sptth',
    '',
    '.',
    'account',
  ];

  test('no page leads to another site, or to an address that a browser could read as one', async () => {
    const ada = await portal.newcomer().join();
    for (const then of ELSEWHERE) {
      const browser = portal.browser();
      await browser.visit(`/sign-in?then=${encodeURIComponent(then)}`);
      browser.fill('Email', ada.email);
      browser.fill('Password', ada.password);
      // A Visitor throws where it is led away.
      await browser.press('Sign in');
      assert.equal(browser.page.path, '/account', then);
      await browser.visit(`/sign-in?then=${encodeURIComponent(then)}`);
      assert.equal(browser.page.path, '/account', then);
      await browser.visit(`/account/confirm?then=${encodeURIComponent(then)}`);
      assert.ok(browser.page.path.startsWith('/account'), then);
    }
  });

  test('nor after a fresh proof', async () => {
    const ada = await portal.newcomer().join();
    portal.clock.advance(11 * 60_000);
    for (const then of ELSEWHERE) {
      portal.clock.advance(11 * 60_000);
      await ada.browser.visit('/account');
      await ada.browser.post('/account/confirm', { password: ada.password, then });
      assert.equal(ada.browser.page.path, '/account/security', then);
    }
  });
});

describe('/dev/mail', () => {
  let portal: Portal;
  before(async () => {
    portal = await openPortal({
      engine: 'sqlite',
      checkHtml: false,
      installation: { development: true },
      app: { showMail: true, trustedProxies: ['127.0.0.1'] },
    });
  });
  after(() => portal.close());

  const ask = (app: FastifyInstance, host: string, { from = '127.0.0.1', headers = {} }: { from?: string; headers?: Record<string, string> } = {}) =>
    app.inject({ url: '/dev/mail', remoteAddress: from, headers: { host, ...headers } });

  test('is there for who sits at this machine', async () => {
    for (const host of ['localhost:3000', 'localhost', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST:3000', 'twinlock.localhost:3000'])
      assert.equal((await ask(portal.app, host)).statusCode, 200, host);
    assert.equal((await ask(portal.app, 'localhost:3000', { from: '::1' })).statusCode, 200);
  });

  test('is not for a page of another site whose name leads here (DNS rebinding)', async () => {
    for (const host of [
      'evil.test:3000',
      'evil.test',
      'localhost.evil.test',
      '127.0.0.1.evil.test',
      'evil-localhost',
      'localhost@evil.test',
      '192.168.1.5:3000',
    ])
      assert.equal((await ask(portal.app, host)).statusCode, 404, host);
  });

  test('nor for another machine, or through a proxy or tunnel that stands on this one', async () => {
    assert.equal((await ask(portal.app, 'localhost:3000', { from: '192.0.2.7' })).statusCode, 404);
    for (const headers of [
      { 'x-forwarded-for': '198.51.100.7' },
      { 'x-forwarded-for': '127.0.0.1' },
      { forwarded: 'for=127.0.0.1' },
      { 'x-real-ip': '127.0.0.1' },
    ])
      assert.equal((await ask(portal.app, 'localhost:3000', { headers })).statusCode, 404, JSON.stringify(headers));
  });

  test('is not there at all without the development flag, whoever asks', async () => {
    await using serving = await openPortal({ engine: 'sqlite', checkHtml: false, app: { showMail: true } });
    assert.equal((await ask(serving.app, 'localhost:3000')).statusCode, 404);
    await using withSmtp = await openPortal({ engine: 'sqlite', checkHtml: false, installation: { development: true } });
    assert.equal((await ask(withSmtp.app, 'localhost:3000')).statusCode, 404);
  });
});

const formTokenOf = ({ browser }: Person): string => browser.page.root.querySelector('input[name=form_token]')!.getAttribute('value')!;
