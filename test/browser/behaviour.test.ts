// What the pages do, in the browser, beyond the flows: they come quickly and do not move, copy, print, wait, and forget.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { seconds } from '../../src/platform/durations.ts';
import { launchBrowser } from '../support/browser.ts';
import { PersonInChromium, type PersonInChromiumOptions } from '../support/person-in-chromium.ts';
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
const newcomer = (options: PersonInChromiumOptions = {}): Promise<PersonInChromium> => {
  people += 1;
  return PersonInChromium.arrive(browser, portal, { email: `ada${people}@example.org`, ...options });
};

const FIRST_PAGE_BYTES_MOST = 40_000;

for (const path of ['/sign-in', '/sign-up']) {
  test(`the first page is small: ${path}, with all that it asks for, as it comes over the wire`, async () => {
    await using ada = await newcomer();
    const network = await ada.context.newCDPSession(ada.page);
    let bytes = 0;
    network.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await network.send('Network.enable');
    await ada.page.goto(portal.origin + path, { waitUntil: 'networkidle' });
    // The icon of the tab, which a browser without a window does not ask for.
    const icon = await ada.page.request.get(portal.origin + (await ada.page.locator('link[rel=icon]').getAttribute('href')));
    bytes += (await icon.body()).length + Buffer.byteLength(JSON.stringify(icon.headersArray()));
    assert.ok(bytes > 5_000, `${bytes} bytes are not all.`);
    assert.ok(bytes < FIRST_PAGE_BYTES_MOST, `${bytes} bytes`);
    assert.deepEqual(ada.faults, []);
  });
}

test('nothing moves, also where the script comes only after the page was painted', async () => {
  for (const viewport of [
    { width: 360, height: 740 },
    { width: 1280, height: 800 },
  ]) {
    await using ada = await newcomer({ viewport });
    const held: (() => void)[] = [];
    await ada.page.route('**/*.js', async (route) => {
      await new Promise<void>((resolve) => held.push(resolve));
      await route.continue();
    });
    const settle = async (heading: string) => {
      await ada.sees(heading);
      await ada.page.evaluate(PAINTED);
      for (const letGo of held.splice(0)) letGo();
      await ada.page.waitForLoadState();
      assert.equal(await ada.page.evaluate(LAYOUT_SHIFT), 0, `${heading}, ${viewport.width} pixels`);
    };
    await ada.page.goto(`${portal.origin}/sign-up`, { waitUntil: 'commit' });
    await settle('Create your account');
    await ada.fill('Name', ada.name);
    await ada.fill('Email', ada.email);
    await ada.fill('Password', ada.password);
    await ada.press('Create account');
    await settle('Check your email');
    await ada.fill('Verification code', await portal.codeTo(ada.email));
    await ada.press('Continue');
    await settle('Your email is verified');
    await ada.press('Security and Credentials');
    await settle('Security and Credentials');
    await ada.press('Enable Two-Factor Authentication');
    await settle('Enable Two-Factor Authentication');
    await ada.press('Enable With Authenticator App');
    await settle('Enable With Authenticator App');
    await ada.press('Continue');
    await settle('Scan the QR code');
    await ada.scanQrCode();
    await ada.fill('Verification code', ada.phone!.fresh());
    await ada.press('Verify');
    await settle('Save your Recovery Key');
  }
});

test('the code field takes a paste of "123 456" and of "123-456"', async () => {
  for (const between of [' ', '-', '\u2013']) {
    await using ada = await newcomer({ permissions: ['clipboard-read', 'clipboard-write'] });
    await ada.signUp();
    const code = await portal.codeTo(ada.email);
    await ada.page.evaluate(`navigator.clipboard.writeText('${code.slice(0, 3)}${between}${code.slice(3)}')`);
    await ada.page.getByLabel('Verification code').press('ControlOrMeta+v');
    assert.equal(await ada.page.getByLabel('Verification code').inputValue(), `${code.slice(0, 3)}${between}${code.slice(3)}`);
    await ada.press('Continue');
    await ada.sees('Your email is verified');
  }
});

test('"Send again" counts down, is then enabled, and the newest code is the one that works', async () => {
  await using ada = await newcomer();
  await ada.context.clock.install();
  await ada.signUp();
  const first = await portal.codeTo(ada.email);
  const again = ada.page.getByRole('button', { name: /^Send again/ });
  assert.equal(await again.innerText(), 'Send again (30 s)');
  assert.equal(await again.isDisabled(), true);
  await ada.context.clock.runFor(11_000);
  assert.equal(await again.innerText(), 'Send again (19 s)');
  await ada.context.clock.runFor(20_000);
  assert.equal(await again.innerText(), 'Send again');
  assert.equal(await ada.page.getByText('Nothing came? Look in your spam folder.').isVisible(), true);
  portal.clock.advance(seconds(31));
  await again.click();
  const second = await portal.codeTo(ada.email);
  await ada.page.getByRole('button', { name: /^Send again \(\d+ s\)$/ }).waitFor();
  if (second !== first) {
    await ada.fill('Verification code', first);
    await ada.press('Continue');
    await ada.page.getByText('That code was not right.').first().waitFor();
  }
  await ada.fill('Verification code', second);
  await ada.press('Continue');
  await ada.sees('Your email is verified');
});

