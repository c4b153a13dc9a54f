/**
 * Somebody in a real browser, who finds buttons and fields by the words on them, reads their mail, and holds a phone. Whatever no page of ours may do
 * is written down in `faults` as it happens: an error of the script, a violation of the Content-Security-Policy, a request to another host.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { keyInFile } from './person.ts';
import { Phone } from './phone.ts';
import type { ServedPortal } from './served-portal.ts';

export interface PersonInChromiumOptions extends BrowserContextOptions {
  readonly name?: string;
  readonly email?: string;
}

export class PersonInChromium implements AsyncDisposable {
  readonly portal: ServedPortal;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly faults: string[] = [];
  readonly #options: PersonInChromiumOptions;
  readonly name: string;
  email: string;
  password = 'seven quiet purple herons';
  /** Set by `scanQrCode`. */
  phone: Phone | undefined;
  /** As the newest downloaded file has it. */
  recoveryKey = '';

  private constructor(portal: ServedPortal, context: BrowserContext, page: Page, options: PersonInChromiumOptions) {
    const { name = 'Ada Example', email = 'ada@example.org' } = options;
    this.#options = options;
    this.portal = portal;
    this.context = context;
    this.page = page;
    this.name = name;
    this.email = email;
    watch(page, portal, this.faults);
  }

  /** A browser that was never here before. */
  static async arrive(browser: Browser, portal: ServedPortal, options: PersonInChromiumOptions = {}): Promise<PersonInChromium> {
    const { name: _name, email: _email, ...contextOptions } = options;
    const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...contextOptions });
    context.setDefaultTimeout(15_000);
    return new PersonInChromium(portal, context, await context.newPage(), options);
  }

  /** The same person in another browser of the same kind. */
  async elsewhere(): Promise<PersonInChromium> {
    const other = await PersonInChromium.arrive(this.context.browser()!, this.portal, { ...this.#options, email: this.email });
    return Object.assign(other, { password: this.password, phone: this.phone, recoveryKey: this.recoveryKey });
  }

  async visit(path: string): Promise<void> {
    await this.page.goto(this.portal.origin + path);
  }

  /** The button or link of this name that can be seen. */
  button(name: string | RegExp): Locator {
    return this.page
      .getByRole('button', { name, exact: true })
      .or(this.page.getByRole('link', { name, exact: true }))
      .filter({ visible: true });
  }

  async press(...names: (string | RegExp)[]): Promise<void> {
    for (const name of names) await this.button(name).click();
  }

  async fill(label: string, value: string): Promise<void> {
    await this.page.getByLabel(label, { exact: true }).fill(value);
  }

  /** Waits for the page with this heading, and holds it to have come without a fault. */
  async sees(heading: string): Promise<void> {
    try {
      await this.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
    } catch (cause) {
      throw new Error(`${this.page.url()} is not '${heading}'. It says: ${await this.page.locator('body').innerText()}`, { cause });
    }
    assert.deepEqual(this.faults, [], `On the way to '${heading}'.`);
  }

  async signUp(): Promise<void> {
    await this.visit('/sign-up');
    await this.fill('Name', this.name);
    await this.fill('Email', this.email);
    await this.fill('Password', this.password);
    await this.press('Create account');
    await this.sees('Check your email');
  }

  /** An account with a verified address, signed in. */
  async join(): Promise<void> {
    await this.signUp();
    await this.enterEmailedCode();
    await this.sees('Your email is verified');
  }

  async enterEmailedCode(button = 'Continue'): Promise<void> {
    await this.fill('Verification code', await this.portal.codeTo(this.email));
    await this.press(button);
  }

  /** As the printed instructions say: profile icon, "Manage Account", "Security and Credentials". */
  async openSecurity(): Promise<void> {
    await this.press('Profile', 'Manage Account');
    await this.sees('Manage Account');
    await this.press('Security and Credentials');
    await this.sees('Security and Credentials');
  }

  /** From Security and Credentials through flow 1, and back there. */
  async enableByEmail(): Promise<void> {
    await this.press('Enable Two-Factor Authentication');
    await this.sees('Enable Two-Factor Authentication');
    await this.press('Send verification code');
    await this.sees('Check your email');
    await this.enterEmailedCode();
    await this.keepRecoveryKey();
    await this.sees('Security and Credentials');
  }

  /** From "Enable Two-Factor Authentication" or "Add a method" to what comes after "Verify". */
  async setUpApp(): Promise<void> {
    await this.press('Enable With Authenticator App');
    await this.sees('Enable With Authenticator App');
    await this.press('Continue');
    await this.scanQrCode();
    await this.fill('Verification code', this.phone!.fresh());
    await this.press('Verify');
  }

  /** What the camera sees is what the screen shows, and nothing else. */
  async scanQrCode(): Promise<void> {
    await this.sees('Scan the QR code');
    await this.page.getByRole('img', { name: 'QR code for your authenticator app' }).scrollIntoViewIfNeeded();
    this.phone = Phone.scan(await this.page.screenshot(), this.portal.clock);
  }

  /** In the dialog: "Download", and "Finish". */
  async keepRecoveryKey(heading = 'Save your Recovery Key'): Promise<void> {
    await this.sees(heading);
    this.recoveryKey = keyInFile((await this.download()).text);
    await this.press('Finish');
  }

  async download(): Promise<{ name: string; text: string }> {
    const coming = this.page.waitForEvent('download');
    await this.press('Download');
    const download = await coming;
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
  }

  async enterPassword(): Promise<void> {
    await this.visit('/sign-in');
    await this.fill('Email', this.email);
    await this.fill('Password', this.password);
    await this.press('Sign in');
  }

  async signOut(): Promise<void> {
    await this.press('Profile', 'Sign out');
    await this.sees('Sign in');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.context.close();
  }
}

function watch(page: Page, { origin, otherOrigins }: ServedPortal, faults: string[]): void {
  // The browser also says in its console that a page of ours was a refusal (4xx); what else was refused is caught below.
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !/status of 4\d\d/.test(message.text())) faults.push(`Console: ${message.text()}`);
  });
  page.on('pageerror', (error) => void faults.push(`Script: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && !otherOrigins.has(url.origin) && !['data:', 'blob:'].includes(url.protocol)) faults.push(`Another host: ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500 || (response.status() >= 400 && !response.request().isNavigationRequest()))
      faults.push(`Status ${response.status()}: ${response.url()}`);
  });
}
