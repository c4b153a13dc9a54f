/**
 * One page as a person sees it: found by the words on it, never by ids or classes. What is inside a closed menu (details, popover,
 * dialog) or hidden is not there until it was opened.
 */
import { parse, type HTMLElement } from 'node-html-parser';

export interface Near {
  /** Words in the same row, section or form, where several buttons or fields bear the same name. */
  readonly near?: string;
}

/** What pressing something asks of the browser. */
export type Press = { readonly kind: 'follow'; readonly to: string } | Submission | { readonly kind: 'opened' };
export interface Submission {
  readonly kind: 'submit';
  readonly method: 'GET' | 'POST';
  /** Undefined for the page's own address. */
  readonly to: string | undefined;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export class Page {
  readonly status: number;
  /** The path alone. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  /** As it came. */
  readonly body: string;
  readonly root: HTMLElement;

  constructor(answer: { status: number; url: URL; headers: Page['headers']; body: string }) {
    this.status = answer.status;
    this.path = answer.url.pathname;
    this.query = answer.url.searchParams;
    this.headers = answer.headers;
    this.body = answer.body;
    // Without blockTextElements.noscript, what stands in <noscript> is read as elements: this browser has no JavaScript.
    this.root = parse(answer.body, { comment: false, blockTextElements: { script: true, style: true } });
  }

  /** The text of the h1. */
  get heading(): string {
    return words(this.root.querySelector('h1')?.text);
  }

  /** The text of the h2s, in the order of the page. */
  get headings(): string[] {
    return this.root.querySelectorAll('h2').map((heading) => words(heading.structuredText));
  }

  get title(): string {
    return words(this.root.querySelector('title')?.text);
  }

  /** All text of the page, or of the whole answer where it is no page. */
  get text(): string {
    return words((this.root.querySelector('body') ?? this.root).structuredText);
  }

  /** The text of what has role="alert", '' where there is none. */
  get alert(): string {
    return words(
      this.root
        .querySelectorAll('[role=alert]')
        .map((element) => element.structuredText)
        .join(' '),
    );
  }

  has(text: string): boolean {
    return this.text.includes(text);
  }

  /** Whether there is a button or a link of this name to press. */
  hasButton(name: string): boolean {
    return this.#pressable(name).length > 0;
  }

  /** The names of all buttons and links that can be pressed, in the order of the page. */
  get buttons(): string[] {
    return this.#buttons(() => true).map(nameOf);
  }

  /** The whole name of the button or link whose name begins so: a choice bears a sentence beside its name. */
  buttonStartingWith(start: string): string {
    const names = new Set(this.buttons);
    const found = [...names].filter((name) => name.startsWith(start));
    if (found.length !== 1) throw new Error(`There are ${found.length} buttons '${start}…' on ${this.path} (${this.status}), which says: ${this.text}`);
    return found[0]!;
  }

  /** Where a link leads, as it stands there. */
  link(name: string): string {
    const target = this.#only(this.#pressable(name), `link '${name}'`, {});
    const href = target.getAttribute('href');
    if (href === undefined) throw new Error(`'${name}' on ${this.path} is no link.`);
    return href;
  }

  /** What stands in the field now. */
  value(label: string, options: Near = {}): string {
    const field = this.#field(label, options);
    return is(field, 'textarea') ? field.text : (field.getAttribute('value') ?? '');
  }

  /** The field itself, for its attributes. */
  field(label: string, options: Near = {}): HTMLElement {
    return this.#field(label, options);
  }

  fill(label: string, value: string, options: Near = {}): void {
    const field = this.#field(label, options);
    if (is(field, 'textarea')) field.textContent = value;
    else if (is(field, 'select')) choose(field, value);
    else if (['checkbox', 'radio'].includes(field.getAttribute('type') ?? '')) throw new Error(`'${label}' is to be checked, not filled.`);
    else field.setAttribute('value', escaped(value));
  }

  check(label: string, options: Near = {}): void {
    const box = this.#field(label, options);
    const type = box.getAttribute('type');
    if (type !== 'checkbox' && type !== 'radio') throw new Error(`'${label}' is nothing that can be checked.`);
    if (type === 'radio') {
      const sameName = formOf(this.root, box)?.querySelectorAll('input[type=radio]') ?? [];
      for (const other of sameName) if (other.getAttribute('name') === box.getAttribute('name')) other.removeAttribute('checked');
    }
    box.setAttribute('checked', '');
  }

  uncheck(label: string, options: Near = {}): void {
    this.#field(label, options).removeAttribute('checked');
  }

  press(name: string, options: Near = {}): Press {
    const found = this.#narrowed(this.#pressable(name), options);
    const target = this.#only(found, `button or link '${name}'`, options);
    if (is(target, 'a')) return { kind: 'follow', to: target.getAttribute('href')! };
    if (is(target, 'summary')) return this.#opened(target.closest('details')!);
    const popover = target.getAttribute('popovertarget') ?? target.getAttribute('commandfor');
    if (popover) return this.#opened(this.#byId(popover));
    const form = formOf(this.root, target);
    if (!form || target.getAttribute('type') === 'button') throw new Error(`'${name}' does nothing without JavaScript on ${this.path}.`);
    return this.#submission(form, target);
  }

  #submission(form: HTMLElement, button: HTMLElement): Submission {
    const method = (button.getAttribute('formmethod') ?? form.getAttribute('method') ?? 'get').toUpperCase();
    if (method !== 'GET' && method !== 'POST') throw new Error(`A form cannot be sent by ${method}.`);
    const fields = this.root
      .querySelectorAll('input, select, textarea, button')
      .filter((control) => control === button || !is(control, 'button'))
      .filter((control) => formOf(this.root, control) === form && !control.hasAttribute('disabled') && !control.closest('fieldset[disabled]'))
      .flatMap((control) => valueOf(control, button));
    return { kind: 'submit', method, to: button.getAttribute('formaction') ?? form.getAttribute('action'), fields };
  }

