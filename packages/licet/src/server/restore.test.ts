import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyConsistency, verifyInclusion } from "@licet/evidence";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { openKeys } from "../ledger/keys.ts";
import { openLog } from "../ledger/log.ts";
import { claimOf, shardMemory } from "../ledger/shard-list.ts";
import { registryOf } from "../ledger/registry.ts";
import { rebuildDatabase } from "../ledger/replay.ts";
import { dump } from "../ledger/recorder-fixture.ts";
import { askTlogOracle, tlogOraclePresent } from "../ledger/tlog-oracle.ts";
import { leafHash } from "../ledger/tree.ts";
import { backUp } from "./backup.ts";
import { openRecordKeeping, type RecordKeeping } from "./record-keeping.ts";
import { restore, type Restored, type RestoreStep } from "./restore.ts";

const clock = manualClock(Date.UTC(2026, 10, 1));
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

interface Place {
  readonly data: string;
  readonly keys: string;
  readonly at: (name: string) => string;
}

async function place(): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), "licet-restore-"));
  folders.push(root);
  return { data: join(root, "data"), keys: join(root, "keys"), at: (name) => join(root, name) };
}

async function opened<T>(directory: string, keys: string, work: (records: RecordKeeping) => Promise<T>): Promise<T> {
  const records = await openRecordKeeping({ directory, keysDirectory: keys, clock });
  try {
    return await work(records);
  } finally {
    await records.close();
  }
}

/** The part of a start that judges the history; that a whole start refuses is the third test's. */
async function continued(directory: string, keys: string): Promise<void> {
  const held = await openKeys({ directory: keys, fresh: false, now: clock.now() });
  const log = await openLog({ folder: join(directory, "log"), signer: held.log, memories: [held.memory], shardMemory: shardMemory(keys), publishEvery: 0 });
  await log.close();
}

let people = 0;

async function add({ recorder }: RecordKeeping, entries: number): Promise<void> {
  for (let n = 0; n < entries; n += 1) {
    const person = `per_${(people += 1)}`;
    await recorder.commit(async () => ({
      entry: { kind: "person.added", space: "main", actor: "server", subject: `person:${person}`, class: "governance", body: { person, email: `${person}@example.org`, name: person, by: "setup" } },
      value: undefined,
    }));
  }
}

const built = new Map<string, Promise<string>>();
afterAll(async () => {
  for (const root of built.values()) await rm(await root, { recursive: true, force: true });
});

interface Sizes {
  readonly before: number;
  readonly after: number;
}

/** A backup of so many entries, and a log that went on after it: a copy of one that is made once. */
async function backedUp(of: Place, sizes: Sizes): Promise<void> {
  const name = `${sizes.before}+${sizes.after}`;
  const making = built.get(name) ?? build(sizes);
  built.set(name, making);
  await cp(await making, of.at("."), { recursive: true });
}

async function build({ before, after }: Sizes): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "licet-restore-"));
  const of: Place = { data: join(root, "data"), keys: join(root, "keys"), at: (name) => join(root, name) };
  if (after > 0) {
    await backedUp(of, { before, after: 0 });
    await opened(of.data, of.keys, (records) => add(records, after));
    return root;
  }
  await opened(of.data, of.keys, (records) => add(records, before));
  await opened(of.data, of.keys, (records) => backUp(records, of.at("backup")));
  return root;
}

function restoreTo(of: Place, name: string, more: { readonly keys?: string; readonly onStep?: (step: RestoreStep) => void } = {}): Promise<Restored> {
  return restore({ from: of.at("backup"), directory: of.at(name), keysDirectory: more.keys ?? of.keys, clock, by: "tester", ...(more.onStep && { onStep: more.onStep }) });
}

/** Everything that a holder of checkpoints could ask of each shard. */
async function provable({ log }: RecordKeeping): Promise<void> {
  await log.publish();
  for (const shard of log.shards) {
    const claim = claimOf(shard.checkpoint() ?? "") ?? { origin: "", size: 0, root: new Uint8Array() };
    expect(claim.origin).toBe(shard.origin);
    const root = await shard.rootAt(shard.size);
    const proof = await shard.consistencyProof(claim.size, shard.size);
    expect(verifyConsistency({ oldSize: claim.size, newSize: shard.size, oldRoot: claim.root, newRoot: root, proof })).toBe(true);
    for (let index = 0; index < shard.size; index += 1) {
      const frame = await log.read(shard.base + index);
      const inclusion = await shard.inclusionProof(index, shard.size);
      expect(verifyInclusion({ index, size: shard.size, leafHash: leafHash(frame?.leaf ?? new Uint8Array()), proof: inclusion, root })).toBe(true);
    }
  }
}

async function restoredBody({ recorder, log }: RecordKeeping) {
  return (await recorder.readAt("main", log.shards.at(-1)?.base ?? 0))?.body;
}

