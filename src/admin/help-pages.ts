// Helping somebody who lost their phone: what stands about it on their page, and the forms.
import { may } from '../organisations/organisations.ts';
import { CHECKS, type GroundsRefused, type GroundsTyped, type HelpRefusal, type LiveBypassCode, type PendingReset } from '../lost-phone/lost-phone.ts';
import { button, linkButton, mistakes, notice, select, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { momentOf, timeOf } from '../platform/words/times.ts';
import type { PersonInFull } from './admin.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';

/** Why somebody can't be helped. */
export const HELP_REASONS: Readonly<Record<Exclude<HelpRefusal, 'not-found'> | 'asked-oneself', string>> = {
  'not-allowed': 'Your role here lets you look, and change nothing.',
  oneself: 'This is you. Use your Recovery Key, or ask somebody else who looks after the organisation.',
  'higher-role': 'This person’s role is higher than yours. For an owner, the operator of the server can help.',
  'needs-a-person': 'A key of the API can’t help while nobody stands by it: whoever helps shows first that it is them.',
  'two-factor-off':
    'This person signs in with the password alone, so there is nothing to get past. Who has forgotten it presses “Forgot password?” on the sign-in page.',
  'own-two-factor-off': 'First turn two-factor authentication on for yourself: whoever knew your password could let themselves in as anybody otherwise.',
  'looks-after-others':
    'This person looks after another organisation, and you don’t belong there in a role that reaches theirs. Somebody who does can help, or the operator of the server.',
  'own-provider':
    'This person signs in by your organisation’s own provider, and belongs to another organisation too: nobody is to have both steps in hand. Somebody who looks after that one can help, or the operator of the server.',
  'changed-meanwhile': 'This changed in the meantime, so nothing was done. What you see now is how it is.',
  'asked-oneself': 'You asked for this reset yourself. Somebody else has to agree.',
};

const pathOf = ({ account }: PersonInFull): string => `/admin/people/${account.id}`;

/** On a person's page. */
export function lostPhone(frame: Frame, one: PersonInFull): Html | false {
  if (!may(frame.role, 'issue-bypass-code')) return false;
  const { bypassCode } = one.help;
  const { name } = one.account;
  return html`<section class="card" aria-labelledby="lost-phone">
      <h2 id="lost-phone">Lost phone</h2>
      ${
        bypassCode
          ? liveCode(frame, one, bypassCode)
          : html`<p class="quiet">A bypass code lets ${name} in once without the second step, to set up a new phone. A code by mail is asked for there.</p>`
      }
      <div class="actions">
        ${linkButton({ label: bypassCode ? 'Issue another bypass code' : 'Issue a bypass code', href: addressIn(frame, `${pathOf(one)}/bypass-code`) })}
      </div>
    </section>
    ${resetSection(frame, one)}`;
}

function resetSection(frame: Frame, one: PersonInFull): Html {
  const { reset } = one.help;
  return html`<section class="card" aria-labelledby="reset-of">
    <h2 id="reset-of">Reset of all methods ${reset && html`<span class="tag warn">${isOpen(reset) ? 'needs a second administrator' : 'waiting'}</span>`}</h2>
    ${
      reset
        ? pendingReset(frame, one, reset)
        : html`<p class="quiet">For whom a bypass code does not help. It takes its time, and ${one.account.name} is told before it happens.</p>
            <div class="actions">${linkButton({ label: 'Reset all methods', href: addressIn(frame, `${pathOf(one)}/reset`), danger: true })}</div>`
    }
  </section>`;
}

const isOpen = ({ needsApproval, approvedBy }: PendingReset): boolean => needsApproval && approvedBy === null;

function liveCode(frame: Frame, one: PersonInFull, { issuedAt, expiresAt }: LiveBypassCode): Html {
  return html`<p>
      <span class="tag warn">waiting</span> ${one.help.bypassCodeBy} issued a bypass code on ${momentOf(issuedAt)}. It works once, until ${timeOf(expiresAt)}.
    </p>
    ${consoleForm(frame, {
      action: `${pathOf(one)}/bypass-code/revoke`,
      body: html`<div class="actions">${button({ label: 'Take it back', danger: true })}</div>`,
    })}`;
}

function pendingReset(frame: Frame, one: PersonInFull, reset: PendingReset): Html {
  const { askedBy, resetApprovedBy } = one.help;
  const open = isOpen(reset);
  const seen = html`<input type="hidden" name="reset" value="${reset.id}" />`;
  const form = (verb: string, body: Html) => consoleForm(frame, { action: `${pathOf(one)}/reset/${verb}`, body: html`${seen}${body}` });
  return html`<p>
      ${askedBy} asked for it on ${momentOf(reset.askedAt)}. It happens on
      ${momentOf(reset.dueAt)}${open && ', if somebody else who looks after the organisation agrees'}.
    </p>
    <p class="quiet">Reason: ${reset.reason}. Identity check: ${reset.check}. ${resetApprovedBy !== '' && `Agreed to by ${resetApprovedBy}.`}</p>
    ${
      open &&
      reset.askedBy !== frame.account.id &&
      reset.organisation.id === frame.organisation.id &&
      form(
        'approve',
        html`<p class="quiet">Talk to ${one.account.name} yourself before you agree.</p>
          <div class="actions">${button({ label: 'Agree to the reset' })}</div>`,
      )
    }
    ${form('stop', html`<div class="actions">${button({ label: 'Stop the reset', danger: true })}</div>`)}`;
}

export interface GroundsForm {
  readonly typed: GroundsTyped;
  /** Why nobody can be helped here, as things are. */
  readonly obstacle?: string | undefined;
  readonly refused?: GroundsRefused | undefined;
  /** What else stood in the way of what was just asked for. */
  readonly problem?: string | undefined;
}

export function issueBypassCode(frame: Frame, one: PersonInFull, form: GroundsForm): Html {
  const { bypassCode: live } = one.help;
  return groundsPage(frame, one, {
    ...form,
    title: 'Issue a bypass code',
    path: 'bypass-code',
    button: button({ label: 'Issue the code', main: true }),
    about: html`<p class="quiet">
        The code signs in once, beside the password, within an hour. The person is told by mail at once that you issued it. What you write here is kept in the
        audit log.
      </p>
      ${live && html`<p>A code that was issued on ${momentOf(live.issuedAt)} still works. The new one takes its place.</p>`}`,
    hidden: html`<input type="hidden" name="present" value="${live?.id ?? ''}" />`,
  });
}

export function askForReset(frame: Frame, one: PersonInFull, form: GroundsForm): Html {
  const { name } = one.account;
  return groundsPage(frame, one, {
    ...form,
    title: 'Reset all methods',
    path: 'reset',
    button: button({ label: 'Ask for the reset', danger: true }),
    about: html`<p class="quiet">
      All second steps and the Recovery Key are removed, and ${name} is signed out everywhere. The next sign-in sets a new one up. It does not happen at once:
      ${name} gets a mail with a link that stops it, and so can everybody who looks after them. What you write here is kept in the audit log.
    </p>`,
    hidden: html``,
  });
}

interface GroundsPage extends GroundsForm {
  readonly title: string;
  readonly path: string;
  readonly button: Html;
  readonly about: Html;
  readonly hidden: Html;
}

function groundsPage(frame: Frame, one: PersonInFull, { typed, obstacle, refused = {}, problem, ...of }: GroundsPage): Html {
  const { account } = one;
  const back = addressIn(frame, pathOf(one));
  return consolePage(frame, {
    title: of.title,
    current: 'people',
    body: html`${mistakes(refused.reason, refused.check, refused.note)} ${problem !== undefined && notice({ kind: 'bad', text: problem })}
      <section class="card">
        <p>For <strong>${account.name}</strong>, ${account.email}</p>
        ${
          obstacle === undefined
            ? html`${WARNING}${of.about}
              ${consoleForm(frame, {
                action: `${pathOf(one)}/${of.path}`,
                body: html`${of.hidden}${groundsFields(typed, refused)}
                  <div class="actions">${of.button} ${linkButton({ label: 'Cancel', href: back })}</div>`,
              })}`
            : html`<p>${obstacle}</p>
                <div class="actions">${linkButton({ label: 'Back', href: back })}</div>`
        }
      </section>`,
  });
}

const WARNING = html`<div class="notice bad">
  <p>
    <strong>“I lost my phone” is how accounts are stolen.</strong> Whoever asks may have the password already and need only you. Do not go by a mail, a chat or
    a voice on the phone: meet them, or call back on a number that you knew before today.
  </p>
</div>`;

function groundsFields(typed: GroundsTyped, refused: GroundsRefused): Html {
  return html`${textField({
    label: 'Reason',
    name: 'reason',
    value: typed.reason,
    required: true,
    hint: 'Such as “Phone stolen on Monday”. Kept on record.',
    error: refused.reason,
  })}
  ${select({
    label: 'How did you check who is asking?',
    name: 'check',
    value: typed.check,
    options: [['', 'Choose'], ...Object.entries(CHECKS)],
    error: refused.check,
  })}
  ${textField({ label: 'More about the check', name: 'note', value: typed.note, hint: 'Which number you called, who was there. Kept on record.', error: refused.note })}`;
}

/** The one time that the code is shown: in the answer to the form, at no address of its own. */
export function bypassCodeIssued(frame: Frame, one: PersonInFull, { code, expiresAt }: { code: string; expiresAt: number }): Html {
  const { account } = one;
  return consolePage(frame, {
    title: 'Bypass code',
    current: 'people',
    body: html`<section class="card">
        <p>For <strong>${account.name}</strong>, ${account.email}. It works once, until <strong>${timeOf(expiresAt)}</strong>. We can’t show it again.</p>
        <p class="key" id="bypass-code">${code}</p>
        <div class="actions"><button class="button" type="button" data-copy="${code}" hidden>Copy</button></div>
      </section>
      <section class="card" aria-labelledby="tell-them">
        <h2 id="tell-them">What to tell them</h2>
        <ol>
          <li>Sign in at ${frame.installation.origin} with your password.</li>
          <li>Choose “Try another way”, then “Bypass code”, and enter this code.</li>
          <li>Set up the new phone right away: the page says how. A code by mail is asked for on the way.</li>
        </ol>
        <p class="quiet">Say it to them, or show it. Do not send it to an address or a chat that whoever has the phone may read.</p>
        <div class="actions">${linkButton({ label: 'Done', href: addressIn(frame, pathOf(one)), main: true })}</div>
      </section>`,
  });
}
