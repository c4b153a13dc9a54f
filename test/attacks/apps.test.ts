// Apps behind the portal against those who should not get in: codes, cookies and addresses that are made up, stolen, replayed or read in two ways.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { insertApp } from '../../src/apps/apps.ts';
import { makeIdentities } from '../../src/apps/identity.ts';
import { requestedFrom } from '../../src/apps/requested.ts';
import { ruleFor, verdictOn, type Rule } from '../../src/apps/rules.ts';
import { assuranceLevel } from '../../src/factors/factors.ts';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { minutes, seconds } from '../../src/platform/durations.ts';
import type { Session } from '../../src/sessions/sessions.ts';
import { AppBehindProxy, callbackOn } from '../support/app-behind-proxy.ts';
import { confirmIfAsked, foundOrganisation, impose, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { withFaults } from '../support/faults.ts';
import { openPortal, Portal } from '../support/portal.ts';
import { runs } from '../support/property.ts';
import type { Visitor } from '../support/visitor.ts';
import { makeTestWorld } from '../support/world.ts';
import { accountOf } from './intruder.ts';

const HEADERS = { 'x-original-url': 'http://wiki.example.org/', 'x-original-method': 'GET' };

describe('forward auth', () => {
  let portal: Portal;
  let owner: Person;
  let ada: Person;
  let wiki: AppBehindProxy;
  let camera: AppBehindProxy;
  before(async () => {
    portal = await openPortal({ engine: 'sqlite', checkHtml: false, app: { trustedProxies: ['127.0.0.1'] } });
    owner = await foundOrganisation(portal);
    for (const host of ['wiki.example.org', 'camera.example.org']) await addApp(owner, host);
    ada = await joinAs(portal, owner, 'Member');
    wiki = new AppBehindProxy(portal, 'http://wiki.example.org');
    camera = new AppBehindProxy(portal, 'http://camera.example.org');
  });
  after(() => portal.close());

  /** As far as the page that goes on by itself. */
  const callbackFor = async (browser: Visitor, app: AppBehindProxy): Promise<string> => {
    const { headers } = await app.ask(browser, '/page');
    const { pathname, search } = new URL(headers['location']!);
    await browser.visit(pathname + search);
    return callbackOn(browser)!;
  };

  test('what a proxy says is believed from named ones alone: an empty list names nobody', async () => {
    await using open = await openPortal({ engine: 'sqlite' });
    for (const [site, remoteAddress] of [
      [open, '127.0.0.1'],
      [portal, '192.0.2.9'],
      [portal, '::1'],
    ] as const) {
      const answer = await site.app.inject({ url: '/forward-auth', headers: HEADERS, remoteAddress });
      assert.equal(answer.statusCode, 403);
      assert.match(answer.body, /TWINLOCK_TRUSTED_PROXIES/);
    }
  });

  test('what is refused stands in the log as a warning, with the reason', async () => {
    const { lines } = portal.world.log;
    const from = lines.length;
    assert.equal((await portal.send({ url: '/forward-auth', headers: { ...HEADERS, 'x-original-url': 'http://nowhere.example.org/' } })).statusCode, 403);
    const warnings = lines.slice(from).filter(({ level }) => level === 'warn');
    assert.deepEqual(
      warnings.map(({ details }) => details),
      [{ method: 'GET', path: '/forward-auth', status: 403, reason: 'There is no app at nowhere.example.org.' }],
    );
  });

  test('an address that can’t be read, or is said in two ways, is refused (Authelia CVE-2021-32637)', async () => {
    const wrong: readonly Record<string, string>[] = [
      {},
      { 'x-original-url': 'http://wiki.example.org/' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org@evil.test/' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org\\@evil.test/' },
      { ...HEADERS, 'x-original-url': '//wiki.example.org/' },
      { ...HEADERS, 'x-original-url': 'http:///wiki.example.org/' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org/a b' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org/#x' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org, http://camera.example.org/' },
      { ...HEADERS, 'x-original-url': 'ftp://wiki.example.org/' },
      { ...HEADERS, 'x-original-url': 'http://evil.test/' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org./' },
      { ...HEADERS, 'x-original-url': 'http://.wiki.example.org/' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org:/' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org:0/' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org:99999/' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org:80:80/' },
      { ...HEADERS, 'x-original-url': 'http://wiki%2eexample.org/' },
      { ...HEADERS, 'x-original-url': 'http://wiki。example。org/' },
      { ...HEADERS, 'x-original-url': 'http://[::1]/' },
      { ...HEADERS, 'x-original-url': 'http://*.example.org/' },
      { ...HEADERS, 'x-original-url': 'http:// wiki.example.org/' },
      { ...HEADERS, 'x-original-url': 'http://wiki.example.org\t/' },
      { ...HEADERS, 'x-original-url': `http://${'a.'.repeat(500)}org/` },
      { ...HEADERS, 'x-forwarded-uri': '/other' },
      { ...HEADERS, 'x-forwarded-proto': 'https' },
      { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'wiki.example.org', 'x-forwarded-uri': '@evil.test/', 'x-forwarded-method': 'GET' },
      { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'wiki.example.org/x?', 'x-forwarded-uri': '/', 'x-forwarded-method': 'GET' },
      { ...HEADERS, 'x-original-url': `http://wiki.example.org/${'x'.repeat(4001)}` },
      { ...HEADERS, 'x-original-method': 'get' },
      { ...HEADERS, 'x-original-method': 'GET, POST' },
      { ...HEADERS, 'x-forwarded-host': 'camera.example.org' },
      { ...HEADERS, 'x-forwarded-method': 'POST' },
      { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'wiki.example.org, evil.test', 'x-forwarded-uri': '/', 'x-forwarded-method': 'GET' },
      { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'wiki.example.org', 'x-forwarded-method': 'GET' },
    ];
    for (const headers of wrong)
      assert.equal((await portal.app.inject({ url: '/forward-auth', headers })).statusCode, 403, JSON.stringify(headers).slice(0, 200));
    for (const host of ['wiki.example.org/x?', 'wiki.example.org/x', 'x@wiki.example.org', 'wiki.example.org#', ''])
      assert.equal((await portal.app.inject({ url: '/forward-auth/envoy/', headers: { host, 'x-forwarded-proto': 'http' } })).statusCode, 403, host);
    const parts = { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'WIKI.example.org:80', 'x-forwarded-uri': '/?a=1', 'x-forwarded-method': 'GET' };
    assert.equal((await portal.app.inject({ url: '/forward-auth', headers: parts })).statusCode, 401);
  });

  test('a code serves once, of many that race one, within half a minute, in the browser and on the host that it was made for', async () => {
    const callback = await callbackFor(ada.browser, wiki);
    const thief = portal.browser();
    await wiki.ask(thief, '/');
    assert.equal((await wiki.callback(thief, callback)).status, 403, 'another browser');
    assert.equal((await wiki.callback(ada.browser, callback)).status, 403, 'it is gone, whoever spent it');
    const other = await callbackFor(ada.browser, wiki);
    for (const [name, value] of wiki.cookiesOf(ada.browser)) if (name.endsWith('start')) camera.cookiesOf(ada.browser).set(name, value);
    assert.equal((await camera.callback(ada.browser, other.replace('wiki', 'camera'))).status, 403, 'another host');
    const late = await callbackFor(ada.browser, wiki);
    portal.clock.advance(seconds(30));
    assert.equal((await wiki.callback(ada.browser, late)).status, 403, 'too late');
    const raced = await callbackFor(ada.browser, wiki);
    const answers = await Promise.all(Array.from({ length: 8 }, () => wiki.callback(ada.browser, raced)));
    assert.equal(answers.filter(({ status }) => status === 303).length, 1);
    assert.equal((await wiki.callback(ada.browser, raced)).status, 403, 'replayed');
    for (const made of ['', 'x', 'A'.repeat(43)])
      assert.equal((await wiki.callback(ada.browser, `http://wiki.example.org/.twinlock/callback?code=${made}`)).status, 403);
  });

  test('a code of a session that has ended meanwhile opens nothing', async () => {
    const ben = await joinAs(portal, owner, 'Member');
    const callback = await callbackFor(ben.browser, wiki);
    await ben.signOut();
    assert.equal((await wiki.callback(ben.browser, callback)).status, 403);
  });

  test('an app’s cookie counts on its host alone, and is no cookie of the portal', async () => {
    const cem = await joinAs(portal, owner, 'Member');
    await wiki.callback(cem.browser, await callbackFor(cem.browser, wiki));
    const stolen = wiki.cookiesOf(cem.browser).get('twinlock-app')!;
    const thief = portal.browser();
    camera.cookiesOf(thief).set('twinlock-app', stolen);
    assert.equal((await camera.ask(thief, '/')).status, 401);
    const answer = await portal.app.inject({ url: '/account', headers: { cookie: `twinlock-session=${stolen}; twinlock-app=${stolen}` } });
    assert.equal(answer.statusCode, 303);
    const session = cem.browser.cookies.get('twinlock-session')!;
    wiki.cookiesOf(thief).set('twinlock-app', session);
    assert.equal((await wiki.ask(thief, '/')).status, 401, 'and the other way round');
  });

  test('WE-7 the way in leads to apps that are registered, and nowhere else', async () => {
    const start = 'A'.repeat(43);
    for (const to of [
      'http://evil.test/',
      '//evil.test',
      'http://wiki.example.org@evil.test/',
      'http://wiki.example.org.evil.test/',
      'http://evil.test/#http://wiki.example.org/',
      'http://wiki.example.org\\.evil.test/',
      'data:text/html,x',
      'http:wiki.example.org',
      '/account',
      '',
    ]) {
      await ada.browser.visit(`/apps/enter?${new URLSearchParams({ start, to }).toString()}`);
      assert.equal(ada.browser.page.status, 404, to);
      assert.equal(callbackOn(ada.browser), undefined);
    }
    // A path that a browser would read as a host stays a path of the app.
    await ada.browser.visit(`/apps/enter?${new URLSearchParams({ start, to: 'http://wiki.example.org//evil.test/' }).toString()}`);
    assert.equal(ada.browser.page.status, 403);
    await ada.browser.visit(`/apps/enter?${new URLSearchParams({ to: 'http://wiki.example.org/' }).toString()}`);
    assert.equal(ada.browser.page.status, 400, 'without the browser that asked');
  });

  test('a cookie of one host below a wildcard is of no use at another', async () => {
    await addApp(owner, '*.apps.example.org');
    const [one, other] = ['one', 'other'].map((name) => new AppBehindProxy(portal, `http://${name}.apps.example.org`)) as [AppBehindProxy, AppBehindProxy];
    const dan = await joinAs(portal, owner, 'Member');
    assert.equal((await one.open(dan.browser, '/')).status, 200);
    other.cookiesOf(dan.browser).set('twinlock-app', one.cookiesOf(dan.browser).get('twinlock-app')!);
    assert.equal((await other.ask(dan.browser, '/')).status, 401);
    one.cookiesOf(dan.browser).delete('twinlock-app');
    const callback = await callbackFor(dan.browser, one);
    for (const [name, value] of one.cookiesOf(dan.browser)) if (name.endsWith('start')) other.cookiesOf(dan.browser).set(name, value);
    assert.equal((await other.callback(dan.browser, callback.replace('//one.', '//other.'))).status, 403, 'nor is a code');
  });

  test('a device that was trusted, and so was not asked for its second factor, is not two factors, and no fresh proof', () => {
    const rule: Rule = { path: '/', methods: [], need: 'two-factor', roles: [], withinMinutes: null };
    assert.equal(
      verdictOn(rule, { role: 'owner', level: assuranceLevel(['password', 'trusted-device', 'email-code']), meetsPolicy: true, proofAge: 0 }),
      'step-up',
    );
  });

  test('RL: somebody who is led to an app without end is stopped, and told what may be wrong', async () => {
    const eve = await joinAs(portal, owner, 'Member');
    const { headers } = await wiki.ask(eve.browser, '/page');
    const { pathname, search } = new URL(headers['location']!);
    for (let times = 0; times < 60; times += 1) await eve.browser.visit(pathname + search);
    assert.ok(callbackOn(eve.browser));
    await eve.browser.visit(pathname + search);
    assert.deepEqual([eve.browser.page.status, callbackOn(eve.browser)], [429, undefined]);
    portal.clock.advance(seconds(2));
    await eve.browser.visit(pathname + search);
    assert.ok(callbackOn(eve.browser));
  });

  test('SE-5 what another process ended is ended here within half a second', async () => {
    const fay = await joinAs(portal, owner, 'Member');
    assert.equal((await wiki.open(fay.browser, '/')).status, 200);
    await using other = await portal.world.secondProcess();
    await other.database.transaction(async (transaction) => {
      const { id } = await transaction.selectFrom('accounts').select('id').where('email', '=', fay.email).executeTakeFirstOrThrow();
      await transaction.deleteFrom('sessions').where('account_id', '=', id).execute();
    });
    portal.clock.advance(500);
    assert.equal((await wiki.ask(fay.browser, '/')).status, 401);
  });

  test('AD-3 another organisation puts nothing of its own in the place of an app: not at its host, nor below its wildcard, nor above it', async () => {
    const { world } = portal;
    await addApp(owner, '*.herons.example.org');
    await addApp(owner, 'wiki.cranes.example.org:8443');
    const theirs = await portal.newcomer().join();
    const { database } = world;
    const { id } = await database.query.selectFrom('accounts').select('id').where('email', '=', theirs.email).executeTakeFirstOrThrow();
    const from = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };
    const { id: organisationId } = await database.transaction((transaction) => createOrganisation(world, transaction, { name: 'Cranes Ltd', owner: id, from }));
    const add = (host: string, of = organisationId) =>
      database.transaction((transaction) =>
        insertApp(world, transaction, { organisationId: of, accountId: null, by: 'a test', from, name: 'Theirs', host, rules: [], last: 'open' }),
      );
    for (const host of ['wiki.example.org', 'WIKI.example.org:443', 'a.herons.example.org', '*.herons.example.org', '*.cranes.example.org:8443'])
      assert.deepEqual(await add(host), { ok: false, reason: 'host-taken' }, host);
    for (const host of ['a.b.herons.example.org', 'herons.example.org', '*.cranes.example.org', '*.b.herons.example.org'])
      assert.ok((await add(host)).ok, `${host} is another`);
    const { organisation_id: ours } = await database.query
      .selectFrom('apps')
      .select('organisation_id')
      .where('host', '=', 'wiki.example.org')
      .executeTakeFirstOrThrow();
    assert.ok((await add('a.herons.example.org', ours)).ok, 'their own');
  });

  test('an app is not told who somebody is that does not belong to its organisation, or has yet to do what the policy asks; not where it is open, either', async () => {
    const open = new AppBehindProxy(portal, 'http://open.example.org');
    await addApp(owner, 'open.example.org', 'Open');
    const gus = await joinAs(portal, owner, 'Member');
    const stranger = await portal.newcomer().join();
    const entered = async ({ browser }: Person) => {
      const { headers } = await open.ask(browser, '/admin');
      const start = new URL(headers['location']!).searchParams.get('start')!;
      await browser.visit(`/apps/enter?${new URLSearchParams({ start, to: 'http://open.example.org/' }).toString()}`);
      await open.comeBack(browser);
      return (await open.ask(browser, '/')).headers['remote-email'];
    };
    assert.equal(await entered(gus), gus.email);
    assert.equal(await entered(stranger), '');
    assert.equal(stranger.browser.page.status, 403);
    await portal.setPolicy('required');
    assert.equal((await open.ask(gus.browser, '/')).headers['remote-email'], '');
    await portal.setPolicy('optional');
    assert.equal((await open.ask(gus.browser, '/')).headers['remote-email'], gus.email);
    await portal.world.database.transaction((transaction) =>
      transaction
        .deleteFrom('memberships')
        .where('account_id', 'in', transaction.selectFrom('accounts').select('id').where('email', '=', gus.email))
        .execute(),
    );
    assert.equal((await open.ask(gus.browser, '/')).headers['remote-email'], '');
  });

  test('whoever does not belong to the organisation is refused, and a member of another one, too', async () => {
    const stranger = await portal.newcomer().join();
    await wiki.open(stranger.browser, '/');
    assert.equal(stranger.browser.page.status, 403);
    assert.match(stranger.browser.page.text, /belongs to an organisation that you don’t belong to/);
  });
});

describe('over https', () => {
  let portal: Portal;
  let owner: Person;
  before(async () => {
    const installation = { origin: 'https://login.example.org', secure: true };
    portal = await openPortal({ engine: 'sqlite', checkHtml: false, app: { trustedProxies: ['127.0.0.1'] }, installation });
    owner = await foundOrganisation(portal);
    await addApp(owner, '*.example.org');
  });
  after(() => portal.close());

  const about = (url: string) => ({ 'x-original-url': url, 'x-original-method': 'GET' });

  test('through the proxy before the portal, which is trusted too, nobody asks in the place of an app’s proxy', async () => {
    const headers = about('https://wiki.example.org/');
    for (const url of ['/forward-auth', '/forward-auth/callback', '/forward-auth/envoy/'])
      for (const host of ['login.example.org', 'LOGIN.example.org', 'login.example.org:443']) {
        const { statusCode, headers: said } = await portal.app.inject({ url, headers: { ...headers, host, 'x-forwarded-proto': 'https' } });
        assert.deepEqual([statusCode, said['set-cookie'], said['location']], [403, undefined, undefined], `${url} at ${host}`);
      }
    assert.equal((await portal.app.inject({ url: '/forward-auth', headers: { ...headers, host: '127.0.0.1:3000' } })).statusCode, 401);
  });

  test('the portal’s own host is no app, not at another port, where browsers would send its cookies, and not below a wildcard', async () => {
    for (const host of ['login.example.org', 'login.example.org:8443']) {
      await owner.browser.visit('/admin/apps/new');
      await confirmIfAsked(owner.browser, owner.password);
      owner.browser.fill('Name', 'Portal');
      owner.browser.fill('Host', host);
      await owner.browser.press('Add app');
      assert.equal(owner.browser.page.status, 422, host);
      const { statusCode } = await portal.app.inject({ url: '/forward-auth', headers: { ...about(`https://${host}/`), host: '127.0.0.1:3000' } });
      assert.equal(statusCode, 403, host);
      await owner.browser.visit(`/apps/enter?${new URLSearchParams({ start: 'A'.repeat(43), to: `https://${host}/` }).toString()}`);
      assert.equal(owner.browser.page.status, 404, host);
    }
  });

  test('cookies are __Host- and Secure, and an app is not let in by http', async () => {
    const { headers } = await portal.app.inject({ url: '/forward-auth', headers: { ...about('https://wiki.example.org/'), host: '127.0.0.1:3000' } });
    assert.match(String(headers['set-cookie']), /^__Host-twinlock-start=[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax$/);
    const plain = await portal.app.inject({ url: '/forward-auth', headers: { ...about('http://wiki.example.org/'), host: '127.0.0.1:3000' } });
    assert.equal(plain.statusCode, 403);
  });

  test('property: nothing that somebody is called gets out of its header, or is read as another', () => {
    const { headersOf } = makeIdentities(portal.world);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('A\r\nRemote-Groups: owner', 'A%0d%0aB', 'Zoë\u2028, “x”')), (name) => {
        const account = { id: 'x', email: 'x@example.org', name } as Session['account'];
        const headers = headersOf({ account, roles: new Map([['o', 'member']]), proofs: { password: 1 } } as unknown as Session, {
          organisationId: 'o',
          origin: 'https://a.b',
          groups: [name, 'a, b'],
        });
        for (const [header, value] of Object.entries(headers)) assert.match(value, /^[ -~]*$/, header);
        assert.equal(decodeURIComponent(headers['Remote-Name']), name);
        assert.deepEqual(headers['Remote-Groups'].split(',').map(decodeURIComponent), ['member', name, 'a, b']);
      }),
      runs(300),
    );
  });
});

async function addApp({ browser, password }: Person, host: string, last = 'Signed in'): Promise<void> {
  await browser.visit('/admin/apps/new');
  await confirmIfAsked(browser, password);
  browser.fill('Name', 'Wiki');
  browser.fill('Host', host);
  browser.check(last);
  browser.fill('Rules by path', 'two-factor /admin');
  await browser.press('Add app');
  if (browser.page.status !== 422) assert.match(browser.page.text, /The app is behind the portal\./);
}

test('property: a path that some server could read as /admin is never let through by a rule for less', () => {
  const rules: readonly Rule[] = [{ path: '/admin', methods: [], need: 'two-factor', roles: [], withinMinutes: null }];
  const piece = fc.constantFrom(
    'admin',
    'ADMIN',
    'Admin',
    '%61dmin',
    'adm%69n',
    '%2561dmin',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '',
    'x',
    ';a',
    '%2f',
    '%5c',
    '\\',
    'admin%00',
    'admin;x',
    '%c0%ae',
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
      const path = `/${pieces.join('/')}`;
      const ruled = ruleFor(rules, 'open', { path, method: 'GET' });
      if (ruled?.rule.need !== 'open') return;
      // As lenient servers read it: decoded twice, backslashes turned, parameters cut off, dots and doubled slashes resolved, in any case.
      let read = path;
      for (let times = 0; times < 2; times++) read = read.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
      const parts: string[] = [];
      for (const part of read.toLowerCase().replaceAll('\\', '/').split('/')) {
        const plain = part.split(';')[0]!.split('\0')[0]!;
        if (plain === '..') parts.pop();
        else if (plain !== '' && plain !== '.') parts.push(plain);
      }
      assert.notEqual(parts[0], 'admin', path);
    }),
    runs(2000),
  );
});

