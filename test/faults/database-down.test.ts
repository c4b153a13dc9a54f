/** A PostgreSQL server that ends all connections and takes no new ones, in the middle of what people do, and then comes back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { AppBehindProxy } from '../support/app-behind-proxy.ts';
import { confirmIfAsked, foundOrganisation } from '../support/organisation.ts';
import { openPortal } from '../support/portal.ts';
import { startPostgres } from '../support/postgres.ts';

const portal = await openPortal({ engine: 'postgres', app: { trustedProxies: ['127.0.0.1'] } });
after(() => portal.close());

/** By the server’s own administrator. */
async function administer(statement: (database: string) => string): Promise<void> {
  const client = new pg.Client({ connectionString: (await startPostgres()).url });
  await client.connect();
  await client.query(statement(new URL(portal.world.place).pathname.slice(1)));
  await client.end();
}

const hangUp = (): Promise<void> => administer((name) => `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`);
async function goDown(): Promise<void> {
  await administer((name) => `alter database ${name} with allow_connections false`);
  await hangUp();
}
const comeBack = (): Promise<void> => administer((name) => `alter database ${name} with allow_connections true`);

test('RL-10: while the database is away nobody is let in or signed out, and when it is back everybody goes on where they were', async () => {
  const ada = await portal.newcomer().join();
  await ada.enableByApp();
  const abroad = portal.browser();
  await ada.enterPassword(abroad);
  const code = ada.phone.fresh();
  const mails = ada.mails().length;

  await goDown();
  const { app } = portal;
  const cookie = (browser: typeof abroad): string => browser.cookies.header()!;
  const token = abroad.page.root.querySelector('[name=form_token]')!.getAttribute('value')!;
  const answers = [
    await app.inject({
      method: 'POST',
      url: '/sign-in/verify',
      headers: { cookie: cookie(abroad), 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ form_token: token, code }).toString(),
    }),
    await app.inject({ url: '/account', headers: { cookie: cookie(ada.browser) } }),
    await app.inject({ url: '/healthz' }),
  ];
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [500, 500, 500],
  );
  for (const { cookies } of answers) assert.deepEqual(cookies, [], 'No cookie is set, and none is taken away.');

  await comeBack();
  await ada.enterCode(code, { browser: abroad });
  assert.equal(abroad.page.path, '/account', 'The code was not used up.');
  assert.equal((await ada.openSecurity()).heading, 'Security and Credentials', 'Nobody was signed out.');
  assert.equal(ada.mails().length, mails);
});

test('RL-10: with the database away an app is shut within half a second, also to whom the last check let in; and open again when it is back', async () => {
  const owner = await foundOrganisation(portal);
  await owner.browser.visit('/admin/apps/new');
  await confirmIfAsked(owner.browser, owner.password);
  for (const [label, value] of [
    ['Name', 'Wiki'],
    ['Host', 'wiki.example.org'],
  ] as const)
    owner.browser.fill(label, value);
  await owner.browser.press('Add app');
  const wiki = new AppBehindProxy(portal, 'http://wiki.example.org');
  assert.equal((await wiki.open(owner.browser, '/')).status, 200);
  await goDown();
  portal.clock.advance(500);
  for (let times = 0; times < 3; times += 1) assert.equal((await wiki.ask(owner.browser, '/')).status, 500);
  await comeBack();
  assert.equal((await wiki.ask(owner.browser, '/')).status, 200);
});

test('connections that the server ended while nobody used them are replaced without anybody noticing', async () => {
  const bob = await portal.newcomer().join();
  await hangUp();
  assert.equal((await bob.openSecurity()).heading, 'Security and Credentials');
});
