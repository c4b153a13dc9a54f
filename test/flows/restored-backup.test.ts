// What a backup holds that was used or ended after it was made.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyChain } from '../../src/audit/audit.ts';
import { minutes } from '../../src/platform/durations.ts';
import { endWhatWasRestored } from '../../src/restored.ts';
import { madeBypassCode } from '../support/lost-phone.ts';
import { linkIn, type Person } from '../support/person.ts';
import { forEachPortal, type Portal } from '../support/portal.ts';
import { readRows, writeRows } from '../support/rows.ts';
import type { Visitor } from '../support/visitor.ts';

/** Ways in as they stand at the moment of the backup. Each says whether it still is one. */
async function waysOf(portal: Portal, ada: Person): Promise<Readonly<Record<string, () => Promise<boolean>>>> {
  const [session, halfway, forgetful, helped] = [portal.browser(), portal.browser(), portal.browser(), portal.browser()];
  await ada.signIn({ browser: session, by: 'email' });
  await ada.enterPassword(halfway);
  const code = ada.newestCode();
  const bypass = await madeBypassCode(portal, ada.email);
  await forgetful.visit('/forgot-password');
  forgetful.fill('Email', ada.email);
  await forgetful.press('Send the link');
  const link = linkIn(ada.newestMail().text);
  const isIn = async (browser: Visitor): Promise<boolean> => (await browser.visit('/account')).path === '/account';
  return {
    'a session': () => isIn(session),
    'an emailed code': async () => {
      await halfway.visit('/sign-in/verify');
      if (halfway.page.path !== '/sign-in/verify') return false;
      await ada.enterCode(code, { browser: halfway });
      return isIn(halfway);
    },
    'a bypass code': async () => {
      await ada.enterPassword(helped);
      await helped.press('Try another way');
      if (!helped.page.has('Bypass code')) return false;
      await helped.press(helped.page.buttonStartingWith('Bypass code'));
      helped.fill('Bypass code', bypass);
      return (await helped.press('Continue')).path !== '/sign-in/verify';
    },
    'a link to choose a new password': async () => {
      await forgetful.visit(link);
      return (await forgetful.press('Continue')).path !== '/forgot-password/link';
    },
  };
}

forEachPortal((open) => {
  test('CR-9 attack: what is in a backup lets nobody in once it is said to be put back; who they are and what they have set up does', async () => {
    await using portal = await open();
    const ada = await portal.newcomer().join();
    await ada.enableByEmail();
    const ways = await waysOf(portal, ada);
    const backup = await readRows(portal.world.database);
    for (const [name, lets] of Object.entries(ways)) {
      await writeRows(portal.world.database, backup);
      assert.equal(await lets(), true, `${name}, while nobody says so`);
    }
    await writeRows(portal.world.database, backup);
    await endWhatWasRestored(portal.world);
    for (const [name, lets] of Object.entries(ways)) assert.equal(await lets(), false, name);
    portal.clock.advance(minutes(1));
    await ada.signIn({ browser: portal.browser(), by: 'email' });
    assert.equal((await verifyChain(portal.world)).ok, true);
  });
});
