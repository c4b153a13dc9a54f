// Signing in by the password of an organisation's own directory, asked by LDAP. What follows is the same as behind a password of ours.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { addDirectory, askDirectory, connectDirectory, enterDirectoryPassword } from '../support/ldap-sign-on.ts';
import { startLdapServer, type DirectoryPerson, type LdapServer } from '../support/ldap-server.ts';
import { NameServer } from '../support/name-server.ts';
import { foundOrganisation, impose } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { openPortal, type Portal, type PortalOptions } from '../support/portal.ts';
import { openConsole } from '../support/single-sign-on.ts';

const passwordOf = (uid: string): string => `directory password of ${uid}`;
const person = (uid: string, more: Partial<DirectoryPerson> = {}): DirectoryPerson => ({
  uid,
  password: passwordOf(uid),
  attributes: { mail: `${uid}@example.com`, entryUUID: `uuid-of-${uid}`, cn: `${uid} of the directory` },
  ...more,
});
const PEOPLE = [person('ada'), person('bob'), person('probe'), person('gone', { data: '533' }), person('new', { policy: { error: 2 } })];

// No SQL of its own: what is stored is what every connection stores.
describe('a directory, on sqlite', () => {
  const opened: AsyncDisposable[] = [];
  after(async () => {
    for (const one of opened) await one[Symbol.asyncDispose]();
  });

  async function setOut(
    network: NonNullable<PortalOptions['network']> = {},
  ): Promise<{ portal: Portal; owner: Person; directory: LdapServer; names: NameServer }> {
    const [names, directory] = [await NameServer.start(), await startLdapServer({ people: PEOPLE })];
    const portal = await openPortal({ engine: 'sqlite', network: { nameServers: [names.address], ...network } });
    opened.push(portal, names, directory);
    return { portal, owner: await foundOrganisation(portal), directory, names };
  }

  const connect = (about: { owner: Person; directory: LdapServer; names: NameServer; believed?: boolean }): Promise<string> =>
    connectDirectory({ ...about, probe: { email: 'probe@example.com', password: passwordOf('probe') } });

  test('"Test connection" asks the directory, says what came or what is wrong, and shows no secret', async () => {
    const { owner, directory } = await setOut();
    const path = await addDirectory({ owner, directory });
    const well = await askDirectory(owner, path, 'ADA@example.com', passwordOf('ada'));
    for (const words of ['It works.', 'uuid-of-ada', 'ada@example.com (believed, as the settings say)', 'uid=ada,ou=people,dc=example,dc=org'])
      assert.ok(well.includes(words), well);
    assert.match(await askDirectory(owner, path, 'ada@example.com', 'wrong'), /It does not work yet\..*email and password do not go together/);
    assert.match(await askDirectory(owner, path, 'gone@example.com', passwordOf('gone')), /do not go together\. The account is disabled\. \(data 533\)/);
    directory.faults.referral = 'ldap://127.0.0.1:9/';
    assert.match(await askDirectory(owner, path, 'ada@example.com', passwordOf('ada')), /does not answer the search \(result 10\)/);
    directory.faults.referral = undefined;
    for (const page of [await openConsole(owner, path)]) assert.ok(!page.text.includes('service-password-that-nobody-sees'));
    for (let tries = 0; tries < 10; tries += 1) await askDirectory(owner, path, 'ada@example.com', `guess ${tries}`);
    assert.match(await askDirectory(owner, path, 'ada@example.com', passwordOf('ada')), /There were many tests\. You can try again/);
  });

  test('SI-8 attack: a directory of the portal’s own network, which the operator has not named', async () => {
    const { owner, directory } = await setOut({ privateHosts: [] });
    const path = await addDirectory({ owner, directory });
    directory.asked.length = 0;
    assert.match(await askDirectory(owner, path, 'ada@example.com', passwordOf('ada')), /has not named it in TWINLOCK_PRIVATE_HOSTS/);
    assert.deepEqual(directory.asked, []);
  });

  test('SI-6 the directory’s password opens the set-up screen, and from then on a code is asked for behind it', async () => {
    const { portal, owner, directory, names } = await setOut();
    await connect({ owner, directory, names });
    await impose(portal, owner, { twoFactor: 'required', roles: ['member'], mailFirst: false });
    const ada = portal.newcomer({ email: 'ada@example.com', password: passwordOf('ada') });
    await enterDirectoryPassword(ada.browser, ada.email, ada.password);
    assert.equal(ada.browser.page.path, '/sign-in/set-up');
    await ada.browser.press(ada.browser.page.buttonStartingWith('Enable With Authenticator App'));
    await ada.setUpApp();
    await ada.keepRecoveryKey();
    await ada.browser.press('Continue');
    assert.equal(ada.browser.page.path, '/account');
    assert.equal(ada.browser.page.value('Name'), 'ada of the directory');

    portal.clock.advance(minutes(1));
    const other = portal.browser();
    await enterDirectoryPassword(other, ada.email, ada.password);
    assert.equal(other.page.path, '/sign-in/verify');
    assert.equal(other.cookies.get('twinlock-session'), undefined);
    await ada.showSecondFactor('app', other);
    assert.equal(other.page.path, '/account');

    // A fresh proof is the directory's password, too; somebody else's is none.
    portal.clock.advance(minutes(20));
    await other.visit('/account/security/disable');
    other.fill('Password', passwordOf('bob'));
    await other.press('Continue');
    assert.equal(other.page.status, 422);
    other.fill('Password', ada.password);
    await other.press('Continue');
    assert.equal(other.page.path, '/account/confirm/verify', other.page.text);

    // Whoever is disabled there gets in no more, whatever is known here.
    directory.people.splice(0, directory.people.length, person('ada', { data: '533' }));
    const late = portal.browser();
    assert.equal((await enterDirectoryPassword(late, ada.email, ada.password)).status, 401);
  });

  test('attack: empty, wrong, made up and with the signs of filters: each is wrong, and each counts (RL-3)', async () => {
    const { portal, owner, directory, names } = await setOut();
    await connect({ owner, directory, names });
    const intruder = portal.browser();
    directory.asked.length = 0;
    for (const email of [
      '*@example.com',
      'a*@example.com',
      '"*)(mail=ada@example.com)(uid=*"@example.com',
      'ada)(uid=@example.com',
      '\\2a@example.com',
      'nobody@example.com',
    ])
      assert.ok([401, 429].includes((await enterDirectoryPassword(portal.browser(), email, passwordOf('ada'))).status), email);
    assert.ok(
      !directory.asked.some((one) => one.includes('Substring') || one.includes('Presence') || one.startsWith('bind uid=ada')),
      directory.asked.join('\n'),
    );
    directory.asked.length = 0;
    await intruder.visit('/sign-in');
    await intruder.post('/sign-in', { email: 'ada@example.com', password: '' });
    assert.equal(intruder.page.status, 401);
    assert.deepEqual(directory.asked, [], 'an empty password goes nowhere');
    for (let tries = 0; tries < 4; tries += 1) assert.equal((await enterDirectoryPassword(intruder, 'ada@example.com', `guess ${tries}`)).status, 401);
    directory.asked.length = 0;
    assert.equal((await enterDirectoryPassword(intruder, 'ada@example.com', passwordOf('ada'))).status, 429, 'the right one, too');
    assert.deepEqual(directory.asked, [], 'so that nobody locks an account of the directory from here');
    assert.equal(intruder.cookies.get('twinlock-session'), undefined);
  });

  test('a password that the directory wants changed first opens nothing, and whoever has it is told what to do; nobody else is', async () => {
    const { portal, owner, directory, names } = await setOut();
    const path = await connect({ owner, directory, names });
    assert.match(
      await askDirectory(owner, path, 'new@example.com', passwordOf('new')),
      /password is right, and another one is wanted first\. .*has to be changed/,
    );
    const browser = portal.browser();
    await enterDirectoryPassword(browser, 'new@example.com', passwordOf('new'));
    assert.deepEqual([browser.page.status, browser.page.heading], [403, 'You are not signed in']);
    assert.ok(browser.page.has('Herons Directory wants a new one first'), browser.page.text);
    assert.equal(browser.cookies.get('twinlock-session'), undefined);
    assert.equal((await enterDirectoryPassword(portal.browser(), 'new@example.com', 'a guess')).status, 401);
    directory.people.splice(0, directory.people.length, person('new', { password: 'chosen by herself' }));
    assert.equal((await enterDirectoryPassword(browser, 'new@example.com', 'chosen by herself')).path, '/account');
    directory.people.splice(0, directory.people.length, person('new', { policy: { graceAuthNsRemaining: 1 } }));
    assert.equal((await enterDirectoryPassword(portal.browser(), 'new@example.com', passwordOf('new'))).status, 403);
    // Nor does it confirm anything in a session that is open.
    portal.clock.advance(minutes(20));
    await browser.visit('/account/security/password');
    browser.fill('Password', passwordOf('new'));
    await browser.press('Continue');
    assert.ok(browser.page.path === '/account/confirm' && browser.page.has('wants a new one first'), browser.page.text);
    await openConsole(owner, '/admin/audit');
    assert.ok(owner.browser.page.has('Right password, but the directory wants a new one first'), owner.browser.page.text);
  });

  test('a directory that is down is said to be; and its owner gets in by the password of the portal', async () => {
    const { portal, owner, directory, names } = await setOut();
    await connect({ owner, directory, names });
    await directory.goDown();
    const page = await enterDirectoryPassword(portal.browser(), 'ada@example.com', passwordOf('ada'));
    assert.equal(page.status, 503);
    assert.ok(page.has('Herons Directory'), page.text);
    await owner.signIn({ browser: portal.browser() });
    await directory.comeBack();
    const browser = portal.browser();
    assert.equal((await enterDirectoryPassword(browser, 'ada@example.com', passwordOf('ada'))).path, '/account');
  });

  test('SI-6 attack: the portal’s own password, which opens what a person is elsewhere too, is not shown to the directory', async () => {
    const { portal, owner, directory, names } = await setOut();
    await connect({ owner, directory, names });
    const ada = await portal.newcomer({ email: 'ada@example.com' }).join();
    const browser = portal.browser();
    await enterDirectoryPassword(browser, ada.email, passwordOf('ada'));
    assert.equal(browser.page.path, '/account', browser.page.text);
    portal.clock.advance(minutes(20));
    directory.asked.length = 0;
    await ada.browser.visit('/account/security/password');
    ada.browser.fill('Password', ada.password);
    await ada.browser.press('Continue');
    assert.equal(ada.browser.page.path, '/account/security/password', ada.browser.page.text);
    assert.deepEqual(directory.asked, []);
    await browser.visit('/account/security/password');
    browser.fill('Password', passwordOf('ada'));
    await browser.press('Continue');
    assert.equal(browser.page.path, '/account/security/password', 'The directory’s is as good.');
  });

  test('SI-5 attack: where a directory is required, the portal’s own password is no fresh proof', async () => {
    const { portal, owner, directory, names } = await setOut();
    const path = await connect({ owner, directory, names });
    const ada = await portal.newcomer({ email: 'ada@example.com' }).join();
    ada.browser = portal.browser();
    await enterDirectoryPassword(ada.browser, ada.email, passwordOf('ada'));
    await openConsole(owner, path);
    await owner.browser.press('Require it');
    portal.clock.advance(minutes(20));
    for (const [password, lands] of [
      [ada.password, '/account/confirm'],
      [passwordOf('ada'), '/account/security/password'],
    ] as const) {
      await ada.browser.visit('/account/security/password');
      ada.browser.fill('Password', password);
      await ada.browser.press('Continue');
      assert.equal(ada.browser.page.path, lands, ada.browser.page.text);
    }
  });

  test('RL-3 attack: an answer of the directory forgives no guesses at the portal’s own password of somebody whom it does not know', async () => {
    const { portal, owner, directory, names } = await setOut();
    await connect({ owner, directory, names, believed: false });
    const bob = await portal.newcomer({ email: 'bob@example.com' }).join();
    const statuses: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let tries = 0; tries < 3; tries += 1) {
        const guessing = portal.browser();
        await guessing.visit('/sign-in?way=password');
        guessing.fill('Email', bob.email);
        guessing.fill('Password', `a guess at it, ${round} ${tries}`);
        statuses.push((await guessing.press('Sign in')).status);
      }
      await enterDirectoryPassword(portal.browser(), bob.email, passwordOf('bob'));
    }
    assert.ok(statuses.includes(429), statuses.join(' '));
  });

  test('SI-1 attack: whoever writes the directory takes nobody’s account by writing their address into it', async () => {
    const { portal, owner, directory, names } = await setOut();
    const eve = await portal.newcomer({ email: 'bob@example.com' }).join();
    await connect({ owner, directory, names, believed: false });
    const browser = portal.browser();
    const page = await enterDirectoryPassword(browser, eve.email, passwordOf('bob'));
    assert.equal(page.heading, 'One more step, this once');
    assert.equal(browser.cookies.get('twinlock-session'), undefined);
  });
});