describe("a restore", () => {
  test("continues in a new shard that says from where, and everything before it stays readable and provable", async () => {
    const of = await place();
    await backedUp(of, { before: 3, after: 1 });
    const frozenBefore = await readFile(join(of.at("backup"), "log", "checkpoint"), "utf8");
    const result = await restoreTo(of, "new");
    expect(result).toMatchObject({ size: 4, shard: expect.stringMatching(/^2-[0-9a-f]{8}$/), restored: { discarded: 1, restoredBy: "tester", previous: { size: 3, checkpoint: frozenBefore, consistency: [] } } });
    await opened(of.at("new"), of.keys, async (records) => {
      expect(records.log.shards.map(({ size, base, frozen }) => ({ size, base, frozen }))).toEqual([{ size: 3, base: 0, frozen: true }, { size: 1, base: 3, frozen: false }]);
      expect(await restoredBody(records)).toEqual({ ...result.restored });
      await add(records, 4);
      await provable(records);
      const read: (string | undefined)[] = [];
      for (let index = 0; index < records.log.size; index += 1) read.push((await records.recorder.readAt("main", index))?.kind);
      expect(read).toEqual([...Array.from({ length: 3 }, () => "person.added"), "log.restored", ...Array.from({ length: 4 }, () => "person.added")]);
    });
    expect(await readFile(join(of.at("new"), "log", "checkpoint"), "utf8")).toBe(frozenBefore);
    await opened(of.at("new"), of.keys, async (records) => {
      expect(records.log.size).toBe(8);
      const live = await dump(records.database);
      expect(live["person"]).toHaveLength(7);
      const { database, log, keyring, definitions } = records;
      await rebuildDatabase({ database, log, keyring, registry: registryOf(definitions), now: () => clock.now() });
      expect(await dump(database)).toEqual(live);
    });
  });

  test.skipIf(!tlogOraclePresent)("leaves two logs that an independent verifier accepts, the old one with every checkpoint of before (needs ../shared/evidence/verify_tlog.py)", async () => {
    const of = await place();
    await backedUp(of, { before: 30, after: 0 });
    await restoreTo(of, "new");
    await opened(of.at("new"), of.keys, async (records) => {
      await add(records, 5);
      await records.log.publish();
      const [first, second] = records.log.shards;
      const folder = join(of.at("new"), "log");
      expect(askTlogOracle(folder, first?.vkey ?? "", [join(of.at("backup"), "log", "checkpoint")])).toMatchObject({ ok: true, size: 30 });
      expect(askTlogOracle(join(folder, "shards", second?.name ?? ""), second?.vkey ?? "")).toMatchObject({ ok: true, size: 6 });
    });
  });

  test("is the only directory that still starts: neither the one before it, nor an older copy put back by hand", async () => {
    const of = await place();
    await backedUp(of, { before: 3, after: 1 });
    await cp(of.data, of.at("by-hand"), { recursive: true });
    await restoreTo(of, "new");
    for (const name of ["data", "by-hand", "backup"]) {
      await expect(opened(of.at(name), of.keys, async () => {})).rejects.toMatchObject({ code: "log_rolled_back", message: expect.stringContaining("licet restore") });
    }
    await opened(of.at("new"), of.keys, (records) => add(records, 1));
    await expect(opened(of.data, of.keys, async () => {})).rejects.toMatchObject({ code: "log_rolled_back" });
  });

  test("twice from one backup makes two shards, and the second takes over", async () => {
    const of = await place();
    await backedUp(of, { before: 3, after: 0 });
    const first = await restoreTo(of, "one");
    await opened(of.at("one"), of.keys, (records) => add(records, 2));
    const second = await restoreTo(of, "two");
    expect(second.shard).not.toBe(first.shard);
    expect(second.restored.discarded).toBe(3);
    await opened(of.at("two"), of.keys, async (records) => {
      await add(records, 9);
      await provable(records);
    });
    await expect(continued(of.at("one"), of.keys)).rejects.toMatchObject({ code: "log_rolled_back" });
    await opened(of.at("two"), of.keys, async (records) => expect(records.log.size).toBe(13));
  });

  test("of a restored directory makes a third shard", async () => {
    const of = await place();
    await backedUp(of, { before: 3, after: 0 });
    await restoreTo(of, "one");
    await opened(of.at("one"), of.keys, (records) => add(records, 2));
    await opened(of.at("one"), of.keys, (records) => backUp(records, of.at("backup-two")));
    const third = await restore({ from: of.at("backup-two"), directory: of.at("two"), keysDirectory: of.keys, clock, by: "tester" });
    expect(third).toMatchObject({ size: 7, shard: expect.stringMatching(/^3-/), restored: { discarded: 0 } });
    await opened(of.at("two"), of.keys, async (records) => {
      await add(records, 1);
      expect(records.log.shards.map(({ size }) => size)).toEqual([3, 3, 2]);
      await provable(records);
    });
    await expect(continued(of.at("one"), of.keys)).rejects.toMatchObject({ code: "log_rolled_back" });
  });

  test("without what the keys remembered says that it does not know what was discarded", async () => {
    const of = await place();
    await backedUp(of, { before: 3, after: 1 });
    const bare = of.at("bare-keys");
    await cp(of.keys, bare, { recursive: true, filter: (source) => !source.includes("last-checkpoint") });
    expect(await restoreTo(of, "new", { keys: bare })).toMatchObject({ restored: { discarded: null } });
    await opened(of.at("new"), bare, async (records) => {
      await add(records, 1);
      await provable(records);
    });
    // The machine whose keys remember more is not led back.
    await expect(continued(of.at("new"), of.keys)).rejects.toMatchObject({ code: "log_rolled_back" });
  });

  test("of entries that no checkpoint covered cites the whole journal and proves that it continues what was signed", async () => {
    const of = await place();
    await backedUp(of, { before: 3, after: 0 });
    const early = await readFile(join(of.data, "log", "checkpoint"));
    await opened(of.data, of.keys, (records) => add(records, 2));
    await cp(of.data, of.at("copy"), { recursive: true });
    await writeFile(join(of.at("copy"), "log", "checkpoint"), early);
    const result = await restore({ from: of.at("copy"), directory: of.at("new"), keysDirectory: of.keys, clock, by: "tester" });
    const { previous, discarded } = result.restored;
    expect({ discarded, size: previous.size }).toEqual({ discarded: 0, size: 5 });
    const claim = { oldSize: 3, newSize: 5, oldRoot: claimOf(early.toString())?.root ?? new Uint8Array(), newRoot: Buffer.from(previous.root, "base64") };
    expect(verifyConsistency({ ...claim, proof: previous.consistency.map((hash) => Buffer.from(hash, "base64")) })).toBe(true);
    await opened(of.at("new"), of.keys, provable);
  });

  test("is refused into a directory that exists, from what is no backup, with other keys, and from a damaged log", async () => {
    const of = await place();
    await backedUp(of, { before: 3, after: 0 });
    await expect(restoreTo(of, "data")).rejects.toMatchObject({ code: "already_exists" });
    await expect(restore({ from: of.keys, directory: of.at("new"), keysDirectory: of.keys, clock, by: "tester" })).rejects.toMatchObject({ code: "file_unreadable" });
    await expect(restoreTo(of, "new", { keys: of.at("no-keys") })).rejects.toMatchObject({ code: "keys_missing" });
    await opened(of.at("other"), of.at("other-keys"), (records) => add(records, 1));
    await expect(restoreTo(of, "new", { keys: of.at("other-keys") })).rejects.toMatchObject({ code: expect.stringMatching(/^(log_damaged|restore_refused)$/) });
    const segment = join(of.at("backup"), "log", "journal", "00000000.seg");
    const bytes = await readFile(segment);
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    await writeFile(segment, bytes);
    await expect(restoreTo(of, "new")).rejects.toMatchObject({ code: expect.stringMatching(/^log_(damaged|rolled_back)$/) });
    expect(existsSync(of.at("new"))).toBe(false);
    expect(existsSync(of.at("new.restoring"))).toBe(false);
  });
});

