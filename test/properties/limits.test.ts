/** The limits, held against what RL-1, EC-7 and the issue say in words, for any times at which people and guessers may come. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { days, hours, minutes, seconds } from '../../src/platform/durations.ts';
import {
  ADDRESS_GUESSES,
  API_REQUESTS,
  CODE_MAILS,
  FACTOR_GUESSES,
  networkOf,
  PASSWORD_GUESSES,
  RESET_REQUESTS,
  SIGN_UPS,
} from '../../src/platform/limits/limits.ts';
import { afterGuess, afterRequest, afterSend } from '../../src/platform/limits/may-try.ts';
import { runs } from '../support/property.ts';

const START = Date.UTC(2027, 1, 2, 9);
/** How long somebody waits before the next try; around the edges of every pause and window more often. */
const edges = [0, seconds(30), minutes(1), minutes(2), minutes(5), minutes(10), minutes(15), minutes(30), hours(1), days(1)];
const waits = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: seconds(40) }) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...edges), fc.integer({ min: -1, max: 1 })).map(([edge, off]) => Math.max(0, edge + off)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: hours(2) }) },
);

describe('wrong guesses', () => {
  const limits = fc.constantFrom(FACTOR_GUESSES, PASSWORD_GUESSES, ADDRESS_GUESSES);

  test('RL-1, property: from the free ones on every guess waits out a pause, pauses grow to an hour, and the stop is a stop', () => {
    fc.assert(
      fc.property(limits, fc.array(waits, { maxLength: 120 }), (limit, gaps) => {
        let now = START;
        let marks: readonly number[] = [];
        const looked: number[] = [];
        for (const gap of gaps) {
          now += gap;
          const { spent, marks: kept } = afterGuess(limit, marks, now);
          marks = kept;
          if (spent.allowed) {
            // What was quiet for long enough is forgotten.
            if (now - (looked.at(-1) ?? now) >= limit.forgetAfter) looked.length = 0;
            looked.push(now);
            assert.equal(spent.count, looked.length);
          } else if (spent.retryAt !== 'never') {
            assert.ok(spent.retryAt > now, 'A refusal names a time to come.');
            assert.ok(spent.retryAt <= now + hours(1), 'No pause is longer than an hour.');
            assert.ok(afterGuess(limit, marks, spent.retryAt).spent.allowed, 'At the time that is named it is allowed.');
          }
        }
        const between = looked.slice(1).map((at, index) => at - looked[index]!);
        between
          .slice(limit.free - 1)
          .forEach((pause, index) => assert.ok(pause >= Math.min(hours(1), seconds(30) * 2 ** Math.min(index, 1)), `${index}: ${pause}`));
        assert.ok(looked.length <= (limit.stopsAt ?? Infinity));
      }),
      runs(500),
    );
  });

  test('RL-1: who always comes as soon as it is allowed meets pauses that never shrink', () => {
    let now = START;
    let marks: readonly number[] = [];
    const pauses: number[] = [];
    for (let tries = 0; tries < 49; tries += 1) {
      marks = afterGuess(FACTOR_GUESSES, marks, now).marks;
      const { spent } = afterGuess(FACTOR_GUESSES, marks, now);
      const until = spent.allowed ? now : Number(spent.retryAt);
      pauses.push(until - now);
      now = until;
    }
    assert.deepEqual(pauses.slice(0, 5), [0, 0, 0, 0, seconds(30)]);
    assert.deepEqual(
      pauses,
      pauses.toSorted((one, other) => one - other),
    );
    assert.equal(pauses.at(-1), hours(1));
  });

  test('property: a clock that is set back gives no free tries, and locks nobody out for longer than the pause', () => {
    const steps = fc.array(fc.integer({ min: -days(2), max: days(2) }), { maxLength: 80 });
    fc.assert(
      fc.property(fc.constantFrom(FACTOR_GUESSES, ADDRESS_GUESSES), steps, (limit, moves) => {
        let now = START + days(400);
        let marks: readonly number[] = [];
        for (const move of moves) {
          const before = afterGuess(limit, marks, now);
          now += move;
          const { spent, marks: kept } = afterGuess(limit, marks, now);
          if (move <= 0 && !before.spent.allowed) assert.ok(!spent.allowed, 'What has to wait does not become allowed by setting the clock back.');
          if (!spent.allowed && spent.retryAt !== 'never') assert.ok(spent.retryAt <= now + hours(1), `Waits ${(spent.retryAt - now) / hours(1)} hours.`);
          marks = kept;
        }
      }),
      runs(500),
    );
  });
});

