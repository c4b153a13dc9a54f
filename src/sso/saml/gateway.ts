// The wire to a SAML provider: its metadata, its signatures, and what goes to and fro in addresses (SAML 2.0 Bindings, 3.4). Part of saml.ts.
import type { SAML } from '@node-saml/node-saml';
import { deflated, inflated, textFromBase64 } from '../../platform/deflate.ts';
import type { Network } from '../../platform/http/network.ts';
import { isSignedByRsa, signByRsa } from '../../platform/secrets/certificates.ts';
import { readXml, type XmlElement } from '../../platform/xml/read-xml.ts';
import type { Xml } from '../../platform/xml/write-xml.ts';
import type { Callback, Failure, OwnAddresses } from '../contract.ts';
import { misconfigured, quoted, untrusted } from '../failures.ts';
import { readAssertion, type Assertion } from './assertion.ts';
import { DEFLATE, SIGNATURES } from './names.ts';
import { readProviderMetadata, type Provider } from './provider-metadata.ts';
import { faultOfResponse, faultOfSignedRequest, isSigned } from './reads-one-way.ts';
import type { SamlSettings } from './settings.ts';

/** Assertions with hundreds of groups, and two signatures with their certificates. */
const MESSAGE_CHARACTERS_MOST = 256 * 1024;
const REQUEST_CHARACTERS_MOST = 32 * 1024;
const METADATA_CHARACTERS_MOST = 1024 * 1024;
const OWN_SIGNATURE = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';

/** What is known of the provider now: its certificates may change at any time. */
export async function providerOf(network: Network, settings: SamlSettings, now: number): Promise<{ readonly ok: true; readonly provider: Provider } | Failure> {
  const { metadataAddress, entityId, signInAddress, signOutAddress, certificates } = settings;
  if (metadataAddress === '') {
    if (signInAddress === '') return misconfigured('Nothing is known of the provider yet. Enter the address of its metadata, or the metadata itself.');
    return { ok: true, provider: { entityId, signInAddress, signOutAddress, certificates, validUntil: undefined } };
  }
  const answer = await network.fetch(metadataAddress, { headers: { accept: 'application/samlmetadata+xml, application/xml, text/xml' } });
  if (answer.status !== 200) return misconfigured(`The provider’s metadata could not be read: it answered with status ${answer.status}.`);
  const read = readProviderMetadata(await answer.text(), { entityId, charactersMost: METADATA_CHARACTERS_MOST });
  if (!read.ok) return read;
  const { provider } = read;
  if (provider.validUntil !== undefined && now >= provider.validUntil) return misconfigured('The provider’s metadata has expired (validUntil).');
  for (const where of [provider.signInAddress, provider.signOutAddress])
    if (where !== '' && !isWayFor(where, metadataAddress))
      return misconfigured(`The provider sends browsers to ${quoted(where)}, which does not start with https://.`);
  return read;
}

