import { type FairnessGroup, LicetError } from "@licet/contract";
import { type Grouping, groupingOf } from "../fairness/grouping.ts";
import { isMissing, median, numericColumn } from "../table/cast.ts";
import type { Table } from "../table/table.ts";

/**
 * Puts every row into a declared group. `median-split`: `high` when the value is at least the median of the column
 * in the reference table, otherwise `low`. `value`: the text of the cell.
 */
export function groupRows(group: Pick<FairnessGroup, "column" | "transform">, table: Table, reference: Table | undefined): Grouping {
  if (group.transform.kind === "median-split") return medianSplit(group.column, table, reference);
  return columnGroups(table, group.column);
}

/** A group for every value of a column. */
export function columnGroups(table: Table, column: string): Grouping {
  return groupingOf(table.cells(column).map((cell) => (isMissing(cell) ? undefined : cell)));
}

/** A row without an answer belongs to no group; a group without an answered row stays, with nothing in it. */
export function amongAnswered({ names, codes }: Grouping, scores: Float64Array): Grouping {
  return { names, codes: codes.map((code, row) => (Number.isFinite(scores[row]) ? code : -1)) };
}

function medianSplit(column: string, table: Table, reference: Table | undefined): Grouping {
  const split = reference === undefined ? undefined : median(numericColumn(reference, column));
  if (split === undefined) {
    throw new LicetError("table_value_invalid", {
      message: `the column \`${column}\` has no median in the reference data: name a data set with values under \`of\``,
      at: { column },
    });
  }
  const codes = Int32Array.from(numericColumn(table, column), (value) => {
    if (Number.isNaN(value)) return -1;
    return value >= split ? 0 : 1;
  });
  return { names: ["high", "low"], codes };
}
