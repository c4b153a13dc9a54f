/**
 * The people who are measured with, made by the product's own functions: each has a verified address, a password, an authenticator app and a Recovery Key.
 * A code serves once and an app shows one in half a minute, so there are as many people as there will be codes.
 */
import { rememberBrowser, signUp, verifyEmail } from '../src/accounts/accounts.ts';
import { beginAttempt } from '../src/attempts/attempts.ts';
import { enrol, toolsOf } from '../src/factors/factors.ts';
import { makeRecoveryKey, newRecoveryKeyState } from '../src/factors/recovery-key/recovery-key.ts';
import { openWorld } from '../src/open-world.ts';
import { readSettings } from '../src/config.ts';
import type { Transaction } from '../src/platform/database/database.ts';
import type { World } from '../src/platform/world.ts';
import { insertApp } from '../src/apps/apps.ts';
import { createOrganisation } from '../src/organisations/organisations.ts';
import { readDemand } from '../src/policy/policy.ts';
import { openAppSession, openSession } from '../src/sessions/sessions.ts';
import { APP_HOST, type HalfWay, type PersonOnFile, type Visitor } from './people.ts';

/** Everybody's, so that seeding hashes it once; the portal hashes it anew at every sign-in, as it does any other. */
const PASSWORD = 'seven quiet herons at dusk';
const AT_ONCE = 500;

export interface Seeded {
  readonly visitors: readonly Visitor[];
  readonly halfWay: readonly HalfWay[];
  readonly people: readonly PersonOnFile[];
}

export async function openSeedWorld(directory: string, environment: Record<string, string>): Promise<World> {
  const read = readSettings(environment, { development: false, serving: true, directory });
  if (!read.ok) throw new Error(read.mistakes.join('\n'));
  return openWorld(read.settings);
}

export async function seed(world: World, counts: { visitors: number; halfWay: number; people: number }): Promise<Seeded> {
  const passwordHash = await world.passwordHasher.hash(PASSWORD);
  let number = 0;
  const many = async <Seed>(
    count: number,
    make: (transaction: Transaction, person: PersonOnFile & { accountId: string }) => Promise<Seed>,
  ): Promise<Seed[]> => {
    const made: Seed[] = [];
    while (made.length < count) {
      await world.database.transaction(async (transaction) => {
        for (let left = Math.min(AT_ONCE, count - made.length); left > 0; left -= 1) {
          number += 1;
          made.push(await make(transaction, await makePerson(world, transaction, { number, passwordHash })));
        }
      });
    }
    return made;
  };
  return {
    visitors: await many(counts.visitors, (transaction, person) => signedIn(world, transaction, person)),
    halfWay: await many(counts.halfWay, (transaction, person) => passwordShown(world, transaction, person)),
    people: await many(counts.people, async (_transaction, person) => person),
  };
}

async function makePerson(
  world: World,
  transaction: Transaction,
  { number, passwordHash }: { number: number; passwordHash: string },
): Promise<PersonOnFile & { accountId: string }> {
  const address = `ada${number}@example.org`;
  const browserToken = Buffer.from(world.random.bytes(32)).toString('base64url');
  const { id: accountId } = await signUp(world, transaction, {
    email: { address, key: address },
    name: `Ada Number ${number}`,
    passwordHash,
    language: 'en',
    browserToken,
  });
  await verifyEmail(world, transaction, accountId);
  await rememberBrowser(world, transaction, accountId, browserToken);
  const secret = base32(world.random.bytes(20));
  const app = { secret, algorithm: 'SHA1', digits: 6, periodSeconds: 30, lastStep: null };
  await enrol(world, transaction, { accountId, kind: 'totp', name: 'Phone', state: app });
  const key = newRecoveryKeyState(toolsOf(world), accountId, makeRecoveryKey(world.random.bytes(32)));
  await enrol(world, transaction, { accountId, kind: 'recovery-key', name: 'Recovery Key', state: key });
  const network = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  return { accountId, email: address, password: PASSWORD, secret, browserToken, address: network };
}

/** RFC 4648 */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replace(/.{5}/g, (five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)]!);
}

const proofsOf = (world: World) => ({ password: world.clock.now(), totp: world.clock.now() });

async function signedIn(world: World, transaction: Transaction, person: PersonOnFile & { accountId: string }): Promise<Visitor> {
  const browser = { browserToken: person.browserToken, userAgent: 'seeded', address: person.address };
  const { demand } = await readDemand(transaction, person.accountId);
  await join(world, transaction, person.accountId);
  const { token, sessionId } = await openSession(world, transaction, { accountId: person.accountId, proofs: proofsOf(world), browser, demand });
  return { ...person, sessionToken: token, appToken: await openAppSession(world, transaction, { sessionId, host: APP_HOST }) };
}

/** The first one founds the organisation and puts the app behind the portal; the others are members. */
async function join(world: World, transaction: Transaction, accountId: string): Promise<void> {
  const organisation = await transaction.selectFrom('organisations').select('id').executeTakeFirst();
  if (organisation) {
    const account = await transaction.selectFrom('accounts').select(['email_key', 'name_key']).where('id', '=', accountId).executeTakeFirstOrThrow();
    const row = { organisation_id: organisation.id, account_id: accountId, role: 'member', ...account, joined_at: world.clock.now(), suspended_at: null };
    await transaction.insertInto('memberships').values(row).execute();
    return;
  }
  const from = { address: '192.0.2.1', userAgent: 'seeded', requestId: '' };
  const { id: organisationId } = await createOrganisation(world, transaction, { name: 'Herons Ltd', owner: accountId, from });
  const app = { organisationId, accountId, by: accountId, from, name: 'Wiki', host: APP_HOST, rules: [], last: 'two-factor' as const };
  const added = await insertApp(world, transaction, app);
  if (!added.ok) throw new Error(`The app was not added: ${added.reason}`);
}

/** Where sign-in.ts leaves an attempt after a right password. */
async function passwordShown(world: World, transaction: Transaction, person: PersonOnFile & { accountId: string }): Promise<HalfWay> {
  const attemptToken = Buffer.from(world.random.bytes(32)).toString('base64url');
  await beginAttempt(world, transaction, {
    holder: { attemptToken },
    purpose: 'sign-in',
    accountId: person.accountId,
    state: { proofs: { password: world.clock.now() }, asking: 'totp' },
  });
  return { ...person, attemptToken, formToken: world.keys.hash('form token', person.browserToken) };
}
