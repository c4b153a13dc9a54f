// The pieces of forms: label above, error under the field and tied to it, targets of 44 pixels.
import { html, type Html, type Value } from './html.ts';

export function form({ action, formToken, body }: { action: string; formToken: string; body: Value }): Html {
  return html`<form method="post" action="${action}"><input type="hidden" name="form_token" value="${formToken}" />${body}</form>`;
}

export interface TextField {
  readonly label: string;
  readonly name: string;
  readonly type?: 'text' | 'email' | 'date' | 'number' | 'url';
  readonly value?: string;
  readonly error?: string | undefined;
  readonly hint?: string | undefined;
  readonly autocomplete?: string;
  readonly required?: boolean;
}

export function textField({ label, name, type = 'text', value = '', error, hint, autocomplete = 'off', required = false }: TextField): Html {
  const flags = [required && html` required`, described(name, { error, hint })];
  return field(
    { label, name, error, hint },
    html`<input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}" ${flags} />`,
  );
}

/** One field for a code. No pattern and no length, so that a paste with spaces or dashes goes in whole. */
export function codeField({ label, name, value = '', error }: { label: string; name: string; value?: string; error?: string | undefined }): Html {
  const flags = [html` required`, described(name, { error })];
  return field(
    { label, name, error },
    html`<input class="code" id="${name}" name="${name}" type="text" value="${value}" inputmode="numeric" autocomplete="one-time-code" ${flags} />`,
  );
}

export interface PasswordField {
  readonly label: string;
  readonly name: string;
  readonly autocomplete: 'current-password' | 'new-password';
  /** It may be left empty. */
  readonly optional?: boolean;
  readonly error?: string | undefined;
  readonly hint?: string | undefined;
}

/** With a button that shows what was typed, where the script runs. The password is never sent back to the page. */
export function passwordField({ label, name, autocomplete, optional = false, error, hint }: PasswordField): Html {
  const flags = [!optional && html` required`, described(name, { error, hint })];
  return field(
    { label, name, error, hint },
    html`<span class="with-button"
      ><input id="${name}" name="${name}" type="password" autocomplete="${autocomplete}" ${flags} /><button
        class="button"
        type="button"
        data-show="${name}"
        aria-pressed="false"
        aria-label="Show password"
        hidden
      >
        Show
      </button></span
    >`,
  );
}

export function select({
  label,
  name,
  id = name,
  value,
  options,
  hint,
  error,
}: {
  label: string;
  name: string;
  /** Where a page has several of that name. */
  id?: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  hint?: string | undefined;
  error?: string | undefined;
}): Html {
  const choices = options.map(([one, text]) => html`<option value="${one}" ${one === value && html` selected`}>${text}</option>`);
  return field(
    { label, name: id, hint, error },
    html`<select id="${id}" name="${name}" ${described(id, { hint, error })}>
      ${choices}
    </select>`,
  );
}

/** Several lines. */
export function textArea({ label, name, value, error, hint }: Pick<TextField, 'label' | 'name' | 'error' | 'hint'> & { value: string }): Html {
  return field(
    { label, name, error, hint },
    // The first line break behind the tag is not of the text (HTML, "the textarea element").
    html`<textarea id="${name}" name="${name}" rows="4" autocomplete="off" ${described(name, { error, hint })}>${value}</textarea>`,
  );
}

/** One of a few, or several, under a question of their own. Each may have a sentence that explains it. */
export function choiceGroup({
  question,
  name,
  type,
  options,
  error,
}: {
  question: string;
  name: string;
  type: 'radio' | 'checkbox';
  options: readonly { readonly value: string; readonly label: Value; readonly hint?: string | undefined; readonly checked: boolean }[];
  error?: string | undefined;
}): Html {
  return html`<fieldset class="field choices" ${error !== undefined && html` aria-describedby="${name}-error"`}>
    <legend>${question}</legend>
    ${errorBeside(name, error)}
    ${options.map(({ value, label, hint, checked }) => {
      // Each of several has a name of its own: a field that is sent twice is refused.
      const own = type === 'radio' ? html`name="${name}" value="${value}"` : html`name="${name}-${value}" value="yes"`;
      return html`<div class="tick">
        <label
          ><input type="${type}" ${own} ${checked && html` checked`} ${hint !== undefined && html` aria-describedby="${name}-${value}-hint"`} /> ${label}</label
        >
        ${hint !== undefined && html`<p class="hint" id="${name}-${value}-hint">${hint}</p>`}
      </div>`;
    })}
  </fieldset>`;
}

export function checkbox({ label, name, checked, error }: { label: string; name: string; checked: boolean; error?: string | undefined }): Html {
  const flags = [checked && html` checked`, described(name, { error })];
  return html`<div class="field tick">
    <label><input type="checkbox" name="${name}" value="yes" ${flags} /> ${label}</label>
    ${errorBeside(name, error)}
  </div>`;
}

export interface Button {
  readonly label: string;
  readonly main?: boolean;
  readonly danger?: boolean;
  readonly wide?: boolean;
  /** Disabled for so long; the script counts down and enables it. */
  readonly waitSeconds?: number | undefined;
}

export function button({ label, waitSeconds, ...look }: Button): Html {
  const wait = waitSeconds !== undefined && html` data-wait-seconds="${waitSeconds}" disabled`;
  return html`<button class="${buttonClass(look)}" type="submit" ${wait}>${label}</button>`;
}

/** Looks like a button and is a link: it changes nothing. */
export function linkButton({ label, href, ...look }: Omit<Button, 'waitSeconds'> & { href: string }): Html {
  return html`<a class="${buttonClass(look)}" href="${href}">${label}</a>`;
}

/**
 * What stands beside the fields, summed up for those who do not see it there: read out at once, and nothing to see, so that nobody reads it twice.
 * In the order of the fields.
 */
export function mistakes(...errors: readonly (string | undefined)[]): Html | false {
  const made = errors.filter((error) => error !== undefined);
  return made.length > 0 && html`<p class="said" role="alert">${made.join(' ')}</p>`;
}

/** `bad` is read out at once; what is not urgent waits its turn. */
export function notice({ kind, text }: { kind: 'bad' | 'good' | 'plain'; text: string }): Html {
  return html`<div class="notice ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}"><p>${text}</p></div>`;
}

const buttonClass = ({ main, danger, wide }: { main?: boolean; danger?: boolean; wide?: boolean }): string =>
  ['button', main && 'main', danger && 'danger', wide && 'wide'].filter((name) => name).join(' ');

/** The first field with a mistake has the focus, also without the script: browsers give it to the first that asks. */
function described(name: string, { error, hint }: { error?: string | undefined; hint?: string | undefined }): Html {
  const ids = [error !== undefined && `${name}-error`, hint !== undefined && `${name}-hint`].filter((id) => id !== false);
  return html`${error !== undefined && html` aria-invalid="true" autofocus`}${ids.length > 0 && html` aria-describedby="${ids.join(' ')}"`}`;
}

function field({ label, name, error, hint }: { label: string; name: string; error?: string | undefined; hint?: string | undefined }, input: Html): Html {
  return html`<div class="field">
    <label for="${name}">${label}</label>${input}${errorBeside(name, error)}${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}
  </div>`;
}

const errorBeside = (name: string, error: string | undefined): Html | false => error !== undefined && html`<p class="error" id="${name}-error">${error}</p>`;
