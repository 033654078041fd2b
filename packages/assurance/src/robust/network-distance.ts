import { lastLayer, type Layer, type Network } from "../onnx/network.ts";
import type { Rival } from "../onnx/rivals.ts";
import { type Distance, type Norm } from "./distance.ts";
import { solve, type LinearProgram } from "./linear-program.ts";
import { type Ball, contracted, dualNorm, layerRanges, marginAt, marginBound, marginOnly } from "./network-bounds.ts";
import { relaxedProgram, type Phase, type Unstable } from "./network-program.ts";

export interface NetworkSearch {
  readonly norm: Norm;
  /** Largest distance looked at, in scaled units; a row without a nearer change is certified up to here. */
  readonly radiusMax: number;
  /** Linear programs per row and rival; 0 leaves the bound to the relaxation alone. */
  readonly programsMax: number;
}

const gap = 1e-7;

/** A model without hidden layers: |margin| over the dual norm of its weights, exactly. Source: Hölder's inequality. */
export function linearDistance(network: Network, rival: Rival, given: { row: Float64Array; norm: Norm }): Distance | undefined {
  const layer = lastLayer(network);
  if (layer === undefined || network.layers.length > 0) return undefined;
  const row = contracted(layer, rival);
  const margin = marginOnly(network, rival, given.row);
  const steepness = dualNorm(row.weights, given.norm);
  const distance = steepness === 0 ? Infinity : Math.max(0, margin) / steepness;
  return { lower: distance, upper: distance, method: "closed-form" };
}

/**
 * Distance from a row to the nearest point where the rival takes over. First a certificate from linear relaxation
 * (CROWN, Zhang et al. 2018) by bisection on the radius; then, for L-infinity and L1, branch and bound over the phases
 * of the unstable units with a linear program at each node (Ehlers 2017; Bunel et al. 2018), whose bounds hold by weak
 * duality whatever the rounding. Assumes real arithmetic of the weights: 32-bit rounding moves scores by about 1e-7.
 */
export function networkDistance(network: Network, rival: Rival, given: NetworkSearch & { row: Float64Array }): Distance {
  const closed = linearDistance(network, rival, given);
  if (closed !== undefined) return closed;
  const reach = nearbyChange(network, rival, given);
  const top = Math.min(given.radiusMax, reach);
  const certified = certifiedRadius(network, rival, { ...given, top });
  if (given.norm === "l2" || given.programsMax === 0 || certified >= top) return { lower: certified, upper: reach, method: "relaxation" };
  return branchAndBound({ network, rival, given, top, reach, certified });
}

