import { createHmac, createSecretKey } from 'node:crypto';

/** HMAC under one key, for what a standard prescribes. What is ours to choose is hashed by `Keys`. */
export function makeHmac(algorithm: 'SHA1' | 'SHA256' | 'SHA512', key: Uint8Array): (message: Uint8Array) => Buffer {
  const made = createSecretKey(key);
  return (message) => createHmac(algorithm, made).update(message).digest();
}
