import { factorOf } from '../factors/factors.ts';
import { may } from '../organisations/organisations.ts';
import { button, linkButton, notice } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { describeUserAgent } from '../platform/mail/user-agent.ts';
import { momentOf } from '../platform/words/times.ts';
import type { RequestShown } from './admin.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';

/** Who asks for help, with what helps to judge it. */
export function helpRequests(frame: Frame, { requests, refused }: { requests: readonly RequestShown[]; refused?: string | undefined }): Html {
  return consolePage(frame, {
    title: 'Help',
    current: 'help',
    body: html`${refused !== undefined && notice({ kind: 'bad', text: refused })}
    ${
      requests.length === 0
        ? html`<section class="card">
            <p class="quiet">Nobody is waiting. Who can’t show a second step asks for help on the sign-in page, and stands here then.</p>
          </section>`
        : html`<p>All that is known of these is that they entered the right password. Talk to the person before you do anything.</p>
            ${requests.map((one) => requestCard(frame, one))}`
    }`,
  });
}

function requestCard(frame: Frame, { request, person }: RequestShown): Html {
  const { account, kinds, lastSignInAt } = person;
  const methods = kinds.length === 0 ? 'None any more' : kinds.map((kind) => factorOf(kind).words.name).join(', ');
  const id = `asks-${account.id}`;
  return html`<section class="card" aria-labelledby="${id}">
    <h2 id="${id}">${account.name}</h2>
    <p class="quiet">${account.email}</p>
    <dl class="sayings">
      <div>
        <dt>Asked</dt>
        <dd>${momentOf(request.askedAt)}</dd>
      </div>
      <div>
        <dt>From</dt>
        <dd>${describeUserAgent(request.userAgent)}, address ${request.address}</dd>
      </div>
      <div>
        <dt>That browser</dt>
        <dd>${request.browserKnown ? html`<span class="tag good">known</span>` : html`<span class="tag warn">never seen with this account</span>`}</dd>
      </div>
      <div>
        <dt>Last sign-in</dt>
        <dd>
          ${lastSignInAt === null ? 'none on record' : momentOf(lastSignInAt)}${lastSignInAt !== null && lastSignInAt > request.askedAt && ', after asking'}
        </dd>
      </div>
      <div>
        <dt>Methods</dt>
        <dd>${methods}</dd>
      </div>
      <div>
        <dt>They wrote</dt>
        <dd>${request.words === '' ? 'nothing' : `“${request.words}”`}</dd>
      </div>
    </dl>
    <div class="actions">
      ${linkButton({ label: `Open ${account.name}`, href: addressIn(frame, `/admin/people/${account.id}`), main: true })}
      ${may(frame.role, 'issue-bypass-code') && consoleForm(frame, { action: `/admin/help/${account.id}/close`, body: button({ label: `Close the request of ${account.name}` }) })}
    </div>
  </section>`;
}
