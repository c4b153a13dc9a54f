// Organisations, as an administrator and those who are invited live through them: the first owner, invitations, roles, and what people are told.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { days, minutes } from '../../src/platform/durations.ts';
import { foundOrganisation, invitationPath, joinAs, openPerson, sendInvitation, setUpPath } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { onOneDatabase, type Portal } from '../support/portal.ts';

onOneDatabase((open) => {
  test('the first owner: the link leads a stranger to sign up, to verify the address, and back to name the organisation; then it is dead', async () => {
    const portal = await open();
    const link = await setUpPath(portal);
    const ada = portal.newcomer();
    const { browser } = ada;
    await browser.visit(link);
    assert.equal(browser.page.heading, 'Set up your organisation');
    assert.match(browser.page.text, /Nobody looks after Example yet\./);
    assert.equal(browser.page.root.querySelector('.button.main')?.text.trim(), 'Create an account', 'hardly anybody has one yet');
    await browser.press('Create an account');
    browser.fill('Name', ada.name);
    browser.fill('Email', ada.email);
    browser.fill('Password', ada.password);
    await browser.press('Create account');
    await ada.enterCode(ada.newestCode());
    assert.equal(browser.page.path, '/set-up');
    browser.fill('Name of the organisation', 'Herons Ltd');
    await browser.press('Create organisation');
    assert.equal(browser.page.path, '/admin/people');
    assert.match(browser.page.text, /Your organisation is there, and you are its owner\./);
    assert.match(browser.page.text, new RegExp(`${ada.name} Owner 2FA off ${ada.email} verified`));

    await browser.visit(link);
    assert.equal(browser.page.status, 410);
    assert.equal(browser.page.heading, 'This link no longer works');
  });

  test('the first owner: opening the link changes nothing, an address that is not verified is asked for its code first, and a new start replaces the link', async () => {
    const portal = await open();
    const old = await setUpPath(portal);
    const link = await setUpPath(portal);
    const ada = await portal.newcomer().signUp();
    const { browser } = ada;
    assert.equal((await browser.visit(old)).status, 410);
    await browser.visit(link);
    assert.match(browser.page.text, /First show that .* is yours/);
    await browser.press('Verify email');
    await browser.press('Send verification code');
    portal.clock.advance(minutes(1));
    await browser.visit(link);
    await browser.press('Verify email');
    await browser.press('Send verification code');
    await ada.enterCode(ada.newestCode());
    assert.equal(browser.page.heading, 'Set up your organisation');
    browser.fill('Name of the organisation', '   ');
    await browser.press('Create organisation');
    assert.equal(browser.page.status, 422);
    assert.match(browser.page.alert, /Use 1 to 100 characters/);
    await browser.visit(link);
    browser.fill('Name of the organisation', 'Herons & <Sons>');
    await browser.press('Create organisation');
    assert.match(browser.page.text, /One person belongs to Herons & <Sons>\./);
  });

  /** All that follows shares one organisation. */
  let portal: Portal;
  let owner: Person;
  before(async () => {
    portal = await open();
    owner = await foundOrganisation(portal);
  });

  test('an invitation: the mail, sign-up with the address filled in, and "Accept"', async () => {
    const grace = portal.newcomer();
    await sendInvitation(owner, grace.email, 'Member');
    assert.match(owner.browser.page.text, /The invitation is on its way\./);
    assert.match(owner.browser.page.text, new RegExp(`${grace.email} As member, open until 9 February 2027`));
    const mail = grace.newestMail();
    assert.equal(mail.subject, 'You are invited to Herons Ltd');
    assert.match(mail.text, new RegExp(`${owner.email} invites you to Herons Ltd on Example, as member\\.`));
    assert.ok(!mail.text.includes(owner.name), 'a name could say anything to a stranger');

    const { browser } = grace;
    await browser.visit(invitationPath(grace));
    assert.equal(browser.page.heading, 'Join Herons Ltd');
    await browser.press('Create an account');
    assert.equal(browser.page.value('Email'), grace.email);
    browser.fill('Name', grace.name);
    browser.fill('Password', grace.password);
    await browser.press('Create account');
    await grace.enterCode(grace.newestCode());
    assert.equal(browser.page.heading, 'Join Herons Ltd');
    assert.match(browser.page.text, /You are invited as member\./);
    await browser.press('Accept');
    assert.match(browser.page.text, /You have joined the organisation\./);
    assert.ok(!browser.page.hasButton('Administration'), 'a member has no console');
    await owner.browser.visit('/admin/people');
    assert.match(owner.browser.page.text, new RegExp(`${grace.name} 2FA off ${grace.email} verified`));
    assert.doesNotMatch(owner.browser.page.text, /open until/, 'the invitation is used');
  });

  test('an invitation leads whoever has an account to sign in with the address filled in, through the second factor, and back', async () => {
    const mary = await portal.newcomer().join();
    await mary.enableByApp();
    await mary.signOut();
    await sendInvitation(owner, mary.email, 'Auditor');
    await mary.browser.visit(invitationPath(mary));
    await mary.browser.press('Sign in');
    assert.equal(mary.browser.page.value('Email'), mary.email);
    mary.browser.fill('Password', mary.password);
    await mary.browser.press('Sign in');
    await mary.showSecondFactor('app');
    assert.equal(mary.browser.page.heading, 'Join Herons Ltd');
    await mary.browser.press('Accept');
    await mary.browser.press('Administration', { near: 'Sessions' });
    assert.equal(mary.browser.page.heading, 'Overview');
    await owner.browser.visit('/admin/people');
    assert.match(owner.browser.page.text, new RegExp(`${mary.name} Auditor 2FA on ${mary.email} verified Authenticator app\\. Last sign-in 2 February 2027`));
  });

  test('an invitation where the policy asks for a second factor: it is set up on the way, and the way leads back', async () => {
    const lin = portal.newcomer();
    const { browser } = lin;
    await sendInvitation(owner, lin.email, 'Member');
    await portal.setPolicy('required');
    await browser.visit(invitationPath(lin));
    await browser.press('Create an account');
    browser.fill('Name', lin.name);
    browser.fill('Password', lin.password);
    await browser.press('Create account');
    await browser.press('Enable With Authenticator App');
    await lin.setUpApp();
    await lin.keepRecoveryKey();
    await browser.press('Continue');
    assert.equal(browser.page.heading, 'Verify your email');
    await browser.press('Send verification code');
    await lin.enterCode(lin.newestCode());
    assert.equal(browser.page.heading, 'Join Herons Ltd');
    await portal.setPolicy('optional');
  });

  test('an invitation: "Send again" kills the link before it, "Take back" the last, and after seven days it is over', async () => {
    const ann = await portal.newcomer().join();
    const { browser } = ann;
    await sendInvitation(owner, ann.email, 'Member');
    const first = invitationPath(ann);
    await owner.browser.press('Send again', { near: ann.email });
    assert.match(owner.browser.page.text, /on its way once more/);
    const second = invitationPath(ann);
    assert.equal((await browser.visit(first)).status, 410);
    assert.equal((await browser.visit(second)).status, 200);
    await owner.browser.press('Take back', { near: ann.email });
    assert.match(owner.browser.page.text, /The invitation is taken back\./);
    await browser.press('Accept');
    assert.equal(browser.page.status, 410);

    await sendInvitation(owner, ann.email, 'Member');
    portal.clock.advance(days(7));
    await ann.signIn();
    assert.equal((await browser.visit(invitationPath(ann))).status, 410);
    await owner.signIn();
    await owner.browser.visit('/admin/people');
    assert.match(owner.browser.page.text, new RegExp(`${ann.email} expired`));
    await owner.browser.press('Send again', { near: ann.email });
    await browser.visit(invitationPath(ann));
    await browser.press('Accept');
    assert.match(browser.page.text, /You have joined/);
  });

  test('inviting: what is no address, who belongs already, and many mails to one address are refused with the reason', async () => {
    await sendInvitation(owner, 'nobody', 'Member');
    assert.equal(owner.browser.page.status, 422);
    assert.match(owner.browser.page.alert, /Enter an email address/);
    await sendInvitation(owner, owner.email, 'Member');
    assert.match(owner.browser.page.alert, /belongs to the organisation already/);
    const { email } = portal.newcomer();
    for (let time = 1; time <= 6; time++) await sendInvitation(owner, email, 'Member');
    await sendInvitation(owner, email, 'Member');
    assert.equal(owner.browser.page.status, 429);
    assert.match(owner.browser.page.alert, /Many invitations went to this address\. You can send another in \d+ minutes/);
    assert.equal(portal.mail.to(email).length, 6);
  });

  test('a role: changed with a fresh proof, told by mail, and counted from the next page on', async () => {
    const tom = await joinAs(portal, owner, 'Member');
    portal.clock.advance(minutes(11));
    await openPerson(owner, tom.email);
    owner.browser.fill('Role', 'Admin');
    await owner.browser.press('Change role');
    assert.equal(owner.browser.page.heading, 'Confirm that it’s you', 'FC-1');
    owner.browser.fill('Password', owner.password);
    await owner.browser.press('Continue');
    assert.equal(owner.browser.page.heading, tom.name);
    owner.browser.fill('Role', 'Admin');
    await owner.browser.press('Change role');
    assert.match(owner.browser.page.text, /The role is changed, and the person is told by mail\./);
    assert.equal(tom.newestMail().subject, 'Your role in Herons Ltd was changed');
    assert.match(tom.newestMail().text, new RegExp(`${owner.name} changed your role in Herons Ltd\\. You are now: admin\\.`));
    await tom.browser.visit('/account');
    await tom.browser.press('Profile');
    await tom.browser.press('Administration', { near: 'Sign out' });
    assert.equal(tom.browser.page.heading, 'Overview');
  });

  test('somebody is signed out everywhere, and removed; both are told by mail, and an invitation that they sent is dead', async () => {
    const sue = await joinAs(portal, owner, 'Admin');
    const guest = await portal.newcomer().join();
    await sendInvitation(sue, guest.email, 'Member');
    await openPerson(owner, sue.email);
    await owner.browser.press('End all sessions');
    assert.match(owner.browser.page.text, /signed out everywhere/);
    assert.equal(sue.newestMail().subject, 'You were signed out of Example');
    assert.equal((await sue.browser.visit('/account')).path, '/sign-in');
    await sue.signIn();
    await owner.browser.press('Remove from the organisation');
    assert.match(owner.browser.page.text, /no longer belongs to the organisation/);
    assert.doesNotMatch(owner.browser.page.text, new RegExp(sue.email));
    assert.equal(sue.newestMail().subject, 'You no longer belong to Herons Ltd');
    assert.equal((await sue.browser.visit('/admin')).status, 404);
    assert.equal((await guest.browser.visit(invitationPath(guest))).status, 410);
  });

  test('what the page showed must still be so: an action on a role that was changed meanwhile does nothing', async () => {
    const kim = await joinAs(portal, owner, 'Member');
    const second = await joinAs(portal, owner, 'Admin');
    await openPerson(owner, kim.email);
    await openPerson(second, kim.email);
    second.browser.fill('Role', 'Auditor');
    await second.browser.press('Change role');
    await owner.browser.press('Remove from the organisation');
    assert.equal(owner.browser.page.status, 409);
    assert.match(owner.browser.page.alert, /Somebody else changed this person’s role in the meantime/);
    assert.match(owner.browser.page.text, /About Auditor/);
  });

  test('people change their name and address, and are found by the new ones', async () => {
    const eve = await joinAs(portal, owner, 'Member');
    await eve.browser.visit('/account');
    eve.browser.fill('Name', 'Zoë Quill');
    await eve.browser.press('Save');
    await owner.browser.visit('/admin/people');
    owner.browser.fill('Search', 'ZOË q');
    await owner.browser.press('Find');
    assert.match(owner.browser.page.text, new RegExp(`Zoë Quill 2FA off ${eve.email}`));
    await eve.browser.visit('/account/email');
    eve.browser.fill('Email', 'quill@example.net');
    await eve.browser.press('Send verification code');
    await eve.enterCode(eve.newestCode('quill@example.net'));
    owner.browser.fill('Search', 'quill@');
    await owner.browser.press('Find');
    assert.match(owner.browser.page.text, /Zoë Quill 2FA off quill@example\.net/);
  });

  test('ownership is transferred: the owner becomes an admin, and the organisation has one owner at every moment', async () => {
    const heir = await joinAs(portal, owner, 'Member');
    await openPerson(owner, owner.email);
    assert.match(owner.browser.page.text, /This is you\. What you are here, others change\./);
    assert.ok(!owner.browser.page.hasButton('Change role'));
    await openPerson(owner, heir.email);
    await owner.browser.press('Transfer ownership');
    assert.match(owner.browser.page.text, /Ownership is passed on\. You are an admin now\./);
    assert.match(owner.browser.page.text, /role, or the one to be given, is higher than yours/);
    assert.equal(heir.newestMail().subject, 'You are now the owner of Herons Ltd');
    await openPerson(heir, owner.email);
    assert.match(heir.browser.page.text, /About Admin/);
    await heir.browser.press('Transfer ownership');
    await openPerson(owner, heir.email);
    assert.match(owner.browser.page.text, /About Admin/);
  });
});
