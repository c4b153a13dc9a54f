// The pages of an attempt's steps. The words of the mission stand here exactly, because printed instructions name them.
import type { Account } from '../accounts/accounts.ts';
import { factorOf, keepKeyBody, standing, type FactorRefusal } from '../factors/factors.ts';
import { button, checkbox, codeField, form, linkButton, mistakes, notice, textField } from '../platform/html/forms.ts';
import { html, type Html, type Value } from '../platform/html/html.ts';
import { alonePage, dialogPage, type AlonePage } from '../platform/html/layout.ts';
import { momentOf, timeLeft, timeOf, waitingTime } from '../platform/words/times.ts';
import type { Installation } from '../platform/world.ts';
import { isReset, methodsToSetUp, personOf, type Attempt, type Situation } from './attempt.ts';
import { METHOD_NAME_MOST } from './method-name.ts';
import { daysToRemember, describe, emailFactor, SEND_AGAIN_AFTER, triesAreUp } from './steps.ts';

/** What all pages of a journey share. */
export interface Frame {
  readonly installation: Installation;
  readonly formToken: string;
  /** The address of this step; its forms post to it. */
  readonly address: string;
  readonly now: number;
  readonly leave: { readonly label: string; readonly address: string };
  /** Where somebody goes whose address has a slip in it, so that no code can come. */
  readonly otherAddress: string | undefined;
  /** Where somebody asks for help who can show none of it. */
  readonly help: string | undefined;
  /** Where a new attempt begins. */
  readonly again: string;
  readonly progress: { readonly at: number; readonly of: number } | undefined;
  readonly language: string;
  /** A session holds the attempt: its pages are a signed-in person's. */
  readonly signedIn: boolean;
}

export type Refusal = {
  readonly reason: FactorRefusal | 'attempt-over' | 'too-many-tries' | 'too-soon' | 'too-many-mails' | 'key-not-saved' | 'choice-unknown' | 'name-refused';
  readonly retryAt?: number | 'never';
};

interface Asked {
  readonly refusal: Refusal | undefined;
  /** What was typed, so that it need not be typed again. */
  readonly answer: string;
}

/** Asks for the second factor, or for the Recovery Key. */
export function secondFactor(
  frame: Frame,
  situation: Situation,
  { refusal, answer, others, remembers }: Asked & { others: boolean; /** The box was ticked. */ remembers: boolean },
): Html {
  const { attempt, account, enrolled } = situation;
  const days = daysToRemember(situation);
  const factor = factorOf(attempt.state.asking!);
  const sent = factor.challenge === undefined || attempt.state.challenges[factor.kind] !== undefined;
  const { heading, body } = factor.pages.ask({
    person: personOf(account),
    enrolled: enrolled.filter((one) => one.kind === factor.kind),
    installationName: frame.installation.name,
    sent,
  });
  const stands = whatStands(frame, attempt, { factor, refusal });
  const over = stands?.reason === 'attempt-over';
  return alone(frame, account, heading, [
    html`<div class="quiet">${body}</div>`,
    problem(frame, stands, factor.words.refusal, others),
    over && startAgain(frame),
    // Where no code is on its way none can be entered.
    !over &&
      sent &&
      answerForm(frame, {
        action: frame.address,
        field: html`${answerField(factor, refusal, answer)}${days > 0 && rememberBox(days, remembers)}`,
        label: 'Continue',
      }),
    factor.challenge && !over && sendForm(frame, attempt, { first: !sent }),
    others && html`<div class="actions">${linkButton({ label: 'Try another way', href: `${frame.address}/other`, wide: true })}</div>`,
    !others && askForHelp(frame),
  ]);
}

const rememberBox = (days: number, checked: boolean): Html =>
  html`${checkbox({ label: `Remember this device for ${days === 1 ? 'a day' : `${days} days`}`, name: 'remember', checked })}
    <p class="quiet">Then your password alone signs in here. Only in a browser that nobody else uses.</p>`;

/** The picker: every way that this account has, the strongest first. */
export function chooseFactor(frame: Frame, { account }: Situation, kinds: readonly string[], refusal: Refusal | undefined): Html {
  return alone(frame, account, 'Choose how to go on', [
    problem(frame, refusal),
    html`<ul class="choices">
      ${kinds.map((kind) => {
        const { words, pages } = factorOf(kind);
        return html`<li>
          ${form({
            action: `${frame.address}/other`,
            formToken: frame.formToken,
            body: html`<button class="choice" type="submit" name="method" value="${kind}">
              <span class="icon">${pages.icon}</span
              ><span class="grow"
                ><strong>${words.name}</strong> ${words.caution && html`<span class="tag warn">${words.caution}</span>`}<br /><span class="quiet"
                  >${words.invitation}</span
                ></span
              >
            </button>`,
          })}
        </li>`;
      })}
    </ul>`,
    askForHelp(frame),
  ]);
}

