// What people do, and what the audit log says of it afterwards.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { AUDIT_EVENTS, chainNew, pruneLog, type AuditEvent } from '../../src/audit/audit.ts';
import { appointOwner } from '../../src/organisations/organisations.ts';
import { days, minutes } from '../../src/platform/durations.ts';
import { momentOf } from '../../src/platform/words/times.ts';
import { accountOf } from '../attacks/intruder.ts';
import { invitationPath, joinAs, openPerson, sendInvitation, setUpPath } from '../support/organisation.ts';
import { askForReset, bypassCodeOn, fillGrounds, imposeRules, resetWhoIsDue, signInByBypassCode } from '../support/lost-phone.ts';
import { linkIn, type Person } from '../support/person.ts';
import { DirectoryClient } from '../support/directory-client.ts';
import { makeKeysFile, readKeysFile } from '../../src/platform/secrets/keys-file.ts';
import { openRootKeys } from '../../src/platform/secrets/root-keys.ts';
import { endWhatWasRestored } from '../../src/restored.ts';
import { rotateKeysFile } from '../../src/rotate-keys.ts';
import { NameServer } from '../support/name-server.ts';
import { OpenIdProvider } from '../support/openid-provider.ts';
import { connectOpenId, signInBy } from '../support/single-sign-on.ts';
import { SCOPES } from '../../src/sessions/sessions.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { makeKey, Program } from '../support/program-client.ts';

interface Seen {
  readonly event: string;
  readonly details: Readonly<Record<string, string>>;
  readonly account: string | null;
  readonly from: string;
}

/** The log since it was last read. */
class Log {
  readonly #portal: Portal;
  readonly #read = new Set<string>();
  readonly all: Seen[] = [];

  constructor(portal: Portal) {
    this.#portal = portal;
  }

