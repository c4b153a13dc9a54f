// An OpenID provider that lies, or somebody between it and the browser: what comes back, and what it signs. Each case through the front door.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { exportSPKI, importJWK, type CryptoKey, type JWK } from 'jose';
import { minutes } from '../../src/platform/durations.ts';
import { compact, makeKey, publicPartOf, HostileProvider, type Claims, type Lies } from '../support/hostile-provider.ts';
import { ADA, LiedTo } from '../support/lied-to.ts';
import { fillNewOpenId, wayOut } from '../support/single-sign-on.ts';
import { isSignedIn } from './intruder.ts';

let set: LiedTo;
before(async () => {
  set = await LiedTo.open();
});
after(async () => set[Symbol.asyncDispose]());

/** It was not the test that was refused. */
async function assertHonestWorks(): Promise<void> {
  const { browser } = await set.signIn();
  assert.equal(browser.page.path, '/account', browser.page.text);
}

const claims = (more: Claims): Lies => ({ claims: (honest) => ({ ...honest, ...more }) });
const without = (...names: string[]): Lies => ({ claims: (honest) => Object.fromEntries(Object.entries(honest).filter(([name]) => !names.includes(name))) });
const seconds = (at: number): number => Math.floor(at / 1000);

describe('the answer that comes by way of the browser', () => {
  test('SI-2 state missing, empty, twice, altered, or made up: nobody is on the way', async () => {
    const { portal, provider } = set;
    const wrong: readonly ((state: string) => [string, string][])[] = [
      () => [],
      () => [['state', '']],
      (state) => [['state', state], ['state', state]],
      (state) => [['state', state], ['state', 'x']],
      (state) => [['state', `${state.slice(0, -1)}${state.endsWith('A') ? 'Q' : 'A'}`]],
      (state) => [['state', state.toLowerCase()]],
      () => [['state', 'A'.repeat(43)]],
      (state) => [['State', state]],
      () => [['state', 'x'.repeat(5000)]],
    ]; // prettier-ignore
    for (const [index, change] of wrong.entries()) {
      const exchanges = provider.exchanges.length;
      const { browser } = await set.signIn({ answer: (honest) => [...change(honest[0]![1]), ...honest.slice(1)] });
      assert.equal(browser.page.path, '/sign-in', `case ${index}`);
      assert.equal(await isSignedIn(browser), false, `case ${index}`);
      assert.equal(provider.exchanges.length, exchanges, 'No code is shown to anybody.');
    }
    assert.equal((await portal.send({ method: 'GET', url: `/sso/${set.connectionId}/callback` })).headers.location, '/sign-in');
    await assertHonestWorks();
  });

  test('SI-2 the answer of another browser: not even where both are on the way', async () => {
    const { portal, provider } = set;
    const [attacker, victim] = [await set.leave(), await set.leave(portal.browser())];
    const back = await provider.goThrough(wayOut(attacker.page), { email: ADA });
    await victim.visit(back.href);
    assert.equal(await isSignedIn(victim), false);
    await attacker.visit(back.href);
    assert.equal(await isSignedIn(attacker), false, 'It was used up.');
  });

  test('SI-1 SI-4 a code of another session, put into one’s own answer (code injection): the nonce is another’s', async () => {
    const { provider } = set;
    provider.account({ email: 'victim@example.com' });
    const victim = await set.leave();
    const stolen = (await provider.goThrough(wayOut(victim.page), { email: 'victim@example.com' })).searchParams.get('code')!;
    await set.refuses(
      { answer: (honest) => honest.map(([name, value]) => [name, name === 'code' ? stolen : value]) },
      /claim “nonce” is not what it has to be/,
      'code injection',
    );
    // Each exchange shows the verifier of the browser's own way out, so that a provider that looks (PKCE) refuses before that.
    const [first, second] = provider.exchanges.slice(-2).map((one) => one.get('code_verifier'));
    assert.ok(first && second && first !== second && first.length >= 43);
  });

  test('SI-3 the answer says that it is of another provider (RFC 9207), or does not say it where it is to', async () => {
    const issOf = (...values: string[]): Lies => ({
      answer: (honest) => [...honest.filter(([name]) => name !== 'iss'), ...values.map((value): [string, string] => ['iss', value])],
    });
    const { issuer } = set.provider;
    const exchanges = set.provider.exchanges.length;
    for (const values of [[], [''], ['https://evil.example'], [`${issuer}/`], [issuer.toUpperCase()], [issuer, issuer], [issuer, 'https://evil.example']])
      await set.refuses(issOf(...values), /of another provider than the one that was asked \(iss\)/, values.join());
    assert.equal(set.provider.exchanges.length, exchanges, 'No code is shown to anybody.');
  });

  test('SI-3 a provider that sends browsers on to another one, to have its codes (mix-up)', async () => {
    const { portal, owner, provider } = set;
    await using attacker = await HostileProvider.start({ now: () => portal.clock.now() });
    await fillNewOpenId(owner, attacker, { name: 'Attacker' });
    const attackersPath = owner.browser.page.path;
    // Its own answer leads to the honest provider's page; the code of that page comes with the other's name, to an address of ours that is not the attacker's.
    attacker.lies = { metadata: (honest) => ({ ...honest, authorization_endpoint: `${provider.issuer}/auth` }) };
    await owner.browser.press('Test connection');
    const out = new URL(wayOut(owner.browser.page));
    assert.equal(out.origin, provider.issuer);
    const back = await provider.goThrough(out.href, { email: ADA });
    assert.ok(back.pathname.includes(attackersPath.split('/').at(-1)!), 'Which the honest provider would not send anybody to.');
    await owner.browser.visit(back.href);
    assert.ok(owner.browser.page.has('of another provider than the one that was asked'), owner.browser.page.text);
    assert.deepEqual(attacker.exchanges, []);
    // And at the honest one's address it answers nothing that was asked.
    const again = await set.leave();
    const honest = await provider.goThrough(wayOut(again.page), { email: ADA });
    await again.visit(honest.pathname.replace(set.connectionId, attackersPath.split('/').at(-1)!) + honest.search);
    assert.equal(await isSignedIn(again), false);
    assert.deepEqual(attacker.exchanges, []);
  });

  test('SI-4 an answer that was posted, or that brings tokens of its own, is not what was asked for', async () => {
    const { portal, provider } = set;
    const browser = await set.leave();
    const back = await provider.goThrough(wayOut(browser.page), { email: ADA });
    const posted = await portal.send({
      method: 'POST',
      url: back.pathname,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: back.searchParams.toString(),
    });
    assert.equal(posted.headers.location, '/sign-in');
    const token = await provider.sign({ iss: provider.issuer, sub: 'ada at example.com', aud: 'portal-1' });
    await set.refuses({ answer: ([state, iss]) => [state!, iss!, ['id_token', token], ['access_token', 'x']] }, /holds no code/, 'implicit');
    const { browser: hybrid } = await set.signIn({ answer: (honest) => [...honest, ['id_token', token]] });
    assert.equal(await isSignedIn(hybrid), false);
  });

  test('LO-3 what a provider writes into a refusal breaks no line, gives away no secret and is cut short', async () => {
    const nasty = `no\r\nlevel=error \u001b[31m${'x'.repeat(5000)}`;
    const { browser, said } = await set.signIn({ answer: ([state, iss]) => [state!, iss!, ['error', 'access_denied'], ['error_description', nasty]] });
    assert.equal(browser.page.heading, 'You are not signed in');
    assert.match(said, /^The provider did not let them in: “access_denied: no level=error/);
    assert.ok(said.length < 300 && ![...said].some((character) => character < ' '), said);
    assert.ok(!browser.page.has('xxxx'));
    let secret = '';
    const repeats = await set.signIn({
      at: {
        '/token': (response) => {
          secret = set.provider.exchanges.at(-1)!.get('client_secret')!;
          response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: 'invalid_client', error_description: `not ${secret}` }));
        },
      },
    });
    assert.ok(secret.length > 20 && !repeats.said.includes(secret), repeats.said);
    assert.match(repeats.said, /something that repeats a secret/);
    const challenge = (response: ServerResponse) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    await set.refuses({ at: { '/token': challenge } }, /does not accept the client id with its secret: status 401/, 'by a challenge');
  });
});

