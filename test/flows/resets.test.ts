// A reset of somebody's methods: asked for, waited for, stopped by whoever has them after all, and what comes after it.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { days, hours } from '../../src/platform/durations.ts';
import { accountOf, sessionsOf } from '../attacks/intruder.ts';
import { askForReset, imposeRules, issueBypassCode, resetWhoIsDue, stopPath } from '../support/lost-phone.ts';
import { foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

onOneDatabase((open) => {
  let portal: Portal;
  let owner: Person;
  let admin: Person;
  before(async () => {
    portal = await open();
    owner = await foundOrganisation(portal);
    await owner.enableByApp();
    admin = await joinAs(portal, owner, 'Admin');
    await admin.enableByApp();
  });

  const joinWithApp = async (): Promise<Person> => {
    const person = await joinAs(portal, owner, 'Member');
    await person.enableByApp();
    return person;
  };
  const back = async (person: Person): Promise<void> => {
    await person.browser.visit('/account');
    if (!person.browser.page.hasButton('Profile')) await person.signIn({ by: 'app' });
  };
  const kindsOf = async (person: Person): Promise<string[]> => {
    const { id } = await accountOf(portal, person.email);
    const rows = await portal.world.database.query.selectFrom('factors').select('kind').where('account_id', '=', id).orderBy('kind').execute();
    return rows.map(({ kind }) => kind);
  };

  test('AD-5, AD-6 a reset: told to the person and the other administrators, waits for a day, takes everything away, and the next sign-in sets a method up', async () => {
    const ada = await joinWithApp();
    await issueBypassCode(owner, ada.email);
    await askForReset(owner, ada.email);
    const { browser } = owner;
    assert.match(browser.page.text, /The reset is asked for\. The person, and the others who look after them, are told by mail\./);
    assert.match(
      browser.page.text,
      new RegExp(`Reset of all methods waiting ${owner.name} asked for it on 2 February 2027 at .* It happens on 3 February 2027`),
    );
    assert.match(browser.page.text, /Reason: Phone lost\. Identity check: Met in person\./);
    const mail = ada.newestMail();
    assert.equal(mail.subject, 'Your ways to sign in to Example are about to be reset');
    assert.match(mail.text, new RegExp(`${owner.name}, ${owner.email}, who looks after Herons Ltd, asked for all your second steps`));
    assert.match(mail.text, /It happens on 3 February 2027 at \d\d:\d\d UTC, and not before/);
    assert.equal(admin.newestMail().subject, 'A reset was asked for in Herons Ltd');
    assert.match(admin.newestMail().text, new RegExp(`${ada.name}, ${ada.email},`));
    assert.ok(!owner.mails().some(({ subject }) => subject === 'A reset was asked for in Herons Ltd'), 'whoever did it knows');

    portal.clock.advance(hours(24) - 1);
    assert.equal(await resetWhoIsDue(portal), 0);
    assert.ok((await kindsOf(ada)).includes('totp'));
    await ada.signIn({ by: 'app' });
    assert.equal(ada.browser.page.path, '/account/security', 'whoever has the phone is told first');
    assert.match(ada.browser.page.text, /Reset of your methods waiting/);
    portal.clock.advance(1);
    assert.equal(await resetWhoIsDue(portal), 1);
    assert.deepEqual(await kindsOf(ada), []);
    assert.equal(await sessionsOf(portal, ada.email), 0);
    assert.equal(ada.newestMail().subject, 'Your ways to sign in to Example were reset');
    assert.equal(admin.newestMail().subject, 'A reset in Herons Ltd was done');
    assert.equal(owner.newestMail().subject, 'A reset in Herons Ltd was done');
    assert.equal((await ada.browser.visit('/account')).path, '/sign-in');

    const other = portal.browser();
    await ada.enterPassword(other);
    assert.equal(other.page.heading, 'Set up two-factor authentication');
    assert.match(other.page.text, /Your methods were reset\. Choose yours/);
    assert.ok(!other.page.hasButton('Not now'));
    await other.press('Enable With Authenticator App');
    assert.equal(other.page.heading, 'Check your email', 'AD-8: a browser that is new shows the mailbox');
    await other.press('Send verification code');
    await ada.enterCode(ada.newestCode(), { browser: other });
    await ada.setUpApp({ browser: other });
    await ada.keepRecoveryKey(other);
    await other.press('Continue');
    assert.equal(other.page.heading, 'Manage Account');
    await ada.disable(other);
    await ada.signOut(other);
    await ada.signIn({ browser: other });
  });

  test('EC-11 the link of the mail: looking at it stops nothing, pressing does, once, and everybody is told', async () => {
    await back(owner);
    const ada = await joinWithApp();
    await askForReset(owner, ada.email);
    const path = stopPath(ada);
    const stranger = portal.browser();
    for (let time = 0; time < 3; time++) {
      await stranger.visit(path);
      assert.equal(stranger.page.heading, 'Stop the reset?');
      assert.ok(!stranger.page.has(ada.email) && !stranger.page.has(ada.name));
    }
    await openPerson(owner, ada.email);
    assert.ok(owner.browser.page.hasButton('Stop the reset'));
    await stranger.press('Stop the reset');
    assert.equal(stranger.page.heading, 'The reset is stopped');
    assert.equal(ada.newestMail().subject, 'The reset for Example was stopped');
    assert.match(ada.newestMail().text, /stopped by the link that was mailed/);
    assert.equal(admin.newestMail().subject, 'A reset in Herons Ltd was stopped');
    assert.equal((await stranger.visit(path)).status, 410);
    portal.clock.advance(hours(25));
    assert.equal(await resetWhoIsDue(portal), 0);
    await ada.signIn({ by: 'app' });
  });

  test('a reset is stopped by whoever is signed in as the person, and by any administrator', async () => {
    await back(owner);
    await back(admin);
    const ada = await joinWithApp();
    await askForReset(owner, ada.email);
    await ada.browser.visit('/account/security');
    await ada.browser.press('Stop it');
    assert.match(ada.browser.page.text, /The reset is stopped: everything stays as it is/);
    assert.doesNotMatch(ada.browser.page.text, /Reset of your methods/);
    await askForReset(owner, ada.email);
    await openPerson(admin, ada.email);
    await admin.browser.press('Stop the reset');
    assert.match(admin.browser.page.text, /The reset is stopped, and nothing was removed/);
    assert.match(ada.newestMail().text, /The reset was stopped by an administrator\./);
  });

  test('AD-5 where the policy says so a second administrator has to agree, and if nobody does it lapses after a week', async () => {
    await back(owner);
    await back(admin);
    await owner.browser.visit('/admin/policy/edit');
    owner.browser.fill('A reset of all methods waits for (hours)', '0');
    await owner.browser.press('Preview');
    assert.match(owner.browser.page.alert, /Enter a whole number from 1 to 336\./);
    owner.browser.fill('A reset of all methods waits for (hours)', '2');
    owner.browser.check('A second administrator has to agree to a reset');
    await owner.browser.press('Preview');
    owner.browser.fill('Why?', 'Two pairs of eyes.');
    await owner.browser.press('Save policy');
    assert.match(owner.browser.page.text, /After 2 hours, and a second administrator has to agree/);
    const [ada, bob] = [await joinWithApp(), await joinWithApp()];
    await askForReset(owner, ada.email);
    await askForReset(owner, bob.email);
    assert.match(owner.browser.page.text, /needs a second administrator/);
    assert.ok(!owner.browser.page.hasButton('Agree to the reset'));
    assert.equal(admin.newestMail().subject, 'A reset in Herons Ltd needs a second administrator');
    await openPerson(admin, ada.email);
    await admin.browser.press('Agree to the reset');
    assert.match(admin.browser.page.text, /You have agreed to the reset\./);
    assert.match(admin.browser.page.text, new RegExp(`Agreed to by ${admin.name}`));
    assert.equal(ada.newestMail().subject, 'A second administrator agreed to your reset for Example');
    portal.clock.advance(hours(2));
    // At the person's next sign-in, whether or not the server has come to it.
    await ada.enterPassword(portal.browser());
    assert.deepEqual(await kindsOf(ada), []);
    assert.equal(await resetWhoIsDue(portal), 0);
    assert.ok((await kindsOf(bob)).includes('totp'));
    portal.clock.advance(days(7));
    assert.equal(await resetWhoIsDue(portal), 1);
    assert.ok((await kindsOf(bob)).includes('totp'));
    assert.match(bob.newestMail().text, /stopped because nobody agreed to it within seven days/);
    await imposeRules(portal, owner, {});
  });
});
