// Ed25519 signatures (RFC 8032) over what leaves the installation and is to be known again.
import { createPrivateKey, createPublicKey, sign, verify, type JsonWebKey, type KeyObject } from 'node:crypto';

export type { JsonWebKey } from 'node:crypto';

export interface Signer {
  /** SPKI in base64url, to be kept apart from what it verifies. */
  readonly publicKey: string;
  /** The same as a JSON Web Key (RFC 8037), without an id. */
  readonly publicJwk: JsonWebKey;
  /** Base64url. */
  sign(text: string): string;
}

/** The fixed front of an Ed25519 private key in PKCS #8 (RFC 8410, 7); the 32 bytes of the seed follow. */
const PKCS8_FRONT = Buffer.from('302e020100300506032b657004220420', 'hex');

/** `seed`: 32 secret bytes, always the same for the same key. */
export function makeSigner(seed: Uint8Array): Signer {
  const key: KeyObject = createPrivateKey({ key: Buffer.concat([PKCS8_FRONT, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key);
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64url'),
    publicJwk: publicKey.export({ format: 'jwk' }),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  };
}

/** False for a signature by another key, of another text, or that is none. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64url'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}
