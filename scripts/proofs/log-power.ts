import { type CutPlan, powerCuts } from "../../packages/licet/src/ledger/power-cuts.ts";
import { powerRounds, type PowerRounds } from "../../packages/licet/src/ledger/power-rounds.ts";
import type { Proof } from "./proof.ts";

type Plan = Omit<CutPlan, "seed" | "every">;
type Rounds = Pick<PowerRounds, "how" | "kind">;

/** Every operation of one workload in order, and faults at random places that add up on one disk, by turns. */
const ways: readonly ({ readonly cuts: Plan } | { readonly rounds: Rounds })[] = [
  { cuts: { kind: "cut", how: "power", from: "torn" } },
  { rounds: { how: ["power"], kind: "cut" } },
  { cuts: { kind: "error", how: "power", from: "torn" } },
  { rounds: { how: ["kill", "kill", "power"], kind: "cut" } },
  { cuts: { kind: "cut", how: "kill", from: "torn" } },
  { rounds: { how: ["power"], kind: "error" } },
  { cuts: { kind: "full", how: "power", from: "new" } },
  { rounds: { how: ["kill"], kind: "cut" } },
  { cuts: { kind: "cut", how: "power", from: "new" } },
  { rounds: { how: ["power"], kind: "full" } },
];

export const logPower: Proof = {
  name: "log-power",
  promise: "whichever operation of the disk is the last before the power goes, the process dies or the disk fails or is full, no acknowledged entry is lost and no second history is signed",
  covers: ["packages/licet/src/ledger", "packages/evidence/src"],
  async run({ seed, goOn }) {
    const figures = { seeds: 0, faults: 0, acknowledged: 0, checkpoints: 0 };
    const losses: string[] = [];
    for (let next = seed; (next === seed || goOn()) && losses.length === 0; next += 1) {
      const way = ways[next % ways.length];
      if (way === undefined) break;
      figures.seeds += 1;
      if ("cuts" in way) {
        const result = await powerCuts({ ...way.cuts, seed: next, every: 1 });
        figures.faults += result.cuts;
        figures.acknowledged += result.acknowledged;
        figures.checkpoints += result.checkpoints;
        losses.push(...result.losses);
      } else {
        const result = await powerRounds({ ...way.rounds, seed: next, count: 20 });
        figures.faults += result.faults;
        figures.acknowledged += result.acknowledged;
        figures.checkpoints += result.checkpoints;
        losses.push(...result.losses);
      }
    }
    return { figures, losses };
  },
};
