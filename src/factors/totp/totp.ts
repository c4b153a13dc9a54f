/**
 * The authenticator app: time-based one-time passwords, RFC 6238. Pure: state, answer and now in; accepted or not, and the state to keep, out.
 * State: the secret of 160 bits, its parameters, and the last time step that was accepted. A step is accepted once and never again, nor is any
 * before it (RFC 6238, 5.2); storing the state only where it is unchanged makes that hold for requests that race.
 * One step of drift either way is forgiven: clocks of phones are off, and people type slowly (docs/decisions/0004).
 */
import { Secret, TOTP } from 'otpauth';
import { z } from 'zod';
import { sameSecret } from '../../platform/secrets/keys.ts';
import { digitsOf } from '../code.ts';
import type { Enrolled, Factor, FactorRefusal, Verified } from '../contract.ts';
import { pages } from './pages.ts';
import { words } from './words.ts';

export const ALGORITHMS = ['SHA1', 'SHA256', 'SHA512'] as const;

const stateShape = z.object({
  /** Base32 (RFC 4648), without padding. */
  secret: z.string(),
  algorithm: z.enum(ALGORITHMS),
  digits: z.union([z.literal(6), z.literal(8)]),
  periodSeconds: z.literal(30),
  /** The last accepted time step; null before the first. */
  lastStep: z.number().int().nullable(),
});
export type TotpState = z.infer<typeof stateShape>;

const pendingShape = stateShape.omit({ lastStep: true }).extend({ uri: z.string() });
export type TotpPending = z.infer<typeof pendingShape>;

const SECRET_BYTES = 20;
/** In time steps. */
const DRIFT = 1;

export const totp: Factor<TotpState, TotpPending, null> = {
  kind: 'totp',
  strength: 30,
  assurance: 2,
  amr: ['otp'],
  most: 5,
  stands: true,
  provesEmail: false,
  triesPerAttempt: undefined,
  words,
  state: stateShape,
  pending: pendingShape,
  challengeState: z.null(),
  pages,

  begin({ random, installationName }, person) {
    const secret = new Secret({ buffer: Uint8Array.from(random.bytes(SECRET_BYTES)).buffer }).base32;
    const parameters = { secret, algorithm: 'SHA1', digits: 6, periodSeconds: 30 } as const;
    return { pending: { ...parameters, uri: keyUri({ ...parameters, issuer: installationName, account: person.email }) }, messages: [] };
  },

  confirm({ now }, { uri: _shown, ...parameters }, answer) {
    const step = matchingStep(parameters, answer, now);
    // The code that enrols is spent: it must not sign in as well.
    return step === undefined ? { ok: false, reason: refusalOf(answer) } : { ok: true, state: { ...parameters, lastStep: step } };
  },

  challenge: undefined,
  wellFormed: (answer) => digitsOf(answer, 6) !== undefined || digitsOf(answer, 8) !== undefined,

  verify({ now }, { enrolled, answer }) {
    return verifyCode(enrolled, answer, now);
  },
};

/** Compares one code with every app. Where it was right but spent for one app and fresh for another, the fresh one counts. */
export function verifyCode(enrolled: readonly Enrolled<TotpState>[], answer: string, now: number): Verified<TotpState> {
  let refusal: FactorRefusal = refusalOf(answer);
  for (const { id, state } of enrolled) {
    const step = matchingStep(state, answer, now);
    if (step === undefined) continue;
    if (state.lastStep === null || step > state.lastStep) return { ok: true, id, state: { ...state, lastStep: step } };
    refusal = 'code-used';
  }
  return { ok: false, reason: refusal };
}

/** The newest time step within the drift whose code is `answer`. Every candidate is compared, each in constant time. */
export function matchingStep({ secret, algorithm, digits, periodSeconds }: Omit<TotpState, 'lastStep'>, answer: string, now: number): number | undefined {
  const code = digitsOf(answer, digits);
  if (code === undefined) return undefined;
  const generator = new TOTP({ secret: Secret.fromBase32(secret), algorithm, digits, period: periodSeconds });
  const present = Math.floor(now / 1000 / periodSeconds);
  let found: number | undefined;
  for (let step = present - DRIFT; step <= present + DRIFT; step++) {
    if (step >= 0 && sameSecret(generator.generate({ timestamp: step * periodSeconds * 1000 }), code)) found = step;
  }
  return found;
}

const refusalOf = (answer: string): FactorRefusal => (totp.wellFormed(answer) ? 'code-wrong' : 'code-malformed');

/**
 * The Key URI that apps scan. The issuer stands in the label and in the parameter, the same in both; everything is said, also what is usual.
 * A colon parts issuer and account, so neither may hold one.
 */
export function keyUri({ secret, algorithm, digits, periodSeconds, issuer, account }: Omit<TotpState, 'lastStep'> & { issuer: string; account: string }): string {
  const plainIssuer = issuer.replaceAll(':', ' ').trim();
  const label = `${encodeURIComponent(plainIssuer)}:${encodeURIComponent(account.replaceAll(':', ' '))}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(plainIssuer)}&algorithm=${algorithm}&digits=${digits}&period=${periodSeconds}`;
}
