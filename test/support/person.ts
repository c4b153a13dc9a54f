/**
 * Somebody who uses the portal as people do: by the words on its pages, the codes in their mail, the app on their phone and the file that they
 * downloaded. Made by `portal.newcomer()`. Each action starts at the page that it needs, ends where the portal leads, and throws with the
 * page's words where it could not go on, so that a test states only what it is about.
 */
import assert from 'node:assert/strict';
import type { Outgoing } from '../../src/platform/mail/mail.ts';
import { AuthenticatorApp } from './authenticator-app.ts';
import type { Page } from './page.ts';
import type { Portal } from './portal.ts';
import type { Visitor } from './visitor.ts';

export interface PersonOptions {
  readonly name?: string;
  readonly email?: string;
  readonly password?: string;
}

/** By which second factor to sign in; 'none' where the account asks for none. */
export type By = 'none' | 'email' | 'app' | 'recovery-key';

export class Person {
  readonly name: string;
  /** Changes with the account's. */
  email: string;
  password: string;
  /** The browser that they use every day. */
  browser: Visitor;
  /** The one on their phone; the newest where they have set up several. */
  app: AuthenticatorApp | undefined;
  /** The one that they kept last, as their file has it. */
  recoveryKey: string | undefined;
  readonly #portal: Portal;

  constructor(portal: Portal, number: number, { name, email, password }: PersonOptions) {
    this.#portal = portal;
    this.name = name ?? `Ada ${number} Example`;
    this.email = email ?? `ada${number}@example.org`;
    this.password = password ?? `seven quiet herons ${number}`;
    this.browser = portal.browser({ address: `198.51.${100 + (number >> 8)}.${number & 255}` });
  }

  /** Creates the account; the page then asks for the code that was sent to the address. */
  async signUp(): Promise<this> {
    await this.browser.visit('/sign-up');
    this.browser.fill('Name', this.name);
    this.browser.fill('Email', this.email);
    this.browser.fill('Password', this.password);
    await this.browser.press('Create account');
    this.#expect(this.browser, 'Check your email');
    return this;
  }

  /** Enters the code of signing up. */
  async verifyEmail(): Promise<this> {
    await this.enterCode(this.newestCode());
    this.#expect(this.browser, 'Your email is verified');
    return this;
  }

  /** What most tests start from: an account with a verified address, signed in. */
  async join(): Promise<this> {
    await this.signUp();
    return this.verifyEmail();
  }

  /** By the printed way: the "Profile" menu, "Manage Account", "Security and Credentials". */
  async openSecurity(browser = this.browser): Promise<Page> {
    await browser.visit('/account');
    await browser.press('Profile');
    await browser.press('Manage Account', { near: 'Sign out' });
    return browser.press('Security and Credentials');
  }

  /** Flow 1, with codes by email, from anywhere to Security and Credentials. */
  async enableByEmail(browser = this.browser): Promise<this> {
    await this.openSecurity(browser);
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Send verification code');
    await this.enterCode(this.newestCode(), { browser });
    await this.keepRecoveryKey(browser);
    this.#expect(browser, 'Security and Credentials');
    return this;
  }

  /** Turns two-factor authentication on with an authenticator app. */
  async enableByApp(browser = this.browser): Promise<this> {
    await this.openSecurity(browser);
    await browser.press('Enable Two-Factor Authentication');
    await browser.press('Enable With Authenticator App');
    await this.setUpApp({ browser });
    await this.keepRecoveryKey(browser);
    this.#expect(browser, 'Security and Credentials');
    return this;
  }

  /** Adds codes by email to an account that has an app. */
  async enableEmailToo(browser = this.browser): Promise<this> {
    await this.openSecurity(browser);
    await browser.press('Add a method');
    await browser.press('Send verification code');
    await this.enterCode(this.newestCode(), { browser });
    this.#expect(browser, 'Security and Credentials');
    return this;
  }

  /** Flow 3, with a proof that is fresh. */
  async disable(browser = this.browser): Promise<this> {
    await this.openSecurity(browser);
    await browser.press('Disable');
    await browser.press('Send verification code');
    await this.enterCode(this.newestCode(), { browser, button: 'Finish' });
    this.#expect(browser, 'Security and Credentials');
    return this;
  }

  /** Adds an app to an account that has two-factor authentication on. */
  async addApp({ name, browser = this.browser }: { name?: string; browser?: Visitor } = {}): Promise<AuthenticatorApp> {
    await this.openSecurity(browser);
    await browser.press('Add a method');
    await browser.press('Enable With Authenticator App');
    const app = await this.setUpApp({ browser, ...(name === undefined ? {} : { name }) });
    this.#expect(browser, 'Security and Credentials');
    return app;
  }

