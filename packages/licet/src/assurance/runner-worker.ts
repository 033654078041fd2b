import { parentPort, workerData } from "node:worker_threads";
import { findPeerRuntime, runOfTicket, runSuite } from "@licet/assurance";
import { AssuranceSection, DatasetReuse, ReservedAttempt } from "@licet/contract";
import { z } from "zod";
import { personalDataIn } from "../detect/personal-data.ts";
import { AskPort, RunnerLanguage, runnerTargets } from "./runner-language.ts";

/** A worker of its own, so that a large table or a hostile model stalls neither calls nor the page. */
const Order = z.object({
  suite: AssuranceSection,
  root: z.string(),
  files: z.record(z.string(), z.object({ path: z.string(), digest: z.string() })),
  seed: z.string(),
  attempts: z.array(ReservedAttempt),
  reuse: z.array(DatasetReuse),
  release: z.string(),
  language: RunnerLanguage.optional(),
  rowsMax: z.int().positive(),
});

const order = Order.parse(workerData);
const language = order.language === undefined || parentPort === null ? undefined : runnerTargets(order.language, new AskPort(parentPort), () => Date.now());
const found = findPeerRuntime(process.env["LICET_ONNX_RUNTIME"] || undefined);
// Models here are other people's: native code would run them with the server's own rights.
const peer = found?.name === "onnxruntime-web" ? found : undefined;
const report = await runSuite({
  suite: order.suite,
  root: order.root,
  resolve: (name) => order.files[name],
  ...runOfTicket(order),
  release: order.release,
  now: () => Date.now(),
  rowsMax: order.rowsMax,
  personalData: personalDataIn,
  models: { peer },
  ...(language && { language }),
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
parentPort?.postMessage(report);
