// Attacks by way of other people's mailboxes: flooding them, spending the mails that their owners need, writing to them in our name.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { days, minutes, seconds } from '../../src/platform/durations.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import type { Visitor } from '../support/visitor.ts';
import { askForReset } from './intruder.ts';

let portal: Portal;
before(async () => void (portal = await openPortal({ engine: 'sqlite', checkHtml: false })));
after(() => portal.close());

let networks = 0;
const stranger = (): Visitor => portal.browser({ address: `203.0.${113 + (++networks >> 8)}.${networks & 255}` });

const signUpAs = async (browser: Visitor, email: string, name = 'Somebody'): Promise<void> => {
  await browser.visit('/sign-up');
  browser.fill('Name', name);
  browser.fill('Email', email);
  browser.fill('Password', 'seven quiet herons');
  await browser.press('Create account');
};

test('RL-3: strangers who ask for new passwords or sign up with an address spend no mail that its owner needs to sign in', async () => {
  const victim = await (await portal.newcomer().join()).enableByEmail();
  portal.clock.advance(days(1));
  for (let times = 0; times < 20; times++) {
    await askForReset(stranger(), victim.email);
    await signUpAs(stranger(), victim.email);
  }
  await victim.signIn({ browser: portal.browser(), by: 'email' });
});

test('RL-7: what a stranger may still send to an address does not tell whether its owner signed in just now', async () => {
  const known = await (await portal.newcomer().join()).enableByEmail();
  const unknown = portal.newcomer();
  portal.clock.advance(days(1));
  for (let times = 0; times < 6; times++) await known.enterPassword(portal.browser());
  const answers = async (email: string) => {
    const seen: string[] = [];
    for (let times = 0; times < 8; times++) {
      const browser = stranger();
      await askForReset(browser, email);
      seen.push(`${browser.page.status} ${browser.page.path}`);
      await signUpAs(browser, email);
      seen.push(`${browser.page.status} ${browser.page.path} ${browser.page.text.replaceAll(email, 'the address')}`);
    }
    return seen;
  };
  assert.deepEqual(await answers(known.email), await answers(unknown.email));
});

test('EC-7: nobody’s mailbox is flooded, from however many networks and by whatever form', async () => {
  const victim = portal.newcomer();
  const from = portal.clock.now();
  const sender = await portal.newcomer().join();
  for (let round = 0; round < 20; round++) {
    await askForReset(stranger(), victim.email);
    await signUpAs(stranger(), victim.email);
    await sender.browser.post('/account/email', { email: victim.email });
    portal.clock.advance(minutes(3));
  }
  const all = victim.mails();
  assert.ok(all.length >= 12, 'some are sent');
  assert.ok(all.length <= 30, `${all.length} in an hour`);
  assert.equal(portal.clock.now() - from, minutes(60));
  for (let hour = 0; hour < 24; hour++) {
    for (let times = 0; times < 3; times++) {
      await askForReset(stranger(), victim.email);
      await signUpAs(stranger(), victim.email);
    }
    portal.clock.advance(minutes(60));
  }
  assert.ok(victim.mails().length - all.length <= 60, `${victim.mails().length - all.length} in a day`);
});

test('EC-7: one account can’t write to the whole world, by changing its address again and again', async () => {
  const sender = await portal.newcomer().join();
  const already = portal.mail.mails.length;
  for (let times = 0; times < 20; times++) await sender.browser.post('/account/email', { email: `stranger-${times}@example.com` });
  assert.ok(portal.mail.mails.length - already <= 6, `${portal.mail.mails.length - already} mails`);
});

test('EC-7: a seventh code in ten minutes is not sent; the page says when, and the other ways stay open', async () => {
  const victim = await (await portal.newcomer().join()).enableByEmail();
  await victim.signOut();
  portal.clock.advance(days(1));
  const count = victim.mails().length;
  for (let times = 0; times < 10; times++) {
    await victim.enterPassword(victim.browser);
    portal.clock.advance(seconds(31));
  }
  assert.equal(victim.mails().length - count, 6);
  assert.match(victim.browser.page.text, /You can ask for .*(minute|second)/);
  await victim.showSecondFactor('recovery-key');
  assert.ok(victim.browser.page.hasButton('Profile'));
});

test('EC-7: “Send again” no sooner than 30 seconds', async () => {
  const victim = await (await portal.newcomer().join()).enableByEmail();
  await victim.signOut();
  portal.clock.advance(days(1));
  await victim.enterPassword();
  const count = victim.mails().length;
  portal.clock.advance(seconds(30) - 1);
  assert.equal((await victim.browser.post('/sign-in/verify/send')).status, 429);
  assert.equal(victim.mails().length, count);
  portal.clock.advance(1);
  assert.equal((await victim.browser.post('/sign-in/verify/send')).status, 200);
  assert.equal(victim.mails().length, count + 1);
});

test('a stranger can’t write sentences of their own into mails that go to others', async () => {
  const victim = portal.newcomer();
  const bait = 'Your parcel waits at evil dot example';
  await signUpAs(stranger(), victim.email, bait);
  const sender = await portal.newcomer({ name: bait }).join();
  await sender.browser.post('/account/email', { email: victim.email });
  assert.equal(victim.mails().length, 2);
  for (const mail of victim.mails()) assert.ok(!JSON.stringify(mail).includes('parcel'), mail.text);
});

test('RL-3: an IPv6 household is one network, whatever address of its /64 it takes', async () => {
  const household = (index: number) => portal.browser({ address: `2001:db8:1:2:${(index * 7919).toString(16)}::${index}` });
  let refused = 0;
  for (let index = 1; index <= 40; index++) {
    const browser = household(index);
    await signUpAs(browser, `flood-${index}@example.com`);
    if (browser.page.status === 429) refused += 1;
  }
  assert.equal(refused, 10);
  refused = 0;
  for (let index = 1; index <= 40; index++) {
    const browser = household(index + 100);
    await askForReset(browser, `flood-${index}@example.com`);
    if (browser.page.status === 429) refused += 1;
  }
  assert.equal(refused, 10);
  const neighbour = portal.browser({ address: '2001:db8:1:3::1' });
  await signUpAs(neighbour, 'neighbour@example.com');
  assert.equal(neighbour.page.status, 200);
});
