import { may } from '../organisations/organisations.ts';
import { linkButton } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { dateOf, isoOf, momentOf } from '../platform/words/times.ts';
import { methodName, originOf, type ShownEvent } from './audit-log.ts';
import type { DayShown, Outcome, Overview } from './overview.ts';
import { addressIn, consolePage, type Frame } from './pages.ts';

/** Undefined where the numbers are still being counted. */
export function overviewPage(frame: Frame, shown: { overview: Overview; latest: readonly ShownEvent[] } | undefined): Html {
  return consolePage(frame, {
    title: 'Overview',
    current: 'overview',
    body: shown
      ? html`${shown.overview.people === 1 && alone(frame)} ${protection(frame, shown.overview)} ${methods(frame, shown.overview)}
        ${signIns(frame, shown.overview)} ${unusual(frame, shown.latest)}`
      : html`<p class="quiet">The numbers of ${frame.organisation.name} are being counted, which takes a minute. Reload the page then.</p>`,
  });
}

function alone(frame: Frame): Html {
  return html`<section class="card" aria-labelledby="alone">
    <h2 id="alone">A good start</h2>
    <p class="quiet">You are the only one in ${frame.organisation.name} yet. Here you will see how many are protected, and whether somebody tries to get in.</p>
    ${may(frame.role, 'invite') && html`<div class="actions">${linkButton({ label: 'Invite somebody', href: addressIn(frame, '/admin/people/invite'), main: true })}</div>`}
  </section>`;
}

const number = (count: number): string => count.toLocaleString('en-GB');
/** Rounded down: 99.9 of a hundred are not all. */
const share = (part: number, of: number): string => `${of === 0 ? 0 : Math.floor((part * 100) / of)} %`;

function protection(frame: Frame, { people, protected: guarded, days, countedAt }: Overview): Html {
  const without = people - guarded;
  return html`<section class="card" aria-labelledby="protected">
    <h2 id="protected">Protected</h2>
    <p>
      <span class="figure">${share(guarded, people)}</span> ${number(guarded)} of ${number(people)} ${people === 1 ? 'person has' : 'people have'} two-factor
      authentication.
    </p>
    ${
      without > 0
        ? html`<p><a href="${addressIn(frame, '/admin/people', { 'two-factor': 'off' })}">${number(without)} without a second step</a></p>`
        : html`<p class="quiet">Everybody has a second step.</p>`
    }
    ${plot(days)} ${numbers(days)}
    <p class="quiet">Counted ${momentOf(countedAt)}.</p>
  </section>`;
}

const WIDTH = 600;
const HEIGHT = 140;

/** Drawn without words, so that it can be stretched; what it shows is said beside it and stands in the table. */
function plot(days: readonly DayShown[]): Html | false {
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last || days.length < 2) return false;
  const most = Math.max(1, ...days.map(({ people }) => people));
  const points = (value: (day: DayShown) => number): string =>
    days
      .map((day) => {
        const x = ((day.at - first.at) / (last.at - first.at)) * WIDTH;
        return `${x.toFixed(1)},${(HEIGHT - (value(day) / most) * (HEIGHT - 4) - 2).toFixed(1)}`;
      })
      .join(' ');
  const guarded = points((day) => day.protected);
  const label = `People with two-factor authentication: ${first.protected} of ${first.people} on ${dateOf(first.at)}, ${last.protected} of ${last.people} on ${dateOf(last.at)}.`;
  return html`<figure class="plot">
    <svg role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">
      <polygon class="area" points="0,${HEIGHT} ${guarded} ${WIDTH},${HEIGHT}" />
      <polyline class="all" points="${points((day) => day.people)}" vector-effect="non-scaling-stroke" />
      <polyline class="guarded" points="${guarded}" vector-effect="non-scaling-stroke" />
    </svg>
    <figcaption class="quiet">
      <span>${dateOf(first.at)}</span
      ><span class="legend"
        ><span><span class="key-line all"></span> people</span> <span><span class="key-line guarded"></span> with two-factor authentication</span></span
      ><span>${dateOf(last.at)}</span>
    </figcaption>
  </figure>`;
}

function numbers(days: readonly DayShown[]): Html | false {
  if (days.length === 0) return false;
  return html`<details>
    <summary>The same in numbers</summary>
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col">People</th>
          <th scope="col">Protected</th>
        </tr>
      </thead>
      <tbody>
        ${days.toReversed().map(
          (day) =>
            html`<tr>
              <th scope="row">${dateOf(day.at)}</th>
              <td>${number(day.people)}</td>
              <td>${number(day.protected)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

function methods(frame: Frame, { methods: kinds, people }: Overview): Html | false {
  if (kinds.length === 0) return false;
  return html`<section class="card" aria-labelledby="methods">
    <h2 id="methods">By method</h2>
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col">Method</th>
          <th scope="col">People</th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        ${kinds.map(
          ([kind, count]) =>
            html`<tr>
              <th scope="row">${methodName(kind)}</th>
              <td>${number(count)}</td>
              <td>${share(count, people)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    <p class="quiet"><a href="${addressIn(frame, '/admin/people', { 'two-factor': 'on' })}">Who has two-factor authentication</a></p>
  </section>`;
}

function signIns(frame: Frame, { outcomes, from }: Overview): Html {
  const day = isoOf(from).slice(0, 10);
  const row = ({ label, count, unusual: isUnusual, events }: Outcome): Html =>
    html`<tr>
      <th scope="row">
        ${count > 0 ? html`<a href="${addressIn(frame, '/admin/audit', { event: events.join(), from: day })}">${label}</a>` : label}
        ${isUnusual && count > 0 && html`<span class="tag warn">unusual</span>`}
      </th>
      <td>${number(count)}</td>
    </tr>`;
  return html`<section class="card" aria-labelledby="sign-ins">
    <h2 id="sign-ins">Sign-ins of the last 30 days</h2>
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col">How it went</th>
          <th scope="col">Times</th>
        </tr>
      </thead>
      <tbody>
        ${outcomes.map(row)}
      </tbody>
    </table>
  </section>`;
}

function unusual(frame: Frame, latest: readonly ShownEvent[]): Html | false {
  if (latest.length === 0) return false;
  return html`<section class="card" aria-labelledby="unusual">
    <h2 id="unusual">Lately unusual</h2>
    ${latest.map(
      (event) =>
        html`<div class="row">
          <div class="grow">
            <p><strong>${event.sentence}</strong></p>
            <p class="quiet">${event.on?.name}, ${momentOf(event.at)}, from ${originOf(event)}</p>
          </div>
          <a
            class="button"
            href="${addressIn(frame, `/admin/audit/${event.id}`)}"
            aria-label="Details of ${event.sentence}, ${event.on?.email}, ${momentOf(event.at)}"
            >Details</a
          >
        </div>`,
    )}
  </section>`;
}
