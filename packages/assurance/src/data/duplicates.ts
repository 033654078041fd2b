import type { Limit, Outcome } from "../verdict/outcome.ts";
import { compared, silent } from "../verdict/outcome.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { trialsNeeded } from "../stats/sample-size.ts";
import { isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { rounded } from "../verdict/settle.ts";
import { nearDuplicates } from "./near-duplicates.ts";
import { groupRowsBy } from "./row-groups.ts";

export interface DuplicateOptions {
  /** Columns that together must be unique and present in every row. */
  readonly key?: readonly string[];
  /** Columns compared for equality. Default: all. */
  readonly columns?: readonly string[];
  /** Columns of free text in which rows that are nearly equal count as duplicates too. */
  readonly near?: { readonly columns: readonly string[]; readonly similarityMin: number };
}

export interface DuplicateStatistics {
  readonly kind: "data.duplicates";
  readonly rows: number;
  /** Rows beyond the first of each group of equal rows. */
  readonly duplicateRows: number;
  /** Rows nearly equal to an earlier row and not counted above; null when not looked for. */
  readonly nearRows: number | null;
  /** Null when no key is declared. */
  readonly key: { readonly repeated: number; readonly missing: number } | null;
  readonly notes: readonly string[];
}

/**
 * `data.duplicates`: rows that repeat an earlier row exactly, keys that are not unique, and (on request) texts that are
 * nearly equal by MinHash with locality-sensitive hashing (Broder 1997), every candidate pair compared.
 */
export function measureDuplicates(table: Table, options: DuplicateOptions = {}): DuplicateStatistics {
  const columns = options.columns ?? table.columns;
  const groups = groupRowsBy(table, columns);
  const duplicateRows = table.rows - groups.sizes.length;
  const key = options.key === undefined ? null : keyDefects(table, options.key);
  const first = new Set(groups.first);
  const near = options.near === undefined ? null : nearDuplicates(table, options.near).filter(({ row }) => first.has(row));
  const largest = groups.sizes.flatMap((size, group) => (size > 1 ? [{ size, row: (groups.first[group] ?? 0) + 1 }] : [])).sort((a, b) => b.size - a.size);
  const notes = [
    ...largest.slice(0, 5).map(({ size, row }) => `row ${row} stands ${size} times`),
    ...(near ?? []).slice(0, 5).map(({ row, like, similarity }) => `row ${row + 1} is nearly row ${like + 1} (similarity ${similarity.toFixed(2)})`),
    ...(key === null || key.repeated + key.missing === 0 ? [] : [`the key ${(options.key ?? []).map((name) => `\`${name}\``).join(", ")} repeats in ${key.repeated} rows and is empty in ${key.missing}`]),
  ];
  return { kind: "data.duplicates", rows: table.rows, duplicateRows, nearRows: near === null ? null : near.length, key, notes };
}

function keyDefects(table: Table, key: readonly string[]): { repeated: number; missing: number } {
  const cells = key.map((column) => table.cells(column));
  let missing = 0;
  for (let row = 0; row < table.rows; row += 1) if (cells.some((column) => isMissing(column[row] ?? ""))) missing += 1;
  const groups = groupRowsBy(table, key);
  const repeated = table.rows - groups.sizes.length;
  return { repeated, missing };
}

/** A key that repeats or is empty is a fact about the file and fails; the share of duplicate rows has exact bounds. */
export function decideDuplicates({ rows, duplicateRows, nearRows, key }: Omit<DuplicateStatistics, "kind" | "notes">, limit: Limit): Outcome {
  if (rows === 0) return silent("too_few");
  const events = duplicateRows + (nearRows ?? 0);
  const estimate = events / rows;
  if (key !== null && key.repeated + key.missing > 0) {
    const share = (key.repeated + key.missing) / rows;
    return rounded({ estimate: share, interval: { method: "census", level: 1, sides: 2, lower: share, upper: share }, verdict: "fail" });
  }
  return rounded(compared({ method: "clopper-pearson", estimate, bounds: clopperPearson(events, rows, limit.alpha), limit }, () => trialsNeeded(estimate, limit.value, limit.alpha)));
}
