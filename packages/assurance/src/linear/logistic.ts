import { solveCholesky } from "./cholesky.ts";
import { type Matrix, takeRows } from "./matrix.ts";
import { permutation, type Random } from "../stats/random.ts";

const stepsMax = 50;

/** Coefficients of the columns, and the intercept last. */
export type LogisticModel = Float64Array;

/**
 * Logistic regression with a ridge penalty on the coefficients (not on the intercept), by Newton's method with step
 * halving. `ridge` = 1 is the usual default (C = 1). Columns should be scaled before. Source: Hastie, Tibshirani & Friedman 4.4.1.
 */
export function fitLogistic(data: Matrix, positive: Uint8Array, ridge: number): LogisticModel {
  const width = data.columns + 1;
  let model: LogisticModel = new Float64Array(width);
  let loss = penalisedLoss(data, positive, { model, ridge });
  for (let step = 0; step < stepsMax; step += 1) {
    const { gradient, hessian } = derivatives(data, positive, { model, ridge });
    if (!solveCholesky(hessian, gradient)) return model;
    let scale = 1;
    let next = moved(model, gradient, scale);
    let nextLoss = penalisedLoss(data, positive, { model: next, ridge });
    while (nextLoss > loss && scale > 1e-6) {
      scale /= 2;
      next = moved(model, gradient, scale);
      nextLoss = penalisedLoss(data, positive, { model: next, ridge });
    }
    if (!(nextLoss < loss)) return model;
    const gained = loss - nextLoss;
    [model, loss] = [next, nextLoss];
    if (gained <= 1e-10 * Math.max(1, Math.abs(loss))) return model;
  }
  return model;
}

function moved(model: LogisticModel, step: Float64Array, scale: number): LogisticModel {
  return model.map((value, index) => value - scale * (step[index] ?? 0));
}

/** Log-odds of the positive class for every row. */
export function logOdds(data: Matrix, model: LogisticModel): Float64Array {
  const { rows, columns, values } = data;
  const result = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let sum = model[columns] ?? 0;
    for (let k = 0; k < columns; k += 1) sum += (values[row * columns + k] ?? 0) * (model[k] ?? 0);
    result[row] = sum;
  }
  return result;
}

interface State {
  readonly model: LogisticModel;
  readonly ridge: number;
}

function penalisedLoss(data: Matrix, positive: Uint8Array, { model, ridge }: State): number {
  const odds = logOdds(data, model);
  let sum = 0;
  for (let row = 0; row < odds.length; row += 1) {
    const margin = positive[row] === 1 ? (odds[row] ?? 0) : -(odds[row] ?? 0);
    sum += margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin;
  }
  for (let k = 0; k < data.columns; k += 1) sum += (ridge / 2) * (model[k] ?? 0) ** 2;
  return sum;
}

interface Derivatives {
  readonly gradient: Float64Array;
  /** Lower triangle, row after row. */
  readonly hessian: Float64Array;
}

function derivatives(data: Matrix, positive: Uint8Array, { model, ridge }: State): Derivatives {
  const { rows, columns, values } = data;
  const width = columns + 1;
  const sums: Derivatives = { gradient: new Float64Array(width), hessian: new Float64Array(width * width) };
  const odds = logOdds(data, model);
  const x = new Float64Array(width).fill(1);
  for (let row = 0; row < rows; row += 1) {
    const p = 1 / (1 + Math.exp(-(odds[row] ?? 0)));
    x.set(values.subarray(row * columns, (row + 1) * columns));
    addRow(sums, x, { residual: p - (positive[row] ?? 0), weight: Math.max(p * (1 - p), 1e-10) });
  }
  const { gradient, hessian } = sums;
  for (let k = 0; k < columns; k += 1) {
    gradient[k] = (gradient[k] ?? 0) + ridge * (model[k] ?? 0);
    hessian[k * width + k] = (hessian[k * width + k] ?? 0) + ridge;
  }
  hessian[width * width - 1] = (hessian[width * width - 1] ?? 0) + 1e-9;
  return sums;
}

function addRow({ gradient, hessian }: Derivatives, x: Float64Array, { residual, weight }: { residual: number; weight: number }): void {
  const width = x.length;
  for (let i = 0; i < width; i += 1) {
    const xi = x[i] ?? 0;
    gradient[i] = (gradient[i] ?? 0) + residual * xi;
    const weighted = weight * xi;
    for (let j = 0; j <= i; j += 1) hessian[i * width + j] = (hessian[i * width + j] ?? 0) + weighted * (x[j] ?? 0);
  }
}

/**
 * Out-of-fold log-odds by stratified cross-validation: no row is scored by a model that has seen it.
 * Folds are drawn with `random`, each class spread evenly over them.
 */
export function crossValidatedLogOdds(data: Matrix, positive: Uint8Array, options: { folds: number; ridge: number; random: Random }): Float64Array {
  const { folds, ridge, random } = options;
  const fold = stratifiedFolds(positive, folds, random);
  const result = new Float64Array(data.rows);
  for (let held = 0; held < folds; held += 1) {
    const inside: number[] = [];
    const outside: number[] = [];
    for (let row = 0; row < data.rows; row += 1) (fold[row] === held ? outside : inside).push(row);
    const model = fitLogistic(takeRows(data, inside), Uint8Array.from(inside, (row) => positive[row] ?? 0), ridge);
    const odds = logOdds(takeRows(data, outside), model);
    for (const [index, row] of outside.entries()) result[row] = odds[index] ?? 0;
  }
  return result;
}

function stratifiedFolds(positive: Uint8Array, folds: number, random: Random): Uint8Array {
  const fold = new Uint8Array(positive.length);
  const next = [0, 0];
  for (const row of permutation(random, positive.length)) {
    const label = positive[row] ?? 0;
    const turn = next[label] ?? 0;
    fold[row] = turn % folds;
    next[label] = turn + 1;
  }
  return fold;
}
