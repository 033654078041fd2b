import { clopperPearson } from "../stats/proportion.ts";
import { rateTrials, type RateCounts } from "../verdict/decide-rate.ts";
import { boundsOfMany, decideWorst, endsOf } from "../verdict/decide-worst.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";

/** Events among n of one slice, group or query. */
export interface NamedRate extends RateCounts {
  readonly name: string;
}

/**
 * Several rates against one limit: every one must hold for a pass (intersection-union, no correction), one must break it
 * after Bonferroni's correction for a fail. A rate without rows leaves a pass open. Exact Clopper-Pearson bounds.
 */
export function decideRateFamily(rates: readonly NamedRate[], limit: Limit): Outcome {
  if (rates.length === 0) return silent("degenerate");
  const defined = rates.filter(({ n }) => n > 0);
  if (defined.length === 0) return silent("undefined_denominator");
  const judged = defined.map(({ events, n }) => ({ estimate: events / n, ...boundsOfMany(endsOf((alpha) => clopperPearson(events, n, alpha)), limit, rates.length) }));
  const open = defined.length === rates.length ? undefined : "undefined_denominator";
  return decideWorst(judged, limit, { method: "clopper-pearson", open, required: () => rowsForAll(defined, limit) });
}

/** Rows that the rate closest to the limit needs. */
function rowsForAll(rates: readonly NamedRate[], limit: Limit): number | undefined {
  const distance = ({ events, n }: NamedRate) => Math.abs(events / n - limit.value);
  const closest = rates.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  return rateTrials(closest.events / closest.n, limit);
}
