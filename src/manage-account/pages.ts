import { passwordHint, type Account } from '../accounts/accounts.ts';
import { button, form, linkButton, mistakes, notice, passwordField, select, textField } from '../platform/html/forms.ts';
import { html, type Html, type Value } from '../platform/html/html.ts';
import { screenIcon } from '../platform/html/icons.ts';
import { leadOnPage, settingsPage, type SettingsPage } from '../platform/html/layout.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { browserNamed, describeUserAgent } from '../platform/mail/user-agent.ts';
import { momentOf, timeOf, waitingTime } from '../platform/words/times.ts';
import type { Installation } from '../platform/world.ts';
import type { ListedSession, Session } from '../sessions/sessions.ts';
import type { Confirmed, FirstFactors } from './providers.ts';

/** What all pages below /account share. */
export interface Frame {
  readonly installation: Installation;
  readonly formToken: string;
  readonly account: Account;
  readonly now: number;
  /** What the last page did. */
  readonly notice: string | undefined;
  readonly failedTries: Session['failedTries'];
}

/** Said once, on the page after. */
const NOTICES: Readonly<Record<string, readonly ['good' | 'bad' | 'plain', string]>> = {
  'profile-saved': ['good', 'Your changes are saved.'],
  'session-ended': ['good', 'That browser is signed out.'],
  'device-forgotten': ['good', 'That device is trusted no longer: the next sign-in there asks for your second step.'],
  'devices-forgotten': ['good', 'No device is trusted any longer: each sign-in asks for your second step.'],
  'sessions-ended': ['good', 'All other browsers are signed out.'],
  'password-changed': ['good', 'Your password is changed. All other browsers are signed out.'],
  'two-factor-on': ['good', 'Two-factor authentication is on. From now on, signing in asks for a second step.'],
  'two-factor-off': ['good', 'Two-factor authentication is off. Your password alone signs you in.'],
  'method-added': ['good', 'The new method is ready.'],
  'method-replaced': ['good', 'The new app has taken the place of the old one, which no longer works.'],
  'method-renamed': ['good', 'The new name is saved.'],
  'method-removed': ['good', 'The method is removed. All other browsers are signed out.'],
  'provider-connected': ['good', 'It is connected. From now on you can sign in by it.'],
  'provider-disconnected': ['good', 'It is disconnected. You sign in with your password.'],
  'provider-not-found': ['plain', 'It was disconnected already.'],
  'provider-only-way': ['bad', 'You have no password here, so this is your only way in. Choose a password first, by “Forgot password?” on the sign-in page.'],
  'provider-required': ['bad', 'Your organisation requires it, so it stays connected.'],
  'recovery-key-created': ['good', 'Your new Recovery Key is ready. The old one no longer works.'],
  'policy-first': ['plain', 'What you just sent was not saved. First do what is asked for here, then send it once more.'],
  left: ['good', 'You have left the organisation. Your account stays as it is.'],
  'owner-stays': ['bad', 'An organisation keeps an owner. Pass ownership on before you leave.'],
  joined: ['good', 'You have joined the organisation.'],
  recovered: ['plain', 'You used your Recovery Key, and have the next one. If you lost a phone, remove or replace its app below, within the next ten minutes.'],
  'reset-stopped': ['good', 'The reset is stopped: everything stays as it is. If you did not ask for it, change your password now.'],
  'bypass-code-refused': ['good', 'The bypass code is taken back, and no longer works.'],
  'email-changed': ['good', 'Your new address is saved.'],
  'took-too-long': ['plain', 'That took too long, or was finished in another window, so nothing was changed just now. Start again if it is still to be done.'],
  'email-taken': ['bad', 'That address belongs to another account, so yours stays as it was.'],
};

export function settings(frame: Frame, { title, current, body }: { title: string; current: SettingsPage['current']; body: Value }): Html {
  const said = frame.notice === undefined || !Object.hasOwn(NOTICES, frame.notice) ? undefined : NOTICES[frame.notice];
  return settingsPage({
    installationName: frame.installation.name,
    language: frame.account.language,
    title,
    current,
    signedIn: { ...frame.account, formToken: frame.formToken },
    body: html`${frame.failedTries && alarm(frame, frame.failedTries)}${said && notice({ kind: said[0], text: said[1] })}${body}`,
  });
}

