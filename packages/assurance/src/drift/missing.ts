import { absoluteDifference, absoluteDifferenceMethod, type Rate } from "../stats/difference.ts";
import { fisherExact, pooledZ } from "../stats/contingency.ts";
import { differenceFactor } from "../stats/sample-size.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { type AlarmRule, decideFamily, type DriftAlarm, driftAlarms, type Member } from "./family.ts";

/** Missing cells of one column on both sides. */
export interface MissingRates {
  readonly name: string;
  readonly reference: Rate;
  readonly current: Rate;
}

export interface MissingDriftStatistics {
  readonly kind: "drift.missing";
  readonly columns: readonly MissingRates[];
  readonly notes: readonly string[];
}

/** `drift.missing`: does the share of missing cells change? Assumes rows drawn independently. */
export function measureMissingDrift(columns: readonly MissingRates[]): MissingDriftStatistics {
  const change = ({ reference, current }: MissingRates) => Math.abs(reference.events / reference.n - current.events / current.n);
  const moved = columns.filter((column) => change(column) > 0).toSorted((a, b) => change(b) - change(a));
  const notes = moved.slice(0, 5).map(({ name, reference, current }) => `column \`${name}\`: ${reference.events} of ${reference.n} cells were empty, now ${current.events} of ${current.n}`);
  return { kind: "drift.missing", columns, notes };
}

/** Pass when the upper bound of |difference| from the exact bounds of both shares is at most the limit in every column. */
export function decideMissingDrift({ columns }: Pick<MissingDriftStatistics, "columns">, limit: Limit): Outcome {
  return decideFamily(columns.map((column) => memberOf(column, limit, columns.length)), limit, absoluteDifferenceMethod);
}

function memberOf({ name, reference, current }: MissingRates, { value, alpha }: Limit, family: number): Member {
  if (reference.n === 0 || current.n === 0) return { name, estimate: Number.NaN, lower: 0, upper: 1, withheld: "too_few" };
  const factor = differenceFactor(reference, current, { limit: value, alpha, alphaFail: alpha / family });
  return {
    name,
    estimate: Math.abs(reference.events / reference.n - current.events / current.n),
    lower: absoluteDifference(reference, current, alpha / family).lower,
    upper: absoluteDifference(reference, current, alpha).upper,
    requiredN: factor === undefined ? undefined : Math.ceil(factor * (reference.n + current.n)),
  };
}

export function missingDriftAlarms({ columns }: Pick<MissingDriftStatistics, "columns">, rule?: AlarmRule): readonly DriftAlarm[] {
  return driftAlarms(columns.map(({ name, reference, current }) => ({
    name,
    p: rateP(reference, current),
    effectLower: round12(absoluteDifference(reference, current, 0.05).lower),
  })), rule);
}

/** Below this expected count the normal approximation cries wolf, and Fisher's exact test is cheap. */
const expectedMin = 5;

function rateP(reference: Rate, current: Rate): number {
  const all = reference.n + current.n;
  const events = reference.events + current.events;
  if (all === 0) return Number.NaN;
  const smaller = Math.min(reference.n, current.n) / all;
  if (Math.min(events, all - events) * smaller >= expectedMin) return pooledZ(reference, current).p;
  const rare = (rate: Rate) => (events <= all - events ? rate : { events: rate.n - rate.events, n: rate.n });
  return fisherExact(rare(reference), rare(current));
}
