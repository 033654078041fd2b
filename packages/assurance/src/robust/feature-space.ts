import type { Norm } from "./distance.ts";

/** What an attacker may do to one feature. Distances are in units of `scale`, usually the training standard deviation. */
export interface FeatureRule {
  readonly scale: number;
  readonly fixed?: boolean;
  readonly integer?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** May only rise, or only fall: nobody gets younger. */
  readonly direction?: "up" | "down";
  /** Features of one group are a one-hot code: exactly one is 1. */
  readonly group?: string;
}

/** The points that an attacker can reach from a row, and how far they are. */
export class FeatureSpace {
  readonly rules: readonly FeatureRule[];
  readonly #groups: readonly (readonly number[])[];

  constructor(rules: readonly FeatureRule[]) {
    this.rules = rules;
    const groups = new Map<string, number[]>();
    for (const [feature, { group }] of rules.entries()) if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), feature]);
    this.#groups = [...groups.values()];
  }

  /** Every feature free, one unit each. */
  static plain(features: number): FeatureSpace {
    return new FeatureSpace(Array.from({ length: features }, () => ({ scale: 1 })));
  }

  /** The legal 32-bit point nearest to `row + steps`, rounded towards the row so that it is never further than asked. */
  reached(row: Float32Array, steps: Float64Array): Float32Array {
    const point = Float32Array.from(row);
    for (const [feature, rule] of this.rules.entries()) {
      const from = row[feature] ?? Number.NaN;
      if (rule.group === undefined) point[feature] = movable(rule) ? towards(from, bounded(rule, from, from + (steps[feature] ?? 0) * rule.scale)) : from;
    }
    for (const group of this.#groups) this.#chooseOne(group, { row, steps, point });
    return point;
  }

  distance(row: Float32Array, point: Float32Array, norm: Norm): number {
    let total = 0;
    for (const [feature, rule] of this.rules.entries()) {
      const step = Math.abs((point[feature] ?? Number.NaN) - (row[feature] ?? Number.NaN));
      if (step === 0) continue;
      const units = rule.scale > 0 ? step / rule.scale : Infinity;
      total = norm === "linf" ? Math.max(total, units) : total + (norm === "l1" ? units : units * units);
    }
    return norm === "l2" ? Math.sqrt(total) : total;
  }

  /** The largest wins; a code with a fixed member stays as it is. */
  #chooseOne(group: readonly number[], given: { row: Float32Array; steps: Float64Array; point: Float32Array }): void {
    if (group.some((feature) => this.rules[feature]?.fixed === true)) return;
    const wanted = (feature: number) => (given.row[feature] ?? 0) + (given.steps[feature] ?? 0) * (this.rules[feature]?.scale ?? 0);
    const winner = group.reduce((best, feature) => (wanted(feature) > wanted(best) ? feature : best), group[0] ?? 0);
    for (const feature of group) given.point[feature] = feature === winner ? 1 : 0;
  }
}

function movable(rule: FeatureRule): boolean {
  return rule.fixed !== true && rule.scale > 0;
}

function bounded(rule: FeatureRule, from: number, to: number): number {
  const low = Math.max(rule.min ?? -Infinity, rule.direction === "up" ? from : -Infinity);
  const high = Math.min(rule.max ?? Infinity, rule.direction === "down" ? from : Infinity);
  // A row that starts outside its own range may stay there, and may only come back towards it.
  const inside = to > from ? Math.max(from, Math.min(high, to)) : Math.min(from, Math.max(low, to));
  if (rule.integer !== true) return inside;
  return inside > from ? Math.max(from, Math.floor(inside)) : Math.min(from, Math.ceil(inside));
}

/** Nearest 32-bit number that is not further from `from` than `to` is. */
function towards(from: number, to: number): number {
  const rounded = Math.fround(to);
  if (Math.abs(rounded - from) <= Math.abs(to - from)) return rounded;
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, rounded);
  const smaller = rounded > from === rounded > 0;
  view.setInt32(0, view.getInt32(0) + (smaller ? -1 : 1));
  const next = view.getFloat32(0);
  return Number.isFinite(next) && Math.abs(next - from) < Math.abs(rounded - from) ? next : from;
}