/** The largest radius that relaxation proves, by bisection: the bound falls as the radius grows. */
function certifiedRadius(network: Network, rival: Rival, given: NetworkSearch & { row: Float64Array; top: number }): number {
  const proven = (radius: number) => marginBound(network, rival, ballOf(given, radius)) > 0;
  if (!proven(0)) return 0;
  if (proven(given.top)) return given.top;
  let [low, high] = [0, given.top];
  for (let step = 0; step < 24 && high - low > 1e-6 * high; step += 1) {
    const middle = (low + high) / 2;
    if (proven(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function ballOf(given: { row: Float64Array; norm: Norm }, radius: number): Ball {
  return { row: given.row, radius, norm: given.norm };
}

/** A change found by following gradients: only an upper bound, which makes the search short. */
function nearbyChange(network: Network, rival: Rival, given: NetworkSearch & { row: Float64Array }): number {
  const at = (direction: Float64Array, radius: number) => given.row.map((value, index) => value + radius * (direction[index] ?? 0));
  let best = Infinity;
  let point = given.row;
  for (let step = 0; step < 20; step += 1) {
    const { gradient } = marginAt(network, rival, point);
    const direction = steepest(gradient, given.norm);
    const found = firstChange((radius) => marginOnly(network, rival, at(direction, radius)), Math.min(best, given.radiusMax));
    if (found >= best) break;
    best = found;
    point = at(direction, found);
  }
  return best;
}

/** The unit step of a norm that lowers the margin fastest. */
function steepest(gradient: Float64Array, norm: Norm): Float64Array {
  if (norm === "linf") return gradient.map((value) => -Math.sign(value));
  if (norm === "l2") {
    const length = dualNorm(gradient, "l2");
    return gradient.map((value) => (length === 0 ? 0 : -value / length));
  }
  const largest = gradient.reduce((best, value, index) => (Math.abs(value) > Math.abs(gradient[best] ?? 0) ? index : best), 0);
  return gradient.map((value, index) => (index === largest ? -Math.sign(value) : 0));
}

function firstChange(margin: (radius: number) => number, radiusMax: number): number {
  const steps = 16;
  const first = Array.from({ length: steps }, (_, index) => (radiusMax * (index + 1)) / steps).find((radius) => margin(radius) <= 0);
  if (first === undefined) return Infinity;
  let [low, high] = [first - radiusMax / steps, first];
  for (let step = 0; step < 50 && high - low > 1e-9 * high; step += 1) {
    const middle = (low + high) / 2;
    if (margin(middle) <= 0) high = middle;
    else low = middle;
  }
  return high;
}

interface Task {
  readonly network: Network;
  readonly rival: Rival;
  readonly given: NetworkSearch & { readonly row: Float64Array };
  readonly top: number;
  readonly reach: number;
  readonly certified: number;
}

interface Node {
  readonly bound: number;
  readonly phases: ReadonlyMap<string, Phase>;
}

function branchAndBound(task: Task): Distance {
  const { network, given } = task;
  const ranges = layerRanges(network, ballOf(given, task.top * (1 + 1e-9)));
  const layer = lastLayer(network);
  if (layer === undefined) return { lower: task.certified, upper: task.reach, method: "relaxation" };
  const last: Layer = contracted(layer, task.rival);
  let best = task.reach;
  const open: Node[] = [{ bound: task.certified, phases: new Map() }];
  const limit = () => Math.min(best, task.top);
  const closed: number[] = [];
  for (let programs = 0; programs < given.programsMax; programs += 1) {
    const node = takeLowest(open);
    if (node === undefined || node.bound >= limit() * (1 - gap)) {
      if (node !== undefined) open.push(node);
      break;
    }
    const relaxed = relaxedProgram({ network, last, ranges, phases: node.phases, row: given.row, norm: given.norm, top: task.top });
    const solution = solve(relaxed.program, { cutoff: limit(), stepsMax: stepsFor(relaxed.program) });
    const bound = Math.max(node.bound, solution.bound);
    if (bound >= limit() * (1 - gap)) continue;
    if (solution.x !== undefined) best = Math.min(best, reached(task, relaxed.pointOf(solution.x), best));
    const branch = solution.x === undefined ? firstOpen(relaxed.unstable, node.phases) : relaxed.widest(solution.x);
    if (branch === undefined) closed.push(bound);
    else for (const phase of ["active", "inactive"] as const) open.push({ bound, phases: new Map(node.phases).set(branch.key, phase) });
  }
  const lower = [...open.map(({ bound }) => bound), ...closed].reduce((a, b) => Math.min(a, b), limit());
  return { lower: Math.max(task.certified, lower * (1 - gap)), upper: best, method: "branch-and-bound" };
}

function stepsFor(program: LinearProgram): number {
  return 20 * (program.rows + program.variables);
}

function firstOpen(unstable: readonly Unstable[], phases: ReadonlyMap<string, Phase>): Unstable | undefined {
  return unstable.find(({ key }) => !phases.has(key));
}

function takeLowest(open: Node[]): Node | undefined {
  let lowest = 0;
  for (const [index, node] of open.entries()) if (node.bound < (open[lowest]?.bound ?? Infinity)) lowest = index;
  const [taken] = open.splice(lowest, 1);
  return taken;
}

/** A margin this small at the end of a step is the boundary: corners of a region cannot be met more exactly. */
const boundaryMargin = 1e-9;

/** The relaxation's point is only a guess: the network itself says whether, and how far along the way, it changes. */
function reached(task: Task, step: Float64Array, best: number): number {
  const { network, rival, given } = task;
  const size = sizeOf(step, given.norm);
  if (size === 0) return marginOnly(network, rival, given.row) <= 0 ? 0 : Infinity;
  const margin = (radius: number) => marginOnly(network, rival, given.row.map((value, index) => value + ((step[index] ?? 0) * radius) / size));
  const along = firstChange(margin, Math.min(best, size * (1 + 1e-6)));
  return along === Infinity && margin(size) <= boundaryMargin ? size : along;
}

function sizeOf(step: Float64Array, norm: Norm): number {
  return step.reduce((most, value) => (norm === "l1" ? most + Math.abs(value) : Math.max(most, Math.abs(value))), 0);
}