test('what checks remember: nothing is looked up again while nobody changes anything, and what a policy asks from a moment on is asked at that moment', async () => {
  const { world, faults } = withFaults(await makeTestWorld({ engine: 'sqlite' }));
  await using portal = await Portal.over(world, { checkHtml: false, app: { trustedProxies: ['127.0.0.1'] } });
  const { clock } = world;
  const owner = await foundOrganisation(portal);
  await addApp(owner, 'wiki.example.org');
  const ada = await joinAs(portal, owner, 'Member');
  await impose(portal, owner, { twoFactor: 'required', graceDays: 0, from: clock.now() + minutes(10) });
  const wiki = new AppBehindProxy(portal, 'http://wiki.example.org');
  assert.equal((await wiki.open(ada.browser, '/')).status, 200);
  const ask = async (): Promise<number> => (await wiki.ask(ada.browser, '/')).status;

  clock.advance(minutes(10) - seconds(20));
  assert.equal(await ask(), 200);
  faults.heal();
  for (let times = 0; times < 20; times += 1) assert.equal(await ask(), 200);
  assert.equal(faults.operations, 0);
  for (let times = 1; times <= 4; times += 1) {
    clock.advance(500);
    for (let more = 0; more < 5; more += 1) assert.equal(await ask(), 200);
    assert.equal(faults.operations, times, 'whether another process changed anything, twice a second');
  }
  clock.advance(seconds(18) - 1);
  assert.equal(await ask(), 200);
  clock.advance(1);
  assert.equal(await ask(), 401);
  assert.deepEqual([faults.operations, faults.transactions], [5, 0]);
});

