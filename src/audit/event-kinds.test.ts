import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUDIT_EVENTS, EVENT_GROUPS, EVENT_RESULTS, eventKindOf, eventsOf } from './audit.ts';

test('LO-6: every event of the inventory has a sentence of plain words, with and without its details, and no name of the code in it', () => {
  for (const [event, fields] of Object.entries(AUDIT_EVENTS)) {
    const kind = eventKindOf(event);
    assert.ok(kind, event);
    const full = kind.sentence(Object.fromEntries(fields.map((field) => [field, field === 'purpose' ? 'sign-in' : 'x'])), () => 'Authenticator app');
    assert.match(full, /^[A-Z][^_]{5,}[^.]$/, event);
    assert.doesNotMatch(full, /undefined|null|  /, event);
    assert.ok(kind.sentence({}, (one) => one).length > 3, event);
  }
});

test('groups and results part the events: each is in one of each, and a filter is what they have in common', () => {
  const groups = Object.keys(EVENT_GROUPS) as (keyof typeof EVENT_GROUPS)[];
  const results = Object.keys(EVENT_RESULTS) as (keyof typeof EVENT_RESULTS)[];
  const all = Object.keys(AUDIT_EVENTS).toSorted();
  assert.deepEqual(groups.flatMap((group) => eventsOf({ group, result: undefined })).toSorted(), all);
  assert.deepEqual(results.flatMap((result) => eventsOf({ group: undefined, result })).toSorted(), all);
  assert.ok(eventsOf({ group: 'sign-in', result: 'failed' }).includes('authn_login_fail'));
  assert.ok(!eventsOf({ group: 'sign-in', result: 'failed' }).includes('authn_login_success'));
  assert.equal(eventKindOf('toString'), undefined);
});
