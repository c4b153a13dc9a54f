import { describe, emailFactor, METHOD_NAME_MOST } from '../attempts/attempts.ts';
import { factorOf, recoveryKeyAmong, standing, type EnrolledFactor } from '../factors/factors.ts';
import { button, form, linkButton, mistakes, notice, textField } from '../platform/html/forms.ts';
import { html, type Html } from '../platform/html/html.ts';
import { keyIcon } from '../platform/html/icons.ts';
import { dateOf, momentOf, timeOf } from '../platform/words/times.ts';
import type { TrustedDevice } from '../sessions/sessions.ts';
import { devicesSection } from './device-pages.ts';
import { methodsToAdd, removalRefusal, type RemovalRefusal, type Security, type SettingUp } from './manage-account.ts';
import { settings, type Frame } from './pages.ts';

const SECURITY = '/account/security';

export function security(frame: Frame, state: Security, devices: readonly TrustedDevice[]): Html {
  return settings(frame, {
    title: 'Security and Credentials',
    current: 'security',
    body: html`<p class="quiet">How you prove that it is you.</p>
      ${state.onlySignedIn && newPhoneSection(frame, state)} ${bypassCodeSection(frame, state)} ${resetSection(frame, state)} ${twoFactorSection(frame, state)}
      ${state.on && recoveryKeySection(state)} ${devicesSection(frame, devices)} ${state.links.length > 0 && linksSection(frame, state)}
      <section class="card" aria-labelledby="password">
        <h2 id="password">Password</h2>
        ${
          state.hasPassword
            ? html`<p class="quiet">Changed ${dateOf(state.account.passwordChangedAt)}.</p>
                <div class="actions">${linkButton({ label: 'Change password', href: `${SECURITY}/password` })}</div>`
            : html`<p class="quiet">You have none here: you sign in by your organisation.</p>`
        }
      </section>`,
  });
}

/** By whose word one comes in without a password. */
function linksSection({ formToken }: Frame, { links }: Security): Html {
  return html`<section class="card" aria-labelledby="single-sign-on">
    <h2 id="single-sign-on">Single sign-on</h2>
    <p class="quiet">
      Your organisation’s own sign-in lets you in here. A second step that you have set up is asked for all the same, unless it was asked for there.
    </p>
    ${links.map(
      ({ connectionId, connectionName, lastUsedAt, serves }) =>
        html`<div class="row">
          <div class="grow">
            <p><strong>${connectionName}</strong> ${!serves && html`<span class="tag warn">turned off</span>`}</p>
            <p class="quiet">Last used ${momentOf(lastUsedAt)}</p>
          </div>
          ${form({
            action: `${SECURITY}/disconnect`,
            formToken,
            body: html`<input type="hidden" name="connection" value="${connectionId}" />${button({ label: 'Disconnect', danger: true })}`,
          })}
        </div>`,
    )}
  </section>`;
}

/** After a bypass code: what to do now comes first. */
function newPhoneSection({ formToken }: Frame, state: Security): Html {
  const lost = standing(state.enrolled).filter(({ kind }) => factorOf(kind).most > 1);
  return html`<section class="card" aria-labelledby="new-phone">
    <h2 id="new-phone">Set up your new phone</h2>
    ${
      state.maySetUp
        ? html`<p>You came in with a bypass code, which is used up. Do this before ${timeOf(state.setUpUntil)}: afterwards you need another code.</p>
            <p class="quiet">To go on, we send a code to <strong>${state.account.email}</strong>.</p>
            ${lost.map((one) =>
              form({
                action: `${SECURITY}/methods/${one.id}/replace`,
                formToken,
                body: html`<div class="actions">${button({ label: `Replace ${describe(one)}`, main: true })}</div>`,
              }),
            )}
            ${methodsToAdd(state).length > 0 && html`<div class="actions">${linkButton({ label: 'Add a method', href: `${SECURITY}/enable`, main: lost.length === 0 })}</div>`}`
        : html`<p>The time for that is over. Ask your administrator for another bypass code, and do it right after signing in.</p>`
    }
  </section>`;
}

