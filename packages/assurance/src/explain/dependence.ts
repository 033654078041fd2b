import type { Probe, Rows } from "../subject/probe.ts";

/**
 * Partial dependence: mean score over the background with one feature set to each value of the grid.
 * Source: Friedman 2001, section 8.2. Averages over combinations that may not exist where features are correlated.
 */
export function* partialDependence(background: Rows, feature: number, options: { grid: readonly number[]; output: number }): Probe<Float64Array> {
  const means = new Float64Array(options.grid.length);
  for (const [index, value] of options.grid.entries()) {
    const data = Float32Array.from(background.data);
    for (let at = feature; at < data.length; at += background.columns) data[at] = value;
    const scores = yield { ...background, data };
    let sum = 0;
    for (let row = 0; row < background.rows; row += 1) sum += scores.scores[row * scores.columns + options.output] ?? Number.NaN;
    means[index] = sum / background.rows;
  }
  return means;
}
