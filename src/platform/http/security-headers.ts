import type { Installation } from '../world.ts';

/** For every answer, errors and redirects too (WE-4 to WE-6, SE-8). Assets set a cache-control of their own. */
export function securityHeaders({ secure }: Pick<Installation, 'secure'>): Record<string, string> {
  return secure ? { ...ALWAYS, 'strict-transport-security': 'max-age=63072000; includeSubDomains' } : ALWAYS;
}

const ALWAYS: Record<string, string> = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  // Not no-referrer: with it, browsers send `Origin: null` with our own forms (Fetch, "append a request Origin header"), which the check could not tell from another site's.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
};
