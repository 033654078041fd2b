/** Scores of a batch of rows: row after row, one score per class. */
export type ScoreRows = (features: Float32Array, rows: number) => Float32Array | Float64Array;

/** Cells set to one value in every row: a rectangle of an image, or one column of a table. */
export interface Patch {
  readonly height: number;
  readonly width: number;
  readonly row: number;
  readonly col: number;
  readonly value: number;
}

export interface PatchScanOptions {
  readonly score: ScoreRows;
  readonly classes: number;
  /** Rows of cells, and cells per row; a table is one row of cells. */
  readonly height: number;
  readonly width: number;
  /** Heights and widths of the patches. */
  readonly shapes: readonly (readonly [number, number])[];
  readonly values: readonly number[];
}

/** How often a patch moves rows of other classes into `target`. */
export interface PatchFlip extends Patch {
  readonly target: number;
  readonly flipped: number;
  /** Rows whose true class is another. */
  readonly n: number;
}

/**
 * Tries every patch at every position with every value on all rows. `labels` are true classes by number.
 * The best of many patches is reported, so its rate is no estimate for a fresh set of rows: split the rows for a bound.
 */
export function scanPatches(features: Float32Array, labels: Uint32Array, options: PatchScanOptions): readonly PatchFlip[] {
  const rows = labels.length;
  const width = options.height * options.width;
  const others = Array.from({ length: options.classes }, (_, target) => labels.reduce((count, label) => count + (label === target ? 0 : 1), 0));
  const batch = features.slice();
  return patchesOf(options).flatMap((patch) => {
    const cells = cellsOf(patch, options.width);
    for (let row = 0; row < rows; row += 1) for (const cell of cells) batch[row * width + cell] = patch.value;
    const flipped = countFlips(options.score(batch, rows), labels, options.classes);
    for (let row = 0; row < rows; row += 1) for (const cell of cells) batch[row * width + cell] = features[row * width + cell] ?? 0;
    return flipped.map((count, target) => ({ ...patch, target, flipped: count, n: others[target] ?? 0 }));
  });
}

function patchesOf({ height, width, shapes, values }: PatchScanOptions): readonly Patch[] {
  return shapes.flatMap(([tall, wide]) =>
    Array.from({ length: Math.max(0, height - tall + 1) }, (_, row) =>
      Array.from({ length: Math.max(0, width - wide + 1) }, (__, col) => values.map((value) => ({ height: tall, width: wide, row, col, value }))),
    ).flat(2),
  );
}

function cellsOf({ height, width, row, col }: Patch, imageWidth: number): readonly number[] {
  return Array.from({ length: height * width }, (_, index) => (row + Math.floor(index / width)) * imageWidth + col + (index % width));
}

function countFlips(scores: Float32Array | Float64Array, labels: Uint32Array, classes: number): readonly number[] {
  const flipped = Array.from({ length: classes }, () => 0);
  for (let row = 0; row < labels.length; row += 1) {
    let best = 0;
    for (let k = 1; k < classes; k += 1) if ((scores[row * classes + k] ?? -Infinity) > (scores[row * classes + best] ?? -Infinity)) best = k;
    if (best !== labels[row]) flipped[best] = (flipped[best] ?? 0) + 1;
  }
  return flipped;
}
