import { Worker } from "node:worker_threads";
import { LicetError } from "@licet/contract";
import { workerConditions } from "./compile.ts";
import type { PackAnswer, PackJob } from "./pack-span.ts";

/** Beside this file both in the sources and in the flat folder of the bundle. */
function workerFile(): URL {
  return import.meta.url.endsWith(".ts") ? new URL("./pack-worker.ts", import.meta.url) : new URL("./pack-worker.js", import.meta.url);
}

const jobSecondsMax = 60;

/**
 * One job in a thread of its own: cedar-wasm's parser can overflow its stack or not come back, and whoever asked goes on.
 * Throws `policy_too_deep` where it did not answer.
 */
export function runPackJob(job: PackJob): Promise<PackAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile(), { workerData: job, execArgv: workerConditions(), name: "policies", resourceLimits: { maxOldGenerationSizeMb: 512 } });
    const fail = (cause?: unknown) => reject(new LicetError("policy_too_deep", { message: "the Cedar parser did not survive the text", cause }));
    const timer = setTimeout(() => {
      fail();
      void worker.terminate();
    }, jobSecondsMax * 1000);
    worker.once("message", resolve);
    worker.once("error", fail);
    worker.once("exit", () => {
      clearTimeout(timer);
      fail();
    });
  });
}
