import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { describeEngines } from "../../../../test/unit/support/databases.ts";
import type { Database } from "./database.ts";

// A type, not an interface: only a type has the index signature that withTables wants.
type Counting = { counter: { id: string; value: number } };

const code = (expected: string) => expect.objectContaining({ code: expected });
const tick = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describeEngines("the database port", ({ open }) => {
  let database: Database;
  const read = () => database.read.withTables<Counting>();
  const value = async (id = "a") => (await read().selectFrom("counter").select("value").where("id", "=", id).executeTakeFirst())?.value;

  beforeAll(async () => {
    database = await open();
    await database.write((tx) => sql`create table counter (id text primary key, value bigint not null check (value >= 0))`.execute(tx));
  });
  afterAll(() => database.close());
  beforeEach(() =>
    database.write(async (narrow) => {
      const tx = narrow.withTables<Counting>();
      await tx.deleteFrom("counter").execute();
      await tx.insertInto("counter").values({ id: "a", value: 0 }).execute();
    }),
  );

  test("fifty concurrent writers that read, wait and write lose no update", async () => {
    await Promise.all(
      Array.from({ length: 50 }, () =>
        database.write(async (narrow) => {
          const tx = narrow.withTables<Counting>();
          const { value: before } = await tx.selectFrom("counter").select("value").where("id", "=", "a").executeTakeFirstOrThrow();
          await tick(1);
          await tx.updateTable("counter").set({ value: before + 1 }).where("id", "=", "a").execute();
        }),
      ),
    );
    expect(await value()).toBe(50);
  });

  test("writes of two connections to the same data do not interleave either", async () => {
    const other = await open();
    const inside: string[] = [];
    const bump = (through: Database, name: string) =>
      through.write(async (narrow) => {
        const tx = narrow.withTables<Counting>();
        inside.push(`${name} in`);
        const { value: before } = await tx.selectFrom("counter").select("value").where("id", "=", "a").executeTakeFirstOrThrow();
        await tick(2);
        await tx.updateTable("counter").set({ value: before + 1 }).where("id", "=", "a").execute();
        inside.push(`${name} out`);
      });
    try {
      await Promise.all(Array.from({ length: 20 }, (_, index) => bump(index % 2 === 0 ? database : other, String(index))));
    } finally {
      await other.close();
    }
    expect(await value()).toBe(20);
    for (let index = 0; index < inside.length; index += 2) {
      expect(inside[index]?.split(" ")[0]).toBe(inside[index + 1]?.split(" ")[0]);
    }
  });

  test("what throws inside a write leaves nothing behind and is thrown as it was", async () => {
    const failure = new Error("changed my mind");
    const writing = database.write(async (tx) => {
      await tx.withTables<Counting>().updateTable("counter").set({ value: 9 }).execute();
      throw failure;
    });
    await expect(writing).rejects.toBe(failure);
    expect(await value()).toBe(0);
  });

  test("half of fifty writers fail and exactly the others count", async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) =>
        database.write(async (narrow) => {
          const tx = narrow.withTables<Counting>();
          await tx.updateTable("counter").set((eb) => ({ value: eb("value", "+", 1) })).execute();
          if (index % 2 === 0) throw new Error("no");
        }),
      ),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(25);
    expect(await value()).toBe(25);
  });

  test("reads go on, and see the committed state, while a write waits for something slow", async () => {
    const seen = await database.write(async (tx) => {
      await tx.withTables<Counting>().updateTable("counter").set({ value: 7 }).execute();
      return { outside: await readOutside() };
    });
    async function readOutside(): Promise<number | undefined> {
      return await new Promise((resolve, reject) => waiting.push(() => void value().then(resolve, reject)));
    }
    expect(seen.outside).toBe(0);
    expect(await value()).toBe(7);
  });
  // Asked by a timer of its own, as another request would: the guard refuses reads that a write's own code makes.
  const waiting: (() => void)[] = [];
  const timer = setInterval(() => waiting.shift()?.(), 5);
  afterAll(() => clearInterval(timer));

  test("a write inside a write is refused at once, and the outer one can go on", async () => {
    await database.write(async (tx) => {
      await expect(database.write(async () => 1)).rejects.toThrow(code("nested_write"));
      await expect(value()).rejects.toThrow(code("nested_write"));
      await expect(database.operational.withTables<Counting>().deleteFrom("counter").execute()).rejects.toThrow(code("nested_write"));
      await tx.withTables<Counting>().updateTable("counter").set({ value: 3 }).execute();
    });
    expect(await value()).toBe(3);
  });

  test("what a write has started may use the database after the write has ended", async () => {
    let later: Promise<number | undefined> = Promise.resolve(undefined);
    await database.write(async (tx) => {
      await tx.withTables<Counting>().updateTable("counter").set({ value: 4 }).execute();
      later = tick(20).then(() => value());
    });
    expect(await later).toBe(4);
  });

  test("a statement that failed spoils its transaction, even when the failure was swallowed", async () => {
    const writing = database.write(async (narrow) => {
      const tx = narrow.withTables<Counting>();
      await tx.updateTable("counter").set({ value: 5 }).execute();
      await expect(tx.insertInto("counter").values({ id: "a", value: 1 }).execute()).rejects.toThrow(code("conflict"));
      await tx.updateTable("counter").set({ value: 6 }).execute().catch(() => undefined);
    });
    await expect(writing).rejects.toThrow(code("commit_uncertain"));
    expect(await value()).toBe(0);
    await database.write((tx) => tx.withTables<Counting>().updateTable("counter").set({ value: 1 }).execute());
    expect(await value()).toBe(1);
  });

  test("a violated check is a coded failure without the row's values", async () => {
    const writing = database.operational.withTables<Counting>().insertInto("counter").values({ id: "secret-id", value: -1 }).execute();
    const error: unknown = await writing.catch((thrown: unknown) => thrown);
    expect(error).toEqual(code("internal"));
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("secret-id");
  });

  test("whole numbers up to 2^53 - 1 come back as the same numbers, sums and counts too", async () => {
    const large = Number.MAX_SAFE_INTEGER;
    await database.operational.withTables<Counting>().insertInto("counter").values({ id: "large", value: large }).execute();
    expect(await value("large")).toBe(large);
    const totals = await read()
      .selectFrom("counter")
      .select((eb) => [eb.fn.countAll<number>().as("count"), eb.fn.sum<number>("value").as("sum"), eb.fn.max("value").as("max")])
      .executeTakeFirst();
    expect(totals).toEqual({ count: 2, sum: large, max: large });
  });

  test("numbers and values that would not be stored exactly are refused", async () => {
    const store = (stored: unknown) => sql`update counter set value = ${stored}`.execute(database.operational);
    for (const stored of [2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, undefined, new Date(0), { a: 1 }]) {
      await expect(store(stored)).rejects.toThrow(code("internal"));
    }
    expect(await value()).toBe(0);
  });

  test("numbers in text columns stay as they were written, JSON text stays text", async () => {
    await database.operational.withTables<Counting>().insertInto("counter").values({ id: '{"a":[1,"é"]}', value: 1 }).execute();
    const row = await read().selectFrom("counter").selectAll().where("value", "=", 1).executeTakeFirst();
    expect(row).toEqual({ id: '{"a":[1,"é"]}', value: 1 });
  });

  test("changed rows are counted, returning and upsert work", async () => {
    const table = database.operational.withTables<Counting>();
    const updated = await table.updateTable("counter").set({ value: 2 }).where("id", "=", "a").executeTakeFirst();
    expect(updated.numUpdatedRows).toBe(1n);
    const upserted = await table
      .insertInto("counter")
      .values({ id: "a", value: 0 })
      .onConflict((oc) => oc.column("id").doUpdateSet((eb) => ({ value: eb("counter.value", "+", 10) })))
      .returning("value")
      .executeTakeFirst();
    expect(upserted).toEqual({ value: 12 });
  });

  test("a write through the reading side's transaction is refused", async () => {
    const writing = database.read.transaction().execute((tx) => tx.withTables<Counting>().deleteFrom("counter").execute());
    await expect(writing).rejects.toThrow(code("internal"));
    expect(await value()).toBe(0);
  });

  test("after close everything is refused with a code", async () => {
    const closing = await open();
    await closing.ping();
    const slow = closing.write(async (tx) => {
      await tick(30);
      await tx.withTables<Counting>().updateTable("counter").set({ value: 8 }).execute();
    });
    const queued = closing.write(async () => 1).catch((error: unknown) => error);
    await tick(5);
    await closing.close();
    await slow;
    expect(await queued).toEqual(code("database_unavailable"));
    expect(await value()).toBe(8);
    await expect(closing.ping()).rejects.toThrow(code("database_unavailable"));
    await expect(closing.write(async () => 1)).rejects.toThrow(code("database_unavailable"));
    await expect(sql`select 1`.execute(closing.read)).rejects.toThrow(code("database_unavailable"));
  });
});
