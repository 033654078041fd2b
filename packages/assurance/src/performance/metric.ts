import { countPairs } from "../stats/auc.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import { replicatesDefault, resample, type Resampled, resampledBounds, type Statistic } from "../stats/resample.ts";
import { decideAuc, decideRate, type RateCounts } from "../verdict/decide-rate.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { contradicted, type Evidence, isRate as isRateCount, settle, unusable } from "../verdict/settle.ts";
import { type Answered, answeredAt, finiteAnswers, predictedPositive, rightRows, scoredOf } from "./answered.ts";
import { confusionFigures } from "./confusion.ts";
import { brierLosses, logLosses, wrongLogLoss } from "./losses.ts";
import { isRange, type MeanFigure, meanBounds, meanFigure, meanMethod, meanRowsMin, meanRowsNeeded, rowsNeeded, type Sampling } from "./mean-figure.ts";
import { averagePrecision, rocOf } from "./roc.ts";
import { requireEqual, type Scored } from "./scored.ts";

/** More rows are not resampled. */
const resampledRowsMax = 20_000;

export type RateMetric = "accuracy" | "recall" | "precision" | "specificity";
export type LossMetric = "log_loss" | "brier";
export type TableMetric = "f1" | "mcc" | "balanced_accuracy" | "average_precision";
export type BinaryMetric = RateMetric | LossMetric | TableMetric | "auc";

/** What a metric's verdict is derived from. */
export type MetricStatistics = Evidence & { readonly metric: string } & (
    | { readonly kind: "rate"; readonly events: number; readonly n: number }
    | { readonly kind: "auc"; readonly wins: number; readonly ties: number; readonly positives: number; readonly negatives: number }
    | { readonly kind: "mean"; readonly figure: MeanFigure }
    | { readonly kind: "resampled"; readonly estimate: number | null; readonly n: number; readonly resampled: Resampled | null }
  );

export interface MetricOptions extends Sampling {
  readonly metric: BinaryMetric;
  /** Positive is predicted where score >= threshold. Default 0.5. */
  readonly threshold?: number;
}

type Trial = (truth: boolean, answered: boolean) => boolean;

/** Of which rows a rate is taken, and which of them count. Accuracy is right answers, of however many classes. */
const ratesOf: Readonly<Record<Exclude<RateMetric, "accuracy">, { readonly among: Trial; readonly counted: Trial }>> = {
  recall: { among: (truth) => truth, counted: (_, answered) => answered },
  precision: { among: (_, answered) => answered, counted: (truth) => truth },
  specificity: { among: (truth) => !truth, counted: (_, answered) => !answered },
};

/**
 * `perf.metric` of a model's answers. Rows without a finite score are not assessed. Rates keep their counts, the AUC its
 * pairs, losses the moments of their rows with a bootstrap, the rest a bootstrap.
 */
export function measureAnswered(all: Answered, options: Omit<MetricOptions, "threshold">): MetricStatistics {
  const answered = finiteAnswers(all);
  const { metric } = options;
  const evidence = { metric, attempted: all.scores.length, assessed: answered.scores.length };
  const scored = scoredOf(answered);
  if (metric === "auc") {
    const pairs = countPairs(scored.scores, scored.positive);
    return { ...evidence, degenerate: constant(scored.scores) ? "constant_predictions" : null, kind: "auc", ...pairs };
  }
  if (metric === "log_loss" || metric === "brier") {
    const losses = metric === "brier" ? brierLosses(scored) : logLosses(scored);
    const possible = { floor: 0, ceiling: metric === "brier" ? 1 : wrongLogLoss(scored) };
    return { ...evidence, degenerate: constant(scored.positive) ? "one_class" : null, kind: "mean", figure: meanFigure(losses, { ...options, possible }) };
  }
  const predicted = predictedPositive(answered);
  if (metric === "accuracy") return { ...evidence, degenerate: unvaried(answered.answer, answered.target), kind: "rate", events: count(rightRows(answered)), n: scored.scores.length };
  const degenerate = unvaried(predicted, scored.positive);
  if (isRate(metric)) return { ...evidence, degenerate, kind: "rate", ...rateOf(scored.positive, predicted, ratesOf[metric]) };
  const statistic = metric === "average_precision" ? (rows: Uint32Array) => averagePrecision(rocOf(pick(scored, rows))) : tableStatistic(scored.positive, predicted, metric);
  const measured = measureResampled(scored.scores.length, { ...options, statistic });
  return { ...measured, ...evidence, degenerate };
}

/** The same of a two-class model's scores. */
export function measureMetric(all: Scored, { threshold, ...options }: MetricOptions): MetricStatistics {
  requireEqual({ ...all });
  return measureAnswered(answeredAt(all, threshold), options);
}

function rateOf(positive: Uint8Array, predicted: Uint8Array, { among, counted }: (typeof ratesOf)["recall"]): RateCounts {
  let [events, n] = [0, 0];
  for (let row = 0; row < positive.length; row += 1) {
    const [truth, answered] = [positive[row] === 1, predicted[row] === 1];
    if (!among(truth, answered)) continue;
    n += 1;
    if (counted(truth, answered)) events += 1;
  }
  return { events, n };
}

function count(flags: Uint8Array): number {
  return flags.reduce((sum, flag) => sum + flag, 0);
}

/** One answer for every row, or one true class. */
function unvaried(answers: ArrayLike<number>, targets: ArrayLike<number>): Evidence["degenerate"] {
  if (constant(answers)) return "constant_predictions";
  return constant(targets) ? "one_class" : null;
}

