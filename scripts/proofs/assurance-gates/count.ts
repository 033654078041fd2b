import { randomFrom } from "../../../packages/assurance/src/stats/random.ts";
import type { Gate } from "./gate.ts";

export interface Verdicts {
  readonly runs: number;
  readonly pass: number;
  readonly fail: number;
}

/** Each run has a seed of its own, so that it does not matter who makes it. */
export function countVerdicts(gate: Gate, { seed, first, last }: { readonly seed: number; readonly first: number; readonly last: number }): Verdicts {
  let [pass, fail] = [0, 0];
  for (let run = first; run < last; run += 1) {
    const name = `${seed} ${gate.name} ${run}`;
    const { verdict } = gate.draw(randomFrom(name), `${name} bootstrap`);
    if (verdict === "pass") pass += 1;
    if (verdict === "fail") fail += 1;
  }
  return { runs: last - first, pass, fail };
}
