/** What comes next, for every state that an attempt can be in; what a fresh proof lacks; and how long a session lasts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FRESH_FOR, kindsThatConfirm, missingProofs, type Held } from '../../src/attempts/fresh-proof.ts';
import { nextStep, type Facts, type Purpose, type Step } from '../../src/attempts/next-step.ts';
import { days, hours } from '../../src/platform/durations.ts';
import { sessionLimits } from '../../src/sessions/session-limits.ts';
import { runs } from '../support/property.ts';

const PURPOSES: readonly Purpose[] = ['sign-in', 'confirm', 'verify-email', 'enrol', 'disable', 'new-recovery-key', 'change-email', 'reset-password'];
const MISSING: readonly Facts['missing'][] = [[], ['first-factor'], ['second-factor'], ['first-factor', 'second-factor']];
const METHODS: readonly Facts['method'][] = ['none', 'chosen', 'begun', 'shown'];
const FLAGS = [
  'protected',
  'mailboxSuffices',
  'secondFactorShown',
  'recoveryKeyUsed',
  'recoveryKeyHeld',
  'newKeyKept',
  'postponed',
  'mailFirst',
  'onlySignedIn',
  'emailVerified',
  'browserKnown',
  'emailShown',
  'methodProvesEmail',
] as const;

const LACKING = ['nothing', 'set-up-later', 'set-up-now'] as const;

/** All of them: 8 purposes, 4 things missing or not, 4 states of a method, 3 of what is lacking, a remembered browser and a password too short for who signs in, and 13 flags. */
function allFacts(purposes = PURPOSES): Facts[] {
  const flags = Array.from(
    { length: 2 ** FLAGS.length },
    (_, bits) => Object.fromEntries(FLAGS.map((flag, index) => [flag, (bits & (1 << index)) !== 0])) as Record<(typeof FLAGS)[number], boolean>,
  );
  return purposes.flatMap((purpose) =>
    MISSING.flatMap((missing) =>
      METHODS.flatMap((method) =>
        (purpose === 'sign-in' ? LACKING : LACKING.slice(0, 1)).flatMap((lacking) =>
          (purpose === 'sign-in' ? [false, true] : [false]).flatMap((deviceTrusted) =>
            (purpose === 'sign-in' ? [false, true] : [false]).flatMap((passwordTooShort) =>
              flags.map((flag): Facts => ({ purpose, missing, method, lacking, deviceTrusted, passwordTooShort, ...flag })),
            ),
          ),
        ),
      ),
    ),
  );
}

/** In a browser that is new where the policy asks for it, and after a bypass code wherever something is set up. */
const mailIsOwed = (facts: Facts): boolean =>
  !facts.emailShown &&
  !facts.methodProvesEmail &&
  (facts.onlySignedIn || (facts.purpose === 'sign-in' && facts.mailFirst && facts.emailVerified && !facts.browserKnown && !facts.secondFactorShown));

/** What was asked for, in the words of the mission and the issue, without a look at how the steps follow one another. */
function isAllowed(facts: Facts): boolean {
  const setUp = facts.method === 'shown';
  switch (facts.purpose) {
    case 'sign-in': {
      // PW-1: it is changed before anybody is in.
      if (facts.passwordTooShort) return false;
      // A factor that the person has is asked for whatever the policy says, and a Recovery Key is replaced before going on.
      // A remembered browser stands for it where nothing is set up on the way (TD-1).
      const shown = facts.secondFactorShown || (facts.deviceTrusted && facts.lacking === 'nothing');
      const open = !facts.protected || (shown && (!facts.recoveryKeyUsed || facts.newKeyKept));
      if (facts.lacking === 'nothing' || (facts.lacking === 'set-up-later' && facts.postponed)) return open;
      // Then a method is set up, by somebody who has shown a second factor, or the mailbox where the browser is new.
      return open && setUp && (facts.newKeyKept || (facts.protected && facts.recoveryKeyHeld)) && !mailIsOwed(facts);
    }
    case 'confirm':
      return facts.missing.length === 0 && (!facts.recoveryKeyUsed || facts.newKeyKept);
    case 'enrol':
      return setUp && !mailIsOwed(facts) && (facts.recoveryKeyHeld || facts.newKeyKept);
    case 'new-recovery-key':
      return facts.emailShown && facts.newKeyKept;
    case 'disable':
    case 'verify-email':
    case 'change-email':
      return facts.emailShown;
    case 'reset-password':
      return false;
  }
}

/** The facts once the person has done what the step asks. */
function after(step: Exclude<Step, 'done'>, facts: Facts): Facts {
  switch (step) {
    case 'first-factor':
      return { ...facts, missing: facts.missing.filter((one) => one !== 'first-factor') };
    case 'second-factor':
      return { ...facts, secondFactorShown: true, missing: facts.missing.filter((one) => one !== 'second-factor') };
    case 'choose-method':
      return { ...facts, method: 'chosen' };
    case 'begin-method':
      return { ...facts, method: 'begun' };
    case 'confirm-method':
      return { ...facts, method: 'shown' };
    case 'email-code':
      return { ...facts, emailShown: true };
    case 'recovery-key':
      return { ...facts, newKeyKept: true };
    case 'new-password':
      return { ...facts, passwordTooShort: false };
  }
}

