import type { CheckResult } from "@licet/contract";
import type { Structure } from "../onnx/structure.ts";
import type { Rows, Scores } from "./probe.ts";

/** Scores with the classes that they are of, in the order of the columns. */
export interface ModelScores extends Scores {
  readonly classes: readonly string[];
}

/** A declared model as a check sees it, wherever it runs: something that scores rows. */
export interface TestedModel {
  readonly name: string;
  /** Of its file; of what is declared about it where only an endpoint is known. */
  readonly digest: string;
  /** Number of features; undefined where it leaves that open. */
  readonly width: number | undefined;
  /** True where it is asked over a network: what it takes to answer is its own. */
  readonly remote: boolean;
  /** Rows that this check has sent. */
  readonly sent: () => number;
  /** What a record says of it: of an endpoint, what has been seen until now. */
  readonly subject: () => CheckResult["subject"];
  /**
   * A row that could not be scored holds NaN. Throws `model_input_mismatch`, `model_output_unclear`, `subject_refused`,
   * `subject_failed`, `subject_timeout`, `subject_stale`, and `query_budget_spent` before anything is sent.
   */
  readonly score: (rows: Rows) => Promise<ModelScores>;
  /** Its weights, where they can be seen. Throws `subject_opaque` for what only answers. */
  readonly structure: () => Promise<Structure>;
}
