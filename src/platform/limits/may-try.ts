import { hours, minutes, seconds } from '../durations.ts';
import type { Guesses, Sends, Spent } from './limits.ts';

/** What to answer, and the marks to keep where it is allowed. */
export interface Decision {
  readonly spent: Spent;
  readonly marks: readonly number[];
}

/** After the 5th wrong one in a row, the 6th, and so on; the last for all that follow. */
const PAUSES = [seconds(30), minutes(1), minutes(2), minutes(5), minutes(15), minutes(30), hours(1)];

/** How long after the `failures`-th wrong one nothing is looked at. */
export function pauseAfter(failures: number, free: number): number {
  return failures < free ? 0 : PAUSES[Math.min(failures - free, PAUSES.length - 1)]!;
}

/** `marks`: how many in a row, and when the last one was. */
export function afterGuess({ free, stopsAt, forgetAfter }: Guesses, [count = 0, lastAt = 0]: readonly number[], now: number): Decision {
  const failures = now - lastAt >= forgetAfter ? 0 : count;
  const marks = [failures + 1, now];
  if (stopsAt !== undefined && failures >= stopsAt) return { spent: { allowed: false, retryAt: 'never' }, marks };
  const retryAt = lastAt + pauseAfter(failures, free);
  if (now < retryAt) return { spent: { allowed: false, retryAt }, marks };
  return { spent: { allowed: true, count: failures + 1 }, marks };
}

/** `marks`: when each was sent, the oldest first. */
export function afterSend({ allowances }: Sends, sentAt: readonly number[], now: number): Decision {
  const longest = Math.max(...allowances.map((one) => one.window));
  const recent = sentAt.filter((at) => now - at < longest);
  const waits = allowances.map(({ count, window }) => {
    const within = recent.filter((at) => now - at < window);
    return within.length < count ? now : within[within.length - count]! + window;
  });
  const retryAt = Math.max(...waits);
  const marks = [...recent, now];
  return retryAt > now ? { spent: { allowed: false, retryAt }, marks } : { spent: { allowed: true, count: marks.length }, marks };
}
