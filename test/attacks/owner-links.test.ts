// Links by which the operator names an owner: for one address, once, for a time; and whoever tries one that is not theirs.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { appointOwner } from '../../src/organisations/organisations.ts';
import { days, minutes } from '../../src/platform/durations.ts';
import { foundOrganisation } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';

/** The path of the link that `twinlock admin create-owner` prints. */
async function linkFor({ world }: Portal, { email }: Person, name = 'Wagtails'): Promise<string> {
  const appointed = await appointOwner(world, { email, name });
  assert.equal(appointed.kind, 'link');
  return appointed.link.slice(world.installation.origin.length);
}

const tokenIn = (link: string): string => link.slice('/set-up?token='.length);

forEachPortal((open) => {
  let portal: Portal;
  before(async () => {
    portal = await open({ installation: { signUp: 'invited' } });
  });

  const organisations = async (): Promise<string[]> =>
    (await portal.world.database.query.selectFrom('organisations').select('name').orderBy('name').execute()).map(({ name }) => name);

  /** As the link leads: to an account, the code, and back. */
  async function joinBy(person: Person, link: string): Promise<void> {
    const { browser } = person;
    await browser.visit(link);
    await browser.press('Create an account');
    browser.fill('Name', person.name);
    browser.fill('Email', person.email);
    browser.fill('Password', person.password);
    await browser.press('Create account');
    await person.enterCode(person.newestCode());
  }

  test('whoever it is for joins by it, names the organisation and owns it; then it is dead for everybody', async () => {
    const ada = portal.newcomer();
    const link = await linkFor(portal, ada);
    await ada.browser.visit(link);
    assert.match(ada.browser.page.text, new RegExp(`${ada.email} is to look after Wagtails\\. Sign in with that address, or create an account with it\\.`));
    await joinBy(ada, link);
    assert.equal(ada.browser.page.field('Name of the organisation').getAttribute('value'), 'Wagtails');
    await ada.browser.press('Create organisation');
    assert.equal(ada.browser.page.path, '/admin/people');
    assert.equal((await ada.browser.visit(link)).status, 410);
    assert.equal((await ada.browser.post('/set-up', { token: tokenIn(link), name: 'Twice' })).status, 410);
    assert.deepEqual(await organisations(), ['Wagtails']);
  });

  test('a stranger who has the link gets neither an account nor the organisation by it, verified or not, and it stays good for its owner', async () => {
    const ada = portal.newcomer();
    const link = await linkFor(portal, ada, 'Herons');
    const eve = portal.newcomer();
    await eve.browser.visit(link);
    await eve.browser.press('Create an account');
    const posted = await eve.browser.post('/sign-up', { name: eve.name, email: eve.email, password: eve.password, then: link });
    assert.equal(posted.status, 422);
    assert.match(posted.alert, new RegExp(`Your invitation is for ${ada.email}`));

    const own = portal.newcomer();
    await joinBy(own, await linkFor(portal, own, 'Plovers'));
    await own.browser.visit(link);
    assert.match(own.browser.page.text, new RegExp(`This link is for ${ada.email}, and you are signed in as ${own.email}`));
    assert.equal((await own.browser.post('/set-up', { token: tokenIn(link), name: 'Stolen' })).status, 403);
    // An account with the right address that nobody has verified is anybody's.
    await eve.browser.post('/sign-up', { name: eve.name, email: ada.email, password: eve.password, then: link });
    await eve.browser.post('/set-up', { token: tokenIn(link), name: 'Stolen' });
    assert.match(eve.browser.page.text, /First show that .* is yours/);
    assert.ok(!(await organisations()).includes('Stolen'));
    assert.match((await portal.browser().visit(link)).text, /is to look after Herons/);
  });

  test('a newer link for an address takes the place of the older, it ends after a week, and those of others stay', async () => {
    const ada = portal.newcomer();
    const other = portal.newcomer();
    const old = await linkFor(portal, ada);
    const ofOther = await linkFor(portal, other);
    const link = await linkFor(portal, ada);
    const browser = portal.browser();
    assert.equal((await browser.visit(old)).status, 410);
    for (const good of [link, ofOther]) assert.equal((await browser.visit(good)).status, 200);
    portal.clock.advance(days(7));
    for (const late of [link, ofOther]) assert.equal((await browser.visit(late)).status, 410);
    const { email, name, password } = ada;
    assert.equal((await browser.post('/sign-up', { email, name, password, then: link })).status, 403);
  });

  test('of two requests that race with one link one makes the organisation', async () => {
    const ada = portal.newcomer();
    const link = await linkFor(portal, ada, 'Rails');
    await joinBy(ada, link);
    const tabs = [ada.browser.tab(), ada.browser.tab()];
    for (const tab of tabs) await tab.visit(link);
    await Promise.all(tabs.map((tab) => tab.post('/set-up', { token: tokenIn(link), name: 'Rails' })));
    assert.equal((await organisations()).filter((name) => name === 'Rails').length, 1);
  });

  test('who has an account owns the new organisation at once, and is told by mail who did it', async () => {
    const other = await open();
    const ada = await foundOrganisation(other);
    other.clock.advance(minutes(1));
    const appointed = await appointOwner(other.world, { email: ada.email, name: 'Wagtails' });
    assert.equal(appointed.kind, 'organisation');
    await ada.browser.visit('/admin/people');
    await other.mail.deliver(other.world);
    const mail = ada.newestMail();
    assert.equal(mail.subject, 'You are now the owner of Wagtails');
    assert.match(mail.text, /Whoever runs Example made you the owner of Wagtails\./);
    assert.match(ada.browser.page.text, /You also look after:\s*Wagtails/);
    assert.deepEqual(await appointOwner(other.world, { email: ada.email.toUpperCase(), name: ' Wagtails ' }), { kind: 'refused', reason: 'owns-it-already' });
  });
});