test('AD-3 attack: a host and the wildcard above it, added by two organisations at the same moment: one of them is refused', async () => {
  await using portal = await openPortal({ engine: 'postgres' });
  const { world } = portal;
  const from = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };
  const people = [await portal.newcomer().join(), await portal.newcomer().join()];
  const organisations: string[] = [];
  for (const { email } of people) {
    const { id: owner } = await accountOf(portal, email);
    const { id } = await world.database.transaction((transaction) => createOrganisation(world, transaction, { name: email, owner, from }));
    organisations.push(id);
  }
  const add = (organisationId: string, host: string) =>
    world.database.transaction((transaction) =>
      insertApp(world, transaction, { organisationId, accountId: null, by: '', from, name: 'Wiki', host, rules: [], last: 'signed-in' }),
    );
  for (let round = 0; round < 8; round += 1) {
    const added = await Promise.all([add(organisations[0]!, `wiki.r${round}.example.org`), add(organisations[1]!, `*.r${round}.example.org`)]);
    assert.equal(added.filter(({ ok }) => ok).length, 1, `round ${round}`);
  }
});

test('property: whatever a proxy sends is read as one address or refused', () => {
  const text = fc.option(fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom('http://a.b/', 'GET', 'https', 'a.b', '/x')), { nil: undefined });
  fc.assert(
    fc.property(
      fc.record({ originalUrl: text, originalMethod: text, forwardedProto: text, forwardedHost: text, forwardedUri: text, forwardedMethod: text }),
      (headers) => {
        const requested = requestedFrom(headers);
        if (!requested) return;
        const url = new URL(`${requested.scheme}://${requested.host}${requested.path}`);
        assert.equal(url.host, requested.host);
        assert.equal(url.username + url.password, '');
      },
    ),
    runs(1000),
  );
});

test('nobody passes a rule without all that it asks, whatever the rest is', () => {
  const rule = (some: Partial<Rule>): Rule => ({ path: '/', methods: [], need: 'signed-in', roles: [], withinMinutes: null, ...some });
  const who = { role: 'member', level: 1, meetsPolicy: true, proofAge: 0 } as const;
  assert.equal(verdictOn(rule({}), undefined), 'sign-in');
  assert.equal(verdictOn(rule({}), { ...who, role: undefined }), 'not-a-member');
  assert.equal(verdictOn(rule({ roles: ['owner'] }), who), 'not-the-role');
  assert.equal(verdictOn(rule({ need: 'two-factor' }), who), 'step-up');
  assert.equal(verdictOn(rule({}), { ...who, meetsPolicy: false }), 'step-up');
  assert.equal(verdictOn(rule({ withinMinutes: 5 }), { ...who, proofAge: 300_000 }), 'step-up');
  assert.equal(verdictOn(rule({ withinMinutes: 5, need: 'two-factor' }), { ...who, level: 2, proofAge: 299_999 }), 'let-in');
});