/** One that was issued and not used yet. Whoever did not ask for it ends it here. */
function bypassCodeSection({ formToken }: Frame, { bypassCode }: Security): Html | false {
  if (!bypassCode) return false;
  return html`<section class="card" aria-labelledby="bypass-code">
    <h2 id="bypass-code">Bypass code <span class="tag warn">waiting</span></h2>
    <p>
      An administrator issued one for you on ${momentOf(bypassCode.issuedAt)}. With your password it signs in once, until ${timeOf(bypassCode.expiresAt)}. If
      you did not ask for it, take it back and change your password.
    </p>
    ${form({ action: `${SECURITY}/bypass-code/refuse`, formToken, body: html`<div class="actions">${button({ label: 'Take back', danger: true })}</div>` })}
  </section>`;
}

/** Whoever is signed in here has what is to be removed, and most likely did not ask for it. */
function resetSection({ formToken }: Frame, { reset }: Security): Html | false {
  if (!reset) return false;
  const agreed = reset.needsApproval && reset.approvedBy === null ? ', once a second administrator has agreed' : '';
  return html`<section class="card" aria-labelledby="reset">
    <h2 id="reset">Reset of your methods <span class="tag warn">waiting</span></h2>
    <p>
      On ${momentOf(reset.askedAt)} an administrator of ${reset.organisation.name} asked for all your second steps and your Recovery Key to be removed. It
      happens on ${momentOf(reset.dueAt)}${agreed}. You have just signed in, so you may not need it: stop it, unless you asked for it yourself.
    </p>
    ${form({ action: `${SECURITY}/reset/stop`, formToken, body: html`<div class="actions">${button({ label: 'Stop it', danger: true })}</div>` })}
  </section>`;
}

function twoFactorSection(frame: Frame, state: Security): Html {
  const tag = state.on ? html`<span class="tag good">On</span>` : html`<span class="tag">Off</span>`;
  return html`<section class="card" aria-labelledby="two-factor">
    <h2 id="two-factor">Two-Factor Authentication ${tag}</h2>
    <p class="quiet">${explanation(frame, state)}</p>
    ${standing(state.enrolled).map((one) => methodRow(state, one))} ${twoFactorActions(state)}
  </section>`;
}

function explanation({ installation }: Frame, { on, policy: { demand, askedBy = installation.name }, account, hasPassword }: Security): string {
  const first = hasPassword ? 'your password' : 'your organisation’s sign-in';
  if (on)
    return demand.twoFactor === 'required'
      ? `After ${first} you also show one of these. ${askedBy} asks you for it.`
      : `After ${first} you also show one of these.`;
  if (demand.twoFactor === 'off') return `${askedBy} has switched two-factor authentication off, so it can’t be turned on now.`;
  if (account.emailVerifiedAt === null) return `First verify that ${account.email} is yours: codes and notices go there, so it has to reach you.`;
  return `A second step after ${first}, so that a stolen password opens nothing. It takes a minute.`;
}

function twoFactorActions(state: Security): Html | false {
  const { on, policy, account } = state;
  if (on) {
    return html`<div class="actions">
      ${methodsToAdd(state).length > 0 && linkButton({ label: 'Add a method', href: `${SECURITY}/enable`, main: true })}
      ${linkButton({ label: 'Disable', href: `${SECURITY}/disable`, danger: true })}
    </div>`;
  }
  if (policy.demand.twoFactor === 'off') return false;
  const next =
    account.emailVerifiedAt === null
      ? linkButton({ label: 'Verify email', href: '/verify-email', main: true })
      : linkButton({ label: 'Enable Two-Factor Authentication', href: `${SECURITY}/enable`, main: true });
  return html`<div class="actions">${next}</div>`;
}

function methodRow({ account }: Security, one: EnrolledFactor): Html {
  const { words, pages, provesEmail } = factorOf(one.kind);
  const used = one.lastUsedAt === null ? 'not used yet' : `last used ${momentOf(one.lastUsedAt)}`;
  return html`<div class="row">
    <span class="icon">${pages.icon}</span>
    <div class="grow">
      <p>
        <strong>${words.name}</strong>${one.name !== words.name && html` · ${one.name}`}
        ${words.caution !== undefined && html`<span class="tag warn">${words.caution}</span>`}
      </p>
      <p class="quiet">${provesEmail && `${account.email}. `}Added ${dateOf(one.createdAt)}, ${used}</p>
    </div>
    <a class="button" href="${SECURITY}/methods/${one.id}" aria-label="Manage ${describe(one)}">Manage</a>
  </div>`;
}

