import { passwordHint, type Account } from '../accounts/accounts.ts';
import { button, form, linkButton, mistakes, notice, passwordField, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { alonePage } from '../platform/html/layout.ts';
import { timeOf, waitingTime } from '../platform/words/times.ts';
import type { Installation } from '../platform/world.ts';

/** What the page says after something else ended here. */
const NOTICES: Readonly<Record<string, string>> = {
  'signed-out': 'You are signed out.',
  'signed-out-meanwhile': 'Please sign in again. You were signed out because you had been away for a while, or because something about your account changed.',
  'password-reset': 'Your new password is set. Sign in with it.',
  'took-too-long': 'That took too long, or was finished elsewhere. Please sign in again.',
};

interface SignInPage {
  readonly installation: Installation;
  readonly formToken: string;
  readonly email: string;
  readonly then: string;
  /** Whether whoever comes like this may make an account. */
  readonly joining: boolean;
  /** Whether some address leads to an identity provider. */
  readonly single: boolean;
  /** 'password': a password is asked for, wherever the address leads. */
  readonly way: string;
  /** Why whoever wanted to go to a provider is here again. */
  readonly unled?: keyof typeof UNLED;
  readonly notice?: string | undefined;
  readonly refused?:
    | { readonly reason: 'wrong' }
    | { readonly reason: 'suspended'; readonly by: string }
    | { readonly reason: 'too-many-tries'; readonly retryAt: number };
  readonly now?: number;
}

/** By the address's domain alone. */
const UNLED = {
  'no-address': 'Enter your email first. It tells where you sign in.',
  'no-provider': 'There is no single sign-on for this address. Sign in with your password.',
} as const;

export function signIn({ installation, formToken, email, then, joining, single, way, unled: why, notice: code, refused, now = 0 }: SignInPage): Html {
  const unled = why && UNLED[why];
  const said = code === undefined || !Object.hasOwn(NOTICES, code) ? undefined : NOTICES[code];
  const wrong =
    refused?.reason === 'wrong' ? 'That email and password do not go together. Check both and try again. “Forgot password?” below helps, too.' : undefined;
  return alonePage({
    installationName: installation.name,
    language: 'en',
    title: 'Sign in',
    body: html`
      ${said !== undefined && notice({ kind: 'plain', text: said })} ${mistakes(unled, wrong)}
      ${
        refused?.reason === 'suspended' &&
        notice({ kind: 'bad', text: `${refused.by} has suspended you, so you can’t sign in now. Ask whoever looks after ${refused.by}.` })
      }
      ${
        refused?.reason === 'too-many-tries' &&
        notice({ kind: 'bad', text: `There were too many tries. You can try again ${waitingTime(refused.retryAt - now)} (at ${timeOf(refused.retryAt)}).` })
      }
      ${form({
        action: '/sign-in',
        formToken,
        body: html`${textField({ label: 'Email', name: 'email', type: 'email', value: email, autocomplete: 'username', required: true, error: unled })}
          ${passwordField({ label: 'Password', name: 'password', autocomplete: 'current-password', error: wrong })}
          <input type="hidden" name="then" value="${then}" />${way !== '' && html`<input type="hidden" name="way" value="${way}" />`}
          ${button({ label: 'Sign in', main: true, wide: true })}
          ${single && html`<button class="button wide" type="submit" formaction="/sign-in/sso" formnovalidate>Use single sign-on</button>`}`,
      })}
      <p class="links"><a href="/forgot-password">Forgot password?</a></p>
    `,
    footer:
      joining &&
      html`<p class="quiet">
        New here? <a href="/sign-up${then !== '' && `?then=${encodeURIComponent(then)}&email=${encodeURIComponent(email)}`}">Create an account</a>
      </p>`,
  });
}

/** After the set-up screen: the confirmation of flow 5. `then`: where the person was going, a path of ours. */
export function done({ installation, formToken, account, then }: { installation: Installation; formToken: string; account: Account; then: string }): Html {
  return alonePage({
    installationName: installation.name,
    language: account.language,
    title: 'Two-factor authentication is on',
    signedIn: { ...account, formToken },
    body: html`${notice({ kind: 'good', text: 'All set. From now on, signing in asks for your code after your password.' })}
      <div class="actions">${linkButton({ label: 'Continue', href: then, main: true, wide: true })}</div>`,
  });
}

/** PW-1: it is said why, and that nothing is wrong. */
export function longerPassword({
  installation,
  formToken,
  account,
  error,
}: {
  installation: Installation;
  formToken: string;
  account: Account;
  error: string | undefined;
}): Html {
  return alonePage({
    installationName: installation.name,
    language: account.language,
    title: 'Choose a longer password',
    body: html`${mistakes(error)}
      <p class="quiet">
        Nothing is wrong. Yours has fewer than 15 characters, which was enough while you had to show a second step that only you have. That is not required any
        more, so choose a longer one to go on. Everywhere else you are signed out then.
      </p>
      ${form({
        action: '/sign-in/new-password',
        formToken,
        body: html`${passwordField({ label: 'New password', name: 'password', autocomplete: 'new-password', hint: error === undefined ? passwordHint(false) : undefined, error })}
        ${button({ label: 'Save and sign in', main: true, wide: true })}`,
      })}`,
    footer: html`<p class="quiet">${account.email} · <a href="/sign-in/leave">Not you?</a></p>`,
  });
}

export function leave({ installation, formToken }: { installation: Installation; formToken: string }): Html {
  return alonePage({
    installationName: installation.name,
    language: 'en',
    title: 'Start again?',
    body: html`<p class="quiet">This leaves what you have begun. Nothing in any account changes.</p>
      ${form({ action: '/sign-in/leave', formToken, body: button({ label: 'Start again', main: true, wide: true }) })}
      <div class="actions">${linkButton({ label: 'Go back', href: '/sign-in/verify', wide: true })}</div>`,
  });
}
