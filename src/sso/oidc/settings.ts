// What an administrator tells of an OpenID provider: the fields of the form, and the shape that is stored. Part of oidc.ts.
import { z } from 'zod';
import type { SettingField } from '../contract.ts';

export interface OpenIdSettings {
  /** Exactly as the provider calls itself: `iss` is compared letter by letter. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly secretBy: 'post' | 'basic';
  readonly scopes: string;
  readonly subjectClaim: string;
  readonly emailClaim: string;
  readonly emailVerifiedClaim: string;
  readonly nameClaim: string;
  /** '' where groups are not asked for. */
  readonly groupsClaim: string;
}

const SCOPES = 'openid profile email';
const CHARACTERS_MOST = 500;
const WELL_KNOWN = '/.well-known/openid-configuration';
/**
 * Claims that somebody may change, or that are given to somebody else when a person leaves: whoever has the address, or the name, would have the account.
 */
const CHANGES_HANDS: readonly string[] = ['email', 'preferred_username', 'upn', 'unique_name', 'name', 'nickname', 'given_name', 'family_name'];

const text = z.string('Enter a text.').trim().max(CHARACTERS_MOST, `Use at most ${CHARACTERS_MOST} characters.`);
const claim = text.regex(/^\S*$/, 'The name of a claim has no spaces.');
const claimBy = (usual: string) => claim.transform((name) => name || usual).default(usual);

/** As it is typed in the form, where everything is text; what comes out goes in again unchanged. */
export const settings: z.ZodType<OpenIdSettings> = z.object({
  issuer: text
    .transform((address) => (address.endsWith(WELL_KNOWN) ? address.slice(0, -WELL_KNOWN.length) : address))
    .refine(isIssuer, 'Enter the address that the provider calls itself by, such as https://login.example.org. It has no ? and no #.'),
  clientId: text.min(1, 'Enter the client id.'),
  clientSecret: text.min(1, 'Enter the client secret.'),
  secretBy: z.enum(['post', 'basic'], 'Choose one of the two.').default('post'),
  scopes: text
    .transform((scopes) => scopes.split(/[\s,]+/).filter((scope) => scope !== ''))
    .refine((scopes) => scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)), 'Scopes are plain words with spaces between them.')
    .transform((scopes) => (scopes.length === 0 ? SCOPES : [...new Set(['openid', ...scopes])].join(' ')))
    .default(SCOPES),
  subjectClaim: claimBy('sub').refine(
    (name) => !CHANGES_HANDS.includes(name),
    'That can be given to somebody else one day, who would then have the account. Use a claim that stays with one person for ever, such as sub.',
  ),
  emailClaim: claimBy('email'),
  emailVerifiedClaim: claimBy('email_verified'),
  nameClaim: claimBy('name'),
  groupsClaim: claim.default(''),
});

export const fields: readonly SettingField[] = [
  {
    name: 'issuer',
    label: 'Issuer',
    hint: 'The address that the provider calls itself by. What it publishes below /.well-known/openid-configuration there is read for everything else.',
    kind: 'address',
    required: true,
  },
  { name: 'clientId', label: 'Client ID', kind: 'text', required: true },
  { name: 'clientSecret', label: 'Client secret', kind: 'secret', required: true },
  {
    name: 'secretBy',
    label: 'How the secret is sent',
    hint: 'If the provider says that the secret is wrong and it is not, choose the other one: in the header it is percent-encoded, which some providers do not undo.',
    kind: 'choice',
    choices: [
      { value: 'post', label: 'In the body (client_secret_post)' },
      { value: 'basic', label: 'In the header (client_secret_basic)' },
    ],
    initial: 'post',
    required: false,
  },
  { name: 'scopes', label: 'Scopes', hint: 'openid is asked for in any case.', kind: 'text', initial: SCOPES, required: false },
  {
    name: 'subjectClaim',
    label: 'Claim that names the person for ever',
    hint: 'Never an address, nor a name that can change.',
    kind: 'text',
    initial: 'sub',
    required: false,
  },
  { name: 'emailClaim', label: 'Claim with the email address', kind: 'text', initial: 'email', required: false },
  {
    name: 'emailVerifiedClaim',
    label: 'Claim that says that the address is verified',
    hint: 'Microsoft Entra ID: xms_edov',
    kind: 'text',
    initial: 'email_verified',
    required: false,
  },
  { name: 'nameClaim', label: 'Claim with the name', kind: 'text', initial: 'name', required: false },
  { name: 'groupsClaim', label: 'Claim with the groups', hint: 'Left empty: groups are not read.', kind: 'text', required: false },
];

function isIssuer(address: string): boolean {
  const url = URL.parse(address);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return false;
  return !/[?#\s\\]/.test(address) && url.username === '' && url.password === '' && !url.pathname.includes('/.well-known/');
}
