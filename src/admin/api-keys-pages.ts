import { may, type KeyRole } from '../organisations/organisations.ts';
import { button, choiceGroup, linkButton, mistakes, notice, select, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { dateOf, momentOf, timeOf } from '../platform/words/times.ts';
import { asksForAPerson, KEY_DAYS_MOST, SCOPE_WORDS, SCOPES, type ApiKey, type Scope } from '../sessions/sessions.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';

const API_KEYS = '/admin/api-keys';

const NAMES: Readonly<Record<KeyRole, string>> = { admin: 'Admin', auditor: 'Auditor' };

export function apiKeys(frame: Frame, keys: readonly ApiKey[]): Html {
  return consolePage(frame, {
    title: 'API keys',
    current: 'api-keys',
    body: html`<p class="quiet">Programs show a key instead of signing in. What they can do with it is at <a href="/api/docs">API</a>.</p>
      <p class="quiet">
        Bypass codes, resets and ownership ask for a person: whoever made the key stands by it here first, and for ten minutes it may do that in their name.
      </p>
      ${may(frame.role, 'manage-keys') && html`<div class="actions">${linkButton({ label: 'Create API key', href: addressIn(frame, `${API_KEYS}/new`), main: true })}</div>`}
      <section class="card" aria-labelledby="keys">
        <h2 id="keys">Keys</h2>
        ${keys.length === 0 && html`<p class="quiet">There are none.</p>`} ${keys.map((key) => keyRow(frame, key))}
      </section>`,
  });
}

function keyRow(frame: Frame, key: ApiKey): Html {
  const { name, role, scopes, maker, createdAt, lastUsedAt } = key;
  return html`<div class="row">
    <div class="grow">
      <p><strong>${name}</strong> <span class="tag">${NAMES[role]}</span> ${stateOf(frame, key)}</p>
      <p class="quiet">${scopes.join(', ')}</p>
      <p class="quiet">
        Made ${dateOf(createdAt)} by ${maker.name}, ${maker.email}. ${untilOf(frame, key)}
        ${lastUsedAt === null ? 'Not used yet.' : `Last used ${momentOf(lastUsedAt)}.`}
      </p>
    </div>
    ${may(frame.role, 'manage-keys') && keyActions(frame, key)}
  </div>`;
}

function keyActions(frame: Frame, key: ApiKey): Html {
  const { id, name, maker, expiresAt, stands } = key;
  const own = maker.id === frame.account.id && asksForAPerson(key) && stands && expiresAt > frame.now;
  return html`<div class="actions">
    ${
      own &&
      consoleForm(frame, {
        action: `${API_KEYS}/${id}/stand-by`,
        body: html`<button class="button" type="submit" aria-label="Stand by ${name}">Stand by</button>`,
      })
    }
    ${consoleForm(frame, {
      action: `${API_KEYS}/${id}/revoke`,
      body: html`<button class="button danger" type="submit" aria-label="Revoke ${name}">Revoke</button>`,
    })}
  </div>`;
}

function stateOf({ now }: Frame, { expiresAt, stands, vouchedUntil }: ApiKey): Html | false {
  if (expiresAt <= now) return html`<span class="tag warn">expired</span>`;
  if (!stands) return html`<span class="tag warn">rests: its maker may make none now</span>`;
  return vouchedUntil !== null && now < vouchedUntil && html`<span class="tag warn">stood by until ${timeOf(vouchedUntil)}</span>`;
}

const untilOf = ({ now }: Frame, { expiresAt }: ApiKey): string => `${expiresAt <= now ? 'Worked until' : 'Works until'} ${momentOf(expiresAt)}.`;

/** What was typed into the form. */
export interface KeyTyped {
  readonly name: string;
  readonly role: string;
  readonly scopes: readonly string[];
  readonly days: string;
}

export interface KeyMistakes {
  readonly name?: string;
  readonly days?: string;
  readonly other?: string;
}

const SCOPE = 'scope';
const plain = (scope: Scope): string => scope.replace(':', '-');
/** The field that gives a scope. */
export const scopeField = (scope: Scope): string => `${SCOPE}-${plain(scope)}`;

export function newApiKey(frame: Frame, typed: KeyTyped, refused: KeyMistakes = {}): Html {
  return consolePage(frame, {
    title: 'Create API key',
    current: 'api-keys',
    body: html`${mistakes(refused.name, refused.days)} ${refused.other !== undefined && notice({ kind: 'bad', text: refused.other })}
      <section class="card">
        <p class="quiet">It acts for ${frame.organisation.name}, in your name, and no longer than you may make keys. The owner is told by mail.</p>
        ${consoleForm(frame, {
          action: `${API_KEYS}/new`,
          body: html`${textField({ label: 'Name', name: 'name', value: typed.name, required: true, error: refused.name, hint: 'What it is for.' })}
            ${select({
              label: 'Acts as',
              name: 'role',
              value: typed.role,
              options: [
                ['auditor', NAMES.auditor],
                ['admin', NAMES.admin],
              ],
            })}
            <p class="quiet">An auditor sees everything and changes nothing.</p>
            ${choiceGroup({
              question: 'What it may do',
              name: SCOPE,
              type: 'checkbox',
              options: SCOPES.map((scope) => ({ value: plain(scope), label: scope, hint: SCOPE_WORDS[scope], checked: typed.scopes.includes(scope) })),
            })}
            ${textField({ label: 'Days until it expires', name: 'days', value: typed.days, required: true, error: refused.days, hint: `1 to ${KEY_DAYS_MOST}.` })}
            <div class="actions">${button({ label: 'Create API key', main: true })} ${linkButton({ label: 'Cancel', href: addressIn(frame, API_KEYS) })}</div>`,
        })}
      </section>`,
  });
}

/** The one page that ever shows it. */
export function madeApiKey(frame: Frame, { token, key }: { token: string; key: ApiKey }): Html {
  return consolePage(frame, {
    title: 'Your new API key',
    current: 'api-keys',
    body: html`${notice({ kind: 'good', text: 'Copy the key now. It is shown this once.' })}
      <section class="card">
        <p>${key.name}: works until ${momentOf(key.expiresAt)}.</p>
        <p class="key" id="api-key">${token}</p>
        <p class="quiet">Keep it as you keep a password. Whoever has it can do what it may do, without signing in.</p>
        <div class="actions">
          <button class="button" type="button" data-copy="${token}" hidden>Copy</button>
          ${linkButton({ label: 'Done', href: addressIn(frame, API_KEYS), main: true })}
        </div>
      </section>`,
  });
}
