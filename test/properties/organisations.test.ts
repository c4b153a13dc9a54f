/**
 * Random lives of two organisations: policies that change, also staged and renewed, people who join, leave, come back, get other roles, set methods up and lose
 * them, and time. Before each policy is saved its preview is taken; after every step each person is looked at by all that enforces: what signing in decides
 * (the attempt), what each request of a session decides, and the preview of what is in force. They read by different statements, and must say the same. A
 * deadline that was fixed never moves but where somebody says so. To search for longer, see support/property.ts: a failure names its seed and its path.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findAccount } from '../../src/accounts/accounts.ts';
import { remove } from '../../src/admin/admin.ts';
import { beginAttempt, situationOf } from '../../src/attempts/attempts.ts';
import { changeRole, createOrganisation, GIVEN_ROLES, leaveOrganisation, ROLES, type Actor, type GivenRole } from '../../src/organisations/organisations.ts';
import { days, hours } from '../../src/platform/durations.ts';
import { DEFAULT_RULES, fixDeadlineOf, foresee, makeDraft, METHODS, readPolicyOf, saveDraft, type Rules } from '../../src/policy/policy.ts';
import { findSession, openSession, owes } from '../../src/sessions/sessions.ts';
import { accountOf } from '../attacks/intruder.ts';
import { foundOrganisation } from '../support/organisation.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { sequences } from '../support/property.ts';

const FROM = { address: '192.0.2.1', userAgent: 'a test', requestId: '' };
const PEOPLE = 4;

type Command =
  | { readonly kind: 'policy'; readonly where: number; readonly rules: Rules; readonly renews: boolean }
  | { readonly kind: 'join' | 'leave' | 'remove' | 'toggle'; readonly where: number; readonly who: number; readonly pick: number }
  | { readonly kind: 'role'; readonly where: number; readonly who: number; readonly role: GivenRole }
  | { readonly kind: 'time'; readonly ahead: number };

/** `ids`: of the people, once they are there; `day`: of the beginning. */
function commandOf(ids: readonly string[], day: number): fc.Arbitrary<Command> {
  const where = fc.constantFrom(0, 1);
  const who = fc.nat(PEOPLE - 1);
  const rules = fc
    .record({
      twoFactor: fc.constantFrom('off' as const, 'optional' as const, 'required' as const, 'required' as const),
      roles: fc.oneof(fc.constant([...ROLES]), fc.subarray([...ROLES], { minLength: 1 })),
      from: fc.option(fc.integer({ min: -3, max: 40 }).map((ahead) => day + days(ahead))),
      graceDays: fc.constantFrom(0, 1, 7, 30),
      rollOut: fc.oneof(
        { weight: 4, arbitrary: fc.constant({ kind: 'everybody' as const }) },
        fc.record({ kind: fc.constant('share' as const), percent: fc.integer({ min: 1, max: 99 }) }),
        fc.record({ kind: fc.constant('people' as const), accountIds: fc.subarray([...ids]) }),
      ),
      notCounting: fc.oneof(fc.constant([]), fc.subarray(METHODS.map(({ kind }) => kind))),
    })
    .map((some): Rules => ({ ...DEFAULT_RULES, ...some }));
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('policy' as const), where, rules, renews: fc.boolean() }) },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constantFrom('join' as const, 'leave' as const, 'remove' as const, 'toggle' as const), where, who, pick: fc.nat(5) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('role' as const), where, who, role: fc.constantFrom(...GIVEN_ROLES) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), ahead: fc.constantFrom(1, hours(5), days(1), days(8), days(35)) }) },
  );
}

for (const [engine, count] of [
  ['sqlite', 5],
  ['postgres', 1],
] as const)
  test(`AD-9, property: preview, signing in and every request agree in the life of two organisations, and no deadline moves by itself, on ${engine}`, async () => {
    await using portal = await openPortal({ engine, checkHtml: false });
    const life = await Life.begin(portal);
    const day = portal.clock.now();
    await fc.assert(
      fc.asyncProperty(fc.array(commandOf(life.ids, day), { minLength: 10, maxLength: 40, size: 'max' }), async (commands) => {
        await life.startAnew();
        for (const command of commands) {
          await life.run(command);
          await life.check(command.kind);
        }
      }),
      sequences(count),
    );
  });

