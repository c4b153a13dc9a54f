// What an administrator tells of a SAML provider: the fields of the form, and the shape that is stored. Part of saml.ts.
import { z } from 'zod';
import { isPublicAddress } from '../../platform/http/public-address.ts';
import { readCertificate } from '../../platform/secrets/certificates.ts';
import type { SettingField } from '../contract.ts';
import { readProviderMetadata, type Provider } from './provider-metadata.ts';

export interface SamlSettings {
  /** Read anew at each sign-in; '' where what follows is all there is. */
  readonly metadataAddress: string;
  /** As it was pasted; what it says is in the next four by the time that it is stored, and it is empty. */
  readonly metadata: readonly string[];
  readonly entityId: string;
  readonly signInAddress: string;
  readonly signOutAddress: string;
  /** PEM, each in one piece. */
  readonly certificates: readonly string[];
  readonly nameIdFormat: 'persistent' | 'unspecified';
  /** '' for the NameID. */
  readonly subjectAttribute: string;
  /** '' for the usual ones, here and for the name. */
  readonly emailAttribute: string;
  readonly nameAttribute: string;
  /** '' where groups are not read. */
  readonly groupsAttribute: string;
  readonly signs: boolean;
  readonly keyChange: 'keep' | 'add' | 'switch';
  /** Ours, made by us: the first one signs, each is published. */
  readonly ownKeys: readonly { readonly privateKey: string; readonly certificate: string }[];
}

const CHARACTERS_MOST = 500;
const METADATA_CHARACTERS_MOST = 40_000;
const CERTIFICATES_MOST = 5;
/** Attributes that somebody may change, or that are given to somebody else when a person leaves: whoever has the address, or the name, would have the account. */
const CHANGES_HANDS =
  /^(?:e?mail|emailaddress|upn|userprincipalname|username|login|name|displayname|given_?name|surname|sn|eduPersonPrincipalName|cn|urn:oid:(?:0\.9\.2342\.19200300\.100\.1\.3|1\.3\.6\.1\.4\.1\.5923\.1\.1\.1\.6|2\.5\.4\.(?:3|4|42)|2\.16\.840\.1\.113730\.3\.1\.241))$/i;

const text = z.string('Enter a text.').trim().max(CHARACTERS_MOST, `Use at most ${CHARACTERS_MOST} characters.`);
const address = text.refine(isWay, 'Enter an address that starts with https://.').default('');
const attribute = text.default('');
const lines = z.array(z.string()).default([]);

/** As it is typed in the form; what comes out goes in again unchanged. */
export const settings: z.ZodType<SamlSettings> = z
  .object({
    metadataAddress: address,
    metadata: lines,
    entityId: text.default(''),
    signInAddress: address,
    signOutAddress: address,
    certificates: lines.transform((typed, context) => certificatesFrom(typed, (message) => context.addIssue({ code: 'custom', message }))),
    nameIdFormat: z.enum(['persistent', 'unspecified'], 'Choose one of the two.').default('persistent'),
    subjectAttribute: attribute.refine(
      (name) => !CHANGES_HANDS.test(name.slice(name.lastIndexOf('/') + 1)),
      'That can be given to somebody else one day, who would then have the account. Use an attribute that stays with one person for ever.',
    ),
    emailAttribute: attribute,
    nameAttribute: attribute,
    groupsAttribute: attribute,
    signs: z.boolean().default(false),
    keyChange: z.enum(['keep', 'add', 'switch'], 'Choose one of the three.').default('keep'),
    ownKeys: z.array(z.object({ privateKey: z.string(), certificate: z.string() })).default([]),
  })
  .transform((typed, context) => {
    const mistake = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const { metadata: pasted, ...rest } = typed;
    if (pasted.length > 0) return { ...rest, metadata: [], ...fromPasted(pasted.join('\n'), rest, mistake) };
    const { entityId, signInAddress, metadataAddress, certificates } = rest;
    // Nothing yet is well: the provider may want to know our addresses first, and they are there once the connection is.
    if (metadataAddress === '' && (entityId !== '' || signInAddress !== '' || certificates.length > 0)) {
      if (entityId === '') mistake('entityId', 'Enter what the provider calls itself.');
      if (signInAddress === '') mistake('signInAddress', 'Enter where the provider lets people sign in.');
      if (certificates.length === 0) mistake('certificates', 'Enter the certificate that the provider signs with.');
    }
    return { ...rest, metadata: [] };
  })
  .transform(({ metadataAddress, metadata, entityId, signInAddress, signOutAddress, certificates, ...rest }) =>
    // In one order, so that what is the same looks the same.
    ({ metadataAddress, metadata, entityId, signInAddress, signOutAddress, certificates, ...rest }),
  );

