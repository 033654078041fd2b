import type { CheckResult } from "@licet/contract";
import type { TestedModel } from "../subject/tested-model.ts";
import type { Loaded } from "../suite/component.ts";
import type { Table } from "../table/table.ts";

type Subject = CheckResult["subject"];
type Input = CheckResult["inputs"][number];

export function inputOf(role: Input["role"], table: Loaded<Table>): Input {
  return { role, id: table.name, digest: table.digest, rows: table.content.rows };
}

export function tableSubject(table: Loaded<Table>): Subject {
  return { kind: "table", id: table.name, digest: table.digest };
}

/** To be called after its last answer: of an endpoint it holds what was seen. */
export function modelSubject(model: TestedModel): Subject {
  return model.subject();
}
