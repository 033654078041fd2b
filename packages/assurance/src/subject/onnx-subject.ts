import { createHash } from "node:crypto";
import { loadModel } from "../onnx/model.ts";
import { type ModelBounds, modelBounds } from "../onnx/model-file.ts";
import { plainClasses, QueryBudget, type Subject } from "./subject.ts";

export interface OnnxSubjectOptions {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly queriesMax?: number;
  readonly bounds?: ModelBounds;
}

/** A trusted ONNX model in this process: fastest. A model from elsewhere belongs into `isolatedOnnx`. */
export function onnxSubject(options: OnnxSubjectOptions): Subject {
  const model = loadModel(options.bytes, options.bounds ?? modelBounds);
  let classes: readonly string[] | undefined;
  const budget = new QueryBudget(options.queriesMax);
  return {
    kind: "onnx",
    id: options.id,
    digest: digestOf(options.bytes),
    width: model.width,
    budget,
    classes: (columns) => classes ?? plainClasses(columns),
    scores: async (rows) => {
      budget.take(rows.rows);
      const scored = model.score(rows.data, rows.rows);
      ({ classes } = scored);
      return { rows: rows.rows, columns: scored.classes.length, scores: scored.scores };
    },
    settle: async () => undefined,
    structure: async () => model.structure(),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
