// Asking for help, as somebody does it who is after an account, a mailbox or an administrator.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { foundOrganisation, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { accountOf, isSignedIn, race } from './intruder.ts';

forEachPortal((open) => {
  let portal: Portal;
  let owner: Person;
  before(async () => {
    portal = await open({ checkHtml: false });
    owner = await foundOrganisation(portal);
    await owner.enableByApp();
  });

  const joinWithApp = async (): Promise<Person> => {
    const person = await joinAs(portal, owner, 'Member');
    await person.enableByApp();
    return person;
  };
  const requests = () => portal.world.database.query.selectFrom('help_requests').selectAll().execute();
  const asked = (person: Person) => person.mails().filter(({ subject }) => subject.startsWith('Somebody asked for help'));

  test('RL-7 without the right password it asks nothing, tells nothing, and looks the same for every address', async () => {
    const ada = await joinWithApp();
    const answers = [];
    for (const email of [ada.email, 'nobody@example.org']) {
      const stranger = portal.browser();
      await stranger.visit('/sign-in');
      await stranger.post('/sign-in', { email, password: 'not this one at all' });
      const seen = [];
      seen.push((await stranger.visit('/sign-in/help')).path, (await stranger.post('/sign-in/help', { words: 'x', email })).path, stranger.page.status);
      answers.push(seen);
    }
    assert.deepEqual(answers[0], answers[1]);
    assert.equal(answers[0]![0], '/sign-in');
    const signedIn = await ada.browser.post('/sign-in/help', { words: 'x' });
    assert.notEqual(signedIn.path, '/sign-in/help', 'nor for who is in');
    assert.deepEqual(await requests(), []);
    assert.equal(asked(ada).length, 0);
  });

  test('EC-7 it floods no mailbox: one at a time, three a day, however many browsers race, and closing one gives none back', async () => {
    const ada = await joinWithApp();
    const { id } = await accountOf(portal, ada.email);
    const { id: organisation } = await portal.world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow();
    const before_ = owner.mails().length;
    const browsers = [portal.browser(), portal.browser()];
    for (const browser of browsers) await ada.enterPassword(browser);
    await Promise.all(browsers.map((browser) => race([portal.app], { browser, path: '/sign-in/help', fields: { words: 'x' }, times: 3 })));
    await portal.mail.deliver(portal.world);
    assert.equal((await requests()).length, 1);
    assert.equal(asked(ada).length, 1);
    assert.equal(owner.mails().length, before_ + 1);
    await owner.browser.visit('/admin/help');
    for (let time = 0; time < 4; time++) {
      await owner.browser.post(`/admin/help/${id}/close`, { organisation });
      await browsers[0]!.post('/sign-in/help', { words: 'again' });
    }
    assert.equal(browsers[0]!.page.status, 429);
    assert.match(browsers[0]!.page.alert, /You can ask again/);
    assert.equal(asked(ada).length, 3);
    assert.equal(await isSignedIn(browsers[0]!), false, 'and it lets nobody in');
  });

  test('LO-3 what is written is text in the console, and no marks of another direction or invisible ones', async () => {
    const ada = await joinWithApp();
    const browser = portal.browser({ userAgent: '<script>alert(2)</script>' });
    await ada.enterPassword(browser);
    for (const words of ['\u202eevil', 'a\u0007b']) {
      assert.equal((await browser.post('/sign-in/help', { words })).status, 422);
      assert.doesNotMatch(browser.page.body, /<script>alert/);
    }
    await browser.post('/sign-in/help', { words: `"><script>alert(1)</script> =cmd|'/c calc'!A1` });
    await owner.browser.visit('/admin/help');
    assert.ok(owner.browser.page.has('alert(1)'));
    assert.doesNotMatch(owner.browser.page.body, /<script>alert/);
    for (const mail of [...ada.mails(), ...owner.mails()]) assert.ok(!mail.text.includes('alert('));
  });

  test('AD-3 an auditor sees who asks and closes nothing; nobody closes a request of somebody above them', async () => {
    const auditor = await joinAs(portal, owner, 'Auditor');
    const admin = await joinAs(portal, owner, 'Admin');
    const { id: organisation } = await portal.world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow();
    const ada = await joinWithApp();
    const browser = portal.browser();
    await ada.enterPassword(browser);
    await browser.post('/sign-in/help', { words: '' });
    const count = (await requests()).length;
    await auditor.browser.visit('/admin/help');
    assert.ok(auditor.browser.page.has(ada.email));
    assert.ok(!auditor.browser.page.hasButton(`Close the request of ${ada.name}`));
    const { id } = await accountOf(portal, ada.email);
    assert.equal((await auditor.browser.post(`/admin/help/${id}/close`, { organisation })).status, 403);
    assert.equal((await ada.browser.post(`/admin/help/${id}/close`, { organisation })).status, 404);
    const { id: above } = await accountOf(portal, owner.email);
    assert.equal((await admin.browser.post(`/admin/help/${above}/close`, { organisation })).status, 403);
    assert.equal((await requests()).length, count);
  });
});
