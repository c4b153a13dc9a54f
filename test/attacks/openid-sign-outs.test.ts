// Sign-outs that no provider sent, or not for this portal, or not now (OpenID Connect Back-Channel Logout 1.0): they end nobody's session and tell nothing.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { hours, minutes } from '../../src/platform/durations.ts';
import { compact, makeKey, type Claims } from '../support/hostile-provider.ts';
import { ADA, LiedTo } from '../support/lied-to.ts';
import { addOpenId } from '../support/single-sign-on.ts';
import type { Visitor } from '../support/visitor.ts';
import { isSignedIn } from './intruder.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const SUBJECT = 'ada at example.com';
const SESSION = `session of ${ADA}`;
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

let set: LiedTo;
let ada: Visitor;
before(async () => {
  set = await LiedTo.open();
});
after(async () => set[Symbol.asyncDispose]());
beforeEach(async () => {
  set.portal.clock.advance(hours(1));
  ({ browser: ada } = await set.signIn());
});

let messages = 0;
/** What an honest provider says as Ada signs out there. */
function honest(more: Claims = {}): Claims {
  messages += 1;
  return set.provider.logoutClaims({ aud: 'portal-1', sub: SUBJECT, sid: SESSION, jti: `message-${messages}`, ...more });
}

const sign = (claims: Claims, header: Parameters<LiedTo['provider']['sign']>[1] = {}) => set.provider.sign(claims, { typ: 'logout+jwt', ...header });

async function send(token: string, { connectionId = set.connectionId, address = '192.0.2.99' } = {}) {
  const payload = new URLSearchParams({ logout_token: token }).toString();
  return set.portal.send({ method: 'POST', url: `/sso/${connectionId}/logout`, headers: FORM, payload, remoteAddress: address });
}

async function assertEndsNothing(token: string, about: string): Promise<void> {
  // Each from elsewhere, so that it is not the limit that refuses.
  messages += 1;
  const { statusCode, body } = await send(token, { address: `198.51.100.${messages % 250}` });
  assert.equal(statusCode, 400, about);
  assert.match(body, /^[A-Z][^\n]*\.\n$/, about);
}

test('SI-7 an honest one ends the session at once, and is answered as the protocol has it', async () => {
  const answer = await send(await sign(honest()));
  assert.deepEqual([answer.statusCode, answer.body, answer.headers['cache-control']], [200, '', 'no-store']);
  assert.equal(await isSignedIn(ada), false);
});

test('SI-4 unsigned, or signed by anybody else', async () => {
  const { provider } = set;
  const stranger = await makeKey('key-1');
  const secret = Buffer.from('the secret of both sides, 32 bytes and more').toString('base64url');
  const forged: Readonly<Record<string, string>> = {
    unsigned: compact({ alg: 'none', typ: 'logout+jwt' }, honest()),
    'without a signature': compact({ alg: 'RS256', kid: 'key-1', typ: 'logout+jwt' }, honest()),
    'by another key of that name': await sign(honest(), { key: stranger }),
    'by a key that it brings along': await sign(honest(), { key: stranger, jwk: stranger }),
    'by the client secret': await sign(honest(), { key: { kty: 'oct', k: secret }, alg: 'HS256' }),
    'by a key that is not published': await sign(honest(), { key: stranger, kid: 'key-9' }),
    empty: '',
    nonsense: 'x',
    'three dots': '..',
    'larger than anybody needs': await sign(honest({ more: 'x'.repeat(100_000) })),
  };
  for (const [about, token] of Object.entries(forged)) await assertEndsNothing(token, about);
  assert.equal(await isSignedIn(ada), true);
  assert.equal((await send(await provider.sign(honest()))).statusCode, 200, 'Without a kind (typ) it is one, as the specification lets providers do.');
});

