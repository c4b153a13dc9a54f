/**
 * RSA keys in X.509 certificates, as SAML knows them: a certificate is nothing there but the envelope of a key, which somebody trusts because an
 * administrator handed it over. Who issued it and until when says nothing. SHA-1 neither signs nor verifies.
 */
import { constants, createPrivateKey, createSign, createVerify, generateKeyPair, X509Certificate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { days } from '../durations.ts';
import type { Random } from '../world.ts';
import { bytesFromBase64 } from '../deflate.ts';

const BITS_LEAST = 2048;
const OWN_BITS = 3072;
const OWN_LIFETIME = days(3650);

export interface HowSigned {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** RFC 8017: RSASSA-PKCS1-v1_5, or RSASSA-PSS with a salt as long as the hash. */
  readonly padding: 'pkcs1' | 'pss';
}

const PADDINGS = {
  pkcs1: { padding: constants.RSA_PKCS1_PADDING },
  pss: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
};

/** `text`: PEM, or what stands between its first and last line. Returns PEM, or a sentence of what is wrong with it. */
export function readCertificate(text: string): { readonly ok: true; readonly pem: string } | { readonly ok: false; readonly fault: string } {
  const bytes = bytesFromBase64(text.replaceAll(/-----(?:BEGIN|END) CERTIFICATE-----/g, ''));
  let key: KeyObject;
  let pem: string;
  try {
    const certificate = new X509Certificate(bytes ?? '');
    key = certificate.publicKey;
    pem = certificate.toString();
  } catch {
    return { ok: false, fault: 'That is no certificate. It begins with -----BEGIN CERTIFICATE----- and ends with -----END CERTIFICATE-----.' };
  }
  if (key.asymmetricKeyType !== 'rsa') return { ok: false, fault: 'The key in the certificate is no RSA key. Let the provider sign by one.' };
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < BITS_LEAST)
    return { ok: false, fault: `The key in the certificate is shorter than ${BITS_LEAST} bits.` };
  return { ok: true, pem };
}

export interface KeyPair {
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  /** X.509, PEM, signed by the key itself. */
  readonly certificate: string;
}

/** `now`: epoch milliseconds. Makes the machine count for a good while, though not in its main thread. */
export async function makeKeyPair({ name, now, random }: { name: string; now: number; random: Random }): Promise<KeyPair> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: OWN_BITS });
  const algorithm = sequence(SHA256_WITH_RSA, NULL);
  const subject = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from([...name].slice(0, 64).join(''))))));
  const serial = Buffer.from(random.bytes(16));
  // A number above zero, in its shortest form.
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  const signed = sequence(
    der(0x02, serial),
    algorithm,
    subject,
    sequence(instant(now), instant(now + OWN_LIFETIME)),
    subject,
    publicKey.export({ format: 'der', type: 'spki' }),
  );
  const signature = createSign('sha256').update(signed).sign(privateKey);
  const whole = sequence(signed, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return { privateKey: String(privateKey.export({ format: 'pem', type: 'pkcs8' })), certificate: new X509Certificate(whole).toString() };
}

/** Base64. */
export const signByRsa = (privateKey: string, text: string): string => createSign('sha256').update(text).sign(createPrivateKey(privateKey), 'base64');

/** `certificates`: PEM; one of them is enough. */
export function isSignedByRsa(certificates: readonly string[], { how, text, signature }: { how: HowSigned; text: string; signature: string }): boolean {
  const bytes = bytesFromBase64(signature);
  const isBy = (pem: string, given: Uint8Array): boolean =>
    createVerify(how.hash)
      .update(text)
      .verify({ key: new X509Certificate(pem).publicKey, ...PADDINGS[how.padding] }, given);
  return bytes !== undefined && certificates.some((pem) => isBy(pem, bytes));
}

/** What stands between the first and the last line of PEM. */
export const withoutPemLines = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, '');

/** 1.2.840.113549.1.1.11 and 2.5.4.3 */
const SHA256_WITH_RSA = Buffer.from('06092a864886f70d01010b', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const NULL = Buffer.from('0500', 'hex');

/** ITU-T X.690, 8.1: tag, length, content. */
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const longer = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...longer]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, Buffer.concat(parts));

/** RFC 5280, 4.1.2.5: with two digits of the year until 2049, with four from then on. */
function instant(at: number): Buffer {
  const digits = `${new Date(at).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
  return Number(digits.slice(0, 4)) < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}
