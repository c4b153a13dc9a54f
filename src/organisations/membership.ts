// Who belongs to an organisation, and who acts in it. The door is organisations.ts.
import type { Account } from '../accounts/accounts.ts';
import type { Origin } from '../audit/audit.ts';
import type { Queries } from '../platform/database/database.ts';
import { roleOf, type Role } from './permissions.ts';
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
}

/** Who acts, and where: what the guard of the console found out. Their role is read anew before anything is done. */
export interface Actor {
  readonly account: Account;
  readonly organisation: Organisation;
  readonly from: Origin;
}

export async function findMember(queries: Queries, organisationId: string, accountId: string): Promise<Member | undefined> {
  const row = await store.selectMembership(queries, organisationId, accountId);
  return row && { accountId: row.account_id, role: readRole(row.role), joinedAt: row.joined_at };
}

/** What can't be read gives no rights. */
export function readRole(text: string): Role {
  const role = roleOf(text);
  if (!role) throw new Error('A membership has a role that is none.');
  return role;
}
