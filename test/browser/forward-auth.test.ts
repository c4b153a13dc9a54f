// The guide of forward auth, step by step: a real nginx with its very lines, a real app behind it, a real browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { launchBrowser } from '../support/browser.ts';
import { NGINX, serveBehindNginx } from '../support/nginx.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import { servePortal } from '../support/served-portal.ts';
import { makeSetUpLink } from '../../src/organisations/organisations.ts';

interface Echo {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

if (NGINX === undefined) {
  // The same promises are held in process by test/flows/apps.test.ts and test/attacks/apps.test.ts.
  test('there is no nginx on this machine (Debian: apt-get install nginx), so its lines in the guide are only read', () => {
    const guide = readFileSync(new URL('../../docs/forward-auth.md', import.meta.url), 'utf8');
    for (const line of ['auth_request /_twinlock;', 'error_page 401 = @twinlock;', 'proxy_set_header Remote-User $twinlock_user;'])
      assert.ok(guide.includes(line), line);
  });
} else {
  test('a browser opens a protected wiki: signs in, lands on the deep link, spoofs nothing, and is out when the session ends', async () => {
    await using browser = await launchBrowser();
    await using portal = await servePortal({ trustedProxies: ['127.0.0.1'] });
    await using wiki = await serveBehindNginx({ name: 'wiki', portalPort: Number(new URL(portal.origin).port) });
    await using ada = await PersonInChromium.arrive(browser, portal);
    await ada.join();
    const link = new URL((await makeSetUpLink(portal.world))!);
    await ada.visit(link.pathname + link.search);
    await ada.fill('Name of the organisation', 'Herons Ltd');
    await ada.press('Create organisation');
    await ada.press('Apps', 'Add an app');
    await ada.fill('Name', 'Wiki');
    await ada.fill('Host', wiki.host);
    await ada.fill('Rules by path', 'open /public');
    await ada.press('Add app');
    await ada.sees('Wiki');

    const context = await browser.newContext();
    const page = await context.newPage();
    const echo = async (): Promise<Echo> => JSON.parse(await page.locator('body').innerText()) as Echo;
    await page.goto(`${wiki.origin}/page?q=1&r=a%20b`);
    await page.getByLabel('Email', { exact: true }).fill(ada.email);
    await page.getByLabel('Password', { exact: true }).fill(ada.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(`${wiki.origin}/page?q=1&r=a%20b`);
    const inside = await echo();
    assert.equal(inside.url, '/page?q=1&r=a%20b');
    assert.deepEqual([inside.headers['remote-email'], inside.headers['remote-groups']], [ada.email, 'owner']);
    const cookies = await context.cookies(wiki.origin);
    assert.deepEqual(
      cookies.filter(({ name }) => name === 'twinlock-app').map(({ domain, httpOnly }) => [domain, httpOnly]),
      [['wiki.localhost', true]],
    );

    // Whatever a client calls them, the app gets what the portal said.
    const spoofed = {
      'Remote-User': 'root',
      'remote-user': 'root',
      Remote_User: 'root',
      'REMOTE-GROUPS': 'owner',
      Remote_Groups: 'owner',
      'Remote-Email': 'root@evil.test',
    };
    const opened = await wiki.ask('/public/a', { headers: spoofed });
    const got = (JSON.parse(opened.body) as Echo).headers;
    assert.deepEqual(
      Object.keys(got).filter((name) => /^remote/i.test(name) && got[name] !== ''),
      [],
      JSON.stringify(got),
    );
    for (const path of ['/', '/x', '/public/../page', '/public/%2e%2e/page']) {
      const refused = await wiki.ask(path, { headers: spoofed });
      assert.notEqual(refused.status, 200, path);
    }
    const posted = await wiki.ask('/page', { method: 'POST' });
    assert.match(posted.headers.location ?? '', /sent=1/);

    await ada.visit('/account/sessions');
    await ada.press('Sign out all others');
    await page.goto(`${wiki.origin}/page`);
    assert.match(page.url(), /\/sign-in\?/);
    await context.close();
  });

  test('with the portal down the app stays shut', async () => {
    const portal = await servePortal({ trustedProxies: ['127.0.0.1'] });
    await using wiki = await serveBehindNginx({ name: 'wiki', portalPort: Number(new URL(portal.origin).port) });
    await portal[Symbol.asyncDispose]();
    assert.equal((await wiki.ask('/')).status, 500);
  });
}
