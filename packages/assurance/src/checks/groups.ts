import { type FairnessGroup, LicetError } from "@licet/contract";
import { isMissing, median, numericColumn } from "../table/cast.ts";
import type { Table } from "../table/table.ts";

/** More groups than this make every pairwise comparison meaningless and the pairs too many to compute. */
const groupsMax = 50;

export interface Grouping {
  /** Every declared group, also those without a row. */
  readonly names: readonly string[];
  /** Group of each row; undefined where the value is missing. */
  readonly of: readonly (string | undefined)[];
}

/**
 * Puts every row into a declared group. `median-split`: `high` when the value is at least the median of the column
 * in the reference table, otherwise `low`. `value`: the text of the cell.
 */
export function groupRows(group: FairnessGroup, table: Table, reference: Table | undefined): Grouping {
  if (group.transform.kind === "median-split") return medianSplit(group.column, table, reference);
  const of = table.cells(group.column).map((cell) => (isMissing(cell) ? undefined : cell));
  const names = [...new Set(of.filter((name) => name !== undefined))].toSorted();
  if (names.length > groupsMax) {
    throw new LicetError("table_value_invalid", {
      message: `the column \`${group.column}\` has ${names.length} different values: group by a column with at most ${groupsMax}`,
      at: { column: group.column, groupsMax },
    });
  }
  return { names, of };
}

function medianSplit(column: string, table: Table, reference: Table | undefined): Grouping {
  const split = reference === undefined ? undefined : median(numericColumn(reference, column));
  if (split === undefined) {
    throw new LicetError("table_value_invalid", {
      message: `the column \`${column}\` has no median in the reference data: name a data set with values under \`of\``,
      at: { column },
    });
  }
  const of = Array.from(numericColumn(table, column), (value) => {
    if (Number.isNaN(value)) return undefined;
    return value >= split ? "high" : "low";
  });
  return { names: ["high", "low"], of };
}
