// The stream of the audit log against those who would have it lead inwards, read another organisation's, or make it lose something.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chainNew, deliverWebhooks } from '../../src/audit/audit.ts';
import { createOrganisation } from '../../src/organisations/organisations.ts';
import { minutes } from '../../src/platform/durations.ts';
import { foundOrganisation, joinAs } from '../support/organisation.ts';
import type { Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { isSigned, Receiver } from '../support/receiver.ts';
import { accountOf } from './intruder.ts';

const WEBHOOK = '/admin/audit/webhook';
const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

const organisationOf = async (portal: Portal, person: Person): Promise<string> => {
  const { id } = await accountOf(portal, person.email);
  const row = await portal.world.database.query.selectFrom('memberships').select('organisation_id').where('account_id', '=', id).executeTakeFirstOrThrow();
  return row.organisation_id;
};
const webhooks = ({ world }: Portal) => world.database.query.selectFrom('audit_webhooks').selectAll().execute();

forEachPortal((open, engine) => {
  test('outside development no address of this machine or a private network is taken, in any spelling, nor http, a password or anything odd', async () => {
    const portal = await open();
    const owner = await foundOrganisation(portal);
    const organisation = await organisationOf(portal, owner);
    const { browser } = owner;
    const answer = async (address: string): Promise<string> => {
      const page = await browser.post(WEBHOOK, { organisation, address });
      assert.equal(page.status, address.length > 4096 ? 413 : 422, address.slice(0, 100));
      return page.alert;
    };
    for (const host of [
      '127.0.0.1',
      'localhost',
      'localhost.',
      'log.localhost',
      '169.254.169.254',
      '10.1.2.3',
      '192.168.0.1',
      '172.16.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:a00:1]',
      '2130706433',
      '0x7f000001',
      '017700000001',
      '127.1',
      '0',
      '[fd00::1]',
      '[64:ff9b::7f00:1]',
    ])
      // prettier-ignore
      assert.match(await answer(`https://${host}:8443/x`), /private network/, host);
    for (const address of ['http://example.org/', 'http://127.0.0.1/', 'ftp://example.org/', 'file:///etc/passwd', 'gopher://example.org/', 'data:text/html,x'])
      assert.match(await answer(address), /https:\/\/|such as/, address);
    for (const address of [
      '',
      'example.org',
      'https://',
      'https://user:password@example.org/',
      'https://user@example.org',
      'https://example.org/#x',
      'https://exa mple.org/',
      'https://example.org/\r\nx: y',
      `https://example.org/${'x'.repeat(1000)}`,
      'x'.repeat(10_000),
      '"><script>alert(1)</script>',
    ])
      await answer(address);
    assert.doesNotMatch(browser.page.body, /<script>alert/);
    assert.deepEqual(await webhooks(portal), []);
  });

  test('a name that leads inwards is told when a connection is made, each time, and nothing is sent', async () => {
    await using receiver = await Receiver.start();
    const portal = await open({ installation: { development: true } });
    const owner = await foundOrganisation(portal);
    const organisation = await organisationOf(portal, owner);
    await owner.browser.post(WEBHOOK, { organisation, address: receiver.url });
    await chainNew(portal.world);
    // The same portal, no longer for development: an address that got in while it was.
    const world = { ...portal.world, database: portal.world.database, installation: { ...portal.world.installation, development: false } };
    assert.equal(await deliverWebhooks(world), 0);
    assert.equal(receiver.received.length, 0);
    assert.equal((await webhooks(portal))[0]!.last_failure, 'its address is of a private network, where nothing is sent');
    portal.clock.advance(minutes(1));
    assert.equal(await deliverWebhooks(portal.world), 1, 'nothing was lost');
  });

  let portal: Portal;
  let ours: Person;
  let theirs: Person;
  let receiver: Receiver;
  let secret: string;
  before(async () => {
    receiver = await Receiver.start();
    portal = await open({ installation: { development: true } });
    ours = await foundOrganisation(portal);
    theirs = await portal.newcomer({ name: 'Theodora Other' }).join();
    const { id } = await accountOf(portal, theirs.email);
    await portal.world.database.transaction((transaction) => createOrganisation(portal.world, transaction, { name: 'Cranes Ltd', owner: id, from: FROM }));
    await ours.browser.post(WEBHOOK, { organisation: await organisationOf(portal, ours), address: receiver.url });
    secret = ours.browser.page.root.querySelector('.key')!.text;
  });
  after(() => receiver[Symbol.asyncDispose]());

  test('AD-3 nothing of another organisation is streamed, however much of it lies between', async () => {
    for (let time = 0; time < 5; time++) {
      await theirs.signOut();
      await theirs.signIn();
    }
    await joinAs(portal, theirs, 'Member', portal.newcomer({ name: 'Cleo Crane' }));
    await ours.signOut();
    await ours.signIn();
    await chainNew(portal.world);
    assert.equal(await deliverWebhooks(portal.world), 1);
    const text = JSON.stringify(receiver.received);
    assert.match(text, /authn_login_success/);
    assert.doesNotMatch(text, /Theodora|Cleo|Cranes/);
  });

  test('LO-2: address and secret are sealed in the database, on no page, in no event, log line or mail; an auditor sees the host alone', async () => {
    const auditor = await joinAs(portal, ours, 'Auditor');
    await ours.browser.visit(WEBHOOK);
    await auditor.browser.visit(WEBHOOK);
    assert.ok(auditor.browser.page.has(`127.0.0.1:${receiver.port}`));
    const { query } = portal.world.database;
    const rows = (await webhooks(portal)).map(({ receiver: sealed, ...row }) => ({ ...row, sealed: Buffer.from(sealed).toString('latin1') }));
    const everywhere = [
      JSON.stringify(rows),
      JSON.stringify(await query.selectFrom('audit_events').selectAll().execute()),
      JSON.stringify(portal.world.log.lines),
      JSON.stringify(portal.mail.mails),
      auditor.browser.page.body,
    ].join('\n');
    for (const hidden of [secret, secret.slice(6), 'of-the-receiver']) assert.ok(!everywhere.includes(hidden), hidden);
    assert.ok(!ours.browser.page.body.includes(secret), 'not shown a second time');
  });

  test('AD-3, LO-1 an auditor sets, tests, pauses and removes nothing; and that they tried is in the log', async () => {
    const organisation = await organisationOf(portal, ours);
    const auditor = await joinAs(portal, ours, 'Auditor');
    const unchanged = await webhooks(portal);
    for (const verb of ['', '/test', '/pause', '/resume', '/remove'])
      assert.equal((await auditor.browser.post(WEBHOOK + verb, { organisation, address: 'https://evil.example/' })).status, 403, verb);
    assert.deepEqual(await webhooks(portal), unchanged);
    const { id } = await accountOf(portal, auditor.email);
    const tried = portal.world.database.query.selectFrom('audit_events').select('details').where('event', '=', 'authz_fail').where('account_id', '=', id);
    assert.deepEqual(
      (await tried.execute()).map(({ details }) => JSON.parse(details) as unknown),
      Array.from({ length: 5 }, () => ({ organisation, action: 'set-webhook', by: id })),
    );
    await ours.browser.visit('/admin/audit?result=refused');
    assert.match(ours.browser.page.text, /Tried what their role does not allow: set webhook Refused/);
  });

  test('a process that dies after it has sent loses nothing and makes nothing new: the same batch comes again under the same id', async () => {
    receiver.received.length = 0;
    await ours.signOut();
    await ours.signIn();
    await chainNew(portal.world);
    // It is gone before it can note that the receiver said yes.
    const { query } = portal.world.database;
    const [sent] = await webhooks(portal);
    await deliverWebhooks(portal.world);
    const [noted] = await webhooks(portal);
    await query
      .updateTable('audit_webhooks')
      .set({ position: sent!.position, batch_end: noted!.position, leased_until: portal.clock.now() + minutes(1) })
      .execute();
    assert.equal(await deliverWebhooks(portal.world), 0, 'somebody may still be at it');
    portal.clock.advance(minutes(1));
    await ours.signOut();
    await ours.signIn();
    await chainNew(portal.world);
    assert.equal(await deliverWebhooks(portal.world), 2);
    const [first, second, third] = receiver.received;
    assert.equal(second!.headers['webhook-id'], first!.headers['webhook-id']);
    assert.deepEqual((JSON.parse(second!.body) as { events: unknown }).events, (JSON.parse(first!.body) as { events: unknown }).events);
    assert.notEqual(third!.headers['webhook-id'], first!.headers['webhook-id']);
    assert.ok(receiver.received.every((one) => isSigned(one, secret)));
  });

  test('two processes that deliver at once send each batch once', async () => {
    receiver.received.length = 0;
    await ours.signOut();
    await ours.signIn();
    await chainNew(portal.world);
    if (engine === 'postgres') {
      await using other = await portal.world.secondProcess();
      await Promise.all([deliverWebhooks(portal.world), deliverWebhooks(other), deliverWebhooks(portal.world), deliverWebhooks(other)]);
    } else await Promise.all([deliverWebhooks(portal.world), deliverWebhooks(portal.world), deliverWebhooks(portal.world)]);
    assert.equal(receiver.received.length, 1);
  });

  test('removed while a message is on its way, nothing comes back to life', async () => {
    receiver.received.length = 0;
    await ours.signOut();
    await ours.signIn();
    await chainNew(portal.world);
    const organisation = await organisationOf(portal, ours);
    receiver.meanwhile = () => ours.browser.post(`${WEBHOOK}/remove`, { organisation });
    await deliverWebhooks(portal.world);
    receiver.meanwhile = async () => undefined;
    assert.equal(receiver.received.length, 1);
    assert.deepEqual(await webhooks(portal), []);
    assert.equal(await deliverWebhooks(portal.world), 0);
  });
});
