import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Database } from "./database.ts";
import { migrate, migrationFolder } from "./migrate.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";

export interface OpenDatabaseOptions {
  /** The data directory, already locked by this process (base/data-directory.ts). */
  readonly directory: string;
  /** A PostgreSQL URL; without one the database is a SQLite file in the directory. */
  readonly url?: string | undefined;
  readonly clock: Clock;
  readonly migrations?: string;
}

export const databaseFileName = "licet.db";

/** Opens the database and brings its tables up to this program's version. */
export async function openDatabase({ directory, url, clock, migrations = migrationFolder }: OpenDatabaseOptions): Promise<Database> {
  const database = url === undefined ? await openSqlite({ file: join(directory, databaseFileName) }) : await openPostgres({ url });
  try {
    await migrate({ database, clock, folder: migrations });
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
