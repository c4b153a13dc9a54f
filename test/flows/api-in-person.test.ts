// What asks for a person: a program does it in the ten minutes in which whoever made its key stands by it.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { confirmIfAsked, foundOrganisation, impose, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import { makeKey, problemOf, Program, type Answered } from '../support/program-client.ts';
import { accountOf } from '../attacks/intruder.ts';

const detailOf = ({ json }: Answered): string => String(json!['detail']);
const GROUNDS = { reason: 'Phone in the lake', check: 'video-call' };

onOneDatabase((open) => {
  let portal: Portal;
  let owner: Person;
  let admin: Person;
  before(async () => {
    portal = await open();
    owner = await foundOrganisation(portal);
    admin = await joinAs(portal, owner, 'Admin');
    for (const one of [owner, admin]) await one.enableByApp();
  });

  /** The password, then the app: both, since both are older than that. */
  const prove = async (...people: Person[]): Promise<void> => {
    portal.clock.advance(minutes(11));
    for (const person of people) {
      await person.browser.visit('/account/confirm?then=/admin/api-keys');
      await confirmIfAsked(person.browser, person.password);
      await person.enterCode(person.phone.fresh());
      assert.equal(person.browser.page.path, '/admin/api-keys');
    }
  };
  const idOf = async ({ email }: Person): Promise<string> => (await accountOf(portal, email)).id;
  const lost = async (): Promise<Person> => (await joinAs(portal, owner, 'Member')).enableByApp();
  /** With a proof that is fresh by then. */
  const standBy = async (person: Person, name: string): Promise<void> => {
    portal.clock.advance(minutes(11));
    await person.browser.visit('/admin/api-keys');
    await person.browser.press(`Stand by ${name}`);
    assert.equal(person.browser.page.heading, 'Confirm that it’s you', 'FC-1');
    await confirmIfAsked(person.browser, person.password);
    await person.enterCode(person.phone.fresh());
    await person.browser.press(`Stand by ${name}`);
    assert.match(person.browser.page.text, /For ten minutes the key may do what asks for a person/);
  };

  test('AD-4 a bypass code: refused until its maker stands by the key, and again after ten minutes; it signs in, and everybody is told', async () => {
    const ada = await lost();
    const helpDesk = new Program(portal, await makeKey(admin, { name: 'Help desk', scopes: ['people:read', 'people:write', 'help:write'] }));
    const path = `/people/${await idOf(ada)}/bypass-code`;
    assert.match(detailOf(await helpDesk.post(path, GROUNDS)), /asks for a person/);
    await standBy(admin, 'Help desk');
    assert.match(owner.newestMail().subject, /may do more for ten minutes/);
    assert.deepEqual(
      problemOf(await helpDesk.post(path, { reason: '', check: 'other' })).errors!.map(({ pointer }) => pointer),
      ['#/reason', '#/note'],
    );
    const issued = await helpDesk.post(path, GROUNDS, { 'idempotency-key': 'one' });
    assert.equal(issued.status, 201, issued.body);
    assert.equal((await helpDesk.post(path, GROUNDS, { 'idempotency-key': 'one' })).body, issued.body, 'sent again it is the same code');
    assert.equal((await helpDesk.post(path, GROUNDS)).status, 409, 'one that waits is taken back first');
    assert.match(ada.newestMail().text, /by the API key “Help desk”/);
    const browser = portal.browser();
    await ada.enterPassword(browser);
    await browser.press('Try another way');
    await browser.press(browser.page.buttonStartingWith('Bypass code'));
    browser.fill('Bypass code', String(issued.json!['code']));
    await browser.press('Continue');
    assert.equal(browser.page.path, '/account/security');
    portal.clock.advance(minutes(10));
    assert.equal((await helpDesk.post(path, GROUNDS)).status, 403);
  });

  test('AD-5 a reset: asked for by one key, agreed to by the key of another administrator, and never by one of the same', async () => {
    await prove(owner, admin);
    await impose(portal, owner, { resetNeedsApproval: true });
    const ada = await lost();
    const scopes = ['people:read', 'people:write', 'help:write'] as const;
    const [asks, same, second] = [
      new Program(portal, await makeKey(admin, { name: 'Asks', scopes })),
      new Program(portal, await makeKey(admin, { name: 'Same', scopes })),
      new Program(portal, await makeKey(owner, { name: 'Second', scopes })),
    ];
    for (const [person, name] of [
      [admin, 'Asks'],
      [admin, 'Same'],
      [owner, 'Second'],
    ] as const) {
      await person.browser.visit('/admin/api-keys');
      await person.browser.press(`Stand by ${name}`);
    }
    const path = `/people/${await idOf(ada)}/reset`;
    const asked = await asks.post(path, GROUNDS);
    assert.deepEqual([asked.status, asked.json!['waitsForApproval']], [201, true]);
    for (const one of [asks, same]) assert.match(detailOf(await one.post(`${path}/approve`)), /second administrator/);
    assert.equal((await second.post(`${path}/approve`)).status, 204);
    assert.equal(((await second.get(`/people/${await idOf(ada)}`)).json!['reset'] as { waitsForApproval: boolean }).waitsForApproval, false);
    assert.equal((await second.delete(path)).status, 204);
  });

  test('apps and keys: put, changed, seen and taken away, by the checks of the console', async () => {
    await prove(owner, admin);
    const program = new Program(portal, await makeKey(admin, { name: 'Set-up', scopes: ['apps:read', 'apps:write', 'keys:read', 'keys:write'] }));
    const rules = [{ path: '/admin', need: 'two-factor', roles: ['owner', 'admin'], withinMinutes: 10 }];
    const made = await program.post('/apps', { name: 'Wiki', host: 'Wiki.example.org', rules, otherwise: 'signed-in' });
    assert.equal(made.status, 201, made.body);
    const { id } = made.json as { id: string };
    assert.deepEqual(made.json, { id, name: 'Wiki', host: 'wiki.example.org', rules: [{ ...rules[0], methods: [] }], otherwise: 'signed-in' });
    assert.equal((await program.post('/apps', { name: 'Wiki', host: 'wiki.example.org', rules: [], otherwise: 'open' })).status, 409);
    for (const [rule, pointer] of [
      [{ path: '/a/../b', need: 'open' }, '#/rules/0'],
      [{ path: '/a', need: 'open', roles: ['owner'] }, '#/rules/0'],
      [{ path: '/a roles=owner', need: 'open' }, '#/rules/0/path'],
    ] as const)
      assert.equal(
        problemOf(await program.ask('PUT', `/apps/${id}`, { name: 'Wiki', rules: [rule], otherwise: 'open' }, { 'if-match': '*' })).errors![0]!.pointer,
        pointer,
      );
    assert.equal(
      (await program.ask('PUT', `/apps/${id}`, { name: 'Wiki 2', rules: [], otherwise: 'two-factor' }, { 'if-match': '*' })).json!['name'],
      'Wiki 2',
    );
    assert.equal((await program.delete(`/apps/${id}`)).status, 204);
    assert.deepEqual((await program.get('/apps')).json, { apps: [] });
    const leaked = new Program(portal, await makeKey(owner, { name: 'Leaked' }));
    const { keys } = (await program.get('/api-keys')).json as { keys: { id: string; name: string }[] };
    assert.ok(!JSON.stringify(keys).includes('twl_'));
    const named = (name: string) => `/api-keys/${keys.find((one) => one.name === name)!.id}`;
    assert.match(detailOf(await program.delete(named('Leaked'))), /asks for a person/, 'whoever took one key shuts no other out');
    await admin.browser.visit('/admin/api-keys');
    await admin.browser.press('Stand by Set-up');
    assert.equal((await program.delete(named('Leaked'))).status, 204);
    assert.equal((await leaked.get('/people')).status, 401);
    assert.match(owner.newestMail().subject, /^An API key of .* was revoked$/);
    portal.clock.advance(minutes(10));
    assert.equal((await program.delete(named('Set-up'))).status, 204, 'itself at any time');
    assert.equal((await program.get('/apps')).status, 401);
  });

  test('an address that is not verified: asked for again by mail, without the name, a few times', async () => {
    await prove(owner, admin);
    const ada = await joinAs(portal, owner, 'Member');
    const id = await idOf(ada);
    const program = new Program(portal, await makeKey(admin, { name: 'Verify' }));
    assert.equal((await program.post(`/people/${id}/resend-verification`)).status, 409);
    await portal.world.database.query.updateTable('accounts').set({ email_verified_at: null }).where('id', '=', id).execute();
    await owner.browser.visit(`/admin/people/${id}`);
    assert.match(owner.browser.page.text, /not verified/);
    await owner.browser.press('Ask again to verify');
    assert.match(owner.browser.page.text, /The mail is on its way/);
    assert.match(ada.newestMail().subject, /^Verify your email for /);
    assert.ok(!ada.newestMail().text.includes(ada.name));
    let refused = await program.post(`/people/${id}/resend-verification`);
    for (let tries = 0; refused.status === 204 && tries < 20; tries++) refused = await program.post(`/people/${id}/resend-verification`);
    assert.equal(problemOf(refused).code, 'too-many-requests');
  });

  test('ownership, last: by a key that the owner made and stands by, and by no other', async () => {
    await prove(owner, admin);
    const scopes = ['people:read', 'people:write', 'ownership:write'] as const;
    const ofAdmin = new Program(portal, await makeKey(admin, { name: 'Admin’s', scopes }));
    const ofOwner = new Program(portal, await makeKey(owner, { name: 'Owner’s', scopes }));
    const ada = await joinAs(portal, owner, 'Member');
    const path = `/people/${await idOf(ada)}/make-owner`;
    for (const one of [ofAdmin, ofOwner]) assert.equal((await one.post(path)).status, 403);
    // Nobody stands by the key of another: the page offers it to its maker alone, and the form is refused.
    await owner.browser.visit('/admin/api-keys');
    assert.ok(!owner.browser.page.buttons.includes('Stand by Admin’s'));
    const key = await portal.world.database.query.selectFrom('api_keys').select('id').where('name', '=', 'Admin’s').executeTakeFirstOrThrow();
    await owner.browser.post(`/admin/api-keys/${key.id}/stand-by`, {
      organisation: owner.browser.page.root.querySelector('input[name=organisation]')!.getAttribute('value')!,
    });
    assert.equal(owner.browser.page.status, 404);
    await standBy(admin, 'Admin’s');
    assert.equal((await ofAdmin.post(path)).status, 403, 'an admin gives away nothing of the owner’s');
    await standBy(owner, 'Owner’s');
    assert.equal((await ofOwner.post(`/people/${await idOf(owner)}/end-sessions`)).status, 403, 'nothing else grows by it');
    assert.equal((await ofOwner.post(path)).status, 204);
    assert.equal((await ofAdmin.get(`/people/${await idOf(ada)}`)).json!['role'], 'owner');
    assert.match(ada.newestMail().subject, /You are now the owner/);
  });
});
