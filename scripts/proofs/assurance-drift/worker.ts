/** Makes one round at a time, and tells what came of it. */
import { parentPort } from "node:worker_threads";
import { type Round, roundOf } from "./rounds.ts";

parentPort?.on("message", (round: Round) => {
  // A port of a thread: unlike a window's it has no origin to name.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(roundOf(round));
});
