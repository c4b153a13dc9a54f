/** The outbox against a real SMTP server that is down, puts off, refuses or hangs up, and against processes that die or race: no mail is lost, none is sent twice. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { hours, minutes, seconds } from '../../src/platform/durations.ts';
import { CONNECTIONS_MOST, deliverDue, post, type Outgoing, type Transport } from '../../src/platform/mail/mail.ts';
import type { Message } from '../../src/platform/mail/message.ts';
import { smtpTransport } from '../../src/platform/mail/smtp.ts';
import type { World } from '../../src/platform/world.ts';
import { Faults, withFaults } from '../support/faults.ts';
import { startMailServer, type MailServer } from '../support/mail-server.ts';
import { forEachDatabase, type TestWorld } from '../support/world.ts';

const letter = (address: string, more: Partial<Message> = {}): Message => ({
  to: { name: 'Ada', address },
  subject: 'A notice',
  code: undefined,
  paragraphs: ['Something happened.'],
  link: undefined,
  asked: undefined,
  notYou: 'If not, tell us.',
  expiresAt: undefined,
  ...more,
});

async function postAll(world: World, addresses: readonly string[], more: Partial<Message> = {}): Promise<void> {
  await world.database.transaction((transaction) =>
    post(
      world,
      transaction,
      addresses.map((address) => letter(address, more)),
    ),
  );
}

const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `person${String(index).padStart(2, '0')}@example.org`);
const waiting = async ({ database }: World): Promise<number> => (await database.query.selectFrom('outbox').select('id').execute()).length;
const receivers = (inbox: readonly { to: readonly string[] }[]): string[] => inbox.flatMap(({ to }) => to).toSorted((one, other) => (one < other ? -1 : 1));

forEachDatabase((_engine, make) => {
  let server: MailServer;
  let transport: Transport;
  let world: TestWorld;
  before(async () => {
    server = await startMailServer();
    transport = smtpTransport(server.url, { name: 'Example', address: 'portal@example.com' });
    world = await make();
  });
  after(async () => {
    transport.close();
    await server.close();
  });
  beforeEach(async () => {
    await server.comeBack();
    server.clear();
    Object.assign(server.faults, { reject: () => false, defer: () => false, dropAfterData: false });
    await world.database.query.deleteFrom('outbox').execute();
  });

  /** All that is due, until nothing more is taken. */
  async function deliverAll(where: World = world): Promise<void> {
    while ((await deliverDue(where, transport)) > 0);
  }

  test('a mail server that is down loses nothing, and what waited comes once when it is back', async () => {
    await server.goDown();
    await postAll(world, people(5));
    await deliverAll();
    assert.equal(await waiting(world), 5);
    await deliverAll();
    assert.equal(server.inbox.length, 0, 'Not tried again at once.');
    await server.comeBack();
    await deliverAll();
    assert.equal(server.inbox.length, 0, 'Nor before the pause is over.');
    world.clock.advance(seconds(10));
    await deliverAll();
    assert.deepEqual(receivers(server.inbox), people(5));
    assert.equal(await waiting(world), 0);
  });

  test('the pauses between tries grow to an hour, and after two days the mail is given up, which is logged', async () => {
    server.faults.defer = () => true;
    await postAll(world, ['ada@example.org']);
    const started = world.clock.now();
    const tries: number[] = [];
    while ((await waiting(world)) > 0) {
      const logged = world.log.lines.length;
      await deliverAll();
      if (world.log.lines.slice(logged).some(({ event }) => event === 'mail not sent')) tries.push(world.clock.now() - started);
      world.clock.advance(seconds(10));
      if (tries.length > 6) world.clock.advance(minutes(29));
    }
    assert.deepEqual(tries.slice(0, 6), [0, seconds(10), seconds(40), seconds(100), seconds(400), seconds(1300)]);
    assert.ok(tries.slice(7).every((at, index) => at - tries[index + 6]! >= hours(1)));
    assert.ok(tries.at(-1)! < hours(48) && world.clock.now() - started >= hours(48));
    assert.ok(world.log.lines.some(({ level, event }) => level === 'warn' && event === 'mail expired'));
    assert.equal(server.inbox.length, 0);
  });

  test('a server that puts off one recipient holds up nobody else, and who was put off gets it later, once', async () => {
    server.faults.defer = (address) => address === 'person01@example.org';
    await postAll(world, people(4));
    await deliverAll();
    assert.deepEqual(
      receivers(server.inbox),
      people(4).filter((address) => address !== 'person01@example.org'),
    );
    server.faults.defer = () => false;
    world.clock.advance(seconds(10));
    await deliverAll();
    assert.deepEqual(receivers(server.inbox), people(4));
  });

  test('an address that the server does not know is given up at once, and holds up nobody else', async () => {
    server.faults.reject = (address) => address === 'person02@example.org';
    await postAll(world, people(4));
    await deliverAll();
    assert.deepEqual(
      receivers(server.inbox),
      people(4).filter((address) => address !== 'person02@example.org'),
    );
    assert.equal(await waiting(world), 0);
    assert.ok(world.log.lines.some(({ level, event }) => level === 'warn' && event === 'mail refused'));
  });

  test('where the server hangs up instead of answering, the mail goes again under the same Message-ID', async () => {
    server.faults.dropAfterData = true;
    await postAll(world, ['ada@example.org']);
    await deliverAll();
    assert.equal(await waiting(world), 1);
    server.faults.dropAfterData = false;
    world.clock.advance(seconds(10));
    await deliverAll();
    assert.equal(await waiting(world), 0);
    const ids = server.inbox.map(({ headers }) => headers.get('message-id'));
    assert.equal(ids.length, 2);
    assert.equal(new Set(ids).size, 1);
  });

  test('after a long night a code that is past its time is not sent, and a notice is', async () => {
    await server.goDown();
    await postAll(world, ['code@example.org'], { code: '123456', expiresAt: world.clock.now() + minutes(10) });
    await postAll(world, ['notice@example.org']);
    await deliverAll();
    world.clock.advance(hours(9));
    await server.comeBack();
    await deliverAll();
    assert.deepEqual(receivers(server.inbox), ['notice@example.org']);
    assert.equal(await waiting(world), 0);
  });

  test('two processes that deliver at once send each mail once', async () => {
    await using other = await world.secondProcess();
    await postAll(world, people(40));
    const transports = [transport, smtpTransport(server.url, { name: 'Example', address: 'portal@example.com' })] as const;
    const loops = [world, other].map(async (process, index) => {
      while ((await waiting(process)) > 0) {
        await deliverDue(process, transports[index]!);
        // SQLite answers at once: without this nothing else would get its turn.
        await new Promise(setImmediate);
      }
    });
    await Promise.all(loops);
    transports[1].close();
    assert.deepEqual(receivers(server.inbox), people(40));
  });

  test('what the server has taken is not sent again where the database could not be told so', async () => {
    const faults = new Faults();
    const { world: faulty } = withFaults(world, faults);
    await postAll(world, ['ada@example.org']);
    const unnoted = new Set<string>();
    // Reading what is due, claiming it, and then the note.
    faults.failAt(3);
    await assert.rejects(deliverDue(faulty, transport, unnoted), /did not reach the database/);
    assert.equal(server.inbox.length, 1);
    assert.equal(await waiting(world), 1);
    faults.heal();
    world.clock.advance(hours(1));
    await deliverDue(faulty, transport, unnoted);
    assert.equal(await waiting(world), 0);
    assert.equal(server.inbox.length, 1);
  });

  test('only what is on its way is claimed, so that a process that dies holds up no more than that, and not for long', async () => {
    const begun: Outgoing[] = [];
    // A server that never answers, and a process that never comes back.
    const stuck: Transport = { keepsSent: false, send: (mail) => new Promise(() => begun.push(mail)), close: () => undefined };
    await using dying = await world.secondProcess();
    await postAll(world, people(10));
    void deliverDue(dying, stuck);
    while (begun.length < CONNECTIONS_MOST) await new Promise(setImmediate);
    await deliverAll();
    assert.equal(begun.length, CONNECTIONS_MOST);
    assert.equal(server.inbox.length, 10 - CONNECTIONS_MOST);
    world.clock.advance(minutes(3));
    await deliverAll();
    assert.equal(server.inbox.length, 10 - CONNECTIONS_MOST, 'It may still be alive.');
    world.clock.advance(minutes(1));
    await deliverAll();
    assert.deepEqual(receivers(server.inbox), people(10));
  });
});
