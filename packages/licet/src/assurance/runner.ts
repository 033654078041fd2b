import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { SuiteReport, type DatasetReuse, type ReservedAttempt, type RunnerSettings, type RunnerView } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import { answering, type RunnerAsks } from "./runner-asks.ts";
import type { RunnerLanguage } from "./runner-language.ts";

export interface RunnerOrder {
  readonly suite: unknown;
  readonly root: string;
  readonly files: Readonly<Record<string, { readonly path: string; readonly digest: string }>>;
  readonly seed: string;
  readonly attempts: readonly ReservedAttempt[];
  readonly reuse: readonly DatasetReuse[];
  readonly release: string;
  readonly language?: RunnerLanguage | undefined;
}

/** More than these are turned away: whoever waits holds a connection. */
const waitingMax = 32;

function workerAddress(): URL {
  const suffix = extname(new URL(import.meta.url).pathname);
  return new URL(`./runner-worker${suffix}`, import.meta.url);
}

/** The server's own runner: each run in a worker of its own, so many at a time. Owns its workers. */
export class Runner {
  readonly settings: RunnerSettings;
  readonly #workers = new Set<Worker>();
  #turns: (() => void)[] = [];
  #running = 0;
  #closed = false;

  constructor(settings: RunnerSettings) {
    this.settings = settings;
  }

  get view(): RunnerView {
    return { ...this.settings, running: this.#running, waiting: this.#turns.length };
  }

  /**
   * Takes a place among those that run at once, for as long as `act` takes: before a ticket is issued, so that nobody's lease ends
   * while it waits. Throws `runner_busy` where too many wait already.
   */
  async inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.#running >= this.settings.concurrency) {
      if (this.#turns.length >= waitingMax) throw new LicetError("runner_busy");
      await new Promise<void>((resolve) => {
        this.#turns.push(resolve);
      });
    } else {
      this.#running += 1;
    }
    try {
      if (this.#closed) throw new LicetError("runner_failed", { message: "the server is stopping" });
      return await act();
    } finally {
      // Whoever waits takes the place over.
      const next = this.#turns.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** Whatever ends a run without a report is a failure: no evidence, never a pass. Throws `runner_failed`. */
  async run(order: RunnerOrder, asks?: RunnerAsks): Promise<SuiteReport> {
    const { memoryMb, timeMs, rows } = this.settings;
    const worker = new Worker(workerAddress(), { workerData: { ...order, rowsMax: rows }, resourceLimits: { maxOldGenerationSizeMb: memoryMb }, stdout: true, stderr: true });
    this.#workers.add(worker);
    const timer = setTimeout(() => void worker.terminate(), timeMs);
    try {
      return await reportOf(worker, answering(asks));
    } finally {
      clearTimeout(timer);
      this.#workers.delete(worker);
      await worker.terminate();
    }
  }

  /** Ends what runs: its tickets stay open and are aborted attempts, its repetitions stay owed. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#workers].map((worker) => worker.terminate()));
  }
}

function reportOf(worker: Worker, answer: ReturnType<typeof answering>): Promise<SuiteReport> {
  return new Promise<SuiteReport>((resolve, reject) => {
    const take = async (message: unknown): Promise<void> => {
      const reply = await answer(message);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
      if (reply !== undefined) return worker.postMessage(reply);
      const parsed = SuiteReport.safeParse(message);
      if (parsed.success) resolve(parsed.data);
      else reject(new LicetError("runner_failed", { cause: parsed.error }));
    };
    worker.on("message", (message: unknown) => void take(message).catch(reject));
    worker.once("error", (cause) => reject(new LicetError("runner_failed", { cause })));
    // A report that came with the end is handed over in the same turn, and is still being read here.
    worker.once("exit", (code) => setImmediate(() => reject(new LicetError("runner_failed", { message: `the runner ended with code ${code} and without a report` }))));
  });
}
