import { clopperPearson } from "../stats/proportion.ts";
import { trialsNeeded } from "../stats/sample-size.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";

/** Events among n of one slice, group or query. */
export interface NamedRate {
  readonly name: string;
  readonly events: number;
  readonly n: number;
}

/**
 * Several rates against one limit: every one must hold for a pass (intersection-union, no correction), one must break it
 * after Bonferroni's correction for a fail. A rate without rows leaves a pass open. Exact Clopper-Pearson bounds.
 */
export function decideRateFamily(rates: readonly NamedRate[], limit: Limit): Outcome {
  if (rates.length === 0) return silent("degenerate");
  const defined = rates.filter(({ n }) => n > 0);
  if (defined.length === 0) return silent("undefined_denominator");
  const floor = limit.op === ">=";
  const judged = defined.map(({ events, n }) => {
    const [plain, corrected] = [clopperPearson(events, n, limit.alpha), clopperPearson(events, n, limit.alpha / rates.length)];
    return { estimate: events / n, lower: floor ? plain.lower : corrected.lower, upper: floor ? corrected.upper : plain.upper };
  });
  const worst = floor ? Math.min : Math.max;
  const of = (key: "estimate" | "lower" | "upper") => worst(...judged.map((rate) => rate[key]));
  const comparison = { method: "clopper-pearson", estimate: of("estimate"), bounds: { lower: of("lower"), upper: of("upper") }, limit };
  const outcome = compared(comparison, () => rowsForAll(defined, limit));
  if (defined.length === rates.length || outcome.verdict === "fail") return outcome;
  return { estimate: outcome.estimate, interval: outcome.interval, verdict: "insufficient_evidence", reason: "undefined_denominator" };
}

/** Rows that the rate closest to the limit needs. */
function rowsForAll(rates: readonly NamedRate[], { op, value, alpha }: Limit): number | undefined {
  const closest = rates.reduce((a, b) => (Math.abs(b.events / b.n - value) < Math.abs(a.events / a.n - value) ? b : a));
  const rate = closest.events / closest.n;
  return op === "<=" ? trialsNeeded(rate, value, alpha) : trialsNeeded(1 - rate, 1 - value, alpha);
}
