/**
 * Every flow of the mission, done once by people, with each form that they send written down beside what the database held before and after it.
 * It can then be sent again from exactly there, as often as a test likes, with something failing on the way.
 */
import type { InjectOptions } from 'fastify';
import type { Faults } from '../support/faults.ts';
import type { Person } from '../support/person.ts';
import type { Portal } from '../support/portal.ts';
import { readRows, writeRows, type Rows } from '../support/rows.ts';
import { Visitor, type Site } from '../support/visitor.ts';

export interface Recorded {
  readonly flow: string;
  readonly person: Person;
  /** Headers and cookies included. */
  readonly request: InjectOptions;
  readonly at: number;
  readonly before: Rows;
  readonly after: Rows;
  readonly status: number;
  readonly location: string | undefined;
  /** How many operations of the database, and transactions, it took. */
  readonly operations: number;
  readonly transactions: number;
  /** Addresses, passwords and Recovery Keys that the person has at hand in this flow, those that it replaces among them. */
  readonly emails: readonly string[];
  readonly passwords: readonly string[];
  readonly keys: readonly string[];
}

/** For the message of a failed test. */
export const nameOf = ({ flow, request: { method, url } }: Recorded): string =>
  `${flow}: ${method} ${typeof url === 'string' ? url.replace(/\?.*/, '').replace(/[\w-]{20,}/, ':id') : ''}`;

export async function recordFlows(portal: Portal, faults: Faults): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  const untouched = await readRows(portal.world.database);
  for (const [flow, act] of Object.entries(FLOWS)) {
    // Each on a database of its own, which keeps them small.
    await writeRows(portal.world.database, untouched);
    const person = portal.newcomer();
    const emails = new Set<string>();
    const passwords = new Set<string>();
    const keys = new Set<string>();
    const remember = (): void => {
      emails.add(person.email);
      passwords.add(person.password);
      if (person.recoveryKey !== undefined) keys.add(person.recoveryKey);
    };
    const steps: Omit<Recorded, 'emails' | 'passwords' | 'keys'>[] = [];
    let recording = false;
    const site: Site = {
      inject: async (request) => {
        remember();
        const { database } = portal.world;
        const records = recording && request.method === 'POST';
        const before = records ? await readRows(database) : {};
        const at = portal.clock.now();
        faults.heal();
        faults.armed = true;
        const response = await portal.app.inject(request);
        faults.armed = false;
        if (records) {
          const { operations, transactions } = faults;
          const { statusCode: status, headers } = response;
          steps.push({
            flow,
            person,
            request,
            at,
            before,
            after: await readRows(database),
            status,
            location: headers.location,
            operations,
            transactions,
          });
        }
        if (request.method === 'POST') await portal.mail.deliver(portal.world);
        return response;
      },
    };
    const browser = (): Visitor => new Visitor(site, { origin: portal.world.installation.origin, checkHtml: false, address: person.browser.address });
    person.browser = browser();
    await act({ portal, person, abroad: browser(), record: () => (recording = true) });
    remember();
    recorded.push(...steps.map((step) => ({ ...step, emails: [...emails], passwords: [...passwords], keys: [...keys] })));
  }
  return recorded;
}

/** Puts the portal back to where it was just before the request. `present`: what the database holds, where that is known. */
export async function rewind({ world }: Portal, { before, at }: Recorded, present?: Rows): Promise<void> {
  await writeRows(world.database, before, present);
  world.clock.set(at);
}

interface Stage {
  readonly portal: Portal;
  readonly person: Person;
  readonly abroad: Visitor;
  /** From here on requests are written down. */
  record(): void;
}

const FLOWS: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  async 'signing up'({ person, record }) {
    record();
    await person.join();
  },
  async 'enabling by email'({ person, record }) {
    await person.join();
    record();
    await person.enableByEmail();
  },
  async 'enabling by app'({ person, record }) {
    await person.join();
    record();
    await person.enableByApp();
  },
  async 'signing in by email'({ person, abroad, record }) {
    await person.join();
    await person.enableByEmail();
    record();
    await person.signIn({ browser: abroad, by: 'email' });
  },
  async 'signing in by app, after a wrong code'({ person, abroad, record }) {
    await person.join();
    await person.enableByApp();
    record();
    await person.enterPassword(abroad, 'not the password at all');
    await person.enterPassword(abroad);
    await person.enterCode(person.phone.shows(0), { browser: abroad });
    await person.enterCode(person.phone.fresh(), { browser: abroad });
  },
  async 'signing in by Recovery Key'({ person, abroad, record }) {
    await person.join();
    await person.enableByApp();
    record();
    await person.signIn({ browser: abroad, by: 'recovery-key' });
  },
  async 'signing in under the policy'({ portal, person, record }) {
    await person.join();
    await person.signOut();
    await portal.setPolicy('required');
    record();
    await person.enterPassword();
    await person.browser.press('Enable With Authenticator App');
    await person.setUpApp();
    await person.keepRecoveryKey();
  },
  async disabling({ person, record }) {
    await person.join();
    await person.enableByApp();
    record();
    await person.disable();
  },
  async 'confirming, and a new Recovery Key'({ portal, person, record }) {
    await person.join();
    await person.enableByApp();
    portal.clock.advance(11 * 60_000);
    await person.openSecurity();
    record();
    const { browser } = person;
    await browser.press('Create new Recovery Key');
    browser.fill('Password', person.password);
    await browser.press('Continue');
    await person.showSecondFactor('app');
    await browser.press('Send verification code');
    await person.enterCode(person.newestCode());
    await person.keepRecoveryKey();
  },
  async 'a second app, its name, a new phone, and removal'({ person, record }) {
    await person.join();
    await person.enableByApp();
    record();
    const { browser } = person;
    await person.addApp({ name: 'Second' });
    await browser.press('Manage Authenticator app (Second)');
    browser.fill('Name of this app', 'Third');
    await browser.press('Save name');
    await browser.press('Manage Authenticator app (Third)');
    await browser.press('Set up on the new phone');
    await person.setUpApp();
    await browser.press('Manage Authenticator app (Third)');
    await browser.press('Remove');
  },
  async 'changing the password'({ person, record }) {
    await person.join();
    record();
    const { browser } = person;
    await person.openSecurity();
    await browser.press('Change password');
    browser.fill('Current password', person.password);
    browser.fill('New password', 'eleven brown otters swim');
    await browser.press('Change password');
    person.password = 'eleven brown otters swim';
  },
  async 'resetting the password, with the Recovery Key'({ person, abroad, record }) {
    await person.join();
    await person.enableByEmail();
    record();
    await person.openResetLink(abroad);
    abroad.fill('Recovery Key', person.recoveryKey!);
    await abroad.press('Continue');
    await person.keepRecoveryKey(abroad);
    abroad.fill('New password', 'nine green beetles march');
    await abroad.press('Save new password');
    person.password = 'nine green beetles march';
  },
  async 'changing the address'({ person, record }) {
    await person.join();
    record();
    const { browser } = person;
    await browser.visit('/account/email');
    browser.fill('Email', `new.${person.email}`);
    await browser.press('Send verification code');
    person.email = `new.${person.email}`;
    await person.enterCode(person.newestCode());
  },
  async 'the profile, sessions, and signing out'({ person, abroad, record }) {
    await person.join();
    await person.signIn({ browser: abroad });
    record();
    const { browser } = person;
    await browser.visit('/account');
    browser.fill('Name', 'Augusta');
    await browser.press('Save');
    await browser.visit('/account/sessions');
    await browser.press('Sign out all others');
    await person.signOut();
  },
};
