/**
 * How properties are checked: always from the same seed, so that a run is the same on every machine, and short enough for every day.
 * A failure prints its seed, its path and, for sequences of commands, its replayPath. To run only that case again, or to search for longer:
 *   PROPERTY_SEED=20270202 PROPERTY_PATH=37:1:0 PROPERTY_REPLAY_PATH=AAB:C scripts/node --test test/properties/model.test.ts
 *   PROPERTY_SEED=random PROPERTY_RUNS=20 npm test      (twenty times as many cases, others each time)
 * Sequences of commands are shown as they failed. With PROPERTY_SHRINK=1 the commands that do not matter are left out first, which takes minutes.
 */
import type fc from 'fast-check';

type Parameters = fc.Parameters<unknown>;

const { PROPERTY_SEED: seed, PROPERTY_PATH: path, PROPERTY_RUNS: times } = process.env;

/** For `fc.assert`: so many cases a run. */
export function runs(numRuns: number): Parameters {
  return {
    numRuns: numRuns * Number(times ?? 1),
    ...(seed === 'random' ? {} : { seed: Number(seed ?? 20_270_202) }),
    ...(path === undefined ? {} : { path }),
    // The whole story of a failure: what was tried, and what of it was left after shrinking.
    includeErrorInReport: true,
  };
}

/** The same for sequences of commands. */
export function sequences(numRuns: number): Parameters {
  return { ...runs(numRuns), endOnFailure: process.env['PROPERTY_SHRINK'] === undefined };
}

/** For `fc.commands`: which of a path's commands were run. */
export const replay = (): { replayPath?: string } => {
  const replayPath = process.env['PROPERTY_REPLAY_PATH'];
  return replayPath === undefined ? {} : { replayPath };
};
