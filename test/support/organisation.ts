// What tests of the console start from: an organisation, and people who joined it, all through its own pages.
import assert from 'node:assert/strict';
import { findAccount } from '../../src/accounts/accounts.ts';
import { makeSetUpLink } from '../../src/organisations/organisations.ts';
import { DEFAULT_RULES, makeDraft, saveDraft, type Rules } from '../../src/policy/policy.ts';
import { accountOf } from '../attacks/intruder.ts';
import { linkIn, type Person } from './person.ts';
import type { Portal } from './portal.ts';
import type { Visitor } from './visitor.ts';

/** The path of the link that `twinlock serve` prints. */
export async function setUpPath({ world }: Portal): Promise<string> {
  const link = await makeSetUpLink(world);
  assert.ok(link, 'There is an organisation already.');
  return pathOf(link);
}

/** Somebody who claimed the portal, and owns its first organisation. */
export async function foundOrganisation(portal: Portal, name = 'Herons Ltd'): Promise<Person> {
  const owner = await portal.newcomer().join();
  await owner.browser.visit(await setUpPath(portal));
  owner.browser.fill('Name of the organisation', name);
  await owner.browser.press('Create organisation');
  assert.equal(owner.browser.page.path, '/admin/people');
  return owner;
}

/** From the invitation by `by` to "Accept". */
export async function joinAs(portal: Portal, by: Person, role: 'Admin' | 'Auditor' | 'Member', person = portal.newcomer()): Promise<Person> {
  await sendInvitation(by, person.email, role);
  if (person.browser.cookies.get('twinlock-session') === undefined) await person.join();
  await person.browser.visit(invitationPath(person));
  await person.browser.press('Accept');
  assert.equal(person.browser.page.path, '/account');
  return person;
}

/** With a fresh proof, whether or not the last one is. */
export async function sendInvitation({ browser, ...by }: Person, email: string, role: string): Promise<void> {
  await browser.visit('/admin/people/invite');
  await confirmIfAsked(browser, by.password);
  browser.fill('Email', email);
  browser.fill('Role', role);
  await browser.press('Send invitation');
}

/** Shows the password where the page asks who it is. For people without a second factor. */
export async function confirmIfAsked(browser: Visitor, password: string): Promise<void> {
  if (browser.page.heading !== 'Confirm that it’s you') return;
  browser.fill('Password', password);
  await browser.press('Continue');
}

/** The path of the link in the newest invitation. */
export function invitationPath(person: Person): string {
  const newest = person.mails().findLast(({ subject }) => subject.startsWith('You are invited to '));
  assert.ok(newest, `No invitation came to ${person.email}.`);
  return pathOf(linkIn(newest.text));
}

const pathOf = (link: string): string => {
  const { pathname, search } = new URL(link);
  return pathname + search;
};

/** Opens somebody's page in the console. */
export async function openPerson({ browser }: Person, email: string): Promise<void> {
  await browser.visit('/admin/people');
  await browser.press(browser.page.buttons.find((name) => name.startsWith('Open ') && name.endsWith(`, ${email}`)) ?? `Open …, ${email}`);
}

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };

/** Rules of the first organisation, without the pages. */
export async function impose(portal: Portal, by: Person, rules: Partial<Rules>, { renews = false } = {}): Promise<void> {
  const { world } = portal;
  const organisation = await world.database.query.selectFrom('organisations').select(['id', 'name']).orderBy('created_at').executeTakeFirstOrThrow();
  const account = (await findAccount(world.database.query, (await accountOf(portal, by.email)).id))!;
  const actor = { account, organisation, from: FROM };
  const present = await world.database.query.selectFrom('policies').select('version').where('id', '=', organisation.id).executeTakeFirst();
  const draftId = (await makeDraft(world, actor, { rules: { ...DEFAULT_RULES, ...rules }, basedOn: present?.version ?? 0, renews }))!;
  assert.deepEqual(await saveDraft(world, actor, { draftId, reason: 'Because.' }), { ok: true });
}
