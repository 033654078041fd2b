import type { CheckResult } from "@licet/contract";
import type { Components } from "../suite/component.ts";
import type { Table } from "../table/table.ts";
import { isOneClass } from "./hollow.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import { predict, type Predictions, type Scored } from "./predictions.ts";

/** A model's answers to the rows of a declared data set. */
export interface Scoring {
  readonly table: Table;
  readonly predictions: Predictions;
  readonly found: { readonly subject: CheckResult["subject"]; readonly inputs: CheckResult["inputs"]; readonly queries: number; readonly oneClass: boolean };
}

export interface ScoredCheck extends Scored {
  readonly model: string;
  readonly dataset: string;
}

export async function scoringOf(check: ScoredCheck, files: Components): Promise<Scoring> {
  const test = await files.table(check.dataset);
  const model = await files.model(check.model);
  const predictions = await predict(model, test.content, check);
  return { table: test.content, predictions, found: { subject: modelSubject(model), inputs: [inputOf("test", test)], queries: predictions.attempted, oneClass: isOneClass(predictions.target) } };
}
