// Where in the markup each value of a template stands. Reads the template's own text, which is ours, as the HTML standard's tokenizer would.

/** What may stand in a place, see html.ts. */
export type Place = 'text' | 'attributes' | 'attribute' | 'address';

type State = 'text' | 'tag-name' | 'attributes' | 'attribute-name' | 'before-value' | 'double-quoted' | 'single-quoted' | 'unquoted' | 'comment' | 'raw-text';

interface Reading {
  readonly state: State;
  /** The tag or attribute that is being read, or was last. */
  readonly tag: string;
  readonly attribute: string;
  /** What was read of the present state's text. */
  readonly seen: string;
}

const ADDRESSES = new Set(['href', 'action', 'formaction', 'src', 'poster', 'cite', 'ping', 'data']);
const RUNS = /^(?:on.*|style|srcdoc|srcset)$/;
const RAW_TEXT = new Set(['script', 'style', 'textarea', 'title']);

export function readPlaces(parts: readonly string[]): readonly Place[] {
  const places: Place[] = [];
  let reading: Reading = { state: 'text', tag: '', attribute: '', seen: '' };
  for (const part of parts.slice(0, -1)) {
    for (const character of part) reading = read(reading, character);
    places.push(placeOf(reading, part));
    // The value is some text; that it is no longer the beginning matters to addresses.
    if (reading.state.endsWith('quoted')) reading = { ...reading, seen: `${reading.seen}x` };
  }
  return places;
}

function placeOf({ state, tag, attribute, seen }: Reading, before: string): Place {
  const refuse = (why: string): never => {
    throw new TypeError(`No value can stand ${why}: ${before.slice(-60)}`);
  };
  switch (state) {
    case 'text':
      return 'text';
    case 'tag-name':
    case 'attributes':
      // `<input${flags}` is fine: what comes starts with a space. `<${tag}` is not.
      return tag === '' ? refuse('in the name of a tag') : 'attributes';
    case 'double-quoted':
    case 'single-quoted':
      if (RUNS.test(attribute)) return refuse(`in the attribute ${attribute}`);
      return ADDRESSES.has(attribute) && seen === '' ? 'address' : 'attribute';
    case 'raw-text':
      // What is escaped in a title or a textarea is read back by browsers; in a script or a style it is not.
      return tag === 'script' || tag === 'style' ? refuse(`inside <${tag}>`) : 'text';
    case 'attribute-name':
    case 'before-value':
    case 'unquoted':
      return refuse('in an attribute without quotes');
    case 'comment':
      return refuse('in a comment');
  }
}

function read(reading: Reading, character: string): Reading {
  const { state, tag, attribute, seen } = reading;
  const to = (next: State, change: Partial<Reading> = {}): Reading => ({ ...reading, state: next, seen: '', ...change });
  const more = { ...reading, seen: seen + character };
  const space = /\s/.test(character);
  switch (state) {
    case 'text':
      return character === '<' ? to('tag-name', { tag: '' }) : reading;
    case 'tag-name':
      if (character === '>') return afterTag(to('text'));
      if (space || (character === '/' && tag !== '')) return to('attributes');
      if (tag === '!-' && character === '-') return to('comment');
      return { ...reading, tag: tag + character.toLowerCase() };
    case 'attributes':
      if (character === '>') return afterTag(to('text'));
      if (character === '=') return to('before-value');
      return space || character === '/' ? reading : to('attribute-name', { attribute: character.toLowerCase() });
    case 'attribute-name':
      if (character === '>') return afterTag(to('text'));
      if (character === '=') return to('before-value');
      return space ? to('attributes') : { ...reading, attribute: attribute + character.toLowerCase() };
    case 'before-value':
      if (space) return reading;
      if (character === '"') return to('double-quoted');
      return character === "'" ? to('single-quoted') : to('unquoted');
    case 'double-quoted':
      return character === '"' ? to('attributes') : more;
    case 'single-quoted':
      return character === "'" ? to('attributes') : more;
    case 'unquoted':
      if (character === '>') return afterTag(to('text'));
      return space ? to('attributes') : reading;
    case 'comment':
      return more.seen.endsWith('-->') ? to('text') : more;
    case 'raw-text':
      return more.seen.toLowerCase().endsWith(`</${tag}>`) ? to('text') : more;
  }
}

/** The text of some elements is read by other rules, up to their own end tag. */
const afterTag = (reading: Reading): Reading => (RAW_TEXT.has(reading.tag) ? { ...reading, state: 'raw-text' } : reading);
