// One-time passwords by HMAC (RFC 4226), and the base32 in which apps take their secrets.
import { makeHmac } from '../../platform/secrets/hmac.ts';

export interface HotpParameters {
  /** Base32 (RFC 4648). */
  readonly secret: string;
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA512';
  readonly digits: number;
}

/** HOTP of one secret: the code of each counter (RFC 4226, 5.3). */
export function makeHotp({ secret, algorithm, digits }: HotpParameters): (counter: number) => string {
  const hmac = makeHmac(algorithm, fromBase32(secret));
  return (counter) => {
    const message = Buffer.alloc(8);
    message.writeBigUInt64BE(BigInt(counter));
    const mac = hmac(message);
    // The last four bits say where the 31 bits stand that make the code.
    const number = mac.readUInt32BE(mac.at(-1)! & 0x0f) & 0x7fff_ffff;
    return String(number % 10 ** digits).padStart(digits, '0');
  };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BITS = 5;

/** RFC 4648, without padding. */
export function toBase32(bytes: Uint8Array): string {
  let [text, value, bits] = ['', 0, 0];
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= BITS; bits -= BITS) text += ALPHABET[(value >>> (bits - BITS)) & 31]!;
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(value << (BITS - bits)) & 31]!;
}

function fromBase32(padded: string): Uint8Array {
  const text = padded.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((text.length * BITS) / 8));
  let [at, value, bits] = [0, 0, 0];
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit === -1) throw new Error('A secret that is not base32.');
    value = (value << BITS) | digit;
    bits += BITS;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = value >>> bits;
    value &= (1 << bits) - 1;
  }
  return bytes;
}
