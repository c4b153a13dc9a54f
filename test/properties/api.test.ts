/**
 * Every operation that the API has, with arbitrary requests by arbitrary callers. Whatever is sent: an answer below 500, which is a problem as RFC 9457 has it
 * where it is a refusal; nothing changed unless it is a success; and a success by a caller who may.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { makeApp } from '../../src/app.ts';
import { foundOrganisation, joinAs, sendInvitation } from '../support/organisation.ts';
import { SCOPES } from '../../src/sessions/sessions.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { makeKey, Program } from '../support/program-client.ts';
import { runs } from '../support/property.ts';
import { apiRoutesOf } from '../support/routes.ts';
import { readRows, type Rows } from '../support/rows.ts';
import { makeTestWorld } from '../support/world.ts';

/** The operations of the app as it is today: one that is added tomorrow is tried tomorrow. */
const operations = await operationsOfToday();

/** What counts and records tries, and what a mail's leaving changes. */
const COUNTED = ['limits', 'audit_events', 'organisation_events', 'outbox'];
const PLAIN = [
  '',
  ' ',
  '0',
  '-1',
  'null',
  'admin',
  'auditor',
  'member',
  'owner',
  'new@example.net',
  'on',
  'off',
  '200',
  '\0',
  '\u202e',
  '👩‍🚀',
  '<b>',
  '../..',
  '%00',
  '%zz',
];
const RULES = {
  twoFactor: 'required',
  roles: ['owner', 'admin', 'auditor', 'member'],
  from: null,
  graceDays: 7,
  rollOut: { kind: 'everybody' },
  counting: ['totp'],
  mailFirst: true,
  sessionIdleMinutes: null,
  sessionHours: null,
  proofMinutes: 10,
  emailDomains: [],
};
const FIELDS = [
  'rules',
  'reason',
  'renews',
  'outcome',
  'group',
  'to',
  'person',
  'role',
  'from',
  'email',
  'search',
  'limit',
  'cursor',
  'twoFactor',
  'organisation',
  'id',
  '__proto__',
  'constructor',
  'x',
];

let portal: Portal;
let callers: readonly { readonly program: Program; readonly writes: boolean }[];
let ids: readonly string[];
/** What the database holds, as the request before left it. */
let present: Rows | undefined;

before(async () => {
  portal = await openPortal({ engine: 'sqlite', path: ':memory:', checkHtml: false });
  const { query } = portal.world.database;
  const owner = await foundOrganisation(portal);
  for (const role of ['Member', 'Member', 'Admin', 'Auditor'] as const) await joinAs(portal, owner, role);
  for (const guest of [portal.newcomer(), portal.newcomer()]) await sendInvitation(owner, guest.email, 'Member');
  const write = await makeKey(owner, { name: 'Write', scopes: SCOPES });
  const read = await makeKey(owner, { name: 'Read', role: 'Auditor', scopes: SCOPES.filter((scope) => scope.endsWith(':read')) });
  callers = [
    { program: new Program(portal, write), writes: true },
    { program: new Program(portal, read), writes: false },
    { program: new Program(portal, `${write}0`), writes: false },
    { program: new Program(portal, undefined), writes: false },
  ];
  const preview = await new Program(portal, write).post('/policy/previews', { rules: RULES });
  ids = [
    { id: String(preview.json!['id']) },
    { id: '1' },
    ...(await query.selectFrom('memberships').select('account_id as id').execute()),
    ...(await query.selectFrom('invitations').select('id').execute()),
    ...(await query.selectFrom('organisations').select('id').execute()),
    ...(await query.selectFrom('audit_events').select('id').limit(3).execute()),
  ].map(({ id }) => id);
});
after(() => portal.close());

const value = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...PLAIN, ...ids) },
    { weight: 1, arbitrary: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('é'.repeat(3000), 'a'.repeat(10_001))) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  );

const body = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom(...Object.keys(RULES)), value(), fc.boolean(), fc.constantFrom('why', '', 'a\nb'))
        .map(([field, one, broken, reason]) => ({ rules: broken ? { ...RULES, [field]: one } : RULES, ...(reason === '' ? {} : { reason }) })),
    },
    { weight: 4, arbitrary: fc.constantFrom(undefined, { role: 'member' }, { role: 'auditor' }, { email: 'new@example.net', role: 'member' }) },
    { weight: 4, arbitrary: fc.array(fc.tuple(fc.constantFrom(...FIELDS), value()), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs)) },
    { weight: 1, arbitrary: fc.jsonValue() },
    { weight: 1, arbitrary: fc.constantFrom('{', '', '[[', '{"role":"member","role":"admin"}', '\ufeff{}', '{"role":"\\ud800"}', 'a'.repeat(70_000)) },
  );

for (const { method, path } of operations) {
  test(`${method} ${path}, property: whatever is sent, by whomever`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          caller: fc.constantFrom(...callers),
          id: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: value().map(String) }),
          query: fc.array(fc.tuple(fc.constantFrom(...FIELDS), value().map(String)), { maxLength: 2 }),
          body: body(),
          ifMatch: fc.constantFrom({ 'if-match': '*' }, { 'if-match': '"0-"' }, { 'if-match': 'W/"1", "2"' }, {}),
          type: fc.oneof(
            { weight: 9, arbitrary: fc.constant('application/json') },
            { weight: 1, arbitrary: fc.constantFrom('text/plain', 'x', 'application/json; charset=x') },
          ),
        }),
        async ({ caller, id, query, body: sent, type, ifMatch }) => {
          // A minute for each, so that no limit hides what lies behind it.
          portal.clock.advance(60_000);
          const earlier = (present ??= await rows());
          const search = new URLSearchParams(query.map(([name, one]): [string, string] => [name, one.slice(0, 12_000)])).toString();
          const at = path.replace(/:(?:id|version|domain)/, encodeURIComponent(id.slice(0, 150).toWellFormed()) || 'x') + (search === '' ? '' : `?${search}`);
          const answer = await caller.program.ask(method, at, method === 'GET' ? undefined : sent, {
            ...ifMatch,
            ...(method === 'GET' || sent === undefined ? {} : { 'content-type': type }),
          });
          assert.ok(answer.status < 500, `${answer.status}: ${answer.body}`);
          const later = (present = await rows());
          if (answer.status >= 400 || method === 'GET') assert.deepEqual(later, earlier, `${answer.status} changes nothing`);
          else assert.ok(caller.writes, 'only who may');
          assert.deepEqual(ownersOf(later), ownersOf(earlier), 'an organisation keeps its owner');
        },
      ),
      runs(60),
    );
  });
}

test('LO-5: nothing of all this was a bug', () => {
  assert.deepEqual(
    portal.world.log.lines.filter(({ level }) => level === 'error'),
    [],
  );
});

async function rows(): Promise<Rows> {
  const all = await readRows(portal.world.database, { without: COUNTED });
  return { ...all, api_keys: all['api_keys']!.map((row) => ({ ...row, last_used_at: null })) };
}

const ownersOf = (all: Rows): unknown => all['memberships']!.filter(({ role }) => role === 'owner');

async function operationsOfToday(): Promise<{ method: string; path: string }[]> {
  await using world = await makeTestWorld({ engine: 'sqlite', path: ':memory:' });
  const app = await makeApp(world);
  const found = apiRoutesOf(app).filter(({ path }) => !path.endsWith('/openapi.json'));
  await app.close();
  return found;
}
