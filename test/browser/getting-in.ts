import type { Browser, BrowserContextOptions } from 'playwright-core';
import { hours, minutes, seconds } from '../../src/platform/durations.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import type { ServedPortal } from '../support/served-portal.ts';
import type { Walk } from './walk.ts';

/** Problems, signing up, signing in, a forgotten password, and the set-up that the policy asks for. */
export async function* gettingIn(browser: Browser, portal: ServedPortal, options: BrowserContextOptions): Walk {
  const arrive = (name: string, email: string) => PersonInChromium.arrive(browser, portal, { ...options, name, email });
  await using guest = await arrive('Grace Example', 'grace.example.with.a.very.long.address@a-rather-long-company-name.example.org');
  yield* problems(guest);
  yield* signingUp(guest);
  yield* anAddressThatHasAnAccount(guest);

  await using ada = await arrive('Ada Example', 'ada@example.org');
  await ada.join();
  await ada.openSecurity();
  await ada.press('Enable Two-Factor Authentication');
  await ada.setUpApp();
  await ada.keepRecoveryKey();
  await ada.sees('Security and Credentials');
  await ada.signOut();
  yield { name: 'sign in, signed out', person: ada };
  yield* signingIn(ada);

  await using rosa = await arrive('Rosa Example', 'rosa@example.org');
  await rosa.join();
  await rosa.openSecurity();
  await rosa.enableByEmail();
  await rosa.signOut();
  yield* aNewPassword(rosa);

  await using mary = await arrive('Mary Example', 'mary@example.org');
  await mary.join();
  await mary.signOut();
  await portal.setPolicy('required');
  yield* setUpThatIsAskedFor(mary);
  yield* aLongerPassword(mary);
}

async function* problems(guest: PersonInChromium): Walk {
  const { page } = guest;
  await guest.visit('/nowhere');
  yield { name: 'no such page', person: guest };
  await guest.visit('/sign-in');
  await page.evaluate("document.querySelector('[name=form_token]').value = 'of an old page'");
  await guest.fill('Email', guest.email);
  await guest.fill('Password', 'any');
  await guest.press('Sign in');
  yield { name: 'a form that has expired', person: guest };
  await guest.visit('/sign-out');
  yield { name: 'an address that is for forms only', person: guest };
}

async function* signingUp(guest: PersonInChromium): Walk {
  const { page, portal } = guest;
  await guest.visit('/sign-up');
  yield { name: 'sign up', person: guest };
  await withoutTheBrowsersChecks(guest, async () => {
    await guest.fill('Email', 'grace');
    await guest.fill('Password', 'short');
    await guest.press('Create account');
  });
  yield { name: 'sign up, three mistakes', person: guest };
  await guest.signUp();
  yield { name: 'verify email, code asked', person: guest };
  await guest.fill('Verification code', '12345');
  await guest.press('Continue');
  yield { name: 'verify email, a code too short', person: guest };
  const wrong = await notTheCode(guest);
  for (let time = 1; time <= 5; time++) {
    await guest.fill('Verification code', wrong);
    await guest.press('Continue');
    await page.getByRole('alert').waitFor();
    if (time === 1) yield { name: 'verify email, a wrong code', person: guest };
  }
  yield { name: 'verify email, over', person: guest };
  await guest.visit('/account');
  yield { name: 'account, not verified', person: guest };
  await guest.press('Security and Credentials');
  yield { name: 'security, not verified', person: guest };
  await guest.visit('/account/security/enable');
  yield { name: 'enable, not verified', person: guest };
  await guest.visit('/verify-email');
  yield { name: 'verify email', person: guest };
  portal.clock.advance(minutes(20));
  await guest.press('Send verification code');
  await guest.enterEmailedCode();
  await guest.sees('Your email is verified');
  yield { name: 'email verified', person: guest };
  await guest.visit('/account');
  await guest.signOut();
}

async function notTheCode(person: PersonInChromium): Promise<string> {
  return (await person.portal.codeTo(person.email)) === '111111' ? '222222' : '111111';
}

async function withoutTheBrowsersChecks({ page }: PersonInChromium, act: () => Promise<void>): Promise<void> {
  await page.evaluate("document.querySelectorAll('form').forEach((form) => (form.noValidate = true))");
  await act();
}

/** Who signs up anew with an address that has an account learns it only with the code that was sent there. */
async function* anAddressThatHasAnAccount(guest: PersonInChromium): Walk {
  await guest.signUp();
  await guest.enterEmailedCode();
  await guest.sees('You already have an account');
  yield { name: 'already an account', person: guest };
}

