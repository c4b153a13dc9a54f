import { canBeShown } from '../platform/words/showable.ts';

const CODE_POINTS_MOST = 100;

/** Why a name can't be shown as it is, as a sentence; undefined where it can. */
export function refuseName(name: string): string | undefined {
  const clean = name.normalize('NFC').trim();
  if (clean === '') return 'Enter your name.';
  if ([...clean].length > CODE_POINTS_MOST) return `Use at most ${CODE_POINTS_MOST} characters for the name.`;
  if (!canBeShown(clean)) return 'The name has a character that can’t be shown. Type it again by hand.';
  return undefined;
}
