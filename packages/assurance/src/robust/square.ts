import type { Random } from "../stats/random.ts";
import type { Probe } from "../subject/probe.ts";
import type { Target } from "./attack-row.ts";

/** Share of features changed per step, by progress. Source: Andriushchenko et al. 2020, section 5.1, for L-infinity. */
const schedule: readonly (readonly [number, number])[] = [[0.001, 1], [0.005, 0.5], [0.02, 0.25], [0.05, 0.125], [0.1, 0.0625], [0.2, 0.031_25], [0.4, 0.015_625], [1, 0.007_812_5]];

/**
 * Square attack on vectors: within an L-infinity ball of fixed radius, blocks of features jump to either end and the
 * jump is kept when the score of the decided class falls. Squares of an image become drawn sets of features here.
 * Source: Andriushchenko, Croce, Flammarion & Hein 2020 (ECCV), algorithm 1.
 */
export function* squareAttack(target: Target, options: { radius: number; random: Random; queriesMax: number; start?: Float64Array }): Probe<void> {
  const { random, radius } = options;
  const end = Math.min(target.given.queriesMax, target.queries + options.queriesMax);
  const inside = (value: number) => Math.max(-radius, Math.min(radius, value));
  let steps: Float64Array = options.start?.map(inside) ?? Float64Array.from({ length: target.features }, () => (random.uniform() < 0.5 ? -radius : radius));
  let [margin = Infinity] = yield* target.margins([steps]);
  const first = target.queries;
  while (margin >= 0 && target.queries < end && !target.done) {
    const progress = (target.queries - first) / Math.max(1, end - first);
    const share = 0.8 * (schedule.find(([until]) => progress <= until)?.[1] ?? 0.008);
    const next = jumped(steps, Math.max(1, Math.round(share * target.features)), options);
    const [found = Infinity] = yield* target.margins([next]);
    if (found > margin) continue;
    margin = found;
    steps = next;
  }
}

function jumped(steps: Float64Array, count: number, options: { radius: number; random: Random }): Float64Array {
  const next = Float64Array.from(steps);
  const order = Uint32Array.from(steps, (_, feature) => feature);
  options.random.permute(order);
  for (const feature of order.subarray(0, count)) {
    const now = next[feature] ?? 0;
    next[feature] = count === 1 && now !== 0 ? -now : (options.random.uniform() < 0.5 ? -1 : 1) * options.radius;
  }
  return next;
}
