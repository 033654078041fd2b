import { type ColumnRule, type DataSchemaCheck, wholePattern } from "@licet/contract";
import { castBoolean, castDate, castInteger, castNumber, isMissing } from "../table/cast.ts";
import { requireFilled } from "../table/filled.ts";
import type { Table } from "../table/table.ts";
import type { CheckDefinition } from "./definition.ts";
import { inputOf, tableSubject } from "./loaded.ts";
import type { Measurement } from "./measure.ts";

type Defect = "missing" | "type" | "range" | "domain" | "pattern";

const sentences: Readonly<Record<Defect, string>> = {
  missing: "empty although required",
  type: "not of the declared type",
  range: "outside the declared range",
  domain: "not among the declared values",
  pattern: "not of the declared pattern",
};

/** Defective cells of one column: rows by kind. */
export interface ColumnDefects {
  readonly column: string;
  readonly absent: boolean;
  readonly rows: ReadonlyMap<Defect, readonly number[]>;
}

/** `data.schema`: rows that break the declared contract. That none may is a rule about the file, and counted; a share is inferred from it. */
export function measureSchema(table: Table, check: DataSchemaCheck): Measurement {
  // Of empty cells a type is always right, unless they are required.
  if (Object.keys(check.columns).every((column) => table.has(column)) && !Object.values(check.columns).some(({ required }) => required === true)) requireFilled([table], Object.keys(check.columns));
  const defects = Object.entries(check.columns).map(([column, rule]) => inspectColumn(table, column, rule));
  const violating = new Set(defects.flatMap(({ rows }) => [...rows.values()].flat()));
  const violations = defects.some(({ absent }) => absent) ? table.rows : violating.size;
  return {
    basis: limitOf(check) === 0 ? { kind: "census", violations, n: table.rows } : { kind: "columns", columns: [{ name: "rows that break the schema", events: violations, n: table.rows }] },
    counts: { attempted: table.rows, assessed: table.rows, unassessed: 0, events: violations },
    unit: "share of rows that break the schema",
    limit: { op: "<=", value: limitOf(check) },
    notes: defects.flatMap(describe),
    queries: 0,
  };
}

/** Not written where nothing is declared: the manifest would be another one. */
function limitOf({ max = 0 }: DataSchemaCheck): number {
  return max;
}

/** Every cell is judged once, by the first rule that it breaks. Row numbers are from 0. */
export function inspectColumn(table: Table, column: string, rule: ColumnRule): ColumnDefects {
  const rows = new Map<Defect, number[]>();
  if (!table.has(column)) return { column, absent: true, rows };
  const judge = judgeFor(rule);
  for (const [row, cell] of table.cells(column).entries()) {
    const defect = judge(cell);
    if (defect === undefined) continue;
    const known = rows.get(defect);
    if (known === undefined) rows.set(defect, [row]);
    else known.push(row);
  }
  return { column, absent: false, rows };
}

function judgeFor(rule: ColumnRule): (cell: string) => Defect | undefined {
  const cast = casts[rule.type];
  const low = boundOf(rule.min) ?? -Infinity;
  const high = boundOf(rule.max) ?? Infinity;
  const spelled = spellingOf(rule);
  return (cell) => {
    // Text may spell `NaN`; in every other type that is an absent value.
    if (rule.type === "string" ? cell === "" : isMissing(cell)) return rule.required === true ? "missing" : undefined;
    const value = cast(cell);
    if (value === undefined) return "type";
    return value < low || value > high ? "range" : spelled(cell);
  };
}

/** What is asked of a cell as it stands there. */
function spellingOf(rule: ColumnRule): (cell: string) => "pattern" | "domain" | undefined {
  const pattern = rule.pattern === undefined ? undefined : wholePattern(rule.pattern);
  const texts = new Set((rule.enum ?? []).filter((value) => typeof value === "string"));
  const numbers = new Set((rule.enum ?? []).filter((value) => typeof value === "number"));
  return (cell) => {
    if (pattern?.test(cell) === false) return "pattern";
    const listed = texts.has(cell) || numbers.has(castNumber(cell) ?? Number.NaN);
    return rule.enum !== undefined && !listed ? "domain" : undefined;
  };
}

/** The number that ranges are compared on; text and truth values have no range. */
const casts: Readonly<Record<ColumnRule["type"], (cell: string) => number | undefined>> = {
  string: () => 0,
  number: castNumber,
  integer: castInteger,
  boolean: (cell) => (castBoolean(cell) === undefined ? undefined : 0),
  date: castDate,
};

function boundOf(bound: number | string | undefined): number | undefined {
  return typeof bound === "string" ? castDate(bound) : bound;
}

function describe(defects: ColumnDefects): readonly string[] {
  if (defects.absent) return [`the column \`${defects.column}\` is absent`];
  return [...defects.rows].map(([defect, rows]) => {
    const first = rows.slice(0, 5).map((row) => row + 1).join(", ");
    const where = rows.length === 1 ? "row" : `${rows.length} rows, first`;
    return `column \`${defects.column}\` is ${sentences[defect]} in ${where} ${first}`;
  });
}

export const dataSchema: CheckDefinition<DataSchemaCheck> = {
  check: "data.schema",
  version: "1",
  exact: true,
  op: "<=",
  bases: ["census", "columns"],
  limitValue: limitOf,
  components: ({ dataset }) => [dataset],
  measure: async (check, components) => {
    const test = await components.table(check.dataset);
    return { measurement: measureSchema(test.content, check), subject: tableSubject(test), inputs: [inputOf("test", test)] };
  },
};
