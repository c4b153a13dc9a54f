/**
 * A code by email: six random digits to the account's address. Kept only as a keyed hash, bound to account, purpose, attempt (and so to the
 * browser) and address; good for ten minutes, five tries and one use (EC-1 to EC-6). It proves the mailbox and no more: level 1, an `amr`
 * value of our own, "weakest" wherever people choose (AL-1; NIST SP 800-63B-4, 3.1.3.1). `email` is a private value, not of RFC 8176.
 */
import { z } from 'zod';
import { minutes } from '../../platform/durations.ts';
import { mailIcon } from '../../platform/html/icons.ts';
import { html } from '../../platform/html/html.ts';
import type { Message } from '../../platform/mail/message.ts';
import { sameSecret } from '../../platform/secrets/keys.ts';
import { digitsOf } from '../code.ts';
import type { Factor, FactorRefusal, FactorWords, Occasion, Person, Tools } from '../contract.ts';

export const CODE_LIFETIME = minutes(10);
const DIGITS = 6;

const challengeShape = z.object({
  hash: z.string(),
  address: z.string(),
  purpose: z.string(),
  attemptId: z.string(),
  accountId: z.string(),
  expiresAt: z.number(),
});
type Challenge = z.infer<typeof challengeShape>;
const stateShape = z.object({ address: z.string() });
type State = z.infer<typeof stateShape>;

const words: FactorWords = {
  name: 'Code by email',
  enable: 'Enable With Code by Email',
  invitation: 'We send six digits to your email.',
  label: 'Verification code',
  caution: 'weakest',
  refusal(reason) {
    switch (reason) {
      case 'code-malformed':
        return 'The code has six digits. You find it in the newest mail from us.';
      case 'code-wrong':
        return 'That code was not right. Look for the newest mail from us: only its code works.';
      case 'code-expired':
      case 'code-used':
        return 'That code is no longer good: it works once, for ten minutes. Press “Send again” for a new one.';
    }
  },
};

export const emailCode: Factor<State, Challenge, Challenge> = {
  kind: 'email-code',
  strength: 10,
  assurance: 1,
  amr: ['email'],
  most: 1,
  stands: true,
  afterUse: 'stays',
  signsInOnly: undefined,
  provesEmail: true,
  triesPerAttempt: 5,
  words,
  state: stateShape,
  pending: challengeShape,
  challengeState: challengeShape,

  begin(tools, person, occasion) {
    const { challenge, messages } = makeChallenge(tools, person, occasion);
    return { pending: challenge, messages };
  },
  confirm(tools, pending, answer) {
    const refusal = check(tools, pending, answer);
    return refusal === undefined ? { ok: true, state: { address: pending.address } } : { ok: false, reason: refusal };
  },

  challenge: makeChallenge,
  wellFormed: (answer) => digitsOf(answer, DIGITS) !== undefined,
  verify(tools, { enrolled, challenge, answer, person, occasion }) {
    if (!emailCode.wellFormed(answer)) return { ok: false, reason: 'code-malformed' };
    const [held] = enrolled;
    // Without a challenge there is no code on its way: it was used, or never asked for (EC-3).
    if (!held || !challenge) return { ok: false, reason: 'code-expired' };
    // A code to an address that has been changed since, or of another attempt, is worth nothing (EC-4).
    const foreign =
      challenge.address !== person.email ||
      challenge.attemptId !== occasion.attemptId ||
      challenge.purpose !== occasion.purpose ||
      challenge.accountId !== person.accountId;
    const refusal = foreign ? 'code-expired' : check(tools, challenge, answer);
    return refusal === undefined ? { ok: true, id: held.id, state: held.state } : { ok: false, reason: refusal };
  },

  pages: {
    icon: mailIcon,
    ask: ({ person, sent }) => ({
      heading: 'Check your email',
      body: sent
        ? html`<p>We sent a code of six digits to <strong>${person.email}</strong>. It works for ten minutes.</p>`
        : html`<p>We will send a code of six digits to <strong>${person.email}</strong>.</p>`,
    }),
    begin: ({ person }) => ({
      heading: 'Enable With Code by Email',
      button: 'Send verification code',
      body: html`<p>After your password, we will send a code to <strong>${person.email}</strong>. Try it now: enter the code that we send.</p>`,
    }),
    confirm: ({ person }) => ({
      heading: 'Check your email',
      button: 'Continue',
      dialog: false,
      body: html`<p class="quiet">We sent a code of six digits to <strong>${person.email}</strong>. It works for ten minutes.</p>`,
    }),
  },
};

function makeChallenge(tools: Tools, person: Person, occasion: Occasion): { challenge: Challenge; messages: readonly Message[] } {
  const code = String(tools.random.integer(10 ** DIGITS)).padStart(DIGITS, '0');
  const bound = { address: person.email, purpose: occasion.purpose, attemptId: occasion.attemptId, accountId: person.accountId };
  const expiresAt = tools.now + CODE_LIFETIME;
  return {
    challenge: { ...bound, hash: hashOf(tools, bound, code), expiresAt },
    messages: [
      {
        to: { name: person.name, address: person.email },
        subject: `Your verification code for ${tools.installationName}`,
        code,
        paragraphs: [
          `Enter this code at ${tools.installationName} ${occasion.reason}. It works once, for ten minutes. Nobody from ${tools.installationName} will ever ask you for it.`,
        ],
        link: undefined,
        asked: { userAgent: occasion.userAgent, address: occasion.address, at: tools.now },
        notYou:
          occasion.purpose === 'sign-in' || occasion.purpose === 'confirm'
            ? 'If this was not you, somebody knows your password. They can’t get in without this code. Change your password, and tell nobody the code.'
            : 'If this was not you, tell nobody the code. Nothing happens without it.',
        expiresAt,
      },
    ],
  };
}

function check(tools: Tools, challenge: Challenge, answer: string): FactorRefusal | undefined {
  const code = digitsOf(answer, DIGITS);
  if (code === undefined) return 'code-malformed';
  if (tools.now >= challenge.expiresAt) return 'code-expired';
  return sameSecret(hashOf(tools, challenge, code), challenge.hash) ? undefined : 'code-wrong';
}

function hashOf({ hash }: Tools, { accountId, purpose, attemptId, address }: Omit<Challenge, 'hash' | 'expiresAt'>, code: string): string {
  return hash('email code', accountId, purpose, attemptId, address, code);
}
