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

/** Each theme and each size once: colours do not depend on the size, nor what else axe looks at on the theme. */
const LOOKS = [
  { viewport: DESKTOP, theme: 'dark', rules: 'all' },
  { viewport: { width: 320, height: 640 }, theme: 'light', rules: 'of colours and sizes' },
] as const;

async function check({ person: { page, faults } }: Stop): Promise<void> {
  const inspector = await inspectorOf(page);
  assert.equal(await inside(inspector, LAYOUT_SHIFT), 0, 'Nothing moves while the page comes.');
  for (const { viewport, theme, rules } of LOOKS) {
    await inspector.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }, ...STILL] });
    await resize(inspector, viewport);
    const { violations, withoutFocus, pageWidth, leadsOn } = await inside<Look>(inspector, look(rules));
    assert.deepEqual(violations, [], `WCAG 2.2 AA, ${theme}, ${viewport.width} pixels`);
    assert.deepEqual(withoutFocus, [], `Whatever can have the focus shows it, ${theme}.`);
    assert.equal(pageWidth, viewport.width, 'WCAG 1.4.10: one scrolls in one direction only, at 320 pixels too.');
    assert.ok(leadsOn, 'It leads on.');
  }
  await resize(inspector, { width: 640, height: 800 });
  assert.equal(await inside(inspector, WIDTH_OF_LARGE_TEXT), 640, 'WCAG 1.4.4: text of twice the size, in a window of twice 320 pixels.');
  await resize(inspector, PHONE);
  assert.deepEqual(faults, []);
}

const inspectors = new WeakMap<Page, Promise<CDPSession>>();

function inspectorOf(page: Page): Promise<CDPSession> {
  let inspector = inspectors.get(page);
  if (!inspector) inspectors.set(page, (inspector = inspect(page)));
  return inspector;
}

/** Every page that comes has axe at hand: to send half a megabyte once more for each costs more than to run it. */
async function inspect(page: Page): Promise<CDPSession> {
  const inspector = await page.context().newCDPSession(page);
  await inspector.send('Page.enable');
  await inspector.send('Page.addScriptToEvaluateOnNewDocument', { source: AXE_AT_HAND });
  await inspector.send('Runtime.evaluate', { expression: AXE_AT_HAND });
  return inspector;
}

interface Look {
  readonly violations: readonly unknown[];
  readonly withoutFocus: readonly string[];
  readonly pageWidth: number;
  readonly leadsOn: boolean;
}

const STILL = [{ name: 'prefers-reduced-motion', value: OPTIONS.reducedMotion }];

const resize = (inspector: CDPSession, { width, height }: typeof PHONE): Promise<unknown> =>
  inspector.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });

/** By the debugger, all that a look is for at once: our own policy would refuse a script its place in the page, and each question costs more than its answer. */
async function inside<Answer>(inspector: CDPSession, expression: string): Promise<Answer> {
  const { result, exceptionDetails } = await inspector.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value as Answer;
}

const AXE_AT_HAND = `globalThis.loadAxe = () => {${AXE}}`;

const look = (rules: (typeof LOOKS)[number]['rules']): string => `(async () => {
  globalThis.axe ?? loadAxe();
  const { violations } = await axe.run({ resultTypes: ['violations'], selectors: false, preload: false, ${
    rules === 'all'
      ? "rules: { 'target-size': { enabled: true } }"
      : "runOnly: ['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable']"
  } });
  return {
    violations: violations.map(({ id, nodes }) => [id, nodes.map(({ html, any }) => html + ' ' + any.map(({ message }) => message))]),
    withoutFocus: ${WITHOUT_VISIBLE_FOCUS},
    pageWidth: document.documentElement.scrollWidth,
    leadsOn: [...document.querySelectorAll(':is(main, nav) :is(a[href], button:enabled)')].some((element) => element.checkVisibility({ visibilityProperty: true })),
  };
})()`;

const WIDTH_OF_LARGE_TEXT = `(() => {
  // By script: the policy lets no style attribute through, but a property may be set.
  const { style } = document.documentElement;
  style.fontSize = '200%';
  const { scrollWidth } = document.documentElement;
  style.fontSize = '';
  return scrollWidth;
})()`;

/** Once the page is there: one that the browser leaves by itself never comes to its end. */
const LAYOUT_SHIFT = `(async () => {
  const there = () => document.readyState === 'complete' || (document.readyState === 'interactive' && document.querySelector('[data-goes-on]'));
  while (!there()) await new Promise((resolve) => document.addEventListener('readystatechange', resolve, { once: true }));
  const shifts = new PerformanceObserver(() => undefined);
  shifts.observe({ type: 'layout-shift', buffered: true });
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return shifts.takeRecords().reduce((sum, { value }) => sum + value, 0);
})()`;

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
