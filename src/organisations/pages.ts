import type { Account } from '../accounts/accounts.ts';
import { button, form, linkButton, mistakes, textField } from '../platform/html/forms.ts';
import { html, type Html, type Value } from '../platform/html/html.ts';
import { alonePage } from '../platform/html/layout.ts';
import { momentOf } from '../platform/words/times.ts';
import type { Installation } from '../platform/world.ts';
import { ROLE_WORDS, type Invitation } from './organisations.ts';

/** What the pages behind a link share. */
export interface Frame {
  readonly installation: Installation;
  readonly formToken: string;
  readonly account: Account | undefined;
  /** The page itself, with its token: where signing in leads back to. */
  readonly address: string;
}

export function setUp(frame: Frame, { token, name = '', refused = false }: { token: string; name?: string; refused?: boolean }): Html {
  const error = refused ? 'Use 1 to 100 characters that can be shown.' : undefined;
  return alone(frame, 'Set up your organisation', [
    mistakes(error),
    html`<p class="quiet">You will be its owner: you invite the others, and decide how they sign in. This link works once.</p>`,
    form({
      action: '/set-up',
      formToken: frame.formToken,
      body: html`<input type="hidden" name="token" value="${token}" />
        ${textField({ label: 'Name of the organisation', name: 'name', value: name, autocomplete: 'organization', required: true, error })}
        ${button({ label: 'Create organisation', main: true, wide: true })}`,
    }),
  ]);
}

export function invitation(frame: Frame, { token, invitation: { organisation, role, expiresAt } }: { token: string; invitation: Invitation }): Html {
  return alone(frame, `Join ${organisation.name}`, [
    html`<p class="quiet">
      You are invited as <strong>${ROLE_WORDS[role]}</strong>. ${organisation.name} then sees your name, your address and by which methods you sign in, and its
      rules for signing in are yours. The invitation ends on ${momentOf(expiresAt)}.
    </p>`,
    form({
      action: '/invitation',
      formToken: frame.formToken,
      body: html`<input type="hidden" name="token" value="${token}" />${button({ label: 'Accept', main: true, wide: true })}`,
    }),
    html`<div class="actions">${linkButton({ label: 'Not now', href: '/account', wide: true })}</div>`,
  ]);
}

/** For whoever is not signed in: both ways lead back here. `email`: to be filled in there. `early`: hardly anybody has an account yet. */
export function enterFirst(
  frame: Frame,
  { title, sentence, email, early = false }: { title: string; sentence: string; email?: string; early?: boolean },
): Html {
  const query = `?then=${encodeURIComponent(frame.address)}${email === undefined ? '' : `&email=${encodeURIComponent(email)}`}`;
  const signIn = linkButton({ label: 'Sign in', href: `/sign-in${query}`, main: !early, wide: true });
  const signUp = linkButton({ label: 'Create an account', href: `/sign-up${query}`, main: early, wide: true });
  return alone(frame, title, [html`<p class="quiet">${sentence}</p>`, html`<div class="actions">${early ? [signUp, signIn] : [signIn, signUp]}</div>`]);
}

export function verifyFirst(frame: Frame, title: string): Html {
  return alone(frame, title, [
    html`<p class="quiet">First show that ${frame.account?.email} is yours: we send a code there. Then you come back here.</p>`,
    html`<div class="actions">
      ${linkButton({ label: 'Verify email', href: `/verify-email?then=${encodeURIComponent(frame.address)}`, main: true, wide: true })}
    </div>`,
  ]);
}

/** Whoever opens a link that is for another address. */
export function otherAddress(frame: Frame, { title, email }: { title: string; email: string }): Html {
  return alone(frame, title, [
    html`<p class="quiet">
      This link is for <strong>${email}</strong>, and you are signed in as <strong>${frame.account?.email}</strong>. Sign out, then open the link again and sign
      in with that address, or ask to be invited by this one.
    </p>`,
    form({ action: '/sign-out', formToken: frame.formToken, body: button({ label: 'Sign out', wide: true }) }),
  ]);
}

export function linkDead(frame: Frame, sentence: string): Html {
  return alone(frame, 'This link no longer works', [
    html`<p class="quiet">${sentence}</p>`,
    html`<div class="actions">${linkButton({ label: 'Go to the start', href: '/', main: true, wide: true })}</div>`,
  ]);
}

function alone({ installation, account, formToken }: Frame, heading: string, body: Value): Html {
  return alonePage({
    installationName: installation.name,
    language: account?.language ?? 'en',
    // A name of up to a hundred signs makes no title.
    title: 'Organisation',
    heading,
    signedIn: account && { ...account, formToken },
    body,
  });
}
