/**
 * Holds pages against the HTML standard. Most differ from one that was seen in nothing but whose page it is, and when: a page of a shape that was found valid,
 * by this process or another, in this run or before, is not looked at again; so most tests need not even load the package.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Package from 'html-validate';

const require = createRequire(import.meta.url);

const config: Package.ConfigData = {
  extends: ['html-validate:recommended'],
  rules: {
    // The formatter writes <br />.
    'void-style': ['error', { style: 'selfclose' }],
    // Where a template's value is empty, its line is left with nothing but its indentation.
    'no-trailing-whitespace': 'off',
  },
};

let loaded: Package.HtmlValidate | undefined;

function load(): Package.HtmlValidate {
  const { HtmlValidate, StaticConfigLoader } = require('html-validate') as typeof Package;
  /** The loader of the package puts the whole standard together anew for each page, which takes three times as long as checking it. */
  class LoadedOnce extends StaticConfigLoader {
    #loaded: ReturnType<Package.StaticConfigLoader['getConfigFor']> | undefined;

    override getConfigFor(handle: string): ReturnType<Package.StaticConfigLoader['getConfigFor']> {
      return (this.#loaded ??= super.getConfigFor(handle));
    }
  }
  return new HtmlValidate(new LoadedOnce(config));
}

/**
 * The page without what is no matter of HTML: its words, but for those of its title, whose length is looked at, and of whatever is not escaped; the values of fields and
 * links; more than two in a row of rows, items and options that look the same.
 */
function shapeOf(body: string): string {
  return body
    .replaceAll(/ d="[^"]*"/g, ' d="M0"')
    .replaceAll(/ (?:value|href|action|data-copy|datetime)="[^"]*"/g, (attribute) => attribute.replaceAll(/[\w-]{20,}|\d+/g, '0'))
    .replaceAll(/(?<!<title)>[^<]*/g, (text) => text.replaceAll(/&(?:amp|lt|gt|quot|nbsp|#\d+);/g, 'x').replaceAll(/[^\s&>]+(?:\s+[^\s&>]+)*/g, 'x'))
    .replaceAll(/(<(tr|li|option|dt)\b(?:(?!<\2\b)[^])*<\/\2>)(?:\s*\1){2,}/g, '$1$1');
}

/** The shapes that were found valid: in memory, and as empty files, each named by the hash of one. Another version of the package, and other rules, begin anew. */
const valid = new Set<string>();
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const modules = path.resolve(import.meta.dirname, '../../node_modules');
const rules = hashOf(readFileSync(import.meta.filename, 'utf8') + readFileSync(path.join(modules, 'html-validate/package.json'), 'utf8'));
const foundValid = path.join(modules, '.cache/valid-html', rules);
mkdirSync(foundValid, { recursive: true });

/** Throws, with every message and the line that it is about, where a page is not valid HTML. */
export function checkHtml(body: string, where: string): void {
  const shape = hashOf(shapeOf(body));
  if (valid.has(shape)) return;
  const file = path.join(foundValid, shape);
  if (!existsSync(file)) {
    validate(body, where);
    writeFileSync(file, '');
  }
  valid.add(shape);
}

function validate(body: string, where: string): void {
  const report = (loaded ??= load()).validateStringSync(body);
  if (report.valid) return;
  const lines = body.split('\n');
  const messages = report.results.flatMap((result) =>
    result.messages.map((found) => `  ${found.message} (${found.ruleId}): ${(lines[found.line - 1] ?? '').trim().slice(0, 200)}`),
  );
  throw new Error(`The page ${where} is not valid HTML:\n${messages.join('\n')}`);
}
