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
