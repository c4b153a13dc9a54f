/**
 * People reload, go back, come again to the address, open a second tab, and the server is started again while they are on the way. Each journey is
 * walked to its end once for each of these, which happens before every one of its steps, and ends as it does undisturbed.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { minutes, seconds } from '../../src/platform/durations.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { keyInFile, type Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';

/** What a person does, step by step, from the page where the journey begins. */
interface Journey {
  /** Brings a newcomer to that page. */
  begin(ada: Person, portal: Portal): Promise<unknown>;
  readonly steps: readonly ((ada: Person, portal: Portal) => unknown)[];
  /** Throws where it did not come to its end. */
  end(ada: Person, portal: Portal): Promise<unknown>;
}

const press =
  (button: string) =>
  (ada: Person): unknown =>
    ada.browser.press(button);
const enterEmailedCode =
  (button = 'Continue') =>
  (ada: Person): unknown =>
    ada.enterCode(ada.newestCode(), { button });
const saveKey = async (ada: Person): Promise<void> => void (ada.recoveryKey = keyInFile((await ada.downloadRecoveryKey()).text));
const scan = (ada: Person, portal: Portal): void => void (ada.app = AuthenticatorApp.from(ada.browser.page, portal.clock));
const enterAppCode =
  (button = 'Continue') =>
  (ada: Person): unknown =>
    ada.enterCode(ada.phone.fresh(), { button });
const says = (text: RegExp) => async (ada: Person) => assert.match(ada.browser.page.text, text);
const signedIn = async (ada: Person): Promise<void> => assert.ok((await ada.browser.visit('/account')).hasButton('Profile'));

