import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { checkHtml } from '../../../test/support/html-check.ts';
import { makeTestWorld, type TestWorld } from '../../../test/support/world.ts';
import { seconds } from '../durations.ts';
import { assets } from '../html/assets.ts';
import { form } from '../html/forms.ts';
import { html } from '../html/html.ts';
import { alonePage } from '../html/layout.ts';
import { Problem } from '../problem.ts';
import { file, page, redirect, type Visit } from './visit.ts';
import { makeWeb, type WebOptions } from './web.ts';

const ORIGIN = 'https://id.example.com';
const FORM = 'application/x-www-form-urlencoded';
const SECRET_OF_A_BUG = 'the database said hunter2';

interface Site {
  readonly world: TestWorld;
  readonly fastify: FastifyInstance;
  /** What handlers were given. */
  readonly visits: Visit[];
  /** How often a post did its work. */
  readonly done: () => number;
}

/** A few pages of every kind, on a real World. */
async function makeSite(options: WebOptions & { installation?: Partial<TestWorld['installation']> } = {}): Promise<Site> {
  const world = await makeTestWorld({ engine: 'sqlite', installation: { name: 'Example', origin: ORIGIN, secure: true, ...options.installation } });
  const { fastify, web } = await makeWeb(world, options);
  const visits: Visit[] = [];
  let done = 0;
  const frame = (visit: Visit) =>
    alonePage({
      installationName: 'Example',
      language: 'en',
      title: 'A form',
      body: form({ action: '/form', formToken: visit.formToken, body: html`<button type="submit">Go</button>` }),
    });
  web.get('/form', async (visit) => {
    visits.push(visit);
    return page(frame(visit));
  });
  web.post('/form', async (visit) => {
    visits.push(visit);
    visit.field('text');
    done += 1;
    visit.setCookie('session', 'a'.repeat(43));
    return redirect('/form');
  });
  web.post('/files/:name', async (visit) => file(`${visit.parameters['name']!}".txt`, 'text/plain; charset=utf-8', 'the file'));
  web.get('/away', async (visit) => redirect(visit.query.get('to') ?? '/'));
  web.get('/waiting', async () => {
    throw new Problem('too-many-requests', 'Wait a little.', { retryAt: world.clock.now() + seconds(90) });
  });
  web.get('/bug', async () => {
    throw new Error(SECRET_OF_A_BUG, { cause: new Error('the reason behind it') });
  });
  web.get('/no-error', async () => {
    // oxlint-disable-next-line typescript/only-throw-error
    throw SECRET_OF_A_BUG;
  });
  web.guarded(async () => ({ pass: false, answer: redirect('/form') })).get('/guarded', async () => assert.fail('A guard was passed.'));
  await fastify.ready();
  return { world, fastify, visits, done: () => done };
}

async function close({ fastify, world }: Site): Promise<void> {
  await fastify.close();
  await world.close();
}

/** A browser's first visit: its cookie and the form token of the page. */
async function firstVisit({ fastify }: Site): Promise<{ cookie: string; token: string }> {
  const answer = await fastify.inject({ method: 'GET', url: '/form' });
  const cookie = setCookies(answer)[0]!.split(';', 1)[0]!;
  const token = /name="form_token" value="([^"]+)"/.exec(answer.body)![1]!;
  return { cookie, token };
}

function setCookies(answer: LightMyRequestResponse): string[] {
  return [answer.headers['set-cookie'] ?? []].flat();
}

function posted({ cookie, token }: { cookie?: string; token?: string }, headers: Record<string, string> = {}): InjectOptions {
  const fields = new URLSearchParams(token === undefined ? {} : { form_token: token });
  return {
    method: 'POST',
    url: '/form',
    headers: { 'content-type': FORM, ...(cookie === undefined ? {} : { cookie }), ...headers },
    payload: fields.toString(),
  };
}

