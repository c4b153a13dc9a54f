/**
 * Every page and form that the router has, with arbitrary requests in every state (see states.ts and requests.ts). Whatever is sent: an answer below
 * 500 that is valid HTML with a sentence and without a word from the inside; nothing changed unless the answer is a success; nobody signed in
 * who did not show what is asked for; and nothing of other people's touched.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'node-html-parser';
import { makeApp } from '../../src/app.ts';
import { checkHtml } from '../support/html-check.ts';
import { openPortal, type Portal } from '../support/portal.ts';
import { runs } from '../support/property.ts';
import { routesOf, type Route } from '../support/routes.ts';
import { changesIn, readRows, type Row, type Rows } from '../support/rows.ts';
import { forEachDatabase, makeTestWorld } from '../support/world.ts';
import { FIELDS, requestsTo, type Sent } from './requests.ts';
import { setTheStage, type Stage } from './states.ts';

const options = { app: { showMail: true }, installation: { development: true } } as const;

/** The routes of the app as it is today: one that is added tomorrow is tried tomorrow. */
const routes = await routesOfToday();

forEachDatabase((engine) => {
  let portal: Portal;
  let stage: Stage;
  /** What the database holds, where that is known. */
  let present: Rows | undefined;
  before(async () => {
    portal = await openPortal({ engine, ...options, ...(engine === 'sqlite' ? { path: ':memory:' } : {}) });
    stage = await setTheStage(portal);
  });
  after(() => portal.close());

  for (const route of routes) {
    test(`${route.method} ${route.path}, property: whatever is sent, in whatever state`, async () => {
      await fc.assert(
        fc.asyncProperty(requestsTo(route, stage), async (sent) => {
          await stage.putBack(sent.state, present);
          const earlier = stage.rowsOf(sent.state);
          const changesBefore = await changesIn(portal.world.database);
          present = undefined;
          const answer = await portal.app.inject(sent.request);
          const changed = changesBefore !== (await changesIn(portal.world.database));
          const later = changed ? await readRows(portal.world.database) : earlier;
          present = later;
          checkAnswer(answer, route);
          if (changed && JSON.stringify(earlier) !== JSON.stringify(later)) checkRows(route, sent, { earlier, later, status: answer.statusCode });
        }),
        runs(engine === 'sqlite' ? 20 : 3),
      );
    });
  }

  test('LO-5: nothing of all this was a bug', () => {
    assert.deepEqual(
      portal.world.log.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
});

async function routesOfToday(): Promise<Route[]> {
  await using world = await makeTestWorld({ engine: 'sqlite', path: ':memory:', installation: options.installation });
  const app = await makeApp(world, options.app);
  const found = routesOf(app);
  await app.close();
  return found;
}

/** What only the inside of the program says. */
const INTERNAL = /node_modules|\.ts:\d|\bFST_|SQLITE|[Kk]ysely|\bpg_|TypeError|\bundefined\b|\[object |\bNaN\b|Invalid Date|\n\s+at /;

function checkAnswer({ statusCode, headers, body }: Awaited<ReturnType<Portal['app']['inject']>>, { path }: Route): void {
  assert.ok(statusCode < 500, `${statusCode}: ${body}`);
  assert.ok(headers['content-security-policy']);
  assert.doesNotMatch(body, INTERNAL);
  if (statusCode === 303) {
    assert.match(String(headers.location), /^\/(?![/\\])/);
    return;
  }
  const type = String(headers['content-type']);
  if (type.startsWith('application/problem+json')) {
    assert.match((JSON.parse(body) as { detail: string }).detail, /^[A-Z].*\.$/);
  } else if (type.startsWith('text/html')) {
    assert.ok([200, 400, 401, 403, 404, 409, 410, 413, 415, 422, 429].includes(statusCode), String(statusCode));
    const root = parse(body);
    assert.match(root.querySelector('h1')!.text, /\S/);
    if (statusCode !== 200) assert.match(root.querySelector('main')!.text, /[A-Z][^.]*\s[^.]*\./, 'A sentence.');
    for (const field of root.querySelectorAll('form [name]'))
      assert.ok(FIELDS.includes(field.getAttribute('name') as 'code'), `${field.toString()} is new: list it in requests.ts.`);
    checkHtml(body, path);
  } else {
    // What proxies and providers ask is answered with a sentence of text, and what machines read is JSON.
    if (type.startsWith('text/plain') && TOLD_IN_TEXT.test(path)) assert.match(body, /^[A-Z][^\n]*\.\n?$/);
    else assert.ok(READ_BY_MACHINES.includes(path) || /attachment/.test(String(headers['content-disposition'])), `${statusCode} ${type}`);
  }
}

const TOLD_IN_TEXT = /^\/(?:forward-auth|sso)\b/;
const READ_BY_MACHINES = ['/healthz', '/.well-known/jwks.json'];

/** May change also where an answer is a refusal: tries are counted, and written down. */
const COUNTED = ['limits', 'audit_events', 'outbox', 'attempts'];

function checkRows(
  { method, path }: Route,
  { state, actors, genuine, fields }: Sent,
  { earlier, later, status }: { earlier: Rows; later: Rows; status: number },
): void {
  const safe = method === 'GET' || !genuine;
  for (const table of Object.keys(earlier)) {
    if (safe)
      assert.deepEqual(seen(later[table]!), seen(earlier[table]!), `${table}: a page that is only looked at, or a form that is none of ours, changes nothing.`);
    else if (status !== 303 && !COUNTED.includes(table))
      assert.deepEqual(seen(later[table]!), seen(earlier[table]!), `${table}: what was refused changes nothing.`);
  }
  if (status !== 303) assert.deepEqual(idsOf(later['attempts']!), idsOf(earlier['attempts']!), 'A refusal begins and ends no attempt.');

  // Nobody gets in by luck: by signing up, by the password of an account that asks for nothing else, or by ending what was shown before.
  const known = new Set(idsOf(earlier['sessions']!));
  for (const session of later['sessions']!.filter((row) => !known.has(row['id']))) {
    if (path === '/sign-up') assert.ok(later['accounts']!.some((row) => row['id'] === session['account_id'] && row['email_verified_at'] === null));
    else if (path === state.lastForm) assert.equal(session['account_id'], state.accountId);
    else {
      assert.equal(`${method} ${path}`, 'POST /sign-in');
      assert.equal(session['account_id'], state.accountId);
      assert.ok(fields.some(([name, value]) => name === 'password' && value === state.password));
      assert.ok(!earlier['factors']!.some((row) => row['account_id'] === state.accountId));
    }
  }

  const mine = [state.accountId, ...actors] as unknown[];
  // What is other people's stays as it was, but for a reset that anybody may ask for.
  for (const table of ['accounts', 'factors', 'sessions', 'known_browsers']) {
    const others = (rows: Rows) =>
      rows[table]!.filter((row) => !mine.includes(ownerOf(row)) && earlier['accounts']!.some((account) => account['id'] === ownerOf(row)));
    assert.deepEqual(others(later), others(earlier), `${table} of other people`);
  }
}

/** When somebody was last seen is no change. */
const seen = (rows: readonly Row[]): Row[] => rows.map((row) => ('last_seen_at' in row ? { ...row, last_seen_at: 0 } : row));
const idsOf = (rows: readonly Row[]): unknown[] => rows.map((row) => row['id']).toSorted((one, other) => (String(one) < String(other) ? -1 : 1));
const ownerOf = (row: Row): unknown => row['account_id'] ?? row['id'];
