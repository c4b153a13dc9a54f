import { renderSVG } from 'uqr';
import { phoneIcon } from '../../platform/html/icons.ts';
import { html, raw } from '../../platform/html/html.ts';
import type { FactorPages } from '../contract.ts';
import type { TotpPending, TotpState } from './totp.ts';

export const pages: FactorPages<TotpState, TotpPending> = {
  icon: phoneIcon,

  ask({ enrolled, installationName }) {
    const [only] = enrolled;
    const which = enrolled.length === 1 && only ? html` (<strong>${only.name}</strong>)` : false;
    return {
      heading: 'Enter your code',
      body: html`<p>Open your authenticator app${which} and enter the six digits it shows for ${installationName}.</p>`,
    };
  },

  begin: () => ({
    heading: 'Enable With Authenticator App',
    button: 'Continue',
    body: html`<p>
        An authenticator app on your phone shows a new code every 30 seconds, also without a network. Google Authenticator, Microsoft Authenticator, 1Password, Aegis and many
        others will do.
      </p>
      <p>Have the app at hand, then go on.</p>`,
  }),

  confirm: ({ pending }) => ({
    heading: 'Scan the QR code',
    button: 'Verify',
    dialog: true,
    body: html`<p class="quiet">Scan this with your authenticator app, then enter the six digits it shows.</p>
      ${raw(qrCode(pending.uri))}
      <details class="by-hand">
        <summary>Can’t scan it?</summary>
        <p class="quiet">On this phone: <a href="${pending.uri}">open it in your authenticator app</a>.</p>
        <p class="quiet">Or enter this key in the app by hand, as a time-based key:</p>
        <p class="key small" id="secret">${pending.secret.match(/.{1,4}/g)!.join(' ')}</p>
        <button class="button wide" type="button" data-copy="${pending.secret}" hidden>Copy the key</button>
      </details>`,
  }),
};

/** Black on white also in the dark, with the quiet zone of four modules that scanners need. */
function qrCode(uri: string): string {
  return renderSVG(uri, { border: 4, ecc: 'M' }).replace('<svg ', '<svg class="qr" role="img" aria-label="QR code for your authenticator app" ');
}
