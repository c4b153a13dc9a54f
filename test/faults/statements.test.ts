/**
 * Each form of every flow, with each operation of the database failing in turn while it is answered. Whatever fails: nobody is let in, either
 * everything happened or nothing did, and who tries again gets to where they would have been.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { minutes } from '../../src/platform/durations.ts';
import { Faults, withFaults } from '../support/faults.ts';
import { keyInFile } from '../support/person.ts';
import { Portal } from '../support/portal.ts';
import { readRows, type Rows } from '../support/rows.ts';
import type { Visitor } from '../support/visitor.ts';
import { forEachDatabase, makeTestWorld } from '../support/world.ts';
import { nameOf, recordFlows, rewind, type Recorded } from './recorded-flows.ts';

forEachDatabase((engine) => {
  /** On PostgreSQL, which takes longer, every ninth: each operation of the product is still one of some form's. */
  const stride = engine === 'sqlite' ? 1 : 9;
  let portal: Portal;
  let faults: Faults;
  let recorded: readonly Recorded[];
  let present: Rows | undefined;
  before(async () => {
    faults = new Faults();
    faults.armed = false;
    const { world } = withFaults(await makeTestWorld({ engine, ...(engine === 'sqlite' ? { path: ':memory:' } : {}) }), faults);
    portal = await Portal.over(world);
    recorded = await recordFlows(portal, faults);
  });
  after(() => portal.close());

  /** Sends the form from where it was sent, with what `plan` lets fail. */
  async function again(one: Recorded, plan: () => void) {
    await rewind(portal, one, present);
    return resend(one, plan);
  }

  /** Sends it from where the portal is now. */
  async function resend(one: Recorded, plan: () => void) {
    plan();
    faults.armed = true;
    const response = await portal.app.inject(one.request);
    faults.armed = false;
    present = await readRows(portal.world.database);
    return { response, rows: present, failed: faults.failed };
  }

  test('the flows take the ways that are meant', () => {
    assert.ok(recorded.length >= 56, String(recorded.length));
    for (const one of recorded) assert.ok([200, 303, 401, 422].includes(one.status) && one.operations > 1, `${nameOf(one)}: ${one.status}`);
    const wrong = recorded.filter((one) => one.status !== 303 && one.status !== 200).map((one) => one.flow);
    assert.deepEqual(wrong, ['signing in by app, after a wrong code', 'signing in by app, after a wrong code']);
  });

  test('RL-10: whichever statement, beginning or commit fails, it says so, nobody is let in, and nothing has happened but the counting of the try', async () => {
    for (const [index, one] of recorded.entries()) {
      for (let operation = 1 + (index % stride); operation <= one.operations; operation += stride) {
        const { response, rows, failed } = await again(one, () => faults.failAt(operation));
        const where = `${nameOf(one)}, operation ${operation} of ${one.operations}`;
        assert.equal(failed, 1, where);
        checkRefused(response, where);
        assert.deepEqual(without(rows, 'limits'), without(one.before, 'limits'), where);
        // Where not even a try was counted, trying again is the same as having tried now, which the next test does.
        if (JSON.stringify(rows) === JSON.stringify(one.before)) continue;
        const { response: second, rows: end } = await resend(one, () => faults.heal());
        assert.deepEqual(
          shapeOf({ status: second.statusCode, location: second.headers.location, rows: end }),
          shapeOf(recordedShape(one)),
          `${where}, then again`,
        );
      }
    }
  });

  test('sent again with nothing failing, each form does what it did the first time', async () => {
    for (const one of recorded) {
      const { response, rows } = await again(one, () => faults.heal());
      assert.deepEqual(shapeOf({ status: response.statusCode, location: response.headers.location, rows }), shapeOf(recordedShape(one)), nameOf(one));
    }
  });

  test('RL-10: while the database is down, from whichever operation on, nobody is let in', async () => {
    for (const [index, one] of recorded.entries()) {
      for (let operation = 1 + (index % (2 * stride)); operation <= one.operations; operation += 2 * stride) {
        const { response, rows } = await again(one, () => faults.failFrom(operation));
        const where = `${nameOf(one)}, down from operation ${operation} of ${one.operations}`;
        checkRefused(response, where);
        assert.deepEqual(without(rows, 'limits'), without(one.before, 'limits'), where);
      }
    }
  });

  test('where a commit came through and its answer was lost, nobody is let in, and the person gets in with what they have at hand', async () => {
    for (const one of recorded.filter((_, index) => index % (stride === 1 ? 1 : 3) === 0)) {
      for (let transaction = 1; transaction <= one.transactions; transaction += 1) {
        const { response } = await again(one, () => faults.loseAnswerOf(transaction));
        const where = `${nameOf(one)}, the answer to transaction ${transaction} of ${one.transactions} lost`;
        checkRefused(response, where);
        // Who saw an error when signing up signs up again; everybody else has an account to get into.
        if (one.request.url === '/sign-up') assert.equal((await resend(one, () => faults.heal())).response.headers.location, one.location, where);
        else await assertGetsIn(portal, one, where);
        present = undefined;
      }
    }
  });
});

