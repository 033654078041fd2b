import { placements } from "../stats/delong.ts";
import { type CalibrationBin, expectedCalibrationError, maximumCalibrationError, widthBins } from "./calibration-bins.ts";

/** Probabilities are kept this far from 0 and 1; scikit-learn's figure. */
const epsilon = 1e-15;

/** Rows with a true class and one probability per class, as a matrix in rows. */
export interface ClassScored {
  /** Index of the true class. */
  readonly truth: Uint32Array;
  /** `scores[row * classes + class]` */
  readonly scores: Float64Array;
  readonly classes: number;
}

export interface MultiClassFigures {
  readonly n: number;
  /** Rows are true classes, columns answered ones. */
  readonly confusion: readonly (readonly number[])[];
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  readonly macroF1: number;
  readonly weightedF1: number;
  readonly mcc: number;
  readonly cohenKappa: number;
  readonly logLoss: number;
  readonly brierSum: number;
  /** Mean over classes of one against the rest; NaN when a class does not occur. */
  readonly macroOvrAuc: number;
  /** Hand & Till 2001: mean over pairs of classes. */
  readonly macroOvoAuc: number;
}

/** The answer is the class of the largest score, the first of equals. Source: scikit-learn's definitions. */
export function answers({ scores, classes }: ClassScored): Uint32Array {
  return Uint32Array.from({ length: scores.length / classes }, (_, row) => {
    let best = 0;
    for (let index = 1; index < classes; index += 1) {
      if ((scores[row * classes + index] ?? 0) > (scores[row * classes + best] ?? 0)) best = index;
    }
    return best;
  });
}

export function multiClassFigures(scored: ClassScored): MultiClassFigures {
  const { truth, classes } = scored;
  const table = new Float64Array(classes * classes);
  for (const [row, answer] of answers(scored).entries()) {
    const cell = (truth[row] ?? 0) * classes + answer;
    table[cell] = (table[cell] ?? 0) + 1;
  }
  const confusion = Array.from({ length: classes }, (_, row) => [...table.subarray(row * classes, (row + 1) * classes)]);
  return { n: truth.length, confusion, ...tableFigures(confusion), ...probabilityFigures(scored), ...aucs(scored) };
}

/** Bins of the probability of the answer, with events where the answer is right. */
export function topLabelBins(scored: ClassScored, bins: number): readonly CalibrationBin[] {
  const answered = answers(scored);
  return widthBins(
    {
      positive: Uint8Array.from(answered, (answer, row) => (scored.truth[row] === answer ? 1 : 0)),
      scores: Float64Array.from(answered, (answer, row) => scored.scores[row * scored.classes + answer] ?? 0),
    },
    bins,
  );
}

export function topLabelErrors(scored: ClassScored, bins: number): { readonly ece: number; readonly mce: number } {
  const found = topLabelBins(scored, bins);
  return { ece: expectedCalibrationError(found), mce: maximumCalibrationError(found) };
}

type TableFigures = Pick<MultiClassFigures, "accuracy" | "balancedAccuracy" | "macroF1" | "weightedF1" | "mcc" | "cohenKappa">;

function tableFigures(confusion: readonly (readonly number[])[]): TableFigures {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const truths = confusion.map(sum);
  const answered = truths.map((_, column) => sum(confusion.map((row) => row[column] ?? 0)));
  const n = sum(truths);
  const right = confusion.map((row, index) => row[index] ?? 0);
  const used = truths.flatMap((count, index) => (count + (answered[index] ?? 0) > 0 ? [index] : []));
  const present = used.filter((index) => (truths[index] ?? 0) > 0);
  const f1 = (index: number) => (2 * (right[index] ?? 0)) / ((truths[index] ?? 0) + (answered[index] ?? 0));
  const chance = sum(used.map((index) => (truths[index] ?? 0) * (answered[index] ?? 0)));
  const spread = (counts: readonly number[]) => n * n - sum(counts.map((count) => count * count));
  const scale = Math.sqrt(spread(truths) * spread(answered));
  const hits = sum(right);
  return {
    accuracy: hits / n,
    balancedAccuracy: sum(present.map((index) => (right[index] ?? 0) / (truths[index] ?? 1))) / present.length,
    macroF1: sum(used.map(f1)) / used.length,
    weightedF1: sum(present.map((index) => (f1(index) * (truths[index] ?? 0)) / n)),
    mcc: scale === 0 ? 0 : (hits * n - chance) / scale,
    cohenKappa: (hits / n - chance / (n * n)) / (1 - chance / (n * n)),
  };
}

function probabilityFigures({ truth, scores, classes }: ClassScored): Pick<MultiClassFigures, "logLoss" | "brierSum"> {
  let [logLoss, brierSum] = [0, 0];
  for (const [row, actual] of truth.entries()) {
    let total = 0;
    for (let index = 0; index < classes; index += 1) {
      const p = scores[row * classes + index] ?? 0;
      total += Math.min(1 - epsilon, Math.max(epsilon, p));
      brierSum += (p - (index === actual ? 1 : 0)) ** 2;
    }
    const p = Math.min(1 - epsilon, Math.max(epsilon, scores[row * classes + actual] ?? 0));
    logLoss -= Math.log(p / total);
  }
  return { logLoss: logLoss / truth.length, brierSum: brierSum / truth.length };
}

function aucs(scored: ClassScored): Pick<MultiClassFigures, "macroOvrAuc" | "macroOvoAuc"> {
  const { truth, classes } = scored;
  const all = Array.from({ length: classes }, (_, index) => index);
  const against = (positive: number, rows: Uint32Array) => aucOf(scored, positive, rows);
  const rows = Uint32Array.from(truth.keys());
  const ovr = all.map((index) => against(index, rows));
  const ovo = all.flatMap((first) =>
    all.slice(first + 1).map((second) => {
      const pair = rows.filter((row) => truth[row] === first || truth[row] === second);
      return (against(first, pair) + against(second, pair)) / 2;
    }),
  );
  const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { macroOvrAuc: average(ovr), macroOvoAuc: average(ovo) };
}

function aucOf({ truth, scores, classes }: ClassScored, positive: number, rows: Uint32Array): number {
  const column = Float64Array.from(rows, (row) => scores[row * classes + positive] ?? 0);
  return placements(column, Uint8Array.from(rows, (row) => (truth[row] === positive ? 1 : 0))).auc;
}
