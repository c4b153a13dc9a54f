import type { Account } from '../accounts/accounts.ts';
import { button, form, linkButton, mistakes, notice, textArea } from '../platform/html/forms.ts';
import { html, type Html, type Value } from '../platform/html/html.ts';
import { alonePage } from '../platform/html/layout.ts';
import { momentOf, timeOf, waitingTime } from '../platform/words/times.ts';
import type { Installation } from '../platform/world.ts';
import { HELP_ADDRESS, WORDS_MOST, type Asked, type whoHelps } from './requests.ts';
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

export type HelpRefused = Exclude<Asked, { ok: true }>;

interface HelpShown {
  readonly helpers: Awaited<ReturnType<typeof whoHelps>>;
  /** Where somebody asked already. */
  readonly askedAt: number | undefined;
  readonly words: string;
  readonly refused: HelpRefused | undefined;
}

/** For whoever can show none of what is asked for. */
export function askForHelp(frame: Frame & { readonly account: Account; readonly now: number }, shown: HelpShown): Html {
  return alonePage({
    installationName: frame.installation.name,
    language: frame.account.language,
    title: 'Ask for help',
    body: helpBody(frame, shown),
    footer: html`<p class="quiet">${frame.account.email} · <a href="/sign-in/verify">Go back</a></p>`,
  });
}

function helpBody({ installation, formToken, now }: Frame & { readonly now: number }, { helpers, askedAt, words, refused }: HelpShown): Value {
  const error = refused?.reason === 'words' ? `Use at most ${WORDS_MOST} characters that can be shown.` : undefined;
  if (askedAt !== undefined)
    return [
      notice({ kind: 'good', text: 'Those who look after your organisation are told.' }),
      html`<p>You asked on ${momentOf(askedAt)}. Somebody will get in touch with you, and check that it is you. They never need your password.</p>
        <p class="quiet">We told your mailbox too. If your phone turns up meanwhile, go back and sign in.</p>`,
    ];
  if (helpers !== 'administrators')
    return html`<p>
        ${
          helpers === 'operator'
            ? 'Nobody who looks after your organisation has a role that reaches yours. Whoever runs the server can issue you a bypass code: ask them.'
            : `You belong to no organisation here, so nobody can let you in from within ${installation.name}. Ask whoever runs it, by the way in which you know them.`
        }
      </p>
      <p class="quiet">Do you still have your Recovery Key? You saved it when you turned two-factor authentication on. It gets you in.</p>`;
  return [
    mistakes(error),
    refused?.reason === 'too-many' &&
      notice({ kind: 'bad', text: `You have asked several times. You can ask again ${waitingTime(refused.retryAt - now)} (at ${timeOf(refused.retryAt)}).` }),
    html`<p>
        Those who look after your organisation are told that you can’t show your second step. One of them gets in touch with you and checks that it is you.
      </p>
      <p class="quiet">First look for your Recovery Key: it gets you in at once.</p>`,
    form({
      action: HELP_ADDRESS,
      formToken,
      body: html`${textArea({ label: 'What happened?', name: 'words', value: words, hint: 'If you like. Never write a password or a code here.', error })}
      ${button({ label: 'Ask for help', main: true, wide: true })}`,
    }),
  ];
}

function alone({ installation }: Frame, title: string, body: Value): Html {
  return alonePage({ installationName: installation.name, language: 'en', title, body });
}
