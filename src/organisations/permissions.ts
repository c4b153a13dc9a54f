/**
 * Who may do what in an organisation. Two questions, asked in this order: may somebody of this role do this at all, and may they do it to that person.
 * An auditor sees everything and changes nothing. Nobody acts on a higher role, gives a higher one than their own, or takes their own rights away:
 * so an organisation can't be left by the last who looks after it, and a role never grows by itself.
 */

/** The highest first. An organisation has one owner at every moment: ownership is passed on, never given, taken or laid down. */
export const ROLES = ['owner', 'admin', 'auditor', 'member'] as const;
export type Role = (typeof ROLES)[number];

/** Those that can be given to somebody. */
export const GIVEN_ROLES = ['admin', 'auditor', 'member'] as const satisfies readonly Role[];
export type GivenRole = (typeof GIVEN_ROLES)[number];

/** Those that an API key can act as. Ownership is a person's. */
export const KEY_ROLES = ['admin', 'auditor'] as const satisfies readonly Role[];
export type KeyRole = (typeof KEY_ROLES)[number];

export type Action =
  | 'see'
  | 'export'
  | 'invite'
  | 'change-role'
  | 'remove'
  | 'end-sessions'
  | 'suspend'
  | 'require-password'
  | 'issue-bypass-code'
  | 'reset-methods'
  | 'change-policy'
  | 'loosen-resets'
  | 'manage-keys'
  | 'manage-apps'
  | 'manage-groups'
  | 'set-webhook'
  | 'manage-sso'
  | 'transfer-ownership';

const READING: readonly Action[] = ['see', 'export'];
const MANAGING: readonly Action[] = [
  ...READING,
  'invite',
  'change-role',
  'remove',
  'end-sessions',
  'suspend',
  'require-password',
  'issue-bypass-code',
  'reset-methods',
  'change-policy',
  'manage-keys',
  'manage-apps',
  'manage-groups',
  'set-webhook',
];
const ALLOWED: Readonly<Record<Role, readonly Action[]>> = {
  // A provider says who everybody is, the owner too: whoever chooses it could be anybody.
  owner: [...MANAGING, 'loosen-resets', 'manage-sso', 'transfer-ownership'],
  admin: MANAGING,
  auditor: READING,
  member: [],
};

export const may = (role: Role, action: Action): boolean => ALLOWED[role].includes(action);

export const lowerRole = (one: Role, other: Role): Role => (ROLES.indexOf(one) < ROLES.indexOf(other) ? other : one);

/** Whether to act on somebody of that role, or to give it. */
export const reaches = (role: Role, other: Role): boolean => ROLES.indexOf(role) <= ROLES.indexOf(other);

export type ActRefusal = 'not-allowed' | 'oneself' | 'higher-role';

interface Somebody {
  readonly accountId: string;
  readonly role: Role;
}

/** Why `actor` can't do this to `target`, or undefined. `to`: the role that is to be given. */
export function actRefusal(action: Action, { actor, target, to }: { actor: Somebody; target: Somebody; to?: Role }): ActRefusal | undefined {
  if (!may(actor.role, action)) return 'not-allowed';
  if (actor.accountId === target.accountId) return 'oneself';
  if (!reaches(actor.role, target.role)) return 'higher-role';
  return to !== undefined && !reaches(actor.role, to) ? 'higher-role' : undefined;
}

/** The roles that somebody may give, the highest first. */
export const rolesToGive = (role: Role): readonly GivenRole[] => (may(role, 'invite') ? GIVEN_ROLES.filter((one) => reaches(role, one)) : []);

export const roleOf = (text: string): Role | undefined => ROLES.find((one) => one === text);
export const givenRoleOf = (text: string): GivenRole | undefined => GIVEN_ROLES.find((one) => one === text);
export const keyRoleOf = (text: string): KeyRole | undefined => KEY_ROLES.find((one) => one === text);

/** Whether an address may join: its domain is one of those that are named, or none is. A part of a domain is another domain. */
export const isOfDomains = (emailKey: string, domains: readonly string[]): boolean =>
  domains.length === 0 || domains.includes(emailKey.slice(emailKey.lastIndexOf('@') + 1));
