// What a password may be, said the same at every door where one is chosen, and changing it.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { makeApp } from '../../src/app.ts';
import { minutes, seconds } from '../../src/platform/durations.ts';
import { makePasswordHasher } from '../../src/platform/secrets/password-hash.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import { Visitor } from '../support/visitor.ts';

/** What is refused, and the words that say why. */
const REFUSED: readonly (readonly [what: string, password: string, why: RegExp])[] = [
  ['PW-1 fourteen characters', 'quiet otters h', /Use at least 15 characters/],
  ['PW-3 a common one, repeated', 'passwordpassword', /among those that are tried first, because many people use it/],
  ['PW-3 a common one with digits behind it', 'iloveyou1234567', /among those that are tried first, because many people use it/],
  ['PW-3 a common one, again behind a space', 'Password password', /among those that are tried first/],
  ['PW-3 two common ones', 'sunshine.princess!', /among those that are tried first/],
  ['PW-3 along the keyboard', 'qwertyuiopasdfgh', /among those that are tried first/],
  ['PW-3 the phrase of every article about phrases', 'Correct horse, battery staple', /among those that are tried first/],
  ['PW-3 one letter', 'aaaaaaaaaaaaaaaaaaaa', /repeats itself or simply counts up/],
  ['PW-3 counting', '123456789012345678', /repeats itself or simply counts up/],
  ['PW-3 the alphabet', 'abcdefghijklmnopqrs', /repeats itself or simply counts up/],
  ['PW-3 the name in the address', 'I am grace.hopper of old', /must not contain your email/],
  ['PW-3 the name of the site', 'my EXAMPLE words are long', /must not contain the name of this site/],
  ['PW-5 more than 1,024 bytes', 'all kinds of words '.repeat(54), /Use at most 1,024 bytes/],
];

/** What is taken: length is all that is asked for. */
const TAKEN: readonly (readonly [what: string, password: string])[] = [
  ['PW-1 fifteen characters', 'quiet otters hu'],
  ['PW-2 fifteen emoji', '🦦🌊🎻🧭🪁🦔🌵🍋🧵🪐🦉🎈🥁🧊🪴'],
  ['PW-2 small letters alone', 'no composition rules here'],
  ['PW-2 signs, quotes, and spaces at both ends', '  <a href="x"> & \'%\\ </a>  '],
  ['PW-3 three words, each of them common', 'purple monkey sunshine'],
  ['PW-2 another script', 'тихие выдры поют ночью'],
  ['PW-5 1,024 bytes', 'many kinds of words, '.repeat(49).slice(0, 1024)],
];

