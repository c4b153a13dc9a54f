/**
 * What a person typed or pasted, as the digits of a code: spaces and dashes are forgiven, and digits of other keyboards are read as ours.
 * Undefined where it can't be a code of so many digits.
 */
export function digitsOf(answer: string, digits: number): string | undefined {
  const plain = answer.normalize('NFKC').replace(/[\s\p{Dash}\p{Cf}]/gu, '');
  return plain.length === digits && /^[0-9]+$/.test(plain) ? plain : undefined;
}
