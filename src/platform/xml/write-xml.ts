/** XML by a template tag that escapes: between tags and in quoted attributes, which is all that our own templates have. */

export class Xml {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  toString(): string {
    return this.#text;
  }
}

/** Nothing is written for undefined and false. */
type Value = string | Xml | false | undefined | readonly Xml[];

export function xml(parts: TemplateStringsArray, ...values: readonly Value[]): Xml {
  let text = parts[0]!;
  for (const [index, value] of values.entries()) text += write(value) + parts[index + 1]!;
  // Our templates are indented; whoever signs or compares is not to see it.
  return new Xml(text.replaceAll(/>\n\s*</g, '><').trim());
}

function write(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Xml) return value.toString();
  if (typeof value === 'string') return value.replaceAll(/[&<>"'\t\n\r]/g, (character) => `&#${character.codePointAt(0)};`);
  return value.join('');
}
