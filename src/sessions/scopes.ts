// What an API key may be given, and what each opens.
import type { KeyRole } from '../organisations/organisations.ts';

/** Names are API: add to them, never rename one. */
export const SCOPE_WORDS = {
  'people:read': 'sees who belongs to the organisation, and who is invited',
  'people:write': 'invites, changes roles, suspends, ends sessions, asks for new passwords, removes',
  'help:write': 'issues bypass codes, asks for resets and agrees to them, closes requests for help, where its maker has just stood by it in the console',
  'ownership:write': 'passes ownership on, where the owner made it and has just stood by it in the console',
  'policy:read': 'sees the Security Policy, its versions, and what another would do',
  'policy:write': 'changes the Security Policy',
  'audit:read': 'reads the audit log, and takes it along',
  'audit:write': 'streams the audit log out, and stops that',
  'apps:read': 'sees the apps behind the portal, and their rules',
  'apps:write': 'puts apps behind the portal, changes their rules, takes them away',
  'sso:read': 'sees the identity providers, without their secrets, and the domains that lead to them',
  'sso:write': 'sets up single sign-on, where the owner made it and has just stood by it in the console',
  'keys:read': 'sees the API keys, without the keys themselves',
  'keys:write':
    'revokes API keys: itself, and others where its maker has just stood by it in the console; then it also makes keys that may no more than itself',
  scim: 'makes people and groups as your own directory has them, changes them, keeps them out and removes them (SCIM)',
} as const;
export type Scope = keyof typeof SCOPE_WORDS;

/** Those of which nothing may be done unless whoever made the key has just shown that it is them (AD-4). */
export const PERSONAL_SCOPES: readonly Scope[] = ['help:write', 'ownership:write', 'sso:write', 'keys:write'];

export const SCOPES = Object.keys(SCOPE_WORDS) as readonly Scope[];

export const scopeOf = (text: string): Scope | undefined => SCOPES.find((one) => one === text);

/** An auditor changes nothing, and a key that is one does not either. */
export const scopesBeyond = (role: KeyRole, scopes: readonly Scope[]): Scope[] =>
  role === 'auditor' ? scopes.filter((scope) => scope.endsWith(':write') || scope === 'scim') : [];
