import { button, form, linkButton, notice } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { alonePage, leadOnPage } from '../platform/html/layout.ts';
import type { Installation } from '../platform/world.ts';

interface Frame {
  readonly installation: Installation;
  readonly formToken: string;
}

const pageOf = ({ installation }: Frame) => ({ installationName: installation.name, language: 'en' });

export function leaving(frame: Frame, { name, url }: { name: string; url: string }): Html {
  const text = 'You sign in there, and come back here.';
  return leadOnPage({ ...pageOf(frame), title: `On to ${name}`, text, label: `Go on to ${name}`, to: url });
}

export function signingOut(frame: Frame, url: string): Html {
  return leadOnPage({
    ...pageOf(frame),
    title: 'You are signed out',
    text: 'You are signed out here. Your organisation’s own sign-in is next.',
    label: 'Sign out there too',
    to: url,
    below: html`<p class="links"><a href="/sign-in">Only here</a></p>`,
  });
}

/** Why somebody is not in who went to their provider, or could not. What the provider said is in the log, for who looks after it. */
export type NotIn = 'change-first' | 'unreachable' | 'misconfigured' | 'refused' | 'untrusted' | 'turned-off' | 'may-not-join' | 'suspended' | 'too-many';

const SENTENCES: Readonly<Record<NotIn, (name: string) => string>> = {
  'change-first': (name) =>
    `Your password is right, but ${name} wants a new one first: it has expired, or was given to you to be changed. Change it where you change your password at work, and sign in here with the new one. If you don’t know where, ask whoever looks after ${name}.`,
  unreachable: (name) => `${name} can’t be reached now. Wait a few minutes and try again.`,
  misconfigured: (name) => `Something about ${name} is not set up right, so it can’t sign you in. Tell whoever looks after it.`,
  refused: (name) => `${name} did not let you in, or you gave up there. Try again, or ask whoever looks after it.`,
  untrusted: (name) => `What came back from ${name} can’t be trusted, so it was not used. Try again; if it happens once more, tell whoever looks after it.`,
  'too-many': (name) => `Very many went on to ${name} from your network just now. Wait a minute and try again.`,
  'turned-off': (name) => `Signing in by ${name} was turned off. Ask whoever looks after it.`,
  'may-not-join': (name) => `${name} knows you, but the organisation’s Security Policy does not let your address join. Ask whoever looks after it.`,
  suspended: (name) => `${name} has suspended you, so you can’t sign in now. Ask whoever looks after ${name}.`,
};

export function notIn(frame: Frame, { reason, name, email }: { reason: NotIn; name: string; email: string }): Html {
  return alonePage({
    ...pageOf(frame),
    title: 'You are not signed in',
    body: html`${notice({ kind: 'bad', text: SENTENCES[reason](name) })}
      <div class="actions">${linkButton({ label: 'Back to sign in', href: '/sign-in', main: true, wide: true })}</div>
      ${reason !== 'suspended' && reason !== 'may-not-join' && html`<p class="links"><a href="${ownerAddress(email)}">Owner of the organisation? Use your password</a></p>`}`,
  });
}

/** The right password, of somebody who is to come by the provider. */
export function comeByProvider(frame: Frame, { name, email, then }: { name: string; email: string; then: string }): Html {
  return alonePage({
    ...pageOf(frame),
    title: `Sign in by ${name}`,
    body: html`<p>Your organisation wants its people to sign in by ${name}. Your password is of no use here.</p>
      ${form({
        action: '/sign-in/sso',
        formToken: frame.formToken,
        body: html`<input type="hidden" name="email" value="${email}" /><input type="hidden" name="then" value="${then}" />
          ${button({ label: `Go on to ${name}`, main: true, wide: true })}`,
      })}`,
  });
}

/** The provider knows them, and nobody has shown yet which account that is. */
export function proveFirst(frame: Frame, { name, email, then, joining }: { name: string; email: string; then: string; joining: boolean }): Html {
  const query = new URLSearchParams({ then, email, way: 'password' }).toString();
  return alonePage({
    ...pageOf(frame),
    title: 'One more step, this once',
    body: html`<p>
        ${name} knows you${email !== '' && html` as <strong>${email}</strong>`}, but not which account here is yours. Sign in to it once by your password, and
        it is connected from then on.
      </p>
      <div class="actions">${linkButton({ label: 'Sign in by password', href: `/sign-in?${query}`, main: true, wide: true })}</div>
      ${joining && html`<p class="links"><a href="/sign-up?${new URLSearchParams({ then, email }).toString()}">I have no account yet</a></p>`}`,
  });
}

const ownerAddress = (email: string): string => `/sign-in?${new URLSearchParams(email === '' ? { way: 'password' } : { way: 'password', email }).toString()}`;
