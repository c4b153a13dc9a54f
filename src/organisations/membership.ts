// Who belongs to an organisation, and who acts in it. The door is organisations.ts.
import type { Account } from '../accounts/accounts.ts';
import type { Origin } from '../audit/audit.ts';
import type { Queries } from '../platform/database/database.ts';
import { lowerRole, roleOf, type Action, type KeyRole, type Role } from './permissions.ts';
import * as store from './store.ts';

export interface Organisation {
  readonly id: string;
  readonly name: string;
}

export interface Membership {
  readonly organisation: Organisation;
  readonly role: Role;
}

export interface Member {
  readonly accountId: string;
  readonly role: Role;
  readonly joinedAt: number;
  /** Epoch milliseconds; null: may come and go. */
  readonly suspendedAt: number | null;
}

/** Who acts, and where: what the guard of the console, or of the API, found out. Their role is read anew before anything is done. */
export interface Actor {
  readonly account: Account;
  readonly organisation: Organisation;
  readonly from: Origin;
  /** Where it is not the person but a key that they made, in their name. */
  readonly key?: ActingKey;
}

export interface ActingKey {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  /** Whoever made it has shown a moment ago that it is them, and stands by what it does. */
  readonly vouched: boolean;
}

export async function findMember(queries: Queries, organisationId: string, accountId: string): Promise<Member | undefined> {
  const row = await store.selectMembership(queries, organisationId, accountId);
  return row && { accountId: row.account_id, role: readRole(row.role), joinedAt: row.joined_at, suspendedAt: row.suspended_at };
}

const OWNERS_ALONE: readonly Action[] = ['transfer-ownership', 'manage-sso'];

/** As what somebody acts now: a key is never worth more than the member who made it. Undefined where they belong to the organisation no more, or are suspended. */
export async function findActing(queries: Queries, { organisation, account, key }: Actor, action?: Action): Promise<Member | undefined> {
  const member = await findMember(queries, organisation.id, account.id);
  if (member?.suspendedAt !== null) return undefined;
  // What is the owner's alone: a key that acts as much as a key can, and by which the owner stands, is the owner.
  if (key?.vouched === true && key.role === 'admin' && action !== undefined && OWNERS_ALONE.includes(action)) return member;
  return key ? { ...member, role: lowerRole(member.role, key.role) } : member;
}

/** As the audit log names who acted: an account, or a key. */
export const byWhom = ({ account, key }: Actor): string => (key ? `key ${key.id}` : account.id);

/** The key that `byWhom` named; undefined where it was an account. */
export const keyNamedBy = (by: string): string | undefined => /^key (\S+)$/.exec(by)?.[1];

/** As people are told of it. */
export const nameOfActor = ({ account, key }: Actor): string => (key ? `${account.name} (by the API key “${key.name}”)` : account.name);

/** What can't be read gives no rights. */
export function readRole(text: string): Role {
  const role = roleOf(text);
  if (!role) throw new Error('A membership has a role that is none.');
  return role;
}
