// What a new administrator does in the first week, in a real browser: claims the portal, invites three people, looks at a policy before it bites, saves it, and
// sees one set up by app, one by mail, and one be helped who lost the phone; takes the audit log along, and a line of it that was changed is named.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { chainNew, verifyChain } from '../../src/audit/audit.ts';
import { makeSetUpLink } from '../../src/organisations/organisations.ts';
import { days } from '../../src/platform/durations.ts';
import { launchBrowser } from '../support/browser.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import { servePortal, type ServedPortal } from '../support/served-portal.ts';

let browser: Browser;
before(async () => void (browser = await launchBrowser()));
after(() => browser.close());

const pathOf = (link: string): string => link.slice(new URL(link).origin.length);

test('a new administrator’s first week: claim, invite three, preview, save; by app, by mail, by bypass code; and the record stands', async () => {
  await using portal = await servePortal();
  const arrive = (name: string) => PersonInChromium.arrive(browser, portal, { name: `${name} Example`, email: `${name.toLowerCase()}@example.org` });
  await using olga = await arrive('Olga');
  await claim(portal, olga);
  await using ann = await arrive('Ann');
  await using ben = await arrive('Ben');
  await using cem = await arrive('Cem');
  for (const guest of [ann, ben, cem]) await invite(portal, olga, guest);
  // Cem has an app already.
  await cem.visit('/account/security');
  await cem.press('Enable Two-Factor Authentication');
  await cem.setUpApp();
  await cem.keepRecoveryKey();

  await requireInSevenDays(portal, olga);

  // One by app, at the next sign-in.
  await signInAgain(ann);
  await ann.sees('Set up two-factor authentication');
  await ann.press('Not now');
  await ann.sees('Manage Account');
  portal.clock.advance(days(3));
  await signInAgain(ann);
  await ann.setUpApp();
  await ann.keepRecoveryKey();
  await ann.press('Continue');
  await ann.sees('Manage Account');

  // One by mail, after the day has come: there is no "Not now" any more.
  portal.clock.advance(days(4));
  await ben.enterPassword();
  await ben.sees('Set up two-factor authentication');
  assert.equal(await ben.button('Not now').count(), 0);
  await ben.press('Enable With Code by Email');
  await ben.press('Send verification code');
  await ben.enterEmailedCode();
  await ben.keepRecoveryKey();
  await ben.press('Continue');
  await ben.sees('Manage Account');

  await help(olga, cem);
  await takeTheRecordAlong(portal, olga);
});

async function claim(portal: ServedPortal, olga: PersonInChromium): Promise<void> {
  await olga.join();
  await olga.visit(pathOf((await makeSetUpLink(portal.world))!));
  await olga.fill('Name of the organisation', 'Herons Ltd');
  await olga.press('Create organisation');
  await olga.sees('People');
}

async function invite(portal: ServedPortal, olga: PersonInChromium, guest: PersonInChromium): Promise<void> {
  await olga.visit('/admin/people');
  await olga.press('Invite somebody');
  await olga.fill('Email', guest.email);
  await olga.press('Send invitation');
  await olga.sees('People');
  const { text } = await portal.mailTo(guest.email, 'You are invited');
  const path = pathOf(/http\S+invitation\?token=\S+/.exec(text)![0]);
  await guest.visit(path);
  await guest.press('Create an account');
  await guest.fill('Name', guest.name);
  await guest.fill('Password', guest.password);
  await guest.press('Create account');
  await guest.enterEmailedCode();
  await guest.sees('Join Herons Ltd');
  await guest.press('Accept');
  await guest.sees('Manage Account');
}

async function requireInSevenDays(portal: ServedPortal, olga: PersonInChromium): Promise<void> {
  await olga.press('Security Policy', 'Change the policy');
  await olga.sees('Change the policy');
  await olga.page.getByLabel('Required', { exact: true }).check();
  await olga.fill('Required from', new Date(portal.clock.now() + days(7)).toISOString().slice(0, 10));
  await olga.press('Preview');
  await olga.sees('Preview');
  const said = await olga.page.locator('main').innerText();
  for (const line of [/Asked, with time left: 3 people/, /Nothing changes: 1 person/, /Locked out: 0 people/]) assert.match(said, line);
  await olga.press('Send the mail');
  await portal.mailTo('ann@example.org', 'will ask you for a second step');
  await olga.fill('Why?', 'A stolen password must not be enough.');
  await olga.press('Save policy');
  await olga.sees('Security Policy');
}

async function signInAgain(person: PersonInChromium): Promise<void> {
  await person.signOut();
  await person.enterPassword();
}

/** Cem lost the phone; Olga, who has a second factor herself, has met him. */
async function help(olga: PersonInChromium, cem: PersonInChromium): Promise<void> {
  await olga.enterPassword();
  await olga.setUpApp();
  await olga.keepRecoveryKey();
  await olga.press('Continue');
  await olga.visit('/admin/people');
  await olga.press(/^Open Cem/, 'Issue a bypass code');
  await olga.fill('Reason', 'Phone fell into the lake');
  await olga.page.getByLabel('How did you check who is asking?', { exact: true }).selectOption('Met in person');
  await olga.press('Issue the code');
  await olga.sees('Bypass code');
  const code = await olga.page.locator('#bypass-code').innerText();
  await cem.enterPassword();
  await cem.press('Try another way', /^Bypass code/);
  await cem.fill('Bypass code', code);
  await cem.press('Continue');
  await cem.sees('Security and Credentials');
}

async function takeTheRecordAlong(portal: ServedPortal, olga: PersonInChromium): Promise<void> {
  await olga.visit('/admin/audit');
  const coming = olga.page.waitForEvent('download');
  await olga.press('Export as JSON Lines');
  const lines = readFileSync(await (await coming).path(), 'utf8')
    .trimEnd()
    .split('\n');
  const changed = lines.map((line) => JSON.parse(line) as { id: string; event: string }).find(({ event }) => event === 'policy_changed')!;
  const { world } = portal;
  // The portal chains what was written within a second; here nothing runs beside it.
  await chainNew(world);
  assert.ok((await verifyChain(world)).ok);
  const { query } = world.database;
  await query.updateTable('audit_events').set({ details: '{}' }).where('id', '=', changed.id).execute();
  const { sequence } = await query.selectFrom('audit_events').select('sequence').where('id', '=', changed.id).executeTakeFirstOrThrow();
  assert.deepEqual(await verifyChain(world), { ok: false, sequence, reason: 'changed' });
}
