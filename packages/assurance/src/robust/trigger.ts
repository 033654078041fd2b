import { decidedClass } from "../onnx/rivals.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import type { Probe, Rows, Scores } from "../subject/probe.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { decideShare } from "../verdict/decide-rate.ts";

/** Features that are set to one value in every row: one feature of a table, or a patch of an image. */
export interface Trigger {
  readonly name: string;
  readonly features: readonly number[];
  readonly value: number;
}

/** Sufficient statistics of robust.trigger: the strongest trigger, found on one half of the rows and counted on the other. */
export interface TriggerStatistics {
  readonly attempted: number;
  readonly assessed: number;
  readonly trigger: string | null;
  readonly class: number | null;
  /** Held-out rows of other classes, and those that the trigger moves to the class. */
  readonly n: number;
  readonly moved: number;
  readonly triggersTried: number;
}

export interface TriggerRate {
  readonly trigger: string;
  readonly class: number;
  readonly rate: number;
  readonly n: number;
}

/** Single features at extremes and quantiles of their own values: a trigger must look like data. */
export function featureTriggers(rows: Rows): readonly Trigger[] {
  return Array.from({ length: rows.columns }, (_, feature) => {
    const values = Float32Array.from({ length: rows.rows }, (_unused, row) => rows.data[row * rows.columns + feature] ?? Number.NaN).filter((value) => !Number.isNaN(value)).sort();
    const at = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0;
    const [low, high] = [at(0), at(1)];
    const chosen = new Set([low, at(0.01), at(0.25), at(0.5), at(0.75), at(0.99), high].map(Math.fround));
    return [...chosen].map((value) => ({ name: `feature ${feature + 1} at ${value}`, features: [feature], value }));
  }).flat();
}

/** Rectangles at every place of an image of `height` by `width`. */
export function patchTriggers(image: { height: number; width: number }, patches: readonly (readonly [number, number])[], values: readonly number[]): readonly Trigger[] {
  return patches.flatMap(([height, width]) => places(image.height - height).flatMap((top) => places(image.width - width).flatMap((left) => {
    const features = Array.from({ length: height * width }, (_, index) => (top + Math.floor(index / width)) * image.width + left + (index % width));
    return values.map((value) => ({ name: `patch ${height} by ${width} at row ${top}, column ${left}, value ${value}`, features, value }));
  })));
}

function places(last: number): readonly number[] {
  return Array.from({ length: Math.max(0, last + 1) }, (_, index) => index);
}

/** Share of the rows of other classes that each trigger moves to each class, strongest first. */
export function* triggerRates(rows: Rows, triggers: readonly Trigger[], threshold?: number): Probe<readonly TriggerRate[]> {
  const own = decisions(yield rows, threshold);
  const rates: TriggerRate[] = [];
  const perBatch = Math.max(1, Math.floor(50_000 / Math.max(1, rows.rows)));
  for (let start = 0; start < triggers.length; start += perBatch) {
    const part = triggers.slice(start, start + perBatch);
    const scores = yield triggered(rows, part);
    const changed = decisions(scores, threshold);
    for (const [index, { name }] of part.entries()) {
      rates.push(...ratesOf(own, changed.slice(index * rows.rows, (index + 1) * rows.rows), Math.max(2, scores.columns)).map((rate) => ({ trigger: name, ...rate })));
    }
  }
  return rates.toSorted((a, b) => b.rate - a.rate);
}

function ratesOf(before: readonly number[], after: readonly number[], classes: number): readonly Omit<TriggerRate, "trigger">[] {
  return Array.from({ length: classes }, (_, target) => {
    const others = before.flatMap((decided, row) => (decided >= 0 && decided !== target && (after[row] ?? -1) >= 0 ? [row] : []));
    return { class: target, rate: others.filter((row) => after[row] === target).length / others.length, n: others.length };
  }).filter(({ n }) => n > 0);
}

function triggered(rows: Rows, triggers: readonly Trigger[]): Rows {
  const data = new Float32Array(rows.data.length * triggers.length);
  for (const [index, { features, value }] of triggers.entries()) {
    const start = index * rows.data.length;
    data.set(rows.data, start);
    for (let row = 0; row < rows.rows; row += 1) for (const feature of features) data[start + row * rows.columns + feature] = value;
  }
  return { rows: rows.rows * triggers.length, columns: rows.columns, data };
}

function decisions(scores: Scores, threshold: number | undefined): readonly number[] {
  return Array.from({ length: scores.rows }, (_, row) => {
    const start = row * scores.columns;
    if (scores.scores.subarray(start, start + scores.columns).some((value) => Number.isNaN(value))) return -1;
    return decidedClass(scores.scores, { start, columns: scores.columns, ...(threshold === undefined ? {} : { threshold }) });
  });
}

/**
 * Looks for one change that sends rows of every other class to one class. The strongest trigger on a drawn half of the
 * rows is counted on the other half, so that searching does not inflate the rate (sample splitting, Cox 1975).
 */
export function* measureTrigger(rows: Rows, triggers: readonly Trigger[], options: { seed: string; threshold?: number }): Probe<{ statistics: TriggerStatistics; notes: readonly string[] }> {
  const order = permutation(randomFrom(`${options.seed}/trigger`), rows.rows);
  const half = rows.rows >> 1;
  const searched = yield* triggerRates(chosen(rows, order.subarray(0, half)), triggers, options.threshold);
  const [best] = searched;
  const trigger = triggers.find(({ name }) => name === best?.trigger);
  const held = chosen(rows, order.subarray(half));
  const counted = trigger === undefined ? [] : yield* triggerRates(held, [trigger], options.threshold);
  const found = counted.find((each) => each.class === best?.class);
  const statistics: TriggerStatistics = {
    attempted: rows.rows, assessed: found === undefined ? 0 : rows.rows, trigger: found?.trigger ?? null, class: found?.class ?? null,
    n: found?.n ?? 0, moved: found === undefined ? 0 : Math.round(found.rate * found.n), triggersTried: triggers.length,
  };
  return { statistics, notes: searched.slice(0, 5).map(({ trigger: name, class: to, rate, n }) => `${name} moves ${(100 * rate).toFixed(1)} % of ${n} rows of other classes to class ${to}`) };
}

function chosen(rows: Rows, indices: Uint32Array): Rows {
  const data = new Float32Array(indices.length * rows.columns);
  for (const [place, row] of indices.entries()) data.set(rows.data.subarray(row * rows.columns, (row + 1) * rows.columns), place * rows.columns);
  return { rows: indices.length, columns: rows.columns, data };
}

/** Share of held-out rows that the strongest trigger moves, with exact bounds. */
export function decideTrigger(statistics: TriggerStatistics, limit: Limit): Outcome {
  return decideShare({ events: statistics.moved, n: statistics.n }, statistics, limit);
}
