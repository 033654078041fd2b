import { midranks } from "../stats/delong.ts";
import { requireEqual } from "./scored.ts";

/** A denominator of 0 in a percentage error is taken as this. */
const percentFloor = 2 ** -52;

export interface RegressionFigures {
  readonly n: number;
  readonly mae: number;
  readonly mse: number;
  readonly rmse: number;
  readonly r2: number;
  readonly medianAbsoluteError: number;
  readonly maxError: number;
  readonly mape: number;
  /** Truth minus prediction: positive where the model is too low. */
  readonly meanResidual: number;
  readonly residualSd: number;
  readonly pearson: number;
  readonly spearman: number;
}

/**
 * Errors of predicted numbers, truth minus prediction. R² is NaN where the truth does not vary; the correlations where
 * either does not. Source: scikit-learn's and scipy's definitions.
 */
export function regressionFigures(truth: Float64Array, predicted: Float64Array): RegressionFigures {
  requireEqual({ truth, predicted });
  const n = truth.length;
  const residuals = truth.map((value, row) => value - (predicted[row] ?? Number.NaN));
  const absolute = residuals.map(Math.abs).sort();
  const mse = meanOf(residuals.map((value) => value * value));
  const meanResidual = meanOf(residuals);
  const centre = meanOf(truth);
  const spread = meanOf(truth.map((value) => (value - centre) ** 2));
  return {
    n,
    mae: meanOf(absolute),
    mse,
    rmse: Math.sqrt(mse),
    r2: spread === 0 || n < 2 ? Number.NaN : 1 - mse / spread,
    medianAbsoluteError: n === 0 ? Number.NaN : ((absolute[(n - 1) >> 1] ?? 0) + (absolute[n >> 1] ?? 0)) / 2,
    maxError: absolute[n - 1] ?? Number.NaN,
    mape: meanOf(residuals.map((value, row) => Math.abs(value) / Math.max(percentFloor, Math.abs(truth[row] ?? 0)))),
    meanResidual,
    residualSd: Math.sqrt(residuals.reduce((sum, value) => sum + (value - meanResidual) ** 2, 0) / (n - 1)),
    pearson: correlation(truth, predicted),
    spearman: correlation(midranks(truth), midranks(predicted)),
  };
}

/** Pearson's correlation; NaN where either column does not vary. */
export function correlation(a: Float64Array, b: Float64Array): number {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  let [products, squaresA, squaresB] = [0, 0, 0];
  for (let row = 0; row < a.length; row += 1) {
    const [x, y] = [(a[row] ?? 0) - meanA, (b[row] ?? 0) - meanB];
    products += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  return squaresA === 0 || squaresB === 0 ? Number.NaN : products / Math.sqrt(squaresA * squaresB);
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
