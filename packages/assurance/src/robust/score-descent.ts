import type { Random } from "../stats/random.ts";
import type { Probe } from "../subject/probe.ts";
import { scaled, type Target } from "./attack-row.ts";

/**
 * Search with visible scores for L-infinity: is there a change within the radius? Coordinate descent over the ball, all
 * features asked at once: each may go to either end, stay, or take a drawn place; then the best changes are tried
 * together. The radius is bisected between the nearest change known and the largest one where nothing was found.
 * A generalisation of SimBA (Guo et al. 2019) and of coordinate-wise finite differences to models with steps.
 */
export function* scoreDescent(target: Target, options: { radius: number; random: Random }): Probe<void> {
  let low = 0;
  let shape: Float64Array = new Float64Array(target.features);
  let failures = 0;
  while (!target.done) {
    const high = Math.min(options.radius, target.distance);
    if (low >= high * (1 - 5e-3)) {
      if (failures >= 4) return;
      low = high * 0.9;
      failures += 1;
      shape = restarted(shape, options.random);
    }
    const radius = target.distance === Infinity ? high : high - (high - low) * (failures === 0 ? 0.4 : 0.25);
    const before = target.distance;
    shape = yield* descended(target, { shape, radius, random: options.random });
    if (target.distance >= before) low = radius;
    if (target.distance === Infinity) return;
  }
}

/** Best shape, in units of the radius, from -1 to 1 per feature. Ends at the first change or when nothing helps. */
function* descended(target: Target, given: { shape: Float64Array; radius: number; random: Random }): Probe<Float64Array> {
  const { radius } = given;
  const known = target.found;
  const starts = [given.shape, ...(known === undefined ? [] : [known.steps.map((step) => Math.max(-1, Math.min(1, step / radius)))])];
  let best = yield* lowestShape(target, starts, radius);
  for (let round = 0; round < 12 && best.margin >= 0 && !target.done; round += 1) {
    const moves = movesOf(best.shape, given.random, round);
    const found = yield* target.margins(moves.map((move) => scaled(replacedAt(best.shape, [move]), radius)));
    const helpful = bestPerFeature(moves, found, best.margin);
    if (helpful.length === 0 && round > 0) break;
    const next = yield* lowestShape(target, jointly(best.shape, helpful), radius);
    if (next.margin < best.margin) best = next;
  }
  return best.shape;
}

interface Shape {
  readonly shape: Float64Array;
  readonly margin: number;
}

function* lowestShape(target: Target, shapes: readonly Float64Array[], radius: number): Probe<Shape> {
  const margins = yield* target.margins(shapes.map((shape) => scaled(shape, radius)));
  const best = lowestOf(margins);
  return { shape: shapes[best] ?? new Float64Array(target.features), margin: margins[best] ?? Infinity };
}

/** All helpful moves at once, the better part of them, and the best alone: moves may work against each other. */
function jointly(shape: Float64Array, helpful: readonly Move[]): readonly Float64Array[] {
  if (helpful.length === 0) return [];
  const sizes = [1, 0.6, 0.3].map((share) => Math.max(1, Math.round(share * helpful.length)));
  return [...sizes, 1].map((size) => replacedAt(shape, helpful.slice(0, size)));
}

interface Move {
  readonly feature: number;
  readonly to: number;
}

/** Both ends first; places between only afterwards, because most models change most at the ends. */
function movesOf(shape: Float64Array, random: Random, round: number): readonly Move[] {
  return [...shape.keys()].flatMap((feature) => {
    const now = shape[feature] ?? 0;
    const choices = round % 3 === 2 ? [0, 2 * random.uniform() - 1] : [-1, 1];
    return choices.filter((to) => to !== now).map((to) => ({ feature, to }));
  });
}

function bestPerFeature(moves: readonly Move[], margins: Float64Array, margin: number): readonly Move[] {
  const best = new Map<number, { move: Move; margin: number }>();
  for (const [index, move] of moves.entries()) {
    const value = margins[index] ?? Infinity;
    if (value < Math.min(margin, best.get(move.feature)?.margin ?? Infinity)) best.set(move.feature, { move, margin: value });
  }
  return [...best.values()].sort((a, b) => a.margin - b.margin).map(({ move }) => move);
}

function replacedAt(shape: Float64Array, moves: readonly Move[]): Float64Array {
  const next = Float64Array.from(shape);
  for (const { feature, to } of moves) next[feature] = to;
  return next;
}

function lowestOf(values: Float64Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) if ((values[index] ?? Infinity) < (values[best] ?? Infinity)) best = index;
  return best;
}

/** Another start: some features back to the row, some to a drawn end. */
function restarted(shape: Float64Array, random: Random): Float64Array {
  return shape.map((value) => {
    const draw = random.uniform();
    if (draw < 0.6) return value;
    return draw < 0.8 ? 0 : random.uniform() < 0.5 ? -1 : 1;
  });
}
