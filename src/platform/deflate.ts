// What addresses carry that would be too long: DEFLATE without a header (RFC 1951), in base64.
import { deflateRawSync, inflateRawSync } from 'node:zlib';

export const deflated = (text: string): string => deflateRawSync(text).toString('base64');

/** Undefined for what is none, and for what would become larger than `bytesMost`: a bomb is not unpacked to see how large it is. */
export function inflated(base64: string, bytesMost: number): string | undefined {
  const bytes = bytesFromBase64(base64);
  if (!bytes) return undefined;
  try {
    return textFromBytes(inflateRawSync(bytes, { maxOutputLength: bytesMost }));
  } catch {
    return undefined;
  }
}

/** Of text that was packed in base64; undefined for what is neither. Line ends are let be, as forms have them. */
export function textFromBase64(base64: string): string | undefined {
  const bytes = bytesFromBase64(base64);
  return bytes && textFromBytes(bytes);
}

/** Buffer.from would skip whatever it does not know. */
export function bytesFromBase64(base64: string): Buffer | undefined {
  const plain = base64.replaceAll(/[ \t\r\n]/g, '');
  return plain.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(plain) ? Buffer.from(plain, 'base64') : undefined;
}

function textFromBytes(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
