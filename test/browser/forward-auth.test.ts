// Apps behind the portal in a real browser, by https, through a real proxy that is configured by the guide's very lines.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { insertApp, rulesFrom, type Rule } from '../../src/apps/apps.ts';
import { makeSetUpLink } from '../../src/organisations/organisations.ts';
import { minutes } from '../../src/platform/durations.ts';
import { launchBrowser } from '../support/browser.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import { connecting, signInThere, startProvider } from './single-sign-on-pages.ts';
import { PROXIES, setUp, type Echo, type ReverseProxy, type Stage } from '../support/protected-apps.ts';

/** The certificate is of the tests' own making. */
const TRUSTING = { ignoreHTTPSErrors: true };
const RULES = 'open /public\ntwo-factor /admin\nsigned-in /danger within=5\nsigned-in /owners roles=owner';
const CALLBACK = /\/\.twinlock\/callback\?/;

let browser: Browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser.close());

for (const proxy of PROXIES) describe(`forward auth behind ${proxy.name}`, () => walkThrough(proxy));

test('a real nginx and a real Caddy are walked through where the machine has them', (t) => {
  const walked = PROXIES.map(({ name }) => name);
  assert.match(walked[0]!, /nginx/);
  for (const missing of ['nginx', 'Caddy'].filter((name) => !walked.includes(name)))
    t.diagnostic(`${missing} was not there to be walked through. Let scripts/fetch-proxies bring it, or say where it is by ${missing.toUpperCase()}=.`);
});

