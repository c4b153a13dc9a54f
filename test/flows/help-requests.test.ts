// Asking for help from the sign-in page, and what reaches those who look after the person.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { days } from '../../src/platform/durations.ts';
import { sweep } from '../../src/sweep.ts';
import { foundOrganisation, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';

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
  /** From the password to the page that asks what happened. */
  const openHelp = async (person: Person, browser: Visitor): Promise<void> => {
    await person.enterPassword(browser);
    await browser.press('Try another way');
    await browser.press('I have none of these: ask for help');
    assert.equal(browser.page.heading, 'Ask for help');
  };

  test('who has lost everything asks for help: they and the administrators are told, and the console has what helps to judge it', async () => {
    const ada = await joinWithApp();
    const browser = portal.browser({ address: '203.0.113.9' });
    await openHelp(ada, browser);
    assert.match(browser.page.text, /First look for your Recovery Key/);
    browser.fill('What happened?', 'x'.repeat(501));
    await browser.press('Ask for help');
    assert.equal(browser.page.status, 422);
    browser.fill('What happened?', 'My phone fell\ninto the lake.');
    await browser.press('Ask for help');
    assert.match(browser.page.text, /Those who look after your organisation are told\. You asked on 2 February 2027 at/);

    const mail = ada.newestMail();
    assert.equal(mail.subject, 'Somebody asked for help with your sign-in to Example');
    assert.match(mail.text, /Firefox on Linux, address 203\.0\.113\.9/);
    assert.match(mail.text, /If this was not you, somebody knows your password/);
    const told = owner.newestMail();
    assert.equal(told.subject, 'Somebody in Herons Ltd can’t sign in');
    assert.match(told.text, new RegExp(`${ada.name}, ${ada.email},`));
    assert.ok(!told.text.includes('lake'), 'what a stranger writes is in no mail of ours');

    await owner.browser.visit('/admin/people');
    await owner.browser.press('Help');
    const { page } = owner.browser;
    assert.match(page.text, /All that is known of these is that they entered the right password/);
    assert.match(page.text, /From Firefox on Linux, address 203\.0\.113\.9 That browser never seen with this account/);
    assert.match(page.text, /Last sign-in 2 February 2027 at .* Methods Authenticator app They wrote “My phone fell into the lake\.”/);
    await owner.browser.press(`Close the request of ${ada.name}`);
    assert.match(owner.browser.page.text, /The request is closed\. Nobody is waiting/);

    await ada.signOut();
    await openHelp(ada, ada.browser);
    await ada.browser.press('Ask for help');
    await owner.browser.visit('/admin/help');
    assert.match(owner.browser.page.text, /That browser known .* They wrote nothing/);
    await ada.browser.visit('/sign-in/help');
    assert.match(ada.browser.page.text, /Those who look after your organisation are told/, 'one at a time');
    assert.ok(!ada.browser.page.hasButton('Ask for help'));
    portal.clock.advance(days(7) + 1);
    await owner.signIn({ by: 'app' });
    await owner.browser.visit('/admin/help');
    assert.match(owner.browser.page.text, /Nobody is waiting/);
    await sweep(portal.world);
    assert.deepEqual(await portal.world.database.query.selectFrom('help_requests').select('account_id').execute(), []);
  });

  test('who belongs to no organisation, and an owner, are told kindly whom to ask', async () => {
    const lin = await portal.newcomer().join();
    await lin.enableByApp();
    const browser = portal.browser();
    await openHelp(lin, browser);
    assert.match(browser.page.text, /You belong to no organisation here, .* Ask whoever runs it/);
    assert.ok(!browser.page.hasButton('Ask for help'));
    await openHelp(owner, browser);
    assert.match(browser.page.text, /Nobody who looks after your organisation has a role that reaches yours/);
    await browser.press('Go back');
    assert.equal(browser.page.heading, 'Enter your code');
  });
});
