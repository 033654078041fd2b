import type { CheckResult } from "@licet/contract";
import { rowsMin } from "../verdict/outcome.ts";
import { unassessedShareMax } from "../verdict/settle.ts";

/** What a check found, before its verdict. */
export interface Findings {
  readonly figures: unknown;
  readonly counts: CheckResult["counts"];
  readonly inputs: Readonly<CheckResult["inputs"]>;
  readonly oneClass: boolean | undefined;
}

/** Why figures show nothing, whatever they are figures of. */
export interface Hollow {
  readonly reason: string;
  readonly note: string;
  /** Whether there is no figure to decide by; otherwise they may still show a failure. */
  readonly always: boolean;
}

/** The rules that hold for every check before its own: a figure is a number, a table has rows, an answer could have been another. */
export function hollowness({ figures, counts, inputs, oneClass }: Findings): Hollow | undefined {
  if (!allFinite(figures)) return { ...whyNoNumber(counts), always: true };
  const small = inputs.find(({ role, rows }) => tables.has(role) && rows < rowsMin);
  if (small !== undefined) return { reason: "too_few", note: `\`${small.id}\` has ${small.rows} rows: nothing is shown by fewer than ${rowsMin}`, always: false };
  return oneClass === true ? { reason: "degenerate", note: "the true answer is the same in every row: another answer was never asked for", always: false } : undefined;
}

const tables: ReadonlySet<string> = new Set(["test", "reference", "train"]);

/** NaN and the infinities have no place in a record, and stand for what could not be computed. */
function allFinite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(allFinite);
}

function whyNoNumber({ attempted, unassessed }: CheckResult["counts"]): Pick<Hollow, "reason" | "note"> {
  if (attempted > 0 && unassessed > unassessedShareMax * attempted) return { reason: "unassessed_budget", note: `${unassessed} of ${attempted} rows have no answer` };
  if (attempted < rowsMin) return { reason: "too_few", note: `${attempted} rows give no figure` };
  return { reason: "no_figure", note: "a figure is no finite number: look for values that are far too large" };
}

/** Whether there are true answers and all are the same; what is negative or no number is none. */
export function isOneClass(targets: ArrayLike<number>): boolean {
  let first: number | undefined;
  for (let row = 0; row < targets.length; row += 1) {
    const target = targets[row] ?? -1;
    if (!(target >= 0)) continue;
    first ??= target;
    if (target !== first) return false;
  }
  return first !== undefined;
}
