// API keys, from the page that makes one to the page that revokes it, and what a program does with one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sweep } from '../../src/sweep.ts';
import { days, minutes } from '../../src/platform/durations.ts';
import { accountOf } from '../attacks/intruder.ts';
import { AppBehindProxy } from '../support/app-behind-proxy.ts';
import { askForReset, issueBypassCode } from '../support/lost-phone.ts';
import { confirmIfAsked, foundOrganisation, invitationPath, joinAs } from '../support/organisation.ts';
import { forEachPortal } from '../support/portal.ts';
import { Receiver } from '../support/receiver.ts';
import { makeKey, problemOf, Program } from '../support/program-client.ts';

interface PersonJson {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly twoFactor: string;
  readonly kinds: readonly string[];
  readonly methods?: readonly { readonly kind: string }[];
  readonly setUpBy?: string | null;
  readonly sessions?: readonly { openedAt: string; lastUsedAt: string; userAgent: string; address: string | null }[];
}

forEachPortal((open) => {
  test('a key is made with a fresh proof, shown once, told to the owner, and works until it is revoked', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const admin = await joinAs(portal, owner, 'Admin');
    portal.clock.advance(minutes(11));
    await admin.browser.visit('/admin/api-keys/new');
    assert.equal(admin.browser.page.heading, 'Confirm that it’s you');
    await confirmIfAsked(admin.browser, admin.password);

    admin.browser.fill('Name', 'HR sync');
    admin.browser.fill('Days until it expires', '0');
    await admin.browser.press('Create API key');
    assert.equal(admin.browser.page.status, 422);
    assert.ok(admin.browser.page.has('Choose at least one thing that the key may do.'));
    assert.equal(admin.browser.page.value('Name'), 'HR sync');
    const key = await makeKey(admin, { name: 'HR sync', role: 'Auditor', scopes: ['people:read'], days: 30 });
    assert.equal(admin.browser.page.heading, 'Your new API key');
    const told = owner.newestMail();
    assert.match(told.subject, /^An API key was made for Herons Ltd$/);
    assert.match(told.text, /“HR sync”[^]*acts as auditor until 4 March 2027[^]*people:read/);
    assert.ok(!told.text.includes(key) && !admin.newestMail().text.includes(key));

    const program = new Program(portal, key);
    const { json } = await program.get('/organisation');
    assert.deepEqual([json!['name'], (json!['key'] as { name: string }).name], ['Herons Ltd', 'HR sync']);
    await owner.browser.visit('/admin/api-keys');
    assert.ok(owner.browser.page.has('Last used 2 February 2027'));
    assert.ok(!owner.browser.page.body.includes(key));

    await owner.browser.press('Revoke HR sync');
    await confirmIfAsked(owner.browser, owner.password);
    await owner.browser.press('Revoke HR sync');
    assert.ok(owner.browser.page.has('The API key is revoked.'), owner.browser.page.text);
    assert.match(admin.newestMail().subject, /^An API key of Herons Ltd was revoked$/);
    assert.equal(problemOf(await program.get('/organisation')).code, 'unauthorized');
  });

  test('people: page by page, searched and narrowed down as in the console, and one of them whole', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const members = [await joinAs(portal, owner, 'Member'), await joinAs(portal, owner, 'Auditor'), await joinAs(portal, owner, 'Member')];
    await members[0]!.enableByApp();
    const program = new Program(portal, await makeKey(owner, { scopes: ['people:read'] }));
    const list = async (query: string) => (await program.get(`/people?${query}`)).json as unknown as { people: PersonJson[]; next: string | null };

    const paged: string[] = [];
    for (let next: string | null = ''; next !== null;) {
      const page = await list(`limit=3${next === '' ? '' : `&cursor=${next}`}`);
      paged.push(...page.people.map(({ email }) => email));
      next = page.next;
    }
    assert.deepEqual(paged, [owner, ...members].map(({ email }) => email).toSorted());
    assert.deepEqual(
      (await list('role=auditor')).people.map(({ email }) => email),
      [members[1]!.email],
    );
    const [protectedOne, ...none] = (await list('twoFactor=on')).people;
    assert.deepEqual([protectedOne!.email, none.length, protectedOne!.twoFactor], [members[0]!.email, 0, 'on']);
    assert.deepEqual(
      (await list(`search=${members[2]!.email.slice(0, 5).toUpperCase()}`)).people.map(({ email }) => email),
      [members[2]!.email],
    );
    const whole = (await program.get(`/people/${protectedOne!.id}`)).json as unknown as PersonJson;
    assert.deepEqual(whole.methods!.map(({ kind }) => kind).includes(protectedOne!.kinds[0]!), true);
    assert.equal(whole.setUpBy, null);
    const { browser } = members[0]!;
    assert.deepEqual(
      whole.sessions!.map(({ userAgent, address }) => [userAgent, address]),
      [[browser.userAgent, browser.address]],
    );
    const overview = (await program.get('/overview')).json as unknown as { people: number; protected: number; methods: { kind: string; people: number }[] };
    assert.deepEqual([overview.people, overview.protected, overview.methods], [4, 1, [{ kind: protectedOne!.kinds[0], people: 1 }]]);
  });

  test('what a program does to people is done, told to them with the name of the key, and recorded as the key’s', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const bob = await joinAs(portal, owner, 'Member');
    const { id } = await accountOf(portal, bob.email);
    const program = new Program(portal, await makeKey(owner));

    const changed = await program.post(`/people/${id}/role`, { role: 'auditor', from: 'member' });
    assert.deepEqual([changed.status, changed.json!['role']], [200, 'auditor']);
    assert.match(bob.newestMail().text, /by the API key “HR sync”\) changed your role in Herons Ltd. You are now: auditor\./);
    const late = problemOf(await program.post(`/people/${id}/role`, { role: 'admin', from: 'member' }));
    assert.deepEqual([late.status, late.code], [409, 'conflict']);

    assert.equal((await program.post(`/people/${id}/end-sessions`)).status, 204);
    assert.equal((await bob.browser.visit('/account')).path, '/sign-in');
    assert.equal((await program.delete(`/people/${id}`)).status, 204);
    assert.equal((await program.get(`/people/${id}`)).status, 404);

    const { query } = portal.world.database;
    const { id: keyId } = await query.selectFrom('api_keys').select('id').executeTakeFirstOrThrow();
    const events = await query
      .selectFrom('audit_events')
      .select(['event', 'user_agent', 'details'])
      .where('user_agent', '=', 'sync/1.0')
      .orderBy('at')
      .execute();
    assert.deepEqual(events.map(({ event }) => event).toSorted(), ['organisation_member_removed', 'privilege_permissions_changed', 'session_ended']);
    for (const { details } of events) assert.equal((JSON.parse(details) as { by: string }).by, `key ${keyId}`);
  });

  test('invitations: sent, listed page by page, sent again, accepted by the link in the mail, and taken back', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const program = new Program(portal, await makeKey(owner));
    const guests = [portal.newcomer(), portal.newcomer(), portal.newcomer()];
    const ids: string[] = [];
    for (const { email } of guests) {
      const sent = await program.post('/invitations', { email, role: 'member' });
      assert.equal(sent.status, 201);
      ids.push(String(sent.json!['id']));
    }
    assert.match(guests[0]!.newestMail().text, new RegExp(`^${owner.email.replaceAll('.', '\\.')} invites you`, 'm'));
    const again = await program.post('/invitations', { email: guests[1]!.email, role: 'auditor' });
    assert.deepEqual([again.json!['id'], again.json!['role']], [ids[1], 'auditor'], 'the newer takes the place of the older');

    type Page = { invitations: { id: string; email: string }[]; next: string | null };
    const first = (await program.get('/invitations?limit=2')).json as unknown as Page;
    const second = (await program.get(`/invitations?limit=2&cursor=${first.next}`)).json as unknown as Page;
    assert.deepEqual(
      [...first.invitations, ...second.invitations].map(({ email }) => email),
      guests.map(({ email }) => email).toSorted(),
    );
    assert.equal(second.next, null);

    portal.clock.advance(days(8));
    const resent = await program.post(`/invitations/${ids[0]}/resend`);
    assert.deepEqual([resent.status, resent.json!['expiresAt']], [200, '2027-02-17T09:00:00.000Z']);
    await guests[0]!.join();
    await guests[0]!.browser.visit(invitationPath(guests[0]!));
    await guests[0]!.browser.press('Accept');
    assert.equal(guests[0]!.browser.page.path, '/account');
    assert.equal(problemOf(await program.post('/invitations', { email: guests[0]!.email, role: 'member' })).code, 'conflict');
    assert.equal((await program.delete(`/invitations/${ids[2]}`)).status, 204);
    assert.equal((await program.delete(`/invitations/${ids[2]}`)).status, 404);
  });

  test('a key ends at its time, rests while its maker may make none, and goes with them', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const [ada, bob] = [await joinAs(portal, owner, 'Admin'), await joinAs(portal, owner, 'Admin')];
    const [short, adas, bobs] = [
      new Program(portal, await makeKey(owner, { name: 'Short', days: 1 })),
      new Program(portal, await makeKey(ada, { name: 'Ada’s' })),
      new Program(portal, await makeKey(bob, { name: 'Bob’s' })),
    ];
    const owners = new Program(portal, await makeKey(owner, { name: 'Owner’s' }));
    const [adaId, bobId] = [(await accountOf(portal, ada.email)).id, (await accountOf(portal, bob.email)).id];
    portal.clock.advance(days(1) - 1);
    for (const program of [short, adas, bobs, owners]) assert.equal((await program.get('/organisation')).status, 200);
    portal.clock.advance(1);
    const expired = await short.get('/organisation');
    assert.match(String(expired.json!['detail']), /has expired/);

    await owners.post(`/people/${adaId}/role`, { role: 'auditor' });
    assert.equal(problemOf(await adas.get('/people')).code, 'unauthorized');
    await owner.browser.visit('/admin/api-keys');
    assert.ok(owner.browser.page.has('rests: its maker may make none now'));
    assert.ok(owner.browser.page.has('Worked until 3 February 2027'));
    await owners.post(`/people/${bobId}/suspend`);
    assert.equal(problemOf(await bobs.get('/people')).code, 'unauthorized', 'whoever is suspended reads nothing by a key either');
    await owners.post(`/people/${bobId}/resume`);
    assert.equal((await bobs.get('/people')).status, 200);
    await owners.delete(`/people/${bobId}`);
    assert.equal(problemOf(await bobs.get('/people')).code, 'unauthorized');
    const left = await portal.world.database.query.selectFrom('api_keys').select('name').orderBy('name').execute();
    assert.deepEqual(left.map(({ name }) => name).toSorted(), ['Ada’s', 'Owner’s', 'Short']);
    portal.clock.advance(days(31));
    await sweep(portal.world);
    const kept = await portal.world.database.query.selectFrom('api_keys').select('name').orderBy('name').execute();
    assert.deepEqual(kept.map(({ name }) => name).toSorted(), ['Ada’s', 'Owner’s'], 'what ended a month ago is shown no longer');
  });
});

