import { parseLeaf } from "@licet/evidence";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import type { Database } from "../db/database.ts";
import type { Entry } from "./entry.ts";
import type { EvidenceLog } from "./log.ts";
import { complaints } from "./log-fixture.ts";
import {
  decisionDraft,
  dump,
  holdDraft,
  install,
  type Installation,
  type InstallationOptions,
  liftDraft,
  newDirectory,
  removeDirectory,
  toyKinds,
} from "./recorder-fixture.ts";
import { registryOf } from "./registry.ts";
import { rebuildDatabase } from "./replay.ts";

const start = Date.UTC(2026, 10, 1);
const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await removeDirectory(directory);
});

async function fresh(more: Partial<InstallationOptions> = {}): Promise<Installation & { clock: ReturnType<typeof manualClock> }> {
  const directory = await newDirectory();
  directories.push(directory);
  const clock = manualClock(start);
  return { ...(await install({ directory, clock, ...more })), clock };
}

function leafOf(bytes: Uint8Array) {
  const leaf = parseLeaf(bytes);
  if (!leaf.ok) throw new Error(leaf.message);
  return leaf.value;
}

async function rebuilt(of: Installation) {
  const { database, log, keyring } = of;
  await rebuildDatabase({ database, log, keyring, registry: registryOf(toyKinds), now: () => start });
  return dump(database);
}

describe("a command", () => {
  test("has its rows, its entry and its place in the log together, and its readers are told afterwards", async () => {
    const at = await fresh();
    const told: string[] = [];
    at.recorder.onCommitted((entry) => told.push(`${entry.kind} ${entry.index}`));
    const { value, entry } = await at.recorder.commit(async () => ({ entry: holdDraft("h1"), value: "done" }));
    expect(value).toBe("done");
    expect(entry).toMatchObject({ index: 0, time: start, kind: "toy.hold", v: 1 });
    expect(told).toEqual(["toy.hold 0"]);
    expect((await dump(at.database))["hold"]).toHaveLength(1);
    expect(await at.recorder.read("main", entry?.id ?? "")).toMatchObject({ actor: "per_ada", system: "tumour", subject: "system:tumour", body: { hold: "h1" } });
    expect(await at.recorder.read("other", entry?.id ?? "")).toBeUndefined();
    await at.close();
  });

  test("that has nothing to record leaves no trace", async () => {
    const at = await fresh();
    expect(await at.recorder.commit(async () => ({ nothing: 7 }))).toEqual({ value: 7 });
    expect(at.log.size).toBe(0);
    await at.close();
  });

  test("that breaks a constraint leaves neither rows nor entry", async () => {
    const at = await fresh();
    await at.recorder.commit(async () => ({ entry: holdDraft("h1"), value: 0 }));
    await expect(at.recorder.commit(async () => ({ entry: holdDraft("h1"), value: 0 }))).rejects.toMatchObject({ code: "conflict" });
    expect(at.log.size).toBe(1);
    expect(at.fatal).toEqual([]);
    await at.recorder.commit(async () => ({ entry: holdDraft("h2"), value: 0 }));
    expect(at.log.size).toBe(2);
    await at.close();
  });

  test("whose entry cannot be appended is rolled back", async () => {
    let full = false;
    const at = await fresh({
      wrapLog: (log) => refusing(log, () => full),
    });
    full = true;
    await expect(at.recorder.commit(async () => ({ entry: holdDraft("h1"), value: 0 }))).rejects.toMatchObject({ message: "no room" });
    expect((await dump(at.database))["hold"]).toEqual([]);
    full = false;
    await at.recorder.commit(async () => ({ entry: holdDraft("h1"), value: 0 }));
    expect(at.fatal).toEqual([]);
    await at.close();
  });
});

function refusing(log: EvidenceLog, when: () => boolean): EvidenceLog {
  return proxied(log, { append: (frame) => (when() ? Promise.reject(new Error("no room")) : log.append(frame)) });
}