class Life {
  readonly #portal: Portal;
  readonly ids: readonly string[];
  readonly #actors: readonly Actor[];
  /** The deadlines that stand, by organisation and account. */
  #fixed = new Map<string, number>();
  /** Every method that each of them could have, as the tables keep it. */
  readonly #factors: Readonly<Record<string, readonly Record<string, unknown>[]>>;

  private constructor(portal: Portal, about: { ids: readonly string[]; actors: readonly Actor[]; factors: Record<string, Record<string, unknown>[]> }) {
    this.#portal = portal;
    this.ids = about.ids;
    this.#actors = about.actors;
    this.#factors = about.factors;
  }

  static async begin(portal: Portal): Promise<Life> {
    const { world } = portal;
    const { query } = world.database;
    const owner = await foundOrganisation(portal);
    const account = (await findAccount(query, (await accountOf(portal, owner.email)).id))!;
    const herons = await query.selectFrom('organisations').select(['id', 'name']).executeTakeFirstOrThrow();
    const cranes = await world.database.transaction((transaction) =>
      createOrganisation(world, transaction, { name: 'Cranes Ltd', owner: account.id, from: FROM }),
    );
    const ids: string[] = [];
    for (let number = 0; number < PEOPLE; number++) {
      const person = await portal.newcomer().join();
      await person.enableByApp();
      await person.enableEmailToo();
      ids.push((await accountOf(portal, person.email)).id);
    }
    const rows = await query.selectFrom('factors').selectAll().where('account_id', 'in', ids).execute();
    const factors = Object.groupBy(
      rows.filter(({ kind }) => METHODS.some((one) => one.kind === kind)),
      (row) => row.account_id,
    ) as unknown as Record<string, Record<string, unknown>[]>;
    const actors = [herons, cranes].map((organisation): Actor => ({ account, organisation, from: FROM }));
    return new Life(portal, { ids, actors, factors });
  }

  /** People without methods, all in the first organisation and half in the second; organisations without policies. The clock goes on. */
  async startAnew(): Promise<void> {
    const { query } = this.#portal.world.database;
    for (const { organisation } of this.#actors) {
      await query.deleteFrom('policies').where('id', '=', organisation.id).execute();
      await query.deleteFrom('policy_versions').where('policy_id', '=', organisation.id).execute();
    }
    await query.deleteFrom('policy_deadlines').execute();
    await query.deleteFrom('memberships').where('role', '<>', 'owner').execute();
    await query.deleteFrom('factors').where('account_id', 'in', this.ids).execute();
    this.#fixed = new Map();
    for (const [who] of this.ids.entries()) {
      await this.run({ kind: 'join', where: 0, who, pick: who });
      if (who % 2 === 0) await this.run({ kind: 'join', where: 1, who, pick: 2 });
    }
  }

  async run(command: Command): Promise<void> {
    const { world } = this.#portal;
    const { query } = world.database;
    if (command.kind === 'time') return this.#portal.clock.advance(command.ahead);
    const actor = this.#actors[command.where]!;
    if (command.kind === 'policy') return this.#savePolicy(actor, command);
    const accountId = this.ids[command.who]!;
    const { organisation } = actor;
    const member = await query
      .selectFrom('memberships')
      .select('role')
      .where('account_id', '=', accountId)
      .where('organisation_id', '=', organisation.id)
      .executeTakeFirst();
    const seen = ROLES.find((role) => role === member?.role);
    switch (command.kind) {
      case 'join': {
        if (seen) return;
        const { email_key, name_key } = await query
          .selectFrom('accounts')
          .select(['email_key', 'name_key'])
          .where('id', '=', accountId)
          .executeTakeFirstOrThrow();
        const role = GIVEN_ROLES[command.pick % GIVEN_ROLES.length]!;
        const row = { organisation_id: organisation.id, account_id: accountId, role, email_key, name_key, joined_at: world.clock.now() };
        return void (await query.insertInto('memberships').values(row).execute());
      }
      case 'leave':
        return void (await leaveOrganisation(world, { accountId, organisation, from: FROM }, (transaction) =>
          fixDeadlineOf(transaction, organisation.id, accountId),
        ));
      case 'remove':
        return seen && void (await remove(world, actor, { targetId: accountId, seen }));
      case 'role':
        return seen && void (await changeRole(world, actor, { targetId: accountId, seen, to: command.role }));
      case 'toggle':
        return this.#toggle(accountId, command.pick);
    }
  }

