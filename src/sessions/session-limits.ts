import { days, hours } from '../platform/durations.ts';

/**
 * How long a session lasts, in milliseconds: as its assurance level allows, and no longer than the policies of its person do. NIST SP 800-63B-4, 2.1.3 and
 * 2.2.3: 30 days at level 1; at level 2 a day, and an hour idle.
 */
export function sessionLimits(level: 1 | 2, { sessionIdle, sessionAbsolute }: SessionPolicy = UNLIMITED): { absolute: number; idle: number } {
  const { absolute, idle } = level === 2 ? { absolute: hours(24), idle: hours(1) } : { absolute: days(30), idle: days(7) };
  return { absolute: Math.min(absolute, sessionAbsolute), idle: Math.min(idle, sessionIdle) };
}

/** In milliseconds; Infinity where no policy says it. */
interface SessionPolicy {
  readonly sessionIdle: number;
  readonly sessionAbsolute: number;
}
const UNLIMITED: SessionPolicy = { sessionIdle: Infinity, sessionAbsolute: Infinity };
