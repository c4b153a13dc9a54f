import { button, form } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { screenIcon } from '../platform/html/icons.ts';
import { browserNamed } from '../platform/mail/user-agent.ts';
import { momentOf } from '../platform/words/times.ts';
import type { TrustedDevice } from '../sessions/sessions.ts';
import { FORGET_DEVICE, FORGET_DEVICES } from './manage-account.ts';
import type { Frame } from './pages.ts';

/** TD-4: the browsers in which the password alone signs in; nothing where there are none. */
export function devicesSection({ formToken }: Frame, devices: readonly TrustedDevice[]): Html | false {
  if (devices.length === 0) return false;
  return html`<section class="card" aria-labelledby="devices">
    <h2 id="devices">Trusted devices</h2>
    <p class="quiet">
      In these your password alone signs in, until the time that stands there. Changes still ask for your second step. Remove those that you do not know, or
      that others use.
    </p>
    ${devices.map((device) => deviceRow(formToken, device))}
    ${
      devices.length > 1 && form({ action: FORGET_DEVICES, formToken, body: html`<div class="actions">${button({ label: 'Remove all', danger: true })}</div>` })
    }
  </section>`;
}

function deviceRow(formToken: string, { id, userAgent, address, createdAt, lastUsedAt, expiresAt, own }: TrustedDevice): Html {
  return html`<div class="row">
    <span class="icon">${screenIcon}</span>
    <div class="grow">
      <p><strong>${browserNamed(userAgent)}</strong> ${own && html`<span class="tag good">this browser</span>`}</p>
      <p class="quiet">Until ${momentOf(expiresAt)}. Last used ${momentOf(lastUsedAt)}</p>
      <p class="quiet">Remembered ${momentOf(createdAt)} from ${address}</p>
    </div>
    ${form({
      action: FORGET_DEVICE,
      formToken,
      body: html`<input type="hidden" name="device" value="${id}" />${button({ label: 'Remove', danger: true })}`,
    })}
  </div>`;
}
