import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshDatabase, postgresUnavailable, startPostgres, type TestPostgres } from "../../../../test/unit/support/postgres.ts";
import type { Database } from "./database.ts";
import { openPostgres } from "./postgres.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });
const reason = postgresUnavailable();

describe.skipIf(reason !== undefined)(`postgres${reason === undefined ? "" : `: ${reason}`}`, () => {
  let server: TestPostgres;
  let fresh: Awaited<ReturnType<typeof freshDatabase>>;
  let database: Database;
  const ids = async () => (await sql<{ id: string }>`select id from kept order by id`.execute(database.read)).rows.map(({ id }) => id);

  beforeAll(async () => {
    server = await startPostgres();
    if (!server.available) throw new Error(server.reason);
    fresh = await freshDatabase(server.url);
    database = await openPostgres({ url: fresh.url });
    await database.write((tx) => sql`create table kept (id text primary key, value bigint)`.execute(tx));
  });
  afterAll(async () => {
    await database.close();
    await fresh.drop();
    if (server.available) await server.stop();
  });

  test("a write whose connection breaks is rolled back, and lets the next one in", async () => {
    const writing = database.write(async (tx) => {
      await sql`insert into kept (id) values ('lost')`.execute(tx);
      await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx);
    });
    await expect(writing).rejects.toThrow(code("database_unavailable"));
    await database.write((tx) => sql`insert into kept (id) values ('next')`.execute(tx));
    expect(await ids()).toEqual(["next"]);
  });

  test("a write is serializable and begins after the writers' lock", async () => {
    const seen = await database.write(async (tx) => {
      const { rows } = await sql<{ level: string; locks: number }>`
        select current_setting('transaction_isolation') as level,
          (select count(*) from pg_locks where locktype = 'advisory' and granted and pid = pg_backend_pid()) as locks`.execute(tx);
      return rows[0];
    });
    expect(seen).toEqual({ level: "serializable", locks: 1 });
    const after = await sql<{ locks: number }>`select count(*) as locks from pg_locks where locktype = 'advisory'`.execute(database.read);
    expect(after.rows).toEqual([{ locks: 0 }]);
  });

  test("a writer of another process that holds the lock too long is reported, not waited for without end", async () => {
    const impatient = await openPostgres({ url: fresh.url, bounds: { waitingMax: 10, waitMillisecondsMax: 50 } });
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = database.write(() => promise);
    await expect.poll(async () => (await sql`select 1 from pg_locks where locktype = 'advisory'`.execute(database.read)).rows.length).toBe(1);
    await expect(impatient.write(async () => 1)).rejects.toThrow(code("database_unavailable"));
    resolve();
    await slow;
    expect(await impatient.write(async () => 2)).toBe(2);
    await impatient.close();
  });

  test("a number that JavaScript cannot hold exactly is refused, not rounded", async () => {
    await expect(sql`select 9007199254740993::bigint as big`.execute(database.read)).rejects.toThrow(code("internal"));
  });

  test("a backup is refused, and an unreachable server has a code", async () => {
    await expect(database.backup("never-written.db")).rejects.toThrow(/pg_dump/u);
    await expect(openPostgres({ url: "postgres://nobody@127.0.0.1:1/none" })).rejects.toThrow(code("database_unavailable"));
  });
});
