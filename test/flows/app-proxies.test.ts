// Traefik, Caddy and Envoy before an app, each by what it really sends and takes, as test/support/proxy-shapes.ts has it from the guide's lines.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
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
    await owner.browser.visit('/admin/apps/new');
    await confirmIfAsked(owner.browser, owner.password);
    owner.browser.fill('Name', 'Wiki');
    owner.browser.fill('Host', 'wiki.example.org');
    owner.browser.fill('Rules by path', 'open /public methods=GET,HEAD\ntwo-factor /admin');
    await owner.browser.press('Add app');
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
        const made = ['user', 'email', 'name', 'groups', 'amr'].flatMap((word) => [`remote-${word}`, `remote_${word}`, `remote.${word}`]);
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
