/**
 * JSON without what two readers could read differently (RFC 8259, 4, 8.1 and 8.2): a name twice in one object, text that is not UTF-8, half of a surrogate
 * pair; and without what no field of ours is: NUL, which PostgreSQL can't keep, and objects within objects within objects.
 */

export type ReadJson = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

const DEPTH_MOST = 8;
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Of JSON that is known to be valid: strings, and what opens, closes and parts. Numbers and words in between are passed over. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

export function readStrictJson(bytes: Uint8Array): ReadJson {
  let text: string;
  let value: unknown;
  try {
    text = DECODER.decode(bytes);
  } catch {
    return { ok: false, why: 'The body is not UTF-8.' };
  }
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, why: 'The body is not JSON.' };
  }
  const why = ambiguityIn(text);
  return why === undefined ? { ok: true, value } : { ok: false, why };
}

/** The names of each object that is open, and undefined for each array. */
function ambiguityIn(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let named = false;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      if (open.length > DEPTH_MOST) return `The body is nested deeper than ${DEPTH_MOST}.`;
      named = false;
    } else if (token === '}' || token === ']') {
      open.pop();
      named = false;
    } else if (token === ',') named = false;
    else if (token === ':') named = true;
    else {
      const string = JSON.parse(token) as string;
      if (!string.isWellFormed() || string.includes('\0')) return 'The body has a character that can’t be kept.';
      const names = open.at(-1);
      if (!names || named) continue;
      if (names.has(string)) return 'The body has a field twice.';
      names.add(string);
    }
  }
  return undefined;
}
