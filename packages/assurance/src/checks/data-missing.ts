import type { DataMissingCheck } from "@licet/contract";
import { castNumber, isMissing, missingCells } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import type { CheckDefinition } from "./definition.ts";
import { inputOf, tableSubject } from "./loaded.ts";
import type { Measurement } from "./measure.ts";

/**
 * `data.missing`: the share of missing cells in every column, with exact bounds, because the file stands for the
 * data that it was drawn from. A limit of 0 is about the file itself and is counted, not inferred.
 */
export function measureMissing(table: Table, check: DataMissingCheck): Measurement {
  const columns = (check.columns ?? table.columns).map((name) => ({
    name,
    events: absentCells(table, name, check.sentinels),
    n: table.rows,
  }));
  const worst = columns.filter(({ events }) => events > 0).sort((a, b) => b.events - a.events);
  return {
    basis: { kind: "columns", columns },
    counts: { attempted: table.rows, assessed: table.rows, unassessed: 0, events: worst[0]?.events ?? 0 },
    unit: "largest share of missing cells in a column",
    limit: { op: "<=", value: check.max },
    notes: worst.slice(0, 5).map(({ name, events, n }) => `column \`${name}\`: ${events} of ${n} cells are empty`),
    queries: 0,
  };
}

/** Numbers are compared as numbers: -999 also stands as -999.0. */
function absentCells(table: Table, column: string, sentinels: DataMissingCheck["sentinels"]): number {
  if (sentinels === undefined) return missingCells(table, column);
  const texts = new Set(sentinels.filter((each) => typeof each === "string"));
  const numbers = new Set(sentinels.filter((each) => typeof each === "number"));
  // A text is looked for among the texts: `-999` stands in a column of numbers, and `-999.0` is another one.
  const kept = texts.size === 0 ? table.numbers?.(column) : undefined;
  if (kept !== undefined) return kept.filter((value) => Number.isNaN(value) || numbers.has(value)).length;
  return table.cells(column).filter((cell) => isMissing(cell) || texts.has(cell) || (numbers.size > 0 && numbers.has(castNumber(cell) ?? Number.NaN))).length;
}

export const dataMissing: CheckDefinition<DataMissingCheck> = {
  check: "data.missing",
  version: "1",
  exact: true,
  op: "<=",
  bases: ["columns"],
  limitValue: ({ max }) => max,
  components: ({ dataset }) => [dataset],
  measure: async (check, components) => {
    const test = await components.table(check.dataset);
    return { measurement: measureMissing(test.content, check), subject: tableSubject(test), inputs: [inputOf("test", test)] };
  },
};