type Mistake = (path: string, message: string) => void;

function fromPasted(
  pasted: string,
  { entityId }: { entityId: string },
  mistake: Mistake,
): { entityId: string; signInAddress: string; signOutAddress: string; certificates: string[] } {
  const read = readProviderMetadata(pasted, { entityId: '', charactersMost: METADATA_CHARACTERS_MOST });
  if (!read.ok) mistake('metadata', read.detail);
  const none: Provider = { entityId, signInAddress: '', signOutAddress: '', certificates: [], validUntil: undefined };
  const { validUntil: _until, certificates, ...found } = read.ok ? read.provider : none;
  for (const where of [found.signInAddress, found.signOutAddress]) if (!isWay(where)) mistake('metadata', 'An address in it does not start with https://.');
  return { ...found, certificates: [...certificates] };
}

/** One certificate after the other, as PEM; a single one may come without its first and last line. */
function certificatesFrom(typed: readonly string[], mistake: (message: string) => void): string[] {
  const whole = typed.join('\n');
  const pieces = whole.includes('-----BEGIN') ? whole.split(/(?=-----BEGIN)/) : [whole];
  const certificates = new Set<string>();
  for (const piece of pieces.map((one) => one.trim()).filter((one) => one !== '')) {
    const read = readCertificate(piece);
    if (read.ok) certificates.add(read.pem.trim());
    else mistake(read.fault);
  }
  if (certificates.size > CERTIFICATES_MOST) mistake(`Enter at most ${CERTIFICATES_MOST} certificates.`);
  return [...certificates];
}

/** Where a browser may be sent to; '' is none. Plain http serves for machines of a private network that are named by number, and for this machine. */
function isWay(where: string): boolean {
  if (where === '') return true;
  const url = URL.parse(where);
  if (!url || url.username !== '' || url.password !== '' || url.hash !== '' || /[\s\\]/.test(where)) return false;
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  return url.protocol === 'https:' || (url.protocol === 'http:' && (host === 'localhost' || (/^[\d.]+$|:/.test(host) && !isPublicAddress(host))));
}

export const fields: readonly SettingField[] = [
  {
    name: 'metadataAddress',
    label: 'Address of the provider’s metadata',
    hint: 'The simplest way, where the provider has one: it is read anew at each sign-in, so that new certificates are known at once.',
    kind: 'address',
    required: false,
  },
  { name: 'metadata', label: 'Or the metadata itself', hint: 'The XML, pasted. What it says replaces the next four.', kind: 'lines', required: false },
  { name: 'entityId', label: 'Entity id of the provider', hint: 'Exactly as it calls itself. Also called issuer.', kind: 'text', required: false },
  { name: 'signInAddress', label: 'Sign-in address', hint: 'Where browsers go (single sign-on URL, HTTP-Redirect).', kind: 'address', required: false },
  { name: 'signOutAddress', label: 'Sign-out address', hint: 'Left empty: signing out here does not sign out there.', kind: 'address', required: false },
  {
    name: 'certificates',
    label: 'Certificates that it signs with',
    hint: 'One after the other. Enter the new one beside the old one before the provider changes to it.',
    kind: 'lines',
    required: false,
  },
  {
    name: 'nameIdFormat',
    label: 'What kind of NameID is asked for',
    hint: 'A persistent one stays with one person for ever. One that is an address is refused, whatever is set.',
    kind: 'choice',
    choices: [
      { value: 'persistent', label: 'Persistent' },
      { value: 'unspecified', label: 'As it is set there' },
    ],
    initial: 'persistent',
    required: false,
  },
  {
    name: 'subjectAttribute',
    label: 'Attribute that names the person for ever',
    hint: 'Left empty: the NameID. Never an address, nor a name that can change.',
    kind: 'text',
    required: false,
  },
  { name: 'emailAttribute', label: 'Attribute with the email address', hint: 'Left empty: the usual ones are tried.', kind: 'text', required: false },
  { name: 'nameAttribute', label: 'Attribute with the name', hint: 'Left empty: the usual ones are tried.', kind: 'text', required: false },
  { name: 'groupsAttribute', label: 'Attribute with the groups', hint: 'Left empty: groups are not read.', kind: 'text', required: false },
  { name: 'signs', label: 'Sign what is sent to the provider', kind: 'check', initial: false, required: false },
  {
    name: 'keyChange',
    label: 'Our own key, where we sign',
    kind: 'choice',
    choices: [
      { value: 'keep', label: 'Leave it as it is' },
      { value: 'add', label: 'Make a second one, and publish both' },
      { value: 'switch', label: 'Sign by the second one, and forget the first' },
    ],
    initial: 'keep',
    required: false,
  },
];
