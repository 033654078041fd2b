/** A column of categories; -1 where the value is missing. Numbers are cut into categories before. */
export interface SliceColumn {
  readonly name: string;
  readonly values: readonly string[];
  readonly codes: Int32Array;
}

export interface SliceTerm {
  readonly column: string;
  readonly value: string;
}

export interface SliceSearch {
  /** Smaller slices are not looked at. Default: 32, or one per cent of the rows if that is more. */
  readonly rowsMin: number;
  /** How much a high error rate counts against a small slice, 0 to 1. Default 0.95. */
  readonly weight: number;
  readonly slicesMax: number;
}

export interface Found {
  readonly terms: readonly SliceTerm[];
  readonly score: number;
}

interface Searched {
  readonly right: Uint8Array;
  readonly columns: readonly SliceColumn[];
  readonly rows: Uint32Array;
}

/** A pair of columns with more cells than this would be mostly empty. */
const cellsMax = 1_000_000;
/** Pairs of columns grow with the square of their number. */
const columnsMax = 64;

/**
 * The slices of one or two terms in which errors are most over-represented: score = weight (slice error / error - 1) -
 * (1 - weight) (n / slice n - 1), largest first, only above 0. Source: SliceLine (Sagadeeva & Boehm 2021), to depth 2 by
 * counting, where its bounds are not needed.
 */
export function searchSlices(searched: Searched, options: Partial<SliceSearch>): readonly Found[] {
  const { rows, right } = searched;
  const columns = searched.columns.slice(0, columnsMax);
  const errors = rows.reduce((sum, row) => sum + (right[row] === 0 ? 1 : 0), 0);
  if (errors === 0) return [];
  const settings = { rowsMin: options.rowsMin ?? Math.max(32, Math.ceil(rows.length / 100)), weight: options.weight ?? 0.95, total: rows.length, errors };
  const found: Found[] = [];
  for (const [index, column] of columns.entries()) {
    const one = countCells(searched, [column]);
    collect(found, { cells: one, settings, terms: (cell) => [{ column: column.name, value: column.values[cell] ?? "" }] });
    for (const other of columns.slice(index + 1)) {
      if (column.values.length * other.values.length > cellsMax) continue;
      const width = other.values.length;
      collect(found, {
        cells: countCells(searched, [column, other]),
        settings,
        terms: (cell) => [
          { column: column.name, value: column.values[Math.floor(cell / width)] ?? "" },
          { column: other.name, value: other.values[cell % width] ?? "" },
        ],
      });
    }
  }
  return found.toSorted((a, b) => b.score - a.score).slice(0, options.slicesMax ?? 10);
}

interface Cells {
  readonly n: Float64Array;
  readonly errors: Float64Array;
}

function countCells({ right, rows }: Searched, [first, second]: readonly [SliceColumn, SliceColumn?]): Cells {
  const width = second?.values.length ?? 1;
  const n = new Float64Array(first.values.length * width);
  const errors = new Float64Array(n.length);
  for (const row of rows) {
    const [code, other] = [first.codes[row] ?? -1, second === undefined ? 0 : (second.codes[row] ?? -1)];
    if (code < 0 || other < 0) continue;
    const cell = code * width + other;
    n[cell] = (n[cell] ?? 0) + 1;
    if (right[row] === 0) errors[cell] = (errors[cell] ?? 0) + 1;
  }
  return { n, errors };
}

interface Scoring {
  readonly cells: Cells;
  readonly settings: { readonly rowsMin: number; readonly weight: number; readonly total: number; readonly errors: number };
  readonly terms: (cell: number) => readonly SliceTerm[];
}

function collect(found: Found[], { cells, settings, terms }: Scoring): void {
  const { rowsMin, weight, total, errors } = settings;
  for (const [cell, n] of cells.n.entries()) {
    if (n < rowsMin) continue;
    const score = weight * ((cells.errors[cell] ?? 0) / n / (errors / total) - 1) - (1 - weight) * (total / n - 1);
    if (score > 0) found.push({ terms: terms(cell), score });
  }
}