interface EventJson {
  readonly id: string;
  readonly event: string;
  readonly sentence: string;
  readonly by: { readonly kind: string; readonly key: string | null };
  readonly account: { readonly email: string } | null;
}

forEachPortal((open) => {
  test('the audit log: listed page by page, narrowed down, one event whole, and taken along as JSON Lines, which is recorded', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const bob = await joinAs(portal, owner, 'Member');
    const program = new Program(portal, await makeKey(owner, { role: 'Auditor', scopes: ['audit:read'] }));
    const list = async (query: string) => (await program.get(`/audit/events?${query}`)).json as unknown as { events: EventJson[]; next: string | null };

    const paged: string[] = [];
    for (let next: string | null = ''; next !== null;) {
      const page = await list(`limit=3${next === '' ? '' : `&cursor=${next}`}`);
      paged.push(...page.events.map(({ id }) => id));
      next = page.next;
    }
    portal.clock.advance(1);
    const exported = await program.get('/audit/export');
    assert.match(String(exported.headers['content-type']), /^application\/jsonl/);
    const lines = exported.body.trimEnd().split('\n');
    const taken = lines.map((line) => JSON.parse(line) as EventJson);
    assert.equal(taken[0]!.event, 'organisation_audit_exported');
    assert.equal(taken[0]!.by.kind, 'key');
    assert.deepEqual(
      taken.slice(1).map(({ id }) => id),
      paged,
    );

    const [joined, ...none] = (await list('group=people&search=' + bob.email)).events.filter(({ event }) => event === 'organisation_joined');
    assert.deepEqual([joined!.account!.email, joined!.sentence, none.length], [bob.email, 'Joined as a member', 0]);
    assert.deepEqual((await program.get(`/audit/events/${joined!.id}`)).json, { ...joined });
    assert.deepEqual((await list('to=2027-02-01')).events, []);
    for (const query of ['from=2027-02-30', 'from=yesterday', 'group=secrets', 'result=won', `person=${'x'.repeat(65)}`])
      assert.equal((await program.get(`/audit/events?${query}`)).status, 422, query);
  });

  test('the policy: looked at first, told to people, saved over the version that was seen and no other, and put back', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const bob = await joinAs(portal, owner, 'Member');
    const program = new Program(portal, await makeKey(owner, { scopes: ['policy:read', 'policy:write'] }));
    const seen = await program.get('/policy');
    const { rules } = seen.json as { rules: Record<string, unknown> };
    assert.equal(seen.json!['version'], 0);
    assert.equal((await program.get('/policy', { 'if-none-match': String(seen.headers['etag']) })).status, 304);

    const wanted = { ...rules, twoFactor: 'required', graceDays: 7 };
    const preview = await program.post('/policy/previews', { rules: wanted });
    assert.equal(preview.status, 201);
    const { id, effect, differences } = preview.json as {
      id: string;
      effect: { people: number; after: Record<string, number> };
      differences: { label: string }[];
    };
    assert.deepEqual([effect.people, effect.after['sets-up-later'], differences.length], [2, 2, 2]);
    const people = (await program.get(`/policy/previews/${id}/people?outcome=sets-up-later&limit=1`)).json as unknown as {
      people: { email: string }[];
      next: string;
    };
    const rest = (await program.get(`/policy/previews/${id}/people?outcome=sets-up-later&limit=1&cursor=${people.next}`)).json as unknown as typeof people;
    assert.deepEqual(
      [...people.people, ...rest.people].map(({ email }) => email),
      [owner.email, bob.email].toSorted(),
    );
    assert.deepEqual((await program.post(`/policy/previews/${id}/announce`)).json, { people: 2 });
    assert.equal((await program.post(`/policy/previews/${id}/announce`)).status, 409);
    assert.ok(bob.mails().length > 0);

    const put = (body: unknown, ifMatch?: string) => program.ask('PUT', '/policy', body, ifMatch === undefined ? {} : { 'if-match': ifMatch });
    const etag = String(seen.headers['etag']);
    assert.equal(problemOf(await put({ rules: wanted, reason: 'Insurance' })).code, 'precondition-required');
    for (const stale of ['"7"', 'W/"0-"', 'x', ''])
      assert.equal(problemOf(await put({ rules: wanted, reason: 'Insurance' }, stale)).code, 'precondition-failed', stale);
    const wrong = {
      ...wanted,
      graceDays: 400,
      proofMinutes: 0,
      counting: [],
      rollOut: { kind: 'people', emails: ['nobody@example.net'] },
      emailDomains: ['no domain!'],
    };
    const mistakes = problemOf(await put({ rules: wrong, reason: 'Insurance' }, etag)).errors!.map(({ pointer }) => String(pointer));
    assert.deepEqual(
      mistakes.toSorted(),
      ['counting', 'emailDomains', 'graceDays', 'proofMinutes', 'rollOut/emails'].map((field) => `#/rules/${field}`),
    );
    assert.equal((await put({ rules: wanted, reason: '  ' }, etag)).status, 422);
    assert.equal((await program.get('/policy')).json!['version'], 0, 'nothing of all that did anything');

    const saved = await program.post(`/policy/previews/${id}/save`, { reason: 'Insurance' });
    assert.deepEqual([saved.status, saved.json!['version'], saved.headers['etag']], [200, 1, '"1"']);
    assert.equal((await program.get(`/policy/previews/${id}`)).status, 404, 'used up');
    assert.equal(problemOf(await put({ rules, reason: 'Late' }, etag)).code, 'precondition-failed');
    const replaced = await put({ rules: { ...wanted, graceDays: 14 }, reason: 'More time' }, '"1"');
    assert.deepEqual([replaced.status, replaced.headers['etag']], [200, '"2"']);
    const restored = await program.post('/policy/versions/1/restore', undefined, { 'if-match': '"2"' });
    assert.deepEqual([restored.status, (restored.json!['rules'] as { graceDays: number }).graceDays, restored.headers['etag']], [200, 7, '"3"']);
    assert.equal((await program.post('/policy/versions/99/restore', undefined, { 'if-match': '"3"' })).status, 404);
    const { versions } = (await program.get('/policy/versions')).json as unknown as { versions: { version: number; reason: string; changedBy: string }[] };
    assert.deepEqual(
      versions.map(({ reason }) => reason),
      ['Back to version 1', 'More time', 'Insurance', ''],
    );
    assert.deepEqual([versions.at(-1)!.version, versions.at(-1)!.changedBy], [0, null], 'what held before');
    const back = await program.post('/policy/versions/0/restore', undefined, { 'if-match': '"3"' });
    assert.deepEqual([back.status, (back.json!['rules'] as { twoFactor: string }).twoFactor], [200, 'optional']);
    assert.equal((await program.post('/policy/versions/1/restore', undefined, { 'if-match': '"4"' })).status, 200);
    assert.match(versions[0]!.changedBy, /^key [\w-]+$/);
    assert.ok((await owner.browser.visit('/admin/policy')).has('by the API key “HR sync”: “More time”'));
    assert.ok((await owner.browser.visit('/admin/audit?group=policy')).has('by the API key “HR sync”'), owner.browser.page.text);

    portal.clock.advance(days(8));
    await bob.enterPassword();
    assert.match(bob.browser.page.path, /^\/sign-in\/set-up/, 'it is in force');
  });

  test('apps: put behind the portal, read, asked which rule an address meets, changed over the version that was seen and no other, and taken out', async () => {
    const portal = await open({ app: { trustedProxies: ['127.0.0.1'] } });
    const owner = await foundOrganisation(portal);
    const program = new Program(portal, await makeKey(owner, { scopes: ['apps:read', 'apps:write'] }));
    const rule = { path: '/admin', methods: ['GET', 'POST'], need: 'two-factor', roles: ['owner'], withinMinutes: 10 };
    const wanted = { name: 'Wiki', rules: [rule], otherwise: 'open' };
    for (const [wrong, pointer] of [
      [{ name: ' ' }, '#/name'],
      [{ host: 'wiki' + '.'.repeat(2) }, '#/host'],
      [{ host: 'localhost:3000' }, '#/host'],
      [{ otherwise: 'none' }, '#/otherwise'],
      [{ rules: [{ ...rule, path: 'admin' }] }, '#/rules/0/path'],
      [{ rules: [rule, { ...rule, path: '/a roles=owner' }] }, '#/rules/1/path'],
      [{ rules: [{ ...rule, path: '/a\nopen /' }] }, '#/rules/0/path'],
      [{ rules: [{ ...rule, path: '/%61' }] }, '#/rules/0'],
      [{ rules: [{ ...rule, need: 'open' }] }, '#/rules/0'],
      [{ rules: [{ ...rule, withinMinutes: 0 }] }, '#/rules/0/withinMinutes'],
      [{ rules: [{ ...rule, methods: ['get'] }] }, '#/rules/0/methods/0'],
    ] as const)
      assert.equal(
        problemOf(await program.post('/apps', { host: 'wiki.example.org', ...wanted, ...wrong })).errors![0]!.pointer,
        pointer,
        JSON.stringify(wrong),
      );
    const added = await program.post('/apps', { host: 'Wiki.example.org:443', ...wanted });
    assert.equal(added.status, 201, added.body);
    const { id, ...shown } = added.json as { id: string };
    assert.deepEqual(shown, { host: 'wiki.example.org', ...wanted });
    assert.equal(problemOf(await program.post('/apps', { host: 'wiki.example.org', ...wanted })).code, 'conflict');
    assert.deepEqual((await program.get('/apps')).json, { apps: [added.json] });
    const wiki = new AppBehindProxy(portal, 'http://wiki.example.org');
    assert.equal((await wiki.ask(portal.browser(), '/')).status, 200, 'it takes effect at once');

    const asked = async (query: string) => (await program.get(`/apps/${id}/rule?${query}`)).json;
    assert.deepEqual(await asked('path=/admin/users'), { refused: false, number: 1, need: 'two-factor' });
    assert.deepEqual(await asked('path=/admin&method=PUT'), { refused: false, number: null, need: 'open' });
    assert.deepEqual(await asked('path=/a/../admin'), { refused: true, number: null, need: null });

    const seen = String((await program.get(`/apps/${id}`)).headers['etag']);
    const put = (ifMatch: string) => program.ask('PUT', `/apps/${id}`, { ...wanted, otherwise: 'signed-in' }, { 'if-match': ifMatch });
    assert.equal(problemOf(await put('"0"')).code, 'precondition-failed');
    const changed = await put(seen);
    assert.deepEqual([changed.status, changed.json!['otherwise']], [200, 'signed-in']);
    assert.equal(problemOf(await put(seen)).code, 'precondition-failed', 'it is another by now');
    assert.equal((await wiki.ask(portal.browser(), '/')).status, 401);
    assert.ok((await owner.browser.visit('/admin/audit?group=policy')).has('by the API key “HR sync”'), owner.browser.page.text);

    // A form of the console that was opened before somebody else changed the app says so, and keeps what was typed.
    await owner.browser.visit(`/admin/apps/${id}`);
    await program.ask('PUT', `/apps/${id}`, { ...wanted, otherwise: 'two-factor' }, { 'if-match': '*' });
    owner.browser.fill('Name', 'Our wiki');
    await owner.browser.press('Save');
    assert.match(owner.browser.page.text, /Somebody else changed this app in the meantime/);
    assert.equal(owner.browser.page.value('Name'), 'Our wiki');
    await owner.browser.press('Save');
    assert.match(owner.browser.page.text, /The rules are changed\./);

    assert.equal((await program.delete(`/apps/${id}`)).status, 204);
    assert.equal((await program.get(`/apps/${id}`)).status, 404);
    assert.equal((await wiki.ask(portal.browser(), '/')).status, 403);
  });

  test('the webhook: set, with a secret that is shown once, tried out, paused, resumed and removed', async () => {
    await using receiver = await Receiver.start();
    const portal = await open({ installation: { development: true } });
    const owner = await foundOrganisation(portal);
    const program = new Program(portal, await makeKey(owner, { scopes: ['audit:read', 'audit:write'] }));
    assert.equal((await program.get('/audit/webhook')).status, 404);
    for (const address of ['', 'http://log.example.org/', 'https://user:password@log.example.org/', 'x', 'file:///etc/passwd'])
      assert.equal(problemOf(await program.ask('PUT', '/audit/webhook', { address })).errors![0]!.pointer, '#/address', address);
    const set = await program.ask('PUT', '/audit/webhook', { address: receiver.url });
    assert.deepEqual([set.status, set.json!['host']], [200, `127.0.0.1:${receiver.port}`]);
    assert.match(owner.newestMail().text, /by the API key “HR sync”/);
    const secret = String(set.json!['secret']);
    assert.deepEqual((await program.post('/audit/webhook/test')).json, { delivered: true, failure: null });
    assert.equal(receiver.received.length, 1);
    receiver.reply = 500;
    assert.match(String((await program.post('/audit/webhook/test')).json!['failure']), /500/);
    assert.equal((await program.post('/audit/webhook/pause')).json!['paused'], true);
    assert.equal((await program.post('/audit/webhook/resume')).json!['paused'], false);
    const shown = await program.get('/audit/webhook');
    assert.ok(secret.length > 20 && !shown.body.includes(secret) && !shown.body.includes('of-the-receiver'));
    assert.equal((await program.delete('/audit/webhook')).status, 204);
    assert.equal((await program.post('/audit/webhook/pause')).status, 404);
  });

  test('the lost phone: what others are given is seen and taken back by a program', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const bob = await joinAs(portal, owner, 'Member');
    for (const one of [owner, bob]) await one.enableByApp();
    const program = new Program(portal, await makeKey(owner));
    const { id } = await accountOf(portal, bob.email);
    const person = async () =>
      (await program.get(`/people/${id}`)).json as unknown as { bypassCode: object | null; reset: { waitsForApproval: boolean } | null };
    assert.deepEqual([(await person()).bypassCode, (await person()).reset], [null, null]);
    assert.equal(problemOf(await program.post(`/people/${id}/bypass-code`, { reason: 'x', check: 'in-person' })).code, 'missing-scope');

    const code = await issueBypassCode(owner, bob.email);
    assert.ok((await person()).bypassCode);
    assert.equal((await program.delete(`/people/${id}/bypass-code`)).status, 204);
    assert.equal((await program.delete(`/people/${id}/bypass-code`)).status, 404);
    assert.match(bob.newestMail().text, /by the API key “HR sync”/);
    await bob.signOut();
    await bob.enterPassword();
    await bob.browser.press('Try another way');
    assert.ok(!bob.browser.page.has('Bypass code'), code);

    await bob.browser.press('I have none of these: ask for help');
    bob.browser.fill('What happened?', 'My phone fell into the lake');
    await bob.browser.press('Ask for help');
    const { requests } = (await program.get('/help-requests')).json as unknown as {
      requests: { person: { id: string }; words: string; browserKnown: boolean }[];
    };
    assert.deepEqual(
      requests.map((one) => [one.person.id, one.words, one.browserKnown]),
      [[id, 'My phone fell into the lake', true]],
    );

    await askForReset(owner, bob.email);
    assert.equal((await person()).reset!.waitsForApproval, false);
    assert.equal((await program.delete(`/people/${id}/reset`)).status, 204);
    assert.equal((await program.delete(`/people/${id}/reset`)).status, 404);
    assert.equal((await person()).reset, null);
  });
});