describe('the next step', () => {
  test('SE-3, exhaustive: an attempt is done exactly when everything that is asked for was shown', () => {
    const all = allFacts();
    assert.equal(all.length, (7 + 3 * 2 * 2) * 4 * 4 * 2 ** 13);
    for (const facts of all) {
      if ((nextStep(facts) === 'done') !== isAllowed(facts)) assert.fail(`${nextStep(facts)} for ${JSON.stringify(facts)}`);
    }
  });

  test('exhaustive: from every state, doing what each page asks leads to the end, and no page comes twice', () => {
    for (const start of allFacts()) {
      const path: Step[] = [];
      let facts = start;
      // A forgotten password ends with the new one.
      const last = (step: Step): step is 'done' => step === 'done' || (step === 'new-password' && start.purpose === 'reset-password');
      for (let step = nextStep(facts); !last(step); step = nextStep(facts)) {
        if (path.includes(step)) assert.fail(`${[...path, step].join(', ')} for ${JSON.stringify(start)}`);
        path.push(step);
        facts = after(step, facts);
      }
    }
  });

  test('PR-3, exhaustive: a new password is chosen only where the mailbox can’t be both steps, or another factor stood beside it', () => {
    for (const facts of allFacts(['reset-password'])) {
      const open = (!(facts.protected && facts.mailboxSuffices) || facts.secondFactorShown) && (!facts.recoveryKeyUsed || facts.newKeyKept);
      assert.equal(nextStep(facts) === 'new-password', open, JSON.stringify(facts));
    }
  });

  test('PW-1, exhaustive: who signs in chooses a longer password behind everything else that is asked for, and only then', () => {
    for (const facts of allFacts(['sign-in'])) {
      const owes = facts.passwordTooShort && nextStep({ ...facts, passwordTooShort: false }) === 'done';
      assert.equal(nextStep(facts) === 'new-password', owes, JSON.stringify(facts));
    }
  });

  test('AD-8, exhaustive: where the policy makes a new browser set up, the mailbox is asked before anything is shown or sent', () => {
    for (const facts of allFacts(['sign-in'])) {
      const stranger = !facts.protected && facts.lacking === 'set-up-now' && mailIsOwed(facts);
      if (stranger) assert.ok(['choose-method', 'email-code'].includes(nextStep(facts)), JSON.stringify(facts));
    }
  });

  test('exhaustive: showing more never takes anybody back from the end', () => {
    const shows = ['secondFactorShown', 'newKeyKept', 'emailShown', 'browserKnown'] as const;
    for (const facts of allFacts()) {
      if (nextStep(facts) !== 'done') continue;
      for (const more of shows) assert.equal(nextStep({ ...facts, [more]: true }), 'done', `${more} for ${JSON.stringify(facts)}`);
    }
  });
});

describe('a fresh proof', () => {
  const NOW = Date.UTC(2027, 1, 2, 9);
  const kinds = fc.constantFrom('totp', 'passkey', 'email-code', 'sms');
  const strengths: Readonly<Record<string, number>> = { passkey: 40, totp: 30, sms: 15, 'email-code': 10 };
  const held = fc
    .tuple(fc.array(kinds, { maxLength: 6 }), fc.boolean())
    .map(([standing, key]): Held[] => [
      ...standing.map((kind) => ({ kind, strength: strengths[kind]!, stands: true })),
      ...(key ? [{ kind: 'recovery-key', strength: 20, stands: false }] : []),
    ]);
  const ages = fc.oneof(fc.integer({ min: 0, max: hours(1) }), fc.constantFrom(0, FRESH_FOR - 1, FRESH_FOR, FRESH_FOR + 1));
  const proofs = fc.dictionary(fc.constantFrom('password', 'sso', 'totp', 'passkey', 'email-code', 'sms', 'recovery-key', '__proto__', 'constructor'), ages);

  test('FC-1, FC-2, property: the password or the provider, and the strongest factor or the Recovery Key, both younger than ten minutes, and nothing less', () => {
    fc.assert(
      fc.property(held, proofs, (factors, aged) => {
        const proven = Object.fromEntries(Object.entries(aged).map(([kind, age]) => [kind, NOW - age]));
        const fresh = (kind: string): boolean => Object.hasOwn(aged, kind) && aged[kind]! < FRESH_FOR;
        const missing = missingProofs({ held: factors, proofs: proven, now: NOW });
        const standing = factors.filter((one) => one.stands);
        const strongest = standing.filter((one) => standing.every((other) => other.strength <= one.strength)).map((one) => one.kind);
        const keyed = factors.some((one) => !one.stands) && fresh('recovery-key');
        const first = fresh('password') || fresh('sso');
        assert.equal(missing.includes('first-factor'), !first);
        assert.equal(missing.includes('second-factor'), standing.length > 0 && !keyed && !strongest.some(fresh));
        assert.ok(missing[0] !== 'second-factor' || first, 'The first factor is asked for first.');
      }),
      runs(2000),
    );
  });

  test('property: what may be shown always suffices, and there always is something to show', () => {
    fc.assert(
      fc.property(held, (factors) => {
        const enough = kindsThatConfirm(factors);
        assert.equal(
          enough.length > 0,
          factors.some((one) => one.stands),
        );
        assert.equal(new Set(enough).size, enough.length);
        for (const kind of enough) {
          assert.ok(factors.some((one) => one.kind === kind));
          assert.deepEqual(missingProofs({ held: factors, proofs: { password: NOW, [kind]: NOW }, now: NOW }), []);
        }
      }),
      runs(500),
    );
  });
});

test('SE-4: a session lasts a day, and an hour unused, with a real second factor; 30 days, and a week unused, without', () => {
  assert.deepEqual(sessionLimits(2), { absolute: hours(24), idle: hours(1) });
  assert.deepEqual(sessionLimits(1), { absolute: days(30), idle: days(7) });
});
