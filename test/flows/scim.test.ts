// An organisation's own directory keeps its people and groups here, by SCIM, in the shapes that Okta and Entra send.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AppBehindProxy } from '../support/app-behind-proxy.ts';
import { DirectoryClient } from '../support/directory-client.ts';
import { NameServer } from '../support/name-server.ts';
import { confirmIfAsked, foundOrganisation, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { makeKey } from '../support/program-client.ts';
import { verifyDomain } from '../support/single-sign-on.ts';

forEachPortal((open) => {
  let names: NameServer;
  let portal: Portal;
  let owner: Person;
  let directory: DirectoryClient;
  before(async () => {
    names = await NameServer.start();
    portal = await open({ network: { nameServers: [names.address] }, app: { trustedProxies: ['127.0.0.1'] } });
    owner = await foundOrganisation(portal);
    await verifyDomain(owner, names, 'example.com');
    directory = new DirectoryClient(portal, await makeKey(owner, { name: 'Okta', scopes: ['scim'] }));
  });
  after(() => names[Symbol.asyncDispose]());

  const userOf = async (id: string) => (await directory.ask('GET', `/Users/${id}`)).json;

  test('SC-1 what there is, is said; and who has no key, or one for something else, gets nothing', async () => {
    const config = await directory.ask('GET', '/ServiceProviderConfig');
    assert.deepEqual([config.json['patch'], config.json['bulk']], [{ supported: true }, { supported: false, maxOperations: 0, maxPayloadSize: 0 }]);
    assert.deepEqual(await directory.idsOf('/ResourceTypes'), ['User', 'Group']);
    assert.equal((await directory.ask('GET', '/ResourceTypes/User')).json['endpoint'], '/Users');
    const user = 'urn:ietf:params:scim:schemas:core:2.0:User';
    assert.equal((await directory.ask('GET', `/Schemas/${user}`)).json['id'], user);
    assert.equal((await directory.idsOf('/Schemas')).length, 2);
    assert.equal((await directory.ask('GET', '/Schemas/urn:made:up')).status, 404);
    const none = await new DirectoryClient(portal, undefined).ask('GET', '/Users');
    assert.deepEqual([none.status, none.headers['www-authenticate']], [401, 'Bearer realm="api"']);
    const other = new DirectoryClient(portal, await makeKey(owner, { scopes: ['people:read', 'people:write'] }));
    assert.equal((await other.ask('GET', '/Users')).status, 403);
    assert.equal((await other.ask('POST', '/Users', { userName: 'x@example.com' })).status, 403);
  });

  test('SC-2 Okta: looked for, made, changed whole, kept out, let in again', async () => {
    assert.deepEqual(await directory.idsOf('/Users?filter=userName eq "okta@example.com"&startIndex=1&count=100'), []);
    const id = await directory.makeUser('okta@example.com');
    assert.deepEqual(await directory.idsOf('/Users?filter=userName eq "OKTA@example.com"'), [id]);
    const user = await userOf(id);
    assert.deepEqual(
      [user['userName'], user['externalId'], user['displayName'], user['active'], user['emails']],
      ['okta@example.com', 'okta-okta@example.com', 'Ada Lovelace', true, [{ value: 'okta@example.com', type: 'work', primary: true }]],
    );
    assert.match(String((user['meta'] as { location: string }).location), new RegExp(`/scim/v2/Users/${id}$`));
    const { groups: _groups, meta: _meta, ...sent } = user;
    const put = await directory.ask('PUT', `/Users/${id}`, { ...sent, name: { givenName: 'Augusta', familyName: 'King' }, displayName: 'Augusta King' });
    assert.deepEqual([put.status, put.json['displayName'], put.json['active']], [200, 'Augusta King', true]);
    const out = await directory.patch(`/Users/${id}`, { op: 'replace', value: { active: false } });
    assert.deepEqual([out.status, out.json['active']], [200, false]);
    const back = await directory.patch(`/Users/${id}`, { op: 'replace', value: { active: true } });
    assert.equal(back.json['active'], true);
    const twice = await directory.ask('POST', '/Users', { userName: 'okta@example.com', emails: [{ value: 'other@example.com', primary: true }] });
    assert.deepEqual([twice.status, twice.json['scimType']], [409, 'uniqueness']);
  });

  test('SC-2 Entra: operations in capitals, "False" as text, paths with filters, dotted names without a path', async () => {
    const id = await directory.makeUser('entra@example.com', { externalId: '5b2f', active: 'True' });
    assert.deepEqual(await directory.idsOf('/Users?filter=externalId eq "5b2f"'), [id]);
    await directory.patch(
      `/Users/${id}`,
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'entra.new@example.com' },
      { op: 'Add', path: 'name.givenName', value: 'Grace' },
      { op: 'Add', path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', value: 'Navy' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+1 555' },
      { op: 'Replace', value: { displayName: 'Grace Hopper', 'name.familyName': 'Hopper', 'emails[type eq "home"].value': 'home@example.net' } },
    );
    const user = await userOf(id);
    assert.deepEqual(
      [user['displayName'], user['name'], user['emails']],
      [
        'Grace Hopper',
        { formatted: 'Grace Hopper', givenName: 'Grace', familyName: 'Hopper' },
        [{ value: 'entra.new@example.com', type: 'work', primary: true }],
      ],
    );
    const account = async () => ({
      ...(await portal.world.database.query.selectFrom('accounts').select(['name', 'email', 'email_key']).where('id', '=', id).executeTakeFirst()),
    });
    const moved = { name: 'Grace Hopper', email: 'entra.new@example.com', email_key: 'entra.new@example.com' };
    assert.deepEqual(await account(), moved, 'Nobody has got in by the one before yet.');
    assert.equal((await directory.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'False' })).json['active'], false);
    assert.deepEqual(await directory.idsOf('/Users?filter=active eq false and externalId eq "5b2f"'), [id]);
    const renamed = await directory.patch(
      `/Users/${id}`,
      { op: 'Replace', path: 'userName', value: 'grace@example.com' },
      { op: 'Remove', path: 'externalId' },
    );
    assert.deepEqual([renamed.json['userName'], renamed.json['externalId']], ['grace@example.com', undefined]);
    assert.deepEqual(await directory.idsOf('/Users?filter=userName eq "entra@example.com"'), []);
    assert.deepEqual(await account(), moved, 'Where it says an address, that counts, and not the name.');
    assert.equal((await directory.ask('DELETE', `/Users/${id}`)).status, 204);
    assert.equal((await directory.ask('GET', `/Users/${id}`)).status, 404);
  });

  test('SI-7 SC-5 whoever becomes inactive is signed out everywhere at once, and does not get in until they are active again', async () => {
    const id = await directory.makeUser('leaver@example.com');
    const ada = portal.newcomer({ email: 'leaver@example.com' });
    // There is no password yet: one is chosen by a link to the mailbox.
    await ada.openResetLink();
    ada.browser.fill('New password', ada.password);
    await ada.browser.press(ada.browser.page.buttons.find((name) => /password/i.test(name))!);
    const [one, other] = [portal.browser(), portal.browser()];
    await ada.signIn({ browser: one });
    await ada.signIn({ browser: other });
    await directory.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'False' });
    for (const browser of [one, other]) {
      await browser.visit('/account');
      assert.equal(browser.page.path, '/sign-in', 'The next request is refused.');
    }
    await ada.enterPassword(one);
    assert.equal(one.page.status, 403);
    await directory.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'True' });
    await ada.signIn({ browser: one });
    await directory.ask('DELETE', `/Users/${id}`);
    await one.visit('/account');
    assert.equal(one.page.path, '/sign-in');
    assert.deepEqual(await directory.idsOf('/Users?filter=userName eq "leaver@example.com"'), []);
  });

  test('SC-3 people page by page, and by all that can be compared', async () => {
    const members = await Promise.all(
      ['c', 'a', 'b'].map((letter) => directory.makeUser(`page-${letter}@example.com`, { externalId: letter === 'a' ? null : `Page_${letter}` })),
    );
    const [c, a, b] = members;
    const all = async (query: string) => directory.idsOf(`/Users?${query}`);
    assert.deepEqual(await all('filter=userName sw "PAGE-"'), [a, b, c]);
    assert.deepEqual(await all('filter=userName sw "page-"&startIndex=2&count=1'), [b]);
    const page = await directory.ask('GET', '/Users?filter=userName sw "page-"&startIndex=3&count=5&attributes=userName');
    assert.deepEqual([page.json['totalResults'], page.json['startIndex'], page.json['itemsPerPage']], [3, 3, 1]);
    assert.deepEqual(Object.keys((page.json['Resources'] as object[])[0]!).toSorted(), ['id', 'schemas', 'userName']);
    const none = await directory.ask('GET', '/Users?filter=userName sw "page-"&count=0');
    assert.deepEqual([none.json['totalResults'], none.json['Resources']], [3, []]);
    const found: readonly (readonly [string, readonly (string | undefined)[]])[] = [
      ['userName co "AGE-B@"', [b]],
      ['userName ew "age-c@example.com"', [c]],
      ['externalId eq "Page_b"', [b]],
      ['externalId sw "Page_" and not (externalId eq "Page_b")', [c]],
      ['userName sw "page-" and not (externalId eq "Page_b")', [a, c]],
      ['userName sw "page-" and externalId pr', [b, c]],
      ['userName sw "page-" and externalId ne "Page_b"', [a, c]],
      ['userName sw "page-" and userName gt "page-a@example.com"', [b, c]],
      ['emails[type eq "work" and value eq "page-c@example.com"]', [c]],
      ['emails.value eq "page-a@example.com" or id eq "' + b + '"', [a, b]],
      ['userName co "%" or userName co "_"', []],
      ['userName eq "page-a@example.com\' or 1=1 --"', []],
    ];
    for (const [filter, ids] of found) assert.deepEqual(await all(`filter=${encodeURIComponent(filter)}`), ids, filter);
    for (const filter of ['password eq "x"', 'meta.created gt "2020"', 'userName gt 3', 'active gt true', 'userName eq'])
      assert.equal((await directory.ask('GET', `/Users?filter=${encodeURIComponent(filter)}`)).json['scimType'], 'invalidFilter', filter);
    // Whoever joined by another way is found by their own address.
    assert.equal((await all(`filter=userName eq "${owner.email}"`)).length, 1);
  });

  test('SC-6 groups: made, renamed, filled and emptied as Okta and Entra do it; and the apps behind the portal are told', async () => {
    const ada = await joinAs(portal, owner, 'Member');
    const id = (await directory.idsOf(`/Users?filter=userName eq "${ada.email}"`))[0]!;
    const bob = await directory.makeUser('in-group@example.com');
    const made = await directory.ask('POST', '/Groups', { displayName: 'Engineers, all', externalId: 'g-1', members: [{ value: id, display: 'Ada' }] });
    assert.equal(made.status, 201, JSON.stringify(made.json));
    const group = String(made.json['id']);
    const members = async () => ((await directory.ask('GET', `/Groups/${group}`)).json['members'] as { value: string }[]).map(({ value }) => value).toSorted();
    for (const filter of ['displayName eq "ENGINEERS, all"', 'externalId eq "g-1"', `members[value eq "${id}"]`, `id eq "${group}" and members eq "${id}"`])
      assert.deepEqual(await directory.idsOf(`/Groups?filter=${encodeURIComponent(filter)}`), [group], filter);
    assert.deepEqual(await directory.idsOf(`/Groups?filter=${encodeURIComponent(`members[value eq "${bob}"]`)}`), []);
    const [listed] = (await directory.ask('GET', '/Groups?excludedAttributes=members')).json['Resources'] as object[];
    assert.ok(!('members' in listed!));
    assert.deepEqual(
      ((await userOf(id))['groups'] as { value: string; display: string }[]).map(({ value, display }) => [value, display]),
      [[group, 'Engineers, all']],
    );

    assert.equal((await directory.patch(`/Groups/${group}`, { op: 'Add', path: 'members', value: [{ value: bob }] })).status, 204);
    assert.deepEqual(await members(), [id, bob].toSorted());
    await directory.patch(`/Groups/${group}`, { op: 'remove', path: `members[value eq "${bob}"]` });
    assert.deepEqual(await members(), [id]);
    await directory.patch(`/Groups/${group}`, { op: 'Remove', path: 'members', value: [{ value: id }] });
    assert.deepEqual(await members(), []);
    await directory.patch(
      `/Groups/${group}`,
      { op: 'replace', value: { id: group, displayName: 'Engineers, all' } },
      { op: 'replace', path: 'members', value: [{ value: id }, { value: bob }] },
    );
    assert.deepEqual(await members(), [id, bob].toSorted());
    const same = await directory.ask('POST', '/Groups', { displayName: ' engineers, ALL' });
    assert.deepEqual([same.status, same.json['scimType']], [409, 'uniqueness']);

    await owner.browser.visit('/admin/apps/new');
    await confirmIfAsked(owner.browser, owner.password);
    owner.browser.fill('Name', 'Wiki');
    owner.browser.fill('Host', 'wiki.example.org');
    owner.browser.check('Signed in');
    await owner.browser.press('Add app');
    const wiki = new AppBehindProxy(portal, 'http://wiki.example.org');
    await directory.ask('POST', '/Groups', { displayName: 'Owner', members: [{ value: id }] });
    const told = async () => (await wiki.open(ada.browser, '/')).headers['remote-groups'];
    assert.equal(await told(), 'member,Engineers%2C all', 'and no group is a role');
    await directory.patch(`/Groups/${group}`, { op: 'Remove', path: 'members', value: [{ value: id }] });
    assert.equal(await told(), 'member', 'at the next request');
    const put = await directory.ask('PUT', `/Groups/${group}`, { displayName: 'Engineering', members: [{ value: id }] });
    assert.deepEqual([put.status, put.json['displayName'], put.json['externalId']], [200, 'Engineering', undefined]);
    assert.equal(await told(), 'member,Engineering');
    await directory.ask('DELETE', `/Users/${bob}`);
    assert.equal((await directory.ask('DELETE', `/Groups/${group}`)).status, 204);
    assert.equal(await told(), 'member');
    assert.equal((await directory.ask('GET', `/Groups/${group}`)).status, 404);
  });
});
