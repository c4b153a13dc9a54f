import { NEEDS, rulesInWords, type App, type Need } from '../apps/apps.ts';
import { may } from '../organisations/organisations.ts';
import { button, choiceGroup, linkButton, mistakes as saidMistakes, textArea, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';

const APPS = '/admin/apps';

const NEED_WORDS: Readonly<Record<Need, { readonly label: string; readonly hint: string }>> = {
  open: { label: 'Open', hint: 'Everybody, without signing in.' },
  'signed-in': { label: 'Signed in', hint: 'Whoever belongs to the organisation and has all that its policy asks.' },
  'two-factor': { label: 'Two factors', hint: 'The same, by something that only this person has. An emailed code is not that.' },
};

export interface AppFields {
  readonly name: string;
  readonly host: string;
  readonly rules: string;
  readonly last: Need;
}
export type AppMistakes = Partial<Record<keyof AppFields, string>>;

export function apps(frame: Frame, all: readonly App[]): Html {
  return consolePage(frame, {
    title: 'Apps',
    current: 'apps',
    body: html`<p class="quiet">Apps that ask this portal who may come in, before anybody reaches them.</p>
      ${may(frame.role, 'manage-apps') && html`<div class="actions">${linkButton({ label: 'Add an app', href: addressIn(frame, `${APPS}/new`), main: true })}</div>`}
      <section class="card" aria-label="Apps">
        ${all.length === 0 && html`<p class="quiet">There is none yet. Add one here, and tell the proxy before it to ask: the guide has the lines.</p>`}
        ${all.map(
          (one) =>
            html`<div class="row">
              <div class="grow">
                <p><strong>${one.name}</strong></p>
                <p class="quiet">
                  ${one.host}.
                  ${NEED_WORDS[one.last].label}${one.rules.length > 0 && `, and ${one.rules.length} ${one.rules.length === 1 ? 'rule' : 'rules'} by path`}
                </p>
              </div>
              <a class="button" href="${addressIn(frame, `${APPS}/${one.id}`)}" aria-label="Open ${one.name}, ${one.host}">Open</a>
            </div>`,
        )}
      </section>`,
  });
}

export function newApp(frame: Frame, fields: AppFields, mistakes: AppMistakes = {}): Html {
  return consolePage(frame, {
    title: 'Add an app',
    current: 'apps',
    body: html`${saidMistakes(...Object.values(mistakes))}
      <section class="card">
        ${consoleForm(frame, {
          action: `${APPS}/new`,
          body: html`${textField({ label: 'Name', name: 'name', value: fields.name, required: true, error: mistakes.name })}
            ${textField({ label: 'Host', name: 'host', value: fields.host, required: true, error: mistakes.host, hint: 'As people open it: wiki.example.org, with its port where it has one. *.apps.example.org is every host below.' })}
            ${ruleFields(fields, mistakes)}
            <div class="actions">${button({ label: 'Add app', main: true })} ${linkButton({ label: 'Cancel', href: addressIn(frame, APPS) })}</div>`,
        })}
      </section>`,
  });
}

function ruleFields(fields: AppFields, mistakes: AppMistakes): Html {
  return html`${choiceGroup({
    question: 'What it asks for',
    name: 'last',
    type: 'radio',
    error: mistakes.last,
    options: NEEDS.map((need) => ({ value: need, ...NEED_WORDS[need], checked: fields.last === need })),
  })}
  ${textArea({
    label: 'Rules by path',
    name: 'rules',
    value: fields.rules,
    error: mistakes.rules,
    hint: 'One in a line; the first that fits counts, before what is chosen above. For example: two-factor /admin roles=owner,admin within=10, or: open /public methods=GET,HEAD',
  })}`;
}

export interface Tried {
  readonly address: string;
  readonly method: string;
  /** Which rule it meets and why; undefined where nothing was asked. */
  readonly answer: string | undefined;
}

export function app(
  frame: Frame,
  one: App,
  { fields, version, mistakes = {}, tried }: { fields: AppFields; version: string; mistakes?: AppMistakes; tried: Tried },
): Html {
  const address = `${APPS}/${one.id}`;
  const changes = may(frame.role, 'manage-apps');
  return consolePage(frame, {
    title: 'App',
    heading: one.name,
    current: 'apps',
    body: html`${saidMistakes(...Object.values(mistakes))}
      <p class="quiet">${one.host}</p>
      ${
        changes
          ? html`<section class="card" aria-labelledby="who">
              <h2 id="who">Who may come in</h2>
              ${consoleForm(frame, {
                action: address,
                body: html`<input type="hidden" name="version" value="${version}" />
                  ${textField({ label: 'Name', name: 'name', value: fields.name, required: true, error: mistakes.name })} ${ruleFields(fields, mistakes)}
                  ${button({ label: 'Save', main: true })}`,
              })}
            </section>`
          : html`<section class="card">
              <p>${NEED_WORDS[one.last].label}</p>
              <pre>${rulesInWords(one.rules)}</pre>
            </section>`
      }
      <section class="card" aria-labelledby="try">
        <h2 id="try">Which rule does an address meet?</h2>
        <form method="get" action="${address}">
          ${frame.memberships.length > 1 && html`<input type="hidden" name="organisation" value="${frame.organisation.id}" />`}
          ${textField({ label: 'Path', name: 'path', value: tried.address, hint: 'Such as /admin/users' })}
          ${textField({ label: 'Method', name: 'method', value: tried.method })} ${button({ label: 'Ask' })}
        </form>
        ${tried.answer !== undefined && html`<p role="status">${tried.answer}</p>`}
      </section>
      ${
        changes &&
        html`<section class="card" aria-labelledby="remove">
          <h2 id="remove">Remove</h2>
          <p class="quiet">From then on nobody is let through to ${one.name} by this portal.</p>
          ${consoleForm(frame, { action: `${address}/remove`, body: button({ label: 'Remove app', danger: true }) })}
        </section>`
      }
      <p><a href="${addressIn(frame, APPS)}">Back to Apps</a></p>`,
  });
}
