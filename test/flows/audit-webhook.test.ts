// The audit log, streamed out: to a real server on this machine, which checks what it gets.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tellOfStuck } from '../../src/admin/webhook.ts';
import { chainNew, deliverWebhooks, pruneLog } from '../../src/audit/audit.ts';
import { days, hours, minutes, seconds } from '../../src/platform/durations.ts';
import { confirmIfAsked, foundOrganisation, joinAs, openPerson } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type OpenPortal, type Portal } from '../support/portal.ts';
import { isSigned, Receiver } from '../support/receiver.ts';

const WEBHOOK = '/admin/audit/webhook';

interface Streaming {
  readonly portal: Portal;
  readonly owner: Person;
  readonly secret: string;
}

async function start(portal: Portal, owner: Person, address: string): Promise<string> {
  const { browser } = owner;
  await browser.visit(WEBHOOK);
  browser.fill('Address', address);
  await browser.press(browser.page.hasButton('Start streaming') ? 'Start streaming' : 'Save, with a new secret');
  if (browser.page.heading === 'Confirm that it’s you') {
    await confirmIfAsked(browser, owner.password);
    return start(portal, owner, address);
  }
  assert.equal(browser.page.heading, 'Keep the secret');
  const secret = browser.page.root.querySelector('.key')!.text;
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  return secret;
}

async function streamTo(open: OpenPortal, receiver: Receiver): Promise<Streaming> {
  const portal = await open({ installation: { development: true } });
  const owner = await foundOrganisation(portal);
  await chainNew(portal.world);
  return { portal, owner, secret: await start(portal, owner, receiver.url) };
}

/** As the two timers of the program do it. */
async function stream({ world }: Portal): Promise<number> {
  await chainNew(world);
  return deliverWebhooks(world, (stuck) => tellOfStuck(world, stuck));
}

const somethingHappens = async (person: Person, times = 1): Promise<void> => {
  for (let time = 0; time < times; time++) {
    await person.signOut();
    await person.signIn();
  }
};

const sequencesIn = (receiver: Receiver): number[] => receiver.events.map(({ sequence }) => sequence as number);

