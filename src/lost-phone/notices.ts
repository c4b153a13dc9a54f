import type { Asked, Message } from '../platform/mail/message.ts';

/** What somebody is told by mail of what others do about their lost phone, at once (AD-5, FC-3). */
export type HelpNotice = 'bypass-code-issued' | 'bypass-code-revoked' | 'reset-asked' | 'reset-approved' | 'reset-stopped' | 'reset-done' | 'help-asked';
/** What those who look after somebody are told of what one of them does (AD-6). */
export type AdministratorNotice = 'help-asked' | 'reset-asked' | 'reset-to-approve' | 'reset-stopped' | 'reset-done';

interface NoticeInput {
  readonly to: { readonly name: string; readonly address: string };
  readonly installationName: string;
  readonly origin: string;
  readonly organisationName: string;
  /** Name and address of who did it, with a comma behind. */
  readonly by: string;
  /** Until when a code works, or when a reset happens. */
  readonly until: string;
  /** How a reset was stopped. */
  readonly how: string;
}

interface Said {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  readonly notYou: string;
}

export function helpMessage(notice: HelpNotice, input: NoticeInput & { readonly stopUrl: string | undefined; readonly asked: Asked | undefined }): Message {
  const { subject, paragraphs, notYou } = WORDS[notice](input);
  const { origin, stopUrl, asked, to } = input;
  const security = { label: 'Security and Credentials', url: `${origin}/account/security` };
  const signIn = { label: 'Sign in', url: `${origin}/sign-in` };
  const link = stopUrl !== undefined ? { label: 'Stop the reset', url: stopUrl } : notice === 'reset-done' ? signIn : security;
  // Where an administrator sits is nobody's business: `asked` is of the person's own browser, or of whoever seems to be them.
  return { to, subject, code: undefined, paragraphs, link, asked, notYou, expiresAt: undefined };
}

/** `person`: name and address. `personUrl`: their page in the console. */
export function administratorMessage(notice: AdministratorNotice, input: NoticeInput & { readonly person: string; readonly personUrl: string }): Message {
  const { subject, paragraphs } = ADMINISTRATOR_WORDS[notice](input);
  return {
    to: input.to,
    subject,
    code: undefined,
    paragraphs,
    link: { label: notice === 'help-asked' ? 'See who asks' : 'Open their page', url: input.personUrl },
    asked: undefined,
    notYou: `You get this because you look after ${input.organisationName}. If it looks wrong to you, ask whoever did it, in person.`,
    expiresAt: undefined,
  };
}

const CHANGE_PASSWORD = 'Then change your password, since somebody may know it, and tell somebody else who looks after the organisation.';

const WORDS: Record<HelpNotice, (input: NoticeInput) => Said> = {
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
  'help-asked': ({ installationName }) => ({
    subject: `Somebody asked for help with your sign-in to ${installationName}`,
    paragraphs: [
      'Somebody who knows your password asked for help, because they can’t show your second step. Those who look after your organisation were told.',
      'They will get in touch with you, and check that it is you. They never need your password.',
    ],
    notYou:
      'If this was not you, somebody knows your password. They could not get in. Change your password now, and tell whoever looks after your organisation.',
  }),
  'reset-asked': ({ installationName, organisationName, by, until }) => ({
    subject: `Your ways to sign in to ${installationName} are about to be reset`,
    paragraphs: [
      `${by} who looks after ${organisationName}, asked for all your second steps and your Recovery Key to be removed, because you can no longer use them. It happens on ${until}, and not before.`,
      'If you can still sign in with your second step, nobody has to remove it: stop the reset. The link works once, and needs no sign-in.',
    ],
    notYou: `If you did not ask for this, press “Stop the reset” now. ${CHANGE_PASSWORD}`,
  }),
  'reset-approved': ({ installationName, organisationName, by, until }) => ({
    subject: `A second administrator agreed to your reset for ${installationName}`,
    paragraphs: [`${by} who looks after ${organisationName} too, agreed that your second steps and your Recovery Key are removed on ${until}.`],
    notYou: `If you did not ask for this, open the mail that said so first, and press “Stop the reset” there. ${CHANGE_PASSWORD}`,
  }),
  'reset-stopped': ({ installationName, how }) => ({
    subject: `The reset for ${installationName} was stopped`,
    paragraphs: [`Your second steps and your Recovery Key stay as they are. The reset was stopped ${how}.`],
    notYou: 'If you did not stop it and still need it, ask whoever looks after your organisation.',
  }),
  'reset-done': ({ installationName, organisationName }) => ({
    subject: `Your ways to sign in to ${installationName} were reset`,
    paragraphs: [
      `As ${organisationName} was asked to, your second steps and your Recovery Key were removed. You were signed out everywhere.`,
      'Sign in with your password and set up a new second step: you are led there. In a new browser we send a code to this address on the way.',
    ],
    notYou: 'If you did not ask for this, change your password now by “Forgot password?”, and tell whoever looks after your organisation at once.',
  }),
};

const ADMINISTRATOR_WORDS: Record<AdministratorNotice, (input: NoticeInput & { readonly person: string }) => Omit<Said, 'notYou'>> = {
  'help-asked': ({ organisationName, person }) => ({
    subject: `Somebody in ${organisationName} can’t sign in`,
    paragraphs: [
      `Somebody who knows the password of ${person} asked for help: they can’t show a second step. What they wrote, and from where, is in the console.`,
      'Do not answer by mail. Call the person on a number that you knew before today, or meet them.',
    ],
  }),
  'reset-asked': ({ organisationName, by, person, until }) => ({
    subject: `A reset was asked for in ${organisationName}`,
    paragraphs: [`${by} asked to remove all second steps of ${person}. It happens on ${until}, unless somebody stops it.`],
  }),
  'reset-to-approve': ({ organisationName, by, person, until }) => ({
    subject: `A reset in ${organisationName} needs a second administrator`,
    paragraphs: [
      `${by} asked to remove all second steps of ${person}. It happens on ${until} at the earliest, and only if one of you agrees.`,
      'Before you do: talk to the person yourself.',
    ],
  }),
  'reset-stopped': ({ organisationName, person, how }) => ({
    subject: `A reset in ${organisationName} was stopped`,
    paragraphs: [`The reset for ${person} was stopped ${how}. Nothing was removed.`],
  }),
  'reset-done': ({ organisationName, person }) => ({
    subject: `A reset in ${organisationName} was done`,
    paragraphs: [`All second steps of ${person} were removed. They were signed out everywhere, and set up a new one at their next sign-in.`],
  }),
};
