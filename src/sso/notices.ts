import type { Message } from '../platform/mail/message.ts';

interface NoticeInput {
  readonly to: { readonly name: string; readonly address: string };
  readonly installationName: string;
  readonly origin: string;
  readonly connectionName: string;
  readonly asked: NonNullable<Message['asked']>;
}

/** Another way into the account is always told to its owner (FC-3). */
export function linkedMessage({ to, installationName, origin, connectionName, asked }: NoticeInput): Message {
  return {
    to,
    subject: `You can now sign in to ${installationName} by ${connectionName}`,
    code: undefined,
    paragraphs: [
      `Your account was connected to ${connectionName}: whoever signs in there as you is asked for no password here. A second step that you have set up is asked for all the same.`,
    ],
    link: { label: 'Security and Credentials', url: `${origin}/account/security` },
    asked,
    notYou: 'If that was not you, disconnect it there, and tell whoever looks after your organisation.',
    expiresAt: undefined,
  };
}

export function unlinkedMessage({ to, installationName, origin, connectionName, asked }: NoticeInput): Message {
  return {
    to,
    subject: `You can no longer sign in to ${installationName} by ${connectionName}`,
    code: undefined,
    paragraphs: [
      `Your account is not connected to ${connectionName} any more, and whoever was signed in by it was signed out. You sign in with your password; if you have none, choose one by “Forgot password?” on the sign-in page.`,
    ],
    link: { label: 'Security and Credentials', url: `${origin}/account/security` },
    asked,
    notYou: 'If neither you nor your organisation did that, tell whoever looks after your organisation.',
    expiresAt: undefined,
  };
}
