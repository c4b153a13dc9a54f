/** OpenID Connect against a provider that keeps to it: the package oidc-provider, on a port of this machine. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { hours, minutes } from '../../src/platform/durations.ts';
import type { Identity } from '../../src/sso/contract.ts';
import { openIdConnect } from '../../src/sso/oidc/oidc.ts';
import { CookieJar } from '../support/cookie-jar.ts';
import { OpenIdConnection } from '../support/openid-connection.ts';
import { ownAddresses, refusalOf, START_AT } from '../support/protocol-connection.ts';
import { OpenIdProvider } from '../support/openid-provider.ts';
import { TestClock } from '../support/world.ts';

const ADA = 'ada@example.org';

describe('OpenID Connect, with a real provider', () => {
  const clock = new TestClock(START_AT);
  let provider: OpenIdProvider;
  let connection: OpenIdConnection;
  let jar: CookieJar;
  const tokens: string[] = [];

  before(async () => {
    provider = await OpenIdProvider.start({
      now: () => clock.now(),
      deliver: async (_url, body) => {
        tokens.push(body.get('logout_token')!);
        return 200;
      },
    });
    provider.account({ email: ADA, claims: { groups: ['staff', 'doctors'] }, amr: ['pwd', 'otp'], acr: 'urn:example:mfa' });
    connection = new OpenIdConnection({ ...provider.register(ownAddresses('ours')), scopes: 'email profile groups', groupsClaim: 'groups' }, { clock });
  });
  after(async () => provider[Symbol.asyncDispose]());
  beforeEach(() => {
    jar = new CookieJar();
    provider.requests.length = 0;
  });

  async function signIn(options: { fresh?: boolean; email?: string } = {}): Promise<Identity> {
    const left = await connection.leave(options);
    const finished = await connection.finish(left, await provider.goThrough(left.url, { email: ADA, jar }));
    assert.ok(finished.ok, JSON.stringify(finished));
    return finished.identity;
  }

  test('SI-1: code, PKCE S256, nonce and state: the provider says who it is, and how they signed in', async () => {
    const left = await connection.leave({ email: ADA });
    assert.deepEqual(
      ['response_type', 'code_challenge_method', 'scope', 'redirect_uri', 'login_hint', 'prompt', 'max_age'].map((name) => left.asked.get(name)),
      ['code', 'S256', 'openid email profile groups', connection.addresses.callback, ADA, null, null],
    );
    assert.equal(left.asked.get('state'), left.state);
    assert.ok(left.pending.nonce.length >= 43 && left.pending.verifier.length >= 43 && left.pending.nonce !== left.pending.verifier);
    const back = await provider.goThrough(left.url, { email: ADA, jar });
    assert.equal(openIdConnect.stateOf({ url: back, form: undefined }), left.state);
    assert.equal(back.searchParams.get('iss'), provider.issuer);
    const finished = await connection.finish(left, back);
    assert.ok(finished.ok, JSON.stringify(finished));
    const { logoutHint, claims, providerSession, ...rest } = finished.identity;
    assert.deepEqual(rest, {
      subject: 'ada at example.org',
      email: ADA,
      emailVerified: true,
      name: 'Ada Lovelace',
      groups: ['staff', 'doctors'],
      methods: ['pwd', 'otp', 'urn:example:mfa'],
      authenticatedAt: Math.floor(START_AT / 1000) * 1000,
      sessionEndsAt: null,
    });
    assert.ok(providerSession !== null && logoutHint !== null);
    assert.equal(claims['email'], ADA);
    assert.doesNotMatch(JSON.stringify(claims), /eyJ/);
    assert.deepEqual(
      provider.requests.filter((one) => !/\/(?:auth|interaction)/.test(one)),
      ['GET /.well-known/openid-configuration', 'POST /token', 'GET /jwks'],
    );
  });

  test('SI-1: a code is good once', async () => {
    const left = await connection.leave();
    const back = await provider.goThrough(left.url, { email: ADA, jar });
    assert.ok((await connection.finish(left, back)).ok);
    assert.match(refusalOf(await connection.finish(left, back)).detail, /does not accept the code: “invalid_grant/);
  });

  test('SI-2: a code of somebody else’s sign-in, put into one’s own answer: the provider sees that the verifier is another’s (PKCE)', async () => {
    const [theirs, own] = [await connection.leave(), await connection.leave()];
    const stolen = (await provider.goThrough(theirs.url, { email: ADA })).searchParams.get('code')!;
    const back = await provider.goThrough(own.url, { email: ADA, jar });
    back.searchParams.set('code', stolen);
    assert.match(refusalOf(await connection.finish(own, back)).detail, /does not accept the code: “invalid_grant/);
  });

  test('asked to sign in anew, they do, and the provider says when', async () => {
    const first = await signIn();
    clock.advance(minutes(20));
    assert.equal((await signIn()).authenticatedAt, first.authenticatedAt, 'the provider knows the browser');
    const left = await connection.leave({ fresh: true });
    assert.deepEqual([left.asked.get('prompt'), left.asked.get('max_age')], ['login', '0']);
    const finished = await connection.finish(left, await provider.goThrough(left.url, { email: ADA, jar }));
    assert.ok(finished.ok, JSON.stringify(finished));
    assert.equal(finished.identity.authenticatedAt, first.authenticatedAt! + minutes(20));
  });

  test('where the ID token lacks the address, userinfo is asked for', async () => {
    await using sparse = await OpenIdProvider.start({ now: () => clock.now(), claimsIn: 'userinfo' });
    sparse.account({ email: ADA });
    const other = new OpenIdConnection({ ...sparse.register(ownAddresses('sparse')) }, { name: 'sparse', clock });
    const left = await other.leave();
    const finished = await other.finish(left, await sparse.goThrough(left.url, { email: ADA }));
    assert.ok(finished.ok, JSON.stringify(finished));
    assert.deepEqual([finished.identity.email, finished.identity.emailVerified, finished.identity.name], [ADA, true, 'Ada Lovelace']);
    assert.equal(sparse.count('GET /me'), 1);
  });

  test('the secret in the header, percent-encoded: the provider undoes it', async () => {
    const sent = new OpenIdConnection({ ...connection.settings, secretBy: 'basic' }, { clock });
    const left = await sent.leave();
    assert.ok((await sent.finish(left, await provider.goThrough(left.url, { email: ADA }))).ok);
  });

  test('a wrong secret: a sentence for an administrator, without the secret', async () => {
    const wrong = new OpenIdConnection({ ...connection.settings, clientSecret: 'not-the-secret' }, { clock });
    const left = await wrong.leave();
    const said = refusalOf(await wrong.finish(left, await provider.goThrough(left.url, { email: ADA })));
    assert.equal(said.reason, 'misconfigured');
    assert.match(said.detail, /does not accept the client id with its secret/);
    assert.doesNotMatch(said.detail, /not-the-secret/);
  });

  test('whoever gives up at the provider is told so', async () => {
    const left = await connection.leave();
    const back = new URL(connection.addresses.callback);
    back.search = String(new URLSearchParams({ state: left.state, iss: provider.issuer, error: 'access_denied', error_description: 'Ada gave up.' }));
    assert.deepEqual(refusalOf(await connection.finish(left, back)), {
      ok: false,
      reason: 'refused',
      detail: 'The provider did not let them in: “access_denied: Ada gave up.”.',
    });
  });

  test('SI-4: keys that change while somebody signs in, and a provider that forgets the old ones at once', async () => {
    const left = await connection.leave();
    await provider.rotateKeys();
    assert.ok((await connection.finish(left, await provider.goThrough(left.url, { email: ADA, jar }))).ok);
    const second = await connection.leave();
    await provider.rotateKeys({ forget: true });
    assert.ok((await connection.finish(second, await provider.goThrough(second.url, { email: ADA, jar }))).ok);
  });

  test('a provider that is down, at each step', async () => {
    const left = await connection.leave();
    const back = await provider.goThrough(left.url, { email: ADA });
    provider.state = 'down';
    try {
      for (const result of [await connection.begin(), await connection.finish(left, back), await connection.readLogout(tokens[0] ?? 'e30.e30.e30')]) {
        const said = refusalOf(result);
        assert.equal(said.reason, 'unreachable');
        assert.match(said.detail, /No connection came about\./);
      }
    } finally {
      provider.state = 'up';
    }
  });

  test('signing out there too, and what the provider then tells us by its back channel', async () => {
    const identity = await signIn();
    tokens.length = 0;
    const requests = provider.requests.length;
    const url = await connection.logoutUrl(identity.logoutHint!, 'state of the sign-out');
    assert.equal(provider.requests.length, requests, 'no server is waited for');
    const back = await provider.signOut(url!, { jar });
    assert.equal(back.href, `${connection.addresses.signedOut}?state=state+of+the+sign-out`);
    assert.equal(tokens.length, 1);
    const read = await connection.readLogout(tokens[0]);
    assert.ok(read.ok, JSON.stringify(read));
    assert.deepEqual([read.subject, read.providerSessions, read.reply], [identity.subject, [identity.providerSession], undefined]);
    assert.ok(read.messageId !== '' && read.expiresAt > clock.now() && read.expiresAt <= clock.now() + hours(1));
    // Told the same id again, so that whoever spends it notices.
    const again = await connection.readLogout(tokens[0]);
    assert.ok(again.ok && again.messageId === read.messageId);
    clock.advance(minutes(5));
    assert.match(refusalOf(await connection.readLogout(tokens[0])).detail, /has expired/);
  });
});
