import type { Layer, Network } from "../onnx/network.ts";
import type { Norm } from "./distance.ts";
import type { LinearProgram } from "./linear-program.ts";
import type { LayerRanges } from "./network-bounds.ts";

export type Phase = "active" | "inactive";

/** A unit that can be on either side of zero within the ball, and has a variable of its own. */
export interface Unstable {
  readonly key: string;
  readonly variable: number;
  /** Its value before max(0, x), over the variables. */
  readonly before: Linear;
}

/** coefficients . variables + constant. */
interface Linear {
  readonly coefficients: Float64Array;
  readonly constant: number;
}

export interface RelaxedProgram {
  readonly program: LinearProgram;
  readonly unstable: readonly Unstable[];
  /** The step away from the row that a solution stands for. */
  readonly pointOf: (x: Float64Array) => Float64Array;
  /** The unit whose relaxation is furthest from max(0, x) at a solution; undefined when all are met. */
  readonly widest: (x: Float64Array) => Unstable | undefined;
}

interface Given {
  readonly network: Network;
  readonly last: Layer;
  readonly ranges: LayerRanges;
  readonly phases: ReadonlyMap<string, Phase>;
  readonly row: Float64Array;
  readonly norm: Norm;
  readonly top: number;
}

const met = 1e-7;

/**
 * The smallest distance at which the margin can fall to zero, with every unstable unit between max(0, x) and its chord
 * (Ehlers 2017). Variables are shifted to start at zero. L-infinity: steps and their largest size; L1: steps up and down.
 */
export function relaxedProgram(given: Given): RelaxedProgram {
  const { row, norm, top } = given;
  const d = row.length;
  const steps = norm === "l1" ? 2 * d : d + 1;
  const free = countUnstable(given);
  const builder = new Builder(steps + free);
  for (let variable = 0; variable < steps; variable += 1) builder.upper[variable] = norm === "linf" && variable < d ? 2 * top : top;
  if (norm === "linf") addBox(builder, d, top);
  for (let variable = 0; variable < steps; variable += 1) builder.cost[variable] = norm === "l1" || variable === d ? 1 : 0;
  const outputs = addLayers(builder, given, steps);
  builder.atMost(combined(given.last, outputs.values, steps + free)[0] ?? { coefficients: new Float64Array(steps + free), constant: 0 }, 0);
  const stepOf = (x: Float64Array, feature: number) => (norm === "l1" ? (x[feature] ?? 0) - (x[d + feature] ?? 0) : (x[feature] ?? 0) - top);
  return {
    program: builder.program(),
    unstable: outputs.unstable,
    pointOf: (x) => Float64Array.from({ length: d }, (_, feature) => stepOf(x, feature)),
    widest: (x) => widest(outputs.unstable, x),
  };
}

class Builder {
  readonly upper: Float64Array;
  readonly cost: Float64Array;
  readonly #rows: Float64Array[] = [];
  readonly #limits: number[] = [];

  constructor(variables: number) {
    this.upper = new Float64Array(variables);
    this.cost = new Float64Array(variables);
  }

  /** linear <= limit. */
  atMost(linear: Linear, limit: number): void {
    this.#rows.push(linear.coefficients);
    this.#limits.push(limit - linear.constant);
  }

