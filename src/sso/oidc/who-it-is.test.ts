// Who somebody is by their claims, as a table.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settings as shape } from './settings.ts';
import { identityFrom, isUserInfoNeeded, type Claims } from './who-it-is.ts';

const settings = (more: Record<string, string> = {}) => shape.parse({ issuer: 'https://idp.example', clientId: 'c', clientSecret: 's', ...more });
const TOKEN: Claims = { sub: 'ada-1', email: 'ada@example.org', email_verified: true, name: 'Ada' };

function identity({ typed = {}, token = {}, userInfo = {} }: { typed?: Record<string, string>; token?: Claims; userInfo?: Claims }) {
  return identityFrom(settings(typed), { token: { ...TOKEN, ...token }, userInfo, logoutHint: null });
}

describe('who it is', () => {
  test('SI-1 an address is verified where the claim that was named says true, as providers write it', () => {
    for (const yes of [true, 'true', 1, '1']) assert.equal(identity({ token: { email_verified: yes } })!.emailVerified, true, String(yes));
    for (const no of [false, 'false', 0, '0', '', null, undefined, 'yes', [true]])
      assert.equal(identity({ token: { email_verified: no } })!.emailVerified, false, JSON.stringify([no]));
  });

  test('SI-1 what one says of its address is not said of the other’s', () => {
    const [mine, theirs] = [
      { email: 'eve@evil.example', email_verified: false },
      { email: 'ada@example.org', email_verified: true },
    ];
    const both = identity({ token: mine, userInfo: theirs })!;
    assert.deepEqual([both.email, both.emailVerified], ['eve@evil.example', false]);
    const split = identity({ token: { email: 'eve@evil.example', email_verified: undefined }, userInfo: theirs })!;
    assert.deepEqual([split.email, split.emailVerified], ['eve@evil.example', false]);
  });

  test('SI-1 email_verified speaks of email, and of no other claim', () => {
    const upn = { typed: { emailClaim: 'upn' }, token: { upn: 'ada@example.org' } };
    assert.equal(identity(upn)!.emailVerified, false);
    assert.equal(
      identity({ ...upn, typed: { emailClaim: 'upn', emailVerifiedClaim: 'xms_edov' }, token: { ...upn.token, xms_edov: true } })!.emailVerified,
      true,
    );
  });

  test('SI-1 Google is believed of accounts of a Workspace alone: anybody may have another account by an address of yours', () => {
    const google = { typed: { issuer: 'https://accounts.google.com' } };
    for (const hd of [undefined, null, '', ' ', ['example.org'], true])
      assert.equal(identity({ ...google, token: { hd } })!.emailVerified, false, JSON.stringify([hd]));
    assert.equal(identity({ ...google, token: { hd: 'example.org' } })!.emailVerified, true);
    assert.equal(identity({ ...google, token: { hd: 'example.org', email_verified: false } })!.emailVerified, false);
    assert.equal(identity({ ...google, userInfo: { hd: 'example.org' } })!.emailVerified, false, 'It stands in the signed token, or not at all.');
  });

  test('SI-4 who it is, how and when they signed in, is of the signed token alone', () => {
    const read = identity({ token: { amr: ['pwd'] }, userInfo: { sub: 'eve', amr: ['mfa'], acr: 'mfa', auth_time: 1, sid: 'theirs' } })!;
    assert.deepEqual([read.subject, read.methods, read.authenticatedAt, read.providerSession], ['ada-1', ['pwd'], null, null]);
    assert.equal(identity({ typed: { subjectClaim: 'oid' }, userInfo: { oid: 'x' } }), undefined);
  });

  test('what is no text, or too long, is not there', () => {
    for (const sub of [undefined, '', 7, ['ada'], 'x'.repeat(256)]) assert.equal(identity({ token: { sub } }), undefined);
    assert.equal(identity({ token: { email: ['ada@example.org'] } })!.email, null);
    assert.equal(identity({ token: { name: 7, given_name: 'Ada', family_name: 'Lovelace' } })!.name, 'Ada Lovelace');
    assert.deepEqual(identity({ typed: { groupsClaim: 'groups' }, token: { groups: 'staff' } })!.groups, ['staff']);
    assert.deepEqual(identity({ typed: { groupsClaim: 'groups' }, token: { groups: ['staff', 7, '', null, 'x'.repeat(256)] } })!.groups, ['staff']);
    assert.equal(
      identity({ typed: { groupsClaim: 'groups' }, token: { groups: Array.from({ length: 5000 }, (_, index) => `g${index}`) } })!.groups.length,
      1000,
    );
    assert.deepEqual(identity({ token: { amr: 'mfa', acr: 'urn:mfa' } })!.methods, ['mfa', 'urn:mfa']);
    for (const at of ['1', NaN, Infinity, null]) assert.equal(identity({ token: { auth_time: at } })!.authenticatedAt, null);
  });

  test('userinfo is asked where it may know more', () => {
    assert.equal(isUserInfoNeeded(settings(), TOKEN), false);
    assert.equal(isUserInfoNeeded(settings(), { sub: 'ada-1' }), true);
    assert.equal(isUserInfoNeeded(settings({ groupsClaim: 'groups' }), TOKEN), true);
    assert.equal(isUserInfoNeeded(settings({ groupsClaim: 'groups' }), { ...TOKEN, groups: [] }), false);
  });
});
