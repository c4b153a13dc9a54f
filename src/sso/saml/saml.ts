/**
 * SAML 2.0, as a service provider: the Web Browser SSO profile, asked by HTTP-Redirect and answered by HTTP-POST. Always: sign-ins begin here, and an
 * assertion answers the one request of its round trip; it is signed itself, whatever else is; and what is read is what was signed. A message that could be
 * read in two ways is not read: XML without comments, entities and the like, one assertion, each id once, signatures where they belong (XSW). What was sent
 * to somebody else, to another address, too early or too late counts for nothing, and an assertion counts once: its round trip is used up before it is
 * looked at. Certificates of the provider may be two at a time, and so may our own. Sign-outs are signed, of now, and count once.
 */
import { z } from 'zod';
import { makeToken } from '../../platform/secrets/tokens.ts';
import type { Failure, RedirectProtocol, Tools } from '../contract.ts';
import { misconfigured, quoted, refused, untrusted } from '../failures.ts';
import { readLogoutRequest, type Assertion } from './assertion.ts';
import { addressWith, providerOf, readFromAddress, readPosted, verifyAssertion, verifyPostedRequest } from './gateway.ts';
import { faultOfAssertion, faultOfLogoutRequest, logoutEndsAt } from './is-for-us.ts';
import { authnRequest, logoutRequest, logoutResponse, ownDescription } from './messages.ts';
import { PROTOCOL, SUCCESS } from './names.ts';
import { withKeys } from './own-keys.ts';
import { fields, settings as settingsShape, type SamlSettings } from './settings.ts';
import { identityFrom, sessionOf } from './who-it-is.ts';
import type { Provider } from './provider-metadata.ts';
import type { XmlElement } from '../../platform/xml/read-xml.ts';

const pendingShape = z.object({
  /** Of the request that the assertion has to answer. */
  requestId: z.string(),
  /** Epoch milliseconds. */
  askedAt: z.number(),
  fresh: z.boolean(),
  /** Who was asked. */
  entityId: z.string(),
});
export type SamlPending = z.infer<typeof pendingShape>;

/** What a sign-out needs, so that it waits for no server. */
const hintShape = z.object({
  signOutAddress: z.string(),
  nameId: z.object({ value: z.string(), format: z.string().optional(), nameQualifier: z.string().optional(), spNameQualifier: z.string().optional() }),
  sessionIndex: z.string().optional(),
});

const RELAY_STATE_CHARACTERS_MOST = 1000;

type FinishInput = Parameters<typeof saml.finish>[1];
type LogoutInput = Parameters<NonNullable<typeof saml.readLogout>>[1];

