/** minimise cost . x under rows . x <= limits and 0 <= x <= upper, with cost >= 0. Rows are dense, one after another. */
export interface LinearProgram {
  readonly variables: number;
  readonly rows: number;
  readonly matrix: Float64Array;
  readonly limits: Float64Array;
  readonly cost: Float64Array;
  readonly upper: Float64Array;
}

/**
 * `bound` is a proven lower bound of the optimum, Infinity when no point is feasible. `x` is the optimum's place,
 * absent when the search stopped before it (at the cutoff or at its limit of steps).
 */
export interface Solution {
  readonly bound: number;
  readonly x: Float64Array | undefined;
}

const feasible = 1e-9;
const pivotMin = 1e-9;
/** Costs are lifted by about this much against ties; the bound is computed with the true costs. */
const lift = 1e-8;

/**
 * Dual simplex with bounded variables (Lemke 1954; Koberstein 2005, ch. 3). Whatever the arithmetic did on the way,
 * the bound is valid: it is recomputed from the multipliers by weak duality on the program as it was given
 * (Neumaier & Shcherbina 2004), so an early stop costs tightness and never truth.
 */
export function solve(program: LinearProgram, options: { cutoff: number; stepsMax: number }): Solution {
  const tableau = new Tableau(program);
  for (let step = 0; step < options.stepsMax; step += 1) {
    const leaving = tableau.leaving();
    if (leaving === undefined) return { bound: tableau.dualBound(), x: tableau.point() };
    const entering = tableau.entering(leaving);
    if (entering < 0) return { bound: tableau.impossible(leaving) ? Infinity : tableau.dualBound(), x: undefined };
    tableau.pivot(leaving, entering);
    if (step % 8 === 7 && tableau.dualBound() >= options.cutoff) return { bound: tableau.dualBound(), x: undefined };
  }
  return { bound: tableau.dualBound(), x: undefined };
}

/** Takes the turned row out of another; returns what that row had in the column. */
function eliminate(row: Float64Array, turned: Float64Array, column: number): number {
  const by = row[column] ?? 0;
  if (by === 0) return 0;
  for (let k = 0; k < row.length; k += 1) row[k] = (row[k] ?? 0) - by * (turned[k] ?? 0);
  // The column now belongs to the variable that left, whose own entry is the turned row's alone.
  row[column] = -by * (turned[column] ?? 0);
  return by;
}

interface Leaving {
  readonly row: number;
  /** The bound that the variable goes to, and whether it was below it. */
  readonly to: number;
  readonly below: boolean;
}

/** Variables 0 … n - 1 are the program's, n … n + m - 1 the slacks of its rows. */
class Tableau {
  readonly #program: LinearProgram;
  readonly #t: Float64Array;
  readonly #basis: Int32Array;
  readonly #outside: Int32Array;
  readonly #atUpper: Uint8Array;
  readonly #value: Float64Array;
  readonly #reduced: Float64Array;

  constructor(program: LinearProgram) {
    const { variables: n, rows: m } = program;
    this.#program = program;
    this.#t = Float64Array.from(program.matrix);
    this.#basis = Int32Array.from({ length: m }, (_, row) => n + row);
    this.#outside = Int32Array.from({ length: n }, (_, column) => column);
    this.#atUpper = new Uint8Array(n);
    this.#value = Float64Array.from(program.limits);
    this.#reduced = program.cost.map((cost, index) => cost + lift * (1 + ((index * 0.618_033_988_75) % 1)));
  }

  leaving(): Leaving | undefined {
    let worst = feasible;
    let found: Leaving | undefined;
    for (let row = 0; row < this.#program.rows; row += 1) {
      const value = this.#value[row] ?? 0;
      const upper = this.#upper(this.#basis[row] ?? 0);
      if (-value > worst) {
        worst = -value;
        found = { row, to: 0, below: true };
      } else if (value - upper > worst) {
        worst = value - upper;
        found = { row, to: upper, below: false };
      }
    }
    return found;
  }

