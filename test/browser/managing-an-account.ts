import type { Browser, BrowserContextOptions } from 'playwright-core';
import { minutes } from '../../src/platform/durations.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import type { ServedPortal } from '../support/served-portal.ts';
import type { Walk } from './walk.ts';

/** Everything below /account. */
export async function* managingAnAccount(browser: Browser, portal: ServedPortal, options: BrowserContextOptions): Walk {
  const arrive = (name: string, email: string) => PersonInChromium.arrive(browser, portal, { ...options, name, email });
  await using ada = await arrive('Ada Example', 'ada@example.org');
  await ada.join();
  yield* account(ada);
  yield* enablingByEmail(ada);
  yield* addingAnApp(ada);
  yield* methods(ada);
  yield* confirming(ada);
  yield* disabling(ada);
  await portal.setPolicy('off');
  await using late = await arrive('Lin Example', 'lin@example.org');
  await late.join();
  yield* whileThePolicyIsOff(late);
}

async function* account(ada: PersonInChromium): Walk {
  await ada.visit('/account');
  yield { name: 'account', person: ada };
  await ada.press('Profile');
  yield { name: 'account, menu open', person: ada };
  await ada.page.keyboard.press('Escape');
  await ada.fill('Name', 'x'.repeat(300));
  await ada.press('Save');
  yield { name: 'account, name refused', person: ada };
  await ada.fill('Name', 'Ada Example');
  await ada.press('Save');
  yield { name: 'account, saved', person: ada };
  await ada.press('Change email');
  yield { name: 'change email', person: ada };
  await ada.fill('Email', 'ada@example.org');
  await ada.press('Send verification code');
  yield { name: 'change email, refused', person: ada };
  await ada.fill('Email', 'ada.example.with.a.very.long.address@a-rather-long-company-name.example.org');
  await ada.press('Send verification code');
  yield { name: 'change email, code asked', person: ada };
  await ada.press('Cancel', 'Security and Credentials');
  yield { name: 'security, off', person: ada };
  await ada.press('Change password');
  yield { name: 'change password', person: ada };
  await ada.fill('Current password', 'not my password');
  await ada.fill('New password', 'seven quiet purple cranes');
  await ada.press('Change password');
  yield { name: 'change password, current one wrong', person: ada };
  await ada.fill('Current password', ada.password);
  await ada.fill('New password', 'short');
  await ada.press('Change password');
  yield { name: 'change password, new one refused', person: ada };
  await using other = await ada.elsewhere();
  await other.enterPassword();
  await ada.press('Cancel', 'Sessions');
  yield { name: 'sessions, two', person: ada };
  await ada.press('Sign out all others');
  yield { name: 'sessions, one', person: ada };
  await other.visit('/account/security');
  yield { name: 'sign in, session ended elsewhere', person: other };
}

async function* enablingByEmail(ada: PersonInChromium): Walk {
  await ada.visit('/account/security/disable');
  yield { name: 'disable, off already', person: ada };
  await ada.visit('/account/security');
  await ada.press('Enable Two-Factor Authentication');
  yield { name: 'enable', person: ada };
  await ada.press('Send verification code');
  await ada.sees('Check your email');
  yield { name: 'enable by email, code asked', person: ada };
  await ada.enterEmailedCode();
  await ada.sees('Save your Recovery Key');
  yield { name: 'enable, Recovery Key', person: ada };
  await ada.press('Finish');
  await ada.page.getByRole('alert').waitFor();
  yield { name: 'enable, Recovery Key not saved', person: ada };
  await ada.keepRecoveryKey();
  await ada.sees('Security and Credentials');
  yield { name: 'security, on by email', person: ada };
}

async function* addingAnApp(ada: PersonInChromium): Walk {
  await ada.press('Add a method');
  yield { name: 'add a method', person: ada };
  await ada.press('Enable With Authenticator App');
  await ada.press('Continue');
  await ada.scanQrCode();
  yield { name: 'add an app, QR code', person: ada };
  await ada.fill('Verification code', '000000');
  await ada.press('Verify');
  yield { name: 'add an app, wrong code', person: ada };
  await ada.press('Back');
  yield { name: 'add an app, begin', person: ada };
  await ada.press('Continue');
  await ada.scanQrCode();
  await ada.fill('Verification code', ada.phone!.fresh());
  await ada.press('Verify');
  await ada.sees('Security and Credentials');
  yield { name: 'security, on by email and app', person: ada };
  await ada.press('Add a method', 'Enable With Authenticator App');
  yield { name: 'add a second app, begin', person: ada };
  await ada.fill('Name of this app', 'x'.repeat(70));
  await ada.press('Continue');
  yield { name: 'add a second app, name too long', person: ada };
  await ada.press('Cancel');
}

async function* methods(ada: PersonInChromium): Walk {
  await ada.press(/^Manage Authenticator app/);
  yield { name: 'a method, an app', person: ada };
  await ada.fill('Name of this app', 'x'.repeat(70));
  await ada.press('Save name');
  yield { name: 'a method, name refused', person: ada };
  await ada.visit('/account/security');
  await ada.press(/^Manage Code by email/);
  yield { name: 'a method, email', person: ada };
  await ada.press('Remove');
  yield { name: 'security, on by app', person: ada };
  await ada.press(/^Manage Authenticator app/);
  yield { name: 'a method, the only one', person: ada };
  await ada.press('Back to Security and Credentials', 'Create new Recovery Key');
  yield { name: 'new Recovery Key', person: ada };
  await ada.press('Send verification code');
  await ada.sees('Check your email');
  yield { name: 'new Recovery Key, code asked', person: ada };
  await ada.enterEmailedCode();
  await ada.sees('Save your Recovery Key');
  yield { name: 'new Recovery Key, to be saved', person: ada };
  await ada.keepRecoveryKey();
  await ada.sees('Security and Credentials');
  yield { name: 'security, new Recovery Key', person: ada };
}

async function* confirming(ada: PersonInChromium): Walk {
  ada.portal.clock.advance(minutes(11));
  await ada.press('Disable');
  yield { name: 'confirm', person: ada };
  await ada.fill('Password', 'not my password');
  await ada.press('Continue');
  yield { name: 'confirm, wrong', person: ada };
  await ada.fill('Password', ada.password);
  await ada.press('Continue');
  yield { name: 'confirm, code asked', person: ada };
  await ada.press('Try another way');
  yield { name: 'confirm, ways', person: ada };
  await ada.press(/^Recovery Key/);
  await ada.fill('Recovery Key', ada.recoveryKey);
  await ada.press('Continue');
  await ada.sees('Save your next Recovery Key');
  yield { name: 'confirm, next Recovery Key', person: ada };
  await ada.keepRecoveryKey('Save your next Recovery Key');
}

async function* disabling(ada: PersonInChromium): Walk {
  yield { name: 'disable', person: ada };
  await ada.press('Send verification code');
  await ada.sees('Check your email');
  yield { name: 'disable, code asked', person: ada };
  await ada.portal.setPolicy('required');
  await ada.visit('/account/security/disable');
  yield { name: 'disable, refused by the policy', person: ada };
  await ada.visit('/account/security');
  yield { name: 'security, required', person: ada };
  await ada.portal.setPolicy('optional');
}

async function* whileThePolicyIsOff(late: PersonInChromium): Walk {
  await late.visit('/account/security');
  yield { name: 'security, switched off by the policy', person: late };
  await late.visit('/account/security/enable');
  yield { name: 'enable, switched off by the policy', person: late };
}
