import { may, ROLE_WORDS, type Membership } from '../organisations/organisations.ts';
import { button, form, linkButton } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { settings, type Frame } from './pages.ts';

export const ORGANISATIONS = '/account/organisations';

export function organisations(frame: Frame, memberships: readonly Membership[]): Html {
  return settings(frame, {
    title: 'Organisations',
    current: 'account',
    body: html`<p class="quiet">Where you belong. Each may ask something of you when you sign in; the strictest counts.</p>
      <section class="card" aria-label="Organisations">
        ${memberships.length === 0 && html`<p class="quiet">You belong to none.</p>`}
        ${memberships.map(
          ({ organisation: { id, name }, role }) =>
            html`<div class="row">
              <div class="grow">
                <p><strong>${name}</strong> <span class="tag">${ROLE_WORDS[role]}</span></p>
                ${role === 'owner' && html`<p class="quiet">An organisation keeps an owner. Pass ownership on before you leave.</p>`}
              </div>
              <div class="actions">
                ${may(role, 'see') && html`<a class="button" href="/admin?organisation=${id}" aria-label="Open the console of ${name}">Console</a>`}
                ${role !== 'owner' && html`<a class="button danger" href="${ORGANISATIONS}/${id}/leave" aria-label="Leave ${name}">Leave</a>`}
              </div>
            </div>`,
        )}
      </section>
      <p class="quiet">
        To belong to another one you are invited by whoever looks after it, by mail to ${frame.account.email}. A new one is set up by whoever runs
        ${frame.installation.name}.
      </p>
      <p><a href="/account">Back to Manage Account</a></p>`,
  });
}

export function leave(frame: Frame, { organisation: { id, name }, role }: Membership): Html {
  return settings(frame, {
    title: `Leave ${name}`,
    current: 'account',
    body: html`<section class="card">
      <p>
        You no longer belong to ${name}, and neither its apps nor its own sign-in let you in any more. Your account stays as it is. To come back you need an
        invitation.
      </p>
      ${role === 'admin' && html`<p>API keys that you made for ${name} stop working at once, and invitations that you sent.</p>`}
      <p class="quiet">Those who look after ${name} are told by mail.</p>
      ${form({ action: `${ORGANISATIONS}/${id}/leave`, formToken: frame.formToken, body: button({ label: `Leave ${name}`, danger: true }) })}
      <div class="actions">${linkButton({ label: 'Cancel', href: ORGANISATIONS })}</div>
    </section>`,
  });
}
