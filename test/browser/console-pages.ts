// The part of the walk that leads through an organisation: from the link that the server prints to the console and those who are invited.
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { countOrganisations } from '../../src/admin/overview.ts';
import { makeSetUpLink } from '../../src/organisations/organisations.ts';
import { PersonInChromium } from '../support/person-in-chromium.ts';
import type { ServedPortal } from '../support/served-portal.ts';
import { helping } from './lost-phone-pages.ts';
import type { Stop } from './walk.ts';

type Walk = AsyncGenerator<Stop, void>;

export async function* lookingAfterAnOrganisation(browser: Browser, portal: ServedPortal, options: BrowserContextOptions): Walk {
  const arrive = (name: string, email: string) => PersonInChromium.arrive(browser, portal, { ...options, name, email });
  await using owner = await arrive('Olga Example', 'olga@example.org');
  await using guest = await arrive('Guy Example-Hyphenated Of A Long Name', 'guy.of.a.long.address@mail.example.org');
  yield* claiming(owner);
  yield* inviting(owner, guest);
  yield* accepting(guest, arrive);
  yield* lookingAfter(owner, guest);
}

async function* claiming(owner: PersonInChromium): Walk {
  const link = new URL((await makeSetUpLink(owner.portal.world))!);
  const path = link.pathname + link.search;
  await owner.visit('/set-up?token=none');
  yield { name: 'set up, link dead', person: owner };
  await owner.visit(path);
  yield { name: 'set up, signed out', person: owner };
  await owner.signUp();
  await owner.visit(path);
  yield { name: 'set up, not verified', person: owner };
  await owner.visit('/verify-email/code');
  await owner.enterEmailedCode();
  await owner.sees('Your email is verified');
  await owner.visit(path);
  yield { name: 'set up', person: owner };
  await owner.fill('Name of the organisation', 'x'.repeat(101));
  await owner.press('Create organisation');
  yield { name: 'set up, name refused', person: owner };
  await owner.fill('Name of the organisation', 'Herons and Cranes Ltd');
  await owner.press('Create organisation');
  await owner.sees('People');
  yield { name: 'people, the owner alone', person: owner };
  await owner.press('Overview');
  yield { name: 'overview, the owner alone', person: owner };
  await owner.press('People');
}

async function* inviting(owner: PersonInChromium, guest: PersonInChromium): Walk {
  await owner.press('Invite somebody');
  yield { name: 'invite', person: owner };
  await owner.fill('Email', owner.email);
  await owner.press('Send invitation');
  yield { name: 'invite, belongs already', person: owner };
  await owner.fill('Email', guest.email);
  await owner.press('Send invitation');
  yield { name: 'people, one invited', person: owner };
}

type Arrive = (name: string, email: string) => Promise<PersonInChromium>;

async function* accepting(guest: PersonInChromium, arrive: Arrive): Walk {
  const { text } = await guest.portal.mailTo(guest.email, 'You are invited');
  const link = new URL(/http\S+invitation\?token=\S+/.exec(text)![0]);
  const path = link.pathname + link.search;
  await guest.visit(path);
  yield { name: 'invitation, signed out', person: guest };
  await guest.press('Create an account');
  await guest.fill('Name', guest.name);
  await guest.fill('Password', guest.password);
  await guest.press('Create account');
  await guest.sees('Check your email');
  await guest.visit(path);
  yield { name: 'invitation, not verified', person: guest };
  await guest.visit('/verify-email/code');
  await guest.enterEmailedCode();
  await guest.sees('Join Herons and Cranes Ltd');
  yield { name: 'invitation', person: guest };
  await using stranger = await arrive('Else Example', 'else@example.org');
  await stranger.join();
  await stranger.visit(path);
  yield { name: 'invitation, for another address', person: stranger };
  await guest.press('Accept');
  await guest.sees('Manage Account');
  yield { name: 'account, joined', person: guest };
  await guest.press('See your organisations');
  yield { name: 'organisations, one', person: guest };
  await guest.press('Leave Herons and Cranes Ltd');
  yield { name: 'organisation, leaving', person: guest };
  await guest.visit(path);
  yield { name: 'invitation, used', person: guest };
}

