import type { Account } from '../accounts/accounts.ts';
import { button, linkButton, notice, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { alonePage, leadOnPage } from '../platform/html/layout.ts';
import type { Installation } from '../platform/world.ts';
import type { App } from './apps.ts';

export interface Frame {
  readonly installation: Installation;
  readonly formToken: string;
  readonly account: Account;
}

/** The apps that somebody may open, as tiles. */
export function home(frame: Frame, { apps, search, scheme }: { apps: readonly App[]; search: string; scheme: string }): Html {
  const { language } = frame.account;
  const wanted = search.normalize('NFC').trim().toLowerCase();
  const shown = apps.filter(({ name }) => name.toLowerCase().includes(wanted)).toSorted((one, other) => one.name.localeCompare(other.name, language));
  return alonePage({
    ...pageOf(frame),
    title: 'Your apps',
    wide: true,
    body: html`<form method="get" action="/" role="search">${textField({ label: 'Search', name: 'search', value: search })}${button({ label: 'Find' })}</form>
      ${shown.length === 0 && html`<p class="quiet">No app is called that.</p>`}
      <ul class="tiles">
        ${shown.map(
          ({ name, host }) =>
            html`<li>
              <a class="tile" href="${`${scheme}//${host}/`}"><span class="icon" aria-hidden="true">${iconOf(name)}</span>${name}</a>
            </li>`,
        )}
      </ul>`,
  });
}

/** As a person sees letters: one may be of several code points. */
const iconOf = (name: string): string => [...new Intl.Segmenter().segment(name)][0]!.segment.toUpperCase();

export const entering = (frame: Frame, { name }: App, callback: string): Html =>
  leadOnPage({ ...pageOf(frame), title: `Opening ${name}`, text: 'This takes a moment.', label: `Open ${name}`, to: callback });

export function sentTooSoon(frame: Frame, { app: { name }, to }: { app: App; to: string }): Html {
  return alonePage({
    ...pageOf(frame),
    title: `Back to ${name}`,
    body: html`${notice({ kind: 'plain', text: `You had to sign in first, so what you sent to ${name} did not arrive. Open it, and send it once more.` })}
      <div class="actions">${linkButton({ label: `Open ${name}`, href: to, main: true, wide: true })}</div>`,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  'not-a-member': 'This app belongs to an organisation that you don’t belong to.',
  'not-the-role': 'Your role does not let you open this part of the app.',
  path: 'The address can be read in two ways, so it is not let through.',
};

export function refused(frame: Frame, { name }: App, reason: string): Html {
  return alonePage({
    ...pageOf(frame),
    title: `You can’t open ${name}`,
    body: html`<p>${REASONS[reason] ?? ''} Ask whoever looks after it.</p>
      <div class="actions">${linkButton({ label: 'Your apps', href: '/', main: true, wide: true })}</div>`,
  });
}

/** Where a browser is led back and forth because what it is given gets lost on the way. */
export function openedTooOften(frame: Frame, { app: { name }, to }: { app: App; to: string }): Html {
  return alonePage({
    ...pageOf(frame),
    title: `${name} was opened too often`,
    body: html`<p>
        You were led to ${name} many times within a minute. If it does not open, whoever looks after it should see whether its proxy hands on the portal’s
        cookie.
      </p>
      <div class="actions">${linkButton({ label: `Open ${name}`, href: to, main: true, wide: true })}</div>`,
  });
}

export function noSuchApp(frame: Frame): Html {
  return alonePage({
    ...pageOf(frame),
    title: 'There is no such app',
    body: html`<p>Nothing is set up for the address that you came from. Ask whoever sent you there.</p>
      <div class="actions">${linkButton({ label: 'Your apps', href: '/', main: true, wide: true })}</div>`,
  });
}

export function openApp(frame: Frame, { app: { name }, to }: { app: App; to: string }): Html {
  return alonePage({
    ...pageOf(frame),
    title: `Open ${name}`,
    body: html`<p class="quiet">This link is not complete. Begin at the app itself.</p>
      <div class="actions">${linkButton({ label: `Open ${name}`, href: `${to}/`, main: true, wide: true })}</div>`,
  });
}

/** Shown on the app's own host. */
export function notEntered(installation: Installation, origin: string): Html {
  return html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Try again · ${installation.name}</title>
      </head>
      <body>
        <h1>Try again</h1>
        <p>This link worked once, for half a minute, in the browser that it was made for. <a href="${`${origin}/`}">Open the app again</a>.</p>
      </body>
    </html>`;
}

const pageOf = ({ installation, formToken, account }: Frame) => ({
  installationName: installation.name,
  language: account.language,
  signedIn: { ...account, formToken },
});
