import { LicetError } from "@licet/contract";
import { rounded } from "../verdict/settle.ts";
import { castDate, castNumber, isMissing } from "../table/cast.ts";
import { requireFilled } from "../table/filled.ts";
import type { Table } from "../table/table.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { RowIndex } from "./row-groups.ts";
import { type FeatureLeak, leakingFeatures } from "./target-leak.ts";

export interface OverlapOptions {
  /** Columns compared for equal rows. Default: those that both tables have. */
  readonly columns?: readonly string[];
  /** A column that says whom or what a row is about: no entity may be on both sides. */
  readonly entity?: string;
  /** A column with a date or number that orders rows in time: no test row may be older than the newest training row. */
  readonly time?: string;
  /** Target and its positive value, to look for single columns that give it away. */
  readonly target?: { readonly column: string; readonly positive: string };
}

export interface OverlapStatistics {
  readonly kind: "data.leakage.overlap";
  readonly trainRows: number;
  readonly testRows: number;
  /** Test rows that stand in the training data as well. */
  readonly sharedRows: number;
  readonly sharedEntities: number | null;
  /** Test rows that are not younger than the newest training row. */
  readonly earlyRows: number | null;
  /** Columns that separate the classes almost alone, in the training data. */
  readonly leaks: readonly FeatureLeak[] | null;
  readonly notes: readonly string[];
}

/**
 * `data.leakage.overlap`: what a test set gives away. Rows on both sides, entities on both sides, test rows from before
 * the end of training, and single columns with an AUC of .95 or more. Source: Kaufman et al. 2012 (TKDD 6:15).
 */
export function measureOverlap(train: Table, test: Table, options: OverlapOptions = {}): OverlapStatistics {
  const columns = options.columns ?? train.columns.filter((column) => test.has(column));
  if (columns.length === 0) throw new LicetError("table_column_missing", { message: "the two tables have no column in common, so that no row of one can stand in the other: correct a header, or name the columns under `columns`" });
  for (const compared of [columns, ...(options.entity === undefined ? [] : [[options.entity]])]) requireFilled([train, test], compared);
  const shared = sharedRows(train, test, columns);
  const entities = options.entity === undefined ? null : sharedEntities(train, test, options.entity);
  const early = options.time === undefined ? null : earlyRows(train, test, options.time);
  const leaks = options.target === undefined ? null : leakingFeatures(train, options.target);
  const notes = [...sharedNotes(shared), ...entityNotes(entities, options.entity), ...earlyNotes(early), ...leakNotes(leaks)];
  return { kind: "data.leakage.overlap", trainRows: train.rows, testRows: test.rows, sharedRows: shared.length, sharedEntities: entities?.size ?? null, earlyRows: early, leaks, notes };
}

function sharedNotes(shared: readonly number[]): readonly string[] {
  return shared.length === 0 ? [] : [`${shared.length} test rows stand in the training data, first rows ${shared.slice(0, 5).map((row) => row + 1).join(", ")}`];
}

function entityNotes(entities: ReadonlySet<string> | null, column = ""): readonly string[] {
  return entities === null || entities.size === 0 ? [] : [`${entities.size} values of \`${column}\` are on both sides`];
}

function earlyNotes(count: number | null): readonly string[] {
  return count === null || count === 0 ? [] : [`${count} test rows are not younger than the newest training row`];
}

function leakNotes(leaks: readonly FeatureLeak[] | null): readonly string[] {
  return (leaks ?? []).map(({ column, auc }) => `column \`${column}\` alone separates the classes with an AUC of ${auc.toFixed(3)}`);
}

function sharedRows(train: Table, test: Table, columns: readonly string[]): readonly number[] {
  const index = new RowIndex(columns.map((column) => train.cells(column)));
  for (let row = 0; row < train.rows; row += 1) index.add(row);
  const cells = columns.map((column) => test.cells(column));
  const shared: number[] = [];
  for (let row = 0; row < test.rows; row += 1) if (index.find(cells, row) !== undefined) shared.push(row);
  return shared;
}

function sharedEntities(train: Table, test: Table, column: string): ReadonlySet<string> {
  const known = new Set(train.cells(column).filter((cell) => !isMissing(cell)));
  return new Set(test.cells(column).filter((cell) => known.has(cell)));
}

function earlyRows(train: Table, test: Table, column: string): number {
  const newest = train.cells(column).reduce((latest, cell, row) => Math.max(latest, instant(cell, row, column) ?? -Infinity), -Infinity);
  return test.cells(column).filter((cell, row) => (instant(cell, row, column) ?? Infinity) <= newest).length;
}

function instant(cell: string, row: number, column: string): number | undefined {
  if (isMissing(cell)) return undefined;
  const value = castDate(cell) ?? castNumber(cell);
  if (value !== undefined) return value;
  throw new LicetError("table_value_invalid", {
    message: `row ${row + 1} of column \`${column}\` is neither an ISO date nor a number: correct it, or order rows by another column`,
    at: { row: row + 1, column },
  });
}

/** Facts about two files: any shared row beyond the limit, shared entity, early row or proven leak fails. */
export function decideOverlap(statistics: Omit<OverlapStatistics, "kind" | "notes">, limit: Limit): Outcome {
  const { trainRows, testRows, sharedRows: shared, sharedEntities: entities, earlyRows: early, leaks } = statistics;
  if (trainRows === 0 || testRows === 0) return silent("too_few");
  const estimate = shared / testRows;
  const proven = (leaks ?? []).some(({ proven: sure }) => sure);
  const open = (leaks ?? []).length > 0;
  const broken = shared > limit.value * testRows || (entities ?? 0) > 0 || (early ?? 0) > 0 || proven;
  const interval = { method: "census", level: 1, sides: 2, lower: estimate, upper: estimate } as const;
  if (broken) return rounded({ estimate, interval, verdict: "fail" });
  // A column that looks like a leak on too few rows is neither cleared nor proven.
  return rounded(open ? { estimate, interval, verdict: "insufficient_evidence", reason: "too_few" } : { estimate, interval, verdict: "pass" });
}
