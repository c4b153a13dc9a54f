import { days, hours } from '../platform/durations.ts';

/**
 * How long a session lasts, in milliseconds, by its assurance level. NIST SP 800-63B-4, 2.1.3 and 2.2.3: 30 days at level 1;
 * at level 2 a day, and an hour idle.
 */
export function sessionLimits(level: 1 | 2): { absolute: number; idle: number } {
  return level === 2 ? { absolute: hours(24), idle: hours(1) } : { absolute: days(30), idle: days(7) };
}
