import { orderOf } from "../stats/order.ts";
import type { Scored } from "./scored.ts";

/** Rows of one bin of probabilities. */
export interface CalibrationBin {
  readonly n: number;
  readonly events: number;
  /** Sum of the probabilities. */
  readonly sum: number;
}

/** Bins [i / B, (i + 1) / B), the last closed; empty bins are left out. */
export function widthBins(scored: Scored, bins: number): readonly CalibrationBin[] {
  const { scores } = scored;
  return collect(scored, bins, (row) => {
    const p = scores[row] ?? Number.NaN;
    let bin = Math.min(bins - 1, Math.max(0, Math.floor(p * bins)));
    // The product can round across an edge.
    if (p < bin / bins) bin -= 1;
    else if (bin < bins - 1 && p >= (bin + 1) / bins) bin += 1;
    return Math.max(0, bin);
  });
}

/** Bins of equal numbers of rows in the order of their probabilities: the i-th of n goes to floor(i B / n). */
export function massBins(scored: Scored, bins: number): readonly CalibrationBin[] {
  const binOf = new Uint32Array(scored.scores.length);
  for (const [place, row] of orderOf(scored.scores).entries()) binOf[row] = Math.floor((place * bins) / scored.scores.length);
  return collect(scored, bins, (row) => binOf[row] ?? 0);
}

function collect({ positive, scores }: Scored, bins: number, binOf: (row: number) => number): readonly CalibrationBin[] {
  const n = new Float64Array(bins);
  const events = new Float64Array(bins);
  const sums = new Float64Array(bins);
  for (let row = 0; row < scores.length; row += 1) {
    const bin = binOf(row);
    n[bin] = (n[bin] ?? 0) + 1;
    events[bin] = (events[bin] ?? 0) + (positive[row] ?? 0);
    sums[bin] = (sums[bin] ?? 0) + (scores[row] ?? 0);
  }
  return Array.from(n, (count, bin) => ({ n: count, events: events[bin] ?? 0, sum: sums[bin] ?? 0 })).filter((bin) => bin.n > 0);
}

/** Expected calibration error: |share of events - mean probability| of each bin, weighted by its rows. Source: Naeini 2015. */
export function expectedCalibrationError(bins: readonly CalibrationBin[]): number {
  const total = bins.reduce((sum, { n }) => sum + n, 0);
  return bins.reduce((sum, bin) => sum + Math.abs(bin.events - bin.sum), 0) / total;
}

/** Largest |share of events - mean probability| of any bin. */
export function maximumCalibrationError(bins: readonly CalibrationBin[]): number {
  return bins.length === 0 ? Number.NaN : Math.max(...bins.map(({ n, events, sum }) => Math.abs(events - sum) / n));
}

/** Murphy's decomposition of the Brier score over bins. Source: Murphy 1973. */
export function murphy(bins: readonly CalibrationBin[]): { readonly reliability: number; readonly resolution: number; readonly uncertainty: number } {
  const total = bins.reduce((sum, { n }) => sum + n, 0);
  const rate = bins.reduce((sum, { events }) => sum + events, 0) / total;
  let [reliability, resolution] = [0, 0];
  for (const { n, events, sum } of bins) {
    reliability += (n / total) * ((sum - events) / n) ** 2;
    resolution += (n / total) * (events / n - rate) ** 2;
  }
  return { reliability, resolution, uncertainty: rate * (1 - rate) };
}
