// "Remember this device" under attack: by whoever has the cookie of somebody, or an old one, and by time.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { days, minutes } from '../../src/platform/durations.ts';
import { AppBehindProxy } from '../support/app-behind-proxy.ts';
import { askForReset as askForMethodsReset, issueBypassCode } from '../support/lost-phone.ts';
import { confirmIfAsked, foundOrganisation, impose, joinAs, openPerson } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';
import { accountOf, askForReset, isSignedIn, race, resetLink } from './intruder.ts';

const BOX = 'Remember this device for 30 days';
const [BROWSER, DEVICE] = ['twinlock-browser', 'twinlock-device'];
const ASKED = 'Enter your code';

describe('TD-2, TD-3: a device that is trusted', () => {
  let portal: Portal;
  let owner: Person;
  before(async () => {
    portal = await openPortal({ engine: 'sqlite', app: { trustedProxies: ['127.0.0.1'] } });
    owner = await foundOrganisation(portal);
    await impose(portal, owner, { trustedDeviceDays: 30 });
    portal.clock.advance(minutes(1));
  });
  after(() => portal.close());

  /** Somebody with an app whose browser is remembered, signed out. */
  const remembered = async (): Promise<Person> => {
    // Weeks pass here.
    if (!(await isSignedIn(owner.browser))) await owner.signIn();
    const person = await joinAs(portal, owner, 'Member');
    await person.enableByApp();
    await person.signOut();
    portal.clock.advance(minutes(2));
    await person.enterPassword();
    person.browser.check(BOX);
    await person.enterCode(person.phone.fresh());
    await person.signOut();
    portal.clock.advance(minutes(2));
    return person;
  };
  const copyOf = ({ browser }: Person): Visitor => {
    const copy = portal.browser();
    for (const name of [BROWSER, DEVICE]) copy.cookies.set(name, browser.cookies.get(name)!);
    return copy;
  };
  const headingAfterPassword = async (person: Person, browser = person.browser): Promise<string> => (await person.enterPassword(browser)).heading;
  const devicesOf = async ({ email }: Person): Promise<number> => {
    const { id } = await accountOf(portal, email);
    return (await portal.world.database.query.selectFrom('trusted_devices').select('id').where('account_id', '=', id).execute()).length;
  };

  test('the cookie of another account opens nothing: neither theirs for me nor mine for them, and both are as they were', async () => {
    const [ada, ben] = [await remembered(), await remembered()];
    const thief = portal.browser();
    thief.cookies.set(DEVICE, ada.browser.cookies.get(DEVICE)!);
    assert.equal(await headingAfterPassword(ben, thief), ASKED);
    const swapped = copyOf(ada);
    assert.equal(await headingAfterPassword(ben, swapped), ASKED, 'with her browser’s own token too');
    assert.equal(await headingAfterPassword(ada), 'Manage Account');
    assert.equal(await headingAfterPassword(ben), 'Manage Account');
  });

  test('the token without the browser that it was given to is a copy: it opens nothing, and the trust ends', async () => {
    const ada = await remembered();
    const thief = portal.browser();
    thief.cookies.set(DEVICE, ada.browser.cookies.get(DEVICE)!);
    assert.equal(await headingAfterPassword(ada, thief), ASKED);
    assert.equal(await devicesOf(ada), 0);
    assert.equal(await headingAfterPassword(ada), ASKED);
  });

  test('the old token after rotation: whoever shows it has a copy, and the trust ends for both, on record', async () => {
    const ada = await remembered();
    const thief = copyOf(ada);
    await ada.signIn();
    await ada.signOut();
    assert.equal(await headingAfterPassword(ada, thief), ASKED);
    assert.equal(await headingAfterPassword(ada), ASKED);
    const { id } = await accountOf(portal, ada.email);
    const events = await portal.world.database.query.selectFrom('audit_events').select(['event', 'details']).where('account_id', '=', id).execute();
    const ended = events.find(({ event }) => event === 'authn_device_trust_ended');
    assert.match(String(ended?.details), /its token was copied/);
    assert.ok(
      ada.mails().some(({ subject }) => subject.startsWith('A device is no longer trusted for ')),
      'The owner is told.',
    );
  });

  test('of ten that show one token at a moment one gets in by it', async () => {
    const ada = await remembered();
    await ada.browser.visit('/sign-in');
    const racing = await race([portal.app], {
      browser: ada.browser,
      path: '/sign-in',
      fields: { email: ada.email, password: ada.password },
      times: 10,
    });
    const headings = racing.map(({ page }) => page.heading);
    assert.equal(headings.filter((one) => one === 'Manage Account').length, 1, headings.join(', '));
    assert.equal(await devicesOf(ada), 0);
  });

  test('made up and broken cookies open nothing, and break nothing', async () => {
    const ada = await remembered();
    const [id] = ada.browser.cookies.get(DEVICE)!.split('.');
    for (const value of ['x', '.', `${id}`, `${id}.`, `.${id}`, `${id}.${'A'.repeat(43)}`, '%00.%00', 'a'.repeat(199)]) {
      const thief = portal.browser();
      thief.cookies.set(DEVICE, value);
      assert.equal(await headingAfterPassword(ada, thief), ASKED, value);
      portal.clock.advance(minutes(1));
    }
  });

  test('without the password it opens nothing, and a wrong one uses nothing up', async () => {
    const ada = await remembered();
    const thief = copyOf(ada);
    assert.equal(await isSignedIn(thief), false);
    await ada.enterPassword(thief, 'not the password at all');
    assert.equal(thief.page.status, 401);
    assert.equal(await headingAfterPassword(ada), 'Manage Account');
  });

  test('after its end, also with a cookie that the browser should have dropped', async () => {
    const ada = await remembered();
    portal.clock.advance(days(30));
    assert.equal(await headingAfterPassword(ada), ASKED);
  });

  const endings: readonly (readonly [name: string, end: (ada: Person) => Promise<unknown>])[] = [
    ['another password', changePassword],
    ['a password by a link', resetPassword],
    ['another method', (ada) => ada.enableEmailToo()],
    ['a new Recovery Key', newRecoveryKey],
    ['the Recovery Key, used', useRecoveryKey],
    ['“Sign out all others”', (ada) => ada.browser.post('/account/sessions/end-others')],
    ['two-factor authentication off and on', async (ada) => void (await (await ada.disable()).enableByApp())],
    ['an administrator who ends the sessions', (ada) => pressAsOwner(ada, 'End all sessions')],
    ['an administrator who asks for a new password', askForPassword],
  ];
  for (const [name, end] of endings) {
    test(`it ends with ${name}`, async () => {
      const ada = await remembered();
      const copy = copyOf(ada);
      const elsewhere = portal.browser();
      await ada.signIn({ browser: elsewhere, by: 'app' });
      const everyday = ada.browser;
      ada.browser = elsewhere;
      await end(ada);
      ada.browser = everyday;
      assert.equal(await devicesOf(ada), 0);
      portal.clock.advance(minutes(2));
      assert.equal(await headingAfterPassword(ada, copy), ASKED);
    });
  }

  test('it ends where its session is signed out from another browser: that is what one does with a lost laptop', async () => {
    const ada = await remembered();
    await ada.signIn();
    const elsewhere = portal.browser();
    await ada.signIn({ browser: elsewhere, by: 'app' });
    await elsewhere.visit('/account/sessions');
    const session = elsewhere.page.root.querySelector('input[name=session]')!.getAttribute('value')!;
    await elsewhere.post('/account/sessions/end', { session });
    assert.equal(await isSignedIn(ada.browser), false);
    assert.equal(await headingAfterPassword(ada), ASKED);
  });

  test('nobody removes the device of another, by whatever id', async () => {
    const [ada, ben] = [await remembered(), await remembered()];
    const { id } = await portal.world.database.query
      .selectFrom('trusted_devices')
      .select('id')
      .where('account_id', '=', (await accountOf(portal, ada.email)).id)
      .executeTakeFirstOrThrow();
    await ben.signIn();
    await ben.browser.post('/account/security/devices/remove', { device: id });
    assert.equal(await devicesOf(ada), 1);
    assert.equal(await headingAfterPassword(ada), 'Manage Account');
  });

  test('TD-1 it is no fresh proof and no second factor for an app: both are asked for', async () => {
    const ada = await remembered();
    await owner.browser.visit('/admin/apps/new');
    await confirmIfAsked(owner.browser, owner.password);
    owner.browser.fill('Name', 'Vault');
    owner.browser.fill('Host', 'vault.example.org');
    owner.browser.check('Two factors');
    await owner.browser.press('Add app');
    assert.match(owner.browser.page.text, /The app is behind the portal\./);
    await ada.signIn();
    for (const path of ['/account/security/password', '/account/security/disable', '/account/security/recovery-key', '/account/email']) {
      await ada.browser.visit(path);
      assert.equal(ada.browser.page.heading, 'Confirm that it’s you', path);
      assert.match(ada.browser.page.text, /Your second step is asked for too/);
    }
    const vault = new AppBehindProxy(portal, 'http://vault.example.org');
    await vault.open(ada.browser, '/');
    assert.equal(ada.browser.page.heading, 'Confirm that it’s you');
  });

  test('while a bypass code or a reset waits, the second step is asked for: the code is not used up by the way in', async () => {
    const [ada, ben] = [await remembered(), await remembered()];
    if ((await owner.browser.visit('/account/security')).hasButton('Enable Two-Factor Authentication')) await owner.enableByApp();
    await issueBypassCode(owner, ada.email);
    assert.equal(await headingAfterPassword(ada), ASKED);
    await askForMethodsReset(owner, ben.email);
    assert.equal(await headingAfterPassword(ben), ASKED);
    assert.deepEqual([await devicesOf(ada), await devicesOf(ben)], [1, 1]);
  });

  async function changePassword(ada: Person): Promise<void> {
    await ada.browser.visit('/account/security/password');
    ada.browser.fill('Current password', ada.password);
    ada.password = 'nine quiet herons at dusk';
    ada.browser.fill('New password', ada.password);
    await ada.browser.press('Change password', { near: 'New password' });
  }

  async function resetPassword(ada: Person): Promise<void> {
    await askForReset(ada.browser, ada.email);
    await ada.browser.visit(resetLink(portal, ada.email));
    await ada.browser.press('Continue');
    ada.password = 'ten quiet herons at dusk';
    ada.browser.fill('New password', ada.password);
    await ada.browser.press('Save new password');
  }

  async function newRecoveryKey(ada: Person): Promise<void> {
    await ada.openSecurity();
    await ada.browser.press('Create new Recovery Key');
    await ada.browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    await ada.keepRecoveryKey();
  }

  async function useRecoveryKey(ada: Person): Promise<void> {
    await ada.signOut();
    await ada.signIn({ by: 'recovery-key' });
  }

  async function pressAsOwner(ada: Person, button: string): Promise<void> {
    await openPerson(owner, ada.email);
    await owner.browser.press(button);
    if (owner.browser.page.heading !== 'Confirm that it’s you') return;
    await confirmIfAsked(owner.browser, owner.password);
    await owner.browser.press(button);
  }

  async function askForPassword(ada: Person): Promise<void> {
    await pressAsOwner(ada, 'Require a new password');
    await resetPassword(ada);
  }
});
