import { createHash } from 'node:crypto';

/** SHA-256 without a key, base64url: for what anybody may check. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
