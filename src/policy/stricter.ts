/**
 * Whether a policy that takes the place of another asks for more of somebody who signs in. Then no browser is remembered any longer (TD-3): whoever was spared
 * the second factor shows it under the new policy first. Pure. Where it can't be told for everybody, it is stricter: that costs a code, and nothing else.
 */
import type { Rules } from './demand.ts';

export function isStricter(before: Rules, after: Rules): boolean {
  const rank = { off: 0, optional: 1, required: 2 } as const;
  const asksOthers =
    after.roles.some((role) => !before.roles.includes(role)) ||
    JSON.stringify(after.rollOut) !== JSON.stringify(before.rollOut) ||
    (after.from ?? 0) < (before.from ?? 0) ||
    after.graceDays < before.graceDays;
  return (
    rank[after.twoFactor] > rank[before.twoFactor] ||
    (after.twoFactor === 'required' && asksOthers) ||
    after.notCounting.some((kind) => !before.notCounting.includes(kind)) ||
    (after.mailFirst && !before.mailFirst) ||
    (after.sessionIdleMinutes ?? Infinity) < (before.sessionIdleMinutes ?? Infinity) ||
    (after.sessionHours ?? Infinity) < (before.sessionHours ?? Infinity) ||
    after.proofMinutes < before.proofMinutes ||
    after.trustedDeviceDays < before.trustedDeviceDays
  );
}
