import { decideAttempts } from "../llm/decide-attempts.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { rounded, withheld } from "../verdict/settle.ts";
import type { ImportedCensus, ImportedItem, ImportedRate, ImportResult } from "./report.ts";

/**
 * The verdict on one item of a report, from our counts alone. A rate goes through the same calculus as our own attempts; totals that could
 * not be counted again decide nothing. A census passes only when nothing was left out. A figure without counts decides nothing.
 */
export function decideImported(item: ImportedItem, limit: Limit): Outcome {
  switch (item.kind) {
    case "rate":
      return decideImportedRate(item, limit);
    case "census":
      return decideImportedCensus(item, limit);
    case "value":
      return { ...silent("undefined_denominator"), estimate: item.value };
    default:
      return item satisfies never;
  }
}

function decideImportedRate(item: ImportedRate, limit: Limit): Outcome {
  const outcome = decideAttempts(item.statistics, limit);
  // What another tool could not do may be what would have gone wrong: its errors are not averaged away.
  if (outcome.verdict === "pass" && (item.statistics.reasons["tool_error"] ?? 0) > 0) return withheld(outcome, "unassessed_budget");
  if (item.recounted || outcome.verdict === "insufficient_evidence") return outcome;
  return withheld(outcome, "inconsistent_import");
}

/** `limit.value` is the largest share of violations, mostly 0. */
function decideImportedCensus({ n, violations, unassessed, complete, evidence }: ImportedCensus, limit: Limit): Outcome {
  if (![n, violations, unassessed].every((value) => Number.isInteger(value) && value >= 0) || violations > n) return silent("inconsistent_import");
  if (n === 0) return silent(unassessed > 0 ? "unassessed_budget" : "too_few");
  const estimate = violations / n;
  const interval = { method: "census", level: 1, sides: 2, lower: estimate, upper: estimate } as const;
  if (violations > limit.value * (n + unassessed)) return rounded({ estimate, interval, verdict: "fail" });
  if (unassessed > 0) return rounded({ estimate, interval, verdict: "insufficient_evidence", reason: "unassessed_budget" });
  if (!complete) return rounded({ estimate, interval, verdict: "insufficient_evidence", reason: "aborted" });
  if (evidence === "figures") return rounded({ estimate, interval, verdict: "insufficient_evidence", reason: "undefined_denominator" });
  return rounded({ estimate, interval, verdict: "pass" });
}

/** One verdict for a report: pass only when every item that can decide passes and at least one does; refused reports decide nothing. */
export function decideReport(result: ImportResult, limit: Limit): Outcome {
  if (result.kind === "refused") return silent(result.reason);
  const outcomes = result.report.items.filter(({ kind }) => kind !== "value").map((item) => decideImported(item, limit));
  const [first] = outcomes;
  if (first === undefined) return silent("undefined_denominator");
  return outcomes.find(({ verdict }) => verdict === "fail") ?? outcomes.find(({ verdict }) => verdict === "insufficient_evidence") ?? first;
}

/** The exact two-sided interval of the tool's own counts, for comparison with what it printed. */
export function reportedInterval({ reported }: ImportedRate, level: number): { readonly lower: number; readonly upper: number } {
  return clopperPearson(reported.events, reported.assessed, (1 - level) / 2);
}
