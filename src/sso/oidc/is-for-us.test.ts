// What is wrong with a token whose signature is good, as a table. Whatever library looks before, this looks too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOfIdToken, faultOfLogoutToken, logoutTokenEndsAt } from './is-for-us.ts';
import type { Claims } from './who-it-is.ts';

const NOW = 1_800_000_000;
const expected = { issuer: 'https://idp.example', clientId: 'portal', now: NOW * 1000 };
const HONEST: Claims = { iss: 'https://idp.example', aud: 'portal', sub: 'ada', iat: NOW, exp: NOW + 60, nonce: 'n', at_hash: 'h', auth_time: NOW };

const ofIdToken = (more: Claims, freshSince?: number) => faultOfIdToken({ ...HONEST, ...more }, { ...expected, nonce: 'n', freshSince, accessTokenHash: 'h' });

test('SI-4 an ID token', () => {
  for (const fine of [
    {},
    { aud: ['portal'] },
    { aud: ['portal', 'other'], azp: 'portal' },
    { azp: 'portal' },
    { at_hash: undefined },
    { exp: NOW - 59 },
    { iat: NOW + 60 },
  ])
    assert.equal(ofIdToken(fine), undefined, JSON.stringify(fine));
  const faults: readonly (readonly [Claims, RegExp])[] = [
    [{ iss: 'https://idp.example/' }, /\(iss\)/], [{ iss: undefined }, /\(iss\)/], [{ iss: ['https://idp.example'] }, /\(iss\)/],
    [{ aud: 'other' }, /\(aud\)/], [{ aud: [] }, /\(aud\)/], [{ aud: undefined }, /\(aud\)/], [{ aud: 'portal other' }, /\(aud\)/],
    [{ aud: ['portal', 'other'] }, /\(azp\)/], [{ azp: 'other' }, /\(azp\)/], [{ azp: null }, /\(azp\)/],
    [{ exp: NOW - 60 }, /has expired/], [{ iat: NOW + 61 }, /from the future/], [{ nbf: NOW + 61 }, /from the future/],
    [{ exp: undefined }, /does not say when/], [{ exp: '9'.repeat(10) }, /does not say when/], [{ exp: Infinity }, /does not say when/], [{ iat: null }, /does not say when/],
    [{ nbf: 'x' }, /does not say when/], [{ iat: -1 }, /does not say when/],
    [{ sub: '' }, /\(sub\)/], [{ sub: undefined }, /\(sub\)/], [{ sub: 1 }, /\(sub\)/],
    [{ nonce: undefined }, /\(nonce\)/], [{ nonce: 'N' }, /\(nonce\)/], [{ nonce: ['n'] }, /\(nonce\)/],
    [{ at_hash: 'x' }, /\(at_hash\)/], [{ at_hash: null }, /\(at_hash\)/],
  ]; // prettier-ignore
  for (const [claims, says] of faults) assert.match(ofIdToken(claims) ?? '', says, JSON.stringify(claims));
});

test('SI-4 a fresh sign-in is one that says when it was, and was after it was asked for', () => {
  const since = NOW * 1000;
  for (const auth_time of [NOW, NOW + 30, NOW - 60]) assert.equal(ofIdToken({ auth_time }, since), undefined);
  for (const auth_time of [undefined, null, '1800000000', NaN, 0, NOW - 61])
    assert.match(ofIdToken({ auth_time }, since) ?? '', /\(auth_time\)/, String(auth_time));
});

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LOGOUT: Claims = { iss: 'https://idp.example', aud: 'portal', sub: 'ada', iat: NOW, exp: NOW + 120, jti: 'j', events: { [EVENT]: {} } };
const ofLogout = (more: Claims, typ: string | undefined = 'logout+jwt') => faultOfLogoutToken({ ...LOGOUT, ...more }, { ...expected, typ });

test('SI-4 SI-7 a logout token', () => {
  for (const fine of [{}, { sid: 's' }, { sub: undefined, sid: 's' }, { events: { [EVENT]: {}, other: {} } }])
    assert.equal(ofLogout(fine), undefined, JSON.stringify(fine));
  for (const typ of [undefined, 'JWT', 'jwt', 'logout+jwt', 'application/logout+jwt']) assert.equal(ofLogout({}, typ), undefined, typ);
  for (const typ of ['at+jwt', 'id_token', '', 'logout+jwtx']) assert.match(ofLogout({}, typ) ?? '', /\(typ\)/, typ);
  const faults: readonly (readonly [Claims, RegExp])[] = [
    [{ nonce: 'n' }, /nonce/], [{ nonce: null }, /nonce/], [{ events: undefined }, /\(events\)/], [{ events: { [EVENT]: true } }, /\(events\)/], [{ events: [EVENT] }, /\(events\)/],
    [{ sub: undefined }, /\(sub, sid\)/], [{ sub: 1, sid: 's' }, /\(sub, sid\)/], [{ sid: 1 }, /\(sub, sid\)/], [{ sub: '' }, /\(sub, sid\)/],
    [{ jti: undefined }, /\(jti\)/], [{ jti: 'x'.repeat(501) }, /\(jti\)/], [{ iss: 'x' }, /\(iss\)/], [{ aud: 'x' }, /\(aud\)/],
    [{ exp: NOW - 60 }, /expired/], [{ iat: NOW - 3600, exp: NOW + 9999 }, /too old/],
  ]; // prettier-ignore
  for (const [claims, says] of faults) assert.match(ofLogout(claims) ?? '', says, JSON.stringify(claims));
});

test('SI-2 a logout token is remembered for as long as it could come again', () => {
  assert.equal(logoutTokenEndsAt(LOGOUT), (NOW + 120 + 60) * 1000);
  assert.equal(logoutTokenEndsAt({ ...LOGOUT, exp: NOW + 10 ** 6 }), (NOW + 3600) * 1000);
});
