import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KyselyPlugin } from 'kysely';
import type { Queries, Tables, Transaction } from '../../src/platform/database/database.ts';
import { allRows, firstRow, nothing, oneRowChanged, prepared } from '../../src/platform/database/prepared.ts';
import { forEachDatabase } from '../support/world.ts';

type Row = Tables['audit_events'];

const insert = prepared((queries: Queries, row: Row) => queries.insertInto('audit_events').values(row), nothing);
const select = prepared(
  (queries: Queries, accountId: string, events: readonly string[]) =>
    queries.selectFrom('audit_events').selectAll().where('account_id', '=', accountId).where('event', 'in', events).orderBy('id'),
  // SQLite's rows have no prototype.
  ({ rows }) => rows.map((row) => ({ ...row })),
);
const rename = prepared(
  (queries: Queries, id: string, { from, to }: { from: string; to: string }) =>
    queries.updateTable('audit_events').set({ event: to }).where('id', '=', id).where('event', '=', from),
  oneRowChanged,
);
const find = prepared((queries: Queries, id: string) => queries.selectFrom('audit_events').select('event').where('id', '=', id), firstRow);

const rowOf = (id: string, more: Partial<Row> = {}): Row => ({
  id,
  at: 1,
  event: 'one',
  account_id: 'ada',
  address: null,
  user_agent: null,
  request_id: null,
  details: '{}',
  sequence: null,
  hash: null,
  ...more,
});

forEachDatabase((_engine, make) => {
  test('a prepared statement takes the values of each call, whatever the call before had', async () => {
    const { database } = await make();
    await insert(database.query, rowOf('a'));
    await insert(database.query, rowOf('b', { event: 'two', address: '192.0.2.1', sequence: 7 }));
    await database.transaction(async (transaction: Transaction) => {
      await insert(transaction, rowOf('c', { account_id: 'mary' }));
      assert.deepEqual(await select(transaction, 'mary', ['one']), [rowOf('c', { account_id: 'mary' })]);
    });
    const ofAda = async (...events: string[]) => (await select(database.query, 'ada', events)).map(({ id }) => id);
    assert.deepEqual(await ofAda('one'), ['a']);
    assert.deepEqual(await ofAda('two', 'one'), ['a', 'b']);
    assert.deepEqual(await ofAda('one', 'three', 'two'), ['a', 'b']);
    assert.deepEqual((await select(database.query, 'ada', ['two']))[0], rowOf('b', { event: 'two', address: '192.0.2.1', sequence: 7 }));
    assert.equal(await rename(database.query, 'a', { from: 'one', to: 'new' }), true);
    assert.equal(await rename(database.query, 'a', { from: 'one', to: 'newer' }), false);
    assert.equal((await find(database.query, 'a'))?.event, 'new');
    assert.equal(await find(database.query, 'nobody'), undefined);
  });

  test('a row with other columns is another statement', async () => {
    const { database } = await make();
    const { sequence, hash, ...fewer } = rowOf('a');
    await insert(database.query, rowOf('b', { sequence: 1, hash: 'h' }));
    await insert(database.query, fewer as Row);
    assert.deepEqual(await select(database.query, 'ada', ['one']), [{ ...fewer, sequence, hash }, rowOf('b', { sequence: 1, hash: 'h' })]);
  });

  test('what would compute with a value, and so be wrong for the next, is refused', async () => {
    const { database } = await make();
    const later = prepared(
      (queries: Queries, at: number) =>
        queries
          .selectFrom('audit_events')
          .selectAll()
          .where('at', '>', at + 1),
      allRows,
    );
    const alike = prepared((queries: Queries, name: string) => queries.selectFrom('audit_events').selectAll().where('event', '=', `${name}%`), allRows);
    await assert.rejects(later(database.query, 1), /can’t be computed with/);
    await assert.rejects(alike(database.query, 'a'), /can’t be computed with/);
  });

  test('a plugin sees prepared statements too', async () => {
    const { database } = await make();
    const seen: string[] = [];
    const plugin: KyselyPlugin = { transformQuery: ({ node }) => (seen.push(node.kind), node), transformResult: async ({ result }) => result };
    await insert(database.query, rowOf('a'));
    for (const id of ['a', 'b']) await find(database.query.withPlugin(plugin), id);
    assert.deepEqual(seen, ['SelectQueryNode', 'SelectQueryNode']);
  });
});
