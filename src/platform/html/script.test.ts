// The frames, the stylesheet and the script in a real browser, against real answers of ours. What the features make of them is tested in test/browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../../../test/support/browser.ts';
import { makeTestWorld, type TestWorld } from '../../../test/support/world.ts';
import { file, page as pageAnswer, redirect, type Visit } from '../http/visit.ts';
import { makeWeb } from '../http/web.ts';
import { button, checkbox, codeField, form, linkButton, mistakes, notice, passwordField, select, textField } from './forms.ts';
import { html } from './html.ts';
import { keyIcon } from './icons.ts';
import { alonePage, dialogPage, settingsPage } from './layout.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WAIT_SECONDS = 30;

let browser: Browser;
let world: TestWorld;
let fastify: FastifyInstance;
let origin: string;
/** What forms have brought. */
let taken: string[] = [];
/** Answers what is posted to /slow; `posted` resolves when it has come. */
let letGo: () => void = () => undefined;
let posted = Promise.withResolvers<void>();

before(async () => {
  browser = await launchBrowser();
  // The origin has the port in it, and the port is known only once somebody listens.
  const installation = { name: 'Example Ltd', origin: '', secure: false, development: false, signUp: 'open' as const };
  world = await makeTestWorld({ engine: 'sqlite' });
  const made = await makeWeb({ ...world, installation });
  fastify = made.fastify;
  made.web.get('/', async (visit) =>
    pageAnswer(
      settingsPage({
        ...frame,
        signedIn: { name: 'Ada Example', email: 'ada@example.com', formToken: visit.formToken },
        current: 'security',
        body: pieces(visit),
      }),
    ),
  );
  made.web.get('/alone', async (visit) =>
    pageAnswer(
      alonePage({
        ...frame,
        progress: { at: 2, of: 3 },
        body: question(visit, undefined),
        footer: html`<p class="quiet">ada@example.com · <a href="/">Not you?</a></p>`,
      }),
    ),
  );
  made.web.get('/wrong', async (visit) => pageAnswer(alonePage({ ...frame, body: question(visit, 'That code was not right.') }), 422));
  made.web.get('/dialog', async (visit) => pageAnswer(dialogPage({ ...frame, body: question(visit, undefined) })));
  made.web.get('/slow-form', async (visit) =>
    pageAnswer(alonePage({ ...frame, body: form({ action: '/slow', formToken: visit.formToken, body: button({ label: 'Continue' }) }) })),
  );
  made.web.post('/taken', async (visit) => {
    taken.push(visit.field('text'));
    return redirect('/alone');
  });
  made.web.post('/slow', async (visit) => {
    taken.push(visit.field('text'));
    posted.resolve();
    await new Promise<void>((resolve) => (letGo = resolve));
    return redirect('/alone');
  });
  made.web.post('/file', async () => file('key.txt', 'text/plain; charset=utf-8', 'the key'));
  made.web.post('/sign-out', async () => redirect('/alone'));
  await fastify.listen({ port: 0, host: '127.0.0.1' });
  origin = `http://localhost:${(fastify.server.address() as { port: number }).port}`;
  installation.origin = origin;
});
after(async () => {
  await browser.close();
  await fastify.close();
  await world.close();
});

const frame = { installationName: 'Example Ltd', language: 'en', title: 'Everything there is' };

function question(visit: Visit, error: string | undefined) {
  return html`${mistakes(error)}
    ${form({ action: '/taken', formToken: visit.formToken, body: html`${codeField({ label: 'Verification code', name: 'text', error })}${button({ label: 'Continue', main: true, wide: true })}` })}
    <div class="actions">
      ${form({
        action: '/taken',
        formToken: visit.formToken,
        body: html`${button({ label: 'Send again', wide: true, waitSeconds: WAIT_SECONDS })}
          <p class="quiet" data-then="Nothing came?">You can ask for another in 30 seconds.</p>`,
      })}
    </div>
    <ul class="choices">
      <li>
        <button class="choice" type="button">
          <span class="icon">${keyIcon}</span><span class="grow"><strong>Recovery Key</strong><br /><span class="quiet">The key that you saved.</span></span>
        </button>
      </li>
    </ul>`;
}

