// The frame of the console: its sections, what the last page did, and what all of its forms carry.
import type { Account } from '../accounts/accounts.ts';
import type { Membership, Organisation, Role } from '../organisations/organisations.ts';
import { form, notice } from '../platform/html/forms.ts';
import { html, type Html, type Value } from '../platform/html/html.ts';
import { framedPage } from '../platform/html/layout.ts';
import type { Installation } from '../platform/world.ts';

export interface Frame {
  readonly installation: Installation;
  readonly formToken: string;
  readonly account: Account;
  readonly now: number;
  /** What the last page did. */
  readonly notice: string | undefined;
  readonly organisation: Organisation;
  /** Of whoever looks at the page. */
  readonly role: Role;
  /** All whose console they may open. */
  readonly memberships: readonly Membership[];
}

/** Said once, on the page after. */
const NOTICES: Readonly<Record<string, string>> = {
  'organisation-created': 'Your organisation is there, and you are its owner. Invite the others.',
  invited: 'The invitation is on its way.',
  'invited-again': 'The invitation is on its way once more. The link before it no longer works.',
  'invitation-revoked': 'The invitation is taken back. Its link no longer works.',
  'role-changed': 'The role is changed, and the person is told by mail.',
  removed: 'The person no longer belongs to the organisation, and is told by mail.',
  'ownership-transferred': 'Ownership is passed on. You are an admin now.',
  'policy-saved': 'The policy is in force.',
  'policy-restored': 'The earlier policy is in force again.',
  'policy-announced': 'The mails are on their way.',
  'reset-asked': 'The reset is asked for. The person, and the others who look after them, are told by mail.',
  'reset-approved': 'You have agreed to the reset. The person is told by mail.',
  'reset-stopped': 'The reset is stopped, and nothing was removed. The person, and the others who look after them, are told by mail.',
  'help-closed': 'The request is closed.',
  'bypass-code-revoked': 'The bypass code is taken back, and no longer works. The person is told by mail.',
  'key-vouched': 'For ten minutes the key may do what asks for a person, in your name. The owner is told by mail.',
  'verification-sent': 'The mail is on its way.',
  'key-revoked': 'The API key is revoked. Programs that use it are refused from now on.',
  suspended: 'The person is suspended and signed out everywhere, and is told by mail.',
  resumed: 'The suspension is ended, and the person is told by mail.',
  'password-required': 'The old password no longer works. The person is told by mail how to choose a new one.',
  'webhook-paused': 'Streaming is paused. Nothing is lost: it goes on from here.',
  'webhook-resumed': 'Streaming goes on from where it was paused.',
  'webhook-removed': 'Nothing is streamed any more, and who looks after the organisation is told by mail.',
  'webhook-tested': 'The test event was taken by the receiver.',
  'sso-added': 'The connection is kept, and turned off. Tell a provider the addresses below where it wants to know them; then test the connection.',
  'sso-added-directory': 'The connection is kept, and turned off. Test it below, then turn it on.',
  'sso-changed': 'The connection is changed. Test it once more.',
  'sso-on': 'The connection is turned on.',
  'sso-off': 'The connection is turned off. People sign in with their passwords.',
  'sso-required': 'From now on, whoever has an address of its domains signs in by it alone. Whoever was in by a password is signed out.',
  'sso-optional': 'Passwords serve again, beside it.',
  'sso-removed': 'The connection is removed.',
  'domain-added': 'The domain is in the list. Now write its record.',
  'domain-verified': 'The domain is verified.',
  'domain-removed': 'The domain is removed from the list.',
  'domain-led': 'Kept. It holds from the next sign-in on.',
  'app-added': 'The app is behind the portal. Now tell its proxy to ask: the guide has the lines.',
  'app-changed': 'The rules are changed. They hold from the next request on.',
  'app-removed': 'The app is removed. Nobody is let through to it any more.',
  'all-signed-out': 'The person is signed out everywhere, and is told by mail.',
};

const SECTIONS = [
  ['overview', '/admin', 'Overview'],
  ['people', '/admin/people', 'People'],
  ['help', '/admin/help', 'Help'],
  ['policy', '/admin/policy', 'Security Policy'],
  ['sso', '/admin/sso', 'Single sign-on'],
  ['apps', '/admin/apps', 'Apps'],
  ['audit', '/admin/audit', 'Audit log'],
  ['api-keys', '/admin/api-keys', 'API keys'],
] as const;

interface ConsolePage {
  readonly title: string;
  readonly heading?: string;
  readonly current: (typeof SECTIONS)[number][0];
  readonly body: Value;
}

export function consolePage(frame: Frame, { title, heading = title, current, body }: ConsolePage): Html {
  const said = frame.notice === undefined ? undefined : NOTICES[frame.notice];
  return framedPage({
    installationName: frame.installation.name,
    language: frame.account.language,
    title,
    heading,
    current,
    navigation: {
      label: 'Administration',
      sections: SECTIONS.map(([key, path, label]) => [key, addressIn(frame, path), label] as const),
      above: html`<p class="quiet">${frame.organisation.name}</p>`,
    },
    signedIn: { ...frame.account, formToken: frame.formToken },
    body: html`${said !== undefined && notice({ kind: 'good', text: said })}${body} ${otherOrganisations(frame)}`,
  });
}

function otherOrganisations({ organisation, memberships }: Frame): Html | false {
  const others = memberships.filter((one) => one.organisation.id !== organisation.id);
  if (others.length === 0) return false;
  return html`<p class="quiet">
    You also look after:
    ${others.map((one, index) => html`${index > 0 && ', '}<a href="/admin/people?organisation=${one.organisation.id}">${one.organisation.name}</a>`)}
  </p>`;
}

/** The address of a page of this organisation's console. Who looks after one alone needs not name it. */
export function addressIn(
  { organisation, memberships }: Pick<Frame, 'organisation' | 'memberships'>,
  path: string,
  query: Readonly<Record<string, string>> = {},
): string {
  const named = memberships.length > 1 ? { organisation: organisation.id, ...query } : query;
  const text = new URLSearchParams(Object.entries(named).filter(([, value]) => value !== '')).toString();
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

/** A form says for which organisation it is: another tab may have gone on to another. */
export function consoleForm({ formToken, organisation }: Frame, { action, body }: { action: string; body: Value }): Html {
  return form({ action, formToken, body: html`<input type="hidden" name="organisation" value="${organisation.id}" />${body}` });
}
