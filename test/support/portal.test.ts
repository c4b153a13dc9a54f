import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachPortal } from './portal.ts';

forEachPortal((open) => {
  test('a person signs up, turns two-factor authentication on, and gets back in with each of their factors, in other browsers and after a restart', async () => {
    const portal = await open();
    const ada = await portal.newcomer().join();
    await ada.enableByApp();
    const abroad = portal.browser({ address: '203.0.113.9' });
    await ada.signIn({ browser: abroad, by: 'app' });
    await portal.restart();
    assert.equal((await ada.openSecurity(abroad)).heading, 'Security and Credentials');
    const first = ada.recoveryKey;
    await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
    assert.notEqual(ada.recoveryKey, first);
  });
});
