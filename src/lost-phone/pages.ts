import { button, form, linkButton, notice } from '../platform/html/forms.ts';
import { html, type Html, type Value } from '../platform/html/html.ts';
import { alonePage } from '../platform/html/layout.ts';
import { momentOf } from '../platform/words/times.ts';
import type { Installation } from '../platform/world.ts';
import type { PendingReset } from './resets.ts';

/** For whoever follows a link from a mail: nobody is signed in here, and nothing tells whose account it is. */
export interface Frame {
  readonly installation: Installation;
  readonly formToken: string;
}

export function stopReset(frame: Frame, { token, reset }: { token: string; reset: PendingReset }): Html {
  return alone(frame, 'Stop the reset?', [
    html`<p>
        An administrator of ${reset.organisation.name} asked for all second steps and the Recovery Key of your account to be removed. It happens on
        ${momentOf(reset.dueAt)}.
      </p>
      <p class="quiet">Stop it if you did not ask for it, or can sign in after all. Then everything stays as it is.</p>`,
    form({
      action: '/stop-reset',
      formToken: frame.formToken,
      body: html`<input type="hidden" name="token" value="${token}" />${button({ label: 'Stop the reset', main: true, wide: true })}`,
    }),
    html`<div class="actions"><p class="quiet">If you did ask for it, close this page.</p></div>`,
  ]);
}

export function resetStopped(frame: Frame): Html {
  return alone(frame, 'The reset is stopped', [
    notice({ kind: 'good', text: 'Nothing was removed, and those who look after your account are told.' }),
    html`<p>If you did not ask for the reset, somebody may know your password and have said that they are you. Choose a new password now.</p>
      <div class="actions">${linkButton({ label: 'Choose a new password', href: '/forgot-password', main: true, wide: true })}</div>`,
  ]);
}

export function linkDead(frame: Frame): Html {
  return alone(frame, 'This link no longer works', [
    html`<p class="quiet">The reset was stopped already, or it has happened. If your second step is not asked for when you sign in, it has happened.</p>
      <div class="actions">${linkButton({ label: 'Sign in', href: '/sign-in', main: true, wide: true })}</div>`,
  ]);
}

function alone({ installation }: Frame, title: string, body: Value): Html {
  return alonePage({ installationName: installation.name, language: 'en', title, body });
}