async function* makingApps(owner: PersonInChromium): Walk {
  await owner.visit('/admin/apps');
  yield { name: 'apps, none', person: owner };
  await owner.press('Add an app');
  yield { name: 'app, new', person: owner };
  await owner.fill('Name', 'Wiki');
  await owner.fill('Host', '*.org');
  await owner.fill('Rules by path', 'anybody /admin');
  await owner.press('Add app');
  yield { name: 'app, refused', person: owner };
  await owner.fill('Host', 'wiki.example.org');
  await owner.fill('Rules by path', 'two-factor /admin');
  await owner.press('Add app');
  await owner.sees('Wiki');
  await owner.fill('Path', '/admin/users');
  await owner.press('Ask');
  yield { name: 'app', person: owner };
  await owner.visit('/admin/apps');
  yield { name: 'apps, one', person: owner };
  await owner.visit('/');
  yield { name: 'your apps', person: owner };
  await owner.visit('/apps/enter?to=http%3A%2F%2Fnobody.example.org%2F');
  yield { name: 'no such app', person: owner };
}

async function* makingPolicy(owner: PersonInChromium): Walk {
  await owner.visit('/admin/policy');
  yield { name: 'policy, none of its own', person: owner };
  await owner.press('Change the policy');
  yield { name: 'policy, form', person: owner };
  await owner.fill('Days that somebody has who joins', '9999');
  await owner.fill('Email domains that may join', 'not a domain!');
  await owner.press('Preview');
  yield { name: 'policy, form refused', person: owner };
  await owner.fill('Days that somebody has who joins', '7');
  await owner.fill('Email domains that may join', '');
  await owner.fill('A device is trusted for (days)', '30');
  await owner.page.getByLabel('Required', { exact: true }).check();
  // So that somebody is asked for something.
  await owner.page.getByLabel(/Authenticator app/).uncheck();
  await owner.press('Preview');
  await owner.sees('Preview');
  yield { name: 'policy, preview', person: owner };
  await owner.press(/^See who: Asked/);
  yield { name: 'policy, preview of people', person: owner };
  await owner.press('Back to the preview');
  await owner.press('Send the mail');
  yield { name: 'policy, preview, told', person: owner };
  await owner.press('Change it once more');
  await owner.page.getByLabel(/Authenticator app/).check();
  await owner.press('Preview');
  await owner.sees('Preview');
  await owner.fill('Why?', 'A stolen password must not be enough.');
  await owner.press('Save policy');
  await owner.sees('Security Policy');
  yield { name: 'policy, in force', person: owner };
}

async function* lookingAfter(owner: PersonInChromium, guest: PersonInChromium): Walk {
  await guest.visit('/account/security');
  await guest.press('Enable Two-Factor Authentication');
  await guest.setUpApp();
  await guest.keepRecoveryKey();
  await owner.visit('/account');
  await owner.press('Profile');
  yield { name: 'account of an owner, menu open', person: owner };
  yield* lookingOver(owner);
  await owner.visit('/admin/people');
  yield { name: 'people, two', person: owner };
  await owner.fill('Search', 'zzz');
  await owner.press('Find');
  yield { name: 'people, none found', person: owner };
  await owner.visit('/admin/people?two-factor=on');
  await owner.press(/^Open Guy/);
  yield { name: 'person', person: owner };
  await owner.page.getByLabel('Role', { exact: true }).selectOption('Auditor');
  await owner.press('Change role');
  yield { name: 'person, role changed', person: owner };
  await guest.visit('/admin/policy');
  yield { name: 'policy, as an auditor', person: guest };
  await guest.visit('/admin/people');
  yield { name: 'people, as an auditor', person: guest };
  await guest.press(/^Open Olga/);
  yield { name: 'person, as an auditor', person: guest };
  await owner.visit('/admin/people');
  await owner.press(/^Open Olga/);
  yield { name: 'person, oneself', person: owner };
  yield* helping(owner, guest);
  yield* makingKeys(owner, guest);
  yield* readingTheLog(owner);
  await owner.visit('/admin/people');
  await owner.press(/^Open Guy/);
  await owner.press('Suspend');
  yield { name: 'person, suspended', person: owner };
  await owner.press('End the suspension');
  yield* makingApps(owner);
  yield* makingPolicy(owner);
  yield* trustingADevice(owner);
}

