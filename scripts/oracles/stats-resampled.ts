import { bca, bcaShape, percentile } from "../../packages/assurance/src/stats/bootstrap.ts";
import { runSequential } from "../../packages/assurance/src/stats/sequential.ts";
import { compareFigures, each, type Figures, number, numbers, quantileTolerance } from "./stats-figures.ts";
import type { Tally } from "./tally.ts";

/** Intervals from the replicates and leave-one-out estimates that the file gives. */
export function compareBca(tally: Tally, file: unknown): void {
  each(tally, file, { sections: { cases: compareReplicates }, skip: ["quantile_rule", "made_with", "conventions"] });
}

function compareReplicates(tally: Tally, name: string, row: Figures): void {
  const replicates = Float64Array.from(numbers(row, "replicates"));
  // The file rounds its replicates to twelve decimals: an estimate that some of them equal must be rounded like them.
  const estimate = Number(number(row, "theta").toFixed(12));
  const shape = bcaShape(estimate, replicates, Float64Array.from(numbers(row, "jackknife")));
  const sorted = replicates.toSorted();
  const levels = [...new Set(Object.keys(row).flatMap((key) => /^(?:bca|percentile)_(0\.\d+)$/u.exec(key)?.[1] ?? []))];
  const found = levels.flatMap((level) => {
    const alpha = (1 - Number(level)) / 2;
    const bounds = bca(shape, sorted, alpha);
    const plain = percentile(sorted, alpha);
    return [
      [`bca_levels_${level}`, bounds.levels],
      [`bca_${level}`, [bounds.lower, bounds.upper]],
      [`percentile_${level}`, [plain.lower, plain.upper]],
    ] as const;
  });
  compareFigures(tally, `${name} ${String(row["name"])}`, {
    row,
    given: ["name", "x", "y", "theta", "replicates", "jackknife"],
    found: { z0: shape.z0, acceleration: shape.acceleration, ...Object.fromEntries(found) },
    tolerance: () => quantileTolerance,
  });
}

export function compareSequential(tally: Tally, file: unknown): void {
  each(tally, file, { sections: { cases: compareOutcomes }, skip: ["definition", "made_with", "conventions"] });
}

function compareOutcomes(tally: Tally, name: string, row: Figures): void {
  const text = typeof row["outcomes"] === "string" ? row["outcomes"] : "";
  const options = { limit: number(row, "max_rate"), alpha: number(row, "alpha") };
  const state = runSequential(Array.from(text, (outcome) => outcome === "1"), options);
  compareFigures(tally, `${name} ${options.limit} over ${text.length}`, {
    row,
    given: ["max_rate", "alpha", "outcomes"],
    found: { verdict: state.verdict, stopped_after: state.outcomes, log_e_pass: state.logPass, log_e_fail: state.logFail },
  });
}
