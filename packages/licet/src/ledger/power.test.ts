import { describe, expect, test } from "vitest";
import { seeded } from "./log-fixture.ts";
import { type CutPlan, powerCuts } from "./power-cuts.ts";
import { openOn, powerRounds } from "./power-rounds.ts";
import { type OperationKind, operationKinds, SimulatedDisk } from "./simulated-files.ts";

/** Some four hundred places; the proof `log-power` (scripts/proof.ts) goes through many thousands. */
const plans: readonly (CutPlan & { readonly title: string })[] = [
  { title: "the power is cut at each operation, from the first to the last", seed: 1, kind: "cut", how: "power", every: 1, from: "new" },
  { title: "the power is cut at each second operation of a start after a power cut, and of the work after it", seed: 2, kind: "cut", how: "power", every: 2, from: "torn" },
  { title: "the process is killed at each third operation", seed: 3, kind: "cut", how: "kill", every: 3, from: "torn" },
  { title: "each third operation fails and the power goes later", seed: 4, kind: "error", how: "power", every: 3, from: "torn" },
  { title: "the disk is full from each fifth operation on", seed: 5, kind: "full", how: "power", every: 5, from: "new" },
];

describe("no acknowledged entry is lost, and the log verifies and continues every published checkpoint", () => {
  const hit = new Map<CutPlan["kind"], Set<OperationKind>>();

  for (const { title, ...plan } of plans) {
    test(`when ${title}`, async () => {
      const { losses, cuts, operations, hit: here } = await powerCuts(plan);
      expect(losses).toEqual([]);
      expect(operations).toBeGreaterThan(100);
      expect(cuts).toBeGreaterThan((operations / plan.every) * 0.9);
      hit.set(plan.kind, new Set([...(hit.get(plan.kind) ?? []), ...here]));
    }, 60_000);
  }

  test("and every kind of operation was cut", () => {
    expect([...(hit.get("cut") ?? [])].sort()).toEqual([...operationKinds].sort());
    expect(hit.get("error")?.size).toBeGreaterThan(4);
  });

  test("when fault after fault hits one log in a random workload", async () => {
    const ways = [{ how: ["power"], kind: "cut" }, { how: ["kill", "kill", "power"], kind: "cut" }, { how: ["power"], kind: "error" }] as const;
    for (const [seed, way] of ways.entries()) {
      const { losses, faults } = await powerRounds({ ...way, seed, count: 12 });
      expect(losses).toEqual([]);
      expect(faults).toBeGreaterThan(4);
    }
  }, 60_000);
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
