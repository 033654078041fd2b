import { pairedAucBounds, pairedDelong, placements } from "../stats/delong.ts";
import { mcnemarExact } from "../stats/mcnemar.ts";
import { normalQuantile } from "../stats/normal.ts";
import { pairedDifference, pairedDifferenceMethod } from "../stats/paired-difference.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { isRange, type MeanFigure, meanFigure, rowsNeeded, type Sampling } from "./mean-figure.ts";
import { decideMean } from "./metric.ts";
import { requireEqual } from "./scored.ts";
import { contradicted, type Evidence, isRate, settle, unusable } from "../verdict/settle.ts";

/** The normal interval of a paired AUC needs this many rows of either class. */
const classRowsMin = 30;

/**
 * Champion against challenger on the same rows. The loss is how much worse the challenger is, in the metric's own unit:
 * positive is worse.
 */
export type NoninferiorStatistics = Evidence & { readonly metric: string; readonly notes: readonly string[] } & (
    | { readonly kind: "paired-rate"; readonly onlyChampion: number; readonly onlyChallenger: number; readonly n: number }
    | { readonly kind: "paired-auc"; readonly champion: number; readonly challenger: number; readonly se: number; readonly correlation: number; readonly positives: number; readonly negatives: number }
    | { readonly kind: "paired-mean"; readonly figure: MeanFigure }
  );

/**
 * For rates such as accuracy: which rows each model gets right (1) or wrong (0). A row counts when both answered: 255
 * marks a row without an answer.
 */
export function measurePairedRate(championRight: Uint8Array, challengerRight: Uint8Array, options: { readonly metric: string }): NoninferiorStatistics {
  requireEqual({ champion: championRight, challenger: challengerRight });
  let [n, onlyChampion, onlyChallenger] = [0, 0, 0];
  for (let row = 0; row < championRight.length; row += 1) {
    const [first, second] = [championRight[row] ?? 255, challengerRight[row] ?? 255];
    if (first > 1 || second > 1) continue;
    n += 1;
    if (first > second) onlyChampion += 1;
    else if (second > first) onlyChallenger += 1;
  }
  const p = mcnemarExact({ onlyFirst: onlyChampion, onlySecond: onlyChallenger });
  const notes = [`only the champion is right on ${onlyChampion} rows, only the challenger on ${onlyChallenger}; exact McNemar p ${p.toPrecision(3)}`];
  return { metric: options.metric, attempted: championRight.length, assessed: n, degenerate: null, notes, kind: "paired-rate", onlyChampion, onlyChallenger, n };
}

/** Scores of both models on the same rows; rows where either score is no number are not assessed. */
export function measurePairedAuc(positive: Uint8Array, scores: { readonly champion: Float64Array; readonly challenger: Float64Array }): NoninferiorStatistics {
  requireEqual({ positive, champion: scores.champion, challenger: scores.challenger });
  const kept = Uint32Array.from(positive.keys()).filter((row) => Number.isFinite(scores.champion[row]) && Number.isFinite(scores.challenger[row]));
  const labels = Uint8Array.from(kept, (row) => positive[row] ?? 0);
  const column = (values: Float64Array) => placements(Float64Array.from(kept, (row) => values[row] ?? 0), labels);
  const paired = pairedDelong(column(scores.champion), column(scores.challenger));
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const finite = (value: number) => (Number.isFinite(value) ? round12(value) : 0);
  return {
    metric: "auc",
    attempted: positive.length,
    assessed: kept.length,
    degenerate: null,
    notes: [],
    kind: "paired-auc",
    champion: finite(paired.first),
    challenger: finite(paired.second),
    se: finite(paired.se),
    correlation: finite(paired.correlation),
    positives,
    negatives: kept.length - positives,
  };
}

