import type { Webhook } from '../audit/audit.ts';
import { may } from '../organisations/organisations.ts';
import { button, mistakes, notice, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { dateOf, momentOf } from '../platform/words/times.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';

const AUDIT = '/admin/audit';
const WEBHOOK = `${AUDIT}/webhook`;

interface WebhookShown {
  readonly webhook: Webhook | undefined;
  /** The whole of it, where whoever looks may change it. */
  readonly address: string | undefined;
  readonly typed?: string;
  readonly refused?: string;
  /** Why the test event was not taken. */
  readonly failure?: string;
}

export function webhook(frame: Frame, { webhook: one, address, typed = address ?? '', refused, failure }: WebhookShown): Html {
  return consolePage(frame, {
    title: 'Stream the audit log',
    current: 'audit',
    body: html`${mistakes(refused)} ${failure !== undefined && notice({ kind: 'bad', text: `The test event was not taken: ${failure}.` })}
      <p class="quiet">
        Each event of ${frame.organisation.name} is sent to a program of yours within seconds, in order and signed, so that another system keeps a copy. What
        could not be delivered is kept and tried again. Where this server keeps events for a time alone, nothing goes before it was delivered; what a receiver
        has not taken a week after its time is given up, also while streaming is paused.
      </p>
      ${one ? stateOf(frame, one, address) : html`<section class="card"><p class="quiet">Nothing is streamed.</p></section>`}
      ${may(frame.role, 'set-webhook') && settingForm(frame, { one, typed, refused })}
      <p><a href="${addressIn(frame, AUDIT)}">Back to the audit log</a></p>`,
  });
}

function stateOf(frame: Frame, one: Webhook, address: string | undefined): Html {
  const { failure, lastDeliveredAt, paused } = one;
  const tag = paused ? ['warn', 'Paused'] : failure ? ['warn', 'Failing'] : ['good', 'On'];
  return html`<section class="card" aria-labelledby="state">
    <h2 id="state">Receiver <span class="tag ${tag[0]}">${tag[1]}</span></h2>
    <dl class="facts">
      <dt>Address</dt>
      <dd>${address ?? one.host}</dd>
      <dt>Since</dt>
      <dd>${dateOf(one.createdAt)}</dd>
      <dt>Last delivered</dt>
      <dd>${lastDeliveredAt === null ? 'Nothing yet' : momentOf(lastDeliveredAt)}</dd>
      ${
        failure &&
        html`<dt>Last error</dt>
          <dd>${momentOf(failure.at)}: ${failure.reason}</dd>
          <dt>Tries in a row</dt>
          <dd>${failure.tries}${!paused && `; the next one ${momentOf(failure.nextTryAt)}`}</dd>`
      }
    </dl>
    ${
      may(frame.role, 'set-webhook') &&
      html`<div class="actions">
        ${consoleForm(frame, { action: `${WEBHOOK}/test`, body: button({ label: 'Send test event' }) })}
        ${paused ? consoleForm(frame, { action: `${WEBHOOK}/resume`, body: button({ label: 'Resume' }) }) : consoleForm(frame, { action: `${WEBHOOK}/pause`, body: button({ label: 'Pause' }) })}
        ${consoleForm(frame, { action: `${WEBHOOK}/remove`, body: button({ label: 'Remove', danger: true }) })}
      </div>`
    }
  </section>`;
}

function settingForm(frame: Frame, { one, typed, refused }: { one: Webhook | undefined; typed: string; refused: string | undefined }): Html {
  return html`<section class="card" aria-labelledby="set">
    <h2 id="set">${one ? 'Another address, or another secret' : 'Where to'}</h2>
    <p class="quiet">
      ${one ? 'The secret of before is worth nothing then. Streaming goes on from where it has come to.' : 'You get a secret by which your program knows that a message is ours. It is shown once.'}
    </p>
    ${consoleForm(frame, {
      action: WEBHOOK,
      body: html`${textField({ label: 'Address', name: 'address', type: 'url', value: typed, required: true, error: refused, hint: 'It begins with https://' })}
      ${button({ label: one ? 'Save, with a new secret' : 'Start streaming', main: true })}`,
    })}
  </section>`;
}

/** The answer to the form itself: the secret is on no page that could be opened again. */
export function webhookSecret(frame: Frame, secret: string): Html {
  return consolePage(frame, {
    title: 'Keep the secret',
    current: 'audit',
    body: html`<section class="card">
      <p>Your program checks the signature of each message with this secret, as Standard Webhooks describes it. <strong>It is shown this once.</strong></p>
      <p class="key">${secret}</p>
      <p class="quiet">
        Who has it can make messages that look like ours. Everybody who looks after ${frame.organisation.name} is told by mail that the log is streamed.
      </p>
      <div class="actions"><a class="button main" href="${addressIn(frame, WEBHOOK)}">I have kept it</a></div>
    </section>`,
  });
}
