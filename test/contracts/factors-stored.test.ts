/** What every factor owes once it is stored: sealed, counted, used once however many race, and gone when removed; on both databases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signUp, verifyEmail } from '../../src/accounts/accounts.ts';
import * as attempts from '../../src/attempts/attempts.ts';
import { commandLine as from } from '../../src/audit/audit.ts';
import type { Engine } from '../../src/platform/database/database.ts';
import type { Message } from '../../src/platform/mail/message.ts';
import { answerFactor, enrol, listFactors, removeFactor, toolsOf, type Occasion, type Person } from '../../src/factors/factors.ts';
import { days, hours } from '../../src/platform/durations.ts';
import { parseEmailAddress } from '../../src/platform/mail/address.ts';
import { Problem } from '../../src/platform/problem.ts';
import type { World } from '../../src/platform/world.ts';
import { forEachDatabase, type TestWorld } from '../support/world.ts';
import { examples, type Example } from './factor-examples.ts';

const occasion: Occasion = { attemptId: 'attempt', purpose: 'sign-in', reason: 'to sign in', userAgent: 'Firefox', address: '192.0.2.7' };

async function signedUp(world: World, email: string): Promise<Person> {
  return world.database.transaction(async (transaction) => {
    const account = await signUp(world, transaction, {
      email: parseEmailAddress(email)!,
      name: 'Ada',
      passwordHash: 'none',
      language: 'en',
      browserToken: 'browser',
    });
    await verifyEmail(world, transaction, account.id);
    return { accountId: account.id, name: account.name, email: account.email, language: account.language };
  });
}

/** A person with one factor, enrolled as the flows do it. */
async function personWith(world: World, { factor, enrol: setUp }: Example, email = 'ada@example.org'): Promise<{ person: Person; id: string }> {
  const person = await signedUp(world, email);
  const state = setUp(toolsOf(world), person, { ...occasion, purpose: 'enrol' });
  const id = await world.database.transaction((transaction) =>
    enrol(world, transaction, { accountId: person.accountId, kind: factor.kind, name: 'one', state }),
  );
  assert.ok(id);
  return { person, id };
}

/** Asks for the factor, and gives what is right and a way to try. */
async function asked(world: World, { factor, rightAnswer }: Example, person: Person) {
  const { challenge, messages } = (factor.challenge?.(toolsOf(world), person, occasion) ?? { messages: [] }) as {
    challenge?: unknown;
    messages: readonly Message[];
  };
  const [held] = (await listFactors(world, world.database.query, person.accountId)).filter((one) => one.kind === factor.kind);
  return {
    right: rightAnswer({ state: held?.state, messages, now: world.clock.now() }),
    answer: (answer: string, where = world, attemptId = occasion.attemptId) =>
      where.database.transaction(async (transaction) => {
        const enrolled = await listFactors(where, transaction, person.accountId);
        return answerFactor(where, transaction, { kind: factor.kind, enrolled, challenge, answer, person, occasion: { ...occasion, attemptId } });
      }),
  };
}

/** Enters `count` wrong answers, after each the longest pause that there is. */
async function fail(world: TestWorld, example: Example, { person, count }: { person: Person; count: number }): Promise<void> {
  for (let failures = 1; failures <= count; failures++) {
    const { right, answer } = await asked(world, example, person);
    assert.deepEqual(await answer(example.wrongAnswer(right)), { ok: false, reason: 'code-wrong', failures });
    world.clock.advance(hours(1));
  }
}

/**
 * Who races: a second process on PostgreSQL. On SQLite all calls of one thread share its connection, since a second one would block the very
 * thread that the first needs to finish; the lock between processes is the database's own.
 */
const besides = async (engine: Engine, world: TestWorld): Promise<TestWorld> => (engine === 'postgres' ? world.secondProcess() : world);