/** RL-8: on every page until it was answered, so that nobody overlooks it. */
function alarm({ formToken }: Frame, { count, lastAt, address, userAgent }: NonNullable<Frame['failedTries']>): Html {
  const times = count === 1 ? 'once' : `${count} times`;
  return html`<div class="notice bad" role="alert">
    <p>
      Before you signed in, somebody entered your password and then got the second step wrong ${times}, the last time on ${momentOf(lastAt)} from
      ${describeUserAgent(userAgent)}, address ${address}. They did not get in. If this was not you, they know your password.
    </p>
    ${form({
      action: '/account/failed-tries',
      formToken,
      body: html`<div class="actions">
        ${linkButton({ label: 'Change password', href: '/account/security/password', main: true })} ${button({ label: 'This was me' })}
      </div>`,
    })}
  </div>`;
}

const LANGUAGES = [['en', 'English']] as const;

/** One of ours, whatever was sent. */
export const languageOf = (text: string): string => LANGUAGES.find(([code]) => code === text)?.[0] ?? 'en';

export function account(frame: Frame, { errors, name }: { errors?: { name?: string }; name?: string }): Html {
  const { email, emailVerifiedAt, language } = frame.account;
  return settings(frame, {
    title: 'Manage Account',
    current: 'account',
    body: html`${mistakes(errors?.name)}
      <section class="card" aria-labelledby="profile">
        <h2 id="profile">About you</h2>
        ${form({
          action: '/account',
          formToken: frame.formToken,
          body: html`${textField({ label: 'Name', name: 'name', value: name ?? frame.account.name, autocomplete: 'name', required: true, error: errors?.name })}
          ${select({ label: 'Language', name: 'language', value: language, options: LANGUAGES })} ${button({ label: 'Save', main: true })}`,
        })}
      </section>
      <section class="card" aria-labelledby="email">
        <h2 id="email">Email ${emailVerifiedAt === null ? html`<span class="tag warn">not verified</span>` : html`<span class="tag good">verified</span>`}</h2>
        <p>${email}</p>
        <p class="quiet">Codes and notices about your account go here.</p>
        <div class="actions">
          ${emailVerifiedAt === null && linkButton({ label: 'Verify email', href: '/verify-email', main: true })}
          ${linkButton({ label: 'Change email', href: '/account/email' })}
        </div>
      </section>
      <section class="card" aria-labelledby="organisations">
        <h2 id="organisations">Organisations</h2>
        <p class="quiet">Where you belong, and leaving.</p>
        <div class="actions">${linkButton({ label: 'See your organisations', href: '/account/organisations' })}</div>
      </section>`,
  });
}

export function changeEmail(frame: Frame, { email: typed, refused }: { email: string; refused?: string }): Html {
  return settings(frame, {
    title: 'Change email',
    current: 'account',
    body: html`${mistakes(refused)}
      <section class="card">
        <p class="quiet">Now: ${frame.account.email}. We will send a code to the new address; nothing changes until you have entered it.</p>
        ${form({
          action: '/account/email',
          formToken: frame.formToken,
          body: html`${textField({ label: 'Email', name: 'email', type: 'email', value: typed, autocomplete: 'email', required: true, error: refused })}
            <div class="actions">${button({ label: 'Send verification code', main: true })} ${linkButton({ label: 'Cancel', href: '/account' })}</div>`,
        })}
      </section>`,
  });
}

export function emailRefusal(typed: string, { email: present }: Account): string | undefined {
  const address = parseEmailAddress(typed);
  if (!address) return 'Enter an email address such as name@example.com.';
  return address.key === parseEmailAddress(present)?.key ? 'This is your address already.' : undefined;
}

export const bound = (provider: string | undefined): string | undefined =>
  provider &&
  `Your organisation wants its people to sign in by ${provider}, so your address stays one of its own. Who leaves the organisation can take another.`;

type PasswordRefused =
  | { readonly reason: 'current-wrong' }
  | { readonly reason: 'too-many-tries'; readonly retryAt: number }
  | { readonly reason: 'refused'; readonly sentence: string };

