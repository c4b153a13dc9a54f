// Everything can be done by the keyboard alone, and at each step one sees where one is.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
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

const STOPS_MOST = 30;

test('from signing up to signing in with a second factor, without a mouse', async () => {
  await using ada = await PersonInChromium.arrive(browser, portal, { viewport: { width: 1280, height: 720 } });
  const { page } = ada;
  const type = (text: string) => page.keyboard.type(text);
  const enter = async (name: string) => {
    await tabTo(ada, name);
    await page.keyboard.press('Enter');
  };

  await ada.visit('/sign-up');
  await tabTo(ada, 'Name');
  await type(ada.name);
  await tabTo(ada, 'Email');
  await type(ada.email);
  await tabTo(ada, 'Password');
  await type(ada.password);
  // Enter in a field sends the form, by its one button.
  await page.keyboard.press('Enter');
  await ada.sees('Check your email');
  assert.equal(await focused(ada), 'Verification code', 'The one code that is asked for has the focus.');
  await type(await portal.codeTo(ada.email));
  await page.keyboard.press('Enter');
  await ada.sees('Your email is verified');

  await enter('Profile');
  await enter('Manage Account');
  await ada.sees('Manage Account');
  await enter('Security and Credentials');
  await ada.sees('Security and Credentials');
  await enter('Enable Two-Factor Authentication');
  await ada.sees('Enable Two-Factor Authentication');
  await enter('Enable With Authenticator App');
  await ada.sees('Enable With Authenticator App');
  await enter('Continue');
  await ada.scanQrCode();
  assert.equal(await focused(ada), 'Verification code');
  await type(ada.phone!.fresh());
  await enter('Verify');
  await ada.sees('Save your Recovery Key');
  const download = page.waitForEvent('download');
  await enter('Download');
  await download;
  assert.equal(await page.getByLabel('I have saved it').isChecked(), true);
  await enter('Finish');
  await ada.sees('Security and Credentials');

  await enter('Profile');
  await enter('Sign out');
  await ada.sees('Sign in');
  await tabTo(ada, 'Email');
  await type(ada.email);
  await tabTo(ada, 'Password');
  await type(ada.password);
  await enter('Sign in');
  await ada.sees('Enter your code');
  await enter('Try another way');
  await ada.sees('Choose how to go on');
  await tabTo(ada, /^Authenticator app/);
  await page.keyboard.press('Space');
  await ada.sees('Enter your code');
  await type(ada.phone!.fresh());
  await page.keyboard.press('Enter');
  await ada.sees('Manage Account');
});

test('the profile menu: Escape closes it and leaves the focus on its button, with JavaScript off too', async () => {
  for (const javaScriptEnabled of [true, false]) {
    await using ada = await PersonInChromium.arrive(browser, portal, { javaScriptEnabled, email: `ada-${String(javaScriptEnabled)}@example.org` });
    await ada.join();
    const { page } = ada;
    const item = page.getByRole('link', { name: 'Manage Account', exact: true });
    await page.getByRole('button', { name: 'Profile', exact: true }).focus();
    for (const key of ['Enter', 'Space']) {
      await page.keyboard.press(key);
      await item.waitFor();
      await page.keyboard.press('Escape');
      await item.waitFor({ state: 'hidden' });
      assert.equal(await focused(ada), 'Profile');
    }
    await page.keyboard.press('Enter');
    await item.waitFor();
    await page.getByRole('heading', { level: 1 }).click();
    await item.waitFor({ state: 'hidden' });
  }
});

test('"Skip to the content" is the first stop of a settings page, and leads there', async () => {
  await using ada = await PersonInChromium.arrive(browser, portal, { email: 'skips@example.org' });
  await ada.join();
  await ada.visit('/account');
  await tabTo(ada, 'Skip to the content', { within: 1 });
  await ada.page.keyboard.press('Enter');
  await tabTo(ada, 'Name', { within: 1 });
});

/** Tab by Tab, as far as it takes; wherever it stops on the way one can see that it does. */
async function tabTo(person: PersonInChromium, name: string | RegExp, { within = STOPS_MOST } = {}): Promise<void> {
  const passed: string[] = [];
  for (let stop = 1; stop <= within; stop++) {
    await person.page.keyboard.press('Tab');
    const at = await focused(person);
    if (at !== '') assert.equal(await person.page.evaluate(FOCUS_FAULT), '', `The focus on '${at}' of ${person.page.url()}`);
    if (typeof name === 'string' ? at === name : name.test(at)) return;
    passed.push(at);
  }
  throw new Error(`'${name}' was not reached on ${person.page.url()}, only: ${passed.join(', ')}`);
}

/** The name of what has the focus; '' for the page itself. */
const focused = async ({ page }: PersonInChromium): Promise<string> =>
  String(
    await page.evaluate(`(() => {
      const element = document.activeElement;
      if (element === document.body) return '';
      return (element.getAttribute('aria-label') ?? element.labels?.[0]?.innerText ?? element.innerText).replace(/\\s+/g, ' ').trim();
    })()`),
  );

/** WCAG 2.4.7 and 2.4.11: a ring around it, inside the window, and nothing above it. */
const FOCUS_FAULT = `(() => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) return 'has no ring';
  const { left, top, width, height } = element.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  if (x < 0 || y < 0 || x > innerWidth || y > innerHeight) return 'is out of sight';
  const above = document.elementFromPoint(x, y);
  return element.contains(above) ? '' : 'is covered by ' + above?.outerHTML;
})()`;
