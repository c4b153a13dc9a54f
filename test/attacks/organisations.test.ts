// The console and its links against those who should not get anywhere: every route with every role and with another organisation's ids, and races.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { addConnection } from '../../src/sso/sso.ts';
import { findAccount } from '../../src/accounts/accounts.ts';
import { addApp } from '../../src/apps/apps.ts';
import { makeApp } from '../../src/app.ts';
import { createOrganisation, may, type Action } from '../../src/organisations/organisations.ts';
import { DEFAULT_RULES, makeDraft, type Rules } from '../../src/policy/policy.ts';
import { days } from '../../src/platform/durations.ts';
import { foundOrganisation, invitationPath, joinAs, sendInvitation, setUpPath } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { makeKey } from '../support/program-client.ts';
import { routesOf } from '../support/routes.ts';
import type { Visitor } from '../support/visitor.ts';
import { accountOf, race } from './intruder.ts';

/** Every route of the console, and what it is to those who are let in. A new one fails the first test below until it stands here. */
const ROUTES: Readonly<Record<string, Action>> = {
  'GET /admin': 'see',
  'GET /admin/audit': 'see',
  'GET /admin/audit/:id': 'see',
  'GET /admin/audit/webhook': 'see',
  'POST /admin/audit/webhook': 'set-webhook',
  'POST /admin/audit/webhook/test': 'set-webhook',
  'POST /admin/audit/webhook/pause': 'set-webhook',
  'POST /admin/audit/webhook/resume': 'set-webhook',
  'POST /admin/audit/webhook/remove': 'set-webhook',
  'POST /admin/audit/export': 'export',
  'POST /admin/audit/checkpoint': 'export',
  'GET /admin/people': 'see',
  'GET /admin/people/:id': 'see',
  'GET /admin/people/invite': 'invite',
  'GET /admin/apps': 'see',
  'GET /admin/apps/new': 'manage-apps',
  'GET /admin/apps/:id': 'see',
  'GET /admin/apps/:id/remove': 'see',
  'POST /admin/apps/new': 'manage-apps',
  'POST /admin/apps/:id': 'manage-apps',
  'POST /admin/apps/:id/remove': 'manage-apps',
  'GET /admin/sso': 'see',
  'GET /admin/sso/new': 'manage-sso',
  'GET /admin/sso/:id': 'see',
  'GET /admin/sso/tested': 'see',
  'GET /admin/sso/:id/on': 'see',
  'GET /admin/sso/:id/off': 'see',
  'GET /admin/sso/:id/required': 'see',
  'GET /admin/sso/:id/optional': 'see',
  'GET /admin/sso/:id/remove': 'see',
  'GET /admin/sso/:id/test': 'see',
  'GET /admin/sso/domains/add': 'see',
  'GET /admin/sso/domains/check': 'see',
  'GET /admin/sso/domains/remove': 'see',
  'GET /admin/sso/domains/lead': 'see',
  'POST /admin/sso/new': 'manage-sso',
  'POST /admin/sso/:id': 'manage-sso',
  'POST /admin/sso/:id/on': 'manage-sso',
  'POST /admin/sso/:id/off': 'manage-sso',
  'POST /admin/sso/:id/required': 'manage-sso',
  'POST /admin/sso/:id/optional': 'manage-sso',
  'POST /admin/sso/:id/remove': 'manage-sso',
  'POST /admin/sso/:id/test': 'manage-sso',
  'POST /admin/sso/domains/add': 'manage-sso',
  'POST /admin/sso/domains/check': 'manage-sso',
  'POST /admin/sso/domains/remove': 'manage-sso',
  'POST /admin/sso/domains/lead': 'manage-sso',
  'GET /admin/policy': 'see',
  'GET /admin/policy/edit': 'change-policy',
  'GET /admin/policy/preview': 'see',
  'GET /admin/policy/preview/people': 'see',
  'GET /admin/policy/preview/export': 'see',
  'GET /admin/policy/preview/tell': 'see',
  'GET /admin/policy/save': 'see',
  'GET /admin/policy/restore': 'see',
  'POST /admin/policy/preview': 'change-policy',
  'POST /admin/policy/preview/tell': 'change-policy',
  'POST /admin/policy/preview/export': 'export',
  'POST /admin/policy/save': 'change-policy',
  'POST /admin/policy/restore': 'change-policy',
  'POST /admin/people/export': 'export',
  'POST /admin/people/invite': 'invite',
  'POST /admin/people/invitations/:id/resend': 'invite',
  'POST /admin/people/invitations/:id/revoke': 'invite',
  'POST /admin/people/:id/role': 'change-role',
  'POST /admin/people/:id/remove': 'remove',
  'POST /admin/people/:id/make-owner': 'transfer-ownership',
  'POST /admin/people/:id/end-sessions': 'end-sessions',
  'POST /admin/people/:id/resend-verification': 'invite',
  'POST /admin/people/:id/suspend': 'suspend',
  'POST /admin/people/:id/resume': 'suspend',
  'POST /admin/people/:id/require-password': 'require-password',
  'GET /admin/people/:id/bypass-code': 'issue-bypass-code',
  'POST /admin/people/:id/bypass-code': 'issue-bypass-code',
  'POST /admin/people/:id/bypass-code/revoke': 'issue-bypass-code',
  'GET /admin/api-keys': 'see',
  'GET /admin/api-keys/new': 'manage-keys',
  'POST /admin/api-keys/new': 'manage-keys',
  'POST /admin/api-keys/:id/revoke': 'manage-keys',
  'POST /admin/api-keys/:id/stand-by': 'manage-keys',
  'GET /admin/help': 'see',
  'POST /admin/help/:id/close': 'issue-bypass-code',
  'GET /admin/people/:id/reset': 'reset-methods',
  'POST /admin/people/:id/reset': 'reset-methods',
  'POST /admin/people/:id/reset/approve': 'reset-methods',
  'POST /admin/people/:id/reset/stop': 'reset-methods',
};

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

