// "A person with their key is never locked out": also not by using it to confirm that it is them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { onOneDatabase } from '../support/portal.ts';

onOneDatabase((open) => {
  test('RK-3, RK-7: who confirms by the Recovery Key keeps the next one before going on, and gets in with it', async () => {
    const portal = await open();
    const ada = await portal.newcomer().join();
    await ada.enableByApp();
    portal.clock.advance(minutes(11));

    const { browser } = ada;
    await browser.visit('/account/security/disable');
    assert.equal(browser.page.heading, 'Confirm that it’s you');
    browser.fill('Password', ada.password);
    await browser.press('Continue');
    await ada.chooseWay('recovery-key');
    const used = ada.recoveryKey!;
    browser.fill('Recovery Key', used);
    await browser.press('Continue');
    assert.equal(browser.page.heading, 'Save your next Recovery Key');
    assert.equal(browser.page.path, '/account/confirm/recovery-key');
    await browser.visit('/account/security/disable');
    assert.equal(browser.page.heading, 'Confirm that it’s you', 'The confirmation counts once the next key is kept.');
    await browser.visit('/account/confirm/recovery-key');
    const next = await ada.keepRecoveryKey();
    assert.notEqual(next, used);
    assert.equal(browser.page.heading, 'Disable two-factor authentication');

    const elsewhere = browser.fork();
    await ada.signIn({ browser: elsewhere, by: 'recovery-key' });
  });
});
