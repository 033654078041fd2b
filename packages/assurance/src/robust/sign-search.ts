import type { Random } from "../stats/random.ts";
import type { Probe } from "../subject/probe.ts";
import { scaled, sizeOf, type Target } from "./attack-row.ts";

/**
 * The smallest factor, up to `high`, at which `direction` changes the decision, by bisection; Infinity when it does
 * not at `high`. Several factors are asked at once, because a round trip costs more than a row.
 */
export function* boundaryAlong(target: Target, direction: Float64Array, options: { high: number; relative: number }): Probe<number> {
  const [reaches] = yield* target.changes([scaled(direction, options.high)]);
  if (reaches !== true) return Infinity;
  let [low, high] = [0, options.high];
  while (high - low > options.relative * high && !target.done) {
    const parts = [0.25, 0.5, 0.75].map((share) => low + share * (high - low));
    const changed = yield* target.changes(parts.map((part) => scaled(direction, part)));
    const first = changed.indexOf(true);
    const last = first < 0 ? (parts.at(-1) ?? low) : first === 0 ? low : (parts[first - 1] ?? low);
    if (first >= 0) high = parts[first] ?? high;
    low = last;
  }
  return high;
}

/**
 * Decision-only search for L-infinity over the corners of the ball: flips blocks of signs, large to small, and keeps
 * what brings the boundary nearer. Then single features may also stay where they are or take any place between.
 * Source: RayS (Chen & Gu 2020), extended by the inner places that trees need.
 */
export function* signSearch(target: Target, start: { direction: Float64Array; radius: number }, random: Random): Probe<void> {
  let { direction, radius } = start;
  for (let round = 0; !target.done; round += 1) {
    const before = radius;
    for (const edit of edits(direction.length, random, round)) {
      if (target.done) return;
      const candidate = edited(direction, edit);
      const aim = radius * (1 - 2e-3);
      const [changed] = yield* target.changes([scaled(candidate, aim)]);
      if (changed !== true) continue;
      direction = candidate;
      radius = yield* boundaryAlong(target, candidate, { high: aim, relative: 2e-3 });
    }
    if (radius >= before * (1 - 1e-3) && round >= 3) return;
  }
}

/** A block of features whose signs turn, or one feature that goes to a place. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly place?: number;
}

function* edits(d: number, random: Random, round: number): Generator<Edit> {
  if (round === 0) {
    for (let size = Math.ceil(d / 2); size > 1; size = size === 2 ? 1 : Math.ceil(size / 2)) {
      for (let from = 0; from < d; from += size) yield { from, to: from + size };
    }
  }
  const order = Uint32Array.from({ length: d }, (_, feature) => feature);
  random.permute(order);
  for (const feature of order) {
    if (round % 2 === 0) yield { from: feature, to: feature + 1 };
    else for (const place of [0, 2 * random.uniform() - 1]) yield { from: feature, to: feature + 1, place };
  }
}

function edited(direction: Float64Array, edit: Edit): Float64Array {
  return direction.map((value, index) => (index < edit.from || index >= edit.to ? value : (edit.place ?? (value === 0 ? 1 : -Math.sign(value)))));
}

/** First changes: towards known rows of other classes, and random corners. Returns the nearest as a unit direction. */
export function* firstChange(target: Target, options: { seeds: readonly Float64Array[]; radiusMax: number; random: Random }): Probe<{ direction: Float64Array; radius: number } | undefined> {
  const { norm } = target.given;
  const corners = Array.from({ length: 12 }, () => Float64Array.from({ length: target.features }, () => (options.random.uniform() < 0.5 ? -1 : 1)));
  const far = corners.map((corner) => scaled(corner, options.radiusMax / sizeOf(corner, norm)));
  const candidates = [...options.seeds, ...far];
  const changed = yield* target.changes(candidates);
  const usable = candidates.filter((_, index) => changed[index] === true).sort((a, b) => sizeOf(a, norm) - sizeOf(b, norm));
  let best: { direction: Float64Array; radius: number } | undefined;
  for (const steps of usable.slice(0, 3)) {
    const size = sizeOf(steps, norm);
    if (size === 0) continue;
    const direction = scaled(steps, 1 / size);
    const radius = yield* boundaryAlong(target, direction, { high: size, relative: 2e-2 });
    if (best === undefined || radius < best.radius) best = { direction, radius };
  }
  return best;
}
