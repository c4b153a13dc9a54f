// SAML in a real browser: the provider's page posts the answer from another site, so that none of the portal's cookies comes with it, and the browser follows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import { SAML_PASSWORD, SamlProvider } from '../support/saml-provider.ts';
import { servePortal, type ServedPortal } from '../support/served-portal.ts';
import { found } from './single-sign-on-pages.ts';

const NAME = 'Example SAML';

let browser: Browser;
let portal: ServedPortal;
let provider: SamlProvider;
before(async () => {
  [browser, portal] = await Promise.all([launchBrowser(), servePortal()]);
  provider = await SamlProvider.start({ now: () => portal.clock.now() });
  portal.otherOrigins.add(provider.origin);
});
after(async () => {
  await browser.close();
  await provider[Symbol.asyncDispose]();
  await portal.close();
});

async function signInThere({ page }: PersonInChromium, email: string, { javaScriptEnabled = true } = {}): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(SAML_PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  if (!javaScriptEnabled) await page.getByRole('button', { name: 'Go on' }).click();
}

test('the owner connects a provider, and people come by it, with JavaScript and without', async () => {
  await using owner = await PersonInChromium.arrive(browser, portal, { email: 'olga@example.org' });
  await found(owner);
  await owner.visit('/admin/sso/new?kind=saml');
  await owner.fill('Name', NAME);
  await owner.page.getByLabel('It gives out only email addresses that it has verified').check();
  await owner.press('Add connection');
  await owner.sees(NAME);
  const path = new URL(owner.page.url()).pathname;
  provider.register(await (await fetch(`${portal.origin}/sso/${path.split('/').at(-1)}/metadata`)).text());
  await owner.fill('Or the metadata itself', provider.metadata);
  await owner.press('Save');
  assert.equal(await owner.page.getByLabel('Entity id of the provider').inputValue(), provider.entityId);
  assert.match(await owner.page.getByLabel('Certificates that it signs with').inputValue(), /^-----BEGIN CERTIFICATE-----/);

  provider.account({ email: 'probe@example.org' });
  await owner.press('Test connection');
  await signInThere(owner, 'probe@example.org');
  await owner.sees(`Test of ${NAME}`);
  assert.match(await owner.page.locator('main').innerText(), /It works\.[^]*persistent-probe/);
  await owner.press('Back to the connection', 'Turn on');
  await owner.visit('/admin/sso');
  await owner.fill('Domain', 'example.org');
  await owner.press('Add domain');
  portal.names.records.set('_twinlock.example.org', [/twinlock=[\w-]{43}/.exec(await owner.page.locator('main').innerText())![0]]);
  await owner.press('Check the record');
  await owner.page.getByLabel('Addresses of example.org sign in by').selectOption(NAME);
  await owner.press('Save');

  for (const javaScriptEnabled of [true, false]) {
    await using ada = await PersonInChromium.arrive(browser, portal, { javaScriptEnabled, email: `ada-${javaScriptEnabled}@example.org` });
    provider.account({ email: ada.email });
    await ada.visit('/sign-in');
    await ada.fill('Email', ada.email);
    await ada.press('Use single sign-on');
    await signInThere(ada, ada.email, { javaScriptEnabled });
    await ada.sees('Manage Account');
  }
});
