import { canBeShown } from '../platform/words/showable.ts';

/** AD-2: why somebody is helped, and how whoever helps knows who they are. Both are kept on record. */
export interface Grounds {
  readonly reason: string;
  readonly check: Check;
  /** Which video call, which number; asked for where the check is none of the listed ones. */
  readonly note: string;
}

export const CHECKS = {
  'in-person': 'Met in person',
  'video-call': 'Saw them on a video call',
  'called-back': 'Called back on a number known before',
  other: 'Another way',
} as const;
export type Check = keyof typeof CHECKS;

const CHARACTERS_MOST = 300;

export interface GroundsTyped {
  readonly reason: string;
  readonly check: string;
  readonly note: string;
}

/** What is wrong with what was typed, as sentences beside the fields. */
export type GroundsRefused = { readonly [Field in keyof GroundsTyped]?: string | undefined };

export function groundsFrom(typed: GroundsTyped): { ok: true; grounds: Grounds } | { ok: false; refused: GroundsRefused } {
  const [reason, note] = [clean(typed.reason), clean(typed.note)];
  const check = (Object.keys(CHECKS) as Check[]).find((one) => one === typed.check);
  const refused = {
    reason: reason === '' ? 'Say why. It is kept on record.' : tooMuch(reason),
    check: check === undefined ? 'Say how you checked who is asking. If you have not, do that first.' : undefined,
    note: check === 'other' && note === '' ? 'Say how you checked who is asking.' : tooMuch(note),
  };
  if (check === undefined || Object.values(refused).some((sentence) => sentence !== undefined)) return { ok: false, refused };
  return { ok: true, grounds: { reason, check, note } };
}

/** As it stands on record. */
export function groundsInWords({ reason, check, note }: Grounds): { reason: string; check: string } {
  const said = check === 'other' ? note : CHECKS[check];
  return { reason, check: check === 'other' || note === '' ? said : `${said}: ${note}` };
}

const clean = (text: string): string => text.normalize('NFC').trim();

const tooMuch = (text: string): string | undefined =>
  [...text].length > CHARACTERS_MOST || !canBeShown(text) ? `Use at most ${CHARACTERS_MOST} characters, in one line.` : undefined;
