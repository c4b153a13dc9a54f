/**
 * Every kind of browser that a form may come from, all over one database: signed out, on the way through each journey, signed in with and
 * without a second factor, with a proof that is fresh and one that is not. Each is put back before the next request.
 */
import type { Person } from '../support/person.ts';
import type { Portal } from '../support/portal.ts';
import { readRows, writeRows, type Rows } from '../support/rows.ts';
import type { Visitor } from '../support/visitor.ts';

export interface State {
  readonly name: string;
  /** Whose browser it is; undefined for a stranger's. */
  readonly accountId: string | undefined;
  readonly email: string;
  readonly password: string;
  readonly cookies: Readonly<Record<string, string>>;
  readonly formToken: string;
  readonly policy: 'optional' | 'required';
  /** The form that ends the sign-in of somebody who has shown everything. */
  readonly lastForm: string | undefined;
}

export interface Stage {
  readonly states: readonly State[];
  /** What the database holds while a state is tried. */
  rowsOf(state: State): Rows;
  /** `present`: what it holds now, where that is known. */
  putBack(state: State, present?: Rows): Promise<void>;
  /** Ids and addresses that exist, and tokens that sign nobody in: everybody's, so that most are other people's. */
  readonly known: readonly string[];
}

export async function setTheStage(portal: Portal): Promise<Stage> {
  const people: [name: string, person: Person | undefined, browser: Visitor, more?: Partial<State>][] = [];

  const eve = await portal.newcomer().join();
  await eve.enableByApp();
  people.push(['signed in with 2FA, and away for a while', eve, eve.browser]);
  portal.clock.advance(11 * 60_000);

  const bob = await portal.newcomer().join();
  await bob.enableByApp();
  await bob.enableEmailToo();
  const signedOut = portal.browser();
  await signedOut.visit('/sign-in');
  people.push(['signed out', undefined, signedOut], ['signed in with 2FA', bob, bob.browser]);

  const cy = await portal.newcomer().join();
  people.push(['signed in', cy, cy.browser]);
  const ian = await portal.newcomer().signUp();
  people.push(['signed up and not verified', ian, ian.browser]);
  people.push(['signed in, in the middle of everything', ...(await inTheMiddleOfEverything(portal))]);

  const fay = await portal.newcomer().join();
  await fay.enableByApp();
  const abroad = portal.browser();
  await fay.enterPassword(abroad);
  people.push(['mid-attempt, asked for the app', fay, abroad]);
  const jack = await portal.newcomer().join();
  await jack.enableByEmail();
  await jack.signOut();
  await jack.enterPassword();
  people.push(['mid-attempt, asked for a code by email', jack, jack.browser]);
  const gil = await portal.newcomer().join();
  await gil.enableByApp();
  const recovering = portal.browser();
  await gil.enterPassword(recovering);
  await gil.chooseWay('recovery-key', recovering);
  recovering.fill('Recovery Key', gil.recoveryKey!);
  await recovering.press('Continue');
  people.push(['mid-attempt, with the next Recovery Key to keep', gil, recovering, { lastForm: '/sign-in/recovery-key' }]);
  people.push(['choosing a new password', ...(await choosingANewPassword(portal))]);
  people.push(['mid-attempt, choosing a longer password', ...(await choosingALongerPassword(portal)), { lastForm: '/sign-in/new-password' }]);

  await portal.setPolicy('required');
  for (const [name, steps] of [
    ['made to set up, choosing', []],
    ['made to set up, at the QR code', ['Enable With Authenticator App', 'Continue']],
    ['made to set up, at the emailed code', ['Enable With Code by Email', 'Send verification code']],
  ] as const) {
    await portal.setPolicy('optional');
    const jo = await portal.newcomer().join();
    await jo.signOut();
    await portal.setPolicy('required');
    await jo.enterPassword();
    for (const step of steps) await jo.browser.press(step);
    people.push([name, jo, jo.browser, { policy: 'required' }]);
  }

  const rows = await readRows(portal.world.database);
  const states = people.map(([name, person, browser, more]) => ({ ...stateOf(portal, rows, { name, person, browser }), ...more }));
  return {
    states,
    rowsOf: (state) => withPolicy(rows, state.policy),
    putBack: (state, present) => writeRows(portal.world.database, withPolicy(rows, state.policy), present),
    known: [
      ...['accounts', 'factors', 'sessions', 'attempts'].flatMap((table) => rows[table]!.map((row) => String(row['id']))),
      ...rows['accounts']!.map((row) => String(row['email'])),
      ...people.flatMap(([, , browser]) => browser.cookies.get('twinlock-browser')!),
    ],
  };
}

/** One of every attempt that a signed-in person can have begun. */
async function inTheMiddleOfEverything(portal: Portal): Promise<[Person, Visitor]> {
  const dee = await portal.newcomer().join();
  await dee.enableByApp();
  const { browser } = dee;
  await dee.openSecurity();
  await browser.press('Add a method');
  await browser.press('Enable With Authenticator App');
  await browser.press('Continue');
  await dee.openSecurity();
  await browser.press('Disable');
  await browser.press('Send verification code');
  await dee.openSecurity();
  await browser.press('Create new Recovery Key');
  await browser.press('Send verification code');
  await dee.enterCode(dee.newestCode());
  await browser.visit('/account/email');
  browser.fill('Email', 'dee.new@example.org');
  await browser.press('Send verification code');
  return [dee, browser];
}

async function choosingANewPassword(portal: Portal): Promise<[Person, Visitor]> {
  const hal = await portal.newcomer().join();
  await hal.enableByApp();
  const browser = portal.browser();
  await browser.visit('/forgot-password');
  browser.fill('Email', hal.email);
  await browser.press('Send the link');
  await browser.visit(/http\S+token=\S+/.exec(hal.newestMail().text)![0]);
  await browser.press('Continue');
  return [hal, browser];
}

async function choosingALongerPassword(portal: Portal): Promise<[Person, Visitor]> {
  const kit = await (await portal.newcomer().join()).enableByApp();
  const { database, passwordHasher } = portal.world;
  kit.password = 'ten otters';
  const hash = await passwordHasher.hash(kit.password);
  await database.query.updateTable('accounts').set({ password_hash: hash }).where('email', '=', kit.email).execute();
  const browser = portal.browser();
  await kit.enterPassword(browser);
  await kit.enterCode(kit.phone.fresh(), { browser });
  return [kit, browser];
}

function stateOf({ world }: Portal, rows: Rows, { name, person, browser }: { name: string; person: Person | undefined; browser: Visitor }): State {
  const account = person && rows['accounts']!.find((row) => row['email'] === person.email)!;
  return {
    name,
    policy: 'optional',
    lastForm: undefined,
    accountId: account && String(account['id']),
    email: person?.email ?? 'stranger@example.org',
    password: person?.password ?? 'a stranger’s own words',
    cookies: Object.fromEntries(browser.cookies.names.map((cookie) => [cookie, browser.cookies.get(cookie)!])),
    formToken: world.keys.hash('form token', browser.cookies.get('twinlock-browser')!),
  };
}

const withPolicy = (rows: Rows, twoFactor: State['policy']): Rows => ({
  ...rows,
  policies: rows['policies']!.map((row) => ({ ...row, rules: JSON.stringify({ twoFactor }) })),
});
