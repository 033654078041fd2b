import { rounded } from "../verdict/settle.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { trialsNeeded } from "../stats/sample-size.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { confidentJoint, type LabelledProbabilities } from "./confident-joint.ts";
import { findLabelIssues } from "./label-issues.ts";
import { selfConfidence } from "./label-quality.ts";

/** Rows to be judged by a person, from two strata: the most suspect rows, and all others. */
export interface AdjudicationPlan {
  readonly suspects: number;
  readonly rest: number;
  /** Rows (from 0) drawn at random from each stratum. */
  readonly drawnSuspects: readonly number[];
  readonly drawnRest: readonly number[];
}

/**
 * Draws the sample that people judge: `size` rows, half from the suspect rows of confident learning and half from the
 * rest, each half at random. What the ranking is worth then only decides how many rows it takes, not the answer.
 */
export function planAdjudication(data: LabelledProbabilities, options: { size: number; seed: string }): AdjudicationPlan {
  const suspects = findLabelIssues(data, "prune_by_noise_rate");
  const marked = new Set(suspects);
  const rest = [...data.labels.keys()].filter((row) => !marked.has(row));
  const random = randomFrom(`${options.seed}/adjudication`);
  const draw = (rows: readonly number[], count: number) => Array.from(permutation(random, rows.length).subarray(0, count), (index) => rows[index] ?? 0).sort((a, b) => a - b);
  const half = Math.min(suspects.length, Math.floor(options.size / 2));
  return { suspects: suspects.length, rest: rest.length, drawnSuspects: draw(suspects, half), drawnRest: draw(rest, Math.min(rest.length, options.size - half)) };
}

/** What people found in one stratum of `size` rows. */
export interface AdjudicatedStratum {
  readonly size: number;
  readonly judged: number;
  readonly wrong: number;
}

export interface LabelNoiseStatistics {
  readonly kind: "data.labels.noise";
  readonly rows: number;
  /** What confident learning alone would say; advisory. */
  readonly estimatedNoise: number | null;
  readonly suspects: number;
  /** Empty until people have judged a sample. */
  readonly strata: readonly AdjudicatedStratum[];
  readonly notes: readonly string[];
}

/**
 * `data.labels.noise`: confident learning ranks the rows; the gate counts only what people found in a random sample.
 * Source: Northcutt, Jiang & Chuang 2021; Horvitz & Thompson 1952 for the rate.
 */
export function measureLabelNoise(data: LabelledProbabilities, strata: readonly AdjudicatedStratum[] = []): LabelNoiseStatistics {
  const rows = data.labels.length;
  const suspects = rows === 0 ? [] : findLabelIssues(data, "prune_by_noise_rate");
  const confidence = selfConfidence(data);
  const worst = suspects.toSorted((a, b) => (confidence[a] ?? 0) - (confidence[b] ?? 0)).slice(0, 10);
  const notes = [
    `${suspects.length} of ${rows} labels are suspect`,
    ...(worst.length === 0 ? [] : [`look first at rows ${worst.map((row) => row + 1).join(", ")}`]),
    ...(strata.length === 0 ? ["no sample has been judged by people: the estimate alone supports no verdict"] : []),
  ];
  return { kind: "data.labels.noise", rows, estimatedNoise: rows === 0 ? null : round12(confidentJoint(data).noiseRate), suspects: suspects.length, strata, notes };
}

/**
 * Bounds on the rate of wrong labels over all rows: the Horvitz-Thompson sum of exact bounds per stratum, alpha split
 * over the strata. One stratum gives plain Clopper-Pearson. A stratum nobody judged bounds nothing.
 */
export function decideLabelNoise({ strata }: Pick<LabelNoiseStatistics, "strata">, limit: Limit): Outcome {
  const used = strata.filter(({ size }) => size > 0);
  const all = used.reduce((sum, { size }) => sum + size, 0);
  const judged = used.reduce((sum, stratum) => sum + stratum.judged, 0);
  if (judged === 0) return silent("too_few");
  if (used.some((stratum) => stratum.wrong > stratum.judged || stratum.judged > stratum.size)) return silent("inconsistent_import");
  const alpha = limit.alpha / used.length;
  const weighted = (figure: (stratum: AdjudicatedStratum) => number) => used.reduce((sum, stratum) => sum + (stratum.size / all) * figure(stratum), 0);
  const bounds = {
    lower: weighted(({ judged: n, wrong }) => clopperPearson(wrong, n, alpha).lower),
    upper: weighted(({ judged: n, wrong }) => clopperPearson(wrong, n, alpha).upper),
  };
  const estimate = weighted(({ judged: n, wrong }) => (n === 0 ? 0.5 : wrong / n));
  const outcome = compared({ method: "horvitz-thompson-clopper-pearson", estimate, bounds, limit }, () => trialsNeeded(estimate, limit.value, alpha));
  return rounded(outcome);
}
