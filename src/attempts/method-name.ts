import { canBeShown } from '../platform/words/showable.ts';

export const METHOD_NAME_MOST = 60;

/** A method's name as it is kept; undefined where it is empty, too long, or has a character in it that can't be shown. */
export function methodNameFrom(text: string): string | undefined {
  const clean = text.normalize('NFC').trim();
  return clean !== '' && [...clean].length <= METHOD_NAME_MOST && canBeShown(clean) ? clean : undefined;
}

/** `name`, or "name 2" and so on where others bear it. */
export function unusedMethodName(name: string, used: readonly string[]): string {
  for (let number = 2; ; number++) {
    const candidate = number === 2 && !used.includes(name) ? name : `${name} ${number}`;
    if (!used.includes(candidate)) return candidate;
  }
}
