/**
 * Messages of a SAML provider as text, before anybody signs them. Assertions are in their exclusive canonical form as they stand, so that whoever forges one
 * can sign it with nothing but a hash and a key, by whatever algorithm.
 */
import { constants, createHash, createSign } from 'node:crypto';
import { withoutPemLines, type KeyPair } from '../../src/platform/secrets/certificates.ts';

export const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol';
export const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion';
export const DSIG = 'http://www.w3.org/2000/09/xmldsig#';

export interface ResponseParts {
  readonly id: string;
  readonly assertionId: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly issuer: string;
  readonly audience: string;
  readonly recipient: string;
  readonly inResponseTo: string;
  readonly nameId: string;
  readonly nameIdFormat: string;
  readonly sessionIndex: string;
  readonly authenticatedAt: number;
  readonly context: string;
  readonly attributes: Readonly<Record<string, string | readonly string[]>>;
  /** In place of what follows from the others: '' leaves an attribute out. */
  readonly destination?: string;
  readonly responseIssuer?: string;
  readonly responseInResponseTo?: string;
  /** How long from now it serves; negative: until when it did. */
  readonly lastsFor?: number;
  readonly notBefore?: number;
  readonly sessionEndsAt?: number;
  readonly conditions?: string;
  readonly confirmation?: string;
  readonly status?: string;
}

const MINUTE = 60_000;
export const iso = (at: number): string => new Date(at).toISOString();
export const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const said = (name: string, value: string): string => (value === '' ? '' : ` ${name}="${escaped(value)}"`);

export function responseXml(parts: ResponseParts): string {
  const { id, now, recipient, inResponseTo, issuer } = parts;
  const head = `${said('Destination', parts.destination ?? recipient)} ID="${id}"${said('InResponseTo', parts.responseInResponseTo ?? inResponseTo)}`;
  return (
    `<samlp:Response xmlns:samlp="${PROTOCOL}"${head} IssueInstant="${iso(now)}" Version="2.0">` +
    `<saml:Issuer xmlns:saml="${ASSERTION}">${escaped(parts.responseIssuer ?? issuer)}</saml:Issuer>` +
    `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${parts.status ?? 'Success'}"></samlp:StatusCode></samlp:Status>` +
    `${assertionXml(parts)}</samlp:Response>`
  );
}

/** In exclusive canonical form. */
export function assertionXml(parts: ResponseParts): string {
  const { assertionId, now, issuer, audience, recipient, inResponseTo, nameId, nameIdFormat, sessionIndex, authenticatedAt, context, attributes } = parts;
  const until = iso(now + (parts.lastsFor ?? 5 * MINUTE));
  const ends = parts.sessionEndsAt === undefined ? '' : ` SessionNotOnOrAfter="${iso(parts.sessionEndsAt)}"`;
  const confirmation =
    parts.confirmation ??
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData${said('InResponseTo', inResponseTo)} NotOnOrAfter="${until}" Recipient="${escaped(recipient)}"></saml:SubjectConfirmationData></saml:SubjectConfirmation>`;
  const conditions = parts.conditions ?? `<saml:AudienceRestriction><saml:Audience>${escaped(audience)}</saml:Audience></saml:AudienceRestriction>`;
  return (
    `<saml:Assertion xmlns:saml="${ASSERTION}" ID="${assertionId}" IssueInstant="${iso(now)}" Version="2.0"><saml:Issuer>${escaped(issuer)}</saml:Issuer>` +
    `<saml:Subject><saml:NameID Format="${nameIdFormat}">${escaped(nameId)}</saml:NameID>${confirmation}</saml:Subject>` +
    `<saml:Conditions NotBefore="${iso(parts.notBefore ?? now - MINUTE)}" NotOnOrAfter="${until}">${conditions}</saml:Conditions>` +
    `<saml:AuthnStatement AuthnInstant="${iso(authenticatedAt)}" SessionIndex="${sessionIndex}"${ends}><saml:AuthnContext><saml:AuthnContextClassRef>${escaped(context)}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
    `<saml:AttributeStatement>${Object.entries(attributes).map(attributeXml).join('')}</saml:AttributeStatement></saml:Assertion>`
  );
}

