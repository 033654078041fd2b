import { Worker } from "node:worker_threads";
import type { Proof, ProofOptions, ProofRun } from "./proof.ts";

const casesPerWorker = 20_000;
/** A case that tells nothing for so long hangs. */
const silenceMillisecondsMax = 60_000;
const heapEvery = 2000;
/** What caches with a bound may still fill up between two looks at a heap after garbage collection. */
const heapGrowthBytesMax = 64 * 1024 * 1024;

interface Told {
  readonly seed: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly losses: readonly string[];
  readonly heap?: number;
}

/** Hostile requests and answers on every surface, JSON and streamed. */
export const gatewayFuzz: Proof = {
  name: "gateway-fuzz",
  promise: "whatever requests and answers hold, however they are split, encoded or broken: what must not leave does not, what was taken out comes back to the same caller, every request that a provider saw has a decision in the log, no broken stream looks whole, and the gateway neither fails, hangs nor grows",
  covers: ["packages/licet/src/gateway"],
  async run({ seed, goOn, only }: ProofOptions): Promise<ProofRun> {
    const total: Record<string, number> = { cases: 0 };
    const losses: string[] = [];
    // Far apart, so that runs with neighbouring seeds do not look at the same cases.
    let first = only ?? seed * 10_000_019;
    const count = only === undefined ? casesPerWorker : 1;
    for (let again = true; again; again = goOn() && losses.length < 20 && only === undefined) {
      const run = await inWorker({ first, count, goOn });
      for (const [what, figure] of Object.entries(run.figures)) total[what] = what === "heapMegabytes" ? Math.max(total[what] ?? 0, figure) : (total[what] ?? 0) + figure;
      losses.push(...run.losses.map((loss) => `seed ${seed}, ${loss}`));
      first += casesPerWorker;
    }
    return { figures: total, losses };
  },
};

/** So many cases, or as many as there is time for. */
function inWorker({ first, count, goOn }: { readonly first: number; readonly count: number; readonly goOn: () => boolean }): Promise<ProofRun> {
  const figures: Record<string, number> = { cases: 0 };
  const losses: string[] = [];
  const heaps: number[] = [];
  let begun = first;
  return new Promise((resolve) => {
    const worker = new Worker(new URL("gateway-fuzz/worker.ts", import.meta.url), { workerData: { first, count, heapEvery }, execArgv: ["--conditions=source"] });
    const end = (loss?: string) => {
      clearTimeout(watch);
      if (loss !== undefined) losses.push(loss);
      losses.push(...growth(heaps));
      if (heaps.length > 0) figures["heapMegabytes"] = Math.round(Math.max(...heaps) / 1024 / 1024);
      void worker.terminate().then(() => resolve({ figures, losses }));
    };
    const hangs = () => end(`case ${begun}: no answer in ${silenceMillisecondsMax} ms`);
    let watch = setTimeout(hangs, silenceMillisecondsMax);
    worker.on("message", (message: { readonly begun: number } | Told) => {
      clearTimeout(watch);
      watch = setTimeout(hangs, silenceMillisecondsMax);
      if ("begun" in message) {
        begun = message.begun;
        return;
      }
      figures["cases"] = (figures["cases"] ?? 0) + 1;
      for (const [what, figure] of Object.entries(message.figures)) figures[what] = (figures[what] ?? 0) + figure;
      losses.push(...message.losses);
      if (message.heap !== undefined) heaps.push(message.heap);
      if (!goOn() || losses.length >= 20 || message.seed === first + count - 1) end();
    });
    worker.on("error", (error) => end(`case ${begun}: the thread died: ${error.message}`));
  });
}

/** The first look comes when everything has been loaded and used. */
function growth([settled, ...later]: readonly number[]): readonly string[] {
  const last = later.at(-1);
  if (settled === undefined || last === undefined || last - settled <= heapGrowthBytesMax) return [];
  return [`the heap grew from ${settled} to ${last} bytes in ${later.length * heapEvery} cases`];
}
