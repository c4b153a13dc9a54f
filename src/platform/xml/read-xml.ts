/**
 * XML that can be read in one way only. Whatever leaves a parser a choice is refused: document types and their entities, comments, processing instructions,
 * CDATA, names beyond ASCII, a prefix that nothing declares, what is not well-formed. So each parser that reads the same text afterwards, such as a
 * library that verifies its signature, finds the same elements in it. Time grows with the length of the text alone, and everything has a limit, because
 * parsers that are kinder take seconds for a text of many elements, or of deep ones.
 */

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  readonly namespace: string;
  /** By name; one of a namespace as `{namespace}name`. Declarations of namespaces are none. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** What stands directly in it, in one piece. */
  readonly text: string;
}

export type XmlRead =
  | { readonly ok: true; readonly root: XmlElement }
  | { readonly ok: false; /** A sentence's end: "holds a comment". */ readonly fault: string };

const DEPTH_MOST = 32;
const ELEMENTS_MOST = 2000;
const ATTRIBUTES_MOST = 30;
const NAMESPACES: Readonly<Record<string, string>> = { xml: 'http://www.w3.org/XML/1998/namespace' };

const NAME = '[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?';
/** Not `\s`, which takes spaces for such that are none to XML. Carriage returns are line feeds by then. */
const SPACE = '[ \\t\\n]';
const DECLARATION = /^<\?xml version=(?:"1\.0"|'1\.0')(?: encoding=(?:"[Uu][Tt][Ff]-8"|'[Uu][Tt][Ff]-8'))?(?: standalone=(?:"(?:yes|no)"|'(?:yes|no)'))? ?\?>/;
const OPENS = new RegExp(`<(${NAME})`, 'y');
const ATTRIBUTE = new RegExp(`${SPACE}+(${NAME})${SPACE}*=${SPACE}*(?:"([^<"]*)"|'([^<']*)')`, 'y');
const ENDS = new RegExp(`${SPACE}*(/?)>`, 'y');
const CLOSES = new RegExp(`</(${NAME})${SPACE}*>`, 'y');
/** XML 1.0, 2.2, without what only its later revisions allow. */
// oxlint-disable-next-line no-control-regex -- They are looked for because they must not be there.
const NO_CHARACTER = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const REFERENCE = /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));|&/g;
const MEANS: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

class Unreadable extends Error {}

/** `comments: 'dropped'` for what is no message, and was handed over by somebody who may. */
export function readXml(given: string, { charactersMost, comments = 'refused' }: { charactersMost: number; comments?: 'refused' | 'dropped' }): XmlRead {
  try {
    if (given.length > charactersMost) throw new Unreadable('is larger than anybody would need');
    if (!given.isWellFormed() || NO_CHARACTER.test(given)) throw new Unreadable('holds characters that no XML has');
    const text = trimmed(given.replaceAll(/\r\n?/g, '\n').replace(DECLARATION, ''));
    return { ok: true, root: new Reading(comments === 'dropped' ? withoutComments(text) : text).document() };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, fault: error.message };
    throw error;
  }
}

/** By hand: a pattern that looks for spaces before the end looks at each run of them again from each of its places. */
function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isSpace(text[from])) from += 1;
  while (to > from && isSpace(text[to - 1])) to -= 1;
  return text.slice(from, to);
}

const isSpace = (character: string | undefined): boolean => character === ' ' || character === '\t' || character === '\n';

function withoutComments(text: string): string {
  let rest = '';
  let at = 0;
  for (;;) {
    const begin = text.indexOf('<!--', at);
    if (begin === -1) return trimmed(rest + text.slice(at));
    rest += text.slice(at, begin);
    const end = text.indexOf('-->', begin + 4);
    if (end === -1) throw new Unreadable('is not well-formed');
    at = end + 3;
  }
}

interface Open {
  readonly tag: string;
  readonly element: XmlElement & { readonly children: XmlElement[]; text: string };
  readonly scope: Readonly<Record<string, string>>;
}

