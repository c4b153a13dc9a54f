import type { Message } from '../platform/mail/message.ts';

/** What the owner is told by mail, at once and whether or not they are online (FC-3, RK-4). */
export type Notice =
  | 'two-factor-on'
  | 'two-factor-off'
  | 'method-added'
  | 'method-replaced'
  | 'method-removed'
  | 'recovery-key-used'
  | 'bypass-code-used'
  | 'device-trusted'
  | 'device-copied'
  | 'recovery-key-created'
  | 'password-changed'
  | 'password-reset'
  | 'email-changed'
  | 'second-factor-failed';

interface NoticeInput {
  readonly to: { readonly name: string; readonly address: string };
  readonly installationName: string;
  readonly origin: string;
  readonly asked: { readonly userAgent: string; readonly address: string; readonly at: number };
  /** The method, or the new address. */
  readonly subjectOf?: string;
}

export function noticeMessage(notice: Notice, { to, installationName, origin, asked, subjectOf = '' }: NoticeInput): Message {
  const { subject, paragraphs } = WORDS[notice](installationName, subjectOf);
  return {
    to,
    subject,
    code: undefined,
    paragraphs,
    link: { label: 'Security and Credentials', url: `${origin}/account/security` },
    asked,
    notYou:
      notice === 'second-factor-failed'
        ? 'If this was not you, somebody knows your password. They could not get in. Change your password now.'
        : 'If this was not you, somebody else may be in your account. Change your password now, look through Security and Credentials, and tell your administrator.',
    expiresAt: undefined,
  };
}

const WORDS: Record<Notice, (installation: string, of: string) => { subject: string; paragraphs: string[] }> = {
  'two-factor-on': (installation, of) => ({
    subject: `Two-factor authentication is on for ${installation}`,
    paragraphs: [
      `From now on, signing in to ${installation} asks for a second step after your password: ${of}.`,
      'Keep your Recovery Key safe: it gets you back in if you lose everything else.',
    ],
  }),
  'two-factor-off': (installation) => ({
    subject: `Two-factor authentication is off for ${installation}`,
    paragraphs: [`Signing in to ${installation} now asks for your password alone. Your Recovery Key no longer works.`],
  }),
  'method-added': (installation, of) => ({ subject: `A way to sign in to ${installation} was added`, paragraphs: [`Added: ${of}.`] }),
  'method-replaced': (installation, of) => ({
    subject: `A way to sign in to ${installation} was replaced`,
    paragraphs: [`${of} was replaced by a new one. The old one no longer works.`],
  }),
  'method-removed': (installation, of) => ({ subject: `A way to sign in to ${installation} was removed`, paragraphs: [`Removed: ${of}. It no longer works.`] }),
  'recovery-key-used': (installation) => ({
    subject: `Your Recovery Key was used for ${installation}`,
    paragraphs: ['Somebody who also knew your password used your Recovery Key to sign in. The key is used up, and a new one was shown in its place.'],
  }),
  'bypass-code-used': (installation) => ({
    subject: `A bypass code was used for ${installation}`,
    paragraphs: [
      'Somebody who also knew your password signed in with the bypass code that an administrator had issued for you. The code is used up.',
      'Set up your new phone now, if you have not: the session ends after an hour.',
    ],
  }),
  'device-trusted': (installation, of) => ({
    subject: `A device is trusted for ${installation}`,
    paragraphs: [
      `After your second step, “Remember this device” was ticked. Until ${of} your password alone signs in there.`,
      'You can end that at any time in Security and Credentials. Do so if others use that browser, too.',
    ],
  }),
  'device-copied': (installation) => ({
    subject: `A device is no longer trusted for ${installation}`,
    paragraphs: [
      'Your password was entered, together with what a trusted device had already used up: somebody may have a copy of it. So that device is trusted no longer, and a second step is asked for.',
      'This can also happen by itself: when a browser is put back from a backup, or signs in twice at the same moment.',
    ],
  }),
  'recovery-key-created': (installation) => ({
    subject: `You have a new Recovery Key for ${installation}`,
    paragraphs: ['A new Recovery Key was created and saved. The one from before no longer works.'],
  }),
  'password-changed': (installation) => ({
    subject: `Your password for ${installation} was changed`,
    paragraphs: ['Your password was changed. Everywhere else you have been signed out.'],
  }),
  'password-reset': (installation) => ({
    subject: `Your password for ${installation} was reset`,
    paragraphs: ['A new password was set by a link that was sent to this address. Everywhere you have been signed out.'],
  }),
  'email-changed': (installation, of) => ({
    subject: `Your address for ${installation} was changed`,
    paragraphs: [`Your account now uses ${of}. Codes and notices go there.`],
  }),
  'second-factor-failed': (installation) => ({
    subject: `Somebody could not finish signing in to ${installation}`,
    paragraphs: ['Your password was entered correctly, but the second step failed several times.'],
  }),
};
