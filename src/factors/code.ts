/**
 * What a person typed or pasted, as the digits of a code: spaces and dashes are forgiven, and the digits of every script are read as ours,
 * since the number pads of Arabic, Persian or Bengali phones type their own. Undefined where it can't be a code of so many digits.
 */
export function digitsOf(answer: string, digits: number): string | undefined {
  const plain = answer
    .normalize('NFKC')
    .replace(/[\s\p{Dash}\p{Cf}]/gu, '')
    .replace(DECIMAL_DIGIT, valueOf);
  return plain.length === digits && /^[0-9]+$/.test(plain) ? plain : undefined;
}

const DECIMAL_DIGIT = /\p{Nd}/gu;
const ONE_DECIMAL_DIGIT = /^\p{Nd}$/u;

/** Unicode keeps the decimal digits of a script together and in order, from zero to nine, so the distance to the run's start is the value. */
function valueOf(digit: string): string {
  const point = digit.codePointAt(0)!;
  let start = point;
  while (ONE_DECIMAL_DIGIT.test(String.fromCodePoint(start - 1))) start -= 1;
  return String((point - start) % 10);
}

/** Crockford's base32: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const BITS_PER_CHARACTER = 5;

/** Shows the first bits of `bytes` in groups of four. Each character takes five bits, so all are equally likely. */
export function lettersOf(bytes: Uint8Array, characters: number): string {
  const needed = Math.ceil((characters * BITS_PER_CHARACTER) / 8);
  if (bytes.length < needed) throw new RangeError(`${characters} characters need ${needed} bytes.`);
  let letters = '';
  for (let index = 0; index < characters; index++) {
    const bit = index * BITS_PER_CHARACTER;
    const pair = (bytes[bit >> 3]! << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    letters += ALPHABET[(pair >> (16 - BITS_PER_CHARACTER - (bit & 7))) & 31];
  }
  return letters.match(/.{1,4}/g)!.join('-');
}

/** The same without the dashes, of what a person typed: any case, with or without spaces and dashes, look-alike letters forgiven. Undefined where it can't be one. */
export function readLetters(answer: string, characters: number): string | undefined {
  const plain = answer
    .normalize('NFKC')
    .replace(/[\s\p{Dash}\p{Cf}]/gu, '')
    .toUpperCase()
    .replace(/[IL]/g, '1')
    .replaceAll('O', '0');
  return plain.length === characters && [...plain].every((character) => ALPHABET.includes(character)) ? plain : undefined;
}
