/**
 * The Security Policy: whether two-factor authentication is off (no method can be added; what people have is still asked for), optional, or
 * required. There is one, the installation's; an organisation's own will be more rows of the same table and stand in this folder.
 */
import { commandLine, record } from '../audit/audit.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import type { World } from '../platform/world.ts';
import * as store from './store.ts';

export const TWO_FACTOR_POLICIES = ['off', 'optional', 'required'] as const;
export type TwoFactorPolicy = (typeof TWO_FACTOR_POLICIES)[number];

export interface Policy {
  readonly twoFactor: TwoFactorPolicy;
  readonly version: number;
  /** Epoch milliseconds; 0 where nobody has changed it. */
  readonly changedAt: number;
}

const INSTALLATION = 'installation';

export async function readPolicy(queries: Queries): Promise<Policy> {
  const row = await store.selectPolicy(queries, INSTALLATION);
  // What can't be read is refused, not taken for leave to pass.
  const twoFactor = TWO_FACTOR_POLICIES.find((one) => one === row?.two_factor);
  if (!row || !twoFactor) throw new Error('The Security Policy of the installation is missing.');
  return { twoFactor, version: row.version, changedAt: row.changed_at };
}

/** False where somebody else changed it meanwhile. */
export async function setPolicy(world: Pick<World, 'clock' | 'random'>, transaction: Transaction, twoFactor: TwoFactorPolicy): Promise<boolean> {
  const before = await readPolicy(transaction);
  const changed = await store.updatePolicy(transaction, INSTALLATION, { twoFactor, version: before.version, now: world.clock.now() });
  if (changed)
    await record(world, transaction, { event: 'policy_changed', accountId: null, from: commandLine, details: { from: before.twoFactor, to: twoFactor } });
  return changed;
}
