/** An email address as we accept it. `key` finds it again: NFC and lower case, nothing stripped. */
export interface EmailAddress {
  readonly address: string;
  readonly key: string;
}

const BYTES_MOST = 254;
const LOCAL_BYTES_MOST = 64;

/**
 * A dot-atom (RFC 5322) before the @, a host name behind it; letters of any script. No quotes, comments, lists or names: a mail client's
 * parser would read `a@x, evil@y` as two, so what could be read twice is refused.
 */
export function parseEmailAddress(text: string): EmailAddress | undefined {
  const address = text.trim().normalize('NFC');
  if (Buffer.byteLength(address) > BYTES_MOST) return undefined;
  const at = address.indexOf('@');
  if (at < 1 || at !== address.lastIndexOf('@')) return undefined;
  const local = address.slice(0, at);
  const domain = address.slice(at + 1);
  if (Buffer.byteLength(local) > LOCAL_BYTES_MOST || !DOT_ATOM.test(local)) return undefined;
  if (!DOMAIN.test(domain)) return undefined;
  return { address, key: address.toLowerCase() };
}

const ATOM = String.raw`[\p{L}\p{M}\p{N}!#$%&'*+/=?^_\x60{|}~-]+`;
const DOT_ATOM = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`, 'u');
const LABEL = String.raw`[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?`;
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})+$`, 'u');