const JOURNEYS: Readonly<Record<string, Journey>> = {
  'verifying the email': {
    begin: (ada) => ada.signUp(),
    steps: [enterEmailedCode()],
    end: says(/is verified/),
  },
  'flow 1, enabling by email': {
    begin: async (ada) => (await ada.join()).openSecurity(),
    steps: [press('Enable Two-Factor Authentication'), press('Send verification code'), enterEmailedCode(), saveKey, press('Finish')],
    end: async (ada, portal) => {
      await ada.signIn({ browser: portal.browser(), by: 'email' });
      await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
    },
  },
  'enabling with an app': {
    begin: async (ada) => (await ada.join()).openSecurity(),
    steps: [
      press('Enable Two-Factor Authentication'),
      press('Enable With Authenticator App'),
      press('Continue'),
      scan,
      enterAppCode('Verify'),
      saveKey,
      press('Finish'),
    ],
    end: async (ada, portal) => ada.signIn({ browser: portal.browser(), by: 'app' }),
  },
  'flow 2, signing in by email': {
    begin: async (ada) => {
      await (await ada.join()).enableByEmail();
      await ada.signOut();
      await ada.enterPassword();
    },
    steps: [enterEmailedCode()],
    end: signedIn,
  },
  'flow 2, signing in with the Recovery Key': {
    begin: async (ada) => {
      await (await ada.join()).enableByApp();
      await ada.signOut();
      await ada.enterPassword();
    },
    steps: [
      press('Try another way'),
      (ada) => ada.chooseWay('recovery-key'),
      (ada) => {
        ada.browser.fill('Recovery Key', ada.recoveryKey!);
        return ada.browser.press('Continue');
      },
      saveKey,
      press('Finish'),
    ],
    end: async (ada, portal) => ada.signIn({ browser: portal.browser(), by: 'recovery-key' }),
  },
  'flow 3, disabling': {
    begin: async (ada) => {
      await (await ada.join()).enableByEmail();
      await ada.openSecurity();
    },
    steps: [press('Disable'), press('Send verification code'), enterEmailedCode('Finish')],
    end: async (ada, portal) => ada.signIn({ browser: portal.browser() }),
  },
  'flow 4, a new Recovery Key': {
    begin: async (ada) => {
      await (await ada.join()).enableByApp();
      await ada.openSecurity();
    },
    steps: [press('Create new Recovery Key'), press('Send verification code'), enterEmailedCode(), saveKey, press('Finish')],
    end: async (ada, portal) => ada.signIn({ browser: portal.browser(), by: 'recovery-key' }),
  },
  'flow 5, set-up with an app in a new browser': {
    begin: async (ada, portal) => {
      await portal.setPolicy('optional');
      await ada.join();
      await portal.setPolicy('required');
      ada.browser = portal.browser();
      await ada.enterPassword();
    },
    steps: [
      press('Enable With Authenticator App'),
      press('Send verification code'),
      enterEmailedCode(),
      press('Continue'),
      scan,
      enterAppCode('Verify'),
      saveKey,
      press('Finish'),
      press('Continue'),
    ],
    end: async (ada, portal) => {
      await portal.setPolicy('optional');
      await signedIn(ada);
      await ada.signIn({ browser: portal.browser(), by: 'app' });
    },
  },
  'a new phone': {
    begin: async (ada) => {
      await (await ada.join()).enableByApp();
      await ada.openSecurity();
    },
    steps: [press('Manage Authenticator app'), press('Set up on the new phone'), press('Continue'), scan, enterAppCode('Verify')],
    end: async (ada, portal) => ada.signIn({ browser: portal.browser(), by: 'app' }),
  },
  'a new address after a fresh proof by the Recovery Key': {
    begin: async (ada, portal) => {
      await (await ada.join()).enableByApp();
      portal.clock.advance(minutes(11));
      await ada.browser.visit('/account');
      await ada.browser.press('Change email');
    },
    steps: [
      (ada) => {
        ada.browser.fill('Password', ada.password);
        return ada.browser.press('Continue');
      },
      (ada) => ada.chooseWay('recovery-key'),
      (ada) => {
        ada.browser.fill('Recovery Key', ada.recoveryKey!);
        return ada.browser.press('Continue');
      },
      saveKey,
      press('Finish'),
      (ada) => {
        ada.email = `new.${ada.email}`;
        ada.browser.fill('Email', ada.email);
        return ada.browser.press('Send verification code');
      },
      enterEmailedCode(),
    ],
    end: async (ada, portal) => ada.signIn({ browser: portal.browser(), by: 'app' }),
  },
  'a forgotten password behind codes by email': {
    begin: async (ada) => {
      await (await ada.join()).enableByEmail();
      await ada.signOut();
      await ada.openResetLink();
    },
    steps: [
      (ada) => {
        ada.browser.fill('Recovery Key', ada.recoveryKey!);
        return ada.browser.press('Continue');
      },
      saveKey,
      press('Finish'),
      (ada) => {
        ada.password = 'six amber lanterns swing';
        ada.browser.fill('New password', ada.password);
        return ada.browser.press('Save new password');
      },
    ],
    end: async (ada, portal) => ada.signIn({ browser: portal.browser(), by: 'email' }),
  },
};

/** What happens between two steps. Each leaves the person at the page where they were. */
type Interruption = (ada: Person, portal: Portal) => Promise<unknown>;

const reload: Interruption = ({ browser }) => browser.reload();

const backAndAgain: Interruption = async ({ browser }) => {
  const { path, query } = browser.page;
  await browser.back();
  assert.equal(browser.page.status, 200);
  await browser.visit(query.size === 0 ? path : `${path}?${query.toString()}`);
};

const secondTab: Interruption = async ({ browser }) => {
  const { path } = browser.page;
  const tab = browser.tab();
  for (const address of [path, '/account/security', '/sign-in/verify']) await tab.visit(address);
};

const restart: Interruption = async ({ browser }, portal) => {
  await portal.restart();
  await browser.reload();
};

const INTERRUPTIONS: Readonly<Record<string, readonly Interruption[]>> = {
  'a reload, the back button and a second tab': [reload, backAndAgain, secondTab],
  'a restart of the server': [restart],
};