describe('cookies', () => {
  let site: Site;
  before(async () => {
    site = await makeSite();
  });
  after(() => close(site));

  test('WE-1: every cookie is __Host-, Secure, HttpOnly, SameSite=Lax, of the whole site and of no other host', async () => {
    const browser = await firstVisit(site);
    const answers = [await site.fastify.inject('/form'), await site.fastify.inject(posted(browser, { origin: ORIGIN, 'sec-fetch-site': 'same-origin' }))];
    const cookies = answers.flatMap(setCookies);
    assert.equal(cookies.length, 2);
    for (const cookie of cookies) {
      const [pair, ...attributes] = cookie.split('; ');
      assert.match(pair!, /^__Host-twinlock-(browser|session)=[\w-]{43}$/);
      const names = attributes.map((one) => one.toLowerCase());
      for (const wanted of ['secure', 'httponly', 'path=/', 'samesite=lax']) assert.ok(names.includes(wanted), `${wanted} in ${cookie}`);
      assert.ok(!names.some((one) => one.startsWith('domain')), cookie);
    }
    assert.match(cookies[0]!, /Max-Age=31536000/);
    assert.doesNotMatch(cookies[1]!, /Max-Age|Expires/, 'The session cookie goes with the browser.');
  });

  test('WE-1: over http, in development, the names have no prefix that browsers would refuse', async () => {
    const plain = await makeSite({ installation: { origin: 'http://localhost:3000', secure: false, development: true } });
    const [cookie] = setCookies(await plain.fastify.inject('/form'));
    assert.match(cookie!, /^twinlock-browser=/);
    assert.doesNotMatch(cookie!, /Secure/);
    await close(plain);
  });

  test('the browser token has 256 bits, stays, and is replaced where it is not of our making', async () => {
    const { cookie } = await firstVisit(site);
    assert.equal(Buffer.from(cookie.split('=')[1]!, 'base64url').length, 32);
    assert.deepEqual(setCookies(await site.fastify.inject({ url: '/form', headers: { cookie } })), []);
    for (const forged of ['', 'x', 'a'.repeat(44), `${'a'.repeat(42)}=`, '%00'.repeat(43), 'é'.repeat(43), '"'.repeat(43)]) {
      const answer = await site.fastify.inject({ url: '/form', headers: { cookie: `__Host-twinlock-browser=${encodeURIComponent(forged)}` } });
      assert.equal(setCookies(answer).length, 1, forged);
    }
  });
});