forEachPortal((open) => {
  let portal: Portal;
  let owner: Person;
  let secret: string;
  let receiver: Receiver;
  before(async () => {
    receiver = await Receiver.start();
    ({ portal, owner, secret } = await streamTo(open, receiver));
  });
  after(() => receiver[Symbol.asyncDispose]());

  test('set once, events come in the order of the chain, each once, signed as Standard Webhooks has it; what was before is not sent', async () => {
    await somethingHappens(owner, 3);
    assert.equal(await stream(portal), 1);
    assert.equal(await stream(portal), 0, 'and nothing twice');
    const [message] = receiver.received;
    assert.ok(isSigned(message!, secret));
    assert.equal(message!.headers['webhook-timestamp'], String(portal.clock.now() / 1000));
    assert.equal(message!.headers['content-type'], 'application/json');
    const { type, organisation, timestamp } = JSON.parse(message!.body) as Record<string, string>;
    const { id } = await portal.world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow();
    assert.deepEqual([type, organisation, timestamp], ['audit.events', id, new Date(portal.clock.now()).toISOString()]);
    assert.equal(receiver.events[0]!['event'], 'organisation_webhook_changed');
    assert.ok(receiver.events.some(({ event }) => event === 'authn_login_success'));
    assert.ok(!receiver.events.some(({ event }) => event === 'organisation_created'));
    assert.deepEqual(
      sequencesIn(receiver),
      [...new Set(sequencesIn(receiver))].toSorted((one, other) => one - other),
    );
    assert.ok(!JSON.stringify(receiver.received).includes(secret));
  });

  test('whoever looks after the organisation is told by mail, and it is in the log', async () => {
    const { subject, text } = owner.newestMail();
    assert.equal(subject, 'The audit log of Herons Ltd');
    assert.match(text, /is streamed from now on to 127\.0\.0\.1:\d+\. Ada 1 Example has set it so\./);
    assert.doesNotMatch(text, /token=of-the-receiver|whsec_/);
    await owner.browser.visit('/admin/audit');
    assert.match(owner.browser.page.text, /Streaming the audit log to 127\.0\.0\.1:\d+: set/);
    assert.doesNotMatch(owner.browser.page.body, /token=of-the-receiver/);
  });

  test('retention: what a receiver has not taken does not go, until a week after its time; then it is given up, and streaming goes on', async () => {
    await using down = await Receiver.start();
    const { portal: own, owner: who } = await streamTo(open, down);
    const { world } = own;
    const kept = async () => (await world.database.query.selectFrom('audit_events').select('id').where('event', '=', 'authn_login_success').execute()).length;
    await somethingHappens(who, 2);
    assert.equal(await stream(own), 1);
    down.reply = 503;
    await somethingHappens(who, 3);
    await stream(own);
    own.clock.advance(days(31));
    const all = await kept();
    await pruneLog(world, 30);
    const undelivered = 3;
    assert.ok(all > undelivered);
    assert.equal(await kept(), undelivered, 'what was delivered went');
    await who.signIn();
    await who.browser.visit(WEBHOOK);
    await confirmIfAsked(who.browser, who.password);
    assert.match(who.browser.page.text, /nothing goes before it was delivered/);
    await who.browser.press('Pause');
    own.clock.advance(days(5));
    await pruneLog(world, 30);
    assert.ok((await kept()) >= undelivered, 'not before the week is over');
    own.clock.advance(days(2));
    await chainNew(world);
    await pruneLog(world, 30);
    assert.equal(await kept(), 1, 'paused or not, a week later it is given up; the newest stays');
    down.reply = 200;
    down.received.length = 0;
    await who.signIn();
    await who.browser.visit('/account/confirm?then=/admin/audit/webhook');
    await confirmIfAsked(who.browser, who.password);
    await who.browser.press('Resume');
    for (let turn = 0; turn < 3; turn++) await stream(own);
    assert.ok(
      down.events.some(({ event }) => event === 'authn_login_success'),
      'and goes on with what is there',
    );
  });

  test('a receiver that fails gets the same batch under the same id again, later and later; nothing that happens meanwhile is lost', async () => {
    receiver.received.length = 0;
    receiver.reply = 503;
    await somethingHappens(owner);
    await stream(portal);
    assert.equal(receiver.received.length, 1);
    await stream(portal);
    assert.equal(receiver.received.length, 1, 'not before its time');
    await owner.browser.visit(WEBHOOK);
    assert.match(owner.browser.page.text, /Receiver Failing .*Last error .* it answered with the status 503 Tries in a row 1; the next one/);
    await somethingHappens(owner);
    for (const wait of [5, 10, 20]) {
      portal.clock.advance(seconds(wait) - 1);
      await stream(portal);
      const earlier: number = receiver.received.length;
      portal.clock.advance(1);
      await stream(portal);
      assert.equal(receiver.received.length, earlier + 1, `${wait}`);
    }
    const [first, ...again] = receiver.received;
    for (const one of again) {
      assert.equal(one.headers['webhook-id'], first!.headers['webhook-id']);
      assert.deepEqual((JSON.parse(one.body) as { events: unknown }).events, (JSON.parse(first!.body) as { events: unknown }).events);
      assert.ok(isSigned(one, secret));
    }
    for (let time = 0; time < 28; time++) {
      portal.clock.advance(hours(1));
      await stream(portal);
    }
    assert.equal(receiver.received.length, 32, 'an hour is the longest that it waits');
    await portal.mail.deliver(portal.world);
    const told = owner
      .mails()
      .filter(({ text }) => /For about a day .* could not be delivered to 127\.0\.0\.1:\d+: it answered with the status 503/.test(text));
    assert.equal(told.length, 1, 'and after a day those who look after it are told, once');
    receiver.received.length = 0;
    receiver.reply = 200;
    portal.clock.advance(hours(1));
    assert.equal(await stream(portal), 2);
    assert.deepEqual(
      sequencesIn(receiver),
      [...new Set(sequencesIn(receiver))].toSorted((one, other) => one - other),
    );
    owner.browser = portal.browser();
    await owner.signIn();
    await owner.browser.visit(WEBHOOK);
    assert.match(owner.browser.page.text, /Receiver On .*Last delivered 3 February 2027/);
    assert.doesNotMatch(owner.browser.page.text, /Last error/);
  });

  test('a hundred events to a message, and more of them one after the other', async () => {
    receiver.received.length = 0;
    await somethingHappens(owner, 40);
    assert.equal(await stream(portal), 2);
    const sizes = receiver.received.map(({ body }) => (JSON.parse(body) as { events: unknown[] }).events.length);
    assert.equal(sizes[0], 100);
    assert.ok(sizes[1]! > 0 && sizes[1]! < 100);
  });

  test('“Send test event” says how it went, and changes nothing of the stream', async () => {
    receiver.received.length = 0;
    await owner.browser.visit(WEBHOOK);
    await owner.browser.press('Send test event');
    await confirmIfAsked(owner.browser, owner.password);
    if (receiver.received.length === 0) await owner.browser.press('Send test event');
    assert.match(owner.browser.page.text, /The test event was taken by the receiver\./);
    const [message] = receiver.received;
    assert.ok(isSigned(message!, secret));
    assert.deepEqual((JSON.parse(message!.body) as { type: string; events: unknown }).events, []);
    receiver.reply = 404;
    await owner.browser.press('Send test event');
    assert.match(owner.browser.page.alert, /The test event was not taken: it answered with the status 404\./);
    receiver.reply = 200;
  });

  test('paused, nothing is sent and nothing is lost; resumed, it goes on from there; removed, it is over', async () => {
    await owner.browser.visit(WEBHOOK);
    await owner.browser.press('Pause');
    assert.match(owner.browser.page.text, /Receiver Paused/);
    assert.match(owner.newestMail().text, /no longer streamed to/);
    receiver.received.length = 0;
    const bob = await joinAs(portal, owner, 'Member');
    await stream(portal);
    assert.equal(receiver.received.length, 0);
    await owner.browser.visit(WEBHOOK);
    await owner.browser.press('Resume');
    await stream(portal);
    assert.ok(receiver.events.some(({ event }) => event === 'organisation_joined'));
    await owner.browser.press('Remove');
    assert.match(owner.browser.page.text, /Nothing is streamed\./);
    receiver.received.length = 0;
    await openPerson(owner, bob.email);
    await owner.browser.press('End all sessions');
    portal.clock.advance(minutes(5));
    assert.equal(await stream(portal), 0);
    assert.equal(receiver.received.length, 0);
  });

  test('set again to another address: it goes on from where it had come to, with a secret of its own, and the old one is worth nothing', async () => {
    const first = await start(portal, owner, receiver.url);
    await stream(portal);
    const upTo = Math.max(...sequencesIn(receiver));
    await somethingHappens(owner);
    await using other = await Receiver.start();
    const second = await start(portal, owner, other.url);
    await stream(portal);
    assert.ok(Math.min(...sequencesIn(other)) > upTo);
    assert.ok(
      other.events.some(({ event }) => event === 'authn_login_success'),
      'what happened in between comes too',
    );
    assert.ok(isSigned(other.received[0]!, second));
    assert.ok(!isSigned(other.received[0]!, first));
  });
});
