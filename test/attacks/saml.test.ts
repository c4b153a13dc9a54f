/**
 * What an attacker may try with SAML, through the front door: each answer is posted to the portal as a browser would, after a sign-in that really began there,
 * by somebody whom the provider knows as Eve and who would be Ada. Every one is refused for the reason that is named, and nobody is in.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { constants, createHmac, createSign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { hours, minutes } from '../../src/platform/durations.ts';
import { networkOf, PROVIDER_ANSWERS, spend } from '../../src/platform/limits/limits.ts';
import { CookieJar } from '../support/cookie-jar.ts';
import { NameServer } from '../support/name-server.ts';
import { foundOrganisation } from '../support/organisation.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { keyPair, PERSISTENT, SamlProvider } from '../support/saml-provider.ts';
import { addSaml, comeBackBySaml, connectSaml, leaveBySaml, signInBySaml, type Asked } from '../support/saml-sign-on.ts';
import { ASSERTION, assertionXml, DSIG, logoutRequestXml, responseXml, signatureOf, signed, type ResponseParts } from '../support/saml-xml.ts';
import type { Visitor } from '../support/visitor.ts';

let portal: Portal;
let provider: SamlProvider;
let names: NameServer;
/** Of the connection, and of another one of the same organisation at the same provider. */
let [connection, another] = ['', ''];
let stranger: Awaited<ReturnType<typeof keyPair>>;
let made = 0;

before(async () => {
  names = await NameServer.start();
  portal = await openPortal({ engine: 'sqlite', checkHtml: false, network: { nameServers: [names.address] } });
  provider = await SamlProvider.start({ now: () => portal.clock.now() });
  const owner = await foundOrganisation(portal);
  connection = (await connectSaml(portal, { owner, provider, names })).split('/').at(-1)!;
  another = (await addSaml(portal, { owner, provider }, { name: 'Another' })).split('/').at(-1)!;
  provider.account({ email: 'ada@example.com', subject: 'ada-1' });
  stranger = await keyPair(9);
  await signInBySaml(portal, portal.browser(), provider);
});
after(async () => {
  for (const one of [portal, provider, names]) await one[Symbol.asyncDispose]();
});

/** What the provider would say of Eve, who is somebody else. */
function partsFor({ id, portal: audience }: Asked, said: Partial<ResponseParts> = {}): ResponseParts {
  made += 1;
  return {
    id: `_response-${made}`,
    assertionId: `_assertion-${made}`,
    now: portal.clock.now(),
    issuer: provider.entityId,
    audience,
    recipient: audience.replace(/metadata$/, 'callback'),
    inResponseTo: id,
    nameId: 'eve-1',
    nameIdFormat: PERSISTENT,
    sessionIndex: `index-${made}`,
    authenticatedAt: portal.clock.now(),
    context: 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password',
    attributes: { email: 'eve@example.com' },
    ...said,
  };
}

interface Pieces {
  readonly parts: ResponseParts;
  /** Without a signature. */
  readonly response: string;
  readonly assertion: string;
  /** Of Eve, signed by the provider: what an attacker has by right. */
  readonly genuine: string;
  readonly signature: string;
  /** What they would rather have: Ada's, with no signature of its own. */
  readonly evil: string;
  /** A response around something. */
  around(content: string): string;
}

function piecesFor(asked: Asked, said: Partial<ResponseParts> = {}): Pieces {
  const parts = partsFor(asked, said);
  const [response, assertion] = [responseXml(parts), assertionXml(parts)];
  const signature = signatureOf(assertion, { key: provider.key });
  const evil = assertionXml({ ...parts, assertionId: `_evil-${made}`, nameId: 'ada-1', attributes: { email: 'ada@example.com' } });
  const genuine = assertion.replace('</saml:Issuer>', `</saml:Issuer>${signature}`);
  return { parts, response, assertion, genuine, signature, evil, around: (content) => response.replace(assertion, content) };
}

const withSignature = (assertion: string, signature: string): string => assertion.replace('</saml:Issuer>', `</saml:Issuer>${signature}`);
const inside = (element: string, end: string, more: string): string => element.replace(new RegExp(`${end}$`), `${more}${end}`);