describe('WE-3: where a form comes from', () => {
  let site: Site;
  let browser: { cookie: string; token: string };
  let other: { cookie: string; token: string };
  before(async () => {
    site = await makeSite();
    browser = await firstVisit(site);
    other = await firstVisit(site);
  });
  after(() => close(site));

  const passes: [string, () => InjectOptions][] = [
    ['one of ours, as browsers send it', () => posted(browser, { origin: ORIGIN, 'sec-fetch-site': 'same-origin' })],
    ['one of ours from an old browser, which sends neither header', () => posted(browser)],
    ['one of ours without Sec-Fetch-Site', () => posted(browser, { origin: ORIGIN })],
    ['one of ours without Origin', () => posted(browser, { 'sec-fetch-site': 'same-origin' })],
  ];
  for (const [what, request] of passes) {
    test(`taken: ${what}`, async () => {
      const doneBefore = site.done();
      assert.equal((await site.fastify.inject(request())).statusCode, 303);
      assert.equal(site.done(), doneBefore + 1);
    });
  }

  const ours = { origin: ORIGIN, 'sec-fetch-site': 'same-origin' };
  const refused: [string, number, () => InjectOptions][] = [
    ['no token', 403, () => posted({ cookie: browser.cookie }, ours)],
    ['an empty token', 403, () => posted({ cookie: browser.cookie, token: '' }, ours)],
    ['another browser’s token', 403, () => posted({ cookie: browser.cookie, token: other.token }, ours)],
    ['another browser’s cookie', 403, () => posted({ cookie: other.cookie, token: browser.token }, ours)],
    ['no cookie', 403, () => posted({ token: browser.token }, ours)],
    [
      'a token of an installation without keys in common',
      403,
      () => posted({ cookie: browser.cookie, token: Buffer.alloc(32, 7).toString('base64url') }, ours),
    ],
    ['the browser’s own cookie as the token', 403, () => posted({ cookie: browser.cookie, token: browser.cookie.split('=')[1]! }, ours)],
    ['another site, by Sec-Fetch-Site', 403, () => posted(browser, { origin: ORIGIN, 'sec-fetch-site': 'cross-site' })],
    ['a neighbouring subdomain', 403, () => posted(browser, { 'sec-fetch-site': 'same-site' })],
    ['no page at all', 403, () => posted(browser, { 'sec-fetch-site': 'none' })],
    ['a foreign Origin', 403, () => posted(browser, { origin: 'https://evil.test' })],
    ['a foreign Origin that claims to be ours', 403, () => posted(browser, { origin: 'https://evil.test', 'sec-fetch-site': 'same-origin' })],
    ['our name over http', 403, () => posted(browser, { origin: 'http://id.example.com' })],
    ['our name at another port', 403, () => posted(browser, { origin: `${ORIGIN}:8443` })],
    ['our name as the beginning of another', 403, () => posted(browser, { origin: `${ORIGIN}.evil.test` })],
    ['an opaque Origin', 403, () => posted(browser, { origin: 'null' })],
    [
      'an Origin that agrees with a forged Host',
      403,
      () => posted(browser, { origin: 'https://evil.test', host: 'evil.test', 'x-forwarded-host': 'evil.test' }),
    ],
    ['text/plain', 415, () => ({ ...posted(browser, ours), headers: { ...posted(browser, ours).headers, 'content-type': 'text/plain' } })],
    [
      'JSON',
      415,
      () => ({
        ...posted(browser, ours),
        headers: { ...posted(browser, ours).headers, 'content-type': 'application/json' },
        payload: JSON.stringify({ form_token: browser.token }),
      }),
    ],
    ['multipart', 415, () => ({ ...posted(browser, ours), headers: { ...posted(browser, ours).headers, 'content-type': 'multipart/form-data; boundary=x' } })],
    ['a body of no type', 415, () => ({ ...posted(browser, ours), headers: { cookie: browser.cookie, ...ours } })],
  ];
  for (const [what, status, request] of refused) {
    test(`refused: ${what}`, async () => {
      const doneBefore = site.done();
      const answer = await site.fastify.inject(request());
      assert.equal(answer.statusCode, status);
      assert.equal(site.done(), doneBefore, 'Nothing was done.');
      checkHtml(answer.body, what);
    });
  }

  test('the page of a form that has expired says what to do', async () => {
    const answer = await site.fastify.inject(posted({ cookie: browser.cookie }, ours));
    assert.match(answer.body, /Go back, reload the page and try again/);
  });

  test('who opened the portal by an address that is not its own is told the one that is', async () => {
    const answer = await site.fastify.inject(posted(browser, { origin: 'http://192.0.2.7:3000', host: '192.0.2.7:3000' }));
    assert.equal(answer.statusCode, 403);
    assert.ok(answer.body.includes(`Open ${ORIGIN} and try again.`), answer.body);
  });

  test('in development localhost and 127.0.0.1 are one, and everything else is foreign', async () => {
    const local = await makeSite({ installation: { origin: 'http://localhost:3000', secure: false, development: true } });
    const visitor = await firstVisit(local);
    const status = async (headers: Record<string, string>) => (await local.fastify.inject(posted(visitor, headers))).statusCode;
    assert.equal(await status({ origin: 'http://127.0.0.1:3000', host: '127.0.0.1:3000' }), 303);
    assert.equal(await status({ origin: 'http://127.0.0.1:4000', host: '127.0.0.1:3000' }), 403);
    assert.equal(await status({ origin: 'http://evil.test', host: 'evil.test' }), 403);
    await close(local);
  });
});