function checkRefused({ statusCode, body, cookies }: Awaited<ReturnType<Portal['app']['inject']>>, where: string): void {
  assert.equal(statusCode, 500, where);
  assert.match(body, /Something went wrong/, where);
  for (const { name, value } of cookies) assert.ok(!/session|attempt|reset/.test(name) || value === '', `${where} sets ${name}`);
}

const without = (rows: Rows, table: string): Rows => ({ ...rows, [table]: [] });

const recordedShape = ({ status, location, after: rows }: Recorded) => ({ status, location, rows });

/** What is the same however the dice fall: the answer, and how many rows of what there are. */
function shapeOf({ status, location, rows }: { status: number; location: unknown; rows: Rows }): unknown {
  const counts = Object.fromEntries(Object.entries(rows).map(([table, all]) => [table, all.length]));
  const events = rows['audit_events']!.map((row) => row['event']).toSorted((one, two) => (String(one) < String(two) ? -1 : 1));
  return { status, location: String(location), counts, events };
}

/** With a password that the person knows and, where a second factor is asked for, a Recovery Key that they hold. */
async function assertGetsIn(portal: Portal, { flow, person, emails, passwords, keys, request }: Recorded, where: string): Promise<void> {
  // A key that an attempt has begun to use serves that attempt alone for half an hour, and then everybody who has it.
  for (const [email, password, wait] of emails.flatMap((one) =>
    passwords.flatMap((other) => [0, minutes(31)].map((longer) => [one, other, longer] as const)),
  )) {
    portal.clock.advance(wait);
    person.email = email;
    for (const key of [undefined, ...keys]) {
      const browser = portal.browser({ checkHtml: false });
      // An account that is not verified is entered from the browser that made it alone.
      if (flow === 'signing up') browser.cookies.set('twinlock-browser', /twinlock-browser=([\w-]+)/.exec(String(request.headers!['cookie']))![1]!);
      await person.enterPassword(browser, password);
      // Under the policy, who has no second factor yet is led to one.
      if (browser.page.path === '/sign-in/set-up') return;
      if (key !== undefined && /^Enter your code|^Check your email/.test(browser.page.heading)) await useKey(browser, key);
      await browser.visit('/account');
      if (browser.page.path === '/account') return;
    }
  }
  assert.fail(`${where}: locked out.`);
}

async function useKey(browser: Visitor, key: string): Promise<void> {
  await browser.press('Try another way');
  await browser.press(browser.page.buttonStartingWith('Recovery Key'));
  browser.fill('Recovery Key', key);
  await browser.press('Continue');
  if (!browser.page.hasButton('Download')) return;
  await browser.press('Download');
  keyInFile(browser.download!.text);
  await browser.press('Finish');
}