/** An organisation with somebody in each role, somebody to be acted on, and an open invitation. */
interface Filled {
  readonly id: string;
  readonly owner: Person;
  readonly target: string;
  readonly invitation: string;
  /** Of its audit log. */
  readonly event: string;
  readonly draft: string;
  readonly app: string;
  readonly key: string;
  /** For single sign-on. */
  readonly connection: string;
}

/** All that the console could change. */
async function stateOf({ world }: Portal): Promise<unknown> {
  const { query } = world.database;
  return {
    memberships: await query.selectFrom('memberships').selectAll().orderBy('organisation_id').orderBy('account_id').execute(),
    invitations: await query.selectFrom('invitations').selectAll().orderBy('id').execute(),
    keys: await query.selectFrom('api_keys').selectAll().orderBy('id').execute(),
    sessions: await query.selectFrom('sessions').select(['id', 'account_id']).orderBy('id').execute(),
    policies: await query.selectFrom('policies').selectAll().orderBy('id').execute(),
    versions: await query.selectFrom('policy_versions').selectAll().orderBy('policy_id').orderBy('version').execute(),
    apps: await query.selectFrom('apps').selectAll().orderBy('id').execute(),
    connections: await query.selectFrom('sso_connections').selectAll().orderBy('id').execute(),
    domains: await query.selectFrom('sso_domains').selectAll().orderBy('domain').execute(),
    drafts: await query.selectFrom('policy_drafts').selectAll().orderBy('id').execute(),
    webhooks: await query.selectFrom('audit_webhooks').selectAll().execute(),
    exports: await query
      .selectFrom('audit_events')
      .select('id')
      .where('event', 'in', ['organisation_people_exported', 'organisation_audit_exported'])
      .orderBy('id')
      .execute(),
    requests: await query.selectFrom('help_requests').selectAll().orderBy('account_id').execute(),
    resets: await query.selectFrom('method_resets').selectAll().orderBy('id').execute(),
    factors: await query.selectFrom('factors').select(['id', 'version']).orderBy('id').execute(),
  };
}

const fieldsFor = (organisation: string): Record<string, string> => ({
  organisation,
  seen: 'member',
  role: 'auditor',
  email: 'new@example.net',
  name: 'Key',
  days: '1',
  'scope-people-read': 'yes',
});
const CHANGED: Rules = { ...DEFAULT_RULES, twoFactor: 'required' };

