import type { World } from '../world.ts';

/** Names a row: 128 random bits, so that nobody meets another's by trying (CR-5). */
export const makeId = ({ random }: Pick<World, 'random'>): string => Buffer.from(random.bytes(16)).toString('base64url');

/** Opens something to whoever has it: 256 random bits. Only a hash of it is ever stored (SE-1). */
export const makeToken = ({ random }: Pick<World, 'random'>): string => Buffer.from(random.bytes(32)).toString('base64url');
