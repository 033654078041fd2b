import type { Scored } from "./scored.ts";

const iterationsMax = 100;
/** Iteration ends when the deviance moves by no more; the rule of R and statsmodels. */
const devianceStep = 1e-8;
const weightMin = 1e-300;
/** Probabilities are kept this far from 0 and 1 before their logit is taken. */
const margin = 1e-7;
/** A slope beyond this means that the classes are separated and no finite line is the most likely. */
const slopeMax = 1e4;

export interface CalibrationLine {
  readonly intercept: number;
  readonly slope: number;
  readonly slopeSe: number;
}

/**
 * Unpenalised logistic regression of the outcome on the logit of the probability, by iteratively
 * reweighted least squares; the standard error is that of the last weighted fit, as in R's glm. A perfectly calibrated
 * model has intercept 0 and slope 1. Undefined with one class or separated classes. Where every probability
 * is the same the line of smallest norm is given. Source: Cox 1958.
 */
export function calibrationLine({ positive, scores }: Scored): CalibrationLine | undefined {
  const x = scores.map((score) => {
    const p = Math.min(1 - margin, Math.max(margin, score));
    return Math.log(p / (1 - p));
  });
  const n = x.length;
  let events = 0;
  for (const label of positive) events += label;
  if (n === 0 || events === 0 || events === n) return undefined;
  const first = x[0] ?? 0;
  if (x.every((value) => value === first)) return constantLine({ x: first, n, events });
  return separated(x, positive) ? undefined : fit(x, positive);
}

function constantLine({ x, n, events }: { readonly x: number; readonly n: number; readonly events: number }): CalibrationLine {
  const rate = events / n;
  const logit = Math.log(rate / (1 - rate));
  const norm = 1 + x * x;
  return { intercept: logit / norm, slope: (logit * x) / norm + 0, slopeSe: Math.abs(x) / norm / Math.sqrt(n * rate * (1 - rate)) };
}

/** All of one class at or beyond all of the other: the likelihood has no maximum. */
function separated(x: Float64Array, positive: Uint8Array): boolean {
  let [lowPositive, highPositive, lowNegative, highNegative] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let row = 0; row < x.length; row += 1) {
    const value = x[row] ?? 0;
    if (positive[row] === 1) {
      lowPositive = Math.min(lowPositive, value);
      highPositive = Math.max(highPositive, value);
    } else {
      lowNegative = Math.min(lowNegative, value);
      highNegative = Math.max(highNegative, value);
    }
  }
  return lowPositive >= highNegative || lowNegative >= highPositive;
}

/** Weighted least squares of the working response on the logit, until the deviance stands still. */
function fit(x: Float64Array, positive: Uint8Array): CalibrationLine | undefined {
  let eta = x.map((_, row) => Math.log(((positive[row] ?? 0) + 0.5) / (1.5 - (positive[row] ?? 0))));
  let before = deviance(eta, positive);
  for (let step = 0; step < iterationsMax; step += 1) {
    const line = weightedLine({ x, positive, eta });
    if (!Number.isFinite(line.slope) || Math.abs(line.slope) > slopeMax) return undefined;
    eta = x.map((value) => line.intercept + line.slope * value);
    const now = deviance(eta, positive);
    if (Math.abs(now - before) <= devianceStep) return line;
    before = now;
  }
  return undefined;
}

interface Working {
  readonly x: Float64Array;
  readonly positive: Uint8Array;
  readonly eta: Float64Array;
}

function weightedLine({ x, positive, eta }: Working): CalibrationLine {
  let [w, wx, wxx, wz, wxz] = [0, 0, 0, 0, 0];
  for (let row = 0; row < x.length; row += 1) {
    const value = x[row] ?? 0;
    const linear = eta[row] ?? 0;
    const p = 1 / (1 + Math.exp(-linear));
    const weight = Math.max(weightMin, p * (1 - p));
    const response = linear + ((positive[row] ?? 0) - p) / weight;
    w += weight;
    wx += weight * value;
    wxx += weight * value * value;
    wz += weight * response;
    wxz += weight * value * response;
  }
  const determinant = w * wxx - wx * wx;
  return { intercept: (wxx * wz - wx * wxz) / determinant, slope: (w * wxz - wx * wz) / determinant, slopeSe: Math.sqrt(w / determinant) };
}

function deviance(eta: Float64Array, positive: Uint8Array): number {
  let sum = 0;
  for (const [row, linear] of eta.entries()) {
    const softplus = linear > 0 ? linear + Math.log1p(Math.exp(-linear)) : Math.log1p(Math.exp(linear));
    sum += softplus - (positive[row] === 1 ? linear : 0);
  }
  return 2 * sum;
}
