// The part of the walk in which somebody has lost their phone, and an administrator helps.
import type { PersonInChromium } from '../support/person-in-chromium.ts';
import type { Walk } from './walk.ts';

/** `owner` signs in with the password alone when this begins; `guest` has an app and is a member. */
export async function* helping(owner: PersonInChromium, guest: PersonInChromium): Walk {
  yield* asking(owner, guest);
  const openGuest = async () => {
    await owner.visit('/admin/people');
    await owner.press(/^Open Guy/);
  };
  await openGuest();
  await owner.press('Issue a bypass code');
  yield { name: 'bypass code, not without a second factor of one’s own', person: owner };
  await owner.visit('/account/security');
  await owner.press('Enable Two-Factor Authentication');
  await owner.setUpApp();
  await owner.keepRecoveryKey();
  await openGuest();
  await owner.press('Issue a bypass code');
  yield { name: 'bypass code, the form', person: owner };
  await owner.fill('Reason', 'x'.repeat(301));
  await owner.press('Issue the code');
  yield { name: 'bypass code, refused', person: owner };
  await owner.fill('Reason', 'Phone fell into the lake');
  await owner.page.getByLabel('How did you check who is asking?', { exact: true }).selectOption('Met in person');
  await owner.press('Issue the code');
  await owner.sees('Bypass code');
  yield { name: 'bypass code, issued', person: owner };
  const code = await owner.page.locator('#bypass-code').innerText();
  await openGuest();
  yield { name: 'person, a bypass code waiting', person: owner };
  yield* comingInBy(code, guest);
  await openGuest();
  yield* resetting(owner, guest);
}

async function* asking(owner: PersonInChromium, guest: PersonInChromium): Walk {
  await owner.visit('/admin/help');
  yield { name: 'help, nobody waits', person: owner };
  await using elsewhere = await guest.elsewhere();
  await elsewhere.enterPassword();
  await elsewhere.press('Try another way', 'I have none of these: ask for help');
  await elsewhere.sees('Ask for help');
  yield { name: 'ask for help', person: elsewhere };
  await elsewhere.fill('What happened?', 'x'.repeat(501));
  await elsewhere.press('Ask for help');
  yield { name: 'ask for help, refused', person: elsewhere };
  await elsewhere.fill('What happened?', 'My phone fell into the lake.');
  await elsewhere.press('Ask for help');
  yield { name: 'ask for help, asked', person: elsewhere };
  await owner.visit('/admin/help');
  yield { name: 'help, one waits', person: owner };
  await owner.press(`Close the request of ${guest.name}`);
}

async function* resetting(owner: PersonInChromium, guest: PersonInChromium): Walk {
  await owner.press('Reset all methods');
  yield { name: 'reset, the form', person: owner };
  await owner.fill('Reason', 'Phone and mailbox lost');
  await owner.page.getByLabel('How did you check who is asking?', { exact: true }).selectOption('Met in person');
  await owner.press('Ask for the reset');
  yield { name: 'person, a reset waiting', person: owner };
  await guest.visit('/account/security');
  yield { name: 'security, a reset waiting', person: guest };
  const { text } = await guest.portal.mailTo(guest.email, 'Your ways to sign in to');
  const { pathname, search } = new URL(/http\S+stop-reset\?token=\S+/.exec(text)![0]);
  await using elsewhere = await guest.elsewhere();
  await elsewhere.visit(pathname + search);
  yield { name: 'reset, stop it?', person: elsewhere };
  await elsewhere.press('Stop the reset');
  yield { name: 'reset stopped', person: elsewhere };
  await elsewhere.visit(pathname + search);
  yield { name: 'reset, link used', person: elsewhere };
}

async function* comingInBy(code: string, guest: PersonInChromium): Walk {
  await guest.visit('/account/security');
  yield { name: 'security, a bypass code waiting', person: guest };
  await using elsewhere = await guest.elsewhere();
  await elsewhere.enterPassword();
  await elsewhere.press('Try another way');
  yield { name: 'choose how to go on, with a bypass code', person: elsewhere };
  await elsewhere.press(/^Bypass code/);
  yield { name: 'bypass code asked for', person: elsewhere };
  await elsewhere.fill('Bypass code', '0000 0000 0000 0000');
  await elsewhere.press('Continue');
  yield { name: 'bypass code wrong', person: elsewhere };
  await elsewhere.fill('Bypass code', code);
  await elsewhere.press('Continue');
  await elsewhere.sees('Security and Credentials');
  yield { name: 'security, after a bypass code', person: elsewhere };
  await elsewhere.press('Disable');
  yield { name: 'confirm, after a bypass code', person: elsewhere };
  await elsewhere.visit('/account/security');
  await elsewhere.press('Replace Authenticator app');
  await elsewhere.sees('Check your email');
  yield { name: 'set up after a bypass code, the mailbox first', person: elsewhere };
  await elsewhere.press('Send verification code');
  await elsewhere.enterEmailedCode();
  yield { name: 'set up after a bypass code', person: elsewhere };
}
