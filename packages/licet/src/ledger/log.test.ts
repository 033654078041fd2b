import { existsSync } from "node:fs";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leafHash as portableLeafHash, merkleRoot, verifyConsistency, verifyInclusion } from "@licet/evidence";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { signCheckpoint } from "./checkpoint.ts";
import { type Files, nodeFiles } from "./files.ts";
import { complaints, fixedSigner } from "./log-fixture.ts";
import { type EvidenceLog, type LogOptions, openLog } from "./log.ts";
import { askTlogOracle, tlogOraclePresent } from "./tlog-oracle.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "licet-log-"));
  folders.push(folder);
  return folder;
}

function openAt(folder: string, more: Partial<LogOptions> = {}): Promise<EvidenceLog> {
  return openLog({ folder, signer: fixedSigner(), publishEvery: 0, ...more });
}

const leafOf = (n: number, bytes = 40) => Buffer.from(`${n}:${"x".repeat(bytes)}`);

async function fill(log: EvidenceLog, from: number, to: number): Promise<void> {
  const all = Array.from({ length: to - from }, (_, n) => log.append({ leaf: leafOf(from + n), payload: Buffer.from(`p${from + n}`) }));
  expect(await Promise.all(all)).toEqual(all.map((_, n) => from + n));
}

test("an acknowledged entry is read back as it was written, also after reopening", async () => {
  const folder = await newFolder();
  const first = await openAt(folder);
  await fill(first, 0, 300);
  await first.close();
  const log = await openAt(folder);
  expect(log.size).toBe(300);
  for (const index of [0, 63, 64, 255, 256, 299]) {
    const frame = await log.read(index);
    expect(Buffer.from(frame?.leaf ?? []).toString()).toBe(leafOf(index).toString());
    expect(Buffer.from(frame?.payload ?? []).toString()).toBe(`p${index}`);
  }
  expect(await log.read(300)).toBeUndefined();
  await log.close();
});

test("the root is that of RFC 6962 by the portable implementation, at every size", async () => {
  const log = await openAt(await newFolder());
  await fill(log, 0, 600);
  const leaves = Array.from({ length: 600 }, (_, n) => portableLeafHash(leafOf(n)));
  for (const size of [0, 1, 2, 3, 255, 256, 257, 511, 512, 600]) {
    expect(Buffer.from(await log.rootAt(size)).toString("hex")).toBe(Buffer.from(merkleRoot(leaves.slice(0, size))).toString("hex"));
  }
  await log.close();
});

test("every inclusion and consistency proof verifies", async () => {
  const log = await openAt(await newFolder());
  const size = 70_000;
  for (let from = 0; from < size; from += 10_000) await fill(log, from, from + 10_000);
  await log.publish();
  const pair = fc.tuple(fc.integer({ min: 1, max: size }), fc.integer({ min: 1, max: size }));
  await fc.assert(
    fc.asyncProperty(pair, async ([a, b]) => {
      const [oldSize, newSize] = [Math.min(a, b), Math.max(a, b)];
      const [oldRoot, newRoot] = [await log.rootAt(oldSize), await log.rootAt(newSize)];
      const proof = await log.consistencyProof(oldSize, newSize);
      expect(verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof })).toBe(true);
      const index = oldSize - 1;
      const inclusion = await log.inclusionProof(index, newSize);
      const claim = { index, size: newSize, leafHash: portableLeafHash(leafOf(index)), proof: inclusion, root: newRoot };
      expect(verifyInclusion(claim)).toBe(true);
    }),
    { numRuns: 60 },
  );
  await log.close();
});

test.skipIf(!tlogOraclePresent)("an independent verifier accepts the log and its consistency with every earlier checkpoint (needs ../shared/evidence/verify_tlog.py)", async () => {
  const folder = await newFolder();
  const olds = await newFolder();
  const files: string[] = [];
  let log = await openAt(folder, { limits: { segmentBytes: 8192 } });
  for (const [at, size] of [1, 5, 255, 256, 300, 512, 513, 700].entries()) {
    await fill(log, log.size, size);
    const file = join(olds, String(size));
    await writeFile(file, await log.publish());
    files.push(file);
    if (at % 3 !== 2) continue;
    await log.close();
    log = await openAt(folder, { limits: { segmentBytes: 8192 } });
  }
  expect(askTlogOracle(folder, log.vkey, files)).toMatchObject({ ok: true, size: 700, old_checkpoints: 8 });
  await log.close();
});

