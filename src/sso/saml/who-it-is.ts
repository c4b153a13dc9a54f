/** Who somebody is, by an assertion that has been verified. */
import type { Identity } from '../contract.ts';
import { EMAIL_CHARACTERS_MOST, GROUPS_MOST, METHODS_MOST, NAME_CHARACTERS_MOST, SUBJECT_CHARACTERS_MOST, WORD_CHARACTERS_MOST } from '../identity-limits.ts';
import type { Assertion, NameId } from './assertion.ts';
import { NAME_ID } from './names.ts';
import type { SamlSettings } from './settings.ts';

/** What providers call them where nobody has said otherwise: Okta and Google, Entra ID and AD FS, LDAP's own names, and their numbers (RFC 4524, 2798). */
const CLAIMS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims';
const EMAIL = ['email', 'mail', 'emailaddress', `${CLAIMS}/emailaddress`, 'urn:oid:0.9.2342.19200300.100.1.3', 'urn:oid:1.2.840.113549.1.9.1'];
const NAME = ['displayName', 'displayname', 'http://schemas.microsoft.com/identity/claims/displayname', 'urn:oid:2.16.840.1.113730.3.1.241', 'name'];
const GIVEN_NAME = ['firstName', 'givenName', 'first_name', `${CLAIMS}/givenname`, 'urn:oid:2.5.4.42'];
const FAMILY_NAME = ['lastName', 'surname', 'sn', 'last_name', `${CLAIMS}/surname`, 'urn:oid:2.5.4.4'];
/** Beside AuthnContextClassRef, where Entra ID says "password" whatever was asked for. */
const METHODS = ['http://schemas.microsoft.com/claims/authnmethodsreferences', 'amr'];

export type WhoItIs = { readonly ok: true; readonly identity: Omit<Identity, 'logoutHint'> } | { readonly ok: false; readonly fault: string };

export function identityFrom(settings: SamlSettings, assertion: Assertion): WhoItIs {
  const { nameId, attributes, contexts, authenticatedAt, sessionEndsAt, sessionIndex } = assertion;
  const subject = subjectFrom(settings, assertion);
  if (!subject.ok) return subject;
  const first = (names: readonly string[], charactersMost: number): string | null => firstOf(attributes, names, charactersMost);
  const byName = [first(GIVEN_NAME, NAME_CHARACTERS_MOST), first(FAMILY_NAME, NAME_CHARACTERS_MOST)].filter((part) => part !== null).join(' ');
  const methods = [...contexts, ...METHODS.flatMap((name) => attributes[name] ?? [])].filter(isWord);
  return {
    ok: true,
    identity: {
      subject: subject.subject,
      email: first(settings.emailAttribute === '' ? EMAIL : [settings.emailAttribute], EMAIL_CHARACTERS_MOST) ?? addressIn(settings, nameId),
      emailVerified: false,
      name: first(settings.nameAttribute === '' ? NAME : [settings.nameAttribute], NAME_CHARACTERS_MOST) ?? byName,
      groups: (settings.groupsAttribute === '' ? [] : (attributes[settings.groupsAttribute] ?? [])).filter(isWord).slice(0, GROUPS_MOST),
      methods: [...new Set(methods)].slice(0, METHODS_MOST),
      authenticatedAt: authenticatedAt ?? null,
      sessionEndsAt: sessionEndsAt ?? null,
      providerSession: nameId && sessionIndex !== undefined ? sessionOf(nameId.value, sessionIndex) : null,
      claims: { NameID: nameId?.value ?? '', 'NameID Format': nameId?.format ?? '', AuthnContextClassRef: contexts, ...attributes },
    },
  };
}

/** What a session is called here: indexes alone are small numbers at some providers, and mean one person's sessions. */
export const sessionOf = (nameId: string, sessionIndex: string): string => JSON.stringify([nameId, sessionIndex]);

type Subject = { readonly ok: true; readonly subject: string } | { readonly ok: false; readonly fault: string };

function subjectFrom({ subjectAttribute }: SamlSettings, { nameId, attributes }: Assertion): Subject {
  if (subjectAttribute !== '') {
    const [value, ...more] = attributes[subjectAttribute] ?? [];
    return value !== undefined && value !== '' && more.length === 0 && value.length <= SUBJECT_CHARACTERS_MOST
      ? { ok: true, subject: value }
      : { ok: false, fault: `The assertion names nobody by the attribute that people are to be known by (${subjectAttribute}).` };
  }
  if (!nameId || nameId.value.length > SUBJECT_CHARACTERS_MOST) return { ok: false, fault: 'The assertion names nobody (NameID).' };
  if (nameId.format === NAME_ID.transient)
    return { ok: false, fault: 'The NameID is another one each time (transient). Set the provider to a persistent one, or name an attribute that stays.' };
  // It is given to somebody else one day, who would then have the account; whatever kind of name the provider calls it.
  if (nameId.format === NAME_ID.address || nameId.value.includes('@'))
    return {
      ok: false,
      fault: 'The NameID is an address, which can be given to somebody else. Set the provider to a persistent one, or name an attribute that stays.',
    };
  return { ok: true, subject: nameId.value };
}

/** Where there is no attribute, and people are known by something else. */
const addressIn = ({ emailAttribute }: SamlSettings, nameId: NameId | undefined): string | null =>
  emailAttribute === '' && nameId?.format === NAME_ID.address && nameId.value.length <= EMAIL_CHARACTERS_MOST ? nameId.value : null;

function firstOf(attributes: Assertion['attributes'], names: readonly string[], charactersMost: number): string | null {
  for (const name of names) {
    const value = (attributes[name] ?? []).map((one) => one.trim()).find((one) => one !== '' && one.length <= charactersMost);
    if (value !== undefined) return value;
  }
  return null;
}

const isWord = (word: string): boolean => word !== '' && word.length <= WORD_CHARACTERS_MOST;
