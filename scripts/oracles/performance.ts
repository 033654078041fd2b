import { auc, aucBounds, countPairs, numericColumn } from "../../packages/assurance/src/index.ts";
import { expectedCalibrationError, massBins, maximumCalibrationError, murphy, widthBins } from "../../packages/assurance/src/performance/calibration-bins.ts";
import { calibrationLine } from "../../packages/assurance/src/performance/calibration-line.ts";
import { confusionAt, confusionFigures } from "../../packages/assurance/src/performance/confusion.ts";
import { brierLosses, logLosses, mean, spiegelhalter } from "../../packages/assurance/src/performance/losses.ts";
import { type ClassScored, multiClassFigures, topLabelErrors } from "../../packages/assurance/src/performance/multi-class.ts";
import { regressionFigures } from "../../packages/assurance/src/performance/regression.ts";
import { averagePrecision, rocOf, separation, tprAtFpr } from "../../packages/assurance/src/performance/roc.ts";
import type { Scored } from "../../packages/assurance/src/performance/scored.ts";
import { aucLogit, aucWald, delongVariance, pairedDelong, pairedDelongP, placements } from "../../packages/assurance/src/stats/delong.ts";
import { compareFigures, type Figures, guarded, isFigures, number } from "./stats-figures.ts";
import { csv, json, type OracleOptions, type Tally } from "./tally.ts";

/** The reference's predictions are written with nine decimals. */
const modelTolerance = 1e-5;

/** Every figure of performance/: metrics of every model on its test set, of score files, and the paired AUC. */
export function comparePerformance(tally: Tally, options: OracleOptions): void {
  const { conventions: _, models_test_set: models, score_files: files, paired_auc: paired, ...unknown } = json(options, "performance/expected.json") as Figures;
  for (const [section, value] of Object.entries(unknown)) tally.same(section, "not compared", value);
  for (const [name, row] of cases(models)) {
    if (options.quick && !name.startsWith("breast")) continue;
    guarded(tally, name, () => compareFigures(tally, name, { row, given: [], found: modelFigures(options, name, row), tolerance: () => modelTolerance, absolute: () => modelTolerance }));
  }
  for (const [name, row] of cases(files)) {
    guarded(tally, name, () => {
      const table = csv(options, `performance/${name}.csv`);
      const scored = { positive: Uint8Array.from(table.cells("y"), (cell) => (cell === "1" ? 1 : 0)), scores: numericColumn(table, "p") };
      compareFigures(tally, name, { row, given: [], found: binaryFigures(scored, row) });
    });
  }
  if (isFigures(paired)) guarded(tally, "paired_auc", () => comparePaired(tally, options, paired));
}

function cases(section: unknown): readonly (readonly [string, Figures])[] {
  return Object.entries(isFigures(section) ? section : {}).map(([name, row]) => [name, isFigures(row) ? row : {}]);
}

/**
 * On the reference's own predictions: those of the engine are compared with them under models/, and a score of 0.7 in 32
 * bits lies below the edge of its bin.
 */
function modelFigures(options: OracleOptions, name: string, row: Figures): Figures {
  const table = csv(options, `models/${name}.test_predictions.csv`);
  const target = numericColumn(csv(options, `models/${name}.test.csv`), "target");
  const columns = table.columns.map((column) => numericColumn(table, column));
  const [first = new Float64Array()] = columns;
  if ("mae" in row) return regression(target, first);
  if (columns.length > 2) {
    const scores = Float64Array.from({ length: table.rows * columns.length }, (_, index) => columns[index % columns.length]?.[Math.floor(index / columns.length)] ?? Number.NaN);
    return multiClass({ truth: Uint32Array.from(target), scores, classes: columns.length }, row);
  }
  return binaryFigures({ positive: Uint8Array.from(target), scores: columns.at(-1) ?? first }, row);
}

/** scikit-learn writes 0 for a rate without a denominator, where it does not leave it undefined. */
function orZero(value: number, expected: unknown): number {
  return Number.isNaN(value) && expected === 0 ? 0 : value;
}

function binaryFigures(scored: Scored, row: Figures): Figures {
  const threshold = number(row, "threshold");
  const counts = confusionAt(scored, threshold);
  const rates = confusionFigures(counts);
  const { z, p } = spiegelhalter(scored);
  const line = calibrationLine(scored);
  return {
    n: scored.scores.length,
    positives: counts.tp + counts.fn,
    threshold,
    ...counts,
    accuracy: rates.accuracy,
    balanced_accuracy: rates.balancedAccuracy,
    precision: orZero(rates.precision, row["precision"]),
    recall: orZero(rates.recall, row["recall"]),
    specificity: orZero(rates.specificity, row["specificity"]),
    f1: orZero(rates.f1, row["f1"]),
    mcc: rates.mcc,
    log_loss: mean(logLosses(scored)),
    brier: mean(brierLosses(scored)),
    ...rankFigures(scored, row),
    ...calibrationFigures(scored, row),
    spiegelhalter_z: z,
    spiegelhalter_p: p,
    calibration_intercept: line?.intercept ?? Number.NaN,
    calibration_slope: line?.slope ?? Number.NaN,
    calibration_slope_se: line?.slopeSe ?? Number.NaN,
  };
}

