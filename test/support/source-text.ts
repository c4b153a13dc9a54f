/**
 * Reads TypeScript as text, for the rules of the house: what a file imports and exports, and how long its functions are. TypeScript 7 has no
 * JavaScript API, so this is a scanner for strings, templates, comments and regular expressions, and patterns over what is left. It relies on
 * the one format that oxfmt gives every file: semicolons, and specifiers in quotes.
 */
export interface SourceText {
  /** The code alone: comments, and what stands inside quotes, are blank; every character is where it was. */
  readonly code: string;
  readonly strings: readonly { readonly at: number; readonly text: string }[];
}

export interface Import {
  readonly specifier: string;
  /** Types are gone when the program runs. */
  readonly typeOnly: boolean;
  /** As they are called where they come from; '*' is all of them. */
  readonly names: readonly string[];
  /** What '*' is called here: `import * as store`; undefined for `export *`. */
  readonly namespace: string | undefined;
  /** It is handed on: `export { a } from './a.ts'`. */
  readonly exported: boolean;
  readonly line: number;
}

export interface LongThing {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

export function readSourceText(text: string): SourceText {
  const out = text.split('');
  const strings: { at: number; text: string }[] = [];
  /** Depths of braces at which a template goes on. */
  const templates: number[] = [];
  let depth = 0;
  const blank = (from: number, to: number): void => {
    for (let index = from; index < to; index++) if (out[index] !== '\n') out[index] = ' ';
  };
  const string = (at: number, end: number): void => {
    strings.push({ at, text: text.slice(at + 1, end) });
    blank(at + 1, end);
  };
  let at = 0;
  const template = (): void => {
    const end = endOfTemplate(text, at);
    strings.push({ at, text: text.slice(at + 1, end) });
    blank(at + 1, end);
    if (text[end] === '$') {
      templates.push(depth);
      depth += 1;
      at = end + 2;
    } else at = end + 1;
  };
  while (at < text.length) {
    const character = text[at]!;
    if (character === '/' && (text[at + 1] === '/' || text[at + 1] === '*')) {
      const end = text[at + 1] === '/' ? endOf(text, '\n', at) : endOf(text, '*/', at + 2) + 2;
      blank(at, end);
      at = end;
    } else if (character === "'" || character === '"') {
      const end = endOfString(text, at);
      string(at, end);
      at = end + 1;
    } else if (character === '`') template();
    else if (character === '/' && regularExpressionMayStart(out.slice(Math.max(0, at - 80), at).join(''))) {
      const end = endOfRegularExpression(text, at);
      blank(at + 1, end);
      at = end + 1;
    } else if (character === '}' && templates.at(-1) === depth - 1) {
      templates.pop();
      depth -= 1;
      template();
    } else {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      at += 1;
    }
  }
  if (depth !== 0) throw new Error('The scanner has lost its way: the braces of a file do not match.');
  return { code: out.join(''), strings };
}

function endOf(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from);
  return found === -1 ? text.length : found;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== text[start]) at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** The closing backtick, or the `$` of the next `${`. */
function endOfTemplate(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '`' && !(text[at] === '$' && text[at + 1] === '{')) at += text[at] === '\\' ? 2 : 1;
  return at;
}

