// Makes docs/screenshot.png for the README: a portal that runs, in a real browser. Run by `npm run screenshot`.
import { writeFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { days } from '../src/platform/durations.ts';
import { launchBrowser } from '../test/support/browser.ts';
import { PersonInChromium } from '../test/support/person-in-chromium.ts';
import { servePortal } from '../test/support/served-portal.ts';

const DESKTOP = { width: 940, height: 880 };
const PHONE = { width: 380, height: 880 };
const FILE = new URL('../docs/screenshot.png', import.meta.url);

async function main(): Promise<void> {
  await using browser = await launchBrowser();
  writeFileSync(FILE, await sideBySide(browser, await takePictures(browser)));
}

/** Security and Credentials of somebody with an app, and how it came there: its QR code, on a phone in the dark. */
async function takePictures(browser: Browser): Promise<Buffer[]> {
  await using portal = await servePortal();
  await using ada = await PersonInChromium.arrive(browser, portal, { viewport: PHONE, reducedMotion: 'reduce' });
  await ada.join();
  await ada.openSecurity();
  await ada.enableByEmail();
  await ada.press('Add a method', 'Enable With Authenticator App', 'Continue');
  await ada.scanQrCode();
  await ada.page.emulateMedia({ colorScheme: 'dark' });
  const phone = await ada.page.screenshot();
  await ada.page.emulateMedia({ colorScheme: 'light' });
  await ada.fill('Verification code', ada.phone!.fresh());
  await ada.press('Verify');
  await ada.sees('Security and Credentials');
  await ada.signOut();
  portal.clock.advance(days(1));
  await ada.enterPassword();
  await ada.fill('Verification code', ada.phone!.fresh());
  await ada.press('Continue');
  await ada.sees('Manage Account');
  await ada.page.setViewportSize(DESKTOP);
  await ada.openSecurity();
  return [await ada.page.screenshot(), phone];
}

async function sideBySide(browser: Browser, pictures: readonly Buffer[]): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: DESKTOP.width + PHONE.width + 96, height: DESKTOP.height + 64 } });
  const images = pictures.map(
    (picture) =>
      `<img height="${DESKTOP.height}" src="data:image/png;base64,${picture.toString('base64')}" style="border-radius:14px;box-shadow:0 6px 24px #0003">`,
  );
  await page.setContent(`<body style="margin:32px;display:flex;gap:32px;background:#dfe4ea">${images.join('')}</body>`);
  // Chromium takes none of a page whose pictures it is still decoding.
  await page.evaluate('Promise.all([...document.images].map((image) => image.decode()))');
  return page.screenshot();
}

await main();
