import { linkButton, notice } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { leadOnPage } from '../platform/html/layout.ts';
import { momentOf } from '../platform/words/times.ts';
import type { Connection, Failure, Identity } from '../sso/sso.ts';
import { addressIn, consolePage, type Frame } from './pages.ts';

export function leaving({ installation, account }: Frame, { name, url }: { name: string; url: string }): Html {
  const text = 'This is a test: you sign in there, and see what it says of you.';
  return leadOnPage({ installationName: installation.name, language: account.language, title: `On to ${name}`, text, label: `Go on to ${name}`, to: url });
}

const WHY: Readonly<Record<Failure['reason'], string>> = {
  unreachable: 'The provider could not be reached.',
  misconfigured: 'The settings here, or there, do not fit.',
  refused: 'The provider did not let you in.',
  untrusted: 'What came back is not to be trusted, and was not used.',
};

export function tested(frame: Frame, { connection, outcome }: { connection: Connection; outcome: { ok: true; identity: Identity } | Failure }): Html {
  const back = addressIn(frame, `/admin/sso/${connection.id}`);
  return consolePage(frame, {
    title: 'Test connection',
    heading: `Test of ${connection.name}`,
    current: 'sso',
    body: html`${
        outcome.ok
          ? notice({ kind: 'good', text: 'It works. This is what the provider says of whoever signed in, and what becomes of it here.' })
          : notice({ kind: 'bad', text: `It does not work yet. ${WHY[outcome.reason]} ${outcome.detail}` })
      }
      ${outcome.ok && meaning(connection, outcome.identity)} ${outcome.ok && everything(outcome.identity)}
      <div class="actions">${linkButton({ label: 'Back to the connection', href: back, main: true })}</div>`,
  });
}

function meaning(connection: Connection, { subject, email, emailVerified, name, groups, methods, authenticatedAt }: Identity): Html {
  const counts = methods.some((one) => connection.secondFactorWords.includes(one));
  const verified = emailVerified
    ? 'verified, it says'
    : connection.trustsAddresses
      ? 'believed, as the settings say'
      : 'not verified: whoever comes for the first time signs in here by password once';
  const rows: readonly (readonly [string, string])[] = [
    ['Known by', subject],
    ['Email', email === null ? 'It gives none' : `${email} (${verified})`],
    ['Name', name === '' ? 'It gives none' : name],
    ['Groups', groups.length === 0 ? 'None' : groups.join(', ')],
    ['Signed in there', authenticatedAt === null ? 'It does not say when' : momentOf(authenticatedAt)],
    ['By', methods.length === 0 ? 'It does not say how' : methods.join(', ')],
    ['Second factor', counts ? 'It counts here' : 'Asked for here, where the Security Policy asks for one'],
  ];
  return facts('What becomes of it', rows);
}

const everything = ({ claims }: Identity): Html =>
  facts(
    'Everything that came',
    Object.entries(claims).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const),
  );

const facts = (heading: string, rows: readonly (readonly [string, string])[]): Html =>
  html`<section class="card" aria-label="${heading}">
    <h2>${heading}</h2>
    <dl class="facts">
      ${rows.map(
        ([key, value]) =>
          html`<dt>${key}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
  </section>`;
