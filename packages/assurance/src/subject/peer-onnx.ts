import type { PeerRuntime } from "../onnx/peer-runtime.ts";
import { inCalls } from "./isolated-onnx.ts";
import { IsolatedChild, type IsolationLimits, isolationLimits, scoresFrom } from "./isolated-process.ts";
import { digestOf, type OnnxSubjectOptions } from "./onnx-subject.ts";
import { plainClasses, QueryBudget, type Subject } from "./subject.ts";

/**
 * An ONNX model in ONNX Runtime, in a process of its own with the same bounds as our interpreter has: beside that for
 * comparison, or in its place where it lacks an operator. Of the two, only WebAssembly keeps a hostile model within
 * those bounds. Throws `subject_failed` where ONNX Runtime does not take it, and what `peerPlan` throws.
 */
export async function peerOnnx(options: OnnxSubjectOptions & { readonly peer: PeerRuntime; readonly limits?: IsolationLimits }): Promise<Subject> {
  const { peer, bytes } = options;
  const child = new IsolatedChild(options.limits ?? isolationLimits, { native: peer.name === "onnxruntime-node" });
  const budget = new QueryBudget(options.queriesMax);
  const loaded = await child.call({ kind: "load-peer", bytes, peer: { ...peer } }).catch((error: unknown) => {
    child.end();
    throw error;
  });
  return {
    kind: "onnx",
    id: options.id,
    digest: digestOf(bytes),
    width: (loaded.kind === "ready" ? loaded.width : null) ?? undefined,
    budget,
    classes: plainClasses,
    scores: async (rows) => {
      budget.take(rows.rows);
      return inCalls(rows, async (part) => scoresFrom(await child.call({ kind: "score", rows: part.rows, columns: part.columns, data: part.data }), part));
    },
    settle: async () => undefined,
    [Symbol.asyncDispose]: async () => child.end(),
  };
}