  #opened(element: HTMLElement): Press {
    element.setAttribute('open', '');
    return { kind: 'opened' };
  }

  #pressable(name: string): HTMLElement[] {
    return this.#buttons((element) => nameOf(element) === name);
  }

  #buttons(test: (element: HTMLElement) => boolean): HTMLElement[] {
    return this.root
      .querySelectorAll('button, a[href], summary, input[type=submit]')
      .filter((element) => test(element) && !element.hasAttribute('disabled') && seen(element));
  }

  #field(label: string, options: Near): HTMLElement {
    const fields = this.root
      .querySelectorAll('label')
      .filter((element) => words(element.text) === label && seen(element))
      .map((element) => {
        const id = element.getAttribute('for');
        const field = id ? this.#byId(id) : element.querySelector('input, select, textarea');
        if (!field) throw new Error(`The label '${label}' on ${this.path} belongs to no field.`);
        return field;
      });
    return this.#only(this.#narrowed(fields, options), `field '${label}'`, options);
  }

  #byId(id: string): HTMLElement {
    const found = this.root.querySelectorAll('[id]').find((element) => element.getAttribute('id') === id);
    if (!found) throw new Error(`Nothing on ${this.path} has the id '${id}'.`);
    return found;
  }

  /** Of several of one name, those in the smallest part of the page that also holds the words `near`. */
  #narrowed(found: HTMLElement[], { near }: Near): HTMLElement[] {
    if (near === undefined) return found;
    const distances = found.map((element) => distanceTo(element, near));
    const least = Math.min(...distances);
    return found.filter((_, index) => distances[index] === least && least < Infinity);
  }

  #only(found: HTMLElement[], what: string, { near }: Near): HTMLElement {
    const [first, ...others] = found;
    if (!first)
      throw new Error(`There is no ${what}${near ? ` near '${near}'` : ''} on ${this.path} (${this.status}), which says: ${this.text.slice(0, 1500)}`);
    const href = first.getAttribute('href');
    if (others.some((other) => href === undefined || other.getAttribute('href') !== href)) {
      throw new Error(`There are ${found.length} of the ${what} on ${this.path}. Say which with { near: 'words beside it' }.`);
    }
    return first;
  }
}

const is = (element: HTMLElement, tag: string): boolean => element.localName === tag;
const words = (text: string | undefined): string => (text ?? '').replace(/\s+/g, ' ').trim();
// The parser keeps attributes as they are written.
const escaped = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/** The accessible name, as far as buttons and links need it. */
function nameOf(element: HTMLElement): string {
  return words(element.getAttribute('aria-label') ?? (is(element, 'input') ? element.getAttribute('value') : element.text));
}

function seen(element: HTMLElement): boolean {
  for (let at: HTMLElement | null = element; at; at = at.parentNode) {
    if (!at.rawTagName) continue;
    if (at.hasAttribute('hidden') || is(at, 'template')) return false;
    const closed = (is(at, 'dialog') || at.hasAttribute('popover')) && !at.hasAttribute('open');
    if (closed) return false;
    if (is(at, 'details') && !at.hasAttribute('open') && element.closest('summary')?.parentNode !== at) return false;
  }
  return true;
}

function formOf(root: HTMLElement, control: HTMLElement): HTMLElement | undefined {
  const id = control.getAttribute('form');
  if (id) return root.querySelectorAll('form').find((form) => form.getAttribute('id') === id);
  // Quicker than by a selector, and asked of every field of the page.
  let at: HTMLElement | null = control;
  while (at && at.rawTagName.toLowerCase() !== 'form') at = at.parentNode;
  return at ?? undefined;
}

/** What a control adds to the form that is sent. */
function valueOf(control: HTMLElement, button: HTMLElement): (readonly [string, string])[] {
  const name = control.getAttribute('name');
  if (!name) return [];
  if (is(control, 'textarea')) return [[name, control.text]];
  if (is(control, 'select')) {
    const options = control.querySelectorAll('option');
    const chosen = options.find((option) => option.hasAttribute('selected')) ?? options[0];
    return chosen ? [[name, chosen.getAttribute('value') ?? words(chosen.text)]] : [];
  }
  const type = control.getAttribute('type');
  if (type === 'checkbox' || type === 'radio') return control.hasAttribute('checked') ? [[name, control.getAttribute('value') ?? 'on']] : [];
  if (['submit', 'image', 'reset', 'button', 'file'].includes(type ?? '') && control !== button) return [];
  return [[name, control.getAttribute('value') ?? '']];
}

function choose(select: HTMLElement, label: string): void {
  const options = select.querySelectorAll('option');
  const wanted = options.find((option) => words(option.text) === label);
  if (!wanted) throw new Error(`There is no choice '${label}' among ${options.map((option) => words(option.text)).join(', ')}.`);
  for (const option of options) option.removeAttribute('selected');
  wanted.setAttribute('selected', '');
}

/** How many steps up from `element` the words come into sight. */
function distanceTo(element: HTMLElement, near: string): number {
  let steps = 0;
  for (let at: HTMLElement | null = element; at; at = at.parentNode) {
    if (words(at.structuredText).includes(near)) return steps;
    steps += 1;
  }
  return Infinity;
}