/** The owner has an app by now, and the policy allows it. */
async function* trustingADevice(owner: PersonInChromium): Walk {
  await owner.signOut();
  await owner.enterPassword();
  await owner.sees('Enter your code');
  yield { name: 'second factor, a device to remember', person: owner };
  await owner.page.getByLabel('Remember this device for 30 days').check();
  await owner.fill('Verification code', owner.phone!.fresh());
  await owner.press('Continue');
  await owner.openSecurity();
  yield { name: 'security, one trusted device', person: owner };
  await owner.button('Remove').click();
  await owner.page.getByText('That device is trusted no longer').waitFor();
  yield { name: 'security, none trusted any longer', person: owner };
}

async function* readingTheLog(owner: PersonInChromium): Walk {
  await owner.visit('/admin/audit');
  yield { name: 'audit log', person: owner };
  await owner.page.getByLabel('Kind of event').selectOption('Members, roles and invitations');
  await owner.page.getByLabel('From', { exact: true }).fill('2020-01-01');
  await owner.press('Find');
  await owner.press(/^Details of Role changed/);
  yield { name: 'audit event', person: owner };
  await owner.press('All events of this person');
  yield { name: 'audit log, of one person', person: owner };
  await owner.visit('/admin/audit?to=2020-01-01');
  yield { name: 'audit log, nothing found', person: owner };
  await owner.press('Stream the audit log to another system');
  yield { name: 'webhook, none', person: owner };
  await owner.fill('Address', 'http://log.example.org');
  await owner.press('Start streaming');
  yield { name: 'webhook, refused', person: owner };
  await owner.fill('Address', 'https://log.example.org/twinlock');
  await owner.press('Start streaming');
  yield { name: 'webhook, its secret', person: owner };
  await owner.press('I have kept it');
  yield { name: 'webhook', person: owner };
}

async function* makingKeys(owner: PersonInChromium, auditor: PersonInChromium): Walk {
  await owner.visit('/admin/api-keys');
  yield { name: 'API keys, none', person: owner };
  await owner.press('Create API key');
  yield { name: 'API key, new', person: owner };
  await owner.fill('Name', 'Nightly sync with a name that is rather long');
  await owner.press('Create API key');
  yield { name: 'API key, no scope', person: owner };
  await owner.page.getByLabel('people:read').check();
  await owner.page.getByLabel('Acts as', { exact: true }).selectOption('Admin');
  await owner.page.getByLabel('help:write').check();
  await owner.fill('Days until it expires', '400');
  await owner.press('Create API key');
  yield { name: 'API key, days refused', person: owner };
  await owner.fill('Days until it expires', '30');
  await owner.press('Create API key');
  yield { name: 'API key, shown', person: owner };
  await owner.press('Done');
  yield { name: 'API keys, one', person: owner };
  await owner.press(/^Stand by /);
  yield { name: 'API keys, one that its maker stands by', person: owner };
  await auditor.visit('/admin/api-keys');
  yield { name: 'API keys, as an auditor', person: auditor };
  await auditor.visit('/api/docs');
  yield { name: 'API, described', person: auditor };
}

/** With counts of three weeks, as they would stand there by then. */
async function* lookingOver(owner: PersonInChromium): Walk {
  const { world } = owner.portal;
  await countOrganisations(world);
  const { id } = await world.database.query.selectFrom('organisations').select('id').executeTakeFirstOrThrow();
  const [today] = await world.database.query.selectFrom('organisation_days').selectAll().where('organisation_id', '=', id).orderBy('day', 'desc').execute();
  for (let back = 1; back <= 20; back++)
    await world.database.query
      .updateTable('organisation_days')
      .set({ people: 60 - back, protected: 48 - 2 * back, methods: '{}', counted_at: world.clock.now() })
      .where('day', '=', today!.day - back)
      .execute();
  await owner.visit('/admin');
  await owner.page.getByText('The same in numbers').click();
  yield { name: 'overview', person: owner };
}
