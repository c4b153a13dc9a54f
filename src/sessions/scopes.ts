// What an API key may be given, and what each opens.
import type { KeyRole } from '../organisations/organisations.ts';

/** Names are API: add to them, never rename one. */
export const SCOPE_WORDS = {
  'people:read': 'sees who belongs to the organisation, and who is invited',
  'people:write': 'invites, changes roles, suspends, ends sessions, asks for new passwords, removes',
  'policy:read': 'sees the Security Policy, its versions, and what another would do',
  'policy:write': 'changes the Security Policy',
  'audit:read': 'reads the audit log, and takes it along',
  'audit:write': 'streams the audit log out, and stops that',
} as const;
export type Scope = keyof typeof SCOPE_WORDS;

export const SCOPES = Object.keys(SCOPE_WORDS) as readonly Scope[];

export const scopeOf = (text: string): Scope | undefined => SCOPES.find((one) => one === text);

/** An auditor changes nothing, and a key that is one does not either. */
export const scopesBeyond = (role: KeyRole, scopes: readonly Scope[]): Scope[] =>
  role === 'auditor' ? scopes.filter((scope) => scope.endsWith(':write')) : [];
