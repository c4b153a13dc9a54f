/** SAML 2.0 against a provider that keeps to it: the identity-provider half of the package samlify, on a port of this machine. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { X509Certificate } from 'node:crypto';
import { minutes, seconds } from '../../src/platform/durations.ts';
import type { Identity } from '../../src/sso/contract.ts';
import { saml } from '../../src/sso/saml/saml.ts';
import { CookieJar } from '../support/cookie-jar.ts';
import { ownAddresses, refusalOf, START_AT } from '../support/protocol-connection.ts';
import { SamlConnection } from '../support/saml-connection.ts';
import { SamlProvider } from '../support/saml-provider.ts';
import { TestClock } from '../support/world.ts';

const ADA = 'ada@example.org';
const REFEDS_MFA = 'https://refeds.org/profile/mfa';

describe('SAML, with a real provider', () => {
  const clock = new TestClock(START_AT);
  let provider: SamlProvider;
  let connection: SamlConnection;
  let jar: CookieJar;

  before(async () => {
    provider = await SamlProvider.start({ now: () => clock.now() });
    provider.account({ email: ADA, subject: 'ada-1', context: REFEDS_MFA, attributes: { groups: ['staff', 'doctors'] } });
    connection = connect({ groupsAttribute: 'groups' });
  });
  after(async () => provider[Symbol.asyncDispose]());
  beforeEach(() => {
    jar = new CookieJar();
    provider.requests.length = 0;
    provider.parts = {};
  });

  function connect(typed: Readonly<Record<string, unknown>> = {}, name?: string): SamlConnection {
    const made = new SamlConnection({ metadataAddress: provider.metadataAddress, ...typed }, { clock, ...(name === undefined ? {} : { name }) });
    provider.register(made.metadata);
    return made;
  }

  async function signIn(by = connection, options: { fresh?: boolean } = {}): Promise<Identity> {
    const left = await by.leave(options);
    const finished = await by.finish(left, await provider.goThrough(left.url, { email: ADA, jar }));
    assert.ok(finished.ok, JSON.stringify(finished));
    return finished.identity;
  }

  test('SI-1 the provider says who it is, by a name that it gives to nobody else, and how they signed in', async () => {
    const left = await connection.leave();
    assert.equal(new URL(left.url).searchParams.get('RelayState'), left.state);
    assert.match(left.pending.requestId, /^_[\w-]{43}$/);
    const answer = await provider.goThrough(left.url, { email: ADA, jar });
    assert.equal(answer.to, connection.addresses.callback);
    assert.equal(saml.stateOf({ url: new URL(answer.to), form: answer.fields }), left.state);
    const finished = await connection.finish(left, answer);
    assert.ok(finished.ok, JSON.stringify(finished));
    const { logoutHint, claims, providerSession, ...rest } = finished.identity;
    assert.deepEqual(rest, {
      subject: 'ada-1',
      email: ADA,
      emailVerified: false,
      name: 'Ada Lovelace',
      groups: ['staff', 'doctors'],
      methods: [REFEDS_MFA],
      authenticatedAt: START_AT,
      sessionEndsAt: null,
    });
    assert.ok(providerSession !== null && logoutHint !== null);
    assert.deepEqual([claims['NameID'], claims['email']], ['ada-1', [ADA]]);
    assert.deepEqual(provider.requests, ['GET /metadata', 'GET /sso', 'POST /sso', 'GET /metadata']);
  });

  test('response and assertion both signed, and settings by hand or pasted in place of an address', async () => {
    provider.signsResponse = true;
    try {
      await signIn();
      const pasted = connect({ metadataAddress: '', metadata: provider.metadata.split('\n') });
      assert.deepEqual(pasted.settings.metadata, []);
      assert.deepEqual(
        [pasted.settings.entityId, pasted.settings.signInAddress, pasted.settings.signOutAddress],
        [provider.entityId, `${provider.origin}/sso`, `${provider.origin}/slo`],
      );
      assert.deepEqual(saml.settings.parse(pasted.settings), pasted.settings, 'What is stored goes in again unchanged.');
      assert.equal((await signIn(pasted)).subject, 'ada-1');
      const byHand = connect({ ...pasted.settings, certificates: provider.certificates });
      assert.equal((await signIn(byHand)).subject, 'ada-1');
    } finally {
      provider.signsResponse = false;
    }
  });

  test('asked to sign in anew, they do, and the provider says when', async () => {
    const first = await signIn();
    clock.advance(minutes(20));
    assert.equal((await signIn()).authenticatedAt, first.authenticatedAt, 'the provider knows the browser');
    assert.equal((await signIn(connection, { fresh: true })).authenticatedAt, clock.now());
    // A provider that does not care.
    provider.parts = { authenticatedAt: clock.now() - minutes(20) };
    const left = await connection.leave({ fresh: true });
    const said = refusalOf(await connection.finish(left, await provider.goThrough(left.url, { email: ADA, jar })));
    assert.match(said.detail, /anew, and did not/);
  });

  test('SI-4 the provider changes its certificate while somebody signs in; by hand, two stand side by side', async () => {
    const left = await connection.leave();
    await provider.changeCertificate({ forget: true });
    assert.ok((await connection.finish(left, await provider.goThrough(left.url, { email: ADA, jar }))).ok);
    const old = provider.certificates;
    const byHand = connect({ metadataAddress: '', entityId: provider.entityId, signInAddress: `${provider.origin}/sso`, certificates: old });
    await signIn(byHand);
    await provider.changeCertificate();
    const second = await byHand.leave();
    const answer = await provider.goThrough(second.url, { email: ADA, jar });
    assert.match(refusalOf(await byHand.finish(second, answer)).detail, /not signed by a certificate that the provider is known by/);
    await byHand.change({ certificates: [...old, ...provider.certificates].join('\n').split('\n') });
    assert.equal(byHand.settings.certificates.length, 2);
    await signIn(byHand);
  });

  test('what we send is signed, by our own key, which can change without anybody noticing', async () => {
    provider.wantsSignatures = true;
    try {
      const unsigned = await connection.leave();
      await assert.rejects(provider.goThrough(unsigned.url, { email: ADA, jar }), /The provider refuses|The provider says/);
      const signing = connect({}, 'signing');
      await signing.change({ signs: true });
      assert.equal(signing.settings.ownKeys.length, 1);
      provider.register(signing.metadata);
      await signIn(signing);
      const tampered = new URL((await signing.leave()).url);
      tampered.searchParams.set('RelayState', 'another');
      await assert.rejects(provider.goThrough(tampered.href, { email: ADA, jar }), /SIGNATURE/);

      await signing.change({ keyChange: 'add' });
      const [first, second] = signing.settings.ownKeys;
      assert.equal(signing.metadata.match(/<ds:X509Certificate>/g)?.length, 2);
      assert.equal(signing.settings.keyChange, 'keep');
      provider.register(signing.metadata);
      await signIn(signing);
      await signing.change({ keyChange: 'switch' });
      assert.deepEqual(signing.settings.ownKeys, [second]);
      await signIn(signing);
      assert.notEqual(new X509Certificate(first!.certificate).serialNumber, new X509Certificate(second!.certificate).serialNumber);
      assert.doesNotMatch(signing.metadata, /PRIVATE/);
    } finally {
      provider.wantsSignatures = false;
    }
  });

  test('whoever gives up at the provider is told so, and a provider that is down at each step', async () => {
    const left = await connection.leave();
    const answer = await provider.goThrough(left.url, { email: ADA, gives: 'Cancel' });
    assert.deepEqual(refusalOf(await connection.finish(left, answer)), {
      ok: false,
      reason: 'refused',
      detail: 'The provider did not let them in: “Responder, AuthnFailed: Ada gave up.”.',
    });
    provider.state = 'down';
    try {
      await assert.rejects(connection.begin(), /No connection came about\./);
      await assert.rejects(connection.finish(left, answer), /No connection came about\./);
    } finally {
      provider.state = 'up';
    }
  });

  test('SI-1 nobody is known by an address: whom the NameID names must be theirs for ever', async () => {
    const format = (name: string) => ({ nameIdFormat: `urn:oasis:names:tc:SAML:${name}` });
    for (const [parts, says] of [
      [{ ...format('1.1:nameid-format:emailAddress'), nameId: ADA }, /is an address/],
      [{ ...format('1.1:nameid-format:unspecified'), nameId: ADA }, /is an address/],
      [{ nameId: ADA }, /is an address/],
      [{ ...format('2.0:nameid-format:transient'), nameId: 'x' }, /another one each time/],
    ] as const) {
      provider.parts = parts;
      const left = await connection.leave();
      assert.match(refusalOf(await connection.finish(left, await provider.goThrough(left.url, { email: ADA, jar }))).detail, says);
    }
    for (const name of ['email', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn', 'urn:oid:0.9.2342.19200300.100.1.3'])
      assert.match(String(saml.settings.safeParse({ subjectAttribute: name }).error), /given to somebody else/, name);
    const byAttribute = connect({ subjectAttribute: 'employeeNumber' });
    provider.parts = { ...format('1.1:nameid-format:emailAddress'), nameId: ADA, attributes: { employeeNumber: '4711' } };
    const identity = await signIn(byAttribute);
    assert.deepEqual([identity.subject, identity.email], ['4711', ADA], 'The NameID serves as the address.');
  });

  test('multi-factor, in the words of Entra ID: an attribute beside a context that says nothing', async () => {
    const multiple = 'http://schemas.microsoft.com/claims/multipleauthn';
    provider.parts = {
      context: 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password',
      attributes: {
        'http://schemas.microsoft.com/claims/authnmethodsreferences': [
          'http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password',
          multiple,
        ],
      },
    };
    assert.ok((await signIn()).methods.includes(multiple));
  });

  test('signing out there too, and what the provider sends where it signs somebody out', async () => {
    const signing = connect({}, 'out');
    await signing.change({ signs: true });
    provider.register(signing.metadata);
    const identity = await signIn(signing);
    const requests = provider.requests.length;
    const url = await signing.logoutUrl(identity.logoutHint!, 'state of the sign-out');
    assert.equal(provider.requests.length, requests, 'no server is waited for');
    const back = await provider.signOut(url!, { jar });
    assert.ok(back.startsWith(`${signing.addresses.logout}?SAMLResponse=`), back);
    assert.ok(
      saml.isSignOutAnswer!({ url: new URL(back), form: undefined }) && !saml.isSignOutAnswer!({ url: new URL(`${back}&SAMLRequest=x`), form: undefined }),
    );

    const again = await signIn(signing);
    for (const by of ['redirect', 'post'] as const) {
      const { id, context } = provider.logoutRequest(signing.addresses.metadata, { email: ADA, by });
      const read = await signing.readLogout(context);
      assert.ok(read.ok, JSON.stringify(read));
      assert.deepEqual([read.subject, read.providerSessions, read.messageId], ['ada-1', [again.providerSession], id]);
      assert.ok(read.expiresAt > clock.now() && read.expiresAt <= clock.now() + minutes(10));
      const reply = new URL(read.reply!);
      assert.equal(reply.origin + reply.pathname, `${provider.origin}/slo`);
      assert.equal(reply.searchParams.get('RelayState'), by === 'redirect' ? 'what the provider wants back' : 'back');
    }
    const everything = provider.logoutRequest(signing.addresses.metadata, { email: ADA, sessionIndex: undefined });
    const read = await signing.readLogout(everything.context);
    assert.ok(read.ok && read.providerSessions.length === 0 && read.subject === 'ada-1');
  });

  test('SI-7 until when the provider lets the session last (SessionNotOnOrAfter): a moment that has come is none to sign in at', async () => {
    provider.parts = { sessionEndsAt: clock.now() + minutes(90) };
    assert.equal((await signIn()).sessionEndsAt, clock.now() + minutes(90));
    provider.parts = { sessionEndsAt: clock.now() };
    const left = await connection.leave();
    assert.match(refusalOf(await connection.finish(left, await provider.goThrough(left.url, { email: ADA, jar }))).detail, /SessionNotOnOrAfter/);
  });

  test('a minute between the clocks of two servers is none', async () => {
    provider.parts = { notBefore: clock.now() + seconds(59) };
    await signIn();
    provider.parts = { lastsFor: -seconds(59) };
    await signIn();
  });

  test('SI-4 SI-8 metadata that lies, has ended, is no metadata, or lies where the portal must not go', async () => {
    const { metadata } = provider;
    const changed = (from: string | RegExp, to: string): string => metadata.replace(from, to);
    const cases: readonly (readonly [string, RegExp])[] = [
      ['<x/>', /no metadata of an identity provider/],
      [changed('<md:EntityDescriptor', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><md:EntityDescriptor'), /document type/],
      [changed(' entityID', ` validUntil="${new Date(clock.now() - 1000).toISOString()}" entityID`), /has expired/],
      [changed(' entityID', ' validUntil="for ever" entityID'), /has expired/],
      [changed(`Location="${provider.origin}/sso"`, 'Location="http://login.example.org/sso"'), /does not start with https/],
      [changed(`Location="${provider.origin}/slo"`, 'Location="data:text/html,x"'), /does not start with https/],
      [changed(/<ds:X509Certificate>[^<]*/g, '<ds:X509Certificate>AAAA'), /no certificate/],
      [changed(/use="signing"/g, 'use="encryption"'), /no certificate/],
      [changed(/<md:SingleSignOnService[^>]*>/, ''), /no address to sign in/],
      ['x'.repeat(2_000_000), /more than anybody would need/],
    ];
    for (const [published, says] of cases) {
      provider.publishes = published;
      try {
        const begun = await connection.begin().catch((error: unknown) => ({ ok: false as const, detail: String(error) }));
        assert.ok(!begun.ok && says.test(begun.detail), `${published.slice(0, 300)}: ${JSON.stringify(begun)}`);
      } finally {
        provider.publishes = undefined;
      }
    }
    // Of a federation, the one that is meant.
    const bare = metadata.replace(/<\?.*-->\s*/s, '');
    provider.publishes = `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${bare}${bare.replaceAll(provider.entityId, 'https://another.example.org')}</md:EntitiesDescriptor>`;
    try {
      assert.match(refusalOf(await connection.begin()).detail, /2 providers/);
      assert.ok((await connect({ entityId: provider.entityId }).begin()).ok);
    } finally {
      provider.publishes = undefined;
    }
    const inside = new SamlConnection({ metadataAddress: 'https://169.254.169.254/metadata' }, { clock });
    await assert.rejects(inside.begin(), /private network/);
  });

  test('SI-7 where people are known by an attribute, a sign-out means the sessions that it names', async () => {
    const byAttribute = connect({ subjectAttribute: 'employeeNumber' }, 'attribute');
    provider.parts = { attributes: { employeeNumber: '4711', email: ADA } };
    const identity = await signIn(byAttribute);
    assert.equal(identity.subject, '4711');
    const named = await byAttribute.readLogout(provider.logoutRequest(byAttribute.addresses.metadata, { email: ADA }).context);
    assert.ok(named.ok && named.subject === undefined, JSON.stringify(named));
    assert.deepEqual(named.providerSessions, [identity.providerSession]);
    const index = [...provider.sessions.keys()].at(-1)!;
    const several = provider.logoutRequest(byAttribute.addresses.metadata, { email: ADA, sessionIndex: [index, 'another', index] });
    const both = await byAttribute.readLogout(several.context);
    assert.ok(both.ok && both.subject === undefined && both.providerSessions.length === 2 && both.providerSessions[0] === identity.providerSession);
    const all = provider.logoutRequest(byAttribute.addresses.metadata, { email: ADA, sessionIndex: undefined });
    assert.match(refusalOf(await byAttribute.readLogout(all.context)).detail, /names no session/);
  });

  test('settings: what the form takes, and sentences for what it does not', () => {
    const sentences = (typed: Readonly<Record<string, unknown>>): string => String(saml.settings.safeParse(typed).error);
    assert.ok(saml.settings.safeParse({}).success, 'The provider may want our addresses first.');
    assert.match(sentences({ entityId: 'x' }), /where the provider lets people sign in/);
    assert.match(sentences({ signInAddress: 'http://idp.example.org/sso' }), /starts with https/);
    assert.match(sentences({ metadataAddress: 'data:text/xml,x' }), /starts with https/);
    assert.match(sentences({ certificates: ['MIIB'], subjectAttribute: 'mail' }), /no certificate[^]*given to somebody else/);
    assert.match(sentences({ metadata: ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', '<x>&e;</x>'] }), /document type/);
    assert.match(sentences({ metadata: ['<x/>'] }), /no metadata of an identity provider/);
  });

  test('our own metadata', () => {
    const { callback, metadata, logout, signedOut } = ownAddresses('ours');
    const text = connection.metadata;
    for (const said of [
      `entityID="${metadata}"`,
      `Location="${callback}"`,
      `Location="${logout}"`,
      `ResponseLocation="${signedOut}"`,
      'WantAssertionsSigned="true"',
    ])
      assert.ok(text.includes(said), said);
  });
});
