import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { abortedResult } from "@licet/assurance";
import { CheckResult } from "@licet/contract";
import type { Answered } from "./check-endpoints.ts";
import type { CheckOrder, RunMessage, ThreadMessage } from "./check-order.ts";

export interface ThreadOptions {
  readonly workers: number;
  /** Ends what is under way: what is not finished then is aborted. */
  readonly signal: AbortSignal;
  readonly onStarted: (index: number) => void;
  readonly onAnswered: (check: string, answered: Answered) => void;
  readonly onFinished: (index: number, result: CheckResult, remembered: boolean) => void;
}

const heapMbMax = 4096;

/**
 * Runs the checks of an order in several threads and gives their results in the order of their declaration: the same,
 * however many threads there are. A thread that ends takes with it the check that it was at, and no other.
 */
export async function runInThreads(order: CheckOrder, options: ThreadOptions): Promise<readonly CheckResult[]> {
  const results: (CheckResult | undefined)[] = order.checks.map(() => undefined);
  let next = 0;
  const take = (): number | undefined => {
    if (options.signal.aborted || next >= order.checks.length) return undefined;
    next += 1;
    return next - 1;
  };
  const lane = async (): Promise<void> => {
    let thread: Thread | undefined;
    for (let index = take(); index !== undefined; index = take()) {
      thread = thread === undefined || thread.ended ? new Thread(order, options) : thread;
      options.onStarted(index);
      const ran = await thread.run(index);
      const result = ran.kind === "ran" ? ran.result : aborted(order, index, ran.why);
      results[index] = result;
      options.onFinished(index, result, ran.kind === "ran" && ran.remembered);
    }
    await thread?.end();
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(options.workers, order.checks.length)) }, lane));
  return order.checks.map((_, index) => results[index] ?? aborted(order, index, "the run was broken off before this check began"));
}

function aborted(order: CheckOrder, index: number, why: string): CheckResult {
  const check = order.checks[index];
  if (check === undefined) throw new RangeError("no such check");
  return abortedResult(check, why, { seed: order.seed, planned: ({ id }) => order.planned[id] });
}

type Ran = { readonly kind: "ran"; readonly result: CheckResult; readonly remembered: boolean } | { readonly kind: "ended"; readonly why: string };

/** One check at a time; owns the worker. */
class Thread {
  readonly #worker: Worker;
  readonly #options: ThreadOptions;
  #waiting: ((ran: Ran) => void) | undefined;
  #why: string | undefined;

  constructor(order: CheckOrder, options: ThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(address(), { workerData: order, resourceLimits: { maxOldGenerationSizeMb: heapMbMax } });
    this.#worker.on("message", (message: ThreadMessage) => this.#take(message));
    this.#worker.on("error", (error: NodeJS.ErrnoException) => this.#fail(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? `the check took more than ${heapMbMax} MB of memory` : "the thread that ran the check failed"));
    this.#worker.on("exit", () => this.#fail("the thread that ran the check ended"));
    options.signal.addEventListener("abort", this.#broken, { once: true });
  }

  get ended(): boolean {
    return this.#why !== undefined;
  }

  async run(index: number): Promise<Ran> {
    return new Promise((resolve) => {
      if (this.#why !== undefined) {
        resolve({ kind: "ended", why: this.#why });
        return;
      }
      this.#waiting = resolve;
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
      this.#worker.postMessage({ run: index } satisfies RunMessage);
    });
  }

  /** What runs for its models ends first; a thread that does not answer is ended all the same. */
  async end(): Promise<void> {
    this.#options.signal.removeEventListener("abort", this.#broken);
    if (this.#why === undefined) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
      this.#worker.postMessage("end");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, endMsMax);
        this.#worker.once("exit", () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    await this.#worker.terminate();
  }

  readonly #broken = (): void => {
    this.#fail("the run was broken off");
    void this.#worker.terminate();
  };

  #take(message: ThreadMessage): void {
    if (message.kind === "answered") {
      this.#options.onAnswered(message.check, message.answered);
      return;
    }
    const result = CheckResult.safeParse(message.result);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(result.success ? { kind: "ran", result: result.data, remembered: message.remembered } : { kind: "ended", why: "the thread that ran the check gave no result" });
  }

  #fail(why: string): void {
    this.#why ??= why;
    this.#waiting?.({ kind: "ended", why: this.#why });
    this.#waiting = undefined;
  }
}

const endMsMax = 5000;

function address(): URL {
  return new URL(`./check-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
}