test('"Show password" shows it and hides it, and it is sent as a password', async () => {
  await using ada = await newcomer();
  await ada.visit('/sign-up');
  const field = ada.page.getByLabel('Password', { exact: true });
  await field.fill(ada.password);
  assert.equal(await field.getAttribute('type'), 'password');
  await ada.press('Show password');
  assert.equal(await field.getAttribute('type'), 'text');
  assert.equal(await field.inputValue(), ada.password);
  await ada.press('Show password');
  assert.equal(await field.getAttribute('type'), 'password');
});

/** Flow 1, as far as the page that shows the key. */
async function comeToRecoveryKey(ada: PersonInChromium): Promise<void> {
  await ada.join();
  await ada.openSecurity();
  await ada.press('Enable Two-Factor Authentication', 'Send verification code');
  await ada.sees('Check your email');
  await ada.enterEmailedCode();
  await ada.sees('Save your Recovery Key');
}

test('the Recovery Key: "Download" is the main button until it was saved, by each of the three ways, then "Finish" is', async () => {
  await using ada = await newcomer({ permissions: ['clipboard-read', 'clipboard-write'] });
  await ada.context.addInitScript(
    'window.print = () => dispatchEvent(new Event("printed")); addEventListener("printed", () => (window.prints = (window.prints ?? 0) + 1))',
  );
  await comeToRecoveryKey(ada);
  const { page } = ada;
  const key = await page.locator('#recovery-key').innerText();

  const ways = {
    Copy: async () => {
      await ada.press('Copy');
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      assert.equal(await page.evaluate('navigator.clipboard.readText()'), key);
    },
    Print: async () => {
      await ada.press('Print');
      assert.equal(await page.evaluate('window.prints'), 1);
    },
    Download: async () => assert.ok((await ada.download()).text.includes(key)),
  };
  for (const [way, save] of Object.entries(ways)) {
    assert.deepEqual(await mainButtons(page), ['Download'], `before ${way}`);
    assert.equal(await page.getByLabel('I have saved it').isChecked(), false);
    await save();
    assert.deepEqual(await mainButtons(page), ['Finish'], `after ${way}`);
    assert.equal(await page.getByLabel('I have saved it').isChecked(), true);
    await page.reload();
  }
  // The server saw the download, so that a reload does not forget it.
  assert.deepEqual(await mainButtons(page), ['Finish']);
  assert.equal(await page.getByLabel('I have saved it').isChecked(), true);
  await ada.press('Finish');
  await ada.sees('Security and Credentials');
});

test('who was told to save the Recovery Key first, and does, reads and hears it no more; "Finish" stays where it is', async () => {
  await using ada = await newcomer({ permissions: ['clipboard-read', 'clipboard-write'] });
  await comeToRecoveryKey(ada);
  const { page } = ada;
  const tick = page.getByLabel('I have saved it');
  const told = page.locator('#saved-error');
  const finish = ada.button('Finish');
  for (const save of [() => ada.press('Copy'), () => tick.check()]) {
    await ada.press('Finish');
    await told.waitFor();
    const { y } = (await finish.boundingBox())!;
    await save();
    await told.waitFor({ state: 'hidden' });
    assert.deepEqual(await mainButtons(page), ['Finish']);
    assert.equal(await tick.isChecked(), true);
    assert.equal(await tick.getAttribute('aria-invalid'), null);
    assert.equal(await tick.getAttribute('aria-describedby'), null);
    assert.equal((await finish.boundingBox())!.y, y);
    await tick.uncheck();
    assert.deepEqual(await mainButtons(page), ['Download']);
  }
});

test('the Recovery Key is asked for as a code is: its field has the focus', async () => {
  await using ada = await newcomer();
  await ada.join();
  await ada.openSecurity();
  await ada.enableByEmail();
  await ada.signOut();
  await ada.enterPassword();
  await ada.press('Try another way', /^Recovery Key/);
  await ada.sees('Use your Recovery Key');
  await ada.page.keyboard.type(ada.recoveryKey);
  await ada.page.keyboard.press('Enter');
  await ada.sees('Save your next Recovery Key');
});

