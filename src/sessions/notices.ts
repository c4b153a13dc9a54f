import type { Message } from '../platform/mail/message.ts';

/** What is told by mail of an API key. */
export type ApiKeyNotice = 'made' | 'revoked';

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
    subject: notice === 'made' ? `An API key was made for ${organisationName}` : `An API key of ${organisationName} was revoked`,
    code: undefined,
    paragraphs:
      notice === 'made'
        ? [
            `${by} made the API key “${key.name}” for ${where}.`,
            `Whoever has it acts as ${key.role} until ${key.until}, without signing in. It may: ${key.scopes.join(', ')}.`,
          ]
        : [`${by} revoked the API key “${key.name}” for ${where}. Programs that use it are refused from now on.`],
    link: { label: 'See the API keys', url: `${origin}/admin/api-keys` },
    asked: undefined,
    notYou:
      notice === 'made'
        ? 'If you did not expect this, revoke the key there, and ask who made it.'
        : 'If you did not expect this, ask whoever revoked it, or somebody else who looks after the organisation.',
    expiresAt: undefined,
  };
}