forEachDatabase((engine, make) => {
  for (const example of examples) {
    const { factor } = example;
    const { kind } = factor;

    test(`${kind}: a right answer is accepted, says when it was used, and what the account has from now on`, async () => {
      const world = await make();
      const { person, id } = await personWith(world, example);
      const { right, answer } = await asked(world, example, person);
      const answered = await answer(right);
      const held = await listFactors(world, world.database.query, person.accountId);
      assert.deepEqual(answered, { ok: true, id, enrolled: held });
      assert.equal(held[0]?.lastUsedAt, world.clock.now());
    });

    test(`CR-1, ${kind}: what is stored is sealed, and of no use in another row`, async () => {
      const world = await make();
      const { person, id } = await personWith(world, example);
      const eve = await personWith(world, example, 'eve@example.org');
      const rows = await world.database.query.selectFrom('factors').selectAll().execute();
      const state = rows.find((row) => row.id === id)!.state;
      const [held] = await listFactors(world, world.database.query, person.accountId);
      for (const value of Object.values(held!.state as object)) {
        if (typeof value === 'string') assert.ok(!Buffer.from(state).includes(value), 'in the clear');
      }
      await world.database.query.updateTable('factors').set({ state }).where('id', '=', eve.id).execute();
      await assert.rejects(listFactors(world, world.database.query, eve.person.accountId));
    });

    test(`RL-1, RL-4, ${kind}: the 5th wrong answer brings a pause, in which the right one is not looked at`, async () => {
      const world = await make();
      const { person } = await personWith(world, example);
      const { right, answer } = await asked(world, example, person);
      for (let tries = 0; tries < 20; tries++) assert.deepEqual(await answer('no such thing'), { ok: false, reason: 'code-malformed', failures: 0 });
      for (let failures = 1; failures <= 5; failures++)
        assert.deepEqual(await answer(example.wrongAnswer(right)), { ok: false, reason: 'code-wrong', failures });
      const paused = await answer(right);
      assert.ok(!paused.ok && paused.reason === 'too-many-tries' && typeof paused.retryAt === 'number' && paused.retryAt > world.clock.now());
      world.clock.set(paused.retryAt);
      const later = await asked(world, example, person);
      assert.ok((await later.answer(later.right)).ok);
      const after = await asked(world, example, person);
      const wrong = await after.answer(example.wrongAnswer(after.right));
      assert.ok(!wrong.ok && wrong.reason === 'code-wrong' && wrong.failures === 1, 'a success clears the count');
    });

    test(`RL-1, ${kind}: after 50 wrong answers it has stopped, until it is set up again`, async () => {
      const world = await make();
      const { person, id } = await personWith(world, example);
      await fail(world, example, { person, count: 50 });
      world.clock.advance(days(1));
      const stopped = await asked(world, example, person);
      assert.deepEqual(await stopped.answer(stopped.right), { ok: false, reason: 'too-many-tries', retryAt: 'never' });
      const state = example.enrol(toolsOf(world), person, occasion);
      await world.database.transaction(async (transaction) => {
        await removeFactor(transaction, person.accountId, id);
        assert.ok(await enrol(world, transaction, { accountId: person.accountId, kind, name: 'again', state }));
      });
      const again = await asked(world, example, person);
      assert.ok((await again.answer(again.right)).ok);
    });

    test(`RL-5, ${kind}: of 20 wrong answers at once, five are looked at`, async () => {
      const world = await make();
      await using other = await besides(engine, world);
      const { person } = await personWith(world, example);
      const { right, answer } = await asked(world, example, person);
      const answered = await Promise.all(Array.from({ length: 20 }, (_, index) => answer(example.wrongAnswer(right), index % 2 ? world : other)));
      assert.equal(answered.filter((one) => !one.ok && one.reason === 'code-wrong').length, 5);
      assert.equal(answered.filter((one) => !one.ok && one.reason === 'too-many-tries').length, 15);
    });

    test(`TO-4, EC-3, RK-3, ${kind}: of 20 right answers at once from one attempt, one is accepted`, async () => {
      const world = await make();
      await using other = await besides(engine, world);
      const { person } = await personWith(world, example);
      const { right, tries } = await race(world, example, person);
      const settled = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => tries(right, index % 2 ? world : other)));
      const accepted = settled.filter((one) => one.status === 'fulfilled' && one.value);
      assert.equal(accepted.length, 1);
      for (const one of settled) if (one.status === 'rejected') assert.ok(one.reason instanceof Problem && one.reason.code === 'conflict', String(one.reason));
    });

    if (!factor.challenge) {
      test(`TO-4, RK-3, ${kind}: of 20 right answers at once from 20 attempts, one is accepted`, async () => {
        const world = await make();
        await using other = await besides(engine, world);
        const { person } = await personWith(world, example);
        const { right, answer } = await asked(world, example, person);
        const answered = await Promise.all(Array.from({ length: 20 }, (_, index) => answer(right, index % 2 ? world : other, `attempt ${index}`)));
        assert.equal(answered.filter((one) => one.ok).length, 1);
        for (const one of answered) assert.ok(one.ok || one.reason === 'code-used' || one.reason === 'too-many-tries', JSON.stringify(one));
      });
    }

    test(`${kind}: once removed it opens nothing, and a restart changes nothing about that`, async () => {
      const world = await make();
      const { person, id } = await personWith(world, example);
      const { right, answer } = await asked(world, example, person);
      await world.database.transaction((transaction) => removeFactor(transaction, person.accountId, id));
      assert.equal((await answer(right)).ok, false);
      await using later = await world.restart();
      assert.deepEqual(await listFactors(later, later.database.query, person.accountId), []);
      assert.equal((await answer(right, later)).ok, false);
    });

    test(`${kind}: an account has ${factor.most} at most`, async () => {
      const world = await make();
      const person = await signedUp(world, 'ada@example.org');
      const enrolled = [];
      for (let count = 0; count <= factor.most; count++) {
        const state = example.enrol(toolsOf(world), person, occasion);
        enrolled.push(
          await world.database.transaction((transaction) => enrol(world, transaction, { accountId: person.accountId, kind, name: `${count}`, state })),
        );
      }
      assert.deepEqual(
        enrolled.map((id) => id !== undefined),
        [...Array.from({ length: factor.most }, () => true), false],
      );
    });
  }
});

