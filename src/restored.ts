// After a backup was put back. What counts once, or until somebody ends it, may have been used or ended since it was made: it is there again, and must not count (CR-9).
import { endEveryPasswordReset } from './accounts/accounts.ts';
import { endEveryAttempt } from './attempts/attempts.ts';
import { commandLine, record } from './audit/audit.ts';
import { endEveryPassingFactor } from './factors/factors.ts';
import { endEveryReset } from './lost-phone/lost-phone.ts';
import { endEveryLink } from './organisations/organisations.ts';
import type { Transaction } from './platform/database/database.ts';
import { dropEveryMail } from './platform/mail/mail.ts';
import type { World } from './platform/world.ts';
import { endEverySession } from './sessions/sessions.ts';
import { endEveryRoundTrip } from './sso/sso.ts';

/** Sessions bring what apps were opened by. Of a reset of methods nobody knows whether the person has stopped it since. */
const ends: readonly ((transaction: Transaction) => Promise<void>)[] = [
  endEverySession,
  endEveryAttempt,
  endEveryPasswordReset,
  endEveryPassingFactor,
  endEveryReset,
  endEveryLink,
  endEveryRoundTrip,
  dropEveryMail,
];

export async function endWhatWasRestored(world: World): Promise<void> {
  await world.database.transaction(async (transaction) => {
    for (const end of ends) await end(transaction);
    await record(world, transaction, { event: 'backup_restored', accountId: null, from: commandLine });
  });
}