const captured = (row: Figures, pattern: RegExp): readonly string[] => [...new Set(Object.keys(row).flatMap((key) => pattern.exec(key)?.[1] ?? []))];

/** AUC, its intervals, and what is read off the ROC curve; also of attack scores in privacy/. */
export function rankFigures(scored: Scored, row: Figures): Figures {
  const pairs = countPairs(scored.scores, scored.positive);
  const area = auc(pairs);
  const variance = delongVariance(placements(scored.scores, scored.positive));
  const roc = rocOf(scored);
  const intervals = captured(row, /^(?:wald|logit|newcombe_method5)_(\d+)$/u).flatMap((level) => {
    const alpha = (1 - Number(level) / 100) / 2;
    const bounds = { wald: aucWald(area, variance, alpha), logit: aucLogit(area, variance, alpha), newcombe_method5: aucBounds(area, pairs, alpha) };
    return Object.entries(bounds).map(([name, { lower, upper }]) => [`${name}_${level}`, [lower, upper]] as const);
  });
  return {
    auc: area,
    delong_var: variance,
    delong_se: Math.sqrt(variance),
    ...Object.fromEntries(intervals),
    average_precision: averagePrecision(roc),
    ks_separation: separation(roc),
    ...Object.fromEntries(captured(row, /^tpr_at_fpr_le_(.*)$/u).map((limit) => [`tpr_at_fpr_le_${limit}`, tprAtFpr(roc, Number(limit))])),
  };
}

function calibrationFigures(scored: Scored, row: Figures): Figures {
  const binned = captured(row, /^(?:ece|mce|murphy_[a-z]+)_(?:width_|mass_)?(\d+)$/u).flatMap((text) => {
    const count = Number(text);
    const [width, mass] = [widthBins(scored, count), massBins(scored, count)];
    const parts = murphy(width);
    return Object.entries({
      [`ece_width_${text}`]: expectedCalibrationError(width),
      [`mce_width_${text}`]: maximumCalibrationError(width),
      [`ece_mass_${text}`]: expectedCalibrationError(mass),
      [`mce_mass_${text}`]: maximumCalibrationError(mass),
      [`murphy_reliability_${text}`]: parts.reliability,
      [`murphy_resolution_${text}`]: parts.resolution,
    });
  });
  return { ...Object.fromEntries(binned), murphy_uncertainty: murphy(widthBins(scored, 1)).uncertainty };
}

function multiClass(scored: ClassScored, row: Figures): Figures {
  const found = multiClassFigures(scored);
  const binned = captured(row, /^(?:ece|mce)_top_label_width_(\d+)$/u).flatMap((text) => {
    const { ece, mce } = topLabelErrors(scored, Number(text));
    return [[`ece_top_label_width_${text}`, ece], [`mce_top_label_width_${text}`, mce]] as const;
  });
  return {
    n: found.n,
    classes: scored.classes,
    accuracy: found.accuracy,
    balanced_accuracy: found.balancedAccuracy,
    macro_f1: found.macroF1,
    weighted_f1: found.weightedF1,
    mcc: found.mcc,
    cohen_kappa: found.cohenKappa,
    log_loss: found.logLoss,
    brier_multiclass_sum: found.brierSum,
    confusion: found.confusion,
    macro_ovr_auc: found.macroOvrAuc,
    macro_ovo_auc: found.macroOvoAuc,
    ...Object.fromEntries(binned),
  };
}

function regression(truth: Float64Array, predicted: Float64Array): Figures {
  const found = regressionFigures(truth, predicted);
  return {
    n: found.n,
    mae: found.mae,
    mse: found.mse,
    rmse: found.rmse,
    r2: found.r2,
    median_absolute_error: found.medianAbsoluteError,
    max_error: found.maxError,
    mape: found.mape,
    mean_residual: found.meanResidual,
    residual_sd_sample: found.residualSd,
    pearson: found.pearson,
    spearman: found.spearman,
  };
}

function comparePaired(tally: Tally, options: OracleOptions, row: Figures): void {
  const table = csv(options, "performance/two_models.csv");
  const positive = Uint8Array.from(table.cells("y"), (cell) => (cell === "1" ? 1 : 0));
  const paired = pairedDelong(placements(numericColumn(table, "a"), positive), placements(numericColumn(table, "b"), positive));
  compareFigures(tally, "paired_auc", {
    row,
    given: [],
    found: { auc_a: paired.first, auc_b: paired.second, difference: paired.difference, se: paired.se, z: paired.difference / paired.se, p_two_sided: pairedDelongP(paired) },
  });
}