export function password(frame: Frame, { realSecondFactorEnforced, refused }: { realSecondFactorEnforced: boolean; refused?: PasswordRefused }): Html {
  const current = refused?.reason === 'current-wrong' ? 'That is not your present password.' : undefined;
  const next = refused?.reason === 'refused' ? refused.sentence : undefined;
  const wait = refused?.reason === 'too-many-tries' ? waiting(frame, refused.retryAt) : undefined;
  return settings(frame, {
    title: 'Change password',
    current: 'security',
    body: html`${mistakes(current, next)}${wait !== undefined && notice({ kind: 'bad', text: wait })}
      <section class="card">
        <p class="quiet">All other browsers will be signed out.</p>
        ${form({
          action: '/account/security/password',
          formToken: frame.formToken,
          body: html`${passwordField({ label: 'Current password', name: 'current', autocomplete: 'current-password', error: current })}
            ${passwordField({
              label: 'New password',
              name: 'password',
              autocomplete: 'new-password',
              hint: next === undefined ? passwordHint(realSecondFactorEnforced) : undefined,
              error: next,
            })}
            <div class="actions">${button({ label: 'Change password', main: true })} ${linkButton({ label: 'Cancel', href: '/account/security' })}</div>`,
        })}
        ${forgotten}
      </section>`,
  });
}

/** Whoever is signed in may have forgotten it too. */
const forgotten = html`<p><a href="/forgot-password">Forgot password?</a></p>`;

const waiting = ({ now }: Frame, retryAt: number): string =>
  `There were too many wrong tries. You can try again ${waitingTime(retryAt - now)} (at ${timeOf(retryAt)}).`;

export interface Confirm {
  readonly first: FirstFactors;
  /** By a bypass code: what is asked for here is what was lost. */
  readonly onlySignedIn?: boolean;
  readonly missing: readonly ('first-factor' | 'second-factor')[];
  readonly then: string;
  /** How old the proof may be at most, in minutes. */
  readonly within: number;
  readonly refused?: { readonly reason: 'wrong' } | { readonly reason: 'too-many-tries'; readonly retryAt: number } | { readonly reason: Unconfirmed };
}

type Unconfirmed = Extract<Confirmed, { ok: false }>['reason'] | 'change-first';
const UNCONFIRMED: Readonly<Record<Unconfirmed, string>> = {
  'change-first':
    'Your password is right, but the directory of your organisation wants a new one first. Change it where you change your password at work, then enter the new one.',
  lost: 'That took too long, or was finished elsewhere. Try again.',
  'turned-off': 'Signing in by it was turned off meanwhile. Ask whoever looks after it.',
  'somebody-else': 'Somebody else signed in there. Sign in there as yourself, and try again.',
  unreachable: 'The sign-in of your organisation can’t be reached now. Wait a few minutes and try again.',
  misconfigured: 'Something about the sign-in of your organisation is not set up right. Tell whoever looks after it.',
  refused: 'The sign-in of your organisation did not let you through, or you gave up there. Try again.',
  untrusted: 'What came back can’t be trusted, so it was not used. Try again; if it happens once more, tell whoever looks after it.',
};

/** A fresh proof, before something that changes how one gets in. */
export function confirm(frame: Frame, { missing, then, within, refused, first, onlySignedIn = false }: Confirm): Html {
  const asksFirst = missing.includes('first-factor');
  const asksPassword = asksFirst && first.password;
  const failed = refused && Object.hasOwn(UNCONFIRMED, refused.reason) ? UNCONFIRMED[refused.reason as Unconfirmed] : undefined;
  const hidden = html`<input type="hidden" name="then" value="${then}" /><input type="hidden" name="within" value="${within}" />`;
  const error = refused?.reason === 'wrong' ? 'That is not your password.' : undefined;
  const wait = refused?.reason === 'too-many-tries' ? waiting(frame, refused.retryAt) : undefined;
  return settings(frame, {
    title: 'Confirm that it’s you',
    current: 'security',
    body: html`${mistakes(error)}${wait !== undefined && notice({ kind: 'bad', text: wait })}${failed !== undefined && notice({ kind: 'bad', text: failed })}
      ${
        onlySignedIn &&
        notice({
          kind: 'plain',
          text: 'You came in with a bypass code. Right after that you can set up a new phone in Security and Credentials, and then do everything else. If it is too late for that, ask your administrator for another code.',
        })
      }
      <section class="card">
        <p class="quiet">
          You signed in a while ago. This protects your account should somebody else sit at your
          browser.${missing.includes('second-factor') && ' Your second step is asked for too.'}
        </p>
        ${
          asksFirst &&
          first.providers.map(({ connectionId, connectionName }) =>
            form({
              action: '/account/confirm/sso',
              formToken: frame.formToken,
              body: html`${hidden}<input type="hidden" name="connection" value="${connectionId}" />
                <div class="actions">${button({ label: `Sign in again by ${connectionName}`, main: !asksPassword })}</div>`,
            }),
          )
        }
        ${
          (asksPassword || !asksFirst) &&
          form({
            action: '/account/confirm',
            formToken: frame.formToken,
            body: html`${hidden}${asksPassword && passwordField({ label: 'Password', name: 'password', autocomplete: 'current-password', error })}
              <div class="actions">${button({ label: 'Continue', main: true })} ${linkButton({ label: 'Cancel', href: '/account/security' })}</div>`,
          })
        }
        ${asksPassword && forgotten}${asksFirst && !first.password && instead}
      </section>`,
  });
}

