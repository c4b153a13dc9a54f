// What tests of the lost phone have in common: a code from the console, and the way in with it.
import assert from 'node:assert/strict';
import { findAccount } from '../../src/accounts/accounts.ts';
import { enrol, makeBypassCode, toolsOf } from '../../src/factors/factors.ts';
import { resetWhoIsDue as resetThem } from '../../src/lost-phone/lost-phone.ts';
import { DEFAULT_RULES, makeDraft, saveDraft, type Rules } from '../../src/policy/policy.ts';
import { confirmIfAsked, openPerson } from './organisation.ts';
import type { Page } from './page.ts';
import type { Person } from './person.ts';
import type { Portal } from './portal.ts';
import type { Visitor } from './visitor.ts';

/** By the forms, with grounds; returns the code that the page shows. */
export async function issueBypassCode(by: Person, email: string): Promise<string> {
  await openPerson(by, email);
  const { browser } = by;
  await browser.press(browser.page.hasButton('Issue a bypass code') ? 'Issue a bypass code' : 'Issue another bypass code');
  await confirmIfAsked(browser, by.password);
  if (browser.page.heading !== 'Issue a bypass code') await by.showSecondFactor('app');
  fillGrounds(browser);
  await browser.press('Issue the code');
  return bypassCodeOn(browser.page);
}

export function fillGrounds(browser: Visitor): void {
  browser.fill('Reason', 'Phone lost');
  browser.fill('How did you check who is asking?', 'Met in person');
}

export function bypassCodeOn(page: Page): string {
  const code = page.root.querySelector('#bypass-code')?.text.trim();
  assert.ok(code, `There is no code on: ${page.text}`);
  return code;
}

/** For tests of what comes after it: without an organisation, as the operator of the server would. */
export async function madeBypassCode({ world }: Portal, email: string): Promise<string> {
  const { id: accountId } = await world.database.query.selectFrom('accounts').select('id').where('email', '=', email).executeTakeFirstOrThrow();
  const { code, state } = makeBypassCode(toolsOf(world), { accountId, by: null, organisation: null });
  await world.database.transaction((transaction) => enrol(world, transaction, { accountId, kind: 'bypass-code', name: 'Bypass code', state }));
  return code;
}

/** The password, "Try another way", "Bypass code". */
export async function signInByBypassCode(person: Person, browser: Visitor, code: string): Promise<Page> {
  await person.enterPassword(browser);
  await browser.press('Try another way');
  await browser.press(browser.page.buttonStartingWith('Bypass code'));
  browser.fill('Bypass code', code);
  return browser.press('Continue');
}

/** By the form, with grounds. */
export async function askForReset(by: Person, email: string): Promise<Page> {
  await openPerson(by, email);
  const { browser } = by;
  await browser.press('Reset all methods');
  await confirmIfAsked(browser, by.password);
  if (browser.page.heading !== 'Reset all methods') await by.showSecondFactor('app');
  fillGrounds(browser);
  return browser.press('Ask for the reset');
}

/** The path of the newest link that stops a reset. */
export function stopPath(person: Person): string {
  const newest = person.mails().findLast(({ text }) => text.includes('/stop-reset?token='));
  const link = newest && /\/stop-reset\?token=\S+/.exec(newest.text)?.[0];
  assert.ok(link, `No link came to ${person.email}.`);
  return link;
}

/** Rules of the first organisation, without the pages of its policy. */
export async function imposeRules({ world }: Portal, by: Person, rules: Partial<Rules>): Promise<void> {
  const { query } = world.database;
  const organisation = await query.selectFrom('organisations').select(['id', 'name']).orderBy('created_at').executeTakeFirstOrThrow();
  const { id } = await query.selectFrom('accounts').select('id').where('email', '=', by.email).executeTakeFirstOrThrow();
  const present = await query.selectFrom('policies').select('version').where('id', '=', organisation.id).executeTakeFirst();
  const actor = { account: (await findAccount(query, id))!, organisation, from: { address: '', userAgent: 'a test', requestId: 'a-test-asked' } };
  const draftId = await makeDraft(world, actor, { rules: { ...DEFAULT_RULES, ...rules }, basedOn: present?.version ?? 0, renews: false });
  assert.ok(draftId);
  assert.deepEqual(await saveDraft(world, actor, { draftId, reason: 'A test asks for it.' }), { ok: true });
}

/** As the server does every minute, with the mail that comes of it. */
export async function resetWhoIsDue({ world, mail }: Portal): Promise<number> {
  const count = await resetThem(world);
  await mail.deliver(world);
  return count;
}
