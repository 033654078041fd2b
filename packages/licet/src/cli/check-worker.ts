import { parentPort, workerData } from "node:worker_threads";
import { fileCache, openSuite } from "@licet/assurance";
import { personalDataIn } from "../detect/personal-data.ts";
import { componentFiles } from "./check-files.ts";
import { languageTargets } from "./check-endpoints.ts";
import { servedModels } from "./check-served.ts";
import type { CheckOrder, RunMessage, ThreadMessage } from "./check-order.ts";

/** A thread of `licet check`, started by `check-threads.ts`: runs the checks that it is told, one after the other. */

const order: CheckOrder = workerData;
const { project, checks, seed, planned, release } = order;
const files = componentFiles(project);

function send(message: ThreadMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
  parentPort?.postMessage(message);
}

const language = languageTargets(project, order.endpoints, {
  shares: new Map(Object.entries(order.shares)),
  prices: order.prices,
  ...(order.until !== undefined && { until: order.until }),
  ...(order.answers !== undefined && { answers: order.answers }),
  onAnswer: (check, answered) => send({ kind: "answered", check, answered }),
});

const suite = openSuite({
  root: project.folder,
  resolve: (name) => files[name],
  seed,
  planned: ({ id }) => planned[id],
  release,
  now: () => Date.now(),
  personalData: personalDataIn,
  ...(order.measurements !== undefined && { cache: fileCache(order.measurements) }),
  ...(language && { language }),
  models: { peer: order.peer, ...servedModels(project, order.endpoints, { ...(order.rowsMax !== undefined && { rowsMax: order.rowsMax }), ...(order.until !== undefined && { timeMsMax: Math.max(0, order.until - Date.now()) }) }) },
});

parentPort?.on("message", (message: RunMessage | "end") => {
  void (message === "end" ? end() : run(message.run));
});

async function run(index: number): Promise<void> {
  const check = checks[index];
  if (check === undefined) return;
  const { result, remembered } = await suite.run(check);
  send({ kind: "finished", index, result, remembered });
}

async function end(): Promise<void> {
  await suite[Symbol.asyncDispose]();
  parentPort?.close();
}
