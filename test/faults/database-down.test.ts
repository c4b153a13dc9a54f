/** A PostgreSQL server that ends all connections and takes no new ones, in the middle of what people do, and then comes back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { openPortal } from '../support/portal.ts';
import { startPostgres } from '../support/postgres.ts';

const portal = await openPortal({ engine: 'postgres' });
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

test('connections that the server ended while nobody used them are replaced without anybody noticing', async () => {
  const bob = await portal.newcomer().join();
  await hangUp();
  assert.equal((await bob.openSecurity()).heading, 'Security and Credentials');
});
