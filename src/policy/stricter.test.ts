import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_RULES, type Rules } from './demand.ts';
import { isStricter } from './stricter.ts';

const REQUIRED: Partial<Rules> = { twoFactor: 'required' };

test('TD-3: which policies ask for more than the one before, each change by itself', () => {
  const changes: readonly (readonly [from: Partial<Rules>, to: Partial<Rules>])[] = [
    [{}, REQUIRED],
    [{ twoFactor: 'off' }, {}],
    [{ notCounting: [] }, { notCounting: ['email-code'] }],
    [{ mailFirst: false }, {}],
    [{ sessionIdleMinutes: null }, { sessionIdleMinutes: 60 }],
    [{ sessionHours: 20 }, { sessionHours: 10 }],
    [{ proofMinutes: 10 }, { proofMinutes: 5 }],
    [{ trustedDeviceDays: 30 }, { trustedDeviceDays: 0 }],
    [{ ...REQUIRED, roles: ['admin'] }, REQUIRED],
    [
      { ...REQUIRED, from: 2 },
      { ...REQUIRED, from: 1 },
    ],
    [{ ...REQUIRED, from: 2 }, REQUIRED],
    [{ ...REQUIRED, graceDays: 7 }, REQUIRED],
    [{ ...REQUIRED, rollOut: { kind: 'share', percent: 10 } }, REQUIRED],
  ];
  for (const [from, to] of changes) {
    const [before, after] = [
      { ...DEFAULT_RULES, ...from },
      { ...DEFAULT_RULES, ...to },
    ];
    assert.equal(isStricter(before, after), true, JSON.stringify([from, to]));
    assert.equal(isStricter(after, after), false);
    // The way back asks for less, but for who is asked first: there it can't be told.
    if (from.rollOut === undefined) assert.equal(isStricter(after, before), false, JSON.stringify([to, from]));
  }
  // What bears on no signing in.
  assert.equal(isStricter(DEFAULT_RULES, { ...DEFAULT_RULES, emailDomains: ['example.org'], resetNeedsApproval: true, resetWaitHours: 48 }), false);
});