function pieces(visit: Visit) {
  return html`${notice({ kind: 'good', text: 'Saved.' })}${notice({ kind: 'plain', text: 'By the way.' })}
    <section class="card" aria-labelledby="all">
      <h2 id="all">Two-Factor Authentication <span class="tag good">On</span> <span class="tag warn">weakest</span> <span class="tag">Off</span></h2>
      <div class="row">
        <span class="icon">${keyIcon}</span>
        <div class="grow">
          <p><strong>Ready</strong></p>
          <p class="quiet">Never used</p>
        </div>
        ${linkButton({ label: 'Manage', href: '/' })}
      </div>
      ${form({
        action: '/taken',
        formToken: visit.formToken,
        body: html`${textField({ label: 'Name', name: 'text', hint: 'As people call you.' })}
        ${passwordField({ label: 'Password', name: 'password', autocomplete: 'current-password' })}
        ${select({ label: 'Language', name: 'language', value: 'en', options: [['en', 'English']] })} ${button({ label: 'Save', main: true })}`,
      })}
    </section>
    <section class="card">
      <p class="key">7K2M-PQ9X-4HWD</p>
      <div class="actions save">
        ${form({ action: '/file', formToken: visit.formToken, body: html`<button class="button main wide" type="submit" data-download>Download</button>` })}
        <button class="button" type="button" data-copy="7K2M" data-saves hidden>Copy</button
        ><button class="button" type="button" data-print hidden>Print</button>
      </div>
      ${form({ action: '/taken', formToken: visit.formToken, body: html`${checkbox({ label: 'I have saved it', name: 'saved', checked: false })}${button({ label: 'Disable', danger: true })}` })}
    </section>`;
}

interface Opened extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained of: violations of the Content-Security-Policy, errors of the script. */
  readonly complaints: string[];
}

async function open(path: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => void (message.type() === 'error' && !message.text().includes('status of 4') && complaints.push(message.text())));
  page.on('pageerror', (error) => void complaints.push(error.message));
  await page.goto(origin + path);
  return { context, page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** Run through the debugger: our own policy would refuse it a place in the page. */
async function axe({ context, page }: Opened): Promise<unknown> {
  const session = await context.newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: AXE });
  const expression = 'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))';
  const { result } = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  return result.value;
}

describe('every frame', () => {
  for (const path of ['/', '/alone', '/wrong', '/dialog', '/nowhere']) {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const viewport of [
        { width: 320, height: 640 },
        { width: 1280, height: 800 },
      ]) {
        test(`WE-4, WCAG 2.2 AA: ${path}, ${colorScheme}, ${viewport.width} pixels`, async () => {
          await using opened = await open(path, { colorScheme, viewport });
          assert.deepEqual(await axe(opened), []);
          assert.deepEqual(opened.complaints, []);
          assert.equal(await opened.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, 'Nothing is cut off.');
        });
      }
    }
  }

  test('text of twice the size still fits', async () => {
    await using opened = await open('/', { viewport: { width: 640, height: 800 } });
    // By script: the policy lets no style attribute through, but a property may be set.
    await opened.page.evaluate("document.documentElement.style.fontSize = '200%'");
    assert.equal(await opened.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
  });

  test('what can be pressed is at least 24 pixels each way (WCAG 2.5.8)', async () => {
    await using opened = await open('/', { viewport: { width: 375, height: 700 } });
    for (const target of await opened.page.locator('button:visible, .button:visible, nav a:visible').all()) {
      const box = (await target.boundingBox())!;
      assert.ok(box.height >= 24 && box.width >= 24, await target.innerText());
    }
  });
});

describe('the browser agrees with our checks', () => {
  test('WE-3: our own form is sent with Origin and Sec-Fetch-Site, under our Referrer-Policy', async () => {
    await using opened = await open('/alone');
    taken = [];
    const sent = opened.page.waitForRequest((request) => request.method() === 'POST');
    await opened.page.getByLabel('Verification code').fill('418 205');
    await opened.page.getByRole('button', { name: 'Continue' }).click();
    const headers = await (await sent).allHeaders();
    assert.equal(headers['origin'], origin);
    assert.equal(headers['sec-fetch-site'], 'same-origin');
    assert.deepEqual(taken, ['418 205']);
  });

  test('WE-3: the same form on another site’s page is refused', async () => {
    await using opened = await open('/alone');
    taken = [];
    const token = await opened.page.locator('[name=form_token]').first().getAttribute('value');
    await using evil = await otherSite(`<form method="post" action="${origin}/taken"><input name="form_token" value="${token}"><button>Win</button></form>`);
    await opened.page.goto(evil.origin);
    await opened.page.getByRole('button').click();
    await opened.page.getByRole('heading', { name: 'Nothing was done' }).waitFor();
    assert.deepEqual(taken, []);
  });

  test('WE-5: no site can show us in a frame', async () => {
    await using opened = await open('/alone');
    await using evil = await otherSite(`<iframe src="${origin}/alone"></iframe>`);
    const refused = opened.page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
    await opened.page.goto(evil.origin);
    await refused;
  });
});

