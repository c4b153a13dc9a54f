// The lost phone: somebody can't show a second factor any more, and an administrator helps, without either being tricked.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { hours, minutes } from '../../src/platform/durations.ts';
import { sweep } from '../../src/sweep.ts';
import { foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import { bypassCodeOn, issueBypassCode, signInByBypassCode } from '../support/lost-phone.ts';

onOneDatabase((open) => {
  let portal: Portal;
  let owner: Person;
  before(async () => {
    portal = await open();
    owner = await foundOrganisation(portal);
    await owner.enableByApp();
  });

  const joinWithApp = async (): Promise<Person> => {
    const person = await joinAs(portal, owner, 'Member');
    await person.enableByApp();
    return person;
  };

  test('AD-1, AD-2 a bypass code: the warning, the grounds, the code shown once, the mail, the way in, and the new phone', async () => {
    const grace = await joinWithApp();
    await openPerson(owner, grace.email);
    const { browser } = owner;
    await browser.press('Issue a bypass code');
    assert.match(browser.page.text, /“I lost my phone” is how accounts are stolen\./);
    await browser.press('Issue the code');
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /Say why\. It is kept on record\. Say how you checked who is asking\./);
    browser.fill('Reason', 'Phone fell into the lake');
    browser.fill('How did you check who is asking?', 'Another way');
    await browser.press('Issue the code');
    assert.match(browser.page.alert, /^Say how you checked who is asking\.$/);
    browser.fill('How did you check who is asking?', 'Called back on a number known before');
    browser.fill('More about the check', 'her desk');
    await browser.press('Issue the code');
    assert.equal(browser.page.status, 200);
    const code = bypassCodeOn(browser.page);
    assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    assert.equal(browser.page.headers['cache-control'], 'no-store');
    assert.match(browser.page.text, /It works once, until 10:\d\d UTC\. We can’t show it again\./);

    const mail = grace.newestMail();
    assert.equal(mail.subject, 'A bypass code for Example was issued for you');
    assert.match(mail.text, new RegExp(`${owner.name}, ${owner.email}, who looks after Herons Ltd, issued a bypass code`));
    assert.match(mail.text, /If you did not ask for this/);
    assert.ok(!mail.text.includes(code) && !mail.text.includes('lake'), 'neither the code, nor what an administrator writes in our name');
    await browser.press('Done');
    assert.match(browser.page.text, new RegExp(`waiting ${owner.name} issued a bypass code on 2 February 2027`));
    assert.ok(!browser.page.body.includes(code));
    await browser.back();
    assert.ok(!browser.page.body.includes(code), 'RK-8: not by the back button');

    const other = portal.browser();
    await signInByBypassCode(grace, other, code.toLowerCase().replaceAll('-', ' '));
    assert.equal(other.page.path, '/account/security');
    assert.equal(grace.newestMail().subject, 'A bypass code was used for Example');
    assert.match(other.page.text, /Set up your new phone You came in with a bypass code, which is used up\./);
    const mails = grace.mails().length;
    await other.press('Replace Authenticator app');
    assert.equal(other.page.heading, 'Check your email');
    await other.press('Send verification code');
    assert.equal(grace.mails().length, mails + 1);
    await grace.enterCode(grace.newestCode(), { browser: other });
    await grace.setUpApp({ browser: other });
    assert.equal(other.page.heading, 'Security and Credentials');
    assert.match(other.page.text, /The new app has taken the place of the old one/);
    assert.doesNotMatch(other.page.text, /Set up your new phone/);
    await other.press('Create new Recovery Key');
    assert.equal(other.page.heading, 'Create new Recovery Key', 'from here on everything is open again');
    await grace.signOut(other);
    await grace.signIn({ browser: other, by: 'app' });
  });

  test('a bypass code: a newer one takes the place of the older, an administrator takes it back, and so does the person', async () => {
    const mary = await joinWithApp();
    const first = await issueBypassCode(owner, mary.email);
    const second = await issueBypassCode(owner, mary.email);
    assert.notEqual(first, second);
    const other = portal.browser();
    await mary.enterPassword(other);
    await other.press('Try another way');
    await other.press(other.page.buttonStartingWith('Bypass code'));
    other.fill('Bypass code', first);
    await other.press('Continue');
    assert.equal(other.page.status, 422);
    assert.match(other.page.alert, /Only the newest one that you were given works/);
    await openPerson(owner, mary.email);
    await owner.browser.press('Take it back');
    assert.match(owner.browser.page.text, /The bypass code is taken back/);
    assert.equal(mary.newestMail().subject, 'Your bypass code for Example was taken back');
    other.fill('Bypass code', second);
    await other.press('Continue');
    assert.equal(other.page.status, 422);
    await mary.enterPassword(other);
    assert.ok(!other.page.has('Bypass code'));

    const third = await issueBypassCode(owner, mary.email);
    await mary.browser.visit('/account/security');
    assert.match(mary.browser.page.text, /Bypass code waiting An administrator issued one for you/);
    await mary.browser.press('Take back');
    assert.match(mary.browser.page.text, /The bypass code is taken back/);
    await mary.enterPassword(other);
    await other.post('/sign-in/verify/other', { method: 'bypass-code' });
    await other.post('/sign-in/verify', { code: third });
    assert.ok(other.cookies.get('twinlock-session') === undefined);
  });

  test('a bypass code is gone after an hour, from every page and, swept, from the database; and once the phone is found after all', async () => {
    const lin = await joinWithApp();
    await issueBypassCode(owner, lin.email);
    const count = async () =>
      (
        await portal.world.database.query
          .selectFrom('factors')
          .select('id')
          .where('kind', '=', 'bypass-code')
          .where('account_id', '=', await idOf(lin))
          .execute()
      ).length;
    const idOf = async ({ email }: Person) =>
      (await portal.world.database.query.selectFrom('accounts').select('id').where('email', '=', email).executeTakeFirstOrThrow()).id;
    portal.clock.advance(hours(1));
    assert.equal(await count(), 1);
    await owner.signIn({ by: 'app' });
    await openPerson(owner, lin.email);
    assert.doesNotMatch(owner.browser.page.text, /waiting/);
    const other = portal.browser();
    await lin.enterPassword(other);
    await other.press('Try another way');
    assert.ok(!other.page.has('Bypass code'));
    portal.clock.advance(1);
    await issueBypassCode(owner, lin.email);
    assert.equal(await count(), 1, 'the one that is past its hour stands in nobody’s way until it is swept');
    portal.clock.advance(hours(1) + 1);
    await sweep(portal.world);
    assert.equal(await count(), 0);

    await owner.signIn({ by: 'app' });
    const code = await issueBypassCode(owner, lin.email);
    await lin.signIn({ by: 'app' });
    assert.equal(await count(), 0, 'whoever has the phone does not need it');
    await lin.enterPassword(other);
    await other.post('/sign-in/verify/other', { method: 'bypass-code' });
    await other.post('/sign-in/verify', { code });
    assert.notEqual(other.page.path, '/account/security');
  });

  test('who signs in with the password alone has no use for a bypass code, and who has no second factor gives none; both pages say so', async () => {
    const tom = await joinAs(portal, owner, 'Member');
    await openPerson(owner, tom.email);
    await owner.browser.press('Issue a bypass code');
    assert.match(owner.browser.page.text, /signs in with the password alone, so there is nothing to get past/);
    assert.ok(!owner.browser.page.hasButton('Issue the code'));
    const admin = await joinAs(portal, owner, 'Admin');
    await tom.enableByEmail();
    await openPerson(admin, tom.email);
    await admin.browser.press('Issue a bypass code');
    assert.match(admin.browser.page.text, /First turn two-factor authentication on for yourself/);
    assert.ok(!admin.browser.page.hasButton('Issue the code'));
  });

  test('AL-3, RK-7 a session by a bypass code lasts an hour, and its ten minutes to set a phone up are as long as any fresh proof’s', async () => {
    const ann = await joinWithApp();
    const other = portal.browser();
    await signInByBypassCode(ann, other, await issueBypassCode(owner, ann.email));
    portal.clock.advance(minutes(10));
    await other.visit('/account/security');
    assert.match(other.page.text, /The time for that is over/);
    await other.press('Add a method');
    assert.equal(other.page.heading, 'Confirm that it’s you');
    assert.match(other.page.text, /You came in with a bypass code/);
    for (let time = 0; time < 5; time++) {
      portal.clock.advance(minutes(10) - 1);
      await other.visit('/account');
    }
    assert.equal(other.page.heading, 'Manage Account');
    portal.clock.advance(5);
    assert.equal((await other.visit('/account')).path, '/sign-in');
  });
});