const askForHelp = ({ help }: Frame): Html | false => help !== undefined && html`<p class="links"><a href="${help}">I have none of these: ask for help</a></p>`;

/** Asks for the code that went to the account's address, or offers to send it. */
export function emailCode(frame: Frame, { attempt, account }: Situation, { refusal, answer, button: label }: Asked & { button: string }): Html {
  const address = attempt.state.newEmail ?? account.email;
  const sent = attempt.state.emailPending !== null;
  const stands = whatStands(frame, attempt, { factor: emailFactor, refusal });
  const over = stands?.reason === 'attempt-over';
  return alone(frame, account, 'Check your email', [
    sent
      ? html`<p class="quiet">We sent a code of six digits to <strong>${address}</strong>. It works for ten minutes.</p>`
      : html`<p class="quiet">We will send a code of six digits to <strong>${address}</strong>.</p>`,
    problem(frame, stands, emailFactor.words.refusal),
    over && startAgain(frame),
    !over && sent && answerForm(frame, { action: frame.address, field: answerField(emailFactor, refusal, answer), label }),
    !over && sendForm(frame, attempt, { first: !sent }),
  ]);
}

/** The screen of the policy: two-factor authentication has to be set up to go on. */
export function chooseMethod(frame: Frame, { account, enrolled, policy, verdict }: Situation, refusal: Refusal | undefined): Html {
  const asker = policy.askedBy ?? frame.installation.name;
  const kinds = methodsToSetUp(account, policy.demand);
  const held = [...new Set(standing(enrolled).map((one) => factorOf(one.kind).words.name))].join(', ');
  const later = verdict.kind !== 'passes' && frame.now < verdict.by ? verdict.by : undefined;
  return alone(frame, account, 'Set up two-factor authentication', [
    html`<p class="quiet">
      ${isReset(account) ? 'Your methods were reset.' : held === '' ? `${asker} asks you for a second step after the password.` : `${asker} asks you for a stronger second step than what you have (${held}).`}
      ${kinds.length > 0 && 'Choose yours: it takes a minute.'}
    </p>`,
    later !== undefined &&
      notice({ kind: 'plain', text: `You have until ${momentOf(later)}: ${timeLeft(later - frame.now)}. After that there is no way in without it.` }),
    kinds.length === 0 &&
      notice({
        kind: 'bad',
        text:
          account.emailVerifiedAt === null
            ? `There is no way open to you, since your email is not verified. Ask whoever looks after ${asker} for help.`
            : `There is no way open to you. Ask whoever looks after ${asker} for help.`,
      }),
    problem(frame, refusal),
    kinds.map((kind, index) => {
      const { words, pages } = factorOf(kind);
      return html`<div class="method">
        <span class="icon">${pages.icon}</span>
        <div class="grow">
          <p>
            <strong>${words.name}</strong> ${words.caution && html`<span class="tag warn">${words.caution}</span>`}<br /><span class="quiet"
              >${words.invitation}</span
            >
          </p>
          ${form({
            action: frame.address,
            formToken: frame.formToken,
            body: html`<input type="hidden" name="method" value="${kind}" />${button({ label: words.enable, main: index === 0, wide: true })}`,
          })}
        </div>
      </div>`;
    }),
    later !== undefined && form({ action: `${frame.address}/later`, formToken: frame.formToken, body: button({ label: 'Not now', wide: true }) }),
  ]);
}

