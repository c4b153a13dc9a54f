import type { Message } from '../platform/mail/message.ts';

/** To both addresses: whoever reads the old one only would otherwise not know where codes and notices go from now on (FC-3). */
export function addressChangedMessage({
  to,
  installationName,
  origin,
  organisationName,
  address,
}: {
  to: Message['to'];
  installationName: string;
  origin: string;
  organisationName: string;
  address: string;
}): Message {
  return {
    to,
    subject: `Your address for ${installationName} was changed by ${organisationName}`,
    code: undefined,
    paragraphs: [
      `${organisationName} keeps your account by its own directory, which now says that your address is ${address}. Codes and notices go there, and you type it where you sign in.`,
    ],
    link: { label: 'Manage Account', url: `${origin}/account` },
    asked: undefined,
    notYou: `If that is not your address, tell whoever looks after ${organisationName} at once.`,
    expiresAt: undefined,
  };
}
