/**
 * Solves A x = b for a symmetric positive definite A (order n, row after row; both are overwritten).
 * False when A is not positive definite to working precision. Source: Golub & Van Loan, Matrix Computations, 4.2.
 */
export function solveCholesky(a: Float64Array, b: Float64Array): boolean {
  const n = b.length;
  for (let column = 0; column < n; column += 1) {
    for (let row = column; row < n; row += 1) {
      const sum = (a[row * n + column] ?? 0) - products(a, { from: row * n, to: column * n, length: column });
      if (row > column) a[row * n + column] = sum / (a[column * n + column] ?? 1);
      else if (sum > 0) a[row * n + column] = Math.sqrt(sum);
      else return false;
    }
  }
  for (let row = 0; row < n; row += 1) solveDownwards(a, b, row);
  for (let row = n - 1; row >= 0; row -= 1) solveUpwards(a, b, row);
  return true;
}

function products(a: Float64Array, { from, to, length }: { from: number; to: number; length: number }): number {
  let sum = 0;
  for (let k = 0; k < length; k += 1) sum += (a[from + k] ?? 0) * (a[to + k] ?? 0);
  return sum;
}

function solveDownwards(a: Float64Array, b: Float64Array, row: number): void {
  const n = b.length;
  let sum = b[row] ?? 0;
  for (let k = 0; k < row; k += 1) sum -= (a[row * n + k] ?? 0) * (b[k] ?? 0);
  b[row] = sum / (a[row * n + row] ?? 1);
}

function solveUpwards(a: Float64Array, b: Float64Array, row: number): void {
  const n = b.length;
  let sum = b[row] ?? 0;
  for (let k = row + 1; k < n; k += 1) sum -= (a[k * n + row] ?? 0) * (b[k] ?? 0);
  b[row] = sum / (a[row * n + row] ?? 1);
}