function endOfRegularExpression(text: string, start: number): number {
  let at = start + 1;
  let inClass = false;
  while (at < text.length && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true;
    if (text[at] === ']') inClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at;
}

/** A slash divides after a value, and starts an expression after everything else. */
function regularExpressionMayStart(before: string): boolean {
  const code = before.trimEnd();
  return code === '' || /[=(,:[!&|?{};+\-*%<>~^]$/.test(code) || /\b(?:return|typeof|case|in|of|void|await|yield|throw|else)$/.test(code);
}

const lineAt = (code: string, at: number): number => code.slice(0, at).split('\n').length;

/** Every import, re-export and dynamic import. */
export function importsOf({ code, strings }: SourceText): Import[] {
  const textAt = new Map(strings.map((one) => [one.at, one.text]));
  const imports: Import[] = [];
  for (const found of code.matchAll(/\b(import|export)\b(?<clause>[\w\s{},*$]*?)\bfrom\s*(?=['"])/g)) {
    const specifier = textAt.get(found.index + found[0].length);
    if (specifier === undefined) continue;
    imports.push({ specifier, ...readClause(found.groups!['clause']!), exported: found[1] === 'export', line: lineAt(code, found.index) });
  }
  for (const found of code.matchAll(/\bimport\s*\(?\s*(?=['"`])/g)) {
    const specifier = textAt.get(found.index + found[0].length);
    if (specifier !== undefined)
      imports.push({ specifier, typeOnly: false, names: ['*'], namespace: undefined, exported: false, line: lineAt(code, found.index) });
  }
  return imports;
}

function readClause(clause: string): Pick<Import, 'typeOnly' | 'names' | 'namespace'> {
  const all = clause.trim();
  const namespace = /\*\s+as\s+([\w$]+)/.exec(all)?.[1];
  if (all.includes('*')) return { typeOnly: /^type\b/.test(all), names: ['*'], namespace };
  const parts = listOf(/\{([^}]*)\}/.exec(all)?.[1] ?? '');
  const byDefault = /^(?:type\s+)?([\w$]+)\s*(?:,|$)/.exec(all)?.[1];
  const wholly = /^type\b/.test(all);
  return {
    typeOnly: wholly || (byDefault === undefined && parts.length > 0 && parts.every((part) => part.startsWith('type '))),
    names: [...(byDefault === undefined ? [] : ['default']), ...parts.map((part) => part.replace(/^type\s+/, '').split(/\s+as\s+/)[0]!)],
    namespace: undefined,
  };
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** What a file exports by name, its own and what it hands on; `export *` is among its imports. */
export function exportsOf({ code }: SourceText): { name: string; isType: boolean }[] {
  const own = [...code.matchAll(/^export\s+(?:async\s+)?(function|const|let|class|interface|type)\*?\s+([\w$]+)/gm)].map((found) => ({
    name: found[2]!,
    isType: found[1] === 'interface' || found[1] === 'type',
  }));
  const listed = [...code.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)].flatMap((found) =>
    listOf(found[2]!).map((part) => ({
      name: part
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)
        .at(-1)!,
      isType: found[1] !== undefined || part.startsWith('type '),
    })),
  );
  return [...own, ...listed];
}

/** Every function, method and arrow function with its length, from its first line to its last. */
export function functionsOf({ code }: SourceText): LongThing[] {
  const found: LongThing[] = [];
  const add = (name: string, start: number, end: number): void =>
    void found.push({ name, line: lineAt(code, start), lines: code.slice(start, end).split('\n').length });
  for (const { index, 0: head, 1: name } of code.matchAll(/(?<![\w$.])(?:(?:async\s+)?function\*?\s*)?([\w$]+)\s*(?:<[^()=]*>\s*)?\(/g)) {
    if (/^(?:if|for|while|switch|catch|with|return|await|typeof|new|super|import)$/.test(name!)) continue;
    const body = bodyAfter(code, closing(code, index + head.length - 1));
    if (body !== undefined) add(name!, index, closing(code, body));
  }
  for (const { index } of code.matchAll(/=>/g)) add(arrowName(code, index), index, endOfArrow(code, index + 2));
  return found;
}

/** The brace that opens the body of a function whose parameters ended at `from`; undefined where it was a call. */
function bodyAfter(code: string, from: number): number | undefined {
  const rest = /^\s*(?<colon>:)?/.exec(code.slice(from))!;
  let at = from + rest[0].length;
  if (rest.groups!['colon'] === undefined) return code.slice(from).trimStart().startsWith('{') ? code.indexOf('{', from) : undefined;
  // A type: what opens after one of these signs belongs to it, and the first brace after something complete is the body.
  let complete = false;
  for (; at < code.length; at++) {
    const character = code[at]!;
    if (/\s/.test(character)) continue;
    if (character === '{' && complete) return at;
    if (/[{([]/.test(character)) at = closing(code, at) - 1;
    else if (character === '<') at = closingAngle(code, at) - 1;
    else if (/[;,)\]}?=]/.test(character)) return undefined;
    complete = !/[|&:]/.test(character);
  }
  return undefined;
}

/** Just behind the bracket that closes the one at `open`. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (/[{([]/.test(code[at]!)) depth += 1;
    if (/[})\]]/.test(code[at]!)) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return code.length;
}

function closingAngle(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === '<') depth += 1;
    if (code[at] === '>' && code[at - 1] !== '=') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return code.length;
}

function endOfArrow(code: string, from: number): number {
  for (let at = from; at < code.length; at++) {
    if (/[;,)\]}]/.test(code[at]!)) return at;
    if (/[{([]/.test(code[at]!)) {
      const end = closing(code, at);
      if (code.slice(from, at).trim() === '') return end;
      at = end - 1;
    }
  }
  return code.length;
}

/** What the arrow function is kept under, or 'a function'. */
function arrowName(code: string, arrow: number): string {
  const line = code.slice(code.lastIndexOf('\n', arrow) + 1, arrow);
  return /(?:const\s+)?([\w$]+)\s*(?::[^=]*)?[=:]\s*(?:async\s*)?\(?[^=]*$/.exec(line)?.[1] ?? 'a function';
}