describe("a restore that is cut off", () => {
  test.each(["begin", "rename", "remember"] as const)("before the step `%s` is absent or complete, and can be made again", async (step) => {
    const of = await place();
    await backedUp(of, { before: 3, after: 1 });
    const cut = restoreTo(of, "new", {
      onStep: (at) => {
        if (at === step) throw new Error("cut off");
      },
    });
    await expect(cut).rejects.toThrow("cut off");
    const complete = step === "remember";
    expect(existsSync(of.at("new"))).toBe(complete);
    expect(await opened(complete ? of.at("new") : of.data, of.keys, async (records) => records.log.size)).toBe(4);
    if (!complete) await restoreTo(of, "new");
    await opened(of.at("new"), of.keys, provable);
    await expect(continued(of.data, of.keys)).rejects.toMatchObject({ code: "log_rolled_back" });
  });

  test("when it was nearly done, does not take over once the old directory has gone on", async () => {
    const of = await place();
    await backedUp(of, { before: 3, after: 1 });
    await expect(restoreTo(of, "new", { onStep: (at) => at === "remember" && stop() })).rejects.toThrow("cut off");
    await opened(of.data, of.keys, (records) => add(records, 1));
    await expect(continued(of.at("new"), of.keys)).rejects.toMatchObject({ code: "log_rolled_back" });
    await opened(of.data, of.keys, async (records) => expect(records.log.size).toBe(5));
  });
});

function stop(): never {
  throw new Error("cut off");
}