/** Plain http serves where the metadata came from the same host by it: the network asks only hosts so that the operator named. */
function isWayFor(where: string, metadataAddress: string): boolean {
  const [to, from] = [URL.parse(where), new URL(metadataAddress)];
  return to !== null && (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:' && to.hostname === from.hostname));
}

export type Message = { readonly ok: true; readonly text: string; readonly root: XmlElement } | Failure;

export const readPosted = (field: string | undefined): Message => readMessage(field === undefined ? undefined : textFromBase64(field), MESSAGE_CHARACTERS_MOST);

function readMessage(text: string | undefined, charactersMost: number): Message {
  if (text === undefined) return untrusted('What came holds no message of SAML, or a larger one than anybody would need.');
  const read = readXml(text, { charactersMost });
  return read.ok ? { ok: true, text, root: read.root } : untrusted(`The message ${read.fault}.`);
}

/**
 * What is signed in a response, and nothing else: the library returns the very bytes that the signature is of, and they alone are read on. It reads the
 * machine's clock, so that its looks at instants are turned off; is-for-us.ts looks at each, with the time that is handed in.
 */
export async function verifyAssertion(
  { text, root }: { text: string; root: XmlElement },
  { certificates }: Provider,
  addresses: OwnAddresses,
): Promise<{ readonly ok: true; readonly assertion: Assertion } | Failure> {
  const fault = faultOfResponse(root);
  if (fault !== undefined) return untrusted(fault);
  const library = await libraryFor(certificates, addresses, isSigned(root));
  let signed: string | undefined;
  try {
    const { profile } = await library.validatePostResponseAsync({ SAMLResponse: Buffer.from(text).toString('base64') });
    signed = profile?.getAssertionXml?.();
  } catch (error) {
    return untrusted(notSigned('assertion', error));
  }
  const read = readXml(signed ?? '', { charactersMost: MESSAGE_CHARACTERS_MOST });
  const assertion = read.ok ? readAssertion(read.root) : undefined;
  return assertion ? { ok: true, assertion } : untrusted('What is signed is no assertion.');
}

export async function verifyPostedRequest(
  { text, root }: { text: string; root: XmlElement },
  { certificates }: Provider,
  addresses: OwnAddresses,
): Promise<Failure | undefined> {
  const fault = faultOfSignedRequest(root);
  if (fault !== undefined) return untrusted(fault);
  try {
    const library = await libraryFor(certificates, addresses, false);
    await library.validatePostRequestAsync({ SAMLRequest: Buffer.from(text).toString('base64') });
    return undefined;
  } catch (error) {
    return untrusted(notSigned('message', error));
  }
}

/** Loaded when it is needed, since it takes a tenth of the time to start, and most installations never do. */
async function libraryFor(certificates: readonly string[], { metadata, callback }: OwnAddresses, wantAuthnResponseSigned: boolean): Promise<SAML> {
  const { SAML, ValidateInResponseTo } = await import('@node-saml/node-saml');
  return new SAML({
    idpCert: [...certificates],
    issuer: metadata,
    callbackUrl: callback,
    audience: false,
    acceptedClockSkewMs: -1,
    validateInResponseTo: ValidateInResponseTo.never,
    wantAssertionsSigned: true,
    // Where the response bears one, too, it has to be good.
    wantAuthnResponseSigned,
  });
}

const notSigned = (called: string, error: unknown): string =>
  `The ${called} is not signed by a certificate that the provider is known by. If it changed to another one, enter that too. (${quoted(error instanceof Error ? error.message : '')})`;

/** A message as an address: signed, where there is a key. */
export function addressWith(
  to: string,
  {
    name,
    message,
    relayState,
    privateKey,
  }: { name: 'SAMLRequest' | 'SAMLResponse'; message: Xml; relayState: string | undefined; privateKey: string | undefined },
): string {
  const pairs: [string, string][] = [[name, deflated(message.toString())]];
  if (relayState !== undefined) pairs.push(['RelayState', relayState]);
  if (privateKey !== undefined) pairs.push(['SigAlg', OWN_SIGNATURE]);
  const query = pairs.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
  const whole = privateKey === undefined ? query : `${query}&Signature=${encodeURIComponent(signByRsa(privateKey, query))}`;
  return `${to}${to.includes('?') ? '&' : '?'}${whole}`;
}

export type FromAddress = { readonly ok: true; readonly root: XmlElement; readonly relayState: string | undefined } | Failure;

/** A request that came in an address, and is signed there: over what stood there letter by letter, so that nothing is decoded before it is verified. */
export function readFromAddress({ url }: Callback, { certificates }: Provider): FromAddress {
  const said = new Map<string, string>();
  for (const pair of url.search.slice(1).split('&')) {
    const [name = ''] = pair.split('=', 1);
    if (said.has(name)) return untrusted('What came says something twice.');
    said.set(name, pair.slice(name.length + 1));
  }
  const [request, relayState, algorithm, signature] = ['SAMLRequest', 'RelayState', 'SigAlg', 'Signature'].map((name) => said.get(name));
  if (request === undefined || algorithm === undefined || signature === undefined) return untrusted('The message is not signed.');
  const encoding = said.get('SAMLEncoding');
  if (encoding !== undefined && decoded(encoding) !== DEFLATE) return untrusted('The message is packed in a way that is not known here.');
  const how = SIGNATURES[decoded(algorithm) ?? ''];
  if (how === undefined) return untrusted('The message is signed by an algorithm that is not sound, such as SHA-1.');
  const text = [`SAMLRequest=${request}`, ...(relayState === undefined ? [] : [`RelayState=${relayState}`]), `SigAlg=${algorithm}`].join('&');
  if (!isSignedByRsa(certificates, { how, text, signature: decoded(signature) ?? '' })) return untrusted(notSigned('message', undefined));
  const message = readMessage(inflated(decoded(request) ?? '', REQUEST_CHARACTERS_MOST), REQUEST_CHARACTERS_MOST);
  return message.ok ? { ok: true, root: message.root, relayState: relayState === undefined ? undefined : decoded(relayState) } : message;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
