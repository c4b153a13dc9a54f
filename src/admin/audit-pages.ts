import { EVENT_GROUPS, EVENT_RESULTS, type EventResult } from '../audit/audit.ts';
import { may } from '../organisations/organisations.ts';
import { button, linkButton, select, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { isoOf, momentOf } from '../platform/words/times.ts';
import { originOf, type AuditFilter, type AuditPage, type ShownEvent } from './audit-log.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';

const AUDIT = '/admin/audit';

interface AuditShown extends AuditPage {
  readonly filter: AuditFilter;
  readonly after: string;
  /** Of whom the filter shows the events; undefined for everybody. */
  readonly person: string | undefined;
}

export function audit(frame: Frame, { events, next, lookedBackTo, filter, after, person }: AuditShown): Html {
  const query = queryOf(filter);
  return consolePage(frame, {
    title: 'Audit log',
    current: 'audit',
    body: html`<p class="quiet">
        What happened to the accounts of ${frame.organisation.name} while they belonged to it, and what was done here. Nobody can change it unnoticed.
      </p>
      <div class="card">${searchForm(frame, filter)}</div>
      ${
        person !== undefined &&
        html`<p>Events of <strong>${person}</strong>. <a href="${addressIn(frame, AUDIT, { ...query, person: '' })}">Show everybody’s</a></p>`
      }
      ${
        (filter.event ?? '') !== '' &&
        html`<p>Some kinds of events alone. <a href="${addressIn(frame, AUDIT, { ...query, event: '' })}">Show the others too</a></p>`
      }
      <section class="card" aria-labelledby="events">
        <h2 id="events">Events</h2>
        ${events.length === 0 && lookedBackTo === undefined && html`<p class="quiet">Nothing is like that. Try another filter, or a longer time.</p>`}
        ${events.map((one) => eventRow(frame, one))}
        ${lookedBackTo !== undefined && html`<p class="quiet">Looked back to ${momentOf(lookedBackTo)}. There are older events: go on to look through them, too.</p>`}
        <div class="actions">
          ${after !== '' && linkButton({ label: 'Newest events', href: addressIn(frame, AUDIT, query) })}
          ${next !== undefined && linkButton({ label: 'Older events', href: addressIn(frame, AUDIT, { ...query, after: next }) })}
          ${may(frame.role, 'export') && [exportForm(frame, query, ['csv', 'Export as CSV']), exportForm(frame, query, ['json-lines', 'Export as JSON Lines'])]}
        </div>
      </section>
      ${
        may(frame.role, 'export') &&
        html`<section class="card" aria-labelledby="checkpoint">
          <h2 id="checkpoint">Checkpoint</h2>
          <p class="quiet">
            A small signed file that says where the log stands today. Keep it where nobody who runs ${frame.installation.name} can reach it: from then on not
            even they can change what happened before it unnoticed. They hold the log against it by “twinlock audit verify --checkpoint”.
          </p>
          ${consoleForm(frame, { action: `${AUDIT}/checkpoint`, body: button({ label: 'Download a checkpoint' }) })}
        </section>`
      }
      <p><a href="${addressIn(frame, `${AUDIT}/webhook`)}">Stream the audit log to another system</a></p>`,
  });
}

/** As the address and the export have it. */
const queryOf = ({ search, words = '', person, group, result, event = '', from, to }: AuditFilter): Record<string, string> => ({
  search,
  words,
  person,
  group: group ?? '',
  result: result ?? '',
  event,
  from,
  to,
});

function exportForm(frame: Frame, query: Record<string, string>, [format, label]: readonly [format: string, label: string]): Html {
  const fields = Object.entries({ ...query, format });
  return consoleForm(frame, {
    action: `${AUDIT}/export`,
    body: html`${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}${button({ label })}`,
  });
}

function searchForm(frame: Frame, { search, words = '', person, group, result, event = '', from, to }: AuditFilter): Html {
  return html`<form method="get" action="${AUDIT}" role="search">
    ${frame.memberships.length > 1 && html`<input type="hidden" name="organisation" value="${frame.organisation.id}" />`}
    ${person !== '' && html`<input type="hidden" name="person" value="${person}" />`}
    ${event !== '' && html`<input type="hidden" name="event" value="${event}" />`}
    <div class="filters">
      ${textField({ label: 'Search', name: 'search', value: search, hint: 'How a name or an email begins, or a whole IP address.' })}
      ${textField({ label: 'Words', name: 'words', value: words, hint: 'Anywhere in what is said of an event: a reason, a browser, “bypass”.' })}
      ${select({ label: 'Kind of event', name: 'group', value: group ?? '', options: [['', 'Every kind'], ...Object.entries(EVENT_GROUPS)] })}
      ${select({ label: 'Result', name: 'result', value: result ?? '', options: [['', 'Any result'], ...Object.entries(EVENT_RESULTS)] })}
      ${textField({ label: 'From', name: 'from', type: 'date', value: from })} ${textField({ label: 'To', name: 'to', type: 'date', value: to })}
    </div>
    ${button({ label: 'Find' })}
  </form>`;
}

const TAGS: Readonly<Record<EventResult, string>> = { success: 'tag good', failed: 'tag warn', refused: 'tag warn' };
const resultTag = (result: EventResult): Html => html`<span class="${TAGS[result]}">${EVENT_RESULTS[result]}</span>`;

function eventRow(frame: Frame, event: ShownEvent): Html {
  const from = originOf(event);
  const when = momentOf(event.at);
  return html`<div class="row">
    <div class="grow">
      <p><strong>${event.sentence}</strong> ${event.result !== 'success' && resultTag(event.result)}</p>
      <p class="quiet">${whom(frame, event)}</p>
      <p class="quiet">${when}${from !== '' && `, from ${from}`}${event.author !== undefined && `, by ${event.author}`}</p>
    </div>
    <a
      class="button"
      href="${addressIn(frame, `${AUDIT}/${event.id}`)}"
      aria-label="Details of ${event.sentence}, ${event.on?.email ?? 'nobody’s account'}, ${when}"
      >Details</a
    >
  </div>`;
}

function whom(frame: Frame, { on, isMember }: ShownEvent): Html | string {
  if (!on) return 'Nobody’s account';
  if (on.email === '') return 'An account that is gone';
  return isMember ? html`<a href="${addressIn(frame, `/admin/people/${on.accountId}`)}">${on.name}</a>, ${on.email}` : `${on.name}, ${on.email}`;
}

/** The last events, on somebody's page. */
export function eventsOfPerson(frame: Frame, { accountId, events }: { accountId: string; events: readonly ShownEvent[] }): Html {
  return html`<section class="card" aria-labelledby="events">
    <h2 id="events">Last events</h2>
    ${events.length === 0 && html`<p class="quiet">Nothing has happened since they joined.</p>`}
    ${events.map(
      (event) =>
        html`<div class="row">
          <div class="grow">
            <p>${event.sentence} ${event.result !== 'success' && resultTag(event.result)}</p>
            <p class="quiet">
              ${momentOf(event.at)}${originOf(event) !== '' && `, from ${originOf(event)}`}${event.author !== undefined && `, by ${event.author}`}
            </p>
          </div>
        </div>`,
    )}
    <div class="actions">${linkButton({ label: 'All events of this person', href: addressIn(frame, AUDIT, { person: accountId }) })}</div>
  </section>`;
}

export function auditEvent(frame: Frame, event: ShownEvent): Html {
  return consolePage(frame, {
    title: 'Audit event',
    heading: event.sentence,
    current: 'audit',
    body: html`<section class="card" aria-labelledby="fields">
        <h2 id="fields">What is recorded ${resultTag(event.result)}</h2>
        <dl class="facts">
          ${factsOf(frame, event).map(
            ([name, value]) =>
              html`<dt>${name}</dt>
                <dd>${value}</dd>`,
          )}
        </dl>
      </section>
      <section class="card" aria-labelledby="chain">
        <h2 id="chain">Place in the log</h2>
        ${
          event.link
            ? html`<p class="quiet">
                  Its hash covers all of the above and the hash of the entry before it. The command <code>twinlock audit verify</code> proves that nothing was
                  changed.
                </p>
                <dl class="facts">
                  <dt>Number</dt>
                  <dd>${event.link.sequence}</dd>
                  <dt>Hash</dt>
                  <dd><code>${event.link.hash}</code></dd>
                </dl>`
            : html`<p class="quiet">It happened a moment ago, and gets its place in the chain within a second. Reload the page to see it.</p>`
        }
      </section>
      <p><a href="${addressIn(frame, AUDIT)}">Back to the audit log</a></p>`,
  });
}

function factsOf(frame: Frame, event: ShownEvent): [string, Html | string][] {
  const { on, address, userAgent, requestId, details } = event;
  const facts: [string, Html | string][] = [
    ['When', isoOf(event.at)],
    ['Event', html`<code>${event.event}</code>`],
    ['On whom', whom(frame, event)],
    ['By', event.author ?? on?.name ?? 'Nobody’s account'],
    ['Address', address],
    ['Browser', originOf(event).slice(address.length + 2)],
    ['As it calls itself', userAgent],
    ['Request', html`<code>${requestId}</code>`],
    ...Object.entries(details).map(([name, value = '']): [string, Html] => [`“${name}”`, html`<code>${value}</code>`]),
    ['Id', html`<code>${event.id}</code>`],
  ];
  if (on) facts.splice(3, 0, ['Events', html`<a href="${addressIn(frame, AUDIT, { person: on.accountId })}">All events of this person</a>`]);
  return facts.filter(([, value]) => value !== '');
}