function proxied<T extends object>(of: T, changes: Partial<T>): T {
  return new Proxy(of, {
    get: (target, key) => {
      const value: unknown = Reflect.get(changes, key) ?? Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The commit point's crash: the entry is durable, and the transaction does not commit. */
function dyingAfterAppend(database: Database, when: () => boolean): Database {
  return proxied(database, {
    write: (work) =>
      database.write(async (tx) => {
        const value = await work(tx);
        if (when()) throw new Error("the power went");
        return value;
      }),
  });
}

test("after a commit that fails behind its entry, the process is told to stop, and the next start applies the entry", async () => {
  let dying = false;
  const at = await fresh({ wrapDatabase: (database) => dyingAfterAppend(database, () => dying) });
  await at.recorder.commit(async () => ({ entry: holdDraft("h1"), value: 0 }));
  dying = true;
  await expect(at.recorder.commit(async () => ({ entry: holdDraft("h2"), value: 0 }))).rejects.toThrow("the power went");
  expect(at.fatal).toHaveLength(1);
  expect(at.recorder.healthy()).toBe(false);
  await expect(at.recorder.commit(async () => ({ nothing: 0 }))).rejects.toMatchObject({ code: "log_unavailable" });
  expect((await dump(at.database))["hold"]).toHaveLength(1);
  await at.crash();
  const again = await install({ directory: at.directory, clock: at.clock });
  const live = await dump(again.database);
  expect(live["hold"]).toHaveLength(2);
  expect(live["entry"]).toHaveLength(2);
  expect(await rebuilt(again)).toEqual(live);
  await again.close();
});

test("whatever happened and wherever it was cut, a rebuild gives the same record tables as living through it", async () => {
  const step = fc.constantFrom("hold", "lift", "decide", "settle", "crash", "die", "reopen");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
      let dying = false;
      const wrapDatabase = (database: Database) => dyingAfterAppend(database, () => dying);
      const clock = manualClock(start);
      const directory = await newDirectory();
      directories.push(directory);
      let at = await install({ directory, clock, wrapDatabase });
      let [holds, decisions, logged] = [0, 0, 0];
      for (const what of steps) {
        clock.advance(10);
        if (what === "hold") await at.recorder.commit(async () => ({ entry: holdDraft(`h${holds++}`), value: 0 }));
        if (what === "lift") await at.recorder.commit(async () => ({ entry: liftDraft(), value: 0 }));
        if (what === "decide") await Promise.all([0, 1, 2].map(() => at.recorder.append(decisionDraft(decisions++))));
        if (what === "settle") await at.recorder.settle();
        if (what === "die") {
          dying = true;
          await at.recorder.commit(async () => ({ entry: holdDraft(`h${holds++}`), value: 0 })).catch(() => 0);
          dying = false;
        }
        logged = at.log.size;
        if (what === "crash" || what === "die" || what === "reopen") {
          await (what === "reopen" ? at.close() : at.crash());
          at = await install({ directory, clock, wrapDatabase });
        }
      }
      await at.recorder.settle();
      const live = await dump(at.database);
      expect(at.log.size).toBe(logged);
      expect(live["hold"]).toHaveLength(holds);
      expect(live["decision"]).toHaveLength(decisions);
      expect(await rebuilt(at)).toEqual(live);
      expect(await complaints(at.log, [])).toEqual([]);
      await at.close();
    }),
    { numRuns: 6 },
  );
});

describe("runtime entries", () => {
  test("are in the log before their rows, are read at once, and get their rows in order", async () => {
    const at = await fresh();
    const logged = await Promise.all(Array.from({ length: 450 }, (_, n) => at.recorder.append(decisionDraft(n))));
    expect((await dump(at.database))["decision"]).toEqual([]);
    expect(await at.recorder.read("main", logged[3]?.id ?? "")).toMatchObject({ seq: 3, body: { n: 3 } });
    await at.recorder.settle();
    expect((await dump(at.database))["decision"]).toHaveLength(450);
    expect(await at.recorder.read("main", logged[3]?.id ?? "")).toMatchObject({ seq: 3, body: { n: 3 } });
    await at.close();
  });

  test("take their places in the order in which they came, wherever they are sealed and whatever one of them waits for", async () => {
    const at = await fresh();
    await at.recorder.append(decisionDraft(0));
    const coming: Promise<unknown>[] = [];
    const comes = (n: number): void => {
      // Every tenth makes a key of its own first; one is refused while those before it still wait.
      const subject = n % 10 === 3 ? `system:s${n}` : decisionDraft(n).subject;
      const body = n === 57 ? { lone: "\uD800" } : { n };
      coming.push(at.recorder.append({ ...decisionDraft(n), subject, body, gateway: "gw_1", seq: n }).catch(() => undefined));
    };
    for (let n = 1; n <= 90; n += 1) comes(n);
    // Later ones find the thread at work, and would be sealed here at once.
    for (let n = 91; n <= 150; n += 1) {
      if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      comes(n);
    }
    await Promise.all(coming);
    const order: number[] = [];
    for await (const { leaf } of at.log.scan(1)) order.push(leafOf(leaf).seq ?? -1);
    expect(order).toEqual(Array.from({ length: 150 }, (_, n) => n + 1).filter((n) => n !== 57));
    await at.close();
  });

  test("get their rows by themselves", async () => {
    const at = await fresh();
    await at.close();
    const { openRecorder } = await import("./recorder.ts");
    const again = await install({ directory: at.directory, clock: at.clock });
    const recorder = await openRecorder({ ...again, definitions: toyKinds, clock: at.clock, fatal: () => {}, projectEvery: 5 });
    await recorder.append(decisionDraft(1));
    await expect.poll(async () => (await dump(again.database))["decision"]?.length, { timeout: 30_000 }).toBe(1);
    await recorder.close();
    await again.close();
  });
});

describe("time", () => {
  test("never runs backwards in the log, and a clock five seconds behind it stops everything", async () => {
    const at = await fresh();
    const first = await at.recorder.append(decisionDraft(0));
    at.clock.advance(-4000);
    expect((await at.recorder.append(decisionDraft(1))).time).toBe(first.time);
    at.clock.advance(-1001);
    expect(() => at.recorder.now()).toThrow(expect.objectContaining({ code: "clock_regressed" }));
    await expect(at.recorder.append(decisionDraft(2))).rejects.toMatchObject({ code: "clock_regressed" });
    await expect(at.recorder.commit(async () => ({ entry: holdDraft("h"), value: 0 }))).rejects.toMatchObject({ code: "clock_regressed" });
    await at.close();
    const again = await install({ directory: at.directory, clock: at.clock });
    expect(() => again.recorder.now()).toThrow(expect.objectContaining({ code: "clock_regressed" }));
    await again.close();
  });
});

describe("at the start", () => {
  test("an entry of an unknown kind is refused, not left out", async () => {
    const at = await fresh();
    await at.recorder.commit(async () => ({ entry: holdDraft("h1"), value: 0 }));
    await at.close();
    const reset = await install({ directory: at.directory, clock: at.clock });
    await reset.database.write(async (tx) => {
      await tx.updateTable("installation").set({ applied_index: -1, projected_index: -1 }).execute();
    });
    await reset.crash();
    await expect(install({ directory: at.directory, clock: at.clock, definitions: [] })).rejects.toMatchObject({ code: "entry_unknown" });
  });

  test("an older body is brought to the current version", async () => {
    const at = await fresh();
    await at.recorder.commit(async () => ({ entry: holdDraft("h1"), value: 0 }));
    const seen: Entry[] = [];
    const newer = toyKinds.map((definition) => ({
      ...definition,
      v: 2,
      upcast: (body: Entry["body"]) => ({ ...body, added: true }),
      apply: async (_: unknown, entry: Entry) => {
        seen.push(entry);
      },
    }));
    const { database, log, keyring } = at;
    await rebuildDatabase({ database, log, keyring, registry: registryOf(newer), now: () => start });
    expect(seen).toMatchObject([{ v: 2, body: { hold: "h1", added: true } }]);
    await at.close();
  });

  test("a database that is ahead of the log is refused", async () => {
    const at = await fresh();
    await at.database.write(async (tx) => {
      await tx.updateTable("installation").set({ applied_index: 5 }).execute();
    });
    await at.crash();
    await expect(install({ directory: at.directory, clock: at.clock })).rejects.toMatchObject({ code: "log_rolled_back" });
  });
});

test("an erased payload stays erased: neither reading nor a rebuild brings it back, and the log still verifies", async () => {
  const at = await fresh();
  const { entry } = await at.recorder.commit(async () => ({ entry: holdDraft("h1"), value: 0 }));
  await at.recorder.commit(async () => ({ entry: holdDraft("h2", { system: "other", subject: "system:other" }), value: 0 }));
  const before = await at.log.publish();
  for (const kid of at.keyring.keysOf("main", "system:tumour")) await at.keyring.destroy(kid);
  await at.close();
  const again = await install({ directory: at.directory, clock: at.clock });
  await expect(again.recorder.read("main", entry?.id ?? "")).rejects.toMatchObject({ code: "payload_erased" });
  expect((await rebuilt(again))["hold"]).toHaveLength(1);
  expect(await complaints(again.log, [before])).toEqual([]);
  await again.close();
});
