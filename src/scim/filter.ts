/**
 * What a SCIM filter says (RFC 7644, 3.4.2.2), read into a tree. Bounded in length, depth and number of comparisons, so that nobody has the portal read or
 * compute without end. What may be compared, and with what in the database, is said by store.ts; here nothing is known of either. The door is scim.ts.
 */
const OPERATORS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'] as const;
export type Operator = (typeof OPERATORS)[number];
export type Value = string | number | boolean | null;

export type Filter =
  /** `path`: in lower case, without the schema: `username`, `emails.value`. `value`: null for `pr`. */
  | { readonly kind: 'compare'; readonly path: string; readonly operator: Operator; readonly value: Value }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] };

const CHARACTERS_MOST = 2000;
const DEPTH_MOST = 8;
const COMPARISONS_MOST = 30;
const VALUE_CHARACTERS_MOST = 500;

const TOKEN = /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^\s()[\]"]+))/y;
const SCHEMA = /^urn:ietf:params:scim:schemas:(?:core|extension):[\w:.-]*:(?=[^:]+$)/i;
const PATH = /^[a-z$][\w$-]*(?:\.[a-z$][\w$-]*)?$/;

/** Undefined where it can't be read, or asks for too much. */
export function readFilter(text: string): Filter | undefined {
  if (text.length > CHARACTERS_MOST) return undefined;
  const tokens = tokensOf(text);
  if (!tokens) return undefined;
  const reader = new Reader(tokens);
  const filter = reader.either('', 0);
  return filter && reader.isAtEnd ? filter : undefined;
}

/** `members[value eq "x"]` and `emails[type eq "work"].value`, as PATCH names what it changes. */
export interface Path {
  /** In lower case, without the schema. */
  readonly attribute: string;
  readonly filter: Filter | undefined;
  /** In lower case; '' where there is none. */
  readonly sub: string;
}

export function readPath(text: string): Path | undefined {
  if (text.length > CHARACTERS_MOST) return undefined;
  const [, head = '', inner, tail = ''] = /^([^[\]]+?)(?:\[(.*)\](?:\.([A-Za-z$][\w$-]*))?)?$/s.exec(text.trim()) ?? [];
  const named = pathOf(head);
  if (named === undefined) return undefined;
  if (inner === undefined) {
    const [attribute = '', sub = ''] = named.split('.');
    return { attribute, filter: undefined, sub };
  }
  const filter = readFilter(inner);
  return filter && !named.includes('.') ? { attribute: named, filter, sub: tail.toLowerCase() } : undefined;
}

function pathOf(text: string): string | undefined {
  const path = text.trim().replace(SCHEMA, '').toLowerCase();
  return PATH.test(path) ? path : undefined;
}

function tokensOf(text: string): string[] | undefined {
  const tokens: string[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const found = TOKEN.exec(text);
    if (!found) return undefined;
    tokens.push(found[1] ?? found[2] ?? found[3]!);
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;
  #comparisons = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** `or` binds less than `and`, and `and` less than `not`. `within`: the attribute whose values are looked at. */
  either(within: string, depth: number): Filter | undefined {
    return this.#chain('or', () => this.#chain('and', () => this.#one(within, depth)));
  }

  #chain(word: 'and' | 'or', next: () => Filter | undefined): Filter | undefined {
    const filters: Filter[] = [];
    do {
      const filter = next();
      if (!filter) return undefined;
      filters.push(filter);
    } while (this.#takeWord(word));
    return filters.length === 1 ? filters[0] : { kind: word, filters };
  }

  #one(within: string, depth: number): Filter | undefined {
    if (depth >= DEPTH_MOST) return undefined;
    if (this.#takeWord('not')) {
      const filter = this.#enclosed('(', ')', within, depth);
      return filter && { kind: 'not', filter };
    }
    if (this.#tokens[this.#at] === '(') return this.#enclosed('(', ')', within, depth);
    const path = pathOf(this.#tokens[this.#at++] ?? '');
    if (path === undefined) return undefined;
    const full = within === '' ? path : `${within}.${path}`;
    if (this.#tokens[this.#at] === '[') return within === '' ? this.#enclosed('[', ']', full, depth) : undefined;
    return this.#comparison(full);
  }

  #enclosed(open: string, close: string, within: string, depth: number): Filter | undefined {
    if (this.#tokens[this.#at++] !== open) return undefined;
    const filter = this.either(within, depth + 1);
    return filter && this.#tokens[this.#at++] === close ? filter : undefined;
  }

  #comparison(path: string): Filter | undefined {
    this.#comparisons += 1;
    const operator = OPERATORS.find((one) => one === this.#tokens[this.#at]?.toLowerCase());
    if (!operator || this.#comparisons > COMPARISONS_MOST) return undefined;
    this.#at += 1;
    if (operator === 'pr') return { kind: 'compare', path, operator, value: null };
    const value = valueOf(this.#tokens[this.#at++]);
    return value === undefined ? undefined : { kind: 'compare', path, operator, value };
  }

  #takeWord(word: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== word) return false;
    this.#at += 1;
    return true;
  }
}

/** JSON, and nothing deep. */
function valueOf(token: string | undefined): Value | undefined {
  if (token === undefined || token.length > VALUE_CHARACTERS_MOST || !/^(?:"|true$|false$|null$|-?\d)/i.test(token)) return undefined;
  try {
    const value = JSON.parse(token.startsWith('"') ? token : token.toLowerCase()) as Value;
    return typeof value !== 'string' || (value.isWellFormed() && !value.includes('\0')) ? value : undefined;
  } catch {
    return undefined;
  }
}
