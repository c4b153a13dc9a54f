import { minutes } from '../platform/durations.ts';

/** FC-1: changing how one gets in asks for a full proof that is no older than this, unless a policy says less. */
export const FRESH_FOR = minutes(10);

/** What opens an attempt: the password, ours or a directory's, or an identity provider's word. Either is as good where one is asked for anew. */
export const FIRST_FACTORS: readonly string[] = ['password', 'sso'];

export interface Held {
  readonly kind: string;
  readonly strength: number;
  /** It turns two-factor authentication on; the Recovery Key alone does not. */
  readonly stands: boolean;
}

/**
 * What must be shown again before a change: a first factor (the password, or the word of one's identity provider), and a second factor at least as strong as the strongest that the account has,
 * or its Recovery Key (FC-2: the weakest must not remove the strongest; RK-7: who has just used the key may repair the account).
 * `proofs`: what the session has shown, and when in epoch milliseconds.
 */
export function missingProofs({
  held,
  proofs,
  now,
  freshFor = FRESH_FOR,
}: {
  held: readonly Held[];
  proofs: Readonly<Record<string, number>>;
  now: number;
  freshFor?: number;
}): ('first-factor' | 'second-factor')[] {
  const fresh = (kind: string): boolean => {
    const provenAt = proofs[kind];
    return provenAt !== undefined && now - provenAt < freshFor;
  };
  const missing: ('first-factor' | 'second-factor')[] = [];
  if (!FIRST_FACTORS.some(fresh)) missing.push('first-factor');
  const enough = kindsThatConfirm(held);
  if (enough.length > 0 && !enough.some(fresh)) missing.push('second-factor');
  return missing;
}

/**
 * Whoever has just signed in by what only signs in may set up a method, and do nothing else that asks for a proof: without that, a new phone could never
 * take the place of the one that was lost. The password is as fresh, and the mailbox is asked on the way (next-step.ts). `opened`: when it was shown.
 */
export function maySetUp(
  missing: readonly ('first-factor' | 'second-factor')[],
  { opened, now, freshFor }: { opened: number | undefined; now: number; freshFor: number },
): boolean {
  if (missing.length === 0) return true;
  return !missing.includes('first-factor') && opened !== undefined && now - opened < freshFor;
}

/** The kinds that serve as the second half of a fresh proof; none where two-factor authentication is off. */
export function kindsThatConfirm(held: readonly Held[]): string[] {
  const standing = held.filter((one) => one.stands);
  if (standing.length === 0) return [];
  const strongest = Math.max(...standing.map((one) => one.strength));
  return [...new Set(held.filter((one) => !one.stands || one.strength >= strongest).map((one) => one.kind))];
}
