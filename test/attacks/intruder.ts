// What attackers do that people don't: post what no page offers, race, and look for a way in. Shared by the tests of this folder.
import assert from 'node:assert/strict';
import type { World } from '../../src/platform/world.ts';
import type { Portal } from '../support/portal.ts';
import type { Site, Visitor } from '../support/visitor.ts';

/** Whether this browser is signed in, by what it is shown. */
export async function isSignedIn(browser: Visitor): Promise<boolean> {
  const page = await browser.visit('/account');
  const signedIn = page.hasButton('Profile');
  if (!signedIn) assert.equal(page.path, '/sign-in');
  return signedIn;
}

/** How many sessions an account has, in the database itself. */
export async function sessionsOf({ world }: { readonly world: World }, email: string): Promise<number> {
  const rows = await world.database.query
    .selectFrom('sessions as s')
    .innerJoin('accounts as a', 'a.id', 's.account_id')
    .select('s.id')
    .where('a.email', '=', email)
    .execute();
  return rows.length;
}

/** The account that an address has, as the database has it. */
export async function accountOf({ world }: { readonly world: World }, email: string) {
  return world.database.query.selectFrom('accounts').selectAll().where('email', '=', email).executeTakeFirstOrThrow();
}

/** The address in the newest mail with a link to choose a new password. */
export function resetLink(portal: Portal, email: string): string {
  const links = portal.mail.to(email).flatMap(({ text }) => /\/forgot-password\/link\?token=\S+/.exec(text)?.[0] ?? []);
  const newest = links.at(-1);
  assert.ok(newest, `No link came to ${email}.`);
  return newest;
}

/** Asks for a link to choose a new password. */
export async function askForReset(browser: Visitor, email: string): Promise<void> {
  await browser.visit('/forgot-password');
  browser.fill('Email', email);
  await browser.press('Send the link');
}

/** The same request from one browser, many times at once, by turns over all that serve the portal. */
export async function race(
  sites: readonly Site[],
  { browser, path, fields, times }: { browser: Visitor; path: string; fields: Readonly<Record<string, string>>; times: number },
): Promise<Visitor[]> {
  const racing = Array.from({ length: times }, (_, index) => browser.movedTo(sites[index % sites.length]!));
  await Promise.all(racing.map((one) => one.post(path, fields)));
  return racing;
}

/** The marks of another digit in each place: six digits that are certainly not the code. */
export const wrongCode = (code: string): string => code.replace(/\d/g, (digit) => String((Number(digit) + 1) % 10));
