import { powerRounds, type PowerRounds } from "../../packages/licet/src/ledger/power-rounds.ts";
import type { Proof } from "./proof.ts";

const ways: readonly Pick<PowerRounds, "how" | "kind">[] = [
  { how: ["power"], kind: "cut" },
  { how: ["kill"], kind: "cut" },
  { how: ["kill", "kill", "power"], kind: "cut" },
  { how: ["power"], kind: "error" },
];

export const logPower: Proof = {
  name: "log-power",
  promise: "whichever operation of the disk is the last before the power goes, the process dies or the disk fails, no acknowledged entry is lost and no second history is signed",
  covers: ["packages/licet/src/ledger", "packages/evidence/src"],
  async run({ seed, goOn }) {
    const figures = { seeds: 0, rounds: 0, faults: 0, acknowledged: 0, checkpoints: 0 };
    const losses: string[] = [];
    for (let next = seed; next === seed || goOn(); next += 1) {
      const way = ways[next % ways.length];
      if (way === undefined) break;
      const result = await powerRounds({ ...way, seed: next, count: 20 });
      figures.seeds += 1;
      figures.rounds += result.rounds;
      figures.faults += result.faults;
      figures.acknowledged += result.acknowledged;
      figures.checkpoints += result.checkpoints;
      losses.push(...result.losses);
    }
    return { figures, losses };
  },
};
