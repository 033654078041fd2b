import { loadModel } from "../onnx/model.ts";
import { IsolatedChild, type IsolationLimits, isolationLimits, scoresFrom } from "./isolated-process.ts";
import { digestOf, type OnnxSubjectOptions } from "./onnx-subject.ts";
import type { Rows, Scores } from "./probe.ts";
import { joined, plainClasses, QueryBudget, slice, type Subject } from "./subject.ts";

/** Cells in one call, so that the time limit of a call does not depend on the length of a table. */
const callCellsMax = 1_000_000;

/**
 * An untrusted ONNX model in a process of its own: no environment, no writing, no further processes (Node's permission
 * model), a bounded heap, a watched size and a time limit per call. Whatever it does ends as a coded error here.
 */
export async function isolatedOnnx(options: OnnxSubjectOptions & { readonly limits?: IsolationLimits }): Promise<Subject> {
  const limits = options.limits ?? isolationLimits;
  const child = new IsolatedChild(limits);
  const budget = new QueryBudget(options.queriesMax);
  const loaded = await child.call({ kind: "load", bytes: options.bytes, bounds: options.bounds }).catch((error: unknown) => {
    child.end();
    throw error;
  });
  let classes: readonly string[] | undefined;
  const score = async (rows: Rows): Promise<Scores> => {
    const answer = await child.call({ kind: "score", rows: rows.rows, columns: rows.columns, data: rows.data });
    if (answer.kind === "scores") ({ classes } = answer);
    return scoresFrom(answer, rows);
  };
  return {
    kind: "onnx",
    id: options.id,
    digest: digestOf(options.bytes),
    width: (loaded.kind === "ready" ? loaded.width : null) ?? undefined,
    budget,
    classes: (columns) => classes ?? plainClasses(columns),
    scores: async (rows) => {
      budget.take(rows.rows);
      return inCalls(rows, score);
    },
    settle: async () => undefined,
    structure: async () => {
      // The same steps as there: what ended there within its limits ends here as well.
      await child.call({ kind: "structure" });
      return loadModel(options.bytes, options.bounds).structure();
    },
    [Symbol.asyncDispose]: async () => child.end(),
  };
}

export async function inCalls(rows: Rows, score: (part: Rows) => Promise<Scores>): Promise<Scores> {
  const most = Math.max(1, Math.floor(callCellsMax / Math.max(1, rows.columns)));
  if (rows.rows <= most) return score(rows);
  const parts: Scores[] = [];
  for (let start = 0; start < rows.rows; start += most) parts.push(await score(slice(rows, start, Math.min(rows.rows, start + most))));
  return joined(parts);
}