describe('the ID token', () => {
  test('SI-4 unsigned, signed by what both sides know, or by a key of its own', async () => {
    const { provider } = set;
    const stranger = await makeKey('key-1');
    const spki = await exportSPKI((await importJWK(publicPartOf(provider.key), 'RS256')) as CryptoKey);
    const hmac = (secret: string): JWK => ({ kty: 'oct', k: Buffer.from(secret).toString('base64url') });
    const secret = 'the secret of both sides, 32 bytes and more';
    const signed = /not (?:signed )?by an algorithm with a public key|signature of the ID token is not the provider/;
    const forged: Readonly<Record<string, Lies['sign']>> = {
      'alg none': (all) => compact({ alg: 'none' }, all),
      'alg None': (all) => compact({ alg: 'None' }, all),
      'alg none with a key’s name': (all) => compact({ alg: 'none', kid: 'key-1' }, all, 'AAAA'),
      'no alg': (all) => compact({ kid: 'key-1' }, all, 'AAAA'),
      'RS256 without a signature': (all) => compact({ alg: 'RS256', kid: 'key-1' }, all),
      'HS256 by the public key as PEM': (all) => provider.sign(all, { key: hmac(spki), alg: 'HS256' }),
      'HS256 by the public key as JSON': (all) => provider.sign(all, { key: hmac(JSON.stringify(publicPartOf(provider.key))), alg: 'HS256' }),
      'HS256 by the modulus': (all) => provider.sign(all, { key: { kty: 'oct', k: provider.key.n! }, alg: 'HS256' }),
      'HS256 by the client secret': (all) => provider.sign(all, { key: hmac(secret), alg: 'HS256' }),
      'another key of the same name': (all) => provider.sign(all, { key: stranger }),
      'a key that it brings along (jwk)': (all) => provider.sign(all, { key: stranger, jwk: publicPartOf(stranger) }),
      'a key that it points to (jku)': (all) => provider.sign(all, { key: stranger, jku: `${provider.issuer}/jwks`, x5u: `${provider.issuer}/jwks` }),
      'another algorithm than the key’s': (all) => provider.sign(all, { key: { ...provider.key, alg: 'PS256' }, alg: 'PS256' }),
      'what was signed, changed afterwards': async (all) => {
        const [header, , signature] = (await provider.sign(all)).split('.');
        return `${header}.${Buffer.from(JSON.stringify({ ...all, sub: 'eve' })).toString('base64url')}.${signature}`;
      },
      'a signature of another token': async (all) => {
        const [, , signature] = (await provider.sign({ ...all, sub: 'eve' })).split('.');
        return `${(await provider.sign(all)).split('.').slice(0, 2).join('.')}.${signature}`;
      },
    };
    const requests = provider.requests.length;
    for (const [about, sign] of Object.entries(forged)) await set.refuses({ sign: sign! }, signed, about);
    assert.ok(provider.requests.length > requests);
    await assertHonestWorks();
  });

  test('SI-4 no token at all, or nothing that is one', async () => {
    const { provider } = set;
    const text = (token: string): Lies => ({ sign: () => token });
    const many = Object.fromEntries(Array.from({ length: 6000 }, (_, index) => [`claim-${index}`, 'x'.repeat(10)]));
    const nothing: Readonly<Record<string, Lies>> = {
      empty: text(''),
      'three dots': text('...'),
      'no parts': text('e30'),
      'five parts (encrypted)': text('e30.e30.e30.e30.e30'),
      'no JSON': text('bm90.bm90.bm90'),
      'a number of them': { tokens: (honest) => ({ ...honest, id_token: [honest['id_token']] }) },
      none: { tokens: ({ id_token: _token, ...rest }) => rest },
      'claims that are a list': { sign: () => provider.sign([] as unknown as Claims) },
      'claims that are nothing': { sign: () => provider.sign(null as unknown as Claims) },
      'what must be understood, and is not (crit)': { sign: (all) => provider.sign(all, { crit: ['b64'], b64: true }) },
      'larger than anybody needs': claims(many),
    };
    for (const [about, lies] of Object.entries(nothing)) await set.refuses(lies, /./, about);
    await assertHonestWorks();
  });

  test('SI-4 meant for somebody else, made by somebody else, or for another time', async () => {
    const now = set.portal.clock.now();
    const { issuer } = set.provider;
    const client = 'portal-1';
    const refused: readonly (readonly [string, Lies, RegExp])[] = [
      ['another audience', claims({ aud: 'another' }), /claim “aud”/],
      ['an audience by part of the name', claims({ aud: 'portal-11' }), /claim “aud”/],
      ['an audience in one text', claims({ aud: `${client} another` }), /claim “aud”/],
      ['no audience', without('aud'), /./],
      ['others alone', claims({ aud: ['another', 'one more'] }), /claim “aud”/],
      ['others too, and nobody said to whom it was given', claims({ aud: [client, 'another'] }), /claim “aud”|claim “azp”/],
      ['others too, given to them', claims({ aud: [client, 'another'], azp: 'another' }), /claim “azp”|\(azp\)/],
      ['given to another', claims({ azp: 'another' }), /claim “azp”|\(azp\)/],
      ['expired', claims({ exp: seconds(now) - 61 }), /has expired \(exp\)/],
      ['expired at this second, clocks granted', claims({ exp: seconds(now) - 60 }), /has expired \(exp\)/],
      ['without an end', without('exp'), /./],
      ['an end that is a text', claims({ exp: String(seconds(now) + 60) }), /./],
      ['an end without end', claims({ exp: null }), /./],
      ['without a beginning', without('iat'), /./],
      ['from the future', claims({ iat: seconds(now) + 120 }), /from the future/],
      ['not yet', claims({ nbf: seconds(now) + 120 }), /from the future/],
      ['another issuer', claims({ iss: 'https://evil.example' }), /another issuer|claim “iss”/],
      ['almost the issuer', claims({ iss: `${issuer}/` }), /another issuer|claim “iss”/],
      ['no issuer', without('iss'), /./],
      ['nobody', without('sub'), /./],
      ['somebody without a name', claims({ sub: '' }), /./],
      ['somebody by a number', claims({ sub: 1 }), /./],
      ['somebody by a very long name', claims({ sub: 'x'.repeat(256) }), /./],
      ['another access token', claims({ at_hash: createHash('sha256').update('another').digest().subarray(0, 16).toString('base64url') }), /at_hash/],
      ['an access token by a hash of another length', claims({ at_hash: createHash('sha256').update('another').digest('base64url') }), /at_hash/],
      ['no access token (at_hash)', claims({ at_hash: null }), /at_hash/],
    ];
    for (const [about, lies, says] of refused) await set.refuses(lies, says, about);
    await assertHonestWorks();
    for (const fine of [
      claims({ aud: [client] }),
      claims({ azp: client }),
      claims({ aud: [client, 'another'], azp: client }),
      without('at_hash'),
      claims({ exp: seconds(now) - 30 }),
    ])
      assert.equal((await set.signIn(fine)).browser.page.path, '/account');
  });

  test('SI-2 SI-4 nonce missing, wrong, or of a token that served before', async () => {
    const { provider } = set;
    const says = /claim “nonce”|lacks a claim|one is of the wrong kind/;
    await set.refuses(without('nonce'), says, 'missing');
    for (const nonce of ['', 'x', null, 1, ['x']]) await set.refuses(claims({ nonce }), says, String(nonce));
    let earlier = '';
    await set.signIn({ sign: async (all) => (earlier = await provider.sign(all)) });
    await set.refuses({ sign: () => earlier }, says, 'replayed');
    await set.refuses({ claims: (honest) => ({ ...honest, nonce: String(honest['nonce']).toUpperCase() }) }, says, 'in capitals');
  });
});

