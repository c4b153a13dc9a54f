// SCIM against whoever has another organisation's key, or a key and bad intentions. No SQL but what test/flows/scim.test.ts runs on both databases.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { DirectoryClient } from '../support/directory-client.ts';
import { NameServer } from '../support/name-server.ts';
import { OpenIdProvider } from '../support/openid-provider.ts';
import { confirmIfAsked, foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import { linkIn, type Person } from '../support/person.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { makeKey } from '../support/program-client.ts';
import { scimRoutesOf } from '../support/routes.ts';
import { readRows } from '../support/rows.ts';
import { connectOpenId, openConsole, signInBy, verifyDomain } from '../support/single-sign-on.ts';
import { accountOf } from './intruder.ts';

const MEMBER = { displayName: 'Herons' };

describe('SCIM, on sqlite', () => {
  let names: NameServer;
  let portal: Portal;
  let owner: Person;
  let directory: DirectoryClient;
  /** Which lets people of example.edu in, and its page in the console. */
  let keycloak: OpenIdProvider;
  let connectionPath: string;
  before(async () => {
    names = await NameServer.start();
    portal = await openPortal({ engine: 'sqlite', network: { nameServers: [names.address] } });
    owner = await foundOrganisation(portal);
    await verifyDomain(owner, names, 'example.com');
    directory = new DirectoryClient(portal, await makeKey(owner, { name: 'Okta', scopes: ['scim'] }));
    keycloak = await OpenIdProvider.start({ now: () => portal.clock.now(), deliver: async () => 200 });
    connectionPath = await connectOpenId(portal, {
      owner,
      provider: keycloak,
      names,
      name: 'Herons Keycloak',
      domain: 'example.edu',
      trusts: { addresses: true },
    });
  });
  after(async () => {
    await portal[Symbol.asyncDispose]();
    await keycloak[Symbol.asyncDispose]();
    await names[Symbol.asyncDispose]();
  });

  /** Everything but what counts and records tries. */
  const state = async () => {
    const rows = await readRows(portal.world.database);
    return Object.fromEntries(Object.entries(rows).filter(([table]) => !/event|limits|api_keys/.test(table)));
  };
  const foundElsewhere = async (person: Person): Promise<void> => {
    const { world } = portal;
    const from = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };
    const { id } = await accountOf(portal, person.email);
    await world.database.transaction((transaction) => createOrganisation(world, transaction, { name: 'Elsewhere', owner: id, from }));
  };
  const idOf = async (person: Person): Promise<string> => (await accountOf(portal, person.email)).id;

  test('SC-7 attack: another organisation’s key sees none of these people and groups, and changes none', async () => {
    const id = await directory.makeUser('theirs@example.com');
    const group = String((await directory.ask('POST', '/Groups', { ...MEMBER, members: [{ value: id }] })).json['id']);
    const stranger = await portal.newcomer().join();
    await foundElsewhere(stranger);
    const intruder = new DirectoryClient(portal, await makeKey(stranger, { scopes: ['scim'] }));
    const before_ = await state();
    for (const [method, path, body] of [
      ['GET', `/Users/${id}`, undefined],
      ['PUT', `/Users/${id}`, { userName: 'x@example.com', active: false }],
      ['PATCH', `/Users/${id}`, { Operations: [{ op: 'replace', path: 'active', value: false }] }],
      ['DELETE', `/Users/${id}`, undefined],
      ['GET', `/Groups/${group}`, undefined],
      ['PUT', `/Groups/${group}`, MEMBER],
      ['PATCH', `/Groups/${group}`, { Operations: [{ op: 'remove', path: 'members' }] }],
      ['DELETE', `/Groups/${group}`, undefined],
      ['GET', '/Users/..%2fUsers', undefined],
    ] as const)
      assert.equal((await intruder.ask(method, path, body)).status, 404, `${method} ${path}`);
    assert.deepEqual(await intruder.idsOf('/Groups'), []);
    assert.deepEqual(await intruder.idsOf('/Users?filter=userName eq "theirs@example.com"'), []);
    const foreign = await intruder.ask('POST', '/Groups', { displayName: 'Mine', members: [{ value: id }] });
    assert.deepEqual([foreign.status, foreign.json['scimType']], [400, 'invalidValue']);
    assert.equal((await intruder.ask('POST', '/Users', { userName: 'new@example.com' })).status, 400, 'a domain that is another’s');
    assert.deepEqual(await state(), before_);
  });

  test('SC-5 attack: the owner, and whoever made the key, are not kept out, and nobody’s role grows', async () => {
    const admin = await joinAs(portal, owner, 'Admin');
    const byAdmin = new DirectoryClient(portal, await makeKey(admin, { scopes: ['scim'] }));
    const before_ = await state();
    for (const [who, client] of [
      [owner, byAdmin],
      [owner, directory],
      [admin, byAdmin],
    ] as const) {
      const id = await idOf(who);
      for (const refused of [await client.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'False' }), await client.ask('DELETE', `/Users/${id}`)])
        assert.equal(refused.status, 403, JSON.stringify(refused.json));
      assert.match(
        String((await client.ask('DELETE', `/Users/${id}`)).json['detail']),
        who === owner && client === byAdmin ? /owner/ : /in the name of this very person/,
      );
    }
    assert.deepEqual(await state(), before_);
    const grown = {
      roles: [{ value: 'owner', primary: true }],
      entitlements: [{ value: 'admin' }],
      role: 'owner',
      userType: 'admin',
      password: 'correct horse battery',
      groups: [{ value: 'x' }],
    };
    const id = await directory.makeUser('grower@example.com', grown);
    await directory.patch(`/Users/${id}`, { op: 'Add', path: 'roles[primary eq true].value', value: 'owner' }, { op: 'replace', value: grown });
    await directory.ask('PUT', `/Users/${id}`, { userName: 'grower@example.com', ...grown });
    const row = await portal.world.database.query.selectFrom('memberships').select('role').where('account_id', '=', id).executeTakeFirstOrThrow();
    assert.equal(row.role, 'member');
    const browser = portal.browser();
    await portal.newcomer({ email: 'grower@example.com', password: 'correct horse battery' }).enterPassword(browser);
    assert.equal(browser.page.status, 401, 'No password comes from a directory.');
    // An admin goes: the directory may say so, and gives nobody their place.
    const leaver = await joinAs(portal, owner, 'Admin');
    assert.equal((await directory.patch(`/Users/${await idOf(leaver)}`, { op: 'Replace', path: 'active', value: 'False' })).status, 200);
    await leaver.browser.visit('/admin/people');
    assert.equal(leaver.browser.page.path, '/sign-in');
  });

  test('SI-1 attack: an account that was there is not taken by writing its address into a directory', async () => {
    const ada = await portal.newcomer({ email: 'there-first@example.com' }).join();
    const before_ = await state();
    const refused = await directory.ask('POST', '/Users', { userName: ada.email, active: false });
    assert.deepEqual([refused.status, /Invite the person/.test(String(refused.json['detail']))], [409, true]);
    // Nor by an alias of the name, nor by another address beside it.
    assert.equal((await directory.ask('POST', '/Users', { userName: 'alias', emails: [{ value: ada.email, primary: true }] })).status, 409);
    for (const userName of [
      'nobody@example.net',
      'nobody@sub.example.com',
      'nobody@example.com.example.net',
      'no address',
      'a@example.com, b@example.net',
      'x@EXAMPLE.com\r\nBcc: y@example.net',
    ])
      assert.equal((await directory.ask('POST', '/Users', { userName })).status, 400, userName);
    assert.deepEqual(await state(), before_);
    await ada.signIn({ browser: portal.browser() });
  });

  test('SC-7 attack: the userName of another is nobody’s to take, in whatever case', async () => {
    const [one, other] = [await directory.makeUser('first@example.com'), await directory.makeUser('second@example.com')];
    for (const userName of ['first@example.com', 'FIRST@example.com', ` ${owner.email} `]) {
      const refused = await directory.patch(`/Users/${other}`, { op: 'Replace', path: 'userName', value: userName });
      assert.deepEqual([refused.status, refused.json['scimType']], [409, 'uniqueness'], userName);
    }
    assert.deepEqual(await directory.idsOf('/Users?filter=userName eq "first@example.com"'), [one]);
  });

  test('SC-3 attack: filters, bodies and operations that are broken or without end are refused with what is wrong', async () => {
    const id = await directory.makeUser('patched@example.com');
    const before_ = await state();
    const typeOf = async (said: Promise<{ status: number; json: Readonly<Record<string, unknown>> }>) => {
      const { status, json } = await said;
      return [status, json['scimType']];
    };
    const filterOf = (text: string) => directory.ask('GET', `/Users?filter=${encodeURIComponent(text)}`);
    for (const text of [
      '('.repeat(1000),
      `${'('.repeat(9)}id eq "x"${')'.repeat(9)}`,
      Array.from({ length: 31 }, () => 'id eq "x"').join(' or '),
      'id eq "x" or',
      'name.x.y eq 1',
    ])
      assert.deepEqual(await typeOf(filterOf(text)), [400, 'invalidFilter'], text.slice(0, 40));
    for (const query of ['startIndex=x', 'count=1e3', 'startIndex=99999999999'])
      assert.deepEqual(await typeOf(directory.ask('GET', `/Users?${query}`)), [400, 'invalidValue']);
    assert.equal((await directory.ask('GET', '/Users?startIndex=-5&count=-1')).json['totalResults'] !== undefined, true);
    const path = `/Users/${id}`;
    const many = (count: number) => Array.from({ length: count }, () => ({ op: 'replace', path: 'displayName', value: 'x' }));
    const refusals: readonly (readonly [unknown, number, string | undefined])[] = [
      ['{"Operations":', 400, 'invalidSyntax'],
      ['{"Operations":[],"Operations":[]}', 400, 'invalidSyntax'],
      [`${'['.repeat(5000)}${']'.repeat(5000)}`, 400, 'invalidSyntax'],
      [[], 400, 'invalidSyntax'],
      [{ Operations: 'replace' }, 400, 'invalidSyntax'],
      [{ Operations: [{ op: 'move', path: 'active', value: false }] }, 400, 'invalidSyntax'],
      [{ Operations: [{ op: 'replace', path: 7, value: false }] }, 400, 'invalidSyntax'],
      [{ Operations: [{ op: 'replace', value: false }] }, 400, 'invalidSyntax'],
      [{ Operations: [{ op: 'replace', path: 'active', value: 'perhaps' }] }, 400, 'invalidValue'],
      [{ Operations: [{ op: 'replace', path: 'active', value: 0 }] }, 400, 'invalidValue'],
      [{ Operations: [{ op: 'replace', path: 'a[', value: false }] }, 400, 'invalidPath'],
      [{ Operations: [{ op: 'remove' }] }, 400, 'noTarget'],
      [{ Operations: [{ op: 'remove', path: 'userName' }] }, 400, 'mutability'],
      [{ Operations: [{ op: 'replace', path: 'displayName', value: { a: 1 } }] }, 400, 'invalidValue'],
      [{ Operations: [{ op: 'replace', path: 'displayName', value: 'x'.repeat(300) }] }, 400, 'invalidValue'],
      [{ Operations: [{ op: 'replace', value: { __proto__: null, constructor: 'x', displayName: 'a\nb' } }] }, 400, 'invalidValue'],
      [{ Operations: many(101) }, 400, 'tooMany'],
      [JSON.stringify({ Operations: many(1), padding: 'x'.repeat(300_000) }), 413, undefined],
    ];
    for (const [body, status, scimType] of refusals)
      assert.deepEqual(await typeOf(directory.ask('PATCH', path, body)), [status, scimType], JSON.stringify(body).slice(0, 80));
    assert.equal((await directory.ask('PATCH', path, '{}', { 'content-type': 'text/plain' })).status, 415);
    assert.equal((await directory.ask('POST', '/Bulk', {})).status, 404);
    assert.equal((await directory.ask('DELETE', '/Users')).status, 405);

    const group = String((await directory.ask('POST', '/Groups', { displayName: 'Bounded' })).json['id']);
    const members = Array.from({ length: 1001 }, (_, index) => ({ value: `id-${index}` }));
    assert.deepEqual(await typeOf(directory.patch(`/Groups/${group}`, { op: 'add', path: 'members', value: members })), [400, 'tooMany']);
    assert.deepEqual(await typeOf(directory.patch(`/Groups/${group}`, { op: 'add', path: 'members', value: [{ value: id }, { value: 'nobody' }] })), [
      400,
      'invalidValue',
    ]);
    assert.deepEqual(await typeOf(directory.patch(`/Groups/${group}`, { op: 'add', path: 'members', value: { value: { $ne: 1 } } })), [400, 'invalidValue']);
    assert.deepEqual((await directory.ask('GET', `/Groups/${group}`)).json['members'], [], 'All of it, or nothing.');
    await directory.ask('DELETE', `/Groups/${group}`);
    assert.deepEqual(await state(), before_);
  });

  test('SC-1 attack: nothing at all is answered without a key, whatever cookies come with it', async () => {
    const routes = scimRoutesOf(portal.app);
    assert.equal(routes.length, 17, 'Every one of them; a new one is counted here.');
    const cookie = `twinlock-session=${owner.browser.cookies.get('twinlock-session')}`;
    const stranger = new DirectoryClient(portal, undefined);
    for (const { method, path } of routes) {
      const asked = await stranger.ask(method as 'GET', path.replace('/scim/v2', '').replace(':id', 'x'), method === 'GET' ? undefined : '{"broken":', {
        cookie,
      });
      assert.equal(asked.status, 401, `${method} ${path}`);
    }
  });

  test('SC-7 attack: a key of an auditor, one that is revoked, and a page of another site', async () => {
    await owner.browser.visit('/admin/api-keys/new');
    await assert.rejects(makeKey(owner, { role: 'Auditor', scopes: ['scim'] }), /No key was shown/);
    const crossing = await directory.ask(
      'POST',
      '/Users',
      { userName: 'cross@example.com' },
      { origin: 'https://evil.example.net', 'sec-fetch-site': 'cross-site' },
    );
    assert.equal(crossing.status, 403);
    const leaver = await joinAs(portal, owner, 'Admin');
    const byLeaver = new DirectoryClient(portal, await makeKey(leaver, { scopes: ['scim'] }));
    assert.equal((await byLeaver.ask('GET', '/Users?count=1')).status, 200);
    await directory.patch(`/Users/${await idOf(leaver)}`, { op: 'Replace', path: 'active', value: false });
    assert.equal((await byLeaver.ask('GET', '/Users?count=1')).status, 401);
  });

  test('SI-1 an account that was there joins where the owner believes the provider’s addresses, and is told; one of another organisation does not', async () => {
    await using provider = await OpenIdProvider.start({ now: () => portal.clock.now(), deliver: async () => 200 });
    const ada = await portal.newcomer({ email: 'there-first@example.net' }).join();
    const bob = await portal.newcomer({ email: 'elsewhere@example.net' }).join();
    await foundElsewhere(bob);
    await connectOpenId(portal, { owner, provider, names, domain: 'example.net', trusts: { addresses: true } });
    assert.equal(await directory.makeUser(ada.email), await idOf(ada));
    assert.match(ada.newestMail().subject, /^You now belong to Herons Ltd$/);
    await ada.signIn({ browser: portal.browser() });
    assert.equal((await directory.ask('POST', '/Users', { userName: bob.email })).status, 409);
  });

  describe('SC-8 a name and an address that the directory changes', () => {
    const own = async (id: string) => ({
      ...(await portal.world.database.query.selectFrom('accounts').select(['name', 'email']).where('id', '=', id).executeTakeFirstOrThrow()),
    });
    const call = async (id: string, email: string, name: string) => {
      const said = await directory.patch(`/Users/${id}`, { op: 'Replace', value: { 'emails[type eq "work"].value': email, displayName: name } });
      assert.equal(said.status, 200, JSON.stringify(said.json));
      assert.deepEqual(said.json['emails'], [{ value: email, type: 'work', primary: true }], 'It is kept as it was sent, whatever becomes of the account.');
      return own(id);
    };
    const makeAdmin = async (email: string): Promise<void> => {
      await openConsole(owner, '/admin/people');
      await openPerson(owner, email);
      owner.browser.fill('Role', 'Admin');
      await owner.browser.press('Change role');
      await confirmIfAsked(owner.browser, owner.password);
    };
    /** Somebody whom the provider lets in. */
    const arrive = async (email: string) => {
      keycloak.account({ email });
      const person = portal.newcomer({ email });
      await signInBy(person.browser, keycloak, { email });
      assert.equal(person.browser.page.path, '/account', person.browser.page.text);
      return { person, id: await idOf(person) };
    };

    test('whom the provider alone lets in is called as the directory says, and gets mail there; both addresses are told, and links to the old one serve no more', async () => {
      const { person, id } = await arrive('ada@example.edu');
      const asking = portal.browser();
      await asking.visit('/forgot-password');
      asking.fill('Email', person.email);
      await asking.press('Send the link');
      const link = person.newestMail().text;
      assert.deepEqual(await call(id, 'ada.king@example.edu', 'Ada King'), { name: 'Ada King', email: 'ada@example.edu' }, 'A password would open it.');
      await openConsole(owner, connectionPath);
      await owner.browser.press('Require it');
      await directory.patch(`/Users/${id}`, { op: 'Replace', path: 'emails[type eq "work"].value', value: 'ada@example.edu' });
      assert.deepEqual(await call(id, 'ada.king@example.edu', 'Ada King'), { name: 'Ada King', email: 'ada.king@example.edu' });
      for (const address of ['ada@example.edu', 'ada.king@example.edu'])
        assert.match(person.newestMail(address).subject, /^Your address for Example was changed by Herons Ltd$/, address);
      const late = portal.browser();
      await late.visit(linkIn(link));
      await late.press('Continue');
      assert.ok(!late.page.has('New password'), late.page.text);
      assert.ok((await person.browser.visit('/account')).has('ada.king@example.edu'), 'whoever is in stays in');
      const again = portal.browser();
      await signInBy(again, keycloak, { email: 'ada@example.edu' });
      assert.equal(again.page.path, '/account', 'It is the provider’s name for her that counts.');
    });

    test('attack: an address of another domain, of somebody else, or none at all', async () => {
      const { id } = await arrive('bob@example.edu');
      await arrive('carl@example.edu');
      for (const [index, email] of ['bob@evil.example', 'carl@example.edu', 'bob@example.com', 'bob'].entries())
        assert.deepEqual(await call(id, email, `Bob the ${index}`), { name: `Bob the ${index}`, email: 'bob@example.edu' }, email);
    });

    test('attack: whoever writes the directory moves nobody with a role, or a password of ours, to a mailbox that they read, nor calls the owner otherwise', async () => {
      const { id } = await arrive('dora@example.edu');
      await makeAdmin('dora@example.edu');
      assert.deepEqual(await call(id, 'eve@example.edu', 'Dora the admin'), { name: 'Dora the admin', email: 'dora@example.edu' });
      const member = await joinAs(portal, owner, 'Member', portal.newcomer({ email: 'by-password@example.com' }));
      assert.deepEqual(await call(await idOf(member), 'eve@example.com', 'Called otherwise'), { name: 'Called otherwise', email: 'by-password@example.com' });
      const [mine] = await directory.idsOf(`/Users?filter=userName eq "${owner.email}"`);
      assert.deepEqual(await call(mine!, 'eve@example.com', 'Nobody'), { name: owner.name, email: owner.email });
      const made = await directory.makeUser('unused@example.com');
      await makeAdmin('unused@example.com');
      assert.equal((await call(made, 'eve@example.com', 'Unused')).email, 'unused@example.com');
    });

    test('attack: of somebody who belongs to another organisation too nothing changes but what this one calls them', async () => {
      const { person, id } = await arrive('finn@example.edu');
      await foundElsewhere(person);
      const before_ = await own(id);
      assert.deepEqual(await call(id, 'eve@example.edu', 'Eve'), before_);
    });
  });
});
