import { parentPort } from "node:worker_threads";
import { LicetError } from "@licet/contract";
import { composeBundle } from "./compose.ts";
import type { CompileAnswer, CompileOrder } from "./compile.ts";

/** A thread of its own for foreign Cedar text: cedar-wasm's parser may overflow its stack, or not come back. */
function answer({ source, known }: CompileOrder): CompileAnswer {
  try {
    return { kind: "composed", ...composeBundle(source, { known }) };
  } catch (error) {
    // What is not coded is the parser's end, which the thread that asked tells from its exit.
    if (!(error instanceof LicetError)) throw error;
    return { kind: "refused", code: error.code, message: error.message, at: error.at };
  }
}

parentPort?.on("message", (order: CompileOrder) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  parentPort?.postMessage(answer(order));
});
