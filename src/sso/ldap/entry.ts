// What an entry of a directory says of somebody. Values in, an identity out; the door is ldap.ts.

/** As the library hands out the values of one attribute. */
export type Values = string | Uint8Array | readonly (string | Uint8Array)[] | undefined;

const VALUES_MOST = 1000;
const CHARACTERS_MOST = 1000;

/** Names of attributes have no case (RFC 4512, 2.5). */
export function valuesOf(entry: Readonly<Record<string, Values>>, attribute: string): (string | Uint8Array)[] {
  const key = Object.keys(entry).find((one) => one.toLowerCase() === attribute.toLowerCase());
  const values = key === undefined ? undefined : entry[key];
  if (values === undefined) return [];
  return (typeof values === 'string' || values instanceof Uint8Array ? [values] : [...values]).slice(0, VALUES_MOST);
}

export const textsOf = (entry: Readonly<Record<string, Values>>, attribute: string): string[] =>
  valuesOf(entry, attribute).map((value) => (typeof value === 'string' ? value : textOfBytes(value)).slice(0, CHARACTERS_MOST));

/**
 * Microsoft writes the first three parts of a GUID with the least byte first (MS-DTYP, 2.3.4), so that objectGUID is shown as its own tools show it. Other bytes
 * are shown as hexadecimal numbers: for a name that never changes, that serves.
 */
export function textOfBytes(bytes: Uint8Array): string {
  const hexadecimal = (from: number, to: number): string => [...bytes.subarray(from, to)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (bytes.length !== 16) return hexadecimal(0, bytes.length);
  const turned = (from: number, to: number): string =>
    [...bytes.subarray(from, to)]
      .toReversed()
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
  return `${turned(0, 4)}-${turned(4, 6)}-${turned(6, 8)}-${hexadecimal(8, 10)}-${hexadecimal(10, 16)}`;
}

/** Of several addresses the one that was typed. */
export function emailOf(emails: readonly string[], typed: string): string | null {
  return emails.find((one) => one.toLowerCase() === typed.toLowerCase()) ?? emails[0] ?? null;
}

/** RFC 4515, 3: these five begin or end something in a filter; nothing that was typed may. */
export const escaped = (text: string): string => text.replace(/[*()\\\0]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** Why a directory does not let somebody in by an answer that could be more than a wrong password: a sentence for whoever looks after it. */
export interface Said {
  readonly detail: string;
  /** The password is right, and has to be changed before anything else; Active Directory says so to nobody who does not know it. */
  readonly changeFirst: boolean;
}

/** What Active Directory says in the text of a refusal (the codes of winerror.h, in hexadecimal). */
const REFUSALS: Readonly<Record<string, string>> = {
  '530': 'The account may not sign in at this time of day.',
  '531': 'The account may not sign in from this machine.',
  '532': 'The password has expired.',
  '533': 'The account is disabled.',
  '568': 'The account is in too many groups for the server.',
  '701': 'The account has expired.',
  '773': 'The password has to be changed first.',
  '775': 'The account is locked.',
};
const CHANGE_FIRST = ['532', '773'];

export function refusalIn(message: string): Said | undefined {
  const code = /\bdata ([0-9a-f]{3,4})\b/i.exec(message)?.[1]?.toLowerCase();
  if (code === undefined || REFUSALS[code] === undefined) return undefined;
  return { detail: `${REFUSALS[code]} (data ${code})`, changeFirst: CHANGE_FIRST.includes(code) };
}

/** draft-behera-ldap-password-policy-11, 6.2 */
const PASSWORD_EXPIRED = 0;
const CHANGE_AFTER_RESET = 2;

/**
 * What the password policy of other directories says beside their answer. A bind that is let in by grace is let in to change the password, which nobody can do here: each
 * further one would use up another.
 */
export function expiryIn({ error, graceAuthNsRemaining: grace }: { error?: number; graceAuthNsRemaining?: number } = {}): Said | undefined {
  if (error === CHANGE_AFTER_RESET) return { detail: 'The password has to be changed first.', changeFirst: true };
  if (grace !== undefined)
    return {
      detail: `The password has expired. The directory takes it ${grace > 0 ? `${grace} more ${grace === 1 ? 'time' : 'times'}` : 'no more'}.`,
      changeFirst: true,
    };
  return error === PASSWORD_EXPIRED ? { detail: 'The password has expired.', changeFirst: true } : undefined;
}
