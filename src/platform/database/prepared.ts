/**
 * Statements that are built and compiled once. For those that run at every request: the query builder takes longer to make one than SQLite to run it.
 *   export const selectAccount = prepared((queries: Queries, id: string) => queries.selectFrom('accounts').selectAll().where('id', '=', id), firstRow);
 * `build` gets a placeholder for each value, one by one or in an object, and may only put it in its place: to compute with it is an error, to compare
 * it tells nothing.
 */
import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import type { Queries } from './database.ts';

export function prepared<Executor extends Queries, Values extends readonly unknown[], Row, Result>(
  build: (queries: Executor, ...values: Values) => Compilable<Row>,
  read: (result: QueryResult<Row>) => Result,
): (queries: Executor, ...values: Values) => Promise<Result> {
  const compiled = new WeakMap<object, Map<string, CompiledQuery<Row>>>();
  return async (queries, ...values) => {
    const executor = queries.getExecutor();
    const { adapter, plugins } = executor;
    // A plugin sees every statement before it is compiled.
    if (plugins.length > 0) return read(await queries.executeQuery(build(queries, ...values)));

    let ofDatabase = compiled.get(adapter);
    if (!ofDatabase) compiled.set(adapter, (ofDatabase = new Map<string, CompiledQuery<Row>>()));
    const shape = shapeOf(values);
    let statement = ofDatabase.get(shape);
    if (!statement) ofDatabase.set(shape, (statement = build(queries, ...(placeholdersFor(values) as unknown as Values)).compile()));
    const parameters = statement.parameters.map((one) => (one instanceof Placeholder ? one.valueIn(values) : one));
    // Asked of the connection itself: without plugins, what the query builder puts between is promises alone, and those cost as much as a short statement.
    return read(await executor.provideConnection((connection) => connection.executeQuery({ ...statement, parameters })));
  };
}

export const firstRow = <Row>({ rows }: QueryResult<Row>): Row | undefined => rows[0];
export const allRows = <Row>({ rows }: QueryResult<Row>): Row[] => rows;
export const oneRowChanged = ({ numAffectedRows }: QueryResult<unknown>): boolean => numAffectedRows === 1n;
export const nothing = (): void => undefined;

class Placeholder {
  readonly valueIn: (values: readonly unknown[]) => unknown;

  constructor(valueIn: Placeholder['valueIn']) {
    this.valueIn = valueIn;
  }

  [Symbol.toPrimitive](): never {
    throw new TypeError('A value of a prepared statement can’t be computed with: the statement is built once, for all values.');
  }
}

function placeholdersFor(values: readonly unknown[]): unknown[] {
  return values.map((value, index) => {
    if (!isRecord(value)) return new Placeholder((all) => all[index]);
    const within = Object.keys(value).map((key) => [key, new Placeholder((all) => (all[index] as typeof value)[key])] as const);
    return Array.isArray(value) ? within.map(([, placeholder]) => placeholder) : Object.fromEntries(within);
  });
}

/** Which keys the objects among them have: a statement names those columns. */
function shapeOf(values: readonly unknown[]): string {
  let shape = '';
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (isRecord(value)) shape += `${index}:${Object.keys(value).join()};`;
  }
  return shape;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