  program(): LinearProgram {
    const variables = this.upper.length;
    const matrix = new Float64Array(this.#rows.length * variables);
    for (const [index, row] of this.#rows.entries()) matrix.set(row, index * variables);
    return { variables, rows: this.#rows.length, matrix, limits: Float64Array.from(this.#limits), cost: this.cost, upper: this.upper };
  }
}

/** |step| <= size, where step = variable - top. */
function addBox(builder: Builder, d: number, top: number): void {
  for (let feature = 0; feature < d; feature += 1) {
    for (const sign of [1, -1]) {
      const coefficients = new Float64Array(builder.upper.length);
      coefficients[feature] = sign;
      coefficients[d] = -1;
      builder.atMost({ coefficients, constant: -sign * top }, 0);
    }
  }
}

function inputs(given: Given, variables: number): readonly Linear[] {
  const { row, norm, top } = given;
  return Array.from(row, (value, feature) => {
    const coefficients = new Float64Array(variables);
    coefficients[feature] = 1;
    if (norm === "l1") coefficients[row.length + feature] = -1;
    return { coefficients, constant: norm === "l1" ? value : value - top };
  });
}

function combined(layer: Layer, values: readonly Linear[], variables: number): readonly Linear[] {
  return Array.from({ length: layer.rows }, (_, row) => {
    const coefficients = new Float64Array(variables);
    let constant = layer.bias[row] ?? 0;
    for (const [column, value] of values.entries()) {
      const by = layer.weights[row * layer.columns + column] ?? 0;
      if (by === 0) continue;
      constant += by * value.constant;
      for (let k = 0; k < variables; k += 1) coefficients[k] = (coefficients[k] ?? 0) + by * (value.coefficients[k] ?? 0);
    }
    return { coefficients, constant };
  });
}

function addLayers(builder: Builder, given: Given, firstFree: number): { values: readonly Linear[]; unstable: readonly Unstable[] } {
  const variables = builder.upper.length;
  const unstable: Unstable[] = [];
  const next = { variable: firstFree };
  let values = inputs(given, variables);
  for (const [index, layer] of given.network.layers.entries()) {
    values = combined(layer, values, variables).map((before, unit) => {
      const key = `${index}/${unit}`;
      const [low, high] = [given.ranges[index]?.lower[unit] ?? -Infinity, given.ranges[index]?.upper[unit] ?? Infinity];
      const phase = low >= 0 ? "stable" : high <= 0 ? "off" : given.phases.get(key);
      if (phase === "off") return zero(variables);
      if (phase === "stable") return before;
      if (phase !== undefined) return fixed(builder, before, phase);
      const { variable } = next;
      next.variable += 1;
      unstable.push({ key, variable, before });
      return relaxed(builder, before, { variable, low, high });
    });
  }
  return { values, unstable };
}

function countUnstable(given: Given): number {
  let count = 0;
  for (const [index, range] of given.ranges.entries()) {
    for (const [unit, low] of range.lower.entries()) {
      if (low < 0 && (range.upper[unit] ?? 0) > 0 && !given.phases.has(`${index}/${unit}`)) count += 1;
    }
  }
  return count;
}

function fixed(builder: Builder, before: Linear, phase: Phase): Linear {
  if (phase === "inactive") {
    builder.atMost(before, 0);
    return zero(before.coefficients.length);
  }
  builder.atMost({ coefficients: before.coefficients.map((value) => -value), constant: -before.constant }, 0);
  return before;
}

/** z >= x, z >= 0 (by its bounds) and z below the chord. */
function relaxed(builder: Builder, before: Linear, unit: { variable: number; low: number; high: number }): Linear {
  const { variable, low, high } = unit;
  builder.upper[variable] = high;
  const above = Float64Array.from(before.coefficients);
  above[variable] = (above[variable] ?? 0) - 1;
  builder.atMost({ coefficients: above, constant: before.constant }, 0);
  const slope = high / (high - low);
  const chord = before.coefficients.map((value) => -slope * value);
  chord[variable] = (chord[variable] ?? 0) + 1;
  builder.atMost({ coefficients: chord, constant: -slope * before.constant }, -slope * low);
  const own = new Float64Array(before.coefficients.length);
  own[variable] = 1;
  return { coefficients: own, constant: 0 };
}

function zero(variables: number): Linear {
  return { coefficients: new Float64Array(variables), constant: 0 };
}

function widest(unstable: readonly Unstable[], x: Float64Array): Unstable | undefined {
  let found: Unstable | undefined;
  let most = met;
  for (const unit of unstable) {
    const before = unit.before.coefficients.reduce((sum, value, index) => sum + value * (x[index] ?? 0), unit.before.constant);
    const off = Math.abs((x[unit.variable] ?? 0) - Math.max(0, before));
    if (off > most) {
      most = off;
      found = unit;
    }
  }
  return found;
}