const attributeXml = ([name, value]: [string, string | readonly string[]]): string =>
  `<saml:Attribute Name="${escaped(name)}">${[value]
    .flat()
    .map((one) => `<saml:AttributeValue>${escaped(one)}</saml:AttributeValue>`)
    .join('')}</saml:Attribute>`;

interface Message {
  readonly id: string;
  readonly now: number;
  readonly issuer: string;
  readonly destination: string;
}

export function logoutRequestXml({
  id,
  now,
  issuer,
  destination,
  nameId,
  sessionIndex,
  notOnOrAfter,
}: Message & { nameId: string; sessionIndex: string | readonly string[] | undefined; notOnOrAfter?: number }): string {
  const until = notOnOrAfter === undefined ? '' : ` NotOnOrAfter="${iso(notOnOrAfter)}"`;
  const index = [sessionIndex ?? []]
    .flat()
    .map((one) => `<samlp:SessionIndex>${one}</samlp:SessionIndex>`)
    .join('');
  return `<samlp:LogoutRequest xmlns:samlp="${PROTOCOL}" Destination="${escaped(destination)}" ID="${id}" IssueInstant="${iso(now)}"${until} Version="2.0"><saml:Issuer xmlns:saml="${ASSERTION}">${escaped(issuer)}</saml:Issuer><saml:NameID xmlns:saml="${ASSERTION}">${escaped(nameId)}</saml:NameID>${index}</samlp:LogoutRequest>`;
}

export const logoutResponseXml = ({ id, now, issuer, destination, inResponseTo }: Message & { inResponseTo: string }): string =>
  `<samlp:LogoutResponse xmlns:samlp="${PROTOCOL}" Destination="${escaped(destination)}" ID="${id}" InResponseTo="${inResponseTo}" IssueInstant="${iso(now)}" Version="2.0"><saml:Issuer xmlns:saml="${ASSERTION}">${escaped(issuer)}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status></samlp:LogoutResponse>`;

export interface SignedBy {
  readonly key: KeyPair;
  /** 'pss': SHA-256, by RSA-PSS. */
  readonly hash?: 'sha1' | 'sha256' | 'pss';
  /** Of the element, unless told: what the reference leads to. */
  readonly uri?: string;
  /** In the place of the certificate of the key. */
  readonly certificate?: string;
  /** Beside what has to be there: an Object with something in it, say. */
  readonly more?: string;
}

const ALGORITHMS = {
  pss: { name: 'sha256', signature: 'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1', digest: 'http://www.w3.org/2001/04/xmlenc#sha256' },
  sha1: { name: 'sha1', signature: `${DSIG}rsa-sha1`, digest: `${DSIG}sha1` },
  sha256: { name: 'sha256', signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', digest: 'http://www.w3.org/2001/04/xmlenc#sha256' },
};

/** The signature of an element that is in its exclusive canonical form, which it will be put into. */
export function signatureOf(element: string, { key, hash = 'sha256', uri, certificate = key.certificate, more = '' }: SignedBy): string {
  const { name, signature, digest } = ALGORITHMS[hash];
  const to = uri ?? `#${/ ID="([^"]*)"/.exec(element)![1]}`;
  const of = createHash(name).update(element).digest('base64');
  const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
  const info = (declared: string): string =>
    `<ds:SignedInfo${declared}><ds:CanonicalizationMethod Algorithm="${exclusive}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="${signature}"></ds:SignatureMethod><ds:Reference URI="${to}"><ds:Transforms><ds:Transform Algorithm="${DSIG}enveloped-signature"></ds:Transform><ds:Transform Algorithm="${exclusive}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="${digest}"></ds:DigestMethod><ds:DigestValue>${of}</ds:DigestValue></ds:Reference></ds:SignedInfo>`;
  const padding = hash === 'pss' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
  const value = createSign(name)
    .update(info(` xmlns:ds="${DSIG}"`))
    .sign({ key: key.privateKey, ...padding }, 'base64');
  return `<ds:Signature xmlns:ds="${DSIG}">${info('')}<ds:SignatureValue>${value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${withoutPemLines(certificate)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>${more}</ds:Signature>`;
}

/** Where the schema has it: behind the issuer. */
export const signed = (element: string, by: SignedBy): string => element.replace('</saml:Issuer>', `</saml:Issuer>${signatureOf(element, by)}`);
