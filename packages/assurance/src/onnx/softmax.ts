/** Softmax of each row; the largest value is taken off first so that nothing overflows. */
export function softmaxRows(data: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const values = Array.from({ length: columns }, (_, column) => data[row * columns + column] ?? Number.NaN);
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = values.map((value) => Math.exp(value - most));
    const sum = powers.reduce((a, b) => a + b, 0);
    for (const [column, power] of powers.entries()) result[row * columns + column] = power / sum;
  }
  return result;
}
