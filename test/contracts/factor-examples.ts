/**
 * How a person would use each factor: what the suite over all of them has to know of one and can't find in the contract.
 * A factor in the registry without an example here fails the suite.
 */
import type { AnyFactor, FactorRefusal, Occasion, Person, Tools } from '../../src/factors/contract.ts';
import { BYPASS_CODE_LIFETIME, bypassCode, makeBypassCode } from '../../src/factors/bypass-code/bypass-code.ts';
import { emailCode } from '../../src/factors/email-code/email-code.ts';
import { makeRecoveryKey, newRecoveryKeyState, recoveryKey } from '../../src/factors/recovery-key/recovery-key.ts';
import { codeAt, stepAt, totp } from '../../src/factors/totp/totp.ts';
import { minutes, seconds } from '../../src/platform/durations.ts';
import type { Message } from '../../src/platform/mail/message.ts';
import { seededRandom } from '../support/seeded-random.ts';

export interface Example {
  readonly factor: AnyFactor;
  /** Sets it up as a person would, and returns the state to store. */
  enrol(tools: Tools, person: Person, occasion: Occasion): unknown;
  /** What the person enters, from what the factor stored (for the app) or sent (for the mail). */
  rightAnswer(input: { state: unknown; messages: readonly Message[]; now: number }): string;
  /** Of the right form, and not right. */
  wrongAnswer(right: string): string;
  /** An answer is refused so long after it was right; undefined where it stays right. */
  readonly goesStale: { readonly after: number; readonly reason: FactorRefusal } | undefined;
  /** What the same answer brings after it was accepted, in another attempt or without its challenge. */
  readonly replayed: FactorRefusal;
  /** As the releases before this one stored it: every release must read them. Add to these, never change one. */
  readonly releasedStates: readonly unknown[];
}

const NOBODY: Omit<Tools, 'now'> = { random: seededRandom(1), hash: () => '', installationName: '', origin: '' };

const THE_KEY = makeRecoveryKey(seededRandom(77).bytes(17));

const nextCode = (right: string): string => String((Number(right) + 1) % 10 ** 6).padStart(6, '0');

const codeByEmail: Example = {
  factor: emailCode,
  enrol(tools, person, occasion) {
    const { pending, messages } = emailCode.begin(tools, person, occasion);
    return stateOf(emailCode.confirm(tools, pending, messages[0]!.code!));
  },
  rightAnswer: ({ messages }) => messages[0]!.code!,
  wrongAnswer: nextCode,
  goesStale: { after: minutes(10), reason: 'code-expired' },
  replayed: 'code-expired',
  releasedStates: [{ address: 'ada@example.org' }],
};

const authenticatorApp: Example = {
  factor: totp,
  enrol(tools, person, occasion) {
    const { pending } = totp.begin(tools, person, occasion);
    // With the code of the step before, so that the present one is still to be used.
    return stateOf(totp.confirm(tools, pending, codeAt(pending, stepAt(pending, tools.now) - 1)));
  },
  rightAnswer({ state, now }) {
    const parameters = totp.state.parse(state);
    return codeAt(parameters, stepAt(parameters, now));
  },
  wrongAnswer: nextCode,
  goesStale: { after: seconds(60), reason: 'code-wrong' },
  replayed: 'code-used',
  releasedStates: [
    { secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', algorithm: 'SHA1', digits: 6, periodSeconds: 30, lastStep: null },
    { secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', algorithm: 'SHA512', digits: 8, periodSeconds: 30, lastStep: 57_000_000 },
  ],
};

const keyOnPaper: Example = {
  factor: recoveryKey,
  enrol: (tools, person) => newRecoveryKeyState(tools, person.accountId, THE_KEY),
  rightAnswer: () => THE_KEY,
  wrongAnswer: (right) => (right.startsWith('0') ? '1' : '0') + right.slice(1),
  goesStale: undefined,
  replayed: 'code-used',
  releasedStates: [
    { hash: 'Zm9vYmFy', claim: null },
    { hash: 'Zm9vYmFy', claim: { attemptId: 'YXR0ZW1wdA', until: 1_800_000_000_000 } },
  ],
};

/** Drawn from the same seed at each set-up, so that the answer is known. */
const made = (tools: Tools, accountId: string) => makeBypassCode({ ...tools, random: seededRandom(78) }, { accountId, by: 'grace', organisation: 'herons' });

const codeFromAnAdministrator: Example = {
  factor: bypassCode,
  enrol: (tools, person) => made(tools, person.accountId).state,
  rightAnswer: () => made({ ...NOBODY, now: 0 }, '').code,
  wrongAnswer: (right) => (right.startsWith('0') ? '1' : '0') + right.slice(1),
  goesStale: { after: BYPASS_CODE_LIFETIME, reason: 'code-expired' },
  replayed: 'code-used',
  releasedStates: [
    { hash: 'Zm9vYmFy', expiresAt: 1_800_000_000_000, usedAt: null, issued: { at: 1_799_996_400_000, by: 'Z3JhY2U', organisation: 'aGVyb25z' } },
    { hash: 'Zm9vYmFy', expiresAt: 1_800_000_000_000, usedAt: 1_799_999_000_000, issued: { at: 1_799_996_400_000, by: null, organisation: null } },
  ],
};

export const examples: readonly Example[] = [codeByEmail, authenticatorApp, keyOnPaper, codeFromAnAdministrator];

function stateOf<State>(confirmed: { ok: true; state: State } | { ok: false; reason: FactorRefusal }): State {
  if (!confirmed.ok) throw new Error(`The right answer was refused: ${confirmed.reason}`);
  return confirmed.state;
}