test("a checkpoint is withheld while it may not be signed, and the log stays usable", async () => {
  let witnessAhead = true;
  const folder = await newFolder();
  const log = await openAt(folder, {
    maySign: async () => {
      if (witnessAhead) throw new (await import("../base/errors.ts")).LicetError("log_rolled_back");
    },
  });
  await fill(log, 0, 3);
  await expect(log.publish()).rejects.toMatchObject({ code: "log_rolled_back" });
  expect(existsSync(join(folder, "checkpoint"))).toBe(false);
  expect(log.healthy()).toBe(true);
  witnessAhead = false;
  expect(await log.publish()).toContain("\n3\n");
  await log.close();
});

test("only one process, and one opener in it, has the log", async () => {
  const folder = await newFolder();
  const log = await openAt(folder);
  await expect(openAt(folder)).rejects.toMatchObject({ code: "data_locked" });
  await log.close();
  await (await openAt(folder)).close();
});

describe("on start the log is refused", () => {
  async function damage(folder: string, change: (bytes: Buffer) => void, segment = "00000000.seg"): Promise<void> {
    const path = join(folder, "journal", segment);
    const bytes = await readFile(path);
    change(bytes);
    await writeFile(path, bytes);
  }

  test("with the position, when a byte before the end has changed", async () => {
    const folder = await newFolder();
    const log = await openAt(folder);
    for (let n = 0; n < 20; n += 1) await fill(log, n, n + 1);
    await log.close();
    await damage(folder, (bytes) => {
      bytes[200] = (bytes[200] ?? 0) ^ 1;
    });
    await expect(openAt(folder)).rejects.toMatchObject({ code: "log_damaged", at: { segment: "00000000.seg" } });
  });

  test("when the published end was cut off", async () => {
    const folder = await newFolder();
    const log = await openAt(folder);
    for (let n = 0; n < 5; n += 1) await fill(log, n, n + 1);
    await log.close();
    await damage(folder, (bytes) => bytes.fill(0, 300));
    await expect(openAt(folder)).rejects.toMatchObject({ code: "log_rolled_back" });
  });

  test("when another history stands where a signed one stood", async () => {
    const [mine, theirs] = [await newFolder(), await newFolder()];
    const log = await openAt(mine);
    await fill(log, 0, 10);
    await log.close();
    const other = await openAt(theirs);
    await Promise.all(Array.from({ length: 12 }, (_, n) => other.append({ leaf: Buffer.from(`forged ${n}`), payload: Buffer.alloc(0) })));
    await other.close();
    await writeFile(join(mine, "journal", "00000000.seg"), await readFile(join(theirs, "journal", "00000000.seg")));
    await expect(openAt(mine)).rejects.toMatchObject({ code: "log_rolled_back" });
  });

  test("when a remembered checkpoint is larger than the restored copy", async () => {
    const folder = await newFolder();
    let note: string | undefined;
    const memory = {
      get: async () => note,
      set: async (next: string) => {
        note = next;
      },
    };
    const log = await openAt(folder, { memories: [memory] });
    await fill(log, 0, 4);
    await log.close();
    expect(note).toContain("\n4\n");
    note = await signCheckpoint(fixedSigner(), { size: 9, root: Buffer.alloc(32, 7) });
    await expect(openAt(folder, { memories: [memory] })).rejects.toMatchObject({ code: "log_rolled_back" });
  });

  test("when the checkpoint was signed by another key", async () => {
    const folder = await newFolder();
    await (await openAt(folder)).close();
    await expect(openAt(folder, { signer: fixedSigner("licet.example/test", 0x22) })).rejects.toMatchObject({ code: "log_damaged" });
  });

  test("when a segment is missing", async () => {
    const folder = await newFolder();
    const log = await openAt(folder, { limits: { segmentBytes: 4096, aheadBytes: 0 } });
    for (let n = 0; n < 200; n += 20) await fill(log, n, n + 20);
    await log.close();
    await rm(join(folder, "journal", "00000001.seg"));
    await expect(openAt(folder)).rejects.toMatchObject({ code: "log_damaged", at: { segment: "00000001.seg" } });
  });
});