async function post(browser: Visitor, asked: Asked, xml: string | Uint8Array, to = connection): Promise<void> {
  const fields = { SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: asked.relayState };
  await comeBackBySaml(portal, browser, { to: `http://localhost/sso/${to}/callback`, fields });
}

async function assertNobodyCameIn(browser: Visitor): Promise<void> {
  assert.equal(browser.cookies.get('twinlock-session'), undefined);
  await browser.visit('/account');
  assert.equal(browser.page.path, '/sign-in');
}

const lastDetail = (): string => String(portal.world.log.lines.filter(({ event }) => event === 'sso_failed').at(-1)?.details['detail']);

type Forge = (pieces: Pieces, asked: Asked) => string | Uint8Array;

/** Each is posted as the answer to a sign-in of its own. */
function refuses(cases: readonly (readonly [name: string, says: RegExp, forge: Forge, said?: Partial<ResponseParts>])[]): void {
  for (const [name, says, forge, said = {}] of cases)
    test(name, async () => {
      const browser = portal.browser();
      const asked = await leaveBySaml(browser);
      portal.world.log.lines.length = 0;
      await post(browser, asked, forge(piecesFor(asked, said), asked));
      assert.match(lastDetail(), says);
      assert.equal(browser.page.status, 403);
      await assertNobodyCameIn(browser);
    });
}

test('what the provider signed of Eve lets Eve in, so that the rest is refused for what it says', async () => {
  const browser = portal.browser();
  const asked = await leaveBySaml(browser);
  const { around, genuine } = piecesFor(asked);
  await post(browser, asked, around(genuine));
  assert.equal(browser.page.path, '/account');
  const both = portal.browser();
  const second = await leaveBySaml(both);
  const pieces = piecesFor(second);
  await post(both, second, signed(pieces.around(pieces.genuine), { key: provider.key }));
  assert.equal(both.page.path, '/account', 'Response and assertion signed.');
  const byPss = portal.browser();
  const third = await leaveBySaml(byPss);
  const { around: inResponse, assertion } = piecesFor(third);
  await post(byPss, third, inResponse(signed(assertion, { key: provider.key, hash: 'pss' })));
  assert.equal(byPss.page.path, '/account', 'RSA-PSS.');
});

describe('SI-4 signatures', () => {
  refuses([
    ['unsigned', /assertion is not signed/, ({ around, assertion }) => around(assertion)],
    ['the response is signed, the assertion is not', /assertion is not signed/, ({ response }) => signed(response, { key: provider.key })],
    [
      'signed by a stranger, whose certificate is in KeyInfo',
      /not signed by a certificate that the provider is known by/,
      ({ around, assertion }) => around(signed(assertion, { key: stranger })),
    ],
    [
      'signed by a stranger, with the provider’s certificate in KeyInfo',
      /not signed by a certificate/,
      ({ around, assertion }) => around(signed(assertion, { key: stranger, certificate: provider.key.certificate })),
    ],
    [
      'the assertion is signed well, and the response around it by a stranger',
      /not signed by a certificate/,
      ({ around, genuine }) => signed(around(genuine), { key: stranger }),
    ],
    ['by a stranger, RSA-PSS', /not signed by/, ({ around, assertion }) => around(signed(assertion, { key: stranger, hash: 'pss' }))],
    ['by SHA-1', /not sound, such as SHA-1/, ({ around, assertion }) => around(signed(assertion, { key: provider.key, hash: 'sha1' }))],
    ['by HMAC, with the public certificate as its secret', /not sound/, ({ around, genuine }) => around(byHmac(genuine, provider.key.certificate))],
    ['the name changed after it was signed', /not signed by a certificate/, ({ around, genuine }) => around(genuine.replace('eve-1', 'ada-1'))],
    ['an attribute changed after it was signed', /not signed by a certificate/, ({ around, genuine }) => around(genuine.replace('eve@', 'ada@'))],
    [
      'an attribute put beside it',
      /not signed by a certificate/,
      ({ around, genuine }) => around(inside(genuine, '</saml:Assertion>', '<saml:Advice></saml:Advice>')),
    ],
    ['signed twice', /signed more than once/, ({ around, genuine, signature }) => around(withSignature(genuine, signature))],
    [
      'a second SignedInfo, which is what was signed (CVE-2025-29774)',
      /holds what none needs/,
      ({ around, genuine, evil, signature }) =>
        around(withSignature(evil, signature.replace('</ds:SignedInfo>', `</ds:SignedInfo>${/<ds:SignedInfo>.*<\/ds:SignedInfo>/.exec(genuine)![0]}`))),
    ],
    [
      'a comment in the digest (CVE-2025-29775)',
      /holds a comment/,
      ({ around, genuine }) => around(genuine.replace('<ds:DigestValue>', '<ds:DigestValue><!--AAAA-->').replace('eve-1', 'ada-1')),
    ],
    [
      'the signature is of nothing in particular: an empty reference',
      /another element than the one that it is in/,
      ({ around, assertion }) => around(signed(assertion, { key: provider.key, uri: '' })),
    ],
    [
      'a transform that leaves out what it likes',
      /not of the whole of its element/,
      ({ around, genuine }) => around(genuine.replace(`Algorithm="${DSIG}enveloped-signature"`, 'Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"')),
    ],
    [
      'canonical form with comments',
      /not of the whole of its element/,
      ({ around, genuine }) => around(genuine.replaceAll('xml-exc-c14n#"', 'xml-exc-c14n#WithComments"')),
    ],
  ]);
});

