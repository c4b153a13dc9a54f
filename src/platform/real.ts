// The real outside world: the machine's clock, its randomness, and a log of JSON lines.
import { randomBytes, randomInt } from 'node:crypto';
import pino from 'pino';
import type { Clock, Log, Random } from './world.ts';

export const systemClock: Clock = { now: () => Date.now() };

export const systemRandom: Random = { bytes: (count) => randomBytes(count), integer: (below) => randomInt(below) };

/** One JSON object a line, on standard output, where whoever runs the service collects them. */
export function jsonLog(level: 'info' | 'warn'): Log {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } });
  return {
    info: (event, details = {}) => logger.info({ event, ...details }),
    warn: (event, details = {}) => logger.warn({ event, ...details }),
    error: (event, details = {}) => logger.error({ event, ...details }),
  };
}
