import { Worker } from "node:worker_threads";
import { LicetError } from "@licet/contract";
import type { RecordedDecision } from "./backtest-replay.ts";
import type { BacktestJob, BacktestJobDone } from "./backtest-worker.ts";
import type { Tally } from "./backtest-tally.ts";
import type { Bundle } from "./bundle-form.ts";
import { workerConditions } from "./compile.ts";

/** Threads that make recorded decisions again. */
export interface BacktestThreads {
  /** Parts that are under way at once are worth it; more only wait. */
  readonly partsMax: number;
  run(decisions: readonly RecordedDecision[]): Promise<Tally>;
  close(): Promise<void>;
}

/** Beside this file both in the sources and in the flat folder of the bundle. */
function workerFile(): URL {
  return import.meta.url.endsWith(".ts") ? new URL("./backtest-worker.ts", import.meta.url) : new URL("./backtest-worker.js", import.meta.url);
}

export const threadsDefault = 2;
const heapMebibytesMax = 512;

class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { readonly resolve: (tally: Tally) => void; readonly reject: (error: Error) => void }>();
  #count = 0;
  #failure: Error | undefined;

  constructor(bundle: Bundle) {
    this.#worker = new Worker(workerFile(), { workerData: { bundle }, execArgv: workerConditions(), name: "backtest", resourceLimits: { maxOldGenerationSizeMb: heapMebibytesMax } });
    this.#worker.on("message", ({ id, tally }: BacktestJobDone) => {
      this.#waiting.get(id)?.resolve(tally);
      this.#waiting.delete(id);
    });
    this.#worker.on("error", (cause: unknown) => this.#fail(new LicetError("internal", { message: "a thread of the backtest failed", cause })));
    this.#worker.on("exit", () => this.#fail(new LicetError("internal", { message: "a thread of the backtest ended" })));
  }

  get load(): number {
    return this.#waiting.size;
  }

  run(decisions: readonly RecordedDecision[]): Promise<Tally> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
      this.#worker.postMessage({ id, decisions } satisfies BacktestJob);
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** `close` always follows. */
export function backtestThreads(bundle: Bundle, threads = threadsDefault): BacktestThreads {
  const all = Array.from({ length: threads }, () => new Thread(bundle));
  return {
    partsMax: threads * 2,
    run: (decisions) => {
      const [first, ...others] = all;
      if (first === undefined) throw new LicetError("internal", { message: "a backtest needs a thread" });
      return others.reduce((least, each) => (each.load < least.load ? each : least), first).run(decisions);
    },
    close: async () => {
      await Promise.all(all.map((each) => each.close()));
    },
  };
}