class Reading {
  readonly #text: string;
  readonly #open: Open[] = [];
  #at = 0;
  #count = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): XmlElement {
    let root: XmlElement | undefined;
    while (this.#at < this.#text.length) {
      const here = this.#text.indexOf('<', this.#at);
      this.#take(this.#text.slice(this.#at, here === -1 ? this.#text.length : here));
      if (here === -1) break;
      this.#at = here;
      this.#refuseMarkup();
      if (this.#text[here + 1] === '/') this.#close();
      else if (root && this.#open.length === 0) throw new Unreadable('holds more than one document');
      else {
        const element = this.#begin();
        root ??= element;
      }
    }
    if (!root || this.#open.length > 0) throw new Unreadable('is not well-formed');
    return root;
  }

  #refuseMarkup(): void {
    const rest = this.#text.slice(this.#at, this.#at + 9);
    if (rest.startsWith('<!--')) throw new Unreadable('holds a comment');
    if (rest.startsWith('<![CDATA[')) throw new Unreadable('holds a CDATA section');
    if (rest.startsWith('<!')) throw new Unreadable('holds a document type (DOCTYPE), by which entities are made');
    if (rest.startsWith('<?')) throw new Unreadable('holds a processing instruction');
  }

  #take(text: string): void {
    const inside = this.#open.at(-1);
    if (!inside) {
      if (trimmed(text) !== '') throw new Unreadable('is not well-formed');
      return;
    }
    if (text.includes(']]>')) throw new Unreadable('is not well-formed');
    inside.element.text += decoded(text);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #close(): void {
    const closed = this.#match(CLOSES);
    if (!closed || this.#open.pop()?.tag !== closed[1]) throw new Unreadable('is not well-formed');
  }

  /** Returns the element as it will be once it is whole. */
  #begin(): XmlElement {
    const tag = this.#match(OPENS)?.[1];
    if (tag === undefined || ++this.#count > ELEMENTS_MOST || this.#open.length >= DEPTH_MOST)
      throw new Unreadable(tag === undefined ? 'is not well-formed' : 'is deeper, or has more elements, than anybody would need');
    const given: [string, string][] = [];
    for (let found = this.#match(ATTRIBUTE); found; found = this.#match(ATTRIBUTE)) given.push([found[1]!, decoded(found[2] ?? found[3]!)]);
    const end = this.#match(ENDS);
    if (!end || given.length > ATTRIBUTES_MOST) throw new Unreadable('is not well-formed');
    const scope = scopeFrom(given, this.#open.at(-1)?.scope ?? NAMESPACES);
    const element = { ...named(tag, scope, scope[''] ?? ''), attributes: attributesFrom(given, scope), children: [], text: '' };
    this.#open.at(-1)?.element.children.push(element);
    if (end[1] === '') this.#open.push({ tag, element, scope });
    return element;
  }
}

function decoded(text: string): string {
  return text.replaceAll(REFERENCE, (_all, decimal?: string, hexadecimal?: string, name?: string) => {
    if (name !== undefined) return MEANS[name]!;
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
    const character = code <= 0x10ffff ? String.fromCodePoint(code) : '';
    if (character === '' || !character.isWellFormed() || NO_CHARACTER.test(character)) throw new Unreadable('refers to an entity');
    return character;
  });
}

const isDeclaration = ([name]: readonly [string, ...string[]]): boolean => name === 'xmlns' || name.startsWith('xmlns:');

function scopeFrom(given: readonly [string, string][], outer: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const declared = given.filter(isDeclaration).map(([name, value]): [string, string] => [name.slice(6), value]);
  if (declared.length === 0) return outer;
  for (const [prefix, namespace] of declared)
    if (prefix === 'xml' || prefix === 'xmlns' || (prefix !== '' && namespace === '')) throw new Unreadable('declares a namespace that can’t be declared');
  return { ...outer, ...Object.fromEntries(declared) };
}

function attributesFrom(given: readonly [string, string][], scope: Readonly<Record<string, string>>): Record<string, string> {
  const attributes: [string, string][] = [];
  for (const [qualified, value] of given) {
    if (isDeclaration([qualified])) continue;
    // Without a prefix an attribute is of no namespace, whatever is declared.
    const { name, namespace } = named(qualified, scope, '');
    attributes.push([namespace === '' ? name : `{${namespace}}${name}`, value]);
  }
  const names = [...attributes, ...given.filter(isDeclaration)].map(([name]) => name);
  if (new Set(names).size < names.length) throw new Unreadable('says one attribute twice');
  return Object.fromEntries(attributes);
}

function named(qualified: string, scope: Readonly<Record<string, string>>, unprefixed: string): { name: string; namespace: string } {
  const [first, second] = qualified.split(':') as [string, string?];
  if (second === undefined) return { name: first, namespace: unprefixed };
  const namespace = Object.hasOwn(scope, first) ? scope[first] : undefined;
  if (namespace === undefined) throw new Unreadable('uses a prefix that nothing declares');
  return { name: second, namespace };
}
