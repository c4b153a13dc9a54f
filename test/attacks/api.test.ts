// The API against those who have no key, the wrong one, or one for something else; and against what no client of ours would send.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { makeApp } from '../../src/app.ts';
import { findAccount } from '../../src/accounts/accounts.ts';
import { addApp } from '../../src/apps/apps.ts';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { days, minutes, seconds } from '../../src/platform/durations.ts';
import { SCOPES, type Scope } from '../../src/sessions/sessions.ts';
import { sweep } from '../../src/sweep.ts';
import { foundOrganisation, joinAs, sendInvitation } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, openPortal, type Portal } from '../support/portal.ts';
import { makeKey, problemOf, Program, type Answered } from '../support/program-client.ts';
import { apiRoutesOf } from '../support/routes.ts';
import { readRows } from '../support/rows.ts';
import { addConnection, addDomain } from '../../src/sso/sso.ts';
import { accountOf } from './intruder.ts';

const RULES = {
  twoFactor: 'required',
  roles: ['owner', 'admin', 'auditor', 'member'],
  from: null,
  graceDays: 7,
  rollOut: { kind: 'everybody' },
  counting: ['totp'],
  mailFirst: true,
  sessionIdleMinutes: null,
  sessionHours: null,
  proofMinutes: 10,
  emailDomains: [],
};

const GROUNDS = { reason: 'Phone lost', check: 'in-person' };
const CONNECTION = { name: 'Okta', settings: { issuer: 'https://id.example.org', clientId: 'x', clientSecret: 'y' } };
const APP = { name: 'Wiki', rules: [{ path: '/admin', need: 'two-factor' }], otherwise: 'signed-in' };

/** Every operation: the scope that it asks for, and a body that would do. A new one fails the first test below until it stands here. */
const OPERATIONS: Readonly<Record<string, { readonly scope?: Scope; readonly query?: string; readonly body?: Readonly<Record<string, unknown>> }>> = {
  'GET /organisation': {},
  'GET /overview': { scope: 'people:read' },
  'GET /people': { scope: 'people:read' },
  'GET /people/:id': { scope: 'people:read' },
  'POST /people/:id/role': { scope: 'people:write', body: { role: 'auditor' } },
  'POST /people/:id/end-sessions': { scope: 'people:write' },
  'POST /people/:id/suspend': { scope: 'people:write' },
  'POST /people/:id/resume': { scope: 'people:write' },
  'POST /people/:id/require-password': { scope: 'people:write' },
  'POST /people/:id/resend-verification': { scope: 'people:write' },
  'POST /people/:id/make-owner': { scope: 'ownership:write' },
  'POST /people/:id/bypass-code': { scope: 'help:write', body: GROUNDS },
  'POST /people/:id/reset': { scope: 'help:write', body: GROUNDS },
  'POST /people/:id/reset/approve': { scope: 'help:write' },
  'DELETE /people/:id': { scope: 'people:write' },
  'DELETE /people/:id/bypass-code': { scope: 'people:write' },
  'DELETE /people/:id/reset': { scope: 'people:write' },
  'GET /help-requests': { scope: 'people:read' },
  'DELETE /help-requests/:id': { scope: 'help:write' },
  'GET /invitations': { scope: 'people:read' },
  'POST /invitations': { scope: 'people:write', body: { email: 'new@example.net', role: 'member' } },
  'POST /invitations/:id/resend': { scope: 'people:write' },
  'DELETE /invitations/:id': { scope: 'people:write' },
  'GET /policy': { scope: 'policy:read' },
  'PUT /policy': { scope: 'policy:write', body: { rules: RULES, reason: 'a test' } },
  'GET /policy/versions': { scope: 'policy:read' },
  'POST /policy/versions/:version/restore': { scope: 'policy:write' },
  'POST /policy/previews': { scope: 'policy:write', body: { rules: RULES } },
  'GET /policy/previews/:id': { scope: 'policy:read' },
  'GET /policy/previews/:id/people': { scope: 'policy:read', query: 'outcome=passes' },
  'POST /policy/previews/:id/announce': { scope: 'policy:write' },
  'POST /policy/previews/:id/save': { scope: 'policy:write', body: { reason: 'a test' } },
  'GET /audit/events': { scope: 'audit:read' },
  'GET /audit/events/:id': { scope: 'audit:read' },
  'GET /audit/checkpoint': { scope: 'audit:read' },
  'GET /audit/export': { scope: 'audit:read' },
  'GET /audit/webhook': { scope: 'audit:read' },
  'PUT /audit/webhook': { scope: 'audit:write', body: { address: 'https://log.example.org/twinlock' } },
  'POST /audit/webhook/test': { scope: 'audit:write' },
  'POST /audit/webhook/pause': { scope: 'audit:write' },
  'POST /audit/webhook/resume': { scope: 'audit:write' },
  'DELETE /audit/webhook': { scope: 'audit:write' },
  'GET /apps': { scope: 'apps:read' },
  'GET /apps/:id': { scope: 'apps:read' },
  'POST /apps': { scope: 'apps:write', body: { ...APP, host: 'new.example.org' } },
  'PUT /apps/:id': { scope: 'apps:write', body: APP },
  'DELETE /apps/:id': { scope: 'apps:write' },
  'GET /apps/:id/rule': { scope: 'apps:read', query: 'path=/' },
  'GET /sso/connections': { scope: 'sso:read' },
  'GET /sso/connections/:id': { scope: 'sso:read' },
  'POST /sso/connections': { scope: 'sso:write', body: { ...CONNECTION, kind: 'oidc' } },
  'PUT /sso/connections/:id': { scope: 'sso:write', body: CONNECTION },
  'POST /sso/connections/:id/on': { scope: 'sso:write' },
  'POST /sso/connections/:id/off': { scope: 'sso:write' },
  'POST /sso/connections/:id/required': { scope: 'sso:write' },
  'POST /sso/connections/:id/optional': { scope: 'sso:write' },
  'DELETE /sso/connections/:id': { scope: 'sso:write' },
  'GET /sso/domains': { scope: 'sso:read' },
  'POST /sso/domains': { scope: 'sso:write', body: { domain: 'new.example.org' } },
  'POST /sso/domains/:domain/check': { scope: 'sso:write' },
  'PUT /sso/domains/:domain/connection': { scope: 'sso:write', body: { connection: null } },
  'DELETE /sso/domains/:domain': { scope: 'sso:write' },
  'GET /api-keys': { scope: 'keys:read' },
  'POST /api-keys': { scope: 'keys:write', body: { name: 'Another', role: 'auditor', scopes: ['people:read'], days: 1 } },
  'DELETE /api-keys/:id': { scope: 'keys:write' },
};
const ABOUT_ONE = Object.keys(OPERATIONS).filter((one) => /:(?:id|domain)/.test(one));