describe('headers', () => {
  let site: Site;
  before(async () => {
    site = await makeSite();
  });
  after(() => close(site));

  const everywhere: (InjectOptions & { url: string })[] = [
    { url: '/form' },
    { method: 'HEAD', url: '/form' },
    { url: '/guarded' },
    { url: '/bug' },
    { url: '/waiting' },
    { url: '/nowhere' },
    { url: '/%E0%A4%A' },
    { url: '/form%00' },
    { url: `/files/${'a'.repeat(300)}` },
    { method: 'DELETE', url: '/form' },
    { method: 'POST', url: '/form' },
    { method: 'POST', url: '/form', headers: { 'content-type': 'text/plain' }, payload: 'x' },
    { method: 'POST', url: '/form', headers: { 'content-type': FORM }, payload: 'x'.repeat(70_000) },
    ...Object.values(assets).map(({ address }) => ({ url: address })),
  ];
  for (const request of everywhere) {
    const what = `${request.method ?? 'GET'} ${request.url.slice(0, 40)} ${JSON.stringify(request.headers ?? '')}`;
    test(`WE-4, WE-5, WE-6: ${what}`, async () => {
      const { headers } = await site.fastify.inject(request);
      const policy = new Map(
        String(headers['content-security-policy'])
          .split('; ')
          .map((one) => [one.split(' ', 1)[0]!, one.split(' ').slice(1).join(' ')]),
      );
      for (const name of ['default-src', 'base-uri', 'object-src', 'frame-ancestors']) assert.equal(policy.get(name), "'none'", name);
      for (const name of ['script-src', 'style-src', 'form-action']) assert.equal(policy.get(name), "'self'", name);
      assert.doesNotMatch([...policy.values()].join(' '), /unsafe|\*|http/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      assert.equal(headers['referrer-policy'], 'same-origin');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['access-control-allow-origin'], undefined);
      assert.equal(headers['x-powered-by'] ?? headers['server'], undefined);
      const [, age] = /^max-age=(\d+); includeSubDomains$/.exec(String(headers['strict-transport-security'])) ?? [];
      assert.ok(Number(age) >= 365 * 24 * 60 * 60);
      const asset = request.url.startsWith('/assets/');
      assert.equal(headers['cache-control'], asset ? 'public, max-age=31536000, immutable' : 'no-store');
    });
  }

  test('WE-6: over http there is no HSTS, which would lock people out of what stands on localhost', async () => {
    const plain = await makeSite({ installation: { origin: 'http://localhost:3000', secure: false } });
    assert.equal((await plain.fastify.inject('/form')).headers['strict-transport-security'], undefined);
    await close(plain);
  });

  test('a page and its assets are below 40 kB together, and none is fetched from elsewhere', async () => {
    const answer = await site.fastify.inject('/form');
    let bytes = Buffer.byteLength(answer.body);
    const addresses = [...answer.body.matchAll(/<(?:link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)"/g)].map((found) => found[1]!);
    assert.equal(addresses.length, 3);
    for (const address of addresses) {
      const asset = await site.fastify.inject(address);
      assert.equal(asset.statusCode, 200, address);
      bytes += Buffer.byteLength(asset.body);
    }
    assert.ok(bytes < 40_000, `${bytes} bytes`);
  });
});

describe('what can’t be answered', () => {
  let site: Site;
  let browser: { cookie: string; token: string };
  before(async () => {
    site = await makeSite();
    browser = await firstVisit(site);
  });
  after(() => close(site));

  const post = (fields: string | Buffer, url = '/form') =>
    site.fastify.inject({
      method: 'POST',
      url,
      headers: { 'content-type': FORM, cookie: browser.cookie },
      payload: Buffer.concat([Buffer.from(`form_token=${browser.token}&`), Buffer.from(fields)]),
    });

  test('an address of nothing: 404, with a way back', async () => {
    for (const url of ['/nowhere', '/form/', '//form', '/FORM', '/assets/style.css', '/assets/../../package.json', '/assets/%2e%2e%2fpackage.json', '/.env']) {
      const answer = await site.fastify.inject(url);
      assert.equal(answer.statusCode, 404, url);
      assert.match(answer.body, /<a class="button[^"]*" href="\/">/);
      checkHtml(answer.body, url);
    }
  });

  test('a method that a page does not have: 405, and which it has', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const) {
      const answer = await site.fastify.inject({ method, url: '/form?x=1' });
      assert.equal(answer.statusCode, 405, method);
      assert.deepEqual(String(answer.headers['allow']).split(', ').toSorted(), ['GET', 'HEAD', 'POST']);
    }
    assert.equal((await site.fastify.inject('/files/any')).headers['allow'], 'POST', 'Also where the address has a name in it.');
    assert.equal((await site.fastify.inject({ ...posted(browser), url: '/waiting' })).statusCode, 405);
  });

  test('HEAD has the headers of GET and no body', async () => {
    const answer = await site.fastify.inject({ method: 'HEAD', url: '/form' });
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.body, '');
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  });

  test('too much: 413, before it is read', async () => {
    const answer = await post(`text=${'x'.repeat(64 * 1024)}`);
    assert.equal(answer.statusCode, 413);
    assert.match(answer.body, /shorten it/);
    assert.equal((await post(`text=${'x'.repeat(4097)}`)).statusCode, 413);
    assert.equal((await post(`text=${'x'.repeat(4096)}`)).statusCode, 303);
    assert.equal((await post(`text=${encodeURIComponent('€'.repeat(1366))}`)).statusCode, 413, 'Bytes count, not characters.');
  });

  test('a field sent twice, with a NUL in it, or with bytes that are no text: 400', async () => {
    const noText = Buffer.concat([Buffer.from('text=a'), Buffer.from([0xff, 0xfe])]);
    for (const payload of ['text=a&text=b', 'text=a%00b', `form_token=${browser.token}`, noText, 'text=%EF%BF%BD'])
      assert.equal((await post(payload)).statusCode, 400, String(payload));
  });

  test('an address that can’t be decoded, or holds a NUL: 400', async () => {
    for (const url of ['/%E0%A4%A', '/%', '/form%00', '/files/%00', '/form?x=%00']) {
      const answer = await site.fastify.inject(url);
      assert.equal(answer.statusCode, 400, url);
      checkHtml(answer.body, url);
    }
  });

  test('LO-5: a bug is a page with a request id, and the log has the rest', async () => {
    for (const url of ['/bug', '/no-error']) {
      const answer = await site.fastify.inject(url);
      assert.equal(answer.statusCode, 500);
      assert.doesNotMatch(answer.body, /hunter2|reason behind|\.ts|at \w+ \(/);
      const id = /Request ([\w-]+)/.exec(answer.body)![1];
      const logged = site.world.log.lines.find(({ event, details }) => event === 'bug' && details['requestId'] === id);
      assert.ok(logged);
      if (url === '/bug') assert.match(String(logged.details['error']), /hunter2[^]*web\.test\.ts[^]*caused by[^]*the reason behind it/);
    }
  });

  test('Retry-After says when, in seconds', async () => {
    const answer = await site.fastify.inject('/waiting');
    assert.equal(answer.statusCode, 429);
    assert.equal(answer.headers['retry-after'], '90');
  });

  test('programs get RFC 9457 JSON', async () => {
    for (const accept of ['application/problem+json', 'application/json', 'application/json, */*;q=0.1']) {
      const answer = await site.fastify.inject({ url: '/nowhere', headers: { accept } });
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json\b/);
      const { requestId, ...rest } = answer.json<Record<string, unknown>>();
      assert.deepEqual(rest, {
        type: `${site.world.installation.origin}/api/docs#problem-not-found`,
        title: 'There is nothing here',
        status: 404,
        detail: 'There is no page at this address. Check it for a slip, or start at the beginning.',
        code: 'not-found',
      });
      assert.match(String(requestId), /^[\w-]{12}$/);
    }
    const toPeople = await site.fastify.inject({ url: '/nowhere', headers: { accept: 'text/html,application/json;q=0.9' } });
    assert.equal(toPeople.headers['content-type'], 'text/html; charset=utf-8');
  });

  test('WE-7: a redirect never leads away, whatever a feature asks for', async () => {
    assert.equal((await site.fastify.inject('/away?to=/form')).headers['location'], '/form');
    for (const to of ['//evil.test', '/\\evil.test', '\\evil.test', 'https:evil.test', 'https://evil.test', 'evil', '/a\r\nSet-Cookie: a=b', '/\tevil']) {
      const answer = await site.fastify.inject(`/away?to=${encodeURIComponent(to)}`);
      assert.equal(answer.statusCode, 500, to);
      assert.equal(answer.headers['location'], undefined);
    }
  });

  test('the name of a file can’t end its own quotes', async () => {
    const answer = await post('', `/files/${encodeURIComponent('a"; b\r\nc')}`);
    assert.equal(answer.headers['content-disposition'], 'attachment; filename="a__ b__c_.txt"');
  });

  test('LO-2, LO-3: the log line has no query, no field, no cookie, and one line', async () => {
    site.world.log.lines.length = 0;
    await post('text=canary-field');
    await site.fastify.inject({ url: '/form?canary-query=1', headers: { cookie: '__Host-twinlock-session=canary-cookie', 'user-agent': 'canary\tagent' } });
    const lines = site.world.log.lines.filter(({ event }) => event === 'request');
    assert.deepEqual(
      lines.map(({ details }) => Object.keys(details)),
      [
        ['method', 'path', 'status', 'milliseconds', 'requestId'],
        ['method', 'path', 'status', 'milliseconds', 'requestId'],
      ],
    );
    assert.doesNotMatch(JSON.stringify(site.world.log.lines), /canary/);
  });

  test('LO-5: whatever is sent, the answer is no 500 and holds no stack', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('%', '%00', '%zz', '%ff%fe', '__proto__', '../..', '<script>', '\u2028', 'a'.repeat(5000)),
    );
    const request = fc.record({
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH' as const),
      path: fc.oneof(fc.constantFrom('form', 'files/', 'waiting', 'guarded', ''), fc.webPath(), text.map(encodeURI_)),
      query: fc.oneof(
        fc.constant(''),
        text.map((one) => `?${encodeURI_(one)}`),
        fc.webQueryParameters().map((one) => `?${one}`),
      ),
      type: fc.constantFrom(FORM, `${FORM}; charset=utf-7`, 'application/json', 'text/plain', 'multipart/form-data', 'x', ''),
      body: fc.oneof(
        fc.array(fc.tuple(text, text)).map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&')),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      accept: fc.constantFrom('*/*', 'application/json', 'text/html', ';;;', ''),
      cookie: fc.oneof(
        fc.constant(browser.cookie),
        text.map((one) => `__Host-twinlock-browser=${one.replace(/[^\x20-\x7e]/g, '')}`),
      ),
      token: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ method, path, query, type, body, accept, cookie, token }) => {
        const payload = Buffer.concat([Buffer.from(token ? `form_token=${browser.token}&` : ''), Buffer.from(body)]);
        const hasBody = method !== 'GET' && method !== 'HEAD';
        const answer = await site.fastify.inject({
          method: method as 'POST',
          url: { pathname: path.startsWith('/') ? path : `/${path}`, query },
          headers: { accept, cookie, ...(type === '' || !hasBody ? {} : { 'content-type': type }) },
          ...(hasBody ? { payload } : {}),
        });
        assert.ok(answer.statusCode < 500, `${answer.statusCode} ${answer.body}`);
        assert.doesNotMatch(answer.body, /node_modules|\.ts:\d|FST_/);
        assert.ok(answer.headers['content-security-policy']);
      }),
      { numRuns: 300 },
    );
  });
});

/** As a client would write it: what a URL can't hold is encoded, and broken percent signs stay broken. */
const encodeURI_ = (text: string): string => text.replace(/[^\x21-\x7e]|[?#]/gu, (character) => encodeURIComponent(character.toWellFormed()));

describe('who is there', () => {
  const addressSeen = async (options: WebOptions, { from, forwarded }: { from: string; forwarded?: string }) => {
    const site = await makeSite(options);
    await site.fastify.inject({ url: '/form', remoteAddress: from, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } });
    const [visit] = site.visits;
    await close(site);
    return visit!.address;
  };

  test('nobody’s X-Forwarded-For is believed unless configured', async () => {
    assert.equal(await addressSeen({}, { from: '192.0.2.1', forwarded: '198.51.100.7' }), '192.0.2.1');
    assert.equal(await addressSeen({}, { from: '127.0.0.1', forwarded: '198.51.100.7' }), '127.0.0.1');
  });

  test('a configured proxy’s is, up to the first address that is none of ours', async () => {
    const options = { trustedProxies: ['10.0.0.0/8', '::1'] };
    assert.equal(await addressSeen(options, { from: '10.1.2.3', forwarded: '198.51.100.7' }), '198.51.100.7');
    assert.equal(await addressSeen(options, { from: '::1', forwarded: '203.0.113.9, 198.51.100.7, 10.9.9.9' }), '198.51.100.7');
    assert.equal(await addressSeen(options, { from: '192.0.2.1', forwarded: '198.51.100.7' }), '192.0.2.1');
    assert.equal(await addressSeen(options, { from: '10.1.2.3', forwarded: 'nonsense' }), '10.1.2.3');
  });

  test('an IPv4 address written as IPv6 is the same address', async () => {
    assert.equal(await addressSeen({}, { from: '::ffff:192.0.2.1' }), '192.0.2.1');
    assert.equal(await addressSeen({}, { from: '2001:db8::1' }), '2001:db8::1');
  });

  test('LO-3: the User-Agent is printable and short', async () => {
    const site = await makeSite();
    await site.fastify.inject({ url: '/form', headers: { 'user-agent': `a\tb\u00e9\u001b[31m${'x'.repeat(1000)}` } });
    const { userAgent } = site.visits[0]!;
    assert.match(userAgent, /^[\x20-\x7e]{300}$/);
    await close(site);
  });

  test('EC-10: Host and X-Forwarded-Host change nothing', async () => {
    const site = await makeSite({ trustedProxies: ['127.0.0.1'] });
    const headers = { host: 'evil.test', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http', forwarded: 'host=evil.test' };
    for (const url of ['/form', '/guarded', '/nowhere', '/bug']) {
      const answer = await site.fastify.inject({ url, headers });
      assert.doesNotMatch(JSON.stringify(answer.headers) + answer.body, /evil\.test/, url);
    }
    await close(site);
  });

  test('the query is read whole', async () => {
    const site = await makeSite();
    await site.fastify.inject('/form?then=/a?b=c');
    assert.equal(site.visits[0]!.query.get('then'), '/a?b=c');
    assert.equal(site.visits[0]!.path, '/form');
    await close(site);
  });
});

describe('on a real socket', () => {
  const speak = async (site: Site, text: string): Promise<string> => {
    const { port } = site.fastify.server.address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    socket.write(text);
    let answer = '';
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    await once(socket, 'close');
    return answer;
  };

  test('WE-4: what is not HTTP, or far too long, is answered with the same headers', async () => {
    const site = await makeSite();
    await site.fastify.listen({ port: 0, host: '127.0.0.1' });
    for (const [text, status] of [
      ['nonsense\r\n\r\n', '400 Bad Request'],
      [`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${'x'.repeat(20_000)}\r\n\r\n`, '431 Request Header Fields Too Large'],
    ] as const) {
      const answer = await speak(site, text);
      assert.ok(answer.startsWith(`HTTP/1.1 ${status}\r\n`), answer);
      assert.match(answer, /content-security-policy: default-src 'none'/);
    }
    await close(site);
  });

  test('closing waits for the answer that is on its way', async () => {
    const site = await makeSite();
    await site.fastify.listen({ port: 0, host: '127.0.0.1' });
    const { port } = site.fastify.server.address() as { port: number };
    const answer = fetch(`http://127.0.0.1:${port}/form`);
    await once(site.fastify.server, 'request');
    await site.fastify.close();
    assert.equal((await answer).status, 200);
    await site.world.close();
  });

  test('what was posted is told to whoever delivers mail, and what was read is not', async () => {
    let posts = 0;
    const site = await makeSite({ afterPost: () => (posts += 1) });
    const browser = await firstVisit(site);
    assert.equal(posts, 0);
    await site.fastify.inject(posted(browser));
    assert.equal(posts, 1);
    await close(site);
  });
});
