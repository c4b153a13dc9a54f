// Whose account a provider speaks of, as a table; and when its word for a second factor counts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secondFactorCounts, whoseAccount, type Arrival } from './whose-account.ts';

const stranger: Arrival = { linkedTo: undefined, addressIsBelieved: false, mayJoin: true, holder: undefined };
const ada = { accountId: 'ada', isLinkedOtherwise: false, belongsElsewhere: false };

describe('whose account it is', () => {
  test('the provider’s own name for somebody decides, whatever address it gives now', () => {
    for (const addressIsBelieved of [true, false])
      assert.deepEqual(whoseAccount({ ...stranger, linkedTo: 'ada', addressIsBelieved, holder: { ...ada, accountId: 'eve' } }), {
        kind: 'linked',
        accountId: 'ada',
      });
  });

  test('SI-1 an address that nobody vouches for opens no account, and makes none', () => {
    assert.deepEqual(whoseAccount({ ...stranger, holder: ada }), { kind: 'prove-first' });
    assert.deepEqual(whoseAccount(stranger), { kind: 'prove-first' });
  });

  test('SI-1 an address that was given to somebody else since opens nothing', () => {
    assert.deepEqual(whoseAccount({ ...stranger, addressIsBelieved: true, holder: { ...ada, isLinkedOtherwise: true } }), { kind: 'prove-first' });
  });

  test('SI-1 one organisation’s provider does not open an account that another relies on', () => {
    assert.deepEqual(whoseAccount({ ...stranger, addressIsBelieved: true, holder: { ...ada, belongsElsewhere: true } }), { kind: 'prove-first' });
  });

  test('a believed address links the account that has it, or makes one where the policy lets it join', () => {
    assert.deepEqual(whoseAccount({ ...stranger, addressIsBelieved: true, holder: ada }), { kind: 'link', accountId: 'ada' });
    assert.deepEqual(whoseAccount({ ...stranger, addressIsBelieved: true }), { kind: 'create' });
    assert.deepEqual(whoseAccount({ ...stranger, addressIsBelieved: true, mayJoin: false }), { kind: 'may-not-join' });
  });
});

test('AL-8 what a provider says of a second factor counts where its words were named, and for nobody whom another organisation relies on', () => {
  const about = { said: ['pwd', 'mfa'], words: ['mfa'], belongsElsewhere: false };
  assert.equal(secondFactorCounts(about), true);
  assert.equal(secondFactorCounts({ ...about, words: [] }), false);
  assert.equal(secondFactorCounts({ ...about, said: ['pwd'] }), false);
  assert.equal(secondFactorCounts({ ...about, said: ['MFA', ' mfa'] }), false);
  assert.equal(secondFactorCounts({ ...about, belongsElsewhere: true }), false);
});