async function* signingIn(ada: PersonInChromium): Walk {
  const { page, portal } = ada;
  await ada.visit('/sign-in');
  yield { name: 'sign in', person: ada };
  await ada.fill('Email', ada.email);
  await ada.fill('Password', 'not my password');
  await ada.press('Sign in');
  yield { name: 'sign in, wrong', person: ada };
  await ada.enterPassword();
  await ada.sees('Enter your code');
  yield { name: 'second factor, app', person: ada };
  await ada.fill('Verification code', '000000');
  await ada.press('Continue');
  yield { name: 'second factor, wrong code of the app', person: ada };
  await ada.press('Try another way');
  yield { name: 'second factor, ways', person: ada };
  await ada.press(/^Recovery Key/);
  await ada.sees('Use your Recovery Key');
  yield { name: 'second factor, Recovery Key', person: ada };
  await ada.fill('Recovery Key', 'ABCD');
  await ada.press('Continue');
  yield { name: 'second factor, wrong Recovery Key', person: ada };
  await ada.press('Not you?');
  yield { name: 'sign in, start again', person: ada };
  await ada.press('Go back');
  await ada.fill('Recovery Key', ada.recoveryKey);
  await ada.press('Continue');
  await ada.sees('Save your next Recovery Key');
  yield { name: 'signed in by the Recovery Key, the next one', person: ada };
  await ada.keepRecoveryKey('Save your next Recovery Key');
  await ada.sees('Security and Credentials');
  yield { name: 'security, signed in by the Recovery Key', person: ada };
  await ada.signOut();
  for (let time = 1; time <= 6; time++) {
    await ada.fill('Email', 'eve@example.org');
    await ada.fill('Password', 'guess');
    await ada.press('Sign in');
    await page.getByRole('alert').waitFor();
  }
  yield { name: 'sign in, too many tries', person: ada };
  await ada.enterPassword();
  portal.clock.advance(hours(1));
  await ada.press('Continue');
  yield { name: 'sign in, took too long', person: ada };
}

/** Whoever has one that was long enough for a policy that was stricter. */
async function* aLongerPassword(mary: PersonInChromium): Walk {
  const { world } = mary.portal;
  await mary.portal.setPolicy('optional');
  mary.password = 'ten otters';
  const hash = await world.passwordHasher.hash(mary.password);
  await world.database.query.updateTable('accounts').set({ password_hash: hash }).where('email', '=', mary.email).execute();
  await mary.signOut();
  await mary.enterPassword();
  await mary.fill('Verification code', mary.phone!.fresh());
  await mary.press('Continue');
  await mary.sees('Choose a longer password');
  yield* refusedThenTaken(mary, { page: 'sign in, a longer password', button: 'Save and sign in', password: 'ten otters in the harbour' });
  await mary.sees('Manage Account');
}

async function* refusedThenTaken(person: PersonInChromium, { page, button, password }: { page: string; button: string; password: string }): Walk {
  yield { name: page, person };
  await person.fill('New password', 'short');
  await person.press(button);
  yield { name: `${page}, refused`, person };
  person.password = password;
  await person.fill('New password', password);
  await person.press(button);
}

/** Of an account whose mailbox is its second factor, so that it can't be the first as well: the Recovery Key is asked for beside it. */
async function* aNewPassword(rosa: PersonInChromium): Walk {
  const { portal } = rosa;
  await rosa.visit('/sign-in');
  await rosa.press('Forgot password?');
  yield { name: 'forgot password', person: rosa };
  await withoutTheBrowsersChecks(rosa, async () => {
    await rosa.fill('Email', 'rosa');
    await rosa.press('Send the link');
  });
  yield { name: 'forgot password, no address', person: rosa };
  await rosa.fill('Email', rosa.email);
  await rosa.press('Send the link');
  yield { name: 'forgot password, link sent', person: rosa };
  const { text } = await portal.mailTo(rosa.email, 'Choose a new password');
  const link = new URL(/http\S+link\?token=\S+/.exec(text)![0]);
  await rosa.visit(link.pathname + link.search);
  yield { name: 'new password, link', person: rosa };
  await rosa.press('Continue');
  await rosa.sees('Use your Recovery Key');
  yield { name: 'new password, Recovery Key asked', person: rosa };
  await rosa.visit('/forgot-password/recovery-key/other');
  yield { name: 'new password, ways', person: rosa };
  await rosa.visit('/forgot-password/recovery-key');
  await rosa.fill('Recovery Key', rosa.recoveryKey);
  await rosa.press('Continue');
  await rosa.sees('Save your next Recovery Key');
  yield { name: 'new password, next Recovery Key', person: rosa };
  await rosa.keepRecoveryKey('Save your next Recovery Key');
  await rosa.sees('Choose a new password');
  yield* refusedThenTaken(rosa, { page: 'new password', button: 'Save new password', password: 'seven quiet purple cranes' });
  yield { name: 'sign in, new password set', person: rosa };
  await rosa.visit(link.pathname + link.search);
  await rosa.press('Continue');
  yield { name: 'new password, link used', person: rosa };
}

async function* setUpThatIsAskedFor(mary: PersonInChromium): Walk {
  await using elsewhere = await mary.elsewhere();
  await elsewhere.enterPassword();
  await elsewhere.sees('Set up two-factor authentication');
  yield { name: 'set up', person: elsewhere };
  await elsewhere.press('Enable With Authenticator App');
  yield { name: 'set up in a new browser, mail first', person: elsewhere };
  await mary.enterPassword();
  await mary.press('Enable With Authenticator App');
  yield { name: 'set up, begin', person: mary };
  await mary.press('Continue');
  await mary.scanQrCode();
  yield { name: 'set up, QR code', person: mary };
  await mary.fill('Verification code', mary.phone!.fresh());
  await mary.press('Verify');
  await mary.sees('Save your Recovery Key');
  yield { name: 'set up, Recovery Key', person: mary };
  await mary.keepRecoveryKey();
  await mary.sees('Two-factor authentication is on');
  yield { name: 'set up, done', person: mary };
  await mary.press('Continue');
  mary.portal.clock.advance(seconds(30));
}
