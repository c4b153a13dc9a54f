// What a provider says about itself (SAML 2.0 Metadata, 2.4.3). Part of saml.ts.
import { readCertificate } from '../../platform/secrets/certificates.ts';
import { instantOf } from '../../platform/words/times.ts';
import { readXml, type XmlElement } from '../../platform/xml/read-xml.ts';
import type { Failure } from '../contract.ts';
import { misconfigured, quoted } from '../failures.ts';
import { DSIG, METADATA, REDIRECT } from './names.ts';

/** Each is tried on each signature, those of strangers too. */
const CERTIFICATES_MOST = 8;

export interface Provider {
  readonly entityId: string;
  readonly signInAddress: string;
  /** '' where it has none. */
  readonly signOutAddress: string;
  /** PEM. */
  readonly certificates: readonly string[];
  /** Epoch milliseconds. */
  readonly validUntil: number | undefined;
}

/**
 * `entityId`: whose, where there are several; '' where there is one. Its own signature is not looked at: whoever pastes it, or serves it at the address that
 * was typed, is believed for that.
 */
export function readProviderMetadata(
  text: string,
  { entityId, charactersMost }: { entityId: string; charactersMost: number },
): { readonly ok: true; readonly provider: Provider } | Failure {
  const read = readXml(text, { charactersMost, comments: 'dropped' });
  if (!read.ok) return misconfigured(`The provider’s metadata ${read.fault}.`);
  const all = entitiesIn(read.root).filter((one) => one.children.some(isProvider));
  const entity = entityId === '' && all.length === 1 ? all[0] : all.find((one) => one.attributes['entityID'] === entityId);
  if (!entity)
    return misconfigured(
      all.length === 0
        ? 'That is no metadata of an identity provider (EntityDescriptor with IDPSSODescriptor).'
        : `The metadata is of ${all.length === 1 ? quoted(all[0]!.attributes['entityID'] ?? '') : `${all.length} providers`}. Enter the entity id of the one that you mean.`,
    );
  const descriptor = entity.children.find(isProvider)!;
  const signInAddress = addressIn(descriptor, 'SingleSignOnService', 'Location');
  if (signInAddress === '') return misconfigured('The metadata names no address to sign in at by HTTP-Redirect.');
  const certificates = certificatesIn(descriptor);
  if (certificates.length === 0) return misconfigured('The metadata holds no certificate with an RSA key of 2048 bits or more to verify signatures by.');
  const untils = [read.root, entity, descriptor].map(({ attributes }) => attributes['validUntil']).filter((until) => until !== undefined);
  const validUntil = untils.length === 0 ? undefined : Math.min(...untils.map((until) => instantOf(until) ?? 0));
  const signOutAddress = addressIn(descriptor, 'SingleLogoutService', 'Location');
  return { ok: true, provider: { entityId: entity.attributes['entityID'] ?? '', signInAddress, signOutAddress, certificates, validUntil } };
}

const isOf =
  (namespace: string, name: string) =>
  (one: XmlElement): boolean =>
    one.name === name && one.namespace === namespace;

const isProvider = isOf(METADATA, 'IDPSSODescriptor');

function entitiesIn(root: XmlElement): XmlElement[] {
  if (isOf(METADATA, 'EntityDescriptor')(root)) return [root];
  return isOf(METADATA, 'EntitiesDescriptor')(root) ? root.children.flatMap(entitiesIn) : [];
}

const addressIn = ({ children }: XmlElement, service: string, attribute: string): string =>
  children.find((one) => isOf(METADATA, service)(one) && one.attributes['Binding'] === REDIRECT)?.attributes[attribute] ?? '';

function certificatesIn({ children }: XmlElement): string[] {
  const signing = children.filter((one) => isOf(METADATA, 'KeyDescriptor')(one) && (one.attributes['use'] ?? 'signing') === 'signing');
  const texts = signing.flatMap((one) => everyIn(one, isOf(DSIG, 'X509Certificate'))).map(({ text }) => text);
  return [...new Set(texts.map(readCertificate).flatMap((read) => (read.ok ? [read.pem.trim()] : [])))].slice(0, CERTIFICATES_MOST);
}

const everyIn = (root: XmlElement, is: (one: XmlElement) => boolean): XmlElement[] =>
  root.children.flatMap((one) => [...(is(one) ? [one] : []), ...everyIn(one, is)]);
