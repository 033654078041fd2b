import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import type { Files } from "../ledger/files.ts";
import { seeded } from "../ledger/log-fixture.ts";
import { SimulatedDisk } from "../ledger/simulated-files.ts";
import { type Cosigner, openCosigner, waitingMax } from "./cosigner.ts";
import { ensureWitnessKey, type WitnessKey } from "./key.ts";
import { addLog, readCosigned } from "./known-logs.ts";
import { body, Scene, testSigner, testVkey } from "./witness-fixture.ts";

const scene = new Scene();
afterEach(() => scene.end());

let key: WitnessKey;
beforeEach(async () => {
  key = await ensureWitnessKey(await scene.folder(), { name: "w", now: 1 });
});

const folder = "/witness";
const openOn = (disk: SimulatedDisk): Cosigner => openCosigner({ folder, key, clock: systemClock, files: disk });

async function diskWithLog(seed: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(seeded(seed));
  await disk.makeDirectory(folder);
  for (const path of [folder, "", "/"]) await disk.syncDirectory(path);
  await addLog(folder, { origin: testSigner.origin, vkeys: [testVkey], now: 1, files: disk });
  return disk;
}

/** Grows the log until the disk gives out; answers the size of the last cosignature that left. */
async function grow(cosigner: Cosigner): Promise<number> {
  let cosigned = 0;
  try {
    for (let size = 1; size <= 4; size += 1) {
      const answer = await cosigner.addCheckpoint(Buffer.from(await body(cosigned, size)));
      if (answer.is !== "cosigned") return cosigned;
      cosigned = size;
    }
  } catch {
    // The fault struck.
  }
  return cosigned;
}

const cutsMax = 60;

test.each(["cut", "error", "full"] as const)("whatever operation the disk fails at (%s), a restart remembers at least what was cosigned, and cosigns no fork of it", async (kind) => {
  let struck = 0;
  for (let at = 1; at <= cutsMax; at += 1) {
    const disk = await diskWithLog(at);
    disk.failAt({ at, kind });
    const cosigned = await grow(openOn(disk));
    if (disk.hit === undefined) break;
    struck += 1;
    const restarted = disk.restart("power");
    const held = (await readCosigned(folder, testSigner.origin, { key, files: restarted }))?.size ?? 0;
    expect([at, held >= cosigned]).toEqual([at, true]);
    const cosigner = openOn(restarted);
    const forks = Array.from({ length: cosigned }, (_, from) => body(from, 9, "forged"));
    for (const fork of await Promise.all(forks)) expect(await cosigner.addCheckpoint(Buffer.from(fork))).toEqual({ is: "conflict", size: held });
    expect(await cosigner.addCheckpoint(Buffer.from(await body(held, 9)))).toMatchObject({ is: "cosigned" });
  }
  expect(struck).toBeGreaterThan(10);
});

test("after a failed write nothing more is cosigned for that log before a restart", async () => {
  const disk = await diskWithLog(1);
  const cosigner = openOn(disk);
  await cosigner.addCheckpoint(Buffer.from(await body(0, 2)));
  disk.failAt({ at: 1, kind: "error" });
  await expect(cosigner.addCheckpoint(Buffer.from(await body(2, 3)))).rejects.toBeInstanceOf(Error);
  await expect(cosigner.addCheckpoint(Buffer.from(await body(2, 3)))).rejects.toMatchObject({ code: "witness_damaged" });
  expect(await openOn(disk.restart("kill")).addCheckpoint(Buffer.from(await body(2, 3)))).toMatchObject({ is: "cosigned" });
});

test("a log that asks faster than the disk writes is told to wait", async () => {
  const disk = await diskWithLog(1);
  let written: () => void = () => {};
  const stalled = new Promise<void>((resolve) => {
    written = resolve;
  });
  const files: Files = {
    open: (path, mode) => disk.open(path, mode),
    rename: async (from, to) => {
      await stalled;
      await disk.rename(from, to);
    },
    remove: (path) => disk.remove(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    list: (path) => disk.list(path),
    readWhole: (path) => disk.readWhole(path),
  };
  const cosigner = openCosigner({ folder, key, clock: systemClock, files });
  const text = Buffer.from(await body(0, 2));
  const waiting = Array.from({ length: waitingMax + 20 }, () => cosigner.addCheckpoint(text));
  let sentAway = 0;
  for (const each of waiting) void each.then(({ is }) => (sentAway += is === "busy" ? 1 : 0));
  await expect.poll(() => sentAway).toBe(20);
  written();
  const answers = (await Promise.all(waiting)).map(({ is }) => is);
  const count = (is: string): number => answers.filter((each) => each === is).length;
  expect([count("cosigned"), count("conflict"), count("busy")]).toEqual([1, waitingMax - 1, 20]);
});
