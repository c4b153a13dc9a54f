import type { Message } from '../platform/mail/message.ts';

/** What somebody is told before a policy asks them for something. */
export function policyMessage({
  to,
  organisationName,
  installationName,
  origin,
  until,
}: {
  to: { readonly name: string; readonly address: string };
  organisationName: string;
  installationName: string;
  origin: string;
  /** By when something has to be set up, in words; undefined where that is at once. */
  until: string | undefined;
}): Message {
  const when =
    until === undefined ? 'Soon, signing in will ask for it.' : `Until ${until} you can do it when it suits you. After that, signing in asks for it.`;
  return {
    to,
    subject: `${organisationName} will ask you for a second step when you sign in`,
    code: undefined,
    paragraphs: [
      `${organisationName} is going to ask its people for a second step after the password on ${installationName}, so that a stolen password opens nothing.`,
      `${when} It takes a minute: open the page below, sign in, and choose a way, such as an authenticator app.`,
    ],
    link: { label: 'Security and Credentials', url: `${origin}/account/security` },
    asked: undefined,
    notYou: 'If you did not expect this, ask whoever looks after your organisation before you do anything.',
    expiresAt: undefined,
  };
}
