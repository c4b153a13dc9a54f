const CODE_POINTS_MOST = 100;

/** Why a name can't be shown as it is, as a sentence; undefined where it can. */
export function refuseName(name: string): string | undefined {
  const clean = name.normalize('NFC').trim();
  if (clean === '') return 'Enter your name.';
  if ([...clean].length > CODE_POINTS_MOST) return `Use at most ${CODE_POINTS_MOST} characters for the name.`;
  // Control characters, and marks that turn the direction of the text around them.
  if (/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(clean)) return 'The name has a character that can’t be shown. Type it again by hand.';
  return undefined;
}
