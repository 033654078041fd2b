import { Worker } from "node:worker_threads";
import { LicetError } from "@licet/contract";
import type { KeyEncryptionKey, Keyring } from "../ledger/keyring.ts";
import type { Frame } from "../ledger/log.ts";
import { packFrames } from "./backtest-frames.ts";
import type { BacktestJob, BacktestJobDone } from "./backtest-worker.ts";
import type { Tally } from "./backtest-tally.ts";
import type { Bundle } from "./bundle-form.ts";
import { workerConditions } from "./compile.ts";

export interface SealedFrame extends Frame {
  readonly kid: string;
}

/** Threads that decide parts of the log again. */
export interface BacktestThreads {
  /** Parts that are under way at once are worth it; more only wait. */
  readonly partsMax: number;
  run(frames: readonly SealedFrame[]): Promise<Tally>;
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
  readonly #keyring: Pick<Keyring, "byId" | "isDestroyed">;
  readonly #known = new Set<string>();
  readonly #waiting = new Map<number, { readonly resolve: (tally: Tally) => void; readonly reject: (error: Error) => void }>();
  #count = 0;
  #failure: Error | undefined;

  constructor(bundle: Bundle, keyring: Pick<Keyring, "byId" | "isDestroyed">) {
    this.#keyring = keyring;
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

  run(frames: readonly SealedFrame[]): Promise<Tally> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = ++this.#count;
    const packed = packFrames(frames);
    const job: BacktestJob = { id, keys: this.#freshKeys(frames), frames: packed };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage(job, [packed.bytes.buffer, packed.ends.buffer]);
    });
  }

  /** A destroyed key is left out: the thread counts what it sealed as erased. */
  #freshKeys(frames: readonly SealedFrame[]): readonly KeyEncryptionKey[] {
    const kids = new Set(frames.map(({ kid }) => kid).filter((kid) => !this.#known.has(kid) && !this.#keyring.isDestroyed(kid)));
    for (const kid of kids) this.#known.add(kid);
    return [...kids].map((kid) => this.#keyring.byId(kid));
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

export interface ThreadsOptions {
  readonly bundle: Bundle;
  readonly keyring: Pick<Keyring, "byId" | "isDestroyed">;
  readonly threads?: number;
}

/** INVARIANT: keys go to these threads only, and end with them; `close` always follows. */
export function backtestThreads({ bundle, keyring, threads = threadsDefault }: ThreadsOptions): BacktestThreads {
  const all = Array.from({ length: threads }, () => new Thread(bundle, keyring));
  return {
    partsMax: threads * 2,
    run: (frames) => {
      const [first, ...others] = all;
      if (first === undefined) throw new LicetError("internal", { message: "a backtest needs a thread" });
      return others.reduce((least, each) => (each.load < least.load ? each : least), first).run(frames);
    },
    close: async () => {
      await Promise.all(all.map((each) => each.close()));
    },
  };
}
