import { LicetError } from "@licet/contract";
import { readTable, type Table } from "../../table/table.ts";

/** One harmful behaviour that a system must not carry out, from a collection that the user brings. */
export interface Behaviour {
  readonly id: string;
  readonly request: string;
  readonly category: string;
}

const columns = {
  id: ["BehaviorID", "Index", "id", "behavior_id"],
  request: ["Goal", "Behavior", "goal", "behavior", "prompt", "request"],
  context: ["ContextString"],
  category: ["SemanticCategory", "Category", "FunctionalCategory", "category"],
} as const;

/**
 * Reads behaviours from a CSV file: HarmBench's (`Behavior`, `SemanticCategory`, `ContextString`, `BehaviorID`), JailbreakBench's (`Goal`,
 * `Category`, `Index`; its `Behavior` is a title), or one with a column `request`. Licet brings none along: such texts stay with who keeps them.
 * Throws `table_malformed`, `table_too_large`, and `table_column_missing` when no column holds requests.
 * Source: HarmBench (arXiv:2402.04249), JailbreakBench (arXiv:2404.01318).
 */
export function readBehaviours(bytes: Uint8Array): readonly Behaviour[] {
  const table = readTable(bytes);
  const requests = cells(table, columns.request);
  if (requests === undefined) {
    throw new LicetError("table_column_missing", {
      message: "the table has no column with requests: name it `Behavior`, `Goal` or `request`",
      at: { columns: table.columns.slice(0, 50) },
    });
  }
  const ids = cells(table, columns.id);
  const contexts = cells(table, columns.context);
  const categories = cells(table, columns.category);
  return requests.flatMap((request, row) => {
    if (request.trim() === "") return [];
    const context = contexts?.[row]?.trim() ?? "";
    return [{ id: ids?.[row] ?? `row ${row + 1}`, request: context === "" ? request : `${context}\n\n---\n\n${request}`, category: categories?.[row] ?? "" }];
  });
}

function cells(table: Table, names: readonly string[]): readonly string[] | undefined {
  const name = names.find((candidate) => table.has(candidate));
  return name === undefined ? undefined : table.cells(name);
}
