/**
 * Runs cases of the gateway's fuzz proof, one by one, and tells of each before and after: whoever listens knows which
 * one hangs. A thread, so that its death is not the proof's and its heap is its own.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { fuzzCase } from "./case.ts";
import { openWorld } from "./ways.ts";

const { first, count, heapEvery }: { readonly first: number; readonly count: number; readonly heapEvery: number } = workerData;

const tell = (message: unknown) => {
  // A port of a thread: unlike a window's it has no origin to name.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(message);
};

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collect();
  return getHeapStatistics().used_heap_size;
}

const world = openWorld();
for (let seed = first; seed < first + count; seed++) {
  tell({ begun: seed });
  const { figures, losses } = await fuzzCase(world, seed);
  const done = seed - first + 1;
  tell({ seed, figures, losses, ...(done % heapEvery === 0 && { heap: heapBytes() }) });
}
await world.close();
