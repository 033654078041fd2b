import { randomFrom } from "../stats/random.ts";
import { countBins, decileEdges } from "./deciles.ts";
import { stabilityIndex } from "./divergence.ts";

export interface PermutedStability {
  readonly missing: { readonly reference: number; readonly current: number };
  readonly psi: number;
  readonly seed: string;
  readonly permutations: number;
}

/**
 * p-value of a stability index: the share of random dealings of all rows, missing ones included, into two samples of
 * the same sizes whose index is at least as large, their deciles taken anew each time. (1 + b) / (1 + permutations).
 * Source: Phipson & Smyth 2010.
 */
export function permutedStabilityP(a: Float64Array, b: Float64Array, { missing, psi, seed, permutations }: PermutedStability): number {
  const random = randomFrom(`${seed}/psi`);
  const finite = Float64Array.of(...a, ...b).sort();
  const size = finite.length + missing.reference + missing.current;
  const toReference = new Uint8Array(size).fill(1, 0, a.length + missing.reference);
  const dealt = { reference: new Float64Array(finite.length), current: new Float64Array(finite.length) };
  let reached = 0;
  for (let round = 0; round < permutations; round += 1) {
    random.permute(toReference);
    const lost = { reference: 0, current: 0 };
    let [inReference, inCurrent] = [0, 0];
    for (let row = 0; row < size; row += 1) {
      const own = toReference[row] === 1;
      if (row >= finite.length) lost[own ? "reference" : "current"] += 1;
      else if (own) dealt.reference[inReference++] = finite[row] ?? 0;
      else dealt.current[inCurrent++] = finite[row] ?? 0;
    }
    const reference = dealt.reference.subarray(0, inReference);
    const edges = decileEdges(reference);
    const counts = { reference: [...countBins(reference, edges), lost.reference], current: [...countBins(dealt.current.subarray(0, inCurrent), edges), lost.current] };
    // Equal indices differ in their last bits, by the order of their sums.
    if (stabilityIndex(counts) >= psi * (1 - 1e-9)) reached += 1;
  }
  return (1 + reached) / (1 + permutations);
}
