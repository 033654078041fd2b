/** A dense matrix, row after row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

export function matrix(rows: number, columns: number, values: Float64Array = new Float64Array(rows * columns)): Matrix {
  return { rows, columns, values };
}

/** Columns of equal length side by side. */
export function fromColumns(columns: readonly Float64Array[]): Matrix {
  const rows = columns[0]?.length ?? 0;
  const result = matrix(rows, columns.length);
  for (const [index, column] of columns.entries()) {
    for (let row = 0; row < rows; row += 1) result.values[row * columns.length + index] = column[row] ?? Number.NaN;
  }
  return result;
}

/** The rows named by `order`, in that order. */
export function takeRows(source: Matrix, order: ArrayLike<number>): Matrix {
  const result = matrix(order.length, source.columns);
  for (let row = 0; row < order.length; row += 1) {
    const from = (order[row] ?? 0) * source.columns;
    result.values.set(source.values.subarray(from, from + source.columns), row * source.columns);
  }
  return result;
}

/** `second` below `first`. */
export function stack(first: Matrix, second: Matrix): Matrix {
  const result = matrix(first.rows + second.rows, first.columns);
  result.values.set(first.values);
  result.values.set(second.values, first.values.length);
  return result;
}

export interface Scaling {
  readonly mean: Float64Array;
  /** Population standard deviation; 1 where the column is constant, so that a constant stays what it is. */
  readonly deviation: Float64Array;
}

export function scalingOf(source: Matrix): Scaling {
  const mean = columnMeans(source, (value) => value);
  const variance = columnMeans(source, (value, column) => (value - (mean[column] ?? 0)) ** 2);
  return { mean, deviation: variance.map((value) => Math.sqrt(value) || 1) };
}

function columnMeans({ rows, columns, values }: Matrix, of: (value: number, column: number) => number): Float64Array {
  const sums = new Float64Array(columns);
  for (let at = 0; at < values.length; at += 1) {
    const column = at % columns;
    sums[column] = (sums[column] ?? 0) + of(values[at] ?? 0, column);
  }
  return sums.map((sum) => sum / rows);
}

export function scaled(source: Matrix, { mean, deviation }: Scaling): Matrix {
  const { columns } = source;
  const values = source.values.map((value, at) => (value - (mean[at % columns] ?? 0)) / (deviation[at % columns] ?? 1));
  return { ...source, values };
}
