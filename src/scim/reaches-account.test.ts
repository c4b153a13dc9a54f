import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reachesAccount, type Standing } from './reaches-account.ts';

const MANAGED: Standing = {
  role: 'member',
  belongsElsewhere: false,
  addressIsOurs: true,
  isUnused: false,
  providerAlone: true,
  next: { isOurs: true, isTaken: false },
};

test('SC-8 name and address of a member whom the provider alone lets in, or nobody yet', () => {
  for (const changed of [{}, { isUnused: true, providerAlone: false }])
    assert.deepEqual(reachesAccount({ ...MANAGED, ...changed }), { name: true, address: true });
});

test('SC-8 the name alone of whoever has a role, or another way in, and where the address is nobody’s to give', () => {
  const cases: readonly Partial<Standing>[] = [
    { role: 'admin' },
    { role: 'auditor', isUnused: true },
    { providerAlone: false },
    { next: undefined },
    { next: { isOurs: false, isTaken: false } },
    { next: { isOurs: true, isTaken: true } },
  ];
  for (const changed of cases) assert.deepEqual(reachesAccount({ ...MANAGED, ...changed }), { name: true, address: false }, JSON.stringify(changed));
});

test('SC-8 nothing of the owner, of whoever belongs elsewhere too, or came with an address of their own', () => {
  for (const changed of [{ role: 'owner' }, { belongsElsewhere: true }, { addressIsOurs: false }] as const)
    assert.deepEqual(reachesAccount({ ...MANAGED, ...changed, isUnused: true }), { name: false, address: false }, JSON.stringify(changed));
});
