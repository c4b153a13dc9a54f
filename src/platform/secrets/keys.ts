/**
 * The installation's secret keys. One root key a version (root-keys.ts); everything else is derived from it by
 * HKDF-SHA-256 (RFC 5869), one key for each purpose, so that no two uses share a key.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto';
import { systemRandom } from '../real.ts';

export interface Keys {
  /** Encrypts with AES-256-GCM under the newest key; only the same `place` opens it again, so a row's secret is of no use in another row. */
  seal(place: Place, plain: string): Uint8Array;
  /** Throws when the key is unknown, the place is another or a bit was changed. */
  open(place: Place, sealed: Uint8Array): string;
  /** HMAC-SHA-256, base64url. For what must be found or compared again but never read: tokens, codes, Recovery Keys. */
  hash(purpose: HashPurpose, ...parts: string[]): string;
  /** The same, as 32 bytes. */
  hashBytes(purpose: HashPurpose, ...parts: string[]): Uint8Array;
  /** The pepper for password hashes, and the id to keep beside each hash. Undefined for an id whose key was removed. */
  pepper(keyId?: string): { keyId: string; secret: Uint8Array } | undefined;
}

/** Where a sealed value lives: table, row and meaning. */
export type Place = readonly [table: string, row: string, meaning: string];

export type HashPurpose =
  | 'session token'
  | 'app session token'
  | 'app code'
  | 'app browser'
  | 'app token'
  | 'attempt token'
  | 'browser token'
  | 'trusted device'
  | 'password reset token'
  | 'invitation token'
  | 'set-up token'
  | 'api key'
  | 'idempotency key'
  | 'idempotency request'
  | 'form token'
  | 'email code'
  | 'recovery key'
  | 'recovery key making'
  | 'bypass code'
  | 'stop reset token'
  | 'sso state'
  | 'sso message'
  | 'limit key'
  | 'key check'
  | 'audit head'
  | 'audit checkpoint';

export interface SecretKey {
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;

/** `roots`: newest first. Hashes are made with the oldest, since a hash can't be made again under another key; sealing with the newest. */
export function makeKeys(roots: readonly SecretKey[]): Keys {
  const newest = roots[0];
  const oldest = roots.at(-1);
  if (!newest || !oldest) throw new Error('There is no key.');
  // As key objects: bytes would be made into one anew at every use, which costs ten times what the hash does.
  const sealing = new Map(roots.map((root) => [root.id, createSecretKey(derive(root, 'seal'))]));
  const peppers = new Map(roots.map((root) => [root.id, derive(root, 'pepper')]));
  const hashing = new Map<HashPurpose, KeyObject>();

  const hmac = (purpose: HashPurpose, parts: readonly string[]) => {
    let key = hashing.get(purpose);
    if (!key) hashing.set(purpose, (key = createSecretKey(derive(oldest, `hash ${purpose}`))));
    return createHmac('sha256', key).update(framed(parts));
  };

  return {
    seal(place, plain) {
      const nonce = systemRandom.bytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealing.get(newest.id)!, nonce).setAAD(framed([newest.id, ...place]));
      const id = Buffer.from(newest.id);
      return Buffer.concat([Buffer.of(id.length), id, nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    },
    open(place, sealed) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const idEnd = 1 + (bytes[0] ?? 0);
      const id = sealingKeyOf(bytes);
      const key = sealing.get(id);
      if (!key) throw new Error(`A value in ${place[0]} was sealed with the key '${id}', which the keys file does not have.`);
      const nonce = bytes.subarray(idEnd, idEnd + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(framed([id, ...place]));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return decipher.update(bytes.subarray(idEnd + NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    },
    hash: (purpose, ...parts) => hmac(purpose, parts).digest('base64url'),
    hashBytes: (purpose, ...parts) => hmac(purpose, parts).digest(),
    pepper(keyId = newest.id) {
      const secret = peppers.get(keyId);
      return secret && { keyId, secret };
    },
  };
}

function derive(root: SecretKey, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', root.secret, '', `twinlock ${purpose}`, 32));
}

/** Each part with its length in front: ['ab', 'c'] and ['a', 'bc'] must never look alike. */
function framed(parts: readonly string[]): Buffer {
  const bytes = Buffer.alloc(parts.reduce((sum, part) => sum + LENGTH_BYTES + Buffer.byteLength(part), 0));
  let at = 0;
  for (const part of parts) {
    const length = bytes.write(part, at + LENGTH_BYTES);
    bytes.writeUInt32BE(length, at);
    at += LENGTH_BYTES + length;
  }
  return bytes;
}

/** The id of the key that sealed it. */
export const sealingKeyOf = (sealed: Uint8Array): string => Buffer.from(sealed.subarray(1, 1 + (sealed[0] ?? 0))).toString();

/** Compares in constant time. For hashes, whose length is no secret. */
export function sameSecret(one: string, other: string): boolean {
  const left = Buffer.from(one);
  const right = Buffer.from(other);
  return left.length === right.length && timingSafeEqual(left, right);
}
