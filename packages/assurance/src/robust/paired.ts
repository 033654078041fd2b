import { clopperPearson } from "../stats/proportion.ts";
import { trialsNeeded } from "../stats/sample-size.ts";
import { boundsOfMany, decideWorst, endsOf } from "../verdict/decide-worst.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { type Assessed, settle } from "../verdict/settle.ts";

/** One change of the rows: rightly decided rows that it made wrong, and wrong ones that it made right. */
export interface Scenario {
  readonly name: string;
  readonly n: number;
  readonly lost: number;
  readonly gained: number;
}

/** Sufficient statistics of robust.noise and robust.corruption. */
export interface ScenarioStatistics extends Assessed {
  readonly scenarios: readonly Scenario[];
}

/**
 * Loss of accuracy under the worst of several changes. Rows are their own controls: the loss is the difference of two
 * exact rates, each bounded at half the error (Clopper-Pearson with Bonferroni), which holds for every n. Every change
 * must hold for a pass; one must break the limit after Bonferroni's step for a fail.
 */
export function decideScenarios(statistics: ScenarioStatistics, limit: Limit): Outcome {
  const scenarios = statistics.scenarios.filter(({ n }) => n > 0);
  if (scenarios.length === 0 || scenarios.length < statistics.scenarios.length) return { estimate: null, interval: null, verdict: "insufficient_evidence", reason: "undefined_denominator" };
  const losses = scenarios.map((scenario) => ({ estimate: (scenario.lost - scenario.gained) / scenario.n, ...boundsOfMany(endsOf((alpha) => lossBounds(scenario, alpha)), limit, scenarios.length) }));
  const most = losses.reduce((worst, { estimate }) => Math.max(worst, estimate), 0);
  return settle(decideWorst(losses, limit, { method: "clopper-pearson-paired", required: () => trialsNeeded(most, limit.value, limit.alpha / 2) }), statistics);
}

/** One-sided bounds of (lost - gained) / n, each with confidence 1 - alpha. */
export function lossBounds({ n, lost, gained }: Scenario, alpha: number): { lower: number; upper: number } {
  const [down, up] = [clopperPearson(lost, n, alpha / 2), clopperPearson(gained, n, alpha / 2)];
  return { lower: down.lower - up.upper, upper: down.upper - up.lower };
}