/** What a library believes that lets the message choose the algorithm. */
function byHmac(assertion: string, secret: string): string {
  const named = assertion.replace('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', `${DSIG}hmac-sha1`);
  const info = /<ds:SignedInfo>.*<\/ds:SignedInfo>/.exec(named)![0].replace('<ds:SignedInfo>', `<ds:SignedInfo xmlns:ds="${DSIG}">`);
  return named.replace(/(<ds:SignatureValue>)[^<]*/, `$1${createHmac('sha1', secret).update(info).digest('base64')}`);
}

/** Somorovsky and others, On Breaking SAML: Be Whoever You Want to Be (2012). In 1 and 2 the response is what is signed. */
describe('SI-9 wrapped (XSW)', () => {
  const signedResponse = ({ around, genuine }: Pieces) => {
    const original = signed(around(genuine), { key: provider.key });
    const outer = /<ds:Signature.*?<\/ds:Signature>/s.exec(original)![0];
    return { original, outer, bare: original.replace(outer, '') };
  };
  const evilResponse = ({ around, evil, parts: { id } }: Pieces): string => around(evil).replace(`ID="${id}"`, `ID="_evil-${id}"`);
  refuses([
    [
      'XSW1: the signed response inside the signature of a forged one',
      /more than one assertion/,
      (pieces) => {
        const { bare, outer } = signedResponse(pieces);
        return withSignature(evilResponse(pieces), inside(outer, '</ds:Signature>', bare));
      },
    ],
    [
      'XSW2: the signed response beside the signature, in a forged one',
      /more than one assertion/,
      (pieces) => {
        const { bare, outer } = signedResponse(pieces);
        return withSignature(evilResponse(pieces), `${bare}${outer}`);
      },
    ],
    ['XSW3: a forged assertion in front of the signed one', /more than one assertion/, ({ around, evil, genuine }) => around(evil + genuine)],
    ['XSW3, behind it', /more than one assertion/, ({ around, evil, genuine }) => around(genuine + evil)],
    [
      'XSW4: the signed assertion inside the forged one',
      /more than one assertion/,
      ({ around, evil, genuine }) => around(inside(evil, '</saml:Assertion>', genuine)),
    ],
    [
      'XSW5: the forged assertion has the signature, and the signed one without it stands behind',
      /more than one assertion/,
      ({ around, evil, signature, assertion }) => around(withSignature(evil, signature) + assertion),
    ],
    [
      'XSW6: the signed assertion inside the signature that the forged one has',
      /more than one assertion/,
      ({ around, evil, signature, assertion }) => around(withSignature(evil, inside(signature, '</ds:Signature>', assertion))),
    ],
    [
      'XSW7: the forged assertion in Extensions',
      /more than one assertion/,
      ({ around, evil, genuine }) => around(`<samlp:Extensions>${evil}</samlp:Extensions>${genuine}`),
    ],
    [
      'XSW8: the signed assertion in an Object of the signature of the forged one',
      /more than one assertion/,
      ({ around, evil, signature, assertion }) => around(withSignature(evil, inside(signature, '</ds:Signature>', `<ds:Object>${assertion}</ds:Object>`))),
    ],
    [
      'the forged one alone, with the signature of the other',
      /another element than the one that it is in/,
      ({ around, evil, signature }) => around(withSignature(evil, signature)),
    ],
    [
      'the signed one hidden under another name',
      /not where it has to be|more than one|another element|none has to be/,
      ({ around, evil, genuine }) =>
        around(withSignature(evil, '') + genuine.replace('<saml:Assertion', '<samlp:Assertion').replace('</saml:Assertion>', '</samlp:Assertion>')),
    ],
    ['two assertions, both signed', /more than one assertion/, ({ around, genuine, evil }) => around(genuine + signed(evil, { key: provider.key }))],
    [
      'one id twice',
      /Two elements have the same id/,
      ({ around, genuine, parts }) => around(genuine).replace('<samlp:Status>', `<samlp:Status Id="${parts.assertionId}">`),
    ],
    [
      'the response is an assertion',
      /no response of SAML/,
      ({ genuine, parts }) => genuine.replace('<saml:Assertion', `<saml:Assertion InResponseTo="${parts.inResponseTo}"`),
    ],
  ]);
});

