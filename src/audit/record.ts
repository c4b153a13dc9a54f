// Writing an event down, and whose it is. The door is audit.ts.
import type { Transaction } from '../platform/database/database.ts';
import { makeId } from '../platform/secrets/tokens.ts';
import type { World } from '../platform/world.ts';
import type { AuditEntry, Origin } from './audit.ts';
import { OPERATOR } from './event-kinds.ts';
import { insertEvent, insertForMemberships, insertForOrganisation } from './store.ts';

export const commandLine: Origin = { address: '', userAgent: OPERATOR, requestId: '' };
/** For what happens by itself when its time has come. */
export const theServer: Origin = { address: '', userAgent: 'the server itself', requestId: '' };

export async function record(world: Pick<World, 'clock' | 'random'>, transaction: Transaction, entry: AuditEntry): Promise<void> {
  const event = {
    id: makeId(world),
    at: world.clock.now(),
    event: entry.event,
    account_id: entry.accountId,
    address: entry.from.address,
  };
  await insertEvent(transaction, {
    ...event,
    user_agent: entry.from.userAgent,
    request_id: entry.from.requestId,
    details: JSON.stringify(entry.details ?? {}),
    sequence: null,
    hash: null,
  });
  await giveToOrganisations(transaction, event, entry.details);
}

/** Whose log it stands in, once and for all: see docs/decisions/0013-whose-events.md. */
async function giveToOrganisations(transaction: Transaction, event: Parameters<typeof insertForMemberships>[1], details: object = {}): Promise<void> {
  const { organisation } = details as { organisation?: string };
  if (organisation !== undefined) await insertForOrganisation(transaction, event, organisation);
  else if (event.account_id !== null) await insertForMemberships(transaction, event, event.account_id);
}
