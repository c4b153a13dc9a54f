// "Sessions": where a person is signed in, and ending it there.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { days, hours, minutes } from '../../src/platform/durations.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

const PHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1';
const OFFICE = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0';

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  test('SE-7 the list names each browser, its address and its times, and this one', async () => {
    const ada = await portal.newcomer().join();
    portal.clock.advance(minutes(5));
    await ada.signIn({ browser: portal.browser({ userAgent: PHONE, address: '203.0.113.31' }) });
    portal.clock.advance(minutes(5));
    await ada.signIn({ browser: portal.browser({ userAgent: OFFICE, address: '203.0.113.32' }) });
    const { browser } = ada;
    await browser.visit('/account');
    await browser.press('Sessions');
    assert.equal(browser.page.path, '/account/sessions');
    assert.match(browser.page.text, /Firefox on Linux this browser/);
    assert.match(browser.page.text, /Safari on iOS/);
    assert.match(browser.page.text, /Edge on Windows/);
    for (const address of ['203.0.113.31', '203.0.113.32', browser.address]) assert.ok(browser.page.has(address), address);
    assert.match(browser.page.text, /2 February 2027 at 09:0\d UTC/);
    assert.equal(browser.page.text.match(/this browser/g)?.length, 1);
  });

  test('one session is ended there, and the others stay', async () => {
    const ada = await portal.newcomer().join();
    const [phone, office] = [portal.browser({ userAgent: PHONE }), portal.browser({ userAgent: OFFICE })];
    for (const browser of [phone, office]) await ada.signIn({ browser });
    const { browser } = ada;
    await browser.visit('/account/sessions');
    await browser.press('Sign out', { near: 'Safari on iOS' });
    assert.match(browser.page.text, /That browser is signed out\./);
    assert.doesNotMatch(browser.page.text, /Safari on iOS/);
    await phone.visit('/account');
    assert.equal(phone.page.path, '/sign-in');
    assert.match(phone.page.text, /Please sign in again\./);
    await office.visit('/account');
    assert.equal(office.page.path, '/account');
  });

  test('"Sign out all others" leaves this one alone', async () => {
    const ada = await portal.newcomer().join();
    const others = [portal.browser({ userAgent: PHONE }), portal.browser({ userAgent: OFFICE })];
    for (const browser of others) await ada.signIn({ browser });
    const { browser } = ada;
    await browser.visit('/account/sessions');
    await browser.press('Sign out all others');
    assert.match(browser.page.text, /All other browsers are signed out\./);
    assert.ok(!browser.page.hasButton('Sign out all others'), 'there is none left');
    for (const other of others) assert.equal((await other.visit('/account')).path, '/sign-in');
  });

  test('nobody ends a session of somebody else', async () => {
    const [ada, eve] = [await portal.newcomer().join(), await portal.newcomer().join()];
    await ada.signIn({ browser: portal.browser() });
    await ada.browser.visit('/account/sessions');
    const id = ada.browser.page.root.querySelector('input[name=session]')!.getAttribute('value')!;
    await eve.browser.post('/account/sessions/end', { session: id });
    await ada.browser.reload();
    assert.ok(ada.browser.page.hasButton('Sign out all others'), 'it is still there');
  });

  test('SE-5 "Sign out" ends the session on the server, so that a copy of its cookie opens nothing', async () => {
    const ada = await portal.newcomer().join();
    const copy = portal.browser();
    for (const name of ada.browser.cookies.names) copy.cookies.set(name, ada.browser.cookies.get(name)!);
    assert.equal((await copy.visit('/account')).path, '/account');
    await ada.signOut();
    assert.equal(ada.browser.page.path, '/sign-in');
    assert.equal((await copy.visit('/account')).path, '/sign-in');
  });

  test('SE-4 by password alone a session ends after a week away, or after 30 days, whatever is done in it', async () => {
    const ada = await portal.newcomer().join();
    const [away, busy] = [portal.browser(), portal.browser()];
    for (const browser of [away, busy]) await ada.signIn({ browser });
    for (let day = 0; day < 7; day += 1) {
      portal.clock.advance(days(1));
      assert.equal((await busy.visit('/account')).path, '/account', `day ${day}`);
    }
    assert.equal((await away.visit('/account')).path, '/sign-in');
    for (let day = 7; day < 29; day += 1) {
      portal.clock.advance(days(1));
      assert.equal((await busy.visit('/account')).path, '/account', `day ${day}`);
    }
    portal.clock.advance(days(1));
    assert.equal((await busy.visit('/account')).path, '/sign-in');
  });

  test('SE-4 with an app it ends after an hour away, or after a day, and a session that has ended is not listed', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    await ada.signOut();
    const busy = portal.browser({ userAgent: PHONE });
    await ada.signIn({ browser: busy, by: 'app' });
    for (let hour = 0; hour < 26; hour += 1) {
      portal.clock.advance(minutes(55));
      assert.equal((await busy.visit('/account')).path, '/account', `after ${(hour + 1) * 55} minutes`);
    }
    portal.clock.advance(minutes(15));
    assert.equal((await busy.visit('/account')).path, '/sign-in');
    portal.clock.advance(hours(1));
    const { browser } = ada;
    await ada.signIn({ by: 'app' });
    await browser.visit('/account/sessions');
    assert.doesNotMatch(browser.page.text, /Safari on iOS/);
    assert.ok(!browser.page.hasButton('Sign out all others'));
  });
});
