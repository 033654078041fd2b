import { describe, expect, test } from "vitest";
import { seeded } from "./log-fixture.ts";
import { openOn, powerRounds } from "./power-rounds.ts";
import { SimulatedDisk } from "./simulated-files.ts";

/** A few rounds here; the proof `log-power` (scripts/proof.ts) runs thousands. */
describe("no acknowledged entry is lost, and the log stays consistent with every published checkpoint", () => {
  for (const seed of [1, 2]) {
    test(`when the power is cut at any operation (seed ${seed})`, async () => {
      const { losses, faults } = await powerRounds({ seed, how: ["power"], kind: "cut", count: 20 });
      expect(losses).toEqual([]);
      expect(faults).toBeGreaterThan(8);
    });
    test(`when the process is killed at any operation (seed ${seed})`, async () => {
      const { losses, faults } = await powerRounds({ seed, how: ["kill"], kind: "cut", count: 12 });
      expect(losses).toEqual([]);
      expect(faults).toBeGreaterThan(4);
    });
    test(`when the process is killed and the power goes soon after (seed ${seed})`, async () => {
      const { losses, faults } = await powerRounds({ seed, how: ["kill", "kill", "power"], kind: "cut", count: 15 });
      expect(losses).toEqual([]);
      expect(faults).toBeGreaterThan(4);
    });
    test(`when any operation fails and the power goes later (seed ${seed})`, async () => {
      const { losses, faults } = await powerRounds({ seed, how: ["power"], kind: "error", count: 12 });
      expect(losses).toEqual([]);
      expect(faults).toBeGreaterThan(4);
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
