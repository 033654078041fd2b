import { inspectColumn } from "../../packages/assurance/src/checks/data-schema.ts";
import { measureMissing } from "../../packages/assurance/src/checks/data-missing.ts";
import type { ColumnRule } from "@licet/contract";
import { csv, json, type OracleOptions, type Tally } from "./tally.ts";

interface Expected {
  readonly rows: number;
  readonly recount_on_file: Readonly<Record<string, number>>;
}

type Defect = "missing" | "type" | "range" | "domain";

/** Defects that `data.schema` and `data.missing` find in the planted customer table. */
export function compareQuality(tally: Tally, options: OracleOptions): void {
  const expected = json(options, "quality/expected.json") as Expected & Readonly<Record<string, unknown>>;
  const recount = expected.recount_on_file;
  const table = csv(options, "quality/customers.csv");
  const defects = (column: string, rule: ColumnRule, kind: Defect) => inspectColumn(table, column, rule).rows.get(kind) ?? [];
  const missing = measureMissing(table, { check: "data.missing", id: "m", dataset: "d", max: 0.05 });
  const columns = missing.basis.kind === "columns" ? missing.basis.columns : [];
  tally.same("rows", table.rows, expected.rows);
  tally.same("age missing", columns.find(({ name }) => name === "age")?.events, recount["age_empty"]);
  tally.same("age not a number", defects("age", { type: "number" }, "type").length, recount["age_non_numeric"]);
  tally.same("age negative", defects("age", { type: "number", min: 0 }, "range").length, recount["age_negative"]);
  tally.same("score above 1", defects("score", { type: "number", max: 1 }, "range").length, recount["score_gt_1"]);
  tally.same("signup no ISO date", defects("signup", { type: "date" }, "type").length, recount["signup_not_iso"]);
  tally.same("signup after 2026", defects("signup", { type: "date", max: "2026-12-31" }, "range").length, recount["signup_after_2026_12_31"]);
  tally.same("country unexpected", defects("country", { type: "string", enum: ["DE", "FR", "ES", "IT"] }, "domain").length, recount["country_not_in_set"]);
  tally.same("codes that keep their leading zero", table.cells("code").filter((code) => code.startsWith("0")).length, recount["leading_zero_codes_must_stay_text"]);
  const planted: readonly [string, string, ColumnRule, Defect][] = [
    ["age_non_numeric_rows", "age", { type: "number" }, "type"],
    ["age_below_0_rows", "age", { type: "number", min: 0 }, "range"],
    ["age_missing_rows", "age", { type: "number", required: true }, "missing"],
    ["score_above_1_rows", "score", { type: "number", max: 1 }, "range"],
    ["signup_bad_format_rows", "signup", { type: "date" }, "type"],
    ["signup_after_2026_rows", "signup", { type: "date", max: "2026-12-31" }, "range"],
    ["country_unexpected_value_rows", "country", { type: "string", enum: ["DE", "FR", "ES", "IT"] }, "domain"],
  ];
  for (const [key, column, rule, kind] of planted) {
    const rows = expected[key];
    const found = new Set(defects(column, rule, kind));
    const overlooked = Array.isArray(rows) ? rows.filter((row) => typeof row === "number" && !found.has(row)) : ["no list"];
    tally.same(`${key}: planted rows overlooked`, overlooked, []);
  }
}
