import type { CheckBasis, CheckResult } from "@licet/contract";
import { auc, aucBounds } from "../stats/auc.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { aucFactor, trialsNeeded } from "../stats/sample-size.ts";
import { decideDifferences } from "./differences.ts";
import { compared, type Counts, type Interval, type Limit, type Outcome, silent } from "./outcome.ts";
import { round12 } from "./round.ts";

/** Above this share of rows without an answer, nothing is said about the rest. */
const unassessedShareMax = 0.05;

/**
 * The verdict calculus: pass only when the one-sided bound lies on the right side of the limit, fail only when the
 * opposite bound lies on the wrong side, insufficient evidence otherwise. No rows, no denominator, no variation and
 * too many rows without an answer are never a pass.
 */
export function decideCounts(basis: CheckBasis, limit: Limit, counts: Counts): Outcome {
  return underRules(outcomeOf(basis, limit), basis, counts);
}

/** The rules that hold for every verdict, whatever it follows from. */
export function underRules(raw: Outcome, basis: CheckBasis, counts: Counts): Outcome {
  const outcome: Outcome = { ...raw, estimate: rounded(raw.estimate), interval: roundedInterval(raw.interval) };
  if (counts.attempted === 0) return withheld(outcome, "too_few");
  if (counts.unassessed > unassessedShareMax * counts.attempted) return withheld(outcome, "unassessed_budget");
  const degenerate = "degenerate" in basis && basis.degenerate !== null;
  return degenerate && outcome.verdict !== "fail" ? withheld(outcome, "degenerate") : outcome;
}

function outcomeOf(basis: CheckBasis, limit: Limit): Outcome {
  switch (basis.kind) {
    case "none":
      return silent(basis.reason);
    case "census":
      return decideCensus(basis, limit);
    case "columns":
      return decideColumns(basis, limit);
    case "rate":
      return decideRate(basis, limit);
    case "auc":
      return decideAuc(basis, limit);
    case "differences":
      return decideDifferences(basis, limit);
    case "statistics":
      // Of figures only the check that they are of knows what they say.
      return silent("tool_error");
    default:
      return silent("tool_error");
  }
}

/** A count over the whole file, for rules about the file itself: nothing is inferred, so nothing is uncertain. */
function decideCensus(basis: Extract<CheckBasis, { kind: "census" }>, limit: Limit): Outcome {
  if (basis.n === 0) return silent("too_few");
  const estimate = basis.violations / basis.n;
  const interval: Interval = { method: "census", level: 1, sides: 2, lower: estimate, upper: estimate };
  return { estimate, interval, verdict: basis.violations <= limit.value * basis.n ? "pass" : "fail" };
}

/** Every column must hold for a pass (intersection-union); one must break it after Bonferroni's first step for a fail. */
function decideColumns(basis: Extract<CheckBasis, { kind: "columns" }>, limit: Limit): Outcome {
  const { columns } = basis;
  const [first] = columns;
  if (first === undefined || first.n === 0) return silent("too_few");
  const { n } = first;
  if (columns.some((column) => column.n !== n)) return silent("inconsistent_import");
  // Columns of one table have one length, and at one length both bounds grow with the count: the worst column decides.
  const worst = columns.reduce((most, { events }) => Math.max(most, events), 0);
  if (limit.value === 0) return decideCensus({ kind: "census", violations: worst, n }, limit);
  const bounds = {
    lower: clopperPearson(worst, n, limit.alpha / columns.length).lower,
    upper: clopperPearson(worst, n, limit.alpha).upper,
  };
  return compared({ method: "clopper-pearson", estimate: worst / n, bounds, limit }, () => {
    const distances = columns.map(({ events }) => ({ rate: events / n, distance: Math.abs(events / n - limit.value) }));
    const closest = distances.reduce((a, b) => (b.distance < a.distance ? b : a));
    return trialsNeeded(closest.rate, limit.value, limit.alpha);
  });
}

function decideRate(basis: Extract<CheckBasis, { kind: "rate" }>, limit: Limit): Outcome {
  if (basis.n === 0) return silent("undefined_denominator");
  const bounds = clopperPearson(basis.events, basis.n, limit.alpha);
  const estimate = basis.events / basis.n;
  return compared({ method: "clopper-pearson", estimate, bounds, limit }, () =>
    limit.op === "<=" ? trialsNeeded(estimate, limit.value, limit.alpha) : trialsNeeded(1 - estimate, 1 - limit.value, limit.alpha),
  );
}

function decideAuc(basis: Extract<CheckBasis, { kind: "auc" }>, limit: Limit): Outcome {
  if (basis.positives === 0 || basis.negatives === 0) return silent("undefined_denominator");
  const estimate = auc(basis);
  const bounds = aucBounds(estimate, basis, limit.alpha);
  return compared({ method: "newcombe-2006-5", estimate, bounds, limit }, () => {
    const factor = aucFactor(estimate, basis, { floor: limit.value, alpha: limit.alpha });
    return factor === undefined ? undefined : Math.ceil(factor * (basis.positives + basis.negatives));
  });
}

function withheld(outcome: Outcome, reason: string): Outcome {
  return { estimate: outcome.estimate, interval: outcome.interval, verdict: "insufficient_evidence", reason };
}

function rounded(value: number | null): number | null {
  return value === null ? null : round12(value);
}

function roundedInterval(interval: CheckResult["interval"]): CheckResult["interval"] {
  if (interval === null) return null;
  return { ...interval, level: round12(interval.level), lower: rounded(interval.lower), upper: rounded(interval.upper) };
}
