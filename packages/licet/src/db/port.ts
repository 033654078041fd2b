import { Kysely } from "kysely";
import type { Database } from "./database.ts";
import { linkDialect } from "./dialect.ts";
import type { LinkPool } from "./link.ts";
import type { Tables } from "./tables.ts";
import { transactionScope, type TransactionScope } from "./transaction-scope.ts";

/** What an engine brings; `databaseOver` turns it into the port. */
export interface Engine {
  readonly engine: Database["engine"];
  readonly read: LinkPool;
  readonly operational: LinkPool;
  readonly writer: LinkPool;
  readonly ping: Database["ping"];
  readonly backup: Database["backup"];
  readonly scrub: Database["scrub"];
  readonly close: Database["close"];
}

export function databaseOver(parts: Engine): Database {
  const scope = transactionScope();
  const kysely = (pool: LinkPool) => new Kysely<Tables>({ dialect: linkDialect(parts.engine, guarded(pool, scope)) });
  const writer = kysely(parts.writer);
  return {
    engine: parts.engine,
    read: kysely(parts.read),
    operational: kysely(parts.operational),
    write: (work) => writer.transaction().execute((tx) => scope.run(() => work(tx))),
    ping: parts.ping,
    backup: parts.backup,
    scrub: async () => {
      scope.assertOutside();
      await parts.scrub();
    },
    close: parts.close,
  };
}

function guarded(pool: LinkPool, scope: TransactionScope): LinkPool {
  return {
    ...pool,
    acquire: async () => {
      scope.assertOutside();
      return await pool.acquire();
    },
  };
}