describe('SI-4 meant for somebody else, or for another time', () => {
  const genuine: Forge = ({ around, genuine: assertion }) => around(assertion);
  refuses([
    ['expired', /has expired/, genuine, { lastsFor: -minutes(1) }],
    ['not valid yet', /not valid yet/, (_pieces, asked) => fresh(asked, { notBefore: portal.clock.now() + minutes(2) })],
    ['made in the future', /not valid yet/, (_pieces, asked) => fresh(asked, { now: portal.clock.now() + minutes(2) })],
    [
      'no time at all',
      /not signed by a certificate|does not say when/,
      (_pieces, asked) => fresh(asked, {}, (text) => text.replace(/ NotOnOrAfter="[^"]*">/, '>')),
    ],
    ['a session that has ended', /has ended/, (_pieces, asked) => fresh(asked, { sessionEndsAt: portal.clock.now() - minutes(2) })],
    ['signed in tomorrow', /has not come yet/, (_pieces, asked) => fresh(asked, { authenticatedAt: portal.clock.now() + hours(24) })],
    ['for another application (Audience)', /another application/, genuine, { audience: 'https://another.example.org/metadata' }],
    ['for nobody in particular', /another application/, genuine, { conditions: '' }],
    [
      'for us, and besides for another application alone',
      /another application/,
      (_pieces, asked) =>
        fresh(asked, {
          conditions: [asked.portal, 'https://another.example.org']
            .map((one) => `<saml:AudienceRestriction><saml:Audience>${one}</saml:Audience></saml:AudienceRestriction>`)
            .join(''),
        }),
    ],
    [
      'a condition that nobody here understands',
      /not understood/,
      (_pieces, asked) =>
        fresh(asked, {
          conditions: `<saml:AudienceRestriction><saml:Audience>${asked.portal}</saml:Audience></saml:AudienceRestriction><saml:Condition></saml:Condition>`,
        }),
    ],
    [
      'for another address (Recipient)',
      /another address than this one \(Recipient\)/,
      (_pieces, asked) => fresh(asked, { recipient: 'https://evil.example.org/callback', destination: '' }),
    ],
    ['for another address (Destination)', /\(Destination\)/, genuine, { destination: 'https://evil.example.org/callback' }],
    [
      'of another issuer (Issuer of the assertion)',
      /another issuer/,
      (_pieces, asked) => fresh(asked, { issuer: 'https://evil.example.org', responseIssuer: provider.entityId }),
    ],
    ['of another issuer (Issuer of the response)', /another provider/, genuine, { responseIssuer: 'https://evil.example.org' }],
    ['to another request (InResponseTo of the response)', /another request/, genuine, { responseInResponseTo: '_another' }],
    [
      'to another request (InResponseTo of the assertion)',
      /made for another sign-in/,
      (_pieces, asked) => fresh(asked, { inResponseTo: '_another', responseInResponseTo: asked.id }),
    ],
    ['unsolicited: to no request', /not asked for/, genuine, { inResponseTo: '' }],
    ['unsolicited: the assertion to no request', /not asked for/, (_pieces, asked) => fresh(asked, { inResponseTo: '', responseInResponseTo: asked.id })],
    [
      'not to whoever bears it',
      /not confirmed/,
      (_pieces, asked) =>
        fresh(asked, { confirmation: '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"></saml:SubjectConfirmation>' }),
    ],
    ['a failure, with an assertion all the same', /did not let them in/, genuine, { status: 'Responder' }],
    [
      'a NameID that is an address',
      /is an address/,
      (_pieces, asked) => fresh(asked, { nameId: 'ada@example.com', nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress' }),
    ],
  ]);
  test('SI-2 SI-4 replayed: the same answer again, in the same browser, in another, and to another sign-in', async () => {
    const browser = portal.browser();
    const asked = await leaveBySaml(browser);
    const { around, genuine: assertion } = piecesFor(asked);
    await post(browser, asked, around(assertion));
    assert.equal(browser.page.path, '/account');
    for (const thief of [portal.browser(), portal.browser()]) {
      await post(thief, asked, around(assertion));
      await assertNobodyCameIn(thief);
    }
    const other = portal.browser();
    const second = await leaveBySaml(other);
    await post(other, { ...second }, around(assertion));
    assert.match(lastDetail(), /another request/);
    await assertNobodyCameIn(other);
  });

  test('SI-2 a form that another site posts into a victim’s browser signs them in as nobody', async () => {
    const attacker = portal.browser();
    const asked = await leaveBySaml(attacker);
    const { around, genuine: assertion } = piecesFor(asked);
    const victim = portal.browser();
    await victim.visit('/sign-in');
    await post(victim, asked, around(assertion));
    await assertNobodyCameIn(victim);
  });

  test('SI-3 an answer to one connection serves at no other, though both are at one provider', async () => {
    const browser = portal.browser();
    const asked = await leaveBySaml(browser);
    const { around, genuine: assertion } = piecesFor(asked);
    await post(browser, asked, around(assertion), another);
    await assertNobodyCameIn(browser);
  });

  test('SI-4 expired while it was on the way', async () => {
    const browser = portal.browser();
    const asked = await leaveBySaml(browser);
    const { around, genuine: assertion } = piecesFor(asked);
    portal.clock.advance(minutes(6));
    await post(browser, asked, around(assertion));
    assert.match(lastDetail(), /has expired/);
    await assertNobodyCameIn(browser);
  });

  test('RL-1 whoever keeps sending what lets nobody in pauses, on one network and for one connection', async () => {
    const { world } = portal;
    const network = '127.0.0.1';
    const fail = () => world.database.transaction((transaction) => spend(transaction, world, PROVIDER_ANSWERS, connection, networkOf(network)));
    for (let count = 0; count < PROVIDER_ANSWERS.free; count += 1) await fail();
    const browser = portal.browser();
    const asked = await leaveBySaml(browser);
    const { around, genuine: assertion } = piecesFor(asked);
    await post(browser, asked, '<x/>');
    await post(browser, asked, around(assertion));
    await assertNobodyCameIn(browser);
    portal.clock.advance(minutes(2));
    await post(browser, asked, around(assertion));
    assert.equal(browser.page.path, '/account', 'It was not looked at before, and so is not used up.');
  });

  test('a RelayState that is an address leads nowhere', async () => {
    for (const relayState of ['https://evil.example/', '//evil.example', '/account', '']) {
      const browser = portal.browser();
      const asked = await leaveBySaml(browser);
      const { around, genuine: assertion } = piecesFor(asked);
      await post(browser, { ...asked, relayState }, around(assertion));
      await assertNobodyCameIn(browser);
    }
  });
});

/** A genuine one, signed, of what the attacker would rather have had signed. */
function fresh(asked: Asked, said: Partial<ResponseParts>, change: (assertion: string) => string = (text) => text): string {
  const parts = partsFor(asked, said);
  const assertion = assertionXml(parts);
  return responseXml(parts).replace(assertion, signed(change(assertion), { key: provider.key }));
}

describe('SI-9 XML', () => {
  const declared =
    (declaration: string, change: (text: string) => string = (text) => text): Forge =>
    ({ around, genuine }) =>
      `${declaration}${change(around(genuine))}`;
  const lol = Array.from({ length: 10 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`).join('');
  refuses([
    ['an entity of its own', /document type/, declared('<!DOCTYPE x [<!ENTITY e "ada-1">]>', (text) => text.replace('eve-1', '&e;'))],
    ['an entity from outside', /document type/, declared('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', (text) => text.replace('eve-1', '&e;'))],
    ['a document type from outside', /document type/, declared('<!DOCTYPE x SYSTEM "http://169.254.169.254/latest.dtd">')],
    ['a parameter entity', /document type/, declared('<!DOCTYPE x [<!ENTITY % e SYSTEM "http://169.254.169.254/"> %e;]>')],
    ['a billion laughs', /document type/, declared(`<!DOCTYPE x [<!ENTITY l0 "lol">${lol}]>`, (text) => text.replace('eve-1', '&l10;'))],
    ['an entity that nobody declared', /refers to an entity/, declared('', (text) => text.replace('eve-1', '&ada;'))],
    ['a comment inside the NameID', /holds a comment/, (_pieces, asked) => fresh(asked, { nameId: 'ada-1.evil' }).replace('ada-1.evil', 'ada-1<!---->.evil')],
    [
      'a processing instruction inside the NameID',
      /processing instruction/,
      (_pieces, asked) => fresh(asked, { nameId: 'ada-1.evil' }).replace('ada-1.evil', 'ada-1<?x y?>.evil'),
    ],
    ['a CDATA section inside the NameID', /CDATA/, (_pieces, asked) => fresh(asked, { nameId: 'ada-1.evil' }).replace('ada-1.evil', '<![CDATA[ada-1]]>.evil')],
    [
      'an element inside the NameID',
      /plainly whom/,
      (_pieces, asked) => fresh(asked, { nameId: 'eve' }, (text) => text.replace('>eve<', '>ada-1<saml:x></saml:x>.evil<')),
    ],
    [
      'two NameIDs',
      /plainly whom/,
      (_pieces, asked) => fresh(asked, {}, (text) => text.replace('<saml:Subject>', '<saml:Subject><saml:NameID>ada-1</saml:NameID>')),
    ],
    ['deeper than a stack', /deeper/, ({ around, genuine }) => around('<samlp:x>'.repeat(9000) + genuine + '</samlp:x>'.repeat(9000))],
    ['more elements than anybody needs', /more elements/, ({ around, genuine }) => around('<x/>'.repeat(20_000) + genuine)],
    ['larger than anybody needs', /larger than anybody would need/, ({ around, genuine }) => around(' '.repeat(300_000) + genuine)],
    ['an attribute said twice', /one attribute twice/, ({ around, genuine }) => around(genuine).replace(' Version="2.0"', ' Version="2.0" Version="2.0"')],
    [
      'in another encoding than it says',
      /well-formed|no message|processing/,
      ({ around, genuine }) => `<?xml version="1.0" encoding="UTF-7"?>${around(genuine)}`,
    ],
    ['no UTF-8', /no message of SAML/, () => Uint8Array.of(0xff, 0xfe, 0x3c, 0x00)],
    ['nothing', /no message of SAML/, () => ''],
    ['no XML', /not well-formed/, () => 'SAMLResponse'],
    [
      'encrypted',
      /is encrypted\. Turn encryption off/,
      ({ around }) => around(`<saml:EncryptedAssertion xmlns:saml="${ASSERTION}"></saml:EncryptedAssertion>`),
    ],
  ]);

  test('SI-4 an answer larger than the door is not read at all', async () => {
    const payload = `RelayState=x&SAMLResponse=${'A'.repeat(600_000)}`;
    const answer = await portal.send({ method: 'POST', url: `/sso/${connection}/callback`, headers: FORM, payload });
    assert.equal(answer.statusCode, 413);
  });
});

describe('SI-7 sign-outs', () => {
  const logout = (): string => `/sso/${connection}/logout`;
  const at = (path: string): string => `${portal.world.installation.origin}/sso/${connection}/${path}`;
  const redirected = (url: string) => portal.send({ method: 'GET', url: url.slice(portal.world.installation.origin.length) });
  const posted = (xml: string) =>
    portal.send({
      method: 'POST',
      url: logout(),
      headers: FORM,
      payload: new URLSearchParams({ SAMLRequest: Buffer.from(xml).toString('base64') }).toString(),
    });
  const genuine = (said: Parameters<SamlProvider['logoutRequest']>[1] = { email: 'ada@example.com' }): URL =>
    new URL(provider.logoutRequest(at('metadata'), said).context);
  const xmlOf = (said: Partial<Parameters<typeof logoutRequestXml>[0]> = {}): string => {
    made += 1;
    return logoutRequestXml({
      id: `_out-${made}`,
      now: portal.clock.now(),
      issuer: provider.entityId,
      destination: at('logout'),
      nameId: 'ada-1',
      sessionIndex: undefined,
      ...said,
    });
  };
  const changed = (change: (url: URL) => void): string => {
    const url = genuine();
    change(url);
    return url.href;
  };

  test('SI-7 a sign-out that is not the provider’s, not for us, not of now or not for the first time ends nothing; the provider’s does', async () => {
    const browser = portal.browser();
    await signInBySaml(portal, browser, provider, { jar: new CookieJar() });
    const bomb = deflateRawSync(Buffer.alloc(8 * 1024 * 1024)).toString('base64');
    const tried: readonly (readonly [string, () => ReturnType<typeof redirected>, RegExp])[] = [
      [
        'unsigned, in an address',
        () => redirected(changed(({ searchParams }) => ['Signature', 'SigAlg'].forEach((name) => searchParams.delete(name)))),
        /not signed/,
      ],
      ['unsigned, in a form', () => posted(xmlOf()), /not signed/],
      ['the answer changed', () => redirected(changed(({ searchParams }) => searchParams.set('RelayState', 'https://evil.example'))), /not signed by/],
      ['by SHA-1', () => redirected(changed(({ searchParams }) => searchParams.set('SigAlg', `${DSIG}rsa-sha1`))), /not sound/],
      ['by no algorithm', () => redirected(changed(({ searchParams }) => searchParams.set('SigAlg', 'none'))), /not sound/],
      ['by a stranger', () => posted(signed(xmlOf(), { key: stranger })), /not signed by/],
      ['by SHA-1, in a form', () => posted(signed(xmlOf(), { key: provider.key, hash: 'sha1' })), /not sound/],
      ['changed after it was signed', () => posted(signed(xmlOf({ nameId: 'eve-1' }), { key: provider.key }).replace('eve-1', 'ada-1')), /not signed by/],
      ['with a comment', () => posted(signed(xmlOf({ nameId: 'ada-1.evil' }), { key: provider.key }).replace('ada-1.evil', 'ada-1<!---->.evil')), /comment/],
      [
        'a signed one inside another',
        () => posted(xmlOf().replace('</samlp:LogoutRequest>', `${signed(xmlOf(), { key: provider.key })}</samlp:LogoutRequest>`)),
        /not signed/,
      ],
      ['said twice', () => redirected(`${genuine().href}&SAMLRequest=x`), /twice/],
      [
        'another of the provider’s messages',
        () => posted(signed(xmlOf().replaceAll('LogoutRequest', 'ArtifactResolve'), { key: provider.key })),
        /no sign-out|not signed by/,
      ],
      ['for another address', () => posted(signed(xmlOf({ destination: 'https://another.example.org/logout' }), { key: provider.key })), /another address/],
      ['of another issuer', () => posted(signed(xmlOf({ issuer: 'https://evil.example.org' }), { key: provider.key })), /another issuer/],
      ['too old', () => posted(signed(xmlOf({ now: portal.clock.now() - minutes(11) }), { key: provider.key })), /too old/],
      ['expired', () => posted(signed(xmlOf({ notOnOrAfter: portal.clock.now() - minutes(2) }), { key: provider.key })), /too old/],
      ['from the future', () => posted(signed(xmlOf({ now: portal.clock.now() + minutes(2) }), { key: provider.key })), /future/],
      ['of nobody', () => posted(signed(xmlOf({ nameId: '' }), { key: provider.key })), /plainly whose|NameID/],
      ['a bomb', () => redirected(`${at('logout')}?SAMLRequest=${encodeURIComponent(bomb)}&SigAlg=x&Signature=x`), /not sound/],
      ['with entities', () => posted(`<!DOCTYPE x [<!ENTITY e "ada-1">]>${signed(xmlOf(), { key: provider.key })}`), /document type/],
    ];
    for (const [name, send, says] of tried) {
      const answer = await send();
      assert.equal(answer.statusCode, 400, `${name}: ${answer.statusCode} ${answer.body}`);
      assert.match(answer.body, says, name);
    }
    // Somebody else's, genuine.
    assert.equal((await posted(signed(xmlOf({ nameId: 'eve-1' }), { key: provider.key }))).statusCode, 303);
    await browser.visit('/account');
    assert.equal(browser.page.path, '/account');

    const url = genuine().href;
    const answer = await redirected(url);
    assert.equal(new URL(String(answer.headers.location)).origin, provider.origin);
    await browser.visit('/account');
    assert.equal(browser.page.path, '/sign-in');
    // Replayed, when Ada is in again. The session has another index; one without an index means all of hers.
    const all = signed(xmlOf(), { key: provider.key });
    await posted(all);
    await signInBySaml(portal, browser, provider, { jar: new CookieJar() });
    for (const again of [() => redirected(url), () => posted(all)]) await again();
    await browser.visit('/account');
    assert.equal(browser.page.path, '/account');
  });

  test('SI-7 a sign-out of several sessions ends those that it names, of its person, and no others', async () => {
    const arrive = async (): Promise<{ browser: Visitor; index: string }> => {
      const browser = portal.browser();
      await signInBySaml(portal, browser, provider, { jar: new CookieJar() });
      return { browser, index: [...provider.sessions.keys()].at(-1)! };
    };
    const [one, two, kept] = [await arrive(), await arrive(), await arrive()];
    const indexes = [one.index, two.index];
    assert.equal((await posted(signed(xmlOf({ nameId: 'eve-1', sessionIndex: indexes }), { key: provider.key }))).statusCode, 303);
    const isIn = async ({ browser }: { browser: Visitor }): Promise<boolean> => (await browser.visit('/account')).path === '/account';
    assert.deepEqual(await Promise.all([one, two, kept].map(isIn)), [true, true, true], 'Indexes of somebody else’s are nobody’s.');
    assert.equal((await posted(signed(xmlOf({ sessionIndex: indexes }), { key: provider.key }))).statusCode, 303);
    assert.deepEqual(await Promise.all([one, two, kept].map(isIn)), [false, false, true]);
  });

  test('a sign-out by RSA-PSS is read; what is padded in another way than it says is not', async () => {
    const url = genuine();
    const pss = `${encodeURIComponent('http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1')}`;
    const query = `SAMLRequest=${encodeURIComponent(url.searchParams.get('SAMLRequest')!)}&SigAlg=${pss}`;
    const send = async (padding: number): Promise<number> => {
      const signature = createSign('sha256').update(query).sign({ key: provider.key.privateKey, padding }, 'base64');
      return (await redirected(`${at('logout')}?${query}&Signature=${encodeURIComponent(signature)}`)).statusCode;
    };
    assert.deepEqual([await send(constants.RSA_PKCS1_PADDING), await send(constants.RSA_PKCS1_PSS_PADDING)], [400, 400], 'nor a salt as long as it can be');
    const signature = createSign('sha256')
      .update(query)
      .sign({ key: provider.key.privateKey, ...PSS }, 'base64');
    assert.equal((await redirected(`${at('logout')}?${query}&Signature=${encodeURIComponent(signature)}`)).statusCode, 303);
  });

  test('SI-7 a bomb that the provider itself signed is not unpacked', async () => {
    const zeros = deflateRawSync(Buffer.alloc(8 * 1024 * 1024)).toString('base64');
    const url = genuine();
    const query = `SAMLRequest=${encodeURIComponent(zeros)}&SigAlg=${encodeURIComponent(url.searchParams.get('SigAlg')!)}`;
    const signature = createSign('sha256').update(query).sign(provider.key.privateKey, 'base64');
    const started = process.memoryUsage().rss;
    const answer = await redirected(`${at('logout')}?${query}&Signature=${encodeURIComponent(signature)}`);
    assert.equal(answer.statusCode, 400);
    assert.match(answer.body, /larger/);
    assert.ok(process.memoryUsage().rss - started < 64 * 1024 * 1024);
  });

  test('the answer to a sign-out, whoever made it, leads to our own page and nowhere else', async () => {
    const answer = await portal.send({ method: 'GET', url: `${logout()}?SAMLResponse=x&RelayState=${encodeURIComponent('https://evil.example')}` });
    assert.equal(answer.statusCode, 303);
    assert.equal(String(answer.headers.location), at('signed-out'));
  });
});

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
