import { decidedClass } from "../onnx/rivals.ts";
import type { Probe, Scores } from "../subject/probe.ts";
import type { Norm } from "./distance.ts";
import type { FeatureSpace } from "./feature-space.ts";

export interface AttackedRow {
  readonly row: Float32Array;
  /** The class that the model decides for the row as it is. */
  readonly decided: number;
  readonly space: FeatureSpace;
  readonly norm: Norm;
  /** `labels`: the attacker sees decisions only. */
  readonly sees: "scores" | "labels";
  readonly queriesMax: number;
  readonly threshold?: number;
  /** Stop as soon as a change within this distance is known. */
  readonly enough?: number;
}

/** The changed point nearest to the row that was seen. */
export interface Found {
  readonly distance: number;
  readonly point: Float32Array;
  readonly steps: Float64Array;
}

/** One row under attack: counts queries, remembers the nearest change, and says when to stop. Owned by one probe. */
export class Target {
  readonly given: AttackedRow;
  queries = 0;
  unassessed = 0;
  found: Found | undefined;

  constructor(given: AttackedRow) {
    this.given = given;
  }

  get features(): number {
    return this.given.row.length;
  }

  get left(): number {
    return this.given.queriesMax - this.queries;
  }

  get distance(): number {
    return this.found?.distance ?? Infinity;
  }

  get done(): boolean {
    return this.left <= 0 || this.distance <= (this.given.enough ?? 0);
  }

  /**
   * Margins of the points at `row + steps`: negative where the decision has changed. Only as many as the budget
   * allows are asked; the others stay at plus infinity.
   */
  *margins(candidates: readonly Float64Array[]): Probe<Float64Array> {
    const asked = candidates.slice(0, Math.max(0, this.left));
    const margins = new Float64Array(candidates.length).fill(Infinity);
    if (asked.length === 0) return margins;
    const { row, space, norm } = this.given;
    const points = asked.map((steps) => space.reached(row, steps));
    const data = new Float32Array(points.length * row.length);
    for (const [index, point] of points.entries()) data.set(point, index * row.length);
    this.queries += points.length;
    const scores = yield { rows: points.length, columns: row.length, data };
    for (const [index, point] of points.entries()) {
      const margin = this.#margin(scores, index);
      margins[index] = margin;
      if (margin >= 0) continue;
      const distance = space.distance(row, point, norm);
      if (distance < this.distance) this.found = { distance, point, steps: asked[index] ?? new Float64Array(row.length) };
    }
    return margins;
  }

  *changes(candidates: readonly Float64Array[]): Probe<readonly boolean[]> {
    const margins = yield* this.margins(candidates);
    return Array.from(margins, (margin) => margin < 0);
  }

  #margin(scores: Scores, index: number): number {
    const { columns } = scores;
    const start = index * columns;
    for (let column = 0; column < columns; column += 1) {
      if (Number.isNaN(scores.scores[start + column] ?? Number.NaN)) {
        this.unassessed += 1;
        return Infinity;
      }
    }
    const changed = decidedClass(scores.scores, { start, columns, ...(this.given.threshold === undefined ? {} : { threshold: this.given.threshold }) }) !== this.given.decided;
    if (this.given.sees === "labels") return changed ? -1 : 1;
    const margin = Math.abs(scoreMargin(scores, { start, decided: this.given.decided, threshold: this.given.threshold ?? 0.5 }));
    return changed ? -Math.max(margin, 1e-12) : margin;
  }
}

/** Logarithms of shares are near linear where models are; shares themselves flatten out. */
function scoreMargin(scores: Scores, given: { start: number; decided: number; threshold: number }): number {
  const { columns } = scores;
  const at = (column: number) => scores.scores[given.start + column] ?? Number.NaN;
  if (columns <= 2) return logit(at(columns - 1)) - logit(given.threshold);
  let best = -Infinity;
  for (let column = 0; column < columns; column += 1) if (column !== given.decided) best = Math.max(best, at(column));
  return share(at(given.decided)) - share(best);
}

const floor = 1e-30;

function logit(score: number): number {
  return score >= 0 && score <= 1 ? Math.log(Math.max(floor, score)) - Math.log(Math.max(1e-9, 1 - score)) : score;
}

function share(score: number): number {
  return score >= 0 && score <= 1 ? Math.log(Math.max(floor, score)) : score;
}

export function scaled(steps: Float64Array, by: number): Float64Array {
  return steps.map((value) => value * by);
}

/** Norm of a step in units. */
export function sizeOf(steps: Float64Array, norm: Norm): number {
  if (norm === "l2") return Math.sqrt(steps.reduce((sum, value) => sum + value * value, 0));
  return steps.reduce((total, value) => (norm === "l1" ? total + Math.abs(value) : Math.max(total, Math.abs(value))), 0);
}
