// The part of the walk in which somebody has lost their phone, and an administrator helps.
import type { PersonInChromium } from '../support/person-in-chromium.ts';
import type { Walk } from './walk.ts';

/** `owner` signs in with the password alone when this begins; `guest` has an app and is a member. */
export async function* helping(owner: PersonInChromium, guest: PersonInChromium): Walk {
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