/** What the method is, before it is set up. */
export function beginMethod(frame: Frame, { attempt, account, enrolled }: Situation, { refusal, answer, back }: Asked & { back: boolean }): Html {
  const method = attempt.state.method!;
  const factor = factorOf(method.kind);
  const { heading, body, button: label } = factor.pages.begin({ person: personOf(account), installationName: frame.installation.name });
  const named = factor.most > 1 && enrolled.some((one) => one.kind === factor.kind);
  const replaced = enrolled.find((one) => one.id === method.replaces);
  return alone(frame, account, heading, [
    html`<div class="quiet">${body}</div>`,
    replaced && html`<p>The new one takes the place of ${describe(replaced)}, which works until the new one has shown a right code.</p>`,
    problem(frame, refusal, factor.words.refusal),
    form({
      action: frame.address,
      formToken: frame.formToken,
      body: html`${
        named &&
        textField({
          label: 'Name of this app',
          name: 'name',
          value: refusal?.reason === 'name-refused' ? answer : method.name,
          hint: 'So that you can tell them apart.',
          autocomplete: 'off',
          error: refusal?.reason === 'name-refused' ? sentence(frame.now, refusal) : undefined,
        })
      }${button({ label, main: true, wide: true })}`,
    }),
    back &&
      form({
        action: `${frame.address}/back`,
        formToken: frame.formToken,
        body: html`<div class="actions">${button({ label: 'Choose another way', wide: true })}</div>`,
      }),
  ]);
}

/** Shows what is to be scanned, or says what was sent, and asks for the first code. */
export function confirmMethod(frame: Frame, { attempt, account }: Situation, { refusal, answer }: Asked): Html {
  const method = attempt.state.method!;
  const factor = factorOf(method.kind);
  const shown = factor.pages.confirm({
    person: personOf(account),
    pending: factor.pending.parse(method.pending),
    installationName: frame.installation.name,
  });
  const stands = whatStands(frame, attempt, { factor, refusal });
  const over = stands?.reason === 'attempt-over';
  const body = [
    shown.body,
    problem(frame, stands, factor.words.refusal),
    over && startAgain(frame),
    !over && answerForm(frame, { action: frame.address, field: answerField(factor, refusal, answer), label: shown.button }),
    factor.challenge && !over && sendForm(frame, attempt, { first: false }),
    !factor.challenge &&
      form({ action: `${frame.address}/back`, formToken: frame.formToken, body: html`<div class="actions">${button({ label: 'Back', wide: true })}</div>` }),
  ];
  return shown.dialog ? dialog(frame, account, shown.heading, body) : alone(frame, account, shown.heading, body);
}

/** The one time that the Recovery Key is shown. */
export function recoveryKey(frame: Frame, { attempt, account }: Situation, { key, refusal }: { key: string; refusal: Refusal | undefined }): Html {
  const used = attempt.state.usedRecoveryKey;
  const saved = attempt.state.newKey!.saved;
  const body = [
    used && html`<p class="quiet">The key that you have just used is used up. This one takes its place.</p>`,
    html`<p class="quiet">If you ever lose your phone and your email, this key gets you back in. We can’t show it again.</p>`,
    keepKeyBody({
      key,
      saved,
      email: account.email,
      origin: frame.installation.origin,
      downloadForm: (inside) => form({ action: `${frame.address}/download`, formToken: frame.formToken, body: inside }),
    }),
    problem(frame, refusal),
    form({
      action: frame.address,
      formToken: frame.formToken,
      body: html`${checkbox({ label: 'I have saved it', name: 'saved', checked: saved, error: refusal && sentence(frame.now, refusal) })}
      ${button({ label: 'Finish', main: saved, wide: true })}`,
    }),
  ];
  return dialog(frame, account, used ? 'Save your next Recovery Key' : 'Save your Recovery Key', body);
}

function alone(frame: Frame, account: Account, title: string, body: Value): Html {
  return alonePage({ ...pageOf(frame, account), title, body, footer: footer(frame, account) });
}

function dialog(frame: Frame, account: Account, title: string, body: Value): Html {
  return dialogPage({ ...pageOf(frame, account), title, body, footer: footer(frame, account) });
}

function pageOf(
  { installation, language, progress, signedIn, formToken }: Frame,
  account: Account,
): Pick<AlonePage, 'installationName' | 'language' | 'progress' | 'signedIn'> {
  return { installationName: installation.name, language, progress, signedIn: signedIn ? { ...account, formToken } : undefined };
}

/** Whose account it is, where no profile button says so, and the way out. */
function footer({ leave, otherAddress, signedIn }: Frame, account: Account): Html {
  return html`<p class="quiet">
    ${!signedIn && html`${account.email} · `}<a href="${leave.address}">${leave.label}</a>${
      otherAddress !== undefined && html` · <a href="${otherAddress}">Wrong address?</a>`
    }
  </p>`;
}

function answerForm(frame: Frame, { action, field, label }: { action: string; field: Html; label: string }): Html {
  return form({ action, formToken: frame.formToken, body: html`${field}${button({ label, main: true, wide: true })}` });
}

