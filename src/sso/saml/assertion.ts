// What stands in an assertion, and in a sign-out, once its signature has been verified (SAML 2.0 Core, 2 and 3.7). Part of saml.ts.
import { instantOf } from '../../platform/words/times.ts';
import type { XmlElement } from '../../platform/xml/read-xml.ts';
import { ASSERTION, PROTOCOL } from './names.ts';

/** Instants are epoch milliseconds; undefined where nothing is said, NaN where what is said is no instant. */
type Instant = number | undefined;

export interface NameId {
  readonly value: string;
  readonly format: string | undefined;
  readonly nameQualifier: string | undefined;
  readonly spNameQualifier: string | undefined;
}

export interface Confirmation {
  readonly method: string | undefined;
  readonly recipient: string | undefined;
  readonly inResponseTo: string | undefined;
  readonly notBefore: Instant;
  readonly notOnOrAfter: Instant;
}

export interface Assertion {
  readonly id: string | undefined;
  readonly version: string | undefined;
  readonly issuer: string | undefined;
  readonly issuedAt: Instant;
  /** How often each part is there that may be there once. */
  readonly counts: Readonly<Record<'Issuer' | 'Subject' | 'NameID' | 'Conditions' | 'AuthnStatement', number>>;
  readonly nameId: NameId | undefined;
  readonly confirmations: readonly Confirmation[];
  readonly notBefore: Instant;
  readonly notOnOrAfter: Instant;
  /** Each restriction has to be met, by one of its audiences. */
  readonly audiences: readonly (readonly string[])[];
  /** Conditions that nobody here understands. */
  readonly otherConditions: readonly string[];
  readonly authenticatedAt: Instant;
  /** SessionNotOnOrAfter: of several statements the earliest. */
  readonly sessionEndsAt: Instant;
  readonly sessionIndex: string | undefined;
  /** AuthnContextClassRef */
  readonly contexts: readonly string[];
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

export interface LogoutRequest {
  readonly id: string | undefined;
  readonly version: string | undefined;
  readonly issuer: string | undefined;
  readonly destination: string | undefined;
  readonly issuedAt: Instant;
  readonly notOnOrAfter: Instant;
  readonly nameIds: readonly NameId[];
  readonly sessionIndexes: readonly string[];
}

/** Undefined for what is none. */
export function readAssertion(root: XmlElement): Assertion | undefined {
  if (root.name !== 'Assertion' || root.namespace !== ASSERTION) return undefined;
  const subject = inAssertion(root, 'Subject')[0];
  const conditions = inAssertion(root, 'Conditions')[0];
  const statement = inAssertion(root, 'AuthnStatement')[0];
  const count = (name: string): number => inAssertion(root, name).length;
  return {
    id: root.attributes['ID'],
    version: root.attributes['Version'],
    issuer: textIn(root, 'Issuer'),
    issuedAt: instantIn(root, 'IssueInstant'),
    counts: {
      Issuer: count('Issuer'),
      Subject: count('Subject'),
      NameID: inAssertion(subject, 'NameID').length,
      Conditions: count('Conditions'),
      AuthnStatement: count('AuthnStatement'),
    },
    nameId: nameIdsIn(subject)[0],
    confirmations: inAssertion(subject, 'SubjectConfirmation').map(confirmationFrom),
    notBefore: instantIn(conditions, 'NotBefore'),
    notOnOrAfter: instantIn(conditions, 'NotOnOrAfter'),
    audiences: inAssertion(conditions, 'AudienceRestriction').map((one) => inAssertion(one, 'Audience').map(plainText)),
    otherConditions: (conditions?.children ?? []).map(({ name }) => name).filter((name) => !UNDERSTOOD.includes(name)),
    authenticatedAt: instantIn(statement, 'AuthnInstant'),
    sessionEndsAt: earliest(inAssertion(root, 'AuthnStatement').map((one) => instantIn(one, 'SessionNotOnOrAfter'))),
    sessionIndex: statement?.attributes['SessionIndex'],
    contexts: inAssertion(statement, 'AuthnContext').flatMap((one) => inAssertion(one, 'AuthnContextClassRef').map(plainText)),
    attributes: attributesIn(root),
  };
}

export function readLogoutRequest(root: XmlElement): LogoutRequest | undefined {
  if (root.name !== 'LogoutRequest' || root.namespace !== PROTOCOL) return undefined;
  return {
    id: root.attributes['ID'],
    version: root.attributes['Version'],
    issuer: textIn(root, 'Issuer'),
    destination: root.attributes['Destination'],
    issuedAt: instantIn(root, 'IssueInstant'),
    notOnOrAfter: instantIn(root, 'NotOnOrAfter'),
    nameIds: nameIdsIn(root),
    sessionIndexes: root.children.filter(({ name, namespace }) => name === 'SessionIndex' && namespace === PROTOCOL).map(plainText),
  };
}

/** OneTimeUse asks for what is done anyway; ProxyRestriction is for those who vouch in turn. */
const UNDERSTOOD: readonly string[] = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'];

const inAssertion = (parent: XmlElement | undefined, name: string): XmlElement[] =>
  (parent?.children ?? []).filter((one) => one.name === name && one.namespace === ASSERTION);

/** Letter by letter, since people are known by it; '' for what is more than a text. */
const exactText = ({ text, children }: XmlElement): string => (children.length > 0 ? '' : text);
const plainText = (element: XmlElement): string => exactText(element).trim();

function textIn(parent: XmlElement, name: string): string | undefined {
  const found = inAssertion(parent, name)[0];
  return found && plainText(found);
}

function instantIn(element: XmlElement | undefined, name: string): Instant {
  const text = element?.attributes[name];
  return text === undefined ? undefined : (instantOf(text) ?? Number.NaN);
}

/** NaN where one of them is no instant. */
function earliest(instants: readonly Instant[]): Instant {
  const said = instants.filter((one) => one !== undefined);
  return said.length === 0 ? undefined : Math.min(...said);
}

const nameIdsIn = (parent: XmlElement | undefined): NameId[] =>
  inAssertion(parent, 'NameID').map((one) => ({
    value: exactText(one),
    format: one.attributes['Format'],
    nameQualifier: one.attributes['NameQualifier'],
    spNameQualifier: one.attributes['SPNameQualifier'],
  }));

function confirmationFrom(element: XmlElement): Confirmation {
  const [data, ...more] = inAssertion(element, 'SubjectConfirmationData');
  return {
    method: element.attributes['Method'],
    recipient: more.length > 0 ? undefined : data?.attributes['Recipient'],
    inResponseTo: data?.attributes['InResponseTo'],
    notBefore: instantIn(data, 'NotBefore'),
    notOnOrAfter: instantIn(data, 'NotOnOrAfter'),
  };
}

/** Values of one name are put together, in whatever statement they stand. */
function attributesIn(root: XmlElement): Record<string, readonly string[]> {
  const attributes = new Map<string, string[]>();
  for (const one of inAssertion(root, 'AttributeStatement').flatMap((statement) => inAssertion(statement, 'Attribute'))) {
    const name = one.attributes['Name'] ?? '';
    const values = inAssertion(one, 'AttributeValue').map(exactText);
    attributes.set(name, [...(attributes.get(name) ?? []), ...values]);
  }
  // Providers choose the names: none of them is one that objects have of themselves.
  return Object.assign(Object.create(null) as Record<string, readonly string[]>, Object.fromEntries(attributes));
}
