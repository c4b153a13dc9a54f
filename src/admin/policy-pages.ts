import { factorOf } from '../factors/factors.ts';
import { may, ROLES } from '../organisations/organisations.ts';
import { button, checkbox, choiceGroup, linkButton, mistakes as saidMistakes, notice, textArea, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { momentOf } from '../platform/words/times.ts';
import {
  METHODS,
  OUTCOMES,
  ROLES_IN_PLURAL,
  sayingsOf,
  TWO_FACTOR_POLICIES,
  TWO_FACTOR_WORDS,
  type Difference,
  type Draft,
  type Effect,
  type Foreseen,
  type Outcome,
  type Policy,
  type Version,
} from '../policy/policy.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';
import type { Fields, Mistakes } from './policy-form.ts';

const POLICY = '/admin/policy';
const PREVIEW = `${POLICY}/preview`;

export interface VersionShown extends Version {
  /** Who, as people know them. */
  readonly by: string;
  readonly differences: readonly Difference[];
}

interface PolicyShown {
  readonly policy: Policy;
  readonly versions: readonly VersionShown[];
  readonly refused: string | undefined;
}

export function policy(frame: Frame, { policy: { rules, version }, versions, refused }: PolicyShown): Html {
  return consolePage(frame, {
    title: 'Security Policy',
    current: 'policy',
    body: html`${refused !== undefined && notice({ kind: 'bad', text: refused })}
      <p class="quiet">What ${frame.organisation.name} asks of its people when they sign in.</p>
      <section class="card" aria-labelledby="in-force">
        <h2 id="in-force">In force</h2>
        ${version === 0 && html`<p class="quiet">${frame.organisation.name} has no policy of its own yet: the one of ${frame.installation.name} holds.</p>`}
        ${sayings(sayingsOf(rules))}
        ${may(frame.role, 'change-policy') && html`<div class="actions">${linkButton({ label: 'Change the policy', href: addressIn(frame, `${POLICY}/edit`), main: true })}</div>`}
      </section>
      ${versions.length > 0 && history(frame, { versions, seen: version })}`,
  });
}

function sayings(all: readonly { readonly label: string; readonly value: string }[]): Html {
  return html`<dl class="sayings">
    ${all.map(
      ({ label, value }) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function history(frame: Frame, { versions, seen }: { versions: readonly VersionShown[]; seen: number }): Html {
  return html`<section class="card" aria-labelledby="history">
    <h2 id="history">History</h2>
    ${versions.map(
      ({ version, changedAt, by, reason, differences }, index) =>
        html`<div class="row">
          <div class="grow">
            <p><strong>Version ${version}</strong> ${index === 0 && html`<span class="tag good">in force</span>`}</p>
            <p class="quiet">
              ${version === 0 ? `What held before, as ${frame.installation.name} asked it of everybody.` : html`${momentOf(changedAt)} by ${by}${reason !== '' && html`: “${reason}”`}`}
            </p>
            ${differences.map(({ label, before, value }) => html`<p class="quiet">${label}: ${value} (was: ${before})</p>`)}
          </div>
          ${
            index > 0 &&
            may(frame.role, 'change-policy') &&
            consoleForm(frame, {
              action: `${POLICY}/restore`,
              body: html`<input type="hidden" name="version" value="${version}" /><input
                  type="hidden"
                  name="seen"
                  value="${seen}"
                />${button({ label: `Return to version ${version}` })}`,
            })
          }
        </div>`,
    )}
  </section>`;
}

export function edit(frame: Frame, { fields, seen, mistakes = {} }: { fields: Fields; seen: number; mistakes?: Mistakes }): Html {
  return consolePage(frame, {
    title: 'Change the policy',
    current: 'policy',
    body: html`${saidMistakes(...Object.values(mistakes))}
      <p class="quiet">Nothing changes yet: the next page shows whom it would affect, and how.</p>
      ${consoleForm(frame, {
        action: PREVIEW,
        body: html`<input type="hidden" name="seen" value="${seen}" />
          ${askingCard(fields, mistakes)} ${methodsCard(fields, mistakes)} ${sessionsCard(fields, mistakes)} ${resetsCard(fields, mistakes)}
          <div class="actions">${button({ label: 'Preview', main: true })} ${linkButton({ label: 'Cancel', href: addressIn(frame, POLICY) })}</div>`,
      })}`,
  });
}

const MEANINGS = {
  off: 'Nobody can add a method. Who has one is still asked for it.',
  optional: 'Everybody may turn it on for themselves.',
  required: 'Who has no method that counts is led to set one up.',
} as const;

function askingCard(fields: Fields, mistakes: Mistakes): Html {
  return html`<section class="card" aria-labelledby="asking">
    <h2 id="asking">Who is asked, and from when on</h2>
    ${choiceGroup({
      question: 'Two-factor authentication',
      name: 'two-factor',
      type: 'radio',
      error: mistakes.twoFactor,
      options: TWO_FACTOR_POLICIES.map((one) => ({ value: one, label: TWO_FACTOR_WORDS[one], hint: MEANINGS[one], checked: fields.twoFactor === one })),
    })}
    ${choiceGroup({
      question: 'Where it is required: of whom',
      name: 'role',
      type: 'checkbox',
      error: mistakes.roles,
      options: ROLES.map((one) => ({ value: one, label: ROLES_IN_PLURAL[one], checked: fields.roles.includes(one) })),
    })}
    ${textField({ label: 'Required from', name: 'from', type: 'date', value: fields.from, error: mistakes.from, hint: 'From the beginning of that day (UTC). Empty: at once.' })}
    ${textField({ label: 'Days that somebody has who joins', name: 'grace-days', type: 'number', value: fields.graceDays, error: mistakes.graceDays, hint: 'Counted from the day on which they join. Each person’s date is fixed once, and does not move when this changes.' })}
    ${checkbox({ label: 'Fix everybody’s date anew, by what stands here', name: 'renews', checked: fields.renews })}
    ${choiceGroup({
      question: 'Asked first',
      name: 'roll-out',
      type: 'radio',
      error: mistakes.rollOut,
      options: [
        { value: 'everybody', label: 'Everybody at once', checked: fields.rollOut === 'everybody' },
        { value: 'share', label: 'A share of people', hint: 'Always the same ones, as far as the share allows.', checked: fields.rollOut === 'share' },
        { value: 'people', label: 'People by name', checked: fields.rollOut === 'people' },
      ],
    })}
    ${textField({ label: 'Share: of 100 people', name: 'percent', type: 'number', value: fields.percent, error: mistakes.percent })}
    ${textArea({ label: 'By name: their email addresses', name: 'people', value: fields.people, error: mistakes.people, hint: 'One in a line.' })}
  </section>`;
}

/** AL-1 to AL-4, in words. */
function assuranceOf(kind: string): string {
  const { assurance, provesEmail } = factorOf(kind);
  if (provesEmail)
    return 'The weakest: it shows only that somebody reads the mailbox, which is often where a new password is sent, too. It does not count as a real second factor.';
  return assurance === 2 ? 'A real second factor: something that only this person has. A page that imitates the sign-in could still ask for its code.' : '';
}

function methodsCard(fields: Fields, mistakes: Mistakes): Html {
  return html`<section class="card" aria-labelledby="methods">
    <h2 id="methods">What counts</h2>
    ${choiceGroup({
      question: 'Methods that count',
      name: 'counts',
      type: 'checkbox',
      error: mistakes.counting,
      options: METHODS.map(({ kind }) => {
        const { words } = factorOf(kind);
        const label = html`${words.name} ${words.caution !== undefined && html`<span class="tag warn">${words.caution}</span>`}`;
        return { value: kind, label, hint: assuranceOf(kind), checked: fields.counting.includes(kind) };
      }),
    })}
    <p class="quiet">
      The Recovery Key always works beside the password, so that nobody is locked out. What does not count can’t be added any more; who has nothing else is
      still asked for it, and led to add what counts.
    </p>
    ${checkbox({ label: 'Ask for an emailed code before a set-up in a browser that is new to the account', name: 'mail-first', checked: fields.mailFirst })}
    <p class="quiet">Without it, whoever stole a password could be the first to set up a method.</p>
  </section>`;
}

function sessionsCard(fields: Fields, mistakes: Mistakes): Html {
  return html`<section class="card" aria-labelledby="sessions">
    <h2 id="sessions">Sessions and joining</h2>
    ${textField({ label: 'Signed out when unused for (minutes)', name: 'session-idle-minutes', type: 'number', value: fields.sessionIdleMinutes, error: mistakes.sessionIdleMinutes, hint: 'Empty: an hour with a real second factor, a week without.' })}
    ${textField({ label: 'Signed in for at most (hours)', name: 'session-hours', type: 'number', value: fields.sessionHours, error: mistakes.sessionHours, hint: 'Empty: a day with a real second factor, 30 days without.' })}
    ${textField({ label: 'Changes ask for a proof that is no older than (minutes)', name: 'proof-minutes', type: 'number', value: fields.proofMinutes, error: mistakes.proofMinutes })}
    ${textField({ label: 'A device is trusted for (days)', name: 'trusted-device-days', type: 'number', value: fields.trustedDeviceDays, error: mistakes.trustedDeviceDays, hint: '0 to 30; 0: never. Where a second step was shown and “Remember this device” ticked, the password alone signs in until then. The console and every change still ask for the second step.' })}
    ${textArea({ label: 'Email domains that may join', name: 'email-domains', value: fields.emailDomains, error: mistakes.emailDomains, hint: 'One in a line, such as example.org. Empty: any.' })}
  </section>`;
}

function resetsCard(fields: Fields, mistakes: Mistakes): Html {
  return html`<section class="card" aria-labelledby="resets">
    <h2 id="resets">Lost phones</h2>
    ${textField({ label: 'A reset of all methods waits for (hours)', name: 'reset-wait-hours', type: 'number', value: fields.resetWaitHours, error: mistakes.resetWaitHours, hint: 'Meanwhile the person, who is told by mail, can stop it, and so can everybody who looks after them.' })}
    ${checkbox({ label: 'A second administrator has to agree to a reset', name: 'reset-approval', checked: fields.resetNeedsApproval })}
    <p class="quiet">Only the owner makes it shorter, or does without the second administrator.</p>
  </section>`;
}

export interface PreviewShown {
  readonly draft: Draft;
  readonly effect: Effect;
  readonly differences: readonly Difference[];
  /** Somebody has changed the policy since the draft was made. */
  readonly stale: boolean;
  /** Their names. */
  readonly trustedProviders: readonly string[];
  readonly reason: string;
  readonly refused: string | undefined;
}

const OUTCOME_WORDS: Readonly<Record<Outcome, { readonly heading: string; readonly sentence: string }>> = {
  'locked-out': { heading: 'Locked out', sentence: 'They would be asked for something that they can’t set up. Help them before you save this.' },
  'sets-up': {
    heading: 'Asked at once',
    sentence: 'They see the set-up screen at the next sign-in, or where they are signed in at the next page, and there is no way past it.',
  },
  'sets-up-later': { heading: 'Asked, with time left', sentence: 'They see the set-up screen when they sign in, and can say “Not now” until their day comes.' },
  passes: { heading: 'Nothing changes', sentence: 'They have what counts, or are not asked.' },
};

/** As a spreadsheet has it, where several columns say what somebody meets. */
export const outcomeInWords = (outcome: Outcome): string => (outcome === 'passes' ? 'Asked for nothing' : OUTCOME_WORDS[outcome].heading);

export function preview(frame: Frame, { draft, effect, differences, stale, trustedProviders, reason, refused }: PreviewShown): Html {
  const about = { draft: draft.id };
  return consolePage(frame, {
    title: 'Preview',
    current: 'policy',
    body: html`${refused !== undefined && notice({ kind: 'bad', text: refused })}
      ${stale && notice({ kind: 'bad', text: 'Somebody changed the policy since this was filled in. Look at it, and fill it in again.' })}
      <p class="quiet">
        This is what it would do today, for each of ${effect.people.toLocaleString('en-GB')} ${effect.people === 1 ? 'person' : 'people'}. Nothing is saved yet.
      </p>
      <section class="card" aria-labelledby="differences">
        <h2 id="differences">What differs</h2>
        ${differences.length === 0 && !draft.renews && html`<p>Nothing: this is what is in force.</p>`}
        ${sayings(differences.map(({ label, before, value }) => ({ label, value: `${value} (was: ${before})` })))}
        ${draft.renews && html`<p>Everybody’s date is fixed anew.</p>`}
      </section>
      <section class="card" aria-labelledby="effect">
        <h2 id="effect">Whom it affects</h2>
        ${OUTCOMES.map((outcome) => effectRow(frame, { outcome, effect, about }))}
        ${
          trustedProviders.length > 0 &&
          html`<p class="quiet">
            Whoever comes by ${trustedProviders.join(' or ')} is asked for nothing each time that it says it asked for a second factor. That is known only when
            they come: they are counted here by what they have set up.
          </p>`
        }
      </section>
      ${may(frame.role, 'change-policy') && !stale && html`${tellCard(frame, draft, effect)} ${saveCard(frame, { draft, reason })}`}
      <p>
        ${may(frame.role, 'change-policy') && html`<a href="${addressIn(frame, `${POLICY}/edit`, about)}">Change it once more</a> · `}<a
          href="${addressIn(frame, POLICY)}"
          >Leave it as it is</a
        >
      </p>`,
  });
}

function effectRow(frame: Frame, { outcome, effect, about }: { outcome: Outcome; effect: Effect; about: { draft: string } }): Html {
  const { heading, sentence } = OUTCOME_WORDS[outcome];
  const number = effect.after[outcome];
  const tag = outcome === 'locked-out' && number > 0 ? html`<span class="tag warn">look here first</span>` : '';
  const people = (count: number): string => `${count.toLocaleString('en-GB')} ${count === 1 ? 'person' : 'people'}`;
  return html`<div class="row">
    <div class="grow">
      <p><strong>${heading}: ${people(number)}</strong> ${tag}</p>
      <p class="quiet">${sentence} Today: ${effect.before[outcome].toLocaleString('en-GB')}.</p>
    </div>
    ${number > 0 && linkButton({ label: `See who: ${heading}`, href: addressIn(frame, `${PREVIEW}/people`, { ...about, outcome }) })}
  </div>`;
}

function tellCard(frame: Frame, { id, toldAt }: Draft, { people, after }: Effect): Html | false {
  const asked = people - after.passes;
  if (asked === 0) return false;
  return html`<section class="card" aria-labelledby="tell">
    <h2 id="tell">Tell them first</h2>
    ${
      toldAt === null
        ? html`<p class="quiet">
              A mail to the ${asked === 1 ? 'one person' : `${asked.toLocaleString('en-GB')} people`} who would be asked for something: what is coming, by when,
              and where to set it up.
            </p>
            ${consoleForm(frame, { action: `${PREVIEW}/tell`, body: html`<input type="hidden" name="draft" value="${id}" />${button({ label: 'Send the mail' })}` })}`
        : html`<p class="quiet">They were told by mail, ${momentOf(toldAt)}.</p>`
    }
  </section>`;
}

function saveCard(frame: Frame, { draft, reason }: Pick<PreviewShown, 'draft' | 'reason'>): Html {
  return html`<section class="card" aria-labelledby="save">
    <h2 id="save">Save</h2>
    ${consoleForm(frame, {
      action: `${POLICY}/save`,
      body: html`<input type="hidden" name="draft" value="${draft.id}" />
        ${textField({ label: 'Why?', name: 'reason', value: reason, required: true, hint: 'For the history. Others who look after the organisation read it.' })}
        ${button({ label: 'Save policy', main: true })}`,
    })}
  </section>`;
}

export function previewPeople(
  frame: Frame,
  { draft, outcome, people, next }: { draft: Draft; outcome: Outcome; people: readonly Foreseen[]; next: string | undefined },
): Html {
  const { heading, sentence } = OUTCOME_WORDS[outcome];
  const about = { draft: draft.id, outcome };
  return consolePage(frame, {
    title: heading,
    current: 'policy',
    body: html`<p class="quiet">${sentence}</p>
      <section class="card" aria-label="${heading}">
        ${people.length === 0 && html`<p class="quiet">Nobody.</p>`}
        ${people.map(
          ({ accountId, name, email, by }) =>
            html`<div class="row">
              <div class="grow">
                <p><strong>${name}</strong></p>
                <p class="quiet">${email}${by !== null && html`. ${by > frame.now ? `Has time until ${momentOf(by)}` : 'At once'}`}</p>
              </div>
              <a class="button" href="${addressIn(frame, `/admin/people/${accountId}`)}" aria-label="Open ${name}, ${email}">Open</a>
            </div>`,
        )}
        <div class="actions">
          ${next !== undefined && linkButton({ label: 'Next page', href: addressIn(frame, `${PREVIEW}/people`, { ...about, after: next }) })}
          ${
            may(frame.role, 'export') &&
            consoleForm(frame, {
              action: `${PREVIEW}/export`,
              body: html`<input type="hidden" name="draft" value="${draft.id}" /><input
                  type="hidden"
                  name="outcome"
                  value="${outcome}"
                />${button({ label: 'Export as CSV' })}`,
            })
          }
        </div>
      </section>
      <p><a href="${addressIn(frame, PREVIEW, { draft: draft.id })}">Back to the preview</a></p>`,
  });
}