function walkThrough(proxy: ReverseProxy): void {
  let stage: Stage;
  let ada: PersonInChromium;
  before(async () => {
    stage = await setUp(proxy);
    ada = await PersonInChromium.arrive(browser, stage.portal, TRUSTING);
    await ada.join();
    await foundOrganisation(ada);
    await addApp(stage, { name: 'Wiki', origin: stage.wiki, rules: RULES });
    await addApp(stage, { name: 'Camera', origin: stage.camera, rules: '' });
  });
  after(async () => {
    await ada[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
  });

  const visitor = () => browser.newContext(TRUSTING);
  const signIn = async (page: Page, who: PersonInChromium = ada): Promise<void> => {
    await page.getByLabel('Email', { exact: true }).fill(who.email);
    await page.getByLabel('Password', { exact: true }).fill(who.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    if (!who.phone) return;
    await page.getByLabel('Verification code', { exact: true }).fill(who.phone.fresh());
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
  };
  const opened = async (context: BrowserContext, url: string): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(url);
    return page;
  };

  test('the first visit: signs in at the portal, lands on the deep link with query and fragment, and nothing stays in the address bar', async () => {
    const context = await visitor();
    const link = `${stage.wiki}/page?q=1&r=a%20b&then=%2Fx#part-2?a=b`;
    const page = await opened(context, link);
    assert.equal(new URL(page.url()).origin, stage.portal.origin);
    await signIn(page);
    await page.waitForURL(link);
    const { url, headers } = await echoed(page);
    assert.equal(url, '/page?q=1&r=a%20b&then=%2Fx');
    assert.deepEqual([headers['remote-email'], headers['remote-groups'], headers['remote-amr']], [ada.email, 'owner', 'pwd']);
    const cookies = await context.cookies(stage.wiki);
    assert.deepEqual(
      cookies.filter(({ name }) => name.endsWith('-app')).map(({ name, domain, httpOnly, secure }) => [name, domain, httpOnly, secure]),
      [['__Host-twinlock-app', 'wiki.localhost', true, true]],
    );
    // The other app is opened by the portal's session alone, and has a cookie of its own that the first is not.
    await page.goto(`${stage.camera}//evil.test/%5cevil.test?x#y`);
    await page.waitForURL(`${stage.camera}//evil.test/%5cevil.test?x#y`);
    const tokens = (await context.cookies([stage.wiki, stage.camera])).filter(({ name }) => name.endsWith('-app')).map(({ value }) => value);
    assert.equal(new Set(tokens).size, 2);
    const replayed = await stage.ask(stage.camera, '/', {
      headers: { cookie: `__Host-twinlock-app=${cookies.find(({ name }) => name.endsWith('-app'))!.value}` },
    });
    assert.notEqual(replayed.status, 200);
    await context.close();
  });

  test('without JavaScript the same, but for what stands behind #', async () => {
    const context = await browser.newContext({ ...TRUSTING, javaScriptEnabled: false });
    const page = await opened(context, `${stage.camera}/page?q=1#part-2`);
    await signIn(page);
    await page.waitForURL(`${stage.camera}/page?q=1`);
    await context.close();
  });

  test('by single sign-on, too, on the deep link with query and fragment, of which the provider sees nothing', async () => {
    await using provider = await startProvider(stage.portal);
    for await (const _stop of connecting(ada, provider));
    await using grace = await PersonInChromium.arrive(browser, stage.portal, { ...TRUSTING, email: 'grace@example.org' });
    provider.account({ email: grace.email });
    const link = `${stage.wiki}/page?q=1#part-2?a=b`;
    await grace.page.goto(link);
    await grace.fill('Email', grace.email);
    await grace.press('Use single sign-on');
    await signInThere(grace, grace.email);
    await grace.page.waitForURL(link);
    const { headers } = await echoed(grace.page);
    assert.deepEqual([headers['remote-email'], headers['remote-groups'], headers['remote-amr']], [grace.email, 'member', 'sso']);
  });

  test('what was sent before signing in did not arrive, and the page says so', async () => {
    const context = await visitor();
    const page = await opened(context, `${stage.wiki}/public/form`);
    await post(page, `${stage.wiki}/form?x=1`);
    await signIn(page);
    await page.getByText('what you sent to Wiki did not arrive').waitFor();
    await page.getByRole('link', { name: 'Open Wiki', exact: true }).click();
    await page.waitForURL(`${stage.wiki}/form?x=1`);
    assert.equal((await echoed(page)).method, 'GET');
    // From here on it arrives.
    await post(page, `${stage.wiki}/form`);
    const { method, body } = await echoed(page);
    assert.deepEqual([method, body], ['POST', 'words=kept']);
    await context.close();
  });

  test('a code that was used, and the code of another browser, open nothing', async () => {
    const context = await visitor();
    const page = await opened(context, `${stage.portal.origin}/sign-in`);
    await signIn(page);
    await page.waitForURL(`${stage.portal.origin}/`);
    const used = page.waitForRequest(CALLBACK);
    await page.goto(`${stage.wiki}/page`);
    await page.waitForURL(`${stage.wiki}/page`);
    const callback = (await used).url();
    await page.goto(callback);
    assert.equal(await page.getByRole('heading').innerText(), 'Try again');

    await context.clearCookies({ name: '__Host-twinlock-app' });
    await page.route(CALLBACK, (route) => route.abort());
    const kept = page.waitForRequest(CALLBACK);
    await page.goto(`${stage.wiki}/page`).catch(() => undefined);
    const thief = await visitor();
    const other = await opened(thief, `${stage.wiki}/`);
    await other.goto((await kept).url());
    assert.equal(await other.getByRole('heading').innerText(), 'Try again');
    await other.goto(`${stage.wiki}/page`);
    assert.equal(new URL(other.url()).origin, stage.portal.origin);
    await context.close();
    await thief.close();
  });

  test('WE-7 no way leads elsewhere', async () => {
    const start = 'A'.repeat(43);
    const hosts = [
      '//evil.test/',
      '/\\evil.test',
      'https://evil.test/',
      `${stage.wiki.replace('//', '//x@')}`,
      `${stage.wiki}@evil.test/`,
      'https:%2f%2fevil.test',
    ];
    for (const to of hosts) {
      await ada.visit(`/apps/enter?${new URLSearchParams({ start, to }).toString()}#//evil.test`);
      assert.equal(await ada.page.getByRole('heading', { level: 1 }).innerText(), 'There is no such app', to);
      assert.equal(new URL(ada.page.url()).origin, stage.portal.origin);
    }
  });

  test('FA: what a client calls itself never reaches the app, in whatever spelling', async () => {
    const words = ['User', 'Email', 'Name', 'Groups', 'Amr', 'Token'];
    const spellings = words.flatMap((word) => [
      `Remote-${word}`,
      `remote-${word}`,
      `REMOTE_${word}`,
      `Remote_${word}`,
      `remote.${word}`,
      `Remote-${word.toUpperCase()}`,
    ]);
    const headers = Object.fromEntries([...new Set(spellings)].map((name) => [name, 'root']));
    // Node sends what differs in case alone as one.
    const { status, body } = await stage.ask(stage.wiki, '/public/a', { headers });
    assert.equal(status, 200);
    const got = (JSON.parse(body) as Echo).headers;
    assert.deepEqual(
      Object.entries(got).filter(([name, value]) => /^remote/i.test(name) && value !== ''),
      [],
    );
    // Nor what it says of the request itself.
    const lies = {
      'x-original-url': `${stage.wiki}/public/a`,
      'x-original-method': 'GET',
      'x-forwarded-uri': '/public/a',
      'x-forwarded-method': 'GET',
      'x-forwarded-host': 'wiki.localhost',
    };
    for (const path of ['/', '/admin', '/public/../page', '/public/%2e%2e/page', '//public/a', '/public;/../page', '/public%2f..%2fpage']) {
      assert.notEqual((await stage.ask(stage.wiki, path, { headers: { ...headers, ...lies } })).status, 200, path);
      assert.notEqual((await stage.ask(stage.wiki, path, { headers: { 'x-forwarded-uri': '/public/a' } })).status, 200, path);
    }
  });

  test('FA: whoever names another host than the one that they ask gets nothing that is not open there', async () => {
    const open = 'public.localhost:' + new URL(stage.wiki).port;
    await addApp(stage, { name: 'Public', origin: `https://${open}`, rules: 'open /' });
    // In a request for a whole address, a proxy that goes by that and tells the portal of the other would let everybody in.
    for (const path of [`${stage.wiki}/page`, '/page'])
      for (const host of [open, 'public.localhost', `${open}/public?`, `wiki.localhost/public?`, `wiki.localhost?`]) {
        const { status, body } = await stage.ask(stage.wiki, path, { headers: { host } });
        assert.ok(status !== 200 || !body.includes('"headers"'), `${path} at ${host}: ${body}`);
      }
  });

  test('a member may not open what is for owners; an administrator ends their session, and the app is shut', async () => {
    await using ben = await PersonInChromium.arrive(browser, stage.portal, { ...TRUSTING, name: 'Ben Example', email: 'ben@example.org' });
    await ben.join();
    await makeMember(stage, ben);
    ben.faults.length = 0;
    const page = await opened(ben.context, `${stage.wiki}/owners`);
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'You can’t open Wiki');
    await page.goto(`${stage.wiki}/page`);
    await page.waitForURL(`${stage.wiki}/page`);
    const cookie = (await ben.context.cookies(stage.wiki)).map(({ name, value }) => `${name}=${value}`).join('; ');
    const inside = () => stage.ask(stage.wiki, '/page', { headers: { cookie } });
    assert.equal((await inside()).status, 200);
    const refused = await stage.ask(stage.wiki, '/owners', { headers: { cookie } });
    assert.equal(refused.status, 403);
    assert.match(refused.body, /^This account.s role may not open this part of the app\.\s*$/);
    await ada.visit('/admin/people');
    await ada.press('Open Ben Example, ben@example.org', 'End all sessions');
    await ada.page.getByText('The person is signed out everywhere').waitFor();
    assert.notEqual((await inside()).status, 200);
    await page.goto(`${stage.wiki}/page`);
    assert.equal(new URL(page.url()).pathname, '/sign-in');
  });

  test('for /admin a second factor is set up on the way, and from then on asked for; a proof that is too old is asked for anew, and nothing else', async () => {
    await using person = await ada.elsewhere();
    const { page } = person;
    await page.goto(`${stage.wiki}/admin/users?x=1#ada`);
    await signIn(page);
    person.faults.length = 0;
    await person.page.getByRole('heading', { level: 1, name: 'Enable Two-Factor Authentication' }).waitFor();
    await person.setUpApp();
    person.faults.length = 0;
    await person.keepRecoveryKey();
    await page.waitForURL(`${stage.wiki}/admin/users?x=1#ada`);
    assert.match((await echoed(page)).headers['remote-amr']!, /\bmfa\b/);
    ada.phone = person.phone;

    // At the sign-in: password, code, and on to the app.
    const context = await visitor();
    const other = await opened(context, `${stage.wiki}/page#second`);
    stage.portal.clock.advance(minutes(1));
    await signIn(other);
    await other.waitForURL(`${stage.wiki}/page#second`);

    // Six minutes later everything is open but what wants a fresh proof.
    stage.portal.clock.advance(minutes(6));
    await other.goto(`${stage.wiki}/admin`);
    assert.equal((await echoed(other)).url, '/admin');
    await post(other, `${stage.wiki}/danger?y=2`);
    await other.getByRole('heading', { level: 1, name: 'Confirm that it’s you' }).waitFor();
    assert.equal(await other.getByLabel('Email', { exact: true }).count(), 0, 'who it is is known');
    await other.getByLabel('Password', { exact: true }).fill(ada.password);
    await other.getByRole('button', { name: 'Continue', exact: true }).click();
    await other.getByLabel('Verification code', { exact: true }).fill(ada.phone!.fresh());
    await other.getByRole('button', { name: 'Continue', exact: true }).click();
    await other.getByText('what you sent to Wiki did not arrive').waitFor();
    await other.getByRole('link', { name: 'Open Wiki', exact: true }).click();
    await other.waitForURL(`${stage.wiki}/danger?y=2`);
    stage.portal.clock.advance(minutes(6));
    await other.goto(`${stage.wiki}/danger#kept`);
    await other.getByLabel('Password', { exact: true }).fill(ada.password);
    await other.getByRole('button', { name: 'Continue', exact: true }).click();
    await other.getByLabel('Verification code', { exact: true }).fill(ada.phone!.fresh());
    await other.getByRole('button', { name: 'Continue', exact: true }).click();
    await other.waitForURL(`${stage.wiki}/danger#kept`);

    // Signing out at the portal shuts the app.
    await other.goto(`${stage.portal.origin}/account`);
    await other.getByRole('button', { name: 'Profile' }).click();
    await other.getByRole('button', { name: 'Sign out', exact: true }).click();
    await other.goto(`${stage.wiki}/page`);
    assert.equal(new URL(other.url()).pathname, '/sign-in');
    await context.close();
  });

  test('with the portal down the app stays shut', async () => {
    const alone = await setUp(proxy);
    await alone.stopPortal();
    assert.equal((await alone.ask(alone.wiki, '/')).status, proxy.whereDown);
    await alone[Symbol.asyncDispose]();
  });
}