describe("on start the log repairs", () => {
  test("a torn last write, and goes on from there", async () => {
    const folder = await newFolder();
    const log = await openAt(folder, { limits: { aheadBytes: 0 } });
    await fill(log, 0, 7);
    await log.close();
    const path = join(folder, "journal", "00000000.seg");
    const handle = await open(path, "a");
    await handle.write(Buffer.from([44, 0, 0, 0, 1, 2, 3, 4, 9, 9]));
    await handle.close();
    const again = await openAt(folder);
    expect(again.size).toBe(7);
    await fill(again, 7, 9);
    expect(await again.publish()).toContain("\n9\n");
    await again.close();
  });

  test("tiles that were changed or lost, from the journal", async () => {
    const folder = await newFolder();
    const log = await openAt(folder);
    await fill(log, 0, 300);
    await log.publish();
    await fill(log, 300, 310);
    await log.close();
    await rm(join(folder, "tile", "1"), { recursive: true });
    await writeFile(join(folder, "tile", "0", "001.p", "44"), Buffer.alloc(44 * 32));
    const again = await openAt(folder);
    await again.publish();
    expect(existsSync(join(folder, "tile", "1", "000.p", "1"))).toBe(true);
    expect((await readFile(join(folder, "tile", "0", "001.p", "44"))).equals(Buffer.alloc(44 * 32))).toBe(false);
    expect(await complaints(again, [])).toEqual([]);
    expect(tlogOraclePresent ? askTlogOracle(folder, again.vkey).size : 310).toBe(310);
    await again.close();
  });
});

test("more than the queue may hold is refused, and what was accepted is kept", async () => {
  const log = await openAt(await newFolder(), { limits: { queueEntriesMax: 10 } });
  const results = await Promise.allSettled(Array.from({ length: 25 }, (_, n) => log.append({ leaf: leafOf(n), payload: Buffer.alloc(0) })));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  const refused = results.filter((result) => result.status === "rejected");
  expect(refused.every(({ reason }) => reason.code === "log_backpressure")).toBe(true);
  expect(log.size).toBe(10);
  expect(await log.append({ leaf: leafOf(10), payload: Buffer.alloc(0) })).toBe(10);
  await log.close();
});

test("a disk that hangs refuses its callers within the named time, for good, and what it took late is there at the next start", async () => {
  const folder = await newFolder();
  let hang = false;
  let go: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    go = resolve;
  });
  const files: Files = {
    ...nodeFiles,
    open: async (path, mode) => {
      const file = await nodeFiles.open(path, mode);
      return {
        ...file,
        write: async (buffer, position) => {
          if (hang && path.endsWith(".seg")) await released;
          return file.write(buffer, position);
        },
      };
    },
  };
  const log = await openAt(folder, { files, limits: { appendMillisecondsMax: 150 } });
  await fill(log, 0, 3);
  hang = true;
  const began = performance.now();
  const late = [3, 4].map((n) => log.append({ leaf: leafOf(n), payload: Buffer.alloc(0) }));
  const results = await Promise.allSettled(late);
  expect(performance.now() - began).toBeLessThan(5000);
  expect(results).toMatchObject([{ status: "rejected", reason: { code: "log_unavailable" } }, { status: "rejected", reason: { code: "log_unavailable" } }]);
  expect(log.healthy()).toBe(false);
  await expect(log.append({ leaf: leafOf(5), payload: Buffer.alloc(0) })).rejects.toMatchObject({ code: "log_poisoned" });
  await expect(log.publish()).rejects.toMatchObject({ code: "log_poisoned" });
  await log.close();
  go();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(log.size).toBe(3);
  const again = await openAt(folder);
  expect(again.size).toBe(5);
  expect(await complaints(again, [])).toEqual([]);
  await again.close();
});

test("an entry that a bundle could not carry is refused", async () => {
  const log = await openAt(await newFolder());
  const leaf = Buffer.alloc(65_536, 1);
  await expect(log.append({ leaf, payload: Buffer.alloc(0) })).rejects.toMatchObject({ code: "body_too_large" });
  expect(await log.append({ leaf: leaf.subarray(1), payload: Buffer.alloc(0) })).toBe(0);
  await log.close();
});

test("superseded partial tiles are removed once the full tile is published", async () => {
  const folder = await newFolder();
  const log = await openAt(folder);
  await fill(log, 0, 100);
  await log.publish();
  expect(existsSync(join(folder, "tile", "0", "000.p", "100"))).toBe(true);
  await fill(log, 100, 256);
  await log.publish();
  expect(existsSync(join(folder, "tile", "0", "000.p"))).toBe(false);
  expect(existsSync(join(folder, "tile", "entries", "000.p"))).toBe(false);
  await log.close();
});

test("only published files are served by path", async () => {
  const log = await openAt(await newFolder());
  await fill(log, 0, 2);
  await log.publish();
  expect(await log.resource("checkpoint")).toBeDefined();
  expect(await log.resource("tile/0/000.p/2")).toHaveLength(64);
  for (const path of ["journal/00000000.seg", "../secret", "tile/../checkpoint", "tile/0/000.tmp", "lock"]) {
    expect(await log.resource(path)).toBeUndefined();
  }
  await log.close();
});
