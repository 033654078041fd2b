import { type Matrix, matrix } from "./matrix.ts";

export interface Eigen {
  /** In falling order. */
  readonly values: Float64Array;
  /** The k-th row is the unit eigenvector of the k-th value. */
  readonly vectors: Matrix;
}

const sweepsMax = 60;

/**
 * All eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations.
 * Source: Golub & Van Loan, Matrix Computations, 8.5. Accurate to working precision; cost grows with the cube of the order.
 */
export function symmetricEigen(source: Matrix): Eigen {
  const n = source.rows;
  const a = source.values.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) v[i * n + i] = 1;
  for (let sweep = 0; sweep < sweepsMax && !diagonal(a, n); sweep += 1) {
    for (let p = 0; p < n - 1; p += 1) {
      for (let q = p + 1; q < n; q += 1) rotate({ a, v, n }, p, q);
    }
  }
  const order = Array.from({ length: n }, (_, index) => index).sort((i, j) => (a[j * n + j] ?? 0) - (a[i * n + i] ?? 0));
  const vectors = matrix(n, n);
  for (const [rank, index] of order.entries()) vectors.values.set(v.subarray(index * n, (index + 1) * n), rank * n);
  return { values: Float64Array.from(order, (index) => a[index * n + index] ?? 0), vectors };
}

function diagonal(a: Float64Array, n: number): boolean {
  let off = 0;
  let on = 0;
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) {
      const square = (a[i * n + j] ?? 0) ** 2;
      if (i === j) on += square;
      else off += square;
    }
  }
  return off <= 1e-28 * on;
}

function rotate({ a, v, n }: { a: Float64Array; v: Float64Array; n: number }, p: number, q: number): void {
  const apq = a[p * n + q] ?? 0;
  if (apq === 0) return;
  const theta = ((a[q * n + q] ?? 0) - (a[p * n + p] ?? 0)) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let k = 0; k < n; k += 1) turn(a, { first: k * n + p, second: k * n + q, c, s });
  for (let k = 0; k < n; k += 1) {
    turn(a, { first: p * n + k, second: q * n + k, c, s });
    turn(v, { first: p * n + k, second: q * n + k, c, s });
  }
}

function turn(values: Float64Array, { first, second, c, s }: { first: number; second: number; c: number; s: number }): void {
  const one = values[first] ?? 0;
  const two = values[second] ?? 0;
  values[first] = c * one - s * two;
  values[second] = s * one + c * two;
}
