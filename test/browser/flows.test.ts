// The five flows of the mission in Chromium, word for word: a real server, mail by SMTP, the QR code read off a screenshot, codes by another program.
// Each runs with JavaScript and without.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { keyInFile } from '../support/person.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import { connecting, found, goToProvider, signInThere, startProvider } from './single-sign-on-pages.ts';
import { servePortal, type ServedPortal } from '../support/served-portal.ts';

let browser: Browser;
let portal: ServedPortal;
before(async () => {
  [browser, portal] = await Promise.all([launchBrowser(), servePortal()]);
});
after(async () => {
  await browser.close();
  await portal.close();
});

let people = 0;
const newcomer = (javaScriptEnabled: boolean): Promise<PersonInChromium> => {
  people += 1;
  return PersonInChromium.arrive(browser, portal, { javaScriptEnabled, email: `ada${people}@example.org` });
};

for (const javaScriptEnabled of [true, false]) {
  describe(javaScriptEnabled ? 'with JavaScript' : 'with JavaScript off', () => {
    test('flow 1, Enable 2FA: not before the email is verified, then by an emailed code and the Recovery Key', async () => {
      await using ada = await newcomer(javaScriptEnabled);
      await ada.signUp();
      await ada.press('Do this later');
      await ada.openSecurity();
      assert.match(await section(ada, 'Two-Factor Authentication'), /First verify that ada\d@example\.org is yours/);
      assert.equal(await ada.button('Enable Two-Factor Authentication').count(), 0);
      await ada.press('Verify email');
      await ada.sees('Verify your email');
      portal.clock.advance(30_000);
      await portal.codeTo(ada.email);
      await ada.press('Send verification code');
      await ada.sees('Check your email');
      await ada.enterEmailedCode();
      await ada.sees('Your email is verified');

      await ada.openSecurity();
      await ada.press('Enable Two-Factor Authentication');
      await ada.press('Send verification code');
      await ada.sees('Check your email');
      await ada.enterEmailedCode('Continue');
      await ada.sees('Save your Recovery Key');
      const file = await ada.download();
      assert.equal(file.name, 'recovery-key.txt');
      for (const said of ['Recovery Key for Example Ltd', ada.email, portal.origin]) assert.ok(file.text.includes(said), said);
      const dialog = ada.page.getByRole('dialog', { name: 'Save your Recovery Key' });
      assert.ok((await dialog.innerText()).includes(keyInFile(file.text)), 'The file has the key that the page shows.');
      await ada.press('Finish');
      await ada.sees('Security and Credentials');
      assert.match(await section(ada, 'Two-Factor Authentication'), /^Two-Factor Authentication\s+On/);

      await ada.signOut();
      await ada.enterPassword();
      await ada.sees('Check your email');
      await ada.visit('/account');
      await ada.sees('Sign in');
    });

    test('flow 2, Sign in with 2FA: by the authenticator app, by an emailed code, by the Recovery Key', async () => {
      await using ada = await withEveryFactor(javaScriptEnabled);
      await ada.enterPassword();
      await ada.sees('Enter your code');
      await ada.fill('Verification code', ada.phone!.fresh());
      await ada.press('Continue');
      await ada.sees('Manage Account');
      await ada.signOut();

      await ada.enterPassword();
      await ada.press('Try another way', /^Code by email/);
      await ada.sees('Check your email');
      await ada.enterEmailedCode();
      await ada.sees('Manage Account');
      await ada.signOut();

      await signInByRecoveryKey(ada);
    });

    test('flow 3, Disable 2FA: by an emailed code, and refused with the reason where the policy requires it', async () => {
      await using ada = await withEveryFactor(javaScriptEnabled);
      await ada.enterPassword();
      await ada.fill('Verification code', ada.phone!.fresh());
      await ada.press('Continue');
      await ada.sees('Manage Account');
      await portal.setPolicy('required');
      await ada.openSecurity();
      await ada.press('Disable');
      await ada.sees('Disable two-factor authentication');
      assert.match(await ada.page.getByRole('alert').innerText(), /^Example Ltd asks you for two-factor authentication, so it can’t be disabled/);
      assert.equal(await ada.button('Send verification code').count(), 0);
      await portal.setPolicy('optional');

      await ada.openSecurity();
      await ada.press('Disable', 'Send verification code');
      await ada.sees('Check your email');
      await ada.enterEmailedCode('Finish');
      await ada.sees('Security and Credentials');
      assert.match(await section(ada, 'Two-Factor Authentication'), /^Two-Factor Authentication\s+Off/);
      await ada.signOut();
      await ada.enterPassword();
      await ada.sees('Manage Account');
    });

    test('flow 4, Recovery Key: a new one takes the place of the old one, which stops working', async () => {
      await using ada = await withEveryFactor(javaScriptEnabled);
      await ada.enterPassword();
      await ada.fill('Verification code', ada.phone!.fresh());
      await ada.press('Continue');
      await ada.sees('Manage Account');
      const old = ada.recoveryKey;
      await ada.openSecurity();
      await ada.press('Create new Recovery Key', 'Send verification code');
      await ada.sees('Check your email');
      await ada.enterEmailedCode();
      await ada.keepRecoveryKey();
      await ada.sees('Security and Credentials');
      assert.notEqual(ada.recoveryKey, old);
      await ada.signOut();

      await ada.enterPassword();
      await ada.press('Try another way', /^Recovery Key/);
      await ada.fill('Recovery Key', old);
      await ada.press('Continue');
      assert.match((await ada.page.getByRole('alert').textContent()) ?? '', /^That key was not right/);
      await signInByRecoveryKey(ada);
    });

    test('flow 5, Authenticator app: the set-up screen, the QR code, the Recovery Key, the confirmation, and the next sign-in', async () => {
      await using ada = await newcomer(javaScriptEnabled);
      await ada.join();
      await ada.signOut();
      await portal.setPolicy('required');
      await ada.enterPassword();
      await ada.sees('Set up two-factor authentication');
      await ada.press('Enable With Authenticator App');
      await ada.sees('Enable With Authenticator App');
      await ada.press('Continue');
      await ada.scanQrCode();
      assert.equal(ada.phone!.scanned.label, `Example Ltd:${ada.email}`);
      assert.equal(ada.phone!.scanned.issuer, 'Example Ltd');
      const dialog = ada.page.getByRole('dialog', { name: 'Scan the QR code' });
      const byHand = (await dialog.innerText()).match(/(?:[A-Z2-7]{4}\s){7}[A-Z2-7]{4}/)![0];
      assert.equal(byHand.replace(/\s/g, ''), ada.phone!.scanned.secret, 'The setup key for typing is the same.');
      assert.match((await ada.button('Open in an authenticator app on this phone').getAttribute('href'))!, /^otpauth:\/\/totp\//);
      await dialog.getByLabel('Verification code').fill(ada.phone!.fresh());
      await ada.press('Verify');
      await ada.keepRecoveryKey();
      await ada.sees('Two-factor authentication is on');
      await ada.press('Continue');
      await ada.sees('Manage Account');
      await ada.signOut();

      await ada.enterPassword();
      await ada.sees('Enter your code');
      await ada.fill('Verification code', ada.phone!.fresh());
      await ada.press('Continue');
      await ada.sees('Manage Account');
      await portal.setPolicy('optional');
    });
  });
}

describe('flow 5 behind single sign-on', () => {
  for (const javaScriptEnabled of [true, false])
    test(`${javaScriptEnabled ? 'with JavaScript' : 'with JavaScript off'}: the set-up screen, the mailbox, the QR code, the Recovery Key, in; and at the next sign-in the code`, async () => {
      await using own = await servePortal();
      await using provider = await startProvider(own);
      await using owner = await PersonInChromium.arrive(browser, own, { javaScriptEnabled, email: 'olga@example.org' });
      await found(owner);
      for await (const _stop of connecting(owner, provider));
      await own.setPolicy('required');
      await using ada = await PersonInChromium.arrive(browser, own, { javaScriptEnabled });
      provider.account({ email: ada.email });
      await goToProvider(ada);
      await signInThere(ada, ada.email);
      await ada.sees('Set up two-factor authentication');
      await ada.press('Enable With Authenticator App');
      // The browser is new to the account, and a provider's password may be stolen as well.
      await ada.sees('Check your email');
      await ada.press('Send verification code');
      await ada.enterEmailedCode();
      await ada.sees('Enable With Authenticator App');
      await ada.press('Continue');
      await ada.scanQrCode();
      await ada.fill('Verification code', ada.phone!.fresh());
      await ada.press('Verify');
      await ada.keepRecoveryKey();
      await ada.sees('Two-factor authentication is on');
      await ada.press('Continue');
      await ada.sees('Manage Account');

      await using elsewhere = await ada.elsewhere();
      await goToProvider(elsewhere);
      await signInThere(elsewhere, ada.email);
      await elsewhere.sees('Enter your code');
      await elsewhere.fill('Verification code', elsewhere.phone!.fresh());
      await elsewhere.press('Continue');
      await elsewhere.sees('Manage Account');
    });
});

test('every step of a set-up has its own address and survives a reload, the back button and a restart of the server', async () => {
  await using ada = await newcomer(true);
  await ada.join();
  await ada.signOut();
  await portal.setPolicy('required');
  const addresses: string[] = [];
  const survives = async (heading: string, { back }: { back: string }) => {
    await ada.sees(heading);
    const { pathname } = new URL(ada.page.url());
    addresses.push(pathname);
    await ada.page.reload();
    await ada.sees(heading);
    await portal.restart();
    await ada.page.goBack();
    await ada.sees(back);
    await ada.visit(pathname);
    await ada.sees(heading);
  };
  await ada.enterPassword();
  await survives('Set up two-factor authentication', { back: 'Sign in' });
  await ada.press('Enable With Authenticator App');
  // From here on the page before leads to where one is.
  await survives('Enable With Authenticator App', { back: 'Enable With Authenticator App' });
  await ada.press('Continue');
  await survives('Scan the QR code', { back: 'Scan the QR code' });
  await ada.scanQrCode();
  await ada.fill('Verification code', ada.phone!.fresh());
  await portal.restart();
  await ada.press('Verify');
  await survives('Save your Recovery Key', { back: 'Save your Recovery Key' });
  await ada.keepRecoveryKey();
  await survives('Two-factor authentication is on', { back: 'Manage Account' });
  assert.deepEqual(addresses, ['/sign-in/set-up', '/sign-in/set-up/method', '/sign-in/set-up/code', '/sign-in/recovery-key', '/sign-in/done']);
  await portal.setPolicy('optional');
});

/** Signed out, with codes by email, an authenticator app and a Recovery Key. */
async function withEveryFactor(javaScriptEnabled: boolean): Promise<PersonInChromium> {
  const ada = await newcomer(javaScriptEnabled);
  await ada.join();
  await ada.openSecurity();
  await ada.enableByEmail();
  await ada.press('Add a method');
  await ada.setUpApp();
  await ada.sees('Security and Credentials');
  await ada.signOut();
  return ada;
}

async function signInByRecoveryKey(ada: PersonInChromium): Promise<void> {
  const used = ada.recoveryKey;
  await ada.enterPassword();
  await ada.press('Try another way', /^Recovery Key/);
  await ada.sees('Use your Recovery Key');
  await ada.fill('Recovery Key', used.toLowerCase().replaceAll('-', ' '));
  await ada.press('Continue');
  await ada.keepRecoveryKey('Save your next Recovery Key');
  await ada.sees('Security and Credentials');
  assert.notEqual(ada.recoveryKey, used);
}

const section = ({ page }: PersonInChromium, name: string): Promise<string> => page.getByRole('region', { name: new RegExp(`^${name}`) }).innerText();