  /** Smallest ratio keeps the dual feasible; among equals the largest pivot keeps the arithmetic sound. */
  entering(leaving: Leaving): number {
    const { variables: n } = this.#program;
    const start = leaving.row * n;
    let best = -1;
    let ratio = Infinity;
    let size = 0;
    for (let column = 0; column < n; column += 1) {
      const t = this.#t[start + column] ?? 0;
      if (!this.#helps(t, column, leaving.below)) continue;
      const magnitude = Math.abs(t);
      const next = Math.abs(this.#reduced[column] ?? 0) / magnitude;
      if (next < ratio - 1e-12 || (next <= ratio + 1e-12 && magnitude > size)) {
        best = column;
        ratio = Math.min(ratio, next);
        size = magnitude;
      }
    }
    return best;
  }

  #helps(t: number, column: number, below: boolean): boolean {
    if (Math.abs(t) < pivotMin) return false;
    const rises = this.#atUpper[column] === 1 ? t > 0 : t < 0;
    return rises === below;
  }

  pivot(leaving: Leaving, column: number): void {
    const { variables: n, rows: m } = this.#program;
    const start = leaving.row * n;
    const p = this.#t[start + column] ?? 1;
    const step = ((this.#value[leaving.row] ?? 0) - leaving.to) / p;
    const entering = this.#outside[column] ?? 0;
    const old = this.#standing(column);
    const turned = this.#t.subarray(start, start + n);
    for (let k = 0; k < n; k += 1) turned[k] = (turned[k] ?? 0) / p;
    turned[column] = 1 / p;
    for (let row = 0; row < m; row += 1) {
      if (row === leaving.row) continue;
      const by = eliminate(this.#t.subarray(row * n, row * n + n), turned, column);
      if (by !== 0) this.#value[row] = (this.#value[row] ?? 0) - by * step;
    }
    eliminate(this.#reduced, turned, column);
    this.#value[leaving.row] = old + step;
    this.#outside[column] = this.#basis[leaving.row] ?? 0;
    this.#basis[leaving.row] = entering;
    this.#atUpper[column] = leaving.below ? 0 : 1;
  }

  /** The bound at which a variable outside the basis stands. */
  #standing(column: number): number {
    return this.#atUpper[column] === 1 ? this.#upper(this.#outside[column] ?? 0) : 0;
  }

  point(): Float64Array {
    const { variables: n } = this.#program;
    const x = new Float64Array(n);
    for (const [column, variable] of this.#outside.entries()) if (variable < n && this.#atUpper[column] === 1) x[variable] = this.#upper(variable);
    for (const [row, variable] of this.#basis.entries()) if (variable < n) x[variable] = this.#value[row] ?? 0;
    return x;
  }

  dualBound(): number {
    const { variables: n, rows: m } = this.#program;
    const multipliers = new Float64Array(m);
    for (const [column, variable] of this.#outside.entries()) if (variable >= n) multipliers[variable - n] = Math.max(0, this.#reduced[column] ?? 0);
    return this.#lagrangian(multipliers, this.#program.cost);
  }

  /** The row that cannot be brought inside its bounds, as multipliers that prove it. */
  impossible(leaving: Leaving): boolean {
    const { variables: n, rows: m } = this.#program;
    const sign = leaving.below ? 1 : -1;
    const multipliers = new Float64Array(m);
    for (const [column, variable] of this.#outside.entries()) {
      if (variable >= n) multipliers[variable - n] = Math.max(0, sign * (this.#t[leaving.row * n + column] ?? 0));
    }
    const own = this.#basis[leaving.row] ?? 0;
    if (own >= n) multipliers[own - n] = (multipliers[own - n] ?? 0) + (leaving.below ? 1 : 0);
    return this.#lagrangian(multipliers, new Float64Array(n)) > feasible;
  }

  /** min over the box of cost . x + multipliers . (matrix x - limits): below every feasible point's cost. */
  #lagrangian(multipliers: Float64Array, cost: Float64Array): number {
    const { variables: n, matrix, limits, upper } = this.#program;
    const prices = Float64Array.from(cost);
    let bound = 0;
    for (const [row, by] of multipliers.entries()) {
      if (by === 0) continue;
      bound -= by * (limits[row] ?? 0);
      for (let k = 0; k < n; k += 1) prices[k] = (prices[k] ?? 0) + by * (matrix[row * n + k] ?? 0);
    }
    for (let k = 0; k < n; k += 1) {
      const price = prices[k] ?? 0;
      if (price < 0) bound += price * (upper[k] ?? Infinity);
    }
    return bound;
  }

  #upper(variable: number): number {
    return variable < this.#program.variables ? (this.#program.upper[variable] ?? Infinity) : Infinity;
  }
}