describe('sending', () => {
  const limits = fc.constantFrom(CODE_MAILS, SIGN_UPS, RESET_REQUESTS);

  test('EC-7, property: in no window is more sent than is allowed, and at the time that is named there is room', () => {
    fc.assert(
      fc.property(limits, fc.array(waits, { maxLength: 120 }), (limit, gaps) => {
        let now = START;
        let marks: readonly number[] = [];
        const sent: number[] = [];
        for (const gap of gaps) {
          now += gap;
          const decision = afterSend(limit, marks, now);
          marks = decision.marks;
          if (decision.spent.allowed) {
            sent.push(now);
            continue;
          }
          const retryAt = Number(decision.spent.retryAt);
          assert.ok(retryAt > now && retryAt <= now + hours(1));
          assert.ok(afterSend(limit, marks, retryAt).spent.allowed);
          assert.ok(!afterSend(limit, marks, retryAt - 1).spent.allowed, 'It is the first time at which there is room.');
        }
        for (const { count, window } of limit.allowances) {
          for (const from of sent) assert.ok(sent.filter((at) => at >= from && at < from + window).length <= count, `More than ${count} within ${window} ms.`);
        }
      }),
      runs(500),
    );
  });

  test('property: a clock that is set back lets nothing more through, and closes the door for no longer than the window', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -days(2), max: days(2) }), { maxLength: 80 }), (moves) => {
        let now = START + days(400);
        let marks: readonly number[] = [];
        for (const move of moves) {
          const before = afterSend(CODE_MAILS, marks, now);
          now += move;
          const { spent, marks: kept } = afterSend(CODE_MAILS, marks, now);
          if (move <= 0 && !before.spent.allowed) assert.ok(!spent.allowed);
          if (!spent.allowed) assert.ok(Number(spent.retryAt) <= now + hours(1), `Waits ${(Number(spent.retryAt) - now) / hours(1)} hours.`);
          marks = kept;
        }
      }),
      runs(500),
    );
  });
});

describe('what counts as one client', () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  const groups = fc.array(group, { minLength: 8, maxLength: 8 });

  /** Each of the ways in which RFC 4291 (2.2) lets an address be written. */
  const written = (parts: readonly number[]): string[] => {
    const plain = parts.map((part) => part.toString(16));
    const ways = [
      plain.join(':'),
      plain.map((part) => part.padStart(4, '0').toUpperCase()).join(':'),
      new URL(`http://[${plain.join(':')}]`).hostname.slice(1, -1),
    ];
    const zero = plain.indexOf('0');
    if (zero !== -1) ways.push([...plain.slice(0, zero), '', ...plain.slice(zero + 1)].join(':').replace(/^:|:$/g, '::'));
    return ways;
  };

  test('RL-3, property: a household’s /64 is one client however an address is written, and another /64 is another', () => {
    fc.assert(
      fc.property(groups, groups, (one, other) => {
        const [network] = new Set(written(one).map(networkOf));
        for (const way of written(one)) assert.equal(networkOf(way), network, way);
        for (const way of written([...one.slice(0, 4), ...other.slice(4)])) assert.equal(networkOf(way), network, way);
        const same = one.slice(0, 4).join() === other.slice(0, 4).join();
        for (const way of written(other)) assert.equal(networkOf(way) === network, same, `${way} and ${written(one)[0]}`);
      }),
      runs(500),
    );
  });

  test('property: an IPv4 address is itself', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), (address, six) => {
        assert.equal(networkOf(address), address);
        assert.notEqual(networkOf(six), address);
      }),
      runs(200),
    );
  });
});

describe('requests of a program', () => {
  test('property: in no minute more than twice what a minute allows, in no long time more than evenly, and what is refused names the moment from which it is not', () => {
    const gaps = fc.array(fc.oneof(fc.constantFrom(0, 0, 0, 1), fc.integer({ min: 0, max: seconds(2) }), fc.integer({ min: 0, max: minutes(2) })), {
      maxLength: 900,
    });
    fc.assert(
      fc.property(gaps, fc.constantFrom(API_REQUESTS, { ...API_REQUESTS, count: 7 }), (waits_, limit) => {
        let now = START;
        let marks: readonly number[] = [];
        const allowed: number[] = [];
        for (const gap of waits_) {
          now += gap;
          const { spent, marks: kept } = afterRequest(limit, marks, now);
          marks = kept;
          if (spent.allowed) allowed.push(now);
          else {
            assert.ok(Number(spent.retryAt) > now && Number(spent.retryAt) <= now + limit.window);
            assert.ok(afterRequest(limit, marks, Number(spent.retryAt)).spent.allowed, 'At the time that is named it is allowed.');
          }
          assert.equal(marks.length, 1);
        }
        assert.ok(allowed.length <= limit.count + ((now - START) * limit.count) / limit.window + 1, 'never more than at once and then evenly');
        allowed.forEach((at, index) => {
          const within = allowed.slice(index).filter((other) => other < at + limit.window).length;
          assert.ok(within <= 2 * limit.count, `${within} in one minute`);
        });
      }),
      runs(60),
    );
  });

  test('a clock that is set back shuts nobody out for longer than a minute', () => {
    const { marks } = afterRequest(API_REQUESTS, [START + days(1)], START);
    assert.ok(marks[0]! <= START + minutes(1));
    assert.ok(afterRequest(API_REQUESTS, marks, START + minutes(1)).spent.allowed);
  });
});
