import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isJoiningOpen, mayJoin, type JoiningTerms } from './who-may-join.ts';

const ADA = 'ada@herons.example';
const invited = { email: 'Ada@herons.example', emailKey: ADA };
const terms = (about: Partial<JoiningTerms>): JoiningTerms => ({ rule: 'invited', bidden: undefined, domains: [], ...about });

suite('who may join', () => {
  test('open: everybody', () => {
    assert.equal(mayJoin(terms({ rule: 'open' }), ADA), true);
    assert.equal(isJoiningOpen(terms({ rule: 'open' })), true);
  });

  test('invited: who came by a link, and with the address that it is for', () => {
    assert.equal(mayJoin(terms({}), ADA), false);
    assert.equal(mayJoin(terms({ bidden: invited }), ADA), true);
    assert.equal(mayJoin(terms({ bidden: invited }), 'eve@herons.example'), false);
    assert.equal(mayJoin(terms({ bidden: 'anybody' }), 'eve@herons.example'), true);
    assert.equal(mayJoin(terms({ domains: ['herons.example'] }), ADA), false, 'domains count where the rule asks for them');
    assert.deepEqual([isJoiningOpen(terms({})), isJoiningOpen(terms({ bidden: invited }))], [false, true]);
  });

  test('domains: addresses of those that are listed, no other that only looks alike, and guests by invitation', () => {
    const listed = terms({ rule: 'domains', domains: ['herons.example', 'wagtails.example'] });
    assert.equal(mayJoin(listed, ADA), true);
    for (const address of ['a@sub.herons.example', 'a@notherons.example', 'a@herons.example.evil.example', 'herons.example@evil.example', 'a@herons.exampl'])
      assert.equal(mayJoin(listed, address), false, address);
    assert.equal(mayJoin({ ...listed, bidden: { email: 'g@evil.example', emailKey: 'g@evil.example' } }, 'g@evil.example'), true);
    const none = terms({ rule: 'domains' });
    assert.deepEqual([mayJoin(none, ADA), isJoiningOpen(none)], [false, false], 'where nobody lists one, nobody has one');
  });

  test('property: where nobody may join no address may, and a bidden address always may', () => {
    const address = fc.tuple(fc.constantFrom('ada', 'eve'), fc.constantFrom('herons.example', 'wagtails.example')).map((parts) => parts.join('@'));
    const bidden = fc.option(
      fc.oneof(
        fc.constant('anybody' as const),
        address.map((emailKey) => ({ email: emailKey, emailKey })),
      ),
      { nil: undefined },
    );
    const any = fc.record({
      rule: fc.constantFrom('open' as const, 'invited' as const, 'domains' as const),
      bidden,
      domains: fc.subarray(['herons.example', 'wagtails.example']),
    });
    fc.assert(
      fc.property(any, address, (one, emailKey) => {
        if (!isJoiningOpen(one)) assert.equal(mayJoin(one, emailKey), false);
        if (one.bidden === 'anybody' || one.bidden?.emailKey === emailKey) assert.equal(mayJoin(one, emailKey), true);
      }),
    );
  });
});
