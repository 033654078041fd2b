/** Makes runs of one gate at a time, and tells what came of them. */
import { parentPort } from "node:worker_threads";
import { countVerdicts } from "./count.ts";
import { gates } from "./gates.ts";

parentPort?.on("message", ({ gate, ...runs }: { readonly gate: number; readonly seed: number; readonly first: number; readonly last: number }) => {
  const simulated = gates[gate];
  if (simulated === undefined) throw new Error(`there is no gate ${gate}`);
  // A port of a thread: unlike a window's it has no origin to name.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage({ gate, verdicts: countVerdicts(simulated, runs) });
});
