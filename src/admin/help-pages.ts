// Helping somebody who lost their phone: what stands about it on their page, and the forms.
import { may } from '../organisations/organisations.ts';
import { CHECKS, type GroundsRefused, type GroundsTyped, type HelpRefusal, type LiveBypassCode } from '../lost-phone/lost-phone.ts';
import { button, linkButton, mistakes, notice, select, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { momentOf, timeOf } from '../platform/words/times.ts';
import type { PersonInFull } from './admin.ts';
import { addressIn, consoleForm, consolePage, type Frame } from './pages.ts';

/** Why somebody can't be helped. */
export const HELP_REASONS: Readonly<Record<Exclude<HelpRefusal, 'not-found'>, string>> = {
  'not-allowed': 'Your role here lets you look, and change nothing.',
  oneself: 'This is you. Use your Recovery Key, or ask somebody else who looks after the organisation.',
  'higher-role': 'This person’s role is higher than yours. For an owner, the operator of the server can help.',
  'needs-a-person': 'A key of the API can’t help: whoever does shows first that it is them.',
  'two-factor-off':
    'This person signs in with the password alone, so there is nothing to get past. Who has forgotten it presses “Forgot password?” on the sign-in page.',
  'own-two-factor-off': 'First turn two-factor authentication on for yourself: whoever knew your password could let themselves in as anybody otherwise.',
  'looks-after-others':
    'This person looks after another organisation, and you don’t belong there in a role that reaches theirs. Somebody who does can help, or the operator of the server.',
  'changed-meanwhile': 'This changed in the meantime, so nothing was done. What you see now is how it is.',
};

const addressOf = ({ account }: Pick<PersonInFull, 'account'>): string => `/admin/people/${account.id}/bypass-code`;

/** On a person's page. */
export function lostPhone(frame: Frame, one: PersonInFull): Html | false {
  if (!may(frame.role, 'issue-bypass-code')) return false;
  const { bypassCode: live } = one;
  return html`<section class="card" aria-labelledby="lost-phone">
    <h2 id="lost-phone">Lost phone</h2>
    ${live ? liveCode(frame, one, live) : html`<p class="quiet">A bypass code lets ${one.account.name} in once without the second step, to set up a new phone.</p>`}
    <div class="actions">${linkButton({ label: live ? 'Issue another bypass code' : 'Issue a bypass code', href: addressIn(frame, addressOf(one)) })}</div>
  </section>`;
}

function liveCode(frame: Frame, one: PersonInFull, { issuedAt, expiresAt }: LiveBypassCode): Html {
  return html`<p>
      <span class="tag warn">waiting</span> ${one.bypassCodeBy} issued a bypass code on ${momentOf(issuedAt)}. It works once, until ${timeOf(expiresAt)}.
    </p>
    ${consoleForm(frame, { action: `${addressOf(one)}/revoke`, body: html`<div class="actions">${button({ label: 'Take it back', danger: true })}</div>` })}`;
}

interface BypassForm {
  readonly typed: GroundsTyped;
  /** Why nobody can be helped here, as things are. */
  readonly obstacle?: string | undefined;
  readonly refused?: GroundsRefused | undefined;
  /** What else stood in the way of what was just asked for. */
  readonly problem?: string | undefined;
}

export function issueBypassCode(frame: Frame, one: PersonInFull, { typed, obstacle, refused = {}, problem }: BypassForm): Html {
  const { account, bypassCode: live } = one;
  const back = addressIn(frame, `/admin/people/${account.id}`);
  return consolePage(frame, {
    title: 'Issue a bypass code',
    current: 'people',
    body: html`${mistakes(refused.reason, refused.check, refused.note)} ${problem !== undefined && notice({ kind: 'bad', text: problem })}
      <section class="card">
        <p>For <strong>${account.name}</strong>, ${account.email}</p>
        ${
          obstacle === undefined
            ? html`${WARNING} ${live && html`<p>A code that was issued on ${momentOf(live.issuedAt)} still works. The new one takes its place.</p>`}
              ${consoleForm(frame, {
                action: addressOf(one),
                body: html`<input type="hidden" name="present" value="${live?.id ?? ''}" />
                  ${textField({ label: 'Reason', name: 'reason', value: typed.reason, required: true, hint: 'Such as “Phone stolen on Monday”. Kept on record.', error: refused.reason })}
                  ${select({
                    label: 'How did you check who is asking?',
                    name: 'check',
                    value: typed.check,
                    options: [['', 'Choose'], ...Object.entries(CHECKS)],
                    error: refused.check,
                  })}
                  ${textField({ label: 'More about the check', name: 'note', value: typed.note, hint: 'Which number you called, who was there. Kept on record.', error: refused.note })}
                  <div class="actions">${button({ label: 'Issue the code', main: true })} ${linkButton({ label: 'Cancel', href: back })}</div>`,
              })}`
            : html`<p>${obstacle}</p>
                <div class="actions">${linkButton({ label: 'Back', href: back })}</div>`
        }
      </section>`,
  });
}

const WARNING = html`<div class="notice bad">
    <p>
      <strong>“I lost my phone” is how accounts are stolen.</strong> Whoever asks may have the password already and need only you. Do not go by a mail, a chat
      or a voice on the phone: meet them, or call back on a number that you knew before today.
    </p>
  </div>
  <p class="quiet">
    The code signs in once, beside the password, within an hour. The person is told by mail at once that you issued it. What you write here is kept in the audit
    log for good.
  </p>`;

/** The one time that the code is shown: in the answer to the form, at no address of its own. */
export function bypassCodeIssued(frame: Frame, { account }: PersonInFull, { code, expiresAt }: { code: string; expiresAt: number }): Html {
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
        <div class="actions">${linkButton({ label: 'Done', href: addressIn(frame, `/admin/people/${account.id}`), main: true })}</div>
      </section>`,
  });
}
