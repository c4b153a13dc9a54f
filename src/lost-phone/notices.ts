import type { Message } from '../platform/mail/message.ts';

/** What somebody is told by mail of what others do about their lost phone, at once (AD-5, FC-3). */
export type HelpNotice = 'bypass-code-issued' | 'bypass-code-revoked';

interface NoticeInput {
  readonly to: { readonly name: string; readonly address: string };
  readonly installationName: string;
  readonly origin: string;
  readonly organisationName: string;
  /** Name and address of who did it. */
  readonly by: string;
  /** Until when a code works. */
  readonly until: string;
}

export function helpMessage(notice: HelpNotice, input: NoticeInput): Message {
  const { subject, paragraphs, notYou } = WORDS[notice](input);
  return {
    to: input.to,
    subject,
    code: undefined,
    paragraphs,
    link: { label: 'Security and Credentials', url: `${input.origin}/account/security` },
    // Where an administrator sits is nobody's business.
    asked: undefined,
    notYou,
    expiresAt: undefined,
  };
}

const WORDS: Record<HelpNotice, (input: NoticeInput) => { subject: string; paragraphs: string[]; notYou: string }> = {
  'bypass-code-issued': ({ installationName, organisationName, by, until }) => ({
    subject: `A bypass code for ${installationName} was issued for you`,
    paragraphs: [
      `${by} who looks after ${organisationName}, issued a bypass code for your account. Together with your password it signs in once, without your second step. It works until ${until}.`,
      'The code is not in this mail: you get it from them.',
    ],
    notYou:
      'If you did not ask for this, somebody may have said that they are you. Sign in and press “Take back” in Security and Credentials, change your password, and tell somebody else who looks after the organisation.',
  }),
  'bypass-code-revoked': ({ installationName, organisationName, by }) => ({
    subject: `Your bypass code for ${installationName} was taken back`,
    paragraphs: [`${by} who looks after ${organisationName}, took the bypass code back that was issued for your account. It no longer works.`],
    notYou: 'If you still need one, ask them.',
  }),
};
