import { HtmlValidate, StaticConfigLoader, type ConfigData } from 'html-validate';

const config: ConfigData = {
  extends: ['html-validate:recommended'],
  rules: {
    // The formatter writes <br />.
    'void-style': ['error', { style: 'selfclose' }],
    // Where a template's value is empty, its line is left with nothing but its indentation.
    'no-trailing-whitespace': 'off',
  },
};

/** The loader of the package puts the whole standard together anew for each page, which takes three times as long as checking it. */
class LoadedOnce extends StaticConfigLoader {
  #loaded: ReturnType<StaticConfigLoader['getConfigFor']> | undefined;

  override getConfigFor(handle: string): ReturnType<StaticConfigLoader['getConfigFor']> {
    return (this.#loaded ??= super.getConfigFor(handle));
  }
}

const validator = new HtmlValidate(new LoadedOnce(config));

/** Pages already found valid: most differ from one that was seen in nothing but whose page it is, and when. */
const valid = new Set<string>();

/** The page without what is no matter of HTML: digits and keys in its text, and those in the values of fields and links. Other attributes stay. */
function shapeOf(body: string): string {
  return body
    .replaceAll(/ d="[^"]*"/g, ' d="M0"')
    .replaceAll(/ (?:value|href|action|data-copy)="[^"]*"/g, (attribute) => attribute.replaceAll(/[\w-]{20,}|\d+/g, '0'))
    .replaceAll(/>[^<]*/g, (text) => text.replaceAll(/[\dA-Z]{4}(?:[- ][\dA-Z]{2,4}){6,}|\d+/g, '0'));
}

/** Throws, with every message and the line that it is about, where a page is not valid HTML. */
export function checkHtml(body: string, where: string): void {
  const shape = shapeOf(body);
  if (valid.has(shape)) return;
  const report = validator.validateStringSync(body);
  if (!report.valid) {
    const lines = body.split('\n');
    const messages = report.results.flatMap((result) =>
      result.messages.map((found) => `  ${found.message} (${found.ruleId}): ${(lines[found.line - 1] ?? '').trim().slice(0, 200)}`),
    );
    throw new Error(`The page ${where} is not valid HTML:\n${messages.join('\n')}`);
  }
  valid.add(shape);
}
