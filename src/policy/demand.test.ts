import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Role } from '../organisations/organisations.ts';
import { days, minutes } from '../platform/durations.ts';
import { runs } from '../../test/support/property.ts';
import { DEFAULT_RULES, demandOf, isAsked, sessionOwes, verdictOf, type Method, type Place, type Rules } from './demand.ts';

const METHODS: readonly Method[] = [
  { kind: 'key', provesEmail: false },
  { kind: 'app', provesEmail: false },
  { kind: 'mail', provesEmail: true },
];
const NOW = days(20_000);

const under = (rules: Partial<Rules>, place: Partial<Omit<Place, 'rules'>> = {}): Place => ({
  rules: { ...DEFAULT_RULES, ...rules },
  accountId: 'a',
  role: 'member',
  joinedAt: NOW - days(100),
  deadlineAt: null,
  tightenedAt: 0,
  ...place,
});
const demand = (...places: readonly Place[]) => demandOf(places, METHODS);
const verified = (...held: string[]) => ({ held, emailVerified: true });

const rulesOf: fc.Arbitrary<Rules> = fc.record({
  twoFactor: fc.constantFrom('off', 'optional', 'required'),
  roles: fc.subarray<Role>(['owner', 'admin', 'auditor', 'member']),
  from: fc.option(fc.integer({ min: NOW - days(10), max: NOW + days(10) })),
  graceDays: fc.integer({ min: 0, max: 90 }),
  rollOut: fc.oneof(
    fc.constant({ kind: 'everybody' as const }),
    fc.record({ kind: fc.constant('share' as const), percent: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ kind: fc.constant('people' as const), accountIds: fc.subarray(['a', 'b']) }),
  ),
  notCounting: fc.subarray(METHODS.map(({ kind }) => kind)),
  mailFirst: fc.boolean(),
  sessionIdleMinutes: fc.option(fc.integer({ min: 5, max: 60 })),
  sessionHours: fc.option(fc.integer({ min: 1, max: 24 })),
  proofMinutes: fc.integer({ min: 1, max: 10 }),
  trustedDeviceDays: fc.integer({ min: 0, max: 30 }),
  emailDomains: fc.constant([]),
  resetNeedsApproval: fc.boolean(),
  resetWaitHours: fc.constant(24),
});
const placeOf: fc.Arbitrary<Place> = fc.record({
  rules: rulesOf,
  accountId: fc.constantFrom('a', 'b', 'c'),
  role: fc.constantFrom<Role>('owner', 'admin', 'auditor', 'member'),
  joinedAt: fc.integer({ min: NOW - days(30), max: NOW }),
  deadlineAt: fc.option(fc.integer({ min: NOW - days(5), max: NOW + days(5) })),
  tightenedAt: fc.integer({ min: NOW - days(5), max: NOW }),
});

