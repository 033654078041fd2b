import { decidedClass } from "../onnx/rivals.ts";
import { randomFrom } from "../stats/random.ts";
import { type Probe, type Rows, together } from "../subject/probe.ts";
import { type AttackedRow, Target } from "./attack-row.ts";
import type { Norm } from "./distance.ts";
import { FeatureSpace } from "./feature-space.ts";
import { hopSkipJump } from "./hop-skip-jump.ts";
import { scoreDescent } from "./score-descent.ts";
import { boundaryAlong, firstChange, signSearch } from "./sign-search.ts";
import { squareAttack } from "./square.ts";

export interface EvasionOptions {
  readonly norm: Norm;
  readonly sees: "scores" | "labels";
  readonly space?: FeatureSpace;
  /** Model calls per row; shared calls that classify the rows and the pool come on top, one per row. */
  readonly queriesMax: number;
  readonly restarts: number;
  /** Distance beyond which nothing is looked for. */
  readonly radiusMax: number;
  readonly seed: string;
  readonly threshold?: number;
  /** Stop at a change within this distance: enough for a rate at one radius. */
  readonly enough?: number;
  /** Rows whose decisions are known, from which other classes are approached. Default: the attacked rows. */
  readonly pool?: Rows;
}

/** What the attack found for one row. `distance` is Infinity when nothing changed the decision. */
export interface Evasion {
  readonly row: number;
  readonly decided: number;
  readonly distance: number;
  readonly point: Float32Array | undefined;
  readonly queries: number;
  readonly unassessed: number;
}

/**
 * Attacks rows one by one, side by side in common batches, and reports the nearest change of decision seen for each.
 * L-infinity with scores: coordinate descent, then Square, then decision-based search from what they found. Decisions
 * only: first change towards rows of other classes, HopSkipJump, then sign search. L2 and L1: HopSkipJump. Every distance is
 * measured on the 32-bit point that was sent and really changed the decision: never below the exact distance.
 * An attack that finds nothing proves nothing: certificates do (robust.certified).
 */
export function* evade(rows: Rows, options: EvasionOptions): Probe<readonly Evasion[]> {
  const pool = options.pool ?? rows;
  const own = decisionsOf(yield rows, options.threshold);
  const others = options.pool === undefined ? own : decisionsOf(yield pool, options.threshold);
  const space = options.space ?? FeatureSpace.plain(rows.columns);
  const attacks = own.map((decided, row) => {
    const start = rows.data.subarray(row * rows.columns, (row + 1) * rows.columns);
    const seeds = decided < 0 ? [] : nearestOthers({ start, decided, pool, others, space, norm: options.norm });
    return attackRow({ ...options, space, row: start, decided }, { seeds, index: row });
  });
  return yield* together(attacks);
}

/** -1 where the model gave no answer. */
function decisionsOf(scores: { rows: number; columns: number; scores: Float32Array | Float64Array }, threshold: number | undefined): readonly number[] {
  return Array.from({ length: scores.rows }, (_, row) => {
    const start = row * scores.columns;
    const part = scores.scores.subarray(start, start + scores.columns);
    if (part.some((value) => Number.isNaN(value))) return -1;
    return decidedClass(scores.scores, { start, columns: scores.columns, ...(threshold === undefined ? {} : { threshold }) });
  });
}

const seedsMax = 5;

function nearestOthers(given: { start: Float32Array; decided: number; pool: Rows; others: readonly number[]; space: FeatureSpace; norm: Norm }): readonly Float64Array[] {
  const { start, pool, space } = given;
  const candidates = given.others.flatMap((decided, row) => {
    if (decided < 0 || decided === given.decided) return [];
    const point = pool.data.subarray(row * pool.columns, (row + 1) * pool.columns);
    return [{ point, distance: space.distance(start, point, given.norm) }];
  });
  candidates.sort((a, b) => a.distance - b.distance);
  return candidates.slice(0, seedsMax).map(({ point }) => stepsTo(start, point, space));
}

