import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from './next-step.ts';
import { progressAt, type Way } from './progress.ts';

const enrolling: Way = { purpose: 'enrol', methodIsChosen: true, methodIsExplained: true, mailIsAskedFirst: false, keyIsKept: true };
const shown = (way: Way, steps: Step[]): (string | undefined)[] =>
  steps.map((step) => {
    const progress = progressAt(step, way);
    return progress && `${progress.at} of ${progress.of}`;
  });

test('the steps of setting something up are counted, each once, and no others', () => {
  assert.deepEqual(shown(enrolling, ['begin-method', 'confirm-method', 'recovery-key']), ['1 of 3', '2 of 3', '3 of 3']);
  assert.deepEqual(shown({ ...enrolling, methodIsExplained: false }, ['confirm-method', 'recovery-key']), ['1 of 2', '2 of 2']);
  assert.deepEqual(shown({ ...enrolling, keyIsKept: false }, ['begin-method', 'confirm-method', 'recovery-key']), ['1 of 2', '2 of 2', undefined]);
  assert.deepEqual(shown({ ...enrolling, keyIsKept: false, methodIsExplained: false }, ['confirm-method']), [undefined], 'one step is no progress');
  assert.deepEqual(shown({ ...enrolling, purpose: 'new-recovery-key' }, ['email-code', 'recovery-key']), ['1 of 2', '2 of 2']);
});

test('a set-up that the policy asks for: nothing before the choice, and the mail where it comes first', () => {
  const signingIn: Way = { ...enrolling, purpose: 'sign-in', mailIsAskedFirst: true };
  assert.deepEqual(shown({ ...signingIn, methodIsChosen: false }, ['choose-method', 'second-factor', 'recovery-key']), [undefined, undefined, undefined]);
  assert.deepEqual(shown(signingIn, ['email-code', 'begin-method', 'confirm-method', 'recovery-key']), ['1 of 4', '2 of 4', '3 of 4', '4 of 4']);
});

test('what is one question has no steps', () => {
  for (const purpose of ['confirm', 'verify-email', 'disable', 'change-email', 'reset-password'] as const)
    assert.deepEqual(shown({ ...enrolling, purpose }, ['email-code', 'second-factor', 'recovery-key']), [undefined, undefined, undefined], purpose);
});
