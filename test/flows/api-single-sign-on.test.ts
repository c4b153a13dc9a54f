// Single sign-on, and keys, set up by a program: in the minutes in which the owner stands by its key.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { days, minutes } from '../../src/platform/durations.ts';
import type { Scope } from '../../src/sessions/sessions.ts';
import { startLdapServer, type LdapServer } from '../support/ldap-server.ts';
import { NameServer } from '../support/name-server.ts';
import { confirmIfAsked, foundOrganisation, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { makeKey, problemOf, Program, type Answered } from '../support/program-client.ts';
import { openConsole } from '../support/single-sign-on.ts';

const SCOPES: readonly Scope[] = ['sso:read', 'sso:write'];
const detailOf = ({ json }: Answered): string => String(json!['detail']);

let portal: Portal;
let names: NameServer;
let directory: LdapServer;
let owner: Person;
let admin: Person;
before(async () => {
  names = await NameServer.start();
  directory = await startLdapServer({
    people: [{ uid: 'ada', password: 'of the directory', attributes: { mail: 'ada@example.com', entryUUID: 'uuid-of-ada' } }],
  });
  portal = await openPortal({ engine: 'sqlite', network: { nameServers: [names.address] } });
  owner = await foundOrganisation(portal);
  admin = await joinAs(portal, owner, 'Admin');
});
after(async () => {
  for (const one of [portal, directory, names]) await one[Symbol.asyncDispose]();
});

async function standBy(person: Person, name: string): Promise<void> {
  await openConsole(person, '/admin/api-keys');
  await person.browser.press(`Stand by ${name}`);
  if (person.browser.page.heading === 'Confirm that it’s you') {
    await confirmIfAsked(person.browser, person.password);
    await person.browser.press(`Stand by ${name}`);
  }
  assert.match(person.browser.page.text, /For ten minutes the key may do what asks for a person/);
}

const wanted = (): Record<string, unknown> => {
  const { servicePassword, ...settings } = directory.settings;
  return { kind: 'ldap', name: 'Herons Directory', settings: { ...settings, servicePassword }, trustsAddresses: true };
};

test('a connection and its domain: added, tested by a person, led to, turned on, required, changed and taken away', async () => {
  const program = new Program(portal, await makeKey(owner, { name: 'Set-up', scopes: SCOPES }));
  assert.match(detailOf(await program.post('/sso/connections', wanted())), /asks for a person/);
  await standBy(owner, 'Set-up');
  const wrong = problemOf(await program.post('/sso/connections', { ...wanted(), name: '', settings: { address: 'gopher://x' } }));
  for (const pointer of ['#/name', '#/settings/address'])
    assert.ok(
      wrong.errors!.some((one) => one.pointer === pointer),
      pointer,
    );
  const added = await program.post('/sso/connections', wanted());
  assert.equal(added.status, 201, added.body);
  assert.ok(!added.body.includes('service-password'), 'a secret is not shown again');
  const path = `/sso/connections/${String(added.json!['id'])}`;
  const set = async (to: string): Promise<Answered> =>
    program.post(`${path}/${to}`, undefined, { 'if-match': String((await program.get(path)).headers['etag']) });
  assert.match(detailOf(await set('on')), /Test the connection in the console/);
  await openConsole(owner, `/admin${path.replace('/connections', '')}`);
  owner.browser.fill('Email', 'ada@example.com');
  owner.browser.fill('Password', 'of the directory');
  await owner.browser.press('Test connection');
  assert.ok(owner.browser.page.has('It works.'), owner.browser.page.text);
  assert.equal((await set('on')).json!['on'], true);
  assert.match(detailOf(await set('required')), /Lead a verified domain/);

  const named = await program.post('/sso/domains', { domain: 'Example.com' });
  assert.equal(named.status, 201, named.body);
  const { name, text } = named.json!['record'] as { name: string; text: string };
  assert.match(detailOf(await program.post('/sso/domains/example.com/check')), /The record is not there/);
  names.records.set(name, [text]);
  assert.match(detailOf(await program.ask('PUT', '/sso/domains/example.com/connection', { connection: added.json!['id'] })), /not verified/);
  assert.notEqual((await program.post('/sso/domains/example.com/check')).json!['verifiedAt'], null);
  assert.equal((await program.ask('PUT', '/sso/domains/example.com/connection', { connection: added.json!['id'] })).json!['connection'], added.json!['id']);
  assert.equal((await set('required')).json!['required'], true);
  const ada = portal.browser();
  await ada.visit('/sign-in');
  ada.fill('Email', 'ada@example.com');
  ada.fill('Password', 'of the directory');
  await ada.press('Sign in');
  assert.ok(ada.page.hasButton('Profile'), ada.page.text);

  const { kind: _kind, ...changed } = wanted();
  const { servicePassword: _secret, ...settings } = changed['settings'] as Record<string, unknown>;
  const sent = { ...changed, name: 'The Directory', settings };
  assert.equal((await program.ask('PUT', path, sent)).status, 428);
  assert.equal((await program.ask('PUT', path, sent, { 'if-match': '"1"' })).status, 412, 'what was seen is not what is there');
  const now = await program.ask('PUT', path, sent, { 'if-match': String((await program.get(path)).headers['etag']) });
  assert.deepEqual([now.json!['name'], now.json!['on'], now.json!['testedAt'] === null], ['The Directory', true, false], 'the secret stayed what it was');
  assert.equal((await set('optional')).json!['required'], false);
  assert.equal((await set('off')).json!['on'], false);
  for (const one of [path, '/sso/domains/example.com']) assert.equal((await program.delete(one)).status, 204);
  assert.deepEqual((await program.get('/sso/connections')).json, { connections: [] });
  assert.deepEqual((await program.get('/sso/domains')).json, { domains: [] });
});

test('SI-5, AL-8 attack: a key that an admin made and stands by says of nobody who they are', async () => {
  const ofAdmin = new Program(portal, await makeKey(admin, { name: 'Admin’s', scopes: SCOPES }));
  const ofOwner = new Program(portal, await makeKey(owner, { name: 'Owner’s', scopes: SCOPES }));
  portal.clock.advance(minutes(11));
  for (const [person, name] of [
    [admin, 'Admin’s'],
    [owner, 'Owner’s'],
  ] as const)
    await standBy(person, name);
  assert.equal((await ofAdmin.post('/sso/connections', wanted())).status, 403);
  assert.equal((await ofAdmin.post('/sso/domains', { domain: 'example.com' })).status, 403);
  const added = await ofOwner.post('/sso/connections', wanted());
  const path = `/sso/connections/${String(added.json!['id'])}`;
  assert.equal((await ofAdmin.get(path)).status, 200);
  for (const verb of ['on', 'off', 'required', 'optional']) assert.equal((await ofAdmin.post(`${path}/${verb}`, undefined, { 'if-match': '*' })).status, 403);
  assert.equal((await ofAdmin.delete(path)).status, 403);
  portal.clock.advance(minutes(10));
  assert.match(detailOf(await ofOwner.delete(path)), /asks for a person/, 'ten minutes, and no more');
});

test('AD-4 attack: a key makes none that does more than itself, or lasts longer; and none at all unless its maker stands by it', async () => {
  const token = await makeKey(admin, { name: 'Maker', scopes: ['people:read', 'keys:read', 'keys:write'] });
  const program = new Program(portal, token);
  const key = { name: 'Made', role: 'auditor', scopes: ['people:read'], days: 1 };
  assert.match(detailOf(await program.post('/api-keys', key)), /asks for a person/);
  portal.clock.advance(minutes(11));
  await standBy(admin, 'Maker');
  for (const more of [{ scopes: ['people:read', 'audit:read'] }, { days: 365 }, { role: 'admin', scopes: ['people:write'] }])
    assert.match(detailOf(await program.post('/api-keys', { ...key, ...more })), /none that may do more than itself, or for longer/);
  for (const [more, pointer] of [
    [{ name: ' ' }, '#/name'],
    [{ scopes: ['keys:write'] }, '#/scopes'],
    [{ role: 'owner' }, '#/role'],
    [{ days: 0 }, '#/days'],
  ] as const)
    assert.equal(problemOf(await program.post('/api-keys', { ...key, ...more })).errors![0]!.pointer, pointer);
  const made = await program.post('/api-keys', key);
  assert.equal(made.status, 201, made.body);
  assert.match(owner.newestMail().subject, /API key/);
  const child = new Program(portal, String(made.json!['token']));
  assert.equal((await child.get('/people')).status, 200);
  assert.equal((await child.get('/api-keys')).status, 403);
  portal.clock.advance(days(1));
  assert.equal((await child.get('/people')).status, 401);
});
