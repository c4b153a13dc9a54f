import { hours, minutes, seconds } from '../durations.ts';
import type { Guesses, Rate, Sends, Spent } from './limits.ts';

/** What to answer, and the marks to keep, whether or not it is allowed. */
export interface Decision {
  readonly spent: Spent;
  readonly marks: readonly number[];
}

/** After the 5th wrong one in a row, the 6th, and so on; the last for all that follow. */
const PAUSES = [seconds(30), minutes(1), minutes(2), minutes(5), minutes(15), minutes(30), hours(1)];

/** How long after the `failures`-th wrong one nothing is looked at. */
function pauseAfter(failures: number, free: number): number {
  return failures < free ? 0 : PAUSES[Math.min(failures - free, PAUSES.length - 1)]!;
}

/**
 * `marks`: how many in a row, and when the last one was. A mark of a time to come is taken for one of now: the clock was wrong then and was set
 * back since, and nobody should have to wait until that time is really there. So the pause begins anew, which gives no try away.
 */
export function afterGuess({ free, stopsAt, forgetAfter }: Guesses, [count = 0, markedAt = 0]: readonly number[], now: number): Decision {
  const lastAt = Math.min(markedAt, now);
  const failures = now - lastAt >= forgetAfter ? 0 : count;
  const refused = (retryAt: number | 'never'): Decision => ({ spent: { allowed: false, retryAt }, marks: [count, lastAt] });
  if (stopsAt !== undefined && failures >= stopsAt) return refused('never');
  const retryAt = lastAt + pauseAfter(failures, free);
  if (now < retryAt) return refused(retryAt);
  return { spent: { allowed: true, count: failures + 1 }, marks: [failures + 1, now] };
}

/** `marks`: when each was sent, the oldest first. Those of a time to come are taken for ones of now, as above. */
export function afterSend({ allowances }: Sends, marks: readonly number[], now: number): Decision {
  const longest = Math.max(...allowances.map((one) => one.window));
  const recent = marks.filter((at) => now - at < longest).map((at) => Math.min(at, now));
  const waits = allowances.map(({ count, window }) => {
    const within = recent.filter((at) => now - at < window);
    return within.length < count ? now : within[within.length - count]! + window;
  });
  const retryAt = Math.max(...waits);
  if (retryAt > now) return { spent: { allowed: false, retryAt }, marks: recent };
  return { spent: { allowed: true, count: recent.length + 1 }, marks: [...recent, now] };
}

/**
 * `marks`: the moment at which all that was asked so far would have been due, had it come evenly (the generic cell rate algorithm). It lies at most a window
 * ahead; where it lies further, the clock was set back since.
 */
export function afterRequest({ count, window }: Rate, [markedAt = 0]: readonly number[], now: number): Decision {
  const interval = window / count;
  const dueAt = Math.min(Math.max(markedAt, now), now + window);
  const retryAt = Math.ceil(dueAt + interval - window);
  if (retryAt > now) return { spent: { allowed: false, retryAt }, marks: [dueAt] };
  return { spent: { allowed: true, count: Math.round((dueAt + interval - now) / interval) }, marks: [dueAt + interval] };
}
