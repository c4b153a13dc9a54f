// What went wrong in well-known products, one test each, where it applies to what there is; others of the list have tests that bear its names.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { minutes, seconds } from '../../src/platform/durations.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { accountOf, askForReset, isSignedIn, resetLink, sessionsOf, wrongCode } from './intruder.ts';

let portal: Portal;
before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
after(() => portal.close());

test('ZITADEL CVE-2025-64103: a factor that the person set up is asked for, whatever the policy says', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  for (const policy of ['off', 'optional', 'required'] as const) {
    await portal.setPolicy(policy);
    const thief = portal.browser();
    await ada.enterPassword(thief);
    assert.equal(thief.page.path, '/sign-in/verify', policy);
    assert.equal(await isSignedIn(thief), false, policy);
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  }
  await portal.setPolicy('optional');
});

test('ZITADEL CVE-2025-64103, phpMyFAQ CVE-2026-56737: the second factor without the first opens nothing', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const sessions = await sessionsOf(portal, ada.email);
  const thief = portal.browser();
  await thief.visit('/sign-in');
  for (const path of ['/sign-in/verify', '/sign-in/set-up/code', '/sign-in/set-up/email', '/account/confirm/verify'])
    await thief.post(path, { code: ada.phone.fresh(), email: ada.email, account: (await accountOf(portal, ada.email)).id });
  await thief.post('/sign-in', { email: ada.email, password: '', code: ada.phone.fresh() });
  await thief.post('/sign-in', { email: ada.email, password: ada.phone.fresh() });
  assert.equal(await sessionsOf(portal, ada.email), sessions);
  assert.equal(await isSignedIn(thief), false);
});

test('ZITADEL CVE-2025-64102, GHSA-7j7j-66cv-m239: the app is under the limits too, and being paused is no way around it', async () => {
  const ada = await (await portal.newcomer().join()).enableByApp();
  const thief = portal.browser();
  await ada.enterPassword(thief);
  for (let tries = 0; tries < 5; tries++) await thief.post('/sign-in/verify', { code: wrongCode(ada.phone.shows()) });
  await ada.enterPassword(thief);
  for (const path of ['/sign-in/set-up', '/sign-in/set-up/code', '/sign-in/recovery-key', '/sign-in/done', '/account']) {
    await thief.visit(path);
    assert.ok(!thief.page.hasButton('Profile'), path);
  }
  await thief.post('/sign-in/verify', { code: ada.phone.shows(portal.clock.now() + seconds(30)) });
  assert.equal(thief.page.status, 429);
  assert.equal(await isSignedIn(thief), false);
});

test('ZITADEL CVE-2024-49757: what the page does not offer, the form refuses', async () => {
  const ada = await portal.newcomer().join();
  await portal.setPolicy('off');
  for (const method of ['email-code', 'totp']) {
    await ada.browser.post('/account/security/enable', { method });
    assert.equal(ada.browser.page.status, 422);
  }
  await portal.setPolicy('optional');
  await ada.enableByEmail();
  await ada.browser.post('/account/security/enable', { method: 'email-code' });
  assert.equal(ada.browser.page.status, 422, 'there is one already');
  await portal.setPolicy('required');
  await ada.browser.post('/account/security/disable');
  assert.equal(ada.browser.page.status, 422);
  await portal.setPolicy('optional');
});

test('Keycloak #12759, CVE-2026-18963: no step of a reset is skipped, and a reset is no sign-in', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const thief = portal.browser();
  await askForReset(thief, ada.email);
  const skips = ['/forgot-password/new-password', '/forgot-password/next-recovery-key', '/forgot-password/recovery-key'];
  for (const path of skips) {
    await thief.post(path, { password: 'a password of the thief’s own', saved: 'on', code: '0'.repeat(26) });
    assert.notEqual(thief.page.path, '/sign-in', path);
  }
  await thief.visit(resetLink(portal, ada.email));
  await thief.press('Continue');
  for (const path of skips) {
    await thief.post(path, { password: 'a password of the thief’s own', saved: 'on', code: '0'.repeat(26) });
    assert.equal(thief.page.path, '/forgot-password/recovery-key', path);
  }
  for (const path of ['/account', '/sign-in/verify', '/sign-in/recovery-key', '/account/security/disable']) {
    await thief.visit(path);
    assert.equal(thief.page.path, '/sign-in', path);
  }
  await ada.signIn({ browser: portal.browser(), by: 'email' });
});

test('Keycloak CVE-2026-4325, CVE-2026-37982: a link, and the cookie that it brought, serve once', async () => {
  const ada = await portal.newcomer().join();
  const owner = portal.browser();
  await askForReset(owner, ada.email);
  const link = resetLink(portal, ada.email);
  await owner.visit(link);
  await owner.press('Continue');
  const cookie = owner.cookies.get('twinlock-reset')!;
  ada.password = 'four herons and a kingfisher';
  owner.fill('New password', ada.password);
  await owner.press('Save new password');
  const thief = portal.browser();
  await thief.visit(link);
  await thief.press('Continue');
  assert.equal(thief.page.status, 410);
  thief.cookies.set('twinlock-reset', cookie);
  await thief.post('/forgot-password/new-password', { password: 'a password of the thief’s own' });
  assert.equal(thief.page.status, 410);
  await ada.signIn({ browser: portal.browser() });
});

test('Keycloak CVE-2026-94218: starting again, or a restart of the server, drops nothing that is asked for', async () => {
  const own = await openPortal({ engine: 'sqlite', checkHtml: false });
  const ada = await own.newcomer().join();
  await own.setPolicy('required');
  const thief = own.browser();
  await ada.enterPassword(thief);
  assert.equal(thief.page.path, '/sign-in/set-up');
  await own.restart();
  await thief.reload();
  assert.equal(thief.page.path, '/sign-in/set-up');
  await thief.visit('/sign-in/leave');
  await thief.press('Start again');
  await ada.enterPassword(thief);
  assert.equal(thief.page.path, '/sign-in/set-up');
  assert.equal(await isSignedIn(thief), false);
  await own.close();
});

test('Keycloak CVE-2026-16103, CVE-2026-9798: the limit is looked at when a code is redeemed, not when it was sent', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const early = portal.browser();
  await ada.enterPassword(early);
  const code = ada.newestCode();
  const guessing = portal.browser();
  await ada.enterPassword(guessing);
  for (let tries = 0; tries < 5; tries++) await guessing.post('/sign-in/verify', { code: wrongCode(ada.newestCode()) });
  await early.post('/sign-in/verify', { code });
  assert.equal(early.page.status, 429);
  assert.equal(await isSignedIn(early), false);
  portal.clock.advance(minutes(1));
  await early.post('/sign-in/verify', { code });
  assert.equal(await isSignedIn(early), true);
});

test('ZITADEL CVE-2026-55672: what one browser began, another does not go on with', async () => {
  const ada = await (await portal.newcomer().join()).enableByEmail();
  const owner = portal.browser();
  await ada.enterPassword(owner);
  const thief = portal.browser();
  for (const path of ['/sign-in/verify', '/sign-in/verify/other', '/sign-in/recovery-key']) {
    await thief.visit(path);
    assert.equal(thief.page.path, '/sign-in', path);
    await thief.post(path, { code: ada.newestCode(), method: 'email-code' });
    assert.equal(thief.page.path, '/sign-in', path);
  }
});
