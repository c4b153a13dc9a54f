import type { Demand } from '../policy/policy.ts';

/** What a session has shown in place of a second factor, among its proofs: that one was shown in this browser, and when. No factor, and level 1 (TD-1). */
export const TRUSTED_DEVICE = 'trusted-device';

/**
 * Whether a second factor that was shown in a browser at `shownAt` (epoch milliseconds) spares the next one there: as long as all policies of its person
 * allow, from that moment and not from the last use, and while none of them has come to ask for more since (TD-3). Pure.
 */
export function isTrusted(shownAt: number, { trustFor, trustSince }: Pick<Demand, 'trustFor' | 'trustSince'>, now: number): boolean {
  return shownAt > trustSince && shownAt <= now && now < shownAt + trustFor;
}
