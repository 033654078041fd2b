import type { CheckResult } from "@licet/contract";
import type { Model } from "../onnx/model.ts";
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

export function modelSubject(model: Loaded<Model>): Subject {
  return { kind: "onnx", id: model.name, digest: model.digest };
}
