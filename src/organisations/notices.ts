import type { Message } from '../platform/mail/message.ts';
import type { Role } from './permissions.ts';

/** What somebody is told by mail when another person changed what they are in an organisation. */
export type MembershipNotice =
  | 'added'
  | 'role-changed'
  | 'removed'
  | 'ownership-received'
  | 'sessions-ended'
  | 'suspended'
  | 'resumed'
  | 'password-required'
  | 'verify-email';

interface NoticeInput {
  readonly to: { readonly name: string; readonly address: string };
  readonly organisationName: string;
  readonly installationName: string;
  readonly origin: string;
  readonly by: string;
  readonly role?: Role | undefined;
}

export function membershipMessage(notice: MembershipNotice, { to, organisationName, installationName, origin, by, role = 'member' }: NoticeInput): Message {
  const {
    subject,
    sentence,
    link = { label: 'Manage Account', path: '/account' },
  } = WORDS[notice]({ organisation: organisationName, installation: installationName, by, role });
  return {
    to,
    subject,
    code: undefined,
    paragraphs: [sentence],
    link: { label: link.label, url: `${origin}${link.path}` },
    // Where an administrator sits is nobody's business.
    asked: undefined,
    notYou: 'If you did not expect this, ask them, or somebody else who looks after the organisation.',
    expiresAt: undefined,
  };
}

/** As it reads behind "you are" and "as". */
export const ROLE_WORDS: Readonly<Record<Role, string>> = { owner: 'owner', admin: 'admin', auditor: 'auditor', member: 'member' };

interface Said {
  readonly organisation: string;
  readonly installation: string;
  readonly by: string;
  readonly role: Role;
}

const WORDS: Record<MembershipNotice, (said: Said) => { subject: string; sentence: string; link?: { label: string; path: string } }> = {
  added: ({ organisation, installation, by, role }) => ({
    subject: `You now belong to ${organisation}`,
    sentence: `${by} added you to ${organisation}, as ${ROLE_WORDS[role]}, because your address for ${installation} is one of its own. Those who look after it can suspend you there, and help you when your phone is lost.`,
  }),
  'role-changed': ({ organisation, by, role }) => ({
    subject: `Your role in ${organisation} was changed`,
    sentence: `${by} changed your role in ${organisation}. You are now: ${ROLE_WORDS[role]}.`,
  }),
  removed: ({ organisation, by, installation }) => ({
    subject: `You no longer belong to ${organisation}`,
    sentence: `${by} removed you from ${organisation}. Your account for ${installation} stays as it is.`,
  }),
  'ownership-received': ({ organisation, by }) => ({
    subject: `You are now the owner of ${organisation}`,
    sentence: `${by} made you the owner of ${organisation}. You decide who looks after it.`,
  }),
  'sessions-ended': ({ organisation, installation, by }) => ({
    subject: `You were signed out of ${installation}`,
    sentence: `${by}, who looks after ${organisation}, signed you out of ${installation} in every browser. Sign in again to go on.`,
  }),
  suspended: ({ organisation, installation, by }) => ({
    subject: `You are suspended in ${organisation}`,
    sentence: `${by} suspended you in ${organisation}, and you were signed out of ${installation} in every browser. Nothing of your account is lost.`,
  }),
  resumed: ({ organisation, by }) => ({
    subject: `You are back in ${organisation}`,
    sentence: `${by} ended your suspension in ${organisation}. You can sign in again.`,
  }),
  'password-required': ({ organisation, installation, by }) => ({
    subject: `Choose a new password for ${installation}`,
    sentence: `${by}, who looks after ${organisation}, asks you to choose a new password. The old one no longer works, and you were signed out in every browser. At the page below you ask for a link to this address.`,
    link: { label: 'Forgot password?', path: '/forgot-password' },
  }),
  'verify-email': ({ organisation, installation, by }) => ({
    subject: `Verify your email for ${installation}`,
    sentence: `${by}, who looks after ${organisation}, asks you to verify that this address is yours. Sign in, and enter the code that is sent to you then.`,
    link: { label: 'Verify email', path: '/verify-email' },
  }),
};

/** To whoever left, and to those who look after what they left. */
export function leftMessages({
  account,
  administrators,
  organisation,
  installationName,
  origin,
}: {
  account: { readonly name: string; readonly email: string };
  administrators: readonly { readonly name: string; readonly email: string }[];
  organisation: { readonly id: string; readonly name: string };
  installationName: string;
  origin: string;
}): Message[] {
  const shared = { code: undefined, asked: undefined, expiresAt: undefined };
  return [
    {
      ...shared,
      to: { name: account.name, address: account.email },
      subject: `You have left ${organisation.name}`,
      paragraphs: [`You no longer belong to ${organisation.name}. Your account for ${installationName} stays as it is.`],
      link: { label: 'Your organisations', url: `${origin}/account/organisations` },
      notYou: 'If this was not you, somebody else may be in your account. Change your password now, and tell those who look after the organisation.',
    },
    ...administrators.map(({ name, email }) => ({
      ...shared,
      to: { name, address: email },
      subject: `Somebody has left ${organisation.name}`,
      paragraphs: [`${account.name}, ${account.email}, has left ${organisation.name} by themselves.`],
      link: { label: 'See the people', url: `${origin}/admin/people?organisation=${organisation.id}` },
      notYou: 'If you did not expect this, ask them.',
    })),
  ];
}

export function invitationMessage({
  email,
  organisationName,
  installationName,
  by,
  role,
  url,
  expiresAt,
  until,
}: {
  email: string;
  organisationName: string;
  installationName: string;
  by: string;
  role: Role;
  url: string;
  expiresAt: number;
  /** The same, in words. */
  until: string;
}): Message {
  return {
    // Whoever reads that mailbox has given us no name yet.
    to: { name: '', address: email },
    subject: `You are invited to ${organisationName}`,
    code: undefined,
    paragraphs: [
      `${by} invites you to ${organisationName} on ${installationName}, as ${ROLE_WORDS[role]}.`,
      `The link works once, until ${until}, and only for an account with this address.`,
    ],
    link: { label: 'See the invitation', url },
    asked: undefined,
    notYou: 'If you don’t know what this is about, do nothing: without you nothing happens.',
    expiresAt,
  };
}
