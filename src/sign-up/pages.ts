import { passwordHint, type Account } from '../accounts/accounts.ts';
import { button, form, linkButton, mistakes, notice, passwordField, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { alonePage } from '../platform/html/layout.ts';
import { timeOf, waitingTime } from '../platform/words/times.ts';
import type { Installation } from '../platform/world.ts';
import type { SignUpErrors } from './sign-up.ts';

type Refused = { readonly now: number } & (
  | { readonly reason: 'fields'; readonly errors: SignUpErrors }
  | { readonly reason: 'too-many'; readonly retryAt: number }
);

interface Typed {
  readonly email: string;
  readonly name: string;
  /** Where the person was going, a path of ours; '' where nowhere. */
  readonly then: string;
}

export function signUp(installation: Installation, formToken: string, { email, name, then }: Typed, refused?: Refused): Html {
  const errors: SignUpErrors = refused?.reason === 'fields' ? refused.errors : {};
  return alonePage({
    installationName: installation.name,
    language: 'en',
    title: 'Create your account',
    body: html`
      ${mistakes(errors.name, errors.email, errors.password)}
      ${
        refused?.reason === 'too-many' &&
        notice({
          kind: 'bad',
          text: `Many accounts were made from your network. You can try again ${waitingTime(refused.retryAt - refused.now)} (at ${timeOf(refused.retryAt)}).`,
        })
      }
      ${form({
        action: '/sign-up',
        formToken,
        body: html`${textField({ label: 'Name', name: 'name', value: name, autocomplete: 'name', required: true, error: errors.name })}
        ${textField({ label: 'Email', name: 'email', type: 'email', value: email, autocomplete: 'username', required: true, error: errors.email })}
        ${passwordField({
          label: 'Password',
          name: 'password',
          autocomplete: 'new-password',
          hint: errors.password === undefined ? passwordHint(false) : undefined,
          error: errors.password,
        })}
        ${then !== '' && html`<input type="hidden" name="then" value="${then}" />`} ${button({ label: 'Create account', main: true, wide: true })}`,
      })}
    `,
    footer: html`<p class="quiet">
      Have an account? <a href="/sign-in${then !== '' && `?then=${encodeURIComponent(then)}&email=${encodeURIComponent(email)}`}">Sign in</a>
    </p>`,
  });
}

/** Where nobody may join who comes like this: who can, and whom to ask. Without a word about anybody's account. */
export function closed(installation: Installation): Html {
  return alonePage({
    installationName: installation.name,
    language: 'en',
    title: 'Accounts are by invitation',
    body: html`<p class="quiet">
        An account at ${installation.name} begins with an invitation. It comes by mail, from somebody who looks after your organisation: ask them for one, and
        open its link.
      </p>
      <p class="quiet">You have a link, and it led here? Then it was used or is too old. Ask for a new one.</p>
      <div class="actions">${linkButton({ label: 'Sign in', href: '/sign-in', main: true, wide: true })}</div>`,
  });
}

/** For an address of an organisation whose people come by its identity provider. */
export function byProvider(installation: Installation, formToken: string, { name, email }: { name: string; email: string }): Html {
  return alonePage({
    installationName: installation.name,
    language: 'en',
    title: `Sign in by ${name}`,
    body: html`<p>
        Your organisation wants its people to sign in by ${name}. You need no account and no password of your own: the first time that you come, it is made.
      </p>
      ${form({
        action: '/sign-in/sso',
        formToken,
        body: html`<input type="hidden" name="email" value="${email}" />${button({ label: `Go on to ${name}`, main: true, wide: true })}`,
      })}`,
  });
}

/** Beside the address that may not join. `invited`: the one that the link is for. */
export function notJoining(invited: string | undefined): string {
  return invited === undefined
    ? 'Accounts here are for addresses of certain organisations. Use the one that yours gave you, or ask whoever looks after it to invite you.'
    : `Your invitation is for ${invited}. Use that address.`;
}

export function verifyEmail(installation: Installation, formToken: string, account: Account, then: string): Html {
  return alonePage({
    installationName: installation.name,
    language: account.language,
    title: 'Verify your email',
    signedIn: { ...account, formToken },
    body: html`<p class="quiet">
        We will send a code of six digits to <strong>${account.email}</strong>. Entering it shows that the address is yours: codes and notices about your
        account go there.
      </p>
      ${form({
        action: '/verify-email',
        formToken,
        body: html`${then !== '' && html`<input type="hidden" name="then" value="${then}" />`}
        ${button({ label: 'Send verification code', main: true, wide: true })}`,
      })}`,
    footer: html`<p class="quiet"><a href="/account">Do this later</a></p>`,
  });
}

export function verified(installation: Installation, formToken: string, account: Account): Html {
  return alonePage({
    installationName: installation.name,
    language: account.language,
    title: 'Your email is verified',
    signedIn: { ...account, formToken },
    body: html`${notice({ kind: 'good', text: `${account.email} is yours.` })}
      <p class="quiet">Next, protect your account with a second step after the password. It takes a minute.</p>
      <div class="actions">
        ${linkButton({ label: 'Security and Credentials', href: '/account/security', main: true, wide: true })}
        ${linkButton({ label: 'Continue', href: '/account', wide: true })}
      </div>`,
  });
}

export function taken(installation: Installation): Html {
  return alonePage({
    installationName: installation.name,
    language: 'en',
    title: 'You already have an account',
    body: html`<p class="quiet">
        The code was right, and this address has an account already, so no second one was made. Sign in to it. If you can’t remember the password, choose a new
        one.
      </p>
      <div class="actions">
        ${linkButton({ label: 'Sign in', href: '/sign-in', main: true, wide: true })}
        ${linkButton({ label: 'Forgot password?', href: '/forgot-password', wide: true })}
      </div>`,
  });
}