/** By the folder that they are in. */
interface Ids {
  readonly people: string;
  readonly invitations: string;
  readonly previews: string;
  readonly events: string;
  readonly apps: string;
  readonly 'api-keys': string;
  readonly connections: string;
  /** By their names. */
  readonly domains: string;
}
const sameId = (id: string): Ids => ({ people: id, invitations: id, previews: id, events: id, apps: id, 'api-keys': id, connections: id, domains: id });

const ask = (program: Program, operation: string, ids: Ids, headers: Record<string, string> = {}): Promise<Answered> => {
  const [method, path] = operation.split(' ') as [string, string];
  const { body, query } = OPERATIONS[operation]!;
  const named = /([\w-]+)\/:(?:id|domain)/.exec(path)?.[1];
  // A request for help goes by whose it is.
  const folder = (named === 'help-requests' ? 'people' : named) as keyof Ids | undefined;
  const address = path.replace(':version', '1').replace(/:(?:id|domain)/, folder === undefined ? '' : ids[folder]);
  return program.ask(method, query === undefined ? address : `${address}?${query}`, body, { 'if-match': '*', ...headers });
};

/** All that a key could change, or learn by changing: what counts and records tries is left out, and when a key was used. */
async function stateOf({ world }: Portal): Promise<unknown> {
  const { limits: _limits, audit_events: events, audit_heads: _heads, organisation_events: _theirs, api_keys: keys, ...rest } = await readRows(world.database);
  return {
    ...rest,
    keys: keys!.map(({ last_used_at: _at, ...key }) => key),
    events: events!.filter(({ event }) => event !== 'authn_api_key_fail' && event !== 'authz_fail').length,
  };
}