onOneDatabase((open) => {
  for (const [what, interruptions] of Object.entries(INTERRUPTIONS)) {
    test(`${what}, before every step of every journey`, async (context) => {
      const portal = await open();
      for (const [name, journey] of Object.entries(JOURNEYS)) {
        await context.test(name, async () => {
          const ada = portal.newcomer();
          await journey.begin(ada, portal);
          for (const step of journey.steps) {
            const at = placeOf(ada);
            for (const interrupt of interruptions) {
              await interrupt(ada, portal);
              assert.equal(placeOf(ada), at);
            }
            // People take their time.
            portal.clock.advance(seconds(20));
            await step(ada, portal);
            assert.equal(ada.browser.page.status, 200, ada.browser.page.text);
          }
          await journey.end(ada, portal);
        });
      }
    });
  }

  describe('two tabs of one browser', () => {
    let portal: Portal;
    before(async () => void (portal = await open()));

    test('both answer the same step: the first counts, the second is told, and nothing is undone', async () => {
      const ada = await (await portal.newcomer().join()).enableByEmail();
      const { browser } = ada;
      await ada.openSecurity();
      await browser.press('Create new Recovery Key');
      await browser.press('Send verification code');
      await ada.enterCode(ada.newestCode());
      const tab = browser.tab();
      await tab.visit(browser.page.path);
      await ada.keepRecoveryKey();
      tab.check('I have saved it');
      await tab.press('Finish');
      assert.equal(tab.page.path, '/account/security');
      assert.match(tab.page.text, /That took too long, or was finished in another window, so nothing was changed just now\./);
      await ada.signIn({ browser: portal.browser(), by: 'recovery-key' });
    });

    test('the second tab begins anew: the first one’s QR code is worth nothing, and its page shows the one that is', async () => {
      const ada = await portal.newcomer().join();
      const { browser } = ada;
      const begin = async (tab: Visitor): Promise<AuthenticatorApp> => {
        await tab.visit('/account/security/enable');
        await tab.press('Enable With Authenticator App');
        await tab.press('Continue');
        return AuthenticatorApp.from(tab.page, portal.clock);
      };
      const first = await begin(browser);
      const second = await begin(browser.tab());
      await ada.enterCode(first.shows(), { button: 'Verify' });
      assert.equal(browser.page.status, 422);
      assert.equal(AuthenticatorApp.from(browser.page, portal.clock).scanned.secret, second.scanned.secret);
      await ada.enterCode(second.shows(), { button: 'Verify' });
      assert.equal(browser.page.heading, 'Save your Recovery Key');
    });

    test('both sign in: the newest mail has the code that works, in either tab', async () => {
      const ada = await (await portal.newcomer().join()).enableByEmail();
      await ada.signOut();
      const { browser } = ada;
      await ada.enterPassword();
      const older = ada.newestCode();
      await ada.enterPassword(browser.tab());
      await ada.enterCode(older);
      assert.match(browser.page.alert, /Look for the newest mail from us: only its code works\./);
      await ada.enterCode(ada.newestCode());
      assert.equal(browser.page.path, '/account');
    });

    test('what one tab has signed in the other finds signed in, and what one has signed out the other is told of', async () => {
      const ada = await (await portal.newcomer().join()).enableByApp();
      await ada.signOut();
      const { browser } = ada;
      const tab = browser.tab();
      await tab.visit('/sign-in');
      await ada.signIn({ by: 'app' });
      await tab.reload();
      assert.equal(tab.page.path, '/account');
      await ada.signOut();
      await tab.press('Save');
      assert.equal(tab.page.path, '/sign-in');
    });

    test('a link of one step, opened while the journey is at another, leads to where it is', async () => {
      const ada = await portal.newcomer().join();
      const { browser } = ada;
      await browser.visit('/account/security/enable');
      await browser.press('Enable With Authenticator App');
      for (const path of ['/account/security/set-up/code', '/account/security/set-up/recovery-key', '/account/security/set-up/recovery-key/download']) {
        await browser.visit(path);
        assert.equal(browser.page.path, '/account/security/set-up', path);
      }
      for (const path of ['/account/security/disable/code', '/account/security/recovery-key/new', '/account/confirm/verify']) {
        await browser.visit(path);
        assert.equal(browser.page.path, '/account/security', path);
      }
      assert.equal((await browser.visit('/account/email/code')).path, '/account/email');
      assert.equal((await browser.visit('/verify-email/code')).path, '/verify-email');
    });
  });
});

/** Where the person is, as far as it must stay the same: the address, the heading, and what can be pressed but for what waits. */
function placeOf({ browser: { page } }: Person): string {
  const buttons = page.buttons.filter((name) => name !== 'Send again');
  return [page.path, page.heading, ...buttons].join('\n');
}
