// The frames of all pages: one card alone, a dialog, and the settings of a signed-in person.
import { assets } from './assets.ts';
import { form } from './forms.ts';
import { html, type Html, type Value } from './html.ts';
import { brandMark } from './icons.ts';

export interface AlonePage {
  readonly installationName: string;
  readonly language: string;
  readonly title: string;
  /** Where it is another than the title: a name, say, which may be long. */
  readonly heading?: string;
  readonly body: Value;
  readonly footer?: Value;
  readonly progress?: { readonly at: number; readonly of: number } | undefined;
  readonly signedIn?: SignedIn | undefined;
  /** For what is read rather than answered. */
  readonly wide?: boolean;
}

/** Who is signed in. Every page of theirs has the profile button. */
export interface SignedIn {
  readonly name: string;
  readonly email: string;
  readonly formToken: string;
  /** Whether there is a console to open. */
  readonly administers?: boolean;
}

/**
 * Goes on to another site by itself, at once: by the script, or by a refresh; the link is for browsers that do neither. A page and not a redirect, since a form
 * led here, and its own rule keeps forms on this site.
 */
export function leadOnPage({
  text,
  label,
  to,
  below,
  ...page
}: Pick<AlonePage, 'installationName' | 'language' | 'title'> & { text: string; /** Of the link. */ label: string; to: string; below?: Html }): Html {
  const body = html`<p class="quiet">${text}</p>
    <div class="actions"><a class="button main wide" href="${to}" data-goes-on>${label}</a></div>
    ${below}`;
  return cardPage({ ...page, body }, to);
}

/** One card, one question. */
export const alonePage = (page: AlonePage): Html => cardPage(page);

function cardPage({ installationName, language, title, heading = title, body, footer, progress, signedIn, wide = false }: AlonePage, goesOnTo?: string): Html {
  return document({
    installationName,
    language,
    title,
    goesOnTo,
    content: html`${signedIn && bar(installationName, signedIn)}
      <main class="${wide ? 'alone wide' : 'alone'}">
        ${!signedIn && brand(installationName)}
        <div class="card">
          ${progress && steps(progress)}
          <h1>${heading}</h1>
          ${body}
        </div>
        ${footer}
      </main>`,
  });
}

/** The same as an open dialog, which works with and without JavaScript and has its own address. */
export function dialogPage({ installationName, language, title, body, footer, progress, signedIn }: AlonePage): Html {
  return document({
    installationName,
    language,
    title,
    content: html`${signedIn && bar(installationName, signedIn)}
      <main class="alone">
        ${!signedIn && brand(installationName)}
        <dialog class="card" open aria-labelledby="dialog-title">
          ${progress && steps(progress)}
          <h1 id="dialog-title">${title}</h1>
          ${body}
        </dialog>
        ${footer}
      </main>`,
  });
}

export interface SettingsPage {
  readonly installationName: string;
  readonly language: string;
  readonly title: string;
  readonly current: 'account' | 'security' | 'sessions';
  readonly signedIn: SignedIn;
  readonly body: Value;
}

export interface FramedPage extends Omit<SettingsPage, 'current'> {
  /** What the navigation is called, and where it leads. */
  readonly navigation: { readonly label: string; readonly sections: readonly (readonly [key: string, href: string, label: string])[]; readonly above?: Value };
  readonly current: string;
  readonly heading?: string;
}

const SECTIONS = [
  ['account', '/account', 'Account'],
  ['security', '/account/security', 'Security and Credentials'],
  ['sessions', '/account/sessions', 'Sessions'],
] as const;
const ADMINISTRATION = ['administration', '/admin', 'Administration'] as const;

export function settingsPage(page: SettingsPage): Html {
  const sections = page.signedIn.administers === true ? [...SECTIONS, ADMINISTRATION] : SECTIONS;
  return framedPage({ ...page, navigation: { label: 'Manage Account', sections } });
}

/** The bar, a navigation beside the content, and the content. */
export function framedPage({ installationName, language, title, heading = title, navigation, current, signedIn, body }: FramedPage): Html {
  return document({
    installationName,
    language,
    title,
    content: html`<a class="skip" href="#content">Skip to the content</a>
      ${bar(installationName, signedIn)}
      <div class="settings">
        <nav aria-label="${navigation.label}">
          ${navigation.above}
          ${navigation.sections.map(([key, href, label]) => html`<a href="${href}" ${key === current && html` aria-current="page"`}>${label}</a>`)}
        </nav>
        <main id="content" tabindex="-1">
          <h1>${heading}</h1>
          ${body}
        </main>
      </div>`,
  });
}

/** The menu of the profile button is a popover: the browser opens it, and closes it by Escape or a click elsewhere. */
function bar(installationName: string, { name, email, formToken, administers }: SignedIn): Html {
  return html`<header class="bar">
    ${brand(installationName)}
    <button class="profile" type="button" popovertarget="profile-menu" aria-label="Profile" data-initials="${initialsOf(name)}"></button>
    <div class="menu" id="profile-menu" popover>
      <p class="quiet">${name}<br />${email}</p>
      <a href="/account">Manage Account</a>
      ${administers === true && html`<a href="/admin">Administration</a>`}
      ${form({ action: '/sign-out', formToken, body: html`<button type="submit">Sign out</button>` })}
    </div>
  </header>`;
}

function document({
  installationName,
  language,
  title,
  content,
  goesOnTo,
}: {
  installationName: string;
  language: string;
  title: string;
  content: Html;
  goesOnTo?: string | undefined;
}): Html {
  return html`<!DOCTYPE html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${goesOnTo !== undefined && html`<noscript><meta http-equiv="refresh" content="0; url=${goesOnTo}" /></noscript>`}
        <title>${title} · ${installationName}</title>
        <link rel="stylesheet" href="${assets.style.address}" />
        <link rel="icon" href="${assets.icon.address}" type="image/svg+xml" />
        <script src="${assets.script.address}" defer></script>
      </head>
      <body>
        ${content}
      </body>
    </html>`;
}

const brand = (installationName: string): Html => html`<a class="brand" href="/">${brandMark} ${installationName}</a>`;

function steps({ at, of }: { at: number; of: number }): Html {
  const bars = Array.from({ length: of }, (_, index) =>
    index + 1 < at ? html`<li class="done"></li>` : html`<li${index + 1 === at && html` aria-current="step"`}></li>`,
  );
  return html`<ol class="steps" aria-label="Step ${at} of ${of}">
    ${bars}
  </ol>`;
}

/** "Ada Example" is AE; a name of one word is its first letter. */
function initialsOf(name: string): string {
  const words = name.split(/\s+/u).filter((word) => word !== '');
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word!][0]!.toUpperCase()).join('');
}
