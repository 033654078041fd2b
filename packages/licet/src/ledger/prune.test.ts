import { cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LicetError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { type Files, nodeFiles } from "./files.ts";
import { fsckLog } from "./fsck.ts";
import { type Keyring, openKeyring } from "./keyring.ts";
import { type Keys, openKeys } from "./keys.ts";
import { type EvidenceLog, type Frame, openLog } from "./log.ts";
import { complaints } from "./log-fixture.ts";
import { reclaim, reclaimable } from "./prune.ts";
import { openEntry, sealEntry } from "./sealing.ts";
import { askTlogOracle, tlogOraclePresent } from "./tlog-oracle.ts";

const now = Date.UTC(2026, 10, 1);
const total = 300;
let root: string;
let keys: Keys;
let keyring: Keyring;
let vkey: string;

function openAt(folder: string): Promise<EvidenceLog> {
  return openLog({ folder, signer: keys.log, publishEvery: 0, limits: { segmentBytes: 60_000, aheadBytes: 4096 } });
}

function entry(n: number, kind = "toy.entry", body = {}) {
  const subject = kind === "toy.entry" ? `system:${n % 3 === 0 ? "erased" : "kept"}` : "space";
  return sealEntry(keyring, { id: newId("ent", now), v: 1, time: now, kind, space: "main", actor: "dep_1", subject, class: "governance", body: { n, text: "z".repeat(200), ...body } });
}

/** A log in which every third payload's key was destroyed, and an entry that says so. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "licet-prune-"));
  keys = await openKeys({ directory: join(root, "keys"), fresh: true, now });
  keyring = await openKeyring({ directory: keys.directory, root: keys.root, clock: { now: () => now } });
  const log = await openAt(join(root, "log"));
  const frames: Frame[] = [];
  for (let n = 0; n < total; n += 1) frames.push((await entry(n)).frame);
  for (let n = 0; n < total; n += 10) await Promise.all(frames.slice(n, n + 10).map((frame) => log.append(frame)));
  const kids = keyring.keysOf("main", "system:erased");
  await keyring.destroy(kids);
  vkey = log.vkey;
  await log.append((await entry(total, "payload.erased", { keys: [...kids] })).frame);
  await log.close();
});

afterAll(async () => {
  await keyring.close();
  await rm(root, { recursive: true, force: true });
});

const isDestroyed = (kid: string) => keyring.isDestroyed(kid);

function fsck(folder: string) {
  return fsckLog({ files: nodeFiles, folder, signer: keys.log, notes: [], known: undefined, keyring });
}

function openedOrCode(frame: Frame): number | string {
  try {
    return Number(openEntry(keyring, frame).body["n"]);
  } catch (error) {
    return error instanceof LicetError ? error.code : String(error);
  }
}

/** Every entry is what it was: opened, or erased and nothing else. */
async function intact(folder: string): Promise<void> {
  const log = await openAt(folder);
  const read: (number | string)[] = [];
  for await (const frame of log.scan(0)) read.push(openedOrCode(frame));
  expect(read).toEqual(Array.from({ length: total + 1 }, (_, n) => (n % 3 === 0 && n < total ? "payload_erased" : n)));
  expect(await complaints(log, [])).toEqual([]);
  await log.close();
}

describe("reclaiming the space of erased payloads", () => {
  test("makes finished segments smaller, after which all reads, checks and verifies as before", async () => {
    const folder = join(root, "reclaimed");
    await cp(join(root, "log"), folder, { recursive: true });
    const options = { files: nodeFiles, folder: join(folder, "journal"), isDestroyed };
    const planned = (await reclaimable(options)).reduce((sum, { bytes }) => sum + bytes, 0);
    const before = (await stat(join(folder, "journal", "00000000.seg"))).size;
    expect(await reclaim(options)).toBe(planned);
    expect(planned).toBeGreaterThan(20_000);
    expect((await stat(join(folder, "journal", "00000000.seg"))).size).toBeLessThan(before);
    expect(await reclaim(options)).toBe(0);
    await intact(folder);
    expect(tlogOraclePresent ? askTlogOracle(folder, vkey).size : total + 1).toBe(total + 1);
    expect(await fsck(folder)).toMatchObject({ entries: total + 1, erased: total / 3, findings: [] });
  });

  test("cut off at any step leaves every segment old or new", async () => {
    for (let step = 1; step <= 11; step += 2) {
      const folder = join(root, `cut-${step}`);
      await cp(join(root, "log"), folder, { recursive: true });
      await expect(reclaim({ files: failingAt(step), folder: join(folder, "journal"), isDestroyed })).rejects.toThrow("cut off");
      await intact(folder);
      expect(await fsck(folder)).toMatchObject({ findings: [] });
      expect((await readdir(join(folder, "journal"))).length).toBeGreaterThan(3);
    }
  });

  test("a payload that is gone although its key lives is damage", async () => {
    const folder = join(root, "too-much");
    await cp(join(root, "log"), folder, { recursive: true });
    await reclaim({ files: nodeFiles, folder: join(folder, "journal"), isDestroyed: () => true });
    const log = await openAt(folder);
    const frame = await log.read(1);
    await log.close();
    expect(() => frame && openEntry(keyring, frame)).toThrow(expect.objectContaining({ code: "log_damaged" }));
    const { findings } = await fsck(folder);
    expect(findings).toContainEqual(expect.objectContaining({ entry: 1, what: expect.stringContaining("is gone, and its key is not") }));
  });
});

/** Stops for ever at the so-many-th change of the disk. */
function failingAt(step: number): Files {
  let changes = 0;
  const change = () => {
    changes += 1;
    if (changes >= step) throw new Error("cut off");
  };
  return {
    ...nodeFiles,
    open: async (path, mode) => {
      if (mode !== "read") change();
      const file = await nodeFiles.open(path, mode);
      return {
        ...file,
        write: async (buffer, position) => {
          change();
          return file.write(buffer, position);
        },
      };
    },
    rename: async (from, to) => {
      change();
      await nodeFiles.rename(from, to);
    },
    remove: async (path) => {
      change();
      await nodeFiles.remove(path);
    },
    syncDirectory: async (path) => {
      change();
      await nodeFiles.syncDirectory(path);
    },
  };
}
