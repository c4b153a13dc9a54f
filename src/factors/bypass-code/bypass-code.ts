/**
 * The bypass code: 80 random bits that an administrator gives to somebody who has lost their phone. It serves beside the password, to sign in, once,
 * within an hour, and proves nothing else: what it opens is a short session in which a new method can be set up (decisions/0015). Kept only as a keyed
 * hash. Level 1 (AL-3): it is a look-up secret, but nobody knows by which channel it travelled from the administrator to the person; `bypass` is a
 * private `amr` value, not of RFC 8176.
 * States: ready; used, by the one answer that replaced the state. Past its hour, or replaced by a newer one, it is not there.
 */
import { z } from 'zod';
import { hours } from '../../platform/durations.ts';
import { sameSecret } from '../../platform/secrets/keys.ts';
import { lettersOf, readLetters } from '../code.ts';
import type { Factor, FactorWords, Tools } from '../contract.ts';
import { pages } from './pages.ts';

export const BYPASS_CODE_LIFETIME = hours(1);

const CHARACTERS = 16;
const BYTES = 10;

const stateShape = z.object({
  hash: z.string(),
  expiresAt: z.number(),
  usedAt: z.number().nullable(),
  issued: z.object({
    at: z.number(),
    /** An account, and the organisation for which it acted; null for the operator on the host. */
    by: z.string().nullable(),
    organisation: z.string().nullable(),
  }),
});
export type BypassCodeState = z.infer<typeof stateShape>;

const words: FactorWords = {
  name: 'Bypass code',
  enable: 'Issue a bypass code',
  invitation: 'The code that an administrator gave you. It works once, within an hour.',
  label: 'Bypass code',
  caution: 'temporary',
  refusal(reason) {
    switch (reason) {
      case 'code-malformed':
        return 'A bypass code has 16 letters and digits. Check that you have all of it; capitals, spaces and dashes do not matter.';
      case 'code-wrong':
        return 'That code was not right. Only the newest one that you were given works.';
      case 'code-expired':
      case 'code-used':
        return 'That code is no longer good: it works once, within an hour. Ask your administrator for another one.';
    }
  },
};

export const bypassCode: Factor<BypassCodeState, null, null> = {
  kind: 'bypass-code',
  strength: 5,
  assurance: 1,
  amr: ['bypass'],
  most: 1,
  stands: false,
  afterUse: 'gone',
  signsInOnly: { sessionLasts: hours(1) },
  provesEmail: false,
  triesPerAttempt: 5,
  words,
  state: stateShape,
  pending: z.null(),
  challengeState: z.null(),
  pages,
  endsAt: ({ expiresAt }) => expiresAt,

  // Nobody sets it up for themselves: an administrator issues it, see lost-phone/.
  begin: () => ({ pending: null, messages: [] }),
  confirm: () => ({ ok: false, reason: 'code-wrong' }),

  challenge: undefined,
  wellFormed: (answer) => readLetters(answer, CHARACTERS) !== undefined,

  verify(tools, { enrolled, answer, person }) {
    const code = readLetters(answer, CHARACTERS);
    if (code === undefined) return { ok: false, reason: 'code-malformed' };
    const [held] = enrolled;
    if (!held || !sameSecret(held.state.hash, hashOf(tools, person.accountId, code))) return { ok: false, reason: 'code-wrong' };
    if (held.state.usedAt !== null) return { ok: false, reason: 'code-used' };
    if (tools.now >= held.state.expiresAt) return { ok: false, reason: 'code-expired' };
    return { ok: true, id: held.id, state: { ...held.state, usedAt: tools.now } };
  },
};

/** A new code, to be shown once, and what to store of it. */
export function makeBypassCode(
  tools: Tools,
  { accountId, by, organisation }: { accountId: string; by: string | null; organisation: string | null },
): { code: string; state: BypassCodeState } {
  const code = lettersOf(tools.random.bytes(BYTES), CHARACTERS);
  const hash = hashOf(tools, accountId, code.replaceAll('-', ''));
  return { code, state: { hash, expiresAt: tools.now + BYPASS_CODE_LIFETIME, usedAt: null, issued: { at: tools.now, by, organisation } } };
}

/** What an administrator sees of one that is stored. */
export function readBypassCode(state: unknown): Pick<BypassCodeState, 'expiresAt' | 'usedAt' | 'issued'> {
  const { hash: _hash, ...seen } = stateShape.parse(state);
  return seen;
}

function hashOf({ hash }: Tools, accountId: string, canonical: string): string {
  return hash('bypass code', accountId, canonical);
}
