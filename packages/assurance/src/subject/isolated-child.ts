import { LicetError } from "@licet/contract";
import { z } from "zod";
import { type Model, loadModel } from "../onnx/model.ts";
import type { PeerModel } from "./peer-model.ts";
import { failed } from "./subject.ts";

/** Runs in a process of its own, started by `isolated-process.ts`: loads one model and scores rows until it is ended. */

const Order = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("load"), bytes: z.instanceof(Uint8Array), bounds: z.object({ bytesMax: z.number(), nodesMax: z.number(), elementsMax: z.number() }).optional() }),
  z.object({ kind: z.literal("load-peer"), bytes: z.instanceof(Uint8Array), peer: z.object({ name: z.enum(["onnxruntime-web", "onnxruntime-node"]), version: z.string(), module: z.string() }) }),
  z.object({ kind: z.literal("structure") }),
  z.object({ kind: z.literal("score"), rows: z.number(), columns: z.number(), data: z.instanceof(Float32Array) }),
]);

const state: { model: Model | undefined; peer: PeerModel | undefined } = { model: undefined, peer: undefined };

async function answerTo(message: unknown): Promise<object> {
  const order = Order.parse(message);
  if (order.kind === "load-peer") {
    // What other people's code needs is read when it is asked for, and never for our own interpreter.
    const { loadPeerModel } = await import("./peer-model.ts");
    state.peer = await loadPeerModel(order.bytes, order.peer);
    return { kind: "ready", width: state.peer.width ?? null };
  }
  if (order.kind === "score" && state.peer !== undefined) return { kind: "scores", ...(await state.peer.score(order.data, order.rows)) };
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
  void answerTo(message).catch(refusal).then((answer) => process.send?.(answer));
});

function refusal(error: unknown): object {
  const { code, message } = error instanceof LicetError ? error : failed("the model could not be run");
  return { kind: "refused", code, message };
}

process.on("disconnect", () => process.exit(0));