test('the setup key can be read in its groups, on a phone with text of twice the size too', async () => {
  await using ada = await newcomer({ viewport: { width: 360, height: 740 } });
  await ada.join();
  await ada.openSecurity();
  await ada.press('Enable Two-Factor Authentication', 'Enable With Authenticator App', 'Continue');
  await ada.sees('Scan the QR code');
  await ada.page.evaluate("document.documentElement.style.fontSize = '200%'");
  assert.equal(await ada.page.evaluate('document.documentElement.scrollWidth'), 360);
  assert.deepEqual(await ada.page.evaluate(LINES_OF_EACH_GROUP), [1, 1, 1, 1, 1, 1, 1, 1]);
});

test('on paper stand the site, what it is and the key, and nothing to press', async () => {
  await using ada = await newcomer();
  await comeToRecoveryKey(ada);
  const key = await ada.page.locator('#recovery-key').innerText();
  await ada.page.emulateMedia({ media: 'print' });
  const paper = await ada.page.locator('body').innerText();
  for (const said of ['Example Ltd', 'Recovery Key', key, ada.email, portal.origin, 'Try another way'])
    assert.ok(paper.includes(said), `${said} stands on: ${paper}`);
  for (const name of ['Download', 'Copy', 'Print', 'Finish', 'Profile']) assert.equal(await ada.button(name).count(), 0, name);
});

test('the setup key can be copied without its spaces', async () => {
  await using ada = await newcomer({ permissions: ['clipboard-read', 'clipboard-write'] });
  await ada.join();
  await ada.openSecurity();
  await ada.press('Enable Two-Factor Authentication', 'Enable With Authenticator App', 'Continue');
  await ada.scanQrCode();
  await ada.press('Copy setup key');
  await ada.page.getByText('Copied').first().waitFor();
  assert.equal(await ada.page.evaluate('navigator.clipboard.readText()'), ada.phone!.scanned.secret);
});

test('signing out clears what the browser kept, and the back button shows nothing', async () => {
  await using ada = await newcomer();
  await ada.join();
  await ada.visit('/account/security');
  const answered = ada.page.waitForResponse((response) => response.url().endsWith('/sign-out'));
  await ada.signOut();
  assert.match((await (await answered).allHeaders())['clear-site-data'] ?? '', /"cache".*"storage"/);
  assert.equal(await ada.page.getByRole('status').filter({ hasText: 'You are signed out.' }).count(), 1);
  await ada.page.goBack();
  await ada.sees('Sign in');
  assert.ok(!(await ada.page.content()).includes(ada.email));
  assert.deepEqual(
    (await ada.context.cookies()).map(({ name }) => name).filter((name) => name.includes('session')),
    [],
  );
});

test('a mistake is marked at its field, read out, and has the focus, with JavaScript off too', async () => {
  for (const javaScriptEnabled of [true, false]) {
    await using ada = await newcomer({ javaScriptEnabled });
    await ada.visit('/sign-up');
    await ada.fill('Name', ada.name);
    await ada.fill('Email', ada.email);
    await ada.fill('Password', 'short');
    await ada.press('Create account');
    const field = ada.page.locator('#password[aria-invalid=true]');
    await field.waitFor();
    assert.equal(await field.getAttribute('aria-describedby'), 'password-error');
    const said = await ada.page.locator('#password-error').innerText();
    assert.equal(await ada.page.getByRole('alert').textContent(), said);
    assert.equal(await ada.page.evaluate('document.activeElement.id'), 'password');
    assert.equal(await ada.page.getByLabel('Email').inputValue(), ada.email, 'Nothing has to be typed again but the password.');
  }
});

test('a mistake moves nothing above its field', async () => {
  await using ada = await newcomer();
  await ada.join();
  await ada.visit('/account/security/password');
  const field = ada.page.getByLabel('Current password', { exact: true });
  const { y } = (await field.boundingBox())!;
  await field.fill('not my password');
  await ada.fill('New password', 'seven quiet purple cranes');
  await ada.press('Change password');
  await ada.page.locator('[aria-invalid=true]').waitFor();
  assert.equal((await field.boundingBox())!.y, y);
});

/** The names of the buttons that bear the accent. */
const mainButtons = (page: Page): Promise<string[]> => page.locator('.button.main').allInnerTexts();

const PAINTED = 'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))';

/** Over how many lines each group of the setup key goes. */
const LINES_OF_EACH_GROUP = `(() => {
  const text = document.querySelector('.key.small span').firstChild;
  return [...text.data.matchAll(/[A-Z2-7]+/g)].map(({ index, 0: { length } }) => {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + length);
    return range.getClientRects().length;
  });
})()`;

const LAYOUT_SHIFT = `new Promise((resolve) => {
  const shifts = new PerformanceObserver(() => undefined);
  shifts.observe({ type: 'layout-shift', buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(shifts.takeRecords().reduce((sum, { value }) => sum + value, 0))));
})`;
