import {
  CompiledQuery,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
} from "kysely";
import { LicetError } from "../base/errors.ts";
import type { Link, LinkPool } from "./link.ts";

interface Held extends DatabaseConnection {
  readonly link: Link;
}

/** Kysely over our own links: one driver for both engines, so that both fail in the same way. */
export function linkDialect(engine: "sqlite" | "postgres", pool: LinkPool): Dialect {
  const createDriver = () => linkDriver(pool);
  return engine === "sqlite"
    ? {
        createDriver,
        createAdapter: () => new PooledSqliteAdapter(),
        createQueryCompiler: () => new SqliteQueryCompiler(),
        createIntrospector: (db) => new SqliteIntrospector(db),
      }
    : {
        createDriver,
        createAdapter: () => new PostgresAdapter(),
        createQueryCompiler: () => new PostgresQueryCompiler(),
        createIntrospector: (db) => new PostgresIntrospector(db),
      };
}

/** Our pools queue by themselves; Kysely's own mutex for SQLite would stay locked for ever after a refused acquire. */
class PooledSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

function linkDriver(pool: LinkPool): Driver {
  const held = new WeakMap<DatabaseConnection, Held>();
  const linkOf = (connection: DatabaseConnection): Link => {
    const found = held.get(connection);
    if (found === undefined) throw new LicetError("internal");
    return found.link;
  };
  return {
    init: async () => undefined,
    destroy: async () => undefined,
    acquireConnection: async () => {
      const connection = connectionOn(await pool.acquire());
      held.set(connection, connection);
      return connection;
    },
    releaseConnection: (connection) => pool.release(linkOf(connection)),
    beginTransaction: async (connection) => {
      await linkOf(connection).run(pool.begin, []);
    },
    commitTransaction: async (connection) => {
      try {
        await linkOf(connection).run("commit", []);
      } catch (cause) {
        // Evidence may be in the log by now, so even a COMMIT that surely failed must stop the process.
        throw new LicetError("commit_uncertain", { cause });
      }
    },
    rollbackTransaction: (connection) => linkOf(connection).rollback(),
  };
}

function connectionOn(link: Link): Held {
  return {
    link,
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Kysely's interface has it
    executeQuery: async <R>({ sql, parameters }: CompiledQuery) => {
      const { rows, changes } = await link.run(sql, parameters);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Kysely derives R from `Tables`, which the drift test compares with the schema
      return { rows: rows as R[], numAffectedRows: BigInt(changes) };
    },
    streamQuery: () => {
      throw new LicetError("internal", { message: "streamed queries are not supported; read in pages" });
    },
  };
}
