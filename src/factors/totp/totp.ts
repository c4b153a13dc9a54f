/**
 * The authenticator app: time-based one-time passwords, RFC 6238. Pure: state, answer and now in; accepted or not, and the state to keep, out.
 * State: the secret of 160 bits, its parameters, and the last time step that was accepted. A step is accepted once and never again, nor is any
 * before it (RFC 6238, 5.2); storing the state only where it is unchanged makes that hold for requests that race.
 * Pending: the secret that was shown and has not been answered for. It counts for nothing and lapses after ten minutes (TO-9).
 * One step of drift either way is forgiven: clocks of phones are off, and people type slowly (docs/decisions/0004).
 */
import { HOTP, Secret } from 'otpauth';
import { z } from 'zod';
import { minutes } from '../../platform/durations.ts';
import { hmac } from '../../platform/secrets/digest.ts';
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

/** What makes a code, beside the time. */
type CodeParameters = Omit<TotpState, 'lastStep'>;

const pendingShape = stateShape.omit({ lastStep: true }).extend({ uri: z.string(), expiresAt: z.number() });
export type TotpPending = z.infer<typeof pendingShape>;

/** 160 bits, as RFC 4226 (4, R6) recommends. */
const SECRET_BYTES = 20;
/** A secret that was shown and not confirmed is worth nothing after this. */
const PENDING_LIFETIME = minutes(10);
/** In time steps. */
const DRIFT = 1;

export const totp: Factor<TotpState, TotpPending, null> = {
  kind: 'totp',
  strength: 30,
  assurance: 2,
  amr: ['otp'],
  most: 5,
  stands: true,
  afterUse: 'stays',
  signsInOnly: undefined,
  provesEmail: false,
  triesPerAttempt: 5,
  words,
  state: stateShape,
  pending: pendingShape,
  challengeState: z.null(),
  pages,

  begin({ now, random, installationName }, person) {
    const secret = new Secret({ buffer: Uint8Array.from(random.bytes(SECRET_BYTES)).buffer }).base32;
    const parameters = { secret, algorithm: 'SHA1', digits: 6, periodSeconds: 30 } as const;
    const uri = keyUri({ ...parameters, issuer: installationName, account: person.email });
    return { pending: { ...parameters, uri, expiresAt: now + PENDING_LIFETIME }, messages: [] };
  },

  confirm({ now }, { uri: _shown, expiresAt, ...parameters }, answer) {
    if (totp.wellFormed(answer) && now >= expiresAt) return { ok: false, reason: 'code-expired' };
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
export function matchingStep(parameters: CodeParameters, answer: string, now: number): number | undefined {
  const code = digitsOf(answer, parameters.digits);
  if (code === undefined) return undefined;
  const present = stepAt(parameters, now);
  let found: number | undefined;
  for (let step = present - DRIFT; step <= present + DRIFT; step++) {
    if (step >= 0 && sameSecret(codeAt(parameters, step), code)) found = step;
  }
  return found;
}

/** The number of the time step at `now`, counted from 1970 (RFC 6238, 4.2: T0 is 0). */
export const stepAt = ({ periodSeconds }: CodeParameters, now: number): number => Math.floor(now / 1000 / periodSeconds);

/** The code of one time step: HOTP with the step as its counter (RFC 4226, 5.3). */
export function codeAt({ secret, algorithm, digits }: CodeParameters, step: number): string {
  return HOTP.generate({ secret: Secret.fromBase32(secret), algorithm, digits, counter: step, hmac });
}

const refusalOf = (answer: string): FactorRefusal => (totp.wellFormed(answer) ? 'code-wrong' : 'code-malformed');

/**
 * The Key URI that apps scan. The issuer stands in the label and in the parameter, the same in both; everything is said, also what is usual.
 * A colon, percent-encoded or not, parts issuer and account in the label, so neither may hold one.
 */
export function keyUri({ secret, algorithm, digits, periodSeconds, issuer, account }: CodeParameters & { issuer: string; account: string }): string {
  const ofIssuer = labelPart(issuer, ISSUER_MOST);
  const label = `${ofIssuer}:${labelPart(account, ACCOUNT_MOST)}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=${ofIssuer}&algorithm=${algorithm}&digits=${digits}&period=${periodSeconds}`;
}

/** In percent-encoded characters: what is longer is cut, since a QR code of much more than 400 characters is too fine for a phone's camera. */
const ISSUER_MOST = 90;
const ACCOUNT_MOST = 180;

function labelPart(text: string, most: number): string {
  const plain = text
    .toWellFormed()
    .replaceAll(/[\s:]+/g, ' ')
    .trim();
  let encoded = '';
  for (const character of plain) {
    const longer = encoded + encodeURIComponent(character);
    if (longer.length > most) break;
    encoded = longer;
  }
  return encoded;
}
