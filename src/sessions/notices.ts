import type { Message } from '../platform/mail/message.ts';

/** What is told by mail of an API key. */
export type ApiKeyNotice = 'made' | 'vouched' | 'revoked';

interface NoticeInput {
  readonly to: { readonly name: string; readonly address: string };
  readonly organisationName: string;
  readonly installationName: string;
  readonly origin: string;
  readonly by: string;
  readonly key: { readonly name: string; readonly role: string; readonly scopes: readonly string[]; readonly until: string };
}

export function apiKeyMessage(notice: ApiKeyNotice, { to, organisationName, installationName, origin, by, key }: NoticeInput): Message {
  const where = `${organisationName} on ${installationName}`;
  return {
    to,
    subject: SUBJECTS[notice](organisationName),
    code: undefined,
    paragraphs:
      notice === 'made'
        ? [
            `${by} made the API key “${key.name}” for ${where}.`,
            `Whoever has it acts as ${key.role} until ${key.until}, without signing in. It may: ${key.scopes.join(', ')}.`,
          ]
        : notice === 'vouched'
          ? [
              `${by} stands by the API key “${key.name}” for ${where}.`,
              'For ten minutes it may do what asks for a person: issue bypass codes, reset methods, pass ownership on, set up single sign-on or make other keys, as far as it was made for that.',
            ]
          : [`${by} revoked the API key “${key.name}” for ${where}. Programs that use it are refused from now on.`],
    link: { label: 'See the API keys', url: `${origin}/admin/api-keys` },
    asked: undefined,
    notYou:
      notice !== 'revoked'
        ? 'If you did not expect this, revoke the key there, and ask who made it.'
        : 'If you did not expect this, ask whoever revoked it, or somebody else who looks after the organisation.',
    expiresAt: undefined,
  };
}

const SUBJECTS: Readonly<Record<ApiKeyNotice, (organisation: string) => string>> = {
  made: (organisation) => `An API key was made for ${organisation}`,
  vouched: (organisation) => `An API key of ${organisation} may do more for ten minutes`,
  revoked: (organisation) => `An API key of ${organisation} was revoked`,
};
