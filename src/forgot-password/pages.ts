import { passwordHint } from '../accounts/accounts.ts';
import { button, form, linkButton, mistakes, notice, passwordField, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { alonePage } from '../platform/html/layout.ts';
import { timeOf, waitingTime } from '../platform/words/times.ts';
import type { Installation } from '../platform/world.ts';

type Refused = { readonly now: number } & ({ readonly reason: 'email-malformed' } | { readonly reason: 'too-many'; readonly retryAt: number });

export function ask(installation: Installation, formToken: string, email: string, refused?: Refused): Html {
  const malformed = refused?.reason === 'email-malformed' ? 'Enter an email address such as name@example.com.' : undefined;
  return alone(installation, 'Forgot your password?', [
    html`<p class="quiet">Enter your email. We will send you a link to choose a new password.</p>`,
    refused?.reason === 'too-many' &&
      notice({
        kind: 'bad',
        text: `Several mails were asked for already. You can ask again ${waitingTime(refused.retryAt - refused.now)} (at ${timeOf(refused.retryAt)}).`,
      }),
    mistakes(malformed),
    form({
      action: '/forgot-password',
      formToken,
      body: html`${textField({ label: 'Email', name: 'email', type: 'email', value: email, autocomplete: 'username', required: true, error: malformed })}
      ${button({ label: 'Send the link', main: true, wide: true })}`,
    }),
  ]);
}

export function sent(installation: Installation): Html {
  return alone(installation, 'Check your email', [
    html`<p class="quiet">If that address has an account, a link to choose a new password is on its way. It works once, for 30 minutes.</p>
      <p class="quiet">Nothing there? Look in the spam folder, or <a href="/forgot-password">ask again</a> with another address.</p>`,
  ]);
}

export function open(installation: Installation, formToken: string, token: string): Html {
  return alone(installation, 'Choose a new password', [
    html`<p class="quiet">Go on to choose a new password. You will be signed out everywhere else.</p>`,
    form({
      action: '/forgot-password/link',
      formToken,
      body: html`<input type="hidden" name="token" value="${token.slice(0, 100)}" />${button({ label: 'Continue', main: true, wide: true })}`,
    }),
  ]);
}

export function newPassword(
  installation: Installation,
  formToken: string,
  { error, realSecondFactorEnforced }: { error?: string; realSecondFactorEnforced: boolean },
): Html {
  return alone(installation, 'Choose a new password', [
    mistakes(error),
    form({
      action: '/forgot-password/new-password',
      formToken,
      body: html`${passwordField({ label: 'New password', name: 'password', autocomplete: 'new-password', hint: error === undefined ? passwordHint(realSecondFactorEnforced) : undefined, error })}
      ${button({ label: 'Save new password', main: true, wide: true })}`,
    }),
  ]);
}

export function spent(installation: Installation): Html {
  return alone(installation, 'This link no longer works', [
    html`<p class="quiet">It was used already, is older than 30 minutes, or a newer one was sent.</p>
      <p class="quiet">If you have chosen a new password already, sign in with it. If not, your password is as it was: ask for a new link to go on.</p>
      <div class="actions">
        ${linkButton({ label: 'Send a new link', href: '/forgot-password', main: true, wide: true })}
        ${linkButton({ label: 'Sign in', href: '/sign-in', wide: true })}
      </div>`,
  ]);
}

function alone(installation: Installation, title: string, body: readonly (Html | false)[]): Html {
  return alonePage({
    installationName: installation.name,
    language: 'en',
    title,
    body: html`${body}`,
    footer: html`<p class="quiet"><a href="/sign-in">Back to sign in</a></p>`,
  });
}
