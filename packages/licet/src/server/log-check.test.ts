import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { manualClock } from "../base/clock.ts";
import { nodeFiles } from "../ledger/files.ts";
import { writeMinimumIndex } from "../ledger/prune.ts";
import { checkLog, repairFrom } from "./log-check.ts";
import { pruneLog } from "./prune-log.ts";
import { backUp } from "./backup.ts";
import { openRecordKeeping, type RecordKeeping } from "./record-keeping.ts";
import { restore } from "./restore.ts";

const clock = manualClock(Date.UTC(2026, 10, 1));
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function place() {
  const root = await mkdtemp(join(tmpdir(), "licet-check-"));
  folders.push(root);
  const keys = join(root, "keys");
  return { data: join(root, "data"), keys, backup: join(root, "backup"), at: (name: string) => join(root, name), opening: { directory: join(root, "data"), keysDirectory: keys, clock } };
}

type Place = Awaited<ReturnType<typeof place>>;

async function opened<T>(of: Place, work: (records: RecordKeeping) => Promise<T>, directory = of.data): Promise<T> {
  const records = await openRecordKeeping({ ...of.opening, directory });
  try {
    return await work(records);
  } finally {
    await records.close();
  }
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

describe("a check of the whole log", () => {
  test("finds nothing in a log that was written, restored and pruned, and writes nothing into the directory", async () => {
    const of = await place();
    await opened(of, (records) => add(records, 8));
    expect(await checkLog(of.opening)).toMatchObject({ entries: 8, findings: [] });
    await opened(of, (records) => backUp(records, of.backup));
    await restore({ ...of.opening, from: of.backup, directory: of.at("new"), by: "tester" });
    await opened(of, (records) => add(records, 2), of.at("new"));
    const fresh = { ...of.opening, directory: of.at("new") };
    expect(await checkLog(fresh)).toMatchObject({ entries: 11, shards: 2, findings: [] });
    expect(await pruneLog({ ...fresh, keep: { before: 5 }, by: "tester" })).toEqual({ minimumIndex: 5, reclaimedBytes: 0 });
    await chmod(of.at("new"), 0o500);
    const before = (await stat(of.at("new"))).mtimeMs;
    expect(await checkLog(fresh)).toMatchObject({ entries: 12, findings: [] });
    await chmod(of.at("new"), 0o700);
    expect((await stat(of.at("new"))).mtimeMs).toBeGreaterThanOrEqual(before);
    await writeMinimumIndex(nodeFiles, join(of.at("new"), "log"), 3);
    expect(await checkLog(fresh)).toMatchObject({ findings: [{ file: "log/minimum-index", offset: 0 }] });
  });

  test("names what is damaged in journal, chain of shards and database, and a backup brings the journal back", async () => {
    const of = await place();
    await opened(of, (records) => add(records, 6));
    await opened(of, (records) => backUp(records, of.backup));
    const segment = join(of.data, "log", "journal", "00000000.seg");
    const pristine = await readFile(segment);
    const bytes = Buffer.from(pristine);
    bytes.writeUInt8(bytes.readUInt8(90) ^ 4, 90);
    await writeFile(segment, bytes);
    await expect(opened(of, async () => {})).rejects.toMatchObject({ code: "log_damaged" });
    expect(await checkLog(of.opening)).toMatchObject({ findings: [{ file: "log/journal/00000000.seg", offset: 90 }] });
    expect(await repairFrom({ ...of.opening, from: of.backup, dryRun: true })).toMatchObject({ written: ["journal/00000000.seg"] });
    expect(await repairFrom({ ...of.opening, from: of.backup })).toMatchObject({ written: ["journal/00000000.seg"], left: [], report: { findings: [] } });
    expect((await readFile(segment)).equals(pristine)).toBe(true);
    await writeFile(join(of.data, "licet.db"), "this is no database, but it is long enough to be taken for one".repeat(20));
    expect(await checkLog(of.opening)).toMatchObject({ findings: [{ file: "licet.db" }] });
  });

  test("is refused while a server has the directory, with its process id", async () => {
    const of = await place();
    await opened(of, async (records) => {
      await add(records, 1);
      await expect(checkLog(of.opening)).rejects.toMatchObject({ code: "data_locked", message: expect.stringContaining(`process ${process.pid}`) });
    });
  });

  test("names a key that is gone although no entry says that it was destroyed", async () => {
    const of = await place();
    await opened(of, async (records) => {
      await add(records, 2);
      const [kid = ""] = records.keyring.keysOf("main", `person:per_${people}`);
      await records.keyring.destroy(kid);
    });
    expect(await checkLog(of.opening)).toMatchObject({ erased: 1, findings: [{ file: "keys", entry: 1, what: expect.stringContaining("was destroyed, and no entry says so") }] });
  });
});

describe("pruning", () => {
  test("beyond the last checkpoint is refused, and by age keeps what is young", async () => {
    const of = await place();
    await opened(of, (records) => add(records, 4));
    await expect(pruneLog({ ...of.opening, keep: { before: 99 }, by: "tester" })).rejects.toMatchObject({ code: "invalid_request" });
    clock.advance(10 * 86_400_000);
    await opened(of, (records) => add(records, 2));
    expect(await pruneLog({ ...of.opening, keep: { olderThanDays: 5 }, by: "tester" })).toMatchObject({ minimumIndex: 4 });
    expect(await pruneLog({ ...of.opening, keep: { before: 0 }, by: "tester" })).toMatchObject({ minimumIndex: 0 });
  });
});
