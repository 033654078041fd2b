import { matrix, type Matrix } from "./matrix.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

export interface Principal {
  /** Singular values of the centred rows, falling; only those of the smaller side. */
  readonly singular: Float64Array;
  /** Coordinates of every row on the first directions. The sign of a direction is arbitrary. */
  readonly scores: Matrix;
}

/**
 * Singular values of the column-centred matrix, and its rows' coordinates on the first `directions` right singular
 * vectors (principal components). Works on the Gram matrix of the smaller side.
 * Source: Golub & Van Loan, Matrix Computations, 8.6. Singular values below 1e-8 of the largest are noise.
 */
export function principal(source: Matrix, directions: number): Principal {
  const data = centred(source);
  const { rows, columns } = data;
  const byColumns = columns <= rows;
  const { values, vectors } = symmetricEigen(byColumns ? gramOfColumns(data) : gramOfRows(data));
  const singular = values.map((value) => Math.sqrt(Math.max(0, value)));
  const kept = Math.min(directions, singular.length);
  const scores = matrix(rows, kept);
  for (let k = 0; k < kept; k += 1) {
    for (let row = 0; row < rows; row += 1) {
      scores.values[row * kept + k] = byColumns
        ? dot({ left: data.values, at: row * columns, right: vectors.values, from: k * columns, length: columns })
        : (vectors.values[k * rows + row] ?? 0) * (singular[k] ?? 0);
    }
  }
  return { singular, scores };
}

function centred({ rows, columns, values }: Matrix): Matrix {
  const result = matrix(rows, columns, values.slice());
  for (let column = 0; column < columns; column += 1) {
    let sum = 0;
    for (let row = 0; row < rows; row += 1) sum += values[row * columns + column] ?? 0;
    const mean = sum / rows;
    for (let row = 0; row < rows; row += 1) result.values[row * columns + column] = (values[row * columns + column] ?? 0) - mean;
  }
  return result;
}

function gramOfRows({ rows, columns, values }: Matrix): Matrix {
  const gram = matrix(rows, rows);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const sum = dot({ left: values, at: i * columns, right: values, from: j * columns, length: columns });
      gram.values[i * rows + j] = sum;
      gram.values[j * rows + i] = sum;
    }
  }
  return gram;
}

function gramOfColumns({ rows, columns, values }: Matrix): Matrix {
  const gram = matrix(columns, columns);
  for (let row = 0; row < rows; row += 1) {
    for (let i = 0; i < columns; i += 1) {
      const value = values[row * columns + i] ?? 0;
      if (value === 0) continue;
      for (let j = 0; j < columns; j += 1) gram.values[i * columns + j] = (gram.values[i * columns + j] ?? 0) + value * (values[row * columns + j] ?? 0);
    }
  }
  return gram;
}

function dot({ left, at, right, from, length }: { left: Float64Array; at: number; right: Float64Array; from: number; length: number }): number {
  let sum = 0;
  for (let k = 0; k < length; k += 1) sum += (left[at + k] ?? 0) * (right[from + k] ?? 0);
  return sum;
}
