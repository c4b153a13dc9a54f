// The source files as the rules of the house see them. test/tidy.test.ts asks house-rules.ts about them.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { exportsOf, importsOf, readSourceText, type Import, type SourceText } from './source-text.ts';

export const ROOT = path.resolve(import.meta.dirname, '../..');

export interface SourceFile {
  /** From the root, with slashes: src/audit/audit.ts */
  readonly path: string;
  readonly text: string;
  readonly source: SourceText;
  readonly imports: readonly ResolvedImport[];
  readonly exports: readonly { readonly name: string; readonly isType: boolean }[];
}

export interface ResolvedImport extends Import {
  /** The file of ours, or undefined for a package and for Node's own modules. */
  readonly file: string | undefined;
}

export type House = ReadonlyMap<string, SourceFile>;

export function readHouse(): House {
  const paths = ['src', 'test', 'bench']
    .flatMap((folder) =>
      readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name.replaceAll(path.sep, '/')}`),
    )
    .filter((name) => name.endsWith('.ts'));
  return new Map(paths.map((name) => [name, readFile(name, readFileSync(path.join(ROOT, name), 'utf8'))]));
}

/** The same house with one file added, or another in its place. */
export function withFile(house: House, name: string, text: string): House {
  return new Map([...house, [name, readFile(name, text)]]);
}

function readFile(name: string, text: string): SourceFile {
  const source = readSourceText(text);
  const imports = importsOf(source).map((one) => ({
    ...one,
    file: one.specifier.startsWith('.') ? path.posix.join(path.posix.dirname(name), one.specifier) : undefined,
  }));
  return { path: name, text, source, imports, exports: exportsOf(source) };
}

export const isTest = (name: string): boolean => name.endsWith('.test.ts') || !name.startsWith('src/');

/** The product's own files. */
export const productOf = (house: House): SourceFile[] => [...house.values()].filter((one) => !isTest(one.path));

/** 'audit' for src/audit/audit.ts; '' for the root files, such as src/app.ts, and the commands of the operator, which are as much at home everywhere. */
export function roomOf(name: string): string {
  const [, room = '', ...rest] = name.split('/');
  return rest.length > 0 && room !== 'commands' ? room : '';
}

/** Finds `pattern` in the code alone, never in a comment or a string. */
export function findInCode(file: SourceFile, pattern: RegExp): { line: number; found: string }[] {
  return [...file.source.code.matchAll(pattern)].map(({ index, 0: found }) => ({ line: lineOf(file, index), found }));
}

export function findInText(file: SourceFile, pattern: RegExp): { line: number; found: string }[] {
  return [...file.text.matchAll(pattern)].map(({ index, 0: found }) => ({ line: lineOf(file, index), found }));
}

const lineOf = (file: SourceFile, at: number): number => file.text.slice(0, at).split('\n').length;

/** What a requirement is called, in docs/requirements.md and in the titles of the tests that show it. */
export const REQUIREMENT = /\b(?:AD|AL|AX|CR|EC|FC|LO|PR|PW|RK|RL|SC|SE|SI|TD|TO|WE)-\d+\b/g;

/** The first argument of test(), describe() and the like. */
export function titlesOf({ source: { code, strings } }: SourceFile): string[] {
  return strings.filter(({ at }) => /\b(?:test|it|describe|suite)\(\s*$/.test(code.slice(Math.max(0, at - 40), at))).map((one) => one.text);
}
