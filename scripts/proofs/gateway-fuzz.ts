import { add, inThread, lossesMax } from "./case-thread.ts";
import type { Proof, ProofOptions, ProofRun } from "./proof.ts";

const casesPerWorker = 20_000;
const heapEvery = 2000;
/** What caches with a bound may still fill up between two looks at a heap after garbage collection. */
const heapGrowthBytesMax = 64 * 1024 * 1024;

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
    let heapMost = 0;
    for (let again = true; again; again = goOn() && losses.length < lossesMax && only === undefined) {
      const run = await inThread({ script: new URL("gateway-fuzz/worker.ts", import.meta.url), first, count, goOn, word: "case", data: { heapEvery } });
      add(total, run.figures);
      heapMost = Math.max(heapMost, ...run.heaps);
      losses.push(...[...run.losses, ...growth(run.heaps)].map((loss) => `seed ${seed}, ${loss}`));
      first += casesPerWorker;
    }
    return { figures: heapMost === 0 ? total : { ...total, heapMegabytes: Math.round(heapMost / 1024 / 1024) }, losses };
  },
};

/** The first look comes when everything has been loaded and used. */
function growth([settled, ...later]: readonly number[]): readonly string[] {
  const last = later.at(-1);
  if (settled === undefined || last === undefined || last - settled <= heapGrowthBytesMax) return [];
  return [`the heap grew from ${settled} to ${last} bytes in ${later.length * heapEvery} cases`];
}