describe('what policies ask of one person', () => {
  test('off, optional and required; of chosen roles; of chosen people', () => {
    assert.equal(demand(under({ twoFactor: 'off' })).twoFactor, 'off');
    assert.equal(demand(under({})).dueAt, null);
    assert.equal(demand(under({ twoFactor: 'required' })).twoFactor, 'required');
    const admins = { twoFactor: 'required', roles: ['admin'] } as const;
    assert.equal(demand(under(admins)).twoFactor, 'optional');
    assert.equal(demand(under(admins, { role: 'admin' })).twoFactor, 'required');
    const chosen = { twoFactor: 'required', rollOut: { kind: 'people', accountIds: ['b'] } } as const;
    assert.deepEqual([demand(under(chosen)).twoFactor, demand(under(chosen, { accountId: 'b' })).twoFactor], ['optional', 'required']);
  });

  test('a date to come, the days of who joins later, and a deadline that was fixed before: whichever policy says', () => {
    const later = { twoFactor: 'required', from: NOW + days(3), graceDays: 7 } as const;
    assert.equal(demand(under(later)).dueAt, NOW + days(3));
    assert.equal(demand(under(later, { joinedAt: NOW })).dueAt, NOW + days(7));
    assert.equal(demand(under(later, { joinedAt: NOW, deadlineAt: NOW - 1 })).dueAt, NOW - 1);
  });

  test('a share of a hundred is about as many, and a greater one has all of a smaller one in it', () => {
    const ids = Array.from({ length: 4000 }, (_, number) => `${number}-${(number * 7919) % 4001}`);
    const within = (percent: number) =>
      new Set(ids.filter((accountId) => isAsked(under({ twoFactor: 'required', rollOut: { kind: 'share', percent } }, { accountId }))));
    const [tenth, half] = [within(10), within(50)];
    assert.ok(Math.abs(tenth.size - 400) < 100 && Math.abs(half.size - 2000) < 200, `${tenth.size} and ${half.size}`);
    assert.ok([...tenth].every((one) => half.has(one)));
    assert.deepEqual([within(100).size, within(0).size], [4000, 0]);
  });

  test('who has what counts passes; who has only what does not sets up; who can set up nothing is locked out', () => {
    const required = demand(under({ twoFactor: 'required', notCounting: ['mail'] }));
    assert.equal(verdictOf(required, verified('app', 'mail'), METHODS).kind, 'passes');
    assert.equal(verdictOf(required, verified('mail'), METHODS).kind, 'sets-up');
    assert.equal(verdictOf(required, verified('mail', 'recovery-key'), METHODS).kind, 'sets-up');
    assert.equal(verdictOf(demand(under({ notCounting: ['mail'] })), verified('mail'), METHODS).kind, 'passes');
    const mailAlone = demand(under({ twoFactor: 'required', notCounting: ['key', 'app'] }));
    assert.equal(verdictOf(mailAlone, { held: [], emailVerified: false }, METHODS).kind, 'locked-out');
  });

  test('AL-10: a session that was opened by what no longer counts shows better, or sets it up, once the day has come', () => {
    const rules = { twoFactor: 'required', notCounting: ['mail'] } as const;
    const owes = (held: string[], proofs: string[], one = demand(under(rules))) => sessionOwes(one, { ...verified(...held), proofs, now: NOW }, METHODS);
    assert.equal(owes(['app', 'mail'], ['mail']), 'confirm');
    assert.equal(owes(['app', 'mail'], ['app']), 'nothing');
    assert.equal(owes(['app', 'mail'], ['other']), 'nothing');
    assert.equal(owes(['mail'], ['mail']), 'set-up');
    assert.equal(owes([], []), 'set-up');
    assert.equal(owes([], [], demand(under({ ...rules, from: NOW + 1 }))), 'nothing');
    // Nothing better can be shown than the strongest that there is.
    assert.equal(owes(['key', 'mail'], ['key'], demand(under({ ...rules, notCounting: ['key'] }))), 'nothing');
  });

  test('property: who is under several policies gets the strictest of them in everything, and is never left without a way', () => {
    fc.assert(
      fc.property(fc.array(placeOf, { minLength: 1, maxLength: 4 }), fc.subarray(METHODS.map(({ kind }) => kind)), (places, held) => {
        const all = demandOf(places, METHODS);
        const each = places.map((place) => demandOf([place], METHODS));
        const strength = { off: 0, optional: 1, required: 2 };
        assert.equal(strength[all.twoFactor], Math.max(...each.map((one) => strength[one.twoFactor])));
        for (const one of each) {
          if (one.dueAt !== null) assert.ok(all.dueAt !== null && all.dueAt <= one.dueAt);
          assert.ok(all.sessionIdle <= one.sessionIdle && all.sessionAbsolute <= one.sessionAbsolute && all.proofFreshFor <= one.proofFreshFor);
          assert.ok(all.mailFirst || !one.mailFirst);
        }
        assert.ok(all.proofFreshFor <= minutes(10));
        assert.ok(METHODS.some(({ kind }) => !all.notCounting.includes(kind)));
        assert.notEqual(verdictOf(all, verified(...held), METHODS).kind, 'locked-out');
      }),
      runs(400),
    );
  });
});
