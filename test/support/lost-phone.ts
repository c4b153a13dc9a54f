// What tests of the lost phone have in common: a code from the console, and the way in with it.
import assert from 'node:assert/strict';
import { enrol, makeBypassCode, toolsOf } from '../../src/factors/factors.ts';
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