  /** From the page that explains authenticator apps: "Continue", the dialog with its QR code, and "Verify". */
  async setUpApp({ name, browser = this.browser }: { name?: string; browser?: Visitor } = {}): Promise<AuthenticatorApp> {
    if (name !== undefined) browser.fill('Name of this app', name);
    await browser.press('Continue');
    this.app = AuthenticatorApp.from(browser.page, this.#portal.clock);
    browser.fill('Verification code', this.app.fresh());
    await browser.press('Verify');
    return this.app;
  }

  /** Downloads the key that the page shows, keeps the one in the file, and presses "Finish". */
  async keepRecoveryKey(browser = this.browser): Promise<string> {
    const { text } = await this.downloadRecoveryKey(browser);
    this.recoveryKey = keyInFile(text);
    await browser.press('Finish');
    return this.recoveryKey;
  }

  async downloadRecoveryKey(browser = this.browser): Promise<{ name: string; type: string; text: string }> {
    const before = browser.download;
    await browser.press('Download');
    if (!browser.download || browser.download === before) throw new Error(`Nothing was downloaded on ${browser.page.path}, which says: ${browser.page.text}`);
    return browser.download;
  }

  /** The first step of signing in, whatever comes after it. */
  async enterPassword(browser = this.browser, password = this.password): Promise<Page> {
    await browser.visit('/sign-in');
    browser.fill('Email', this.email);
    browser.fill('Password', password);
    return browser.press('Sign in');
  }

  /** Signs in to the end. With the Recovery Key, the next one is kept on the way. */
  async signIn({ browser = this.browser, by = 'none' }: { browser?: Visitor; by?: By } = {}): Promise<Page> {
    await this.enterPassword(browser);
    if (by !== 'none') await this.showSecondFactor(by, browser);
    if (!browser.page.hasButton('Profile')) throw new Error(`${this.email} is not signed in: ${browser.page.path} says: ${browser.page.text}`);
    return browser.page;
  }

  /** Where the second factor is asked for, to sign in or to confirm: chooses one and shows it. */
  async showSecondFactor(by: Exclude<By, 'none'>, browser = this.browser): Promise<Page> {
    await this.chooseWay(by, browser);
    if (by === 'email') return this.enterCode(this.newestCode(), { browser });
    if (by === 'app') return this.enterCode(this.phone.fresh(), { browser });
    browser.fill('Recovery Key', this.recoveryKey!);
    await browser.press('Continue');
    await this.keepRecoveryKey(browser);
    return browser.page;
  }

  /** "Try another way" where the page asks for something else. */
  async chooseWay(by: Exclude<By, 'none'>, browser = this.browser): Promise<Page> {
    if (browser.page.heading === ASKS[by].heading) return browser.page;
    if (browser.page.hasButton('Try another way')) await browser.press('Try another way');
    return browser.press(browser.page.buttonStartingWith(ASKS[by].choice));
  }

  /** "Forgot password?", the mail, its link and "Continue": to the page that takes the new password, or asks for a second factor before it. */
  async openResetLink(browser = this.browser): Promise<Page> {
    await browser.visit('/sign-in');
    await browser.press('Forgot password?');
    browser.fill('Email', this.email);
    await browser.press('Send the link');
    await browser.visit(linkIn(this.newestMail().text));
    return browser.press('Continue');
  }

  /** Fills "Verification code" in and goes on. */
  async enterCode(code: string, { browser = this.browser, button = 'Continue' }: { browser?: Visitor; button?: string } = {}): Promise<Page> {
    browser.fill('Verification code', code);
    return browser.press(button);
  }

  async signOut(browser = this.browser): Promise<Page> {
    await browser.visit('/account');
    await browser.press('Profile');
    return browser.press('Sign out');
  }

  /** The app on the phone, which the test has set up. */
  get phone(): AuthenticatorApp {
    if (!this.app) throw new Error(`${this.name} has no authenticator app.`);
    return this.app;
  }

  newestCode(address = this.email): string {
    return this.#portal.mail.newestCode(address);
  }

  newestMail(address = this.email): Outgoing {
    return this.#portal.mail.newestTo(address);
  }

  /** All that came, the oldest first. */
  mails(address = this.email): Outgoing[] {
    return this.#portal.mail.to(address);
  }

  #expect(browser: Visitor, heading: string): void {
    assert.equal(browser.page.heading, heading, `${browser.page.path} (${browser.page.status}) says: ${browser.page.text}`);
  }
}

const ASKS = {
  email: { heading: 'Check your email', choice: 'Code by email' },
  app: { heading: 'Enter your code', choice: 'Authenticator app' },
  'recovery-key': { heading: 'Use your Recovery Key', choice: 'Recovery Key' },
} as const;

/** The line of the downloaded file that has the key. */
export function keyInFile(text: string): string {
  const key = /^ {4}(\S+)\r?$/m.exec(text)?.[1];
  if (key === undefined) throw new Error(`The file has no Recovery Key:\n${text}`);
  return key;
}

/** The one address in a mail's text. */
export function linkIn(text: string): string {
  const link = /^https?:\/\/\S+$/m.exec(text)?.[0];
  if (link === undefined) throw new Error(`The mail has no link:\n${text}`);
  return link;
}