test('SI-4 an ID token of hers, or any token of another kind, signs nobody out', async () => {
  const { provider } = set;
  let idToken = '';
  await set.signIn({ sign: async (claims) => (idToken = await provider.sign(claims)) });
  await assertEndsNothing(idToken, 'her ID token');
  for (const nonce of ['x', '', null]) await assertEndsNothing(await sign(honest({ nonce })), `nonce ${nonce}`);
  for (const typ of ['at+jwt', 'id+jwt', 'secevent+jwt', 'JOSE']) await assertEndsNothing(await sign(honest(), { typ }), typ);
  for (const events of [undefined, null, {}, [EVENT], EVENT, { [EVENT]: true }, { [EVENT]: null }, { [EVENT]: [] }, { [`${EVENT}s`]: {} }])
    await assertEndsNothing(await sign(honest({ events })), JSON.stringify(events));
  assert.equal(await isSignedIn(ada), true);
});

test('SI-3 SI-4 of another issuer, for another application, or for another connection of the same provider', async () => {
  const { provider, portal, owner } = set;
  for (const iss of ['https://evil.example', `${provider.issuer}/`, undefined, [provider.issuer]])
    await assertEndsNothing(await sign(honest({ iss })), String(iss));
  for (const aud of ['another', 'portal-11', [], undefined, ['another', 'portal-1'], { 'portal-1': true }])
    await assertEndsNothing(await sign(honest({ aud })), JSON.stringify([aud]));
  await assertEndsNothing(await sign(honest({ azp: 'another' })), 'given to another');
  const other = (await addOpenId(portal, owner, provider, { name: 'Another' })).split('/').at(-1)!;
  assert.equal((await send(await sign(honest()), { connectionId: other })).statusCode, 400);
  const theirs = await send(await sign(honest({ aud: 'portal-2' })), { connectionId: other });
  assert.equal(theirs.statusCode, 200, 'Their own, which speaks of nobody here.');
  assert.equal((await send(await sign(honest()), { connectionId: 'nowhere' })).statusCode, 404);
  assert.equal(await isSignedIn(ada), true);
});

test('SI-4 expired, too old, from the future, or without a time', async () => {
  const now = Math.floor(set.portal.clock.now() / 1000);
  const times: readonly Claims[] = [
    { exp: now - 61 },
    { exp: undefined },
    { exp: String(now + 60) },
    { iat: undefined },
    { iat: now + 120, exp: now + 300 },
    { iat: now - 3601, exp: now + 10 ** 9 },
    { nbf: now + 120 },
  ];
  for (const more of times) await assertEndsNothing(await sign(honest(more)), JSON.stringify(more));
  assert.equal(await isSignedIn(ada), true);
});

test('SI-7 one that names nobody does not mean everybody', async () => {
  for (const more of [
    { sub: undefined, sid: undefined },
    { sub: '', sid: undefined },
    { sub: 7 },
    { sid: 7 },
    { sub: null, sid: null },
    { sub: ['x'] },
    { sid: '' },
  ])
    await assertEndsNothing(await sign(honest(more)), JSON.stringify(more));
  for (const jti of [undefined, '', 7, 'x'.repeat(501)]) await assertEndsNothing(await sign(honest({ jti })), `jti ${jti}`);
  assert.equal(await isSignedIn(ada), true);
  // Both together mean that session of that person.
  for (const more of [{ sid: 'another session' }, { sub: 'another person' }, { sub: '%', sid: undefined }, { sub: '_'.repeat(SUBJECT.length), sid: undefined }])
    assert.equal((await send(await sign(honest(more)))).statusCode, 200);
  assert.equal(await isSignedIn(ada), true);
});

test('SI-7 of somebody who is not known here: the answer is the same as of who is', async () => {
  const known = await send(await sign(honest()));
  const unknown = await send(await sign(honest({ sub: 'nobody', sid: 'none' })));
  const about = ({ statusCode, body, headers }: typeof known) => [
    statusCode,
    body,
    Object.keys(headers).toSorted(),
    headers['content-type'],
    headers['cache-control'],
  ];
  assert.deepEqual(about(unknown), about(known));
  assert.equal(await isSignedIn(ada), false);
});

