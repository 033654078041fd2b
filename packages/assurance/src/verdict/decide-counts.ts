import type { CheckBasis } from "@licet/contract";
import { clopperPearson } from "../stats/proportion.ts";
import { trialsNeeded } from "../stats/sample-size.ts";
import { compared, type Counts, type Limit, type Outcome, rowsMin, silent } from "./outcome.ts";
import { settle } from "./settle.ts";

/**
 * The verdict calculus: pass only when the one-sided bound lies on the right side of the limit, fail only when the
 * opposite bound lies on the wrong side, insufficient evidence otherwise. No rows, no denominator, no variation and
 * too many rows without an answer are never a pass.
 */
export function decideCounts(basis: CheckBasis, limit: Limit, counts: Counts): Outcome {
  // Where nothing was measured, only why is left to say.
  return basis.kind === "none" ? silent(basis.reason) : settle(outcomeOf(basis, limit), counts);
}

/** Other kinds of counts stand in results of earlier versions of their checks only, and are read, not derived again. */
function outcomeOf(basis: CheckBasis, limit: Limit): Outcome {
  if (basis.kind === "census") return decideCensus(basis, limit);
  return basis.kind === "columns" ? decideColumns(basis, limit) : silent("tool_error");
}

/** A count over the whole file, for rules about the file itself. */
function decideCensus({ violations, n }: Extract<CheckBasis, { kind: "census" }>, limit: Limit): Outcome {
  if (n === 0) return silent("too_few");
  const estimate = violations / n;
  const interval = { method: "census", level: 1, sides: 2, lower: estimate, upper: estimate } as const;
  if (n < rowsMin && violations <= limit.value * n) return { estimate, interval, verdict: "insufficient_evidence", reason: "too_few", requiredN: rowsMin };
  return { estimate, interval, verdict: violations <= limit.value * n ? "pass" : "fail" };
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