/** A loss of regression: per-row figures such as absolute or squared errors; NaN where there is no answer. */
export function measureMean(values: Float64Array, options: Sampling & { readonly metric: string }): MetricStatistics {
  const assessed = values.filter((value) => Number.isFinite(value));
  return { metric: options.metric, attempted: values.length, assessed: assessed.length, degenerate: null, kind: "mean", figure: meanFigure(assessed, options) };
}

/**
 * A figure over rows, such as R²: bootstrapped with BCa. Of more than 20,000 rows a random 20,000 are used, for estimate
 * and interval: resampling a million rows two thousand times takes hours and decides nothing that these do not.
 */
export function measureResampled(assessed: number, options: Sampling & { readonly metric: string; readonly statistic: Statistic; readonly replicates?: number }): MetricStatistics {
  const random = randomFrom(options.seed);
  const rows = assessed > resampledRowsMax ? permutation(random, assessed).subarray(0, resampledRowsMax) : undefined;
  const statistic = rows === undefined ? options.statistic : (places: Uint32Array) => options.statistic(places.map((place) => rows[place] ?? 0));
  const n = rows?.length ?? assessed;
  const estimate = statistic(Uint32Array.from({ length: n }, (_, row) => row));
  const resampled = n < meanRowsMin ? undefined : resample(n, statistic, { random, alpha: options.alpha, replicates: options.replicates ?? replicatesDefault });
  return { metric: options.metric, attempted: assessed, assessed, degenerate: null, kind: "resampled", estimate: Number.isFinite(estimate) ? round12(estimate) : null, n, resampled: resampled ?? null };
}

/**
 * The verdict on a metric against a limit of either direction: rates by Clopper-Pearson, the AUC by Newcombe's method 5,
 * means by the widest of Hall's skewness-corrected bounds, BCa and what unseen rows could add, the rest by BCa. A bootstrap of another alpha than the
 * limit's is no evidence.
 */
export function decideMetric(statistics: MetricStatistics, limit: Limit): Outcome {
  return unusable(limit) ?? contradicted(consistent(statistics)) ?? settle(outcomeOf(statistics, limit), statistics);
}

function consistent(statistics: MetricStatistics): boolean {
  const { assessed } = statistics;
  switch (statistics.kind) {
    case "rate":
      return isRateCount(statistics.events, statistics.n) && statistics.n <= assessed;
    case "auc":
      return isRateCount(statistics.wins + statistics.ties, statistics.positives * statistics.negatives) && statistics.positives + statistics.negatives === assessed;
    case "mean":
      return statistics.figure.moments.n === assessed && isRange(statistics.figure);
    case "resampled":
      return statistics.n === Math.min(assessed, resampledRowsMax);
    default:
      return false;
  }
}

function outcomeOf(statistics: MetricStatistics, limit: Limit): Outcome {
  switch (statistics.kind) {
    case "rate":
      return decideRate(statistics, limit);
    case "auc":
      return decideAuc(statistics, limit);
    case "mean":
      return decideMean(statistics.figure, limit);
    case "resampled":
      return decideResampledMetric(statistics, limit);
    default:
      return silent("tool_error");
  }
}

/** A mean against a limit; also of paired differences. */
export function decideMean(figure: MeanFigure, limit: Limit): Outcome {
  const { n, mean, sd } = figure.moments;
  if (n < meanRowsMin) return { ...silent("too_few"), ...(n > 0 && { estimate: mean }), requiredN: meanRowsMin };
  if (!(sd > 0)) return { ...silent("degenerate"), estimate: mean };
  const bounds = meanBounds(figure, limit.alpha);
  if (bounds === undefined) return { ...silent("inconsistent_import"), estimate: mean };
  return compared({ method: meanMethod(figure), estimate: mean, bounds, limit }, () => meanRowsNeeded(figure, limit));
}

function decideResampledMetric({ estimate, n, resampled }: Extract<MetricStatistics, { kind: "resampled" }>, limit: Limit): Outcome {
  if (estimate === null) return silent("undefined_denominator");
  if (resampled === null) return { ...silent(n < meanRowsMin ? "too_few" : "degenerate"), estimate };
  if (resampled.alpha !== limit.alpha) return { ...silent("inconsistent_import"), estimate };
  const bounds = resampledBounds(resampled);
  if (!(bounds.upper > bounds.lower)) return { ...silent("degenerate"), estimate };
  const sd = ((bounds.upper - bounds.lower) / 2 / 1.645) * Math.sqrt(n);
  return compared({ method: "bca", estimate, bounds, limit }, () => rowsNeeded(sd, estimate - limit.value, limit.alpha));
}

function isRate(metric: RateMetric | TableMetric): metric is keyof typeof ratesOf {
  return Object.hasOwn(ratesOf, metric);
}

/** Rows are one of four cells, so a resample needs their counts only. */
function tableStatistic(positive: Uint8Array, predicted: Uint8Array, metric: Exclude<TableMetric, "average_precision">): Statistic {
  const cells = positive.map((label, row) => 2 * label + (predicted[row] ?? 0));
  const key = metric === "balanced_accuracy" ? "balancedAccuracy" : metric;
  const counts = new Uint32Array(4);
  return (rows) => {
    counts.fill(0);
    for (let index = 0; index < rows.length; index += 1) {
      const cell = cells[rows[index] ?? 0] ?? 0;
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
    const [tn = 0, fp = 0, fn = 0, tp = 0] = counts;
    return confusionFigures({ tp, fp, fn, tn })[key];
  };
}

function pick({ positive, scores }: Scored, rows: Uint32Array): Scored {
  return { positive: Uint8Array.from(rows, (row) => positive[row] ?? 0), scores: Float64Array.from(rows, (row) => scores[row] ?? 0) };
}

function constant(values: ArrayLike<number>): boolean {
  for (let index = 1; index < values.length; index += 1) if (values[index] !== values[0]) return false;
  return values.length > 0;
}