function recoveryKeySection({ enrolled }: Security): Html {
  const key = recoveryKeyAmong(enrolled);
  return html`<section class="card" aria-labelledby="recovery-key">
    <h2 id="recovery-key">Recovery Key</h2>
    <p class="quiet">Gets you back in when you have lost everything else. Keep it where you keep your passport.</p>
    <div class="row">
      <span class="icon">${keyIcon}</span>
      <div class="grow">
        <p><strong>${key ? 'Ready' : 'None'}</strong></p>
        <p class="quiet">${key ? `Made ${dateOf(key.createdAt)}. It is shown only once, when it is made.` : 'Create one, so that you can’t be locked out.'}</p>
      </div>
      ${linkButton({ label: 'Create new Recovery Key', href: `${SECURITY}/recovery-key` })}
    </div>
  </section>`;
}

interface EnableState extends Security, SettingUp {
  /** The policy lets nobody go on without. */
  readonly owed: boolean;
}

/** "Enable Two-Factor Authentication", and later "Add a method". */
export function enable(frame: Frame, state: EnableState): Html {
  const kinds = methodsToAdd(state).filter((kind) => !state.strong || factorOf(kind).assurance === 2);
  const byEmail = kinds.includes(emailFactor.kind);
  const others = kinds.filter((kind) => kind !== emailFactor.kind);
  const title = state.on ? 'Add a method' : 'Enable Two-Factor Authentication';
  const off = state.policy.demand.twoFactor === 'off';
  const unverified = state.account.emailVerifiedAt === null && !off;
  const all = state.owed ? 'There is no way open to you. Ask whoever looks after your organisation for help.' : 'You have every method that there is.';
  const none = off ? explanation(frame, { ...state, on: false }) : kinds.length === 0 && !unverified ? all : undefined;
  return settings(frame, {
    title,
    current: 'security',
    body: html`${state.owed && notice({ kind: 'plain', text: owedSentence(frame, state) })}
    ${state.strong && kinds.length > 0 && notice({ kind: 'plain', text: STRONG_SENTENCE })} ${none !== undefined && notice({ kind: 'plain', text: none })}
    ${
      unverified &&
      html`<section class="card">
        <p>${explanation(frame, { ...state, on: false })}</p>
        <div class="actions">${linkButton({ label: 'Verify email', href: '/verify-email', main: true })}</div>
      </section>`
    }
    ${
      byEmail &&
      html`<section class="card" aria-labelledby="by-email">
        <h2 id="by-email">${emailFactor.words.name} <span class="tag warn">${emailFactor.words.caution}</span></h2>
        <p class="quiet">After your password, we send six digits to <strong>${state.account.email}</strong>. Try it now: enter the code that we send.</p>
        ${methodForm(frame, state, { kind: emailFactor.kind, label: 'Send verification code', main: true })}
      </section>`
    }
    ${others.map((kind) => {
      const { words, pages } = factorOf(kind);
      return html`<section class="card" aria-labelledby="by-${kind}">
        <h2 id="by-${kind}">${words.name} <span class="tag good">stronger</span></h2>
        <div class="quiet">
          ${pages.begin({ person: { accountId: '', name: '', email: '', language: '' }, installationName: frame.installation.name }).body}
        </div>
        ${methodForm(frame, state, { kind, label: words.enable, main: !byEmail })}
      </section>`;
    })}
    ${!state.owed && html`<p><a href="${SECURITY}">Back to Security and Credentials</a></p>`}`,
  });
}

const STRONG_SENTENCE =
  'What you were opening asks for something that only you have, and an emailed code is not that. Set it up now: it takes a minute, and then you go on where you were.';

function owedSentence({ installation }: Frame, { policy: { askedBy = installation.name }, enrolled }: Security): string {
  return standing(enrolled).length === 0
    ? `${askedBy} asks you for a second step after the password. Set it up now: it takes a minute, and then you go on where you were.`
    : `What you have no longer is enough for ${askedBy}. Add another way now: it takes a minute, and then you go on where you were.`;
}

function methodForm({ formToken }: Frame, { then, strong }: EnableState, { kind, label, main }: { kind: string; label: string; main: boolean }): Html {
  const hidden = html`<input type="hidden" name="method" value="${kind}" />${then !== undefined && html`<input type="hidden" name="then" value="${then}" />`}
    ${strong && html`<input type="hidden" name="strong" value="1" />`}`;
  return form({ action: `${SECURITY}/enable`, formToken, body: html`${hidden}${button({ label, main })}` });
}