function answerField(factor: ReturnType<typeof factorOf>, refusal: Refusal | undefined, answer: string): Html {
  const wrong = refusal !== undefined && refusal.reason.startsWith('code-');
  const input = { label: factor.words.label, name: 'code', value: answer, error: wrong ? factor.words.refusal(refusal.reason as FactorRefusal) : undefined };
  // Codes are digits; the Recovery Key has letters and is typed once in a blue moon.
  return factor.stands ? codeField(input) : textField({ ...input, autocomplete: 'off', required: true });
}

/** "Send again", or the first sending where none could be made yet. Disabled, with the time, until it may be pressed. */
function sendForm({ address, formToken, now }: Frame, { state: { sentAt, sendableAt } }: Attempt, { first }: { first: boolean }): Html {
  const waitUntil = Math.max(sentAt === null ? now : sentAt + SEND_AGAIN_AFTER, sendableAt ?? now);
  const waits = waitUntil > now;
  const waitSeconds = waits ? Math.ceil((waitUntil - now) / 1000) : undefined;
  const then = first ? 'You can ask for one now.' : 'Nothing came? Look in your spam folder.';
  return html`<div class="actions">
    ${form({
      action: `${address}/send`,
      formToken,
      body: html`${button({ label: first ? 'Send verification code' : 'Send again', main: first, wide: true, waitSeconds })}
      ${waits ? html`<p class="quiet" data-then="${then}">You can ask for ${first ? 'one' : 'another'} ${waitingTime(waitUntil - now)}.</p>` : !first && html`<p class="quiet">${then}</p>`}`,
    })}
  </div>`;
}

function startAgain({ again }: Frame): Html {
  return html`<div class="actions">${linkButton({ label: 'Start again', href: again, main: true, wide: true })}</div>`;
}

/** What was refused just now, or what stands in the way since then: a reload says the same. */
function whatStands(
  { now }: Frame,
  attempt: Attempt,
  { factor, refusal }: { factor: ReturnType<typeof factorOf>; refusal: Refusal | undefined },
): Refusal | undefined {
  if (refusal) return refusal;
  if (triesAreUp(attempt, factor.kind)) return { reason: 'attempt-over' };
  const { sendableAt } = attempt.state;
  return factor.challenge && sendableAt !== null && now < sendableAt ? { reason: 'too-many-mails', retryAt: sendableAt } : undefined;
}

/** `others`: there are other ways to go on from this page. */
function problem({ now }: Frame, refusal: Refusal | undefined, words?: (reason: FactorRefusal) => string, others = false): Html | false {
  if (refusal === undefined) return false;
  const text = sentence(now, refusal, { words, others });
  return standsBesideField(refusal) ? mistakes(text) : notice({ kind: 'bad', text });
}

const standsBesideField = ({ reason }: Refusal): boolean => reason.startsWith('code-') || reason === 'name-refused' || reason === 'key-not-saved';

function sentence(
  now: number,
  { reason, retryAt }: Refusal,
  { words = () => '', others = false }: { words?: ((reason: FactorRefusal) => string) | undefined; others?: boolean } = {},
): string {
  const otherwise = others ? ' Other ways still work.' : '';
  const when = typeof retryAt === 'number' ? `${waitingTime(retryAt - now)} (at ${timeOf(retryAt)})` : '';
  switch (reason) {
    case 'attempt-over':
      return `That was wrong too often, so this has ended to protect your account. Start again${others ? ', or try another way' : ''}.`;
    case 'too-many-tries':
      return retryAt === 'never'
        ? `There were too many wrong tries, so this way has been switched off to protect your account. ${others ? 'Use another way, then set this one up again.' : 'Ask your administrator for help.'}`
        : `There were too many wrong tries. You can try again ${when}.${otherwise}`;
    case 'too-soon':
      return `A code is on its way. You can ask for another ${when}.`;
    case 'too-many-mails':
      return `We have sent many codes to this address. You can ask for another ${when}.${otherwise}`;
    case 'key-not-saved':
      return 'Save the key first: download it, copy it or print it, or tick “I have saved it”.';
    case 'choice-unknown':
      return 'That is not one of the ways that are open to you. Choose one below.';
    case 'name-refused':
      return `Use 1 to ${METHOD_NAME_MOST} characters that can be shown.`;
    case 'code-malformed':
    case 'code-wrong':
    case 'code-expired':
    case 'code-used':
      return words(reason);
  }
}
