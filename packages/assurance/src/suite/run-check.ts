import type { AssuranceCheck, CheckResult } from "@licet/contract";
import { measureMissing } from "../checks/data-missing.ts";
import { measureSchema } from "../checks/data-schema.ts";
import { measureFairness } from "../checks/fairness.ts";
import { groupRows } from "../checks/groups.ts";
import type { Measurement } from "../checks/measure.ts";
import { measurePerformance } from "../checks/performance.ts";
import { predict } from "../checks/predictions.ts";
import type { Model } from "../onnx/model.ts";
import type { Table } from "../table/table.ts";
import type { Components, Loaded } from "./component.ts";

type Subject = CheckResult["subject"];
type Input = CheckResult["inputs"][number];

/** A measurement with the files it was made on. */
export interface Measured {
  readonly measurement: Measurement;
  readonly subject: Subject;
  readonly inputs: readonly Input[];
  readonly group?: string;
}

/** Loads what one check names and counts. Throws LicetError when a file, table or model cannot be used. */
export async function measure(check: AssuranceCheck, components: Components): Promise<Measured> {
  const test = await components.table(check.dataset);
  const inputs = [inputOf("test", test)];
  switch (check.check) {
    case "data.schema":
      return { measurement: measureSchema(test.content, check), subject: tableSubject(test), inputs };
    case "data.missing":
      return { measurement: measureMissing(test.content, check), subject: tableSubject(test), inputs };
    case "perf.metric": {
      const model = await components.model(check.model);
      const measurement = measurePerformance(predict(model.content, test.content, check), check);
      return { measurement, subject: modelSubject(model), inputs };
    }
    case "fair.opportunity":
    case "fair.parity":
    case "fair.odds": {
      const model = await components.model(check.model);
      const { transform } = check.group;
      const reference = transform.kind === "median-split" ? await components.table(transform.of) : undefined;
      const grouping = groupRows(check.group, test.content, reference?.content);
      const measurement = measureFairness(predict(model.content, test.content, check), grouping, check);
      const read = reference === undefined ? inputs : [...inputs, inputOf("reference", reference)];
      return { measurement, subject: modelSubject(model), inputs: read, group: check.group.name };
    }
    default:
      return check satisfies never;
  }
}

/** What a check is about, by name, before its file was read. */
export function declaredSubject(check: AssuranceCheck): Subject {
  return "model" in check ? { kind: "onnx", id: check.model, digest: null } : { kind: "table", id: check.dataset, digest: null };
}

function inputOf(role: Input["role"], table: Loaded<Table>): Input {
  return { role, id: table.name, digest: table.digest, rows: table.content.rows };
}

function tableSubject(table: Loaded<Table>): Subject {
  return { kind: "table", id: table.name, digest: table.digest };
}

function modelSubject(model: Loaded<Model>): Subject {
  return { kind: "onnx", id: model.name, digest: model.digest };
}
