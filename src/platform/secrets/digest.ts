import { createHash, createHmac, createSecretKey } from 'node:crypto';

/** SHA-256 without a key, base64url: for what anybody may check. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * What an ID token says of the access token that it came with (`at_hash`: OpenID Connect Core 1.0, 3.1.3.6): the left half of the hash that belongs to the
 * algorithm of its signature.
 */
export function tokenHash(algorithm: string, token: string): string {
  const bits = /(?:256|384|512)$/.exec(algorithm)?.[0] ?? '512';
  const hash = createHash(`sha${bits}`).update(token).digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}

/** RFC 2104. The key as an object: bytes would be made into one in a way that takes three times as long as the hash. */
export const hmac = (algorithm: string, key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac(algorithm, createSecretKey(key)).update(message).digest();