/** Not every provider lets people sign in anew, or says that it did. */
const instead = html`<p class="links"><a href="/forgot-password">Does that not work? Choose a password instead</a></p>`;

export function leaving(frame: Frame, { name, url }: { name: string; url: string }): Html {
  const text = 'You sign in there once more, and come back here.';
  return leadOnPage({
    installationName: frame.installation.name,
    language: frame.account.language,
    title: `On to ${name}`,
    text,
    label: `Go on to ${name}`,
    to: url,
  });
}

const UNCONNECTED = {
  lost: 'That took too long, or was finished elsewhere. Sign out, and use single sign-on again.',
  'linked-already': 'One of the two is connected already: your account to somebody there, or you there to another account here. Ask whoever looks after it.',
} as const;

/** Another way in, by the word of a provider. `offered`: by whose. */
export function connect(frame: Frame, offered: { name: string; token: string } | undefined, refused: keyof typeof UNCONNECTED = 'lost'): Html {
  return settings(frame, {
    title: offered ? `Connect ${offered.name}` : 'Nothing was connected',
    current: 'security',
    body: offered
      ? html`<section class="card">
          <p>
            From now on ${offered.name} signs you in to <strong>${frame.account.email}</strong>, without your password. A second step that you have set up is
            asked for all the same.
          </p>
          ${form({
            action: '/account/connect',
            formToken: frame.formToken,
            body: html`<input type="hidden" name="with" value="${offered.token}" />
              <div class="actions">${button({ label: 'Connect', main: true })} ${linkButton({ label: 'Not now', href: '/account/security' })}</div>`,
          })}
        </section>`
      : html`${notice({ kind: 'bad', text: UNCONNECTED[refused] })}
          <div class="actions">${linkButton({ label: 'Security and Credentials', href: '/account/security', main: true })}</div>`,
  });
}

export function sessions(frame: Frame, { sessions: list, own }: { sessions: readonly ListedSession[]; own: string }): Html {
  return settings(frame, {
    title: 'Sessions',
    current: 'sessions',
    body: html`<p class="quiet">The browsers in which you are signed in.</p>
      <section class="card">
        ${list.map(
          (session) =>
            html`<div class="row">
              <span class="icon">${screenIcon}</span>
              <div class="grow">
                <p><strong>${browserNamed(session.userAgent)}</strong> ${session.id === own && html`<span class="tag good">this browser</span>`}</p>
                <p class="quiet">Last used ${momentOf(session.lastSeenAt)}</p>
                <p class="quiet">Signed in ${momentOf(session.createdAt)} from ${session.address}</p>
              </div>
              ${
                session.id !== own &&
                form({
                  action: '/account/sessions/end',
                  formToken: frame.formToken,
                  body: html`<input type="hidden" name="session" value="${session.id}" />${button({ label: 'Sign out', danger: true })}`,
                })
              }
            </div>`,
        )}
        ${
          list.length > 1 &&
          form({
            action: '/account/sessions/end-others',
            formToken: frame.formToken,
            body: html`<div class="actions">${button({ label: 'Sign out all others', danger: true })}</div>`,
          })
        }
      </section>`,
  });
}