function stepsTo(start: Float32Array, point: Float32Array, space: FeatureSpace): Float64Array {
  return Float64Array.from(start, (value, feature) => {
    const scale = space.rules[feature]?.scale ?? 0;
    return scale > 0 ? ((point[feature] ?? value) - value) / scale : 0;
  });
}

type RowOptions = EvasionOptions & Pick<AttackedRow, "row" | "decided" | "space">;

function* attackRow(given: RowOptions, from: { seeds: readonly Float64Array[]; index: number }): Probe<Evasion> {
  const target = new Target(given);
  if (given.decided >= 0) {
    for (let restart = 0; restart < given.restarts && !target.done; restart += 1) {
      const random = randomFrom(`${given.seed}/evasion/${from.index}/${restart}`);
      yield* attackOnce(target, given, { ...from, random });
    }
  }
  return { row: from.index, decided: given.decided, distance: target.distance, point: target.found?.point, queries: target.queries, unassessed: target.unassessed };
}

interface Start {
  readonly seeds: readonly Float64Array[];
  readonly random: ReturnType<typeof randomFrom>;
}

function* attackOnce(target: Target, given: RowOptions, start: Start): Probe<void> {
  const first = yield* firstChange(target, { seeds: start.seeds, radiusMax: given.radiusMax, random: start.random });
  if (given.norm === "linf") yield* attackCube(target, given, { ...start, first });
  else {
    const best = directionOf(target, given.norm) ?? first;
    if (best !== undefined) yield* hopSkipJump(target, best, { random: start.random, draws: drawsOf(target) });
  }
}

function drawsOf(target: Target): number {
  return 2 * target.features + 20;
}

type Direction = { readonly direction: Float64Array; readonly radius: number };

function* attackCube(target: Target, given: RowOptions, start: Start & { first: Direction | undefined }): Probe<void> {
  const { random, first } = start;
  if (given.sees === "scores") yield* byScores(target, given, { random, radius: Math.min(given.radiusMax, first?.radius ?? Infinity) });
  else if (first !== undefined) {
    yield* fromCorner(target, { start: directionOf(target, "linf") ?? first, random, radiusMax: given.radiusMax });
    yield* hopSkipJump(target, directionOf(target, "linf") ?? first, { random, draws: drawsOf(target), until: target.queries + Math.floor(target.left / 2) });
  }
  const polished = directionOf(target, "linf");
  if (polished === undefined) return;
  const radius = yield* boundaryAlong(target, polished.direction, { high: polished.radius, relative: 1e-3 });
  if (radius < Infinity) yield* signSearch(target, { direction: polished.direction, radius }, random);
}

function* byScores(target: Target, given: RowOptions, from: { random: Start["random"]; radius: number }): Probe<void> {
  yield* scoreDescent(target, from);
  if (given.enough === undefined || target.done) return;
  yield* squareAttack(target, { radius: given.enough, random: from.random, queriesMax: Math.floor(target.left / 3) });
}

/** From the corner that a change points to, where a boundary that is nearly flat is met first. */
function* fromCorner(target: Target, given: { start: Direction; random: Start["random"]; radiusMax: number }): Probe<void> {
  const direction = given.start.direction.map((value) => Math.sign(value));
  const high = Math.min(given.radiusMax, 2 * given.start.radius);
  const radius = yield* boundaryAlong(target, direction, { high, relative: 1e-2 });
  if (radius < Infinity) yield* signSearch(target, { direction, radius }, given.random);
}

function directionOf(target: Target, norm: Norm): Direction | undefined {
  const { found } = target;
  if (found === undefined || found.distance === 0 || found.distance === Infinity) return undefined;
  const steps = stepsTo(target.given.row, found.point, target.given.space);
  return { direction: steps.map((step) => step / found.distance), radius: target.given.space.distance(target.given.row, found.point, norm) };
}