export function disable(frame: Frame, { on, policy: { demand, askedBy = frame.installation.name }, account }: Security): Html {
  const refused = demand.twoFactor === 'required';
  return settings(frame, {
    title: 'Disable two-factor authentication',
    current: 'security',
    body: html`<section class="card">
      ${!on && html`<p>Two-factor authentication is off already.</p>`}
      ${
        on &&
        refused &&
        notice({
          kind: 'bad',
          text: `${askedBy} asks you for two-factor authentication, so it can’t be disabled. Your administrator decides this.`,
        })
      }
      ${
        on &&
        !refused &&
        html`<p>Your password alone will sign you in. Your methods are removed and your Recovery Key stops working.</p>
          <p class="quiet">To go on, we send a code to <strong>${account.email}</strong>.</p>
          ${form({ action: `${SECURITY}/disable`, formToken: frame.formToken, body: button({ label: 'Send verification code', danger: true }) })}`
      }
      <div class="actions">${linkButton({ label: on && !refused ? 'Cancel' : 'Back to Security and Credentials', href: SECURITY })}</div>
    </section>`,
  });
}

export function newRecoveryKey(frame: Frame): Html {
  return settings(frame, {
    title: 'Create new Recovery Key',
    current: 'security',
    body: html`<section class="card">
      <p>The key that you have keeps working until you have saved the new one and pressed “Finish”.</p>
      <p class="quiet">To go on, we send a code to <strong>${frame.account.email}</strong>.</p>
      ${form({ action: `${SECURITY}/recovery-key`, formToken: frame.formToken, body: button({ label: 'Send verification code', main: true }) })}
      <div class="actions">${linkButton({ label: 'Cancel', href: SECURITY })}</div>
    </section>`,
  });
}

export type MethodRefusal = RemovalRefusal | 'name';

/** One method: its name, a new phone, its removal. */
export function method(
  frame: Frame,
  { security: state, method: one, refusal }: { security: Security; method: EnrolledFactor; refusal: MethodRefusal | undefined },
): Html {
  const factor = factorOf(one.kind);
  const address = `${SECURITY}/methods/${one.id}`;
  const nameError = refusal === 'name' ? `Use 1 to ${METHOD_NAME_MOST} characters that can be shown.` : undefined;
  const removal = removalRefusal(state, one.id);
  return settings(frame, {
    title: describe(one),
    current: 'security',
    body: html`${mistakes(nameError)}
      <p class="quiet">Added ${momentOf(one.createdAt)}, ${one.lastUsedAt === null ? 'not used yet' : `last used ${momentOf(one.lastUsedAt)}`}.</p>
      ${
        factor.most > 1 &&
        html`<section class="card" aria-labelledby="rename">
            <h2 id="rename">Name</h2>
            ${form({
              action: `${address}/rename`,
              formToken: frame.formToken,
              body: html`${textField({ label: 'Name of this app', name: 'name', value: one.name, required: true, error: nameError })}
              ${button({ label: 'Save name' })}`,
            })}
          </section>
          <section class="card" aria-labelledby="replace">
            <h2 id="replace">New phone?</h2>
            <p class="quiet">Set the app up on the new phone. This one serves until the new one has shown a right code.</p>
            ${form({ action: `${address}/replace`, formToken: frame.formToken, body: button({ label: 'Set up on the new phone', main: true }) })}
          </section>`
      }
      <section class="card" aria-labelledby="remove">
        <h2 id="remove">Remove</h2>
        ${
          removal === undefined
            ? html`<p class="quiet">It stops working at once, and all other browsers are signed out.</p>
                ${form({ action: `${address}/remove`, formToken: frame.formToken, body: button({ label: 'Remove', danger: true }) })}`
            : removalSentence(state.policy.askedBy ?? frame.installation.name, removal)
        }
      </section>
      <p><a href="${SECURITY}">Back to Security and Credentials</a></p>`,
  });
}

function removalSentence(asker: string, removal: RemovalRefusal): Html {
  if (removal === 'policy-requires') {
    return html`<p class="quiet">${asker} asks you for two-factor authentication, and this is your only method. Add another one first, then remove this.</p>`;
  }
  return html`<p class="quiet">This is your only method. Add another one first, or <a href="${SECURITY}/disable">disable two-factor authentication</a>.</p>`;
}
