// By when each person has to have two-factor authentication, written down once. The door is policy.ts.
import { readRole } from '../organisations/organisations.ts';
import type { Transaction } from '../platform/database/database.ts';
import { dueAt, isAsked, type Place, type Rules } from './demand.ts';
import { placeFrom } from './rules.ts';
import * as store from './store.ts';

const DEADLINES_AT_ONCE = 500;

/** Writes down by when each person has to have two-factor authentication whom these rules ask. What stands there already never moves. */
export async function fixDeadlines(transaction: Transaction, organisationId: string, rules: Rules): Promise<void> {
  if (rules.twoFactor !== 'required') return;
  for (let after = ''; ;) {
    const members = await store.selectMembers(transaction, organisationId, { after, most: DEADLINES_AT_ONCE });
    const places = members.map((member) => ({
      rules,
      accountId: member.account_id,
      role: readRole(member.own_role),
      joinedAt: member.own_joined_at,
      deadlineAt: member.own_deadline_at,
      tightenedAt: 0,
    }));
    await insert(transaction, organisationId, places);
    const last = members.at(-1);
    if (!last || members.length < DEADLINES_AT_ONCE) return;
    after = last.email_key;
  }
}

/** That of somebody who is about to leave: who comes back has no more time than before. */
export async function fixDeadlineOf(transaction: Transaction, organisationId: string, accountId: string): Promise<void> {
  const rows = await store.selectPlaces(transaction, accountId);
  await insert(transaction, organisationId, rows.filter((row) => row.organisation_id === organisationId).map(placeFrom));
}

async function insert(transaction: Transaction, organisationId: string, places: readonly Place[]): Promise<void> {
  const rows = places
    .filter((place) => place.deadlineAt === null && isAsked(place))
    .map((place) => ({ organisation_id: organisationId, account_id: place.accountId, deadline_at: dueAt(place) }));
  await store.insertDeadlines(transaction, rows);
}
