import { HtmlValidate } from 'html-validate';

const validator = new HtmlValidate({
  extends: ['html-validate:recommended'],
  rules: {
    // The formatter writes <br />.
    'void-style': ['error', { style: 'selfclose' }],
    // Where a template's value is empty, its line is left with nothing but its indentation.
    'no-trailing-whitespace': 'off',
  },
});

/** Pages already found valid: most differ in nothing but their form token. */
const valid = new Set<string>();

/** Throws, with every message and the line that it is about, where a page is not valid HTML. */
export function checkHtml(body: string, where: string): void {
  const page = body.replaceAll(/ value="[\w-]{20,}"/g, ' value="token"');
  if (valid.has(page)) return;
  const report = validator.validateStringSync(page);
  if (!report.valid) {
    const lines = page.split('\n');
    const messages = report.results.flatMap((result) =>
      result.messages.map((found) => `  ${found.message} (${found.ruleId}): ${(lines[found.line - 1] ?? '').trim().slice(0, 200)}`),
    );
    throw new Error(`The page ${where} is not valid HTML:\n${messages.join('\n')}`);
  }
  valid.add(page);
}
