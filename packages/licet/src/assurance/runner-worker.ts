import { parentPort, workerData } from "node:worker_threads";
import { runSuite } from "@licet/assurance";
import { AssuranceSection } from "@licet/contract";
import { z } from "zod";

/** A worker of its own, so that a large table or a hostile model stalls neither calls nor the page. */
const Order = z.object({
  suite: AssuranceSection,
  root: z.string(),
  files: z.record(z.string(), z.object({ path: z.string(), digest: z.string() })),
  seed: z.string(),
  release: z.string(),
});

const order = Order.parse(workerData);
const report = await runSuite({
  suite: order.suite,
  root: order.root,
  resolve: (name) => order.files[name],
  seed: order.seed,
  release: order.release,
  now: () => Date.now(),
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
parentPort?.postMessage(report);
