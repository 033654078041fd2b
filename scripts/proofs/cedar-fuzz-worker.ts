/**
 * Runs cases of the fuzz proof, one by one, and tells of each before and after: whoever listens knows which one hangs.
 * A thread, so that its stack is as small as that of a server's main thread and its death is not the proof's.
 */
import { parentPort, workerData } from "node:worker_threads";
import { fuzzCase } from "./cedar-fuzz-cases.ts";

const { first, count }: { readonly first: number; readonly count: number } = workerData;

const tell = (message: unknown) => {
  // A port of a thread: unlike a window's it has no origin to name.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(message);
};

for (let seed = first; seed < first + count; seed++) {
  tell({ begun: seed });
  const { figures, losses } = fuzzCase(seed);
  tell({ seed, figures, losses });
}
