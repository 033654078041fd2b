import { measureMissing } from "../../packages/assurance/src/checks/data-missing.ts";
import { inspectColumn } from "../../packages/assurance/src/checks/data-schema.ts";
import { measureAnonymity } from "../../packages/assurance/src/data/anonymity.ts";
import { measureDuplicates } from "../../packages/assurance/src/data/duplicates.ts";
import { measureOverlap } from "../../packages/assurance/src/data/overlap.ts";
import { constantColumns, isEmailAddress, rowsNotMatching } from "../../packages/assurance/src/data/profile.ts";
import type { ColumnRule } from "@licet/contract";
import type { Table } from "../../packages/assurance/src/index.ts";
import { csv, json, type OracleOptions, type Tally } from "./tally.ts";

type Expected = Readonly<Record<string, unknown>>;
type Defect = "missing" | "type" | "range" | "domain";

/** Every figure of the planted tables. One that we do not compute is a difference. */
export function compareQuality(tally: Tally, options: OracleOptions): void {
  const expected = json(options, "quality/expected.json") as Expected;
  const table = csv(options, "quality/customers.csv");
  compareRecount(tally, table, expected["recount_on_file"] as Expected);
  for (const [key, wanted] of Object.entries(expected)) {
    if (key === "recount_on_file") continue;
    if (key === "k_anonymity") compareAnonymity(tally, options, wanted as Expected);
    else comparePlanted(tally, { key, wanted, table, options });
  }
}

function defects(table: Table, column: string, rule: ColumnRule, kind: Defect): readonly number[] {
  return inspectColumn(table, column, rule).rows.get(kind) ?? [];
}

const countries: ColumnRule = { type: "string", enum: ["DE", "FR", "ES", "IT"] };

const rows: Readonly<Record<string, (table: Table) => readonly number[]>> = {
  age_missing: (table) => defects(table, "age", { type: "number", required: true }, "missing"),
  age_below_0: (table) => defects(table, "age", { type: "number", min: 0 }, "range"),
  age_non_numeric: (table) => defects(table, "age", { type: "number" }, "type"),
  country_unexpected_value: (table) => defects(table, "country", countries, "domain"),
  signup_after_2026: (table) => defects(table, "signup", { type: "date", max: "2026-12-31" }, "range"),
  signup_bad_format: (table) => defects(table, "signup", { type: "date" }, "type"),
  email_bad: (table) => rowsNotMatching(table, "email", isEmailAddress),
  score_above_1: (table) => defects(table, "score", { type: "number", max: 1 }, "range"),
};

const recounts: Readonly<Record<string, (table: Table) => unknown>> = {
  rows: (table) => table.rows,
  age_empty: (table) => missingIn(table, "age"),
  age_non_numeric: (table) => rows["age_non_numeric"]?.(table).length,
  age_negative: (table) => rows["age_below_0"]?.(table).length,
  country_not_in_set: (table) => rows["country_unexpected_value"]?.(table).length,
  signup_not_iso: (table) => rows["signup_bad_format"]?.(table).length,
  signup_after_2026_12_31: (table) => rows["signup_after_2026"]?.(table).length,
  email_invalid: (table) => rows["email_bad"]?.(table).length,
  score_gt_1: (table) => rows["score_above_1"]?.(table).length,
  duplicate_rows: (table) => measureDuplicates(table).duplicateRows,
  duplicate_ids: (table) => measureDuplicates(table, { key: ["id"] }).key?.repeated,
  constant_columns: constantColumns,
  leading_zero_codes_must_stay_text: (table) => table.cells("code").filter((code) => code.startsWith("0")).length,
};

function missingIn(table: Table, column: string): number | undefined {
  const { basis } = measureMissing(table, { check: "data.missing", id: "m", dataset: "d", max: 0.05 });
  return basis.kind === "columns" ? basis.columns.find(({ name }) => name === column)?.events : undefined;
}

function compareRecount(tally: Tally, table: Table, recount: Expected): void {
  for (const [key, wanted] of Object.entries(recount)) {
    const count = recounts[key];
    tally.same(`recount ${key}`, count === undefined ? "not computed" : count(table), wanted);
  }
}

/** Planted rows may coincide with others and be planted twice, so none may be overlooked; totals are those of the recount. */
function comparePlanted(tally: Tally, { key, wanted, table, options }: { key: string; wanted: unknown; table: Table; options: OracleOptions }): void {
  const find = rows[key.replace(/_rows$/u, "")];
  if (Array.isArray(wanted) && find !== undefined) {
    const found = new Set(find(table));
    tally.same(`${key}: planted rows overlooked`, wanted.filter((row: unknown) => typeof row !== "number" || !found.has(row)), []);
  } else if (key === "rows") tally.same(key, table.rows, wanted);
  else if (key === "exact_duplicate_rows_extra") tally.same(key, measureDuplicates(table).duplicateRows, wanted);
  else if (key === "duplicate_id_values") tally.same(key, measureDuplicates(table, { key: ["id"] }).key?.repeated, wanted);
  else if (key === "leakage_exact_overlap_rows") tally.same(key, measureOverlap(csv(options, "quality/leak_train.csv"), csv(options, "quality/leak_test.csv")).sharedRows, wanted);
  else tally.same(key, "not computed", wanted);
}

function compareAnonymity(tally: Tally, options: OracleOptions, expected: Expected): void {
  const table = csv(options, "quality/quasi_identifiers.csv");
  const sensitive = Object.keys(expected).flatMap((key) => (key.startsWith("l_diversity_") ? [key.slice("l_diversity_".length)] : []));
  const quasiIdentifiers = table.columns.filter((column) => !sensitive.includes(column));
  for (const [key, wanted] of Object.entries(expected)) {
    const below = /^rows_in_groups_below_(\d+)$/u.exec(key)?.[1];
    const found = measureAnonymity(table, { quasiIdentifiers, sensitive, ...(below !== undefined && { k: Number(below) }) });
    if (key === "k") tally.same(`k-anonymity ${key}`, found.k, wanted);
    else if (key === "groups") tally.same(`k-anonymity ${key}`, found.groups, wanted);
    else if (below !== undefined) tally.same(`k-anonymity ${key}`, found.rowsBelow, wanted);
    else tally.same(`k-anonymity ${key}`, found.sensitive.find(({ name }) => key === `l_diversity_${name}`)?.distinctL ?? "not computed", wanted);
  }
}
