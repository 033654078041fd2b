import { holm } from "../stats/multiple.ts";
import { compared, type Interval, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";

/** One column's figure with its bounds: `upper` serves a pass and is not corrected, `lower` serves a fail and is. */
export interface Member {
  readonly name: string;
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  /** Why this column can support no pass. */
  readonly withheld?: string;
  /** Rows that would settle it; undefined when none would, or it is settled. */
  readonly requiredN?: number | undefined;
}

/**
 * A limit that every column must hold: pass when each does (intersection-union test, no correction), fail when one
 * breaks it by its corrected bound, insufficient otherwise. A withheld column blocks a pass, never a fail by another.
 */
export function decideFamily(members: readonly Member[], limit: Limit, method: string): Outcome {
  const known = members.filter(({ estimate }) => !Number.isNaN(estimate));
  const withheld = members.find(({ withheld: reason }) => reason !== undefined)?.withheld;
  if (known.length === 0) return silent(withheld ?? "too_few");
  const worst = (pick: (member: Member) => number) => Math.max(...known.map(pick));
  const bounds = { lower: worst(({ lower }) => lower), upper: worst(({ upper }) => upper) };
  const outcome = compared({ method, estimate: worst(({ estimate }) => estimate), bounds, limit }, () => mostRows(known, limit));
  const rounded = roundedOutcome(outcome);
  if (withheld === undefined || rounded.verdict === "fail") return rounded;
  return { estimate: rounded.estimate, interval: rounded.interval, verdict: "insufficient_evidence", reason: withheld };
}

function mostRows(members: readonly Member[], limit: Limit): number | undefined {
  const open = members.filter(({ upper }) => upper > limit.value).map(({ requiredN }) => requiredN);
  const known = open.filter((rows) => rows !== undefined);
  return known.length === 0 || known.length < open.length ? undefined : Math.max(...known);
}

export function roundedOutcome(outcome: Outcome): Outcome {
  const { estimate, interval } = outcome;
  return { ...outcome, estimate: estimate === null ? null : round12(estimate), interval: interval === null ? null : roundedInterval(interval) };
}

function roundedInterval(interval: Interval): Interval {
  const side = (bound: number | null) => (bound === null ? null : round12(bound));
  return { ...interval, level: round12(interval.level), lower: side(interval.lower), upper: side(interval.upper) };
}

export interface AlarmCandidate {
  readonly name: string;
  readonly p: number;
  /** One-sided lower bound of the size of the change. */
  readonly effectLower: number;
}

export interface AlarmRule {
  /** Chance of any alarm over all columns when nothing has changed. */
  readonly alpha: number;
  /** A change that is surely smaller than this is no alarm, however many rows prove it. */
  readonly effectMin: number;
}

export const defaultAlarmRule: AlarmRule = { alpha: 0.01, effectMin: 0.02 };

export interface DriftAlarm {
  readonly name: string;
  /** Adjusted over all columns (Holm 1979). */
  readonly p: number;
  readonly effectLower: number;
}

/** Columns whose change is both proven over all columns together and large enough to matter. */
export function driftAlarms(candidates: readonly AlarmCandidate[], rule: AlarmRule = defaultAlarmRule): readonly DriftAlarm[] {
  const adjusted = holm(candidates.map(({ p }) => (Number.isNaN(p) ? 1 : p)));
  return candidates.flatMap(({ name, effectLower }, index) => {
    const p = round12(adjusted[index] ?? 1);
    return p < rule.alpha && effectLower > rule.effectMin ? [{ name, p, effectLower }] : [];
  });
}
