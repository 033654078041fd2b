import { type Matrix, scaled, scalingOf, stack, takeRows } from "../linear/matrix.ts";
import type { PairCounts } from "../stats/auc.ts";
import { permutation, type Random, randomFrom } from "../stats/random.ts";
import { decideAuc } from "../verdict/decide-rate.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { rounded, withheld } from "../verdict/settle.ts";
import { domainClassifierPairs, type DomainFeatures } from "./domain-classifier.ts";
import { energyStatistic, medianKernel, pairDistances, sumPairs, unbiasedMmd2 } from "./pair-distances.ts";

export interface MultivariateOptions {
  readonly seed: string;
  /** Rows of each side that enter the distances, whose number grows with the square. Default 500. */
  readonly rowsMax?: number;
  /** Rows of each side that enter the classifier. Default 5000. */
  readonly classifierRowsMax?: number;
  /** Default 999. */
  readonly permutations?: number;
  /** `quadratic` also sees changed correlations and variances. Default: quadratic up to 12 columns. */
  readonly features?: DomainFeatures;
}

export interface MultivariateDriftStatistics {
  readonly kind: "drift.multivariate";
  readonly columns: readonly string[];
  readonly rows: { readonly reference: number; readonly current: number };
  readonly energy: { readonly statistic: number; readonly p: number } | null;
  readonly mmd2: { readonly statistic: number; readonly p: number; readonly median: number } | null;
  /** Pairs of one current and one reference row that a cross-validated classifier puts in order. */
  readonly classifier: PairCounts | null;
  readonly features: DomainFeatures;
  readonly degenerate: boolean;
  readonly notes: readonly string[];
}

const quadraticColumnsMax = 12;
/** Fewer rows than this on a side leave nothing to hold out. */
const rowsMin = 20;

/**
 * `drift.multivariate`: can current rows be told from reference rows, all columns together? Energy statistic and
 * unbiased MMD with permutation p-values, and the AUC of a cross-validated logistic classifier.
 * Rows with a missing value are left out; columns are scaled by the reference. Sources: Székely & Rizzo 2004;
 * Gretton et al. 2012; Phipson & Smyth 2010; Lopez-Paz & Oquab 2017 (classifier two-sample test).
 */
export function measureMultivariateDrift(names: readonly string[], data: { reference: Matrix; current: Matrix }, options: MultivariateOptions): MultivariateDriftStatistics {
  const random = randomFrom(`${options.seed}/multivariate`);
  const [reference, current] = [complete(data.reference), complete(data.current)];
  const features = options.features ?? (names.length <= quadraticColumnsMax ? "quadratic" : "linear");
  const rows = { reference: reference.rows, current: current.rows };
  const left = data.reference.rows + data.current.rows - rows.reference - rows.current;
  const incomplete = left > 0 ? [`${left} rows with a missing value are left out`] : [];
  if (Math.min(rows.reference, rows.current) < rowsMin) {
    return { kind: "drift.multivariate", columns: names, rows, energy: null, mmd2: null, classifier: null, features, degenerate: false, notes: [...incomplete, `fewer than ${rowsMin} complete rows on one side`] };
  }
  const scaling = scalingOf(reference);
  const sides = (most: number): Sides => ({ reference: scaled(sample(reference, most, random), scaling), current: scaled(sample(current, most, random), scaling) });
  const distances = measureDistances(sides(options.rowsMax ?? 500), options.permutations ?? 999, random);
  const classifier = domainClassifierPairs(sides(options.classifierRowsMax ?? 5000), { features, random });
  return { kind: "drift.multivariate", columns: names, rows, ...distances, classifier, features, notes: incomplete };
}

interface Sides {
  readonly reference: Matrix;
  readonly current: Matrix;
}

function measureDistances({ reference, current }: Sides, permutations: number, random: Random): Pick<MultivariateDriftStatistics, "energy" | "mmd2" | "degenerate"> {
  const [n, m] = [reference.rows, current.rows];
  const distances = pairDistances(stack(reference, current));
  const { kernel, median } = medianKernel(distances);
  const labels = new Uint8Array(n + m).fill(1, n);
  const figures = (second: Uint8Array) => [energyStatistic(sumPairs(distances, second), n, m), unbiasedMmd2(sumPairs(kernel, second), n, m)] as const;
  const [energy, mmd2] = figures(labels);
  const reached = [0, 0] as [number, number];
  for (let round = 0; round < permutations; round += 1) {
    random.permute(labels);
    const [drawnEnergy, drawnMmd2] = figures(labels);
    if (drawnEnergy >= energy - 1e-12) reached[0] += 1;
    if (drawnMmd2 >= mmd2 - 1e-12) reached[1] += 1;
  }
  const p = (count: number) => round12((1 + count) / (1 + permutations));
  return {
    energy: { statistic: round12(energy), p: p(reached[0]) },
    mmd2: { statistic: round12(mmd2), p: p(reached[1]), median: round12(median) },
    degenerate: distances.every((distance) => distance === 0),
  };
}

/** Rows without a missing value. */
function complete(source: Matrix): Matrix {
  const rows: number[] = [];
  for (let row = 0; row < source.rows; row += 1) {
    if (source.values.subarray(row * source.columns, (row + 1) * source.columns).every(Number.isFinite)) rows.push(row);
  }
  return rows.length === source.rows ? source : takeRows(source, rows);
}

function sample(source: Matrix, most: number, random: Random): Matrix {
  return source.rows <= most ? source : takeRows(source, permutation(random, source.rows).subarray(0, most));
}

/** Pass when the classifier's AUC surely stays at or below the limit (Newcombe 2006, method 5). */
export function decideMultivariateDrift({ classifier, degenerate }: Pick<MultivariateDriftStatistics, "classifier" | "degenerate">, limit: Limit): Outcome {
  if (classifier === null || classifier.positives === 0 || classifier.negatives === 0) return silent("too_few");
  const outcome = rounded(decideAuc(classifier, limit));
  return !degenerate || outcome.verdict === "fail" ? outcome : withheld(outcome, "degenerate");
}
