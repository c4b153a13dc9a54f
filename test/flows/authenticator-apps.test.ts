// Several authenticator apps on one account: adding, naming, using, removing, and moving to a new phone.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { minutes, seconds } from '../../src/platform/durations.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  const withApp = async (): Promise<Person> => (await portal.newcomer().join()).enableByApp();

  test('a second app is named, and each of them signs in on its own', async () => {
    const ada = await withApp();
    const first = ada.phone;
    const second = await ada.addApp({ name: 'Tablet' });
    assert.match(ada.browser.page.text, /Authenticator app · Tablet Added 2 February 2027, not used yet/);
    for (const app of [first, second]) {
      const browser = portal.browser();
      await ada.enterPassword(browser);
      assert.match(browser.page.text, /Open one of your authenticator apps \(Tablet\) and enter the six digits it shows for Example\./);
      await ada.enterCode(app.fresh(), { browser });
      assert.equal(browser.page.path, '/account');
    }
    await ada.openSecurity();
    assert.match(ada.browser.page.text, /Tablet Added 2 February 2027, last used 2 February 2027 at \d\d:\d\d UTC/);
  });

  test('without a name of its own a second app gets one that tells it apart', async () => {
    const ada = await withApp();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Add a method');
    await browser.press('Enable With Authenticator App');
    assert.equal(browser.page.value('Name of this app'), 'Authenticator app 2');
    await ada.setUpApp();
    assert.match(browser.page.text, /Authenticator app · Authenticator app 2/);
  });

  test('a name that is too long, or can’t be shown, is refused before the QR code, beside the field', async () => {
    const ada = await withApp();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Add a method');
    await browser.press('Enable With Authenticator App');
    for (const name of ['x'.repeat(61), 'Ada\u202es phone', 'Ada\u0007']) {
      browser.fill('Name of this app', name);
      await browser.press('Continue');
      assert.equal(browser.page.status, 422, JSON.stringify(name));
      assert.equal(browser.page.field('Name of this app').getAttribute('aria-invalid'), 'true');
      assert.notEqual(browser.page.alert, '');
      assert.equal(browser.page.value('Name of this app'), name, 'what was typed is still there');
    }
    await ada.setUpApp({ name: 'Ada’s phone 📱' });
    assert.match(browser.page.text, /Ada’s phone 📱/);
  });

  test('five at most: with the fifth the way to add one is gone, and the form is refused', async () => {
    const ada = await withApp();
    for (const name of ['second', 'third', 'fourth', 'fifth']) await ada.addApp({ name });
    const { browser } = ada;
    await ada.enableEmailToo();
    assert.ok(!browser.page.hasButton('Add a method'));
    await browser.post('/account/security/enable', { method: 'totp' });
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.text, /You have every method that there is\./);
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('with several apps one wrong code counts once', async () => {
    const ada = await withApp();
    for (const name of ['second', 'third']) await ada.addApp({ name });
    portal.clock.advance(seconds(30));
    const browser = portal.browser();
    await ada.enterPassword(browser);
    for (let tries = 0; tries < 4; tries += 1) {
      await ada.enterCode(ada.phone.shows() === '020202' ? '020203' : '020202', { browser });
      assert.equal(browser.page.status, 422);
    }
    await ada.enterCode(ada.phone.shows(), { browser });
    assert.equal(browser.page.path, '/account', 'four wrong ones pause nothing, with three apps either');
  });

  test('an app can be renamed', async () => {
    const ada = await withApp();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Manage Authenticator app');
    browser.fill('Name of this app', '   ');
    await browser.press('Save name');
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /Use 1 to 60 characters that can be shown\./);
    await browser.reload();
    assert.equal(browser.page.heading, 'Authenticator app', 'a browser that was closed and reopened there finds the page');
    browser.fill('Name of this app', ' Old phone ');
    await browser.press('Save name');
    assert.match(browser.page.text, /The new name is saved\./);
    await browser.press('Manage Authenticator app (Old phone)');
    assert.equal(browser.page.heading, 'Authenticator app (Old phone)');
  });

  test('FC-3, FC-5 an app that is removed opens nothing any more; the others do, other browsers are signed out, and the owner is told', async () => {
    const ada = await withApp();
    const first = ada.phone;
    const second = await ada.addApp({ name: 'Lost phone' });
    const other = portal.browser();
    await ada.signIn({ browser: other, by: 'app' });
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Manage Authenticator app (Lost phone)');
    assert.match(browser.page.text, /It stops working at once, and all other browsers are signed out\./);
    await browser.press('Remove');
    assert.match(browser.page.text, /The method is removed\. All other browsers are signed out\./);
    assert.doesNotMatch(browser.page.text, /Lost phone/);
    assert.match(ada.newestMail().text, /Removed: Authenticator app \(Lost phone\)\. It no longer works\./);
    await other.reload();
    assert.equal(other.page.path, '/sign-in');

    const [lost, kept] = [portal.browser(), portal.browser()];
    await ada.enterPassword(lost);
    await ada.enterCode(second.fresh(), { browser: lost });
    assert.equal(lost.page.status, 422);
    await ada.enterPassword(kept);
    await ada.enterCode(first.fresh(), { browser: kept });
    assert.equal(kept.page.path, '/account');
  });

  test('FC-1 removing, renaming and replacing ask for a fresh proof when the last is older than ten minutes, and lead back', async () => {
    const ada = await withApp();
    await ada.addApp({ name: 'Tablet' });
    const { browser } = ada;
    for (const [button, done] of [
      ['Set up on the new phone', /Enable With Authenticator App/],
      ['Save name', /The new name is saved\./],
      ['Remove', /The method is removed\./],
    ] as const) {
      portal.clock.advance(minutes(11));
      await ada.openSecurity();
      await browser.press('Manage Authenticator app (Tablet)');
      await browser.press(button);
      assert.equal(browser.page.heading, 'Confirm that it’s you');
      browser.fill('Password', ada.password);
      await browser.press('Continue');
      await ada.enterCode(ada.phone.fresh());
      assert.equal(browser.page.heading, 'Authenticator app (Tablet)', 'nothing was done yet');
      await browser.press(button);
      assert.match(browser.page.text, done);
    }
  });

  test('the only method can’t be removed: the page says what to do instead', async () => {
    const ada = await withApp();
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Manage Authenticator app');
    assert.match(browser.page.text, /This is your only method\. Add another one first, or disable two-factor authentication\./);
    assert.ok(!browser.page.hasButton('Remove'));
    await browser.post(`${browser.page.path}/remove`);
    assert.equal(browser.page.status, 422);
    await browser.press('disable two-factor authentication');
    assert.equal(browser.page.heading, 'Disable two-factor authentication');
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('FC-7 nor where the policy requires one, with that as the reason; with a second one it can', async () => {
    const strict = await open();
    const ada = await (await strict.newcomer().join()).enableByApp();
    await strict.setPolicy('required');
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Manage Authenticator app');
    assert.match(browser.page.text, /Example asks you for two-factor authentication, and this is your only method\. Add another one first, then remove this\./);
    await ada.addApp({ name: 'Second' });
    await browser.press('Manage Authenticator app');
    await browser.press('Remove');
    assert.match(browser.page.text, /The method is removed\./);
  });

  test('"New phone?": the old app serves until the new one has shown a right code, and then no longer', async () => {
    const ada = await withApp();
    const oldPhone = ada.phone;
    const { browser } = ada;
    await ada.openSecurity();
    await browser.press('Manage Authenticator app');
    assert.ok(browser.page.headings.includes('New phone?'));
    assert.match(browser.page.text, /This one serves until the new one has shown a right code\./);
    await browser.press('Set up on the new phone');
    assert.match(browser.page.text, /The new one takes the place of Authenticator app, which works until the new one has shown a right code\./);
    browser.fill('Name of this app', 'New phone');
    await browser.press('Continue');
    const newPhone = AuthenticatorApp.from(browser.page, portal.clock);

    const meanwhile = portal.browser();
    await ada.enterPassword(meanwhile);
    await ada.enterCode(newPhone.shows(), { browser: meanwhile });
    assert.equal(meanwhile.page.status, 422, 'the new one is nothing yet');
    await ada.enterCode(oldPhone.fresh(), { browser: meanwhile });
    assert.equal(meanwhile.page.path, '/account');

    await ada.enterCode(newPhone.shows(portal.clock.now() + minutes(20)), { button: 'Verify' });
    assert.equal(browser.page.status, 422);
    await ada.enterCode(newPhone.fresh(), { button: 'Verify' });
    assert.match(browser.page.text, /The new app has taken the place of the old one, which no longer works\./);
    assert.match(browser.page.text, /Authenticator app · New phone/);
    assert.match(ada.newestMail().text, /Authenticator app \(New phone\) was replaced by a new one\. The old one no longer works\./);

    const after = portal.browser();
    await ada.enterPassword(after);
    await ada.enterCode(oldPhone.fresh(), { browser: after });
    assert.equal(after.page.status, 422);
    await ada.enterCode(newPhone.fresh(), { browser: after });
    assert.equal(after.page.path, '/account');
  });

  test('"New phone?" works where the policy is off too: who is still asked for a code must be able to have one', async () => {
    const ada = await withApp();
    await ada.openSecurity();
    await portal.setPolicy('off');
    await ada.browser.press('Manage Authenticator app');
    await ada.browser.press('Set up on the new phone');
    await ada.setUpApp();
    await portal.setPolicy('optional');
    assert.match(ada.browser.page.text, /The new app has taken the place of the old one/);
  });

  test('"New phone?" works with five apps too, and its "Cancel" leaves the old one', async () => {
    const ada = await withApp();
    for (const name of ['second', 'third', 'fourth', 'fifth']) await ada.addApp({ name });
    const fifth = ada.phone;
    const { browser } = ada;
    await browser.press('Manage Authenticator app (fifth)');
    await browser.press('Set up on the new phone');
    await browser.press('Continue');
    await browser.press('Cancel');
    const still = portal.browser();
    await ada.enterPassword(still);
    await ada.enterCode(fifth.fresh(), { browser: still });
    assert.equal(still.page.path, '/account');
    await browser.press('Manage Authenticator app (fifth)');
    await browser.press('Set up on the new phone');
    await ada.setUpApp();
    assert.match(browser.page.text, /has taken the place of the old one/);
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('a method that somebody else’s page names, or that is gone, is not there: 404 and a way on', async () => {
    const ada = await withApp();
    const eve = await withApp();
    await ada.openSecurity();
    await ada.browser.press('Manage Authenticator app');
    const { path } = ada.browser.page;
    await eve.browser.visit(path);
    assert.equal(eve.browser.page.status, 404);
    assert.match(eve.browser.page.text, /This method is not there any more\. Security and Credentials shows those that are\./);
    assert.ok(eve.browser.page.hasButton('Go to the start'));
  });
});
