import { keyIcon } from '../../platform/html/icons.ts';
import { html, type Html } from '../../platform/html/html.ts';
import { momentOf } from '../../platform/words/times.ts';
import type { FactorPages } from '../contract.ts';
import type { RecoveryKeyState } from './recovery-key.ts';

export const pages: FactorPages<RecoveryKeyState, null> = {
  icon: keyIcon,
  ask: () => ({
    heading: 'Use your Recovery Key',
    body: html`<p>Enter the key that you saved when you turned two-factor authentication on. It works once: you get the next one right away.</p>`,
  }),
  begin: () => ({ heading: 'Recovery Key', button: 'Continue', body: html`` }),
  confirm: () => ({ heading: 'Recovery Key', button: 'Continue', body: html``, dialog: false }),
};

interface KeyToKeep {
  readonly key: string;
  readonly saved: boolean;
  readonly email: string;
  readonly origin: string;
  readonly downloadForm: (button: Html) => Html;
}

/**
 * The key, and three ways to save it. The download is a form, so that it works without JavaScript; `downloadForm` wraps its button, which is the
 * main one until the key was `saved`.
 */
export function keepKeyBody({ key, saved, email, origin, downloadForm }: KeyToKeep): Html {
  return html`<p class="key" id="recovery-key">${key}</p>
    <p class="paper">For ${email} at ${origin}. To use it, sign in there with your password, choose “Try another way”, then “Recovery Key”. It works once.</p>
    <div class="actions save">
      ${downloadForm(html`<button class="${saved ? 'button wide' : 'button main wide'}" type="submit" data-download>Download</button>`)}
      <button class="button" type="button" data-copy="${key}" data-saves hidden>Copy</button>
      <button class="button" type="button" data-print hidden>Print</button>
    </div>`;
}

/** The text file. It says what it is to somebody who finds it years later. */
export function recoveryKeyFile({
  installationName,
  origin,
  email,
  key,
  madeAt,
}: {
  installationName: string;
  origin: string;
  email: string;
  key: string;
  madeAt: number;
}): string {
  return [
    `Recovery Key for ${installationName}`,
    '',
    `    ${key}`,
    '',
    `Account:  ${email}`,
    `Site:     ${origin}`,
    `Made on:  ${momentOf(madeAt)}`,
    '',
    'What it is for',
    'If you lose your phone and can’t receive codes, this key gets you back in.',
    '',
    'How to use it',
    `1. Go to ${origin}/sign-in and enter your email and password.`,
    '2. Choose "Try another way", then "Recovery Key".',
    '3. Enter the key. Capitals, spaces and dashes do not matter.',
    'It works once. You get the next key right away: save that one and throw this one away.',
    '',
    'Keep it where you keep your passport. Whoever has it and your password can get in.',
    'If somebody else may have seen it, sign in and press "Create new Recovery Key".',
    '',
  ].join('\r\n');
}
