// TWINLOCK_SIGN_UP: who may make an account, and those who try it otherwise. What the pages hide the server refuses (CVE-2024-49757 hid it only).
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setEmailDomains } from '../../src/organisations/organisations.ts';
import { days } from '../../src/platform/durations.ts';
import { foundOrganisation, invitationPath, sendInvitation, setUpPath } from '../support/organisation.ts';
import { linkIn, type Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';

const INVITED = { installation: { signUp: 'invited' } } as const;
const DOMAINS = { installation: { signUp: 'domains' } } as const;

/** As a program does that has read our pages, whatever they show. */
async function postSignUp(
  browser: Visitor,
  { name, password, email }: Pick<Person, 'name' | 'password' | 'email'>,
  fields: { email?: string; then?: string } = {},
): Promise<number> {
  await browser.visit('/sign-in');
  return (await browser.post('/sign-up', { name, email, password, then: '', ...fields })).status;
}

const accounts = async ({ world }: Portal): Promise<number> => (await world.database.query.selectFrom('accounts').select('id').execute()).length;

/** Claims the portal: signs up, verifies and names the organisation, by the link that the server prints. */
async function claim(portal: Portal, owner: Person): Promise<void> {
  const { browser } = owner;
  await browser.visit(await setUpPath(portal));
  await browser.press('Create an account');
  assert.equal(browser.page.heading, 'Create your account');
  browser.fill('Name', owner.name);
  browser.fill('Email', owner.email);
  browser.fill('Password', owner.password);
  await browser.press('Create account');
  await owner.enterCode(owner.newestCode());
  browser.fill('Name of the organisation', 'Herons Ltd');
  await browser.press('Create organisation');
  assert.equal(browser.page.path, '/admin/people');
}

onOneDatabase((open) => {
  let portal: Portal;
  let owner: Person;
  before(async () => {
    portal = await open(INVITED);
    owner = portal.newcomer();
  });

  test('invited: nobody joins before the portal is claimed but whoever has the set-up link; afterwards that link lets nobody in', async () => {
    const eve = portal.newcomer();
    assert.equal(await postSignUp(eve.browser, eve), 403);
    const link = await setUpPath(portal);
    assert.equal(await postSignUp(eve.browser, eve, { then: `/set-up?token=${'A'.repeat(43)}` }), 403);
    await claim(portal, owner);
    assert.equal(await postSignUp(eve.browser, eve, { then: link }), 403);
    assert.equal(await accounts(portal), 1);
  });

  test('invited: the page says who can join and whom to ask, and no link leads there', async () => {
    const { browser } = portal.newcomer();
    await browser.visit('/sign-in');
    assert.ok(!browser.page.has('Create an account'));
    await browser.visit('/sign-up');
    assert.equal(browser.page.status, 200);
    assert.equal(browser.page.heading, 'Accounts are by invitation');
    assert.match(browser.page.text, /ask them for one/);
    await browser.press('Sign in');
    browser.fill('Email', 'nobody@example.org');
    browser.fill('Password', 'eleven wagtails by a weir');
    await browser.press('Sign in');
    assert.equal(browser.page.status, 401);
    assert.ok(!browser.page.has('Create an account'), 'nor after a slip');
  });

  test('invited: an invitation lets its address in, and no other; used up, taken back or too old it lets nobody in', async () => {
    const grace = portal.newcomer();
    const eve = portal.newcomer();
    await sendInvitation(owner, grace.email, 'Member');
    const link = invitationPath(grace);
    assert.equal(await postSignUp(eve.browser, eve, { then: link }), 422);
    assert.match(eve.browser.page.alert, new RegExp(`Your invitation is for ${grace.email}\\. Use that address\\.`));
    for (const then of [`${link}&x=y`, link.replace('token', 'Token'), `//${link}`, link.slice(0, -1), `/account?then=${link}`])
      assert.equal(await postSignUp(eve.browser, eve, { email: grace.email, then }), 403, then);

    const { browser } = grace;
    await browser.visit(link);
    await browser.press('Sign in');
    assert.ok(browser.page.has('Create an account'), 'who has a good link finds the way from the sign-in page too');
    await browser.press('Create an account');
    assert.equal(browser.page.field('Email').getAttribute('value'), grace.email);
    browser.fill('Name', grace.name);
    browser.fill('Password', grace.password);
    await browser.press('Create account');
    await grace.enterCode(grace.newestCode());
    await browser.press('Accept');
    assert.equal(browser.page.path, '/account');
    assert.equal(await postSignUp(eve.browser, eve, { email: grace.email, then: link }), 403, 'used up');

    for (const end of ['taken back', 'too old'] as const) {
      const late = portal.newcomer();
      await sendInvitation(owner, late.email, 'Member');
      const dead = invitationPath(late);
      if (end === 'too old') portal.clock.advance(days(8));
      else {
        await owner.browser.visit('/admin/people');
        await owner.browser.press('Take back');
      }
      assert.equal(await postSignUp(late.browser, late, { then: dead }), 403, end);
      await late.browser.visit(`/sign-up?then=${encodeURIComponent(dead)}`);
      assert.equal(late.browser.page.heading, 'Accounts are by invitation', end);
    }
  });

  test('RL-7, invited: an address that has an account and one that has none are refused alike, and their mailboxes hear the same of each other', async () => {
    const blank = portal.newcomer();
    const pages: string[] = [];
    for (const email of [owner.email, blank.email]) {
      const browser = portal.browser();
      await postSignUp(browser, blank, { email });
      pages.push(browser.page.text.replaceAll(email, 'THE-ADDRESS'));
      await browser.visit('/forgot-password');
      browser.fill('Email', email);
      await browser.press('Send the link');
      pages.push(browser.page.text.replaceAll(email, 'THE-ADDRESS'));
    }
    assert.deepEqual(pages.slice(0, 2), pages.slice(2));
    const mail = blank.newestMail();
    assert.match(mail.subject, /No account at Example/);
    assert.throws(() => linkIn(mail.text), 'no way to an account that it could not have');
  });

  test('domains: addresses that an organisation lists may join, others may not, and guests are invited; where none is listed nobody may', async () => {
    const other = await open(DOMAINS);
    const boss = other.newcomer({ email: 'boss@herons.example' });
    await claim(other, boss);
    const ada = other.newcomer({ email: 'Ada@Herons.example' });
    const eve = other.newcomer({ email: 'eve@herons.example.evil.example' });
    assert.equal(await postSignUp(ada.browser, ada), 403, 'none is listed');
    assert.ok(!(await ada.browser.visit('/sign-in')).has('Create an account'));

    const { id } = await other.world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow();
    await other.world.database.transaction((transaction) => setEmailDomains(transaction, id, ['herons.example']));
    await ada.browser.visit('/sign-in');
    await ada.signUp();
    await ada.enterCode(ada.newestCode());
    assert.equal(ada.browser.page.heading, 'Your email is verified');
    assert.equal(await postSignUp(eve.browser, eve), 422);
    assert.match(eve.browser.page.alert, /Accounts here are for addresses of certain organisations\./);
    assert.equal(await postSignUp(eve.browser, eve, { email: 'no address' }), 422);
    assert.match(eve.browser.page.alert, /Enter an email address such as/);
    assert.equal(await accounts(other), 2);
  });

  test('open: as ever, with and without a link', async () => {
    const other = await open();
    await foundOrganisation(other);
    const eve = other.newcomer();
    await eve.signUp();
    assert.equal(eve.browser.page.heading, 'Check your email');
  });
});
