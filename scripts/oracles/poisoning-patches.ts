import { loadModel, numericColumn, type Table } from "../../packages/assurance/src/index.ts";
import { type PatchFlip, scanPatches } from "../../packages/assurance/src/poison/patch-scan.ts";
import { featureColumns, type PoisonedSet } from "./poisoning-set.ts";
import { bytes, type OracleOptions, type Tally } from "./tally.ts";

interface TopPatch {
  readonly flip_rate_to_class: number;
  readonly class: number;
  readonly height: number;
  readonly width: number;
  readonly row: number;
  readonly col: number;
  readonly value: number;
  readonly n: number;
}

interface Scan {
  readonly top5: readonly TopPatch[];
  readonly max_by_class: Readonly<Record<string, number>>;
}

interface Wanted {
  readonly key: string;
  readonly wanted: unknown;
  readonly options: OracleOptions;
}

interface Batch {
  readonly features: Float32Array;
  readonly labels: Uint32Array;
  readonly width: number;
}

export function comparePatchScan(tally: Tally, set: PoisonedSet, { key, wanted, options }: Wanted): void {
  const batch = batchOf(set.files.test);
  if (key === "clean_test_accuracy") tally.near(key, accuracy(options, set.files.model, batch), wanted as number);
  else if (key === "trigger_success_rate") tally.near(key, triggerRate(options, set, batch), wanted as number);
  else {
    for (const [which, scan] of Object.entries(wanted as Readonly<Record<string, Scan | string>>)) {
      if (typeof scan === "string") continue;
      const model = which === "backdoored" ? set.files.model : set.files.cleanModel;
      compareScan(tally, { which, scan }, scanOf(options, model, batch));
    }
  }
}

function batchOf(table: Table): Batch {
  const columns = featureColumns(table).map((column) => numericColumn(table, column));
  const features = Float32Array.from({ length: table.rows * columns.length }, (_, at) => columns[at % columns.length]?.[Math.floor(at / columns.length)] ?? Number.NaN);
  return { features, labels: Uint32Array.from(numericColumn(table, "label")), width: Math.round(Math.sqrt(columns.length)) };
}

function predictions(options: OracleOptions, model: string, { features, labels }: Batch): readonly number[] {
  const { scores, classes } = loadModel(bytes(options, model)).score(features, labels.length);
  return Array.from(labels, (_, row) => {
    const own = scores.subarray(row * classes.length, (row + 1) * classes.length);
    return own.indexOf(Math.max(...own));
  });
}

function accuracy(options: OracleOptions, model: string, batch: Batch): number {
  return predictions(options, model, batch).filter((answer, row) => answer === batch.labels[row]).length / batch.labels.length;
}

/** The trigger is told in words: "last 2x2 block (rows 6-7, cols 6-7) = 1.0". */
function triggerRate(options: OracleOptions, set: PoisonedSet, batch: Batch): number {
  const parts = /rows (\d+)-(\d+), cols (\d+)-(\d+)\) = ([\d.]+)/u.exec(String(set.expected["trigger"]));
  const [top, bottom, left, right, value] = (parts ?? []).slice(1).map(Number);
  const [flip] = scanOf(options, set.files.model, batch, { shapes: [[(bottom ?? 0) - (top ?? 0) + 1, (right ?? 0) - (left ?? 0) + 1]], values: [value ?? 0] })
    .filter((each) => each.row === top && each.col === left && each.target === Number(set.expected["target_class"]));
  return flip === undefined ? Number.NaN : flip.flipped / flip.n;
}

/** As `definition` in the file says. */
const defined = { shapes: [[1, 1], [2, 2], [4, 1], [1, 4]], values: [0, 0.5, 1] } as const;

function scanOf(options: OracleOptions, file: string, batch: Batch, patches: { shapes: readonly (readonly [number, number])[]; values: readonly number[] } = defined): readonly PatchFlip[] {
  const model = loadModel(bytes(options, file));
  const classes = model.score(batch.features.subarray(0, batch.width ** 2), 1).classes.length;
  return scanPatches(batch.features, batch.labels, { score: (features, rows) => model.score(features, rows).scores, classes, height: batch.width, width: batch.width, ...patches });
}

function compareScan(tally: Tally, { which, scan }: { which: string; scan: Scan }, found: readonly PatchFlip[]): void {
  const rate = (flip: PatchFlip) => flip.flipped / flip.n;
  for (const [target, value] of Object.entries(scan.max_by_class)) {
    tally.near(`${which} largest flip to ${target}`, Math.max(...found.filter((flip) => flip.target === Number(target)).map(rate)), value);
  }
  const sorted = found.map(rate).toSorted((a, b) => b - a);
  for (const [index, top] of scan.top5.entries()) {
    const same = found.find((flip) => flip.target === top.class && flip.height === top.height && flip.width === top.width && flip.row === top.row && flip.col === top.col && flip.value === top.value);
    tally.near(`${which} patch ${index}`, same === undefined ? Number.NaN : rate(same), top.flip_rate_to_class);
    tally.same(`${which} patch ${index} rows`, same?.n, top.n);
    tally.near(`${which} rank ${index}`, sorted[index] ?? Number.NaN, top.flip_rate_to_class);
  }
}
