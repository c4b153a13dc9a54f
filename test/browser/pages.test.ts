// Every page in every state, on a phone and on a desktop, in light and dark: what the pages promise to everybody.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import { routesOf, type Route } from '../support/routes.ts';
import { servePortal } from '../support/served-portal.ts';
import { lookingAfterAnOrganisation } from './console-pages.ts';
import { gettingIn } from './getting-in.ts';
import { managingAnAccount } from './managing-an-account.ts';
import { signingInByAProvider } from './single-sign-on-pages.ts';
import type { Stop } from './walk.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };
/** Without transitions, since nobody waits for their end. */
const OPTIONS = { viewport: PHONE, reducedMotion: 'reduce' } as const;

let browser: Browser;
before(async () => void (browser = await launchBrowser()));
after(() => browser.close());

describe('every page', () => {
  const seen = new Set<string>();
  let mounted: readonly Route[] = [];
  describe('in every state', { concurrency: 2 }, () => {
    for (const walk of [gettingIn, managingAnAccount, lookingAfterAnOrganisation, signingInByAProvider]) {
      test(walk.name, async (t) => {
        await using portal = await servePortal();
        for await (const stop of walk(browser, portal, OPTIONS)) {
          seen.add(new URL(stop.person.page.url()).pathname);
          await t.test(stop.name, () => check(stop));
        }
      });
    }
  });

  test('where accounts are by invitation', async (t) => {
    await using portal = await servePortal({ signUp: 'invited' });
    await using ada = await PersonInChromium.arrive(browser, portal, OPTIONS);
    for (const page of ['/sign-up', '/sign-in']) {
      await ada.visit(page);
      await t.test(page, () => check({ name: `${page}, by invitation`, person: ada }));
    }
  });

  test('the mail of a portal for development, none and some', async (t) => {
    await using portal = await servePortal({ development: true });
    await using ada = await PersonInChromium.arrive(browser, portal, OPTIONS);
    await ada.visit('/dev/mail');
    seen.add('/dev/mail');
    await t.test('none', () => check({ name: 'none', person: ada }));
    await ada.signUp();
    await ada.visit('/dev/mail');
    await t.test('some', () => check({ name: 'some', person: ada }));
    const code = /\b\d{6}\b/.exec(await ada.page.getByRole('article').innerText())![0];
    await ada.page.goBack();
    await ada.fill('Verification code', code);
    await ada.press('Continue');
    await ada.sees('Your email is verified');
    await ada.visit('/forgot-password');
    await ada.fill('Email', ada.email);
    await ada.press('Send the link');
    await ada.sees('Check your email');
    await ada.visit('/dev/mail');
    const link = ada.page.getByRole('article').getByRole('link');
    // The mail leaves by itself, a moment after the answer.
    while ((await link.count()) === 0) await ada.press('Look again');
    await link.click();
    await ada.sees('Choose a new password');
    mounted = routesOf(portal.app);
  });

  test('no page was missed: the router knows no other', () => {
    const pages = mounted.filter(({ method, path }) => method === 'GET' && !NO_PAGES.test(path));
    assert.ok(pages.length > 30, 'The router was read.');
    const missed = pages.map(({ path }) => path).filter((path) => ![...seen].some((one) => patternOf(path).test(one)));
    assert.deepEqual(missed, [], 'No page was missed.');
  });
});

/** What is for machines, what leads on, and the addresses of buttons, which lead on to the page that they stand on. */
const NO_PAGES =
  /^\/(?:healthz|forward-auth|forward-auth\/callback)?$|^\/sso\/|^\/\.well-known\/|\/(?:on|off|required|optional|test|add|check|lead|send|back|download|replace|remove|later|save|restore|tell|export)$/;
const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`);

async function check({ person: { page, faults } }: Stop): Promise<void> {
  // A page that the browser leaves by itself never comes to its end.
  await page.waitForFunction("document.readyState === 'complete' || (document.readyState === 'interactive' && document.querySelector('[data-goes-on]'))");
  assert.equal(await page.evaluate(LAYOUT_SHIFT), 0, 'Nothing moves while the page comes.');
  const inspector = await page.context().newCDPSession(page);
  await inspector.send('Runtime.evaluate', { expression: AXE });
  // Each theme and each size once: colours do not depend on the size, nor the order of things on the theme.
  for (const [viewport, colorScheme] of [
    [DESKTOP, 'dark'],
    [PHONE, 'light'],
  ] as const) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(inspector), [], `WCAG 2.2 AA, ${colorScheme}, ${viewport.width} pixels`);
    assert.deepEqual(await page.evaluate(WITHOUT_VISIBLE_FOCUS), [], `Whatever can have the focus shows it, ${colorScheme}.`);
  }
  await inspector.detach();
  assert.ok((await page.locator(':is(main, nav) :is(a[href], button:enabled)').filter({ visible: true }).count()) > 0, 'It leads on.');
  await fits(page);
  assert.deepEqual(faults, []);
}

/** WCAG 1.4.4 and 1.4.10: at 320 pixels, and with text of twice the size in a window of twice that, one scrolls in one direction only. */
async function fits(page: Page): Promise<void> {
  const widths = async () => ({ page: await page.evaluate('document.documentElement.scrollWidth'), window: await page.evaluate('innerWidth') });
  await page.setViewportSize({ width: 320, height: 640 });
  assert.deepEqual(await widths(), { page: 320, window: 320 });
  await page.setViewportSize({ width: 640, height: 800 });
  // By script: the policy lets no style attribute through, but a property may be set.
  await page.evaluate("document.documentElement.style.fontSize = '200%'");
  assert.deepEqual(await widths(), { page: 640, window: 640 });
  await page.evaluate("document.documentElement.style.fontSize = ''");
  await page.setViewportSize(PHONE);
}

/** Run through the debugger: our own policy would refuse it a place in the page. */
async function violations(inspector: CDPSession): Promise<unknown> {
  const { result } = await inspector.send('Runtime.evaluate', { expression: RUN_AXE, awaitPromise: true, returnByValue: true });
  return result.value;
}

const RUN_AXE = `axe.run({ resultTypes: ['violations'], selectors: false, preload: false, rules: { 'target-size': { enabled: true } } })
  .then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html, any }) => html + ' ' + any.map(({ message }) => message))]))`;

const LAYOUT_SHIFT = `new Promise((resolve) => {
  const shifts = new PerformanceObserver(() => undefined);
  shifts.observe({ type: 'layout-shift', buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(shifts.takeRecords().reduce((sum, { value }) => sum + value, 0))));
})`;

const WITHOUT_VISIBLE_FOCUS = `(() => {
  const before = document.activeElement;
  const missing = [];
  for (const element of document.querySelectorAll('a[href], button, input:not([type=hidden]), select')) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.disabled) continue;
    element.focus({ focusVisible: true, preventScroll: true });
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
    if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2 || outlineColor === 'rgba(0, 0, 0, 0)') missing.push(element.outerHTML);
  }
  before?.focus({ preventScroll: true });
  return missing;
})()`;
