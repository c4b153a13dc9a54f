import type { Random } from '../../src/platform/world.ts';

/** Randomness that a seed repeats (the generator sfc32). For tests alone: whoever sees some of it can tell the rest. */
export function seededRandom(seed: number): Random {
  const next = sfc32(seed);
  return {
    bytes: (count) => Uint8Array.from({ length: count }, () => next() >>> 24),
    integer(below) {
      if (!Number.isInteger(below) || below < 1 || below > RANGE) throw new RangeError(`There is no integer from 0 to below ${below}.`);
      // Numbers past the last whole multiple would favour the small ones.
      const limit = RANGE - (RANGE % below);
      let drawn = next();
      while (drawn >= limit) drawn = next();
      return drawn % below;
    },
  };
}

const RANGE = 2 ** 32;

/** Integers of 32 bits. Each line keeps its state a 32-bit integer. */
function sfc32(seed: number): () => number {
  let [a, b, c, counter] = [seed | 0, Math.trunc(seed / RANGE) | 0, 0x9e3779b9 | 0, 1];
  const next = (): number => {
    const drawn = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + drawn) | 0;
    return drawn >>> 0;
  };
  // The first numbers after seeding still resemble the seed.
  for (let count = 0; count < 12; count += 1) next();
  return next;
}