test('SI-2 SI-7 one that was kept, and comes again after she has signed in again (replay); and five at once', async () => {
  const { portal } = set;
  const token = await sign(honest());
  assert.equal((await send(token)).statusCode, 200);
  assert.equal(await isSignedIn(ada), false);
  const { browser: again } = await set.signIn();
  for (const _ of [1, 2]) assert.equal((await send(token)).statusCode, 200, 'Whoever sends it again is told nothing new.');
  assert.equal(await isSignedIn(again), true);
  portal.clock.advance(minutes(4));
  await assertEndsNothing(token, 'Later it has expired.');
  const ends = () => portal.world.database.query.selectFrom('audit_events').select('id').where('event', '=', 'session_ended').execute();
  const ended = (await ends()).length;
  const once = await sign(honest());
  await Promise.all(Array.from({ length: 5 }, () => send(once)));
  assert.equal((await ends()).length, ended + 1);
});

test('SI-7 it comes as a form that is posted, and in no other way', async () => {
  const { portal, connectionId } = set;
  const url = `/sso/${connectionId}/logout`;
  const token = await sign(honest());
  const encoded = new URLSearchParams({ logout_token: token }).toString();
  const ways = [
    await portal.send({ method: 'GET', url: `${url}?${encoded}` }),
    await portal.send({ method: 'POST', url: `${url}?${encoded}`, headers: FORM, payload: '' }),
    await portal.send({ method: 'POST', url, headers: FORM, payload: `${encoded}&${encoded}` }),
    await portal.send({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload: JSON.stringify({ logout_token: token }) }),
    await portal.send({ method: 'POST', url, headers: FORM, payload: 'x'.repeat(600_000) }),
    await portal.send({ method: 'DELETE', url }),
  ];
  assert.deepEqual(ways.map(({ statusCode }) => statusCode >= 400 && statusCode < 500), ways.map(() => true)); // prettier-ignore
  assert.equal(await isSignedIn(ada), true);
});

test('RL-1 SI-8 whoever sends one wrong one after the other does not keep the portal asking for keys; and keeps nobody else’s out', async () => {
  const { provider } = set;
  const asked = provider.requests.length;
  const wrong = await sign(honest(), { key: await makeKey('key-1') });
  const statuses: number[] = [];
  for (let count = 0; count < 210; count += 1) statuses.push((await send(wrong, { address: '203.0.113.7' })).statusCode);
  assert.deepEqual([...new Set(statuses)], [400, 429]);
  const spent = provider.requests.length - asked;
  assert.ok(spent <= 200 * 2, `${spent} requests went out.`);
  assert.equal(await isSignedIn(ada), true);
  assert.equal((await send(await sign(honest()), { address: '203.0.113.8' })).statusCode, 200);
  assert.equal(await isSignedIn(ada), false);
});

test('SI-7 a provider that signs a whole company out at once is held up by no limit', async () => {
  const tokens = await Promise.all(Array.from({ length: 190 }, (_, index) => sign(honest({ sub: `person-${index}`, sid: undefined }))));
  const statuses = await Promise.all(tokens.map(async (token) => (await send(token)).statusCode));
  const later = await Promise.all(tokens.slice(0, 20).map(async (token) => (await send(token)).statusCode));
  assert.deepEqual([...new Set([...statuses, ...later])], [200]);
});

test('a provider that is out of reach as it signs somebody out is told so, and may send it again', async () => {
  const token = await sign(honest());
  set.provider.lies = { at: { '/jwks': (response) => response.destroy() } };
  await assertEndsNothing(token, 'no keys');
  set.provider.lies = {};
  assert.equal(await isSignedIn(ada), true);
  assert.equal((await send(token)).statusCode, 200);
  assert.equal(await isSignedIn(ada), false);
});