  async #savePolicy(actor: Actor, { rules, renews }: Extract<Command, { kind: 'policy' }>): Promise<void> {
    const { world } = this.#portal;
    const { organisation } = actor;
    const foreseen = await this.#preview(actor, rules, renews);
    const { version } = await readPolicyOf(world.database.query, organisation.id);
    const draftId = (await makeDraft(world, actor, { rules, basedOn: version, renews }))!;
    assert.deepEqual(await saveDraft(world, actor, { draftId, reason: 'a test' }), { ok: true });
    if (renews) for (const key of this.#fixed.keys()) if (key.startsWith(organisation.id)) this.#fixed.delete(key);
    assert.deepEqual(await this.#enforced(actor), foreseen, 'the preview of what was saved just now');
  }

  async #toggle(accountId: string, pick: number): Promise<void> {
    const { query } = this.#portal.world.database;
    const all = this.#factors[accountId]!;
    const row = all[pick % all.length]! as { id: string };
    const { numDeletedRows } = await query.deleteFrom('factors').where('id', '=', row.id).executeTakeFirst();
    if (numDeletedRows === 0n)
      await query
        .insertInto('factors')
        .values(row as never)
        .execute();
  }

  /** What a policy would mean for each member, with by when. */
  async #preview({ organisation }: Actor, rules: Rules, renews: boolean): Promise<Record<string, string>> {
    const { world } = this.#portal;
    const { query } = world.database;
    const { rules: current } = await readPolicyOf(query, organisation.id);
    const proposed = { organisationId: organisation.id, rules, renews };
    const said: Record<string, string> = {};
    for await (const { accountId, after, by } of foresee(query, { now: world.clock.now(), current, proposed }))
      if (this.ids.includes(accountId)) said[accountId] = `${after} ${by}`;
    return said;
  }

  /** What signing in, and a request of a session, decide for each member of an organisation. */
  async #enforced({ organisation }: Actor): Promise<Record<string, string>> {
    const { query } = this.#portal.world.database;
    const members = await query
      .selectFrom('memberships')
      .select('account_id')
      .where('organisation_id', '=', organisation.id)
      .where('account_id', 'in', this.ids)
      .execute();
    const met: Record<string, string> = {};
    for (const { account_id: id } of members) met[id] = await this.#meets(id);
    return met;
  }

  async #meets(accountId: string): Promise<string> {
    const { world } = this.#portal;
    const now = world.clock.now();
    const { signingIn, demand } = await world.database.transaction(async (transaction) => {
      const state = { proofs: { password: now } };
      const attempt = await beginAttempt(world, transaction, { holder: { attemptToken: 'a test' }, purpose: 'sign-in', accountId, state });
      const { verdict, policy } = (await situationOf(world, { queries: transaction, attempt, browserToken: 'a test', sessionProofs: {} }))!;
      const by = verdict.kind === 'passes' ? null : verdict.by;
      const kind = verdict.kind === 'sets-up' && now < verdict.by ? 'sets-up-later' : verdict.kind;
      return { signingIn: `${kind} ${by}`, demand: policy.demand };
    });
    const { token } = await world.database.transaction((transaction) =>
      openSession(world, transaction, { accountId, proofs: { password: now }, browser: { ...FROM, browserToken: `browser of ${accountId}` }, demand }),
    );
    const session = (await findSession(world, token))!;
    assert.deepEqual(session.demand, demand, 'a session is under what signing in is under');
    const [kind, by] = signingIn.split(' ');
    const isDue = kind === 'sets-up' || (kind === 'locked-out' && Number(by) <= now);
    assert.equal(owes(world, session), isDue ? 'set-up' : 'nothing', signingIn);
    return signingIn;
  }

  async check(after: string): Promise<void> {
    const { query } = this.#portal.world.database;
    for (const actor of this.#actors) {
      const { rules } = await readPolicyOf(query, actor.organisation.id);
      assert.deepEqual(await this.#preview(actor, rules, false), await this.#enforced(actor), `the preview of what is in force, after “${after}”`);
    }
    const standing = new Map(
      (await query.selectFrom('policy_deadlines').selectAll().execute()).map((row) => [`${row.organisation_id} ${row.account_id}`, row.deadline_at]),
    );
    for (const [key, at] of this.#fixed) assert.equal(standing.get(key), at, `a deadline moved after “${after}”`);
    this.#fixed = standing;
  }
}