onOneDatabase((open) => {
  let portal: Portal;
  before(async () => void (portal = await open()));

  /** Each place where a password is chosen: brings somebody there, and hands back how they try one. */
  const doors: Record<string, (ada: Person) => Promise<(password: string) => Promise<void>>> = {
    'signing up': async (ada) => async (password) => {
      await ada.browser.visit('/sign-up');
      ada.browser.fill('Name', ada.name);
      ada.browser.fill('Email', ada.email);
      ada.browser.fill('Password', password);
      await ada.browser.press('Create account');
    },
    'changing it': async (ada) => {
      await ada.join();
      return async (password) => {
        await ada.browser.visit('/account/security/password');
        ada.browser.fill('Current password', ada.password);
        ada.browser.fill('New password', password);
        await ada.browser.press('Change password');
      };
    },
    'a forgotten one': async (ada) => {
      await ada.join();
      await ada.signOut();
      await ada.openResetLink();
      return async (password) => {
        ada.browser.fill('New password', password);
        await ada.browser.press('Save new password');
      };
    },
  };

  for (const [door, arrive] of Object.entries(doors)) {
    test(`PW-1 to PW-5, ${door}: what can’t be is refused with the reason beside the field, and nothing changes`, async () => {
      const number = Object.keys(doors).indexOf(door);
      const ada = portal.newcomer({ email: `grace.hopper@${number}.example.net` });
      const attempt = await arrive(ada);
      for (const [what, password, why] of REFUSED) {
        await attempt(password);
        const { page } = ada.browser;
        const field = page.field(door === 'signing up' ? 'Password' : 'New password');
        assert.equal(page.status, 422, what);
        assert.match(page.alert, why, what);
        assert.equal(field.getAttribute('aria-invalid'), 'true', what);
        assert.equal(field.getAttribute('value'), undefined, 'a password is never sent back');
        assert.equal(field.getAttribute('autocomplete'), 'new-password');
        assert.equal(field.getAttribute('maxlength'), undefined, 'it is refused, never cut');
      }
      if (door === 'signing up') return;
      await ada.signIn({ browser: portal.browser() });
    });

    test(`PW-1 to PW-5, ${door}: anything else is taken, and signs in`, async () => {
      for (const [what, password] of TAKEN) {
        const ada = portal.newcomer();
        await (
          await arrive(ada)
        )(password);
        assert.ok(ada.browser.page.status === 200, what);
        if (door === 'signing up') await ada.verifyEmail();
        const browser = portal.browser();
        await ada.enterPassword(browser, password);
        assert.equal(browser.page.path, '/account', what);
      }
    });
  }

  test('PW-1 fourteen characters are refused by their number, however many bytes or code points they are written with', async () => {
    const { browser, name, email } = portal.newcomer();
    for (const password of ['quiet otters h', '🦦🌊🎻🧭🪁🦔🌵🍋🧵🪐🦉🎈🥁🧊', 'quiet otters é'.normalize('NFD')]) {
      await browser.visit('/sign-up');
      browser.fill('Name', name);
      browser.fill('Email', email);
      browser.fill('Password', password);
      await browser.press('Create account');
      assert.match(browser.page.alert, /Use at least 15 characters\. A few words that only you would put together will do\./);
    }
  });

  test('PW-2 the whole password counts, also far behind, and an é is one however the keyboard makes it', async () => {
    const long = `${'a long walk along the river '.repeat(5)}é`;
    const ada = await portal.newcomer({ password: long.normalize('NFD') }).join();
    const browser = portal.browser();
    await ada.enterPassword(browser, long.slice(0, -1));
    assert.equal(browser.page.status, 401);
    await ada.enterPassword(browser, `${long}!`);
    assert.equal(browser.page.status, 401);
    await ada.enterPassword(browser, long.normalize('NFC'));
    assert.equal(browser.page.path, '/account');
  });

  test('PW-4 changing it: the present one is asked for, all others are signed out, the owner is told, and the old one is dead', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    const other = portal.browser();
    await ada.signIn({ browser: other });
    await ada.openSecurity();
    await browser.press('Change password');
    browser.fill('Current password', 'not what it is now');
    browser.fill('New password', 'six amber lanterns swing');
    await browser.press('Change password');
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /That is not your present password\./);
    browser.fill('Current password', ada.password);
    browser.fill('New password', 'six amber lanterns swing');
    await browser.press('Change password');
    assert.equal(browser.page.path, '/account/security');
    assert.match(browser.page.text, /Your password is changed\. All other browsers are signed out\./);
    assert.equal(ada.newestMail().subject, 'Your password for Example was changed');
    await other.reload();
    assert.equal(other.page.path, '/sign-in');

    await ada.enterPassword(other);
    assert.equal(other.page.status, 401);
    ada.password = 'six amber lanterns swing';
    await ada.signIn({ browser: other });
    assert.equal((await ada.openSecurity()).path, '/account/security', 'the browser that changed it stays signed in');
  });

  test('FC-1 it asks for a fresh proof first, with the app where there is one', async () => {
    const ada = await (await portal.newcomer().join()).enableByApp();
    const { browser } = ada;
    portal.clock.advance(minutes(11));
    await ada.openSecurity();
    await browser.press('Change password');
    assert.equal(browser.page.heading, 'Confirm that it’s you');
    browser.fill('Password', ada.password);
    await browser.press('Continue');
    await ada.enterCode(ada.phone.fresh());
    assert.equal(browser.page.heading, 'Change password');
    browser.fill('Current password', ada.password);
    browser.fill('New password', 'six amber lanterns swing');
    await browser.press('Change password');
    assert.match(browser.page.text, /Your password is changed\./);
    ada.password = 'six amber lanterns swing';
    await ada.signIn({ browser: portal.browser(), by: 'app' });
  });

  test('RL-6 the present password can’t be guessed there either: the page says when to go on', async () => {
    const ada = await portal.newcomer().join();
    const { browser } = ada;
    await browser.visit('/account/security/password');
    const guess = async (current: string): Promise<void> => {
      browser.fill('Current password', current);
      browser.fill('New password', 'six amber lanterns swing');
      await browser.press('Change password');
    };
    for (let tries = 0; tries < 5; tries += 1) await guess('some guess or other');
    await guess(ada.password);
    assert.equal(browser.page.status, 429);
    assert.match(browser.page.alert, /There were too many wrong tries\. You can try again in \d+ seconds \(at \d\d:\d\d UTC\)\./);
    portal.clock.advance(seconds(31));
    await guess(ada.password);
    assert.match(browser.page.text, /Your password is changed\./);
  });

  test('PW-6, PW-7 it is kept as an argon2id string, which rises with the settings at the next sign-in', async () => {
    const ada = await portal.newcomer().join();
    const stored = async (): Promise<string> => {
      const row = await portal.world.database.query.selectFrom('accounts').select('password_hash').where('email', '=', ada.email).executeTakeFirstOrThrow();
      return row.password_hash;
    };
    assert.match(await stored(), /^\$argon2id\$v=19\$m=64,t=1,p=1,keyid=[^$]+\$[^$]{22}\$[^$]{43}$/);
    const { keys, random } = portal.world;
    const raised = { ...portal.world, passwordHasher: makePasswordHasher(keys, random, { memoryKibibytes: 128, passes: 2, lanes: 1 }) };
    const browser = new Visitor(await makeApp(raised), { address: '198.51.100.250' });
    await ada.enterPassword(browser, 'not the password at all');
    assert.match(await stored(), /m=64,t=1/);
    await ada.enterPassword(browser);
    assert.equal(browser.page.path, '/account');
    assert.match(await stored(), /^\$argon2id\$v=19\$m=128,t=2,p=1,/);
    await ada.signIn({ browser: portal.browser() });
  });

  test('PW-8 a fresh installation has no account that anybody could know', async () => {
    const fresh = await open();
    assert.deepEqual(await fresh.world.database.query.selectFrom('accounts').selectAll().execute(), []);
  });
});
