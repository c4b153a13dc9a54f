/**
 * The Recovery Key: 130 random bits that get a person back in beside the first factor, when everything else is lost. One per account, shown
 * once, kept only as a keyed hash: at 130 bits no slow hash is needed (NIST SP 800-63B-4, 3.1.2.2; ASVS 6.5.2).
 * States: ready; claimed, by the attempt that used it; replaced, when that attempt's person has confirmed the next one. While it is claimed it
 * serves nobody else. If the next one is never confirmed, after a crash say, the claim lapses and the key serves again: used up and not
 * replaced would lock its owner out. So one key opens one session (RK-3), and nobody is left without one (RK-11).
 */
import { z } from 'zod';
import { minutes } from '../../platform/durations.ts';
import { sameSecret } from '../../platform/secrets/keys.ts';
import { lettersOf, readLetters } from '../code.ts';
import type { Factor, FactorWords, Tools } from '../contract.ts';
import { pages } from './pages.ts';

export { keepKeyBody, recoveryKeyFile } from './pages.ts';

const stateShape = z.object({
  hash: z.string(),
  claim: z.object({ attemptId: z.string(), until: z.number() }).nullable(),
});
export type RecoveryKeyState = z.infer<typeof stateShape>;

/** As long as an attempt lasts, so that whoever used the key can finish. */
const CLAIM_LASTS = minutes(30);

const CHARACTERS = 26;

const words: FactorWords = {
  name: 'Recovery Key',
  enable: 'Create new Recovery Key',
  invitation: 'The key that you saved when you turned two-factor authentication on.',
  label: 'Recovery Key',
  caution: undefined,
  refusal(reason) {
    switch (reason) {
      case 'code-malformed':
        return 'A Recovery Key has 26 letters and digits. Check that you have all of it; capitals, spaces and dashes do not matter.';
      case 'code-used':
        return 'This key is being used in another browser. If that was you, go on there. If not, wait half an hour and try again.';
      case 'code-wrong':
      case 'code-expired':
        return 'That key was not right. If you have saved more than one, the newest that you finished with is the one that works.';
    }
  },
};

export const recoveryKey: Factor<RecoveryKeyState, null, null> = {
  kind: 'recovery-key',
  strength: 20,
  assurance: 2,
  // Private: RFC 8176 has no value for it.
  amr: ['recovery'],
  most: 1,
  stands: false,
  afterUse: 'replaced',
  signsInOnly: undefined,
  provesEmail: false,
  triesPerAttempt: 5,
  words,
  state: stateShape,
  pending: z.null(),
  challengeState: z.null(),
  pages,

  // It is not set up like a factor: the flows that keep a key make it, see attempts/.
  begin: () => ({ pending: null, messages: [] }),
  confirm: () => ({ ok: false, reason: 'code-wrong' }),

  challenge: undefined,
  wellFormed: (answer) => parseRecoveryKey(answer) !== undefined,

  verify(tools, { enrolled, answer, person, occasion }) {
    const key = parseRecoveryKey(answer);
    if (key === undefined) return { ok: false, reason: 'code-malformed' };
    const [held] = enrolled;
    if (!held || !sameSecret(held.state.hash, hashOf(tools, person.accountId, key))) return { ok: false, reason: 'code-wrong' };
    const { claim } = held.state;
    if (claim && claim.attemptId !== occasion.attemptId && tools.now < claim.until) return { ok: false, reason: 'code-used' };
    return { ok: true, id: held.id, state: { ...held.state, claim: { attemptId: occasion.attemptId, until: tools.now + CLAIM_LASTS } } };
  },
};

/** What to store for a new key. */
export function newRecoveryKeyState(tools: Tools, accountId: string, key: string): RecoveryKeyState {
  const canonical = parseRecoveryKey(key);
  if (canonical === undefined) throw new Error('This is no Recovery Key.');
  return { hash: hashOf(tools, accountId, canonical), claim: null };
}

/** True while the key that is stored is the one that this attempt used. */
export function claimedBy(state: unknown, attemptId: string): boolean {
  return stateShape.parse(state).claim?.attemptId === attemptId;
}

/** Shows the first 130 bits of `bytes` (17 at least) in groups of four. */
export const makeRecoveryKey = (bytes: Uint8Array): string => lettersOf(bytes, CHARACTERS);

/** The 26 characters of what a person typed (RK-9). */
export const parseRecoveryKey = (answer: string): string | undefined => readLetters(answer, CHARACTERS);

function hashOf({ hash }: Tools, accountId: string, canonical: string): string {
  return hash('recovery key', accountId, canonical);
}