describe('userinfo', () => {
  const sparse = without('email', 'email_verified', 'name').claims!;

  test('SI-4 speaks of somebody else, or of nobody', async () => {
    for (const sub of ['eve', 'ADA at example.com', '', null, undefined, 1, ['ada at example.com']])
      await set.refuses({ claims: sparse, userInfo: (honest) => ({ ...honest, sub }) }, /./, String(sub));
    for (const userInfo of [[], null, 'ada', 7]) await set.refuses({ claims: sparse, userInfo: () => userInfo }, /./, String(userInfo));
    assert.equal((await set.signIn({ claims: sparse })).browser.page.path, '/account');
  });

  test('SI-1 what is not signed is not who somebody is: the subject is of the ID token alone', async () => {
    const { browser } = await set.signIn({ claims: sparse, userInfo: (honest) => ({ ...honest, iss: 'x', aud: 'x', amr: ['mfa'], auth_time: 1 }) });
    assert.equal(browser.page.path, '/account');
    const subjects = await set.portal.world.database.query.selectFrom('sso_links').select('subject').execute();
    assert.deepEqual(subjects.map(({ subject }) => subject), ['ada at example.com']); // prettier-ignore
  });
});

test('SI-2 whoever waits longer than the round trip lasts comes too late, with the best of answers', async () => {
  const { portal, provider } = set;
  const browser = await set.leave();
  const back = await provider.goThrough(wayOut(browser.page), { email: ADA });
  portal.clock.advance(minutes(15));
  await browser.visit(back.href);
  assert.equal(await isSignedIn(browser), false);
});