const echoed = async (page: Page): Promise<Echo> => JSON.parse(await page.locator('body').innerText()) as Echo;

/** As a form of the app does. */
async function post(page: Page, to: string): Promise<void> {
  await page.setContent(`<form method="post" action="${to}"><input name="words" value="kept" /><button>Send</button></form>`);
  await page.getByRole('button', { name: 'Send' }).click();
}

async function foundOrganisation(owner: PersonInChromium): Promise<void> {
  const link = new URL((await makeSetUpLink(owner.portal.world))!);
  await owner.visit(link.pathname + link.search);
  await owner.fill('Name of the organisation', 'Herons Ltd');
  await owner.press('Create organisation');
  await owner.sees('People');
}

async function organisationOf({ portal: { world } }: Stage): Promise<string> {
  return (await world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow()).id;
}

async function addApp(stage: Stage, { name, origin, rules: text }: { name: string; origin: string; rules: string }): Promise<void> {
  const { world } = stage.portal;
  const organisationId = await organisationOf(stage);
  const from = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };
  const rules = rulesFrom(text) as readonly Rule[];
  const app = { organisationId, accountId: null, by: 'operator', from, name, host: new URL(origin).host, rules, last: 'signed-in' as const };
  assert.ok((await world.database.transaction((transaction) => insertApp(world, transaction, app))).ok);
}

/** Without the mail of an invitation, which other tests open. */
async function makeMember(stage: Stage, { email }: PersonInChromium): Promise<void> {
  const { database } = stage.portal.world;
  const organisation_id = await organisationOf(stage);
  await database.transaction(async (transaction) => {
    const account = await transaction.selectFrom('accounts').select(['id', 'email_key', 'name_key']).where('email', '=', email).executeTakeFirstOrThrow();
    const { id: account_id, email_key, name_key } = account;
    await transaction
      .insertInto('memberships')
      .values({ organisation_id, account_id, role: 'member', email_key, name_key, joined_at: 0, suspended_at: null })
      .execute();
  });
}