export const saml: RedirectProtocol<SamlSettings, SamlPending> = {
  way: 'redirect',
  kind: 'saml',
  words: {
    name: 'SAML 2.0',
    explanation:
      'Microsoft Entra ID, Okta, Google Workspace, Keycloak, AD FS, Shibboleth and many others. Where yours has OpenID Connect too, that is simpler.',
  },
  settings: settingsShape,
  fields,
  // No assertion says of an address that somebody has shown it to be theirs.
  saysVerified: false,
  pending: pendingShape,
  prepare: withKeys,

  async begin(tools, { settings, addresses, state, fresh }) {
    const found = await providerOf(tools.network, settings, tools.now);
    if (!found.ok) return found;
    const { signInAddress, entityId } = found.provider;
    // A letter or an underscore comes first in an XML id.
    const pending = { requestId: `_${makeToken(tools)}`, askedAt: tools.now, fresh, entityId };
    const message = authnRequest({ id: pending.requestId, now: tools.now, to: signInAddress, addresses }, { nameIdFormat: settings.nameIdFormat, fresh });
    return { ok: true, pending, url: addressWith(signInAddress, { name: 'SAMLRequest', message, relayState: state, privateKey: keyOf(settings) }) };
  },

  // An answer in an address could not be signed as a whole, and is none.
  stateOf: ({ form }) => (form?.['RelayState'] === '' ? undefined : form?.['RelayState']),

  async finish(tools, input) {
    const { settings, addresses, pending, callback, state } = input;
    if (callback.form?.['RelayState'] !== state) return untrusted('The answer belongs to another sign-in than this one (RelayState).');
    const message = readPosted(callback.form['SAMLResponse']);
    if (!message.ok) return message;
    const found = await providerOf(tools.network, settings, tools.now);
    if (!found.ok) return found;
    if (found.provider.entityId !== pending.entityId) return untrusted('The settings of the connection were changed meanwhile. Try again.');
    const fault = faultOfEnvelope(message.root, input) ?? refusalIn(message.root);
    if (fault) return fault;
    const verified = await verifyAssertion(message, found.provider, addresses);
    return verified.ok ? identify(tools, input, found.provider, verified.assertion) : verified;
  },

  async logoutUrl(tools, { settings, addresses, hint, state }) {
    const kept = hintShape.safeParse(JSON.parse(hint));
    if (!kept.success) return undefined;
    const { signOutAddress: to, sessionIndex, nameId } = kept.data;
    const head = { id: `_${makeToken(tools)}`, now: tools.now, to, addresses };
    const name = { value: nameId.value, format: nameId.format, nameQualifier: nameId.nameQualifier, spNameQualifier: nameId.spNameQualifier };
    return addressWith(to, {
      name: 'SAMLRequest',
      message: logoutRequest(head, { nameId: name, sessionIndex }),
      relayState: state,
      privateKey: keyOf(settings),
    });
  },

  isSignOutAnswer: ({ url, form }) =>
    form
      ? form['SAMLResponse'] !== undefined && form['SAMLRequest'] === undefined
      : url.searchParams.has('SAMLResponse') && !url.searchParams.has('SAMLRequest'),

  async readLogout(tools, input) {
    const { callback, settings } = input;
    const found = await providerOf(tools.network, settings, tools.now);
    if (!found.ok) return found;
    const received = callback.form === undefined ? readFromAddress(callback, found.provider) : await readSigned(callback.form, found.provider, input);
    return received.ok ? signedOut(tools, input, found.provider, received) : received;
  },

  ownMetadata: ({ settings, addresses }) =>
    `<?xml version="1.0" encoding="UTF-8"?>${ownDescription(addresses, settings ?? { ownKeys: [], nameIdFormat: 'persistent', signs: false }).toString()}\n`,
};

const keyOf = ({ signs, ownKeys }: SamlSettings): string | undefined => (signs ? ownKeys[0]?.privateKey : undefined);

/** What is written outside of the assertion, and may be signed or not: none of it is believed, and all of it has to fit. */
function faultOfEnvelope({ attributes, children }: XmlElement, { addresses, pending }: FinishInput): Failure | undefined {
  const { Destination: destination, InResponseTo: inResponseTo } = attributes;
  if (inResponseTo !== pending.requestId)
    return untrusted(
      inResponseTo === undefined
        ? 'The answer was not asked for: the sign-in has to begin here, not at the provider.'
        : 'The answer is to another request than this sign-in’s (InResponseTo).',
    );
  if (destination !== undefined && destination !== addresses.callback) return untrusted('The answer is meant for another address than this one (Destination).');
  const issuers = children.filter(({ name }) => name === 'Issuer');
  return issuers.every(({ text }) => text.trim() === pending.entityId)
    ? undefined
    : untrusted('The answer is of another provider than the one that was asked (Issuer).');
}

