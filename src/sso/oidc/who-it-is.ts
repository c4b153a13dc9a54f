/**
 * Who somebody is, by the claims of an ID token and of the userinfo endpoint. Both have been verified by now, and speak of the same `sub`. Where both say
 * something, the ID token counts: it is signed.
 */
import type { Identity } from '../contract.ts';
import { EMAIL_CHARACTERS_MOST, GROUPS_MOST, METHODS_MOST, NAME_CHARACTERS_MOST, SUBJECT_CHARACTERS_MOST, WORD_CHARACTERS_MOST } from '../identity-limits.ts';
import type { OpenIdSettings } from './settings.ts';

export type Claims = Readonly<Record<string, unknown>>;

/**
 * Anybody may have a Google account by an address of somebody else's domain, if they could read one mail to it, once. Google says itself that its word for an
 * address counts only of accounts of a Workspace, which it names the domain of.
 */
const GOOGLE = 'https://accounts.google.com';

/** Undefined where the claim that names people is none that names one. */
export function identityFrom(
  settings: OpenIdSettings,
  { token, userInfo, logoutHint }: { token: Claims; userInfo: Claims; logoutHint: string | null },
): Identity | undefined {
  // What an account is known by comes from the signed token alone.
  const subject = token[settings.subjectClaim];
  if (typeof subject !== 'string' || subject === '' || subject.length > SUBJECT_CHARACTERS_MOST) return undefined;
  const claims: Claims = { ...userInfo, ...token };
  const authTime = token['auth_time'];
  return {
    subject,
    email: textOf(claims[settings.emailClaim], EMAIL_CHARACTERS_MOST),
    emailVerified: isEmailVerified(settings, { token, userInfo }),
    name: nameFrom(claims, settings.nameClaim),
    groups: wordsOf(claims[settings.groupsClaim]).slice(0, GROUPS_MOST),
    methods: [...new Set([...wordsOf(token['amr']), ...wordsOf(token['acr'])])].slice(0, METHODS_MOST),
    authenticatedAt: typeof authTime === 'number' && Number.isFinite(authTime) ? authTime * 1000 : null,
    // `exp` is until when the token may be read, and no word of the session.
    sessionEndsAt: null,
    providerSession: textOf(token['sid'], WORD_CHARACTERS_MOST),
    logoutHint,
    claims,
  };
}

/** Whether the ID token leaves open what the userinfo endpoint may know. A name alone is not worth a request at every sign-in. */
export function isUserInfoNeeded({ emailClaim, groupsClaim }: OpenIdSettings, token: Claims): boolean {
  return textOf(token[emailClaim], EMAIL_CHARACTERS_MOST) === null || (groupsClaim !== '' && token[groupsClaim] === undefined);
}

/**
 * `email_verified` speaks of `email` and of nothing else; and it is taken from where the address is, so that what one says of its address is not said of the
 * other's. Some providers write true as a text, and Microsoft's `xms_edov` came as a number.
 */
function isEmailVerified({ issuer, emailClaim, emailVerifiedClaim }: OpenIdSettings, { token, userInfo }: { token: Claims; userInfo: Claims }): boolean {
  if (emailClaim !== 'email' && emailVerifiedClaim === 'email_verified') return false;
  if (issuer === GOOGLE && textOf(token['hd'], WORD_CHARACTERS_MOST) === null) return false;
  const from = token[emailClaim] === undefined ? userInfo : token;
  return [true, 'true', 1, '1'].includes(from[emailVerifiedClaim] as string);
}

function nameFrom(claims: Claims, nameClaim: string): string {
  const whole = textOf(claims[nameClaim], NAME_CHARACTERS_MOST);
  if (whole !== null) return whole;
  const parts = [textOf(claims['given_name'], NAME_CHARACTERS_MOST), textOf(claims['family_name'], NAME_CHARACTERS_MOST)];
  return parts.filter((part) => part !== null).join(' ');
}

function textOf(value: unknown, charactersMost: number): string | null {
  if (typeof value !== 'string') return null;
  const trimmed = value.trim();
  return trimmed === '' || trimmed.length > charactersMost ? null : trimmed;
}

/** A list of words; providers that have one only write it without the list. */
function wordsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter(
    (word): word is string => typeof word === 'string' && word !== '' && word.length <= WORD_CHARACTERS_MOST,
  );
}
