import { describe, expect, test } from "vitest";
import type { CheckpointMemory } from "./checkpoint.ts";
import { complaints, fixedSigner, publishedComplaints, seeded } from "./log-fixture.ts";
import { type EvidenceLog, openLog } from "./log.ts";
import { SimulatedDisk } from "./simulated-files.ts";

interface Witnessed {
  readonly acknowledged: Map<number, string>;
  readonly checkpoints: string[];
}

function openOn(disk: SimulatedDisk, memories: readonly CheckpointMemory[] = []): Promise<EvidenceLog> {
  return openLog({
    folder: "/data/log",
    files: disk,
    signer: fixedSigner(),
    memories,
    publishEvery: 0,
    lock: () => ({ release: () => {} }),
    limits: { segmentBytes: 6000, aheadBytes: 1024, batchBytesMax: 2048 },
  });
}

/** Appends in bursts and publishes in between, until done or until the disk gives out. */
async function work(log: EvidenceLog, seen: Witnessed, random: () => number): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    const appends = Array.from({ length: 1 + Math.floor(random() * 40) }, async () => {
      const text = `${random()}`.padEnd(20 + Math.floor(random() * 90), "y");
      const index = await log.append({ leaf: Buffer.from(text), payload: Buffer.alloc(Math.floor(random() * 60), 3) });
      seen.acknowledged.set(index, text);
    });
    const publishing = random() < 0.7 ? log.publish().then((note) => seen.checkpoints.push(note)) : Promise.resolve(0);
    const results = await Promise.allSettled([...appends, publishing]);
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  }
}

async function expectKept(log: EvidenceLog, seen: Witnessed): Promise<void> {
  for (const [index, text] of seen.acknowledged) {
    const frame = await log.read(index);
    expect(Buffer.from(frame?.leaf ?? []).toString(), `entry ${index}`).toBe(text);
  }
  expect(await complaints(log, seen.checkpoints)).toEqual([]);
}

/** One cut at each operation in turn, on the same disk, so that damage would add up. */
async function rounds(options: { seed: number; how: readonly ("power" | "kill")[]; kind: "cut" | "error"; count: number }): Promise<number> {
  const random = seeded(options.seed);
  const seen: Witnessed = { acknowledged: new Map(), checkpoints: [] };
  let disk = new SimulatedDisk(random);
  let faults = 0;
  const how = () => options.how[Math.floor(random() * options.how.length)] ?? "power";
  for (let round = 1; round <= options.count; round += 1) {
    disk.failAt({ at: 1 + Math.floor(random() ** 2 * 150), kind: options.kind });
    try {
      const log = await openOn(disk);
      await work(log, seen, random);
      await log.close();
    } catch {
      faults += 1;
    }
    disk = disk.restart(how());
    expect(await publishedComplaints(disk, "/data/log")).toEqual([]);
    const again = await openOn(disk);
    await expectKept(again, seen);
    if (random() < 0.5) await again.close();
    disk = disk.restart(how());
    expect(await publishedComplaints(disk, "/data/log")).toEqual([]);
  }
  return faults;
}

describe("no acknowledged entry is lost, and the log stays consistent with every published checkpoint", () => {
  for (const seed of [1, 2, 3]) {
    test(`when the power is cut at any operation (seed ${seed})`, async () => {
      expect(await rounds({ seed, how: ["power"], kind: "cut", count: 25 })).toBeGreaterThan(10);
    });
    test(`when the process is killed at any operation (seed ${seed})`, async () => {
      expect(await rounds({ seed, how: ["kill"], kind: "cut", count: 15 })).toBeGreaterThan(5);
    });
    test(`when the process is killed and the power goes soon after (seed ${seed})`, async () => {
      expect(await rounds({ seed, how: ["kill", "kill", "power"], kind: "cut", count: 20 })).toBeGreaterThan(5);
    });
    test(`when any operation fails and the power goes later (seed ${seed})`, async () => {
      expect(await rounds({ seed, how: ["power"], kind: "error", count: 15 })).toBeGreaterThan(5);
    });
  }
});

test("after a failed write or sync every append is refused for ever, also once the disk works again", async () => {
  for (const at of [1, 2, 3]) {
    const disk = new SimulatedDisk(seeded(at));
    const log = await openOn(disk);
    await log.append({ leaf: Buffer.from("one"), payload: Buffer.alloc(0) });
    disk.failAt({ at, kind: "error" });
    const frame = { leaf: Buffer.from("two".padEnd(1500)), payload: Buffer.alloc(0) };
    await expect(log.append(frame)).rejects.toMatchObject({ code: "log_poisoned" });
    expect(log.healthy()).toBe(false);
    await expect(log.append(frame)).rejects.toMatchObject({ code: "log_poisoned" });
    await expect(log.publish()).rejects.toMatchObject({ code: "log_poisoned" });
  }
});
