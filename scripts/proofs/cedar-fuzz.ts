import { Worker } from "node:worker_threads";
import type { Proof, ProofOptions, ProofRun } from "./proof.ts";

const casesPerWorker = 200;
/** A case that tells nothing for so much of the processor's time hangs: what else the machine does is not the case's. */
const silenceMillisecondsMax = 60_000;
const lookEveryMilliseconds = 1_000;
const stackSizeMb = 1;

interface Finished {
  readonly figures: Readonly<Record<string, number>>;
  readonly losses: readonly string[];
}

/** Hostile requests, policies, schemas and entities. */
export const cedarFuzz: Proof = {
  name: "cedar-fuzz",
  promise: "whatever requests, policies, schemas and entities hold, @licet/cedar answers or refuses with a CedarError, soon, and a decider allows nothing where a policy in force could not be evaluated",
  covers: ["packages/cedar/src"],
  async run({ seed, goOn }: ProofOptions): Promise<ProofRun> {
    const total: Record<string, number> = { cases: 0 };
    const losses: string[] = [];
    // Far apart, so that runs with neighbouring seeds do not look at the same cases.
    let first = seed * 1_000_003;
    do {
      const { figures, losses: lost } = await inWorker(first, goOn);
      for (const [what, count] of Object.entries(figures)) total[what] = (total[what] ?? 0) + count;
      losses.push(...lost);
      first += casesPerWorker;
    } while (goOn() && losses.length < 20);
    return { figures: total, losses };
  },
};

/** So many cases, or as many as there is time for. */
function inWorker(first: number, goOn: () => boolean): Promise<Finished> {
  const figures: Record<string, number> = { cases: 0 };
  const losses: string[] = [];
  let begun = first;
  return new Promise((resolve) => {
    const worker = new Worker(new URL("cedar-fuzz-worker.ts", import.meta.url), { workerData: { first, count: casesPerWorker }, resourceLimits: { stackSizeMb }, execArgv: ["--conditions=source"] });
    const end = (loss?: string) => {
      clearInterval(watch);
      if (loss !== undefined) losses.push(loss);
      void worker.terminate().then(() => resolve({ figures, losses }));
    };
    let heard = processorMilliseconds();
    const watch = setInterval(() => {
      if (processorMilliseconds() - heard > silenceMillisecondsMax) end(`seed ${begun}: no answer in ${silenceMillisecondsMax} ms of the processor`);
    }, lookEveryMilliseconds);
    worker.on("message", (message: { readonly begun: number } | (Finished & { readonly seed: number })) => {
      heard = processorMilliseconds();
      if ("begun" in message) {
        begun = message.begun;
        return;
      }
      figures["cases"] = (figures["cases"] ?? 0) + 1;
      for (const [what, count] of Object.entries(message.figures)) figures[what] = (figures[what] ?? 0) + count;
      losses.push(...message.losses);
      if (!goOn() || message.seed === first + casesPerWorker - 1) end();
    });
    worker.on("error", (error) => end(`seed ${begun}: the thread died: ${error.message}`));
  });
}

/** Of this process, which beside the thread only waits for it. */
function processorMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
