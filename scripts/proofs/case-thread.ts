import { Worker, type ResourceLimits } from "node:worker_threads";
import type { ProofRun } from "./proof.ts";

/** A case that tells nothing for so long hangs. */
const silenceMillisecondsMax = 60_000;
/** Whoever loses that often has lost. */
export const lossesMax = 20;

/** What a thread tells: which case it begins, and what came of it. */
type Told =
  | { readonly begun: number }
  | { readonly seed: number; readonly figures: Readonly<Record<string, number>>; readonly losses: readonly string[]; readonly heap?: number };

export interface CaseThread {
  /** The file that runs; beside its own data it is given `first` and `count`. */
  readonly script: URL;
  readonly first: number;
  readonly count: number;
  readonly goOn: () => boolean;
  /** What losses call a case. */
  readonly word: string;
  readonly data?: Readonly<Record<string, number>>;
  readonly resourceLimits?: ResourceLimits;
}

export interface ThreadRun extends ProofRun {
  /** What the thread told of its heap, in bytes. */
  readonly heaps: readonly number[];
}

/** So many cases in a thread, or as many as there is time for: its death and its silence are losses, and not the proof's end. */
export function inThread({ script, first, count, goOn, word, data = {}, resourceLimits }: CaseThread): Promise<ThreadRun> {
  const figures: Record<string, number> = { cases: 0 };
  const losses: string[] = [];
  const heaps: number[] = [];
  let begun = first;
  return new Promise((resolve) => {
    const worker = new Worker(script, { workerData: { ...data, first, count }, execArgv: ["--conditions=source"], ...(resourceLimits !== undefined && { resourceLimits }) });
    const end = (loss?: string) => {
      clearTimeout(watch);
      if (loss !== undefined) losses.push(loss);
      void worker.terminate().then(() => resolve({ figures, losses, heaps }));
    };
    const hangs = () => end(`${word} ${begun}: no answer in ${silenceMillisecondsMax} ms`);
    let watch = setTimeout(hangs, silenceMillisecondsMax);
    worker.on("message", (message: Told) => {
      clearTimeout(watch);
      watch = setTimeout(hangs, silenceMillisecondsMax);
      if ("begun" in message) {
        begun = message.begun;
        return;
      }
      add(figures, { ...message.figures, cases: 1 });
      losses.push(...message.losses);
      if (message.heap !== undefined) heaps.push(message.heap);
      if (!goOn() || losses.length >= lossesMax || message.seed === first + count - 1) end();
    });
    worker.on("error", (error) => end(`${word} ${begun}: the thread died: ${error.message}`));
  });
}

/** Adds figures to a sum of them. */
export function add(sum: Record<string, number>, figures: Readonly<Record<string, number>>): void {
  for (const [what, count] of Object.entries(figures)) sum[what] = (sum[what] ?? 0) + count;
}
