import { holm } from "../stats/multiple.ts";
import { decideWorst, type Judged } from "../verdict/decide-worst.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { rounded } from "../verdict/settle.ts";

/** One column's figure with its bounds: `upper` serves a pass and is not corrected, `lower` serves a fail and is. */
export interface Member extends Judged {
  readonly name: string;
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
  return rounded(decideWorst(known, limit, { method, open: withheld, required: () => mostRows(known, limit) }));
}

function mostRows(members: readonly Member[], limit: Limit): number | undefined {
  const open = members.filter(({ upper }) => upper > limit.value).map(({ requiredN }) => requiredN);
  const known = open.filter((rows) => rows !== undefined);
  return known.length === 0 || known.length < open.length ? undefined : Math.max(...known);
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
