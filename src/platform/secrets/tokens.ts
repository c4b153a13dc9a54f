import type { World } from '../world.ts';

/**
 * Names a row: 128 random bits, so that nobody meets another's by trying (CR-5). The millisecond stands in front, so that rows of one time lie together
 * in an index: random ones alone would make each write dirty a page of its own, which costs more than the rest of the write.
 */
export const makeId = ({ clock, random }: Pick<World, 'clock' | 'random'>): string =>
  clock.now().toString(36).padStart(MILLISECONDS_WIDTH, '0') + Buffer.from(random.bytes(16)).toString('base64url');

/** Of base 36, until the year 5188. */
const MILLISECONDS_WIDTH = 9;

/** Opens something to whoever has it: 256 random bits. Only a hash of it is ever stored (SE-1). */
export const makeToken = ({ random }: Pick<World, 'random'>): string => Buffer.from(random.bytes(32)).toString('base64url');

/** For a program: begins with what those who look for secrets in public places know it by, and has nothing in it that ends a word. */
export const makeApiKeyToken = ({ random }: Pick<World, 'random'>): string => `twl_${Buffer.from(random.bytes(32)).toString('hex')}`;
export const isApiKeyToken = (text: string): boolean => /^twl_[0-9a-f]{64}$/.test(text);
export const withoutApiKeys = (text: string): string => text.replace(/twl_[0-9a-f]+/gi, 'twl_…');