const ask = (browser: Visitor, route: string, ids: Omit<Filled, 'id' | 'owner'> & { organisation: string }) => {
  const { organisation, target, invitation, event, draft, key, app, connection } = ids;
  const [method, path] = route.split(' ') as [string, string];
  const named = [invitation, event, key, app, connection, target][
    ['/invitations/', '/audit/', '/api-keys/', '/apps/', '/sso/', ''].findIndex((part) => path.includes(part))
  ]!;
  const address = path.replace(':id', named);
  const about = { draft, outcome: 'passes' };
  if (method === 'POST') return browser.post(address, { ...fieldsFor(organisation), ...about, version: '1', reason: 'why not' });
  return browser.visit(`${address}?${new URLSearchParams({ organisation, ...about }).toString()}`);
};

forEachPortal((open, engine) => {
  describe('the matrix', () => {
    let portal: Portal;
    let ours: Filled;
    let theirs: Filled;
    const inside: Record<string, Person> = {};
    const outside: Record<string, Visitor> = {};

    before(async () => {
      portal = await open();
      const { query } = portal.world.database;
      const owner = await foundOrganisation(portal);
      inside['owner'] = owner;
      inside['admin'] = await joinAs(portal, owner, 'Admin');
      inside['auditor'] = await joinAs(portal, owner, 'Auditor');
      const member = await joinAs(portal, owner, 'Member');
      const fill = async (by: Person, organisation: { id: string; name: string }): Promise<Filled> => {
        const target = await accountOf(portal, (await joinAs(portal, by, 'Member')).email);
        const guest = portal.newcomer();
        await sendInvitation(by, guest.email, 'Member');
        const { id } = await query.selectFrom('invitations').select('id').where('email', '=', guest.email).executeTakeFirstOrThrow();
        const joined = query.selectFrom('audit_events').select('id').where('event', '=', 'organisation_joined').where('account_id', '=', target.id);
        const { id: byId } = await accountOf(portal, by.email);
        await makeKey(by);
        const key = await query.selectFrom('api_keys').select('id').where('made_by', '=', byId).executeTakeFirstOrThrow();
        const actor = { account: (await findAccount(query, byId))!, organisation, from: FROM };
        const draft = (await makeDraft(portal.world, actor, { rules: CHANGED, basedOn: 0, renews: false }))!;
        const added = await addApp(portal.world, actor, {
          name: 'Wiki',
          host: `${organisation.id.toLowerCase().replaceAll(/[^a-z\d]/g, '')}.example.org`,
          rules: [],
          last: 'signed-in',
        });
        assert.ok(added.ok);
        const app = { id: added.id };
        const connected = await addConnection(portal.world, actor, 'oidc', {
          name: 'Okta',
          settings: { issuer: 'https://id.example.org', clientId: 'twinlock', clientSecret: 'secret' },
          trustsAddresses: false,
          secondFactorWords: [],
        });
        assert.ok(connected.ok);
        const connection = connected.id;
        const ids = { connection, target: target.id, invitation: id, draft, event: (await joined.executeTakeFirstOrThrow()).id, key: key.id, app: app.id };
        return { id: organisation.id, owner: by, ...ids };
      };
      ours = await fill(owner, await query.selectFrom('organisations').select(['id', 'name']).executeTakeFirstOrThrow());
      const other = await portal.newcomer().join();
      const { id: otherId } = await accountOf(portal, other.email);
      const cranes = await portal.world.database.transaction((transaction) =>
        createOrganisation(portal.world, transaction, { name: 'Cranes Ltd', owner: otherId, from: FROM }),
      );
      theirs = await fill(other, cranes);
      outside['a member'] = member.browser;
      outside['a stranger with an account'] = (await portal.newcomer().join()).browser;
      outside['the owner of another organisation'] = other.browser;
    });

    test('every route of the console stands in the table', () => {
      const routes = routesOf(portal.app)
        .map(({ method, path }) => `${method} ${path}`)
        .filter((route) => /^\w+ \/admin(?:\/|$)/.test(route));
      assert.deepEqual(routes.sort(), Object.keys(ROUTES).sort());
    });

    test('members, strangers and others’ owners find nothing at any address, and change nothing', async () => {
      const state = await stateOf(portal);
      for (const [who, browser] of Object.entries(outside))
        for (const route of Object.keys(ROUTES)) {
          const page = await ask(browser, route, { organisation: ours.id, ...ours });
          assert.equal(page.status, 404, `${route} as ${who}`);
          assert.match(page.text, /There is no page at this address\./, 'as where there is none');
        }
      assert.deepEqual(await stateOf(portal), state);
    });

    test('who is not signed in is led to sign in, and nothing is done', async () => {
      const state = await stateOf(portal);
      const browser = portal.browser();
      await browser.visit('/sign-in');
      for (const route of Object.keys(ROUTES)) assert.equal((await ask(browser, route, { organisation: ours.id, ...ours })).path, '/sign-in', route);
      assert.deepEqual(await stateOf(portal), state);
    });

    test('AD-3 with another organisation’s id, person or invitation there is nothing, whatever one is in one’s own', async () => {
      const state = await stateOf(portal);
      for (const [role, { browser }] of Object.entries(inside))
        for (const [route, action] of Object.entries(ROUTES)) {
          assert.equal((await ask(browser, route, { organisation: theirs.id, ...ours })).status, 404, `${route} as ${role}, their organisation`);
          assert.equal((await ask(browser, route, { organisation: 'nobody’s', ...ours })).status, 404, `${route} as ${role}, no organisation`);
          if (!(route.includes(':id') || /^(?:GET .*preview\/people|POST .*preview\/export)$/.test(route)) || !may(role as 'owner', action)) continue;
          const page = await ask(browser, route, { ...theirs, organisation: ours.id });
          assert.equal(page.status, 404, `${route} as ${role}, their people`);
        }
      assert.deepEqual(await stateOf(portal), state);
    });

    test('a role that may not is refused and changes nothing: an auditor sees everything', async () => {
      const state = await stateOf(portal);
      for (const [role, { browser }] of Object.entries(inside))
        for (const [route, action] of Object.entries(ROUTES)) {
          if (action === 'export' || (route.startsWith('POST') && may(role as 'owner', action))) continue;
          const page = await ask(browser, route, { organisation: ours.id, ...ours });
          const refused = route.startsWith('GET') ? 404 : 403;
          assert.equal(page.status, may(role as 'owner', action) ? 200 : refused, `${route} as ${role}`);
        }
      assert.deepEqual(await stateOf(portal), state);
      await ask(inside['auditor']!.browser, 'POST /admin/people/export', { organisation: ours.id, ...ours });
      assert.match(inside['auditor']!.browser.download!.text, /^Name,Email,/);
    });

    test('FC-1 whoever may, and has not shown lately that it is them, is asked for it first, at every form that changes something', async () => {
      portal.clock.advance(11 * 60_000);
      const state = await stateOf(portal);
      for (const [route, action] of Object.entries(ROUTES)) {
        // A preview is looked at before anything changes: what it shows is put in force behind a proof.
        if (!route.startsWith('POST') || action === 'export' || route === 'POST /admin/policy/preview') continue;
        const page = await ask(inside['owner']!.browser, route, { organisation: ours.id, ...ours });
        assert.equal(page.heading, 'Confirm that it’s you', route);
      }
      assert.deepEqual(await stateOf(portal), state);
    });

    test('an admin does nothing to the owner, and nobody to themselves, gives ownership away or makes up a role', async () => {
      for (const one of [inside['admin']!, inside['owner']!]) {
        await one.signOut();
        await one.signIn();
      }
      const state = await stateOf(portal);
      const [owner, admin] = [await accountOf(portal, inside['owner']!.email), await accountOf(portal, inside['admin']!.email)];
      const post = async (by: string, target: string, verb: string, fields: Record<string, string>) => {
        const page = await inside[by]!.browser.post(`/admin/people/${target}/${verb}`, { organisation: ours.id, ...fields });
        return page.status;
      };
      for (const verb of ['role', 'remove', 'end-sessions', 'suspend', 'resume', 'require-password']) {
        assert.equal(await post('admin', owner.id, verb, { seen: 'owner', role: 'member' }), 403, `admin, ${verb} of the owner`);
        assert.equal(await post('admin', admin.id, verb, { seen: 'admin', role: 'auditor' }), 403, `admin, ${verb} of oneself`);
        assert.equal(await post('owner', owner.id, verb, { seen: 'owner', role: 'admin' }), 403, `owner, ${verb} of oneself`);
      }
      assert.equal(await post('owner', owner.id, 'make-owner', { seen: 'owner' }), 403);
      assert.equal(await post('admin', ours.target, 'make-owner', { seen: 'member' }), 403);
      for (const role of ['owner', 'root', '']) assert.equal(await post('owner', ours.target, 'role', { seen: 'member', role }), 400, role);
      assert.equal(await post('owner', ours.target, 'role', { seen: 'root', role: 'member' }), 400);
      for (const role of ['owner', 'root', ''])
        assert.equal((await inside['owner']!.browser.post('/admin/people/invite', { ...fieldsFor(ours.id), role })).status, 422, `invite as ${role}`);
      assert.deepEqual(await stateOf(portal), state);
    });

    test('names are text on every page of the console, whatever they hold', async () => {
      const eve = await joinAs(
        portal,
        inside['owner']!,
        'Member',
        portal.newcomer({ name: '<script>alert(1)</script>"><img src=x>', email: 'eve@example.com' }),
      );
      const { browser } = inside['owner']!;
      for (const path of ['/admin/people', `/admin/people/${(await accountOf(portal, eve.email)).id}`]) {
        await browser.visit(path);
        assert.doesNotMatch(browser.page.body, /<script>alert|<img src=x/, path);
        assert.ok(browser.page.has('alert(1)'), path);
      }
      for (const search of [`"><script>`, 'x'.repeat(10_000), `'; drop table memberships; --`, '\u0000', '\uffff\u{10ffff}'])
        assert.equal((await browser.visit(`/admin/people?search=${encodeURIComponent(search)}`)).status, search === '\u0000' ? 400 : 200);
      assert.equal((await browser.visit('/admin/people?after=%F0%9F&role=root&two-factor=maybe')).status, 200);
      assert.equal((await browser.post('/admin/people/invite', { ...fieldsFor(ours.id), email: 'x'.repeat(10_000) })).status, 413);
    });
  });

  test('the set-up link: of many who race, over two processes, one is the owner of the one organisation', async () => {
    const portal = await open();
    const path = await setUpPath(portal);
    const people = await Promise.all([portal.newcomer().join(), portal.newcomer().join()]);
    const token = new URL(path, 'http://localhost').searchParams.get('token')!;
    for (const { browser } of people) await browser.visit(path);
    await using other = await portal.world.secondProcess();
    const sites = [portal.app, await makeApp(other)];
    const racing = await Promise.all(people.map(({ browser }) => race(sites, { browser, path: '/set-up', fields: { token, name: 'Herons Ltd' }, times: 4 })));
    const { query } = portal.world.database;
    assert.equal((await query.selectFrom('organisations').select('id').execute()).length, 1);
    const roles = (await query.selectFrom('memberships').select('role').execute()).map(({ role }) => role);
    assert.deepEqual(roles, ['owner']);
    assert.equal(racing.flat().filter(({ page }) => page.path === '/admin/people' && page.status === 200).length, 1);
  });

  test('the set-up link is no use made up, cut short, or without an account', async () => {
    const portal = await open();
    const path = await setUpPath(portal);
    const token = new URL(path, 'http://localhost').searchParams.get('token')!;
    const ada = await portal.newcomer().join();
    for (const bad of ['', token.slice(1), `${token}A`, 'A'.repeat(43), `${token}\u0000`.slice(0, 43).replace(/.$/, token.endsWith('A') ? 'B' : 'A')]) {
      assert.equal((await ada.browser.visit(`/set-up?token=${encodeURIComponent(bad)}`)).status, 410, bad);
      assert.equal((await ada.browser.post('/set-up', { token: bad, name: 'Herons Ltd' })).status, 410, bad);
    }
    const stranger = portal.browser();
    await stranger.visit('/sign-in');
    await stranger.post('/set-up', { token, name: 'Herons Ltd' });
    assert.equal((await portal.world.database.query.selectFrom('organisations').select('id').execute()).length, 0);
    const rows = await portal.world.database.query.selectFrom('set_up_links').selectAll().execute();
    assert.ok(!JSON.stringify(rows).includes(token), 'only its hash is stored');
  });

  test('an invitation: by another address, replayed, or too late it is worth nothing; and only its hash is stored', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const { query } = portal.world.database;
    const members = async () => (await query.selectFrom('memberships').select('account_id').execute()).length;
    const [ada, eve] = [await portal.newcomer().join(), await portal.newcomer().join()];
    await sendInvitation(owner, ada.email, 'Admin');
    const path = invitationPath(ada);
    const token = new URL(path, 'http://localhost').searchParams.get('token')!;
    const rows = await query.selectFrom('invitations').selectAll().execute();
    assert.ok(!JSON.stringify(rows).includes(token));

    await eve.browser.visit(path);
    assert.match(eve.browser.page.text, new RegExp(`This link is for ${ada.email}, and you are signed in as ${eve.email}`));
    assert.equal((await eve.browser.post('/invitation', { token })).status, 403);
    const claimer = await portal.newcomer({ email: 'Claimed@example.org' }).signUp();
    await sendInvitation(owner, claimer.email, 'Admin');
    const claimed = new URL(invitationPath(claimer), 'http://localhost').searchParams.get('token')!;
    assert.match((await claimer.browser.post('/invitation', { token: claimed })).text, /First show that .* is yours/, 'an address that is only claimed');
    assert.equal(await members(), 1);

    await ada.browser.post('/invitation', { token });
    assert.equal(await members(), 2);
    await owner.browser.visit('/admin/people');
    assert.equal((await ada.browser.post('/invitation', { token })).status, 410, 'replayed');
    await sendInvitation(owner, eve.email, 'Member');
    portal.clock.advance(days(7));
    await eve.signIn();
    const late = new URL(invitationPath(eve), 'http://localhost').searchParams.get('token')!;
    assert.equal((await eve.browser.post('/invitation', { token: late })).status, 410, 'too late');
    assert.equal(await members(), 2);
  });

  test('races: an invitation makes one membership, and ownership goes to one of two heirs, whatever else happens at the moment', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const { query } = portal.world.database;
    const { id: organisation } = await query.selectFrom('organisations').select('id').executeTakeFirstOrThrow();
    const ada = await portal.newcomer().join();
    await sendInvitation(owner, ada.email, 'Admin');
    await ada.browser.visit(invitationPath(ada));
    const token = new URL(invitationPath(ada), 'http://localhost').searchParams.get('token')!;
    await race([portal.app], { browser: ada.browser, path: '/invitation', fields: { token }, times: 8 });
    const joined = await query.selectFrom('audit_events').select('id').where('event', '=', 'organisation_joined').execute();
    assert.equal(joined.length, 1);

    const bob = await joinAs(portal, owner, 'Admin');
    const [first, second] = [await accountOf(portal, ada.email), await accountOf(portal, bob.email)];
    const at = (target: string, verb: string) => ({ path: `/admin/people/${target}/${verb}`, fields: { organisation, seen: 'admin', role: 'member' } });
    await owner.browser.visit('/admin/people');
    await ada.browser.visit('/admin/people');
    await Promise.all([
      race([portal.app], { browser: owner.browser, ...at(first.id, 'make-owner'), times: 2 }),
      race([portal.app], { browser: owner.browser, ...at(second.id, 'make-owner'), times: 2 }),
      race([portal.app], { browser: ada.browser, ...at(second.id, 'remove'), times: 1 }),
      race([portal.app], { browser: bob.browser, ...at(first.id, 'role'), times: 1 }),
    ]);
    const roles = await query.selectFrom('memberships').select('role').where('role', '=', 'owner').execute();
    assert.equal(roles.length, 1, `one owner on ${engine}`);
  });
});
