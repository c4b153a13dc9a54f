/**
 * What administrators wait for in an organisation of many people, and what the chain costs whoever writes to the audit log. In process: the functions that
 * the console calls. PostgreSQL is the tests' own, which does not wait for the disk: its figures are to be compared with one another.
 */
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { listPeople } from '../src/admin/admin.ts';
import { record, startChaining } from '../src/audit/audit.ts';
import { createOrganisation, type Organisation } from '../src/organisations/organisations.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { openPostgres } from '../src/platform/database/postgres.ts';
import { openSqlite } from '../src/platform/database/sqlite.ts';
import type { World } from '../src/platform/world.ts';
import { DEFAULT_RULES, makeDraft, measureEffect, saveDraft } from '../src/policy/policy.ts';
import { findAccount } from '../src/accounts/accounts.ts';
import { freshPostgresDatabase, startPostgres } from '../test/support/postgres.ts';
import type { Row } from './table.ts';

const WRITERS = 32;
const ROWS_AT_ONCE = 500;
const FROM = { address: '192.0.2.1', userAgent: 'bench', requestId: '' };

/** `rest`: the World of the seeded installation, whose keys and clock serve here too. */
export async function measureOrganisation(rest: World, { directory, people, seconds }: { directory: string; people: number; seconds: number }): Promise<Row[]> {
  const sqlite = openSqlite(path.join(directory, 'organisation.sqlite'));
  const postgres = await startPostgres();
  const other = openPostgres(await freshPostgresDatabase(postgres));
  try {
    const rows: Row[] = [];
    await migrate(sqlite);
    await migrate(other);
    rows.push(...(await measurePeople({ ...rest, database: sqlite }, people, seconds)));
    for (const [name, database] of [
      ['SQLite', sqlite],
      ['PostgreSQL', other],
    ] as const)
      rows.push(...(await measureAudit({ ...rest, database }, name, seconds)));
    return rows;
  } finally {
    await sqlite.close();
    await other.close();
    await postgres.stop();
  }
}

async function measurePeople(world: World, people: number, seconds: number): Promise<Row[]> {
  const { query } = world.database;
  const organisation = await makeOrganisation(world, people);
  const size = people.toLocaleString('en');
  const everybody = { search: '', role: undefined, twoFactor: undefined, standing: undefined };
  const middle = `ada${String(Math.floor(people / 2)).padStart(7, '0')}@example.org`;
  const owner = (await findAccount(query, idOf(0)))!;
  const rules = { ...DEFAULT_RULES, twoFactor: 'required' as const, graceDays: 7 };
  const proposed = { organisationId: organisation.id, rules, renews: false };
  const list = (filter: typeof everybody, after: string) => listPeople(query, organisation, filter, { after });
  const rows = [
    { name: `people: first page of ${size}`, measured: await timed(seconds, () => list(everybody, '')) },
    { name: `people: a page in the middle of ${size}`, measured: await timed(seconds, () => list(everybody, middle)) },
    { name: `people: a search among ${size}`, measured: await timed(seconds, () => list({ ...everybody, search: 'ada00012' }, '')) },
    {
      name: `policy: preview of ${size} people`,
      measured: await timed(seconds, () => measureEffect(query, { now: world.clock.now(), current: DEFAULT_RULES, proposed })),
    },
  ];
  const actor = { account: owner, organisation, from: FROM };
  const draftId = (await makeDraft(world, actor, { rules, basedOn: 0, renews: false }))!;
  const startedAt = performance.now();
  const saved = await saveDraft(world, actor, { draftId, reason: 'bench' });
  if (!saved.ok) throw new Error(`The policy was not saved: ${saved.reason}`);
  const took = performance.now() - startedAt;
  return [...rows, { name: `policy: saved for ${size} people`, measured: { perSecond: 1000 / took, p50Milliseconds: took, p99Milliseconds: took } }];
}

const idOf = (number: number): string => `account-${String(number).padStart(7, '0')}`;