/** Losses of both models on the same rows (errors, log losses, Brier scores): smaller is better. */
export function measurePairedMean(champion: Float64Array, challenger: Float64Array, options: Sampling & { readonly metric: string }): NoninferiorStatistics {
  requireEqual({ champion, challenger });
  const differences = challenger.map((loss, row) => loss - (champion[row] ?? Number.NaN)).filter((loss) => Number.isFinite(loss));
  return { metric: options.metric, attempted: champion.length, assessed: differences.length, degenerate: null, notes: [], kind: "paired-mean", figure: meanFigure(differences, { ...options, ...(options.metric === "brier" && { possible: { floor: -1, ceiling: 1 } }) }) };
}

/**
 * `perf.noninferior`: passes when the upper bound of the loss is at most the margin. Rates by the wider of Tango's
 * paired score interval and MOVER, AUC by the wider of paired DeLong and MOVER, means as in `decideMetric`. The limit's op is `<=`.
 */
export function decideNoninferior(statistics: NoninferiorStatistics, limit: Limit): Outcome {
  const bad = unusable(limit) ?? (limit.op === "<=" ? undefined : silent("inconsistent_import"));
  return bad ?? contradicted(consistent(statistics)) ?? settle(outcomeOf(statistics, limit), statistics);
}

function consistent(statistics: NoninferiorStatistics): boolean {
  if (statistics.kind === "paired-mean") return statistics.figure.moments.n === statistics.assessed && isRange(statistics.figure);
  if (statistics.kind === "paired-auc") {
    const { champion, challenger, correlation, se, positives, negatives } = statistics;
    return [champion, challenger].every((area) => area >= 0 && area <= 1) && Math.abs(correlation) <= 1 && se >= 0 && positives + negatives === statistics.assessed;
  }
  return isRate(statistics.onlyChampion, statistics.n) && isRate(statistics.onlyChallenger, statistics.n - statistics.onlyChampion) && statistics.n === statistics.assessed;
}

function outcomeOf(statistics: NoninferiorStatistics, limit: Limit): Outcome {
  if (statistics.kind === "paired-mean") return decideMean(statistics.figure, limit);
  return statistics.kind === "paired-rate" ? decidePairedRate(statistics, limit) : decidePairedAuc(statistics, limit);
}

function decidePairedRate({ onlyChampion, onlyChallenger, n }: Extract<NoninferiorStatistics, { kind: "paired-rate" }>, limit: Limit): Outcome {
  if (n === 0) return silent("too_few");
  const estimate = (onlyChampion - onlyChallenger) / n;
  const bounds = pairedDifference({ onlyFirst: onlyChampion, onlySecond: onlyChallenger, n }, limit.alpha);
  const sd = Math.sqrt(Math.max((onlyChampion + onlyChallenger + 1) / n - estimate ** 2, 0));
  return compared({ method: pairedDifferenceMethod, estimate, bounds, limit }, () => rowsNeeded(sd, estimate - limit.value, limit.alpha));
}

function decidePairedAuc(statistics: Extract<NoninferiorStatistics, { kind: "paired-auc" }>, limit: Limit): Outcome {
  const { champion, challenger, se, correlation, positives, negatives } = statistics;
  if (positives === 0 || negatives === 0) return silent("undefined_denominator");
  const estimate = champion - challenger;
  if (positives < classRowsMin || negatives < classRowsMin) return { ...silent("too_few"), estimate, requiredN: scaledRows({ positives, negatives }) };
  if (!(se > 0)) return { ...silent("degenerate"), estimate };
  const bounds = pairedAucBounds({ first: champion, second: challenger, se, correlation }, { positives, negatives }, limit.alpha);
  const reach = estimate <= limit.value ? bounds.upper - estimate : estimate - bounds.lower;
  const sd = (reach / normalQuantile(1 - limit.alpha)) * Math.sqrt(positives + negatives);
  return compared({ method: "delong-1988-paired+mover", estimate, bounds, limit }, () => rowsNeeded(sd, estimate - limit.value, limit.alpha));
}

/** Rows in today's proportions with enough of the rarer class. */
function scaledRows({ positives, negatives }: { readonly positives: number; readonly negatives: number }): number {
  return Math.ceil((classRowsMin / Math.min(positives, negatives)) * (positives + negatives));
}
