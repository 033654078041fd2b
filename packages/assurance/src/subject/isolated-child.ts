import { LicetError } from "@licet/contract";
import { z } from "zod";
import { type Model, loadModel } from "../onnx/model.ts";

/** Runs in a process of its own, started by `isolated-onnx.ts`: loads one model and scores rows until it is ended. */

const Order = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("load"), bytes: z.instanceof(Uint8Array), bounds: z.object({ bytesMax: z.number(), nodesMax: z.number(), elementsMax: z.number() }).optional() }),
  z.object({ kind: z.literal("structure") }),
  z.object({ kind: z.literal("score"), rows: z.number(), columns: z.number(), data: z.instanceof(Float32Array) }),
]);

const state: { model: Model | undefined } = { model: undefined };

function answerTo(message: unknown): object {
  const order = Order.parse(message);
  if (order.kind === "load") {
    state.model = loadModel(order.bytes, order.bounds);
    return { kind: "ready", width: state.model.width ?? null };
  }
  if (state.model === undefined) return { kind: "refused", code: "model_malformed", message: "no model is loaded" };
  if (order.kind === "structure") {
    state.model.structure();
    return { kind: "ready", width: state.model.width ?? null };
  }
  const { classes, rows, scores } = state.model.score(order.data, order.rows);
  return { kind: "scores", rows, columns: classes.length, classes, scores };
}

process.on("message", (message) => {
  try {
    process.send?.(answerTo(message));
  } catch (error) {
    const known = error instanceof LicetError;
    process.send?.({ kind: "refused", code: known ? error.code : "subject_failed", message: known ? error.message : "the model could not be run" });
  }
});
process.on("disconnect", () => process.exit(0));
