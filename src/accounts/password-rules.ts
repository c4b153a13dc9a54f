/** What a new password may be (PW-1 to PW-5). No composition rules: length and not being guessable is all that helps. */
export type PasswordRefusal = 'empty' | 'too-short' | 'too-long' | 'common' | 'too-simple' | 'contains-email' | 'contains-name';

/** PW-1: where nothing but a password, or an emailed code, is asked for. */
export const LENGTH_LEAST = 15;
/** Where the policy enforces a real second factor. */
export const LENGTH_LEAST_BEHIND_SECOND_FACTOR = 8;
/** PW-5: in bytes; refused loudly, never cut. */
export const BYTES_MOST = 1024;

export interface PasswordContext {
  readonly email: string;
  readonly installationName: string;
  readonly realSecondFactorEnforced: boolean;
  /** Lower case in; from a list of common passwords. */
  readonly isCommon: (password: string) => boolean;
}

/** Whether it would be refused, by its length, where no real second factor is enforced. */
export const isShort = (password: string): boolean => lengthOf(password.normalize('NFC')) < LENGTH_LEAST;

export function refusePassword(
  password: string,
  { email, installationName, realSecondFactorEnforced, isCommon }: PasswordContext,
): PasswordRefusal | undefined {
  const normal = password.normalize('NFC');
  const length = lengthOf(normal);
  if (length === 0) return 'empty';
  if (new TextEncoder().encode(normal).length > BYTES_MOST) return 'too-long';
  if (length < leastLength(realSecondFactorEnforced)) return 'too-short';
  const plain = normal.toLowerCase();
  if (isTooSimple(plain)) return 'too-simple';
  if (commonForms(plain).some((form) => isCommon(form) || isPair(form, isCommon) || FAMOUS.has(form))) return 'common';
  const address = email.toLowerCase();
  const [local = ''] = address.split('@');
  if (address !== '' && (plain.includes(address) || (local.length >= 4 && plain.includes(local)))) return 'contains-email';
  const names = [installationName.toLowerCase(), 'twinlock'].filter((name) => name.length >= 4);
  if (names.some((name) => plain.includes(name) || plain.includes(name.replaceAll(' ', '')))) return 'contains-name';
  return undefined;
}

/** PW-2: in code points. */
const lengthOf = (normal: string): number => [...normal].length;

/** A few characters over and over, or a run such as 123456789012345 or abcdefghijklmno. */
function isTooSimple(password: string): boolean {
  const characters = [...password];
  if (new Set(characters).size <= 3) return true;
  const points = characters.map((character) => character.codePointAt(0)!);
  // From nine the digits go on with zero, and down from zero with nine.
  const steps = points.slice(1).map((point, index) => ROUND_THE_DIGITS.get(point - points[index]!) ?? point - points[index]!);
  const times = (step: number): number => steps.filter((one) => one === step).length;
  return Math.max(...steps.map(times)) >= steps.length - 1;
}

const ROUND_THE_DIGITS = new Map([
  [-9, 1],
  [9, -1],
]);

/**
 * The password itself and its letters and digits alone; of either what is left without digits and signs around it, where that is a good part of it, and what
 * it repeats to fill the length.
 */
function commonForms(password: string): string[] {
  const forms = [password, password.replace(/[\s\p{P}\p{S}]+/gu, '')]
    .flatMap((form) => [form, form.replace(/^[\d\W_]+|[\d\W_]+$/gu, '')])
    .filter((form) => form.length >= 4 && form.length * 3 >= password.length);
  return [...new Set([...forms, ...forms.map(repeatedPart)])];
}

/** Whoever guesses tries two common ones behind one another next. Three are more than they can try. */
function isPair(form: string, isCommon: PasswordContext['isCommon']): boolean {
  for (let at = 4; at <= form.length - 4; at++) if (isCommon(form.slice(0, at)) && isCommon(form.slice(at))) return true;
  return false;
}

/** Long enough to be in no list of short ones, and known to everybody who has read about passphrases. */
const FAMOUS: ReadonlySet<string> = new Set(['correcthorsebatterystaple', 'thequickbrownfox', 'thequickbrownfoxjumpsoverthelazydog']);

/** "secretsecretsecret" is "secret" to whoever guesses. */
function repeatedPart(text: string): string {
  for (let length = 4; length * 2 <= text.length; length++) {
    const part = text.slice(0, length);
    if (part.repeat(Math.ceil(text.length / length)).startsWith(text)) return part;
  }
  return text;
}

/** Beside the field of a new password. */
export const passwordHint = (realSecondFactorEnforced: boolean): string =>
  `At least ${leastLength(realSecondFactorEnforced)} characters. A few words that only you would put together are easy to remember and hard to guess.`;

const leastLength = (realSecondFactorEnforced: boolean): number => (realSecondFactorEnforced ? LENGTH_LEAST_BEHIND_SECOND_FACTOR : LENGTH_LEAST);

/** What to say, and what to do about it. */
export function passwordSentence(refusal: PasswordRefusal, { realSecondFactorEnforced }: { realSecondFactorEnforced: boolean }): string {
  switch (refusal) {
    case 'empty':
      return 'Enter a password.';
    case 'too-short':
      return `Use at least ${leastLength(realSecondFactorEnforced)} characters. A few words that only you would put together will do.`;
    case 'too-long':
      return 'Use at most 1,024 bytes: that is about a page of text.';
    case 'common':
      return 'This password is among those that are tried first, because many people use it. Choose one that is yours alone.';
    case 'too-simple':
      return 'This password is too easy to guess: it repeats itself or simply counts up. Use a few words that only you would put together.';
    case 'contains-email':
      return 'The password must not contain your email. Choose one that nobody could build from what they know of you.';
    case 'contains-name':
      return 'The password must not contain the name of this site. Choose one that nobody could build from where you use it.';
  }
}