describe('the API', () => {
  let portal: Portal;
  let owner: Person;
  let admin: Person;
  let ours: Ids;
  let theirs: Ids;
  let theirOrganisation: string;
  let theirOwner: Person;
  /** With all scopes. */
  let program: Program;
  let key: string;
  const dead: Record<string, Program> = {};

  before(async () => {
    portal = await openPortal({ engine: 'sqlite', checkHtml: false });
    const { world } = portal;
    owner = await foundOrganisation(portal);
    admin = await joinAs(portal, owner, 'Admin');
    const fill = async (by: Person): Promise<Ids> => {
      const person = (await accountOf(portal, (await joinAs(portal, by, 'Member')).email)).id;
      const guest = portal.newcomer();
      await sendInvitation(by, guest.email, 'Member');
      const { id } = await world.database.query.selectFrom('invitations').select('id').where('email', '=', guest.email).executeTakeFirstOrThrow();
      const made = await new Program(portal, await makeKey(by, { name: 'To fill', scopes: ['policy:write'] })).post('/policy/previews', { rules: RULES });
      assert.equal(made.status, 201, made.body);
      const event = await world.database.query
        .selectFrom('audit_events')
        .select('id')
        .where('event', '=', 'organisation_joined')
        .where('account_id', '=', person)
        .executeTakeFirstOrThrow();
      const { id: founder } = await accountOf(portal, by.email);
      const { organisation_id: organisation } = await world.database.query
        .selectFrom('memberships')
        .select('organisation_id')
        .where('account_id', '=', founder)
        .executeTakeFirstOrThrow();
      const actor = {
        account: (await findAccount(world.database.query, founder))!,
        organisation: { id: organisation, name: '' },
        from: { address: '192.0.2.1', userAgent: 'a test', requestId: '' },
      };
      const app = await addApp(world, actor, { name: 'Wiki', host: `${guest.email.split('@')[0]}.example.org`, rules: [], last: 'signed-in' });
      assert.ok(app.ok);
      const domain = `${guest.email.split('@')[0]}.example.com`;
      const connection = await addConnection(world, actor, 'oidc', { ...CONNECTION, trustsAddresses: false, secondFactorWords: [] });
      assert.ok(connection.ok, JSON.stringify(connection));
      assert.ok((await addDomain(world, actor, domain)).ok);
      const apiKey = await world.database.query
        .selectFrom('api_keys')
        .select('id')
        .where('organisation_id', '=', organisation)
        .where('name', '=', 'To fill')
        .executeTakeFirstOrThrow();
      return {
        people: person,
        invitations: id,
        previews: String(made.json!['id']),
        events: event.id,
        apps: app.id,
        'api-keys': apiKey.id,
        connections: connection.id,
        domains: domain,
      };
    };
    ours = await fill(owner);
    theirOwner = await portal.newcomer().join();
    const { id } = await accountOf(portal, theirOwner.email);
    ({ id: theirOrganisation } = await world.database.transaction((transaction) =>
      createOrganisation(world, transaction, { name: 'Cranes Ltd', owner: id, from: { address: '192.0.2.1', userAgent: 'a test', requestId: '' } }),
    ));
    theirs = await fill(theirOwner);
    await setTheDead();
    key = await makeKey(admin, { name: 'All', scopes: SCOPES });
    program = new Program(portal, key);
  });

  /** Callers that must get nothing, each for a reason of its own. */
  async function setTheDead(): Promise<void> {
    dead['no key'] = new Program(portal, undefined);
    dead['a key that was never made'] = new Program(portal, `twl_${'0'.repeat(64)}`);
    for (const made of ['', 'x', 'twl_', `twl_${'0'.repeat(63)}`, `TWL_${'0'.repeat(64)}`, `twl_${'g'.repeat(64)}`, 'a'.repeat(4000)])
      dead[`what is no key: ${made.slice(0, 10)}`] = new Program(portal, made);
    dead['an expired key'] = new Program(portal, await makeKey(owner, { name: 'Expired', days: 1 }));
    portal.clock.advance(days(1));
    for (const one of [owner, admin]) await one.signOut();
    for (const one of [owner, admin]) await one.signIn();
    const revoked = await makeKey(owner, { name: 'Revoked' });
    await owner.browser.visit('/admin/api-keys');
    await owner.browser.press('Revoke Revoked');
    dead['a revoked key'] = new Program(portal, revoked);
    const [demoted, removed] = [await joinAs(portal, owner, 'Admin'), await joinAs(portal, owner, 'Admin')];
    dead['the key of somebody who is an admin no more'] = new Program(portal, await makeKey(demoted, { name: 'Demoted' }));
    dead['the key of somebody who was removed'] = new Program(portal, await makeKey(removed, { name: 'Removed' }));
    const by = new Program(portal, await makeKey(owner, { name: 'Owner’s' }));
    await by.post(`/people/${(await accountOf(portal, demoted.email)).id}/role`, { role: 'auditor' });
    await by.delete(`/people/${(await accountOf(portal, removed.email)).id}`);
  }

  test('every operation stands in the table, and the document has the same', async () => {
    const mounted = apiRoutesOf(portal.app)
      .map(({ method, path }) => `${method} ${path.replace('/api/v1', '')}`)
      .filter((route) => route !== 'GET /openapi.json');
    assert.deepEqual(mounted.toSorted(), Object.keys(OPERATIONS).toSorted());
    const { json } = await dead['no key']!.get('/openapi.json');
    const paths = json!['paths'] as Record<string, Record<string, { security: { apiKey: string[] }[] }>>;
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => [`${method.toUpperCase()} ${path.replace(/\{(\w+)\}/, ':$1')}`, security[0]!.apiKey[0]]),
    );
    assert.deepEqual(Object.fromEntries(described), Object.fromEntries(Object.entries(OPERATIONS).map(([operation, { scope }]) => [operation, scope])));
  });

  test('without a key that stands, every operation answers 401 and does nothing', async () => {
    const state = await stateOf(portal);
    for (const [who, caller] of Object.entries(dead))
      for (const operation of Object.keys(OPERATIONS)) {
        // From elsewhere each time, so that none is refused for the others' number.
        caller.address = `203.0.${Object.keys(dead).indexOf(who)}.${Object.keys(OPERATIONS).indexOf(operation)}`;
        const refused = await ask(caller, operation, ours);
        assert.equal(refused.status, 401, `${operation} by ${who}`);
        assert.match(String(refused.headers['www-authenticate']), /^Bearer realm="api"/);
      }
    assert.deepEqual(await stateOf(portal), state);
  });

  test('a session is no key: cookies of the owner, a form token and all, are not looked at', async () => {
    const state = await stateOf(portal);
    await owner.browser.visit('/admin/people');
    const cookie = owner.browser.cookies.header()!;
    for (const operation of Object.keys(OPERATIONS)) {
      const bare = await ask(dead['no key']!, operation, ours, { cookie });
      assert.equal(bare.status, 401, operation);
      assert.equal(
        (await ask(dead['no key']!, operation, ours, { cookie, 'sec-fetch-site': 'same-origin', origin: portal.world.installation.origin })).status,
        401,
      );
    }
    assert.deepEqual(await stateOf(portal), state);
  });

  test('a key is taken from its header alone: in the address it is refused, whatever it is called, and does not get into the log', async () => {
    for (const name of ['access_token', 'api_key', 'key', 'token', 'authorization']) {
      assert.equal((await dead['no key']!.get(`/people?${name}=${key}`)).status, 401);
      const [mistake] = problemOf(await program.get(`/people?${name}=${key}`)).errors!;
      assert.equal(mistake!.parameter, name);
    }
    assert.equal((await program.get(`/people/${key}`)).status, 404);
    for (const headers of [
      { 'x-api-key': key },
      { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
      { authorization: key },
      { authorization: `Bearer ${key}, Bearer ${key}` },
    ])
      assert.equal((await dead['no key']!.get('/people', headers as Record<string, string>)).status, 401, JSON.stringify(headers));
    assert.equal((await dead['no key']!.get('/people', { authorization: `bearer  ${key}` })).status, 200, 'the scheme is read in any case');
    assert.ok(!JSON.stringify(portal.world.log.lines).includes(key.slice(4)));
  });

  test('a key without the scope is refused by name, and does nothing', async () => {
    const without = new Map<Scope, Program>();
    for (const scope of SCOPES)
      without.set(scope, new Program(portal, await makeKey(owner, { name: `Without ${scope}`, scopes: SCOPES.filter((one) => one !== scope) })));
    const state = await stateOf(portal);
    for (const [operation, { scope }] of Object.entries(OPERATIONS)) {
      if (scope === undefined) continue;
      const refused = await ask(without.get(scope)!, operation, ours);
      assert.deepEqual([refused.status, problemOf(refused).code], [403, 'missing-scope'], operation);
      assert.match(String(refused.headers['www-authenticate']), new RegExp(`error="insufficient_scope", scope="${scope}"`));
    }
    const tried = await portal.world.database.query.selectFrom('audit_events').select('details').where('event', '=', 'authz_fail').execute();
    const actions = new Set(tried.map(({ details }) => (JSON.parse(details) as { action: string }).action));
    assert.deepEqual(
      // Directories ask at an address of their own: test/flows/scim.test.ts.
      SCOPES.filter((scope) => scope !== 'scim' && !actions.has(scope)),
      [],
      'LO-1: what was tried is in the log',
    );
    assert.deepEqual(await stateOf(portal), state);
  });

  test('an auditor’s key that has got a scope to write all the same changes nothing: the role decides where it is done', async () => {
    const { query } = portal.world.database;
    const auditor = new Program(portal, await makeKey(owner, { name: 'Grown', role: 'Auditor', scopes: ['people:read'] }));
    await query
      .updateTable('api_keys')
      .set({ scopes: JSON.stringify([...SCOPES, 'root']) })
      .where('name', '=', 'Grown')
      .execute();
    const state = await stateOf(portal);
    for (const [operation, { scope }] of Object.entries(OPERATIONS))
      if (scope?.endsWith(':write')) assert.equal(problemOf(await ask(auditor, operation, ours)).code, 'not-allowed', operation);
    assert.deepEqual(await stateOf(portal), state);
    const refused = await query.selectFrom('audit_events').select('details').where('event', '=', 'authz_fail').execute();
    const { id } = await query.selectFrom('api_keys').select('id').where('name', '=', 'Grown').executeTakeFirstOrThrow();
    assert.ok(
      refused.some(({ details }) => (JSON.parse(details) as { by: string }).by === `key ${id}`),
      'what was tried is in the log',
    );
    assert.deepEqual(((await auditor.get('/organisation')).json!['key'] as { scopes: string[] }).scopes, SCOPES);
  });

  test('AD-3 ids of another organisation, of nobody, and of no kind at all are answered alike, in every position', async () => {
    const others = new Program(portal, await makeKey(theirOwner, { name: 'Theirs', scopes: SCOPES }));
    const state = await stateOf(portal);
    const wrong: string[] = [
      ...(Object.values(theirs) as string[]),
      theirOrganisation,
      'A'.repeat(22),
      '..',
      '%2e%2e',
      '__proto__',
      'x'.repeat(65),
      'é',
      '%F0%9F',
    ];
    for (const operation of ABOUT_ONE) {
      const bodies = new Set<string>();
      for (const id of wrong) {
        const refused = await ask(program, operation, sameId(encodeURI(id)));
        assert.ok([404, 400].includes(refused.status), `${operation} ${id}: ${refused.status}`);
        if (refused.status === 404) bodies.add(refused.body.replace(/"requestId":"[^"]*"/, ''));
      }
      // One and the other: there is nothing, whoever has it.
      assert.equal(bodies.size, 1, operation);
    }
    for (const operation of ABOUT_ONE) assert.equal((await ask(others, operation, ours)).status, 404);
    assert.deepEqual(await stateOf(portal), state);
    for (const path of ['/people', '/invitations']) assert.ok(!(await others.get(path)).body.includes(ours.people));
    // That were many requests of one key.
    portal.clock.advance(minutes(1));
  });

  test('a key does nothing to the owner or to its maker, and gives no ownership', async () => {
    const state = await stateOf(portal);
    const [ownerId, adminId] = [(await accountOf(portal, owner.email)).id, (await accountOf(portal, admin.email)).id];
    for (const id of [ownerId, adminId]) {
      assert.equal((await program.post(`/people/${id}/role`, { role: 'member' })).status, 403);
      assert.equal((await program.post(`/people/${id}/end-sessions`)).status, 403);
      assert.equal((await program.delete(`/people/${id}`)).status, 403);
    }
    for (const role of ['owner', 'root', '', null, ['admin'], { $ne: 1 }, 1])
      for (const path of [`/people/${ours.people}/role`, '/invitations']) {
        const mistakes = problemOf(await program.post(path, { role, email: 'new@example.net' })).errors!;
        assert.ok(
          mistakes.some(({ pointer }) => pointer === '#/role'),
          `${path} ${JSON.stringify(role)}`,
        );
      }
    assert.deepEqual(await stateOf(portal), state);
  });

  test('fields that the operation does not have are refused by name, however they are called', async () => {
    const state = await stateOf(portal);
    const extra = [
      'organisation',
      'organisation_id',
      'id',
      'invited_by',
      'token',
      'expiresAt',
      'by',
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'x'.repeat(10_000),
      'a/b~c',
      '\u202e',
      '',
    ];
    for (const name of extra) {
      const refused = await program.post(
        '/invitations',
        `{"email":"new@example.net","role":"member",${JSON.stringify(name)}:${JSON.stringify(theirOrganisation)}}`,
      );
      assert.equal(refused.status, 422, name.slice(0, 20));
      assert.ok(refused.body.length < 2000, 'no echo of all that was sent');
      assert.equal(problemOf(refused).errors!.length, 1);
    }
    assert.equal(problemOf(await program.post('/invitations', '{"email":"new@example.net","role":"member","a/b~c":1}')).errors![0]!.pointer, '#/a~1b~0c');
    for (const path of [`/people/${ours.people}/end-sessions`, `/invitations/${ours.invitations}/resend`])
      assert.equal((await program.post(path, { organisation: theirOrganisation })).status, 422, path);
    assert.equal((await program.get(`/people?organisation=${theirOrganisation}`)).status, 422);
    assert.equal((await program.get('/people?role=member&role=owner')).status, 400);
    assert.deepEqual(await stateOf(portal), state);
    assert.equal(({} as Record<string, unknown>)['email'], undefined);
  });

  test('bodies that are not what they say, or could be read in two ways, are refused', async () => {
    const state = await stateOf(portal);
    const good = '{"email":"new@example.net","role":"member"}';
    const refusals: readonly (readonly [string | Buffer, number, Record<string, string>?])[] = [
      ['', 422],
      ['null', 422],
      ['[]', 422],
      ['"x"', 422],
      ['{', 400],
      [`${good} x`, 400],
      ["{'email':1}", 400],
      ['{"email":"a@example.net","email":"b@example.net","role":"member"}', 400],
      ['{"email":"a@example.net","\\u0065mail":"b@example.net","role":"member"}', 400],
      ['{"role":"member","role":"admin","email":"new@example.net"}', 400],
      ['{"email":"a\\u0000@example.net","role":"member"}', 400],
      ['{"email":"\\ud800@example.net","role":"member"}', 400],
      [Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400],
      [Buffer.from(`\ufeff${good}`), 400],
      [Buffer.from(good, 'utf16le'), 400],
      ['['.repeat(30_000), 400],
      [`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 400],
      [`{"email":"${'a'.repeat(10_000)}@example.net","role":"member"}`, 422],
      [JSON.stringify({ email: 'a'.repeat(70_000), role: 'member' }), 413],
      ['{"email":1e999,"role":"member"}', 422],
      [good, 415, { 'content-type': 'text/plain' }],
      [good, 415, { 'content-type': 'application/x-www-form-urlencoded' }],
      [good, 415, { 'content-type': 'multipart/form-data; boundary=x' }],
      [good, 415, { 'content-type': 'application/json; charset=utf-7' }],
      [good, 415, { 'content-type': 'application/json-patch+json' }],
      [good, 415, { 'content-type': 'application/xml' }],
      [good, 415, { 'content-type': '' }],
    ];
    for (const [body, status, headers] of refusals) {
      const refused = await program.post('/invitations', body, headers);
      assert.equal(refused.status, status, `${String(body).slice(0, 60)} ${JSON.stringify(headers)}: ${refused.body}`);
    }
    assert.deepEqual(await stateOf(portal), state);
    assert.equal((await program.post('/invitations', { email: `${'é'.repeat(5)} <b>@example.net`, role: 'member' })).status, 422);
  });

  test('a cursor is for its own list alone: of another organisation, filter or list, changed or made up it is refused', async () => {
    const others = new Program(portal, await makeKey(theirOwner, { name: 'Pages' }));
    const next = async (by: Program, query: string) => String((await by.get(`/people?limit=1${query}`)).json!['next']);
    const own = await next(program, '');
    assert.equal((await program.get(`/people?limit=5&cursor=${own}`)).status, 200);
    const changed = own.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const inMiddle = `${own.slice(0, 20)}${own[20] === 'A' ? 'B' : 'A'}${own.slice(21)}`;
    for (const cursor of [
      await next(others, ''),
      await next(program, '&twoFactor=off'),
      inMiddle,
      changed.slice(1),
      own.slice(0, 10),
      'A',
      'z'.repeat(500),
      '%F0%9F%98%80',
      Buffer.from('a@example.org').toString('base64url'),
    ]) {
      const refused = problemOf(await program.get(`/people?limit=5&cursor=${cursor}`));
      assert.deepEqual([refused.status, refused.errors![0]!.parameter], [422, 'cursor'], cursor);
    }
    assert.equal((await program.get(`/people?cursor=${own}&role=member`)).status, 422);
    assert.equal((await program.get(`/invitations?cursor=${own}`)).status, 422);
    assert.equal((await program.get('/people?cursor=')).status, 422);
    for (const limit of ['0', '-1', '201', '1.5', 'x', '', '9'.repeat(400)]) assert.equal((await program.get(`/people?limit=${limit}`)).status, 422, limit);
  });

  test('other methods are refused with those that there are, and no other site is let in', async () => {
    for (const [method, path, allow] of [
      ['PATCH', '/people', 'GET, HEAD'],
      ['OPTIONS', `/people/${ours.people}`, 'GET, HEAD, DELETE'],
      ['PUT', '/invitations', 'GET, HEAD, POST'],
      ['GET', `/people/${ours.people}/role`, 'POST'],
    ] as const) {
      const refused = await program.ask(method, path);
      assert.equal(refused.status, 405, `${method} ${path}`);
      assert.deepEqual(String(refused.headers['allow']).split(', ').toSorted(), allow.split(', ').toSorted());
    }
    const head = await program.ask('HEAD', '/people');
    assert.deepEqual([head.status, head.body], [200, '']);
    assert.equal((await dead['no key']!.ask('HEAD', '/people')).status, 401);
    const preflight = await program.ask('OPTIONS', '/people', undefined, {
      origin: 'https://evil.test',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    });
    const foreign = await program.post(
      '/invitations',
      { email: 'new@example.net', role: 'member' },
      { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
    );
    assert.equal(foreign.status, 403);
    for (const { headers } of [preflight, foreign, await program.get('/people', { origin: 'https://evil.test' })])
      assert.deepEqual(
        Object.keys(headers).filter((name) => name.startsWith('access-control')),
        [],
      );
  });

  test('nothing of a key is anywhere but in the answer that showed it: database, log, mail and pages', async () => {
    const shown = await makeKey(owner, { name: 'Secret' });
    const secret = shown.slice('twl_'.length);
    await new Program(portal, shown).get('/people');
    await new Program(portal, `${shown}0`).get('/people');
    for (const path of ['/admin/api-keys', '/admin/api-keys/new', '/account', '/api/docs'])
      assert.ok(!(await owner.browser.visit(path)).body.includes(secret), path);
    assert.ok(!JSON.stringify(await readRows(portal.world.database)).includes(secret));
    assert.ok(!JSON.stringify(portal.world.log.lines).includes(secret));
    assert.ok(!JSON.stringify([owner, admin].map((one) => one.mails())).includes(secret));
    const { query } = portal.world.database;
    const used = async () => (await query.selectFrom('api_keys').select('last_used_at').where('name', '=', 'Secret').executeTakeFirstOrThrow()).last_used_at;
    const first = await used();
    portal.clock.advance(seconds(59));
    await new Program(portal, shown).get('/people');
    assert.equal(await used(), first, 'written once a minute at most');
    portal.clock.advance(seconds(1));
    await new Program(portal, shown).get('/people');
    assert.equal(await used(), first! + minutes(1));
  });

  test('the form that makes a key: no role, scope, end or organisation but those that it offers', async () => {
    for (const one of [owner, admin]) {
      await one.signOut();
      await one.signIn();
    }
    const { id: organisation } = await portal.world.database.query
      .selectFrom('organisations')
      .select('id')
      .where('name', '=', 'Herons Ltd')
      .executeTakeFirstOrThrow();
    const count = async () => (await portal.world.database.query.selectFrom('api_keys').select('id').execute()).length;
    const earlier = await count();
    const good = { organisation, name: 'X', role: 'auditor', days: '1', 'scope-people-read': 'yes' };
    const post = async (fields: Record<string, string>) => (await owner.browser.post('/admin/api-keys/new', { ...good, ...fields })).status;
    for (const role of ['owner', 'member', 'root', '', 'Admin']) assert.equal(await post({ role }), 422, role);
    for (const days_ of ['0', '366', '-1', '1.5', '1e2', '0x1', '', ' ', '99999999999']) assert.equal(await post({ days: days_ }), 422, days_);
    for (const name of ['', ' ', 'x'.repeat(101), '\u202e', '\u0000']) assert.equal(await post({ name }), name === '\u0000' ? 400 : 422, JSON.stringify(name));
    assert.equal(await post({ name: 'x'.repeat(10_000) }), 413);
    assert.equal(await post({ 'scope-people-write': 'yes' }), 422, 'an auditor that writes');
    assert.equal(await post({ 'scope-people-read': '', 'scope-root': 'yes' }), 422);
    assert.equal(await post({ organisation: theirOrganisation }), 404);
    assert.equal(await count(), earlier);
    assert.equal(await post({ name: '<script>alert(1)</script>' }), 200);
    assert.doesNotMatch((await owner.browser.visit('/admin/api-keys')).body, /<script>alert/);
    const left = 50 - (await portal.world.database.query.selectFrom('api_keys').select('id').where('organisation_id', '=', organisation).execute()).length;
    for (let made = 0; made < left; made++) assert.equal(await post({ name: `Key ${made}` }), 200);
    assert.equal(await post({}), 409, 'fifty are enough');
  });
});

describe('limits of the API', () => {
  test('a key may ask 600 times a minute, evenly; wrong keys pause for their network, and a right one is served there all the same', async () => {
    await using portal = await openPortal({ engine: 'sqlite', checkHtml: false });
    const owner = await foundOrganisation(portal);
    const program = new Program(portal, await makeKey(owner, { name: 'Busy' }));
    const other = new Program(portal, await makeKey(owner, { name: 'Other' }));
    for (let asked = 0; asked < 600; asked++) assert.equal((await program.get('/organisation')).status, 200);
    const refused = await program.get('/organisation');
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
    assert.equal((await other.get('/organisation')).status, 200, 'others are not held up');
    portal.clock.advance(seconds(1));
    for (let asked = 0; asked < 10; asked++) assert.equal((await program.get('/organisation')).status, 200);
    assert.equal((await program.get('/organisation')).status, 429);

    const guesser = new Program(portal, `twl_${'0'.repeat(64)}`);
    for (let tries = 0; tries < 30; tries++) assert.equal((await guesser.get('/organisation')).status, 401);
    const paused = await guesser.get('/organisation');
    assert.deepEqual([paused.status, paused.headers['retry-after']], [429, '30']);
    assert.equal((await other.get('/organisation')).status, 200, 'nobody comes upon 256 bits by trying, and a neighbour shuts nobody out');
    guesser.address = '203.0.113.9';
    assert.equal((await guesser.get('/organisation')).status, 401);
    const failures = await portal.world.database.query.selectFrom('audit_events').select('id').where('event', '=', 'authn_api_key_fail').execute();
    assert.equal(failures.length, 31, 'what was not looked at fills no log');
  });
});

forEachPortal((open) => {
  test('a write that is sent again with its Idempotency-Key is done once and answered as it was; another body, caller or day is another matter', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const program = new Program(portal, await makeKey(owner));
    const other = new Program(portal, await makeKey(owner, { name: 'Other' }));
    const guest = portal.newcomer();
    const invitation = { email: guest.email, role: 'member' };
    const send = (by: Program, body: unknown, key = 'sync-1') => by.post('/invitations', body, { 'idempotency-key': key });

    const first = await send(program, invitation);
    const again = await send(program, invitation);
    assert.deepEqual([again.status, again.body, again.headers['idempotency-replayed']], [201, first.body, 'true']);
    assert.equal(first.headers['idempotency-replayed'], undefined);
    assert.equal(guest.mails().length, 1);

    assert.equal(problemOf(await send(program, { ...invitation, role: 'admin' })).code, 'idempotency-key-reused');
    const elsewhere = await program.post(`/invitations/${String(first.json!['id'])}/resend`, undefined, { 'idempotency-key': 'sync-1' });
    assert.equal(problemOf(elsewhere).code, 'idempotency-key-reused');
    assert.equal(guest.mails().length, 1);
    const others = await send(other, invitation);
    assert.deepEqual([others.status, others.headers['idempotency-replayed']], [201, undefined], 'the key of another caller is another key');
    assert.equal(guest.mails().length, 2);

    const refused = await send(program, { email: owner.email, role: 'member' }, 'sync-2');
    assert.equal(problemOf(refused).code, 'conflict');
    assert.equal((await send(program, { email: 'new@example.net', role: 'member' }, 'sync-2')).status, 201, 'what was refused did nothing');
    for (const bad of ['x'.repeat(256), 'a b', 'é']) assert.equal((await send(program, invitation, bad)).status, 400, bad);

    portal.clock.advance(days(1) + 1);
    assert.equal((await send(program, invitation)).headers['idempotency-replayed'], undefined, 'kept for a day');
    const rows = await portal.world.database.query.selectFrom('idempotency_keys').selectAll().execute();
    assert.ok(!JSON.stringify(rows.map(({ answer, ...row }) => ({ ...row, answer: Buffer.from(answer!).toString('latin1') }))).includes(guest.email));
    assert.ok(!JSON.stringify(rows).includes('sync-1'));
    assert.ok((await sweep(portal.world)) > 0);
    assert.equal((await portal.world.database.query.selectFrom('idempotency_keys').select('id').execute()).length, 1);
  });

  test('of many who race with one Idempotency-Key, over two processes, one does it', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const key = await makeKey(owner);
    const guest = portal.newcomer();
    await using world = await portal.world.secondProcess();
    const second = await makeApp(world);
    const request = {
      method: 'POST' as const,
      url: '/api/v1/invitations',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'idempotency-key': 'once' },
      payload: { email: guest.email, role: 'member' },
    };
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? portal.app : second).inject(request)));
    const done = answers.filter(({ statusCode }) => statusCode === 201);
    assert.equal(done.filter(({ headers }) => headers['idempotency-replayed'] === undefined).length, 1);
    assert.equal(new Set(done.map(({ body }) => body)).size, 1);
    for (const { statusCode, body, headers } of answers.filter((one) => !done.includes(one))) {
      assert.deepEqual([statusCode, (JSON.parse(body) as { code: string }).code, headers['retry-after']], [409, 'in-progress', '1']);
    }
    const { query } = portal.world.database;
    assert.equal((await query.selectFrom('audit_events').select('id').where('event', '=', 'organisation_invited').execute()).length, 1);

    // A process that died in the middle: its key is taken for a minute, and for nothing else afterwards.
    await query.updateTable('idempotency_keys').set({ answer: null }).execute();
    portal.clock.advance(minutes(1));
    assert.equal((await portal.app.inject(request)).statusCode, 409);
    portal.clock.advance(1);
    assert.equal((await portal.app.inject({ ...request, payload: { email: guest.email, role: 'admin' } })).statusCode, 422);
    assert.equal((await portal.app.inject(request)).statusCode, 201);
    await second.close();
  });
});
