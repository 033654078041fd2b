import { isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { rounded } from "../verdict/settle.ts";

/** Rows per group that a later check needs. */
export interface CoverageNeed {
  readonly check: string;
  readonly requiredN: number;
}

export interface CoverageStatistics {
  readonly kind: "data.coverage";
  readonly required: number;
  /** Which check asks for most. */
  readonly askedBy: string | null;
  readonly groups: readonly { readonly name: string; readonly n: number }[];
  readonly notes: readonly string[];
}

/** A table of more groups than this is grouped by something that is no group. */
const groupsMax = 2000;

/**
 * `data.coverage`: are there enough rows in every group for the checks that will use them? Groups are the combinations
 * of the named columns; `expected` names groups that must be there even if no row is.
 */
export function measureCoverage(table: Table, options: { columns: readonly string[]; needs: readonly CoverageNeed[]; expected?: readonly string[] }): CoverageStatistics {
  const cells = options.columns.map((column) => table.cells(column));
  const counts = new Map<string, number>((options.expected ?? []).map((name) => [name, 0]));
  for (let row = 0; row < table.rows; row += 1) {
    const values = cells.map((column) => column[row] ?? "");
    if (values.some(isMissing)) continue;
    const name = values.join(" / ");
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const groups = [...counts].map(([name, n]) => ({ name: name.slice(0, 500), n })).sort((a, b) => a.n - b.n || (a.name < b.name ? -1 : 1));
  const most = options.needs.reduce<CoverageNeed | undefined>((best, need) => (best === undefined || need.requiredN > best.requiredN ? need : best), undefined);
  const required = most?.requiredN ?? 0;
  const short = groups.filter(({ n }) => n < required);
  const notes = short.slice(0, 20).map(({ name, n }) => `group \`${name}\` has ${n} rows; \`${most?.check ?? ""}\` needs ${required}`);
  return { kind: "data.coverage", required, askedBy: most?.check ?? null, groups: groups.slice(0, groupsMax), notes };
}

/**
 * Enough or not enough, never a failure of the model: pass when the smallest group has the required rows, insufficient
 * with the missing number otherwise. `limit.value` is the least number of rows, if larger than what the checks need.
 */
export function decideCoverage({ groups, required }: Pick<CoverageStatistics, "groups" | "required">, limit: Limit): Outcome {
  if (groups.length === 0) return silent("too_few");
  const least = groups.reduce((smallest, { n }) => Math.min(smallest, n), Infinity);
  const wanted = Math.max(required, limit.value);
  const interval = { method: "census", level: 1, sides: 2, lower: least, upper: least } as const;
  if (wanted > 0 && least >= wanted) return rounded({ estimate: least, interval, verdict: "pass" });
  return { ...rounded({ estimate: least, interval, verdict: "insufficient_evidence", reason: "too_few" }), requiredN: wanted };
}
