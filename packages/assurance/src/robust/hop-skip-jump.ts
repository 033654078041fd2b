import type { Random } from "../stats/random.ts";
import type { Probe } from "../subject/probe.ts";
import { scaled, sizeOf, type Target } from "./attack-row.ts";

/**
 * HopSkipJump for L2 and L-infinity, decisions only: at the boundary the direction of steepest change is estimated from
 * drawn perturbations with the baseline taken off, then a geometric step and a bisection back to the boundary.
 * Source: Chen, Jordan & Wainwright 2020, algorithm 2 (estimate: eq. 16; step: eq. 12; draws grow with the root of
 * the round).
 */
export function* hopSkipJump(target: Target, start: { direction: Float64Array; radius: number }, options: { random: Random; draws: number; until?: number }): Probe<void> {
  const d = target.features;
  const linf = target.given.norm === "linf";
  let steps = scaled(start.direction, start.radius);
  for (let round = 1; !target.done && target.queries < (options.until ?? Infinity); round += 1) {
    const size = sizeOf(steps, linf ? "linf" : "l2");
    const width = round === 1 ? 0.1 * size : size / (linf ? d : Math.sqrt(d)) + 1e-3 * size;
    const draws = Math.min(Math.round(options.draws * Math.sqrt(round)), Math.max(0, target.left - 20));
    if (draws < 4) return;
    const gradient = yield* estimated(target, steps, { random: options.random, draws, width, linf });
    const update = linf ? gradient.map(Math.sign) : scaled(gradient, 1 / Math.max(1e-12, sizeOf(gradient, "l2")));
    const stepped = yield* stepInside(target, steps, { update, length: size / Math.sqrt(round) });
    const next = yield* ontoBoundary(target, stepped, linf);
    if (sizeOf(next, linf ? "linf" : "l2") < size * (1 - 1e-4)) steps = next;
    else if (round > 8) return;
  }
}

function* estimated(target: Target, steps: Float64Array, given: { random: Random; draws: number; width: number; linf: boolean }): Probe<Float64Array> {
  const noise = Array.from({ length: given.draws }, () => {
    const draw = Float64Array.from(steps, () => (given.linf ? 2 * given.random.uniform() - 1 : given.random.normal()));
    return scaled(draw, 1 / Math.max(1e-12, sizeOf(draw, "l2")));
  });
  const changed = yield* target.changes(noise.map((draw) => steps.map((value, index) => value + given.width * (draw[index] ?? 0))));
  const mean = changed.reduce((sum, each) => sum + (each ? 1 : -1), 0) / Math.max(1, changed.length);
  const gradient = new Float64Array(steps.length);
  for (const [index, draw] of noise.entries()) {
    const sign = changed[index] === true ? 1 : -1;
    const weight = Math.abs(mean) === 1 ? mean : sign - mean;
    for (const [feature, value] of draw.entries()) gradient[feature] = (gradient[feature] ?? 0) + weight * value;
  }
  return gradient;
}

/** Halves the step until its end is on the changed side. */
function* stepInside(target: Target, steps: Float64Array, given: { update: Float64Array; length: number }): Probe<Float64Array> {
  const lengths = Array.from({ length: 6 }, (_, index) => given.length / 2 ** index);
  const candidates = lengths.map((length) => steps.map((value, index) => value + length * (given.update[index] ?? 0)));
  const changed = yield* target.changes(candidates);
  return candidates[changed.indexOf(true)] ?? steps;
}

/** L2: along the line to the row. L-infinity: by clipping the step to smaller and smaller balls, as the paper does. */
function* ontoBoundary(target: Target, steps: Float64Array, linf: boolean): Probe<Float64Array> {
  const size = sizeOf(steps, linf ? "linf" : "l2");
  const at = (share: number) => (linf ? steps.map((value) => Math.max(-share * size, Math.min(share * size, value))) : scaled(steps, share));
  let [low, high] = [0, 1];
  for (let step = 0; step < 6 && high - low > 1e-4 && !target.done; step += 1) {
    const parts = [0.25, 0.5, 0.75].map((share) => low + share * (high - low));
    const changed = yield* target.changes(parts.map(at));
    const first = changed.indexOf(true);
    const before = first < 0 ? (parts.at(-1) ?? low) : first === 0 ? low : (parts[first - 1] ?? low);
    if (first >= 0) high = parts[first] ?? high;
    low = before;
  }
  return at(high);
}
