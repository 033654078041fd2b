import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { Database } from "../../../packages/licet/src/db/database.ts";
import { openPostgres } from "../../../packages/licet/src/db/postgres.ts";
import { openSqlite } from "../../../packages/licet/src/db/sqlite.ts";
import { freshDatabase, postgresUnavailable, startPostgres, type TestPostgres } from "./postgres.ts";

export interface EngineUnderTest {
  readonly engine: Database["engine"];
  /** Another connection to the same data, as a second process would open it. */
  readonly open: () => Promise<Database>;
}

/** Runs one suite on a fresh, empty database of each engine; PostgreSQL is skipped with its reason where there is none. */
export function describeEngines(name: string, suite: (engine: EngineUnderTest) => void): void {
  describe(`${name} (sqlite)`, () => {
    let directory = "";
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "licet-sqlite-"));
    });
    afterAll(() => rm(directory, { recursive: true, force: true }));
    suite({ engine: "sqlite", open: () => openSqlite({ file: join(directory, "test.db") }) });
  });
  const reason = postgresUnavailable();
  describe.skipIf(reason !== undefined)(`${name} (postgres${reason === undefined ? "" : `: ${reason}`})`, () => {
    let server: TestPostgres | undefined;
    let fresh: Awaited<ReturnType<typeof freshDatabase>> | undefined;
    beforeAll(async () => {
      server = await startPostgres();
      if (!server.available) throw new Error(server.reason);
      fresh = await freshDatabase(server.url);
    });
    afterAll(async () => {
      await fresh?.drop();
      if (server?.available === true) await server.stop();
    });
    suite({ engine: "postgres", open: () => openPostgres({ url: fresh?.url ?? "" }) });
  });
}
