// Takes away what has expired. Nothing depends on it: what is past its time counts for nothing from that moment on, and here it only goes.
import { sweepAccounts } from './accounts/accounts.ts';
import { sweepApps } from './apps/apps.ts';
import { sweepAttempts } from './attempts/attempts.ts';
import { sweepIdempotencyKeys } from './platform/api/idempotency.ts';
import { repeat, type Background } from './platform/background.ts';
import { SWEPT_AT_ONCE } from './platform/database/delete-expired.ts';
import { sweepOrganisations } from './organisations/organisations.ts';
import { sweepFactors } from './factors/factors.ts';
import { sweepRequests } from './lost-phone/lost-phone.ts';
import { minutes } from './platform/durations.ts';
import { sweepLimits } from './platform/limits/limits.ts';
import { sweepMail } from './platform/mail/mail.ts';
import type { World } from './platform/world.ts';
import { sweepPolicies } from './policy/policy.ts';
import { sweepSso } from './sso/sso.ts';
import { sweepApiKeys, sweepSessions, sweepTrustedDevices } from './sessions/sessions.ts';

/** Each deletes a small batch and says how many rows that were. */
const sweepers: readonly ((world: World) => Promise<readonly number[]>)[] = [
  sweepSessions,
  sweepTrustedDevices,
  sweepApiKeys,
  sweepIdempotencyKeys,
  sweepAttempts,
  sweepAccounts,
  sweepFactors,
  sweepRequests,
  sweepOrganisations,
  sweepPolicies,
  sweepApps,
  sweepSso,
  sweepLimits,
  sweepMail,
];

/** Sweeps until nothing is left; returns how many rows went. */
export async function sweep(world: World): Promise<number> {
  let total = 0;
  for (const sweeper of sweepers) {
    let batch: readonly number[];
    do {
      batch = await sweeper(world);
      total += batch.reduce((sum, count) => sum + count, 0);
    } while (batch.some((count) => count >= SWEPT_AT_ONCE));
  }
  return total;
}

export function startSweeping(world: World): Background {
  return repeat(world, { name: 'sweeping', every: minutes(1), work: () => sweep(world) });
}
