/** What has to hold after every command. */
import assert from 'node:assert/strict';
import { listFactors } from '../../../src/factors/factors.ts';
import { EITHER } from './attacks.ts';
import type { Account } from './ledger.ts';
import type { Scene } from './scene.ts';

export async function checkInvariants(scene: Scene, expected: readonly string[]): Promise<void> {
  await checkRecord(scene, expected);
  for (const account of scene.ledger.accounts) {
    await checkBrowsers(scene, account);
    if (account.joined) await checkStored(scene, account);
  }
}

/** Every event is written down, once, and nothing else. */
async function checkRecord(scene: Scene, expected: readonly string[]): Promise<void> {
  const order = (events: readonly string[]): string[] => events.toSorted((one, other) => (one < other ? -1 : 1));
  const either = expected.includes(EITHER);
  const written = (await scene.newEvents()).map((event) => (either && EITHER.split(' or ').includes(event) ? EITHER : event));
  assert.deepEqual(order(written), order(expected));
}

/** Exactly those are signed in who showed what was asked for, and whose session is not over. */
async function checkBrowsers({ ledger }: Scene, account: Account): Promise<void> {
  for (const [index, seat] of account.seats.entries()) {
    const signedIn = ledger.isSignedIn(seat);
    await seat.browser.visit('/account');
    // Where the policy came meanwhile, a session leads to the set-up and nowhere else.
    const inside = ledger.owes(account) ? ['/account/security/enable', '/account/confirm'] : ['/account'];
    const { path } = seat.browser.page;
    assert.ok((signedIn ? inside : ['/sign-in']).includes(path), `browser ${index} of ${account.person.email}: ${path}`);
    if (!signedIn) seat.session = undefined;
    else assert.ok(seat.browser.page.has(account.person.email));
    ledger.see(seat);
  }
}

/** No session and no factor is there that nobody knows of, and none is missing. */
async function checkStored({ portal: { world }, ledger }: Scene, account: Account): Promise<void> {
  const { query } = world.database;
  const { id } = await query.selectFrom('accounts').select('id').where('email', '=', account.person.email).executeTakeFirstOrThrow();
  const sessions = await query.selectFrom('sessions').select('expires_at').where('account_id', '=', id).where('expires_at', '>', ledger.now()).execute();
  const signedIn = account.seats.filter((seat) => ledger.isSignedIn(seat)).length;
  assert.ok(sessions.length >= signedIn && sessions.length <= account.seats.length, `${sessions.length} sessions, ${signedIn} browsers`);
  const kinds = (await listFactors(world, query, id)).map((one) => one.kind).toSorted((one, other) => (one < other ? -1 : 1));
  assert.deepEqual(kinds, [...(account.byEmail ? ['email-code'] : []), ...(account.on ? ['recovery-key'] : []), ...account.apps.map(() => 'totp')]);
}