/** A provider that lets nobody in says so without a signature, too: believed, it lets nobody in. */
function refusalIn({ name: root, children }: XmlElement): Failure | undefined {
  if (root !== 'Response') return untrusted('What came is no response of SAML 2.0.');
  const statuses = children.filter(({ name, namespace }) => name === 'Status' && namespace === PROTOCOL);
  const [code] = (statuses[0]?.children ?? []).filter(({ name }) => name === 'StatusCode');
  const value = code?.attributes['Value'] ?? '';
  if (statuses.length === 1 && value === SUCCESS) return undefined;
  const words = [value, code?.children[0]?.attributes['Value'] ?? ''].map((one) => one.slice(one.lastIndexOf(':') + 1)).filter((one) => one !== '');
  const message = statuses[0]?.children.find(({ name }) => name === 'StatusMessage')?.text.trim() ?? '';
  const said = quoted([words.join(', '), message].filter((one) => one !== '').join(': '));
  return words[0] === 'Requester' || words[0] === 'VersionMismatch'
    ? misconfigured(`The provider did not accept what it was asked: ${said}. Compare entity id and callback address with what is registered there.`)
    : refused(`The provider did not let them in: ${said}.`);
}

function identify(
  tools: Tools,
  { settings, addresses, pending }: FinishInput,
  provider: Provider,
  assertion: Assertion,
): Awaited<ReturnType<typeof saml.finish>> {
  const fault = faultOfAssertion(assertion, {
    entityId: provider.entityId,
    now: tools.now,
    audience: addresses.metadata,
    recipient: addresses.callback,
    requestId: pending.requestId,
    freshSince: pending.fresh ? pending.askedAt : undefined,
  });
  if (fault !== undefined) return untrusted(fault);
  const who = identityFrom(settings, assertion);
  if (!who.ok) return misconfigured(who.fault);
  return { ok: true, identity: { ...who.identity, logoutHint: hintFor(provider, assertion) } };
}

const hintFor = ({ signOutAddress }: Provider, { nameId, sessionIndex }: Assertion): string | null =>
  signOutAddress === '' || !nameId ? null : JSON.stringify({ signOutAddress, nameId, sessionIndex });

interface Received {
  readonly root: XmlElement;
  readonly relayState: string | undefined;
}

async function readSigned(
  form: Readonly<Record<string, string>>,
  provider: Provider,
  { addresses }: LogoutInput,
): Promise<({ readonly ok: true } & Received) | Failure> {
  const message = readPosted(form['SAMLRequest']);
  if (!message.ok) return message;
  return (await verifyPostedRequest(message, provider, addresses)) ?? { ok: true, root: message.root, relayState: form['RelayState'] };
}

/** Whose sign-out it is, and the way back: to the provider's own address, with what it wants to have back. */
function signedOut(
  tools: Tools,
  { settings, addresses }: LogoutInput,
  provider: Provider,
  { root, relayState }: Received,
): Awaited<ReturnType<NonNullable<typeof saml.readLogout>>> {
  const request = readLogoutRequest(root);
  if (!request) return untrusted('The message is no sign-out.');
  const fault = faultOfLogoutRequest(request, { entityId: provider.entityId, destination: addresses.logout, now: tools.now });
  if (fault !== undefined) return untrusted(fault);
  const nameId = request.nameIds[0]!.value;
  const isSubject = settings.subjectAttribute === '';
  if (!isSubject && request.sessionIndexes.length === 0)
    return misconfigured('The sign-out names no session (SessionIndex), and people are known here by something else than the NameID.');
  const to = provider.signOutAddress;
  // 80 bytes by the specification (Bindings, 3.4.3); an address of ours carries no more than it can.
  const backTo = relayState !== undefined && relayState.length > RELAY_STATE_CHARACTERS_MOST ? undefined : relayState;
  const head = { id: `_${makeToken(tools)}`, now: tools.now, to, addresses };
  const reply =
    to === ''
      ? undefined
      : addressWith(to, { name: 'SAMLResponse', message: logoutResponse(head, request.id!), relayState: backTo, privateKey: keyOf(settings) });
  return {
    ok: true,
    subject: isSubject ? nameId : undefined,
    providerSessions: [...new Set(request.sessionIndexes)].map((index) => sessionOf(nameId, index)),
    messageId: request.id!,
    expiresAt: logoutEndsAt(request),
    reply: reply ?? addresses.signedOut,
  };
}