/** Every third has a method. Written as rows: made by the product's own functions it would take minutes. */
async function makeOrganisation(world: World, people: number): Promise<Organisation> {
  const now = world.clock.now();
  let organisation: Organisation | undefined;
  for (let first = 0; first < people; first += ROWS_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(ROWS_AT_ONCE, people - first) }, (_, index) => first + index);
    organisation = await world.database.transaction(async (transaction) => {
      const accounts = numbers.map((number) => {
        const email = `ada${String(number).padStart(7, '0')}@example.org`;
        return {
          id: idOf(number),
          email,
          email_key: email,
          email_verified_at: now,
          name: `Ada ${number}`,
          name_key: `ada ${number}`,
          language: 'en',
          password_hash: '',
          password_changed_at: now,
          sign_up_browser_hash: '',
          created_at: now,
        };
      });
      await transaction.insertInto('accounts').values(accounts).execute();
      const made = organisation ?? (await createOrganisation(world, transaction, { name: 'Herons Ltd', owner: idOf(0), from: FROM }));
      const members = accounts
        .filter(({ id }) => id !== idOf(0))
        .map(({ id, email_key, name_key }) => ({
          organisation_id: made.id,
          account_id: id,
          role: 'member',
          email_key,
          name_key,
          joined_at: now,
          suspended_at: null,
        }));
      await transaction.insertInto('memberships').values(members).execute();
      const factors = numbers
        .filter((number) => number % 3 === 0)
        .map((number) => ({
          id: `factor-${number}`,
          account_id: idOf(number),
          kind: 'totp',
          slot: `factor-${number}`,
          name: 'Phone',
          state: new Uint8Array(),
          version: 1,
          created_at: now,
          last_used_at: null,
          expires_at: null,
          stopped_at: null,
        }));
      await transaction.insertInto('factors').values(factors).execute();
      return made;
    });
  }
  return organisation!;
}

/** One after the other. */
async function timed(seconds: number, work: () => Promise<unknown>): Promise<Row['measured']> {
  const durations: number[] = [];
  const startedAt = performance.now();
  do {
    const at = performance.now();
    await work();
    durations.push(performance.now() - at);
  } while (performance.now() - startedAt < seconds * 250);
  durations.sort((one, other) => one - other);
  const at = (part: number) => durations[Math.min(durations.length - 1, Math.floor(durations.length * part))]!;
  return { perSecond: durations.length / ((performance.now() - startedAt) / 1000), p50Milliseconds: at(0.5), p99Milliseconds: at(0.99) };
}

/** Writers who each record one event in a transaction of its own, without the chain and with it running beside them, as it does where the portal runs. */
async function measureAudit(world: World, engine: string, seconds: number): Promise<Row[]> {
  const without = await append(world, seconds, false);
  const chained = await append(world, seconds, true);
  const against = { floor: 'those without', perSecond: without.perSecond, aim: 0.9 };
  return [
    { name: `audit: events, ${WRITERS} writers, ${engine}`, measured: without },
    { name: `audit: the same, chained, ${engine}`, measured: chained, against },
  ];
}

async function append(world: World, seconds: number, chaining: boolean): Promise<Row['measured']> {
  const durations: number[] = [];
  const chain = chaining ? startChaining(world) : undefined;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (performance.now() - startedAt < seconds * 500) {
        const at = performance.now();
        await world.database.transaction((transaction) =>
          record(world, transaction, { event: 'authn_login_fail', accountId: null, from: FROM, details: { reason: 'wrong' } }),
        );
        durations.push(performance.now() - at);
      }
    }),
  );
  const took = (performance.now() - startedAt) / 1000;
  await chain?.stop();
  durations.sort((one, other) => one - other);
  const at = (part: number) => durations[Math.min(durations.length - 1, Math.floor(durations.length * part))]!;
  return { perSecond: durations.length / took, p50Milliseconds: at(0.5), p99Milliseconds: at(0.99) };
}
