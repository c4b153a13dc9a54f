// The real outside world: the machine's clock, its randomness, and a log of JSON lines.
import { randomFillSync, randomInt } from 'node:crypto';
import pino from 'pino';
import type { Clock, Log, Random } from './world.ts';

export const systemClock: Clock = { now: () => Date.now() };

export const systemRandom: Random = { bytes: takeBytes, integer: (below) => randomInt(below) };

/** Asking the system takes as long for a page of random bytes as for a few, so they are asked for by the page. Each is handed out once and wiped here. */
const POOL_BYTES = 4096;
const pool = new Uint8Array(POOL_BYTES);
let taken = POOL_BYTES;

function takeBytes(count: number): Uint8Array {
  if (count > POOL_BYTES) return randomFillSync(new Uint8Array(count));
  if (taken + count > POOL_BYTES) {
    randomFillSync(pool);
    taken = 0;
  }
  const bytes = pool.slice(taken, taken + count);
  pool.fill(0, taken, taken + count);
  taken += count;
  return bytes;
}

/**
 * One JSON object a line, on standard output, where whoever runs the service collects them. The lines of one turn of the event loop are written together,
 * at its end: a write for each would take as long as a tenth of the request that it tells of.
 */
export function jsonLog(level: 'info' | 'warn'): Log {
  const output = pino.destination({ fd: 1, sync: true, minLength: LOG_BYTES_MOST });
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label: string) => ({ level: label }) } };
  const logger = pino(options, output);
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    output.flush();
  };
  process.once('exit', flush);
  const writing =
    (of: 'info' | 'warn' | 'error') =>
    (event: string, details: Record<string, unknown> = {}): void => {
      logger[of]({ event, ...details });
      if (!scheduled) setImmediate(flush);
      scheduled = true;
    };
  return { info: writing('info'), warn: writing('warn'), error: writing('error') };
}

/** What is longer is written at once. */
const LOG_BYTES_MOST = 16_000;
