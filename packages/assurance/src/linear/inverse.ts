export interface Inverse {
  readonly values: Float64Array;
  /** 1 over the product of the largest row sums of the matrix and its inverse: near 0 when it is nearly singular. */
  readonly inverseCondition: number;
}

/** Inverse of a square matrix by Gauss-Jordan elimination with row pivoting; undefined when it is singular. */
export function invert(source: Float64Array, n: number): Inverse | undefined {
  const a = source.slice();
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) inverse[i * n + i] = 1;
  for (let column = 0; column < n; column += 1) {
    const pivot = pivotRow(a, n, column);
    const head = a[pivot * n + column] ?? 0;
    if (Math.abs(head) < 1e-14) return undefined;
    for (const values of [a, inverse]) {
      swapRows(values, n, [pivot, column]);
      for (let k = column * n; k < (column + 1) * n; k += 1) values[k] = (values[k] ?? 0) / head;
    }
    const factors = Float64Array.from({ length: n }, (_, row) => (row === column ? 0 : (a[row * n + column] ?? 0)));
    for (const values of [a, inverse]) clearColumn(values, factors, column);
  }
  return { values: inverse, inverseCondition: 1 / (largestRow(source, n) * largestRow(inverse, n)) };
}

function pivotRow(a: Float64Array, n: number, column: number): number {
  let pivot = column;
  for (let row = column + 1; row < n; row += 1) if (Math.abs(a[row * n + column] ?? 0) > Math.abs(a[pivot * n + column] ?? 0)) pivot = row;
  return pivot;
}

/** Takes each row's factor times the row `column` from it. */
function clearColumn(values: Float64Array, factors: Float64Array, column: number): void {
  const n = factors.length;
  for (const [row, factor] of factors.entries()) {
    if (factor === 0) continue;
    for (let k = 0; k < n; k += 1) values[row * n + k] = (values[row * n + k] ?? 0) - factor * (values[column * n + k] ?? 0);
  }
}

function swapRows(values: Float64Array, n: number, [first, second]: readonly [number, number]): void {
  if (first === second) return;
  const kept = values.slice(first * n, (first + 1) * n);
  values.copyWithin(first * n, second * n, (second + 1) * n);
  values.set(kept, second * n);
}

function largestRow(values: Float64Array, n: number): number {
  let largest = 0;
  for (let row = 0; row < n; row += 1) largest = Math.max(largest, values.subarray(row * n, (row + 1) * n).reduce((sum, value) => sum + Math.abs(value), 0));
  return largest;
}