/** Signs in up to the factor, and gives the way in which a browser answers. */
async function race(world: World, { factor, rightAnswer }: Example, person: Person) {
  const surroundings = { browserToken: 'browser', sessionProofs: {} };
  const holder = { attemptToken: 'token' };
  const situation = async (where: World, queries: World['database']['query']) => {
    const attempt = await attempts.findAttempt(where, queries, holder, 'sign-in');
    return attempt && attempts.situationOf(where, { queries, attempt, ...surroundings });
  };
  await world.database.transaction(async (transaction) => {
    const state = { proofs: { password: world.clock.now() }, asking: factor.kind };
    await attempts.beginAttempt(world, transaction, { holder, purpose: 'sign-in', accountId: person.accountId, state });
  });
  const begun = await situation(world, world.database.query);
  assert.ok(begun);
  const { attempt } = begun;
  const made: { challenge: unknown; messages: readonly Message[] } | undefined = factor.challenge?.(toolsOf(world), person, {
    ...occasion,
    attemptId: attempt.id,
  });
  if (made)
    await world.database.transaction((transaction) => attempts.saveAttempt(world, transaction, attempt, { challenges: { [factor.kind]: made.challenge } }));
  return {
    right: rightAnswer({ state: begun.enrolled[0]!.state, messages: made?.messages ?? [], now: world.clock.now() }),
    tries: (answer: string, where: World) =>
      where.database.transaction(async (transaction) => {
        const found = await situation(where, transaction);
        return (
          found !== undefined && !found.attempt.state.proofs[factor.kind] && (await attempts.answerSecondFactor(where, transaction, found, { answer, from })).ok
        );
      }),
  };
}
