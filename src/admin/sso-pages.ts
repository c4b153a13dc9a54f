import { may } from '../organisations/organisations.ts';
import { button, checkbox, linkButton, mistakes as saidMistakes, notice, passwordField, select, textArea, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { dateOf, momentOf } from '../platform/words/times.ts';
import { addressesOf, protocolOf, type AnyProtocol, type Connection, type ConnectionFields, type Domain, type SettingField } from '../sso/sso.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';

const SSO = '/admin/sso';
/** What providers say of two factors where nobody has told them otherwise: RFC 8176, Entra ID, REFEDS. */
const USUAL_WORDS = ['mfa', 'http://schemas.microsoft.com/claims/multipleauthn', 'https://refeds.org/profile/mfa'];

export const emptyFields = (protocol: AnyProtocol): ConnectionFields => ({
  name: '',
  settings: Object.fromEntries(protocol.fields.flatMap(({ name, initial }) => (initial === undefined ? [] : [[name, initial]]))),
  trustsAddresses: false,
  secondFactorWords: [],
});

export function overview(
  frame: Frame,
  { connections, domains, refused }: { connections: readonly Connection[]; domains: readonly Domain[]; refused: string | undefined },
): Html {
  const manages = may(frame.role, 'manage-sso');
  return consolePage(frame, {
    title: 'Single sign-on',
    current: 'sso',
    body: html`${refused !== undefined && notice({ kind: 'bad', text: refused })}
      <p class="quiet">
        Your people sign in by your organisation’s own identity provider or directory, and then show a second factor here where the Security Policy asks for it.
        ${!manages && 'Only the owner changes this: a provider says who everybody is.'}
      </p>
      <section class="card" aria-labelledby="connections">
        <h2 id="connections">Connections</h2>
        ${connections.length === 0 && html`<p class="quiet">There is none yet.</p>`}
        ${connections.map(
          (one) =>
            html`<div class="row">
              <div class="grow">
                <p><strong>${one.name}</strong> ${stateTag(one)}</p>
                <p class="quiet">${protocolOf(one.kind)!.words.name}</p>
              </div>
              <a class="button" href="${addressIn(frame, `${SSO}/${one.id}`)}" aria-label="Open ${one.name}">Open</a>
            </div>`,
        )}
        ${manages && html`<div class="actions">${linkButton({ label: 'Add a connection', href: addressIn(frame, `${SSO}/new`), main: connections.length === 0 })}</div>`}
      </section>
      <section class="card" aria-labelledby="domains">
        <h2 id="domains">Domains</h2>
        <p class="quiet">
          Whoever types an address of one of these on the sign-in page is led to its connection. A record in the domain’s DNS shows that it is yours.
          ${connections.some(isBinding) && 'Once it leads to a connection that is required, whoever is signed in by a password there is signed out.'}
        </p>
        ${domains.map((one) => domainRow(frame, one, connections, manages))}
        ${
          manages &&
          consoleForm(frame, {
            action: `${SSO}/domains/add`,
            body: html`${textField({ label: 'Domain', name: 'domain', required: true, hint: 'Such as example.org' })}
            ${button({ label: 'Add domain', main: connections.length > 0 && domains.length === 0 })}`,
          })
        }
      </section>`,
  });
}

const isBinding = ({ required, enabledAt }: Connection): boolean => required && enabledAt !== null;

function stateTag({ enabledAt, required }: Connection): Html {
  if (enabledAt === null) return html`<span class="tag">Off</span>`;
  return required ? html`<span class="tag good">Required</span>` : html`<span class="tag good">On</span>`;
}

function domainRow(frame: Frame, one: Domain, connections: readonly Connection[], manages: boolean): Html {
  const hidden = html`<input type="hidden" name="domain" value="${one.domain}" />`;
  const leads = connections.find(({ id }) => id === one.connectionId);
  return html`<div class="row">
    <div class="grow">
      <p>
        <strong>${one.domain}</strong>
        ${one.verifiedAt === null ? html`<span class="tag warn">Not verified</span>` : html`<span class="tag good">Verified</span>`}
      </p>
      ${
        one.verifiedAt === null
          ? html`<p class="quiet">Write this TXT record, then check it:</p>
              <dl class="facts">
                <dt>Name</dt>
                <dd><code>${one.recordName}</code></dd>
                <dt>Text</dt>
                <dd><code>${one.recordText}</code></dd>
              </dl>
              ${
                manages &&
                consoleForm(frame, {
                  action: `${SSO}/domains/check`,
                  body: html`${hidden}
                    <div class="actions">${button({ label: 'Check the record', main: true })}</div>`,
                })
              }`
          : html`<p class="quiet">${leads ? `Leads to ${leads.name}` : 'Leads nowhere yet: passwords are asked for'}. Verified ${dateOf(one.verifiedAt)}.</p>
              ${
                manages &&
                connections.length > 0 &&
                consoleForm(frame, {
                  action: `${SSO}/domains/lead`,
                  body: html`${hidden}${select({
                    label: `Addresses of ${one.domain} sign in by`,
                    name: 'connection',
                    id: `lead-${one.domain.replaceAll('.', '-')}`,
                    value: one.connectionId ?? '',
                    options: [['', 'Passwords'], ...connections.map(({ id, name }) => [id, name] as const)],
                  })}
                  ${button({ label: 'Save' })}`,
                })
              }`
      }
      ${
        manages &&
        consoleForm(frame, {
          action: `${SSO}/domains/remove`,
          body: html`${hidden}
            <div class="actions">${button({ label: `Remove ${one.domain}`, danger: true })}</div>`,
        })
      }
    </div>
  </div>`;
}

export function chooseKind(frame: Frame, all: readonly AnyProtocol[]): Html {
  return consolePage(frame, {
    title: 'Add a connection',
    current: 'sso',
    body: html`<section class="card">
      <h2>What does your organisation have?</h2>
      ${all.map(
        ({ kind, words }) =>
          html`<div class="row">
            <div class="grow">
              <p><strong>${words.name}</strong></p>
              <p class="quiet">${words.explanation}</p>
            </div>
            <a class="button" href="${addressIn(frame, `${SSO}/new`, { kind })}" aria-label="Choose ${words.name}">Choose</a>
          </div>`,
      )}
      <p><a href="${addressIn(frame, SSO)}">Back to Single sign-on</a></p>
    </section>`,
  });
}

interface Shown {
  readonly fields: ConnectionFields;
  readonly mistakes?: Readonly<Record<string, string>>;
  readonly refused?: string;
}

export function newConnection(frame: Frame, { protocol, fields, mistakes = {}, refused }: Shown & { protocol: AnyProtocol }): Html {
  return consolePage(frame, {
    title: `New connection: ${protocol.words.name}`,
    current: 'sso',
    body: html`${saidMistakes(...Object.values(mistakes))} ${refused !== undefined && notice({ kind: 'bad', text: refused })}
      <section class="card">
        <p class="quiet">${protocol.words.explanation}</p>
        ${consoleForm(frame, {
          action: `${SSO}/new`,
          body: html`<input type="hidden" name="kind" value="${protocol.kind}" />${connectionFields(protocol, { fields, mistakes, stored: false })}
            <div class="actions">${button({ label: 'Add connection', main: true })} ${linkButton({ label: 'Cancel', href: addressIn(frame, SSO) })}</div>`,
        })}
      </section>`,
  });
}

function connectionFields(
  protocol: AnyProtocol,
  { fields, mistakes, stored }: { fields: ConnectionFields; mistakes: Readonly<Record<string, string>>; stored: boolean },
): Html {
  const words = fields.secondFactorWords;
  return html`${textField({ label: 'Name', name: 'name', value: fields.name, required: true, error: mistakes['name'], hint: protocol.way === 'password' ? 'As your people call it, such as “Example directory”' : 'As your people call it: “Go on to Example Okta”' })}
    ${protocol.fields.map((field) => settingField(field, { value: fields.settings[field.name], error: mistakes[field.name], stored }))}
    ${checkbox({ label: 'It gives out only email addresses that it has verified, or that it has given to people itself', name: 'trustsAddresses', checked: fields.trustsAddresses })}
    <p class="quiet">
      ${protocol.saysVerified ? 'Some providers say so of each address, and need no tick here.' : 'This kind of provider can’t say so itself.'} Without it,
      whoever comes for the first time signs in here by password once, so that nobody takes another’s account by claiming an address.
    </p>
    ${protocol.way === 'redirect' && secondFactorFields(words, mistakes['secondFactorWords'])}`;
}

/** A directory, which is asked with a password, has nothing to say of another factor. */
const secondFactorFields = (words: readonly string[], error: string | undefined): Html =>
  html`${checkbox({ label: 'Where it says that it asked for a second factor, that counts here', name: 'trustsSecondFactor', checked: words.length > 0 })}
  ${textArea({
    label: 'What it says then',
    name: 'secondFactorWords',
    value: (words.length > 0 ? words : USUAL_WORDS).join('\n'),
    error,
    hint: 'One in a line. Whoever belongs to another organisation too is asked for a second factor all the same.',
  })}`;

function settingField(
  { name, label, hint, kind, choices = [], required }: SettingField,
  { value, error, stored }: { value: unknown; error: string | undefined; stored: boolean },
): Html {
  const text = Array.isArray(value) ? value.join('\n') : typeof value === 'string' ? value : '';
  const about = { label, name, error, ...(hint === undefined ? {} : { hint }) };
  switch (kind) {
    case 'check':
      return checkbox({ label, name, checked: value === true, error });
    case 'choice':
      return select({ ...about, value: text, options: choices.map((one) => [one.value, one.label] as const) });
    case 'lines':
      return textArea({ ...about, value: text });
    case 'secret':
      return passwordField({
        label,
        name,
        autocomplete: 'new-password',
        optional: stored || !required,
        error,
        hint: stored ? 'Leave it empty to keep the one that is stored.' : hint,
      });
    case 'address':
    case 'text':
      return textField({ ...about, value: text, required, ...(kind === 'address' ? { type: 'url' as const } : {}) });
  }
}

export interface ConnectionPage {
  readonly connection: Connection;
  readonly protocol: AnyProtocol;
  readonly domains: readonly Domain[];
  /** How many people of its domains are signed in by a password of ours. */
  readonly byPassword: number;
  readonly fields?: ConnectionFields;
  readonly mistakes?: Readonly<Record<string, string>>;
  readonly refused?: string;
}

export function connection(frame: Frame, { connection: one, protocol, domains, byPassword, fields, mistakes = {}, refused }: ConnectionPage): Html {
  const address = `${SSO}/${one.id}`;
  const seen = html`<input type="hidden" name="seen" value="${one.version}" />`;
  const stored: ConnectionFields = { ...one, settings: one.settings as Record<string, unknown> };
  return consolePage(frame, {
    title: 'Connection',
    heading: one.name,
    current: 'sso',
    body: html`${saidMistakes(...Object.values(mistakes))} ${refused !== undefined && notice({ kind: 'bad', text: refused })}
      ${stateSection(frame, one, { domains, byPassword }, seen)} ${protocol.way === 'redirect' && addressesSection(frame, one, protocol)}
      ${may(frame.role, 'manage-sso') && testSection(frame, one, protocol)}
      ${
        may(frame.role, 'manage-sso') &&
        html`<section class="card" aria-labelledby="settings">
            <h2 id="settings">Settings</h2>
            ${consoleForm(frame, {
              action: address,
              body: html`${seen}${connectionFields(protocol, { fields: fields ?? stored, mistakes, stored: true })}
                <div class="actions">${button({ label: 'Save', main: true })}</div>`,
            })}
          </section>
          <section class="card" aria-labelledby="remove">
            <h2 id="remove">Remove</h2>
            <p class="quiet">Whoever signed in by it signs in with their password again; whoever has none chooses one by a link to their mailbox.</p>
            ${consoleForm(frame, { action: `${address}/remove`, body: button({ label: 'Remove connection', danger: true }) })}
          </section>`
      }
      <p><a href="${addressIn(frame, SSO)}">Back to Single sign-on</a></p>`,
  });
}

function stateSection(frame: Frame, one: Connection, { domains, byPassword }: Pick<ConnectionPage, 'domains' | 'byPassword'>, seen: Html): Html {
  const address = `${SSO}/${one.id}`;
  const act = (to: string, label: string, main = false): Html =>
    consoleForm(frame, { action: `${address}/${to}`, body: html`${seen}${button({ label, main })}` });
  const on = one.enabledAt !== null;
  return html`<section class="card" aria-labelledby="state">
    <h2 id="state">${protocolOf(one.kind)!.words.name} ${stateTag(one)}</h2>
    <dl class="facts">
      <dt>Domains</dt>
      <dd>${domains.length === 0 ? 'None leads here yet' : domains.map(({ domain }) => domain).join(', ')}</dd>
      <dt>Tested</dt>
      <dd>${one.testedAt === null ? 'Not with these settings' : momentOf(one.testedAt)}</dd>
    </dl>
    ${on && one.testedAt === null && notice({ kind: 'plain', text: 'The settings were changed since the last test. Test them now.' })}
    ${
      may(frame.role, 'manage-sso') &&
      html`${
          on &&
          !one.required &&
          html`<p class="quiet">
            Required, nobody with an address of its domains signs in by password, but you, with a second factor: so that a broken provider does not lock you
            out. Whoever is signed in by a password then is signed out at once, and comes back by ${one.name}: ${peopleByPassword(byPassword)}
          </p>`
        }
        ${!on && one.required && html`<p class="quiet">It is required as soon as it is on: ${peopleByPassword(byPassword)}</p>`}
        <div class="actions">
          ${on ? act('off', 'Turn off') : act('on', 'Turn on', one.testedAt !== null)}
          ${on && (one.required ? act('optional', 'Let passwords serve too') : act('required', 'Require it'))}
        </div>`
    }
  </section>`;
}

function peopleByPassword(count: number): string {
  if (count === 0) return 'nobody but you is signed in by a password now.';
  return count === 1 ? '1 person is signed in by a password now.' : `${count} people are signed in by a password now.`;
}

/** What the provider wants to know of us, as it calls it itself. */
function addressesSection({ installation }: Frame, one: Connection, protocol: AnyProtocol): Html {
  const own = addressesOf({ installation }, one.id);
  const hasMetadata = protocol.way === 'redirect' && protocol.ownMetadata !== undefined;
  const rows: readonly (readonly [string, string])[] = [
    ...(hasMetadata ? [['Entity id, and our metadata', own.metadata] as const] : []),
    [hasMetadata ? 'Callback (ACS URL)' : 'Callback (redirect URI)', own.callback],
    [hasMetadata ? 'Sign-out (single logout)' : 'Sign-out (back-channel)', own.logout],
    ['After sign-out', own.signedOut],
  ];
  return html`<section class="card" aria-labelledby="addresses">
    <h2 id="addresses">What to tell the provider</h2>
    <dl class="facts">
      ${rows.map(
        ([name, address]) =>
          html`<dt>${name}</dt>
            <dd><code>${address}</code></dd>`,
      )}
    </dl>
  </section>`;
}

function testSection(frame: Frame, one: Connection, protocol: AnyProtocol): Html {
  return html`<section class="card" aria-labelledby="test">
    <h2 id="test">Test connection</h2>
    <p class="quiet">
      ${protocol.way === 'redirect' ? 'You sign in at the provider, and see here what it says of you. Nobody’s account changes.' : 'With the email and password of somebody whom the directory knows, such as your own. Nobody’s account changes.'}
    </p>
    ${consoleForm(frame, {
      action: `${SSO}/${one.id}/test`,
      body: html`${protocol.way === 'password' && html`${textField({ label: 'Email', name: 'email', type: 'email', required: true })} ${passwordField({ label: 'Password', name: 'password', autocomplete: 'new-password' })}`}
        <div class="actions">${button({ label: 'Test connection', main: one.testedAt === null })}</div>`,
    })}
  </section>`;
}
