// "Manage Account": the name, the language and the address, and how each is changed.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  test('the name is changed, and greets in the next mail', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await browser.visit('/account');
    browser.fill('Name', '  Ada Lovelace, née Byron  ');
    await browser.press('Save');
    assert.equal(browser.page.path, '/account');
    assert.match(browser.page.text, /Your changes are saved\./);
    assert.equal(browser.page.value('Name'), 'Ada Lovelace, née Byron');
    await browser.reload();
    assert.doesNotMatch(browser.page.text, /Your changes are saved\./, 'it is said once');
    await ada.enableByEmail();
    assert.match(ada.newestMail().text, /^Hello Ada Lovelace, née Byron,$/m);
  });

  test('a name that can’t be is refused beside the field, and stays there to be mended', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await browser.visit('/account');
    for (const [name, why] of [
      ['', /Enter your name\./],
      ['   ', /Enter your name\./],
      ['x'.repeat(101), /Use at most 100 characters for the name\./],
      ['Ada\u202eecalevoL', /has a character that can’t be shown/],
    ] as const) {
      browser.fill('Name', name);
      await browser.press('Save');
      assert.equal(browser.page.status, 422);
      assert.match(browser.page.alert, why);
      assert.equal(browser.page.value('Name'), name);
      assert.equal(browser.page.field('Name').getAttribute('aria-invalid'), 'true');
    }
    await browser.visit('/account');
    assert.equal(browser.page.value('Name'), ada.name);
  });

  test('names of all scripts, with marks and signs of HTML in them, are shown as they were typed', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    for (const name of ['Ада Лавлейс', 'エイダ', '<b>Ada</b> & "Co"', 'A', 'Ada 👩‍💻', 'أدا']) {
      await browser.visit('/account');
      browser.fill('Name', name);
      await browser.press('Save');
      assert.equal(browser.page.status, 200, name);
      assert.equal(browser.page.root.querySelector('input[name=name]')?.getAttribute('value'), name);
    }
  });

  test('the language of the page and of the account is one that there is', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await browser.visit('/account');
    browser.fill('Language', 'English');
    await browser.press('Save');
    assert.match(browser.page.text, /Your changes are saved\./);
    await browser.post('/account', { name: ada.name, language: '../../xx' });
    assert.equal(browser.page.root.querySelector('html')?.getAttribute('lang'), 'en');
  });

  test('FC-3 the address changes when the code that went to the new one is entered; both addresses are told, and signing in takes the new one', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    const [old, next] = [ada.email, 'ada.moved@example.net'];
    const other = portal.browser();
    await ada.signIn({ browser: other });
    await browser.visit('/account');
    await browser.press('Change email');
    assert.match(browser.page.text, new RegExp(`Now: ${old}\\. We will send a code to the new address; nothing changes until you have entered it\\.`));
    browser.fill('Email', next);
    await browser.press('Send verification code');
    assert.ok(browser.page.has(`We sent a code of six digits to ${next}.`));
    assert.equal(ada.mails(next).length, 1);
    await ada.signIn({ browser: portal.browser() });
    await ada.enterCode(ada.newestCode(next));
    assert.equal(browser.page.path, '/account');
    assert.match(browser.page.text, /Your new address is saved\./);
    assert.ok(browser.page.has(next));
    for (const address of [old, next]) {
      const mail = ada.newestMail(address);
      assert.equal(mail.subject, 'Your address for Example was changed', address);
      assert.match(mail.text, new RegExp(`Your account now uses ${next}\\.`));
      assert.match(mail.text, /If this was not you, somebody else may be in your account\./);
    }
    await other.reload();
    assert.equal(other.page.path, '/sign-in', 'all other browsers are signed out');
    await ada.enterPassword(other);
    assert.equal(other.page.status, 401);
    ada.email = next;
    await ada.signIn({ browser: other });
  });

  test('EC-4 with codes by email they go to the new address from then on, and those to the old one are dead', async () => {
    const ada = await (await portal.newcomer().join()).enableByEmail();
    const elsewhere = portal.browser();
    await ada.enterPassword(elsewhere);
    const dead = ada.newestCode();
    const { browser } = ada;
    const next = 'ada.codes@example.net';
    await browser.visit('/account/email');
    browser.fill('Email', next);
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode(next));
    await ada.enterCode(dead, { browser: elsewhere });
    assert.equal(elsewhere.page.path, '/sign-in');
    ada.email = next;
    await ada.signIn({ browser: elsewhere, by: 'email' });
    await ada.openSecurity();
    assert.ok(browser.page.has(`${next}. Added`));
  });

  test('FC-1 with a proof older than ten minutes the password and the app are asked for first', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const { browser } = ada;
    portal.clock.advance(minutes(11));
    await browser.visit('/account');
    await browser.press('Change email');
    assert.equal(browser.page.heading, 'Confirm that it’s you');
    browser.fill('Password', ada.password);
    await browser.press('Continue');
    await ada.enterCode(ada.phone.fresh());
    assert.equal(browser.page.heading, 'Change email');
  });

  test('one’s own address, or none, is refused beside the field', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await browser.visit('/account/email');
    for (const [email, why] of [
      ['ada', /Enter an email address such as name@example\.com\./],
      ['', /Enter an email address such as name@example\.com\./],
      [ada.email.toUpperCase(), /This is your address already\./],
    ] as const) {
      browser.fill('Email', email);
      await browser.press('Send verification code');
      assert.equal(browser.page.status, 422);
      assert.match(browser.page.alert, why);
      assert.equal(browser.page.value('Email'), email);
    }
    assert.equal(ada.mails().length, 1);
  });

  test('an address that belongs to another account is told of only to who reads its mail, and nothing changes', async () => {
    const [ada, grace] = [await portal.newcomer().join(), await portal.newcomer().join()];
    const { browser } = ada;
    await browser.visit('/account/email');
    browser.fill('Email', grace.email);
    await browser.press('Send verification code');
    assert.ok(browser.page.has(`We sent a code of six digits to ${grace.email}.`));
    await ada.enterCode(grace.newestCode());
    assert.equal(browser.page.path, '/account');
    assert.match(browser.page.alert, /That address belongs to another account, so yours stays as it was\./);
    assert.ok(browser.page.has(ada.email));
    await ada.signIn({ browser: portal.browser() });
    await grace.signIn({ browser: portal.browser() });
  });

  test('a wrong code, and "Cancel", leave the address as it was', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await browser.visit('/account/email');
    browser.fill('Email', 'ada.wrong@example.net');
    await browser.press('Send verification code');
    const right = ada.newestCode('ada.wrong@example.net');
    await ada.enterCode(right === '424242' ? '424243' : '424242');
    assert.equal(browser.page.status, 422);
    await browser.press('Cancel');
    assert.equal(browser.page.path, '/account');
    assert.ok(browser.page.has(ada.email));
    assert.ok(!browser.page.has('ada.wrong@example.net'));
  });
});