/** 127.0.0.1 is another site than localhost. */
async function otherSite(body: string): Promise<{ origin: string } & AsyncDisposable> {
  const server = createServer((_request, response) => void response.setHeader('content-type', 'text/html').end(body));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { origin: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe('the script', () => {
  test('shows a password and hides it again, also before it is sent', async () => {
    await using opened = await open('/');
    const field = opened.page.getByLabel('Password', { exact: true });
    const show = opened.page.getByRole('button', { name: 'Show password' });
    await field.fill('seven purple lanterns');
    await show.click();
    assert.equal(await field.getAttribute('type'), 'text');
    assert.equal(await show.getAttribute('aria-pressed'), 'true');
    // Asked while the form is being sent, after our own listener.
    await opened.page.evaluate(
      "addEventListener('submit', (event) => { event.preventDefault(); window.typeWhenSent = document.getElementById('password').type; })",
    );
    await opened.page.getByRole('button', { name: 'Save' }).click();
    assert.equal(await opened.page.evaluate('window.typeWhenSent'), 'password');
  });

  test('opens the profile menu by keyboard, and Escape closes it and leaves the focus there', async () => {
    await using opened = await open('/');
    const { page } = opened;
    const profile = page.getByRole('button', { name: 'Profile', exact: true });
    await profile.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Manage Account' }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Manage Account');
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('link', { name: 'Manage Account' }).isVisible(), false);
    assert.equal(await page.evaluate("document.activeElement.getAttribute('aria-label')"), 'Profile');
    await profile.click();
    await page.getByRole('heading', { level: 1 }).click();
    assert.equal(await page.getByRole('link', { name: 'Manage Account' }).isVisible(), false, 'A click elsewhere closes it.');
  });

  test('copies, says so, and ticks "I have saved it"', async () => {
    await using opened = await open('/', { permissions: ['clipboard-read', 'clipboard-write'] });
    const { page } = opened;
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(await page.locator('p.said[role=status]').innerText(), 'Copied');
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), '7K2M');
    assert.equal(await page.getByLabel('I have saved it').isChecked(), true);
  });

  test('a download ticks it too, and can be had again', async () => {
    await using opened = await open('/');
    const { page } = opened;
    for (let time = 1; time <= 2; time++) {
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download' }).click();
      assert.equal((await download).suggestedFilename(), 'key.txt', `time ${time}`);
    }
    assert.equal(await page.getByLabel('I have saved it').isChecked(), true);
  });

  test('a second click sends nothing twice', async () => {
    await using opened = await open('/slow-form');
    taken = [];
    posted = Promise.withResolvers();
    const box = (await opened.page.getByRole('button', { name: 'Continue' }).boundingBox())!;
    const click = () => opened.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await click();
    await posted.promise;
    await click();
    letGo();
    await opened.page.waitForURL('**/alone');
    assert.equal(taken.length, 1);
  });

  test('"Send again" counts down and then can be pressed', async () => {
    const context = await browser.newContext();
    await context.clock.install();
    const page = await context.newPage();
    await page.goto(`${origin}/alone`);
    const again = page.getByRole('button', { name: /^Send again/ });
    assert.equal(await again.isDisabled(), true);
    assert.match(await again.innerText(), /^Send again \(\d+ s\)$/);
    await context.clock.runFor((WAIT_SECONDS + 1) * 1000);
    assert.equal(await again.isEnabled(), true);
    assert.equal(await again.innerText(), 'Send again');
    assert.equal(await page.getByText('You can ask for another').isVisible(), false);
    assert.equal(await page.getByText('Nothing came?').isVisible(), true, 'in its place');
    await context.close();
  });

  test('the first mistake has the focus', async () => {
    await using opened = await open('/wrong');
    // The browser gives it with the first frame, which may be yet to come.
    await opened.page.waitForFunction("document.activeElement.id === 'text'");
  });
});

test('without JavaScript nothing is shown that would do nothing, and the form works', async () => {
  await using opened = await open('/', { javaScriptEnabled: false });
  const { page } = opened;
  for (const name of ['Copy', 'Print', 'Show password']) assert.equal(await page.getByRole('button', { name }).count(), 0, name);
  await page.getByRole('button', { name: 'Profile', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Send again' }).waitFor();
  assert.equal(await page.getByText('You can ask for another in 30 seconds.').isVisible(), true);
});
