import { factorOf } from '../factors/factors.ts';
import { actRefusal, may, ROLES, ROLE_WORDS, rolesToGive, type Invitation, type Role } from '../organisations/organisations.ts';
import { button, linkButton, mistakes, notice, select, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { screenIcon } from '../platform/html/icons.ts';
import { browserNamed } from '../platform/mail/user-agent.ts';
import { dateOf, momentOf } from '../platform/words/times.ts';
import { TWO_FACTOR_FILTERS, type Filter, type PeoplePage, type PersonInFull, type PersonShown, type SessionShown } from './admin.ts';
import { lostPhone } from './help-pages.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';

const PEOPLE = '/admin/people';

const NAMES: Readonly<Record<Role, string>> = { owner: 'Owner', admin: 'Admin', auditor: 'Auditor', member: 'Member' };

interface PeopleShown extends PeoplePage {
  readonly total: number;
  readonly filter: Filter;
  readonly after: string;
  readonly invitations: readonly Invitation[];
  /** Why what was just asked for could not be done. */
  readonly refused?: string | undefined;
}

export function people(frame: Frame, { people: shown, next, total, filter, after, invitations, refused }: PeopleShown): Html {
  const query = queryOf(filter);
  const narrowed = Object.values(query).some((value) => value !== '');
  return consolePage(frame, {
    title: 'People',
    current: 'people',
    body: html`${refused !== undefined && notice({ kind: 'bad', text: refused })}
      <p class="quiet">${total === 1 ? 'One person belongs' : `${total.toLocaleString('en-GB')} people belong`} to ${frame.organisation.name}.</p>
      <div class="card">${searchForm(frame, filter)}</div>
      ${may(frame.role, 'invite') && html`<div class="actions">${linkButton({ label: 'Invite somebody', href: addressIn(frame, `${PEOPLE}/invite`), main: true })}</div>`}
      <section class="card" aria-labelledby="members">
        <h2 id="members">${narrowed ? 'Found' : 'Members'}</h2>
        ${shown.length === 0 && html`<p class="quiet">Nobody is like that. Try fewer letters, or another filter.</p>`}
        ${shown.map((one) => personRow(frame, one))}
        <div class="actions">
          ${after !== '' && linkButton({ label: 'First page', href: addressIn(frame, PEOPLE, query) })}
          ${next !== undefined && linkButton({ label: 'Next page', href: addressIn(frame, PEOPLE, { ...query, after: next }) })}
          ${consoleForm(frame, {
            action: `${PEOPLE}/export`,
            body: html`${Object.entries(query).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}${button({ label: 'Export as CSV' })}`,
          })}
        </div>
      </section>
      ${invitations.length > 0 && pendingInvitations(frame, invitations)}`,
  });
}

/** As the address and the export have it. */
const queryOf = ({ search, role, twoFactor, standing }: Filter): Record<string, string> => ({
  search,
  'two-factor': twoFactor ?? '',
  role: role ?? '',
  standing: standing ?? '',
});

function searchForm(frame: Frame, { search, role, twoFactor, standing }: Filter): Html {
  const hidden = frame.memberships.length > 1 && html`<input type="hidden" name="organisation" value="${frame.organisation.id}" />`;
  return html`<form method="get" action="${PEOPLE}" role="search">
    ${hidden}
    <div class="filters">
      ${textField({ label: 'Search', name: 'search', value: search, hint: 'How a name or an email begins.' })}
      ${select({
        label: 'Two-factor authentication',
        name: 'two-factor',
        value: twoFactor ?? '',
        options: [['', 'On or off'], ['on', 'On'], ['off', 'Off'], ...TWO_FACTOR_FILTERS.slice(2).map((kind) => [kind, factorOf(kind).words.name] as const)],
      })}
      ${select({ label: 'Role', name: 'role', value: role ?? '', options: [['', 'Any role'], ...ROLES.map((one) => [one, NAMES[one]] as const)] })}
      ${select({
        label: 'State',
        name: 'standing',
        value: standing ?? '',
        options: [
          ['', 'Any state'],
          ['never-signed-in', 'No sign-in on record'],
          ['locked', 'Locked'],
        ],
      })}
    </div>
    ${button({ label: 'Find' })}
  </form>`;
}

function personRow(frame: Frame, { accountId, name, email, role, kinds, lastSignInAt, suspended }: PersonShown): Html {
  const methods = kinds.length === 0 ? 'No second step' : kinds.map((kind) => factorOf(kind).words.name).join(', ');
  const on = kinds.length > 0 ? html`<span class="tag good">2FA on</span>` : html`<span class="tag warn">2FA off</span>`;
  return html`<div class="row">
    <div class="grow">
      <p>
        <strong>${name}</strong> ${role !== 'member' && html`<span class="tag">${NAMES[role]}</span>`} ${on}
        ${suspended && html`<span class="tag warn">suspended</span>`}
      </p>
      <p class="quiet">${email} <span class="tag good">verified</span></p>
      <p class="quiet">${methods}. ${lastSignInAt === null ? 'No sign-in on record.' : `Last sign-in ${momentOf(lastSignInAt)}.`}</p>
    </div>
    <a class="button" href="${addressIn(frame, `${PEOPLE}/${accountId}`)}" aria-label="Open ${name}, ${email}">Open</a>
  </div>`;
}

function pendingInvitations(frame: Frame, invitations: readonly Invitation[]): Html {
  return html`<section class="card" aria-labelledby="invitations">
    <h2 id="invitations">Invitations</h2>
    ${invitations.map(({ id, email, role, expiresAt }) => {
      const over = expiresAt <= frame.now;
      return html`<div class="row">
        <div class="grow">
          <p><strong>${email}</strong> ${over && html`<span class="tag warn">expired</span>`}</p>
          <p class="quiet">As ${ROLE_WORDS[role]}, ${over ? 'until' : 'open until'} ${momentOf(expiresAt)}</p>
        </div>
        ${
          may(frame.role, 'invite') &&
          html`${consoleForm(frame, { action: `${PEOPLE}/invitations/${id}/resend`, body: button({ label: 'Send again' }) })}
          ${consoleForm(frame, { action: `${PEOPLE}/invitations/${id}/revoke`, body: button({ label: 'Take back', danger: true }) })}`
        }
      </div>`;
    })}
  </section>`;
}

export function invite(frame: Frame, { email, role, refused }: { email: string; role: Role; refused?: { address?: string; other?: string } }): Html {
  return consolePage(frame, {
    title: 'Invite somebody',
    current: 'people',
    body: html`${mistakes(refused?.address)} ${refused?.other !== undefined && notice({ kind: 'bad', text: refused.other })}
      <section class="card">
        <p class="quiet">They get a link by mail. It works for seven days, once, and only for an account with this address.</p>
        ${consoleForm(frame, {
          action: `${PEOPLE}/invite`,
          body: html`${textField({ label: 'Email', name: 'email', type: 'email', value: email, required: true, error: refused?.address })}
            ${select({ label: 'Role', name: 'role', value: role, options: rolesToGive(frame.role).map((one) => [one, NAMES[one]] as const) })}
            <p class="quiet">${MEANINGS}</p>
            <div class="actions">${button({ label: 'Send invitation', main: true })} ${linkButton({ label: 'Cancel', href: addressIn(frame, PEOPLE) })}</div>`,
        })}
      </section>`,
  });
}

const MEANINGS = 'Admins look after people. Auditors see everything and change nothing. Members see their own account alone.';

export function person(frame: Frame, one: PersonInFull, { refused, events }: { refused: string | undefined; events: Html }): Html {
  const { account, role, joinedAt, lastSignInAt, methods, providers } = one;
  const stands = methods.some(({ kind }) => factorOf(kind).stands);
  return consolePage(frame, {
    title: 'Person',
    heading: account.name,
    current: 'people',
    body: html`${refused !== undefined && notice({ kind: 'bad', text: refused })}
      <section class="card" aria-labelledby="about">
        <h2 id="about">About <span class="tag">${NAMES[role]}</span></h2>
        <p>
          ${account.email} ${account.emailVerifiedAt === null ? html`<span class="tag warn">not verified</span>` : html`<span class="tag good">verified</span>`}
        </p>
        <p class="quiet">
          Joined ${dateOf(joinedAt)}. ${lastSignInAt === null ? 'No sign-in on record.' : `Last sign-in ${momentOf(lastSignInAt)}.`}
          ${providers.length > 0 && `Comes by ${providers.join(' and ')}.`}
        </p>
      </section>
      <section class="card" aria-labelledby="methods">
        <h2 id="methods">Two-Factor Authentication ${stands ? html`<span class="tag good">On</span>` : html`<span class="tag warn">Off</span>`}</h2>
        ${methods.length === 0 && html`<p class="quiet">${account.name} signs in ${wayIn(one)} alone.</p>`} ${methods.map(methodRow)} ${deadline(frame, one)}
      </section>
      ${sessionsCard(frame, one)} ${actions(frame, one)} ${events}
      <p><a href="${addressIn(frame, PEOPLE)}">Back to People</a></p>`,
  });
}

/** Whether the policy asks for more than what there is, and by when. */
function deadline({ now }: Frame, { account, setUpBy }: PersonInFull): Html | false {
  if (setUpBy === null) return false;
  const when = now < setUpBy ? `has until ${momentOf(setUpBy)} to` : 'has to';
  return html`<p class="quiet">The Security Policy asks for a method that counts: ${account.name} ${when} set one up, and is led there when signing in.</p>`;
}

/** The first factor, in words. */
const wayIn = ({ providers, hasPassword }: PersonInFull): string =>
  [...(hasPassword || providers.length === 0 ? ['with the password'] : []), ...providers.map((name) => `by ${name}`)].join(' or ');

function methodRow({ kind, name, createdAt, lastUsedAt }: PersonInFull['methods'][number]): Html {
  const { words, pages } = factorOf(kind);
  return html`<div class="row">
    <span class="icon">${pages.icon}</span>
    <div class="grow">
      <p><strong>${words.name}</strong>${name !== words.name && html` · ${name}`}</p>
      <p class="quiet">Added ${dateOf(createdAt)}, ${lastUsedAt === null ? 'not used yet' : `last used ${momentOf(lastUsedAt)}`}</p>
    </div>
  </div>`;
}

const SESSIONS_SHOWN = 20;

function sessionsCard(frame: Frame, { account, role, sessions }: PersonInFull): Html {
  const both = { actor: { accountId: frame.account.id, role: frame.role }, target: { accountId: account.id, role } };
  const shown = sessions.slice(0, SESSIONS_SHOWN);
  return html`<section class="card" aria-labelledby="sessions">
    <h2 id="sessions">Sessions</h2>
    ${sessions.length === 0 && html`<p class="quiet">Not signed in now.</p>`} ${shown.map(sessionRow)}
    ${sessions.length > shown.length && html`<p class="quiet">And ${sessions.length - shown.length} more.</p>`}
    ${
      actRefusal('end-sessions', both) === undefined &&
      html`<p class="quiet">Ending them signs ${account.name} out in every browser.</p>
        ${consoleForm(frame, { action: `${PEOPLE}/${account.id}/end-sessions`, body: button({ label: 'End all sessions', danger: true }) })}`
    }
  </section>`;
}

function sessionRow({ userAgent, openedAt, lastUsedAt, address }: SessionShown): Html {
  return html`<div class="row">
    <span class="icon">${screenIcon}</span>
    <div class="grow">
      <p><strong>${browserNamed(userAgent)}</strong></p>
      <p class="quiet">Signed in ${momentOf(openedAt)}${address === null ? ', before they joined' : ` from ${address}`}. Last used ${momentOf(lastUsedAt)}.</p>
    </div>
  </div>`;
}

function actions(frame: Frame, one: PersonInFull): Html | false {
  const { account, role } = one;
  if (!may(frame.role, 'change-role')) return false;
  const actor = { accountId: frame.account.id, role: frame.role };
  const target = { accountId: account.id, role };
  const refusal = actRefusal('change-role', { actor, target });
  if (refusal) return html`<section class="card"><p class="quiet">${REASONS[refusal]}</p></section>`;
  const address = `${PEOPLE}/${account.id}`;
  const seen = html`<input type="hidden" name="seen" value="${role}" />`;
  return html`<section class="card" aria-labelledby="role-of">
      <h2 id="role-of">What they may do</h2>
      ${consoleForm(frame, {
        action: `${address}/role`,
        body: html`${seen}${select({ label: 'Role', name: 'role', value: role, options: rolesToGive(frame.role).map((given) => [given, NAMES[given]] as const) })}
          <p class="quiet">${MEANINGS}</p>
          ${button({ label: 'Change role', main: true })}`,
      })}
    </section>
    ${account.emailVerifiedAt === null && verificationCard(frame, account)} ${lostPhone(frame, one)} ${one.hasPassword && passwordCard(frame, account)}
    ${suspensionCard(frame, one)}
    ${
      may(frame.role, 'transfer-ownership') &&
      html`<section class="card" aria-labelledby="ownership">
        <h2 id="ownership">Ownership</h2>
        <p class="quiet">An organisation has one owner. ${account.name} becomes it, and you become an admin. Only ${account.name} can give it back.</p>
        ${consoleForm(frame, { action: `${address}/make-owner`, body: html`${seen}${button({ label: 'Transfer ownership', danger: true })}` })}
      </section>`
    }
    <section class="card" aria-labelledby="remove">
      <h2 id="remove">Remove</h2>
      <p class="quiet">${account.name} no longer belongs to ${frame.organisation.name}. The account itself stays.</p>
      ${consoleForm(frame, { action: `${address}/remove`, body: html`${seen}${button({ label: 'Remove from the organisation', danger: true })}` })}
    </section>`;
}

function verificationCard(frame: Frame, { id, name, email }: PersonInFull['account']): Html {
  return html`<section class="card" aria-labelledby="verification">
    <h2 id="verification">Email</h2>
    <p class="quiet">
      ${name} has not shown yet that ${email} is theirs, and can set up nothing before that. The mail asks for it, and leads to where it is done.
    </p>
    ${consoleForm(frame, { action: `${PEOPLE}/${id}/resend-verification`, body: button({ label: 'Ask again to verify' }) })}
  </section>`;
}

function passwordCard(frame: Frame, { id, name }: PersonInFull['account']): Html {
  return html`<section class="card" aria-labelledby="password">
    <h2 id="password">Password</h2>
    <p class="quiet">
      The password of ${name} stops working at once, and they are signed out. They choose a new one by a link to their mailbox; where codes by email are their
      only second step, they also need their Recovery Key for that.
    </p>
    ${consoleForm(frame, { action: `${PEOPLE}/${id}/require-password`, body: button({ label: 'Require a new password', danger: true }) })}
  </section>`;
}

function suspensionCard(frame: Frame, { account, suspendedAt }: PersonInFull): Html {
  const [verb, label, sentence] =
    suspendedAt === null
      ? ['suspend', 'Suspend', `${account.name} is signed out at once and can’t sign in until you end it. Nothing of the account is lost.`]
      : ['resume', 'End the suspension', `Suspended since ${momentOf(suspendedAt)}. ${account.name} can’t sign in.`];
  return html`<section class="card" aria-labelledby="suspension">
    <h2 id="suspension">Suspend ${suspendedAt !== null && html`<span class="tag warn">suspended</span>`}</h2>
    <p class="quiet">${sentence}</p>
    ${consoleForm(frame, { action: `${PEOPLE}/${account.id}/${verb}`, body: button({ label, danger: suspendedAt === null }) })}
  </section>`;
}

/** Why something can't be done to a person. */
export const REASONS = {
  'not-allowed': 'Your role here lets you look, and change nothing.',
  oneself: 'This is you. What you are here, others change.',
  'higher-role': 'This person’s role, or the one to be given, is higher than yours. Ask somebody who has it.',
  'changed-meanwhile': 'Somebody else changed this person’s role in the meantime, so nothing was done. What you see now is how it is.',
} as const;
