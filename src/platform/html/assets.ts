import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A file that pages refer to by an address that changes with its content, so that browsers may keep it for ever. */
export interface Asset {
  readonly address: string;
  readonly type: string;
  readonly content: string;
}

export const assets = {
  style: read('style.css', 'text/css; charset=utf-8'),
  script: read('twinlock.js', 'text/javascript; charset=utf-8'),
  icon: read('icon.svg', 'image/svg+xml'),
} as const;

function read(name: string, type: string): Asset {
  const content = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8');
  const digest = createHash('sha256').update(content).digest('base64url').slice(0, 16);
  return { address: `/assets/${digest}/${name}`, type, content };
}
