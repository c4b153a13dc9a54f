import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { CompiledQuery, Kysely, SqliteDialect, type DatabaseConnection, type Driver, type SqliteDatabase, type SqliteStatement } from 'kysely';
import { makeDatabase, type Database, type Tables } from './database.ts';

/** Opens, and makes where missing, a SQLite file. `:memory:` is a database of its own that goes with the process. */
export function openSqlite(path: string): Database {
  return makeDatabase('sqlite', new Kysely<Tables>({ dialect: new ImmediateSqliteDialect({ database: async () => connect(path) }) }));
}

/** Compiling a statement costs more than running it, so as many as the product has are kept; not those with a list of rows in them, which has another length each time. */
const STATEMENTS_KEPT = 300;
const KEPT_CHARACTERS_MOST = 2000;

const CACHE_KIBIBYTES = 16_000;
/** Of 4 KiB. Many more would make reading slower, since it looks into the log first. */
const LOG_PAGES = 4000;

function connect(path: string): SqliteDatabase {
  const database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true, enableDoubleQuotedStringLiterals: false });
  // FULL: a commit that was acknowledged survives a power cut, also in WAL mode.
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF; PRAGMA secure_delete=ON');
  // Unless told, SQLite keeps 2 MB of pages in memory and copies the log of writes into the file once it has 4 MB, and again whichever pages many changed.
  database.exec(`PRAGMA cache_size=-${CACHE_KIBIBYTES}; PRAGMA wal_autocheckpoint=${LOG_PAGES}`);
  const kept = new Map<string, Statement>();
  return {
    prepare(sql) {
      const known = kept.get(sql);
      if (known) return known;
      const statement = new Statement(database.prepare(sql));
      if (sql.length > KEPT_CHARACTERS_MOST) return statement;
      if (kept.size >= STATEMENTS_KEPT) kept.clear();
      kept.set(sql, statement);
      return statement;
    },
    close: () => database.close(),
  };
}

class Statement implements SqliteStatement {
  readonly #statement: StatementSync;
  readonly reader: boolean;

  constructor(statement: StatementSync) {
    this.#statement = statement;
    this.reader = statement.columns().length > 0;
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...bind(parameters));
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(...bind(parameters));
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(...bind(parameters)) as IterableIterator<unknown>;
  }
}

/** node:sqlite takes an object in first place, a Date say, for a bag of named parameters, and undefined for NULL, without a word. */
function bind(values: readonly unknown[]): SQLInputValue[] {
  return values.map((value) => {
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || value instanceof Uint8Array) return value;
    throw new TypeError(`Cannot bind ${value instanceof Date ? 'a Date' : typeof value} to SQLite.`);
  });
}

/** A write transaction takes its lock at BEGIN: a deferred one that reads first fails at once when another process wrote in between. */
class ImmediateSqliteDialect extends SqliteDialect {
  override createDriver(): Driver {
    const driver = super.createDriver();
    return new Proxy(driver, {
      get(target, key) {
        if (key === 'beginTransaction') return (connection: DatabaseConnection) => connection.executeQuery(CompiledQuery.raw('begin immediate'));
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }
}
