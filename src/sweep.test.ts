import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachPortal, type Portal } from '../test/support/portal.ts';
import { SWEPT_AT_ONCE } from './platform/database/delete-expired.ts';
import type { Tables } from './platform/database/database.ts';
import { days, minutes } from './platform/durations.ts';
import { sweep } from './sweep.ts';

async function count({ world }: Portal, table: keyof Tables): Promise<number> {
  const { rows } = await world.database.query
    .selectFrom(table)
    .select((select) => select.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow();
  return Number(rows);
}

forEachPortal((open) => {
  test('what has expired goes, and nothing that still counts', async () => {
    const portal = await open();
    const ada = await portal.newcomer().join();
    await ada.enableByEmail();
    const stranger = await portal.newcomer().signUp();
    const other = portal.browser();
    await ada.enterPassword(other);
    assert.equal(await count(portal, 'attempts'), 2, 'one to sign in, one to verify an address');
    assert.equal(await sweep(portal.world), 0);

    portal.clock.advance(minutes(31));
    await sweep(portal.world);
    assert.deepEqual([await count(portal, 'attempts'), await count(portal, 'accounts'), await count(portal, 'factors')], [0, 2, 2]);

    portal.clock.advance(days(31));
    await sweep(portal.world);
    // The stranger never verified the address; Ada did, and stays with her factor, her key and the browser that knows her.
    assert.deepEqual(
      [
        await count(portal, 'accounts'),
        await count(portal, 'sessions'),
        await count(portal, 'limits'),
        await count(portal, 'factors'),
        await count(portal, 'known_browsers'),
      ],
      [1, 0, 0, 2, 1],
    );
    await ada.signIn({ by: 'email' });
    await stranger.browser.visit('/account');
    assert.equal(stranger.browser.page.heading, 'Sign in');
  });

  test('a long list goes in small batches, to its end', async () => {
    const portal = await open();
    const { world } = portal;
    const rows = Array.from({ length: 2 * SWEPT_AT_ONCE + 1 }, (_, index) => ({ key: `old ${index}`, marks: '[]', forget_at: portal.clock.now() - 1 }));
    await world.database.query.insertInto('limits').values(rows).execute();
    await world.database.query.insertInto('limits').values({ key: 'live', marks: '[]', forget_at: portal.clock.now() }).execute();
    assert.equal(await sweep(world), rows.length);
    assert.equal(await count(portal, 'limits'), 1);
  });

  test('a browser that somebody else uses too is forgotten for whom it was long ago, alone', async () => {
    const portal = await open();
    const [ada, grace] = [await portal.newcomer().join(), await portal.newcomer().join()];
    await ada.signOut();
    await grace.signIn({ browser: ada.browser, by: 'none' });
    portal.clock.advance(days(200));
    await grace.signIn({ browser: ada.browser, by: 'none' });
    portal.clock.advance(days(200));
    await sweep(portal.world);
    const left = await portal.world.database.query.selectFrom('known_browsers').innerJoin('accounts', 'accounts.id', 'account_id').select('email').execute();
    assert.deepEqual(
      left.map((row) => row.email),
      [grace.email],
    );
  });
});
