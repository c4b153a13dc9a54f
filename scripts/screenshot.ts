// Makes docs/screenshot.png for the README: a portal over data of its own, in a real browser. Run by `npm run screenshot`.
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext } from 'playwright-core';
import { launchBrowser } from '../test/support/browser.ts';
import { openPortal, type Portal } from '../test/support/portal.ts';

const DESKTOP = { width: 940, height: 760 };
const PHONE = { width: 380, height: 760 };
const FILE = new URL('../docs/screenshot.png', import.meta.url);

async function main(): Promise<void> {
  await using portal = await openPortal({ engine: 'sqlite', installation: { name: 'Example Ltd' } });
  const browser = await launchBrowser();
  try {
    await portal.app.listen({ host: 'localhost', port: 0 });
    const { port } = portal.app.server.address() as AddressInfo;
    const pictures = await takePictures(portal, browser, `http://localhost:${port}`);
    writeFileSync(FILE, await sideBySide(browser, pictures));
  } finally {
    await browser.close();
  }
}

/** Security and Credentials of somebody with an app, and the question for its code on a phone in the dark. */
async function takePictures(portal: Portal, browser: Browser, origin: string): Promise<Buffer[]> {
  const ada = await portal.newcomer({ name: 'Ada Example', email: 'ada@example.com' }).join();
  await ada.enableByApp();
  await ada.enableEmailToo();
  const phone = portal.browser();
  await ada.enterPassword(phone);
  const settings = [
    { viewport: DESKTOP, colorScheme: 'light', cookies: ada.browser.cookies, path: '/account/security' },
    { viewport: PHONE, colorScheme: 'dark', cookies: phone.cookies, path: '/sign-in/verify' },
  ] as const;
  const pictures: Buffer[] = [];
  for (const { viewport, colorScheme, cookies, path } of settings) {
    const context: BrowserContext = await browser.newContext({ viewport, colorScheme });
    await context.addCookies(cookies.names.map((name) => ({ name, value: cookies.get(name)!, url: origin })));
    const page = await context.newPage();
    await page.goto(origin + path);
    pictures.push(await page.screenshot());
    await context.close();
  }
  return pictures;
}

async function sideBySide(browser: Browser, pictures: readonly Buffer[]): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: DESKTOP.width + PHONE.width + 72, height: DESKTOP.height + 48 } });
  const images = pictures.map(
    (picture) => `<img src="data:image/png;base64,${picture.toString('base64')}" style="border-radius:12px;box-shadow:0 2px 16px #0003">`,
  );
  await page.setContent(`<body style="margin:24px;display:flex;gap:24px;background:#dfe4ea">${images.join('')}</body>`);
  return page.screenshot();
}

await main();