  async news(): Promise<Seen[]> {
    const { database } = this.#portal.world;
    const rows = (await database.query.selectFrom('audit_events').selectAll().execute()).filter((row) => !this.#read.has(row.id));
    for (const row of rows) this.#read.add(row.id);
    const seen = rows.map((row): Seen => {
      assert.equal(row.at, this.#portal.clock.now(), row.event);
      if (!['command line', 'the server itself'].includes(row.user_agent ?? '')) assert.match(row.request_id!, /^[\w-]{12}$/);
      return {
        event: row.event,
        details: inOrder(JSON.parse(row.details) as Record<string, string>),
        account: row.account_id,
        from: `${row.address} ${row.user_agent}`,
      };
    });
    this.all.push(...seen);
    return seen;
  }

  /** Does it, and holds what was logged against `expected`: an event with its details each. */
  async expect(what: string, action: () => Promise<unknown>, expected: Partial<Record<AuditEvent, Record<string, string>>>): Promise<void> {
    await action();
    const seen = await this.news();
    assert.deepEqual(Object.fromEntries(seen.map((one) => [one.event, one.details])), expected, what);
    assert.equal(seen.length, Object.keys(expected).length, `${what}: each of them once`);
  }
}

forEachPortal((open) => {
  test('LO-1, LO-6: whatever changes or tries a way in is in the log, with the details that the inventory names and no others', async () => {
    await using names = await NameServer.start();
    const portal = await open({ network: { nameServers: [names.address] } });
    const log = new Log(portal);
    const ada = portal.newcomer();
    const { browser } = ada;

    await log.expect('signing up', () => ada.signUp(), {
      user_created: {},
      authn_login_success: { methods: 'password' },
      session_created: {},
      authn_code_sent: { purpose: 'verify-email' },
    });
    await log.expect('verifying', () => ada.verifyEmail(), { authn_factor_success: { kind: 'email-code', purpose: 'verify-email' }, user_email_verified: {} });
    await log.expect('another name', () => rename(ada), { user_updated: {} });
    const setUp = async () => {
      await ada.enableByApp();
    };
    await log.expect('enabling', setUp, {
      authn_factor_added: { kind: 'totp', name: 'Authenticator app' },
      authn_two_factor_enabled: {},
      authn_recovery_key_created: { purpose: 'enrol' },
    });
    await log.expect('naming it', () => method(ada, 'Authenticator app', { name: 'Old phone', press: 'Save name' }), {
      authn_factor_renamed: { kind: 'totp', name: 'Old phone' },
    });
    await log.expect('a new phone', () => newPhone(ada), { authn_factor_replaced: { kind: 'totp', name: 'New phone' } });
    const phone = ada.phone;
    await log.expect('a second one', () => ada.addApp({ name: 'Tablet' }), { authn_factor_added: { kind: 'totp', name: 'Tablet' } });
    await log.expect('removing it', () => method(ada, 'Authenticator app (Tablet)', { press: 'Remove' }), {
      authn_factor_removed: { kind: 'totp', name: 'Tablet' },
    });
    ada.app = phone;
    await log.expect('signing out', () => ada.signOut(), { session_ended: { reason: 'signed out' } });
    await tryToGetIn(log, ada, portal);
    await changeTheRest(log, ada, portal);
    assert.ok(log.all.every(({ from, event }) => event === 'policy_changed' || from === `${browser.address} ${browser.userAgent}`));
    await lookAfterAnOrganisation(log, ada, portal, names);
    await keepThirtyDays(log, portal);
    await log.expect('a new key for the keys file', () => rotateKeys(portal), { keys_rotated: {} });
    await log.expect('a backup that was put back', () => endWhatWasRestored(portal.world), { backup_restored: {} });

    assert.deepEqual(
      [...new Set(log.all.map(({ event }) => event))].toSorted(),
      Object.keys(AUDIT_EVENTS).toSorted(),
      'nothing is in the inventory that never happens',
    );
    for (const [event, fields] of Object.entries(AUDIT_EVENTS)) {
      const said = new Set(log.all.filter((one) => one.event === event).flatMap((one) => Object.keys(one.details)));
      assert.deepEqual([...said].toSorted(), [...fields].toSorted(), event);
    }
    const whose = new Set(log.all.map((one) => one.account));
    const said = 'hers, that of signing up twice, those of three whom she looks after and of whom a directory made, and nobody’s where none is known';
    assert.equal(whose.size, 7, said);
  });
});

async function tryToGetIn(log: Log, ada: Person, portal: Portal): Promise<void> {
  const { browser } = ada;
  await log.expect('a wrong password', () => ada.enterPassword(browser, 'not this one at all'), { authn_login_fail: { reason: 'wrong' } });
  for (let time = 0; time < 4; time++) await ada.enterPassword(browser, 'not this one at all');
  await log.news();
  await log.expect('one too many', () => ada.enterPassword(browser), { authn_login_throttled: { reason: 'too-many-tries' } });
  portal.clock.advance(minutes(1));
  const spent = ada.phone.fresh();
  const totp = { kind: 'totp', purpose: 'sign-in' };
  const right = { authn_factor_success: { ...totp, name: 'New phone' }, authn_login_success: { methods: 'password totp' }, session_created: {} };
  await ada.enterPassword();
  await log.expect('the app', () => ada.enterCode(spent), right);
  await ada.signOut();
  await ada.enterPassword();
  await log.news();
  await log.expect('its code again', () => ada.enterCode(spent), { authn_factor_replayed: { ...totp, reason: 'code-used' } });
  await log.expect('a wrong one', () => ada.enterCode(ada.phone.shows(portal.clock.now() + minutes(20))), {
    authn_factor_fail: { ...totp, reason: 'code-wrong' },
  });
  for (let time = 0; time < 3; time++) await ada.enterCode(ada.phone.shows(portal.clock.now() + minutes(20)));
  await ada.enterPassword();
  await log.news();
  await log.expect('one too many', () => ada.enterCode(ada.phone.shows()), { authn_factor_throttled: { ...totp, reason: 'too-many-tries' } });
  await log.expect('the Recovery Key', () => ada.showSecondFactor('recovery-key'), {
    authn_factor_success: { kind: 'recovery-key', purpose: 'sign-in', name: 'Recovery Key' },
    authn_recovery_key_used: { purpose: 'sign-in' },
    authn_recovery_key_created: { purpose: 'sign-in' },
    authn_login_success: { methods: 'password recovery-key' },
    session_created: {},
  });
}

async function changeTheRest(log: Log, ada: Person, portal: Portal): Promise<void> {
  const { browser } = ada;
  portal.clock.advance(minutes(11));
  await browser.visit('/account/security/password');
  const wrongProof = async () => {
    browser.fill('Password', 'not this one at all');
    await browser.press('Continue');
  };
  await log.expect('a wrong one', wrongProof, { authn_confirm_fail: { reason: 'wrong' } });
  for (let time = 0; time < 4; time++) await wrongProof();
  await log.news();
  await log.expect('one too many', wrongProof, { authn_confirm_throttled: { reason: 'too-many-tries' } });
  portal.clock.advance(minutes(1));
  await log.expect('a fresh proof', () => confirm(ada), {
    authn_factor_success: { kind: 'totp', purpose: 'confirm', name: 'New phone' },
    authn_confirmed: { methods: 'password totp' },
  });
  await log.expect('another password', () => changePassword(ada), { authn_password_change: { by: 'owner' } });
  await browser.visit('/account/email');
  browser.fill('Email', 'ada.moved@example.net');
  await log.expect('another address', () => browser.press('Send verification code'), { authn_code_sent: { purpose: 'change-email' } });
  ada.email = 'ada.moved@example.net';
  await log.expect('shown', () => ada.enterCode(ada.newestCode()), {
    authn_factor_success: { kind: 'email-code', purpose: 'change-email' },
    user_email_changed: {},
  });
  await log.expect('disabling', () => ada.disable(), {
    authn_code_sent: { purpose: 'disable' },
    authn_factor_success: { kind: 'email-code', purpose: 'disable' },
    authn_two_factor_disabled: { methods: 'recovery-key totp' },
  });
  await log.expect('another policy', () => portal.setPolicy('off'), { policy_changed: { from: 'optional', to: 'off' } });
  await ada.signOut();
  await log.news();
  await log.expect('a forgotten password', () => ada.openResetLink(), { authn_password_reset_requested: {} });
  const link = linkIn(ada.newestMail().text);
  browser.fill('New password', 'nine loud herons at sea');
  await log.expect('reset', () => browser.press('Save new password'), { authn_password_change: { by: 'reset' } });
  await browser.visit(link);
  await log.expect('by the same link', () => browser.press('Continue'), { authn_password_reset_refused: {} });

  await ada.signUp();
  await log.news();
  await log.expect('signing up twice', () => ada.enterCode(ada.newestCode()), {
    authn_factor_success: { kind: 'email-code', purpose: 'verify-email' },
    user_deleted: { reason: 'address taken' },
  });
}

/** She claims the portal, and does to somebody whatever can be done. */
async function lookAfterAnOrganisation(log: Log, ada: Person, portal: Portal, names: NameServer): Promise<void> {
  const { browser } = ada;
  const bob = await portal.newcomer().join();
  ada.password = 'nine loud herons at sea';
  await ada.signIn();
  await browser.visit(await setUpPath(portal));
  browser.fill('Name of the organisation', 'Herons Ltd');
  await log.news();
  await browser.press('Create organisation');
  const [created] = await log.news();
  const organisation = created!.details['organisation']!;
  assert.deepEqual([created!.event, created!.details], ['organisation_created', { organisation, name: 'Herons Ltd' }]);
  const by = created!.account!;
  const appointed = { email: 'boss@example.org', name: 'Wagtails' };
  await log.expect('naming an owner on the command line', () => appointOwner(portal.world, appointed), { organisation_set_up_link_made: appointed });
  const invited = { organisation, email: bob.email, role: 'member', by };
  await log.expect('inviting', () => sendInvitation(ada, bob.email, 'Member'), { organisation_invited: invited });
  await log.expect('taking it back', () => browser.press('Take back'), { organisation_invitation_revoked: invited });
  await log.expect('inviting again', () => sendInvitation(ada, bob.email, 'Member'), { organisation_invited: invited });
  await bob.browser.visit(invitationPath(bob));
  await log.expect('joining', () => bob.browser.press('Accept'), { organisation_joined: { organisation, role: 'member', by } });
  await openPerson(ada, bob.email);
  browser.fill('Role', 'Admin');
  await log.expect('another role', () => browser.press('Change role'), {
    privilege_permissions_changed: { organisation, from: 'member', to: 'admin', by },
  });
  await log.expect('signing somebody out', () => browser.press('End all sessions'), {
    session_ended: { reason: 'all ended by an administrator', organisation, by },
  });
  await browser.press('Back to People');
  await log.expect('what may not be done to oneself', () => browser.post(`/admin/people/${by}/end-sessions`, { organisation }), {
    authz_fail: { organisation, action: 'end-sessions', by },
  });
  await browser.visit('/admin/people');
  await log.expect('exporting', () => browser.press('Export as CSV'), { organisation_people_exported: { organisation, people: '2', by } });
  await browser.visit('/admin/audit');
  await log.expect('taking the log along', () => browser.press('Export as JSON Lines'), {
    organisation_audit_exported: { organisation, format: 'JSON Lines', by },
  });
  await useKeys(log, ada, portal, { organisation, by });
  await browser.visit('/admin/audit/webhook');
  browser.fill('Address', 'https://log.example.org/twinlock?token=secret');
  await log.expect('streaming it', () => browser.press('Start streaming'), {
    organisation_webhook_changed: { organisation, host: 'log.example.org', to: 'set', by },
  });
  await guardApps(log, ada, { organisation, by });
  await connectAProvider(log, ada, portal, { organisation, by, names });
  await byProgram(log, ada, portal, organisation);
  await openPerson(ada, bob.email);
  await log.expect('removing', () => browser.press('Remove from the organisation'), { organisation_member_removed: { organisation, role: 'admin', by } });
  await sendInvitation(ada, bob.email, 'Member');
  await bob.signIn();
  await bob.browser.visit(invitationPath(bob));
  await bob.browser.press('Accept');
  await bob.browser.visit(`/account/organisations/${organisation}/leave`);
  await log.news();
  await log.expect('leaving', () => bob.browser.press('Leave Herons Ltd'), { organisation_left: { organisation, role: 'member' } });
  await sendInvitation(ada, bob.email, 'Member');
  await bob.browser.visit(invitationPath(bob));
  await bob.browser.press('Accept');
  await helpSomebody(log, { ada, bob, portal, organisation, by });
  await openPerson(ada, bob.email);
  await log.news();
  await log.expect('passing it on', () => browser.press('Transfer ownership'), { organisation_ownership_transferred: { organisation, by } });
}

/** Bob loses his phone. */
async function helpSomebody(
  log: Log,
  { ada, bob, portal, organisation, by }: { ada: Person; bob: Person; portal: Portal; organisation: string; by: string },
): Promise<void> {
  const { browser } = ada;
  await portal.setPolicy('optional');
  await ada.enableByApp();
  await bob.enableByApp();
  await bob.signOut();
  await bob.enterPassword();
  await bob.browser.press('Try another way');
  await bob.browser.press('I have none of these: ask for help');
  await log.news();
  await log.expect('asking for help', () => bob.browser.press('Ask for help'), { authn_help_asked: {} });
  await browser.visit('/admin/help');
  await log.expect('closing it', () => browser.press(`Close the request of ${bob.name}`), { authn_help_closed: { organisation, by } });
  const issue = async () => {
    fillGrounds(browser);
    await browser.press('Issue the code');
  };
  const issued = { organisation, by, reason: 'Phone lost', check: 'Met in person' };
  await openPerson(ada, bob.email);
  await browser.press('Issue a bypass code');
  await log.news();
  await log.expect('a bypass code', issue, { authn_bypass_code_issued: issued });
  await browser.press('Done');
  await log.expect('taking it back', () => browser.press('Take it back'), { authn_bypass_code_revoked: { organisation, by } });
  await browser.press('Issue a bypass code');
  await issue();
  await log.news();
  await log.expect('using it', () => signInByBypassCode(bob, bob.browser, bypassCodeOn(browser.page)), {
    authn_factor_success: { kind: 'bypass-code', purpose: 'sign-in', name: 'Bypass code' },
    authn_bypass_code_used: { purpose: 'sign-in' },
    authn_login_success: { methods: 'bypass-code password' },
    session_created: {},
  });
  await resetSomebody(log, { ada, bob, portal, organisation, by });
}

/** Bob's new phone goes the way of the old one. */
async function resetSomebody(
  log: Log,
  { ada, bob, portal, organisation, by }: { ada: Person; bob: Person; portal: Portal; organisation: string; by: string },
): Promise<void> {
  const { browser } = ada;
  const ann = await joinAs(portal, ada, 'Admin');
  await ann.enableByApp();
  const { id: second } = await accountOf(portal, ann.email);
  await imposeRules(portal, ada, { resetNeedsApproval: true });
  const ask = () => askForReset(ada, bob.email);
  const asked = { organisation, by, reason: 'Phone lost', check: 'Met in person' };
  await log.news();
  await log.expect('asking for a reset', ask, { authn_reset_asked: asked });
  await log.expect('stopping it', () => browser.press('Stop the reset'), { authn_reset_stopped: { organisation, by, how: 'by an administrator' } });
  await ask();
  await openPerson(ann, bob.email);
  await log.news();
  await log.expect('agreeing', () => ann.browser.press('Agree to the reset'), { authn_reset_approved: { organisation, by: second } });
  portal.clock.advance(days(1));
  await log.expect('its time comes', () => resetWhoIsDue(portal), {
    authn_methods_reset: { ...asked, approver: second, methods: 'recovery-key totp' },
  });
  await rememberADevice(log, ann, { ada, portal });
  await ada.signIn({ by: 'app' });
  await log.news();
}

async function rememberADevice(log: Log, ann: Person, { ada, portal }: { ada: Person; portal: Portal }): Promise<void> {
  await imposeRules(portal, ada, { resetNeedsApproval: true, trustedDeviceDays: 30 });
  await ann.enterPassword();
  ann.browser.check('Remember this device for 30 days');
  await log.news();
  await log.expect('remembering', () => ann.enterCode(ann.phone.fresh()), {
    authn_factor_success: { kind: 'totp', purpose: 'sign-in', name: 'Authenticator app' },
    authn_device_trusted: {},
    authn_login_success: { methods: 'password totp' },
    session_created: {},
  });
  await ann.browser.visit('/account/security');
  await log.expect('forgetting', () => ann.browser.press('Remove'), { authn_device_trust_ended: { reason: 'by the owner' } });
}

/** As the portal does by itself where TWINLOCK_AUDIT_RETENTION_DAYS is set. */
async function keepThirtyDays(log: Log, { world, clock }: Portal): Promise<void> {
  const entries = await chainNew(world);
  // A week more than that: the receiver of before never answered.
  clock.advance(days(38));
  const kept = { entries: String(entries - 1), through: String(entries - 1) };
  await log.expect('pruning', () => pruneLog(world, 30), { audit_log_pruned: kept });
}

async function rotateKeys({ world }: Portal): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/twinlock-keys-`);
  const file = `${directory}/keys.json`;
  makeKeysFile(file, world.random);
  await openRootKeys(world, readKeysFile(file));
  await rotateKeysFile(world, file);
  rmSync(directory, { recursive: true });
}

/** She makes a key for a program, one is shown that is none, and she takes hers back. */
async function useKeys(log: Log, ada: Person, portal: Portal, { organisation, by }: { organisation: string; by: string }): Promise<void> {
  await log.news();
  const token = await makeKey(ada, { scopes: ['people:read'], role: 'Auditor', days: 1 });
  const [made] = await log.news();
  const { key, ...details } = made!.details;
  const expires = momentOf(portal.clock.now() + days(1));
  assert.deepEqual(details, { organisation, name: 'HR sync', role: 'auditor', scopes: 'people:read', expires, by });
  await log.expect('no key', () => new Program(portal, `${token}0`).get('/people'), { authn_api_key_fail: { reason: 'unknown' } });
  portal.clock.advance(days(1));
  await log.expect('too late', () => new Program(portal, token).get('/people'), { authn_api_key_fail: { organisation, key: key!, reason: 'expired' } });
  await ada.signOut();
  await ada.signIn();
  await ada.browser.visit('/admin/api-keys');
  await log.news();
  await log.expect('taking it back', () => ada.browser.press('Revoke HR sync'), { api_key_revoked: { organisation, key: key!, name: 'HR sync', by } });
  await makeKey(ada, { name: 'Help desk', scopes: ['help:write'], days: 1 });
  const [desk] = await log.news();
  await ada.browser.visit('/admin/api-keys');
  const until = momentOf(portal.clock.now() + minutes(10));
  await log.expect('standing by it', () => ada.browser.press('Stand by Help desk'), {
    api_key_vouched: { organisation, key: desk!.details['key']!, name: 'Help desk', until, by },
  });
}

/** What a program does is recorded as the key's. */
async function byProgram(log: Log, ada: Person, portal: Portal, organisation: string): Promise<void> {
  const eve = await joinAs(portal, ada, 'Member');
  await log.news();
  const program = new Program(portal, await makeKey(ada, { scopes: SCOPES }));
  const [made] = await log.news();
  const about = { organisation, by: `key ${made!.details['key']}` };
  const [{ id }] = ((await program.get(`/people?search=${eve.email}`)).json as { people: [{ id: string }] }).people;
  await log.expect('suspending', () => program.post(`/people/${id}/suspend`), { organisation_member_suspended: about });
  await log.expect('resuming', () => program.post(`/people/${id}/resume`), { organisation_member_resumed: about });
  await log.expect('a new password', () => program.post(`/people/${id}/require-password`), { authn_password_change: about });
  const { rules } = (await program.get('/policy')).json as { rules: Record<string, unknown> };
  const preview = await program.post('/policy/previews', { rules: { ...rules, twoFactor: 'required' } });
  await log.expect('announcing', () => program.post(`/policy/previews/${String(preview.json!['id'])}/announce`), { policy_announced: about });
  const other = await program.post('/policy/previews', { rules: { ...rules, twoFactor: 'optional', graceDays: 3 } });
  await program.post(`/policy/previews/${String(other.json!['id'])}/save`, { reason: 'Why not' });
  const [saved] = await log.news();
  const { changes, ...details } = saved!.details;
  assert.deepEqual([saved!.event, details], ['policy_changed', { ...about, version: '1', reason: 'Why not' }]);
  assert.match(changes!, /optional|can choose|everybody/i);
}

async function connectAProvider(
  log: Log,
  ada: Person,
  portal: Portal,
  { organisation, by, names }: { organisation: string; by: string; names: NameServer },
): Promise<void> {
  await using provider = await OpenIdProvider.start({ now: () => portal.clock.now() });
  const domain = ada.email.split('@')[1]!;
  await log.news();
  const path = await connectOpenId(portal, { owner: ada, provider, names, domain });
  const connection = path.split('/').at(-1)!;
  const about = { organisation, connection, name: 'Example Okta', by };
  const named = { organisation, domain, by };
  assert.deepEqual(
    (await log.news()).map(({ event, details }) => [event, details]),
    [
      ['sso_connection_changed', { ...about, to: 'added' }],
      ['sso_connection_changed', { ...about, to: 'changed' }],
      ['sso_connection_tested', { ...about, result: 'well' }],
      ['sso_domain_changed', { ...named, to: 'named' }],
      ['sso_domain_changed', { ...named, to: 'verified' }],
      ['sso_domain_changed', { ...named, to: 'connection', connection }],
      ['sso_connection_changed', { ...about, to: 'on' }],
    ],
  );
  const { browser } = ada;
  await ada.signOut();
  provider.account({ email: ada.email, claims: { email_verified: false } });
  await signInBy(browser, provider, { email: ada.email });
  await browser.press('Sign in by password');
  browser.fill('Password', ada.password);
  await browser.press('Sign in');
  await log.news();
  await log.expect('connecting', () => browser.press('Connect'), { sso_linked: { organisation, connection, name: 'Example Okta', how: 'proved' } });
  await keepADirectory(log, ada, portal, { organisation, domain });
  await browser.visit('/account/security');
  await log.expect('disconnecting', () => browser.press('Disconnect'), { sso_unlinked: { connection, name: 'Example Okta', by } });
}

/** What a directory does is recorded as its key's. */
async function keepADirectory(log: Log, ada: Person, portal: Portal, { organisation, domain }: { organisation: string; domain: string }): Promise<void> {
  await log.news();
  const directory = new DirectoryClient(portal, await makeKey(ada, { scopes: ['scim'] }));
  const made = (await log.news()).find(({ event }) => event === 'api_key_created');
  const about = { organisation, by: `key ${made!.details['key']}` };
  let id = '';
  await log.expect('somebody new', async () => (id = await directory.makeUser(`by-directory@${domain}`)), {
    user_created: {},
    organisation_joined: { ...about, role: 'member' },
  });
  await log.expect('another name', () => directory.patch(`/Users/${id}`, { op: 'replace', value: { displayName: 'Ada King', 'name.familyName': 'King' } }), {
    scim_user_changed: { ...about, changes: 'displayName familyName' },
    user_updated: about,
  });
  const moved = { op: 'replace', path: 'emails[type eq "work"].value', value: `ada.king@${domain}` };
  await log.expect('another address', () => directory.patch(`/Users/${id}`, moved), {
    scim_user_changed: { ...about, changes: 'email' },
    user_email_changed: about,
  });
  await log.expect('kept out', () => directory.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'False' }), {
    organisation_member_suspended: about,
  });
  let group = '';
  const named = { ...about, name: 'Engineers' };
  await directory.ask('POST', '/Groups', { displayName: 'Engineers', members: [{ value: id }] });
  const filled = await log.news();
  group = filled[0]!.details['group']!;
  assert.deepEqual(
    filled.map(({ event, details }) => [event, details]),
    [
      ['group_changed', { ...named, group, to: 'created' }],
      ['group_members_changed', { ...named, group, added: id, removed: '' }],
    ],
  );
  await log.expect('renamed', () => directory.patch(`/Groups/${group}`, { op: 'Replace', path: 'displayName', value: 'Builders' }), {
    group_changed: { ...about, group, name: 'Builders', to: 'renamed from Engineers' },
  });
  await log.expect('gone', () => directory.ask('DELETE', `/Users/${id}`), { organisation_member_removed: { ...about, role: 'member' } });
  await log.expect('deleted', () => directory.ask('DELETE', `/Groups/${group}`), { group_changed: { ...about, group, name: 'Builders', to: 'deleted' } });
}

async function guardApps(log: Log, { browser }: Person, { organisation, by }: { organisation: string; by: string }): Promise<void> {
  await browser.visit('/admin/apps/new');
  browser.fill('Name', 'Wiki');
  browser.fill('Host', 'wiki.example.org');
  const about = { organisation, host: 'wiki.example.org', name: 'Wiki', by };
  await log.expect('an app', () => browser.press('Add app'), { app_added: about });
  browser.fill('Rules by path', 'signed-in /admin roles=member');
  await log.expect('its rules', () => browser.press('Save'), {
    app_changed: { ...about, from: 'Wiki; else signed-in', to: 'Wiki; signed-in /admin roles=member; else signed-in' },
  });
  const { path } = browser.page;
  const enter = (to: string) => browser.visit(`/apps/enter?${new URLSearchParams({ start: 'A'.repeat(43), to }).toString()}`);
  await log.expect('opening it', () => enter('https://wiki.example.org/'), { app_entered: { host: 'wiki.example.org' } });
  await log.expect('not for this role', () => enter('https://wiki.example.org/admin'), { app_refused: { host: 'wiki.example.org', reason: 'not-the-role' } });
  await browser.visit(path);
  await log.expect('taking it out', () => browser.press('Remove app'), { app_removed: about });
}

async function rename({ browser }: Person): Promise<void> {
  await browser.visit('/account');
  browser.fill('Name', 'Ada Lovelace');
  await browser.press('Save');
}

async function method(ada: Person, which: string, { name, press }: { name?: string; press: string }): Promise<void> {
  await ada.openSecurity();
  await ada.browser.press(`Manage ${which}`);
  if (name !== undefined) ada.browser.fill('Name of this app', name);
  await ada.browser.press(press);
}

async function newPhone(ada: Person): Promise<void> {
  await method(ada, 'Authenticator app (Old phone)', { press: 'Set up on the new phone' });
  await ada.setUpApp({ name: 'New phone' });
}

async function confirm(ada: Person): Promise<void> {
  await ada.browser.visit('/account/security/password');
  ada.browser.fill('Password', ada.password);
  await ada.browser.press('Continue');
  await ada.enterCode(ada.phone.fresh());
}

async function changePassword({ browser, password }: Person): Promise<void> {
  await browser.visit('/account/security/password');
  browser.fill('Current password', password);
  browser.fill('New password', 'eight calm herons on land');
  await browser.press('Change password');
}

/** Methods are a set: those of one moment have no order. */
function inOrder(details: Record<string, string>): Record<string, string> {
  return details['methods'] === undefined ? details : { ...details, methods: details['methods'].split(' ').toSorted().join(' ') };
}
