// What an attacker may try around a provider's answers, whatever the protocol. What each protocol has to refuse by itself is in its own file.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { lockAccount } from '../../src/accounts/accounts.ts';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { minutes } from '../../src/platform/durations.ts';
import { PROVIDER_TRIPS, spend } from '../../src/platform/limits/limits.ts';
import { NameServer } from '../support/name-server.ts';
import { OpenIdProvider } from '../support/openid-provider.ts';
import { foundOrganisation, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { connectOpenId, fillNewOpenId, openConsole, recordOf, signInBy, testConnection, wayOut } from '../support/single-sign-on.ts';
import type { Visitor } from '../support/visitor.ts';
import { accountOf } from './intruder.ts';

forEachPortal((open, engine) => {
  const opened: AsyncDisposable[] = [];
  after(async () => {
    for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
  });

  async function setOut({ connected = true, options = {} }: { connected?: boolean; options?: Partial<Parameters<typeof connectOpenId>[1]> } = {}) {
    const names = await NameServer.start();
    const portal = await open({ network: { nameServers: [names.address] } });
    const provider = await OpenIdProvider.start({ now: () => portal.clock.now() });
    opened.push(names, provider);
    const owner = await foundOrganisation(portal);
    const path = connected ? await connectOpenId(portal, { owner, provider, names, ...options }) : '';
    provider.account({ email: 'ada@example.com' });
    return { portal, owner, provider, names, path };
  }

  /** As far as the provider's answer, which nobody has followed yet. */
  async function leaveAndReturn(provider: OpenIdProvider, browser: Visitor): Promise<URL> {
    await browser.visit('/sign-in');
    browser.fill('Email', 'ada@example.com');
    await browser.press('Use single sign-on');
    return provider.goThrough(wayOut(browser.page), { email: 'ada@example.com' });
  }

  async function assertNobodyCameIn(browser: Visitor): Promise<void> {
    assert.equal(browser.cookies.get('twinlock-session'), undefined);
    await browser.visit('/account');
    assert.equal(browser.page.path, '/sign-in');
  }

  test('SI-2 a link with an attacker’s own answer signs nobody in: the answer is of the browser that left', async () => {
    const { portal, provider } = await setOut();
    const back = await leaveAndReturn(provider, portal.browser());
    const victim = portal.browser();
    await victim.visit('/sign-in');
    await victim.visit(back.href);
    await assertNobodyCameIn(victim);
  });

  test('SI-2 an answer serves once, however often it comes and by whichever door', async () => {
    const { portal, provider } = await setOut();
    const browser = portal.browser();
    const back = await leaveAndReturn(provider, browser);
    const answer = await portal.send({ method: 'GET', url: `${back.pathname}${back.search}` });
    const arrival = String(answer.headers.location);
    assert.match(arrival, /^\/sign-in\/sso\/arrived\?with=/);
    await browser.visit(arrival);
    assert.equal(browser.page.path, '/account');
    await browser.press('Profile');
    await browser.press('Sign out');
    for (const again of [arrival, back.href]) {
      await browser.visit(again);
      await assertNobodyCameIn(browser);
    }
  });

  test('SI-2 two answers that race to one question: one counts', async () => {
    const { portal, provider } = await setOut();
    const browser = portal.browser();
    const back = await leaveAndReturn(provider, browser);
    const answers = await Promise.all(Array.from({ length: 5 }, () => portal.send({ method: 'GET', url: `${back.pathname}${back.search}` })));
    assert.equal(answers.filter(({ headers }) => String(headers.location).startsWith('/sign-in/sso/arrived')).length, 1);
  });

  test('SI-2 an answer that took longer than a quarter of an hour is too late', async () => {
    const { portal, provider } = await setOut();
    const browser = portal.browser();
    const back = await leaveAndReturn(provider, browser);
    portal.clock.advance(minutes(15));
    await browser.visit(back.href);
    await assertNobodyCameIn(browser);
  });

  test('SI-2 an answer to a test, or to a confirmation, signs nobody in', async () => {
    const { portal, owner, provider, path } = await setOut();
    await openConsole(owner, path);
    await owner.browser.press('Test connection');
    const back = await provider.goThrough(wayOut(owner.browser.page), { email: 'ada@example.com' });
    const answer = await portal.send({ method: 'GET', url: `${back.pathname}${back.search}` });
    const token = new URL(String(answer.headers.location), 'http://localhost').searchParams.get('with')!;
    await owner.browser.visit(`/sign-in/sso/arrived?with=${token}`);
    assert.equal((await portal.world.database.query.selectFrom('accounts').select('id').where('email', '=', 'ada@example.com').execute()).length, 0);
  });

  test('SI-3 the answer of one provider serves at no other’s address (mix-up)', async () => {
    const { portal, provider, owner } = await setOut();
    const other = await OpenIdProvider.start({ now: () => portal.clock.now() });
    opened.push(other);
    await fillNewOpenId(owner, other, { name: 'Attacker' });
    const otherPath = owner.browser.page.path;
    const browser = portal.browser();
    const back = await leaveAndReturn(provider, browser);
    await browser.visit(back.pathname.replace(/^\/sso\/[^/]+/, `/sso/${otherPath.split('/').at(-1)}`) + back.search);
    await assertNobodyCameIn(browser);
  });

  test('SI-1 an organisation reaches no address of a domain that is not its own, whatever its provider says', async () => {
    const { portal, provider } = await setOut({ options: { trusts: { addresses: true } } });
    const bob = await portal.newcomer({ email: 'bob@victim.example' }).join();
    provider.account({ email: 'probe@example.com' });
    provider.account({ email: bob.email, claims: { email_verified: true } });
    const browser = portal.browser();
    await browser.visit('/sign-in');
    browser.fill('Email', 'ada@example.com');
    await browser.press('Use single sign-on');
    await browser.visit((await provider.goThrough(wayOut(browser.page), { email: bob.email })).href);
    assert.equal(browser.page.status, 403);
    await assertNobodyCameIn(browser);
  });

  test('SI-1 an address that somebody has here and has not proved is no account to link', async () => {
    const { portal, provider } = await setOut();
    // An attacker signs up with the address before its owner ever came, and waits.
    const squatter = portal.newcomer({ email: 'ada@example.com', password: 'the attacker knows this one' });
    await squatter.signUp();
    const ada = portal.browser();
    await signInBy(ada, provider, { email: 'ada@example.com' });
    assert.equal(ada.page.path, '/account');
    const attacker = portal.browser();
    await squatter.enterPassword(attacker);
    await assertNobodyCameIn(attacker);
  });

  test('whoever is suspended in the organisation stays out, also by its provider', async () => {
    const { portal, owner, provider } = await setOut();
    const browser = portal.browser();
    await signInBy(browser, provider, { email: 'ada@example.com' });
    const { id } = await portal.world.database.query.selectFrom('accounts').select('id').where('email', '=', 'ada@example.com').executeTakeFirstOrThrow();
    await openConsole(owner, `/admin/people/${id}`);
    await owner.browser.press('Suspend');
    const later = portal.browser();
    await signInBy(later, provider, { email: 'ada@example.com' });
    assert.equal(later.page.status, 403);
    await assertNobodyCameIn(later);
  });

  test('what was turned off while somebody was at the provider lets nobody in', async () => {
    const { portal, owner, provider, path } = await setOut();
    const browser = portal.browser();
    const back = await leaveAndReturn(provider, browser);
    await openConsole(owner, path);
    await owner.browser.press('Turn off');
    await browser.visit(back.href);
    assert.equal(browser.page.status, 403);
    await assertNobodyCameIn(browser);
  });

  // SQLite has one writer at a time.
  if (engine === 'postgres')
    test('SI-5 a sign-in by password that is about to end as single sign-on becomes required is waited for, and ended', async () => {
      const { portal, owner, path } = await setOut({ options: { domain: 'example.org' } });
      const bob = await joinAs(portal, owner, 'Member');
      const { id } = await accountOf(portal, bob.email);
      const { database } = portal.world;
      await openConsole(owner, path);

      const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const signingIn = database.transaction(async (transaction) => {
        await lockAccount(transaction, id);
        const row = await transaction.selectFrom('sessions').selectAll().where('account_id', '=', id).executeTakeFirstOrThrow();
        await transaction
          .insertInto('sessions')
          .values({ ...row, id: 'of the last moment', token_hash: 'of the last moment' })
          .execute();
        begun.resolve();
        await mayEnd.promise;
      });
      await begun.promise;
      const state: { required: boolean } = { required: false };
      const requiring = owner.browser.press('Require it').then(() => (state.required = true));
      const waiting = sql<{ count: number }>`select count(*)::int as count from pg_locks where not granted`;
      while (!state.required && (await waiting.execute(database.query)).rows[0]!.count === 0);
      mayEnd.resolve();
      await Promise.all([signingIn, requiring]);
      assert.ok(owner.browser.page.has('From now on'), owner.browser.page.text);
      assert.deepEqual(await database.query.selectFrom('sessions').selectAll().where('account_id', '=', id).execute(), []);
    });

  test('no way back leads to another site', async () => {
    const { portal, provider } = await setOut();
    for (const then of ['https://evil.example/', '//evil.example', '/\\evil.example', 'account']) {
      const browser = portal.browser();
      await signInBy(browser, provider, { email: 'ada@example.com', path: `/sign-in?then=${encodeURIComponent(then)}` });
      assert.equal(browser.page.path, '/account', then);
    }
  });

  test('RL-1 whoever goes on to a provider again and again, and never comes back, does not keep it busy; and keeps nobody else out', async () => {
    const { portal, provider } = await setOut();
    const { world } = portal;
    const flooding = portal.browser({ address: '203.0.113.7' });
    await world.database.transaction(async (transaction) => {
      for (let count = 0; count < PROVIDER_TRIPS.count; count += 1) await spend(transaction, world, PROVIDER_TRIPS, flooding.address);
    });
    const requests = provider.requests.length;
    await flooding.visit('/sign-in');
    flooding.fill('Email', 'ada@example.com');
    await flooding.press('Use single sign-on');
    assert.equal(flooding.page.status, 429);
    assert.ok(flooding.page.has('Wait a minute'), flooding.page.text);
    assert.equal(provider.requests.length, requests);
    await signInBy(portal.browser({ address: '203.0.113.8' }), provider, { email: 'ada@example.com' });
    portal.clock.advance(minutes(1));
    await signInBy(flooding, provider, { email: 'ada@example.com' });
    assert.equal(flooding.page.path, '/account');
  });

  test('SI-8 an issuer inside the portal’s own network is not asked, and the owner is told why', async () => {
    const { portal, owner } = await setOut({ connected: false });
    for (const issuer of ['https://169.254.169.254', 'https://10.0.0.8/realms/x', 'https://[::ffff:192.168.0.1]', 'http://portal.example.org']) {
      await fillNewOpenId(owner, { issuer }, { name: `At ${issuer}` });
      if (owner.browser.page.path.endsWith('/new')) continue; // Refused as it was typed.
      await owner.browser.press('Test connection');
      assert.ok(owner.browser.page.has('It does not work yet.'), owner.browser.page.text);
      assert.match(owner.browser.page.text, /private network|https:/);
    }
    assert.equal((await portal.world.database.query.selectFrom('sso_round_trips').select('state_hash').execute()).length, 0);
  });

  test('another organisation’s record verifies nothing, and a domain that is verified can’t be verified twice', async () => {
    const { portal, owner, names } = await setOut();
    const eve = await anotherOwner(portal);
    await openConsole(eve, '/admin/sso');
    eve.browser.fill('Domain', 'example.com');
    await eve.browser.press('Add domain');
    const ours = names.records.get('_twinlock.example.com')![1]!;
    assert.notEqual(recordOf(eve.browser.page), ours);
    await eve.browser.press('Check the record');
    assert.ok(!eve.browser.page.has('The domain is verified'), eve.browser.page.text);
    names.records.set('_twinlock.example.com', [ours, recordOf(eve.browser.page)]);
    await eve.browser.press('Check the record');
    assert.ok(!eve.browser.page.has('The domain is verified'), eve.browser.page.text);
    await openConsole(owner, '/admin/sso');
    assert.ok(owner.browser.page.has('Verified'));
  });

  test('an admin who is no owner changes nothing of who everybody is', async () => {
    const { portal, owner, path } = await setOut();
    const admin = await joinAs(portal, owner, 'Admin');
    const organisation = await organisationId(portal);
    for (const verb of ['', '/on', '/off', '/required', '/optional', '/remove', '/test']) {
      await admin.browser.post(`${path}${verb}`, { organisation, seen: '1', name: 'Mine' });
      assert.ok([403, 404].includes(admin.browser.page.status), `${path}${verb}: ${admin.browser.page.status}`);
    }
    await admin.browser.post('/admin/sso/domains/add', { organisation, domain: 'victim.example' });
    assert.equal(admin.browser.page.status, 403);
    assert.equal((await portal.world.database.query.selectFrom('sso_domains').select('domain').execute()).length, 1);
  });

  test('a test shows what came to who asked, and nowhere else', async () => {
    const { owner, provider, path, portal } = await setOut();
    await testConnection(owner, path, provider, 'ada@example.com');
    assert.equal((await portal.world.database.query.selectFrom('sso_links').select('subject').execute()).length, 0);
  });
});

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

async function anotherOwner(portal: Portal): Promise<Person> {
  const eve = await portal.newcomer().join();
  const { id: owner } = await accountOf(portal, eve.email);
  await portal.world.database.transaction((transaction) => createOrganisation(portal.world, transaction, { name: 'Eves', owner, from: FROM }));
  return eve;
}

async function organisationId({ world }: Portal): Promise<string> {
  return (await world.database.query.selectFrom('organisations').select('id').orderBy('created_at').executeTakeFirstOrThrow()).id;
}
