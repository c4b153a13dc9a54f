import { renderSVG } from 'uqr';
import { phoneIcon } from '../../platform/html/icons.ts';
import { html, raw } from '../../platform/html/html.ts';
import type { FactorPages } from '../contract.ts';
import { words } from './words.ts';
import type { TotpPending, TotpState } from './totp.ts';

export const pages: FactorPages<TotpState, TotpPending> = {
  icon: phoneIcon,

  ask({ enrolled, installationName }) {
    const which = enrolled.length > 1 ? 'one of your authenticator apps' : 'your authenticator app';
    // A name that only repeats what the thing is tells nobody apart.
    const names = enrolled.map((one) => one.name).filter((name) => name !== words.name);
    const named = names.length > 0 && html` (${names.map((name, index) => html`${index > 0 && ', '}<strong>${name}</strong>`)})`;
    return {
      heading: 'Enter your code',
      body: html`<p>Open ${which}${named} and enter the six digits it shows for ${installationName}.</p>`,
    };
  },

  begin: () => ({
    heading: 'Enable With Authenticator App',
    button: 'Continue',
    body: html`<p>
        An authenticator app on your phone shows a new code every 30 seconds, also without a network. Google Authenticator, Microsoft Authenticator, 1Password,
        Aegis and many others will do.
      </p>
      <p>Have the app at hand, then go on.</p>`,
  }),

  confirm: ({ pending }) => ({
    heading: 'Scan the QR code',
    button: 'Verify',
    dialog: true,
    body: html`<p class="quiet">Scan this with your authenticator app, then enter the six digits it shows.</p>
      ${raw(qrCode(pending.uri))}
      <p class="on-phone"><a href="${pending.uri}">Open in an authenticator app on this phone</a></p>
      <p class="quiet">Can’t scan it? Enter this setup key in your app, as a time-based one:</p>
      <div class="key small">
        <span id="secret">${pending.secret.match(/.{1,4}/g)!.join(' ')}</span>
        <button class="button" type="button" data-copy="${pending.secret}" aria-label="Copy setup key" hidden>Copy</button>
      </div>`,
  }),
};

/**
 * Black on white also in the dark, with the quiet zone of four modules that scanners need. Nothing on a screen is torn or stained, so the modules are
 * better few and large than many and redundant.
 */
function qrCode(uri: string): string {
  return renderSVG(uri, { border: 4, ecc: 'L', pixelSize: 1 }).replace(
    '<svg ',
    '<svg class="qr" role="img" aria-label="QR code for your authenticator app" shape-rendering="crispEdges" ',
  );
}
